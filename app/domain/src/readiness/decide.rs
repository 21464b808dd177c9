//! What follows when a room's checks are made again (C2, C4, C5): its results, what is blocked, when it is looked at next, the ticket of
//! a visit, and whether it becomes Managed.
//!
//! Values only: the service loads rooms that are due and writes what follows, and so does the simulator. How a check is judged stands
//! in [`super::check`]. Start with [`decide`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::checked::CheckedRoom;
use super::facts::StoreUpdates;
use super::profile::{Profile, folded};
use super::verdict::{Because, Verdict, Waiver};
use super::{
    AsOf, BlockScope, Check, CheckResult, Decisions, OpenSetting, Readiness, ReportingDevice, RoomFacts, assess,
};
use crate::changes::{Changes, Recheck, SettingChange, SettingEvent};
use crate::ids::{DeviceId, ProductId, RoomId};
use crate::room::{Block, RoomState};
use crate::signal::Signal;
use crate::ticket::{CauseEvent, CauseTicketChange, TicketCause, TicketSeverity};
use crate::time_text::dated;
use crate::zone::Zone;

/// Checks are made again at least so often (C5).
pub const CHECKED_EVERY: TimeDelta = TimeDelta::hours(24);

/// So long after a version has lost its support the ticket becomes Important (L4).
pub const IMPORTANT_AFTER: TimeDelta = TimeDelta::days(30);

/// So many names of software that nobody has reviewed are kept of a room: a list of programs may have thousands.
pub const MOST_UNREVIEWED: usize = 100;

/// By what all rooms are judged.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub profile: &'a Profile,
    /// Names of software that an admin has reviewed.
    pub reviewed: &'a [String],
    /// Older facts do not count (C7).
    pub stale_after: TimeDelta,
    /// A signal is bad for so long before it opens a ticket (I4).
    pub bad_signal_after: TimeDelta,
}

/// A room whose checks are made, with what they came to until now.
#[derive(Clone, Debug)]
pub struct RoomToCheck {
    pub room: RoomId,
    pub name: String,
    pub state: RoomState,
    pub zone: Zone,
    pub devices: Vec<ReportingDevice>,
    pub waivers: Vec<Waiver>,
    /// Somebody has confirmed that change management has moved here (C4).
    pub is_confirmed: bool,
    /// What each check came to last.
    pub results: BTreeMap<Check, CheckResult>,
    pub blocks: Vec<Block>,
    /// Versions with a known end of support, of products with a support policy (L1).
    pub versions: Vec<VersionInRoom>,
    /// Signals of its devices that are bad (I4).
    pub bad_signals: Vec<BadSignal>,
    /// Its open tickets that something else than a failed update has opened.
    pub tickets: BTreeMap<TicketCause, TicketSeverity>,
    /// Names of software that nobody had reviewed when the checks were made last; at most [`MOST_UNREVIEWED`].
    pub unreviewed: BTreeSet<String>,
}

/// A device says that something does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSignal {
    pub device: DeviceId,
    /// What it calls itself.
    pub controller: String,
    pub signal: Signal,
    /// In the device's own words; may be empty.
    pub words: String,
    pub since: DateTime<Utc>,
}

/// A version that a device of a room has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionInRoom {
    pub product: ProductId,
    /// The product's name.
    pub name: String,
    pub version: String,
    /// The last day on which it is supported.
    pub supported_until: NaiveDate,
}

impl RoomToCheck {
    /// The room as its checks see it now.
    #[must_use]
    pub fn assess(&self, rules: &Rules<'_>, now: DateTime<Utc>) -> Readiness {
        let decisions = Decisions {
            waivers: self.waivers.clone(),
            reviewed: rules.reviewed.to_vec(),
        };
        let as_of = AsOf {
            now,
            date: self.zone.date(now),
            stale_after: rules.stale_after,
        };
        let before: BTreeSet<BlockScope> = self.blocks.iter().map(|block| block.scope).collect();
        let room = RoomFacts::of(self.devices.clone(), rules.profile);
        assess(&room, &decisions, rules.profile, &as_of, &before)
    }

    /// What keeps an onboarding room from becoming Managed, as its checks see it now (C4, C8). Empty: nothing.
    #[must_use]
    pub fn onboarding_wants(&self, readiness: &Readiness) -> Vec<OnboardingWant> {
        let mut wants = Vec::new();
        if !self.devices.iter().any(|device| device.has_reported) {
            wants.push(OnboardingWant::AReport);
        }
        let blocking = readiness
            .verdicts
            .iter()
            .filter(|verdict| BlockScope::Onboarding.follows_from(verdict.check, verdict.result));
        wants.extend(blocking.map(|verdict| OnboardingWant::Check(verdict.check, verdict.result)));
        if !self.is_confirmed {
            wants.push(OnboardingWant::Confirmation);
        }
        wants
    }
}

