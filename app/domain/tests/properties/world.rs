//! A fleet in the simulator that lives what a plan says.
//!
//! No rule stands here: it calls the simulator and looks at its findings. Start with [`live`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::deployment::{Deployment, DeploymentState, Force};
use domain::fleet::Fleet;
use domain::freeze::Freeze;
use domain::halt::HaltRule;
use domain::ids::{DeviceId, FreezeId, ProductId, RingId, RoomId, UpdateId};
use domain::ring::{RingDraft, RingOrder, RingSequence};
use domain::rollout::RolloutState;
use domain::room::{Component, Device, Hold, Room, RoomState, VersionSource};
use domain::settings::{Mode, Organisation, Settings};
use domain::sim::{Behaviour, Simulation};
use domain::status::{self, RoomStatus, UpdateStatus};
use domain::update::{Severity, Update, VersionStanding};
use domain::zone::Zone;
use uuid::Uuid;

use crate::happenings::play;
use crate::plan::{PRODUCTS, RoomPlan, Step, ZONES};

/// The commands of which at least one must be accepted among all fleets: a life of refused commands proves nothing.
pub const COMMANDS: [&str; 12] = [
    "cancel",
    "edit a ring",
    "force",
    "freeze a room",
    "freeze plans",
    "pause",
    "recall",
    "resume",
    "retry",
    "review",
    "tell",
    "waive",
];

thread_local! {
    static ACCEPTED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// The commands that were not refused so far, in the order of the alphabet.
pub fn accepted_commands() -> Vec<&'static str> {
    ACCEPTED.with_borrow(|accepted| accepted.iter().copied().collect())
}

/// Notes a command that was not refused.
pub fn accepted<T, E>(command: &'static str, outcome: &Result<T, E>) {
    if outcome.is_ok() {
        ACCEPTED.with_borrow_mut(|accepted| accepted.insert(command));
    }
}

struct World {
    sim: Simulation,
    rings: Vec<RingId>,
    rooms: Vec<RoomId>,
    updates: Vec<UpdateId>,
    last_id: u128,
}

fn start() -> DateTime<Utc> {
    "2026-03-03T15:00:00Z".parse().expect("an instant")
}

impl World {
    fn new(zone: usize, days: &[(u32, u32)], rooms: &[RoomPlan]) -> Self {
        let ring = |number| RingId(Uuid::from_u128(number));
        let ids = vec![ring(1), ring(4), ring(2), ring(3)];
        let mut sequence = RingSequence::preconfigured(ids[0], ids[2], ids[3]);
        for (id, (rollout_days, test_days)) in ids.iter().zip(days) {
            let name = sequence.get(*id).map_or("Pilots".to_owned(), |ring| ring.name.clone());
            let order = RingOrder::try_from(if name == "Pilots" { 3 } else { 5 }).ok();
            let draft = RingDraft {
                name,
                description: String::new(),
                order,
                rollout_days: *rollout_days,
                test_days: *test_days,
            };
            let known = sequence.get(*id).is_some();
            let changed = if known {
                sequence.with_edited(*id, draft)
            } else {
                sequence.with_added(*id, draft)
            };
            sequence = changed.expect("at most 4 × 12 days");
        }
        let zone = Zone::parse(ZONES[zone]).expect("a zone");
        let organisation = Organisation {
            name: "Example".to_owned(),
            zone,
            settings: Settings {
                halt: HaltRule::OFF,
                ..Settings::default()
            },
        };
        let mut sim = Simulation::new(Fleet::new(organisation, sequence), start());
        let products = PRODUCTS.map(|(id, kind, vendor)| (ProductId(id.to_owned()), (vendor.to_owned(), kind)));
        sim.facts.products.extend(products);
        let mut world = Self {
            sim,
            rings: ids,
            rooms: Vec::new(),
            updates: Vec::new(),
            last_id: 10,
        };
        for plan in rooms {
            let room = world.room(plan);
            world.sim.fleet.rooms.insert(room.id, room);
        }
        world
    }

    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    /// Longer than other functions: what a plan says of a room is written down once, field by field.
    fn room(&mut self, plan: &RoomPlan) -> Room {
        let id = RoomId(self.id());
        self.rooms.push(id);
        let components: Vec<Component> = PRODUCTS
            .iter()
            .map(|(product, ..)| Component {
                product: ProductId((*product).to_owned()),
                version: Some("1".to_owned()),
                source: VersionSource::Reported,
            })
            .collect();
        let mut devices = Vec::new();
        for _ in 0..plan.devices {
            let device = DeviceId(self.id());
            let conduct = &plan.behaviour;
            let absences = conduct
                .absent
                .map(|(from, days)| (start() + TimeDelta::days(from), start() + TimeDelta::days(from + days)));
            let behaviour = Behaviour {
                minutes: conduct.minutes,
                failures: conduct.failures,
                refusals: conduct.refusals,
                silences: conduct.silences,
                late_minutes: conduct.late_minutes,
                absences: absences.into_iter().collect(),
                confirms: conduct.confirms,
                busy: conduct
                    .busy
                    .map(|(from, hours)| {
                        (
                            start() + TimeDelta::hours(from),
                            start() + TimeDelta::hours(from + hours),
                        )
                    })
                    .into_iter()
                    .collect(),
                refuses_cancel: conduct.refuses_cancel,
            };
            self.sim.behaviours.insert(device, behaviour);
            // The second device of a room has no operating system of its own, so that devices of a room differ.
            let own = components[devices.len().min(1)..].to_vec();
            devices.push(Device {
                id: device,
                model: format!("M{}", plan.model),
                components: own,
            });
        }
        let state = if plan.onboarding {
            RoomState::Onboarding
        } else {
            RoomState::Managed
        };
        Room {
            id,
            name: format!("Room {}", self.rooms.len()),
            zone: Zone::parse(ZONES[plan.zone]).expect("a zone"),
            ring: self.rings[plan.ring],
            state,
            blocks: Vec::new(),
            holds: Vec::new(),
            supported_until: BTreeMap::new(),
            freezes: Vec::new(),
            devices,
        }
    }

