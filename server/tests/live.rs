//! Open pages hear of changes (SPEC P9), wherever they were made, as long as their session lasts.

use std::time::Duration;

use domain::access::Role;
use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::Method;
use service::people::Origin;
use testkit::visitor::Visitor;
use testkit::{ADMIN, Engine, House, PASSWORD, actor, both_engines};

both_engines!(
    an_open_page_hears_of_a_change_within_two_seconds_p9,
    an_open_page_hears_of_a_reported_version_p9,
    an_open_page_hears_of_the_first_contact_of_a_device_p12,
    an_open_page_hears_of_signals_of_components_that_are_gone_and_of_silence_i4_p9,
    a_stream_ends_with_its_session_p9_a1,
);

/// What a page hears.
struct Stream(BoxStream<'static, reqwest::Result<bytes::Bytes>>);

impl Stream {
    async fn of(visitor: &Visitor) -> Self {
        let answer = visitor.request(Method::GET, "/events").send().await.expect("a stream");
        assert_eq!(answer.status(), 200);
        // The revision that changes are seen against is read right after that.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        Self(answer.bytes_stream().boxed())
    }

    /// Waits until nothing changes any more: a room that is in contact again is healthy some seconds later.
    async fn is_quiet(&mut self) {
        while self.hears(Duration::from_millis(6500)).await == Some(true) {}
    }

    /// Whether a change is heard of before the time is over; `None`: the stream has ended.
    async fn hears(&mut self, within: Duration) -> Option<bool> {
        let heard = async {
            loop {
                let bytes = self.0.next().await?;
                let text = String::from_utf8_lossy(&bytes.expect("bytes")).into_owned();
                if text.contains("event: changed") {
                    return Some(true);
                }
            }
        };
        tokio::time::timeout(within, heard).await.unwrap_or(Some(false))
    }
}

async fn an_open_page_hears_of_a_change_within_two_seconds_p9(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    // On Postgres at another server than the one that makes the change.
    let base = match engine {
        Engine::Postgres => house.another().await,
        Engine::Sqlite => house.base.clone(),
    };
    let mut stream = Stream::of(&admin.at(&base)).await;
    assert_eq!(
        stream.hears(Duration::from_millis(1500)).await,
        Some(false),
        "nothing has changed"
    );
    house.publish("2.0").await;
    assert_eq!(stream.hears(Duration::from_secs(2)).await, Some(true), "a publication");
    house.enter_window("lab-1").await;
    let action = house.start("lab-1").await;
    // Hours have passed: the session is over.
    let again = house.service.sign_in(ADMIN.into(), PASSWORD, &Origin::default()).await;
    let again = Visitor::with_session(&base, &again.expect("a session").token);
    let mut stream = Stream::of(&again).await;
    stream.is_quiet().await;
    house
        .feedback(
            "lab-1",
            &action,
            br#"{"status":{"execution":"closed","result":{"finished":"failure"}}}"#.to_vec(),
        )
        .await;
    // What follows from it is the tick's.
    house.service.tick().await.expect("a tick");
    assert_eq!(
        stream.hears(Duration::from_secs(2)).await,
        Some(true),
        "a device's report"
    );
}

async fn an_open_page_hears_of_a_reported_version_p9(engine: Engine) {
    let house = House::new(engine).await;
    let mut stream = Stream::of(&house.admin().await).await;
    // No rollout is there, and nobody does anything: no other row follows from it.
    house.later(1).await;
    house.report_version("lab-1", "1.7").await;
    assert_eq!(stream.hears(Duration::from_secs(2)).await, Some(true), "a new version");
    stream.is_quiet().await;
    house.later(1).await;
    house.report_version("lab-1", "1.7").await;
    assert_eq!(
        stream.hears(Duration::from_millis(2500)).await,
        Some(false),
        "the same version again"
    );
}

async fn an_open_page_hears_of_the_first_contact_of_a_device_p12(engine: Engine) {
    let house = House::new(engine).await;
    let room = house.room("Lab").await.id;
    let contact = async || {
        let mut snapshot = house.service.read_snapshot().await.expect("a snapshot");
        let room = snapshot.room(room).await.expect("a room");
        snapshot.devices_in(&room).await.expect("devices")[0].last_contact
    };
    let mut stream = Stream::of(&house.admin().await).await;
    assert_eq!(contact().await, None);
    house.later(1).await;
    house.poll("lab-1").await;
    assert_eq!(stream.hears(Duration::from_secs(2)).await, Some(true), "the first poll");
    assert_eq!(contact().await, Some(house.now()));
    stream.is_quiet().await;
    house.later(1).await;
    house.poll("lab-1").await;
    assert_eq!(
        stream.hears(Duration::from_millis(2500)).await,
        Some(false),
        "a later poll"
    );
    // A new token is a new beginning: whoever sets the device up waits for it.
    let token = house.service.enrol_device(&actor(), "lab-1").await.expect("a token");
    stream.is_quiet().await;
    house.later(1).await;
    let authorization = format!("TargetToken {token}");
    let poll = house
        .ask_with(&authorization, Method::GET, "lab-1", "", &[], Vec::new())
        .await;
    assert_eq!(poll.status, 200);
    assert_eq!(
        stream.hears(Duration::from_secs(2)).await,
        Some(true),
        "the first poll with a new token"
    );
}

async fn an_open_page_hears_of_signals_of_components_that_are_gone_and_of_silence_i4_p9(engine: Engine) {
    let house = House::new(engine).await;
    let mut stream = Stream::of(&house.admin().await).await;
    let mut told = async |data: serde_json::Value| {
        stream.is_quiet().await;
        house.later(1).await;
        assert_eq!(
            house.config("lab-1", &serde_json::json!({ "data": data })).await.status,
            200
        );
        stream.hears(Duration::from_secs(2)).await
    };
    let bad = serde_json::json!({ "signal.camera": "bad: no picture" });
    assert_eq!(told(bad.clone()).await, Some(true), "a signal that is bad");
    assert_eq!(told(bad).await, Some(false), "it is bad still");
    let busy = serde_json::json!({ "room.state": "busy" });
    assert_eq!(told(busy).await, Some(false), "people come and go");
    let well = serde_json::json!({ "signal.camera": "ok" });
    assert_eq!(told(well).await, Some(true), "a signal that is well again");
    // Time alone makes rooms unmonitored.
    stream.is_quiet().await;
    house.later(31).await;
    assert_eq!(
        stream.hears(Duration::from_secs(8)).await,
        Some(true),
        "rooms out of contact"
    );
}

async fn a_stream_ends_with_its_session_p9_a1(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    let bo = house.person("bo@example.com", Role::Helpdesk).await;
    let mut stream = Stream::of(&bo).await;
    house
        .service
        .set_role(&actor(), "bo@example.com".into(), Role::Auditor)
        .await
        .expect("another role");
    // The change itself is what the stream hears of, and asks whether it may go on.
    assert_eq!(stream.hears(Duration::from_secs(3)).await, None, "it has ended");
    let again = house
        .service
        .sign_in("bo@example.com".into(), PASSWORD, &Origin::default())
        .await;
    let again = Visitor::with_session(&house.base, &again.expect("a session").token);
    let goes_on = Stream::of(&again).await.hears(Duration::from_millis(100)).await;
    assert!(goes_on.is_some(), "a new session, a new stream");
}
