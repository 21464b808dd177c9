//! The device API on the real router: every point of docs/devices.md section 2, and what surrounds it (SPEC A4, W1, W5, K1, K3–K5, G5).

use chrono::TimeDelta;
use domain::deployment::{DeploymentState, Failure, Force};
use domain::install::InstallState;
use domain::settings::Settings;
use domain::status::RoomStatus;
use domain::ticket::TicketState;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{BAR, Engine, House, MUTE, Options, action_in, actor, bar, both_engines, content, link};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

both_engines!(
    // docs/devices.md 2
    a_device_without_windows_of_its_own_is_never_told_to_skip_ddi_2_1,
    a_window_aware_device_may_fetch_ahead_and_is_told_to_skip_ddi_2_1,
    the_user_agent_of_rauc_makes_a_device_window_aware_ddi_2_1,
    a_started_device_keeps_its_link_while_paused_and_after_the_window_and_a_restart_ddi_2_2,
    the_first_get_of_the_artifact_starts_a_device_and_a_look_does_not_ddi_2_2,
    posts_and_puts_are_answered_with_exactly_200_and_nothing_else_ddi_2_3,
    a_failure_report_that_is_no_json_ends_as_failed_with_its_ticket_ddi_2_4,
    a_raw_line_break_in_the_details_does_not_hide_a_failure_ddi_2_4,
    a_success_report_of_swupdate_is_taken_ddi_2_4,
    action_ids_are_positive_numbers_as_text_and_a_retry_has_a_new_one_ddi_2_5_k4,
    a_deployment_has_one_chunk_with_one_artifact_all_hashes_and_both_links_ddi_2_6,
    an_artifact_has_head_a_length_and_ranges_and_ends_with_416_ddi_2_7,
    links_are_absolute_and_in_upper_case_whatever_the_tenant_is_called_ddi_2_8,
    a_cancel_replaces_the_work_until_all_chunks_are_installed_ddi_2_9,
    a_device_that_stops_ends_the_action_and_one_that_refuses_goes_on_ddi_1_s10,
    a_recall_withdraws_what_waits_and_stops_what_downloads_s10,
    work_that_may_not_start_any_more_is_vetoed_with_404_ddi_2_10,
    a_second_close_is_gone_and_changes_nothing_but_the_history_ddi_2_11,
    a_silent_device_has_failed_but_its_late_report_is_taken_and_heals_ddi_2_11_w5,
    a_retry_of_a_silent_device_waits_for_its_action_to_close_ddi_2_11_k4,
    a_success_out_of_nothing_is_doubtful_and_the_inventory_decides_ddi_2_12,
    a_skipped_update_is_no_success_ddi_2_12,
    a_room_is_completed_only_when_the_inventory_says_so_ddi_2_13,
    an_install_that_the_inventory_never_shows_has_failed_as_unconfirmed_ddi_2_13,
    a_product_without_versions_is_completed_by_the_close_alone_ddi_2_13,
    // Windows, pause, force
    nothing_is_offered_outside_the_window_or_when_the_minutes_no_longer_fit_w1,
    a_device_that_never_shows_up_in_two_windows_is_unreachable_w4,
    a_paused_update_is_withheld_and_its_words_are_refused_k3,
    a_force_skips_the_window_with_the_next_poll_k5,
    a_force_that_waits_for_the_room_asks_at_every_poll_and_starts_when_it_is_free_k5,
    // The poll
    the_sleep_has_its_form_and_its_bounds,
    a_poll_that_has_not_changed_is_answered_with_304,
    facts_are_asked_for_after_enrolment_after_a_close_and_before_the_window,
    media_types_follow_the_accept_header,
    the_small_resources_answer_as_clients_expect,
    // Who speaks
    whoever_has_no_right_token_gets_401_and_an_empty_body_a4,
    a_device_cannot_touch_another_ones_action_a4,
    the_gateway_token_acts_for_any_device_and_can_be_switched_off,
    // Facts
    facts_are_merged_replaced_and_removed,
    facts_beyond_the_limits_are_refused_by_name_and_nothing_is_stored_g5,
    facts_with_broken_characters_are_taken,
    a_report_that_does_not_speak_of_the_room_does_not_say_that_it_is_free_k5,
    // Broken bodies
    broken_and_huge_bodies_get_an_error_and_nothing_is_lost_g5,
    a_report_that_breaks_off_before_its_result_is_not_taken_for_a_success_ddi_2_4,
    a_body_that_ends_before_its_length_changes_nothing_g5,
);

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

