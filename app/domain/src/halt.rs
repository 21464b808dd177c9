//! The halt rule (K7): a rollout that breaks rooms is paused by a rule.
//!
//! A room counts once, in the ring in which the update was tried in it, as long as its last attempt has failed or it is unhealthy after the
//! update. Rooms that no device of theirs was in contact with say nothing about the update. It reads numbers and decides; the planner
//! pauses the rollout ([`crate::planner`]). Start with [`HaltRule::halts`].

use serde::{Deserialize, Serialize};

/// When a rollout is paused by rule. An organisation has one, and an update may have its own. What is `None` is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HaltRule {
    /// At least so many rooms of a ring must have failed, 1 to 10,000.
    pub failed_rooms: Option<u32>,
    /// And at least so many percent of the rooms of the ring that need the update, 1 to 100. It is not rounded.
    pub failed_percent: Option<u32>,
    /// Or so many percent of the rooms in which it was tried, 1 to 100 …
    pub attempted_percent: Option<u32>,
    /// … once it was tried in so many, 1 to 10,000.
    pub attempted_at_least: Option<u32>,
    /// In the first ring that has rooms which need the update, one failed room is enough.
    pub first_ring_one: bool,
}

impl Default for HaltRule {
    fn default() -> Self {
        Self {
            failed_rooms: Some(3),
            failed_percent: Some(2),
            attempted_percent: Some(20),
            attempted_at_least: Some(5),
            first_ring_one: true,
        }
    }
}

impl HaltRule {
    /// It never fires.
    pub const OFF: Self = Self {
        failed_rooms: None,
        failed_percent: None,
        attempted_percent: None,
        attempted_at_least: None,
        first_ring_one: false,
    };
}

/// A number of a halt rule that is not within its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}; it must be {least} to {most}, or empty to switch it off")]
pub struct HaltLimit {
    /// The name of the field of [`HaltRule`].
    pub field: &'static str,
    pub value: u32,
    pub least: u32,
    pub most: u32,
}

/// What came of an update in the rooms of a ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingTally {
    /// The ring's name.
    pub name: String,
    /// Rooms that need the update.
    pub applicable: i64,
    /// Rooms in which it was tried.
    pub attempted: i64,
    /// Rooms whose last attempt has failed.
    pub failed: i64,
    /// Rooms in which no device was in contact. They count neither as failed nor as attempted.
    pub unreachable: i64,
    /// Rooms that have it and are unhealthy since (K8).
    pub unhealthy: i64,
}

impl RingTally {
    /// Rooms that speak against the update.
    #[must_use]
    pub fn against(&self) -> i64 {
        self.failed + self.unhealthy
    }
}

/// Which part of the rule has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaltCause {
    /// One room of the first ring that has any.
    FirstRing,
    /// So many rooms of a ring.
    Rooms,
    /// Such a share of the rooms in which it was tried.
    Share,
}

impl HaltCause {
    /// The word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstRing => "first_ring",
            Self::Rooms => "rooms",
            Self::Share => "share",
        }
    }
}

/// Why a rollout was paused by rule: what fired, and on what evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// The ring as it was counted.
    pub ring: RingTally,
    pub cause: HaltCause,
    /// The rule as it was then.
    pub rule: HaltRule,
}

impl HaltRule {
    /// Whether each number is within its limits.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check(&self) -> Result<(), HaltLimit> {
        const MOST_ROOMS: u32 = 10_000;
        let limits = [
            ("failed_rooms", self.failed_rooms, MOST_ROOMS),
            ("failed_percent", self.failed_percent, 100),
            ("attempted_percent", self.attempted_percent, 100),
            ("attempted_at_least", self.attempted_at_least, MOST_ROOMS),
        ];
        for (field, value, most) in limits {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                return Err(HaltLimit {
                    field,
                    value,
                    least: 1,
                    most,
                });
            }
        }
        Ok(())
    }

    /// Whether the rule fires. `rings`: in rollout order; in each the first ring's rule is tried, then rooms, then the share.
    #[must_use]
    pub fn halts(&self, rings: &[RingTally]) -> Option<Halt> {
        let first = rings.iter().position(|ring| ring.applicable > 0);
        rings.iter().enumerate().find_map(|(place, ring)| {
            let cause = self.cause_in(ring, first == Some(place))?;
            Some(Halt {
                ring: ring.clone(),
                cause,
                rule: *self,
            })
        })
    }

    fn cause_in(&self, ring: &RingTally, is_first: bool) -> Option<HaltCause> {
        let against = ring.against();
        if against <= 0 {
            return None;
        }
        if is_first && self.first_ring_one {
            return Some(HaltCause::FirstRing);
        }
        // The larger of the two: both must be reached.
        let rooms = self.failed_rooms.is_none_or(|rooms| against >= rooms.into());
        let percent = self
            .failed_percent
            .is_none_or(|percent| reaches(against, percent, ring.applicable));
        let has_limit = self.failed_rooms.is_some() || self.failed_percent.is_some();
        if has_limit && rooms && percent {
            return Some(HaltCause::Rooms);
        }
        let enough = self
            .attempted_at_least
            .is_none_or(|least| ring.attempted >= least.into());
        let share = self
            .attempted_percent
            .is_some_and(|percent| reaches(against, percent, ring.attempted));
        (enough && share).then_some(HaltCause::Share)
    }
}

