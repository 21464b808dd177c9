//! Failed rooms: retrying them (K4), and acknowledging that they have failed (T9).

use std::collections::{BTreeMap, BTreeSet};

use domain::deployment::DeploymentState;
use domain::ids::RoomId;
use domain::status::UpdateStatus;
use domain::ticket::TicketStatus;
use testkit::{Devices, Estate, actor, both_engines, problem};

use crate::status;

both_engines![
    retry_puts_back_exactly_the_failed_rooms_and_a_second_click_changes_nothing_k1_k4_t7,
    what_is_shown_before_a_retry_is_what_it_does_where_a_newer_update_has_come_k4_s9,
    failures_are_acknowledged_once_the_rollout_is_over_t9,
];

async fn retry_puts_back_exactly_the_failed_rooms_and_a_second_click_changes_nothing_k1_k4_t7(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 3), ("General", 4)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = BTreeMap::from([("staging-1".to_owned(), 1), ("general-2".to_owned(), 2)]);
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::CompletedWithFailures);
    let failed = async || {
        let fleet = estate.fleet().await;
        let failed = fleet
            .deployments
            .values()
            .filter(|deployment| matches!(deployment.state, DeploymentState::Failed { .. }));
        failed.map(|deployment| deployment.room).collect::<BTreeSet<_>>()
    };
    assert_eq!(failed().await, BTreeSet::from([rooms["Staging 1"], rooms["General 2"]]));
    let open_tickets = async || {
        let fleet = estate.fleet().await;
        fleet
            .tickets
            .values()
            .filter(|ticket| ticket.state != TicketStatus::Resolved)
            .map(|ticket| ticket.room)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(open_tickets().await, failed().await);

    assert_eq!(
        estate.service.retry_all_failed(&actor(), update).await.unwrap().rooms,
        2
    );
    let fleet = estate.fleet().await;
    let audit = estate.audit().await;
    assert_eq!(
        estate.service.retry_all_failed(&actor(), update).await.unwrap().rooms,
        0
    );
    assert_eq!(estate.fleet().await, fleet);
    assert_eq!(estate.audit().await, audit);
    assert_eq!(
        audit[0],
        (
            "update.retried".to_owned(),
            "Retried Bar firmware 2.0 in 2 failed rooms.".to_owned()
        )
    );
    let again: Vec<u32> = fleet
        .deployments
        .values()
        .map(|deployment| deployment.attempt)
        .collect();
    assert_eq!(
        (again.iter().filter(|attempt| **attempt == 2).count(), again.len()),
        (2, 7)
    );

    estate.live_until("2025-04-04T06:00:00Z", &mut devices).await;
    assert_eq!(failed().await, BTreeSet::from([rooms["General 2"]]));
    assert_eq!(open_tickets().await, BTreeSet::from([rooms["General 2"]]));
    assert_eq!(status(&estate, update).await, UpdateStatus::CompletedWithFailures);
    estate.is_sound().await;
    estate.service.retry_all_failed(&actor(), update).await.unwrap();
    estate.live_until("2025-04-05T06:00:00Z", &mut devices).await;
    let last = estate.deployment(rooms["General 2"], update).await.unwrap();
    assert_eq!(last.attempt, 3);
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    assert_eq!(open_tickets().await, BTreeSet::new());
    estate.is_sound().await;
}

async fn what_is_shown_before_a_retry_is_what_it_does_where_a_newer_update_has_come_k4_s9(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 1)]).await;
    let older = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = (1..=10).map(|number| (format!("general-{number}"), 1)).collect();
    devices.fails.insert("staging-1".to_owned(), 9);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let newer = estate.publish("bar", "3.0", None).await;
    estate.live_until("2025-03-19T00:30:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    assert_eq!(fleet.rollouts[&newer].stages.len(), 1, "it has come to Staging alone");
    let failed = fleet
        .deployments
        .values()
        .filter(|deployment| deployment.update == older && matches!(deployment.state, DeploymentState::Failed { .. }));
    let failed: BTreeSet<RoomId> = failed.map(|deployment| deployment.room).collect();
    assert!(failed.contains(&rooms["Staging 1"]) && failed.len() > 2, "{failed:?}");

    let plan = estate.service.retry_plan(&actor(), older, 2).await.unwrap();
    assert_eq!((plan.retried.rooms, plan.retried.left_out), (failed.len() - 1, 1));
    assert_eq!(plan.rooms.len(), 2, "so many are named");
    let all = estate.service.retry_plan(&actor(), older, 20).await.unwrap();
    assert_eq!(all.rooms[..2], plan.rooms);
    assert_eq!(estate.fleet().await, fleet, "nothing is written");

    let retried = estate.service.retry_all_failed(&actor(), older).await.unwrap();
    assert_eq!(retried, all.retried);
    for shown in &all.rooms {
        let deployment = estate.deployment(shown.room, older).await.unwrap();
        assert_eq!(deployment.state, DeploymentState::Waiting);
        assert_eq!(
            (deployment.attempt, deployment.night.date()),
            (shown.attempt, shown.window.night)
        );
    }
    let left_out = estate.deployment(rooms["Staging 1"], older).await.unwrap();
    assert!(matches!(left_out.state, DeploymentState::Failed { .. }), "{left_out:?}");
    let again = estate.service.retry_plan(&actor(), older, 20).await.unwrap();
    assert_eq!((again.retried.rooms, again.retried.left_out), (0, 1));
    assert!(again.rooms.is_empty());
}

async fn failures_are_acknowledged_once_the_rollout_is_over_t9(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = BTreeMap::from([("general-1".to_owned(), 9)]);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let early = estate.service.acknowledge(&actor(), update, "Seen.".into()).await;
    assert!(problem(early).contains("not completed with failures"));
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    let active = async || {
        estate
            .service
            .read_snapshot()
            .await
            .unwrap()
            .updates(false)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(active().await, 1);
    assert!(problem(estate.service.acknowledge(&actor(), update, " ".into()).await).starts_with("reason: "));
    estate
        .service
        .acknowledge(&actor(), update, "The room is rebuilt.".into())
        .await
        .unwrap();
    assert_eq!(active().await, 0);
    let past = estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .updates(true)
        .await
        .unwrap();
    assert_eq!(
        past.iter().map(|summary| summary.status).collect::<Vec<_>>(),
        [UpdateStatus::CompletedWithFailures]
    );
}