const DEVICE: &str = "lab-1";
const ROOM: &str = "Lab";
const FAILURE: &[u8] = include_bytes!("captures/swupdate_failure.txt");
const SUCCESS: &[u8] = include_bytes!("captures/swupdate_success.txt");

async fn a_device_without_windows_of_its_own_is_never_told_to_skip_ddi_2_1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let (opens, _) = house.until_prepared(DEVICE).await;
    house.report_version(DEVICE, "1.0").await;
    for minutes in [59, 30, 1] {
        house.at(opens - TimeDelta::minutes(minutes)).await;
        assert_eq!(house.offered(DEVICE).await, None, "{minutes} minutes before the window");
    }
    house.at(opens).await;
    let href = house.offered(DEVICE).await.expect("work");
    let work = house.get(DEVICE, &href).await.json();
    assert_eq!(work["deployment"]["update"], "forced");
    assert_eq!(work["deployment"]["download"], "forced");
    assert_eq!(work["deployment"]["maintenanceWindow"], Value::Null);
}

async fn a_window_aware_device_may_fetch_ahead_and_is_told_to_skip_ddi_2_1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let answer = house
        .config(
            DEVICE,
            &json!({ "data": { "ddi.window": "aware", "sw_version": "1.0" } }),
        )
        .await;
    assert_eq!(answer.status, 200);
    let (opens, _) = house.until_prepared(DEVICE).await;
    let ahead = house.offered(DEVICE).await.expect("work to fetch ahead");
    let work = house.get(DEVICE, &ahead).await.json();
    assert_eq!(work["deployment"]["update"], "skip");
    assert_eq!(work["deployment"]["maintenanceWindow"], "unavailable");
    // It fetches ahead, and that is no start.
    let file = download_link(&work);
    assert_eq!(house.get(DEVICE, &file).await.body, content("2.0"));
    let install = house.open_install(DEVICE).await.expect("an install");
    assert_eq!(install.state, InstallState::Planned);
    // Nor is talking about it.
    let action = action_in(&ahead);
    for execution in ["proceeding", "download", "downloaded"] {
        assert_eq!(house.say(DEVICE, &action, execution, "none", &["ahead"]).await, 200);
    }
    assert_eq!(house.install(&action).await.state, InstallState::Planned, "W1");
    assert_eq!(house.offered(DEVICE).await, Some(ahead.clone()), "it is still to skip");
    house.at(opens).await;
    let inside = house.offered(DEVICE).await.expect("work");
    assert_ne!(ahead, inside, "the link changes with the offer");
    let work = house.get(DEVICE, &inside).await.json();
    assert_eq!(work["deployment"]["update"], "forced");
}

async fn the_user_agent_of_rauc_makes_a_device_window_aware_ddi_2_1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.until_prepared(DEVICE).await;
    let agent = [("user-agent", "rauc-hawkbit-c-agent/1.0")];
    let poll = house.ask(Method::GET, DEVICE, "", &agent, Vec::new()).await.json();
    let href = link(&poll, "deploymentBase").expect("work to fetch ahead");
    let work = house.ask(Method::GET, DEVICE, &href, &agent, Vec::new()).await.json();
    assert_eq!(work["deployment"]["update"], "skip");
    let file = house
        .ask(Method::GET, DEVICE, &download_link(&work), &agent, Vec::new())
        .await;
    assert_eq!(file.status, 200);
    assert_eq!(house.offered(DEVICE).await, None, "another user agent is not told so");
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

async fn the_first_get_of_the_artifact_starts_a_device_and_a_look_does_not_ddi_2_2(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    let (_, closes) = house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let work = house.get(DEVICE, &href).await.json();
    let file = download_link(&work);
    let looks = [(Method::HEAD, file.clone()), (Method::GET, format!("{file}.MD5SUM"))];
    for (method, look) in looks {
        assert_eq!(house.ask(method, DEVICE, &look, &[], Vec::new()).await.status, 200);
        house.tick().await;
        assert_eq!(
            house.status(ROOM, update).await,
            RoomStatus::Scheduled,
            "{look} is a look"
        );
    }
    assert_eq!(house.get(DEVICE, &file).await.status, 200);
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::InProgress);
    house.at(closes).await;
    assert!(house.offered(DEVICE).await.is_some(), "the link stays");
}

