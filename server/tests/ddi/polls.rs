//! The answer to a poll, its form, and the small resources around it.

use chrono::TimeDelta;
use domain::settings::Settings;
use reqwest::Method;
use serde_json::json;
use testkit::{Engine, House, Options, both_engines, link};

use crate::{DEVICE, sleep_of};

both_engines![
    the_sleep_has_its_form_and_its_bounds,
    a_poll_that_has_not_changed_is_answered_with_304,
    facts_are_asked_for_after_enrolment_after_a_close_and_before_the_window,
    media_types_follow_the_accept_header,
    the_small_resources_answer_as_clients_expect,
];

async fn the_sleep_has_its_form_and_its_bounds(engine: Engine) {
    let house = House::new(engine).await;
    let idle = sleep_of(&house.poll(DEVICE).await);
    assert!(
        (270..=330).contains(&idle),
        "five minutes and a tenth more or less: {idle}"
    );
    assert_eq!(sleep_of(&house.poll(DEVICE).await), idle, "fixed per device");
    house.publish("2.0").await;
    let (opens, _) = house.until_prepared(DEVICE).await;
    for (minutes, seconds) in [(10, 200), (3, 60), (1, 30)] {
        house.at(opens - TimeDelta::minutes(minutes)).await;
        assert_eq!(
            sleep_of(&house.poll(DEVICE).await),
            seconds,
            "{minutes} minutes before the window"
        );
    }
    house.at(opens).await;
    assert_eq!(sleep_of(&house.poll(DEVICE).await), idle);
    house.start(DEVICE).await;
    assert_eq!(sleep_of(&house.poll(DEVICE).await), 30, "in progress");
    for (poll_seconds, least, most) in [(0, 5, 5), (86_399, 60_000, 86_399), (u32::MAX, 86_399, 86_399)] {
        let settings = Settings {
            poll_seconds,
            ..Settings::default()
        };
        let house = House::with(
            engine,
            Options {
                settings,
                ..Options::default()
            },
        )
        .await;
        for device in ["lab-1", "hall-1", "board-1"] {
            let sleep = sleep_of(&house.poll(device).await);
            assert!((least..=most).contains(&sleep), "{sleep} of {poll_seconds}");
        }
    }
}

async fn a_poll_that_has_not_changed_is_answered_with_304(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.report_version(DEVICE, "1.0").await;
    let first = house.get(DEVICE, "").await;
    let etag = first.header("etag").expect("an ETag").to_owned();
    let unchanged = house
        .ask(Method::GET, DEVICE, "", &[("if-none-match", &etag)], Vec::new())
        .await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some(etag.as_str()));
    house.enter_window(DEVICE).await;
    let changed = house
        .ask(Method::GET, DEVICE, "", &[("if-none-match", &etag)], Vec::new())
        .await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    assert!(link(&changed.json(), "deploymentBase").is_some_and(|href| href.contains("?c=")));
}

async fn facts_are_asked_for_after_enrolment_after_a_close_and_before_the_window(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    assert!(
        link(&house.poll(DEVICE).await, "configData").is_some(),
        "after enrolment"
    );
    house.report_version(DEVICE, "1.0").await;
    assert_eq!(link(&house.poll(DEVICE).await, "configData"), None);
    let (opens, _) = house.until_prepared(DEVICE).await;
    assert!(
        link(&house.poll(DEVICE).await, "configData").is_some(),
        "an hour before the window"
    );
    // Wanted still when the window opens: the offer goes first, or swupdate would never install.
    house.at(opens).await;
    let poll = house.poll(DEVICE).await;
    assert!(
        link(&poll, "deploymentBase").is_some() && link(&poll, "configData").is_none(),
        "{poll}"
    );
    let action = house.start(DEVICE).await;
    house.say(DEVICE, &action, "closed", "success", &["done"]).await;
    assert!(link(&house.poll(DEVICE).await, "configData").is_some(), "after a close");
}

async fn media_types_follow_the_accept_header(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    for rest in ["", "/confirmationBase", &href] {
        for (accept, kind) in [
            ("application/hal+json", "application/hal+json"),
            ("*/*", "application/hal+json"),
            ("application/json", "application/json"),
            ("application/json, application/hal+json", "application/hal+json"),
        ] {
            let answer = house
                .ask(Method::GET, DEVICE, rest, &[("accept", accept)], Vec::new())
                .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some(kind), "{rest} {accept}");
        }
    }
}

async fn the_small_resources_answer_as_clients_expect(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let confirmation = house.get(DEVICE, "/confirmationBase").await;
    assert_eq!(
        (confirmation.status, confirmation.json()),
        (200, json!({ "autoConfirm": { "active": true } }))
    );
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let work = house.get(DEVICE, &href).await.json();
    let action = house.start(DEVICE).await;
    let path = format!("/installedBase/{action}");
    house.get(DEVICE, &path).await.error(404);
    house.say(DEVICE, &action, "closed", "success", &["done"]).await;
    let installed = house.get(DEVICE, &path).await;
    assert_eq!(
        (installed.status, installed.json()),
        (200, work),
        "the same shape as deploymentBase"
    );
    house.get("hall-1", &path).await.error(404);
}