    fn update(&self, index: usize) -> Option<UpdateId> {
        (!self.updates.is_empty()).then(|| self.updates[index % self.updates.len()])
    }

    fn a_room(&self, index: usize) -> Option<RoomId> {
        (!self.rooms.is_empty()).then(|| self.rooms[index % self.rooms.len()])
    }

    /// One arm for each kind of step; the list is longer than other functions.
    fn play(&mut self, step: &Step) {
        match step {
            Step::Wait { minutes } => self.sim.run_until(self.sim.now + TimeDelta::minutes(*minutes)),
            Step::Away { minutes } => self.sim.jump_to(self.sim.now + TimeDelta::minutes(*minutes)),
            Step::Publish {
                product,
                critical,
                minutes,
                needs_one,
                supersedes,
            } => self.publish(*product, *critical, *minutes, *needs_one, *supersedes),
            Step::Mode {
                automatic,
                guard,
                halts,
            } => {
                let settings = &mut self.sim.fleet.organisation.settings;
                settings.mode = if *automatic {
                    Mode::Automatic
                } else {
                    Mode::RingValidated
                };
                settings.starvation_guard = *guard;
                settings.halt = if *halts { HaltRule::default() } else { HaltRule::OFF };
            }
            Step::Recall(update) => self.with_update(*update, |sim, update| {
                accepted("recall", &sim.recall(update, "cameras stay dark"));
            }),
            Step::Cancel(update, room) => {
                let (Some(update), Some(room)) = (self.update(*update), self.a_room(*room)) else {
                    return;
                };
                let started = self.room_where(update, Deployment::has_started);
                let canceled = self.sim.cancel(update, started.unwrap_or(room), "Admin", "no time");
                accepted("cancel", &canceled);
            }
            Step::ForceWhenFree(update, rooms) => {
                let rooms: Vec<RoomId> = rooms.iter().filter_map(|room| self.a_room(*room)).collect();
                self.with_update(*update, |sim, update| {
                    accepted("force", &sim.force(update, &rooms, Force::WhenAvailable, "Admin"));
                });
            }
            Step::FreezePlans { ring, in_days, days } => {
                let freeze = self.freeze(*in_days, *days);
                // One that is refused changes nothing.
                accepted(
                    "freeze plans",
                    &self.sim.freeze_plans(ring.map(|ring| self.rings[ring]), &freeze),
                );
            }
            Step::FreezeRoom { room, in_days, days } => {
                let freeze = self.freeze(*in_days, *days);
                if let Some(room) = self.a_room(*room) {
                    accepted("freeze a room", &self.sim.freeze_rooms(&[room], &freeze));
                }
            }
            Step::EditRing {
                ring,
                order,
                rollout_days,
            } => self.edit_ring(*ring, *order, *rollout_days),
            Step::Pause(update, days) => self.with_update(*update, |sim, update| {
                let today = sim.fleet.organisation.zone.date(sim.now);
                let resumes_on = (*days > 0).then(|| today + TimeDelta::days(*days));
                accepted("pause", &sim.pause(update, "Admin", "a reason", resumes_on));
            }),
            Step::Resume(update) => {
                let mut rollouts = self.sim.fleet.rollouts.values();
                let paused = rollouts.find(|rollout| matches!(rollout.state, RolloutState::Paused { .. }));
                let paused = paused.map(|rollout| rollout.update);
                if let Some(update) = paused.or_else(|| self.update(*update)) {
                    accepted("resume", &self.sim.resume(update));
                }
            }
            Step::Retry(update) => {
                let Some(update) = self.update(*update) else { return };
                self.room_where(update, |deployment| {
                    matches!(deployment.state, DeploymentState::Failed { .. })
                });
                let retried = self.sim.retry_all_failed(update, "Admin");
                if let Ok(rooms) = retried {
                    accepted("retry", &if rooms > 0 { Ok(()) } else { Err(()) });
                    let again = self.sim.retry_all_failed(update, "Admin");
                    assert_eq!(again, Ok(0), "a second click changes nothing (K4)");
                }
            }
            Step::Force(update, rooms) => {
                let rooms: Vec<RoomId> = rooms.iter().filter_map(|room| self.a_room(*room)).collect();
                self.with_update(*update, |sim, update| {
                    accepted("force", &sim.force(update, &rooms, Force::Now, "Admin"));
                });
            }
            Step::Move(room, ring) => {
                if let Some(room) = self.a_room(*room) {
                    self.sim.move_room(room, self.rings[*ring]);
                }
            }
            Step::Hold(room, days) => self.hold(*room, *days),
            Step::Report { room, product, version } => self.report(*room, *product, *version),
            Step::AddRoom(plan) => {
                let room = self.room(plan);
                self.sim.add_room(room);
            }
            Step::Happens(happening) => drop(play(&mut self.sim, &self.rooms, happening)),
        }
    }