async fn posts_and_puts_are_answered_with_exactly_200_and_nothing_else_ddi_2_3(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let answer = house.config(DEVICE, &json!({ "data": { "a": "b" } })).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    let action = house.action(DEVICE).await;
    let words = [
        ("proceeding", "none"),
        ("download", "none"),
        ("downloaded", "none"),
        ("scheduled", "none"),
        ("resumed", "none"),
        ("rejected", "none"),
        ("canceled", "none"),
        ("closed", "success"),
    ];
    for (execution, finished) in words {
        let body = json!({ "id": action, "status": { "execution": execution, "result": { "finished": finished } } });
        let answer = house.feedback(DEVICE, &action, body.to_string().into_bytes()).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{execution}");
    }
}

async fn a_failure_report_that_is_no_json_ends_as_failed_with_its_ticket_ddi_2_4(engine: Engine) {
    assert!(
        serde_json::from_slice::<Value>(FAILURE).is_err(),
        "the captured report must be no JSON"
    );
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(house.feedback(DEVICE, &action, FAILURE.to_vec()).await.status, 200);
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketState::NeedsAction), "K1");
    let install = house.install(&action).await;
    assert!(
        matches!(
            install.state,
            InstallState::Failed {
                failure: Failure::Reported,
                ..
            }
        ),
        "{install:?}"
    );
    assert!(
        install.detail.contains("I cannot open"),
        "the rest is kept as detail: {:?}",
        install.detail
    );
    let kept = house
        .database
        .number("SELECT count(*) FROM reports WHERE detail LIKE '%No suitable .swu image found%'")
        .await;
    assert_eq!(kept, 1, "the history has all of it");
    assert_eq!(house.offered(DEVICE).await, None, "K1: the link is gone");
}

async fn a_raw_line_break_in_the_details_does_not_hide_a_failure_ddi_2_4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let body = "{ \"id\": 7, \"status\": { \"result\": { \"finished\": \"failure\" }, \"execution\": \"closed\", \
                \"details\" : [ \"Got malformed JSON: Could not find fields.\n\",\"No suitable .swu image found\" ] } }";
    assert_eq!(
        house.feedback(DEVICE, &action, body.as_bytes().to_vec()).await.status,
        200
    );
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
    assert!(house.install(&action).await.detail.contains("Got malformed JSON"));
}

async fn a_success_report_of_swupdate_is_taken_ddi_2_4(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    // The id in the body is another one, and a number: the path counts.
    assert_eq!(house.feedback(DEVICE, &action, SUCCESS.to_vec()).await.status, 200);
    let install = house.install(&action).await;
    assert!(
        matches!(install.state, InstallState::Installed { doubtful: false, .. }),
        "{install:?}"
    );
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

async fn a_deployment_has_one_chunk_with_one_artifact_all_hashes_and_both_links_ddi_2_6(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let work = house.get(DEVICE, &href).await.json();
    let chunks = work["deployment"]["chunks"].as_array().expect("chunks");
    assert_eq!(chunks.len(), 1);
    assert_eq!(
        (&chunks[0]["part"], &chunks[0]["name"], &chunks[0]["version"]),
        (&json!("firmware"), &json!(BAR), &json!("2.0"))
    );
    let artifacts = chunks[0]["artifacts"].as_array().expect("artifacts");
    assert_eq!(artifacts.len(), 1);
    let artifact = &artifacts[0];
    let bytes = content("2.0");
    let hashes = service::artifacts::Hashes::of(&bytes);
    assert_eq!(artifact["filename"], "rally-bar.swu");
    assert_eq!(artifact["size"], bytes.len());
    assert_eq!(
        artifact["hashes"],
        json!({ "sha1": hashes.sha1, "md5": hashes.md5, "sha256": hashes.sha256 })
    );
    let links = &artifact["_links"];
    assert_eq!(links["download"], links["download-http"]);
    assert_eq!(links["md5sum"], links["md5sum-http"]);
    let md5sum = house
        .get(DEVICE, links["md5sum"]["href"].as_str().expect("a link"))
        .await;
    assert_eq!(md5sum.text().trim_end(), format!("{}  rally-bar.swu", hashes.md5));
    assert!(
        md5sum
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain")),
        "{md5sum:?}"
    );
}

async fn an_artifact_has_head_a_length_and_ranges_and_ends_with_416_ddi_2_7(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let file = download_link(&house.get(DEVICE, &href).await.json());
    let bytes = content("2.0");
    let size = bytes.len();
    let head = house.ask(Method::HEAD, DEVICE, &file, &[], Vec::new()).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(size.to_string().as_str()));
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
    let whole = house.get(DEVICE, &file).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.body, bytes);
    let ranges = [
        ("bytes=0-".to_owned(), 0..size),
        ("bytes=100-".to_owned(), 100..size),
        ("bytes=100-199".to_owned(), 100..200),
        (format!("bytes={}-", size - 1), size - 1..size),
        ("bytes=-5".to_owned(), size - 5..size),
    ];
    for (range, span) in ranges {
        let answer = house
            .ask(Method::GET, DEVICE, &file, &[("range", &range)], Vec::new())
            .await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.body, bytes[span.clone()], "{range}");
        let said = format!("bytes {}-{}/{size}", span.start, span.end - 1);
        assert_eq!(answer.header("content-range"), Some(said.as_str()), "{range}");
        assert_eq!(answer.header("content-length"), Some(span.len().to_string().as_str()));
    }
    let beyond = house
        .ask(
            Method::GET,
            DEVICE,
            &file,
            &[("range", &format!("bytes={size}-"))],
            Vec::new(),
        )
        .await;
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{size}").as_str()));
    let other = file.replace("rally-bar.swu", "other.swu");
    assert_eq!(house.get(DEVICE, &other).await.status, 404);
}

