//! The list of programs that a device sends (docs/devices.md 4), and the serial numbers that it tells.

use std::io::Write;

use domain::ids::RoomId;
use domain::readiness::{Check, CheckResult};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};
use service::read::readiness::CheckItem;
use service::read::rooms::DeviceItem;
use testkit::{Answer, BAR, Engine, House, actor, both_engines};

use crate::{DEVICE, ROOM};

both_engines![
    a_list_of_programs_is_kept_with_how_it_differs_from_the_one_before_and_says_what_software_is_additional_c1,
    a_list_that_breaks_a_limit_is_refused_by_name_and_nothing_is_stored_g5,
    the_limit_of_a_list_counts_after_unpacking_g5,
    serial_numbers_that_devices_tell_are_kept_s1,
];

const JSON: (&str, &str) = ("content-type", "application/json");

async fn put(house: &House, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let answer = house.ask(Method::PUT, DEVICE, "/inventory", headers, body).await;
    house.tick().await;
    answer
}

async fn list(house: &House, body: &Value) -> Answer {
    put(house, &[JSON], body.to_string().into_bytes()).await
}

async fn device(house: &House) -> DeviceItem {
    let room = house.room(ROOM).await.id;
    let mut snapshot = house.service.read_snapshot().await.expect("a snapshot");
    let room = snapshot.room(room).await.expect("a room");
    snapshot.devices_in(&room).await.expect("devices").remove(0)
}

async fn additional_software(house: &House, room: RoomId) -> CheckItem {
    let mut snapshot = house.service.read_snapshot().await.expect("a snapshot");
    let readiness = snapshot.readiness_of(room).await.expect("a room");
    let mut checks = readiness.checks.into_iter();
    checks
        .find(|item| item.check == Check::AdditionalSoftware)
        .expect("the check")
}

async fn a_list_of_programs_is_kept_with_how_it_differs_from_the_one_before_and_says_what_software_is_additional_c1(
    engine: Engine,
) {
    let house = House::new(engine).await;
    let room = house.room(ROOM).await.id;
    let told = house
        .config(DEVICE, &json!({ "data": { "os.name": "Windows 11" } }))
        .await;
    assert_eq!(told.status, 200);
    let taken_at = house.now().to_rfc3339();
    let first = list(
        &house,
        &json!({ "taken_at": taken_at, "agent": "newer than this program", "programs": [
            { "name": "Viewer, Free Edition", "version": "1.0", "publisher": "Contoso", "source": "msi" },
            { "name": "Microsoft Edge", "version": null }, { "name": "Viewer, Free Edition", "version": "1.0", "publisher": "Contoso", "source": "msi" },
        ] }),
    )
    .await;
    assert_eq!((first.status, first.text().as_str()), (200, ""));
    let programs = device(&house).await.programs.expect("a list");
    assert_eq!((programs.taken_at, programs.count), (house.now(), 2));
    assert_eq!(programs.changes, [], "the first list is no change");
    let check = additional_software(&house, room).await;
    assert_eq!(check.result, CheckResult::Warning);
    assert_eq!(
        check.to_review,
        ["Viewer, Free Edition"],
        "what belongs to the image does not count"
    );
    assert!(
        check.why.starts_with("inventory is a list of 2 programs, reported "),
        "{}",
        check.why
    );
    house
        .service
        .review_software(&actor(), "viewer, free edition".into())
        .await
        .expect("a review");
    house.later(10).await;
    let next = house.now().to_rfc3339();
    let next = json!({ "taken_at": next, "programs": [{ "name": "Viewer, Free Edition", "version": "1.1", "publisher": "Contoso", "source": "msi" }] });
    assert_eq!(list(&house, &next).await.status, 200);
    let late = json!({ "taken_at": taken_at, "programs": [{ "name": "Player" }] });
    assert_eq!(
        list(&house, &late).await.status,
        200,
        "it is answered, and changes nothing"
    );
    let programs = device(&house).await.programs.expect("a list");
    assert_eq!(programs.count, 1);
    let changes = programs.changes.iter().map(|(_, change)| {
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
        format!(
            "{}: {} to {}",
            change.name,
            version(&change.before),
            version(&change.after)
        )
    });
    let mut changes: Vec<String> = changes.collect();
    changes.sort();
    assert_eq!(
        changes,
        ["Microsoft Edge:  to none", "Viewer, Free Edition: 1.0 to 1.1"]
    );
    assert_eq!(
        additional_software(&house, room).await.result,
        CheckResult::Pass,
        "it is reviewed"
    );
    let file = house
        .admin()
        .await
        .get(&format!("/devices/{}/programs.csv", device(&house).await.id))
        .await;
    assert_eq!(file.status, 200, "{file:?}");
    assert!(
        file.text
            .starts_with("name,version,publisher,source,taken_at\n\"Viewer, Free Edition\",1.1,Contoso,msi,20"),
        "{}",
        file.text
    );
}

