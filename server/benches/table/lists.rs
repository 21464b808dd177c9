//! What the server needs for a page, with 100 rooms and with 100,000, and 30 updates on their way (P8).
//!
//! Both estates stand side by side and answer in turn, so that whatever else the machine does meets both alike.

use service::clock::Stopwatch;
use store::Engine;

use crate::estate::Estate;
use crate::house::House;
use crate::{Line, Wanted, say};

/// Of how many answers of each estate the slowest hundredth is left out. With fewer, a handful of answers that something else on the
/// machine has slowed decides over it.
const ANSWERS: usize = 2_000;
/// Answers before those that count.
const WARM_UP: usize = 20;

/// Every list, on both engines.
pub async fn pages() -> Vec<Line> {
    let mut lines = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        say(&format!("lists with 100 rooms and with 100,000 on {engine:?}"));
        let small = Listed::new(engine, 100).await;
        let large = Listed::new(engine, 100_000).await;
        for ((name, few), (_, many)) in small.lists.iter().zip(&large.lists) {
            let [before, after] = answer_times([(&small.house, few), (&large.house, many)]).await;
            lines.push(Line {
                what: format!("{name}, 100,000 rooms, {engine:?}, p99"),
                measured: format!("{:.1} ms, half in {:.2} ms", after.p99, after.median),
                compared: format!("100 rooms: {:.1} ms, half in {:.2} ms", before.p99, before.median),
                ratio: Some((after.p99 / before.p99, Wanted::AtMost(1.5))),
            });
        }
    }
    lines
}

/// An estate, its pages and their addresses.
struct Listed {
    house: House,
    lists: Vec<(&'static str, String)>,
    /// Its database goes with it.
    _estate: Estate,
}

impl Listed {
    async fn new(engine: Engine, rooms: u32) -> Self {
        let estate = Estate::lived_in(engine, rooms).await;
        let house = House::new(&estate).await;
        let lists = house.lists(&estate).await;
        Self {
            house,
            lists,
            _estate: estate,
        }
    }
}

/// How long a page takes to answer, in milliseconds.
struct AnswerTimes {
    /// Half of its answers came in so long.
    median: f64,
    /// All but the slowest hundredth.
    p99: f64,
}

/// Two pages, which answer in turn.
async fn answer_times(pages: [(&House, &String); 2]) -> [AnswerTimes; 2] {
    let mut times = pages.map(|_| Vec::with_capacity(WARM_UP + ANSWERS));
    for turn in 0..WARM_UP + ANSWERS {
        // Now the one begins, now the other.
        for which in [turn % 2, (turn + 1) % 2] {
            let (house, address) = pages[which];
            let started = Stopwatch::start();
            house.get(address).await;
            times[which].push(started.elapsed());
        }
    }
    times.map(|mut times| {
        let counted = &mut times[WARM_UP..];
        counted.sort_unstable();
        let millis = |place: usize| counted[place].as_secs_f64() * 1e3;
        AnswerTimes {
            median: millis(ANSWERS / 2),
            p99: millis(ANSWERS - 1 - ANSWERS / 100),
        }
    })
}
