//! Random lives of rooms whose devices tell facts, looked at with every check (C1–C8, L4, I4).
//!
//! Time goes from check to check. What must hold of each stands in [`crate::judged`]; no rule stands here. Start with [`live`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::fleet::Fleet;
use domain::ids::{DeviceId, ProductId, RingId, RoomId};
use domain::product::ProductKind;
use domain::readiness::profile::Profile;
use domain::ring::RingSequence;
use domain::room::{Component, Device, Room, RoomState, VersionSource};
use domain::settings::{Organisation, Settings};
use domain::sim::Simulation;
use domain::zone::Zone;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::fleets;
use crate::happenings::{Happening, a_happening, play};
use crate::judged::{Known, Made, judge};
use crate::plan::ZONES;
use crate::world::accepted_commands;

/// The commands of which at least one must be accepted among all lives.
const COMMANDS: [&str; 7] = [
    "answer a setting",
    "confirm",
    "end a review",
    "end a waiver",
    "review",
    "tell",
    "waive",
];

/// What must have come of checks at least once among all lives: properties of what never happens prove nothing.
const OUTCOMES: [&str; 16] = [
    "a block begins",
    "a block ends",
    "a block outlives its facts",
    "a setting fails",
    "a setting is done",
    "a setting is wanted",
    "a setting is withdrawn",
    "a ticket of a check is found",
    "a ticket of a setting is found",
    "a ticket of a signal is found",
    "a ticket of support gets worse",
    "a ticket of support is found",
    "a ticket resolves itself",
    "a waiver ends by its date",
    "fixed by the service",
    "managed",
];

thread_local! {
    static SEEN: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes what has come of a check.
pub fn seen(outcome: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.insert(outcome));
}

#[derive(Clone, Debug)]
struct RoomPlan {
    zone: usize,
    is_onboarding: bool,
    has_camera: bool,
    /// One for each device: whether it has a component of kind os by Microsoft.
    computers: Vec<bool>,
}

#[derive(Clone, Debug)]
enum Step {
    Wait {
        minutes: i64,
    },
    /// On so many days in a row every device tells its facts once more.
    Days(u32),
    Happens(Happening),
    /// A device's app has this version from now on.
    Install {
        room: usize,
        device: usize,
        version: &'static str,
    },
}

struct Life {
    sim: Simulation,
    rooms: Vec<RoomId>,
    known: Known,
}

impl Life {
    fn new(plans: &[RoomPlan]) -> Self {
        let organisation = Organisation {
            name: "Example".to_owned(),
            zone: Zone::parse(ZONES[0]).expect("a zone"),
            settings: Settings::default(),
        };
        let ring = |number| RingId(Uuid::from_u128(number));
        let rings = RingSequence::preconfigured(ring(1), ring(2), ring(3));
        let start: DateTime<Utc> = "2026-03-20T15:00:00Z".parse().expect("an instant");
        let mut sim = Simulation::new(Fleet::new(organisation, rings), start);
        for (product, vendor, kind) in [
            ("win", "Microsoft", ProductKind::Os),
            ("app", "Example", ProductKind::App),
            ("cam", "Logitech", ProductKind::Firmware),
        ] {
            let facts = (vendor.to_owned(), kind);
            sim.facts.products.insert(ProductId(product.to_owned()), facts);
        }
        let mut rooms = Vec::new();
        for (plan, number) in plans.iter().zip(1..) {
            let room = room(plan, number, ring(2));
            rooms.push(room.id);
            sim.fleet.rooms.insert(room.id, room);
        }
        Self {
            sim,
            rooms,
            known: Known::default(),
        }
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Wait { minutes } => self.wait_until(self.sim.now + TimeDelta::minutes(*minutes)),
            Step::Days(days) => {
                for _ in 0..*days {
                    self.wait_until(self.sim.now + TimeDelta::days(1));
                    for (device, report) in self.known.reports() {
                        self.sim.tell(device, report.clone()).expect("it was told before");
                        self.known.note_report(device, report, &self.sim, &self.rooms);
                    }
                    self.make_checks();
                }
            }
            Step::Happens(happening) => {
                let told = play(&mut self.sim, &self.rooms, happening);
                self.known.note(happening, told, &self.sim, &self.rooms);
            }
            Step::Install { room, device, version } => {
                let devices = &self.sim.fleet.rooms[&self.rooms[room % self.rooms.len()]].devices;
                let device = devices[device % devices.len()].id;
                let app = ProductId("app".to_owned());
                self.sim.report_component(device, &app, Some((*version).to_owned()));
            }
        }
        self.make_checks();
    }

    fn wait_until(&mut self, end: DateTime<Utc>) {
        loop {
            self.make_checks();
            let due = self.sim.fleet.checks.values().filter_map(|checks| checks.next_at);
            match due.min().filter(|due| *due <= end) {
                Some(due) => self.sim.jump_to(due),
                None => break,
            }
        }
        self.sim.jump_to(end);
    }

    /// Makes the checks that are due, and looks at what comes of each.
    fn make_checks(&mut self) {
        // A setting that has failed has its room checked once more, at once.
        for round in 0.. {
            assert!(round < 4, "checks do not come to rest");
            let now = self.sim.now;
            let checks = self.sim.fleet.checks.iter();
            let due = checks.filter(|(_, checks)| checks.next_at.is_some_and(|at| at <= now));
            let due: Vec<RoomId> = due.map(|(room, _)| *room).collect();
            if due.is_empty() {
                return;
            }
            let before = due.iter().map(|room| self.sim.room_to_check(*room).expect("a room"));
            let before: Vec<_> = before.collect();
            self.sim.tick();
            let (profile, reviewed) = (Profile::shipped(), self.sim.fleet.reviewed.iter().cloned());
            let reviewed: Vec<String> = reviewed.collect();
            for before in before {
                let after = self.sim.room_to_check(before.room).expect("a room");
                let next_at = self.sim.fleet.checks[&before.room].next_at.expect("an instant");
                let made = Made {
                    before,
                    after,
                    now,
                    next_at,
                    rules: Known::rules(&profile, &reviewed),
                };
                judge(&made, &mut self.known);
            }
            assert!(self.sim.findings.is_empty(), "{}", self.sim.findings[0]);
        }
    }
}

