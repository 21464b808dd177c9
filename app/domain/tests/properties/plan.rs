//! What may happen in a random life: rooms, how their devices behave, and steps.
//!
//! Only choices are made here; [`crate::world`] plays them. Start with [`Step`].

use domain::update::ProductKind;
use proptest::prelude::*;

use crate::happenings::{Happening, a_happening};

// Zones whose clocks change inside the months below, by an hour, by half an hour, at midnight, or not at all.
pub const ZONES: [&str; 8] = [
    "Europe/London",
    "America/St_Johns",
    "Pacific/Auckland",
    "Pacific/Pago_Pago",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kolkata",
];
pub const PRODUCTS: [(&str, ProductKind, &str); 3] = [
    ("win", ProductKind::Os, "Microsoft"),
    ("app", ProductKind::App, "Example"),
    ("cam", ProductKind::Firmware, "Logitech"),
];

#[derive(Clone, Debug)]
pub struct RoomPlan {
    pub zone: usize,
    pub ring: usize,
    pub model: usize,
    pub devices: u8,
    pub onboarding: bool,
    pub behaviour: Conduct,
}

#[derive(Clone, Debug)]
pub struct Conduct {
    pub minutes: u32,
    pub failures: u32,
    pub refusals: u32,
    pub silences: u32,
    pub late_minutes: Option<u32>,
    pub absent: Option<(i64, i64)>,
    pub confirms: bool,
    pub refuses_cancel: bool,
    pub busy: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
pub enum Step {
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
        /// Whether the halt rule is on.
        halts: bool,
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
    /// To the readiness of a room.
    Happens(Happening),
}

pub fn a_conduct() -> impl Strategy<Value = Conduct> {
    (
        5_u32..200,
        (
            prop_oneof![4 => Just(0_u32), 1 => 1_u32..3],
            prop_oneof![5 => Just(0_u32), 1 => 1_u32..6],
        ),
        prop_oneof![5 => Just(0_u32), 1 => 1_u32..3],
        proptest::option::of(30_u32..4_000),
        proptest::option::weighted(0.3, (0_i64..60, 1_i64..10)),
        proptest::bool::weighted(0.9),
        proptest::bool::weighted(0.3),
        proptest::option::weighted(0.5, (0_i64..1_000, 1_i64..100)),
    )
        .prop_map(
            |(minutes, (failures, refusals), silences, late_minutes, absent, confirms, refuses_cancel, busy)| Conduct {
                minutes,
                failures,
                refusals,
                silences,
                late_minutes,
                absent,
                confirms,
                refuses_cancel,
                busy,
            },
        )
}

pub fn a_room() -> impl Strategy<Value = RoomPlan> {
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

pub fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_i64..6_000).prop_map(|minutes| Step::Wait { minutes }),
        1 => (1_i64..60_000).prop_map(|minutes| Step::Away { minutes }),
        4 => (0_usize..3, proptest::bool::weighted(0.3), 5_u32..300, any::<bool>(), proptest::bool::weighted(0.7)).prop_map(
            |(product, critical, minutes, needs_one, supersedes)| Step::Publish { product, critical, minutes, needs_one, supersedes }
        ),
        1 => any::<[bool; 3]>().prop_map(|[automatic, guard, halts]| Step::Mode { automatic, guard, halts }),
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
        6 => a_happening().prop_map(Step::Happens),
    ]
}

/// Rings of at most 60 days: Staging, one custom ring, General, Executive.
pub fn ring_days() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((1_u32..8, 0_u32..6), 4)
}
