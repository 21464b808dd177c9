//! An organisation that the tests can live in: a service on a database of its own, a clock that is set by hand, and devices that
//! say what the test wants them to say.
//!
//! SQLite lies in a temporary folder; Postgres is the server that `tools/postgres` starts beside the tests.

// Each test file uses its part.
#![allow(dead_code)]

pub mod people;
pub mod template;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::check::{Finding, check};
use domain::conversation::Outcome;
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::offer::Offer;
use domain::deployment::Deployment;
use domain::fleet::Fleet;
use domain::ids::{ProductId, RingId, RoomId, UpdateId};
use domain::install::Install;
use domain::ring::RingOrder;
use domain::settings::Settings;
use domain::update::Severity;
use domain::zone::Zone;
use service::catalogue::Catalogue;
use service::devices::Credentials;
use service::store::{AuditFilter, Caller, Engine, Store};
use service::{
    Actor, Artifacts, Clock, GatewayToken, NewFile, ProcessConfig, RingFields, RoomsFile, Service, ServiceError, Source,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

/// The server for tests: a superuser's address.
const SERVER: &str = "NIGHTSHIFT_TEST_POSTGRES";

const PRODUCTS: &str = r#"[
    {"id": "bar", "vendor": "Example", "name": "Bar firmware", "kind": "firmware", "covered": true, "expected_minutes": 20},
    {"id": "app", "vendor": "Example", "name": "Room app", "kind": "app", "covered": true, "expected_minutes": 10}
]"#;
const RELEASES: &str = r#"[
    {"product": "bar", "version": "1.0", "rank": 1, "released": "2025-01-01"},
    {"product": "bar", "version": "2.0", "rank": 2, "released": "2025-02-01"},
    {"product": "bar", "version": "3.0", "rank": 3, "released": "2025-03-01"},
    {"product": "bar", "version": "4.0", "rank": 4, "released": "2025-03-02", "minimum_version": "3.0"},
    {"product": "app", "version": "10", "rank": 1, "released": "2025-01-01"},
    {"product": "app", "version": "11", "rank": 2, "released": "2025-02-01"}
]"#;

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// A service with everything around it.
pub struct Estate {
    pub service: Service,
    pub clock: Clock,
    pub address: String,
    pub engine: Engine,
    pub folder: tempfile::TempDir,
}