async fn links_are_absolute_and_in_upper_case_whatever_the_tenant_is_called_ddi_2_8(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let wanted = format!("{}/DEFAULT/controller/v1/{DEVICE}/", house.base);
    for tenant in ["DEFAULT", "default", "Default", "dEfAuLt"] {
        let address = format!("{}/{tenant}/controller/v1/{DEVICE}", house.base);
        let answer = house.get(DEVICE, &address).await;
        assert_eq!(answer.status, 200, "{tenant}");
        let href = link(&answer.json(), "configData").expect("facts are wanted");
        assert_eq!(href, format!("{wanted}configData"));
    }
    let stranger = house
        .get(DEVICE, &format!("{}/OTHER/controller/v1/{DEVICE}", house.base))
        .await;
    stranger.error(404);
    house.report_version(DEVICE, "1.0").await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    assert!(href.starts_with(&format!("{wanted}deploymentBase/")), "{href}");
    let work = house.get(DEVICE, &href.replace("DEFAULT", "default")).await.json();
    assert!(
        download_link(&work).starts_with(&format!("{wanted}softwaremodules/")),
        "{work}"
    );
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

async fn a_second_close_is_gone_and_changes_nothing_but_the_history_ddi_2_11(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(house.say(DEVICE, &action, "closed", "failure", &["broken"]).await, 200);
    assert_eq!(
        house.offered(DEVICE).await,
        None,
        "the link vanishes with the first close"
    );
    let before = house.fleet().await;
    let body = json!({ "id": action, "status": { "execution": "closed", "result": { "finished": "success" } } });
    house
        .feedback(DEVICE, &action, body.to_string().into_bytes())
        .await
        .error(410);
    let body = json!({ "id": action, "status": { "execution": "proceeding", "result": { "finished": "none" } } });
    house
        .feedback(DEVICE, &action, body.to_string().into_bytes())
        .await
        .error(410);
    assert_eq!(house.fleet().await, before, "nothing changes");
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
    let query = format!("SELECT count(*) FROM reports WHERE action_id = {action} AND NOT (counted = TRUE)");
    assert_eq!(house.database.number(&query).await, 2, "both are in the history");
}

async fn a_silent_device_has_failed_but_its_late_report_is_taken_and_heals_ddi_2_11_w5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    house.later(59).await;
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::InProgress,
        "an hour at least"
    );
    house.later(1).await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
    let deployment = house.deployment(ROOM, update).await.expect("a deployment");
    assert!(
        matches!(
            deployment.state,
            DeploymentState::Failed {
                failure: Failure::Silent,
                ..
            }
        ),
        "{deployment:?}"
    );
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketState::NeedsAction));
    assert_eq!(house.action(DEVICE).await, action, "silence does not end the action");
    house.later(600).await;
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["at last"]).await, 200);
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
    assert_eq!(
        house.ticket(ROOM, update).await,
        Some(TicketState::Resolved),
        "K1: a later success resolves it"
    );
}

