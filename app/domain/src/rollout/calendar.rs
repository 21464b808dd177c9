//! The calendar of a rollout: its rings with their dates, the entered ones and those ahead, and where a date stands in them (T6, T10,
//! W6).
//!
//! This is the only place where dates of rings are computed. It must not change a rollout. Start with [`Rollout::calendar`].

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Rollout, RolloutState};
use crate::freeze::Freezes;
use crate::ids::StageOf;
use crate::ring::{MOST_TOTAL_DAYS, Ring, RingPlace, RingSequence};

/// A ring in a rollout's calendar. Ends are exclusive: the first date after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStage {
    /// Which.
    pub ring: StageOf,
    pub name: String,
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

/// A ring that a rollout has still to enter, as it is today.
#[derive(Clone, Debug)]
pub(crate) struct RingAhead {
    pub(crate) ring: StageOf,
    pub(crate) name: String,
    pub(crate) place: RingPlace,
    pub(crate) rollout_days: u32,
    pub(crate) test_days: u32,
}

impl From<&Ring> for RingAhead {
    fn from(ring: &Ring) -> Self {
        Self {
            ring: StageOf::Ring(ring.id),
            name: ring.name.clone(),
            place: ring.place,
            rollout_days: ring.rollout_days,
            test_days: ring.test_days,
        }
    }
}

/// What a running rollout does on a date (T6, W6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'c> {
    /// It has entered no ring: the first one's date has not come.
    NotStarted {
        /// The first ring.
        stage: &'c PlannedStage,
        /// Its first night; today, where that is over and the planner has still to come to it.
        on: NaiveDate,
    },
    /// The date is one of this ring's.
    InStage(&'c PlannedStage),
    /// The dates of the rings that it has entered are over, and there is another one.
    WaitsFor {
        /// The next ring.
        stage: &'c PlannedStage,
        /// Its first night; today, where that is over and the planner has still to come to it.
        on: NaiveDate,
    },
    /// The dates of all rings are over, and rooms that are not catch-ups have still to end.
    Finishing {
        /// How many.
        rooms: i64,
    },
}