/// What a room still needs before it becomes Managed (C4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnboardingWant {
    /// One of its devices must report facts.
    AReport,
    /// This check must pass or be waived.
    Check(Check, CheckResult),
    /// Somebody must confirm that change management has moved here.
    Confirmation,
}

/// What follows for a room.
#[must_use]
pub fn decide(room: &RoomToCheck, rules: &Rules<'_>, now: DateTime<Utc>) -> Changes {
    let readiness = room.assess(rules, now);
    let blocks = blocks_of(room, &readiness);
    let becomes_managed = room.state == RoomState::Onboarding && room.onboarding_wants(&readiness).is_empty();
    let blocks = (blocks != room.blocks).then_some(blocks);
    let unreviewed = unreviewed(&readiness);
    let mut changes = Changes::default();
    let support = support_tickets(room, now);
    let loses_support = support
        .iter()
        .any(|change| matches!(change.event, CauseEvent::Found { .. }));
    // What is out of support is caught up with, whatever the room's ring (S11).
    if blocks.is_some() || becomes_managed || loses_support {
        changes.rechecks.push(Recheck::Room(room.room));
    }
    changes.cause_tickets.extend(visit(room, &readiness));
    changes.cause_tickets.extend(support);
    changes.cause_tickets.extend(signal_tickets(room, rules, now));
    for device in &room.devices {
        let (setting, ticket) = remedy(room, device, &readiness, rules, now);
        changes.settings.extend(setting);
        changes.cause_tickets.extend(ticket);
    }
    changes.checked_rooms.push(CheckedRoom {
        room: room.room,
        at: now,
        changed: changed_results(&room.results, &readiness.verdicts),
        worst: readiness.verdicts.iter().map(|verdict| verdict.result).min(),
        blocks,
        unreviewed: (unreviewed != room.unreviewed).then_some(unreviewed),
        becomes_managed,
        next_at: next_at(room, &readiness, rules, now),
    });
    // What was done gives the check another result, and what has failed is tried once more: with the next checks, which follow at once.
    let is_over = |setting: &SettingChange| match setting.event {
        SettingEvent::Done | SettingEvent::Failed => true,
        SettingEvent::Wanted | SettingEvent::Withdrawn => false,
    };
    if changes.settings.iter().any(is_over)
        && let Some(checked) = changes.checked_rooms.last_mut()
    {
        checked.next_at = now;
    }
    changes
}

/// Names that nobody has reviewed; those that differ in case alone are one.
fn unreviewed(readiness: &Readiness) -> BTreeSet<String> {
    let verdicts = readiness.verdicts.iter();
    let names = verdicts.flat_map(|verdict| verdict.why.not_reviewed());
    let by_folded: BTreeMap<String, &String> = names.map(|name| (folded(name), name)).collect();
    by_folded.into_values().take(MOST_UNREVIEWED).cloned().collect()
}

fn changed_results(
    before: &BTreeMap<Check, CheckResult>,
    verdicts: &[Verdict],
) -> BTreeMap<Check, Option<CheckResult>> {
    let is_made = |check: &Check| verdicts.iter().any(|verdict| verdict.check == *check);
    let gone = before
        .keys()
        .filter(|check| !is_made(check))
        .map(|check| (*check, None));
    let new = verdicts
        .iter()
        .filter(|verdict| before.get(&verdict.check) != Some(&verdict.result))
        .map(|verdict| (verdict.check, Some(verdict.result)));
    gone.chain(new).collect()
}

/// What keeps updates away, each with a sentence that says by which fact. The sentence stays while the facts are not told any more.
fn blocks_of(room: &RoomToCheck, readiness: &Readiness) -> Vec<Block> {
    let block = |scope: &BlockScope| {
        let verdicts = readiness.verdicts.iter();
        let blocking = verdicts
            .filter(|verdict| scope.follows_from(verdict.check, verdict.result))
            .min_by_key(|verdict| verdict.check);
        let kept = room.blocks.iter().find(|block| block.scope == *scope);
        let why = match (blocking, kept) {
            (Some(verdict), _) => verdict.in_short(),
            (None, Some(kept)) => kept.why.clone(),
            (None, None) => String::new(),
        };
        Block { scope: *scope, why }
    };
    let of_updates = readiness.blocks.iter().filter(|scope| scope.kind().is_some());
    of_updates.map(block).collect()
}

