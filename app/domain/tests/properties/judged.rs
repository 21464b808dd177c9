//! What must hold of every check that is made, whatever was told and decided before (C1–C5, C7, L4, I4).
//!
//! What devices told is kept here once more, beside the simulator, and dates are worked out by another library. Start with [`judge`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::changes::Changes;
use domain::ids::{DeviceId, RoomId};
use domain::product::ProductKind;
use domain::readiness::decide::{RoomToCheck, Rules, decide};
use domain::readiness::profile::Profile;
use domain::readiness::verdict::Waiver;
use domain::readiness::{
    ALL_CHECKS, AsOf, BlockScope, Check, CheckResult, Decisions, ReportingDevice, RoomFacts, assess,
};
use domain::room::RoomState;
use domain::settings::Settings;
use domain::signal::Signal;
use domain::sim::Simulation;
use domain::ticket::{TicketCause, TicketSeverity};

use crate::happenings::{Happening, Report, Told};
use crate::readiness::seen;

/// The worst first, as C1a has them.
const ORDER: [CheckResult; 7] = [
    CheckResult::Fail,
    CheckResult::Unknown,
    CheckResult::Warning,
    CheckResult::Waived,
    CheckResult::FixedByService,
    CheckResult::Pass,
    CheckResult::NotApplicable,
];

/// What is known beside the simulator.
#[derive(Default)]
pub struct Known {
    told: BTreeMap<DeviceId, BTreeMap<String, (String, DateTime<Utc>)>>,
    bad_since: BTreeMap<(DeviceId, Signal), DateTime<Utc>>,
    /// Rooms in which something was told or waived since their checks were made last.
    spoken: BTreeSet<RoomId>,
}

/// The checks of a room, made once.
pub struct Made<'a> {
    pub before: RoomToCheck,
    pub after: RoomToCheck,
    pub now: DateTime<Utc>,
    pub next_at: DateTime<Utc>,
    pub rules: Rules<'a>,
}

/// How the facts of a computer stand that a check goes by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Missing,
    Old,
    Fresh,
}

impl Known {
    /// By what all rooms are judged, with the numbers of the specification.
    pub fn rules<'a>(profile: &'a Profile, reviewed: &'a [String]) -> Rules<'a> {
        Rules {
            profile,
            reviewed,
            stale_after: TimeDelta::hours(48),
            bad_signal_after: Settings::default().bad_signal_after(),
        }
    }

    /// Notes what has happened.
    pub fn note(&mut self, happening: &Happening, told: Told, sim: &Simulation, rooms: &[RoomId]) {
        if let Happening::Waive { room, .. } = happening {
            self.spoken.insert(rooms[room % rooms.len()]);
        }
        if let Some((device, report)) = told {
            self.note_report(device, report, sim, rooms);
        }
    }

    /// Notes what a device has told.
    pub fn note_report(&mut self, device: DeviceId, report: Report, sim: &Simulation, rooms: &[RoomId]) {
        let has = |room: &&RoomId| sim.fleet.rooms[room].devices.iter().any(|known| known.id == device);
        self.spoken.extend(rooms.iter().find(has));
        let known = self.told.entry(device).or_default();
        if report
            .iter()
            .any(|(key, value)| key == "readiness.additional_software" && value.is_some())
        {
            known.remove("readiness.additional_software.2");
        }
        for (attribute, value) in report {
            if let Some(signal) = Signal::of_attribute(&attribute) {
                if value.as_ref().is_some_and(|value| value.starts_with("bad")) {
                    self.bad_since.entry((device, signal)).or_insert(sim.now);
                } else {
                    self.bad_since.remove(&(device, signal));
                }
            }
            match value {
                Some(value) => drop(known.insert(attribute, (value, sim.now))),
                None => drop(known.remove(&attribute)),
            }
        }
    }

    /// What devices have told so far, as they would tell it once more.
    pub fn reports(&self) -> Vec<(DeviceId, Report)> {
        let told = self.told.iter().map(|(device, told)| {
            let report = told.iter().map(|(key, (value, _))| (key.clone(), Some(value.clone())));
            (*device, report.collect())
        });
        told.collect()
    }

