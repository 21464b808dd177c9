//! Rollouts: one update's way through the rings, in dates (SPEC S3–S5, S9, S12, R10, K3, T6, W6).
//!
//! A rollout keeps the rings that it has entered as they were ([`Stage`]); rings ahead are those of today. [`Rollout::calendar`]
//! puts both together and is the only place where ring dates are computed.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::deployment::Bucket;
use crate::freeze::{Freezes, Shift};
use crate::ids::{RingId, UpdateId};
use crate::ring::{Ring, RingPlace, RingSequence};
use crate::update::Severity;

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
    pub counts: BTreeMap<RingId, Counts>,
    /// When the planner must look at it again; `None`: when something else happens.
    pub next_at: Option<DateTime<Utc>>,
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
    },
    /// Superseded or recalled; final (T8).
    Deprecated {
        /// When.
        at: DateTime<Utc>,
        /// Why, in one sentence.
        reason: String,
    },
    /// Through all rings, and every deployment that is not a catch-up has ended (T6).
    Finished {
        /// When.
        at: DateTime<Utc>,
    },
}

/// A ring as a rollout entered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Which.
    pub ring: RingId,
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

/// Deployments of a ring by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// See [`Bucket::Scheduled`].
    pub scheduled: i64,
    /// See [`Bucket::InProgress`].
    pub in_progress: i64,
    /// See [`Bucket::Completed`].
    pub completed: i64,
    /// See [`Bucket::Failed`].
    pub failed: i64,
    /// See [`Bucket::Deprecated`].
    pub deprecated: i64,
    /// See [`Bucket::CatchUp`].
    pub catch_up: i64,
}

impl Counts {
    /// The count of one bucket, to change it.
    pub fn of(&mut self, bucket: Bucket) -> &mut i64 {
        match bucket {
            Bucket::Scheduled => &mut self.scheduled,
            Bucket::InProgress => &mut self.in_progress,
            Bucket::Completed => &mut self.completed,
            Bucket::Failed => &mut self.failed,
            Bucket::Deprecated => &mut self.deprecated,
            Bucket::CatchUp => &mut self.catch_up,
        }
    }

    /// Adds another ring's counts.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            scheduled: self.scheduled + other.scheduled,
            in_progress: self.in_progress + other.in_progress,
            completed: self.completed + other.completed,
            failed: self.failed + other.failed,
            deprecated: self.deprecated + other.deprecated,
            catch_up: self.catch_up + other.catch_up,
        }
    }

    /// Deployments that have not ended, catch-ups aside.
    #[must_use]
    pub fn unfinished(&self) -> i64 {
        self.scheduled + self.in_progress
    }

    /// All deployments, catch-ups aside.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.unfinished() + self.completed + self.failed + self.deprecated
    }
}

/// A ring in a rollout's calendar. Ends are exclusive: the first date after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStage {
    /// Which.
    pub ring: RingId,
    /// Its name.
    pub name: String,
    /// Its place.
    pub place: RingPlace,
    /// Whether the rollout has entered it.
    pub entered: bool,
    /// Date of its first night.
    pub starts_on: NaiveDate,
    /// First date after its rollout dates.
    pub rollout_ends: NaiveDate,
    /// First date after its test dates; the next ring starts then.
    pub test_ends: NaiveDate,
    /// Planned days: its rollout duration.
    pub rollout_days: u32,
    /// Planned days: its test period.
    pub test_days: u32,
}

