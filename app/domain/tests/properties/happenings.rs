//! What may happen to the readiness of rooms: devices tell facts and change settings, people waive, review and confirm, support ends.
//!
//! Only choices, and how they are played; no property stands here. Start with [`Happening`].

use std::collections::BTreeMap;

use chrono::{Days, TimeDelta};
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::readiness::verdict::Given;
use domain::readiness::{ALL_CHECKS, Check, Waiver};
use domain::sim::Simulation;
use proptest::prelude::*;

use crate::world::accepted;

/// Attributes with values that devices tell; an empty one takes the attribute away.
const FACTS: [(&str, &[&str]); 15] = [
    ("agent.version", &["", "1.0", "1.1"]),
    (
        "device.vendor",
        &["", "Lenovo", "LENOVO", "HP Poly", "Acme", "Logitech Inc."],
    ),
    ("os.name", &["", "Windows 11", "Windows 10 IoT", "Android"]),
    (
        "os.edition",
        &["", "Enterprise", "IoTEnterprise", "EnterpriseS", "Professional"],
    ),
    ("os.channel", &["", "general", "long_term"]),
    ("readiness.base_image_oem", &["", "Lenovo", "hp", "ACME", "generic"]),
    ("readiness.logitech_sync", &["", "running", "stopped", "absent"]),
    (
        "readiness.os_updates",
        &["", "enabled", "nightshift", "wsus, blocked", "enabled, gpo"],
    ),
    ("readiness.store_updates", &["", "on", "off", "user"]),
    (
        "readiness.antivirus",
        &["", "none", "excluded", "not_excluded", "unknown"],
    ),
    (
        "readiness.additional_software",
        &["", "none", "Tool", "Tool, Other, Microsoft Edge"],
    ),
    ("readiness.additional_software.2", &["", "Third", "Tool"]),
    ("readiness.other_change_management", &["", "none", "Script"]),
    ("signal.app", &["", "ok", "bad"]),
    ("signal.camera", &["", "ok", "bad: no picture", "warn: dim"]),
];

/// A computer of which every check passes.
const FINE: [(&str, &str); 10] = [
    ("device.vendor", "Lenovo"),
    ("os.name", "Windows 11"),
    ("os.edition", "IoTEnterprise"),
    ("readiness.additional_software", "none"),
    ("readiness.antivirus", "excluded"),
    ("readiness.base_image_oem", "Lenovo"),
    ("readiness.logitech_sync", "running"),
    ("readiness.os_updates", "enabled"),
    ("readiness.other_change_management", "none"),
    ("readiness.store_updates", "off"),
];

/// Values that nobody can read.
const UNREADABLE: [(&str, &str); 3] = [
    ("readiness.os_updates", "sometimes"),
    ("readiness.store_updates", "yes"),
    ("signal.app", "fine"),
];

/// Names of software and of change management that people review.
const NAMES: [&str; 4] = ["Tool", "Other", "Third", "Script"];

/// What a device tells.
pub type Report = BTreeMap<String, Option<String>>;

/// One thing that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Happening {
    Tell {
        room: usize,
        device: usize,
        report: Report,
    },
    Waive {
        room: usize,
        check: Check,
        days: u64,
    },
    EndWaiver(usize, Check),
    Review(&'static str),
    EndReview(&'static str),
    Confirm(usize),
    /// A version of a product loses its support in so many days, or has lost it so many days ago.
    Support {
        product: &'static str,
        version: &'static str,
        in_days: i64,
    },
    /// A device with an agent tells that store updates are on: the beginning of a remedy, or its failure.
    StoreUpdatesOn {
        room: usize,
        device: usize,
    },
    /// A device that is asked to change a setting says what came of it.
    Answer {
        is_done: bool,
    },
}

/// What came of a report; `None`: it was refused, or something else happened.
pub type Told = Option<(DeviceId, Report)>;

fn a_report() -> impl Strategy<Value = Report> {
    let values = proptest::collection::vec((0..FACTS.len(), any::<proptest::sample::Index>()), 1..6);
    let unreadable = proptest::option::weighted(0.05, 0..UNREADABLE.len());
    (proptest::bool::weighted(0.6), values, unreadable).prop_map(|(begins_fine, values, unreadable)| {
        let mut report = Report::new();
        if begins_fine {
            report.extend(FINE.map(|(key, text)| (key.to_owned(), Some(text.to_owned()))));
        }
        for (fact, pick) in values {
            let (key, texts) = FACTS[fact];
            let text = *pick.get(texts);
            report.insert(key.to_owned(), (!text.is_empty()).then(|| text.to_owned()));
        }
        if let Some((key, text)) = unreadable.map(|index| UNREADABLE[index]) {
            report.insert(key.to_owned(), Some(text.to_owned()));
        }
        report
    })
}

fn a_check() -> impl Strategy<Value = Check> {
    proptest::sample::select(ALL_CHECKS.to_vec())
}

fn a_name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(NAMES.to_vec())
}

