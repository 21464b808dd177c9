//! Rooms: those that move to another ring, those that catch up, and what is said of one (R12–R14, I3, I4, T5).

use std::collections::BTreeMap;

use domain::deployment::{DeploymentState, Withdrawal};
use domain::ids::RoomId;
use domain::room::Health;
use service::read::PageOf;
use service::read::rooms::{RoomFilter, WhichRooms};
use service::{MoveOutcome, RoomChoice, RoomsFile};
use store::TicketFilter;
use testkit::{Devices, Estate, actor, both_engines, date, facts, problem};

both_engines![
    moved_rooms_catch_up_or_step_back_with_one_audit_entry_each_r12_r13_r14,
    a_move_is_all_or_nothing_r3_r12,
    all_rooms_that_match_are_moved_at_once_if_they_are_those_that_were_seen_r12,
    a_room_is_suppressed_as_long_as_its_tickets_are_i3_i4,
    a_room_explains_every_update_that_it_could_get_t5_g6,
    a_hold_that_ends_lets_the_room_catch_up_s11,
];

async fn moved_rooms_catch_up_or_step_back_with_one_audit_entry_each_r12_r13_r14(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 3)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let waiting: Vec<RoomId> = {
        let fleet = estate.fleet().await;
        fleet
            .deployments
            .values()
            .filter(|deployment| deployment.state == DeploymentState::Waiting)
            .map(|deployment| deployment.room)
            .collect()
    };
    let (ahead, back) = (rooms["Executive 1"], waiting[0]);
    let done = estate
        .fleet()
        .await
        .deployments
        .values()
        .find(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }) && waiting.len() == 8)
        .unwrap()
        .room;
    let (general, executive, staging) = (
        estate.ring("General").await,
        estate.ring("Executive").await,
        estate.ring("Staging").await,
    );
    let entries = estate.audit().await.len();
    estate
        .service
        .move_rooms(&actor(), &RoomChoice::Named(vec![ahead]), None, general)
        .await
        .unwrap();
    estate
        .service
        .move_rooms(&actor(), &RoomChoice::Named(vec![back, done]), None, executive)
        .await
        .unwrap();
    estate
        .service
        .move_rooms(&actor(), &RoomChoice::Named(vec![rooms["Executive 2"]]), None, staging)
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    // Into a ring that is entered or passed: the next window, as a catch-up.
    for room in [ahead, rooms["Executive 2"]] {
        let joined = estate.deployment(room, update).await.unwrap();
        assert_eq!(
            (joined.state.clone(), joined.is_catch_up(), joined.night.date()),
            (DeploymentState::Waiting, true, date("2025-03-14"))
        );
    }
    // Into one that is not: what has not started is withdrawn, what is finished stays.
    let left = estate.deployment(back, update).await.unwrap();
    assert!(
        matches!(
            left.state,
            DeploymentState::Withdrawn {
                why: Withdrawal::Moved,
                ..
            }
        ),
        "{left:?}"
    );
    let stays = estate.deployment(done, update).await.unwrap();
    assert!(matches!(stays.state, DeploymentState::Completed { .. }), "{stays:?}");
    let audit = estate.audit().await;
    let moves: Vec<&(String, String)> = audit[..audit.len() - entries].iter().collect();
    assert_eq!(moves.len(), 4, "{moves:?}");
    assert!(moves.iter().all(|(action, _)| action == "room.moved"));
    assert_eq!(moves[0].1, "Moved Executive 2 from Executive to Staging.");
    estate.is_sound().await;
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    assert!(
        fleet
            .deployments
            .values()
            .all(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }))
    );
    assert_eq!(fleet.deployments.len(), 14);
    estate.is_sound().await;
}

