//! A ring as a rollout entered it: what it was then, and its dates.
//!
//! A stage keeps what it was given. Only its ends move, and only through a [`Shift`]. Rings ahead are in the calendar. Start with
//! [`Stage`].

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::PlannedStage;
use crate::freeze::{Freezes, Shift};
use crate::ids::StageOf;
use crate::ring::RingPlace;

/// A ring as a rollout entered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Which.
    pub ring: StageOf,
    /// Its name then.
    pub name: String,
    /// Its place then.
    pub place: RingPlace,
    /// Its rollout duration then.
    pub rollout_days: u32,
    /// Its test period then.
    pub test_days: u32,
    /// Date of its first night.
    pub starts_on: NaiveDate,
    /// First date after its rollout dates. Pauses and freezes move it (K3, W6).
    pub rollout_ends: NaiveDate,
    /// First date after its test dates; the next ring starts then. Pauses and freezes move it.
    pub test_ends: NaiveDate,
    /// When the planner entered it.
    pub entered_at: DateTime<Utc>,
    /// Rooms for which it was applicable then: the *n* of S6.
    pub rooms: u32,
    /// Of these, how many have their night. Offers begin when all have.
    pub placed: u32,
}

impl Stage {
    /// A ring that is entered on `starts_on`.
    #[must_use]
    pub fn entered(
        ring: &PlannedStage,
        starts_on: NaiveDate,
        freezes: &Freezes,
        rooms: u32,
        now: DateTime<Utc>,
    ) -> Self {
        let rollout_ends = freezes.end_of(ring.ring, starts_on, ring.rollout_days);
        Self {
            ring: ring.ring,
            name: ring.name.clone(),
            place: ring.place,
            rollout_days: ring.rollout_days,
            test_days: ring.test_days,
            starts_on,
            rollout_ends,
            test_ends: freezes.end_of(ring.ring, rollout_ends, ring.test_days),
            entered_at: now,
            rooms,
            placed: 0,
        }
    }

    /// This ring with its ends moved: what lies before the shift stays, so that a pause during the test leaves the rollout dates
    /// as they were.
    #[must_use]
    pub(super) fn moved(&self, shift: &Shift) -> Self {
        let mut moved = self.clone();
        moved.rollout_ends = shift.end(self.ring, self.rollout_ends);
        moved.test_ends = shift.end(self.ring, self.test_ends).max(moved.rollout_ends);
        moved
    }
}
