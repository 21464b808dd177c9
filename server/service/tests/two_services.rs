//! Two services on one Postgres tick at the same instants while people and devices act, and a third one dies each night between its
//! plan and its commit: together they do what one alone does (G2).

mod support;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::{RoomId, UpdateId};
use domain::sim::Counter;
use service::store::{Engine, Limits};
use service::{RoomChoice, Service};
use support::{Devices, Estate, admin, draft};

/// A day of the rollout's life at noon: what people do, the same in both runs.
///
/// Which room has which night follows from ids, which differ between two databases. So a room is chosen by where it stands.
async fn people(estate: &Estate, day: usize, update: UpdateId, rooms: &BTreeMap<String, RoomId>) {
    let service = &estate.service;
    let waiting = async |ring: &str| {
        let (ring, fleet) = (estate.ring(ring).await, estate.fleet().await);
        let of = fleet
            .deployments
            .values()
            .filter(|deployment| deployment.ring == ring && deployment.is_unfinished());
        of.max_by_key(|deployment| deployment.night)
            .map(|deployment| deployment.room)
    };
    let outcome = match day {
        3 => service.pause(&admin(), update, "It hums.", None).await,
        5 => service.resume(&admin(), update, "Mended.").await,
        6 => service.retry_all_failed(&admin(), update).await.map(drop),
        13 => match waiting("General").await {
            Some(room) => service
                .move_rooms(
                    &admin(),
                    &RoomChoice::Named(vec![room]),
                    None,
                    estate.ring("Executive").await,
                )
                .await
                .map(drop),
            None => panic!("nobody waits in General"),
        },
        15 => service
            .move_rooms(
                &admin(),
                &RoomChoice::Named(vec![rooms["Executive 1"]]),
                None,
                estate.ring("General").await,
            )
            .await
            .map(drop),
        16 => match waiting("General").await {
            Some(room) => service
                .force(
                    &admin(),
                    update,
                    &service::Scope::Rooms(vec![room]),
                    domain::deployment::Force::Now,
                    "The board meets here.",
                )
                .await
                .map(drop),
            None => panic!("nobody waits in General"),
        },
        19 => service.add_ring(&admin(), draft("Late", Some(8), 2, 1)).await.map(drop),
        21 => {
            service
                .edit_ring(
                    &admin(),
                    estate.ring("Executive").await,
                    None,
                    draft("Executive", None, 3, 1),
                )
                .await
        }
        _ => Ok(()),
    };
    outcome.expect("what people do");
}

/// Ring, night, state, attempt, catch-up, forced: how many rooms.
type Tally = BTreeMap<(String, NaiveDate, String, u32, bool, bool), usize>;

async fn tally(estate: &Estate) -> Tally {
    let fleet = estate.fleet().await;
    let mut tally = Tally::new();
    for deployment in fleet.deployments.values() {
        let ring = fleet
            .rings
            .get(deployment.ring)
            .map_or(String::new(), |ring| ring.name.clone());
        let state = format!("{:?}", deployment.state);
        let state = state.split([' ', '{']).next().unwrap_or_default().to_owned();
        let key = (
            ring,
            deployment.night,
            state,
            deployment.attempt,
            deployment.catch_up,
            deployment.force.is_some(),
        );
        *tally.entry(key).or_insert(0) += 1;
    }
    tally
}

/// What became of the ticks.
#[derive(Default)]
struct Ticks {
    /// Rounds of simultaneous ticks.
    simultaneous: usize,
    /// Transactions that each service wrote.
    won: Vec<u32>,
    /// Plans that were written and never committed.
    died: usize,
}

