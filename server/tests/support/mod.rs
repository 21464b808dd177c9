//! A house for tests: the real router on a real listener, a service with a driven clock, a small estate, and its devices' words.
//!
//! Every test function takes the [`Engine`] it runs on; [`both_engines!`] stamps it for SQLite and Postgres. Postgres comes from
//! `NIGHTSHIFT_TEST_POSTGRES` (`tools/postgres cargo nextest run …` sets it); without it those tests fail and say so.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod dice;
pub mod program;
pub mod swupdate;
pub mod visitor;
pub mod wire;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::deployment::{Deployment, Force};
use domain::fleet::Fleet;
use domain::ids::{DeviceId, ProductId, RoomId, UpdateId};
use domain::install::{Install, InstallState};
use domain::room::Room;
use domain::settings::Settings;
use domain::status::{self, RoomStatus};
use domain::ticket::TicketState;
use domain::zone::Zone;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use server::router::{ServerConfig, router};
use service::catalogue::Catalogue;
use service::people::Origin;
use service::store::Store;
use service::{Actor, Artifacts, Clock, GatewayToken, NewFile, ProcessConfig, RoomScope, RoomsFile, Service, Source};
use sqlx::Connection;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use visitor::Visitor;

/// Stamps tests for both engines: each name is an `async fn(Engine)` beside the macro's call.
#[macro_export]
macro_rules! both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::Engine::Sqlite).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::Engine::Postgres).await;
            })+
        }
    };
}

/// The first admin's account.
pub const ADMIN: &str = "ada@example.com";
pub const PASSWORD: &str = "a lamp that hums at night";

/// On which database a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// The firmware of every bar in the estate.
pub const BAR: &str = "rally-bar-collabos";
/// A product whose devices do not say which version they have.
pub const MUTE: &str = "scheduler-panel";

/// A Monday noon in London, before the nights of the tests.
pub fn monday() -> DateTime<Utc> {
    instant("2025-03-03T12:00:00Z")
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

pub fn actor() -> Actor {
    Actor::system("Test")
}

pub fn bar() -> ProductId {
    ProductId(BAR.to_owned())
}

/// A database of its own for one test.
pub struct Database {
    pub address: String,
    pub folder: TempDir,
}

impl Database {
    /// # Panics
    /// Postgres is wanted and `NIGHTSHIFT_TEST_POSTGRES` is not set or does not answer.
    pub async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("nightshift.db").display()),
            Engine::Postgres => {
                let server = std::env::var("NIGHTSHIFT_TEST_POSTGRES").unwrap_or_else(|_| {
                    panic!(
                        "NIGHTSHIFT_TEST_POSTGRES is not set: run the tests as `tools/postgres cargo nextest run …`, or set it \
                         to the URL of a Postgres superuser"
                    )
                });
                let name = format!("nightshift_{}", unique());
                let mut connection = sqlx::PgConnection::connect(&server)
                    .await
                    .expect("the server of NIGHTSHIFT_TEST_POSTGRES must answer");
                sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                    .execute(&mut connection)
                    .await
                    .expect("the user of NIGHTSHIFT_TEST_POSTGRES must be allowed to create databases");
                connection.close().await.expect("an orderly end");
                let (server, _) = server.rsplit_once('/').expect("a URL with a database");
                format!("{server}/{name}")
            }
        };
        Self { address, folder }
    }

    /// Another one with the same facts. Nobody may have it open.
    pub async fn copy(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = if let Some(path) = self.address.strip_prefix("sqlite:") {
            assert!(!Path::new(&format!("{path}-wal")).exists(), "somebody has it open");
            let copy = folder.path().join("nightshift.db");
            std::fs::copy(path, &copy).expect("a copy");
            format!("sqlite:{}", copy.display())
        } else {
            let (server, template) = self.address.rsplit_once('/').expect("a URL with a database");
            let name = format!("nightshift_{}", unique());
            let mut connection = sqlx::PgConnection::connect(&format!("{server}/postgres"))
                .await
                .expect("the server answers");
            let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .expect("a copy");
            connection.close().await.expect("an orderly end");
            format!("{server}/{name}")
        };
        Self { address, folder }
    }

    /// Opens it and brings it up to date.
    pub async fn open(&self, serving: bool) -> Store {
        let store = Store::open(&self.address, serving).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        store
    }

    /// The schema of the first release, and nothing after it.
    pub async fn migrate_first(&self) {
        let engine = if self.address.starts_with("sqlite:") {
            "sqlite"
        } else {
            "postgres"
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
        let mut migrator = sqlx::migrate::Migrator::new(folder).await.expect("migrations");
        migrator.migrations.to_mut().truncate(1);
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a file");
            migrator
                .run_direct(None, &mut connection, false)
                .await
                .expect("the first migration");
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.address)
                .await
                .expect("the server answers");
            migrator
                .run_direct(None, &mut connection, false)
                .await
                .expect("the first migration");
        }
    }

    /// Runs one statement behind the store's back; gives the rows that it changed.
    pub async fn tamper(&self, statement: &str) -> u64 {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("the file opens");
            let done = sqlx::query(statement)
                .execute(&mut connection)
                .await
                .expect("the statement runs");
            done.rows_affected()
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.address)
                .await
                .expect("the server answers");
            let done = sqlx::query(statement)
                .execute(&mut connection)
                .await
                .expect("the statement runs");
            done.rows_affected()
        }
    }

    /// Whether the database itself refuses a statement.
    pub async fn is_refused(&self, statement: &str) -> bool {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("the file opens");
            sqlx::query(statement).execute(&mut connection).await.is_err()
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.address)
                .await
                .expect("the server answers");
            sqlx::query(statement).execute(&mut connection).await.is_err()
        }
    }

    /// One number out of it.
    pub async fn count(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("the file opens");
            sqlx::query_scalar(query)
                .fetch_one(&mut connection)
                .await
                .expect("the query runs")
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.address)
                .await
                .expect("the server answers");
            sqlx::query_scalar(query)
                .fetch_one(&mut connection)
                .await
                .expect("the query runs")
        }
    }
}

