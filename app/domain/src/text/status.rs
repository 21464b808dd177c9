//! Why a room is Not required, in words (T5).

use chrono::NaiveDate;

use crate::reason::NotRequired;
use crate::update::Exclusion;

impl NotRequired {
    /// The reason in one sentence. `product` is the product's name; `date` writes a date.
    #[must_use]
    pub fn sentence(&self, product: &str, date: impl Fn(NaiveDate) -> String) -> String {
        match self {
            Self::RingNotReached { ring, date: starts } => format!("{ring} starts {}.", date(*starts)),
            Self::NotEvaluated => "Not evaluated yet: the room has just changed.".to_owned(),
            Self::Superseded => "A newer update supersedes it in the room's ring.".to_owned(),
            Self::RolloutOver => "The rollout is over; the next release includes this room.".to_owned(),
            Self::Excluded(exclusion) => match exclusion {
                Exclusion::AlreadyOn { version } => format!("Already on {version}."),
                Exclusion::DoesNotApply => format!("This room has no {product}."),
                Exclusion::OtherFamily { version } => format!("{version} is of another family of versions."),
                Exclusion::VersionUnknown => "The device does not report which version it runs.".to_owned(),
                Exclusion::Held { owner, reason, until } => {
                    format!("Held by {owner} until {}: {reason}.", date(*until))
                }
                Exclusion::Blocked { why } => format!("Not ready: {why}."),
                Exclusion::Onboarding => "Onboarding: the room is not scheduled yet.".to_owned(),
                Exclusion::Retired => "The room is retired.".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn every_reason_for_not_required_is_a_sentence_t5() {
        let text = || "5.2".to_owned();
        let exclusions = [
            Exclusion::AlreadyOn { version: text() },
            Exclusion::DoesNotApply,
            Exclusion::OtherFamily { version: text() },
            Exclusion::VersionUnknown,
            Exclusion::Held {
                owner: "Facilities".to_owned(),
                reason: "trade fair".to_owned(),
                until: date("2025-03-09"),
            },
            Exclusion::Blocked {
                why: "updates are redirected".to_owned(),
            },
            Exclusion::Onboarding,
            Exclusion::Retired,
        ];
        let mut reasons: Vec<NotRequired> = exclusions.into_iter().map(NotRequired::Excluded).collect();
        reasons.push(NotRequired::RingNotReached {
            ring: "General".to_owned(),
            date: date("2025-03-12"),
        });
        reasons.extend([NotRequired::NotEvaluated, NotRequired::RolloutOver]);
        for reason in reasons {
            let sentence = reason.sentence("the app", |date| date.to_string());
            assert!(sentence.ends_with('.') && sentence.len() > 10, "{sentence}");
            assert!(
                sentence.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()),
                "{sentence}"
            );
        }
    }
}
