//! The service and the simulator side by side: the same estate, the same instant, the same commands, the same words of devices.

use chrono::{DateTime, TimeDelta, Utc};
use domain::clean::{CleanLine, CleanText};
use domain::ids::{ProductId, RoomId};
use domain::sim::Simulation;
use domain::update::Severity;
use service::catalogue::Catalogue;
use service::releases::ReleaseDraft;
use service::{RoomsFile, ServiceError};
use store::{Engine, Tx};

use crate::comparison;
use crate::simulator;
use crate::steps::{Device, Ends, Step};
use crate::test_devices::TestDevices;
use testkit::people::{Command, Did, Names, Release, Whom, give};
use testkit::{Estate, actor, instant};

const PRODUCTS: &str = r#"[
    {"id": "win", "vendor": "Example", "name": "Windows", "kind": "os", "covered": true, "expected_minutes": 90}
]"#;
const RELEASES: &str = r#"[
    {"product": "win", "version": "1", "rank": 1, "released": "2025-01-01"},
    {"product": "win", "version": "2", "rank": 2, "released": "2025-02-01"}
]"#;
/// Releases with a file. Bar 4.0 gets its file in the scripts, or none.
const WITH_FILE: [Release; 6] = [
    ("app", "11"),
    ("bar", "2.0"),
    ("bar", "3.0"),
    ("bar", "4.0"),
    ("win", "2"),
    ("win", "9"),
];
/// One that has none.
const WITHOUT_FILE: Release = ("app", "10");

/// Where the rooms are: name of the site and its zone, ring, how many.
const ROOMS: [(&str, &str, usize); 5] = [
    ("Harbour", "Staging", 3),
    ("Harbour", "General", 5),
    ("Harbour", "Executive", 3),
    ("Hill", "General", 2),
    ("Hill", "Executive", 1),
];

pub struct ServiceAndSimulator {
    pub estate: Estate,
    pub sim: Simulation,
    pub names: Names,
    pub devices: TestDevices,
}

impl ServiceAndSimulator {
    pub async fn new(engine: Engine) -> Self {
        let estate = Estate::new(engine).await;
        let catalogue = Catalogue::parse(PRODUCTS, RELEASES).expect("a catalogue");
        let imported = estate.service.import_catalogue(&actor(), &catalogue).await;
        imported.expect("an import");
        let too_long = ReleaseDraft {
            product: ProductId("win".to_owned()),
            version: "9".into(),
            released: None,
            severity: Severity::Routine,
            minimum_version: CleanLine::default(),
            models: CleanText::default(),
            applies_to_unknown: false,
            expected_minutes: Some(400),
            known_issues: CleanText::default(),
        };
        let added = estate.service.add_release(&actor(), &too_long).await;
        added.expect("a release");
        let mut names = Names::default();
        for (product, version) in WITH_FILE {
            estate.add_file(product, version).await;
        }
        names.rooms = import(&estate).await;
        let mut tx = estate.service.store().read().await.expect("a snapshot");
        for release in WITH_FILE.into_iter().chain([WITHOUT_FILE]) {
            let record = tx.release_of(&ProductId(release.0.to_owned()), release.1).await;
            let id = record.expect("a query").expect("a release").release.id;
            names.releases.insert(release, id);
        }
        let sites = tx.sites().await.expect("the sites");
        names.sites = sites.into_iter().map(|site| (site.name, site.id)).collect();
        let fleet = tx.fleet().await.expect("the fleet");
        drop(tx);
        names.rings = fleet.rings.iter().map(|ring| (ring.name.clone(), ring.id)).collect();
        let devices = TestDevices::of(&fleet, &names);
        let sim = Simulation::new(fleet, estate.clock.now());
        let mut pair = Self {
            estate,
            sim,
            names,
            devices,
        };
        pair.tick("at the start").await;
        pair
    }

    pub async fn read(&self) -> Tx {
        self.estate.service.store().read().await.expect("a snapshot")
    }

    /// The rooms of a site, or the one room; none of the others.
    pub fn rooms_in(&self, whom: Whom) -> Vec<RoomId> {
        let site = match whom {
            Whom::Organisation | Whom::Ring(_) => return Vec::new(),
            Whom::Room(name) => return vec![self.names.room(name)],
            Whom::Site(site) => site,
        };
        let here = |name: &str| match site {
            "Hill" => name.starts_with("Hill"),
            "Harbour" => !name.starts_with("Hill"),
            _ => false,
        };
        let rooms = self.names.rooms.iter().filter(|(name, _)| here(name));
        rooms.map(|(_, room)| *room).collect()
    }

