//! Random fleets that live in the simulator and, row by row, in a database: what people and devices do in the one is written to
//! the other, and the planner is asked on both sides.

mod slices;
mod tell;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::changes::{Applied, Changes};
use domain::deployment::{DeploymentState, Force};
use domain::fleet::Fleet;
use domain::freeze::Freeze;
use domain::ids::{DeviceId, FreezeId, ProductId, RingId, RoomId, UpdateId};
use domain::readiness::BlockScope;
use domain::ring::{RingDraft, RingOrder, RingSequence};
use domain::room::{Block, Component, Device, Hold, Room, RoomState, VersionSource};
use domain::settings::{Mode, Organisation, Settings};
use domain::sim::{Behaviour, Counter, Simulation};
use domain::update::{ProductKind, Severity, Update, VersionStanding};
use domain::zone::Zone;
use store::{Limits, Store, StoreError};
use testkit::Dice;
use uuid::Uuid;

use slices::comparable;
use tell::tell;

pub use slices::Normal;

const ZONES: [&str; 6] = [
    "Europe/London",
    "America/St_Johns",
    "Pacific/Auckland",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
];

const PRODUCTS: [(&str, ProductKind); 3] = [
    ("win", ProductKind::Os),
    ("app", ProductKind::App),
    ("cam", ProductKind::Firmware),
];

/// Everything that is due, at once.
pub const ALL: Limits = Limits {
    rollouts: 1_000,
    rooms: 10_000,
};