fn unique() -> String {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).expect("randomness");
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a house differs from the ordinary one.
#[derive(Clone, Debug)]
pub struct Options {
    pub gateway_token: Option<String>,
    /// What browsers call it; otherwise where it listens.
    pub public_url: Option<String>,
    pub trusted_proxies: Vec<std::net::IpAddr>,
    pub settings: Settings,
    pub rooms: Value,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            gateway_token: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            settings: Settings::default(),
            rooms: rooms(&[
                ("Lab", "Staging", "lab-1"),
                ("Hall", "General", "hall-1"),
                ("Board", "Executive", "board-1"),
            ]),
        }
    }
}

/// A rooms file with one bar on 1.0 in each room: name, ring, device.
pub fn rooms(rooms: &[(&str, &str, &str)]) -> Value {
    let rooms: Vec<Value> = rooms
        .iter()
        .map(|(name, ring, device)| {
            json!({ "name": name, "site": "London", "ring": ring,
                "devices": [{ "id": device, "model": "Rally Bar", "installed": { BAR: "1.0" } }] })
        })
        .collect();
    json!({ "sites": [{ "name": "London", "city": "London", "country": "UK", "zone": "Europe/London" }], "rooms": rooms })
}

/// The real router on a real listener, over a database of its own.
pub struct House {
    pub database: Database,
    pub service: Service,
    /// `http://127.0.0.1:port`.
    pub base: String,
    pub tokens: BTreeMap<String, String>,
    options: Options,
    http: reqwest::Client,
    serving: Option<(JoinHandle<()>, CancellationToken)>,
}

