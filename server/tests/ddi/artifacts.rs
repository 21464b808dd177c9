//! Artifacts: the chunk, its file, and the links to it.

use domain::status::RoomStatus;
use reqwest::Method;
use serde_json::json;
use testkit::{BAR, Engine, House, both_engines, content, link};

use crate::{DEVICE, ROOM, download_link};

both_engines![
    the_first_get_of_the_artifact_starts_a_device_and_a_look_does_not_ddi_2_2,
    a_deployment_has_one_chunk_with_one_artifact_all_hashes_and_both_links_ddi_2_6,
    an_artifact_has_head_a_length_and_ranges_and_ends_with_416_ddi_2_7,
    links_are_absolute_and_in_upper_case_whatever_the_tenant_is_called_ddi_2_8,
];

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
