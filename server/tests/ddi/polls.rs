//! The answer to a poll, its form, and the small resources around it.

use chrono::TimeDelta;
use domain::deployment::DeploymentState;
use domain::settings::Settings;
use reqwest::Method;
use serde_json::json;
use testkit::{Engine, House, Options, both_engines, link};

use crate::{DEVICE, sleep_of};

both_engines![
    the_sleep_has_its_form_and_its_bounds,
    a_poll_that_has_not_changed_is_answered_with_304,
    facts_are_asked_for_after_enrolment_after_a_close_and_before_the_window,
    an_idle_device_is_asked_for_its_facts_once_a_night_ddi_1,
    devices_that_poll_as_they_are_told_reach_their_windows_however_long_they_sleep_w11,
    media_types_follow_the_accept_header,
    the_small_resources_answer_as_clients_expect,
];

async fn the_sleep_has_its_form_and_its_bounds(engine: Engine) {
    let house = House::new(engine).await;
    house.report_version(DEVICE, "1.0").await;
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
    assert_eq!(sleep_of(&house.poll(DEVICE).await), 30, "it is offered");
    let action = house.start(DEVICE).await;
    assert_eq!(sleep_of(&house.poll(DEVICE).await), 30, "in progress");
    house.say(DEVICE, &action, "closed", "success", &["done"]).await;
    assert_eq!(sleep_of(&house.poll(DEVICE).await), 30, "its room waits for its word");
    // At noon: a device that sleeps long comes in the first minutes of its room's window (W11).
    for (poll_seconds, least, most) in [(0, 5, 5), (86_399, 43_200, 43_500), (u32::MAX, 43_200, 43_500)] {
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
    let offered = link(&house.poll(DEVICE).await, "installedBase").expect("a link to what it installed");
    assert!(offered.ends_with(&path), "{offered}");
    let installed = house.get(DEVICE, &path).await;
    assert_eq!(
        (installed.status, installed.json()),
        (200, work),
        "the same shape as deploymentBase"
    );
    house.get("hall-1", &path).await.error(404);
}

async fn an_idle_device_is_asked_for_its_facts_once_a_night_ddi_1(engine: Engine) {
    let house = House::new(engine).await;
    house.report_version(DEVICE, "1.0").await;
    let evening = house
        .now()
        .date_naive()
        .and_hms_opt(22, 30, 0)
        .expect("a time")
        .and_utc();
    for night in 0..3 {
        let mut asked = Vec::new();
        for minutes in (0..7 * 60).step_by(5) {
            house
                .at(evening + TimeDelta::days(night) + TimeDelta::minutes(minutes))
                .await;
            if link(&house.poll(DEVICE).await, "configData").is_some() {
                asked.push(house.now().format("%H:%M").to_string());
                house.report_version(DEVICE, "1.0").await;
            }
        }
        assert_eq!(asked, ["23:00"], "an hour before the window of a room in UTC");
    }
    // One that does not answer is asked until it does, and a revoked one is not.
    house.at(evening + TimeDelta::days(3) + TimeDelta::minutes(40)).await;
    for _ in 0..2 {
        assert!(link(&house.poll(DEVICE).await, "configData").is_some());
        house.later(30).await;
    }
}

async fn devices_that_poll_as_they_are_told_reach_their_windows_however_long_they_sleep_w11(engine: Engine) {
    for prepare_minutes in [0, 60] {
        let settings = Settings {
            poll_seconds: 43_200,
            unmonitored_minutes: 1_440,
            prepare_minutes,
            ..Settings::default()
        };
        let options = Options {
            settings,
            ..Options::default()
        };
        let house = House::with(engine, options).await;
        let update = house.publish("2.0").await;
        let devices = ["lab-1", "hall-1", "board-1"];
        let evening = house.now() + TimeDelta::hours(6);
        let mut next: Vec<_> = devices.iter().map(|device| (evening, *device)).collect();
        let end = house.now() + TimeDelta::days(40);
        while let Some(first) = next
            .iter()
            .enumerate()
            .min_by_key(|(_, (at, _))| *at)
            .map(|(index, _)| index)
        {
            let (at, device) = next[first];
            if at > end {
                break;
            }
            house.at(at).await;
            let poll = house.poll(device).await;
            if let Some(href) = link(&poll, "deploymentBase") {
                let action = testkit::action_in(&href);
                house.say(device, &action, "proceeding", "none", &["Installing."]).await;
                house.say(device, &action, "closed", "success", &["done"]).await;
                house.report_version(device, "2.0").await;
            }
            next[first].0 = at + TimeDelta::seconds(sleep_of(&poll).into());
        }
        let fleet = house.fleet().await;
        let of_update: Vec<_> = fleet.deployments.values().filter(|of| of.update == update).collect();
        assert_eq!(of_update.len(), 3);
        for deployment in of_update {
            let state = &deployment.state;
            assert!(
                matches!(state, DeploymentState::Completed { .. }),
                "{}",
                deployment.reason.sentence()
            );
            assert_eq!((deployment.attempt, deployment.missed_windows), (1, 0));
        }
    }
}