    fn value(&self, device: &ReportingDevice, attribute: &str) -> Option<&str> {
        let told = self.told.get(&device.id?)?;
        told.get(attribute).map(|(value, _)| value.as_str())
    }

    fn told_at(&self, device: &ReportingDevice, attribute: &str) -> Option<DateTime<Utc>> {
        let told = self.told.get(&device.id?)?;
        told.get(attribute).map(|(_, at)| *at)
    }

    fn computers<'r>(&self, room: &'r RoomToCheck) -> Vec<&'r ReportingDevice> {
        let by_microsoft = ("Microsoft".to_owned(), ProductKind::Os);
        let is_computer = |device: &&ReportingDevice| {
            let name = self.value(device, "os.name");
            name.is_some_and(|name| name.starts_with("Windows")) || device.products.contains(&by_microsoft)
        };
        room.devices.iter().filter(is_computer).collect()
    }

    fn has_logitech(&self, room: &RoomToCheck) -> bool {
        room.devices.iter().any(|device| {
            let mut products = device.products.iter();
            products.any(|(vendor, _)| vendor == "Logitech")
                || self.value(device, "device.vendor") == Some("Logitech Inc.")
        })
    }

    /// Facts count for exactly 48 hours, and a check is as old as the oldest of its facts (C7).
    fn age(&self, device: &ReportingDevice, check: Check, now: DateTime<Utc>) -> Age {
        let (needed, more): (&[&str], &[&str]) = match check {
            Check::BaseImage => (&["readiness.base_image_oem", "device.vendor"], &[]),
            Check::OsEdition => (&["os.edition"], &["os.channel"]),
            Check::LogitechSync => (&["readiness.logitech_sync"], &[]),
            Check::OsUpdates => (&["readiness.os_updates"], &[]),
            Check::StoreUpdates => (&["readiness.store_updates"], &[]),
            Check::Antivirus => (&["readiness.antivirus"], &[]),
            Check::AdditionalSoftware => (&["readiness.additional_software"], &["readiness.additional_software.2"]),
            Check::ChangeManagement => (&["readiness.other_change_management"], &[]),
        };
        let is_old = |at: DateTime<Utc>| now - at > TimeDelta::hours(48);
        if needed.iter().any(|attribute| self.told_at(device, attribute).is_none()) {
            Age::Missing
        } else if needed
            .iter()
            .chain(more)
            .any(|attribute| self.told_at(device, attribute).is_some_and(is_old))
        {
            Age::Old
        } else {
            Age::Fresh
        }
    }
}

fn rank(result: CheckResult) -> usize {
    ORDER.iter().position(|other| *other == result).expect("a result")
}

/// The date in the room's zone, by another library.
fn local_date(room: &RoomToCheck, now: DateTime<Utc>) -> NaiveDate {
    let zone: Tz = room.zone.to_string().parse().expect("a zone");
    now.with_timezone(&zone).date_naive()
}

fn is_blocked(room: &RoomToCheck, scope: BlockScope) -> bool {
    room.blocks.iter().any(|block| block.scope == scope)
}

/// Every property.
pub fn judge(made: &Made<'_>, known: &mut Known) {
    results(made, known);
    blocks(made, known);
    onboarding(made, known);
    ticket_of_image(made);
    tickets_of_support(made);
    tickets_of_signals(made, known);
    settings(made, known);
    comes_to_rest(made);
    known.spoken.remove(&made.before.room);
}