    /// Plays a step of a script, at its time.
    pub async fn play(&mut self, step: &Step) {
        match step {
            Step::Give { at, command, ends } => {
                self.live_until(instant(&format!("{at}:00Z"))).await;
                self.give(at, command, *ends).await;
            }
            Step::Device { name, does } => match does {
                Device::Fails(times) => drop(self.devices.fails.insert(name, *times)),
                Device::GoesSilent => drop(self.devices.silent.insert(name)),
                Device::IsAway => drop(self.devices.away.insert(name)),
                Device::IsFree => drop(self.devices.free.insert(name)),
                Device::IsBack => drop(self.devices.away.remove(name)),
            },
            Step::Wait { until } => self.live_until(instant(&format!("{until}:00Z"))).await,
        }
    }

    async fn give(&mut self, at: &str, command: &Command, ends: Ends) {
        let when = format!("at {at} after {command:?}");
        let facts = simulator::facts_for(self, command).await;
        let service = give(&self.estate.service, &self.names, command).await;
        let simulated = simulator::give(self, command, &facts, service.as_ref().ok()).await;
        let refusal = |error: &ServiceError| match error {
            ServiceError::Invalid { .. } | ServiceError::NotFound { .. } | ServiceError::Conflict { .. } => {
                error.to_string()
            }
            other => panic!("{when}: {other:?}"),
        };
        let service = service.map_err(|error| refusal(&error));
        let simulated = simulated.map_err(|error| refusal(&error));
        assert_eq!(service, simulated, "{when}: the service's answer, and the simulator's");
        assert_eq!(service.is_ok(), matches!(ends, Ends::Well), "{when}: {service:?}");
        if let Ok(did) = &service {
            self.names.learn(command, did);
            self.meet(command, did);
        }
        comparison::lists(self, &when).await;
        self.tick(&when).await;
    }

    /// A room that was added has a device.
    fn meet(&mut self, command: &Command, did: &Did) {
        if let (Command::AddHeldRoom { room, .. }, Did::Room(id)) = (command, did) {
            self.devices.add(&self.sim.fleet, room, *id);
        }
    }

    async fn live_until(&mut self, end: DateTime<Utc>) {
        loop {
            let now = self.estate.clock.now();
            self.tick(&format!("at {now}")).await;
            self.turn().await;
            self.tick(&format!("at {now}, after devices have spoken")).await;
            if now >= end {
                return;
            }
            let mut fleet = self.estate.fleet().await;
            let due = self.estate.service.next_due().await.expect("the next instant");
            assert_eq!(
                due,
                fleet.next_at(now),
                "at {now}: what is due next, in rows and in memory"
            );
            // The simulator's rooms have told nothing: nobody looks at their checks every day.
            fleet.checks.clear();
            let due = fleet.next_at(now);
            let simulated = self.sim.fleet.next_at(now);
            assert_eq!(
                due, simulated,
                "at {now}: what is due next at the service, and in the simulator"
            );
            let next = due.into_iter().chain(self.devices.next_at()).chain([end]).min();
            let next = next.unwrap_or(end).max(now + TimeDelta::seconds(1));
            self.estate.clock.advance_to(next);
            self.sim.now = next;
        }
    }

    async fn turn(&mut self) {
        let mut devices = std::mem::take(&mut self.devices);
        devices.turn(&self.estate.service, &mut self.sim).await;
        self.devices = devices;
    }

    async fn tick(&mut self, when: &str) {
        self.estate.service.tick().await.expect("a tick");
        self.sim.tick();
        assert_eq!(self.sim.findings, [], "{when}");
        comparison::fleets(self, when).await;
    }
}

/// The rooms with a device each, which runs the first version of everything.
async fn import(estate: &Estate) -> std::collections::BTreeMap<String, RoomId> {
    let mut rooms = Vec::new();
    for (site, ring, number) in ROOMS {
        for index in 1..=number {
            let name = match site {
                "Hill" => format!("Hill {ring} {index}"),
                _ => format!("{ring} {index}"),
            };
            let id = name.to_lowercase().replace(' ', "-");
            rooms.push(serde_json::json!({
                "name": name, "site": site, "ring": ring,
                "devices": [{ "id": id, "model": "B1", "installed": { "bar": "1.0", "app": "10", "win": "1" } }],
            }));
        }
    }
    let sites = serde_json::json!([{ "name": "Harbour", "zone": "UTC" }, { "name": "Hill", "zone": "Asia/Kolkata" }]);
    let file = serde_json::json!({ "sites": sites, "rooms": rooms });
    let file = RoomsFile::parse(&file.to_string()).expect("rooms");
    let names: Vec<String> = file.rooms.iter().map(|room| room.name.to_string()).collect();
    let report = estate.service.import_rooms(&actor(), &file).await.expect("an import");
    testkit::facts::manage(&estate.service, &report.ids).await;
    // The simulator's releases have no days.
    let app = ProductId("app".to_owned());
    let without_support = estate.service.set_support_policy(&actor(), &app, false).await;
    without_support.expect("a product");
    names.into_iter().zip(report.ids).collect()
}
