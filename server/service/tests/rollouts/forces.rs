//! Forcing (K5).

use std::collections::{BTreeMap, BTreeSet};

use domain::commands::force::ForceRefusal;
use domain::conversation::offer::Offer;
use domain::deployment::{DeploymentState, Force};
use domain::ids::RoomId;
use service::{RoomScope, RoomsFile};
use testkit::{Devices, Estate, actor, both_engines, facts, problem, speak};

both_engines![a_force_leaves_out_held_and_onboarding_rooms_says_why_and_is_logged_k5_k6];

async fn a_force_leaves_out_held_and_onboarding_rooms_says_why_and_is_logged_k5_k6(estate: Estate) {
    let mut rooms = estate.rooms(&[("Staging", 1), ("General", 2)]).await;
    let device = |id: &str| serde_json::json!([{ "id": id, "model": "B1", "installed": { "bar": "1.0" } }]);
    let others = serde_json::json!({ "rooms": [
        { "name": "Held", "site": "Harbour", "devices": device("held"),
          "holds": [{ "owner": "Facilities", "reason": "a fair", "since": "2025-03-01", "until": "2025-03-31" }] },
        { "name": "New", "site": "Harbour", "state": "onboarding", "devices": device("new") },
        { "name": "Blocked", "site": "Harbour", "devices": device("blocked") },
        { "name": "Done", "site": "Harbour", "devices": [{ "id": "done", "model": "B1", "installed": { "bar": "2.0" } }] },
    ] });
    let file = RoomsFile::parse(&others.to_string()).unwrap();
    let ids = estate.service.import_rooms(&actor(), &file).await.unwrap().ids;
    facts::manage(&estate.service, &[ids[0], ids[2], ids[3]]).await;
    // A computer without Logitech Sync, beside Logitech equipment, keeps its firmware away (C2).
    estate
        .database
        .execute("UPDATE products SET vendor = 'Logitech' WHERE id = 'bar'")
        .await;
    facts::tell(
        &estate.service,
        "blocked",
        &[("os.name", "Windows 11"), ("readiness.logitech_sync", "absent")],
    )
    .await;
    rooms.extend(
        ["Held", "New", "Blocked", "Done"]
            .map(str::to_owned)
            .into_iter()
            .zip(ids),
    );
    let update = estate.publish("bar", "2.0", None).await;
    estate.service.tick().await.unwrap();
    let all: Vec<RoomId> = rooms
        .values()
        .copied()
        .filter(|room| *room != rooms["General 2"])
        .collect();
    assert!(
        problem(
            estate
                .service
                .force(&actor(), update, &RoomScope::Rooms(all.clone()), Force::Now, "".into())
                .await
        )
        .starts_with("reason: ")
    );
    let forced = estate
        .service
        .force(
            &actor(),
            update,
            &RoomScope::Rooms(all.clone()),
            Force::Now,
            "The board meets here.".into(),
        )
        .await
        .unwrap();
    assert_eq!(
        forced.rooms.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([rooms["Staging 1"], rooms["General 1"]])
    );
    let sentence = |why: &ForceRefusal| why.sentence("Bar firmware", |date| date.to_string());
    let why = forced.left_out.iter().map(|(room, why)| (*room, sentence(why)));
    let why: BTreeMap<RoomId, String> = why.collect();
    assert_eq!(why.len(), 4);
    assert!(why[&rooms["Held"]].starts_with("Held by Facilities until"), "{why:?}");
    assert_eq!(why[&rooms["New"]], "Onboarding: the room is not scheduled yet.");
    assert_eq!(
        why[&rooms["Blocked"]],
        "Not ready: Logitech Sync: fail, because readiness.logitech_sync is absent."
    );
    assert_eq!(why[&rooms["Done"]], "Already on 2.0.");
    // In the afternoon, before any ring has begun.
    estate.service.tick().await.unwrap();
    for (controller, offer) in [
        ("staging-1", Offer::Install),
        ("general-1", Offer::Install),
        ("general-2", Offer::Nothing),
        ("held", Offer::Nothing),
        ("new", Offer::Nothing),
    ] {
        let answer = estate
            .service
            .poll(&speak(&estate.service, controller).await)
            .await
            .unwrap();
        assert_eq!(answer.offer, offer, "{controller}");
    }
    let again = estate
        .service
        .force(
            &actor(),
            update,
            &RoomScope::Rooms(vec![rooms["General 1"]]),
            Force::Now,
            "Once more.".into(),
        )
        .await
        .unwrap();
    assert_eq!(
        (again.rooms, again.left_out),
        (vec![], vec![(rooms["General 1"], ForceRefusal::AlreadyForced)])
    );
    let forced: Vec<_> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "update.forced")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        forced,
        [
            "Forced Bar firmware 2.0 in 0 rooms, 1 left out: Once more.",
            "Forced Bar firmware 2.0 in 2 rooms, 4 left out: The board meets here."
        ]
    );
    estate.is_sound().await;
    let mut devices = Devices::of(&rooms.into_iter().filter(|(name, _)| name.contains(' ')).collect());
    estate.live_until("2025-03-04T17:00:00Z", &mut devices).await;
    let done = estate
        .fleet()
        .await
        .deployments
        .values()
        .filter(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }))
        .count();
    assert_eq!(done, 2);
    assert_eq!(estate.fleet().await.rollouts[&update].stages.len(), 0);
    estate.is_sound().await;
}
