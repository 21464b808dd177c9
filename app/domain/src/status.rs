//! Statuses at three levels, one vocabulary (SPEC 5). They are computed here from facts and never stored.
//!
//! What a deployment's row says by itself is its [`Progress`]; words that depend on the rollout too come from [`room`] alone. A page, a
//! filter, a count or an export that needs such a word asks it, or [`rooms`] and [`progress_of`], which ask it for many. So a status
//! follows its rollout at once, also before the planner has looked at the rooms. Start with [`room`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::deployment::Progress;
use crate::rollout::{Counts, PlannedStage, Rollout, RolloutState};
use crate::room::Room;
use crate::update::Update;

pub use crate::reason::NotRequired;

/// A room's status for one update (T1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomStatus {
    /// No deployment; there is always a reason (T5).
    NotRequired,
    /// Waits for its night.
    Scheduled,
    /// A device has started.
    InProgress,
    /// Installed and confirmed.
    Completed,
    /// A device has failed.
    Failed,
    /// Scheduled, while its update is paused.
    Paused,
    /// Had not started when its update was deprecated.
    Deprecated,
}

/// A ring's status in one rollout (T2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingStatus {
    /// Not reached.
    NotStarted,
    /// Its rollout dates run.
    RollingOut,
    /// Its test dates run.
    Testing,
    /// Its dates have passed.
    Completed,
    /// Its dates have passed, and at least one room has failed.
    CompletedWithFailures,
    /// Entered and unfinished, while the update is paused.
    Paused,
    /// Entered and unfinished, or not reached, when the update was deprecated.
    Deprecated,
}

/// An update's status (T3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateStatus {
    /// Its start date has not come.
    Scheduled,
    /// On its way through the rings, or finishing (T6).
    InProgress,
    /// Through all rings, failed in at least one room (T7).
    CompletedWithFailures,
    /// Through all rings, installed in every applicable room (T7).
    Completed,
    /// Superseded or recalled; final (T8).
    Deprecated,
    /// Paused by a person or a rule.
    Paused,
    /// Applies to no room of the organisation.
    NotRequired,
}

impl RoomStatus {
    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotRequired => "Not required",
            Self::Scheduled => "Scheduled",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Paused => "Paused",
            Self::Deprecated => "Deprecated",
        }
    }
}

impl RingStatus {
    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotStarted => "Not started",
            Self::RollingOut => "In progress, rolling out",
            Self::Testing => "In progress, testing",
            Self::Completed => "Completed",
            Self::CompletedWithFailures => "Completed with failures",
            Self::Paused => "Paused",
            Self::Deprecated => "Deprecated",
        }
    }
}

impl UpdateStatus {
    /// Every status, in the order in which filters list them.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::InProgress,
        Self::Paused,
        Self::CompletedWithFailures,
        Self::Completed,
        Self::Deprecated,
        Self::NotRequired,
    ];

    /// The word in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "in-progress",
            Self::CompletedWithFailures => "completed-with-failures",
            Self::Completed => "completed",
            Self::Deprecated => "deprecated",
            Self::Paused => "paused",
            Self::NotRequired => "not-required",
        }
    }

    /// The status of a word that [`UpdateStatus::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::InProgress => "In progress",
            Self::CompletedWithFailures => "Completed with failures",
            Self::Completed => "Completed",
            Self::Deprecated => "Deprecated",
            Self::Paused => "Paused",
            Self::NotRequired => "Not required",
        }
    }

    /// Whether the Updates tab shows it without *Include past updates* (T9).
    #[must_use]
    pub fn is_active(self, acknowledged: bool) -> bool {
        match self {
            Self::Scheduled | Self::InProgress | Self::Paused => true,
            Self::CompletedWithFailures => !acknowledged,
            Self::Completed | Self::Deprecated | Self::NotRequired => false,
        }
    }
}

