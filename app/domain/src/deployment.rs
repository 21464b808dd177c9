//! Deployments: one update in one room (SPEC S5–S7, W4, K4, K5).
//!
//! A deployment waits for its night, is open while its room may be touched, and ends. "Not required" is no state: it is the
//! absence of a deployment, and [`crate::update::Exclusion`] says why.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DeploymentId, RoomId, StageOf, UpdateId};
use crate::reason::Reason;
#[cfg(feature = "zones")]
use crate::{room::Room, update::Update};

pub use crate::force::Force;

/// One update in one room; there is at most one for the two (law D).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Identity.
    pub id: DeploymentId,
    /// What is installed.
    pub update: UpdateId,
    /// Where.
    pub room: RoomId,
    /// The ring in whose counts it stands: the room's ring when it was made.
    pub ring: StageOf,
    /// The night that it waits for, and who says so.
    pub night: Night,
    /// Where it stands.
    pub state: DeploymentState,
    /// 1, and one more with each retry (K4).
    pub attempt: u32,
    /// Windows in which nothing but its devices kept it from starting (W4).
    pub missed_windows: u32,
    /// Those of them in which a device was offered it (W4).
    pub offered_windows: u32,
    /// Windows in which other updates of the room left no space for it (S7).
    pub crowded_windows: u32,
    /// How often its devices have not taken it in this attempt, for reasons of their own (S17).
    pub refusals: u32,
    /// How the attempt before this one failed, as long as this one has not ended (K7).
    pub last_failure: Option<Failure>,
    /// It had failed when an admin resumed the rollout after a halt: it fires no halt again (K7).
    pub tolerated: bool,
    /// When its devices lost it again (S16).
    pub fall_backs: FallBacks,
    /// The version it found, for the history.
    pub from_version: Option<String>,
    /// Why it stands where it stands (T5).
    pub reason: Reason,
    /// When the planner must look at it again; `None`: when something else happens.
    pub next_at: Option<DateTime<Utc>>,
}

/// What came of trying an update in a room, as the halt rule counts it (K7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It speaks against the update.
    Failed,
    /// It runs, or it has gone well.
    NotFailed,
}

/// When the devices of a room lost an update that the room had (S16).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallBacks {
    /// Oldest first. Those are left out that count no more ([`crate::settings::Settings::fall_back_days`]).
    pub at: Vec<DateTime<Utc>>,
    /// Its rollout was finished then: its counts stay as they were, so that the room stays in them as one that has the update.
    pub stays_counted: bool,
}

/// The night that a deployment waits for. Dates are those of the room's zone.
///
/// Only what its ring's entry has placed has a planned night, so that neither a catch-up nor a forced one can have one. A catch-up
/// joined after its ring's turn (R14, S11); it does not count for the rollout, also when it is forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "night")]
pub enum Night {
    /// Its ring's entry has fixed one (S6).
    Planned {
        /// The night that it waits for: the planned one, or a later one where windows were missed or frozen.
        date: NaiveDate,
        /// The night that was fixed, moved by pauses and freezes.
        planned: NaiveDate,
    },
    /// No plan gives it one: it takes the next window that there is.
    NextWindow {
        /// That window's.
        date: NaiveDate,
        catch_up: bool,
    },
    /// It skips ring, day and window (K5).
    Forced {
        /// The date of the force; once its installs are made, that of the next window (W4).
        date: NaiveDate,
        /// Now, or when the room is free.
        how: Force,
        catch_up: bool,
    },
}

impl Night {
    /// The night that it waits for.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        match self {
            Self::Planned { date, .. } | Self::NextWindow { date, .. } | Self::Forced { date, .. } => date,
        }
    }

    /// The night that its ring's entry has fixed, if one has.
    #[must_use]
    pub fn planned(self) -> Option<NaiveDate> {
        match self {
            Self::Planned { planned, .. } => Some(planned),
            Self::NextWindow { .. } | Self::Forced { .. } => None,
        }
    }

    /// How it is forced, if it is.
    #[must_use]
    pub fn force(self) -> Option<Force> {
        match self {
            Self::Forced { how, .. } => Some(how),
            Self::Planned { .. } | Self::NextWindow { .. } => None,
        }
    }

    /// It waits for another night. Who says so stays the same.
    pub fn move_to(&mut self, night: NaiveDate) {
        match self {
            Self::Planned { date, .. } | Self::NextWindow { date, .. } | Self::Forced { date, .. } => *date = night,
        }
    }

    /// After a retry (K4): forced no more, into the window of `night`.
    #[must_use]
    pub fn of_retry(self, night: NaiveDate) -> Self {
        match self {
            Self::Planned { planned, .. } => Self::Planned { date: night, planned },
            Self::NextWindow { catch_up, .. } | Self::Forced { catch_up, .. } => {
                Self::NextWindow { date: night, catch_up }
            }
        }
    }
}

