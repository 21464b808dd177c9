//! A room that is fine, of which each test changes what it is about.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::readiness::facts::{Facts, UnreadableFact};
use domain::readiness::profile::Profile;
use domain::readiness::verdict::Given;
use domain::readiness::{
    AsOf, BlockScope, Check, CheckResult, Decisions, Readiness, ReportingDevice, RoomFacts, STALE_AFTER, Waiver, assess,
};

pub(crate) const FINE: [(&str, &str); 10] = [
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

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(crate) fn now() -> DateTime<Utc> {
    instant("2024-10-24T09:00:00Z")
}

pub(crate) fn as_of() -> AsOf {
    AsOf {
        now: now(),
        date: date("2024-10-24"),
        stale_after: STALE_AFTER,
    }
}

/// Facts like [`FINE`], with changes; an empty text takes an attribute away.
pub(crate) fn read(changes: &[(&str, &str)], reported_at: Option<DateTime<Utc>>) -> Result<Facts, UnreadableFact> {
    let mut attributes: BTreeMap<String, String> = FINE.map(|(key, text)| (key.into(), text.into())).into();
    for (key, text) in changes {
        attributes.insert((*key).to_owned(), (*text).to_owned());
    }
    attributes.retain(|_, text| !text.is_empty());
    Facts::read(&attributes, |_| reported_at)
}

/// A computer that has just reported these facts.
pub(crate) fn computer(changes: &[(&str, &str)]) -> ReportingDevice {
    computer_at(changes, Some(now()))
}

pub(crate) fn computer_at(changes: &[(&str, &str)], reported_at: Option<DateTime<Utc>>) -> ReportingDevice {
    ReportingDevice {
        facts: read(changes, reported_at).expect("readable facts"),
        ..ReportingDevice::default()
    }
}

pub(crate) fn room(computers: Vec<ReportingDevice>) -> RoomFacts {
    RoomFacts {
        computers,
        has_logitech: true,
    }
}

pub(crate) fn waiver(check: Check, until: &str) -> Waiver {
    let given = Given {
        by: "an admin".to_owned(),
        why: "a visit is booked".to_owned(),
    };
    Waiver {
        check,
        until: date(until),
        given: Some(given),
    }
}

pub(crate) fn judged(room: &RoomFacts, decisions: &Decisions) -> Readiness {
    assess(room, decisions, &Profile::shipped(), &as_of(), &BTreeSet::new())
}

pub(crate) fn result(readiness: &Readiness, check: Check) -> CheckResult {
    let mut verdicts = readiness.verdicts.iter();
    verdicts
        .find(|verdict| verdict.check == check)
        .expect("a verdict")
        .result
}

/// What one fresh computer with these changes makes of a check.
pub(crate) fn of(check: Check, changes: &[(&str, &str)]) -> CheckResult {
    result(&judged(&room(vec![computer(changes)]), &Decisions::default()), check)
}

pub(crate) fn words(blocks: &BTreeSet<BlockScope>) -> Vec<&'static str> {
    blocks.iter().map(|scope| scope.as_str()).collect()
}