impl Rollout {
    /// Whether the rollout may still enter rings and start rooms.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.state, RolloutState::Running | RolloutState::Paused { .. })
    }

    /// Whether devices may start it: not while paused, never after deprecation. A finished one may: a retry is still possible.
    #[must_use]
    pub fn may_start_rooms(&self) -> bool {
        matches!(self.state, RolloutState::Running | RolloutState::Finished { .. })
    }

    /// The stage of `ring`, if the rollout has entered it.
    #[must_use]
    pub fn stage(&self, ring: RingId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.ring == ring)
    }

    /// Whether newer updates supersede it while it goes on (S9, the starvation guard).
    #[must_use]
    pub fn is_being_superseded(&self) -> bool {
        self.is_live() && !self.superseded_by.is_empty()
    }

    /// The ring in whose plan and counts a room of `ring` stands: that one, or the implicit one of Automatic mode (S12).
    #[must_use]
    pub fn ring_of(&self, ring: RingId) -> RingId {
        match self.automatic_days {
            Some(_) => RingId::ALL_ROOMS,
            None => ring,
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
                .any(|stage| stage.ring == ring.id || stage.place >= ring.place),
        }
    }

    /// Whether it has entered the last ring that it will ever enter.
    #[must_use]
    pub fn has_entered_all(&self, rings: &RingSequence) -> bool {
        self.ahead(rings).is_empty()
    }

    /// The rings that it has still to enter, as they are today.
    #[must_use]
    pub fn ahead(&self, rings: &RingSequence) -> Vec<Ring> {
        match self.automatic_days {
            Some(_) if !self.stages.is_empty() => Vec::new(),
            Some(nights) => vec![Ring {
                id: RingId::ALL_ROOMS,
                name: "All rooms".to_owned(),
                description: String::new(),
                place: RingPlace::Staging,
                rollout_days: nights,
                test_days: 0,
                ..rings.staging().clone()
            }],
            None => rings.iter().filter(|ring| !self.has_reached(ring)).cloned().collect(),
        }
    }

    /// The rings of this rollout with their dates: those it has entered as they were, then those ahead as they are. Frozen
    /// dates are stepped over (W6).
    ///
    /// `today` is the organisation's date; it matters only while the rollout is paused: what would move if it were resumed
    /// today stands moved already.
    #[must_use]
    pub fn calendar(
        &self,
        rings: &RingSequence,
        freezes: &Freezes,
        pause: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Vec<PlannedStage> {
        let resumed = pause.map(|since| Shift {
            from: since,
            to: today.max(since),
            before: freezes,
            after: freezes,
        });
        let mut planned = Vec::with_capacity(rings.count());
        let mut next_start = self.starts_on;
        for stage in &self.stages {
            let is_last = self.stages.last().is_some_and(|last| last.ring == stage.ring);
            let stage = match &resumed {
                Some(resumed) if is_last => stage.moved(resumed),
                Some(_) | None => stage.clone(),
            };
            planned.push(PlannedStage {
                ring: stage.ring,
                name: stage.name.clone(),
                place: stage.place,
                entered: true,
                starts_on: stage.starts_on,
                rollout_ends: stage.rollout_ends,
                test_ends: stage.test_ends,
                rollout_days: stage.rollout_days,
                test_days: stage.test_days,
            });
            next_start = stage.test_ends;
        }
        // Paused between two rings, or before the first: no date of an entered ring carries the days of the pause.
        let boundary = resumed.filter(|pause| self.stages.last().is_none_or(|last| last.test_ends <= pause.from));
        for (index, ring) in self.ahead(rings).into_iter().enumerate() {
            let starts_on = match &boundary {
                Some(pause) if index == 0 => {
                    let before = self.stages.last().map_or(self.starts_on, |last| last.test_ends);
                    pause.start(ring.id, before)
                }
                Some(_) | None => freezes.nth_free(ring.id, next_start, 0),
            };
            let rollout_ends = freezes.end_of(ring.id, starts_on, ring.rollout_days);
            let test_ends = freezes.end_of(ring.id, rollout_ends, ring.test_days);
            planned.push(PlannedStage {
                ring: ring.id,
                name: ring.name,
                place: ring.place,
                entered: false,
                starts_on,
                rollout_ends,
                test_ends,
                rollout_days: ring.rollout_days,
                test_days: ring.test_days,
            });
            next_start = test_ends;
        }
        planned
    }

    /// The days of its plan: the rings that it has entered as they were, and those ahead as they are (R8, R10).
    #[must_use]
    pub fn planned_days(&self, rings: &RingSequence) -> u32 {
        let entered = self
            .stages
            .iter()
            .map(|stage| stage.rollout_days.saturating_add(stage.test_days));
        let ahead = self.ahead(rings);
        let ahead = ahead.iter().map(Ring::completion_days);
        entered.chain(ahead).fold(0, u32::saturating_add)
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
    pub fn counts_of(&self, ring: RingId) -> Counts {
        self.counts.get(&ring).copied().unwrap_or_default()
    }

    /// This rollout running again after a pause (K3): what lies ahead has moved.
    #[must_use]
    pub fn resumed(&self, rings: &RingSequence, pause: &Shift<'_>) -> Self {
        let next = self.ahead(rings).first().map(|ring| ring.id);
        let first = next.unwrap_or(RingId::ALL_ROOMS);
        let mut resumed = self.clone();
        resumed.state = RolloutState::Running;
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
    pub fn refrozen(&self, change: &Shift<'_>) -> Self {
        let mut refrozen = self.clone();
        if let Some(stage) = refrozen.stages.last_mut() {
            *stage = stage.moved(change);
        }
        refrozen
    }
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
    fn moved(&self, shift: &Shift<'_>) -> Self {
        let mut moved = self.clone();
        moved.rollout_ends = shift.end(self.ring, self.rollout_ends);
        moved.test_ends = shift.end(self.ring, self.test_ends).max(moved.rollout_ends);
        moved
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
