//! Broken bodies (G5).

use domain::install::InstallState;
use domain::status::RoomStatus;
use reqwest::Method;
use serde_json::json;
use testkit::{Engine, House, both_engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{DEVICE, ROOM};

both_engines![
    broken_and_huge_bodies_get_an_error_and_nothing_is_lost_g5,
    a_report_that_breaks_off_before_its_result_is_not_taken_for_a_success_ddi_2_4,
    a_body_that_ends_before_its_length_changes_nothing_g5,
    a_close_whose_result_cannot_be_read_is_doubtful_and_the_inventory_decides_ddi_2_12,
    a_close_with_a_log_of_any_length_counts_and_keeps_the_errors_and_the_end_ddi_2_4,
];

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
        b"{\"status\":{\"execution\":\"proceeding\",\"result\":{\"finished\":\"perhaps\"}}}",
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
    let endless = vec![b' '; 16 * 1024 * 1024 + 1];
    let message = house.feedback(DEVICE, &action, endless).await.error(413);
    assert!(message.contains("16777216"), "{message}");
    let huge = vec![b' '; 256 * 1024 + 1];
    let message = house
        .ask(Method::PUT, DEVICE, "/configData", &[], huge)
        .await
        .error(413);
    assert!(message.contains("262144"), "{message}");
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

async fn a_close_whose_result_cannot_be_read_is_doubtful_and_the_inventory_decides_ddi_2_12(engine: Engine) {
    let unreadable = [
        json!({ "execution": "closed", "result": "failure", "details": ["flash failed"] }),
        json!({ "execution": "closed", "code": 500, "details": ["flash failed"] }),
        json!({ "execution": "closed", "result": { "finished": false }, "details": ["flash failed"] }),
        json!({ "execution": "closed", "result": { "finished": "perhaps" } }),
    ];
    for status in unreadable {
        let house = House::new(engine).await;
        let update = house.publish("2.0").await;
        house.enter_window(DEVICE).await;
        let action = house.start(DEVICE).await;
        let body = json!({ "id": action, "status": status }).to_string();
        assert_eq!(
            house.feedback(DEVICE, &action, body.into_bytes()).await.status,
            200,
            "{status}"
        );
        house.tick().await;
        let state = house.install(&action).await.state;
        assert!(
            matches!(state, InstallState::Installed { doubtful: true, .. }),
            "{status}: {state:?}"
        );
        assert_eq!(house.status(ROOM, update).await, RoomStatus::InProgress, "{status}");
        house.report_version(DEVICE, "2.0").await;
        assert_eq!(house.status(ROOM, update).await, RoomStatus::Completed, "{status}");
    }
}

async fn a_close_with_a_log_of_any_length_counts_and_keeps_the_errors_and_the_end_ddi_2_4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let mut lines: Vec<String> = (0..12_000)
        .map(|line| format!("line {line} of what the installer did"))
        .collect();
    lines.insert(100, "ERROR: no space left".to_owned());
    // The result comes before the log with some clients and behind it with others.
    let log = serde_json::to_string(&lines).expect("JSON");
    let body = format!(
        r#"{{"id":"{action}","status":{{"execution":"closed","details":{log},"result":{{"finished":"failure"}}}}}}"#
    );
    assert!(body.len() > 300 * 1024);
    assert_eq!(house.feedback(DEVICE, &action, body.into_bytes()).await.status, 200);
    house.tick().await;
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Failed);
    let why = house.reason(ROOM, update).await;
    assert!(why.contains("ERROR: no space left"), "{why}");
    let again = house.say(DEVICE, &action, "closed", "failure", &["once more"]).await;
    assert_eq!(again, 410, "it has ended");
}
