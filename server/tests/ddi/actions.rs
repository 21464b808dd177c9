//! Actions: they start, keep their link, are cancelled and taken back.

use chrono::TimeDelta;
use domain::status::RoomStatus;
use reqwest::Method;
use serde_json::json;
use testkit::{Engine, House, action_in, actor, bar, both_engines, link};

use crate::{DEVICE, ROOM, download_link};

both_engines![
    a_started_device_keeps_its_link_while_paused_and_after_the_window_and_a_restart_ddi_2_2,
    action_ids_are_positive_numbers_as_text_and_a_retry_has_a_new_one_ddi_2_5_k4,
    a_cancel_replaces_the_work_until_all_chunks_are_installed_ddi_2_9,
    a_device_that_stops_ends_the_action_and_one_that_refuses_goes_on_ddi_1_s10,
    a_recall_withdraws_what_waits_and_stops_what_downloads_s10,
    work_that_may_not_start_any_more_is_vetoed_with_404_ddi_2_10,
    a_copy_of_an_older_day_gives_no_number_again_ddi_2_5_g1,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_postgres_say_the_same_and_losing_one_loses_nothing_g2() {
    let mut house = House::new(Engine::Postgres).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let other = house.another().await;
    let action = house.start(DEVICE).await;
    house.stop().await;
    let base = format!("{other}/DEFAULT/controller/v1/{DEVICE}");
    let poll = house.get(DEVICE, &base).await.json();
    let href = link(&poll, "deploymentBase").expect("the link stays");
    assert_eq!(action_in(&href), action);
    assert!(href.starts_with(&other), "{href}");
    let body = json!({ "id": action, "status": { "execution": "closed", "result": { "finished": "success" } } });
    let feedback = format!("{base}/deploymentBase/{action}/feedback");
    assert_eq!(
        house
            .ask(Method::POST, DEVICE, &feedback, &[], body.to_string().into_bytes())
            .await
            .status,
        200
    );
    let facts = br#"{"data":{"sw_version":"2.0"}}"#.to_vec();
    assert_eq!(
        house
            .ask(Method::PUT, DEVICE, &format!("{base}/configData"), &[], facts)
            .await
            .status,
        200
    );
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
}

async fn a_started_device_keeps_its_link_while_paused_and_after_the_window_and_a_restart_ddi_2_2(engine: Engine) {
    let mut house = House::new(engine).await;
    let update = house.publish("2.0").await;
    let (_, closes) = house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::InProgress);
    house.pause(update).await;
    assert_eq!(house.action(DEVICE).await, action, "paused");
    assert_eq!(house.status(ROOM, update).await, RoomStatus::InProgress, "it runs on");
    house.at(closes + TimeDelta::minutes(1)).await;
    assert_eq!(house.action(DEVICE).await, action, "after the window");
    house.restart().await;
    let href = house.offered(DEVICE).await.expect("after a restart of the server");
    assert_eq!(action_in(&href), action);
    assert_eq!(house.get(DEVICE, &href).await.status, 200);
    // Its success is taken through that link, and then the link is gone.
    assert_eq!(
        house
            .say(DEVICE, &action, "closed", "success", &["Update Installed."])
            .await,
        200
    );
    assert_eq!(house.offered(DEVICE).await, None);
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
}

async fn action_ids_are_positive_numbers_as_text_and_a_retry_has_a_new_one_ddi_2_5_k4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let first = house.get(DEVICE, &href).await.json()["id"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert_eq!(first, action_in(&href));
    assert!(
        first.parse::<i32>().is_ok_and(|id| id > 0 && id.to_string() == first),
        "{first}"
    );
    house.start(DEVICE).await;
    assert_eq!(house.say(DEVICE, &first, "closed", "failure", &["no"]).await, 200);
    let retried = house.service.retry_all_failed(&actor(), update).await.expect("a retry");
    assert_eq!(retried.rooms, 1);
    let again = house.service.retry_all_failed(&actor(), update).await.expect("a retry");
    assert_eq!(again.rooms, 0, "K4: a second click changes nothing");
    house.tick().await;
    house.enter_window(DEVICE).await;
    let second = house.action(DEVICE).await;
    assert_ne!(first, second);
    assert_eq!(house.install(&second).await.attempt, 2);
    for wrong in ["0", "-1", "x", "99999999999", "1.0", ""] {
        let answer = house.get(DEVICE, &format!("/deploymentBase/{wrong}")).await;
        assert_eq!(answer.status, 404, "{wrong:?}");
    }
}

async fn a_cancel_replaces_the_work_until_all_chunks_are_installed_ddi_2_9(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let path = format!("/cancelAction/{action}");
    house.get(DEVICE, &path).await.error(404);
    house.cancel(update, DEVICE).await;
    let poll = house.poll(DEVICE).await;
    let href = link(&poll, "cancelAction").expect("a cancel");
    assert_eq!(href, house.address(DEVICE, &path), "without a query");
    assert_eq!(link(&poll, "deploymentBase"), None);
    let cancel = house.get(DEVICE, &href).await;
    assert_eq!(
        (cancel.status, cancel.json()),
        (200, json!({ "id": action, "cancelAction": { "stopId": action } }))
    );
    // Too late: only the restart is left.
    assert_eq!(
        house
            .say(DEVICE, &action, "proceeding", "none", &["All Chunks Installed."])
            .await,
        200
    );
    assert_eq!(link(&house.poll(DEVICE).await, "cancelAction"), None);
    assert_eq!(house.action(DEVICE).await, action);
    house.get(DEVICE, &path).await.error(404);
}

