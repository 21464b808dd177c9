//! What the tick costs, on both engines.

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::offer::Offer;
use domain::ids::ActionId;
use domain::settings::Settings;
use futures::StreamExt;
use service::clock::Stopwatch;
use service::devices::Credentials;
use store::{Caller, Engine};

use crate::estate::{Estate, GATEWAY};
use crate::load::number;
use crate::{Line, Wanted, median, say};

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// A tick that finds nothing due, in estates of three sizes.
pub async fn idle_ticks() -> Vec<Line> {
    let mut lines = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut smallest = None;
        for rooms in [100, 100_000, 1_000_000] {
            say(&format!("idle ticks with {rooms} rooms on {engine:?}"));
            let estate = Estate::new(engine, rooms).await;
            estate.publish().await;
            estate.tick_until(instant("2025-03-04T12:00:00Z")).await;
            let mut micros = Vec::new();
            for _ in 0..500 {
                let started = Stopwatch::start();
                estate.service.tick().await.expect("a tick");
                micros.push(started.elapsed().as_secs_f64() * 1e6);
            }
            let middle = median(micros);
            let Some(first) = smallest else {
                smallest = Some(middle);
                continue;
            };
            lines.push(Line {
                what: format!("idle tick, {rooms} rooms, {engine:?}"),
                measured: format!("{middle:.0} µs"),
                compared: format!("100 rooms: {first:.0} µs"),
                ratio: Some((middle / first, Wanted::AtMost(1.2))),
            });
        }
    }
    lines
}

/// 100,000 applicable rooms get their nights.
pub async fn entering_a_ring() -> Vec<Line> {
    let mut lines = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        say(&format!("entering a ring of 100,000 rooms on {engine:?}"));
        let begins = instant("2025-03-10T00:00:00Z");
        let (mut own, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            // The first night's rooms are prepared later, so that only the entry itself is measured.
            let window_opens = chrono::NaiveTime::from_hms_opt(3, 0, 0).expect("a time");
            let settings = Settings {
                window_opens,
                window_minutes: 120,
                ..Settings::default()
            };
            let estate = Estate::with(engine, 100_000, settings).await;
            estate.publish().await;
            estate.tick_until(begins - TimeDelta::hours(1)).await;
            let new_id = if engine == Engine::Sqlite {
                "randomblob(16)"
            } else {
                "gen_random_uuid()"
            };
            let insert = format!(
                "INSERT INTO deployments (id, update_id, room_id, ring_id, night, planned_night, state, progress, attempt, missed_windows,
                    crowded_windows, catch_up, from_version, reason, next_at, room_key)
                SELECT {new_id}, u.id, r.id, r.ring_id, '2025-03-11', '2025-03-11', 'waiting', 'not_started', 1, 0, 0, false, '1.0',
                    'Night 1 of 10 in General.', 1, r.name_key
                FROM rooms r, rollouts o JOIN updates u ON u.id = o.update_id"
            );
            let started = Stopwatch::start();
            assert_eq!(estate.execute(&insert).await, 100_000);
            bare.push(started.elapsed().as_secs_f64());
            estate.execute("DELETE FROM deployments").await;
            estate.execute("ANALYZE").await;
            estate.service.clock().advance_to(begins);
            let started = Stopwatch::start();
            estate.service.tick().await.expect("a tick");
            own.push(started.elapsed().as_secs_f64());
            let placed = estate
                .execute("UPDATE deployments SET reason = reason WHERE planned_night IS NOT NULL")
                .await;
            assert_eq!(placed, 100_000);
        }
        let (own, bare) = (median(own), median(bare));
        lines.push(Line {
            what: format!("entering a ring of 100,000 rooms (order, nights, history: 300,000 rows), {engine:?}"),
            measured: format!("{own:.1} s"),
            compared: format!("one INSERT … SELECT: {bare:.1} s"),
            ratio: Some((own / bare, Wanted::AtMost(3.0))),
        });
    }
    lines
}

/// A rollout through 100,000 rooms, with everything that their devices say, on SQLite.
pub async fn a_month() -> Vec<Line> {
    const ROOMS: u32 = 100_000;
    say("a simulated month of 100,000 rooms: several minutes");
    let estate = Estate::new(Engine::Sqlite, ROOMS).await;
    estate.publish().await;
    let started = Stopwatch::start();
    let mut installed = 0;
    for day in 0..30 {
        let midnight = instant("2025-03-04T00:00:00Z") + TimeDelta::days(day);
        estate.tick_until(midnight + TimeDelta::minutes(10)).await;
        let begun = begin_all(&estate, midnight.date_naive()).await;
        estate.tick_until(midnight + TimeDelta::minutes(30)).await;
        end_all(&estate, &begun).await;
        installed += begun.len();
        estate.tick_until(midnight + TimeDelta::hours(12)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let rooms = u64::try_from(installed).expect("a number");
    assert_eq!(rooms, u64::from(ROOMS), "every room has had its night");
    vec![Line {
        what: "a simulated month of 100,000 rooms, SQLite".to_owned(),
        measured: format!("{seconds:.0} s, {:.0} rooms/s", number(rooms) / seconds),
        compared: "four requests of each device, planning and history included".to_owned(),
        ratio: None,
    }]
}

/// Polls and starts: every device whose room has this night.
async fn begin_all(estate: &Estate, night: chrono::NaiveDate) -> Vec<(Caller, ActionId)> {
    let mut tonight = Vec::new();
    {
        let fleet = estate
            .service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .fleet()
            .await
            .expect("the fleet");
        let rooms: std::collections::BTreeSet<_> = fleet
            .deployments
            .values()
            .filter(|of| of.night.date() == night)
            .map(|of| of.room)
            .collect();
        for room in rooms.iter().filter_map(|room| fleet.rooms.get(room)) {
            tonight.push(format!("bench-{}", room.name.trim_start_matches("Room ")));
        }
    }
    let service = &estate.service;
    futures::stream::iter(tonight)
        .map(|device| async move {
            let credentials = Credentials::Gateway(GATEWAY.to_owned());
            let caller = service
                .device(&device, &credentials)
                .await
                .expect("a query")
                .expect("a device");
            let answer = service.poll(&caller).await.expect("an answer");
            let (Offer::Install, Some(action)) = (answer.offer, answer.action) else {
                return None;
            };
            say_so(estate, &caller, action, Execution::Proceeding, Finished::None).await;
            Some((caller, action))
        })
        .buffer_unordered(64)
        .filter_map(std::future::ready)
        .collect()
        .await
}

async fn end_all(estate: &Estate, begun: &[(Caller, ActionId)]) {
    let versions = || {
        let fact = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        [fact("component.1.product", "bar"), fact("component.1.version", "2.0")].into()
    };
    futures::stream::iter(begun)
        .for_each_concurrent(64, |(device, action)| async move {
            say_so(estate, device, *action, Execution::Closed, Finished::Success).await;
            let report = ConfigReport {
                mode: ConfigMode::Merge,
                data: versions(),
            };
            estate.service.config(device.id, report).await.expect("a report");
        })
        .await;
}

async fn say_so(estate: &Estate, device: &Caller, action: ActionId, execution: Execution, finished: Finished) {
    let feedback = Feedback {
        execution,
        finished,
        details: vec!["A word.".to_owned()],
    };
    estate
        .service
        .feedback(device, action, feedback)
        .await
        .expect("an outcome");
}