async fn a_retry_of_a_silent_device_waits_for_its_action_to_close_ddi_2_11_k4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    let (opens, _) = house.enter_window(DEVICE).await;
    let first = house.start(DEVICE).await;
    house.later(60).await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed, "silent");
    assert_eq!(
        house
            .service
            .retry_all_failed(&actor(), update)
            .await
            .expect("a retry")
            .rooms,
        1
    );
    house.tick().await;
    house.at(opens + TimeDelta::days(1) + TimeDelta::minutes(10)).await;
    assert_eq!(
        house.action(DEVICE).await,
        first,
        "one open action a device: the old one"
    );
    assert_eq!(
        house.say(DEVICE, &first, "closed", "failure", &["I was away"]).await,
        200
    );
    assert_eq!(house.say(DEVICE, &first, "closed", "failure", &["again"]).await, 410);
    let second = match house.offered(DEVICE).await {
        Some(href) => action_in(&href),
        None => {
            house.enter_window(DEVICE).await;
            house.action(DEVICE).await
        }
    };
    assert_ne!(first, second);
    assert_eq!(house.install(&second).await.attempt, 2);
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::Scheduled,
        "the old failure does not fail the new attempt"
    );
}

async fn a_success_out_of_nothing_is_doubtful_and_the_inventory_decides_ddi_2_12(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.action(DEVICE).await;
    assert_eq!(
        house
            .say(DEVICE, &action, "closed", "success", &["Update Installed."])
            .await,
        200
    );
    let install = house.install(&action).await;
    assert!(
        matches!(install.state, InstallState::Installed { doubtful: true, .. }),
        "{install:?}"
    );
    assert_ne!(house.status(ROOM, update).await, RoomStatus::Completed);
    house.report_version(DEVICE, "1.0").await;
    assert_ne!(
        house.status(ROOM, update).await,
        RoomStatus::Completed,
        "the inventory says otherwise"
    );
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
}

async fn a_skipped_update_is_no_success_ddi_2_12(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(
        house
            .say(DEVICE, &action, "closed", "success", &["Skipped Update."])
            .await,
        200
    );
    let install = house.install(&action).await;
    assert!(
        matches!(install.state, InstallState::Installed { doubtful: true, .. }),
        "{install:?}"
    );
    house.report_version(DEVICE, "1.0").await;
    house.later(24 * 60).await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
}

async fn a_room_is_completed_only_when_the_inventory_says_so_ddi_2_13(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["done"]).await, 200);
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::InProgress,
        "installed, unconfirmed"
    );
    let poll = house.poll(DEVICE).await;
    assert!(link(&poll, "configData").is_some(), "it is asked for its facts");
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
    assert!(matches!(
        house.install(&action).await.state,
        InstallState::Completed { .. }
    ));
    assert_eq!(house.ticket(ROOM, update).await, None);
    let fleet = house.fleet().await;
    assert_eq!(domain::check::check(&fleet), []);
}

async fn an_install_that_the_inventory_never_shows_has_failed_as_unconfirmed_ddi_2_13(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["done"]).await, 200);
    house.report_version(DEVICE, "1.0").await;
    house.later(24 * 60 - 1).await;
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::InProgress,
        "the grace runs"
    );
    house.later(1).await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
    let install = house.install(&action).await;
    assert!(
        matches!(
            install.state,
            InstallState::Failed {
                failure: Failure::Unconfirmed,
                ..
            }
        ),
        "{install:?}"
    );
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketState::NeedsAction));
}

async fn a_product_without_versions_is_completed_by_the_close_alone_ddi_2_13(engine: Engine) {
    let file = json!({
        "sites": [{ "name": "London", "zone": "Europe/London" }],
        "rooms": [{ "name": "Door", "site": "London", "ring": "Staging",
            "devices": [{ "id": "door-1", "model": "Scheduler", "installed": { MUTE: null } }] }],
    });
    let house = House::with(
        engine,
        Options {
            rooms: file,
            ..Options::default()
        },
    )
    .await;
    let changed = house
        .database
        .execute(&format!(
            "UPDATE updates SET applies_to_unknown = TRUE WHERE product_id = '{MUTE}'"
        ))
        .await;
    assert_eq!(changed, 2);
    let update = house.publish_bytes(MUTE, "2.0", content("2.0")).await;
    house.enter_window("door-1").await;
    let action = house.start("door-1").await;
    assert_eq!(house.say("door-1", &action, "closed", "success", &["done"]).await, 200);
    assert_eq!(house.status("Door", update).await, RoomStatus::Completed);
}