async fn a_device_that_stops_ends_the_action_and_one_that_refuses_goes_on_ddi_1_s10(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(
        house.answer_cancel(DEVICE, &action, "canceled", "none").await,
        404,
        "nobody asked"
    );
    house.cancel(update, DEVICE).await;
    assert_eq!(house.answer_cancel(DEVICE, &action, "proceeding", "none").await, 200);
    assert!(
        link(&house.poll(DEVICE).await, "cancelAction").is_some(),
        "it has not answered yet"
    );
    assert_eq!(house.answer_cancel(DEVICE, &action, "rejected", "none").await, 200);
    assert_eq!(house.action(DEVICE).await, action, "it goes on");
    house.cancel(update, DEVICE).await;
    assert_eq!(house.answer_cancel(DEVICE, &action, "closed", "success").await, 200);
    let poll = house.poll(DEVICE).await;
    assert!(
        link(&poll, "cancelAction").is_none() && link(&poll, "deploymentBase").is_none(),
        "{poll}"
    );
    assert_eq!(house.answer_cancel(DEVICE, &action, "closed", "success").await, 410);
    assert_eq!(
        house.say(DEVICE, &action, "closed", "success", &[]).await,
        410,
        "it has ended"
    );
    let room = house.room_of(DEVICE).await;
    assert_eq!(house.status(&room, update).await, RoomStatus::Failed);
    assert_eq!(house.reason(&room, update).await, "Stopped by Admin: a test stops.");
    assert!(house.ticket(&room, update).await.is_some(), "K1");
}

async fn a_recall_withdraws_what_waits_and_stops_what_downloads_s10(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let recalled = house
        .service
        .recall(&actor(), &bar(), "2.0", "cameras stay dark".into())
        .await
        .expect("a recall");
    house.tick().await;
    assert_eq!((recalled.update, recalled.asked_to_stop), (update, 1));
    assert!(link(&house.poll(DEVICE).await, "cancelAction").is_some());
    assert_eq!(house.answer_cancel(DEVICE, &action, "canceled", "none").await, 200);
    let room = house.room_of(DEVICE).await;
    assert_eq!(house.status(&room, update).await, RoomStatus::Deprecated);
    assert_eq!(house.reason(&room, update).await, "Recalled: cameras stay dark.");
    let fleet = house.fleet().await;
    assert!(fleet.deployments.values().all(|deployment| !deployment.is_unfinished()));
    let again = house
        .service
        .recall(&actor(), &bar(), "2.0", "once more".into())
        .await
        .expect_err("a refusal");
    assert!(again.to_string().ends_with("was recalled before"), "{again}");
}

async fn work_that_may_not_start_any_more_is_vetoed_with_404_ddi_2_10(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    let (_, closes) = house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let file = download_link(&house.get(DEVICE, &href).await.json());
    house.at(closes - TimeDelta::minutes(19)).await;
    house.get(DEVICE, &href).await.error(404);
    house.get(DEVICE, &file).await.error(404);
    let late = house.say(DEVICE, &action_in(&href), "proceeding", "none", &[]).await;
    assert_eq!(late, 404, "and it cannot talk itself into it");
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Scheduled);
    // The next night it is offered again.
    house.at(closes + TimeDelta::minutes(1)).await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    house.pause(update).await;
    house.get(DEVICE, &href).await.error(404);
    house
        .service
        .resume(&actor(), update, "on with it".into())
        .await
        .expect("it resumes");
    house.tick().await;
    let href = house.offered(DEVICE).await.expect("work");
    assert_eq!(house.get(DEVICE, &href).await.status, 200);
}

async fn a_copy_of_an_older_day_gives_no_number_again_ddi_2_5_g1(engine: Engine) {
    let house = House::new(engine).await;
    house.service.skip_given_action_numbers().await.expect("a start");
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    // What a copy of the evening before knows: neither the action nor that its number was given.
    let set_back = match engine {
        Engine::Sqlite => "UPDATE sqlite_sequence SET seq = 7 WHERE name = 'installs'",
        Engine::Postgres => "SELECT setval(pg_get_serial_sequence('installs', 'action_id'), 7)",
    };
    for statement in [
        "DELETE FROM reports",
        "DELETE FROM installs",
        "UPDATE deployments SET state = 'waiting', progress = 'not_started', started_at = NULL, next_at = 0",
        set_back,
    ] {
        house.database.execute(statement).await;
    }
    house.service.skip_given_action_numbers().await.expect("a start");
    house.later(10).await;
    let again = house.action(DEVICE).await;
    let number = |action: &str| action.parse::<i32>().expect("a number");
    assert!(number(&again) > number(&action), "{again} after {action}");
    assert_eq!(
        house
            .say(DEVICE, &action, "closed", "success", &["of the run before"])
            .await,
        404
    );
    assert_eq!(house.action(DEVICE).await, again);
    // A second start at the same instant takes no number back.
    house.service.skip_given_action_numbers().await.expect("a start");
    assert_eq!(house.action(DEVICE).await, again);
}