/// The ticket of a visit: a base image that fails is never remedied from afar (C2). It stays open while nobody knows.
fn visit(room: &RoomToCheck, readiness: &Readiness) -> Option<CauseTicketChange> {
    let change = |verdict: &Verdict| {
        let is_open = room.tickets.contains_key(&TicketCause::Check(verdict.check));
        let event = match verdict.result {
            CheckResult::Fail if !is_open => CauseEvent::Found {
                severity: TicketSeverity::Important,
                title: format!("{} needs a visit: {}", room.name, verdict.check.label().to_lowercase()),
                what: format!("{}. {}", verdict.in_short(), verdict.guidance),
            },
            CheckResult::Fail | CheckResult::Unknown => return None,
            CheckResult::Warning
            | CheckResult::Waived
            | CheckResult::FixedByService
            | CheckResult::Pass
            | CheckResult::NotApplicable
                if is_open =>
            {
                CauseEvent::Gone {
                    what: format!("{}.", verdict.in_short()),
                }
            }
            CheckResult::Warning
            | CheckResult::Waived
            | CheckResult::FixedByService
            | CheckResult::Pass
            | CheckResult::NotApplicable => return None,
        };
        Some(CauseTicketChange {
            room: room.room,
            cause: TicketCause::Check(verdict.check),
            event,
        })
    };
    let mut verdicts = readiness.verdicts.iter();
    change(verdicts.find(|verdict| verdict.check == Check::BaseImage)?)
}

/// A version of an app is out of support: a Warning, and Important after [`IMPORTANT_AFTER`] (L4). Of several devices the oldest counts.
fn support_tickets(room: &RoomToCheck, now: DateTime<Utc>) -> Vec<CauseTicketChange> {
    let today = room.zone.date(now);
    let mut worst: BTreeMap<&ProductId, &VersionInRoom> = BTreeMap::new();
    for version in room.versions.iter().filter(|version| version.supported_until < today) {
        let of_product = worst.entry(&version.product).or_insert(version);
        if version.supported_until < of_product.supported_until {
            *of_product = version;
        }
    }
    let change = |product: &ProductId, event| CauseTicketChange {
        room: room.room,
        cause: TicketCause::Support(product.clone()),
        event,
    };
    let mut changes = Vec::new();
    for (product, version) in &worst {
        let severity = if today - version.supported_until > IMPORTANT_AFTER {
            TicketSeverity::Important
        } else {
            TicketSeverity::Warning
        };
        let open = room.tickets.get(&TicketCause::Support((*product).clone()));
        if open == Some(&severity) {
            continue;
        }
        let (name, version, last) = (&version.name, &version.version, dated(version.supported_until));
        changes.push(change(
            product,
            CauseEvent::Found {
                severity,
                title: format!("{} runs {name} {version}, which is out of support", room.name),
                what: format!("{name} {version} was supported until {last}."),
            },
        ));
    }
    let gone = room.tickets.keys().filter_map(|cause| match cause {
        TicketCause::Support(product) if !worst.contains_key(product) => Some(product),
        TicketCause::Support(_) | TicketCause::Check(_) | TicketCause::Setting(_) | TicketCause::Signal(..) => None,
    });
    changes.extend(gone.map(|product| {
        change(
            product,
            CauseEvent::Gone {
                what: "The room has a supported version.".to_owned(),
            },
        )
    }));
    changes
}

/// A setting that could not be changed so often is left to people (C3).
const MOST_FAILURES: u32 = 2;

/// Store updates that are on are turned off, by devices with an agent (C3). What is told afterwards has the last word; what has failed
/// once is tried once more with the next checks, and then there is a ticket. Where the profile leaves the check out, or somebody has waived
/// it, nothing is changed: people want it as it is.
fn remedy(
    room: &RoomToCheck,
    device: &ReportingDevice,
    readiness: &Readiness,
    rules: &Rules<'_>,
    now: DateTime<Utc>,
) -> (Option<SettingChange>, Option<CauseTicketChange>) {
    let (Some(id), Some(fact)) = (device.id, &device.facts.store_updates) else {
        return (None, None);
    };
    let Some(reported_at) = fact.told.reported_at else {
        return (None, None);
    };
    let cause = TicketCause::Setting(id);
    let ticket = |event| CauseTicketChange {
        room: room.room,
        cause: cause.clone(),
        event,
    };
    let change = |event| SettingChange { device: id, event };
    let is_open = room.tickets.contains_key(&cause);
    let verdict = readiness
        .verdicts
        .iter()
        .find(|verdict| verdict.check == Check::StoreUpdates);
    if fact.value != StoreUpdates::Off && verdict.is_none_or(|verdict| verdict.result == CheckResult::Waived) {
        let what = match verdict {
            Some(_) => "The check of store updates is waived.",
            None => "The readiness profile leaves the check of store updates out.",
        };
        let gone = is_open.then(|| ticket(CauseEvent::Gone { what: what.to_owned() }));
        return (device.setting.map(|_| change(SettingEvent::Withdrawn)), gone);
    }
    if fact.value == StoreUpdates::Off {
        let gone = is_open.then(|| {
            ticket(CauseEvent::Gone {
                what: "Store updates are off.".to_owned(),
            })
        });
        return (device.setting.map(|_| change(SettingEvent::Done)), gone);
    }
    let is_told = |setting: OpenSetting| setting.told_at.is_some_and(|told| told < reported_at);
    if device.setting.is_some_and(is_told) {
        // The next checks follow at once, and go on from there.
        return (Some(change(SettingEvent::Failed)), None);
    }
    let is_fresh = now - reported_at <= rules.stale_after;
    if device.setting_failures < MOST_FAILURES {
        let wants = device.has_agent && device.setting.is_none() && is_fresh;
        return (wants.then(|| change(SettingEvent::Wanted)), None);
    }
    let found = (!is_open).then(|| {
        ticket(CauseEvent::Found {
            severity: TicketSeverity::Warning,
            title: format!("Store updates could not be turned off in {}", room.name),
            what: match device.setting_said.trim().trim_end_matches('.') {
                "" => "A device was asked twice, and its store updates are still on. Turn them off on site.".to_owned(),
                said => format!("A device was asked twice, and its store updates are still on. It said: {said}. Turn them off on site."),
            },
        })
    });
    (None, found)
}