/// What is absent or too old is never good; waivers count to their last day; a room has the worst of its computers (C1a, C7).
fn results(made: &Made<'_>, known: &Known) {
    let (room, now) = (&made.before, made.now);
    let today = local_date(room, now);
    let computers = known.computers(room);
    let has_logitech = known.has_logitech(room);
    let of_room = RoomToCheck {
        waivers: Vec::new(),
        ..room.clone()
    }
    .assess(&made.rules, now);
    let alone = computers.iter().map(|computer| {
        let facts = RoomFacts {
            computers: vec![(*computer).clone()],
            has_logitech,
        };
        let decisions = Decisions {
            waivers: Vec::new(),
            reviewed: made.rules.reviewed.to_vec(),
        };
        let as_of = AsOf {
            now,
            date: today,
            stale_after: TimeDelta::hours(48),
        };
        assess(&facts, &decisions, made.rules.profile, &as_of, &BTreeSet::new())
    });
    let alone: Vec<_> = alone.collect();
    for (index, check) in ALL_CHECKS.into_iter().enumerate() {
        let result = of_room.verdicts[index].result;
        let what = format!("{} is {result:?} at {now}: {room:?}", check.as_str());
        let applies = !computers.is_empty() && (check != Check::LogitechSync || has_logitech);
        if applies {
            let ages: Vec<Age> = computers.iter().map(|one| known.age(one, check, now)).collect();
            let all_fresh = ages.iter().all(|age| *age == Age::Fresh);
            let cannot_tell = check == Check::Antivirus
                && computers
                    .iter()
                    .any(|one| known.value(one, "readiness.antivirus") == Some("unknown"));
            assert!(
                all_fresh || matches!(result, CheckResult::Fail | CheckResult::Unknown),
                "old or absent facts are never good (C1a, C7): {what}"
            );
            assert!(
                !all_fresh || cannot_tell || result != CheckResult::Unknown,
                "fresh facts count (C7): {what}"
            );
            assert!(
                result != CheckResult::Fail || ages.contains(&Age::Fresh),
                "old facts fail nothing (C7): {what}"
            );
            let worst = alone
                .iter()
                .map(|one| one.verdicts[index].result)
                .min_by_key(|result| rank(*result));
            assert_eq!(Some(result), worst, "the worst of the computers (C1a): {what}");
        } else {
            assert_eq!(result, CheckResult::NotApplicable, "{what}");
        }
        let mut waivers = room.waivers.iter().filter(|waiver| waiver.check == check);
        let is_waived = waivers.clone().any(|waiver| today <= waiver.until) && rank(result) < 3;
        let expected = if is_waived { CheckResult::Waived } else { result };
        assert_eq!(
            made.after.results.get(&check),
            Some(&expected),
            "with waivers (C1a): {what}"
        );
        if room.results.get(&check) == Some(&CheckResult::Waived) && waivers.any(|waiver| waiver.until < today) {
            seen("a waiver ends by its date");
        }
        if result == CheckResult::FixedByService {
            seen("fixed by the service");
            let is_new = |one: &&ReportingDevice| {
                let since = one.store_updates_off_since;
                since.is_some_and(|since| now - since <= TimeDelta::days(30))
                    && known.value(one, "readiness.store_updates") == Some("off")
            };
            assert!(computers.iter().any(is_new), "fixed for 30 days (C3): {what}");
        }
    }
}

