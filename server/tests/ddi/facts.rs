//! What devices say about themselves and their rooms.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Engine, House, both_engines};

use crate::DEVICE;

both_engines![
    a_fact_that_cannot_be_read_is_refused_with_what_is_allowed_and_nothing_is_stored_k5_g5,
    a_report_that_names_a_component_names_them_all_s1,
    facts_are_merged_replaced_and_removed,
    facts_beyond_the_limits_are_refused_by_name_and_nothing_is_stored_g5,
    facts_with_broken_characters_are_taken,
    a_report_that_does_not_speak_of_the_room_does_not_say_that_it_is_free_k5,
];

async fn facts_are_merged_replaced_and_removed(engine: Engine) {
    let house = House::new(engine).await;
    let put = async |body: Value| {
        let answer = house.config(DEVICE, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        json!(house.attributes(DEVICE).await)
    };
    let kept =
        put(json!({ "id": "", "time": "20250303T120000", "status": {}, "data": { "a": "1", "b": "2", "c": "3" } }))
            .await;
    assert_eq!(kept, json!({ "a": "1", "b": "2", "c": "3" }));
    let kept = put(json!({ "mode": "merge", "data": { "b": "two", "c": null, "d": 4, "e": true, "f": 1.5 } })).await;
    assert_eq!(
        kept,
        json!({ "a": "1", "b": "two", "d": "4", "e": "true", "f": "1.5" }),
        "null deletes; others are taken as text"
    );
    let kept = put(json!({ "mode": "remove", "data": { "a": "whatever", "d": null, "unknown": "" } })).await;
    assert_eq!(kept, json!({ "b": "two", "e": "true", "f": "1.5" }));
    let kept = put(json!({ "mode": "replace", "data": { "z": "26" } })).await;
    assert_eq!(kept, json!({ "z": "26" }));
    let unknown = house
        .config(DEVICE, &json!({ "mode": "sideways", "data": { "z": "1" } }))
        .await;
    assert!(unknown.error(400).contains("sideways"));
    assert!(
        house
            .config(DEVICE, &json!({ "mode": "merge" }))
            .await
            .error(400)
            .contains("data")
    );
    assert!(
        house
            .config(DEVICE, &json!({ "data": ["z"] }))
            .await
            .error(400)
            .contains("data")
    );
    assert_eq!(
        json!(house.attributes(DEVICE).await),
        json!({ "z": "26" }),
        "nothing of what was refused is kept"
    );
}

async fn facts_beyond_the_limits_are_refused_by_name_and_nothing_is_stored_g5(engine: Engine) {
    let house = House::new(engine).await;
    let many = |number: usize| -> Value {
        (0..number)
            .map(|index| (format!("key-{index:03}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let refused = house.config(DEVICE, &json!({ "data": many(101) })).await.error(400);
    assert!(
        refused.contains("key-100") && refused.contains("100 attributes"),
        "{refused}"
    );
    assert_eq!(house.attributes(DEVICE).await.len(), 0, "nothing of it is stored");
    assert_eq!(house.config(DEVICE, &json!({ "data": many(100) })).await.status, 200);
    let refused = house
        .config(DEVICE, &json!({ "data": { "one-more": "v", "key-000": "new" } }))
        .await
        .error(400);
    assert!(refused.contains("one-more"), "{refused}");
    assert_eq!(house.attributes(DEVICE).await["key-000"], "v");
    let replaced = house
        .config(
            DEVICE,
            &json!({ "mode": "replace", "data": { "é".repeat(128): "ü".repeat(128) } }),
        )
        .await;
    assert_eq!(replaced.status, 200, "128 characters, not bytes");
    let long = "k".repeat(129);
    let refused = house
        .config(DEVICE, &json!({ "data": { "good": "v", long.clone(): "v" } }))
        .await
        .error(400);
    assert!(
        refused.contains(&long[..128]) && refused.contains("128 characters"),
        "{refused}"
    );
    let refused = house
        .config(DEVICE, &json!({ "data": { "good": "v", "bad": "v".repeat(129) } }))
        .await
        .error(400);
    assert!(
        refused.contains("\"bad\"") && refused.contains("128 characters"),
        "{refused}"
    );
    assert_eq!(house.attributes(DEVICE).await.len(), 1, "nothing of those is stored");
}

async fn facts_with_broken_characters_are_taken(engine: Engine) {
    let house = House::new(engine).await;
    // swupdate cuts values at 79 bytes, which may be in the middle of a character.
    let body = b"{\"data\":{\"room\":\"Caf\xc3\",\"nul\":\"a\\u0000b\",\"sw_version\":\"1.0\"}}".to_vec();
    let answer = house.ask(Method::PUT, DEVICE, "/configData", &[], body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let kept = house.attributes(DEVICE).await;
    assert_eq!((kept["room"].as_str(), kept["nul"].as_str()), ("Caf\u{fffd}", "ab"));
}

async fn a_report_that_does_not_speak_of_the_room_does_not_say_that_it_is_free_k5(engine: Engine) {
    let house = House::new(engine).await;
    let free_since = async || {
        let query = format!("SELECT coalesce(free_at, 0) FROM devices WHERE controller_id = '{DEVICE}'");
        house.database.number(&query).await
    };
    house.config(DEVICE, &json!({ "data": { "room.state": "free" } })).await;
    let reported = house.now().timestamp_micros();
    assert_eq!(free_since().await, reported);
    house.later(10).await;
    house.config(DEVICE, &json!({ "data": { "sw_version": "1.0" } })).await;
    assert_eq!(free_since().await, reported, "still as old as that report");
    house.config(DEVICE, &json!({ "data": { "room.state": "free" } })).await;
    assert_eq!(free_since().await, house.now().timestamp_micros());
    house.config(DEVICE, &json!({ "data": { "room.state": "busy" } })).await;
    assert_eq!(free_since().await, 0);
    house.config(DEVICE, &json!({ "data": { "room.state": "free" } })).await;
    house
        .config(DEVICE, &json!({ "mode": "remove", "data": { "room.state": "" } }))
        .await;
    assert_eq!(free_since().await, 0, "taken back");
}

async fn a_fact_that_cannot_be_read_is_refused_with_what_is_allowed_and_nothing_is_stored_k5_g5(engine: Engine) {
    let house = House::new(engine).await;
    house.config(DEVICE, &json!({ "data": { "kept": "yes" } })).await;
    for (attribute, value, words) in [
        ("room.busy_until", "2025-03-04T15:30:00", "a time with an offset"),
        ("room.next_booking", "soon", "a time with an offset"),
        ("room.state", "occupied", "must be free or busy"),
        ("restart.pending", "true", "must be yes or no"),
        ("readiness.store_updates", "maybe", "must be one of on, off, user"),
    ] {
        let report = json!({ "data": { "kept": "no", "room.state": "free", attribute: value } });
        let message = house.config(DEVICE, &report).await.error(400);
        assert!(message.contains(attribute) && message.contains(words), "{message}");
        assert_eq!(
            json!(house.attributes(DEVICE).await),
            json!({ "kept": "yes" }),
            "nothing of it is stored"
        );
    }
}

async fn a_report_that_names_a_component_names_them_all_s1(engine: Engine) {
    let house = House::new(engine).await;
    let product = testkit::bar().0;
    let first = json!({ "data": { "component.2.product": product, "component.2.version": "1.0", "component.1.product": "other" } });
    assert_eq!(house.config(DEVICE, &first).await.status, 200);
    let then = json!({ "data": { "component.1.product": product, "component.1.version": "2.0" } });
    assert_eq!(house.config(DEVICE, &then).await.status, 200);
    let kept = json!({ "component.1.product": product, "component.1.version": "2.0" });
    assert_eq!(json!(house.attributes(DEVICE).await), kept);
    let room = house.fleet().await;
    let device = room.rooms.values().flat_map(|room| &room.devices).find(|device| {
        device
            .component(&testkit::bar())
            .is_some_and(|component| component.version.as_deref() == Some("2.0"))
    });
    assert!(device.is_some(), "the newest number wins");
    let alone = json!({ "data": { "component.1.version": "3.0" } });
    let message = house.config(DEVICE, &alone).await.error(400);
    assert!(message.contains("component.1.version"), "{message}");
}