async fn nothing_is_offered_outside_the_window_or_when_the_minutes_no_longer_fit_w1(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    assert_eq!(house.offered(DEVICE).await, None, "days before");
    let (opens, closes) = house.until_prepared(DEVICE).await;
    let london = opens.format("%H:%M").to_string();
    assert_eq!((london.as_str(), closes - opens), ("00:00", TimeDelta::hours(5)));
    let told = [
        (opens - TimeDelta::seconds(1), false),
        (opens, true),
        (closes - TimeDelta::minutes(20), true),
        (closes - TimeDelta::minutes(20) + TimeDelta::seconds(1), false),
        (closes, false),
        (closes + TimeDelta::hours(3), false),
    ];
    for (instant, offered) in told {
        house.at(instant).await;
        assert_eq!(house.offered(DEVICE).await.is_some(), offered, "{instant}");
    }
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::Scheduled,
        "W4: it waits for the next one"
    );
    let (next, _) = house.enter_window(DEVICE).await;
    assert_eq!(next - opens, TimeDelta::days(1));
    assert!(house.offered(DEVICE).await.is_some());
}

async fn a_device_that_never_shows_up_in_two_windows_is_unreachable_w4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    // One that polls in its window, too late to start, has shown up.
    let (_, closes) = house.until_planned(DEVICE).await;
    house.at(closes - TimeDelta::minutes(1)).await;
    assert_eq!(house.offered(DEVICE).await, None);
    house.at(closes).await;
    for missed in [1, 2] {
        let deployment = house.deployment(ROOM, update).await.expect("a deployment");
        assert_eq!(deployment.missed_windows, missed - 1);
        assert_eq!(house.status(ROOM, update).await, RoomStatus::Scheduled);
        let (_, closes) = house.until_planned(DEVICE).await;
        house.at(closes).await;
    }
    let deployment = house.deployment(ROOM, update).await.expect("a deployment");
    assert!(
        matches!(
            deployment.state,
            DeploymentState::Failed {
                failure: Failure::Unreachable,
                ..
            }
        ),
        "{deployment:?}"
    );
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketState::NeedsAction));
    assert_eq!(house.offered(DEVICE).await, None);
}

async fn a_paused_update_is_withheld_and_its_words_are_refused_k3(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.action(DEVICE).await;
    // At once: before the tick has looked at it, and after.
    house
        .service
        .pause(&actor(), update, "a test pauses".into(), None)
        .await
        .expect("it pauses");
    for refused in [404, 410] {
        assert_eq!(house.offered(DEVICE).await, None);
        for (execution, finished) in [
            ("proceeding", "none"),
            ("download", "none"),
            ("closed", "success"),
            ("closed", "failure"),
        ] {
            let body =
                json!({ "id": action, "status": { "execution": execution, "result": { "finished": finished } } });
            house
                .feedback(DEVICE, &action, body.to_string().into_bytes())
                .await
                .error(refused);
        }
        house.tick().await;
    }
    assert!(matches!(
        house.install(&action).await.state,
        InstallState::Withdrawn { .. }
    ));
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Paused);
}

async fn a_force_skips_the_window_with_the_next_poll_k5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    assert_eq!(house.offered("board-1").await, None);
    house.force(update, "Board").await;
    let poll = house.poll("board-1").await;
    assert!(link(&poll, "deploymentBase").is_some(), "{poll}");
    assert_eq!(sleep_of(&poll), 30);
    house.pause(update).await;
    assert_eq!(house.offered("board-1").await, None, "K3: an unstarted force neither");
}

async fn a_force_that_waits_for_the_room_asks_at_every_poll_and_starts_when_it_is_free_k5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.force_as(update, "Board", Force::WhenAvailable).await;
    for state in ["busy", "busy"] {
        let poll = house.poll("board-1").await;
        assert!(
            link(&poll, "configData").is_some() && link(&poll, "deploymentBase").is_none(),
            "{poll}"
        );
        assert_eq!(sleep_of(&poll), 30);
        house
            .config("board-1", &json!({ "data": { "room.state": state } }))
            .await;
    }
    let soon = (house.now() + TimeDelta::minutes(15)).to_rfc3339();
    house
        .config(
            "board-1",
            &json!({ "data": { "room.state": "free", "room.busy_until": soon } }),
        )
        .await;
    assert_eq!(house.offered("board-1").await, None, "booked");
    house
        .config(
            "board-1",
            &json!({ "data": { "room.state": "free", "room.busy_until": null } }),
        )
        .await;
    assert!(house.offered("board-1").await.is_some());
    house.later(3).await;
    assert_eq!(
        house.offered("board-1").await,
        None,
        "a report older than two minutes says nothing"
    );
}

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