/// Where a deployment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum DeploymentState {
    /// For its night.
    Waiting,
    /// The room's installs are made, and no device has started. Devices are offered them inside the window, or at once when forced.
    Prepared,
    /// The room's installs are made, and at least one device has started in this attempt.
    Started {
        /// When the first one did.
        at: DateTime<Utc>,
    },
    /// Installed and confirmed on every matching device.
    Completed {
        /// When.
        at: DateTime<Utc>,
    },
    /// At least one device failed and none runs any more.
    Failed {
        /// When.
        at: DateTime<Utc>,
        /// How.
        failure: Failure,
    },
    /// Taken back before it started.
    Withdrawn {
        /// When.
        at: DateTime<Utc>,
        why: Withdrawal,
    },
}

impl DeploymentState {
    /// With its installs made. `started_at`: when the first device started; `None`: none has.
    #[must_use]
    pub fn opened(started_at: Option<DateTime<Utc>>) -> Self {
        started_at.map_or(Self::Prepared, |at| Self::Started { at })
    }
}

/// Why a deployment was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// The update was superseded or recalled: the room shows Deprecated (T1).
    Deprecated,
    /// The room moved into a ring that the rollout has not entered (R14).
    Moved,
    /// The room does not need it any more, or must not have it.
    NotRequired,
}

impl Withdrawal {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deprecated => "deprecated",
            Self::Moved => "moved",
            Self::NotRequired => "not_required",
        }
    }

    /// The cause of a word that [`Withdrawal::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Deprecated, Self::Moved, Self::NotRequired]
            .into_iter()
            .find(|why| why.as_str() == word)
    }
}

/// How a deployment failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The device said so.
    Reported,
    /// It never showed up in two windows (W4).
    Unreachable,
    /// It was offered in a window, and has not started in two (W4).
    NotStarted,
    /// It started and then said nothing for too long (W5).
    Silent,
    /// It said that it was done, but its inventory never showed the version (`docs/devices.md` 2.13).
    Unconfirmed,
    /// An admin stopped it (`docs/devices.md` 3).
    Canceled,
    /// It needs a release first that there is none of (S8).
    NoPath,
    /// Its devices did not take it, time after time, for reasons of their own (S17).
    Refused,
    /// Its devices have lost it so often that somebody must look (S16).
    FellBack,
}

impl Failure {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Reported,
        Self::Unreachable,
        Self::NotStarted,
        Self::Silent,
        Self::Unconfirmed,
        Self::Canceled,
        Self::NoPath,
        Self::FellBack,
        Self::Refused,
    ];

    /// Whether it says something about the update, so that the halt rule counts it (K7).
    #[must_use]
    pub fn speaks_against(self) -> bool {
        match self {
            Self::Reported | Self::Silent | Self::Unconfirmed | Self::NotStarted | Self::FellBack => true,
            Self::Unreachable | Self::Canceled | Self::NoPath | Self::Refused => false,
        }
    }

    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Unreachable => "unreachable",
            Self::NotStarted => "not_started",
            Self::Silent => "silent",
            Self::Unconfirmed => "unconfirmed",
            Self::Canceled => "canceled",
            Self::NoPath => "no_path",
            Self::FellBack => "fell_back",
            Self::Refused => "refused",
        }
    }

    /// The failure of a word that [`Failure::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == word)
    }
}

/// What a deployment's row says of its room by itself: the half of the room's status (T1) that does not depend on the rollout.
///
/// Lists count by it and filter by it; [`crate::status::room`] makes the status of it. That it is a catch-up is said beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It waits, or is open and no device has started.
    NotStarted,
    /// A device has started.
    InProgress,
    /// Installed and confirmed on every matching device.
    Completed,
    /// A device has failed.
    Failed,
    /// Withdrawn because its update was deprecated, or gave way to a newer one (S9).
    Deprecated,
    /// Withdrawn because the room has moved (R14), does not need it any more, or must not have it.
    NotRequired,
}

impl Progress {
    /// Every progress.
    pub const ALL: [Self; 6] = [
        Self::NotStarted,
        Self::InProgress,
        Self::Completed,
        Self::Failed,
        Self::Deprecated,
        Self::NotRequired,
    ];

    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Deprecated => "deprecated",
            Self::NotRequired => "not_required",
        }
    }

    /// The progress of a word that [`Progress::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|progress| progress.as_str() == word)
    }
}

