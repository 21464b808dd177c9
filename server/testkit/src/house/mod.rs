//! A house: the real router on a real listener, a service whose clock a test drives, a small estate, and its devices.
//!
//! Here are the house, its people, its time and its portfolio. `facts.rs` looks at what is there, `devices.rs` speaks as a device does over
//! HTTP, `answer.rs` reads what comes back.

mod answer;
mod devices;
mod facts;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::deployment::Force;
use domain::ids::{ProductId, UpdateId};
use domain::install::InstallState;
use domain::settings::Settings;
use domain::zone::Zone;
use serde_json::{Value, json};
use server::router::{ServerConfig, router};
use service::people::Origin;
use service::{Clock, GatewayToken, ProcessConfig, RoomScope, RoomsFile, Service};
use store::{Engine, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::visitor::Visitor;
use crate::{BAR, Database, OnEngine, actor, catalogue, controller, instant, service_on};

pub use answer::{Answer, action_in, link};
pub use devices::address_of;

/// The first admin's account.
pub const ADMIN: &str = "ada@example.com";
/// Everybody's password.
pub const PASSWORD: &str = "a lamp that hums at night";

/// A Monday noon in London, before the nights of the tests.
pub fn monday() -> DateTime<Utc> {
    instant("2025-03-03T12:00:00Z")
}

/// The firmware of every bar in the house.
pub fn bar() -> ProductId {
    ProductId(BAR.to_owned())
}

/// How a house differs from the ordinary one.
#[derive(Clone, Debug)]
pub struct Options {
    /// The organisation's, with which a gateway speaks for every device.
    pub gateway_token: Option<String>,
    /// What browsers call it; otherwise where it listens.
    pub public_url: Option<String>,
    /// Whose word counts for where a request comes from.
    pub trusted_proxies: Vec<IpAddr>,
    /// The organisation's.
    pub settings: Settings,
    /// A rooms file.
    pub rooms: Value,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            gateway_token: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            settings: crate::without_halts(),
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

/// A rooms file with so many rooms in each ring, `Staging 1`, `Staging 2` …, each with one bar on 1.0, `staging-1`, `staging-2` ….
pub fn rooms_in(rings: &[(&str, usize)]) -> Value {
    let names = rings.iter().flat_map(|(ring, number)| {
        (1..=*number).map(move |index| {
            let name = format!("{ring} {index}");
            let device = controller(&name);
            (name, *ring, device)
        })
    });
    let names: Vec<(String, &str, String)> = names.collect();
    let named = names
        .iter()
        .map(|(name, ring, device)| (name.as_str(), *ring, device.as_str()));
    rooms(&named.collect::<Vec<_>>())
}

/// The real router on a real listener, over a database of its own.
pub struct House {
    /// Where the facts lie; its folder has the artifacts.
    pub database: Database,
    /// The service behind the router, to look at facts and to act past the browser.
    pub service: Service,
    /// `http://127.0.0.1:port`.
    pub base: String,
    /// Device to its token.
    pub tokens: BTreeMap<String, String>,
    options: Options,
    http: reqwest::Client,
    serving: Option<(JoinHandle<()>, CancellationToken)>,
}

impl House {
    /// An ordinary one.
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, Options::default()).await
    }

    /// One that differs.
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
            .import_catalogue(&actor(), &catalogue::rally_bar_and_panel())
            .await
            .expect("the catalogue");
        let file: RoomsFile = serde_json::from_value(options.rooms.clone()).expect("a rooms file");
        let report = service.import_rooms(&actor(), &file).await.expect("the rooms");
        crate::facts::manage(&service, &report.ids).await;
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
        let gone = self.database.folder.path().join("gone");
        // Drops the last handle of the old store, and with it its lock.
        let placeholder = Store::open(&format!("sqlite:{}", gone.display()), false)
            .await
            .expect("a database");
        let folder = self.database.folder.path();
        self.service = service_on(placeholder, &clock, folder, process_config("", &self.options));
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

    /// What the clock says.
    pub fn now(&self) -> DateTime<Utc> {
        self.service.clock().now()
    }

    /// Sets the clock and ticks.
    pub async fn at(&self, instant: DateTime<Utc>) {
        self.service.clock().advance_to(instant);
        self.tick().await;
    }

    /// Sets the clock so many minutes on, and ticks.
    pub async fn later(&self, minutes: i64) {
        self.at(self.now() + TimeDelta::minutes(minutes)).await;
    }

    /// Ticks.
    pub async fn tick(&self) {
        self.service.tick().await.expect("a tick");
    }

    /// Goes from event to event until the device has a planned install; gives its window. The clock stands before it.
    pub async fn until_planned(&self, device: &str) -> (DateTime<Utc>, DateTime<Utc>) {
        for _ in 0..500 {
            if let Some(install) = self.open_install(device).await
                && install.state == InstallState::Planned
                && let Some(window) = install.window
                && self.now() <= window.closes()
            {
                return (window.opens(), window.closes());
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

    /// Publishes a release with these bytes as its file.
    pub async fn publish_bytes(&self, product: &str, version: &str, bytes: Vec<u8>) -> UpdateId {
        let update = crate::facts::release(&self.service, product, version).await;
        crate::facts::add_file(&self.service, update, "rally-bar.swu", bytes).await;
        let published = self
            .service
            .publish(&actor(), &ProductId(product.to_owned()), version, None)
            .await
            .expect("it is published");
        assert_eq!(published.update, update);
        self.tick().await;
        update
    }

    /// A release of the catalogue.
    pub async fn release(&self, product: &ProductId, version: &str) -> UpdateId {
        crate::facts::release(&self.service, &product.0, version).await
    }

    /// Somebody pauses the update.
    pub async fn pause(&self, update: UpdateId) {
        self.service
            .pause(&actor(), update, "a test pauses".into(), None)
            .await
            .expect("it pauses");
        self.tick().await;
    }

    /// Somebody forces the update in a room, now.
    pub async fn force(&self, update: UpdateId, room: &str) {
        self.force_as(update, room, Force::Now).await;
    }

    /// Somebody forces the update in a room.
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
}

impl OnEngine for House {
    async fn make_on(engine: Engine) -> Self {
        Self::new(engine).await
    }
}

/// What a version's file has in it: some thousand bytes that differ by version.
pub fn content(version: &str) -> Vec<u8> {
    (0..600)
        .flat_map(|line| format!("{version} {line}\n").into_bytes())
        .collect()
}

/// Any HTTP client: without a proxy, patient.
pub fn client() -> reqwest::Client {
    let timeout = Duration::from_secs(60);
    reqwest::Client::builder()
        .no_proxy()
        .timeout(timeout)
        .build()
        .expect("a client")
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
    let folder = database.folder.path();
    let service = service_on(store, &clock, folder, process_config(&base, options));
    let stop = CancellationToken::new();
    let router = router(service.clone(), ServerConfig::default());
    let served = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(async move { served.await.expect("serving goes well") });
    (service, base, (serving, stop))
}
