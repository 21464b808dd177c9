//! One box finds rooms, releases and tickets by the beginnings of their words, on both engines (SPEC P8).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use service::rooms::RoomDraft;
use store::words_of;
use testkit::{Estate, actor, both_engines};

both_engines![what_is_added_changed_and_taken_away_is_found_and_not_found_p8];

async fn rooms(estate: &Estate, words: &[&str]) -> Vec<String> {
    let words = words_of(&words.join(" "));
    let mut tx = estate.service.store().read().await.unwrap();
    let mut names: Vec<String> = tx
        .find_rooms(&words, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|room| room.name)
        .collect();
    names.sort();
    names
}

async fn what_is_added_changed_and_taken_away_is_found_and_not_found_p8(estate: Estate) {
    let ids = estate.rooms(&[("Staging", 2)]).await;
    assert_eq!(rooms(&estate, &["stag"]).await, ["Staging 1", "Staging 2"]);
    assert_eq!(rooms(&estate, &["2", "STAG"]).await, ["Staging 2"]);
    assert_eq!(rooms(&estate, &["ging"]).await, [""; 0], "beginnings only");
    let mut tx = estate.service.store().read().await.unwrap();
    let room = tx.room_record(ids["Staging 2"]).await.unwrap().unwrap();
    drop(tx);
    let draft = RoomDraft {
        name: "Café \"Nord\" (o'1)".into(),
        site: room.site,
        building: "Quay House".into(),
        floor: "".into(),
        capacity: 0,
        zone: "".into(),
    };
    estate
        .service
        .edit_room(&actor(), room.id, room.revision, &draft)
        .await
        .unwrap();
    assert_eq!(rooms(&estate, &["stag", "2"]).await, [""; 0], "its old name is gone");
    assert_eq!(rooms(&estate, &["quay", "nord"]).await, [draft.name.as_str()]);
    // Both engines split names in the same places.
    estate
        .service
        .edit_room(
            &actor(),
            room.id,
            room.revision + 1,
            &RoomDraft {
                name: "Berlin-1/2.Stock, A_7".into(),
                ..draft.clone()
            },
        )
        .await
        .unwrap();
    for words in ["berlin-1", "Berlin 1", "2.stock", "stock", "a_7", "7 a"] {
        assert_eq!(rooms(&estate, &[words]).await, ["Berlin-1/2.Stock, A_7"], "{words}");
    }
    // What would be a query in one engine or the other means itself.
    for odd in [
        "\"",
        "'",
        "\\",
        "*",
        "(",
        "nord OR stag",
        "name:nord",
        "a & b",
        "!x",
        ":*",
        "-",
    ] {
        rooms(&estate, &[odd]).await;
    }
    let mut tx = estate.service.store().read().await.unwrap();
    let releases = tx.find_updates(&words_of("bar 2.0"), 10).await.unwrap();
    assert_eq!(
        (releases.len(), releases[0].version.as_str(), releases[0].published),
        (1, "2.0", false)
    );
    assert!(tx.find_tickets(&["nothing".to_owned()], 10).await.unwrap().is_empty());
}
