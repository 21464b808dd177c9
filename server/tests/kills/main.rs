//! `kill -9` at random moments, while devices report and the tick plans: nothing acknowledged is lost, nothing is installed twice,
//! and what is there at the end is what an unkilled run with the same seed has (G3).
//!
//! The program runs as a process of its own on a driven clock. Its devices keep a ledger of every request that was answered, and
//! repeat what was not, as real clients do. Each kill is logged with what was under way:
//! `cargo nextest run -p server kills --no-capture`.

mod devices;
mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::deployment::{DeploymentState, Force};
use domain::fleet::Fleet;
use service::{Artifacts, Clock, ProcessConfig, RoomScope, Service};
use store::Store;
use testkit::program::{Program, free_port};
use testkit::{
    BAR, Database, Dice, Engine, House, Options, actor, bar, both_engines, content, facts, instant, rooms_in,
};

use devices::{Devices, Write};
use kept::{Kept, in_words};

both_engines![killed_at_random_moments_it_ends_like_one_that_never_was_g3];

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");
const SEED: u64 = 2025;
const DAYS: i64 = 40;
/// What must have been seen at the end.
const KILLS: usize = 50;
const IN_FLIGHT: usize = 25;
const ROUNDS: [(u32, u32); 6] = [(0, 0), (0, 10), (0, 30), (5, 0), (12, 0), (23, 0)];

async fn killed_at_random_moments_it_ends_like_one_that_never_was_g3(engine: Engine) {
    let template = Template::new(engine).await;
    let unkilled = live(&template, None).await;
    assert_eq!(unkilled.kills.len(), 0);
    let killed = live(&template, Some(Dice::new(SEED))).await;
    let in_flight = killed.kills.iter().filter(|kill| kill.in_flight > 0).count();
    let landed: usize = killed.kills.iter().map(|kill| kill.landed).sum();
    println!(
        "{engine:?}: {} kills, {in_flight} with writes in flight, {landed} of which were in the database although nobody was told",
        killed.kills.len()
    );
    assert!(killed.kills.len() >= KILLS, "{} kills", killed.kills.len());
    assert!(in_flight >= IN_FLIGHT, "{in_flight} kills hit a write");
    assert!(killed.kills.iter().any(|kill| kill.ticking), "some kills hit a tick");
    assert_eq!(killed.installed, unkilled.installed, "what devices have installed");
    assert_eq!(killed.facts, unkilled.facts);
    assert!(
        killed.facts.iter().any(|fact| fact.contains("Completed")),
        "{:?}",
        killed.facts
    );
}

/// A prepared organisation, of which every run gets a copy: rooms keep their ids, and with them their nights.
struct Template {
    database: Database,
    tokens: BTreeMap<String, String>,
}

impl Template {
    async fn new(engine: Engine) -> Self {
        let options = Options {
            rooms: rooms_in(&[("Staging", 4), ("General", 16), ("Executive", 6)]),
            ..Options::default()
        };
        let mut house = House::with(engine, options).await;
        house.publish("2.0").await;
        house.stop().await;
        house.service.store().close().await;
        Self {
            database: house.database,
            tokens: house.tokens,
        }
    }

    fn artifacts(&self) -> PathBuf {
        self.database.folder.path().join("artifacts")
    }
}

/// What a run leaves behind.
struct Lived {
    facts: Vec<String>,
    /// Device, version: in the order in which devices did it.
    installed: BTreeMap<String, Vec<String>>,
    kills: Vec<Kill>,
}

struct Kill {
    /// Requests that write something, sent and not answered when the process died.
    in_flight: usize,
    /// Of these, how many were written.
    landed: usize,
    /// It died while a tick planned.
    ticking: bool,
}

async fn live(template: &Template, dice: Option<Dice>) -> Lived {
    let database = template.database.copy().await;
    let now = instant("2025-03-03T12:00:00Z");
    let port = free_port();
    let program = Program::start(NIGHTSHIFT, &database.address, &template.artifacts(), port, now).await;
    let people = people(&database, &template.artifacts(), now).await;
    let mut run = Run {
        fleet: Devices::new(port, &template.tokens),
        artifacts: template.artifacts(),
        database,
        people,
        program,
        dice,
        kills: Vec::new(),
        port,
    };
    for day in 0..DAYS {
        let date = now.date_naive() + TimeDelta::days(day + 1);
        for (hour, minute) in ROUNDS {
            let at = date.and_hms_opt(hour, minute, 0).expect("a time").and_utc();
            if hour == 12 {
                run.people.clock().set_to(at);
                act(&run.people, day).await;
            }
            run.round(at).await;
        }
        let fleet = run.fleet_facts().await;
        assert_eq!(domain::check::check(&fleet), Vec::new(), "after {date}");
    }
    let fleet = run.fleet_facts().await;
    run.keeps_its_word().await;
    let installed = run.fleet.installed();
    for (device, versions) in &installed {
        let once: BTreeSet<&String> = versions.iter().collect();
        assert_eq!(
            once.len(),
            versions.len(),
            "{device} has installed something twice: {versions:?}"
        );
    }
    Lived {
        facts: in_words(&fleet),
        installed,
        kills: run.kills,
    }
}