impl House {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, Options::default()).await
    }

    pub async fn with(engine: Engine, options: Options) -> Self {
        Self::on(Database::new(engine).await, options).await
    }

    /// On a database that is there and empty.
    pub async fn on(database: Database, options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (service, base, serving) = serve(&database, Clock::driven(monday()), &options).await;
        let zone = Zone::parse("Europe/London").expect("a zone");
        service
            .first_start("Test".into(), zone, options.settings.clone())
            .await
            .expect("the first start");
        service
            .import_catalogue(&actor(), &catalogue())
            .await
            .expect("the catalogue");
        let file: RoomsFile = serde_json::from_value(options.rooms.clone()).expect("a rooms file");
        service.import_rooms(&actor(), &file).await.expect("the rooms");
        let mut tokens = BTreeMap::new();
        for device in file.rooms.iter().flat_map(|room| &room.devices) {
            let token = service.enrol_device(&actor(), &device.id).await.expect("a token");
            tokens.insert(device.id.clone(), token);
        }
        service.tick().await.expect("a tick");
        let http = client();
        Self {
            database,
            service,
            base,
            tokens,
            options,
            http,
            serving: Some(serving),
        }
    }

    /// Ends the server in an orderly way and starts another one on the same database, at another port.
    pub async fn restart(&mut self) {
        let clock = self.service.clock().clone();
        // Connections that are kept alive would keep the old server.
        self.http = client();
        if let Some((serving, stop)) = self.serving.take() {
            stop.cancel();
            serving.await.expect("the server ends");
        }
        self.service.store().close().await;
        let folder = self.database.folder.path().join("gone");
        // Drops the last handle of the old store, and with it its lock.
        let placeholder = Store::open(&format!("sqlite:{}", folder.display()), false)
            .await
            .expect("a database");
        self.service = Service::new(
            placeholder,
            clock.clone(),
            artifacts(&self.database),
            process_config("", &self.options),
        );
        let (service, base, serving) = serve(&self.database, clock, &self.options).await;
        self.service = service;
        self.base = base;
        self.serving = Some(serving);
    }

    /// A second server on the same database (Postgres), with the same clock; gives its address.
    pub async fn another(&self) -> String {
        let (_, base, _) = serve(&self.database, self.service.clock().clone(), &self.options).await;
        base
    }

    /// Ends the first server; its service stays for looking at facts.
    pub async fn stop(&mut self) {
        self.http = client();
        if let Some((serving, stop)) = self.serving.take() {
            stop.cancel();
            serving.await.expect("the server ends");
        }
    }

    // People

    /// The first admin: their browser, signed in.
    pub async fn admin(&self) -> Visitor {
        let (link, origin) = (self.service.first_admin_link().await, Origin::default());
        let link = link.expect("a query").expect("nobody has an account yet");
        let made = self
            .service
            .make_first_admin(&link, "Ada".into(), ADMIN.into(), PASSWORD, &origin);
        Visitor::with_session(&self.base, &made.await.expect("the first admin").token)
    }

    /// Somebody else's browser, signed in, with [`PASSWORD`].
    pub async fn person(&self, email: &str, role: Role) -> Visitor {
        let origin = Origin::default();
        let link = self
            .service
            .add_person(&actor(), email.into(), email.into(), role)
            .await;
        let link = link.expect("a link");
        let chosen = self.service.choose_password(&link, PASSWORD, &origin);
        chosen.await.expect("a password");
        let signed_in = self.service.sign_in(email.into(), PASSWORD, &origin).await;
        Visitor::with_session(&self.base, &signed_in.expect("a session").token)
    }

    // Time

    pub fn now(&self) -> DateTime<Utc> {
        self.service.clock().now()
    }

    /// Sets the clock and ticks.
    pub async fn at(&self, instant: DateTime<Utc>) {
        self.service.clock().advance_to(instant);
        self.tick().await;
    }

    pub async fn later(&self, minutes: i64) {
        self.at(self.now() + TimeDelta::minutes(minutes)).await;
    }

    pub async fn tick(&self) {
        self.service.tick().await.expect("a tick");
    }

    /// Goes from event to event until the device has a planned install; gives its window. The clock stands before it.
    pub async fn until_planned(&self, device: &str) -> (DateTime<Utc>, DateTime<Utc>) {
        for _ in 0..500 {
            if let Some(install) = self.open_install(device).await
                && install.state == InstallState::Planned
                && let Some(window) = install.window
                && self.now() <= window.1
            {
                return window;
            }
            let next = self.service.next_due().await.expect("what is due");
            let next = next.unwrap_or_else(|| panic!("{device} never gets its turn: nothing is due any more"));
            self.at(next.max(self.now() + TimeDelta::seconds(1))).await;
        }
        panic!("{device} never gets its turn");
    }

    /// Lets the device poll through its first window without taking the work, and goes on until the next one is prepared:
    /// an hour before it opens. (A ring is entered with the date itself, so that its first night has no such hour.)
    pub async fn until_prepared(&self, device: &str) -> (DateTime<Utc>, DateTime<Utc>) {
        let (_, closes) = self.enter_window(device).await;
        assert!(
            self.offered(device).await.is_some(),
            "{device} is offered its work in its window"
        );
        self.at(closes).await;
        let (opens, closes) = self.until_planned(device).await;
        assert_eq!(
            opens - self.now(),
            TimeDelta::minutes(60),
            "prepared an hour before the window"
        );
        (opens, closes)
    }

    /// Goes ten minutes into the device's next window.
    pub async fn enter_window(&self, device: &str) -> (DateTime<Utc>, DateTime<Utc>) {
        let window = self.until_planned(device).await;
        self.at(window.0 + TimeDelta::minutes(10)).await;
        window
    }

    // The portfolio

    /// Publishes a version of the bars' firmware with some bytes as its file.
    pub async fn publish(&self, version: &str) -> UpdateId {
        self.publish_bytes(BAR, version, content(version)).await
    }

    pub async fn publish_bytes(&self, product: &str, version: &str, bytes: Vec<u8>) -> UpdateId {
        let product = ProductId(product.to_owned());
        let update = self.release(&product, version).await;
        let file = NewFile {
            filename: "rally-bar.swu".to_owned(),
            source: Source::Bytes(bytes),
            expected_sha256: None,
        };
        self.service
            .add_file(&actor(), update, file)
            .await
            .expect("the file is added");
        let published = self
            .service
            .publish(&actor(), &product, version, None)
            .await
            .expect("it is published");
        assert_eq!(published.update, update);
        self.tick().await;
        update
    }

    pub async fn release(&self, product: &ProductId, version: &str) -> UpdateId {
        let mut tx = self.service.store().read().await.expect("a read");
        let release = tx.release_of(product, version).await.expect("a query");
        release.expect("the catalogue has this release").release.id
    }

    pub async fn pause(&self, update: UpdateId) {
        self.service
            .pause(&actor(), update, "a test pauses".into(), None)
            .await
            .expect("it pauses");
        self.tick().await;
    }

    pub async fn force(&self, update: UpdateId, room: &str) {
        self.force_as(update, room, Force::Now).await;
    }

    pub async fn force_as(&self, update: UpdateId, room: &str, mode: Force) {
        let room = self.room(room).await.id;
        let forced = self
            .service
            .force(
                &actor(),
                update,
                &RoomScope::Rooms(vec![room]),
                mode,
                "a test forces".into(),
            )
            .await
            .expect("it is forced");
        assert_eq!(forced.rooms, [room], "{:?}", forced.left_out);
        self.tick().await;
    }

    /// An admin stops the update in the room of a device.
    pub async fn cancel(&self, update: UpdateId, device: &str) {
        let room = self.room_of(device).await;
        let room = self.room(&room).await.id;
        let asked = self.service.cancel(&actor(), update, room, "a test stops".into()).await;
        assert_eq!(asked.expect("it is asked to stop"), 1);
        self.tick().await;
    }

    /// The device's answer to a cancel.
    pub async fn answer_cancel(&self, device: &str, action: &str, execution: &str, finished: &str) -> u16 {
        let body = json!({ "id": action, "status": { "execution": execution, "result": { "finished": finished } } });
        let rest = format!("/cancelAction/{action}/feedback");
        let headers = [("content-type", "application/json")];
        let answer = self
            .ask(Method::POST, device, &rest, &headers, body.to_string().into_bytes())
            .await;
        self.tick().await;
        answer.status
    }

    // Facts

    /// The name of the room that a device stands in.
    pub async fn room_of(&self, device: &str) -> String {
        let id = self.device_id(device).await;
        let rooms = self.fleet().await.rooms;
        let room = rooms.values().find(|room| room.devices.iter().any(|own| own.id == id));
        room.expect("a room").name.clone()
    }

    pub async fn fleet(&self) -> Fleet {
        let mut tx = self.service.store().read().await.expect("a read");
        tx.fleet().await.expect("all facts")
    }

    pub async fn room(&self, name: &str) -> Room {
        let fleet = self.fleet().await;
        let room = fleet.rooms.into_values().find(|room| room.name == name);
        room.unwrap_or_else(|| panic!("there is no room {name}"))
    }

    pub async fn deployment(&self, room: &str, update: UpdateId) -> Option<Deployment> {
        let id = self.room(room).await.id;
        self.fleet().await.deployment_of(id, update).cloned()
    }

    pub async fn status(&self, room: &str, update: UpdateId) -> RoomStatus {
        let fleet = self.fleet().await;
        let id = fleet
            .rooms
            .values()
            .find(|known| known.name == room)
            .map(|room| room.id);
        let id = id.unwrap_or_else(|| panic!("there is no room {room}"));
        let rollout = fleet.rollouts.get(&update).expect("a rollout");
        fleet
            .deployment_of(id, update)
            .map_or(RoomStatus::NotRequired, |deployment| {
                status::room(deployment.progress(), &rollout.state)
            })
    }

    /// Why the room stands where it stands.
    pub async fn reason(&self, room: &str, update: UpdateId) -> String {
        self.deployment(room, update)
            .await
            .map_or_else(String::new, |deployment| deployment.reason.sentence())
    }

    pub async fn ticket(&self, room: &str, update: UpdateId) -> Option<TicketState> {
        let id: RoomId = self.room(room).await.id;
        self.fleet().await.tickets.get(&(id, update)).map(|ticket| ticket.state)
    }

    pub async fn device_id(&self, device: &str) -> DeviceId {
        let mut tx = self.service.store().read().await.expect("a read");
        tx.device_facts(device)
            .await
            .expect("a query")
            .expect("a device")
            .device
            .id
    }

    pub async fn open_install(&self, device: &str) -> Option<Install> {
        let mut tx = self.service.store().read().await.expect("a read");
        let facts = tx.device_facts(device).await.expect("a query").expect("a device");
        facts.open_install.map(|open| open.install)
    }

    pub async fn install(&self, action: &str) -> Install {
        let action = domain::ids::ActionId(action.parse().expect("an action id"));
        let fleet = self.fleet().await;
        fleet.installs.get(&action).cloned().expect("an install")
    }

    // What devices say

    pub fn address(&self, device: &str, rest: &str) -> String {
        format!("{}/DEFAULT/controller/v1/{device}{rest}", self.base)
    }

    pub fn token(&self, device: &str) -> String {
        format!("TargetToken {}", self.tokens[device])
    }

    /// A request as the device; `rest` may also be an absolute link.
    pub async fn ask(
        &self,
        method: Method,
        device: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        self.ask_with(&self.token(device), method, device, rest, headers, body)
            .await
    }

    pub async fn ask_with(
        &self,
        authorization: &str,
        method: Method,
        device: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let address = if rest.starts_with("http") {
            rest.to_owned()
        } else {
            self.address(device, rest)
        };
        let mut request = self.http.request(method, address).body(body);
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer {
            status,
            headers,
            body: response.bytes().await.expect("a body").to_vec(),
        }
    }

    pub async fn get(&self, device: &str, rest: &str) -> Answer {
        self.ask(Method::GET, device, rest, &[], Vec::new()).await
    }

    /// A poll; it must be answered with 200.
    pub async fn poll(&self, device: &str) -> Value {
        let answer = self.get(device, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let poll = answer.json();
        let links = poll["_links"].as_object().expect("links");
        let work = ["cancelAction", "deploymentBase"]
            .iter()
            .filter(|name| links.contains_key(**name))
            .count();
        assert!(work <= 1, "at most one of cancelAction and deploymentBase: {poll}");
        let both = links.contains_key("configData") && links.contains_key("deploymentBase");
        assert!(!both, "configData starves an offer: {poll}");
        poll
    }

    /// The link of work that a poll gives; `None`: no work.
    pub async fn offered(&self, device: &str) -> Option<String> {
        link(&self.poll(device).await, "deploymentBase")
    }

    /// The action that the device is offered.
    pub async fn action(&self, device: &str) -> String {
        let href = self.offered(device).await;
        let href = href.unwrap_or_else(|| panic!("{device} is offered nothing at {}", self.now()));
        action_in(&href)
    }

    pub async fn say(&self, device: &str, action: &str, execution: &str, finished: &str, details: &[&str]) -> u16 {
        let body = json!({ "id": action, "time": "20250305T001000",
            "status": { "execution": execution, "details": details, "result": { "finished": finished } } });
        let answer = self.feedback(device, action, body.to_string().into_bytes()).await;
        self.tick().await;
        answer.status
    }

    pub async fn feedback(&self, device: &str, action: &str, body: Vec<u8>) -> Answer {
        let rest = format!("/deploymentBase/{action}/feedback");
        self.ask(
            Method::POST,
            device,
            &rest,
            &[("content-type", "application/json")],
            body,
        )
        .await
    }

    /// Starts the device's open action; gives its id.
    pub async fn start(&self, device: &str) -> String {
        let action = self.action(device).await;
        assert_eq!(
            self.say(device, &action, "proceeding", "none", &["Downloading."]).await,
            200
        );
        action
    }

    pub async fn config(&self, device: &str, body: &Value) -> Answer {
        let answer = self
            .ask(
                Method::PUT,
                device,
                "/configData",
                &[("content-type", "application/json")],
                body.to_string().into_bytes(),
            )
            .await;
        self.tick().await;
        answer
    }

    /// Reports the version of the device's only component.
    pub async fn report_version(&self, device: &str, version: &str) {
        let answer = self.config(device, &json!({ "data": { "sw_version": version } })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// What is kept of the device's attributes.
    pub async fn attributes(&self, device: &str) -> BTreeMap<String, String> {
        let query = format!("SELECT cast(attributes AS text) FROM devices WHERE controller_id = '{device}'");
        let text = self.database.text(&query).await;
        serde_json::from_str(&text).expect("attributes are JSON")
    }
}

impl Database {
    /// One text out of it.
    pub async fn text(&self, query: &str) -> String {
        self.texts(query).await.remove(0)
    }

    /// The texts that a query gives.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("the file opens");
            sqlx::query_scalar(query)
                .fetch_all(&mut connection)
                .await
                .expect("the query runs")
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.address)
                .await
                .expect("the server answers");
            sqlx::query_scalar(query)
                .fetch_all(&mut connection)
                .await
                .expect("the query runs")
        }
    }
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The message of an error answer; it must have the status, a code and a message.
    pub fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert!(
            body["errorCode"].as_str().is_some_and(|code| !code.is_empty()),
            "{body}"
        );
        body["message"].as_str().expect("a message").to_owned()
    }
}

