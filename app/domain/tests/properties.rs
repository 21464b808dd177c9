//! Random fleets, edits, failures and clock jumps through the simulator: whatever happens, every law of the planner's README
//! holds after every tick. And the rings' 60 days (R8, R9), and the order of versions (S2).
//!
//! A failure shrinks to a short list of steps. What was found so stands below as an example of its own.

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::deployment::{Deployment, DeploymentState, Force};
use domain::fleet::Fleet;
use domain::freeze::Freeze;
use domain::ids::{DeviceId, FreezeId, ProductId, RingId, RoomId, UpdateId};
use domain::ring::{MOST_TOTAL_DAYS, RingDraft, RingOrder, RingRefusal, RingSequence};
use domain::rollout::RolloutState;
use domain::room::{Component, Device, Hold, Room, RoomState};
use domain::settings::{Mode, Organisation, Settings};
use domain::sim::{Behaviour, Simulation};
use domain::status::{self, RoomStatus, UpdateStatus};
use domain::update::{ProductKind, Severity, Update, VersionStanding};
use domain::version::{Version, VersionScheme, compare};
use domain::zone::Zone;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

// Zones whose clocks change inside the months below, by an hour, by half an hour, at midnight, or not at all.
const ZONES: [&str; 8] = [
    "Europe/London",
    "America/St_Johns",
    "Pacific/Auckland",
    "Pacific/Pago_Pago",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kolkata",
];
const PRODUCTS: [(&str, ProductKind); 3] = [
    ("win", ProductKind::Os),
    ("app", ProductKind::App),
    ("cam", ProductKind::Firmware),
];

#[derive(Clone, Debug)]
struct RoomPlan {
    zone: usize,
    ring: usize,
    model: usize,
    devices: u8,
    onboarding: bool,
    behaviour: Conduct,
}

