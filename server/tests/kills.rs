//! `kill -9` at random moments, while devices report and the tick plans: nothing acknowledged is lost, nothing is installed twice,
//! and what is there at the end is what an unkilled run with the same seed has (G3).
//!
//! The program runs as a process of its own on a driven clock. Its devices keep a ledger of every request that was answered, and
//! repeat what was not, as real clients do. Each kill is logged with what was under way:
//! `cargo nextest run -p server kills --no-capture`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::deployment::{DeploymentState, Force};
use domain::fleet::Fleet;
use domain::ids::UpdateId;
use reqwest::Method;
use serde_json::{Value, json};
use service::store::Store;
use service::{Artifacts, Clock, ProcessConfig, RoomScope, Service};
use testkit::program::{Program, free_port};
use testkit::{
    BAR, Database, Dice, Engine, House, Options, action_in, actor, address_of, bar, both_engines, client, content,
    facts, instant, link, rooms,
};
use tokio::sync::watch;

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");

both_engines!(killed_at_random_moments_it_ends_like_one_that_never_was_g3);

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
        let names: Vec<(String, &str, String)> = [("Staging", 4), ("General", 16), ("Executive", 6)]
            .into_iter()
            .flat_map(|(ring, number)| {
                (1..=number).map(move |n| (format!("{ring} {n}"), ring, format!("{}-{n}", ring.to_lowercase())))
            })
            .collect();
        let names: Vec<(&str, &str, &str)> = names
            .iter()
            .map(|(room, ring, device)| (room.as_str(), *ring, device.as_str()))
            .collect();
        let options = Options {
            rooms: rooms(&names),
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
        facts: facts(&fleet),
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
                .max_by_key(|deployment| (deployment.night, deployment.room))
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

/// A request that writes, as its device knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Write {
    /// A feedback with this text among its details.
    Feedback { action: String, text: String },
    /// The first GET of an action's artifact.
    Fetch { action: String },
    /// The device's n-th report of facts.
    Facts { device: String, number: u32 },
}

/// What the database has of the devices' writes.
struct Kept {
    feedbacks: BTreeSet<(String, String)>,
    started: BTreeSet<String>,
    facts: BTreeMap<String, u32>,
}

impl Kept {
    async fn of(database: &Database) -> Self {
        let pair = |text: String| {
            let (first, second) = text.split_once('|').expect("two parts");
            (first.to_owned(), second.to_owned())
        };
        let feedbacks = database
            .texts("SELECT cast(action_id AS text) || '|' || detail FROM reports")
            .await;
        let started = database
            .texts("SELECT cast(action_id AS text) FROM installs WHERE started_at IS NOT NULL")
            .await;
        let attributes = database
            .texts("SELECT controller_id || '|' || cast(attributes AS text) FROM devices")
            .await;
        let number = |(device, attributes): (String, String)| {
            let attributes: Value = serde_json::from_str(&attributes).expect("attributes");
            Some((device, attributes["ledger"].as_str()?.parse().expect("a number")))
        };
        Self {
            feedbacks: feedbacks.into_iter().map(pair).collect(),
            started: started.into_iter().collect(),
            facts: attributes.into_iter().map(pair).filter_map(number).collect(),
        }
    }

    fn has(&self, write: &Write) -> bool {
        match write {
            Write::Feedback { action, text } => self.feedbacks.contains(&(action.clone(), text.clone())),
            Write::Fetch { action } => self.started.contains(action),
            Write::Facts { device, number } => self.facts.get(device).is_some_and(|kept| kept >= number),
        }
    }
}

/// All devices, and the ledger of what they were told.
#[derive(Default)]
struct Devices {
    base: String,
    http: reqwest::Client,
    devices: BTreeMap<String, tokio::sync::Mutex<Device>>,
    up: watch::Sender<bool>,
    sent: watch::Sender<usize>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    under_way: BTreeSet<Write>,
    answered: Vec<Write>,
    installed: BTreeMap<String, Vec<String>>,
}

/// A device that keeps what it knows on a disk of its own.
#[derive(Default)]
struct Device {
    id: String,
    token: String,
    version: String,
    job: Option<Job>,
    words: u32,
    facts: u32,
    attempts: BTreeMap<String, u32>,
}

struct Job {
    action: String,
    version: String,
    ends_at: DateTime<Utc>,
    /// The installing itself: done once, whatever becomes of the report.
    is_installed: bool,
}