pub fn link(poll: &Value, name: &str) -> Option<String> {
    poll["_links"][name]["href"].as_str().map(str::to_owned)
}

/// `…/deploymentBase/5?c=1` → `5`.
pub fn action_in(href: &str) -> String {
    let path = href.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// What a version's file has in it: some thousand bytes that differ by version.
pub fn content(version: &str) -> Vec<u8> {
    (0..600)
        .flat_map(|line| format!("{version} {line}\n").into_bytes())
        .collect()
}

pub fn client() -> reqwest::Client {
    let timeout = std::time::Duration::from_secs(60);
    reqwest::Client::builder()
        .no_proxy()
        .timeout(timeout)
        .build()
        .expect("a client")
}

pub fn catalogue() -> Catalogue {
    let product = |id: &str, name: &str, kind: &str, minutes: u32| json!({ "id": id, "vendor": "Logitech", "name": name, "kind": kind, "covered": true, "expected_minutes": minutes });
    let release = |product: &str, version: &str, rank: u32| json!({ "product": product, "version": version, "rank": rank, "released": format!("2025-01-0{rank}") });
    let products = json!([
        product(BAR, "Rally Bar CollabOS", "firmware", 20),
        product(MUTE, "Scheduler panel", "firmware", 10)
    ]);
    let releases = json!([
        release(BAR, "1.0", 1),
        release(BAR, "2.0", 2),
        release(BAR, "3.0", 3),
        release(MUTE, "1.0", 1),
        release(MUTE, "2.0", 2)
    ]);
    Catalogue::parse(&products.to_string(), &releases.to_string()).expect("a catalogue")
}

fn artifacts(database: &Database) -> Artifacts {
    Artifacts::open(&database.folder.path().join("artifacts")).expect("the artifact folder")
}

fn process_config(base: &str, options: &Options) -> ProcessConfig {
    // In mixed case: it is matched without regard to it and written in upper case.
    ProcessConfig {
        public_url: options.public_url.clone().unwrap_or_else(|| base.to_owned()),
        tenant: "Default".to_owned(),
        gateway_token: options
            .gateway_token
            .as_deref()
            .map(|token| GatewayToken::parse(token).expect("a gateway token that is long enough")),
        trusted_proxies: options.trusted_proxies.clone(),
    }
}

async fn serve(
    database: &Database,
    clock: Clock,
    options: &Options,
) -> (Service, String, (JoinHandle<()>, CancellationToken)) {
    let store = database.open(true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let service = Service::new(store, clock, artifacts(database), process_config(&base, options));
    let stop = CancellationToken::new();
    let router = router(service.clone(), ServerConfig::default());
    let served = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<std::net::SocketAddr>(),
    )
    .with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(async move { served.await.expect("serving goes well") });
    (service, base, (serving, stop))
}