#[derive(Clone, Debug)]
struct Conduct {
    minutes: u32,
    failures: u32,
    silences: u32,
    late_minutes: Option<u32>,
    absent: Option<(i64, i64)>,
    confirms: bool,
    refuses_cancel: bool,
    busy: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
enum Step {
    Wait {
        minutes: i64,
    },
    Away {
        minutes: i64,
    },
    Publish {
        product: usize,
        critical: bool,
        minutes: u32,
        /// It needs the release before it first.
        needs_one: bool,
        supersedes: bool,
    },
    Mode {
        automatic: bool,
        guard: bool,
    },
    Recall(usize),
    Cancel(usize, usize),
    ForceWhenFree(usize, Vec<usize>),
    FreezePlans {
        ring: Option<usize>,
        in_days: u64,
        days: u64,
    },
    FreezeRoom {
        room: usize,
        in_days: u64,
        days: u64,
    },
    EditRing {
        ring: usize,
        order: u8,
        rollout_days: u32,
    },
    /// For so many days; 0: until somebody resumes it.
    Pause(usize, i64),
    Resume(usize),
    Retry(usize),
    Force(usize, Vec<usize>),
    Move(usize, usize),
    Hold(usize, u64),
    Report {
        room: usize,
        product: usize,
        version: usize,
    },
    AddRoom(RoomPlan),
}

fn a_conduct() -> impl Strategy<Value = Conduct> {
    (
        5_u32..200,
        prop_oneof![4 => Just(0_u32), 1 => 1_u32..3],
        prop_oneof![5 => Just(0_u32), 1 => 1_u32..3],
        proptest::option::of(30_u32..4_000),
        proptest::option::weighted(0.3, (0_i64..60, 1_i64..10)),
        proptest::bool::weighted(0.9),
        proptest::bool::weighted(0.3),
        proptest::option::weighted(0.5, (0_i64..1_000, 1_i64..100)),
    )
        .prop_map(
            |(minutes, failures, silences, late_minutes, absent, confirms, refuses_cancel, busy)| Conduct {
                minutes,
                failures,
                silences,
                late_minutes,
                absent,
                confirms,
                refuses_cancel,
                busy,
            },
        )
}

fn a_room() -> impl Strategy<Value = RoomPlan> {
    (
        0..ZONES.len(),
        0_usize..4,
        0_usize..3,
        1_u8..3,
        proptest::bool::weighted(0.1),
        a_conduct(),
    )
        .prop_map(|(zone, ring, model, devices, onboarding, behaviour)| RoomPlan {
            zone,
            ring,
            model,
            devices,
            onboarding,
            behaviour,
        })
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_i64..6_000).prop_map(|minutes| Step::Wait { minutes }),
        1 => (1_i64..60_000).prop_map(|minutes| Step::Away { minutes }),
        4 => (0_usize..3, proptest::bool::weighted(0.3), 5_u32..300, any::<bool>(), proptest::bool::weighted(0.7)).prop_map(
            |(product, critical, minutes, needs_one, supersedes)| Step::Publish { product, critical, minutes, needs_one, supersedes }
        ),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(automatic, guard)| Step::Mode { automatic, guard }),
        1 => (0_usize..6).prop_map(Step::Recall),
        2 => (0_usize..6, 0_usize..8).prop_map(|(update, room)| Step::Cancel(update, room)),
        1 => (0_usize..6, proptest::collection::vec(0_usize..8, 1..4)).prop_map(|(update, rooms)| Step::ForceWhenFree(update, rooms)),
        2 => (proptest::option::of(0_usize..4), 0_u64..12, 1_u64..9).prop_map(|(ring, in_days, days)| Step::FreezePlans { ring, in_days, days }),
        1 => (0_usize..8, 0_u64..12, 1_u64..9).prop_map(|(room, in_days, days)| Step::FreezeRoom { room, in_days, days }),
        1 => (0_usize..4, 1_u8..10, 1_u32..8).prop_map(|(ring, order, rollout_days)| Step::EditRing { ring, order, rollout_days }),
        2 => (0_usize..6, 0_i64..5).prop_map(|(update, days)| Step::Pause(update, days)),
        3 => (0_usize..6).prop_map(Step::Resume),
        2 => (0_usize..6).prop_map(Step::Retry),
        2 => (0_usize..4, proptest::collection::vec(0_usize..8, 1..4)).prop_map(|(update, rooms)| Step::Force(update, rooms)),
        3 => (0_usize..8, 0_usize..4).prop_map(|(room, ring)| Step::Move(room, ring)),
        1 => (0_usize..8, 0_u64..20).prop_map(|(room, days)| Step::Hold(room, days)),
        2 => (0_usize..8, 0_usize..3, 0_usize..5).prop_map(|(room, product, version)| Step::Report { room, product, version }),
        1 => a_room().prop_map(Step::AddRoom),
    ]
}

