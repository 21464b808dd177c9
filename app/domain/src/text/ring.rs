//! What refused rings say (R1, R2, R4, R8, R9).

use std::fmt;

use crate::refusal::RefusalKind;
use crate::ring::{LONGEST_DESCRIPTION, LONGEST_NAME, MOST_TOTAL_DAYS, RingRefusal};

/// Why the rings cannot be so, in one sentence. What it says of a field does not name the field.
#[must_use]
pub fn sentence(refusal: &RingRefusal) -> String {
    match refusal {
        RingRefusal::NameMissing => "a ring needs a name".to_owned(),
        RingRefusal::NameTooLong { length } => {
            format!("{length} characters are too many; a ring's name has at most {LONGEST_NAME}")
        }
        RingRefusal::NameTaken { holder } => format!("there is a ring named {holder} already"),
        RingRefusal::DescriptionTooLong { length } => {
            format!("{length} characters are too many; a ring's description has at most {LONGEST_DESCRIPTION}")
        }
        RingRefusal::Order { given } => {
            format!("{given} is not a place for a ring; choose a whole number from 1 to 9")
        }
        RingRefusal::OrderMissing => "choose a whole number from 1 to 9".to_owned(),
        RingRefusal::OrderTaken { order, holder } => {
            format!("{order} belongs to {holder}; two rings never share an order")
        }
        RingRefusal::NoRolloutDays => "a ring needs at least 1 day".to_owned(),
        RingRefusal::TooLong { wanted, remaining } => {
            format!("rollout and test period need {wanted} days; {remaining} of the {MOST_TOTAL_DAYS} are left")
        }
        RingRefusal::Preconfigured { name } => format!("{name} is a preconfigured ring and cannot be deleted"),
        RingRefusal::NotOne { kind, number } => format!("there must be one {} ring, not {number}", kind.as_str()),
        RingRefusal::OutOfPlace { name } => {
            format!("{name} is out of its place: Staging is first and Executive last")
        }
        RingRefusal::Unknown => "this ring does not exist; somebody may have deleted it".to_owned(),
    }
}

/// What is said of rings with which the plan of a rollout would exceed the 60 days; forms say it before they are sent (R10).
#[must_use]
pub fn plan_too_long(title: &str, days: u32) -> String {
    format!("the running rollout of {title} would take {days} days; at most {MOST_TOTAL_DAYS} are allowed")
}

/// The sentence with its field before it, where it has one: for the command line, scenarios and logs.
impl fmt::Display for RingRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.kind()) {
            // Two fields make it too long, and the sentence names both.
            (Self::TooLong { .. }, _) | (_, RefusalKind::Missing | RefusalKind::Conflict) => {
                f.write_str(&sentence(self))
            }
            (_, RefusalKind::Field(field)) => write!(f, "{field}: {}", sentence(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_ring_names_its_field_once_g5() {
        let unnamed = RingRefusal::NameMissing;
        assert_eq!(sentence(&unnamed), "a ring needs a name");
        assert_eq!(unnamed.to_string(), "name: a ring needs a name");
        let long = RingRefusal::TooLong {
            wanted: 33,
            remaining: 32,
        };
        assert_eq!(long.kind(), RefusalKind::Field("rollout duration"));
        assert_eq!(long.to_string(), sentence(&long));
    }
}
