//! Sentences of support (L1, L2, L3).

use crate::lifecycle::{CountingRule, MONTHS_OF_SUPPORT, NEWER_ALLOWED, SupportReason};
use crate::text::counted;
use crate::time_text::dated;

impl SupportReason {
    /// The reason in one sentence. Dates have their year: the sentence may be about any date.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Undated => "The day of its release is not known.".to_owned(),
            Self::NotReleasedYet { released } => {
                format!("It was not released yet: it came out on {}.", dated(*released))
            }
            Self::Newest { released } => format!(
                "It is the newest release, out since {}, and the newest one is never too old.",
                dated(*released)
            ),
            Self::WithinLimits {
                released,
                last_day,
                newer,
                rule,
            } => format!(
                "Released on {}, it has {MONTHS_OF_SUPPORT} months of support, to {}; {} of at most {NEWER_ALLOWED}.",
                dated(*released),
                dated(*last_day),
                counted(*newer, rule.noun()),
            ),
            Self::TooOld { released, last_day } => format!(
                "Released on {}, it had {MONTHS_OF_SUPPORT} months of support, to {}.",
                dated(*released),
                dated(*last_day)
            ),
            Self::NewerAppeared { version, released } => format!(
                "It is older than {MONTHS_OF_SUPPORT} months and was the newest release until {version} came on {}.",
                dated(*released)
            ),
            Self::ThirdNewer {
                version,
                released,
                rule: CountingRule::Releases,
            } => format!(
                "The third newer release, {version}, came on {}; at most {NEWER_ALLOWED} may be newer.",
                dated(*released)
            ),
            Self::ThirdNewer {
                version,
                released,
                rule: CountingRule::Lines,
            } => format!(
                "The third newer release line began with {version} on {}; at most {NEWER_ALLOWED} may be newer.",
                dated(*released)
            ),
        }
    }
}

impl CountingRule {
    /// What the rule means for every version, in plain words (L1, L2, L3).
    #[must_use]
    pub fn sentence(self) -> String {
        let newer = match self {
            Self::Releases => format!("{NEWER_ALLOWED} newer releases exist"),
            Self::Lines => {
                format!("{NEWER_ALLOWED} newer release lines exist; a line is the first two numbers of a version")
            }
        };
        format!(
            "A version is supported for {MONTHS_OF_SUPPORT} months after its release, while at most {newer}. The newest release is never too old."
        )
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Releases => "newer release",
            Self::Lines => "newer release line",
        }
    }
}