impl DeploymentState {
    /// What it says of its room by itself.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self {
            Self::Waiting | Self::Prepared => Progress::NotStarted,
            Self::Started { .. } => Progress::InProgress,
            Self::Completed { .. } => Progress::Completed,
            Self::Failed { .. } => Progress::Failed,
            Self::Withdrawn { why, .. } => match why {
                Withdrawal::Deprecated => Progress::Deprecated,
                Withdrawal::Moved | Withdrawal::NotRequired => Progress::NotRequired,
            },
        }
    }
}

/// In which of a stage's counts a deployment stands: its [`Progress`], as long as it counts. Catch-ups stand apart (T6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// [`Progress::NotStarted`].
    Scheduled,
    /// [`Progress::InProgress`].
    InProgress,
    /// [`Progress::Completed`].
    Completed,
    /// [`Progress::Failed`].
    Failed,
    /// [`Progress::Deprecated`].
    Deprecated,
    /// A catch-up that is not withdrawn, whatever its state.
    CatchUp,
}

impl Deployment {
    /// Waits for its first attempt, outside of every plan: for whoever makes it to say when. `ring`: the room's, as the rollout has it.
    #[cfg(feature = "zones")]
    #[must_use]
    pub fn new(
        id: DeploymentId,
        update: &Update,
        room: &Room,
        ring: StageOf,
        now: DateTime<Utc>,
        reason: Reason,
    ) -> Self {
        let device = update.devices_in(room).next();
        Self {
            id,
            update: update.id,
            room: room.id,
            ring,
            night: Night::NextWindow {
                date: room.zone.date(now),
                catch_up: false,
            },
            state: DeploymentState::Waiting,
            attempt: 1,
            missed_windows: 0,
            offered_windows: 0,
            crowded_windows: 0,
            refusals: 0,
            last_failure: None,
            tolerated: false,
            fall_backs: FallBacks::default(),
            from_version: device.and_then(|device| device.component(&update.product)?.version.clone()),
            reason,
            next_at: Some(now),
        }
    }

    /// What it says of its room by itself.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.state.progress()
    }

    /// In which count it is; `None`: in none, it was withdrawn. One whose devices have lost it after the rollout was over stays where it
    /// was (S16).
    #[must_use]
    pub fn bucket(&self) -> Option<Bucket> {
        if self.fall_backs.stays_counted {
            return Some(Bucket::Completed);
        }
        let bucket = match self.progress() {
            Progress::NotStarted => Bucket::Scheduled,
            Progress::InProgress => Bucket::InProgress,
            Progress::Completed => Bucket::Completed,
            Progress::Failed => Bucket::Failed,
            Progress::Deprecated => Bucket::Deprecated,
            Progress::NotRequired => return None,
        };
        Some(if self.is_catch_up() { Bucket::CatchUp } else { bucket })
    }

    /// What came of trying it, as the halt rule counts it (K7); `None`: it was not tried. A room whose devices were never in contact, or
    /// did not take it, says nothing about the update, and neither does one that an admin stopped, or that no release leads to.
    #[must_use]
    pub fn attempted(&self) -> Option<Attempt> {
        let failed = |failure: Failure| failure.speaks_against().then_some(Attempt::Failed);
        match self.state {
            DeploymentState::Completed { .. } => Some(Attempt::NotFailed),
            DeploymentState::Failed { failure, .. } => failed(failure),
            // Its last attempt has failed, until the next one has ended.
            DeploymentState::Waiting | DeploymentState::Prepared => self.last_failure.and_then(failed),
            DeploymentState::Started { .. } => self.last_failure.and_then(failed).or(Some(Attempt::NotFailed)),
            DeploymentState::Withdrawn { .. } => None,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.state == DeploymentState::Waiting || self.is_open()
    }

    /// Whether its installs are made.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, DeploymentState::Prepared | DeploymentState::Started { .. })
    }

    /// Whether a device has started and none of this attempt has ended it.
    #[must_use]
    pub fn has_started(&self) -> bool {
        matches!(self.state, DeploymentState::Started { .. })
    }

    /// Whether its night is the one that its ring's entry gave it, so that a resume moves it with the plan (K3). One that waits
    /// for "the next window" goes there instead.
    #[must_use]
    pub fn follows_plan(&self) -> bool {
        !self.is_catch_up() && self.attempt == 1 && self.missed_windows == 0 && !self.is_forced()
    }

    /// Whether it skips ring, day and window (K5).
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.night.force().is_some()
    }

    /// Whether it joined after its ring's turn (R14, S11). It does not count for the rollout then.
    #[must_use]
    pub fn is_catch_up(&self) -> bool {
        match self.night {
            Night::Planned { .. } => false,
            Night::NextWindow { catch_up, .. } | Night::Forced { catch_up, .. } => catch_up,
        }
    }
}
