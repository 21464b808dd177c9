//! An organisation that tests can live in: a service on a database of its own, and a clock that is set by hand.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::TimeDelta;
use domain::check::{Finding, check};
use domain::deployment::Deployment;
use domain::fleet::Fleet;
use domain::halt::HaltRule;
use domain::ids::{ProductId, RingId, RoomId, UpdateId};
use domain::ring::RingOrder;
use domain::settings::Settings;
use domain::update::Severity;
use domain::zone::Zone;
use service::{Actor, Artifacts, Clock, GatewayToken, ProcessConfig, RingFields, RoomsFile, Service, ServiceError};
use store::{AuditFilter, Engine, Store};

use crate::devices::{Devices, GATEWAY, controller};
use crate::{Database, OnEngine, catalogue, facts, instant};

/// A service with everything around it.
pub struct Estate {
    /// All use cases.
    pub service: Service,
    /// Stands still until a test sets it.
    pub clock: Clock,
    /// Where the facts lie; its folder has the artifacts.
    pub database: Database,
}

impl Estate {
    /// Three rings, two products, and no rooms; Tuesday afternoon.
    pub async fn new(engine: Engine) -> Self {
        let database = Database::new(engine).await;
        let clock = Clock::driven(instant("2025-03-04T15:00:00Z"));
        let service = serve(database.open(false).await, &clock, database.folder.path());
        assert!(
            service
                .first_start("Example".into(), Zone::utc(), without_halts())
                .await
                .expect("a first start")
        );
        service
            .import_catalogue(&actor(), &catalogue::bar_and_app())
            .await
            .expect("an import");
        Self {
            service,
            clock,
            database,
        }
    }

    /// From now on a rollout is paused by rule when rooms fail (K7).
    pub async fn with_halts(&self) {
        let put: store::Result<()> = store::write!(self.service.store(), tx => {
            let mut organisation = tx.organisation().await?.expect("an organisation");
            organisation.settings.halt = HaltRule::default();
            tx.put_organisation(&organisation).await
        });
        put.expect("settings");
    }

    /// Another process on the same database and with the same clock.
    pub async fn another(&self) -> Service {
        let store = Store::open(&self.database.address, false).await.expect("the database");
        serve(store, &self.clock, self.database.folder.path())
    }

    /// `number` rooms in each named ring: `Staging 1`, `Staging 2` …, each with one bar that runs 1.0 and the app 10.
    pub async fn rooms(&self, rings: &[(&str, usize)]) -> BTreeMap<String, RoomId> {
        let mut rooms = Vec::new();
        for (ring, number) in rings {
            for index in 1..=*number {
                let name = format!("{ring} {index}");
                rooms.push(serde_json::json!({
                    "name": name, "site": "Harbour", "ring": ring,
                    "devices": [{ "id": controller(&name), "model": "B1", "installed": { "bar": "1.0", "app": "10" } }],
                }));
            }
        }
        let file = serde_json::json!({ "sites": [{ "name": "Harbour", "zone": "UTC" }], "rooms": rooms });
        let file = RoomsFile::parse(&file.to_string()).expect("rooms");
        let names: Vec<String> = file.rooms.iter().map(|room| room.name.to_string()).collect();
        let report = self.service.import_rooms(&actor(), &file).await.expect("an import");
        facts::manage(&self.service, &report.ids).await;
        names.into_iter().zip(report.ids).collect()
    }

    /// Publishes a version with a file.
    pub async fn publish(&self, product: &str, version: &str, severity: Option<Severity>) -> UpdateId {
        self.add_file(product, version).await;
        self.service
            .publish(&actor(), &ProductId(product.to_owned()), version, severity)
            .await
            .expect("a rollout")
            .update
    }

    /// Adds a file to a release; its bytes follow from product and version.
    pub async fn add_file(&self, product: &str, version: &str) {
        let release = facts::release(&self.service, product, version).await;
        let bytes = format!("{product} {version}").into_bytes();
        facts::add_file(&self.service, release, "image.swu", bytes).await;
    }

    /// The ring of this name.
    pub async fn ring(&self, name: &str) -> RingId {
        facts::ring(&self.service, name).await
    }

    /// Sets the clock; nobody ticks.
    pub fn at(&self, text: &str) {
        self.clock.advance_to(instant(text));
    }

    /// Sets the clock, and ticks.
    pub async fn at_and_tick(&self, text: &str) {
        self.at(text);
        self.service.tick().await.expect("a tick");
    }

    /// All facts.
    pub async fn fleet(&self) -> Fleet {
        facts::fleet(&self.service).await
    }

    /// Where the update stands in the room.
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

    /// No law is broken, every count is right, and there is nothing to plan: the tick has just been.
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
    /// minutes inside windows.
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

impl OnEngine for Estate {
    async fn make_on(engine: Engine) -> Self {
        Self::new(engine).await
    }
}

/// A service with its artifacts in this folder.
pub fn service_on(store: Store, clock: &Clock, folder: &Path, process: ProcessConfig) -> Service {
    let artifacts = Artifacts::open(&folder.join("artifacts")).expect("a folder");
    Service::new(store, clock.clone(), artifacts, process)
}

pub(crate) fn serve(store: Store, clock: &Clock, folder: &Path) -> Service {
    let process = ProcessConfig {
        public_url: "http://localhost".to_owned(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: Some(GatewayToken::parse(GATEWAY).expect("it is long enough")),
        trusted_proxies: Vec::new(),
    };
    service_on(store, clock, folder, process)
}

/// Who acts when it does not matter who: may do everything.
pub fn actor() -> Actor {
    Actor::system("Admin")
}

/// The defaults, but for the halt rule: what fails in a test does not stop it.
#[must_use]
pub fn without_halts() -> Settings {
    Settings {
        halt: HaltRule::OFF,
        ..Settings::default()
    }
}

/// What somebody types into the form of a ring.
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
