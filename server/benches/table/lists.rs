//! What the server needs for a page, with 100 rooms and with 100,000, and 30 updates on their way (P8).

use std::collections::BTreeMap;
use std::time::Duration;

use service::clock::Stopwatch;
use service::store::Engine;

use crate::estate::Estate;
use crate::house::House;
use crate::{Line, Wanted, say};

/// Of how many answers the slowest hundredth is left out.
const ANSWERS: usize = 300;

/// Every list, on both engines.
pub async fn pages() -> Vec<Line> {
    let mut lines = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut few = BTreeMap::new();
        for rooms in [100, 100_000] {
            say(&format!("lists with {rooms} rooms on {engine:?}"));
            let estate = Estate::lived_in(engine, rooms).await;
            let house = House::new(&estate).await;
            for (name, address) in house.lists(&estate).await {
                let millis = slowest_of_ordinary(&house, &address).await.as_secs_f64() * 1e3;
                let Some(before) = few.get(name) else {
                    few.insert(name, millis);
                    continue;
                };
                lines.push(Line {
                    what: format!("{name}, 100,000 rooms, {engine:?}, p99"),
                    measured: format!("{millis:.1} ms"),
                    compared: format!("100 rooms: {before:.1} ms"),
                    ratio: Some((millis / before, Wanted::AtMost(1.5))),
                });
            }
        }
    }
    lines
}

/// The time in which all but the slowest hundredth were answered.
async fn slowest_of_ordinary(house: &House, address: &str) -> Duration {
    for _ in 0..20 {
        house.get(address).await;
    }
    let mut times = Vec::with_capacity(ANSWERS);
    for _ in 0..ANSWERS {
        let started = Stopwatch::start();
        house.get(address).await;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[ANSWERS - 1 - ANSWERS / 100]
}