/// The status of a room that has a deployment of this progress, while its rollout is in this state (T1, T4, T8).
#[must_use]
pub fn room(progress: Progress, rollout: &RolloutState) -> RoomStatus {
    match progress {
        Progress::NotStarted => match rollout {
            RolloutState::Running | RolloutState::Finished { .. } => RoomStatus::Scheduled,
            RolloutState::Paused { .. } => RoomStatus::Paused,
            RolloutState::Deprecated { .. } => RoomStatus::Deprecated,
        },
        Progress::InProgress => RoomStatus::InProgress,
        Progress::Completed => RoomStatus::Completed,
        Progress::Failed => RoomStatus::Failed,
        Progress::Deprecated => RoomStatus::Deprecated,
        Progress::NotRequired => RoomStatus::NotRequired,
    }
}

/// [`room`] asked the other way round: what the deployments have come to whose rooms have this status, while their rollout is in this
/// state. None, where no room can have it.
#[must_use]
pub fn progress_of(status: RoomStatus, rollout: &RolloutState) -> Vec<Progress> {
    let has_it = |progress: &Progress| room(*progress, rollout) == status;
    Progress::ALL.into_iter().filter(has_it).collect()
}

/// [`room`] for many: counted deployments by the status of their rooms, catch-ups aside.
#[must_use]
pub fn rooms(counts: &Counts, rollout: &RolloutState) -> RoomsByStatus {
    let by_progress = Progress::ALL.map(|progress| (progress, counts.at(progress)));
    RoomsByStatus::of(by_progress, rollout)
}

/// How many rooms have which status. Those without a deployment are not among them, nor those that do not need theirs any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomsByStatus(BTreeMap<RoomStatus, i64>);

impl RoomsByStatus {
    /// What becomes of numbers of deployments by progress, while their rollout is in this state.
    #[must_use]
    pub fn of(by_progress: impl IntoIterator<Item = (Progress, i64)>, rollout: &RolloutState) -> Self {
        let mut by_status = BTreeMap::new();
        for (progress, rooms) in by_progress {
            let status = room(progress, rollout);
            if status != RoomStatus::NotRequired && rooms != 0 {
                *by_status.entry(status).or_insert(0) += rooms;
            }
        }
        Self(by_status)
    }

    /// Each status that a room has, with how many have it.
    pub fn iter(&self) -> impl Iterator<Item = (RoomStatus, i64)> {
        self.0.iter().map(|(status, rooms)| (*status, *rooms))
    }

    /// Those of a status.
    #[must_use]
    pub fn with(&self, status: RoomStatus) -> i64 {
        self.0.get(&status).copied().unwrap_or(0)
    }

    /// Those that wait: nothing keeps them but their night, or a pause.
    #[must_use]
    pub fn waiting(&self) -> i64 {
        self.with(RoomStatus::Scheduled) + self.with(RoomStatus::Paused)
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }
}

/// A ring's status on `today` (T2): the organisation's date, and of a deprecated rollout the date of its deprecation.
#[must_use]
pub fn ring(rollout: &Rollout, stage: &PlannedStage, today: NaiveDate) -> RingStatus {
    let rooms = rooms(&rollout.counts_of(stage.ring), &rollout.state);
    let (failed, withdrawn) = (rooms.with(RoomStatus::Failed), rooms.with(RoomStatus::Deprecated));
    let finished = matches!(rollout.state, RolloutState::Finished { .. });
    let deprecated = matches!(rollout.state, RolloutState::Deprecated { .. });
    let dates_have_passed = stage.test_ends <= today || finished;
    if stage.entered && dates_have_passed && (withdrawn == 0 || !deprecated) {
        return if failed + withdrawn > 0 {
            RingStatus::CompletedWithFailures
        } else {
            RingStatus::Completed
        };
    }
    match rollout.state {
        RolloutState::Deprecated { .. } => RingStatus::Deprecated,
        RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } if !stage.entered => {
            RingStatus::NotStarted
        }
        RolloutState::Paused { .. } => RingStatus::Paused,
        RolloutState::Running | RolloutState::Finished { .. } => {
            if today < stage.rollout_ends {
                RingStatus::RollingOut
            } else {
                RingStatus::Testing
            }
        }
    }
}