/// What a device says does not work, for some minutes: an Important ticket, which resolves itself (I4).
fn signal_tickets(room: &RoomToCheck, rules: &Rules<'_>, now: DateTime<Utc>) -> Vec<CauseTicketChange> {
    let change = |device: DeviceId, signal: Signal, event| CauseTicketChange {
        room: room.room,
        cause: TicketCause::Signal(device, signal),
        event,
    };
    let is_open = |device: DeviceId, signal: Signal| room.tickets.contains_key(&TicketCause::Signal(device, signal));
    let lasting = room.bad_signals.iter();
    let lasting = lasting.filter(|bad| now - bad.since >= rules.bad_signal_after && !is_open(bad.device, bad.signal));
    let mut changes: Vec<CauseTicketChange> = lasting
        .map(|bad| {
            let label = bad.signal.label();
            let words = match bad.words.trim_end_matches('.') {
                "" => String::new(),
                words => format!(": {words}"),
            };
            let event = CauseEvent::Found {
                severity: TicketSeverity::Important,
                title: format!("{label} does not work in {}", room.name),
                what: format!("Device {} says that it is bad{words}.", bad.controller),
            };
            change(bad.device, bad.signal, event)
        })
        .collect();
    let gone = room.tickets.keys().filter_map(|cause| match cause {
        TicketCause::Signal(device, signal) => {
            let is_bad = room
                .bad_signals
                .iter()
                .any(|bad| (bad.device, bad.signal) == (*device, *signal));
            (!is_bad).then_some((*device, *signal))
        }
        TicketCause::Support(_) | TicketCause::Check(_) | TicketCause::Setting(_) => None,
    });
    changes.extend(gone.map(|(device, signal)| {
        let what = format!("{} is not bad any more.", signal.label());
        change(device, signal, CauseEvent::Gone { what })
    }));
    changes
}

/// The first instant at which a result may change by itself: facts grow old (C7), a waiver ends, what was fixed is old news (C3).
fn next_at(room: &RoomToCheck, readiness: &Readiness, rules: &Rules<'_>, now: DateTime<Utc>) -> DateTime<Utc> {
    const JUST_AFTER: TimeDelta = TimeDelta::microseconds(1);
    let told = room.devices.iter().flat_map(|device| device.facts.reported_at());
    let grow_old = told.map(|at| at + rules.stale_after + JUST_AFTER);
    let waivers = room.waivers.iter();
    let end = waivers.map(|waiver| room.zone.start_of(waiver.until + Days::new(1)));
    let fixed_for = rules.profile.fixed_for();
    let fixed = readiness
        .verdicts
        .iter()
        .filter_map(|verdict| match verdict.why.because {
            Because::FixedByService { since } => Some(since + fixed_for + JUST_AFTER),
            _ => None,
        });
    let supported = room.versions.iter().map(|version| version.supported_until);
    let support_ends = supported.flat_map(|last| [last + Days::new(1), last + IMPORTANT_AFTER + Days::new(1)]);
    let support_ends = support_ends.map(|date| room.zone.start_of(date));
    let signals = room.bad_signals.iter();
    let signals = signals.map(|bad| bad.since + rules.bad_signal_after);
    let first = signals
        .chain(grow_old)
        .chain(end)
        .chain(fixed)
        .chain(support_ends)
        .filter(|at| *at > now)
        .min();
    first.map_or(now + CHECKED_EVERY, |first| first.min(now + CHECKED_EVERY))
}