async fn a_list_that_breaks_a_limit_is_refused_by_name_and_nothing_is_stored_g5(engine: Engine) {
    let house = House::new(engine).await;
    let at = "2025-03-03T12:00:00Z";
    for (body, says) in [
        (json!({ "programs": [] }), "taken_at is missing"),
        (
            json!({ "taken_at": "2025-03-03T12:00:00", "programs": [] }),
            "a time with an offset",
        ),
        (json!({ "taken_at": at }), "programs is missing"),
        (
            json!({ "taken_at": at, "programs": [{ "name": "A" }, { "version": "1" }] }),
            "programs[1].name is missing",
        ),
        (
            json!({ "taken_at": at, "programs": [{ "name": "A", "version": 5 }] }),
            "programs[0].version must be a text",
        ),
        (
            json!({ "taken_at": at, "programs": ["A"] }),
            "programs[0] must be an object",
        ),
        (
            json!({ "taken_at": at, "programs": [{ "name": "A".repeat(257) }] }),
            "programs[0].name is too long",
        ),
    ] {
        let refused = list(&house, &body).await.error(400);
        assert!(refused.contains(says), "{refused}");
    }
    let many: Vec<Value> = (0..5_001).map(|number| json!({ "name": number.to_string() })).collect();
    let refused = list(&house, &json!({ "taken_at": at, "programs": many }))
        .await
        .error(400);
    assert!(refused.contains("at most 5000"), "{refused}");
    assert_eq!(device(&house).await.programs, None, "nothing of it is kept");
    let nobody = house
        .ask_with(
            "TargetToken wrong",
            Method::PUT,
            DEVICE,
            "/inventory",
            &[JSON],
            b"{}".to_vec(),
        )
        .await;
    assert_eq!(nobody.status, 401);
}

async fn the_limit_of_a_list_counts_after_unpacking_g5(engine: Engine) {
    let house = House::new(engine).await;
    let packed = |programs: usize| {
        let programs: Vec<Value> = (0..programs)
            .map(|number| json!({ "name": format!("Program {number}"), "publisher": "Contoso ".repeat(10) }))
            .collect();
        let text = json!({ "taken_at": "2025-03-03T12:00:00Z", "programs": programs }).to_string();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).expect("memory");
        (text.len(), encoder.finish().expect("memory"))
    };
    let headers = [JSON, ("content-encoding", "gzip")];
    let (size, body) = packed(2_000);
    assert!(size < 256 * 1024 && body.len() < size / 4, "{size}");
    let taken = put(&house, &headers, body).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(device(&house).await.programs.expect("a list").count, 2_000);
    let (size, body) = packed(3_000);
    assert!(size > 256 * 1024 && body.len() < 256 * 1024, "{size}");
    assert!(put(&house, &headers, body).await.error(413).contains("262144 bytes"));
    let no_gzip = put(&house, &headers, b"{}".to_vec()).await.error(400);
    assert!(no_gzip.contains("packed"), "{no_gzip}");
}

async fn serial_numbers_that_devices_tell_are_kept_s1(engine: Engine) {
    let house = House::new(engine).await;
    let report = json!({ "data": { "device.serial": " SN-42 ", "component.1.product": BAR, "component.1.version": "1.0",
        "component.1.serial": "C-7" } });
    assert_eq!(house.config(DEVICE, &report).await.status, 200);
    let found = device(&house).await;
    assert_eq!(
        (found.serial.as_str(), found.components[0].serial.as_str()),
        ("SN-42", "C-7")
    );
    let report = json!({ "data": { "device.serial": "", "component.1.product": BAR, "component.1.version": "1.1" } });
    assert_eq!(house.config(DEVICE, &report).await.status, 200);
    let found = device(&house).await;
    assert_eq!(found.serial, "SN-42", "an empty one takes nothing away");
    assert_eq!(found.components[0].serial, "C-7");
}