/// Rings of at most 60 days: Staging, one custom ring, General, Executive.
fn rings() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((1_u32..8, 0_u32..6), 4)
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
            settings: Settings::default(),
        };
        let sim = Simulation::new(Fleet::new(organisation, sequence), start());
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

    fn room(&mut self, plan: &RoomPlan) -> Room {
        let id = RoomId(self.id());
        self.rooms.push(id);
        let components: Vec<Component> = PRODUCTS
            .iter()
            .map(|(product, _)| Component {
                product: ProductId((*product).to_owned()),
                version: Some("1".to_owned()),
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
            Step::Mode { automatic, guard } => {
                let settings = &mut self.sim.fleet.organisation.settings;
                settings.mode = if *automatic {
                    Mode::Automatic
                } else {
                    Mode::RingValidated
                };
                settings.starvation_guard = *guard;
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
        let (name, kind) = PRODUCTS[product];
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
                        deployment.catch_up || matches!(room, RoomStatus::Completed | RoomStatus::NotRequired),
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
        for update in self.updates.clone() {
            let _ = self.sim.resume(update);
        }
        self.sim.run_until(self.sim.now + TimeDelta::days(150));
        self.check();
        assert!(self.sim.is_at_rest());
        let fleet = &self.sim.fleet;
        for rollout in fleet.rollouts.values() {
            let waits = || {
                let mut of = fleet
                    .deployments
                    .values()
                    .filter(|deployment| deployment.update == rollout.update && !deployment.catch_up);
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

fn live(zone: usize, days: &[(u32, u32)], rooms: &[RoomPlan], steps: &[Step]) {
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

/// `NIGHTSHIFT_FLEETS=5000` for a long look.
fn fleets() -> u32 {
    std::env::var("NIGHTSHIFT_FLEETS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(200)
}

/// The commands of which at least one must be accepted among all fleets: a life of refused commands proves nothing.
const COMMANDS: [&str; 9] = [
    "cancel",
    "edit a ring",
    "force",
    "freeze a room",
    "freeze plans",
    "pause",
    "recall",
    "resume",
    "retry",
];

thread_local! {
    static ACCEPTED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes a command that was not refused.
fn accepted<T, E>(command: &'static str, outcome: &Result<T, E>) {
    if outcome.is_ok() {
        ACCEPTED.with_borrow_mut(|accepted| accepted.insert(command));
    }
}

#[test]
fn whatever_happens_no_law_is_broken_and_everything_comes_to_rest_s14() {
    let config = ProptestConfig {
        cases: fleets(),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rooms = proptest::collection::vec(a_room(), 1..8);
    let steps = proptest::collection::vec(a_step(), 1..24);
    let life = (0..ZONES.len(), rings(), rooms, steps);
    let lived = TestRunner::new(config).run(&life, |(zone, days, rooms, steps)| {
        live(zone, &days, &rooms, &steps);
        Ok(())
    });
    lived.unwrap_or_else(|broken| panic!("{broken}"));
    let accepted: Vec<&str> = ACCEPTED.with_borrow(|accepted| accepted.iter().copied().collect());
    assert_eq!(accepted, COMMANDS, "commands that were accepted at least once");
}

fn draft(order: i64, rollout_days: u32, test_days: u32) -> RingDraft {
    let order = RingOrder::try_from(order).ok();
    RingDraft {
        name: format!("Ring {order:?}"),
        description: String::new(),
        order,
        rollout_days,
        test_days,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sixty_days_are_accepted_and_sixty_one_refused_whatever_the_rings_r8_r9(
        sizes in proptest::collection::vec((1_u32..30, 0_u32..30), 1..7),
    ) {
        let ring = |number| RingId(Uuid::from_u128(number));
        let mut rings = RingSequence::preconfigured(ring(1), ring(2), ring(3));
        for (index, (rollout_days, test_days)) in (0_u32..).zip(sizes) {
            let order = [1, 2, 3, 4, 6, 7, 8, 9][index as usize];
            let wanted = rollout_days + test_days;
            let remaining = rings.remaining_days(None);
            prop_assert_eq!(remaining, MOST_TOTAL_DAYS - rings.total_days());
            match rings.with_added(ring(u128::from(10 + index)), draft(order, rollout_days, test_days)) {
                Ok(more) => {
                    prop_assert!(wanted <= remaining);
                    prop_assert!(more.total_days() <= MOST_TOTAL_DAYS);
                    rings = more;
                }
                Err(refusal) => {
                    prop_assert!(wanted > remaining);
                    prop_assert_eq!(refusal, RingRefusal::TooLong { wanted, remaining });
                }
            }
        }
        // Fill up what is left: exactly 60 is accepted, one more is refused, when editing too.
        let last = rings.iter().last().expect("Executive").clone();
        let remaining = rings.remaining_days(Some(last.id));
        let full = rings.with_edited(last.id, draft(5, remaining, 0)).expect("60 days");
        prop_assert_eq!(full.total_days(), 60);
        prop_assert!(full.with_edited(last.id, draft(5, remaining, 1)).is_err());
        // Deferment is the sum before, and the last one's with its completion time is the total (R6, R7).
        prop_assert_eq!(full.deferment_days(last.id) + remaining, 60);
        // What a file holds is what it was made from.
        let text = serde_json::to_string(&full).expect("text");
        prop_assert_eq!(serde_json::from_str::<RingSequence>(&text).expect("rings"), full);
    }
}

fn a_version() -> impl Strategy<Value = String> {
    prop_oneof![
        "[vV]?[0-9]{1,3}([.\\-_/ ][0-9]{1,4}){0,4}",
        "(RoomOS|NFB|E|)[ .]?[0-9]{1,2}(\\.[0-9a-c]{1,3}){0,3}(-beta)?",
        "\\PC{0,8}",
    ]
}

fn a_day() -> impl Strategy<Value = Option<NaiveDate>> {
    proptest::option::of((0_u64..400).prop_map(|days| NaiveDate::default() + chrono::Days::new(days)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_versions_turned_round_is_its_opposite_s2(
        a in a_version(), b in a_version(), day_a in a_day(), day_b in a_day(), by_release_date: bool,
    ) {
        let scheme = VersionScheme { by_release_date, optional_prefix: Some("1.".to_owned()) };
        let (a, b) = (Version { text: &a, released: day_a }, Version { text: &b, released: day_b });
        prop_assert_eq!(compare(&scheme, a, b).order, compare(&scheme, b, a).order.map(std::cmp::Ordering::reverse));
    }

    #[test]
    fn a_version_with_a_digit_equals_itself_and_one_without_has_no_order_s2(a in a_version()) {
        let itself = compare(&VersionScheme::default(), Version::undated(&a), Version::undated(&a)).order;
        let has_digit = a.chars().any(|c| c.is_ascii_digit());
        prop_assert_eq!(itself, has_digit.then_some(std::cmp::Ordering::Equal));
    }
}

/// What the properties found, as examples that stay.
mod found {
    use super::*;

    const RINGS: [(u32, u32); 4] = [(1, 0), (1, 0), (1, 0), (1, 0)];

    fn conduct() -> Conduct {
        Conduct {
            minutes: 5,
            failures: 0,
            silences: 0,
            late_minutes: None,
            absent: None,
            confirms: true,
            refuses_cancel: false,
            busy: None,
        }
    }

    fn in_ring(ring: usize) -> RoomPlan {
        RoomPlan {
            zone: 0,
            ring,
            model: 0,
            devices: 1,
            onboarding: false,
            behaviour: conduct(),
        }
    }

    /// Room by room over the date line: an update that needs another one first comes to the ring when a third one is prepared there,
    /// and puts that other one in front of it.
    #[test]
    fn what_a_newcomer_needs_first_goes_first_from_then_on_s7_s8() {
        let at = |zone, ring| RoomPlan {
            zone,
            behaviour: Conduct {
                confirms: false,
                ..conduct()
            },
            ..in_ring(ring)
        };
        let rooms = [at(0, 0), at(0, 0), at(2, 1), at(0, 0), at(3, 1)];
        let publish = |product, critical, needs_one| Step::Publish {
            product,
            critical,
            minutes: 5,
            needs_one,
            supersedes: false,
        };
        let steps = [
            publish(1, true, false),
            publish(0, true, false),
            publish(1, false, true),
            Step::Wait { minutes: 1 },
        ];
        live(0, &RINGS, &rooms, &steps);
    }

    fn publish(product: usize, critical: bool, minutes: u32) -> Step {
        Step::Publish {
            product,
            critical,
            minutes,
            needs_one: false,
            supersedes: true,
        }
    }

    #[test]
    fn a_room_that_comes_to_the_ring_ahead_from_further_east_moves_its_entry_s5() {
        let kiwi = RoomPlan { zone: 2, ..in_ring(1) };
        live(
            3,
            &RINGS,
            &[in_ring(0), kiwi],
            &[publish(0, false, 5), Step::Move(1, 0)],
        );
        live(
            3,
            &RINGS,
            &[in_ring(0), in_ring(1)],
            &[publish(0, false, 5), Step::Move(0, 1)],
        );
    }

    #[test]
    fn a_room_that_moves_at_the_instant_of_a_rings_entry_is_not_lost_r14() {
        let steps = [publish(0, true, 5), Step::Away { minutes: 540 }, Step::Move(0, 1)];
        live(0, &RINGS, &[in_ring(0)], &steps);
    }

    #[test]
    fn a_silent_device_that_reports_its_success_late_leaves_nothing_to_plan_w5() {
        let slow = RoomPlan {
            behaviour: Conduct {
                minutes: 127,
                confirms: false,
                ..conduct()
            },
            ..in_ring(0)
        };
        live(0, &RINGS, &[slow], &[publish(0, false, 5)]);
    }

    #[test]
    fn a_step_whose_device_never_confirms_leaves_nothing_to_plan_s8() {
        let quiet = RoomPlan {
            behaviour: Conduct {
                silences: 1,
                confirms: false,
                ..conduct()
            },
            ..in_ring(0)
        };
        let needs_one = Step::Publish {
            product: 0,
            critical: false,
            minutes: 5,
            needs_one: true,
            supersedes: false,
        };
        live(
            0,
            &RINGS,
            &[quiet],
            &[publish(0, false, 67), Step::Recall(0), needs_one],
        );
    }

    #[test]
    fn a_room_of_which_one_device_has_done_a_step_leaves_nothing_to_plan_s8() {
        let two = |ring| RoomPlan {
            devices: 2,
            ..in_ring(ring)
        };
        let needs_one = Step::Publish {
            product: 2,
            critical: false,
            minutes: 296,
            needs_one: true,
            supersedes: true,
        };
        let steps = [
            Step::AddRoom(two(1)),
            publish(2, false, 298),
            Step::Wait { minutes: 1 },
            Step::AddRoom(two(0)),
            needs_one,
            publish(0, false, 5),
            Step::Move(2, 0),
            Step::Recall(2),
        ];
        live(0, &[(1, 3), (1, 0), (1, 0), (1, 0)], &[in_ring(2)], &steps);
    }

    #[test]
    fn a_room_that_is_named_twice_is_forced_once_k5() {
        live(
            0,
            &RINGS,
            &[in_ring(1)],
            &[publish(0, false, 5), Step::Force(0, vec![0, 0])],
        );
    }

    #[test]
    fn a_room_with_one_device_done_and_one_that_did_not_fit_goes_on_the_next_night_s7() {
        let two = RoomPlan {
            devices: 2,
            ..in_ring(0)
        };
        live(0, &RINGS, &[in_ring(0), two], &[publish(1, false, 296)]);
    }

    #[test]
    fn a_retry_of_a_held_room_is_taken_back_at_once_k4() {
        let silent = RoomPlan {
            behaviour: Conduct {
                silences: 1,
                ..conduct()
            },
            ..in_ring(0)
        };
        let steps = [
            publish(0, false, 5),
            Step::Wait { minutes: 602 },
            Step::Hold(0, 0),
            Step::Retry(0),
        ];
        live(0, &RINGS, &[silent], &steps);
    }

    #[test]
    fn a_ticket_is_cleared_by_a_success_after_a_hold_in_between_k1() {
        let fails = RoomPlan {
            behaviour: Conduct {
                failures: 1,
                ..conduct()
            },
            ..in_ring(0)
        };
        let steps = [
            publish(0, false, 5),
            Step::Wait { minutes: 547 },
            Step::Retry(0),
            Step::Hold(0, 0),
        ];
        live(0, &[(1, 2), (3, 1), (4, 1), (1, 0)], &[fails], &steps);
    }

    #[test]
    fn a_late_report_after_the_last_ring_goes_on_with_the_attempt_it_had_w5_t6() {
        let late = RoomPlan {
            behaviour: Conduct {
                silences: 1,
                late_minutes: Some(1_312),
                confirms: false,
                ..conduct()
            },
            ..in_ring(3)
        };
        let steps = [Step::AddRoom(late), publish(0, false, 5)];
        live(4, &RINGS, &[in_ring(0)], &steps);
    }
}