fn room(plan: &RoomPlan, number: u128, ring: RingId) -> Room {
    let component = |product: &str| Component {
        product: ProductId(product.to_owned()),
        version: Some("1".to_owned()),
        source: VersionSource::Reported,
    };
    let devices = plan.computers.iter().zip(1..).map(|(has_windows, place)| {
        let mut components = vec![component("app")];
        components.extend(has_windows.then(|| component("win")));
        components.extend(plan.has_camera.then(|| component("cam")));
        Device {
            id: DeviceId(Uuid::from_u128(number * 100 + place)),
            model: "M".to_owned(),
            components,
        }
    });
    Room {
        id: RoomId(Uuid::from_u128(number)),
        name: format!("Room {number}"),
        zone: Zone::parse(ZONES[plan.zone]).expect("a zone"),
        ring,
        state: if plan.is_onboarding {
            RoomState::Onboarding
        } else {
            RoomState::Managed
        },
        blocks: Vec::new(),
        holds: Vec::new(),
        supported_until: BTreeMap::new(),
        freezes: Vec::new(),
        devices: devices.collect(),
    }
}

fn a_room() -> impl Strategy<Value = RoomPlan> {
    let computers = proptest::collection::vec(proptest::bool::weighted(0.8), 1..3);
    (0..ZONES.len(), any::<bool>(), any::<bool>(), computers).prop_map(
        |(zone, is_onboarding, has_camera, computers)| RoomPlan {
            zone,
            is_onboarding,
            has_camera,
            computers,
        },
    )
}

fn a_step() -> impl Strategy<Value = Step> {
    let version = proptest::sample::select(vec!["1", "2", "3"]);
    prop_oneof![
        // Also waits of exactly as long as facts count, and as fixed settings are called so.
        6 => prop_oneof![8 => 1_i64..200, 8 => 1_i64..6_000, 2 => Just(48 * 60), 1 => Just(30 * 24 * 60), 1 => 1_i64..60_000].prop_map(|minutes| Step::Wait { minutes }),
        1 => (1_u32..40).prop_map(Step::Days),
        12 => a_happening().prop_map(Step::Happens),
        1 => (0_usize..8, 0_usize..2, version).prop_map(|(room, device, version)| Step::Install { room, device, version }),
    ]
}

/// Plays a life, and looks at every check that is made on the way.
fn live(rooms: &[RoomPlan], steps: &[Step]) {
    let mut life = Life::new(rooms);
    for step in steps {
        life.play(step);
    }
    life.wait_until(life.sim.now + TimeDelta::days(3));
}

#[test]
fn whatever_devices_tell_and_people_decide_every_check_keeps_to_its_rules_c1_c2_c3_c4_c5_c7_l4_i4() {
    let config = ProptestConfig {
        cases: fleets(),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rooms = proptest::collection::vec(a_room(), 1..3);
    let steps = proptest::collection::vec(a_step(), 10..40);
    let lived = TestRunner::new(config).run(&(rooms, steps), |(rooms, steps)| {
        live(&rooms, &steps);
        Ok(())
    });
    lived.unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(
        accepted_commands(),
        COMMANDS,
        "commands that were accepted at least once"
    );
    let seen: Vec<&str> = SEEN.with_borrow(|seen| seen.iter().copied().collect());
    assert_eq!(seen, OUTCOMES, "what came of checks at least once");
}
