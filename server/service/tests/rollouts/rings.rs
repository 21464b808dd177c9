//! Rings that are added, edited and deleted while updates are on their way (R2, R8–R11).

use chrono::NaiveDate;
use domain::deployment::DeploymentState;
use domain::status::UpdateStatus;
use service::{RoomChoice, ServiceError};
use testkit::{Devices, Estate, actor, both_engines, date, draft, problem};

use crate::status;

both_engines![
    rings_are_added_edited_and_deleted_within_sixty_days_r2_r8_r9_r11,
    a_running_rollout_keeps_the_rings_it_has_entered_r10,
    a_ring_stays_while_an_update_is_inside_it_r11,
    a_ring_that_an_edit_puts_behind_a_rollout_is_caught_up_r10_r14,
];

async fn rings_are_added_edited_and_deleted_within_sixty_days_r2_r8_r9_r11(estate: Estate) {
    let service = &estate.service;
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    // 28 of the 60 days are taken: 33 more are refused with both numbers, 32 accepted.
    let too_long = problem(service.add_ring(&actor(), draft("Pilots", Some(3), 30, 3)).await);
    assert!(
        too_long.contains("33") && too_long.contains("32") && too_long.contains("60"),
        "{too_long}"
    );
    let pilots = service
        .add_ring(&actor(), draft(" Pilots ", Some(3), 30, 2))
        .await
        .unwrap();
    let rings = service.read_snapshot().await.unwrap().rings;
    assert_eq!(
        (rings.total_days(), rings.get(pilots).unwrap().name.as_str()),
        (60, "Pilots")
    );
    assert!(
        problem(
            service
                .edit_ring(&actor(), pilots, None, draft("Pilots", Some(3), 30, 3))
                .await
        )
        .contains("60")
    );
    assert!(
        problem(service.add_ring(&actor(), draft("pilots", Some(4), 1, 0)).await)
            .contains("there is a ring named Pilots already")
    );
    service
        .edit_ring(&actor(), pilots, None, draft("Pilots", Some(3), 3, 4))
        .await
        .unwrap();
    let taken = problem(service.add_ring(&actor(), draft("Second", Some(5), 1, 0)).await);
    assert_eq!(taken, "order: 5 belongs to General; two rings never share an order");
    let no_days = problem(service.add_ring(&actor(), draft("Second", Some(6), 0, 3)).await);
    assert!(no_days.contains("at least 1 day"), "{no_days}");

    // Preconfigured ones stay.
    for name in ["Staging", "General", "Executive"] {
        let said = problem(service.delete_ring(&actor(), estate.ring(name).await, None).await);
        assert_eq!(said, format!("{name} is a preconfigured ring and cannot be deleted"));
    }
    // Rooms go to General, or where somebody wants them.
    service
        .move_rooms(&actor(), &RoomChoice::Named(vec![rooms["Staging 1"]]), None, pilots)
        .await
        .unwrap();
    let wrong = service.delete_ring(&actor(), pilots, Some(pilots)).await;
    assert!(problem(wrong).contains("there is no such ring"));
    service.delete_ring(&actor(), pilots, None).await.unwrap();
    assert_eq!(
        estate.fleet().await.rooms[&rooms["Staging 1"]].ring,
        estate.ring("General").await
    );
    let second = service
        .add_ring(&actor(), draft("Second", Some(9), 1, 0))
        .await
        .unwrap();
    service
        .move_rooms(&actor(), &RoomChoice::Named(vec![rooms["Staging 1"]]), None, second)
        .await
        .unwrap();
    let executive = estate.ring("Executive").await;
    service.delete_ring(&actor(), second, Some(executive)).await.unwrap();
    assert_eq!(estate.fleet().await.rooms[&rooms["Staging 1"]].ring, executive);
    assert!(matches!(
        service.delete_ring(&actor(), second, None).await,
        Err(ServiceError::NotFound { .. })
    ));
    let deleted: Vec<_> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "ring.deleted")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        deleted,
        [
            "Deleted the ring Second; 1 room went to Executive.",
            "Deleted the ring Pilots; 1 room went to General."
        ]
    );
    service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_running_rollout_keeps_the_rings_it_has_entered_r10(estate: Estate) {
    let service = &estate.service;
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2), ("Executive", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let (staging, executive) = (estate.ring("Staging").await, estate.ring("Executive").await);
    service
        .edit_ring(&actor(), staging, None, draft("Staging", None, 1, 0))
        .await
        .unwrap();
    service
        .edit_ring(&actor(), executive, None, draft("Executive", None, 3, 1))
        .await
        .unwrap();
    // New before General: skipped. Between General and Executive: on the way.
    service.add_ring(&actor(), draft("Early", Some(2), 4, 0)).await.unwrap();
    service.add_ring(&actor(), draft("Late", Some(8), 2, 2)).await.unwrap();
    service.tick().await.unwrap();
    let calendar: Vec<(String, NaiveDate, NaiveDate)> = {
        let summary = service.read_snapshot().await.unwrap().update(update).await.unwrap();
        summary
            .calendar
            .into_iter()
            .map(|stage| (stage.name, stage.starts_on, stage.test_ends))
            .collect()
    };
    let expected = [
        ("Staging", "2025-03-05", "2025-03-12"),
        ("General", "2025-03-12", "2025-03-26"),
        ("Late", "2025-03-26", "2025-03-30"),
        ("Executive", "2025-03-30", "2025-04-03"),
    ];
    assert_eq!(
        calendar,
        expected.map(|(name, starts, ends)| (name.to_owned(), date(starts), date(ends)))
    );
    // Today's rings have 1 + 4 + 14 + 4 + 4 = 27 days, the rollout's 7 + 14 + 4 + 4 = 29: 35 for Executive fit today's only.
    let refused = problem(
        service
            .edit_ring(&actor(), executive, None, draft("Executive", None, 30, 6))
            .await,
    );
    assert_eq!(
        refused,
        "rollout duration: the running rollout of Bar firmware 2.0 would take 61 days; at most 60 are allowed"
    );
    service
        .edit_ring(&actor(), executive, None, draft("Executive", None, 30, 5))
        .await
        .unwrap();
    service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_ring_stays_while_an_update_is_inside_it_r11(estate: Estate) {
    let service = &estate.service;
    let pilots = service
        .add_ring(&actor(), draft("Pilots", Some(3), 2, 1))
        .await
        .unwrap();
    let rooms = estate.rooms(&[("Staging", 1), ("Pilots", 2), ("General", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let (before, audit) = (estate.fleet().await, estate.audit().await);
    let refused = problem(service.delete_ring(&actor(), pilots, None).await);
    assert!(
        refused.contains("Bar firmware 2.0 is inside this ring until Fri 14 Mar 2025"),
        "{refused}"
    );
    assert_eq!((estate.fleet().await, estate.audit().await), (before, audit));
    estate.live_until("2025-03-15T12:00:00Z", &mut devices).await;
    service.delete_ring(&actor(), pilots, None).await.unwrap();
    service.tick().await.unwrap();
    estate.is_sound().await;
    estate.live_until("2025-04-10T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    assert_eq!(estate.fleet().await.deployments.len(), 4);
}

async fn a_ring_that_an_edit_puts_behind_a_rollout_is_caught_up_r10_r14(estate: Estate) {
    let pilots = estate
        .service
        .add_ring(&actor(), draft("Pilots", Some(7), 2, 1))
        .await
        .unwrap();
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2), ("Pilots", 2)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    assert_eq!(estate.deployment(rooms["Pilots 1"], update).await, None);
    estate
        .service
        .edit_ring(&actor(), pilots, None, draft("Pilots", Some(2), 2, 1))
        .await
        .unwrap();
    estate.live_until("2025-03-14T12:00:00Z", &mut devices).await;
    for name in ["Pilots 1", "Pilots 2"] {
        let deployment = estate.deployment(rooms[name], update).await.expect("a catch-up");
        assert!(
            deployment.is_catch_up() && matches!(deployment.state, DeploymentState::Completed { .. }),
            "{deployment:?}"
        );
    }
    estate.is_sound().await;
}