async fn whoever_has_no_right_token_gets_401_and_an_empty_body_a4(engine: Engine) {
    let house = House::new(engine).await;
    let right = house.tokens[DEVICE].clone();
    let refused = [
        String::new(),
        "TargetToken".to_owned(),
        "TargetToken ".to_owned(),
        "TargetToken wrong".to_owned(),
        format!("Bearer {right}"),
        format!("GatewayToken {right}"),
        house.token("hall-1"),
    ];
    for authorization in &refused {
        for (method, rest) in [
            (Method::GET, ""),
            (Method::PUT, "/configData"),
            (Method::GET, "/deploymentBase/1"),
            (Method::POST, "/deploymentBase/1/feedback"),
            (Method::GET, "/confirmationBase"),
            (Method::GET, "/softwaremodules/1/artifacts/rally-bar.swu"),
        ] {
            let answer = house
                .ask_with(authorization, method, DEVICE, rest, &[], b"{}".to_vec())
                .await;
            assert_eq!((answer.status, answer.body.len()), (401, 0), "{authorization} {rest}");
        }
    }
    let unknown = house
        .ask_with(&house.token(DEVICE), Method::GET, "nobody", "", &[], Vec::new())
        .await;
    assert_eq!((unknown.status, unknown.body.len()), (401, 0), "a name that nobody has");
    assert_eq!(
        house
            .ask_with(
                &format!("targettoken {right}"),
                Method::GET,
                DEVICE,
                "",
                &[],
                Vec::new()
            )
            .await
            .status,
        200
    );
    // A new token takes the old one's place; a revoked device has none.
    let new = house.service.enrol_device(&actor(), DEVICE).await.expect("a token");
    assert_eq!(house.get(DEVICE, "").await.status, 401);
    let new = format!("TargetToken {new}");
    assert_eq!(
        house
            .ask_with(&new, Method::GET, DEVICE, "", &[], Vec::new())
            .await
            .status,
        200
    );
    house
        .service
        .revoke_device(&actor(), DEVICE)
        .await
        .expect("it is revoked");
    assert_eq!(
        house
            .ask_with(&new, Method::GET, DEVICE, "", &[], Vec::new())
            .await
            .status,
        401
    );
    let kept = house
        .database
        .text("SELECT cast(count(*) AS text) FROM devices WHERE token_hash IS NOT NULL AND length(token_hash) = 32");
    assert_eq!(kept.await, "2", "only hashes are kept");
}

async fn a_device_cannot_touch_another_ones_action_a4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let href = house.offered(DEVICE).await.expect("work");
    let action = action_in(&href);
    let file = download_link(&house.get(DEVICE, &href).await.json()).replace(DEVICE, "hall-1");
    let before = house.fleet().await;
    for rest in [
        format!("/deploymentBase/{action}"),
        format!("/cancelAction/{action}"),
        format!("/installedBase/{action}"),
        file,
    ] {
        house.get("hall-1", &rest).await.error(404);
    }
    let body = json!({ "id": action, "status": { "execution": "closed", "result": { "finished": "failure" } } });
    house
        .feedback("hall-1", &action, body.to_string().into_bytes())
        .await
        .error(404);
    assert_eq!(house.fleet().await, before);
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Scheduled);
    assert_eq!(house.database.number("SELECT count(*) FROM reports").await, 0);
}

