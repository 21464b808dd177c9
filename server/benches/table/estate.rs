//! Large estates, written straight into the tables: an import of a million rooms is not what is measured here.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use domain::deployment::Force;
use domain::ids::{ProductId, RoomId, UpdateId};
use domain::install::{Execution, Feedback, Finished};
use domain::settings::Settings;
use domain::update::Severity;
use domain::zone::Zone;
use service::catalogue::Catalogue;
use service::devices::{Credentials, token_hash};
use service::store::{Engine, Store};
use service::{Actor, Artifacts, Clock, Deployment, NewFile, Scope, Service, Source};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

const PRODUCTS: &str = r#"[{"id": "bar", "vendor": "Example", "name": "Bar", "kind": "firmware", "covered": true, "expected_minutes": 20}]"#;
const RELEASES: &str = r#"[{"product": "bar", "version": "1.0", "rank": 1, "released": "2025-01-01"},
    {"product": "bar", "version": "2.0", "rank": 2, "released": "2025-02-01"}]"#;

/// Acts for any device.
pub const GATEWAY: &str = "bench-gateway";

/// A service with `rooms` rooms in General, each with one bar on 1.0.
pub struct Estate {
    pub service: Service,
    pub address: String,
    pub folder: TempDir,
}

pub fn monday() -> DateTime<Utc> {
    "2025-03-03T12:00:00Z".parse().expect("an instant")
}

pub fn actor() -> Actor {
    Actor::system("Bench")
}

impl Estate {
    pub async fn new(engine: Engine, rooms: u32) -> Self {
        Self::with(engine, rooms, Settings::default()).await
    }