    /// A room where a deployment of the update is as wanted, as soon as there is one in the next days.
    fn room_where(&mut self, update: UpdateId, is_so: impl Fn(&Deployment) -> bool) -> Option<RoomId> {
        let end = self.sim.now + TimeDelta::days(3);
        loop {
            let mut of_update = self
                .sim
                .fleet
                .deployments
                .values()
                .filter(|found| found.update == update);
            if let Some(found) = of_update.find(|found| is_so(found)) {
                return Some(found.room);
            }
            if self.sim.now >= end || !self.sim.findings.is_empty() {
                return None;
            }
            self.sim.run_until(self.sim.now + TimeDelta::minutes(10));
        }
    }

    fn with_update(&mut self, index: usize, action: impl FnOnce(&mut Simulation, UpdateId)) {
        if let Some(update) = self.update(index) {
            action(&mut self.sim, update);
        }
    }

    fn freeze(&mut self, in_days: u64, days: u64) -> Freeze {
        let from = self.sim.fleet.organisation.zone.date(self.sim.now) + chrono::Days::new(in_days);
        Freeze {
            from,
            until: from + chrono::Days::new(days - 1),
            owner: "Facilities".to_owned(),
            reason: "a fair".to_owned(),
            made_at: self.sim.now,
            id: FreezeId(self.id()),
        }
    }

    fn edit_ring(&mut self, ring: usize, order: u8, rollout_days: u32) {
        let rings = self.sim.fleet.rings.clone();
        let Some(old) = rings.get(self.rings[ring]) else { return };
        let draft = RingDraft {
            name: old.name.clone(),
            description: String::new(),
            order: RingOrder::try_from(i64::from(order)).ok(),
            rollout_days,
            test_days: old.test_days,
        };
        let Ok(edited) = rings.with_edited(old.id, draft) else {
            return;
        };
        // R10: an edit that would make a running plan longer than 60 days is refused.
        accepted("edit a ring", &self.sim.set_rings(&edited));
    }

    fn publish(&mut self, product: usize, critical: bool, expected_minutes: u32, needs_one: bool, supersedes: bool) {
        let (name, kind, vendor) = PRODUCTS[product];
        let of_product = self
            .sim
            .fleet
            .updates
            .values()
            .filter(|update| update.product.0 == name)
            .count();
        if self.updates.len() >= 6 {
            return;
        }
        let id = UpdateId(self.id());
        let own = of_product + 2;
        // Versions are "1" to "9".
        let standings = (1..=9_usize).map(|known| {
            (
                known.to_string(),
                if known >= own {
                    VersionStanding::Current
                } else if needs_one && known + 1 < own {
                    VersionStanding::NeedsFirst
                } else {
                    VersionStanding::Below
                },
            )
        });
        self.updates.push(id);
        let update = Update {
            id,
            product: ProductId(name.to_owned()),
            product_name: name.to_owned(),
            kind,
            vendor: vendor.to_owned(),
            version: own.to_string(),
            released: None,
            severity: if critical {
                Severity::Critical
            } else {
                Severity::Routine
            },
            expected_minutes,
            minimum_version: needs_one.then(|| (own - 1).to_string()),
            models: Vec::new(),
            applies_to_unknown: false,
            offerable: true,
            standings: standings.collect(),
        };
        self.sim.publish(update, supersedes).expect("it fits into a window");
    }