pub fn a_happening() -> impl Strategy<Value = Happening> {
    let version = (
        proptest::sample::select(vec!["app", "win"]),
        proptest::sample::select(vec!["1", "2"]),
        -40_i64..40,
    );
    prop_oneof![
        12 => (0_usize..8, 0_usize..2, a_report())
            .prop_map(|(room, device, report)| Happening::Tell { room, device, report }),
        3 => (0_usize..8, a_check(), 0_u64..6).prop_map(|(room, check, days)| Happening::Waive { room, check, days }),
        1 => (0_usize..8, a_check()).prop_map(|(room, check)| Happening::EndWaiver(room, check)),
        2 => a_name().prop_map(Happening::Review),
        1 => a_name().prop_map(Happening::EndReview),
        2 => (0_usize..8).prop_map(Happening::Confirm),
        1 => version.prop_map(|(product, version, in_days)| Happening::Support { product, version, in_days }),
        3 => (0_usize..8, 0_usize..2).prop_map(|(room, device)| Happening::StoreUpdatesOn { room, device }),
        4 => any::<bool>().prop_map(|is_done| Happening::Answer { is_done }),
    ]
}

/// Has it happen in one of these rooms.
pub fn play(sim: &mut Simulation, rooms: &[RoomId], happening: &Happening) -> Told {
    let room = |index: usize| rooms[index % rooms.len()];
    match happening {
        Happening::Tell {
            room: of,
            device,
            report,
        } => return tell(sim, device_of(sim, room(*of), *device), report.clone()),
        Happening::StoreUpdatesOn { room: of, device } => {
            let on = [
                ("agent.version", "1.0"),
                ("os.name", "Windows 11"),
                ("readiness.store_updates", "on"),
            ];
            let report = on.map(|(key, text)| (key.to_owned(), Some(text.to_owned())));
            return tell(sim, device_of(sim, room(*of), *device), report.into());
        }
        Happening::Waive { room: of, check, days } => {
            let until = sim.fleet.rooms[&room(*of)].zone.date(sim.now) + Days::new(*days);
            let given = Given {
                by: "Admin".to_owned(),
                why: "a visit is booked".to_owned(),
            };
            let waiver = Waiver {
                check: *check,
                until,
                given: Some(given),
            };
            accepted("waive", &sim.waive(room(*of), waiver));
        }
        // The waiver of that check, or any that runs: most rooms have few.
        Happening::EndWaiver(of, check) => {
            let checks = sim.fleet.checks.get(&room(*of));
            let any = checks
                .and_then(|checks| checks.waivers.first())
                .map(|waiver| waiver.check);
            accepted("end a waiver", &sim.end_waiver(room(*of), any.unwrap_or(*check)));
        }
        Happening::Review(name) => accepted("review", &sim.review(name, "Admin")),
        Happening::EndReview(name) => accepted("end a review", &sim.end_review(name)),
        Happening::Confirm(of) => accepted("confirm", &sim.confirm_onboarding(room(*of), "Admin")),
        Happening::Support {
            product,
            version,
            in_days,
        } => {
            let last_day = sim.fleet.organisation.zone.date(sim.now) + TimeDelta::days(*in_days);
            sim.set_support(&ProductId((*product).to_owned()), version, last_day);
        }
        Happening::Answer { is_done } => {
            let devices = rooms.iter().flat_map(|room| &sim.fleet.rooms[room].devices);
            let devices: Vec<DeviceId> = devices.map(|device| device.id).collect();
            let was_asked = devices.into_iter().any(|device| sim.answer_setting(device, *is_done));
            accepted("answer a setting", &was_asked.then_some(()).ok_or(()));
        }
    }
    None
}

fn tell(sim: &mut Simulation, device: DeviceId, report: Report) -> Told {
    let told = sim.tell(device, report.clone());
    accepted("tell", &told);
    told.is_ok().then_some((device, report))
}

fn device_of(sim: &Simulation, room: RoomId, index: usize) -> DeviceId {
    let devices = &sim.fleet.rooms[&room].devices;
    devices[index % devices.len()].id
}
