//! Sentences of readiness verdicts (C1, C7).

use chrono::{DateTime, Utc};

use crate::readiness::verdict::{Because, Waiver, Why};
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
            Because::NotReviewed { names } => format!("{told}: not reviewed: {}.", names.join(", ")),
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

impl Waiver {
    fn sentence(&self) -> String {
        match &self.given {
            Some(given) => format!("Waived until {} by {}: {}.", self.until, given.by, given.why),
            None => format!("Waived until {}.", self.until),
        }
    }
}