/// An update's status (T3, T6–T8). `applies_to_a_room`: some room of the organisation that has no deployment yet would get one.
#[must_use]
pub fn update(rollout: &Rollout, applies_to_a_room: bool) -> UpdateStatus {
    let counts = rollout.total_counts();
    let concerns_nobody = counts.total() + counts.catch_up == 0 && !applies_to_a_room;
    match rollout.state {
        RolloutState::Deprecated { .. } => UpdateStatus::Deprecated,
        RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } if concerns_nobody => {
            UpdateStatus::NotRequired
        }
        RolloutState::Paused { .. } => UpdateStatus::Paused,
        RolloutState::Running if rollout.stages.is_empty() => UpdateStatus::Scheduled,
        RolloutState::Running => UpdateStatus::InProgress,
        // A retry that is under way has not cleared its failure yet, and one that gave way to a newer update never will (T7, S9).
        RolloutState::Finished { .. } if counts.failed + counts.unfinished() + counts.deprecated > 0 => {
            UpdateStatus::CompletedWithFailures
        }
        RolloutState::Finished { .. } => UpdateStatus::Completed,
    }
}

/// Why `room` has no deployment of `update` on `today`, its own date (T5). `calendar`: [`Rollout::calendar`].
#[must_use]
pub fn not_required(
    rollout: &Rollout,
    update: &Update,
    room: &Room,
    calendar: &[PlannedStage],
    today: NaiveDate,
) -> NotRequired {
    if let Some(exclusion) = update.exclusion(room, today) {
        return NotRequired::Excluded(exclusion);
    }
    match rollout.state {
        RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => NotRequired::RolloutOver,
        RolloutState::Running | RolloutState::Paused { .. } => {
            let ring = rollout.ring_of(room.ring);
            match calendar.iter().find(|stage| stage.ring == ring && !stage.entered) {
                Some(stage) => NotRequired::RingNotReached {
                    ring: stage.name.clone(),
                    date: stage.starts_on,
                },
                None if rollout.is_being_superseded() => NotRequired::Superseded,
                None => NotRequired::NotEvaluated,
            }
        }
    }
}

