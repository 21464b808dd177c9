//! What time brings: an update goes through all rings, and a tick without work writes nothing.

use std::collections::BTreeSet;

use chrono::{NaiveDate, Timelike};
use domain::deployment::DeploymentState;
use domain::ids::StageOf;
use domain::rollout::RolloutState;
use domain::status::UpdateStatus;
use testkit::{Devices, Estate, both_engines, date, instant};

use crate::status;

both_engines![
    an_update_goes_through_all_rings_room_by_room_in_its_night_s3_s5_s6_t7,
    an_idle_tick_writes_nothing_s14,
    a_dry_run_says_what_a_tick_would_do_and_writes_nothing_g1,
];

async fn an_update_goes_through_all_rings_room_by_room_in_its_night_s3_s5_s6_t7(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    assert_eq!(status(&estate, update).await, UpdateStatus::Scheduled);
    estate.live_until("2025-03-04T23:00:00Z", &mut devices).await;
    assert_eq!(estate.fleet().await.deployments.len(), 0);
    estate.live_until("2025-03-12T06:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    estate.is_sound().await;
    estate.live_until("2025-04-01T23:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    estate.live_until("2025-04-02T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);

    let fleet = estate.fleet().await;
    let rollout = &fleet.rollouts[&update];
    let starts: Vec<NaiveDate> = rollout.stages.iter().map(|stage| stage.starts_on).collect();
    assert_eq!(starts, [date("2025-03-05"), date("2025-03-12"), date("2025-03-26")]);
    assert_eq!(
        rollout.state,
        RolloutState::Finished {
            at: instant("2025-04-02T00:00:00Z")
        }
    );
    assert_eq!(fleet.deployments.len(), 17);
    assert!(
        fleet
            .deployments
            .values()
            .all(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }))
    );
    let of_ring = |ring: StageOf| {
        fleet
            .deployments
            .values()
            .filter(move |deployment| deployment.ring == ring)
            .map(|deployment| deployment.night.date())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        of_ring(rollout.stages[0].ring),
        (5..=6)
            .map(|day| NaiveDate::from_ymd_opt(2025, 3, day).unwrap())
            .collect()
    );
    assert_eq!(
        of_ring(rollout.stages[1].ring),
        (12..=21)
            .map(|day| NaiveDate::from_ymd_opt(2025, 3, day).unwrap())
            .collect()
    );
    assert_eq!(
        of_ring(rollout.stages[2].ring),
        (26..=30)
            .map(|day| NaiveDate::from_ymd_opt(2025, 3, day).unwrap())
            .collect()
    );
    for install in fleet.installs.values() {
        let started = install.started_at.unwrap();
        assert!(started.hour() < 5, "{started}");
        assert_eq!(
            started.date_naive(),
            fleet.deployments[&install.deployment].night.date()
        );
    }
    assert!(fleet.rooms.values().all(|room| {
        room.devices[0]
            .components
            .iter()
            .any(|component| component.version.as_deref() == Some("2.0"))
    }));
    assert_eq!(fleet.tickets.len(), 0);
    estate.is_sound().await;
    let published: Vec<_> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "update.published")
        .collect();
    assert_eq!(
        published,
        [(
            "update.published".to_owned(),
            "Published Bar firmware 2.0; it starts on Wed 5 Mar 2025.".to_owned()
        )]
    );
}

async fn an_idle_tick_writes_nothing_s14(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 3)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    estate.service.tick().await.unwrap();
    assert_eq!(
        estate.service.next_due().await.unwrap(),
        Some(instant("2025-03-05T00:00:00Z"))
    );
    let (fleet, audit) = (estate.fleet().await, estate.audit().await);
    for minute in 0..5 {
        estate.at(&format!("2025-03-04T20:0{minute}:00Z"));
        let report = estate.service.tick().await.unwrap();
        assert_eq!((report.rounds, report.lines.len(), report.elsewhere), (0, 0, false));
    }
    assert_eq!((estate.fleet().await, estate.audit().await), (fleet, audit));
    // Its next instant moves with the work.
    estate.at_and_tick("2025-03-05T00:00:00Z").await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    // Nothing but the daily look at each room's checks (C5).
    let next = estate.service.next_due().await.unwrap().expect("the next checks");
    assert!(
        next > instant("2025-04-03T00:00:00Z") && next <= instant("2025-04-04T00:00:00Z"),
        "{next}"
    );
}

async fn a_dry_run_says_what_a_tick_would_do_and_writes_nothing_g1(estate: Estate) {
    estate.rooms(&[("Staging", 2), ("General", 2)]).await;
    estate.publish("bar", "2.0", None).await;
    estate.service.tick().await.unwrap();
    estate.at("2025-03-05T00:00:00Z");
    let before = estate.fleet().await;
    let plan = estate.service.plan().await.unwrap();
    assert!(plan.writes);
    assert!(
        plan.lines
            .iter()
            .any(|(about, text)| about == "Bar firmware 2.0" && text == "Enters Staging: 2 rooms in 2 nights."),
        "{:?}",
        plan.lines
    );
    assert_eq!(estate.fleet().await, before);
    let twice = estate.service.plan().await.unwrap();
    assert_eq!(twice.lines, plan.lines);
    estate.service.tick().await.unwrap();
    assert_ne!(estate.fleet().await, before);
    estate.is_sound().await;
}