impl Devices {
    fn new(port: u16, tokens: &BTreeMap<String, String>) -> Self {
        let device = |(id, token): (&String, &String)| {
            let device = Device {
                id: id.clone(),
                token: token.clone(),
                version: "1.0".to_owned(),
                ..Device::default()
            };
            (id.clone(), tokio::sync::Mutex::new(device))
        };
        Self {
            base: format!("http://127.0.0.1:{port}"),
            http: client(),
            devices: tokens.iter().map(device).collect(),
            up: watch::Sender::new(true),
            ..Self::default()
        }
    }

    fn writes(&self) -> usize {
        *self.sent.borrow()
    }

    fn under_way(&self) -> BTreeSet<Write> {
        self.ledger.lock().expect("the ledger").under_way.clone()
    }

    fn answered(&self) -> Vec<Write> {
        self.ledger.lock().expect("the ledger").answered.clone()
    }

    fn was_answered(&self, write: &Write) -> bool {
        self.ledger.lock().expect("the ledger").answered.contains(write)
    }

    fn installed(&self) -> BTreeMap<String, Vec<String>> {
        self.ledger.lock().expect("the ledger").installed.clone()
    }

    /// Every device's turn, all at once.
    async fn turns(&self, now: DateTime<Utc>) {
        let turns = self
            .devices
            .values()
            .map(|device| async move { self.turn(&mut *device.lock().await, now).await });
        futures::future::join_all(turns).await;
    }

    async fn turn(&self, device: &mut Device, now: DateTime<Utc>) {
        if device.job.as_ref().is_some_and(|job| job.ends_at <= now) {
            self.end(device).await;
        }
        let poll = self.get(device, "").await;
        if link(&poll, "configData").is_some() {
            self.report_facts(device).await;
        }
        let offered = link(&poll, "deploymentBase").map(|href| action_in(&href));
        match (&device.job, offered) {
            (Some(job), offered) => assert_eq!(offered.as_ref(), Some(&job.action), "{} keeps its link", device.id),
            (None, Some(action)) => self.begin(device, action, now).await,
            (None, None) => {}
        }
    }

    async fn begin(&self, device: &mut Device, action: String, now: DateTime<Utc>) {
        let work = self.get(device, &format!("/deploymentBase/{action}")).await;
        let chunk = &work["deployment"]["chunks"][0];
        let version = chunk["version"].as_str().expect("a version").to_owned();
        assert_ne!(version, device.version, "{} has this one", device.id);
        let fetch = chunk["artifacts"][0]["_links"]["download-http"]["href"]
            .as_str()
            .expect("a link")
            .to_owned();
        let says_first = device.id.len().is_multiple_of(2);
        if says_first {
            self.say(device, &action, "proceeding", "none").await;
        }
        self.fetch(device, &action, &fetch).await;
        self.say(device, &action, "downloaded", "none").await;
        *device.attempts.entry(version.clone()).or_default() += 1;
        // One takes so long that it is found silent before it is done (W5).
        let minutes = if device.id == "general-5" { 280 } else { 15 };
        device.job = Some(Job {
            action,
            version,
            ends_at: now + TimeDelta::minutes(minutes),
            is_installed: false,
        });
    }

    async fn end(&self, device: &mut Device) {
        let Some(mut job) = device.job.take() else { return };
        let fails = ["staging-2", "general-3", "general-9"].contains(&device.id.as_str());
        if fails && job.version == "2.0" && device.attempts[&job.version] == 1 {
            self.say(device, &job.action, "closed", "failure").await;
            return;
        }
        if !job.is_installed {
            job.is_installed = true;
            device.version.clone_from(&job.version);
            let mut ledger = self.ledger.lock().expect("the ledger");
            ledger
                .installed
                .entry(device.id.clone())
                .or_default()
                .push(job.version.clone());
        }
        self.say(device, &job.action, "closed", "success").await;
        self.report_facts(device).await;
    }

    async fn say(&self, device: &mut Device, action: &str, execution: &str, finished: &str) {
        device.words += 1;
        let text = format!("{} {}", device.id, device.words);
        let status = json!({ "execution": execution, "details": [text], "result": { "finished": finished } });
        let body = json!({ "id": action, "status": status });
        let path = format!("/deploymentBase/{action}/feedback");
        let write = Write::Feedback {
            action: action.to_owned(),
            text,
        };
        let status = self
            .write(device, Method::POST, &self.address(device, &path), Some(&body), write)
            .await;
        // 410: it had heard of it, and died before it could say so (`docs/devices.md` 2.11).
        assert!(
            status == 200 || (status == 410 && execution == "closed"),
            "{status} for {body}"
        );
    }

