//! What the nightly readiness checks cost beside one pass over the rows that they go by (C5).

use chrono::TimeDelta;
use service::clock::Stopwatch;
use store::Engine;
use testkit::facts;

use crate::estate::{Estate, monday};
use crate::{Line, Wanted, median, say};

const ROOMS: u32 = 100_000;
/// Rooms in one transaction, as in the service.
const BATCH: usize = 500;
const NIGHTS: u32 = 3;

/// The checks of all rooms, a day after the day before, on both engines.
pub async fn nightly() -> Vec<Line> {
    let mut lines = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        say(&format!("nightly checks of {ROOMS} rooms on {engine:?}"));
        let estate = Estate::new(engine, ROOMS).await;
        tell(&estate).await;
        // The first checks write every result.
        estate.service.tick().await.expect("a tick");
        let (mut own, mut pass) = (Vec::new(), Vec::new());
        for night in 1..=NIGHTS {
            let due = monday() + TimeDelta::days(night.into());
            // What else is due by then is done before.
            estate.service.clock().advance_to(due - TimeDelta::seconds(1));
            estate.service.tick().await.expect("a tick");
            pass.push(read_all(&estate, due).await);
            estate.service.clock().advance_to(due);
            let started = Stopwatch::start();
            estate.service.tick().await.expect("a tick");
            own.push(started.elapsed().as_secs_f64());
        }
        let (own, pass) = (median(own), median(pass));
        lines.push(Line {
            what: format!("nightly checks of {ROOMS} rooms, {engine:?}"),
            measured: format!("{own:.1} s"),
            compared: format!("reading the same rows: {pass:.1} s"),
            ratio: Some((own / pass, Wanted::AtMost(3.0))),
        });
    }
    lines
}

/// Facts of a day to come: they grow old in no night that is measured.
async fn tell(estate: &Estate) {
    let told_at = (monday() + TimeDelta::days(i64::from(NIGHTS))).timestamp_micros();
    let attributes: serde_json::Map<_, _> = facts::FINE
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    let times: serde_json::Map<_, _> = facts::FINE
        .iter()
        .map(|(name, _)| ((*name).to_owned(), told_at.into()))
        .collect();
    let (attributes, times) = (serde_json::Value::from(attributes), serde_json::Value::from(times));
    let told = estate
        .execute(&format!(
            "UPDATE devices SET attributes = '{attributes}', told_at = '{times}'"
        ))
        .await;
    assert_eq!(told, u64::from(ROOMS));
    estate.execute("ANALYZE").await;
}

/// Reads what the checks that are due by then go by, and nothing else: seconds.
async fn read_all(estate: &Estate, due: chrono::DateTime<chrono::Utc>) -> f64 {
    let mut tx = estate.service.store().begin().await.expect("a transaction");
    let rooms = tx.rooms_to_check(due, ROOMS.into()).await.expect("rooms");
    tx.roll_back().await.expect("nothing has changed");
    assert_eq!(rooms.len(), usize::try_from(ROOMS).expect("a number"), "all are due");
    let started = Stopwatch::start();
    for batch in rooms.chunks(BATCH) {
        let mut tx = estate.service.store().read().await.expect("a snapshot");
        let found = tx.checked_facts(batch).await.expect("rooms");
        assert_eq!(found.len(), batch.len());
    }
    started.elapsed().as_secs_f64()
}