/// What is blocked, by which check and by which fact, and whether a value of that is bad.
type Blocking = (BlockScope, Check, &'static str, fn(&str) -> bool);

/// A block of a kind or family begins with a fail, and ends by a report that does not block or by a waiver, never by age (C2).
fn blocks(made: &Made<'_>, known: &Known) {
    let bad_updates = |value: &str| value != "enabled" && value != "nightshift";
    let bad_sync = |value: &str| value != "running";
    let of_updates: [Blocking; 2] = [
        (BlockScope::Os, Check::OsUpdates, "readiness.os_updates", bad_updates),
        (
            BlockScope::LogitechFirmware,
            Check::LogitechSync,
            "readiness.logitech_sync",
            bad_sync,
        ),
    ];
    for (scope, check, attribute, is_bad) in of_updates {
        let (was, is) = (is_blocked(&made.before, scope), is_blocked(&made.after, scope));
        let result = made.after.results[&check];
        let what = format!("{} at {}: {:?}", scope.as_str(), made.now, made.before);
        assert!(is || result != CheckResult::Fail, "what fails blocks (C2): {what}");
        if is && !was {
            seen("a block begins");
            assert_eq!(result, CheckResult::Fail, "only what fails blocks (C2): {what}");
        }
        if is && result == CheckResult::Unknown {
            seen("a block outlives its facts");
        }
        if was && !is {
            seen("a block ends");
            assert!(
                known.spoken.contains(&made.before.room),
                "a block ends by age (C2): {what}"
            );
            let computers = known.computers(&made.before);
            let values = computers.iter().filter_map(|one| known.value(one, attribute));
            let values: Vec<&str> = values.collect();
            let says_well = !values.is_empty() && !values.into_iter().any(is_bad);
            let applies = result != CheckResult::NotApplicable;
            assert!(
                !applies || result == CheckResult::Waived || says_well,
                "a block ends without a report that does not block (C2): {what}"
            );
        }
    }
    let others = made.after.blocks.iter().all(|block| block.scope.kind().is_some());
    assert!(others, "onboarding follows from checks alone: {:?}", made.after);
}

/// A room becomes Managed with a report, a confirmation and nothing that blocks onboarding, and never anything else by a check (C4).
fn onboarding(made: &Made<'_>, known: &Known) {
    let result = |check| made.after.results[&check];
    let is_in_the_way = |check| matches!(result(check), CheckResult::Fail | CheckResult::Unknown);
    let has_told = made.before.devices.iter().any(|device| {
        let told = device.id.and_then(|id| known.told.get(&id));
        told.is_some_and(|told| !told.is_empty())
    });
    let is_ready =
        has_told && made.before.is_confirmed && !is_in_the_way(Check::BaseImage) && !is_in_the_way(Check::OsEdition);
    let expected = match made.before.state {
        RoomState::Onboarding if is_ready => {
            seen("managed");
            RoomState::Managed
        }
        RoomState::Onboarding | RoomState::Managed | RoomState::Retired => made.before.state,
    };
    assert_eq!(made.after.state, expected, "C4 at {}: {:?}", made.now, made.before);
}

/// The ticket of a visit is open while the image fails, stays while nobody knows, and resolves itself (C2).
fn ticket_of_image(made: &Made<'_>) {
    let is_open = |room: &RoomToCheck, check| room.tickets.contains_key(&TicketCause::Check(check));
    for check in ALL_CHECKS {
        let was = is_open(&made.before, check);
        let expected = match made.after.results[&check] {
            CheckResult::Fail => check == Check::BaseImage,
            CheckResult::Unknown => was,
            CheckResult::Warning
            | CheckResult::Waived
            | CheckResult::FixedByService
            | CheckResult::Pass
            | CheckResult::NotApplicable => false,
        };
        let is = is_open(&made.after, check);
        assert_eq!(is, expected, "{} at {}: {:?}", check.as_str(), made.now, made.before);
        note_ticket(was, is, "a ticket of a check is found");
    }
}

fn note_ticket(was: bool, is: bool, found: &'static str) {
    match (was, is) {
        (false, true) => seen(found),
        (true, false) => seen("a ticket resolves itself"),
        (true, true) | (false, false) => {}
    }
}

/// A version out of support has its ticket, a Warning for 30 days and Important after them, as long as the room has it (L4).
fn tickets_of_support(made: &Made<'_>) {
    let today = local_date(&made.before, made.now);
    let products: BTreeSet<_> = ["app", "win", "cam"]
        .map(|id| domain::ids::ProductId(id.to_owned()))
        .into();
    for product in products {
        let of_product = made.before.versions.iter().filter(|version| version.product == product);
        let days = of_product
            .map(|version| (today - version.supported_until).num_days())
            .max();
        let expected = match days {
            Some(31..) => Some(TicketSeverity::Important),
            Some(1..=30) => Some(TicketSeverity::Warning),
            Some(_) | None => None,
        };
        let cause = TicketCause::Support(product);
        let severity = |room: &RoomToCheck| room.tickets.get(&cause).copied();
        let (was, is) = (severity(&made.before), severity(&made.after));
        assert_eq!(is, expected, "{cause:?} at {}: {:?}", made.now, made.before);
        note_ticket(was.is_some(), is.is_some(), "a ticket of support is found");
        if (was, is) == (Some(TicketSeverity::Warning), Some(TicketSeverity::Important)) {
            seen("a ticket of support gets worse");
        }
    }
}

/// A signal that is bad for long enough has its ticket, as long as it is bad (I4).
fn tickets_of_signals(made: &Made<'_>, known: &Known) {
    for device in made.before.devices.iter().filter_map(|device| device.id) {
        for signal in Signal::ALL {
            let cause = TicketCause::Signal(device, signal);
            let was = made.before.tickets.contains_key(&cause);
            let since = known.bad_since.get(&(device, signal));
            let expected = since.is_some_and(|since| was || made.now - *since >= made.rules.bad_signal_after);
            let is = made.after.tickets.contains_key(&cause);
            assert_eq!(is, expected, "{cause:?} at {}: {:?}", made.now, made.before);
            note_ticket(was, is, "a ticket of a signal is found");
        }
    }
}

/// Store updates that are on are asked off, by an agent, on fresh facts, at most twice; facts have the last word (C3).
fn settings(made: &Made<'_>, known: &Known) {
    let today = local_date(&made.before, made.now);
    let runs = |waiver: &Waiver| waiver.check == Check::StoreUpdates && today <= waiver.until;
    // Whoever waives the check wants the setting as it is. Without a computer there is nothing to waive.
    let is_waived = made.before.waivers.iter().any(runs) && !known.computers(&made.before).is_empty();
    for (before, after) in made.before.devices.iter().zip(&made.after.devices) {
        let what = format!("{before:?} → {after:?} at {}", made.now);
        let attribute = "readiness.store_updates";
        let (value, told_at) = (known.value(before, attribute), known.told_at(before, attribute));
        let is_on = matches!(value, Some("on" | "user"));
        let is_fresh = told_at.is_some_and(|at| made.now - at <= TimeDelta::hours(48));
        match (before.setting, after.setting) {
            (None, Some(_)) => {
                seen("a setting is wanted");
                let has_agent = known.value(before, "agent.version").is_some();
                assert!(
                    is_on && is_fresh && has_agent && before.setting_failures < 2 && !is_waived,
                    "{what}"
                );
            }
            (Some(open), None) if after.setting_failures > before.setting_failures => {
                seen("a setting fails");
                let is_newer = open.told_at.is_some_and(|said| told_at.is_some_and(|at| said < at));
                assert!(is_on && is_newer, "facts that are newer say otherwise (C3): {what}");
            }
            (Some(_), None) if is_on => {
                seen("a setting is withdrawn");
                assert!(is_waived, "nobody wants it as it is (C3): {what}");
            }
            (Some(_), None) => {
                seen("a setting is done");
                assert!(
                    value == Some("off") && after.store_updates_off_since == Some(made.now),
                    "{what}"
                );
                assert_eq!(after.setting_failures, 0, "{what}");
            }
            (None, None) | (Some(_), Some(_)) => {
                let wanted = is_on && is_fresh && before.has_agent && before.setting_failures < 2 && !is_waived;
                assert!(!wanted || before.setting.is_some(), "it is asked off (C3): {what}");
            }
        }
        let Some(cause) = before.id.map(TicketCause::Setting) else {
            continue;
        };
        let was = made.before.tickets.contains_key(&cause);
        let is = made.after.tickets.contains_key(&cause);
        note_ticket(was, is, "a ticket of a setting is found");
        assert!(
            was || !is || (is_on && before.setting_failures == 2),
            "a ticket too early (C3): {what}"
        );
        assert!(!is || value != Some("off"), "a ticket of what is off (C3): {what}");
    }
}

/// Made again at the same instant, or at any instant before the next one that they name, checks change nothing (C5).
fn comes_to_rest(made: &Made<'_>) {
    let (now, next_at) = (made.now, made.next_at);
    assert!(
        now <= next_at && next_at <= now + TimeDelta::hours(24),
        "daily at least (C5): {next_at}"
    );
    // Instants have whole microseconds.
    let shortly = TimeDelta::microseconds(1);
    let half = TimeDelta::microseconds((next_at - now).num_microseconds().expect("at most a day") / 2);
    for at in [now, now + shortly, now + half, next_at - shortly] {
        if at < now || at >= next_at {
            continue;
        }
        let again = decide(&made.after, &made.rules, at);
        assert!(
            is_quiet(&again),
            "made at {now} and to be made at {next_at}, at {at} something has changed: {again:?} {:?}",
            made.after
        );
    }
}

fn is_quiet(changes: &Changes) -> bool {
    let of_rooms = changes
        .checked_rooms
        .iter()
        .all(|checked| checked.changed.is_empty() && checked.blocks.is_none() && !checked.becomes_managed);
    of_rooms && changes.cause_tickets.is_empty() && changes.settings.is_empty() && changes.rechecks.is_empty()
}