/// Whoever acts at noon does so from a process of its own, like the command line.
async fn people(database: &Database, artifacts: &Path, now: DateTime<Utc>) -> Service {
    let store = Store::open(&database.address, false).await.expect("the database opens");
    let process_config = ProcessConfig {
        public_url: String::new(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: None,
        trusted_proxies: Vec::new(),
    };
    Service::new(
        store,
        Clock::driven(now),
        Artifacts::open(artifacts).expect("a folder"),
        process_config,
    )
}

async fn act(service: &Service, day: i64) {
    let update = facts::release(service, BAR, "2.0").await;
    match day {
        3 => service
            .pause(&actor(), update, "It hums.".into(), None)
            .await
            .expect("a pause"),
        5 => service
            .resume(&actor(), update, "Mended.".into())
            .await
            .expect("a resume"),
        6 | 20 => drop(service.retry_all_failed(&actor(), update).await.expect("a retry")),
        12 => {
            let newer = facts::release(service, BAR, "3.0").await;
            facts::add_file(service, newer, "rally-bar.swu", content("3.0")).await;
            service.publish(&actor(), &bar(), "3.0", None).await.expect("a rollout");
        }
        16 => {
            let fleet = facts::fleet(service).await;
            let waiting = fleet
                .deployments
                .values()
                .filter(|deployment| deployment.update == update && deployment.state == DeploymentState::Waiting);
            let last = waiting
                .max_by_key(|deployment| (deployment.night.date(), deployment.room))
                .expect("a waiting room");
            let forced = service
                .force(
                    &actor(),
                    update,
                    &RoomScope::Rooms(vec![last.room]),
                    Force::Now,
                    "The board meets here.".into(),
                )
                .await;
            assert_eq!(forced.expect("a force").rooms.len(), 1);
        }
        _ => {}
    }
}

struct Run {
    database: Database,
    artifacts: PathBuf,
    people: Service,
    program: Program,
    fleet: Devices,
    dice: Option<Dice>,
    kills: Vec<Kill>,
    port: u16,
}

/// Where in a round the process dies.
enum Moment {
    Never,
    /// So many microseconds after the tick began.
    Ticking(u64),
    /// So many microseconds after so many writes of devices were sent.
    Writing(usize, u64),
}

impl Run {
    /// A tick, every device's turn with one more tick meanwhile, a tick.
    async fn round(&mut self, now: DateTime<Utc>) {
        let moment = self.moment();
        if let Moment::Ticking(micros) = moment {
            self.program.tell(now).await;
            tokio::time::sleep(Duration::from_micros(micros)).await;
            self.die(now, true).await;
        } else {
            self.program.tick_at(now).await;
        }
        let (writes_before, done) = (self.fleet.writes(), AtomicBool::new(false));
        let fleet = std::mem::take(&mut self.fleet);
        let devices = async {
            fleet.turns(now).await;
            done.store(true, Ordering::SeqCst);
        };
        let operator = async {
            self.program.tell(now).await;
            if let Moment::Writing(after, micros) = moment {
                let mut sent = fleet.sent.subscribe();
                let reached = sent.wait_for(|sent| *sent >= writes_before + after);
                let over = async {
                    while !done.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                };
                let writing = tokio::select! {
                    _ = reached => true,
                    () = over => false,
                };
                if writing {
                    tokio::time::sleep(Duration::from_micros(micros)).await;
                    self.die_under(&fleet, now, false).await;
                } else {
                    self.program.hear().await.expect("a tick");
                }
            } else {
                self.program.hear().await.expect("a tick");
            }
        };
        tokio::join!(devices, operator);
        self.fleet = fleet;
        self.program.tick_at(now).await;
    }

    /// A moment is only reached in a round in which devices write so much.
    fn moment(&mut self) -> Moment {
        let Some(dice) = &mut self.dice else {
            return Moment::Never;
        };
        let micros = |dice: &mut Dice, most: usize| u64::try_from(dice.below(most)).expect("a number");
        match dice.below(100) {
            0..=5 => Moment::Ticking(micros(dice, 20_000)),
            6..=94 => Moment::Writing(1 + dice.below(4), micros(dice, 2_500)),
            _ => Moment::Never,
        }
    }

    async fn die(&mut self, now: DateTime<Utc>, ticking: bool) {
        let fleet = std::mem::take(&mut self.fleet);
        self.die_under(&fleet, now, ticking).await;
        self.fleet = fleet;
    }

    /// The process dies and is started again; whatever was acknowledged must be in the database.
    async fn die_under(&mut self, fleet: &Devices, now: DateTime<Utc>, ticking: bool) {
        fleet.up.send_replace(false);
        let under_way = fleet.under_way();
        self.program.kill().await;
        let in_flight: Vec<Write> = under_way
            .into_iter()
            .filter(|write| !fleet.was_answered(write))
            .collect();
        let answered = fleet.answered();
        let kept = Kept::of(&self.database).await;
        for write in &answered {
            assert!(kept.has(write), "{write:?} was acknowledged and is lost");
        }
        let landed = in_flight.iter().filter(|write| kept.has(write)).count();
        println!(
            "kill {} at {now}{}: {} writes in flight, {landed} of them written",
            self.kills.len() + 1,
            if ticking { " during a tick" } else { "" },
            in_flight.len()
        );
        self.kills.push(Kill {
            in_flight: in_flight.len(),
            landed,
            ticking,
        });
        self.program = Program::start(NIGHTSHIFT, &self.database.address, &self.artifacts, self.port, now).await;
        fleet.up.send_replace(true);
        self.program.tick_at(now).await;
    }

    async fn keeps_its_word(&self) {
        let kept = Kept::of(&self.database).await;
        let answered = self.fleet.answered();
        assert!(answered.len() > 100, "{} answers", answered.len());
        for write in &answered {
            assert!(kept.has(write), "{write:?} was acknowledged and is lost");
        }
    }

    async fn fleet_facts(&self) -> Fleet {
        facts::fleet(&self.people).await
    }
}
