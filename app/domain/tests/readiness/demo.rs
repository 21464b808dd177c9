//! The Windows rooms of the demo come out as its catalogue expects, with the exceptions that the catalogue names.

use std::collections::{BTreeMap, BTreeSet};

use domain::readiness::facts::Facts;
use domain::readiness::profile::Profile;
use domain::readiness::{Check, CheckResult, Decisions, ReportingDevice, RoomFacts, Waiver, assess};
use serde::{Deserialize, Deserializer};

use crate::room::{as_of, date, instant, now};

/// What most rooms of the demo report; each room in the file names what it has otherwise.
const USUAL: [(&str, &str); 8] = [
    ("os.name", "Windows 11"),
    ("os.edition", "IoTEnterprise"),
    ("os.channel", "general"),
    ("readiness.os_updates", "enabled"),
    ("readiness.store_updates", "off"),
    ("readiness.antivirus", "excluded"),
    ("readiness.additional_software", "none"),
    ("readiness.other_change_management", "none"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoRoom {
    room: String,
    maker: String,
    logitech: bool,
    /// Absent: in the last night; null: never.
    #[serde(default = "last_night", deserialize_with = "told")]
    reported_at: Option<String>,
    #[serde(default)]
    differs: BTreeMap<String, Option<String>>,
    #[serde(default)]
    reviewed: Vec<String>,
    waived_until: Option<String>,
    #[serde(default)]
    remedied: bool,
    /// As the catalogue has it, where it is neither *pass* nor follows from the equipment.
    #[serde(default)]
    expected: BTreeMap<Check, CheckResult>,
}

#[expect(clippy::unnecessary_wraps, reason = "the default of an optional field")]
fn last_night() -> Option<String> {
    Some("2024-10-24T00:30:00Z".to_owned())
}

fn told<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}

impl DemoRoom {
    fn facts(&self) -> Facts {
        let maker = [
            ("device.vendor", &*self.maker),
            ("readiness.base_image_oem", &*self.maker),
        ];
        let sync = self.logitech.then_some(("readiness.logitech_sync", "running"));
        let usual = USUAL.into_iter().chain(maker).chain(sync);
        let mut attributes: BTreeMap<String, String> = usual.map(|(key, text)| (key.into(), text.into())).collect();
        for (key, text) in &self.differs {
            match text {
                Some(text) => drop(attributes.insert(key.clone(), text.clone())),
                None => drop(attributes.remove(key)),
            }
        }
        let reported_at = self.reported_at.as_deref().map(instant);
        Facts::read(&attributes, |_| reported_at).expect("readable facts")
    }

    fn results(&self) -> BTreeMap<Check, CheckResult> {
        let computer = ReportingDevice {
            facts: self.facts(),
            store_updates_off_since: self.remedied.then(now),
            ..ReportingDevice::default()
        };
        let room = RoomFacts {
            computers: vec![computer],
            has_logitech: self.logitech,
        };
        let waiver = |until: &String| Waiver {
            check: Check::BaseImage,
            until: date(until),
            given: None,
        };
        let decisions = Decisions {
            waivers: self.waived_until.iter().map(waiver).collect(),
            reviewed: self.reviewed.clone(),
        };
        let readiness = assess(&room, &decisions, &Profile::shipped(), &as_of(), &BTreeSet::new());
        let results = readiness.verdicts.into_iter();
        results.map(|verdict| (verdict.check, verdict.result)).collect()
    }

    fn expected(&self) -> BTreeMap<Check, CheckResult> {
        let usual = |check| match check {
            Check::LogitechSync if !self.logitech => CheckResult::NotApplicable,
            _ if self.room == "sao-8-03" => CheckResult::Unknown,
            _ => self.expected.get(&check).copied().unwrap_or(CheckResult::Pass),
        };
        domain::readiness::ALL_CHECKS.map(|check| (check, usual(check))).into()
    }
}

#[test]
fn the_rooms_of_the_demo_come_out_as_its_catalogue_expects_c1_c1a_c7() {
    let rooms: Vec<DemoRoom> =
        serde_json::from_str(include_str!("../data/readiness_rooms.json")).expect("the rooms of the demo");
    assert_eq!(rooms.len(), 66);
    let mut seen = BTreeSet::new();
    for room in &rooms {
        let results = room.results();
        assert_eq!(results, room.expected(), "{}", room.room);
        seen.extend(results.into_values());
    }
    assert_eq!(seen.len(), 7, "every result occurs");
}
