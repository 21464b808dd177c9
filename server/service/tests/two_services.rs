//! Two services on one Postgres tick at the same instants while people and devices act, and a third one dies each night between its
//! plan and its commit: together they do what one alone does (G2). And two people who give commands at the same instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::check::{Finding, check};
use domain::deployment::{DeploymentState, Force};
use domain::ids::{ProductId, RoomId, StageOf, UpdateId};
use domain::settings::Mode;
use domain::sim::Counter;
use domain::update::Severity;
use futures::{StreamExt, stream};
use service::{RoomChoice, Service, ServiceError};
use store::{Engine, Limits};
use testkit::people::{Command, Names, Release, Whom, give};
use testkit::template::Template;
use testkit::{Devices, Estate, actor, draft};
use tokio::sync::Barrier;

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
            .filter(|deployment| deployment.ring == StageOf::Ring(ring) && deployment.is_unfinished());
        of.max_by_key(|deployment| deployment.night.date())
            .map(|deployment| deployment.room)
    };
    let outcome = match day {
        3 => service.pause(&actor(), update, "It hums.".into(), None).await,
        5 => service.resume(&actor(), update, "Mended.".into()).await,
        6 => service.retry_all_failed(&actor(), update).await.map(drop),
        13 => match waiting("General").await {
            Some(room) => service
                .move_rooms(
                    &actor(),
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
                &actor(),
                &RoomChoice::Named(vec![rooms["Executive 1"]]),
                None,
                estate.ring("General").await,
            )
            .await
            .map(drop),
        16 => match waiting("General").await {
            Some(room) => service
                .force(
                    &actor(),
                    update,
                    &service::RoomScope::Rooms(vec![room]),
                    Force::Now,
                    "The board meets here.".into(),
                )
                .await
                .map(drop),
            None => panic!("nobody waits in General"),
        },
        19 => service.add_ring(&actor(), draft("Late", Some(8), 2, 1)).await.map(drop),
        21 => {
            service
                .edit_ring(
                    &actor(),
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
        let ring = deployment.ring.ring().and_then(|ring| fleet.rings.get(ring));
        let ring = ring.map_or(String::new(), |ring| ring.name.clone());
        let state = format!("{:?}", deployment.state);
        let state = state.split([' ', '{']).next().unwrap_or_default().to_owned();
        let key = (
            ring,
            deployment.night.date(),
            state,
            deployment.attempt,
            deployment.is_catch_up(),
            deployment.is_forced(),
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
        tx.apply(&plan, &due.rechecks, now).await.expect("it is written");
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

/// Days of people's and devices' lives after which every command of [`commands`] would be taken: it is Thursday night, one room of Staging
/// has failed app 11 and another one downloads it; bar 2.0 is over, with a failure, and 3.0 is paused.
async fn prepared() -> (Template, Names, &'static str, &'static str) {
    let estate = Estate::new(Engine::Postgres).await;
    let mut names = Names {
        rooms: estate.rooms(&[("Staging", 4), ("General", 4), ("Executive", 2)]).await,
        ..Names::default()
    };
    let mut devices = Devices::of(&names.rooms);
    devices.fails = BTreeMap::from([("general-1".to_owned(), 1)]);
    for (product, version) in [APP, BAR2, BAR3, BAR4] {
        estate.add_file(product, version).await;
        let mut tx = estate.service.store().read().await.expect("a snapshot");
        let release = tx.release_of(&ProductId(product.to_owned()), version).await;
        let id = release.expect("a query").expect("a release").release.id;
        names.releases.insert((product, version), id);
    }
    for ring in ["Staging", "General", "Executive"] {
        names.rings.insert(ring.to_owned(), estate.ring(ring).await);
    }
    let first = [
        Command::AddRing {
            name: "Pilots",
            order: 8,
            rollout_days: 1,
            test_days: 1,
        },
        Command::Settings(|settings| (settings.mode, settings.automatic_days) = (Mode::Automatic, 1)),
        Command::Publish {
            release: BAR2,
            severity: Some(Severity::Critical),
            supersedes: true,
        },
        Command::Settings(|settings| settings.mode = Mode::RingValidated),
        Command::Freeze {
            label: "fair",
            whom: Whom::Organisation,
            from: "2025-04-01",
            until: "2025-04-03",
        },
    ];
    give_all(&estate, &mut names, &first).await;
    estate.live_until("2025-03-06T12:00:00Z", &mut devices).await;
    devices.fails = (1..=4).map(|number| (format!("staging-{number}"), 1)).collect();
    let then = [
        Command::Publish {
            release: APP,
            severity: None,
            supersedes: true,
        },
        Command::Publish {
            release: BAR3,
            severity: None,
            supersedes: false,
        },
        Command::Pause {
            release: BAR3,
            until: None,
        },
    ];
    give_all(&estate, &mut names, &then).await;
    estate.live_until("2025-03-13T00:05:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    let room = |is: fn(&DeploymentState) -> bool| {
        let of_app = fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == names.update(APP));
        let found = of_app.into_iter().find(|deployment| is(&deployment.state));
        let name = fleet.rooms[&found.expect("such a room").room].name.clone();
        // For as long as the test.
        &*name.leak()
    };
    let failed = room(|state| matches!(state, DeploymentState::Failed { .. }));
    let loads = room(|state| matches!(state, DeploymentState::Started { .. }));
    (Template::of(estate).await, names, failed, loads)
}

async fn give_all(estate: &Estate, names: &mut Names, commands: &[Command]) {
    for command in commands {
        let did = give(&estate.service, names, command).await;
        let did = did.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        names.learn(command, &did);
    }
}

const APP: Release = ("app", "11");
const BAR2: Release = ("bar", "2.0");
const BAR3: Release = ("bar", "3.0");
const BAR4: Release = ("bar", "4.0");

/// Every command that people have, as it is taken in the prepared state.
fn commands(failed: &'static str, loads: &'static str) -> Vec<Command> {
    let (from, until) = ("2025-05-01", "2025-05-02");
    let freeze = |whom| Command::Freeze {
        label: "late",
        whom,
        from,
        until,
    };
    vec![
        Command::Publish {
            release: BAR4,
            severity: None,
            supersedes: true,
        },
        Command::Recall(APP),
        Command::Pause {
            release: APP,
            until: Some("2025-03-20"),
        },
        Command::SetResumeDate {
            release: BAR3,
            until: Some("2025-03-20"),
        },
        Command::Resume(BAR3),
        Command::RetryAll(APP),
        Command::Retry {
            release: APP,
            room: failed,
        },
        Command::Force {
            release: APP,
            rooms: &[],
            how: Force::Now,
        },
        Command::Cancel {
            release: APP,
            room: loads,
        },
        Command::Acknowledge(BAR2),
        freeze(Whom::Organisation),
        freeze(Whom::Ring("General")),
        freeze(Whom::Room("General 2")),
        Command::PlanFreeze {
            whom: Whom::Organisation,
            from,
            until,
        },
        Command::Lift("fair"),
        Command::AddHeldRoom {
            room: "Annexe",
            ring: "General",
            since: from,
            until,
        },
        Command::Move {
            rooms: &["General 2"],
            from: None,
            to: "Executive",
        },
        Command::AddRing {
            name: "Late",
            order: 9,
            rollout_days: 1,
            test_days: 1,
        },
        Command::EditRing {
            name: "Executive",
            order: None,
            rollout_days: 4,
            test_days: 1,
        },
        Command::DeleteRing("Pilots"),
        Command::Settings(|settings| settings.unreachable_after_windows = 5),
    ]
}

/// Both at once, while a third one ticks; then everything is in order, and one tick later at rest.
async fn at_once(template: &Template, names: &Names, pair: [Command; 2]) {
    let services = template.copy().await;
    let said = format!("{pair:?}");
    let start = Arc::new(Barrier::new(3));
    let given = services.iter().zip(pair).map(|(service, command)| {
        let (service, names, start) = (service.clone(), names.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            give(&service, &names, &command).await
        })
    });
    let given: Vec<_> = given.collect();
    start.wait().await;
    services[1]
        .tick()
        .await
        .unwrap_or_else(|error| panic!("{said}: a tick: {error}"));
    let mut done = 0;
    for task in given {
        match task.await.expect("a task") {
            Ok(_) => done += 1,
            Err(ServiceError::Invalid { .. } | ServiceError::NotFound { .. } | ServiceError::Conflict { .. }) => {}
            Err(error) => panic!("{said}: {error:?}"),
        }
    }
    assert!(done > 0, "{said}: whoever is first is not refused");
    for when in ["at once", "after a tick"] {
        let mut tx = services[0].store().read().await.expect("a snapshot");
        assert_eq!(
            check(&tx.fleet().await.expect("the fleet")),
            Vec::<Finding>::new(),
            "{said} {when}"
        );
        assert_eq!(
            tx.wrong_counts().await.expect("counts"),
            Vec::<String>::new(),
            "{said} {when}"
        );
        services[0]
            .tick()
            .await
            .unwrap_or_else(|error| panic!("{said}: a tick: {error}"));
    }
    let plan = services[0].plan().await.expect("a plan");
    assert!(!plan.writes, "{said}: {:?}", plan.lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_two_commands_at_once_are_both_done_or_refused_and_break_no_law_g2() {
    let (template, names, failed, loads) = prepared().await;
    let commands = commands(failed, loads);
    let pairs = commands.iter().enumerate().flat_map(|(index, one)| {
        let others = commands.iter().skip(index);
        others.map(move |other| [one.clone(), other.clone()])
    });
    let pairs: Vec<_> = pairs.collect();
    assert_eq!(pairs.len(), 231);
    stream::iter(pairs)
        .for_each_concurrent(3, |pair| at_once(&template, &names, pair))
        .await;
    assert_eq!(template.deadlocks().await, Vec::new());
}
