//! Who speaks (A4).

use domain::status::RoomStatus;
use reqwest::Method;
use serde_json::json;
use testkit::{Engine, House, Options, action_in, actor, both_engines};

use crate::{DEVICE, ROOM, download_link};

both_engines![
    whoever_has_no_right_token_gets_401_and_an_empty_body_a4,
    a_device_cannot_touch_another_ones_action_a4,
    the_gateway_token_acts_for_any_device_and_can_be_switched_off,
];

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
