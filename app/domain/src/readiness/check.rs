//! How one Windows computer's facts are judged, check by check (C1a).
//!
//! No waivers and no blocks: those are of the room, in [`super`]. Start with [`judge`].

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::facts::{Antivirus, Channel, Fact, Facts, LogitechSync, OsUpdates, StoreUpdates, Told};
use super::profile::{Profile, folded};
use super::verdict::{Because, Check, CheckResult, Why};

/// What the facts of every computer are held against.
pub(super) struct Yardstick<'a> {
    pub(super) profile: &'a Profile,
    pub(super) now: DateTime<Utc>,
    /// Older facts do not count; exactly so old ones do.
    pub(super) stale_after: TimeDelta,
    /// Folded names that an admin has reviewed.
    pub(super) reviewed: BTreeSet<String>,
}

/// What one check of one computer comes to.
pub(super) struct Finding {
    pub(super) result: CheckResult,
    pub(super) why: Why,
    /// What it came to when the facts were told; `None`: they were not.
    pub(super) last_told: Option<CheckResult>,
}

/// A result without a look at the facts' age.
struct Judgement {
    result: CheckResult,
    because: Because,
    told: Vec<Told>,
}

/// The attribute that is missing.
struct NotTold(&'static str);

/// Judges one check of one computer. `off_since`: when it first said `off` after Nightshift had turned store updates off.
pub(super) fn judge(
    check: Check,
    facts: &Facts,
    off_since: Option<DateTime<Utc>>,
    yardstick: &Yardstick<'_>,
) -> Finding {
    let judged = match check {
        Check::BaseImage => base_image(facts, yardstick.profile),
        Check::OsEdition => os_edition(facts, yardstick.profile),
        Check::LogitechSync => logitech_sync(facts),
        Check::OsUpdates => os_updates(facts),
        Check::StoreUpdates => store_updates(facts, off_since, yardstick),
        Check::Antivirus => antivirus(facts),
        Check::AdditionalSoftware => additional_software(facts, yardstick),
        Check::ChangeManagement => change_management(facts, yardstick),
    };
    match judged {
        Ok(judgement) => yardstick.aged(judgement),
        Err(NotTold(attribute)) => Finding {
            result: CheckResult::Unknown,
            why: Why {
                because: Because::NotTold { attribute },
                told: Vec::new(),
                waiver: None,
            },
            last_told: None,
        },
    }
}

impl Yardstick<'_> {
    /// Facts that are too old, or whose age nobody knows, make the result unknown (C7).
    fn aged(&self, judgement: Judgement) -> Finding {
        let last_told = judgement.result;
        let oldest = judgement.told.iter().map(|told| told.reported_at).min().flatten();
        let (result, because) = match oldest {
            None => (CheckResult::Unknown, Because::NoTime),
            Some(oldest) if self.now - oldest > self.stale_after => {
                let hours = self.stale_after.num_hours();
                (CheckResult::Unknown, Because::TooOld { hours })
            }
            Some(_) => (judgement.result, judgement.because),
        };
        Finding {
            result,
            why: Why {
                because,
                told: judgement.told,
                waiver: None,
            },
            last_told: Some(last_told),
        }
    }
}

fn needed<'f, T>(fact: Option<&'f Fact<T>>, attribute: &'static str) -> Result<&'f Fact<T>, NotTold> {
    fact.ok_or(NotTold(attribute))
}

/// A result of one fact that speaks for itself.
fn plain(result: CheckResult, told: &Told) -> Judgement {
    let because = match result {
        CheckResult::Pass | CheckResult::NotApplicable => Because::AsWanted,
        CheckResult::Fail
        | CheckResult::Unknown
        | CheckResult::Warning
        | CheckResult::Waived
        | CheckResult::FixedByService => Because::NotAsWanted,
    };
    Judgement {
        result,
        because,
        told: vec![told.clone()],
    }
}

fn base_image(facts: &Facts, profile: &Profile) -> Result<Judgement, NotTold> {
    let image = needed(facts.base_image_maker.as_ref(), "readiness.base_image_oem")?;
    let vendor = needed(facts.vendor.as_ref(), "device.vendor")?;
    let (result, because) = if folded(&image.value) == "generic" {
        (CheckResult::Fail, Because::GenericImage)
    } else if profile.maker(&image.value) == profile.maker(&vendor.value) {
        (CheckResult::Pass, Because::AsWanted)
    } else {
        (CheckResult::Fail, Because::OtherMaker)
    };
    Ok(Judgement {
        result,
        because,
        told: vec![image.told.clone(), vendor.told.clone()],
    })
}

