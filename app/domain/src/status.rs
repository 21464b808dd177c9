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
mod tests;
