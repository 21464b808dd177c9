//! Sentences of readiness verdicts (C1, C7).

use chrono::{DateTime, Utc};

#[cfg(feature = "zones")]
use crate::readiness::decide::OnboardingWant;
use crate::readiness::verdict::{Because, Verdict, Waiver, Why};
use crate::text::counted;

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
            Self::Check(check, result) => {
                let result = result.label().to_lowercase();
                format!("{} must pass or be waived; it is {result}.", check.label())
            }
            Self::Confirmation => "Somebody must confirm that its change management has moved here.".to_owned(),
        }
    }
}

impl Waiver {
    fn sentence(&self) -> String {
        match &self.given {
            Some(given) => format!("Waived until {} by {}: {}.", self.until, given.by, given.why),
            None => format!("Waived until {}.", self.until),
        }
    }
}
