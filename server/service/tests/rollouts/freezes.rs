//! Freezes (W6).

use chrono::TimeDelta;
use domain::freeze::FreezeScope;
use domain::ids::RoomId;
use domain::status::UpdateStatus;
use testkit::{Devices, Estate, actor, both_engines, date, instant, problem};

use crate::{nights, status};

both_engines![
    a_freeze_moves_the_plan_and_is_refused_with_one_sentence_w6,
    a_freeze_that_is_lifted_gives_the_plan_its_dates_back_w6,
];

async fn a_freeze_moves_the_plan_and_is_refused_with_one_sentence_w6(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    let freeze = async |scope, from: &str, until: &str| {
        estate
            .service
            .freeze(&actor(), scope, date(from), date(until), "trade fair".into())
            .await
    };
    let everybody = FreezeScope::Organisation;
    assert_eq!(
        problem(freeze(everybody, "2025-03-12", "2025-03-15").await),
        "first date: 2025-03-12 has passed; it is 2025-03-13"
    );
    assert_eq!(
        problem(freeze(everybody, "2025-03-14", "2025-04-13").await),
        "last date: 2025-03-14 to 2025-04-13 would be 31 frozen days in a row; at most 30 are allowed"
    );
    let nowhere = FreezeScope::Room(RoomId(uuid::Uuid::from_u128(7)));
    assert_eq!(
        problem(freeze(nowhere, "2025-03-14", "2025-03-15").await),
        "scope: there is no such room"
    );
    assert_eq!(nights(&estate, update).await, before, "nothing has changed");

    freeze(everybody, "2025-03-15", "2025-03-18").await.unwrap();
    let general = estate.ring("General").await;
    assert_eq!(
        problem(freeze(FreezeScope::Ring(general), "2025-04-01", "2025-04-02").await),
        "first date: only 13 free days between 2025-03-18 and 2025-04-01; these rooms need at least 14 between two freezes"
    );
    estate.service.tick().await.unwrap();
    let after = nights(&estate, update).await;
    for (room, night) in &before {
        let moved = if *night < date("2025-03-15") {
            *night
        } else {
            *night + TimeDelta::days(4)
        };
        assert_eq!(after[room], moved, "{room}");
    }
    let summary = estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .update(update)
        .await
        .unwrap();
    assert_eq!(
        summary.calendar[2].starts_on,
        date("2025-03-30"),
        "the dates include it"
    );
    // A room's own freeze moves that room only.
    let (room, night) = after.iter().max_by_key(|(_, night)| **night).unwrap();
    freeze(FreezeScope::Room(*room), "2025-04-02", "2025-04-03")
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(nights(&estate, update).await[room], *night);
    estate.live_until("2025-04-06T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    let starts = estate
        .fleet()
        .await
        .installs
        .into_values()
        .filter_map(|install| install.started_at);
    let frozen = instant("2025-03-15T00:00:00Z")..instant("2025-03-19T00:00:00Z");
    assert!(starts.into_iter().all(|started| !frozen.contains(&started)));
    estate.is_sound().await;
}

async fn a_freeze_that_is_lifted_gives_the_plan_its_dates_back_w6(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    let service = &estate.service;
    let general = FreezeScope::Ring(estate.ring("General").await);
    let freeze = async |from: &str, until: &str| {
        service
            .freeze(&actor(), general, date(from), date(until), "trade fair".into())
            .await
            .unwrap()
    };
    // Before it has begun, it is as if it had never been.
    let early = freeze("2025-03-15", "2025-03-18").await;
    service
        .lift_freeze(&actor(), early, "The fair is off.".into())
        .await
        .unwrap();
    service.tick().await.unwrap();
    assert_eq!(nights(&estate, update).await, before);
    assert_eq!(
        problem(service.lift_freeze(&actor(), early, "again".into()).await),
        "This freeze was not found"
    );
    // In the middle of it, what was frozen stays, and the rest comes back.
    let late = freeze("2025-03-15", "2025-03-20").await;
    estate.live_until("2025-03-17T12:00:00Z", &mut devices).await;
    service
        .lift_freeze(&actor(), late, "The fair is over early.".into())
        .await
        .unwrap();
    service.tick().await.unwrap();
    let after = nights(&estate, update).await;
    for (room, night) in &before {
        let moved = if *night < date("2025-03-15") {
            *night
        } else {
            *night + TimeDelta::days(3)
        };
        assert_eq!(after[room], moved, "{room}: the 15th to the 17th were lost");
    }
    assert!(
        problem(service.lift_freeze(&actor(), late, "again".into()).await).contains("its last date is Mon 17 Mar 2025")
    );
    estate.live_until("2025-04-06T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    estate.is_sound().await;
}