    pub async fn with(engine: Engine, rooms: u32, settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("nightshift.db").display()),
            Engine::Postgres => postgres_database().await,
        };
        let store = Store::open(&address, false).await.expect("a database");
        store.migrate().await.expect("the migrations");
        let service = service(store, folder.path());
        service
            .first_start("Bench", Zone::utc(), settings)
            .await
            .expect("a first start");
        let catalogue = Catalogue::parse(PRODUCTS, RELEASES).expect("a catalogue");
        service.import_catalogue(&actor(), &catalogue).await.expect("an import");
        let estate = Self {
            service,
            address,
            folder,
        };
        estate.fill(engine, rooms).await;
        estate
    }

    async fn fill(&self, engine: Engine, rooms: u32) {
        let new_id = match engine {
            Engine::Sqlite => "randomblob(16)",
            Engine::Postgres => "gen_random_uuid()",
        };
        let statements = [
            format!("INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ({new_id}, 'Harbour', 'harbour', '', '', 'UTC')"),
            format!(
                "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rooms})
                SELECT {new_id}, 'Room ' || i, 'room ' || i, (SELECT id FROM sites), '', '', 8, 'UTC', false,
                    (SELECT id FROM rings WHERE kind = 'general'), 'managed' FROM n"
            ),
            format!(
                "INSERT INTO devices (id, controller_id, room_id, position, role, vendor, model, serial, facts_wanted, attributes)
                SELECT {new_id}, 'bench-' || substr(name, 6), id, 0, 'bar', 'Example', 'B' || (capacity % 7), '', false, '{{}}' FROM rooms"
            ),
            "INSERT INTO components (device_id, product_id, version_id, reported_at)
                SELECT d.id, v.product_id, v.id, 0 FROM devices d, versions v WHERE v.text = '1.0'"
                .to_owned(),
            "ANALYZE".to_owned(),
        ];
        for statement in statements {
            self.execute(&statement).await;
        }
    }

    /// Behind the store's back; gives the rows that were written.
    pub async fn execute(&self, statement: &str) -> u64 {
        let sql = AssertSqlSafe(statement.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                .pragma("cache_size", "-65536")
                .foreign_keys(true);
            let mut connection = sqlx::SqliteConnection::connect_with(&options)
                .await
                .expect("the file opens");
            let done = sqlx::query(sql).execute(&mut connection).await;
            done.expect("a statement").rows_affected()
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.address)
                .await
                .expect("the server answers");
            let done = sqlx::query(sql).execute(&mut connection).await;
            done.expect("a statement").rows_affected()
        }
    }

    pub fn artifacts(&self) -> PathBuf {
        self.folder.path().join("artifacts")
    }

    /// Publishes 2.0; Staging has no rooms, so that General comes a week later.
    pub async fn publish(&self) -> UpdateId {
        let mut tx = self.service.store().read().await.expect("a snapshot");
        let release = tx
            .release_of(&ProductId("bar".to_owned()), "2.0")
            .await
            .expect("a query")
            .expect("a release");
        drop(tx);
        let file = NewFile {
            filename: "bar.swu".to_owned(),
            source: Source::Bytes(b"bar 2.0".to_vec()),
            expected_sha256: None,
        };
        self.service
            .add_file(&actor(), release.release.id, file)
            .await
            .expect("a file");
        let product = ProductId("bar".to_owned());
        let published = self
            .service
            .publish(&actor(), &product, "2.0", Some(Severity::Critical))
            .await;
        published.expect("a rollout").update
    }

    /// Ticks at every instant at which something is due, up to `end`.
    pub async fn tick_until(&self, end: DateTime<Utc>) {
        loop {
            self.service.tick().await.expect("a tick");
            let due = self.service.next_due().await.expect("what is due");
            match due.filter(|due| *due <= end) {
                Some(due) if due > self.service.clock().now() => self.service.clock().advance_to(due),
                Some(_) => {}
                None => break,
            }
        }
        self.service.clock().advance_to(end);
        self.service.tick().await.expect("a tick");
    }

    pub async fn room_ids(&self) -> Vec<RoomId> {
        let fleet = self
            .service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .fleet()
            .await
            .expect("the fleet");
        fleet.rooms.keys().copied().collect()
    }

    /// Gives every device a token and has it start its install: (device, token, action).
    pub async fn all_started(&self) -> Vec<(String, String, i32)> {
        let update = self.publish().await;
        let rooms = self.room_ids().await;
        self.service
            .force(
                &actor(),
                update,
                &Scope::Rooms(rooms.clone()),
                Force::Now,
                "The bench wants it.",
            )
            .await
            .expect("a force");
        self.service.tick().await.expect("a tick");
        let mut started = Vec::new();
        for number in 1..=rooms.len() {
            let device = format!("bench-{number}");
            let token = self.service.enrol_device(&actor(), &device).await.expect("a token");
            let credentials = Credentials::Target(token.clone());
            let caller = self
                .service
                .device(&device, &credentials)
                .await
                .expect("a query")
                .expect("a device");
            let action = caller.open.expect("an install");
            let feedback = Feedback {
                execution: Execution::Proceeding,
                finished: Finished::None,
                details: Vec::new(),
            };
            self.service.feedback(&caller, action, feedback).await.expect("a start");
            started.push((device, token, action.0));
        }
        self.service.tick().await.expect("a tick");
        // Nobody is asked for facts: the measured reports are all alike.
        self.execute("UPDATE devices SET facts_wanted = false").await;
        started
    }

    /// Every device gets a token that follows from its name.
    pub async fn all_enrolled(&self, number: u32) -> Vec<(String, String)> {
        let mut enrolled = Vec::new();
        for number in 1..=number {
            let (device, token) = (format!("bench-{number}"), format!("token-{number}"));
            let hash: String = token_hash(&token).iter().map(|byte| format!("{byte:02x}")).collect();
            self.execute(&format!(
                "UPDATE devices SET token_hash = x'{hash}' WHERE controller_id = '{device}'"
            ))
            .await;
            enrolled.push((device, token));
        }
        enrolled
    }
}

fn service(store: Store, folder: &Path) -> Service {
    let deployment = Deployment {
        public_url: "http://localhost".to_owned(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: Some(GATEWAY.to_owned()),
        trusted_proxies: Vec::new(),
    };
    let artifacts = Artifacts::open(&folder.join("artifacts")).expect("a folder");
    Service::new(store, Clock::driven(monday()), artifacts, deployment)
}

async fn postgres_database() -> String {
    let server =
        std::env::var("NIGHTSHIFT_TEST_POSTGRES").expect("run it as `make bench`, which starts a private Postgres");
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).expect("randomness");
    let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut connection = sqlx::PgConnection::connect(&server).await.expect("the server answers");
    let statement = AssertSqlSafe(format!("CREATE DATABASE bench_{name}"));
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .expect("a database");
    let (server, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{server}/bench_{name}")
}
