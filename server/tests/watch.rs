//! What watches over the program: `/livez`, `/readyz`, `/metrics` (G4).

use std::collections::BTreeMap;

use testkit::{Engine, House, both_engines, client};

both_engines![
    a_server_is_live_and_is_ready_while_its_database_answers_g4,
    what_devices_do_shows_in_the_numbers_g4,
    methods_that_strangers_invent_are_one_series_g4,
];

const DEVICE: &str = "lab-1";

async fn get(house: &House, path: &str) -> (u16, String) {
    let answer = client()
        .get(format!("{}{path}", house.base))
        .send()
        .await
        .expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// The numbers by name and labels.
async fn numbers(house: &House) -> BTreeMap<String, f64> {
    let (status, text) = get(house, "/metrics").await;
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let number = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a number");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(number).collect()
}

async fn a_server_is_live_and_is_ready_while_its_database_answers_g4(engine: Engine) {
    let house = House::new(engine).await;
    assert_eq!(get(&house, "/livez").await, (200, "ok".to_owned()));
    assert_eq!(get(&house, "/readyz").await, (200, "ready".to_owned()));
    house.service.store().close().await;
    assert_eq!(
        get(&house, "/livez").await,
        (200, "ok".to_owned()),
        "a restart would not bring the database back"
    );
    assert_eq!(
        get(&house, "/readyz").await,
        (503, "the database does not answer".to_owned())
    );
}

async fn what_devices_do_shows_in_the_numbers_g4(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let before = numbers(&house).await;
    let rose = |after: &BTreeMap<String, f64>, name: &str| {
        after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0)
    };
    house.poll(DEVICE).await;
    house.poll(DEVICE).await;
    let action = house.start(DEVICE).await;
    assert_eq!(
        house.say(DEVICE, &action, "closed", "failure", &["no space"]).await,
        200
    );
    assert_eq!(
        house.say(DEVICE, &action, "closed", "failure", &["no space"]).await,
        410
    );
    let after = numbers(&house).await;
    // Requests are counted for all servers of this process, what devices did for each service.
    assert!(
        (rose(&after, "nightshift_device_polls_total") - 3.0).abs() < 0.1,
        "{after:?}"
    );
    for (outcome, number) in [("changed", 2.0), ("ended", 1.0)] {
        let name = format!("nightshift_device_reports_total{{outcome=\"{outcome}\"}}");
        assert!((rose(&after, &name) - number).abs() < 0.1, "{outcome}: {after:?}");
    }
    assert!(rose(&after, "nightshift_ticks_total") >= 3.0, "{after:?}");
    assert!(rose(&after, "nightshift_tick_rounds_total") >= 2.0, "{after:?}");
    let polled = after.keys().find(|name| {
        name.starts_with("nightshift_http_requests_total")
            && name.contains("method=\"GET\"")
            && name.contains("{controller}\"")
    });
    assert!(polled.is_some(), "{after:?}");
    assert!(
        after
            .keys()
            .any(|name| name.starts_with("nightshift_http_request_seconds_bucket")),
        "{after:?}"
    );
    assert!(
        after.keys().all(|name| !name.contains(DEVICE)),
        "a series for each device would be too many"
    );
}

async fn methods_that_strangers_invent_are_one_series_g4(engine: Engine) {
    let house = House::new(engine).await;
    let ask = async |method: String| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a token");
        let answer = client().request(method, format!("{}/livez", house.base)).send().await;
        assert_eq!(answer.expect("an answer").status().as_u16(), 405);
    };
    ask("INVENTED".to_owned()).await;
    let before = numbers(&house).await;
    for number in 0..1000 {
        ask(format!("INVENTED{number}")).await;
    }
    let after = numbers(&house).await;
    assert!(
        after.keys().all(|name| !name.contains("INVENTED")),
        "a name of a stranger's"
    );
    let other = |numbers: &BTreeMap<String, f64>| {
        let series = numbers
            .iter()
            .filter(|(name, _)| name.contains("method=\"other\"") && name.contains("/livez"));
        series.map(|(_, number)| *number).collect::<Vec<f64>>()
    };
    assert_eq!((other(&before).len(), other(&after).len()), (1, 1), "one series");
    assert!(other(&after)[0] - other(&before)[0] >= 999.5, "{:?}", other(&after));
}
