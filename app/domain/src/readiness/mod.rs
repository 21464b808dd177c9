//! Whether a room is ready for updates, from what its devices report (C1–C8).
//!
//! Rules only: who reads facts, waivers and reviewed names, and writes what follows, stands in the service. [`facts`] reads
//! attributes, [`check`] judges one computer, and this file judges a room: the worst of its computers, waivers, blocks. What vendors
//! may change their minds about is data in [`profile`]. Start with [`assess`].

mod check;
#[cfg(feature = "zones")]
pub mod checked;
#[cfg(feature = "zones")]
pub mod decide;
pub mod facts;
pub mod profile;
pub mod verdict;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

pub use verdict::{ALL_CHECKS, BlockScope, Check, CheckResult, Verdict, Waiver};

use crate::ids::DeviceId;
use crate::product::ProductKind;
use check::{Finding, Yardstick};
use facts::Facts;
use profile::Profile;
use verdict::{Because, Why};

/// Facts count for so long, unless the organisation says otherwise (C7).
pub const STALE_AFTER: TimeDelta = TimeDelta::hours(48);

/// What ends an unknown result.
const TELL: &str = "Have the device report it. Devices in contact are asked once a night, and on Refresh.";

/// The maker whose equipment brings an updater of its own (C1).
pub(crate) const LOGITECH: &str = "Logitech";

/// A device as far as readiness needs to know it.
#[derive(Clone, Debug, Default)]
pub struct ReportingDevice {
    pub id: Option<DeviceId>,
    /// What it calls itself; may be empty.
    pub controller: String,
    /// Its maker, as a file of rooms or a person has written it; may be empty. What it tells itself is a fact.
    pub vendor: String,
    pub facts: Facts,
    /// It has reported anything at all.
    pub has_reported: bool,
    /// Vendor and kind of each component's product, as the portfolio has them.
    pub products: Vec<(String, ProductKind)>,
    /// It has an agent that changes settings when it is asked to (C3).
    pub has_agent: bool,
    /// What it is asked to change now.
    pub setting: Option<OpenSetting>,
    /// How often that has failed since it was done.
    pub setting_failures: u32,
    /// What it said when it failed last, in its own words; may be empty.
    pub setting_said: String,
    /// When it first said that store updates are off after Nightshift had turned them off (C3).
    pub store_updates_off_since: Option<DateTime<Utc>>,
}

/// A setting that a device is asked to change (C3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSetting {
    /// When the device said that it has done it.
    pub told_at: Option<DateTime<Utc>>,
}

/// A room as far as readiness needs to know it.
#[derive(Clone, Debug, Default)]
pub struct RoomFacts {
    /// Its Windows computers, in any order.
    pub computers: Vec<ReportingDevice>,
    /// A device, or a component's product, is by Logitech.
    pub has_logitech: bool,
}

impl RoomFacts {
    /// A room with these devices: which of them are Windows computers, and whether there is Logitech equipment (C1a). What a device
    /// is does not change with the age of its facts.
    #[must_use]
    pub fn of(devices: Vec<ReportingDevice>, profile: &Profile) -> Self {
        let is_by = |vendor: &str, maker: &str| profile.maker(vendor) == profile.maker(maker);
        let has_logitech = devices.iter().any(|device| {
            let vendor = device.facts.vendor.as_ref();
            vendor.is_some_and(|vendor| is_by(&vendor.value, LOGITECH))
                || is_by(&device.vendor, LOGITECH)
                || device.products.iter().any(|(vendor, _)| is_by(vendor, LOGITECH))
        });
        let is_computer = |device: &ReportingDevice| {
            let mut products = device.products.iter();
            device.facts.says_windows()
                || products.any(|(vendor, kind)| *kind == ProductKind::Os && is_by(vendor, "Microsoft"))
        };
        Self {
            computers: devices.into_iter().filter(is_computer).collect(),
            has_logitech,
        }
    }
}

/// What people have decided about a room's checks.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    pub waivers: Vec<Waiver>,
    /// Names of software and of change management that an admin has reviewed. Case does not count.
    pub reviewed: Vec<String>,
}

/// For when a room is judged.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    pub now: DateTime<Utc>,
    /// The room's date.
    pub date: NaiveDate,
    /// Older facts do not count; exactly so old ones do (C7).
    pub stale_after: TimeDelta,
}

/// What a room's checks come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// In the order of C1.
    pub verdicts: Vec<Verdict>,
    pub blocks: BTreeSet<BlockScope>,
}