/// Whether so many are at least that part of all, without rounding.
fn reaches(some: i64, percent: u32, all: i64) -> bool {
    some.saturating_mul(100) >= i64::from(percent).saturating_mul(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(applicable: i64, attempted: i64, failed: i64) -> RingTally {
        RingTally {
            name: "General".to_owned(),
            applicable,
            attempted,
            failed,
            ..RingTally::default()
        }
    }

    fn staging() -> RingTally {
        ring(10, 10, 0)
    }

    fn cause(rings: &[RingTally]) -> Option<HaltCause> {
        HaltRule::default().halts(rings).map(|halt| halt.cause)
    }

    #[test]
    fn the_larger_of_three_rooms_and_two_percent_halts_without_rounding_k7() {
        let of = |applicable, failed| cause(&[staging(), ring(applicable, 100, failed)]);
        assert_eq!(of(150, 2), None);
        assert_eq!(of(150, 3), Some(HaltCause::Rooms), "three of 150 are two percent");
        assert_eq!(of(151, 3), None, "three of 151 are less than two percent");
        assert_eq!(of(151, 4), Some(HaltCause::Rooms));
    }

    #[test]
    fn a_fifth_of_at_least_five_attempted_halts_k7() {
        let of = |attempted, failed| cause(&[staging(), ring(100, attempted, failed)]);
        assert_eq!(of(5, 1), Some(HaltCause::Share));
        assert_eq!(of(4, 1), None, "too few to tell");
        assert_eq!(of(6, 1), None, "less than a fifth");
    }

    #[test]
    fn one_failure_is_enough_in_the_first_ring_that_has_rooms_k7() {
        let empty = ring(0, 0, 0);
        assert_eq!(cause(&[empty.clone(), ring(100, 1, 1)]), Some(HaltCause::FirstRing));
        assert_eq!(cause(&[staging(), ring(100, 1, 1)]), None);
        let lenient = HaltRule {
            first_ring_one: false,
            ..HaltRule::default()
        };
        assert_eq!(lenient.halts(&[ring(100, 1, 1)]), None);
    }

    #[test]
    fn unhealthy_rooms_count_and_unreachable_ones_do_not_k7() {
        let unreachable = RingTally {
            unreachable: 50,
            ..ring(100, 5, 0)
        };
        assert_eq!(cause(&[unreachable]), None);
        let unhealthy = RingTally {
            unhealthy: 1,
            ..ring(100, 5, 0)
        };
        assert_eq!(cause(&[staging(), unhealthy]), Some(HaltCause::Share));
    }

    #[test]
    fn each_number_can_be_switched_off_k7() {
        let halts = |rule: HaltRule, ring: RingTally| rule.halts(&[staging(), ring]).is_some();
        let only_rooms = HaltRule {
            failed_percent: None,
            attempted_percent: None,
            ..HaltRule::default()
        };
        assert!(halts(only_rooms, ring(1_000, 900, 3)) && !halts(only_rooms, ring(1_000, 10, 2)));
        let only_percent = HaltRule {
            failed_rooms: None,
            attempted_percent: None,
            ..HaltRule::default()
        };
        assert!(halts(only_percent, ring(50, 1, 1)) && !halts(only_percent, ring(51, 1, 1)));
        assert!(!halts(HaltRule::OFF, ring(10, 10, 10)));
        let any_share = HaltRule {
            attempted_at_least: None,
            ..HaltRule::default()
        };
        assert!(halts(any_share, ring(100, 1, 1)));
    }

    #[test]
    fn rings_are_tried_in_rollout_order_and_limits_are_named_k7_g5() {
        let halt = HaltRule::default().halts(&[staging(), ring(3, 3, 3), ring(5, 5, 5)]);
        assert_eq!(halt.map(|halt| halt.ring.applicable), Some(3));
        let wrong = HaltRule {
            attempted_percent: Some(101),
            ..HaltRule::default()
        };
        let said = wrong.check().map_err(|limit| limit.to_string());
        assert_eq!(
            said,
            Err("attempted_percent is 101; it must be 1 to 100, or empty to switch it off".to_owned())
        );
        let none = HaltRule {
            failed_rooms: Some(0),
            ..HaltRule::default()
        };
        assert_eq!(none.check().map_err(|limit| limit.field), Err("failed_rooms"));
    }
}