    async fn fetch(&self, device: &Device, action: &str, href: &str) {
        let write = Write::Fetch {
            action: action.to_owned(),
        };
        assert_eq!(self.write(device, Method::GET, href, None, write).await, 200);
    }

    async fn report_facts(&self, device: &mut Device) {
        device.facts += 1;
        let body = json!({ "data": { "sw_version": device.version, "ledger": device.facts.to_string() } });
        let write = Write::Facts {
            device: device.id.clone(),
            number: device.facts,
        };
        let address = self.address(device, "/configData");
        assert_eq!(self.write(device, Method::PUT, &address, Some(&body), write).await, 200);
    }

    /// Asks until it is answered. Only an answer with its whole body counts.
    async fn write(&self, device: &Device, method: Method, address: &str, body: Option<&Value>, write: Write) -> u16 {
        loop {
            self.is_up().await;
            self.ledger.lock().expect("the ledger").under_way.insert(write.clone());
            self.sent.send_modify(|sent| *sent += 1);
            let answer = self.ask(device, method.clone(), address, body).await;
            let mut ledger = self.ledger.lock().expect("the ledger");
            ledger.under_way.remove(&write);
            if let Some((status, _)) = answer {
                ledger.answered.push(write);
                return status;
            }
        }
    }

    async fn get(&self, device: &Device, path: &str) -> Value {
        loop {
            self.is_up().await;
            if let Some((status, body)) = self.ask(device, Method::GET, &self.address(device, path), None).await {
                assert_eq!(status, 200, "{path} of {}", device.id);
                return serde_json::from_slice(&body).expect("JSON");
            }
        }
    }

    /// `None`: no answer. Another answer than one of the protocol is none either: the device asks again.
    async fn ask(
        &self,
        device: &Device,
        method: Method,
        address: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Vec<u8>)> {
        let mut request = self.http.request(method, address);
        request = request.header("authorization", format!("TargetToken {}", device.token));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        assert_ne!(status, 500, "{address}");
        let body = response.bytes().await.ok()?;
        (status < 500).then(|| (status, body.to_vec()))
    }

    async fn is_up(&self) {
        self.up.subscribe().wait_for(|up| *up).await.expect("the run goes on");
    }

    fn address(&self, device: &Device, path: &str) -> String {
        address_of(&self.base, &device.id, path)
    }
}

/// What is there at the end, in the words of people: without times, and without the ids that each run makes for itself.
fn facts(fleet: &Fleet) -> Vec<String> {
    let ring = |id| fleet.rings.get(id).map_or("", |ring| ring.name.as_str());
    let version = |update: &UpdateId| fleet.updates[update].version.as_str();
    let room = |id| fleet.rooms[id].name.as_str();
    let word = |state: &dyn std::fmt::Debug| {
        let text = format!("{state:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_owned()
    };
    let mut facts = Vec::new();
    for (update, rollout) in &fleet.rollouts {
        facts.push(format!(
            "{}: {} from {}",
            version(update),
            word(&rollout.state),
            rollout.starts_on
        ));
        for stage in &rollout.stages {
            facts.push(format!(
                "{} in {}: {} {} {}, {} rooms, {:?}",
                version(update),
                stage.name,
                stage.starts_on,
                stage.rollout_ends,
                stage.test_ends,
                stage.rooms,
                rollout.counts.get(&stage.ring)
            ));
        }
    }
    for deployment in fleet.deployments.values() {
        let installs: Vec<String> = fleet
            .installs
            .values()
            .filter(|install| install.deployment == deployment.id)
            .map(|install| format!("{} {}", install.attempt, word(&install.state)))
            .collect();
        facts.push(format!(
            "{} {}: {} in {} on {} ({:?}), attempt {}, missed {}, catch-up {}, {:?}, installs {installs:?}: {}",
            room(&deployment.room),
            version(&deployment.update),
            word(&deployment.state),
            ring(deployment.ring),
            deployment.night,
            deployment.planned_night,
            deployment.attempt,
            deployment.missed_windows,
            deployment.catch_up,
            deployment.force,
            deployment.reason.sentence(),
        ));
    }
    for ((of, update), ticket) in &fleet.tickets {
        facts.push(format!("ticket {} {}: {:?}", room(of), version(update), ticket.state));
    }
    for of in fleet.rooms.values() {
        facts.push(format!("{} in {}: {:?}", of.name, ring(of.ring), of.state));
    }
    facts.sort();
    facts
}