async fn a_move_is_all_or_nothing_r3_r12(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 2)]).await;
    let (general, executive) = (estate.ring("General").await, estate.ring("Executive").await);
    estate.service.tick().await.unwrap();
    let (before, audit) = (estate.fleet().await, estate.audit().await);
    let nobody = RoomId(uuid::Uuid::from_u128(7));
    let refusals = [
        estate
            .service
            .move_rooms(
                &actor(),
                &RoomChoice::Named(vec![rooms["Staging 1"], nobody]),
                None,
                executive,
            )
            .await,
        estate
            .service
            .move_rooms(
                &actor(),
                &RoomChoice::Named(vec![rooms["Staging 1"], rooms["General 1"]]),
                None,
                general,
            )
            .await,
        estate
            .service
            .move_rooms(
                &actor(),
                &RoomChoice::Named(vec![rooms["Staging 1"]]),
                None,
                domain::ids::RingId(uuid::Uuid::from_u128(9)),
            )
            .await,
        estate
            .service
            .move_rooms(&actor(), &RoomChoice::Named(vec![]), None, executive)
            .await,
    ];
    let said: Vec<String> = refusals.into_iter().map(problem).collect();
    assert_eq!(
        said,
        [
            "A selected room was not found",
            "target ring: General 1 is in General already",
            "target ring: there is no such ring",
            "rooms: select at least one room"
        ]
    );
    assert_eq!(estate.fleet().await, before);
    assert_eq!(estate.audit().await, audit);
}

async fn all_rooms_that_match_are_moved_at_once_if_they_are_those_that_were_seen_r12(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 12), ("Executive", 1)]).await;
    let (general, executive) = (estate.ring("General").await, estate.ring("Executive").await);
    let matching = |words: &str, seen| {
        let filter = RoomFilter {
            words: words.to_owned(),
            ..RoomFilter::default()
        };
        RoomChoice::Matching(filter, seen)
    };
    let (before, audit) = (estate.fleet().await, estate.audit().await);
    let service = &estate.service;
    let stale = service
        .move_rooms(&actor(), &matching("general", 11), None, executive)
        .await;
    assert_eq!(
        problem(stale),
        "the number of matching rooms has changed from 11 to 12; check the list again"
    );
    let nothing = service
        .move_rooms(&actor(), &matching("attic", 0), None, executive)
        .await;
    assert_eq!(problem(nothing), "rooms: no room matches");
    let there = service
        .move_rooms(&actor(), &matching("general", 12), None, general)
        .await;
    assert_eq!(problem(there), "target ring: all of these rooms are in General already");
    assert_eq!(estate.fleet().await, before);
    assert_eq!(estate.audit().await, audit);
    // Two of them are there already; the others come from two rings.
    let moved = service
        .move_rooms(&actor(), &matching("1", 6), None, executive)
        .await
        .unwrap();
    assert_eq!(
        moved,
        MoveOutcome {
            moved: 5,
            there_already: 1
        }
    );
    let fleet = estate.fleet().await;
    let names = [
        "Staging 1",
        "General 1",
        "General 10",
        "General 11",
        "General 12",
        "Executive 1",
    ];
    for name in names {
        assert_eq!(fleet.rooms[&rooms[name]].ring, executive, "{name}");
    }
    assert_eq!(fleet.rooms[&rooms["General 2"]].ring, general);
    let now = estate.audit().await;
    let entries = &now[..now.len() - audit.len()];
    assert_eq!(entries.len(), 5, "one for each room that was moved: {entries:?}");
    assert!(entries.iter().all(|(action, _)| action == "room.moved"));
}

async fn a_room_is_suppressed_as_long_as_its_tickets_are_i3_i4(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2)]).await;
    estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails.insert("staging-1".to_owned(), 9);
    estate.live_until("2025-03-06T12:00:00Z", &mut devices).await;
    let id = rooms["Staging 1"];
    let health = async || {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let here = snapshot.room(id).await.unwrap().health;
        let all = snapshot.rooms_by_health().await.unwrap();
        assert!(all.contains_key(&here), "the counts say the same: {all:?}");
        let unhealthy = RoomFilter {
            which: WhichRooms::Unhealthy,
            ..RoomFilter::default()
        };
        let list = snapshot.room_list(&unhealthy, &PageOf::First, 10).await.unwrap();
        let listed: Vec<RoomId> = list.rooms.items.into_iter().map(|room| room.id).collect();
        let expected = if here == Health::Unhealthy {
            vec![id]
        } else {
            Vec::new()
        };
        assert_eq!(listed, expected, "the list of the unhealthy ones says the same (P0)");
        assert_eq!(usize::try_from(list.total).unwrap(), expected.len());
        here
    };
    let open = TicketFilter {
        words: String::new(),
        state: String::new(),
        severity: String::new(),
        now: estate.clock.now(),
    };
    let mut tx = estate.service.store().read().await.unwrap();
    let tickets = tx.tickets(&open, 10, 0).await.unwrap();
    drop(tx);
    let ticket = tickets[0].number;
    assert_ne!(health().await, Health::Unhealthy, "a warning changes nothing");
    // As a ticket of the device itself would be; those of failed updates are warnings.
    estate
        .database
        .execute("UPDATE tickets SET severity = 'critical'")
        .await;
    estate
        .database
        .execute("UPDATE devices SET last_seen_at = 4102444800000000")
        .await;
    assert_eq!(health().await, Health::Unhealthy);
    estate
        .service
        .suppress_ticket(&actor(), ticket, date("2025-03-07"), "Its bar is exchanged.".into())
        .await
        .unwrap();
    assert_eq!(health().await, Health::Suppressed);
    estate.live_until("2025-03-07T23:59:59Z", &mut devices).await;
    assert_eq!(health().await, Health::Suppressed);
    estate.live_until("2025-03-08T00:00:00Z", &mut devices).await;
    assert_eq!(health().await, Health::Unhealthy);
}