impl Estate {
    /// Three rings, two products, and no rooms; Tuesday afternoon.
    pub async fn new(engine: Engine) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("nightshift-")
            .rand_bytes(12)
            .tempdir()
            .expect("a temporary folder");
        let address = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("facts.db").display()),
            Engine::Postgres => make_postgres_database(folder.path()).await,
        };
        let clock = Clock::driven(instant("2025-03-04T15:00:00Z"));
        let store = Store::open(&address, false).await.expect("the database");
        store.migrate().await.expect("the migrations");
        let service = serve(store, &clock, folder.path());
        assert!(
            service
                .first_start("Example".into(), Zone::utc(), Settings::default())
                .await
                .expect("a first start")
        );
        let estate = Self {
            service,
            clock,
            address,
            engine,
            folder,
        };
        let catalogue = Catalogue::parse(PRODUCTS, RELEASES).expect("a catalogue");
        estate
            .service
            .import_catalogue(&admin(), &catalogue)
            .await
            .expect("an import");
        estate
    }

    /// Behind the store's back.
    pub async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        let done = match self.address.strip_prefix("sqlite:") {
            Some(path) => {
                let mut connection = SqliteConnection::connect(path).await.expect("the file opens");
                sqlx::query(statement).execute(&mut connection).await.map(drop)
            }
            None => {
                let mut connection = PgConnection::connect(&self.address).await.expect("the server answers");
                sqlx::query(statement).execute(&mut connection).await.map(drop)
            }
        };
        done.expect("the statement runs");
    }

    /// Another process on the same database and with the same clock.
    pub async fn another(&self) -> Service {
        let store = Store::open(&self.address, false).await.expect("the database");
        serve(store, &self.clock, self.folder.path())
    }

    /// `number` rooms in each named ring: `Staging 1`, `Staging 2` …, each with one bar that runs 1.0 and the app 10.
    pub async fn rooms(&self, rings: &[(&str, usize)]) -> BTreeMap<String, RoomId> {
        let mut rooms = Vec::new();
        for (ring, number) in rings {
            for index in 1..=*number {
                let id = format!("{ring}-{index}").to_lowercase().replace(' ', "-");
                rooms.push(serde_json::json!({
                    "name": format!("{ring} {index}"), "site": "Harbour", "ring": ring,
                    "devices": [{ "id": id, "model": "B1", "installed": { "bar": "1.0", "app": "10" } }],
                }));
            }
        }
        let file = serde_json::json!({ "sites": [{ "name": "Harbour", "zone": "UTC" }], "rooms": rooms });
        let file = RoomsFile::parse(&file.to_string()).expect("rooms");
        let names: Vec<String> = file.rooms.iter().map(|room| room.name.to_string()).collect();
        let report = self.service.import_rooms(&admin(), &file).await.expect("an import");
        names.into_iter().zip(report.ids).collect()
    }

    /// Publishes a version with a file.
    pub async fn publish(&self, product: &str, version: &str, severity: Option<Severity>) -> UpdateId {
        self.add_file(product, version).await;
        self.service
            .publish(&admin(), &ProductId(product.to_owned()), version, severity)
            .await
            .expect("a rollout")
            .update
    }

    pub async fn add_file(&self, product: &str, version: &str) {
        let release = self
            .service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .release_of(&ProductId(product.to_owned()), version)
            .await;
        let release = release.expect("a query").expect("a release").release.id;
        let source = Source::Bytes(format!("{product} {version}").into_bytes());
        let file = NewFile {
            filename: "image.swu".to_owned(),
            source,
            expected_sha256: None,
        };
        self.service.add_file(&admin(), release, file).await.expect("a file");
    }

    pub async fn ring(&self, name: &str) -> RingId {
        let rings = self
            .service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .rings()
            .await
            .expect("rings");
        rings.named(name).expect("a ring").id
    }

    pub fn at(&self, text: &str) {
        self.clock.advance_to(instant(text));
    }

    pub async fn at_and_tick(&self, text: &str) {
        self.at(text);
        self.service.tick().await.expect("a tick");
    }

    pub async fn fleet(&self) -> Fleet {
        self.service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .fleet()
            .await
            .expect("the fleet")
    }

    pub async fn deployment(&self, room: RoomId, update: UpdateId) -> Option<Deployment> {
        self.service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .deployment_of(room, update)
            .await
            .expect("a deployment")
    }

    /// The laws that the facts break, and a plan that is not empty although the tick has just been.
    pub async fn is_sound(&self) {
        assert_eq!(check(&self.fleet().await), Vec::<Finding>::new());
        let plan = self.service.plan().await.expect("a plan");
        assert!(!plan.writes && plan.lines.is_empty(), "{:?}", plan.lines);
        let mut tx = self.service.store().read().await.expect("a snapshot");
        assert_eq!(tx.wrong_counts().await.expect("counts"), Vec::<String>::new());
    }

    /// Newest first: action and summary of what the audit says.
    pub async fn audit(&self) -> Vec<(String, String)> {
        let mut tx = self.service.store().read().await.expect("a snapshot");
        let audit = tx.audit_page(&AuditFilter::default(), 1_000).await.expect("the audit");
        audit.into_iter().map(|entry| (entry.action, entry.summary)).collect()
    }

    /// Lets time pass as a server does: a tick whenever something is due, at least every hour, and devices that poll every few
    /// minutes inside windows. `ends` says how a device's install ends.
    pub async fn live_until(&self, end: &str, devices: &mut Devices) {
        let end = instant(end);
        loop {
            self.service.tick().await.expect("a tick");
            devices.turn(&self.service).await;
            self.service.tick().await.expect("a tick");
            let now = self.clock.now();
            if now >= end {
                return;
            }
            let due = self
                .service
                .next_due()
                .await
                .expect("the next instant")
                .filter(|due| *due > now);
            let busy = devices.next_at();
            let next = due.into_iter().chain(busy).chain([end]).min().unwrap_or(end);
            self.clock.advance_to(next.max(now + TimeDelta::seconds(1)));
        }
    }
}

