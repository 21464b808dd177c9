//! What devices report about an action, and what becomes of the room.

use chrono::TimeDelta;
use domain::conversation::feedback::{Execution, Finished};
use domain::deployment::{DeploymentState, Failure};
use domain::install::InstallState;
use domain::room::VersionSource;
use domain::status::RoomStatus;
use domain::ticket::TicketStatus;
use serde_json::{Value, json};
use service::read::rooms::RoomEvent;
use testkit::{Engine, House, MUTE, Options, action_in, actor, both_engines, content, link};

use crate::{DEVICE, ROOM};

both_engines![
    a_device_that_objects_is_there_and_people_read_its_words_w5_t5,
    posts_and_puts_are_answered_with_exactly_200_and_nothing_else_ddi_2_3,
    a_failure_report_that_is_no_json_ends_as_failed_with_its_ticket_ddi_2_4,
    a_raw_line_break_in_the_details_does_not_hide_a_failure_ddi_2_4,
    a_success_report_of_swupdate_is_taken_ddi_2_4,
    a_second_close_is_gone_and_changes_nothing_but_the_history_ddi_2_11,
    a_silent_device_has_failed_but_its_late_report_is_taken_and_heals_ddi_2_11_w5,
    a_retry_of_a_silent_device_waits_for_its_action_to_close_ddi_2_11_k4,
    a_success_out_of_nothing_is_doubtful_and_the_inventory_decides_ddi_2_12,
    a_skipped_update_is_no_success_ddi_2_12,
    a_device_that_is_busy_has_not_failed_and_gets_its_next_window_s17,
    a_room_is_completed_only_when_the_inventory_says_so_ddi_2_13,
    an_install_that_the_inventory_never_shows_has_failed_as_unconfirmed_ddi_2_13,
    a_device_that_never_reports_versions_is_believed_and_its_version_is_set_ddi_2_13,
    a_product_without_versions_is_completed_by_the_close_alone_ddi_2_13,
];

const FAILURE: &[u8] = include_bytes!("../captures/swupdate_failure.txt");
const SUCCESS: &[u8] = include_bytes!("../captures/swupdate_success.txt");

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
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketStatus::NeedsAction), "K1");
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
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketStatus::NeedsAction));
    assert_eq!(house.action(DEVICE).await, action, "silence does not end the action");
    house.later(600).await;
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["at last"]).await, 200);
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
    assert_eq!(
        house.ticket(ROOM, update).await,
        Some(TicketStatus::Resolved),
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
    house.report_version(DEVICE, "1.0").await;
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
    house.report_version(DEVICE, "1.0").await;
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
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketStatus::NeedsAction));
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

async fn a_device_that_objects_is_there_and_people_read_its_words_w5_t5(engine: Engine) {
    for execution in ["canceled", "rejected"] {
        let house = House::new(engine).await;
        let update = house.publish("2.0").await;
        let (opens, _) = house.enter_window(DEVICE).await;
        let action = house.start(DEVICE).await;
        for minutes in (12..=75).step_by(3) {
            house.at(opens + TimeDelta::minutes(minutes)).await;
            let status = house
                .say(DEVICE, &action, execution, "failure", &["user pressed stop"])
                .await;
            assert_eq!(status, 200);
        }
        assert_eq!(house.action(DEVICE).await, action, "its link stays");
        let reason = house.reason(ROOM, update).await;
        assert_eq!(reason, "Installing 2.0; the device objects: user pressed stop.");
        assert_eq!(
            house.status(ROOM, update).await,
            RoomStatus::InProgress,
            "{execution}: it is not silent"
        );
        house.say(DEVICE, &action, "proceeding", "none", &["on it"]).await;
        assert_eq!(house.reason(ROOM, update).await, "Installing 2.0.");
        house.say(DEVICE, &action, "closed", "failure", &["no battery"]).await;
        assert_eq!(
            house
                .say(DEVICE, &action, "closed", "success", &["done after all"])
                .await,
            410
        );
        // The room's history has what it said, newest first.
        let mut snapshot = house.service.read_snapshot().await.expect("a snapshot");
        let room = snapshot.room(house.room(ROOM).await.id).await.expect("the room");
        let history = snapshot.history_of_room(&room).await.expect("its history");
        let said: Vec<(Execution, Finished, String, bool)> = history
            .into_iter()
            .filter_map(|item| match item.event {
                RoomEvent::Message {
                    execution,
                    finished,
                    words,
                    counts,
                    ..
                } => Some((execution, finished, words, counts)),
                RoomEvent::Update { .. } | RoomEvent::Change { .. } | RoomEvent::ExternalChange { .. } => None,
            })
            .collect();
        let first = |number: usize| (said[number].0, said[number].1, said[number].2.as_str(), said[number].3);
        assert_eq!(
            first(0),
            (Execution::Closed, Finished::Success, "done after all", false)
        );
        assert_eq!(first(1), (Execution::Closed, Finished::Failure, "no battery", true));
        assert_eq!(first(2), (Execution::Proceeding, Finished::None, "on it", true));
        assert_eq!(first(3).2, "user pressed stop");
        assert_eq!(said.len(), 3 + 22 + 1);
    }
}

async fn a_device_that_never_reports_versions_is_believed_and_its_version_is_set_ddi_2_13(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    // It answers what it is asked for, and cannot name its components.
    let facts = json!({ "data": { "serial": "A7" } });
    assert_eq!(house.config(DEVICE, &facts).await.status, 200);
    let action = house.start(DEVICE).await;
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["done"]).await, 200);
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed);
    let (fleet, id) = (house.fleet().await, house.device_id(DEVICE).await);
    let device = fleet
        .rooms
        .values()
        .flat_map(|room| &room.devices)
        .find(|device| device.id == id);
    let versions: Vec<_> = device
        .expect("the device")
        .components
        .iter()
        .map(|one| (one.version.as_deref(), one.source))
        .collect();
    assert_eq!(
        versions,
        [(Some("2.0"), VersionSource::Imported)],
        "until it names another one"
    );
    assert_eq!(domain::check::check(&fleet), []);
}

async fn a_device_that_is_busy_has_not_failed_and_gets_its_next_window_s17(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let refusal = json!({ "id": action, "status": { "execution": "closed", "result": { "finished": "failure" }, "details": ["refused:busy", "A call is running."] } });
    let answer = house.feedback(DEVICE, &action, refusal.to_string().into_bytes()).await;
    assert_eq!(answer.status, 200);
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Scheduled);
    let fleet = house.fleet().await;
    let deployment = fleet
        .deployments
        .values()
        .find(|deployment| deployment.update == update && deployment.refusals == 1);
    assert_eq!(
        deployment.expect("it was refused").reason.sentence(),
        "A device did not take it: somebody was using it. The room waits for its next window."
    );
    assert!(fleet.tickets.is_empty(), "nobody must look");
}