async fn a_room_explains_every_update_that_it_could_get_t5_g6(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2)]).await;
    let bar = estate.publish("bar", "2.0", None).await;
    estate.publish("app", "11", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-05T12:00:00Z", &mut devices).await;
    let explain = async |which: &str| {
        let told = estate.service.explain_room(&which.into()).await.unwrap();
        let updates = told
            .updates
            .into_iter()
            .map(|update| (update.update, (update.status, update.why, update.next_window)));
        (told.room, told.ring, updates.collect::<BTreeMap<_, _>>())
    };
    let (room, ring, updates) = explain("general 1").await;
    assert_eq!(
        (room.as_str(), ring.as_str(), updates.len()),
        ("General 1", "General", 2)
    );
    for title in ["Bar firmware 2.0", "Room app 11"] {
        let (status, why, window) = &updates[title];
        assert_eq!((status.as_str(), window), ("Not required", &None));
        assert_eq!(why, "General starts Wed 12 Mar.");
    }
    // By its id, and after a move into the ring that is under way.
    estate
        .service
        .move_rooms(
            &actor(),
            &RoomChoice::Named(vec![rooms["General 2"]]),
            None,
            estate.ring("Staging").await,
        )
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    let (_, _, updates) = explain(&rooms["General 2"].to_string()).await;
    let (status, why, window) = &updates["Bar firmware 2.0"];
    assert_eq!(
        (status.as_str(), why.as_str()),
        (
            "Scheduled",
            "Catch-up: joined the rollout after it had reached Staging."
        )
    );
    assert!(
        window.as_deref().is_some_and(|window| window.contains("6 Mar")),
        "{window:?}"
    );
    let (_, _, updates) = explain("Staging 1").await;
    assert_eq!(updates["Bar firmware 2.0"].0, "Completed");
    estate
        .service
        .pause(&actor(), bar, "It hums.".into(), None)
        .await
        .unwrap();
    let (_, _, updates) = explain("General 2").await;
    assert_eq!(
        (
            updates["Bar firmware 2.0"].0.as_str(),
            updates["Bar firmware 2.0"].1.as_str()
        ),
        ("Paused", "Paused by Admin: It hums.")
    );
    assert_eq!(
        problem(estate.service.explain_room(&"Nowhere".into()).await.map(drop)),
        "Room \"Nowhere\" was not found"
    );
}

async fn a_hold_that_ends_lets_the_room_catch_up_s11(estate: Estate) {
    let held = serde_json::json!({ "rooms": [{ "name": "Held", "site": "Harbour", "ring": "Staging",
        "devices": [{ "id": "held", "model": "B1", "installed": { "bar": "1.0" } }],
        "holds": [{ "owner": "Facilities", "reason": "microphones on trial", "since": "2025-03-01", "until": "2025-03-10" }] }] });
    let file = RoomsFile::parse(&held.to_string()).unwrap();
    estate.rooms(&[("General", 1)]).await;
    let room = estate.service.import_rooms(&actor(), &file).await.unwrap().ids[0];
    facts::manage(&estate.service, &[room]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::default();
    estate.live_until("2025-03-10T23:00:00Z", &mut devices).await;
    assert_eq!(
        estate.deployment(room, update).await,
        None,
        "held while its ring had its nights"
    );
    estate.live_until("2025-03-11T00:30:00Z", &mut devices).await;
    let deployment = estate.deployment(room, update).await.expect("its hold has ended");
    assert!(deployment.is_catch_up(), "{deployment:?}");
    estate.is_sound().await;
}
