//! Rollouts: one update's way through the rings, in dates (SPEC S3–S5, S9, S12, R10, K3, T6, W6).
//!
//! A rollout keeps the rings that it has entered as they were ([`Stage`]); rings ahead are those of today. [`Rollout::calendar`]
//! puts both together and is the only place where ring dates are computed. How a rollout goes from one state to the next stands in
//! `transitions`.

mod calendar;
mod counts;
mod stage;
#[cfg(feature = "zones")]
mod transitions;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::freeze::{Freezes, Shift};
use crate::halt::{Halt, HaltRule};
use crate::ids::{RingId, StageOf, UpdateId};
use crate::reason::Reason;
use crate::ring::{Ring, RingPlace, RingSequence};
use crate::update::Severity;

pub(crate) use calendar::RingAhead;
pub use calendar::{PlannedStage, Progress};
pub use counts::Counts;
pub use stage::Stage;

/// One update's way through the rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The update; the rollout goes by its id.
    pub update: UpdateId,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Date of the first ring's first night; pauses before that move it.
    pub starts_on: NaiveDate,
    /// Where it stands.
    pub state: RolloutState,
    /// The rings that it has entered, in order.
    pub stages: Vec<Stage>,
    /// Days lost in pauses so far.
    pub paused_days: u32,
    /// Nights of the one implicit ring, where it was published in Automatic mode (S12); `None`: it goes ring by ring.
    pub automatic_days: Option<u32>,
    /// Newer updates that supersede it and that it has not given way to yet, oldest first (S9).
    pub superseded_by: Vec<UpdateId>,
    /// Its deployments by ring, counted. A forced room is counted in its ring even before that is entered.
    pub counts: BTreeMap<StageOf, Counts>,
    /// When the planner must look at it again; `None`: when something else happens.
    pub next_at: Option<DateTime<Utc>>,
    /// Its first ring has finished its test, or in Automatic mode its nights are over: late rooms may have it (S11).
    #[serde(default)]
    pub first_test_over: bool,
    /// Its own halt rule; `None`: the organisation's (K7).
    #[serde(default)]
    pub halt_rule: Option<HaltRule>,
    /// Why it was paused by rule; `None`: it was not, or somebody has resumed it since.
    #[serde(default)]
    pub halt: Option<Halt>,
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum RolloutState {
    /// On its way, or about to start.
    Running,
    /// Nothing starts, ring clocks stand still (K3).
    Paused {
        /// Since when.
        since: DateTime<Utc>,
        /// Who paused it.
        by: String,
        /// Why.
        reason: String,
        /// The organisation's date on which it goes on by itself; `None`: somebody resumes it.
        resumes_on: Option<NaiveDate>,
    },
    /// Superseded or recalled; final (T8).
    Deprecated {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: Reason,
    },
    /// Through all rings, and every deployment that is not a catch-up has ended (T6).
    Finished {
        /// When.
        at: DateTime<Utc>,
    },
}

/// What keeps rooms from starting an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartObstacle {
    /// Its rollout is paused (K3).
    Paused,
    /// Its rollout is deprecated, for good (T8).
    Deprecated,
}