/// The organisation's gateway token.
const GATEWAY: &str = "the-gateway-of-the-organisation-1";

fn serve(store: Store, clock: &Clock, folder: &std::path::Path) -> Service {
    let artifacts = Artifacts::open(&folder.join("artifacts")).expect("a folder");
    let config = ProcessConfig {
        public_url: "http://localhost".to_owned(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: Some(GatewayToken::parse(GATEWAY).expect("it is long enough")),
        trusted_proxies: Vec::new(),
    };
    Service::new(store, clock.clone(), artifacts, config)
}

pub fn admin() -> Actor {
    Actor::system("Admin")
}

pub fn draft(name: &str, order: Option<i64>, rollout_days: u32, test_days: u32) -> RingFields {
    let order = order.map(|order| RingOrder::try_from(order).expect("an order"));
    RingFields {
        name: name.into(),
        description: "".into(),
        order,
        rollout_days,
        test_days,
    }
}

/// Devices that are driven by hand.
#[derive(Default)]
pub struct Devices {
    /// Controller id to the versions that it runs.
    installed: BTreeMap<String, BTreeMap<String, String>>,
    /// Those that fail, and how often.
    pub fails: BTreeMap<String, u32>,
    /// Those that never poll.
    pub away: Vec<String>,
    running: BTreeMap<String, (DateTime<Utc>, domain::ids::ActionId)>,
    wake: Option<DateTime<Utc>>,
}

impl Devices {
    pub fn of(rooms: &BTreeMap<String, RoomId>) -> Self {
        let versions = || {
            BTreeMap::from([
                ("bar".to_owned(), "1.0".to_owned()),
                ("app".to_owned(), "10".to_owned()),
            ])
        };
        let installed = rooms
            .keys()
            .map(|name| (name.to_lowercase().replace(' ', "-"), versions()))
            .collect();
        Self {
            installed,
            ..Self::default()
        }
    }

    /// When one of them has something to say.
    fn next_at(&self) -> Option<DateTime<Utc>> {
        self.running.values().map(|(ends, _)| *ends).chain(self.wake).min()
    }

    /// Every device ends what it has begun, or polls and begins what it is told; an install takes 15 minutes.
    pub async fn turn(&mut self, service: &Service) {
        let now = service.clock().now();
        self.wake = None;
        let controllers: Vec<String> = self
            .installed
            .keys()
            .filter(|id| !self.away.contains(id))
            .cloned()
            .collect();
        for controller in controllers {
            if self.running.get(&controller).is_some_and(|(ends, _)| *ends <= now) {
                self.end(service, &controller).await;
            }
            if !self.running.contains_key(&controller) {
                self.poll(service, &controller, now).await;
            }
        }
    }

    async fn poll(&mut self, service: &Service, controller: &str, now: DateTime<Utc>) {
        let caller = speak(service, controller).await;
        let answer = service.poll(&caller).await.expect("an answer");
        match (answer.offer, answer.action) {
            (Offer::Install, Some(action)) => {
                let outcome = say(service, controller, action, Execution::Proceeding, Finished::None).await;
                assert_ne!(outcome, Outcome::NotFound);
                self.running
                    .insert(controller.to_owned(), (now + TimeDelta::minutes(15), action));
            }
            (Offer::Nothing | Offer::Prefetch | Offer::Cancel | Offer::Install, _) => {
                // One that waits for its window comes back when that opens.
                let install = open_install(service, &caller).await;
                let opens = install.and_then(|install| install.window).map(|(opens, _)| opens);
                if let Some(opens) = opens.filter(|opens| *opens > now) {
                    self.wake = Some(self.wake.map_or(opens, |wake| wake.min(opens)));
                }
            }
        }
    }

    async fn end(&mut self, service: &Service, controller: &str) {
        let Some((_, action)) = self.running.remove(controller) else {
            return;
        };
        // There may be more to do in this window (S7).
        self.wake = Some(service.clock().now() + TimeDelta::minutes(1));
        if let Some(left) = self.fails.get_mut(controller).filter(|left| **left > 0) {
            *left -= 1;
            say(service, controller, action, Execution::Closed, Finished::Failure).await;
            return;
        }
        let caller = speak(service, controller).await;
        let update = open_install(service, &caller).await.expect("what it installs").update;
        let release = service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .release(update)
            .await
            .expect("a query")
            .expect("a release");
        say(service, controller, action, Execution::Closed, Finished::Success).await;
        if let Some(versions) = self.installed.get_mut(controller) {
            versions.insert(release.release.product.0.clone(), release.release.version);
        }
        self.report(service, controller).await;
    }

    async fn report(&self, service: &Service, controller: &str) {
        let mut data = BTreeMap::new();
        for ((product, version), number) in self.installed[controller].iter().zip(1..) {
            data.insert(format!("component.{number}.product"), Some(product.clone()));
            data.insert(format!("component.{number}.version"), Some(version.clone()));
        }
        let device = speak(service, controller).await.id;
        let outcome = service
            .config(
                device,
                ConfigReport {
                    mode: ConfigMode::Merge,
                    data,
                },
            )
            .await
            .expect("a report");
        assert_eq!(outcome, Outcome::Changed);
    }
}

/// Through the organisation's gateway.
pub async fn speak(service: &Service, controller: &str) -> Caller {
    let caller = service
        .device(controller, &Credentials::Gateway(GATEWAY.to_owned()))
        .await
        .expect("a query");
    caller.unwrap_or_else(|| panic!("there is no device {controller}"))
}

pub async fn say(
    service: &Service,
    controller: &str,
    action: domain::ids::ActionId,
    execution: Execution,
    finished: Finished,
) -> Outcome {
    let caller = speak(service, controller).await;
    let feedback = Feedback {
        execution,
        finished,
        details: vec!["a word".to_owned()],
    };
    service.feedback(&caller, action, feedback).await.expect("an outcome")
}

/// What the device has to install, or installs.
pub async fn open_install(service: &Service, caller: &Caller) -> Option<Install> {
    let facts = service
        .store()
        .device_facts_of_action(caller.id, caller.open?)
        .await
        .expect("a query");
    facts?.open_install.map(|open| open.install)
}

/// A database named after the temporary folder, whose name nobody else has.
async fn make_postgres_database(folder: &std::path::Path) -> String {
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run `tools/postgres cargo nextest run -p service`, or `make test-rust`")
    });
    let name: String = folder
        .file_name()
        .and_then(std::ffi::OsStr::to_str)
        .expect("a name")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let mut connection = PgConnection::connect(&server)
        .await
        .unwrap_or_else(|error| panic!("{SERVER}: {error}"));
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
        .execute(&mut connection)
        .await
        .expect("a database");
    let (before, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{before}/{name}")
}

/// Stamps a list of behaviours for both engines.
#[macro_export]
macro_rules! on_both_engines {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                super::$behaviour(Estate::new(service::store::Engine::Sqlite).await).await;
            })+
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                super::$behaviour(Estate::new(service::store::Engine::Postgres).await).await;
            })+
        }
    };
}

/// What a refused use case says.
pub fn problem(outcome: Result<impl std::fmt::Debug, ServiceError>) -> String {
    let error = outcome.expect_err("a refusal");
    assert!(
        matches!(
            error,
            ServiceError::Invalid { .. } | ServiceError::NotFound { .. } | ServiceError::Conflict { .. }
        ),
        "{error:?}"
    );
    error.to_string()
}