/// Whether an update of a product of this kind and vendor must not reach a room with that block (C2). A block of onboarding keeps the
/// room from becoming Managed; it keeps no update away by itself. `vendor`: as the portfolio writes it; case does not count.
#[must_use]
pub fn keeps_away(scope: BlockScope, kind: ProductKind, vendor: &str) -> bool {
    let is_of_kind = scope.kind() == Some(kind);
    is_of_kind && scope.vendor().is_none_or(|own| own.eq_ignore_ascii_case(vendor.trim()))
}

/// Judges a room. `before`: what it was blocked from until now; empty for a room that is judged without history.
#[must_use]
pub fn assess(
    room: &RoomFacts,
    decisions: &Decisions,
    profile: &Profile,
    as_of: &AsOf,
    before: &BTreeSet<BlockScope>,
) -> Readiness {
    let reviewed = decisions.reviewed.iter().map(|name| profile::folded(name));
    let yardstick = Yardstick {
        profile,
        now: as_of.now,
        stale_after: as_of.stale_after,
        reviewed: reviewed.collect(),
    };
    let verdict = |check: &Check| {
        let verdict = verdict_of(*check, room, &yardstick);
        waived(verdict, &decisions.waivers, as_of.date)
    };
    let verdicts: Vec<Verdict> = profile.checks.iter().map(verdict).collect();
    let blocks = blocks(&verdicts, before);
    Readiness { verdicts, blocks }
}

/// The worst of the room's computers. What is equally bad goes by what it says, so that the order of devices does not matter.
fn verdict_of(check: Check, room: &RoomFacts, yardstick: &Yardstick<'_>) -> Verdict {
    let guidance = yardstick.profile.guidance.of(check).to_owned();
    let not_applicable = |because| Verdict {
        check,
        result: CheckResult::NotApplicable,
        why: Why {
            because,
            told: Vec::new(),
            waiver: None,
        },
        guidance: guidance.clone(),
        device: None,
        last_told: None,
    };
    if room.computers.is_empty() {
        return not_applicable(Because::NoWindowsComputer);
    }
    if check == Check::LogitechSync && !room.has_logitech {
        return not_applicable(Because::NoLogitechEquipment);
    }
    let judged = |computer: &ReportingDevice| {
        let finding = check::judge(check, &computer.facts, computer.store_updates_off_since, yardstick);
        (finding, computer.id)
    };
    let findings: Vec<(Finding, Option<DeviceId>)> = room.computers.iter().map(judged).collect();
    let last_told = findings.iter().filter_map(|(finding, _)| finding.last_told).min();
    let worst = findings
        .into_iter()
        .min_by(|(a, a_id), (b, b_id)| (a.result, &a.why, a_id).cmp(&(b.result, &b.why, b_id)));
    match worst {
        None => not_applicable(Because::NoWindowsComputer),
        Some((finding, device)) => Verdict {
            check,
            result: finding.result,
            why: finding.why,
            // Nobody knows whether there is anything to change.
            guidance: if finding.result == CheckResult::Unknown {
                TELL.to_owned()
            } else {
                guidance
            },
            device,
            last_told,
        },
    }
}

/// The verdict after waivers that still run on `date`, of which the last to end counts.
fn waived(verdict: Verdict, waivers: &[Waiver], date: NaiveDate) -> Verdict {
    let runs = |waiver: &&Waiver| waiver.check == verdict.check && date <= waiver.until;
    let waiver = waivers.iter().filter(runs).max_by_key(|waiver| (waiver.until, *waiver));
    match waiver {
        Some(waiver) if verdict.result.can_be_waived() => Verdict {
            result: CheckResult::Waived,
            why: Why {
                waiver: Some(waiver.clone()),
                ..verdict.why
            },
            ..verdict
        },
        Some(_) | None => verdict,
    }
}

/// What is blocked now (C2). A block of a kind or a family stays while its check is unknown because the facts that set it have grown
/// old or are not told any more: only a fresh report that does not block, or a waiver, ends it.
fn blocks(verdicts: &[Verdict], before: &BTreeSet<BlockScope>) -> BTreeSet<BlockScope> {
    let is_blocked = |scope: &BlockScope| {
        verdicts.iter().any(|verdict| {
            scope.follows_from(verdict.check, verdict.result)
                || (before.contains(scope)
                    && scope.follows_from(verdict.check, CheckResult::Fail)
                    && still_fails(verdict))
        })
    };
    BlockScope::ALL.into_iter().filter(is_blocked).collect()
}

/// Whether nothing newer has been told than that the check fails.
fn still_fails(verdict: &Verdict) -> bool {
    verdict.result == CheckResult::Unknown && matches!(verdict.last_told, None | Some(CheckResult::Fail))
}