/// A simulation and how far the database has been told of it.
pub struct World {
    pub sim: Simulation,
    pub dice: Dice,
    stored: Fleet,
    rings: Vec<RingId>,
    rooms: Vec<RoomId>,
    updates: Vec<UpdateId>,
    last_id: u128,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let ring = |number| RingId(Uuid::from_u128(number));
        let ids = vec![ring(1), ring(4), ring(2), ring(3)];
        let mut rings = RingSequence::preconfigured(ids[0], ids[2], ids[3]);
        for (index, id) in ids.iter().enumerate() {
            let known = rings.get(*id).map(|ring| ring.name.clone());
            let draft = RingDraft {
                name: known.clone().unwrap_or_else(|| "Pilots".to_owned()),
                description: String::new(),
                order: RingOrder::try_from(if index == 1 { 3 } else { 5 }).ok(),
                rollout_days: dice.number(1, 4),
                test_days: dice.number(0, 3),
            };
            rings = if known.is_some() {
                rings.with_edited(*id, draft)
            } else {
                rings.with_added(*id, draft)
            }
            .expect("few days");
        }
        let zone = Zone::parse(ZONES[dice.below(ZONES.len())]).expect("a zone");
        let organisation = Organisation {
            name: "Example".to_owned(),
            zone,
            settings: Settings::default(),
        };
        let fleet = Fleet::new(organisation, rings);
        let stored = fleet.clone();
        let start = "2026-03-03T15:00:00Z".parse().expect("an instant");
        let sim = Simulation::new(fleet, start);
        let mut world = Self {
            sim,
            dice,
            stored,
            rings: ids,
            rooms: Vec::new(),
            updates: Vec::new(),
            last_id: 10_000,
        };
        for _ in 0..world.dice.below(8) + 2 {
            let room = world.room();
            world.sim.fleet.rooms.insert(room.id, room);
        }
        world
    }

    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    fn room(&mut self) -> Room {
        let id = RoomId(self.id());
        self.rooms.push(id);
        let now = self.sim.now;
        let mut devices = Vec::new();
        for index in 0..=self.dice.below(2) {
            let device = DeviceId(self.id());
            let absences = if self.dice.one_in(4) {
                let from = now + TimeDelta::days(i64::from(self.dice.number(0, 20)));
                vec![(from, from + TimeDelta::days(i64::from(self.dice.number(1, 6))))]
            } else {
                Vec::new()
            };
            let behaviour = Behaviour {
                minutes: self.dice.number(5, 150),
                failures: u32::from(self.dice.one_in(4)),
                refusals: u32::from(self.dice.one_in(6)),
                silences: u32::from(self.dice.one_in(5)),
                late_minutes: self.dice.one_in(2).then_some(900),
                absences,
                confirms: !self.dice.one_in(8),
                busy: Vec::new(),
                refuses_cancel: self.dice.one_in(5),
            };
            self.sim.behaviours.insert(device, behaviour);
            // The second device of a room has no operating system of its own; some do not say their version.
            let components = PRODUCTS[index..].iter().map(|(product, _)| {
                let version = if self.dice.one_in(7) {
                    None
                } else {
                    Some(self.dice.number(1, 3).to_string())
                };
                Component {
                    product: ProductId((*product).to_owned()),
                    version,
                    source: VersionSource::Reported,
                }
            });
            let mut components: Vec<Component> = components.collect();
            components.sort_by(|a, b| a.product.cmp(&b.product));
            devices.push(Device {
                id: device,
                model: format!("M{}", self.dice.below(3)),
                components,
            });
        }
        let zone = Zone::parse(ZONES[self.dice.below(ZONES.len())]).expect("a zone");
        let ring = self.rings[self.dice.below(self.rings.len())];
        let state = if self.dice.one_in(9) {
            RoomState::Onboarding
        } else {
            RoomState::Managed
        };
        let blocks = if self.dice.one_in(6) {
            vec![Block {
                scope: BlockScope::Os,
                why: "updates are switched off".to_owned(),
            }]
        } else {
            Vec::new()
        };
        Room {
            id,
            name: format!("Room {}", self.rooms.len()),
            zone,
            ring,
            state,
            blocks,
            holds: Vec::new(),
            supported_until: BTreeMap::new(),
            freezes: Vec::new(),
            devices,
        }
    }

    /// Somebody does something.
    pub fn act(&mut self) {
        let room = self.rooms[self.dice.below(self.rooms.len())];
        let ring = self.rings[self.dice.below(self.rings.len())];
        let update = (!self.updates.is_empty()).then(|| self.updates[self.dice.below(self.updates.len())]);
        match (self.dice.below(14), update) {
            (0 | 1, _) | (_, None) => self.publish(),
            // One that is refused changes nothing, here and below.
            (2, Some(update)) => drop(self.sim.pause(update, "Admin", "a reason", None)),
            (3, Some(update)) => drop(self.sim.resume(update)),
            (4, Some(update)) => drop(self.sim.retry_all_failed(update, "Admin")),
            (5, Some(update)) => {
                let other = self.rooms[self.dice.below(self.rooms.len())];
                let how = if self.dice.one_in(2) {
                    Force::Now
                } else {
                    Force::WhenAvailable
                };
                let _ = self.sim.force(update, &[room, other], how, "Admin");
            }
            (6, Some(_)) => self.sim.move_room(room, ring),
            (7, Some(_)) => self.hold(room),
            (8, Some(update)) if self.dice.one_in(3) => drop(self.sim.recall(update, "cameras stay dark")),
            (8, Some(_)) => {
                let room = self.room();
                self.sim.add_room(room);
            }
            (9, Some(update)) => drop(self.sim.cancel(update, room, "Admin", "no time")),
            (10, Some(_)) => {
                let freeze = self.freeze();
                let ring = self.dice.one_in(2).then_some(ring);
                let _ = self.sim.freeze_plans(ring, &freeze);
            }
            (11, Some(_)) => {
                let freeze = self.freeze();
                let _ = self.sim.freeze_rooms(&[room], &freeze);
            }
            (12, Some(_)) => {
                let settings = &mut self.sim.fleet.organisation.settings;
                settings.starvation_guard = self.dice.one_in(2);
                settings.mode = if self.dice.one_in(3) {
                    Mode::Automatic
                } else {
                    Mode::RingValidated
                };
            }
            (_, Some(_)) => self.report(room),
        }
    }

    fn freeze(&mut self) -> Freeze {
        let today = self.sim.fleet.organisation.zone.date(self.sim.now);
        let from = today + chrono::Days::new(self.dice.number(0, 6).into());
        Freeze {
            from,
            until: from + chrono::Days::new(self.dice.number(0, 5).into()),
            owner: "Facilities".to_owned(),
            reason: "a fair".to_owned(),
            made_at: self.sim.now,
            id: FreezeId(self.id()),
        }
    }

    pub fn publish(&mut self) {
        if self.updates.len() >= 6 {
            return;
        }
        let (name, kind) = PRODUCTS[self.dice.below(PRODUCTS.len())];
        let own = self
            .sim
            .fleet
            .updates
            .values()
            .filter(|update| update.product.0 == name)
            .count()
            + 2;
        let id = UpdateId(self.id());
        let needs_one = self.dice.one_in(2);
        let standing = |known: usize| {
            if needs_one && known + 1 < own {
                VersionStanding::NeedsFirst
            } else if known < own {
                VersionStanding::Below
            } else {
                VersionStanding::Current
            }
        };
        self.updates.push(id);
        let update = Update {
            id,
            product: ProductId(name.to_owned()),
            product_name: name.to_owned(),
            kind,
            vendor: "Example".to_owned(),
            version: own.to_string(),
            released: None,
            severity: if self.dice.one_in(2) {
                Severity::Critical
            } else {
                Severity::Routine
            },
            expected_minutes: self.dice.number(5, 200),
            minimum_version: needs_one.then(|| (own - 1).to_string()),
            models: if self.dice.one_in(3) {
                vec!["M0".to_owned(), "M1".to_owned()]
            } else {
                Vec::new()
            },
            applies_to_unknown: self.dice.one_in(3),
            offerable: true,
            standings: (1..=9_usize)
                .map(|known| (known.to_string(), standing(known)))
                .collect(),
        };
        let supersedes = !self.dice.one_in(3);
        self.sim.publish(update, supersedes).expect("it fits");
    }

    fn hold(&mut self, room: RoomId) {
        let since =
            self.sim.fleet.rooms[&room].zone.date(self.sim.now) + chrono::Days::new(self.dice.number(0, 2).into());
        let until = since + chrono::Days::new(self.dice.number(0, 6).into());
        let product = self.dice.one_in(2).then(|| ProductId("cam".to_owned()));
        // Their order is by first date; a second one on the same date has none.
        if self.sim.fleet.rooms[&room].holds.iter().all(|hold| hold.since < since) {
            self.sim.hold(
                room,
                Hold {
                    product,
                    owner: "Facilities".to_owned(),
                    reason: "a fair".to_owned(),
                    since,
                    until,
                },
            );
        }
    }

    fn report(&mut self, room: RoomId) {
        let devices: Vec<DeviceId> = self.sim.fleet.rooms[&room]
            .devices
            .iter()
            .map(|device| device.id)
            .collect();
        let (product, _) = PRODUCTS[self.dice.below(PRODUCTS.len())];
        let version = self.dice.number(1, 5).to_string();
        for device in devices {
            self.sim
                .report_component(device, &ProductId(product.to_owned()), Some(version.clone()));
        }
    }

    /// Goes on to the next instant at which the planner has work, by at most three quarters of an hour.
    pub fn step(&mut self) {
        let soon = self.sim.now + TimeDelta::minutes(45);
        let due = self.sim.fleet.next_at(self.sim.now).filter(|at| *at > self.sim.now);
        self.sim.jump_to(due.map_or(soon, |due| due.min(soon)));
    }

    /// Whether the database does not know everything yet.
    pub fn has_news(&self) -> bool {
        self.stored != self.sim.fleet
    }

    /// Writes what people and devices have done since the last time.
    pub async fn tell(&mut self, store: &Store) {
        let (before, after, now) = (&self.stored, &self.sim.fleet, self.sim.now);
        store::write!(store, tx => { tell(tx, before, after, now).await }).expect("the facts");
        self.stored = self.sim.fleet.clone();
    }

    /// Writes everything into an empty database.
    pub async fn tell_all(&mut self, store: &Store) {
        self.stored = Fleet::new(self.sim.fleet.organisation.clone(), self.sim.fleet.rings.clone());
        self.tell(store).await;
    }

    /// The database's tick, one round after the other, as the service does it; then the simulator's. Both plan the same.
    pub async fn tick(&mut self, store: &Store) {
        let now = self.sim.now;
        // The simulator's ids are 1, 2, 3 …
        let last = self
            .sim
            .fleet
            .deployments
            .keys()
            .next_back()
            .map_or(0, |id| id.0.as_u128());
        let mut fleet = self.sim.fleet.clone();
        let mut counter = Counter(last);
        for round in 0.. {
            assert!(round < 200, "the planner does not come to rest");
            let mut ids = Counter(counter.0);
            let planned: Option<(Changes, Applied)> = store::write!(store, tx => {
                ids = Counter(counter.0);
                let organisation = tx.organisation().await?.expect("an organisation");
                let due = tx.due(&organisation, now, ALL).await?;
                let expected = fleet.slice(now);
                assert_eq!(due.as_ref().map(|due| Normal::of(&due.slice)), expected.as_ref().map(Normal::of), "at {now}");
                let (Some(mut due), Some(expected)) = (due, expected) else { return Ok(None) };
                // SQL gives them by instant.
                due.slice.due.sort_by_key(|due| due.update);
                let plan = domain::planner::plan(&due.slice, now, &mut ids);
                assert_eq!(plan, domain::planner::plan(&expected, now, &mut Counter(counter.0)), "at {now}");
                let applied = tx.apply(&plan, &due.rechecks, now).await?;
                Ok::<_, StoreError>(Some((plan, applied)))
            })
            .expect("a round");
            let Some((plan, applied)) = planned else { break };
            counter = ids;
            assert_eq!(fleet.apply(&plan), applied, "at {now}");
            fleet.forget_rechecks(&plan.rechecked_rooms, now);
        }
        self.sim.tick();
        assert!(self.sim.findings.is_empty(), "{}", self.sim.findings[0]);
        self.stored = self.sim.fleet.clone();
    }

    /// The database and the simulator hold the same facts.
    pub async fn compare(&self, store: &Store) {
        let mut tx = store.read().await.expect("a snapshot");
        let fleet = tx.fleet().await.expect("the fleet");
        let (mut stored, mut simulated) = (comparable(&fleet), comparable(&self.sim.fleet));
        // Releases have no instant in the simulator.
        stored.updates.retain(|id, _| simulated.updates.contains_key(id));
        for update in simulated.updates.values_mut() {
            update.released = None;
        }
        assert_eq!(stored, simulated, "at {}", self.sim.now);
        assert_eq!(domain::check::check(&fleet), Vec::new(), "at {}", self.sim.now);
        let next = tx.next_due(self.sim.now).await.expect("the next instant");
        let next = next.filter(|at| *at < self.sim.now + CHECKED_LATER / 2);
        assert_eq!(next, self.sim.fleet.next_at(self.sim.now), "at {}", self.sim.now);
    }
}

/// When the rooms of a world are checked: not in its lifetime.
pub const CHECKED_LATER: TimeDelta = TimeDelta::days(36_500);

/// Deployments by state, for a look at what a run has seen.
pub fn seen(fleet: &Fleet) -> BTreeMap<&'static str, usize> {
    let mut seen = BTreeMap::new();
    for deployment in fleet.deployments.values() {
        let word = match deployment.state {
            DeploymentState::Waiting => "waiting",
            DeploymentState::Prepared | DeploymentState::Started { .. } => "open",
            DeploymentState::Completed { .. } => "completed",
            DeploymentState::Failed { .. } => "failed",
            DeploymentState::Withdrawn { .. } => "withdrawn",
        };
        *seen.entry(word).or_insert(0) += 1;
    }
    seen
}