impl Rollout {
    /// The rings of this rollout with their dates: those it has entered as they were, then those ahead as they are. Frozen
    /// dates are stepped over (W6).
    ///
    /// `today` is the organisation's date; it matters only while the rollout is paused: what would move if it were resumed
    /// today, or will when its pause ends by itself ([`Rollout::continues_on`]), stands moved already.
    #[must_use]
    pub fn calendar(
        &self,
        rings: &RingSequence,
        freezes: &Freezes,
        pause: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Vec<PlannedStage> {
        let resumed = pause.map(|since| self.shift_by_pause(since, today, freezes));
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
        for (index, ring) in self.rings_ahead(rings).into_iter().enumerate() {
            let starts_on = match &boundary {
                Some(pause) if index == 0 => {
                    let before = self.stages.last().map_or(self.starts_on, |last| last.test_ends);
                    pause.start(ring.ring, before)
                }
                Some(_) | None => freezes.nth_free(ring.ring, next_start, 0),
            };
            let rollout_ends = freezes.end_of(ring.ring, starts_on, ring.rollout_days);
            let test_ends = freezes.end_of(ring.ring, rollout_ends, ring.test_days);
            planned.push(PlannedStage {
                ring: ring.ring,
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
        let ahead = self.rings_ahead(rings);
        let ahead = ahead
            .iter()
            .map(|ring| ring.rollout_days.saturating_add(ring.test_days));
        entered.chain(ahead).fold(0, u32::saturating_add)
    }

    /// The days of its plan if these rings are refused: with those that it has entered, it would exceed the 60 days (R10).
    #[must_use]
    pub fn too_many_days(&self, rings: &RingSequence) -> Option<u32> {
        let days = self.planned_days(rings);
        (days > MOST_TOTAL_DAYS).then_some(days)
    }

    /// What it does on `today`, the organisation's date, while it runs (T6). `calendar`: [`Rollout::calendar`] on that
    /// date.
    #[must_use]
    pub fn progress<'c>(&self, calendar: &'c [PlannedStage], today: NaiveDate) -> Progress<'c> {
        let in_stage = calendar.iter().find(|stage| stage.entered && today < stage.test_ends);
        if let Some(stage) = in_stage {
            return Progress::InStage(stage);
        }
        match calendar.iter().find(|stage| !stage.entered) {
            Some(stage) if self.stages.is_empty() => Progress::NotStarted {
                stage,
                on: stage.starts_on.max(today),
            },
            Some(stage) => Progress::WaitsFor {
                stage,
                on: stage.starts_on.max(today),
            },
            None => Progress::Finishing {
                rooms: self.total_counts().unfinished(),
            },
        }
    }

    /// Day *k* of *n* (T10): which of the planned days of all rings `day` is, from 1, and how many there are; `None`:
    /// it has entered no ring yet. For `day` see [`PlannedStage::nights_passed`].
    #[must_use]
    pub fn plan_day(&self, calendar: &[PlannedStage], freezes: &Freezes, day: NaiveDate) -> Option<(u32, u32)> {
        if self.stages.is_empty() {
            return None;
        }
        let passed: u32 = calendar.iter().map(|stage| stage.days_passed(freezes, day)).sum();
        let planned: u32 = calendar.iter().map(PlannedStage::planned_days).sum();
        Some(((passed + 1).min(planned), planned))
    }

    /// Where its clock stands, in plan days; `None`: it has entered no ring yet, or is through all. For `day` see
    /// [`PlannedStage::nights_passed`].
    ///
    /// `stands_at`: the date on which its clock stands, which is that of the pause while it is paused, and how much of
    /// it has passed, from 0 to 1.
    #[must_use]
    pub fn position(
        &self,
        calendar: &[PlannedStage],
        freezes: &Freezes,
        day: NaiveDate,
        stands_at: (NaiveDate, f64),
    ) -> Option<f64> {
        match self.state {
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Deprecated { .. } => {}
            RolloutState::Finished { .. } => return None,
        }
        let last = self.stages.last()?;
        let entered = || calendar.iter().filter(|stage| stage.entered);
        let passed: u32 = entered().map(|stage| stage.days_passed(freezes, day)).sum();
        let planned: u32 = entered().map(PlannedStage::planned_days).sum();
        let (date, share) = stands_at;
        // A frozen date is no plan day (W6).
        let share = if freezes.on(last.ring, date).is_some() {
            0.0
        } else {
            share
        };
        Some((f64::from(passed) + share).min(f64::from(planned)))
    }
}

impl PlannedStage {
    /// Planned days in all: its completion time (R5).
    #[must_use]
    pub fn planned_days(&self) -> u32 {
        self.rollout_days + self.test_days
    }

    /// Rollout nights whose dates have passed on `day`.
    ///
    /// They are counted back from the end, because only ends move: what lay in a pause (K3) or in a freeze (W6) was no
    /// plan day. `day` is the organisation's date for which the calendar was made, and of a deprecated rollout the date
    /// of its deprecation. While a rollout is paused the ends in its calendar move along with the date, so the count
    /// stands still.
    #[must_use]
    pub fn nights_passed(&self, freezes: &Freezes, day: NaiveDate) -> u32 {
        self.passed(freezes, day, self.rollout_ends, self.rollout_days)
    }

    /// Test days that have passed on `day`, counted like [`PlannedStage::nights_passed`].
    #[must_use]
    pub fn test_days_passed(&self, freezes: &Freezes, day: NaiveDate) -> u32 {
        if day < self.rollout_ends {
            return 0;
        }
        self.passed(freezes, day, self.test_ends, self.test_days)
    }

    /// Planned days that have passed on `day`, counted like [`PlannedStage::nights_passed`].
    #[must_use]
    pub fn days_passed(&self, freezes: &Freezes, day: NaiveDate) -> u32 {
        self.nights_passed(freezes, day) + self.test_days_passed(freezes, day)
    }

    /// Which of its nights `day` is, from 1 to its rollout duration.
    #[must_use]
    pub fn night(&self, freezes: &Freezes, day: NaiveDate) -> u32 {
        (self.nights_passed(freezes, day) + 1).min(self.rollout_days)
    }

    /// Which of its test days `day` is, from 1 to its test period.
    #[must_use]
    pub fn test_day(&self, freezes: &Freezes, day: NaiveDate) -> u32 {
        (self.test_days_passed(freezes, day) + 1).min(self.test_days)
    }

    fn passed(&self, freezes: &Freezes, day: NaiveDate, end: NaiveDate, planned: u32) -> u32 {
        if !self.entered {
            return 0;
        }
        planned.saturating_sub(freezes.free_between(self.ring, day, end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Days, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::freeze::{Freeze, Shift};
    use crate::ids::{FreezeId, RingId, UpdateId};
    use crate::rollout::{Counts, Stage};

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn at() -> DateTime<Utc> {
        "2025-03-04T12:00:00Z".parse().expect("an instant")
    }

    /// Staging 2 + 5, General 10 + 4, Executive 5 + 2: 28 days.
    fn rings() -> RingSequence {
        let ring = |number| RingId(Uuid::from_u128(number));
        RingSequence::preconfigured(ring(1), ring(2), ring(3))
    }

    /// The organisation is frozen on 6 and 7 March.
    fn frozen() -> Freezes {
        let freeze = Freeze {
            from: date("2025-03-06"),
            until: date("2025-03-07"),
            owner: "Facilities".to_owned(),
            reason: "trade fair".to_owned(),
            made_at: at(),
            id: FreezeId(Uuid::nil()),
        };
        Freezes {
            organisation: vec![freeze],
            rings: BTreeMap::new(),
        }
    }

    /// Starts on 5 March and has entered the first `entered` rings, each on its date.
    fn rollout(entered: usize, freezes: &Freezes) -> Rollout {
        let mut rollout = Rollout {
            update: UpdateId(Uuid::nil()),
            published_at: at(),
            starts_on: date("2025-03-05"),
            state: RolloutState::Running,
            stages: Vec::new(),
            paused_days: 0,
            automatic_days: None,
            superseded_by: Vec::new(),
            first_test_over: false,
            halt_rule: None,
            halt: None,
            counts: BTreeMap::new(),
            next_at: None,
        };
        let planned = rollout.calendar(&rings(), freezes, None, date("2025-03-05"));
        rollout.stages = planned
            .iter()
            .take(entered)
            .map(|stage| Stage::entered(stage, stage.starts_on, freezes, 1, at()))
            .collect();
        rollout
    }

    fn pause(from: &str, to: &str, freezes: &Freezes) -> Shift {
        Shift {
            from: date(from),
            to: date(to),
            before: freezes.clone(),
            after: freezes.clone(),
        }
    }

    #[test]
    fn days_lost_in_a_pause_are_no_plan_days_k3_t10() {
        let none = Freezes::default();
        // Staging from 5 to 6 March; paused on the 6th and resumed on the 9th, so its second night is the 9th.
        let resumed = rollout(1, &none).resumed(&rings(), &pause("2025-03-06", "2025-03-09", &none));
        let on = |day: &str| {
            let calendar = resumed.calendar(&rings(), &none, None, date(day));
            let stage = &calendar[0];
            (
                stage.night(&none, date(day)),
                stage.test_day(&none, date(day)),
                resumed.plan_day(&calendar, &none, date(day)),
            )
        };
        assert_eq!(on("2025-03-05"), (1, 1, Some((1, 28))));
        assert_eq!(on("2025-03-09"), (2, 1, Some((2, 28))));
        assert_eq!(on("2025-03-10"), (2, 1, Some((3, 28))));
        assert_eq!(on("2025-03-12"), (2, 3, Some((5, 28))));
        assert_eq!(on("2025-03-14"), (2, 5, Some((7, 28))));
        assert_eq!(
            on("2025-03-20"),
            (2, 5, Some((8, 28))),
            "the last days are not exceeded"
        );
    }

    #[test]
    fn while_a_rollout_is_paused_its_days_stand_still_k3() {
        let none = Freezes::default();
        let mut paused = rollout(1, &none);
        // Inside the test days, which last from 7 to 11 March.
        paused.state = RolloutState::Paused {
            since: "2025-03-09T12:00:00Z".parse().expect("an instant"),
            by: "Admin".to_owned(),
            reason: "an echo".to_owned(),
            resumes_on: None,
        };
        let since = date("2025-03-09");
        for today in ["2025-03-09", "2025-03-10", "2025-03-11", "2025-04-20"] {
            let today = date(today);
            let calendar = paused.calendar(&rings(), &none, Some(since), today);
            let stage = &calendar[0];
            assert_eq!(
                (stage.nights_passed(&none, today), stage.test_days_passed(&none, today)),
                (2, 2),
                "{today}"
            );
            assert_eq!(paused.plan_day(&calendar, &none, today), Some((5, 28)));
            assert_eq!(paused.position(&calendar, &none, today, (since, 0.5)), Some(4.5));
        }
    }

    #[test]
    fn a_frozen_date_is_no_plan_day_w6() {
        let freezes = frozen();
        let rollout = rollout(1, &freezes);
        // Two frozen dates later: nights on 5 and 8 March.
        let calendar = rollout.calendar(&rings(), &freezes, None, date("2025-03-05"));
        assert_eq!(calendar[0].rollout_ends, date("2025-03-09"));
        let on = |day: &str| {
            let day = date(day);
            (
                calendar[0].nights_passed(&freezes, day),
                rollout.position(&calendar, &freezes, day, (day, 0.5)),
            )
        };
        assert_eq!(on("2025-03-05"), (0, Some(0.5)));
        assert_eq!(on("2025-03-06"), (1, Some(1.0)));
        assert_eq!(on("2025-03-07"), (1, Some(1.0)));
        assert_eq!(on("2025-03-08"), (1, Some(1.5)));
        assert_eq!(on("2025-03-09"), (2, Some(2.5)));
    }

    #[test]
    fn a_running_rollout_is_before_in_between_or_behind_its_rings_t6_w6() {
        let freezes = frozen();
        let planned = |entered| {
            let rollout = rollout(entered, &freezes);
            let calendar = rollout.calendar(&rings(), &freezes, None, date("2025-03-05"));
            (rollout, calendar)
        };
        let (scheduled, calendar) = planned(0);
        let (staging, general) = (&calendar[0], &calendar[1]);
        assert_eq!(
            scheduled.progress(&calendar, date("2025-03-04")),
            Progress::NotStarted {
                stage: staging,
                on: date("2025-03-05")
            }
        );
        assert_eq!(
            scheduled.progress(&calendar, date("2025-03-20")),
            Progress::NotStarted {
                stage: staging,
                on: date("2025-03-20")
            },
            "a date that is over is none to wait for"
        );
        // Frozen on the 6th and 7th: Staging is over after the 13th.
        let (started, entered) = planned(1);
        assert_eq!(entered[0].test_ends, date("2025-03-14"));
        assert_eq!(
            started.progress(&entered, date("2025-03-13")),
            Progress::InStage(&entered[0])
        );
        assert_eq!(general.starts_on, date("2025-03-14"));
        assert_eq!(
            started.progress(&entered, date("2025-03-14")),
            Progress::WaitsFor {
                stage: general,
                on: date("2025-03-14")
            }
        );
        let (mut last, all) = planned(3);
        last.counts = BTreeMap::from([(
            StageOf::Ring(RingId(Uuid::from_u128(2))),
            Counts {
                scheduled: 1,
                in_progress: 2,
                catch_up: 4,
                ..Counts::default()
            },
        )]);
        let ends = all[2].test_ends;
        assert_eq!(last.progress(&all, ends - Days::new(1)), Progress::InStage(&all[2]));
        assert_eq!(last.progress(&all, ends), Progress::Finishing { rooms: 3 });
    }

    #[test]
    fn a_ring_ahead_has_no_days_behind_it_t10() {
        let none = Freezes::default();
        let (scheduled, started) = (rollout(0, &none), rollout(1, &none));
        let late = date("2025-04-20");
        let calendar = scheduled.calendar(&rings(), &none, None, late);
        assert_eq!(calendar[0].days_passed(&none, late), 0);
        assert_eq!(scheduled.plan_day(&calendar, &none, late), None);
        assert_eq!(scheduled.position(&calendar, &none, late, (late, 0.5)), None);
        // Between two rings the clock stands at the end of the one before.
        let calendar = started.calendar(&rings(), &none, None, date("2025-03-12"));
        assert_eq!(
            started.position(&calendar, &none, date("2025-03-12"), (date("2025-03-12"), 0.5)),
            Some(7.0)
        );
    }
}