impl Rollout {
    /// Whether the rollout may still enter rings and start rooms.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.state, RolloutState::Running | RolloutState::Paused { .. })
    }

    /// What keeps devices from starting it, and people from retrying and forcing rooms (K4, K5). Nothing does after it is over: a retry
    /// is still possible.
    #[must_use]
    pub fn obstacle(&self) -> Option<StartObstacle> {
        match self.state {
            RolloutState::Running | RolloutState::Finished { .. } => None,
            RolloutState::Paused { .. } => Some(StartObstacle::Paused),
            RolloutState::Deprecated { .. } => Some(StartObstacle::Deprecated),
        }
    }

    /// Whether devices may start it.
    #[must_use]
    pub fn may_start_rooms(&self) -> bool {
        self.obstacle().is_none()
    }

    /// The stage of `ring`, if the rollout has entered it.
    #[must_use]
    pub fn stage(&self, ring: StageOf) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.ring == ring)
    }

    /// Whether newer updates supersede it while it goes on (S9, the starvation guard).
    #[must_use]
    pub fn is_being_superseded(&self) -> bool {
        self.is_live() && !self.superseded_by.is_empty()
    }

    /// The ring in whose plan and counts a room of `ring` stands: that one, or the implicit one of Automatic mode (S12).
    #[must_use]
    pub fn ring_of(&self, ring: RingId) -> StageOf {
        match self.automatic_days {
            Some(_) => StageOf::AllRooms,
            None => StageOf::Ring(ring),
        }
    }

    /// Whether the rollout has entered `ring`, or passed its place (R14): rings that are new before the last entered one, or in
    /// the place that it had, are skipped (R10), and their rooms are caught up.
    #[must_use]
    pub fn has_reached(&self, ring: &Ring) -> bool {
        match self.automatic_days {
            Some(_) => !self.stages.is_empty(),
            None => self
                .stages
                .iter()
                .any(|stage| stage.ring == StageOf::Ring(ring.id) || stage.place >= ring.place),
        }
    }

    /// Whether it has entered the last ring that it will ever enter.
    #[must_use]
    pub fn has_entered_all(&self, rings: &RingSequence) -> bool {
        self.rings_ahead(rings).is_empty()
    }

    /// The date on which it goes on, as far as is known: that on which its pause ends by itself (K3), or today.
    #[must_use]
    pub fn continues_on(&self, today: NaiveDate) -> NaiveDate {
        self.resumes_on().map_or(today, |date| today.max(date))
    }

    /// The organisation's date on which its pause ends by itself; `None`: somebody resumes it, or it is not paused (K3).
    #[must_use]
    pub fn resumes_on(&self) -> Option<NaiveDate> {
        match self.state {
            RolloutState::Paused { resumes_on, .. } => resumes_on,
            RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        }
    }

    /// How a pause that still lasts moves what lies ahead, if it ends as far as is known ([`Rollout::continues_on`]).
    #[must_use]
    pub fn shift_by_pause(&self, since: NaiveDate, today: NaiveDate, freezes: &Freezes) -> Shift {
        Shift {
            from: since,
            to: self.continues_on(today).max(since),
            before: freezes.clone(),
            after: freezes.clone(),
        }
    }

    /// The rings that it has still to enter, as they are today.
    #[must_use]
    pub(crate) fn rings_ahead(&self, rings: &RingSequence) -> Vec<RingAhead> {
        match self.automatic_days {
            Some(_) if !self.stages.is_empty() => Vec::new(),
            Some(nights) => vec![RingAhead {
                ring: StageOf::AllRooms,
                name: "All rooms".to_owned(),
                place: RingPlace::Staging,
                rollout_days: nights,
                test_days: 0,
            }],
            None => rings
                .iter()
                .filter(|ring| !self.has_reached(ring))
                .map(RingAhead::from)
                .collect(),
        }
    }

    /// All its deployments, counted.
    #[must_use]
    pub fn total_counts(&self) -> Counts {
        self.counts
            .values()
            .fold(Counts::default(), |sum, counts| sum.plus(*counts))
    }

    /// The deployments of one ring, counted.
    #[must_use]
    pub fn counts_of(&self, ring: StageOf) -> Counts {
        self.counts.get(&ring).copied().unwrap_or_default()
    }

    /// This rollout running again after a pause (K3): what lies ahead has moved.
    #[must_use]
    pub fn resumed(&self, rings: &RingSequence, pause: &Shift) -> Self {
        let next = self.rings_ahead(rings).first().map(|ring| ring.ring);
        let first = next.unwrap_or(StageOf::AllRooms);
        let mut resumed = self.clone();
        resumed.state = RolloutState::Running;
        resumed.halt = None;
        resumed.paused_days += pause.days();
        match resumed.stages.last_mut() {
            Some(stage) => {
                let between = stage.test_ends <= pause.from;
                *stage = stage.moved(pause);
                if let (true, Some(next)) = (between, next) {
                    // Paused between two rings: the next one's start carries the days.
                    stage.test_ends = pause.start(next, stage.test_ends);
                }
            }
            None => resumed.starts_on = pause.start(first, resumed.starts_on),
        }
        resumed
    }

    /// This rollout under other freezes (W6): the ends of the ring that it is in have moved. Rings ahead follow by themselves.
    #[must_use]
    pub fn under_freezes(&self, change: &Shift) -> Self {
        let mut refrozen = self.clone();
        if let Some(stage) = refrozen.stages.last_mut() {
            *stage = stage.moved(change);
        }
        refrozen
    }
}

pub(crate) fn days(number: u32) -> Days {
    Days::new(number.into())
}

/// The date on which a rollout starts (S3, S4).
///
/// `published_on` is the date of publishing in the organisation's zone, `at_midnight` whether it was published exactly as that
/// date began: then the date itself is not before the moment of publishing.
#[must_use]
pub fn start_date(severity: Severity, published_on: NaiveDate, at_midnight: bool, weekday: Weekday) -> NaiveDate {
    match severity {
        Severity::Critical => published_on,
        Severity::Routine => {
            let mut day = if at_midnight {
                published_on
            } else {
                published_on + days(1)
            };
            while day.weekday() != weekday {
                day = day + days(1);
            }
            day
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
    fn a_routine_update_starts_on_the_first_wednesday_whose_midnight_is_not_before_publishing_s3() {
        let start =
            |published: &str, at_midnight| start_date(Severity::Routine, date(published), at_midnight, Weekday::Wed);
        assert_eq!(start("2025-03-04", false), date("2025-03-05"));
        assert_eq!(start("2025-03-05", false), date("2025-03-12"));
        assert_eq!(start("2025-03-05", true), date("2025-03-05"));
    }

    #[test]
    fn a_critical_update_starts_on_the_date_of_publishing_s4() {
        assert_eq!(
            start_date(Severity::Critical, date("2025-03-08"), false, Weekday::Wed),
            date("2025-03-08")
        );
    }
}