async fn the_gateway_token_acts_for_any_device_and_can_be_switched_off(engine: Engine) {
    let gateway = "GatewayToken the-gateway-of-the-organisation-1";
    let on = Options {
        gateway_token: Some("the-gateway-of-the-organisation-1".to_owned()),
        ..Options::default()
    };
    let house = House::with(engine, on).await;
    for device in ["lab-1", "hall-1", "board-1"] {
        assert_eq!(
            house
                .ask_with(gateway, Method::GET, device, "", &[], Vec::new())
                .await
                .status,
            200
        );
    }
    let answer = house
        .ask_with(
            gateway,
            Method::PUT,
            DEVICE,
            "/configData",
            &[],
            br#"{"data":{"by":"gateway"}}"#.to_vec(),
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(house.attributes(DEVICE).await["by"], "gateway");
    for wrong in ["GatewayToken wrong", "GatewayToken ", "TargetToken the-organisation"] {
        assert_eq!(
            house
                .ask_with(wrong, Method::GET, DEVICE, "", &[], Vec::new())
                .await
                .status,
            401,
            "{wrong}"
        );
    }
    let off = House::new(engine).await;
    for token in [gateway, "GatewayToken ", "GatewayToken"] {
        let answer = off.ask_with(token, Method::GET, DEVICE, "", &[], Vec::new()).await;
        assert_eq!((answer.status, answer.body.len()), (401, 0), "{token}");
    }
}

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

async fn broken_and_huge_bodies_get_an_error_and_nothing_is_lost_g5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    house.config(DEVICE, &json!({ "data": { "kept": "yes" } })).await;
    let before = house.fleet().await;
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{\"status\":{}}",
        b"{\"status\":{\"execution\":7}}",
        b"{\"status\":{\"execution\":\"exploded\"}}",
        b"{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"perhaps\"}}}",
        b"\xff\xfe\x00",
    ];
    for body in bodies {
        let message = house.feedback(DEVICE, &action, body.to_vec()).await.error(400);
        assert!(!message.is_empty());
    }
    for body in [&b""[..], b"{", b"null", b"[]", b"{\"data\":", b"\xff"] {
        house
            .ask(Method::PUT, DEVICE, "/configData", &[], body.to_vec())
            .await
            .error(400);
    }
    let huge = vec![b' '; 256 * 1024 + 1];
    let message = house.feedback(DEVICE, &action, huge.clone()).await.error(413);
    assert!(message.contains("262144"), "{message}");
    house
        .ask(Method::PUT, DEVICE, "/configData", &[], huge)
        .await
        .error(413);
    assert_eq!(house.fleet().await, before, "nothing changes");
    assert_eq!(house.attributes(DEVICE).await["kept"], "yes");
    // A long story just below the limit is taken, and shortened where it is kept.
    let story = "x".repeat(200_000);
    assert_eq!(house.say(DEVICE, &action, "proceeding", "none", &[&story]).await, 200);
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["done"]).await, 200);
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::Completed,
        "nothing is lost"
    );
}

async fn a_report_that_breaks_off_before_its_result_is_not_taken_for_a_success_ddi_2_4(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let cut = format!("{{\"id\":\"{action}\",\"status\":{{\"execution\":\"closed\",\"res");
    house.feedback(DEVICE, &action, cut.into_bytes()).await.error(400);
    assert!(house.install(&action).await.is_started());
    assert_eq!(house.action(DEVICE).await, action);
}

async fn a_body_that_ends_before_its_length_changes_nothing_g5(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let before = house.fleet().await;
    let host = house.base.trim_start_matches("http://");
    let whole =
        json!({ "id": action, "status": { "execution": "closed", "result": { "finished": "failure" } } }).to_string();
    let request = format!(
        "POST /DEFAULT/controller/v1/{DEVICE}/deploymentBase/{action}/feedback HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{whole}",
        house.token(DEVICE),
        whole.len() + 10,
    );
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    stream.shutdown().await.expect("it ends early");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    house.tick().await;
    assert_eq!(house.fleet().await, before);
    assert_eq!(house.action(DEVICE).await, action);
}

fn download_link(work: &Value) -> String {
    let artifact = &work["deployment"]["chunks"][0]["artifacts"][0];
    artifact["_links"]["download-http"]["href"]
        .as_str()
        .unwrap_or_else(|| panic!("no artifact: {work}"))
        .to_owned()
}

fn sleep_of(poll: &Value) -> u32 {
    let text = poll["config"]["polling"]["sleep"].as_str().expect("a sleep");
    let parts: Vec<u32> = text.split(':').map(|part| part.parse().expect("a number")).collect();
    let [hours, minutes, seconds] = parts[..] else {
        panic!("{text} is not HH:MM:SS")
    };
    assert_eq!(text.len(), 8, "{text}");
    assert!(hours < 24 && minutes < 60 && seconds < 60, "{text}");
    hours * 3600 + minutes * 60 + seconds
}