/// A process plans, writes, and is gone before it commits. Meanwhile the others find the tick's lock taken.
async fn die_before_the_commit(estate: &Estate, service: &Service, ticks: &mut Ticks) {
    let now = estate.service.clock().now();
    let mut tx = service.store().begin().await.expect("a transaction");
    assert!(tx.try_tick_lock().await.expect("an answer"), "nobody else plans now");
    let organisation = tx.organisation().await.expect("a query").expect("an organisation");
    if let Some(due) = tx.due(&organisation, now, Limits::default()).await.expect("a slice") {
        // Far from the ids that services make.
        let plan = domain::planner::plan(&due.slice, now, &mut Counter(u128::MAX / 2));
        tx.apply(&plan, &due.marks, now).await.expect("it is written");
        ticks.died += usize::from(!plan.is_empty());
        let mut other = estate.service.store().begin().await.expect("a transaction");
        assert!(!other.try_tick_lock().await.expect("an answer"), "the lock is taken");
    }
    drop(tx);
}

/// Everybody at once, until nobody has anything to do.
async fn tick(services: &[Service], count: &mut Ticks) {
    count.won.resize(services.len(), 0);
    loop {
        count.simultaneous += 1;
        let ticks: Vec<_> = services
            .iter()
            .map(|service| {
                let service = service.clone();
                tokio::spawn(async move { service.tick().await })
            })
            .collect();
        let mut idle = true;
        for (tick, won) in ticks.into_iter().zip(&mut count.won) {
            let report = tick.await.expect("a task").expect("a tick");
            *won += report.rounds;
            idle &= report.rounds == 0 && !report.elsewhere;
        }
        if idle {
            return;
        }
    }
}

/// Thirty days; the tally after each. `dies`: a process that dies in the middle of its tick, each night and each noon.
async fn live(estate: &Estate, services: &[Service], dies: Option<&Service>) -> (Vec<Tally>, Ticks) {
    let mut ticks = Ticks::default();
    let rooms = estate.rooms(&[("Staging", 3), ("General", 10), ("Executive", 3)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = (1..=3).map(|number| (format!("staging-{number}"), 1)).collect();
    let mut tallies = Vec::new();
    for (day, date) in NaiveDate::from_ymd_opt(2025, 3, 5)
        .expect("a date")
        .iter_days()
        .take(30)
        .enumerate()
    {
        for time in [
            "00:00:00", "00:10:00", "00:30:00", "05:00:00", "12:00:00", "12:20:00", "23:00:00",
        ] {
            estate.at(&format!("{date}T{time}Z"));
            if time == "12:00:00" {
                // While the others plan.
                let planners = services.to_vec();
                let ticking = tokio::spawn(async move { tick(&planners, &mut Ticks::default()).await });
                people(estate, day, update, &rooms).await;
                ticking.await.expect("ticks");
            }
            if let Some(dies) = dies {
                die_before_the_commit(estate, dies, &mut ticks).await;
            }
            tick(services, &mut ticks).await;
            devices.turn(&services[day % services.len()]).await;
            if let Some(dies) = dies {
                die_before_the_commit(estate, dies, &mut ticks).await;
            }
            tick(services, &mut ticks).await;
        }
        estate.is_sound().await;
        tallies.push(tally(estate).await);
    }
    (tallies, ticks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_services_that_tick_at_the_same_instants_do_what_one_does_g2() {
    let alone = Estate::new(Engine::Postgres).await;
    let (expected, _) = live(&alone, std::slice::from_ref(&alone.service), None).await;
    let shared = Estate::new(Engine::Postgres).await;
    let both = [shared.service.clone(), shared.another().await];
    let third = shared.another().await;
    let (seen, ticks) = live(&shared, &both, Some(&third)).await;
    assert!(ticks.simultaneous >= 200, "{} rounds", ticks.simultaneous);
    assert!(ticks.won.iter().all(|won| *won > 0), "both win ticks: {:?}", ticks.won);
    assert!(ticks.died >= 20, "{} plans died", ticks.died);
    for (day, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
        assert_eq!(seen, expected, "day {day}");
    }
    let last = expected.last().expect("thirty days");
    assert_eq!(last.values().sum::<usize>(), 16);
    assert!(last.keys().all(|(_, _, state, ..)| state == "Completed"), "{last:?}");
}