fn os_edition(facts: &Facts, profile: &Profile) -> Result<Judgement, NotTold> {
    let edition = needed(facts.os_edition.as_ref(), "os.edition")?;
    let channel = facts.os_channel.as_ref();
    let on_long_term = channel.is_some_and(|channel| channel.value == Channel::LongTerm);
    let (result, because) = if edition.value.ends_with('S') || on_long_term {
        (CheckResult::Fail, Because::LongTerm)
    } else if profile.editions.contains(&edition.value) {
        (CheckResult::Pass, Because::AsWanted)
    } else {
        let allowed = profile.editions.iter().cloned().collect();
        (CheckResult::Fail, Because::EditionNotAllowed { allowed })
    };
    let channel = channel.map(|channel| channel.told.clone());
    Ok(Judgement {
        result,
        because,
        told: [edition.told.clone()].into_iter().chain(channel).collect(),
    })
}

fn logitech_sync(facts: &Facts) -> Result<Judgement, NotTold> {
    let sync = needed(facts.logitech_sync.as_ref(), "readiness.logitech_sync")?;
    let result = match sync.value {
        LogitechSync::Running => CheckResult::Pass,
        LogitechSync::Stopped | LogitechSync::Absent => CheckResult::Fail,
    };
    Ok(plain(result, &sync.told))
}

fn os_updates(facts: &Facts) -> Result<Judgement, NotTold> {
    let updates = needed(facts.os_updates.as_ref(), "readiness.os_updates")?;
    let is_fine = |word: &OsUpdates| match word {
        OsUpdates::Enabled | OsUpdates::Nightshift => true,
        OsUpdates::Disabled
        | OsUpdates::Wsus
        | OsUpdates::Blocked
        | OsUpdates::GroupPolicy
        | OsUpdates::DeviceManagement => false,
    };
    let result = if updates.value.iter().all(is_fine) {
        CheckResult::Pass
    } else {
        CheckResult::Fail
    };
    Ok(plain(result, &updates.told))
}

fn store_updates(
    facts: &Facts,
    off_since: Option<DateTime<Utc>>,
    yardstick: &Yardstick<'_>,
) -> Result<Judgement, NotTold> {
    let updates = needed(facts.store_updates.as_ref(), "readiness.store_updates")?;
    let fixed = off_since.filter(|since| yardstick.now - *since <= yardstick.profile.fixed_for());
    Ok(match (updates.value, fixed) {
        (StoreUpdates::On | StoreUpdates::User, _) => plain(CheckResult::Warning, &updates.told),
        (StoreUpdates::Off, None) => plain(CheckResult::Pass, &updates.told),
        (StoreUpdates::Off, Some(since)) => Judgement {
            result: CheckResult::FixedByService,
            because: Because::FixedByService { since },
            told: vec![updates.told.clone()],
        },
    })
}

fn antivirus(facts: &Facts) -> Result<Judgement, NotTold> {
    let antivirus = needed(facts.antivirus.as_ref(), "readiness.antivirus")?;
    let result = match antivirus.value {
        Antivirus::None => CheckResult::NotApplicable,
        Antivirus::Excluded => CheckResult::Pass,
        Antivirus::NotExcluded => CheckResult::Warning,
        Antivirus::Unknown => CheckResult::Unknown,
    };
    Ok(plain(result, &antivirus.told))
}

fn additional_software(facts: &Facts, yardstick: &Yardstick<'_>) -> Result<Judgement, NotTold> {
    let software = needed(facts.additional_software.as_ref(), "readiness.additional_software")?;
    let is_fine = |name: &str| yardstick.profile.is_of_image(name) || yardstick.is_reviewed(name);
    Ok(reviewed(software, is_fine))
}

fn change_management(facts: &Facts, yardstick: &Yardstick<'_>) -> Result<Judgement, NotTold> {
    let others = needed(facts.change_management.as_ref(), "readiness.other_change_management")?;
    Ok(reviewed(others, |name| yardstick.is_reviewed(name)))
}

impl Yardstick<'_> {
    fn is_reviewed(&self, name: &str) -> bool {
        self.reviewed.contains(&folded(name))
    }
}

fn reviewed(list: &Fact<Vec<String>>, is_fine: impl Fn(&str) -> bool) -> Judgement {
    let names: Vec<String> = list.value.iter().filter(|name| !is_fine(name)).cloned().collect();
    let (result, because) = if list.value.is_empty() {
        (CheckResult::Pass, Because::NothingThere)
    } else if names.is_empty() {
        (CheckResult::Pass, Because::AllReviewed)
    } else {
        (CheckResult::Warning, Because::NotReviewed { names })
    };
    Judgement {
        result,
        because,
        told: vec![list.told.clone()],
    }
}
