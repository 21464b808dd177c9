//! Large estates, written straight into the tables: an import of a million rooms is not what is measured here.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::deployment::Force;
use domain::ids::{ProductId, RoomId, UpdateId};
use domain::settings::Settings;
use domain::update::Severity;
use domain::zone::Zone;
use service::catalogue::Catalogue;
use service::devices::{Credentials, token_hash};
use service::{Actor, Artifacts, Clock, GatewayToken, NewFile, ProcessConfig, RoomScope, Service, Source};
use sqlx::{AssertSqlSafe, Connection};
use store::{Engine, Store};
use tempfile::TempDir;
use testkit::Database;

const PRODUCTS: &str = r#"[{"id": "bar", "vendor": "Example", "name": "Bar", "kind": "firmware", "covered": true, "expected_minutes": 20}]"#;
const RELEASES: &str = r#"[{"product": "bar", "version": "1.0", "rank": 1, "released": "2025-01-01"},
    {"product": "bar", "version": "2.0", "rank": 2, "released": "2025-02-01"}]"#;

/// Acts for any device.
pub const GATEWAY: &str = "bench-gateway-of-the-organisation";

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
        let estate = Self::empty(engine, settings).await;
        estate.fill(engine, rooms).await;
        estate
    }

    /// Without rooms.
    async fn empty(engine: Engine, settings: Settings) -> Self {
        let Database { address, folder, .. } = Database::new(engine).await;
        let store = Store::open(&address, false).await.expect("a database");
        store.migrate().await.expect("the migrations");
        let service = service(store, folder.path());
        service
            .first_start("Bench".into(), Zone::utc(), settings)
            .await
            .expect("a first start");
        let catalogue = Catalogue::parse(PRODUCTS, RELEASES).expect("a catalogue");
        service.import_catalogue(&actor(), &catalogue).await.expect("an import");
        Self {
            service,
            address,
            folder,
        }
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

    /// A service with `rooms` rooms at two sites in which 30 updates are on their way: one concerns every room, the others some thousands
    /// each, of 100,000. With their deployments, histories and tickets, and an audit of one entry for each room. Nothing is due.
    pub async fn lived_in(engine: Engine, rooms: u32) -> Self {
        let estate = Self::empty(engine, Settings::default()).await;
        let (product, release): (Vec<_>, Vec<_>) = (1..30)
            .map(|number| {
                let product = serde_json::json!({
                    "id": format!("p{number}"), "vendor": format!("Vendor {}", number % 5), "name": format!("Product {number}"),
                    "kind": "firmware", "covered": true, "expected_minutes": 20,
                });
                let release = |version: &str, rank: u32| {
                    serde_json::json!({ "product": format!("p{number}"), "version": version, "rank": rank, "released": "2025-01-01" })
                };
                (product, [release("1.0", 1), release("2.0", 2)])
            })
            .unzip();
        let release: Vec<_> = release.into_iter().flatten().collect();
        let (product, release) = (
            serde_json::json!(product).to_string(),
            serde_json::json!(release).to_string(),
        );
        let catalogue = Catalogue::parse(&product, &release).expect("a catalogue");
        estate
            .service
            .import_catalogue(&actor(), &catalogue)
            .await
            .expect("an import");
        estate.publish().await;
        for number in 1..30 {
            estate.publish_release(&format!("p{number}")).await;
        }
        for statement in lived_in(engine, rooms) {
            estate.execute(&statement).await;
        }
        let noon = "2025-03-13T12:00:00Z".parse().expect("an instant");
        estate.service.clock().advance_to(noon);
        estate
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

    /// Publishes the bar's 2.0; Staging has no rooms, so that General comes a week later.
    pub async fn publish(&self) -> UpdateId {
        self.publish_release("bar").await
    }

    async fn publish_release(&self, product: &str) -> UpdateId {
        let product = ProductId(product.to_owned());
        let mut tx = self.service.store().read().await.expect("a snapshot");
        let release = tx
            .release_of(&product, "2.0")
            .await
            .expect("a query")
            .expect("a release");
        drop(tx);
        let file = NewFile {
            filename: "image.swu".to_owned(),
            source: Source::Bytes(format!("{product} 2.0").into_bytes()),
            expected_sha256: None,
        };
        self.service
            .add_file(&actor(), release.release.id, file)
            .await
            .expect("a file");
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
                &RoomScope::Rooms(rooms.clone()),
                Force::Now,
                "The bench wants it.".into(),
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
    let config = ProcessConfig {
        public_url: "http://localhost".to_owned(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: Some(GatewayToken::parse(GATEWAY).expect("it is long enough")),
        trusted_proxies: Vec::new(),
    };
    let artifacts = Artifacts::open(&folder.join("artifacts")).expect("a folder");
    Service::new(store, Clock::driven(monday()), artifacts, config)
}

/// SQLite keeps yes and no as numbers.
fn engine_true(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "1",
        Engine::Postgres => "true",
    }
}

/// What ten days leave in the tables.
fn lived_in(engine: Engine, rooms: u32) -> Vec<String> {
    let (new_id, numeric) = match engine {
        Engine::Sqlite => ("randomblob(16)", "INTEGER"),
        Engine::Postgres => ("gen_random_uuid()", "BIGINT"),
    };
    let at = "1741600800000000";
    let numbers =
        |last: u32| format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})");
    let number_of = |text: &str, from: u32| format!("CAST(substr({text}, {from}) AS {numeric})");
    let (room, device) = (number_of("r.name", 6), number_of("d.controller_id", 7));
    // Every list has a full page in a small estate too: 50 rooms at a site and in a building, and 50 failed ones at least.
    let (sites, buildings) = (2, (rooms / 50).max(1));
    let failed = (rooms / 2).min(1_000);
    let in_words = |number: &str| match engine {
        Engine::Sqlite => format!("printf('%04d', {number})"),
        Engine::Postgres => format!("to_char({number}, 'FM0000')"),
    };
    vec![
        "DELETE FROM marks".to_owned(),
        format!(
            "INSERT INTO sites (id, name, name_key, city, country, zone)
            {} SELECT {new_id}, 'Site ' || i, 'site ' || i, '', '', 'UTC' FROM n",
            numbers(sites)
        ),
        format!(
            "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
            {} SELECT {new_id}, 'Room ' || i, 'room ' || i, (SELECT s.id FROM sites s WHERE s.name_key = 'site ' || (i % {sites} + 1)), 'House ' || {},
                '4', 8, 'UTC', false, (SELECT g.id FROM rings g WHERE g.kind = 'general'), 'managed' FROM n",
            numbers(rooms),
            in_words(&format!("i % {buildings}"))
        ),
        format!(
            "INSERT INTO devices (id, controller_id, room_id, position, role, vendor, model, serial, facts_wanted, attributes, last_seen_at)
            SELECT {new_id}, 'bench-' || substr(r.name, 6), r.id, 0, 'bar', 'Example', 'B1', '', false, '{{}}', {at} FROM rooms r"
        ),
        "INSERT INTO components (device_id, product_id, version_id, reported_at)
            SELECT d.id, v.product_id, v.id, 0 FROM devices d, versions v WHERE v.product_id = 'bar' AND v.text = '1.0'"
            .to_owned(),
        format!(
            "INSERT INTO components (device_id, product_id, version_id, reported_at)
            SELECT d.id, v.product_id, v.id, 0 FROM devices d JOIN versions v
                ON v.product_id = 'p' || ({device} % 29 + 1) AND v.text = '1.0'"
        ),
        "UPDATE rollouts SET next_at = NULL".to_owned(),
        "INSERT INTO stages (update_id, position, ring_id, name, place, rollout_days, test_days, starts_on, rollout_ends, entered_at, rooms, placed,
            test_ends)
            SELECT u.update_id, 0, g.id, g.name, 0, 2, 5, '2025-03-03', '2025-03-05', 0, 0, 0, '2025-03-10'
            FROM rollouts u, rings g WHERE g.kind = 'staging'"
            .to_owned(),
        "INSERT INTO stages (update_id, position, ring_id, name, place, rollout_days, test_days, starts_on, rollout_ends, entered_at, rooms, placed,
            test_ends)
            SELECT u.update_id, 1, g.id, g.name, 5, 10, 4, '2025-03-10', '2025-03-20', 0, 1, 1, '2025-03-24'
            FROM rollouts u, rings g WHERE g.kind = 'general'"
            .to_owned(),
        format!(
            "INSERT INTO deployments (id, update_id, room_id, ring_id, night, planned_night, state, progress, ended_at, failure, attempt, missed_windows,
                crowded_windows, catch_up, from_version, reason, room_key)
            SELECT {new_id}, x.update_id, x.room_id, x.ring_id, x.night, x.night, x.state,
                CASE WHEN x.state = 'waiting' THEN 'not_started' ELSE x.state END,
                CASE WHEN x.state = 'waiting' THEN NULL ELSE {at} END, CASE WHEN x.state = 'failed' THEN 'reported' ELSE NULL END, 1, 0, 0,
                false, '1.0', 'Night 4 of 10 in General.', x.name_key
            FROM (SELECT o.update_id, r.id AS room_id, r.ring_id, r.name_key, {} AS night,
                    CASE WHEN {room} <= {failed} THEN 'failed' WHEN {room} % 10 < 4 THEN 'completed' ELSE 'waiting' END AS state
                FROM rollouts o JOIN updates u ON u.id = o.update_id JOIN components c ON c.product_id = u.product_id
                    JOIN devices d ON d.id = c.device_id JOIN rooms r ON r.id = d.room_id) x",
            match engine {
                Engine::Sqlite => format!("'2025-03-1' || ({room} % 10)"),
                Engine::Postgres => format!("DATE '2025-03-10' + CAST({room} % 10 AS INTEGER)"),
            }
        ),
        "INSERT INTO ring_counts (update_id, ring_id, scheduled, completed, failed)
            SELECT update_id, ring_id, SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END),
                SUM(CASE WHEN state = 'completed' THEN 1 ELSE 0 END), SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END)
            FROM deployments GROUP BY update_id, ring_id"
            .to_owned(),
        format!(
            "INSERT INTO deployment_events (deployment_id, update_id, room_id, at, state, reason)
            SELECT id, update_id, room_id, {at}, state, reason FROM deployments"
        ),
        format!(
            "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact, update_id, failure_room_id, opened_by,
                opened_at, changed_at)
            SELECT {new_id}, 1000 + ROW_NUMBER() OVER (ORDER BY x.room_id, x.update_id), 'Update failed in ' || r.name, '', 'important', 'Updates',
                'needs_action', false, x.update_id, x.room_id, 'Nightshift', {at}, {at}
            FROM deployments x JOIN rooms r ON r.id = x.room_id WHERE x.state = 'failed'"
        ),
        format!(
            "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact, opened_by, opened_at, changed_at,
                resolved_at)
            {} SELECT {new_id}, 1000000 + i, 'Echo in house ' || {}, 'It hums.', 'warning', 'Audio', 'resolved', false, 'Ada', {at}, {at}, {at} FROM n",
            numbers(rooms),
            in_words(&format!("i % {buildings}"))
        ),
        "INSERT INTO ticket_rooms (ticket_id, room_id) SELECT id, failure_room_id FROM tickets WHERE failure_room_id IS NOT NULL".to_owned(),
        format!(
            "INSERT INTO ticket_rooms (ticket_id, room_id)
            SELECT t.id, r.id FROM tickets t JOIN rooms r ON r.name_key = 'room ' || (t.number - 1000000) WHERE t.number > 1000000"
        ),
        format!("INSERT INTO ticket_events (ticket_id, at, actor, text) SELECT id, {at}, 'Ada', 'Looked at it.' FROM tickets"),
        format!(
            "INSERT INTO audit (at, actor, action, object_kind, object_id, summary)
            {} SELECT {at} + i, CASE WHEN i % 3 = 0 THEN 'Ada' ELSE 'Bo' END, 'room.moved', 'room', 'r' || i, 'Moved Room ' || i FROM n",
            numbers(rooms.max(300))
        ),
        format!(
            "INSERT INTO holds (id, room_id, product_id, owner, reason, since, until)
            SELECT {new_id}, r.id, NULL, 'Facilities', 'a fair', '2025-01-01', '2025-01-05' FROM rooms r WHERE {room} % 10 = 3"
        ),
        format!(
            "INSERT INTO blocks (room_id, kind, why) SELECT r.id, 'os', 'The check failed.' FROM rooms r WHERE {room} % 10 = 4"
        ),
        // Of each result a page at least, and of one that is rare no more than a thousand.
        format!(
            "INSERT INTO checks (room_id, check_name, result, since)
            SELECT r.id, 'os_updates', CASE WHEN {room} <= {failed} THEN 'fail' ELSE 'pass' END, {at} FROM rooms r"
        ),
        format!(
            "INSERT INTO checks (room_id, check_name, result, since)
            SELECT r.id, 'worst', CASE WHEN {room} <= {failed} THEN 'fail' WHEN {room} % 2 = 0 THEN 'warning' ELSE 'pass' END, {at} FROM rooms r"
        ),
        format!(
            "INSERT INTO unreviewed_software (room_id, name_key, name) SELECT r.id, 'viewer', 'Viewer' FROM rooms r WHERE {room} % 2 = 0"
        ),
        format!(
            "INSERT INTO unreviewed_software (room_id, name_key, name) SELECT r.id, 'tool ' || {room}, 'Tool ' || {room} FROM rooms r"
        ),
        format!(
            "INSERT INTO waivers (room_id, check_name, until, given_by, given_at, reason)
            SELECT r.id, 'antivirus', '2025-12-31', 'Ada', {at}, 'It is on its way.' FROM rooms r WHERE {room} % 10 = 2"
        ),
        format!(
            "INSERT INTO program_lists (device_id, taken_at, count, programs) SELECT d.id, {at}, 1,
                '[{{\"name\": \"Viewer\", \"version\": \"1\", \"publisher\": \"\", \"source\": \"\"}}]' FROM devices d WHERE {device} % 10 = 0"
        ),
        format!(
            "INSERT INTO setting_changes (device_id, setting, value, made_at, ended_at)
            SELECT d.id, 'store_updates', 'off', {at}, {at} FROM devices d WHERE {device} % 10 = 1"
        ),
        format!("UPDATE rooms SET state = 'onboarding' WHERE {} > {rooms} - 50", number_of("name", 6)),
        format!("UPDATE products SET has_support_policy = {} WHERE id = 'bar'", engine_true(engine)),
        format!("INSERT INTO versions (id, product_id, text, released) VALUES ({new_id}, 'bar', '0.9', '2023-01-01')"),
        format!(
            "UPDATE components SET version_id = (SELECT v.id FROM versions v WHERE v.product_id = 'bar' AND v.text = '0.9')
            WHERE product_id = 'bar' AND device_id IN (SELECT d.id FROM devices d WHERE {device} <= {failed})"
        ),
        // Housekeeping that would go on while pages are measured.
        match engine {
            Engine::Sqlite => "ANALYZE",
            Engine::Postgres => "VACUUM (ANALYZE)",
        }
        .to_owned(),
    ]
}