    fn hold(&mut self, room: usize, days: u64) {
        let Some(room) = self.a_room(room) else { return };
        let since = self.sim.fleet.rooms[&room].zone.date(self.sim.now);
        let until = since + chrono::Days::new(days);
        self.sim.hold(
            room,
            Hold {
                product: None,
                owner: "Facilities".to_owned(),
                reason: "a fair".to_owned(),
                since,
                until,
            },
        );
    }

    fn report(&mut self, room: usize, product: usize, version: usize) {
        let Some(room) = self.a_room(room) else { return };
        let devices: Vec<DeviceId> = self.sim.fleet.rooms[&room]
            .devices
            .iter()
            .map(|device| device.id)
            .collect();
        for device in devices {
            self.sim.report_component(
                device,
                &ProductId(PRODUCTS[product].0.to_owned()),
                Some((version + 1).to_string()),
            );
        }
    }

    /// No law is broken, and what the three levels of status say fits together.
    fn check(&self) {
        assert!(self.sim.findings.is_empty(), "{}", self.sim.findings[0]);
        let fleet = &self.sim.fleet;
        for (id, rollout) in &fleet.rollouts {
            let update = &fleet.updates[id];
            let status = status::update(rollout, fleet.applies_to_a_room(update, self.sim.now));
            for deployment in fleet.deployments.values().filter(|deployment| deployment.update == *id) {
                let room = status::room(deployment.progress(), &rollout.state);
                match status {
                    UpdateStatus::Completed => assert!(
                        deployment.is_catch_up() || matches!(room, RoomStatus::Completed | RoomStatus::NotRequired),
                        "the update is Completed, a room {room:?} (T7)"
                    ),
                    UpdateStatus::Paused => assert_ne!(
                        room,
                        RoomStatus::Scheduled,
                        "paused updates have no Scheduled rooms (T1)"
                    ),
                    UpdateStatus::Deprecated => {
                        assert!(
                            !matches!(room, RoomStatus::Scheduled | RoomStatus::Paused),
                            "deprecated, a room {room:?} (T1)"
                        );
                    }
                    UpdateStatus::Scheduled
                    | UpdateStatus::InProgress
                    | UpdateStatus::CompletedWithFailures
                    | UpdateStatus::NotRequired => {}
                }
            }
        }
    }

    /// Everything is resumed and months pass: all that can end has ended, and nothing is left to plan.
    fn come_to_rest(&mut self) {
        // Further rooms may fail, and halt a rollout again: each room that has failed does so once (K7).
        for _ in 0..100 {
            for update in self.updates.clone() {
                let _ = self.sim.resume(update);
            }
            self.sim.run_until(self.sim.now + TimeDelta::days(150));
            self.check();
            assert!(self.sim.is_at_rest());
            let mut rollouts = self.sim.fleet.rollouts.values();
            if rollouts.all(|rollout| rollout.halt.is_none()) {
                break;
            }
        }
        let fleet = &self.sim.fleet;
        for rollout in fleet.rollouts.values() {
            let waits = || {
                let mut of = fleet
                    .deployments
                    .values()
                    .filter(|deployment| deployment.update == rollout.update && !deployment.is_catch_up());
                of.any(|deployment| {
                    deployment.is_unfinished() && !self.may_wait_for_ever(deployment.room, rollout.update)
                })
            };
            let over = matches!(
                rollout.state,
                RolloutState::Finished { .. } | RolloutState::Deprecated { .. }
            );
            assert!(
                over || rollout.total_counts().unfinished() > 0,
                "the rollout waits for nothing: {rollout:?}"
            );
            assert!(!waits(), "a room waits for nothing: {:?}", fleet.deployments);
        }
    }

    /// A device that fell silent for good blocks its next install (W5), and what takes as long as the window finds no space (S7).
    fn may_wait_for_ever(&self, room: RoomId, update: UpdateId) -> bool {
        let devices: Vec<DeviceId> = self.sim.fleet.rooms[&room]
            .devices
            .iter()
            .map(|device| device.id)
            .collect();
        let silent = self
            .sim
            .fleet
            .installs
            .values()
            .any(|install| devices.contains(&install.device) && install.is_started());
        silent || self.sim.fleet.updates[&update].expected_minutes > 290
    }
}

/// Plays a life, with every law checked after each step, and then lets everything come to rest.
pub fn live(zone: usize, days: &[(u32, u32)], rooms: &[RoomPlan], steps: &[Step]) {
    let mut world = World::new(zone, days, rooms);
    for step in steps {
        world.play(step);
        if !matches!(step, Step::Away { .. }) {
            world.sim.tick();
            world.check();
        }
    }
    world.sim.tick();
    world.check();
    world.come_to_rest();
}
