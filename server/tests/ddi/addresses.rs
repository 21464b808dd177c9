//! Addresses of devices: with a slash too many, unknown resources, wrong methods.

use reqwest::Method;
use serde_json::json;
use testkit::{Engine, House, both_engines};

use crate::DEVICE;

both_engines![
    a_base_address_with_a_slash_too_many_is_served_ddi_4,
    what_the_protocol_has_and_this_server_has_not_is_an_error_and_no_page_ddi_1,
];

async fn a_base_address_with_a_slash_too_many_is_served_ddi_4(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let ask = async |method: Method, path: String, body: Vec<u8>| {
        let address = format!("{}{path}", house.base);
        house.ask(method, DEVICE, &address, &[], body).await.status
    };
    let strays = [
        "//DEFAULT/controller/v1",
        "/DEFAULT//controller/v1",
        "/DEFAULT/controller//v1",
    ];
    for stray in strays {
        assert_eq!(
            ask(Method::GET, format!("{stray}/{DEVICE}"), Vec::new()).await,
            200,
            "{stray}"
        );
        assert_eq!(
            ask(Method::GET, format!("{stray}/{DEVICE}/"), Vec::new()).await,
            200,
            "{stray}"
        );
    }
    let facts = json!({ "data": { "kept": "yes" } }).to_string();
    let config = format!("/DEFAULT/controller/v1/{DEVICE}/configData/");
    assert_eq!(ask(Method::PUT, config, facts.into_bytes()).await, 200);
    assert_eq!(house.attributes(DEVICE).await["kept"], "yes");
    let action = house.action(DEVICE).await;
    let report = json!({ "id": action, "status": { "execution": "proceeding", "result": { "finished": "none" } } });
    let feedback = format!("//DEFAULT/controller/v1/{DEVICE}/deploymentBase/{action}/feedback");
    assert_eq!(ask(Method::POST, feedback, report.to_string().into_bytes()).await, 200);
    assert!(house.install(&action).await.is_started());
    // Without its token it is nobody there either.
    let address = format!("{}//DEFAULT/controller/v1/{DEVICE}", house.base);
    let nobody = house.ask_with("", Method::GET, DEVICE, &address, &[], Vec::new()).await;
    assert_eq!(nobody.status, 401);
}

async fn what_the_protocol_has_and_this_server_has_not_is_an_error_and_no_page_ddi_1(engine: Engine) {
    let house = House::new(engine).await;
    for rest in [
        "/softwaremodules",
        "/deploymentBase",
        "/confirmationBase/1/feedback",
        "/unknown/",
    ] {
        let message = house.get(DEVICE, rest).await.error(404);
        assert_eq!(message, "This resource does not exist", "{rest}");
    }
    for (method, rest) in [
        (Method::POST, ""),
        (Method::POST, "/configData"),
        (Method::GET, "/deploymentBase/1/feedback"),
        (Method::DELETE, "/deploymentBase/1"),
    ] {
        let message = house
            .ask(method.clone(), DEVICE, rest, &[], Vec::new())
            .await
            .error(405);
        assert_eq!(message, "this resource does not take this method", "{method} {rest}");
    }
}