/// Sums up how many rooms of a rollout stand where, for the list.
#[must_use]
pub fn done_failed_waiting(counts: Counts) -> (i64, i64, i64) {
    (counts.completed, counts.failed, counts.unfinished())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::deployment::{DeploymentState, Failure, Withdrawal};
    use crate::freeze::Freezes;
    use crate::ids::{RingId, StageOf, UpdateId};
    use crate::reason::Reason;
    use crate::ring::RingSequence;
    use crate::rollout::Stage;

    fn at() -> DateTime<Utc> {
        "2025-03-13T12:00:00Z".parse().expect("an instant")
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn ring_id(number: u128) -> RingId {
        RingId(Uuid::from_u128(number))
    }

    fn rings() -> RingSequence {
        RingSequence::preconfigured(ring_id(1), ring_id(2), ring_id(3))
    }

    fn paused() -> RolloutState {
        RolloutState::Paused {
            since: at(),
            by: "Admin".to_owned(),
            reason: "a reason".to_owned(),
            resumes_on: None,
        }
    }

    fn deprecated() -> RolloutState {
        RolloutState::Deprecated {
            at: at(),
            reason: Reason::recalled("it breaks"),
        }
    }

    fn finished() -> RolloutState {
        RolloutState::Finished { at: at() }
    }

    /// Staging from 5 to 6 March with tests to the 11th, General from the 12th to the 21st with tests to the 25th.
    fn rollout(state: RolloutState) -> Rollout {
        let stage = |number, starts_on: &str| {
            let rings = rings();
            let ring = rings.get(ring_id(number)).expect("a ring").clone();
            Stage {
                ring: StageOf::Ring(ring.id),
                name: ring.name,
                place: ring.place,
                rollout_days: ring.rollout_days,
                test_days: ring.test_days,
                starts_on: date(starts_on),
                rollout_ends: date(starts_on) + chrono::Days::new(ring.rollout_days.into()),
                test_ends: date(starts_on) + chrono::Days::new((ring.rollout_days + ring.test_days).into()),
                entered_at: at(),
                rooms: 1,
                placed: 1,
            }
        };
        Rollout {
            update: UpdateId(Uuid::nil()),
            published_at: at(),
            starts_on: date("2025-03-05"),
            state,
            stages: vec![stage(1, "2025-03-05"), stage(2, "2025-03-12")],
            paused_days: 0,
            automatic_days: None,
            superseded_by: Vec::new(),
            counts: BTreeMap::from([(
                StageOf::Ring(ring_id(1)),
                Counts {
                    completed: 1,
                    ..Counts::default()
                },
            )]),
            next_at: None,
        }
    }

    #[test]
    fn a_rooms_status_follows_from_its_deployment_and_its_rollout_t1_t8() {
        use DeploymentState as D;
        use RoomStatus as S;
        let failure = Failure::Reported;
        // Columns: running, finished, paused, deprecated.
        let table = [
            (D::Waiting, [S::Scheduled, S::Scheduled, S::Paused, S::Deprecated]),
            (D::Prepared, [S::Scheduled, S::Scheduled, S::Paused, S::Deprecated]),
            (D::Started { at: at() }, [S::InProgress; 4]),
            (D::Completed { at: at() }, [S::Completed; 4]),
            (D::Failed { at: at(), failure }, [S::Failed; 4]),
            (
                D::Withdrawn {
                    at: at(),
                    why: Withdrawal::Deprecated,
                },
                [S::Deprecated; 4],
            ),
            (
                D::Withdrawn {
                    at: at(),
                    why: Withdrawal::Moved,
                },
                [S::NotRequired; 4],
            ),
            (
                D::Withdrawn {
                    at: at(),
                    why: Withdrawal::NotRequired,
                },
                [S::NotRequired; 4],
            ),
        ];
        let rollouts = [RolloutState::Running, finished(), paused(), deprecated()];
        for (state, expected) in table {
            let found = rollouts.clone().map(|of| room(state.progress(), &of));
            assert_eq!(found, expected, "{state:?}");
            // The other way round, and for many.
            for (of, status) in rollouts.iter().zip(expected) {
                assert!(progress_of(status, of).contains(&state.progress()), "{state:?}");
                let many = RoomsByStatus::of([(state.progress(), 7)], of);
                let counted = if status == S::NotRequired { 0 } else { 7 };
                assert_eq!((many.with(status), many.total()), (counted, counted), "{state:?}");
            }
        }
    }

    #[test]
    fn no_room_of_a_deprecated_rollout_is_scheduled_t1_t8() {
        let counts = Counts {
            scheduled: 3,
            in_progress: 1,
            deprecated: 2,
            catch_up: 5,
            ..Counts::default()
        };
        let by_status = rooms(&counts, &deprecated());
        assert_eq!(by_status.with(RoomStatus::Deprecated), 5);
        assert_eq!((by_status.waiting(), by_status.total()), (0, 6));
        assert_eq!(rooms(&counts, &paused()).with(RoomStatus::Paused), 3);
        assert_eq!(progress_of(RoomStatus::Scheduled, &deprecated()), []);
        assert_eq!(
            progress_of(RoomStatus::Deprecated, &deprecated()),
            [Progress::NotStarted, Progress::Deprecated]
        );
        assert_eq!(progress_of(RoomStatus::Paused, &RolloutState::Running), []);
    }

    fn rings_on(rollout: &Rollout, today: &str) -> Vec<RingStatus> {
        let pause = match rollout.state {
            RolloutState::Paused { .. } => Some(date("2025-03-13")),
            RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        };
        let calendar = rollout.calendar(&rings(), &Freezes::default(), pause, date(today));
        calendar.iter().map(|stage| ring(rollout, stage, date(today))).collect()
    }

    #[test]
    fn a_ring_rolls_out_is_tested_and_is_completed_by_its_dates_t2() {
        use RingStatus as S;
        let running = rollout(RolloutState::Running);
        assert_eq!(
            rings_on(&running, "2025-03-12"),
            [S::Completed, S::RollingOut, S::NotStarted]
        );
        assert_eq!(
            rings_on(&running, "2025-03-21"),
            [S::Completed, S::RollingOut, S::NotStarted]
        );
        assert_eq!(
            rings_on(&running, "2025-03-22"),
            [S::Completed, S::Testing, S::NotStarted]
        );
        assert_eq!(
            rings_on(&running, "2025-03-25"),
            [S::Completed, S::Testing, S::NotStarted]
        );
        assert_eq!(
            rings_on(&running, "2025-03-26"),
            [S::Completed, S::Completed, S::NotStarted]
        );
    }

    #[test]
    fn a_ring_with_a_failed_room_is_completed_with_failures_t2() {
        let mut running = rollout(RolloutState::Running);
        running.counts.insert(
            StageOf::Ring(ring_id(1)),
            Counts {
                completed: 4,
                failed: 1,
                ..Counts::default()
            },
        );
        assert_eq!(rings_on(&running, "2025-03-13")[0], RingStatus::CompletedWithFailures);
    }

    #[test]
    fn while_paused_entered_and_unfinished_rings_are_paused_and_later_ones_not_started_t2() {
        let expected = [RingStatus::Completed, RingStatus::Paused, RingStatus::NotStarted];
        assert_eq!(rings_on(&rollout(paused()), "2025-03-13"), expected);
        assert_eq!(
            rings_on(&rollout(paused()), "2025-06-01"),
            expected,
            "ring clocks stand still"
        );
    }

    #[test]
    fn after_deprecation_unfinished_rings_are_deprecated_t2() {
        let expected = [RingStatus::Completed, RingStatus::Deprecated, RingStatus::Deprecated];
        assert_eq!(rings_on(&rollout(deprecated()), "2025-03-13"), expected);
    }

    #[test]
    fn an_updates_status_follows_from_its_rollout_and_its_counts_t3_t6_t7() {
        let with = |state: RolloutState, counts: Counts| Rollout {
            counts: BTreeMap::from([(StageOf::Ring(ring_id(1)), counts)]),
            ..rollout(state)
        };
        let done = Counts {
            completed: 3,
            ..Counts::default()
        };
        let failed = Counts {
            completed: 3,
            failed: 1,
            ..Counts::default()
        };
        let retrying = Counts {
            completed: 3,
            scheduled: 1,
            ..Counts::default()
        };
        let caught_up = Counts {
            catch_up: 1,
            ..Counts::default()
        };
        let none = Counts::default();
        let fresh = Rollout {
            stages: Vec::new(),
            counts: BTreeMap::new(),
            ..rollout(RolloutState::Running)
        };

        assert_eq!(update(&fresh, true), UpdateStatus::Scheduled);
        assert_eq!(update(&fresh, false), UpdateStatus::NotRequired);
        assert_eq!(
            update(&with(RolloutState::Running, done), false),
            UpdateStatus::InProgress,
            "also when all rooms are done (T6)"
        );
        assert_eq!(
            update(&with(RolloutState::Running, failed), true),
            UpdateStatus::InProgress
        );
        assert_eq!(update(&with(paused(), done), true), UpdateStatus::Paused);
        assert_eq!(update(&with(deprecated(), none), false), UpdateStatus::Deprecated);
        assert_eq!(update(&with(finished(), done), false), UpdateStatus::Completed);
        assert_eq!(
            update(&with(finished(), failed), false),
            UpdateStatus::CompletedWithFailures
        );
        assert_eq!(
            update(&with(finished(), retrying), false),
            UpdateStatus::CompletedWithFailures,
            "until the retry has worked (T7)"
        );
        assert_eq!(update(&with(finished(), caught_up), false), UpdateStatus::Completed);
        assert_eq!(update(&with(finished(), none), false), UpdateStatus::NotRequired);
        let given_way = Counts {
            completed: 1,
            deprecated: 1,
            ..none
        };
        assert_eq!(
            update(&with(finished(), given_way), false),
            UpdateStatus::CompletedWithFailures,
            "a room that failed and then gave way to a newer update has not got this one"
        );
    }

    #[test]
    fn active_updates_are_those_that_somebody_may_have_to_look_at_t9() {
        let active: Vec<UpdateStatus> = UpdateStatus::ALL
            .into_iter()
            .filter(|status| status.is_active(false))
            .collect();
        let expected = [
            UpdateStatus::Scheduled,
            UpdateStatus::InProgress,
            UpdateStatus::Paused,
            UpdateStatus::CompletedWithFailures,
        ];
        assert_eq!(active, expected);
        assert!(!UpdateStatus::CompletedWithFailures.is_active(true), "acknowledged");
    }
}
