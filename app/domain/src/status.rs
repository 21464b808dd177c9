//! Statuses at three levels, one vocabulary (SPEC 5). Update and ring status are computed here from facts and never stored.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, DeploymentState, Withdrawal};
use crate::rollout::{Counts, PlannedStage, Rollout, RolloutState};
use crate::room::Room;
use crate::update::{Exclusion, Update};

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

/// The status of a room that has a deployment (T1, T4, T8).
#[must_use]
pub fn room(deployment: &Deployment, rollout: &Rollout) -> RoomStatus {
    match &deployment.state {
        DeploymentState::Waiting | DeploymentState::Open { started_at: None } => match rollout.state {
            RolloutState::Running | RolloutState::Finished { .. } => RoomStatus::Scheduled,
            RolloutState::Paused { .. } => RoomStatus::Paused,
            RolloutState::Deprecated { .. } => RoomStatus::Deprecated,
        },
        DeploymentState::Open { started_at: Some(_) } => RoomStatus::InProgress,
        DeploymentState::Completed { .. } => RoomStatus::Completed,
        DeploymentState::Failed { .. } => RoomStatus::Failed,
        DeploymentState::Withdrawn { why, .. } => match why {
            Withdrawal::Deprecated => RoomStatus::Deprecated,
            Withdrawal::Moved | Withdrawal::NotRequired => RoomStatus::NotRequired,
        },
    }
}

/// A ring's status on `today` (T2): the organisation's date, and of a deprecated rollout the date of its deprecation.
#[must_use]
pub fn ring(rollout: &Rollout, stage: &PlannedStage, today: NaiveDate) -> RingStatus {
    let counts = rollout.counts_of(stage.ring);
    let dates_have_passed = stage.test_ends <= today || matches!(rollout.state, RolloutState::Finished { .. });
    if stage.entered && dates_have_passed && counts.deprecated == 0 {
        return if counts.failed > 0 { RingStatus::CompletedWithFailures } else { RingStatus::Completed };
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
        // A retry that is under way has not cleared its failure yet (T7).
        RolloutState::Finished { .. } if counts.failed + counts.unfinished() > 0 => UpdateStatus::CompletedWithFailures,
        RolloutState::Finished { .. } => UpdateStatus::Completed,
    }
}

/// Why a room is Not required (T5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "not_required")]
pub enum NotRequired {
    /// It needs the update, and its ring's turn comes on `date`.
    RingNotReached {
        /// The ring's name.
        ring: String,
        /// Its first night.
        date: NaiveDate,
    },
    /// A device's report has come that the planner has not seen yet.
    NotEvaluated,
    /// The rollout is over and the room became a candidate afterwards.
    RolloutOver,
    /// It does not need it, or must not have it.
    Excluded(Exclusion),
}

impl NotRequired {
    /// The reason in one sentence. `product` is the product's name; `date` writes a date.
    #[must_use]
    pub fn sentence(&self, product: &str, date: impl Fn(NaiveDate) -> String) -> String {
        match self {
            Self::RingNotReached { ring, date: starts } => format!("{ring} starts {}.", date(*starts)),
            Self::NotEvaluated => "Not evaluated yet: the room has just changed.".to_owned(),
            Self::RolloutOver => "The rollout is over; the next release includes this room.".to_owned(),
            Self::Excluded(exclusion) => match exclusion {
                Exclusion::AlreadyOn { version } => format!("Already on {version}."),
                Exclusion::DoesNotApply => format!("This room has no {product}."),
                Exclusion::OtherFamily { version } => format!("{version} is of another family of versions."),
                Exclusion::VersionUnknown => "The device does not say which version it runs.".to_owned(),
                Exclusion::NeedsFirst { version } => format!("Needs {version} first."),
                Exclusion::Held { owner, reason, until } => format!("Held by {owner} until {}: {reason}.", date(*until)),
                Exclusion::Blocked { why } => format!("Not ready: {why}."),
                Exclusion::Onboarding => "Onboarding: the room is not scheduled yet.".to_owned(),
                Exclusion::Retired => "The room is retired.".to_owned(),
            },
        }
    }
}

/// Why `room` has no deployment of `update` on `today`, its own date (T5). `calendar`: [`Rollout::calendar`].
#[must_use]
pub fn not_required(rollout: &Rollout, update: &Update, room: &Room, calendar: &[PlannedStage], today: NaiveDate) -> NotRequired {
    if let Some(exclusion) = update.exclusion(room, today) {
        return NotRequired::Excluded(exclusion);
    }
    match rollout.state {
        RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => NotRequired::RolloutOver,
        RolloutState::Running | RolloutState::Paused { .. } => {
            match calendar.iter().find(|stage| stage.ring == room.ring && !stage.entered) {
                Some(stage) => NotRequired::RingNotReached { ring: stage.name.clone(), date: stage.starts_on },
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
