//! Sentences of readiness verdicts (C1, C7).

use chrono::{DateTime, Utc};

#[cfg(feature = "zones")]
use crate::readiness::decide::OnboardingWant;
use crate::readiness::profile::Profile;
use crate::readiness::verdict::{Because, BlockScope, Check, CheckResult, Verdict, Waiver, Why};
use crate::text::counted;
use crate::time_text::dated;

impl Why {
    /// Why, in a sentence, or in two if it is waived. `moment` writes an instant for whoever reads it.
    #[must_use]
    pub fn sentence(&self, moment: impl Fn(DateTime<Utc>) -> String) -> String {
        let told = self.told_words(moment);
        let sentence = match &self.because {
            Because::NoWindowsComputer => "The room has no Windows computer.".to_owned(),
            Because::NoLogitechEquipment => "The room has no Logitech equipment.".to_owned(),
            Because::NotTold { attribute } => format!("No device has reported {attribute}."),
            Because::NoTime => format!("{told}."),
            Because::TooOld { hours } => format!("{told}: older than {}.", counted(*hours, "hour")),
            Because::AsWanted | Because::NotAsWanted => format!("{told}."),
            Because::OtherMaker => format!("{told}: the image is of another maker."),
            Because::GenericImage => format!("{told}: the image is of no maker."),
            Because::LongTerm => format!("{told}: a long-term edition."),
            Because::EditionNotAllowed { allowed } => format!("{told}: not one of {}.", allowed.join(", ")),
            Because::FixedByService { .. } => format!("{told}: Nightshift turned it off."),
            Because::NothingThere => format!("{told}."),
            Because::AllReviewed => format!("{told}: each name is reviewed or belongs to the image."),
            Because::NotReviewed { names } => format!("{told}: not reviewed: {}.", listed(names)),
        };
        match &self.waiver {
            Some(waiver) => format!("{} {sentence}", waiver.sentence()),
            None => sentence,
        }
    }

    /// `os.edition is Professional and os.channel is general, reported …`.
    fn told_words(&self, moment: impl Fn(DateTime<Utc>) -> String) -> String {
        let values: Vec<String> = self
            .told
            .iter()
            .map(|told| format!("{} is {}", told.attribute, told.text.trim()))
            .collect();
        let reported = match self.told.iter().map(|told| told.reported_at).min().flatten() {
            Some(oldest) => format!("reported {}", moment(oldest)),
            None => "reported at an unknown time".to_owned(),
        };
        format!("{}, {reported}", values.join(" and "))
    }
}

impl Verdict {
    /// What it comes to and by which facts, without when they were told: `OS updates: fail, because readiness.os_updates is wsus`.
    #[must_use]
    pub fn in_short(&self) -> String {
        let values: Vec<String> = self
            .why
            .told
            .iter()
            .map(|told| format!("{} is {}", told.attribute, told.text.trim()))
            .collect();
        let facts = match (&self.why.because, values.is_empty()) {
            (Because::NotTold { attribute }, _) => format!("{attribute} is not reported"),
            (_, true) => return format!("{}: {}", self.check.label(), self.result.label().to_lowercase()),
            (_, false) => values.join(" and "),
        };
        let label = self.check.label();
        format!("{label}: {}, because {facts}", self.result.label().to_lowercase())
    }
}

/// Names in a sentence: those of a list of programs may be thousands.
fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown = names
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(feature = "zones")]
impl OnboardingWant {
    /// What is wanted, in one sentence (C8).
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::AReport => "One of its devices must report what is on it.".to_owned(),
            Self::Check(check, CheckResult::Unknown) => {
                format!(
                    "{} is unknown: a device must report it, or an admin must waive it.",
                    check.label()
                )
            }
            Self::Check(check, _) => format!("{} fails: it must pass, or an admin must waive it.", check.label()),
            Self::Confirmation => {
                "An admin must confirm that Nightshift alone changes this room from now on.".to_owned()
            }
        }
    }
}

impl Waiver {
    fn sentence(&self) -> String {
        let until = dated(self.until);
        match &self.given {
            Some(given) => format!(
                "Waived until {until} by {}: {}.",
                given.by,
                given.why.trim_end_matches('.')
            ),
            None => format!("Waived until {until}."),
        }
    }
}

impl Check {
    /// What makes it pass, in words (C1). The guidance says what to do about it.
    #[must_use]
    pub fn passes_when(self, profile: &Profile) -> String {
        match self {
            Self::BaseImage => "The image names the maker of the device.".to_owned(),
            Self::OsEdition => {
                let editions: Vec<&str> = profile.editions.iter().map(String::as_str).collect();
                format!(
                    "The edition is one of {}, and neither it nor its channel is long-term.",
                    editions.join(", ")
                )
            }
            Self::LogitechSync => {
                "Logitech Sync runs. In rooms without Logitech equipment it does not apply.".to_owned()
            }
            Self::OsUpdates => "Windows updates are enabled, and nothing but Nightshift governs them.".to_owned(),
            Self::StoreUpdates => format!(
                "Automatic updates of the Microsoft Store are off. Nightshift turns them off where a device has an agent; for {} \
                    the check is then called fixed by the service.",
                counted(profile.fixed_by_service_days, "day")
            ),
            Self::Antivirus => "The antivirus excludes the room app and its web view, or there is none.".to_owned(),
            Self::AdditionalSoftware => {
                "Each program belongs to the image, or an admin has reviewed its name.".to_owned()
            }
            Self::ChangeManagement => {
                "No other program changes the room, or an admin has reviewed its name.".to_owned()
            }
        }
    }

    /// What follows while it does not pass (C2).
    #[must_use]
    pub fn otherwise(self) -> &'static str {
        let kept = BlockScope::ALL
            .into_iter()
            .find(|scope| scope.follows_from(self, CheckResult::Fail));
        match (kept, self) {
            (Some(BlockScope::Onboarding), Self::BaseImage) => {
                "A new room stays in onboarding, and an on-site ticket is opened."
            }
            (Some(BlockScope::Onboarding), _) => "A new room stays in onboarding.",
            (Some(BlockScope::Os), _) => "Updates of the operating system are kept away.",
            (Some(BlockScope::LogitechFirmware), _) => "Logitech firmware is kept away.",
            (None, _) => "A warning. It keeps no update away.",
        }
    }
}

impl BlockScope {
    /// What it keeps away, and what ends that (C2).
    #[must_use]
    pub fn consequence(self) -> &'static str {
        match self {
            Self::Onboarding => "It keeps the room in onboarding until a report passes or an admin waives it.",
            Self::Os => "It keeps updates of the operating system away until a report passes or an admin waives it.",
            Self::LogitechFirmware => "It keeps Logitech firmware away until a report passes or an admin waives it.",
        }
    }
}
