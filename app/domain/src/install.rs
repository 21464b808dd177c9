//! Installs: one attempt to put one update on one device, and where it stands.
//!
//! Which words of a device bring it where is said in `conversation/hear.rs`; what follows for the room and the rollout is the planner's.
//! Start with [`InstallState`].

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::device_refusal::DeviceRefusal;
use crate::ids::{ActionId, DeploymentId, DeviceId, UpdateId};
use crate::settings::Settings;
use crate::start_window::StartWindow;

/// One attempt on one device. A device has at most one that is open (law D).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// What the device knows it by.
    pub action: ActionId,
    /// The deployment that it belongs to.
    pub deployment: DeploymentId,
    /// What is installed.
    pub update: UpdateId,
    /// Where.
    pub device: DeviceId,
    /// The deployment's attempt when this was made.
    pub attempt: u32,
    /// The window in which it may start; `None`: forced, at any time.
    pub window: Option<StartWindow>,
    /// Where it stands.
    pub state: InstallState,
    /// When the device first polled while it might have started (W4).
    pub shown_up_at: Option<DateTime<Utc>>,
    /// The instant at which it first started.
    pub started_at: Option<DateTime<Utc>>,
    /// The last thing the device said, shortened.
    pub detail: String,
    /// Somebody wants the device to stop, and why, in one sentence (`docs/devices.md` 3). Counts while it has started and not yet said
    /// `All Chunks Installed.`.
    pub cancel_wanted: Option<String>,
}

/// Where an install stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum InstallState {
    /// Made; the device has not started.
    Planned,
    /// The device has begun to download or install.
    Started {
        /// Its last sign of life.
        heard_at: DateTime<Utc>,
        /// When it was found silent (W5). Does not end the action.
        silent_at: Option<DateTime<Utc>>,
        /// It said `All Chunks Installed.`: too late for a cancel (`docs/devices.md` 2.9).
        installed_chunks: bool,
        /// Its last word was that it does not go on, and it has not closed. [`Install::detail`] has its words.
        objects: bool,
    },
    /// The device says that it is done; its inventory has not said so yet (`docs/devices.md` 2.13).
    Installed {
        /// When it said so.
        at: DateTime<Utc>,
        /// It had shown no sign of working on it (`docs/devices.md` 2.12).
        doubtful: bool,
    },
    /// Done and confirmed.
    Completed {
        /// When.
        at: DateTime<Utc>,
    },
    /// Over, without success.
    Failed {
        /// When.
        at: DateTime<Utc>,
        /// How.
        failure: crate::deployment::Failure,
    },
    /// Taken back before it started.
    Withdrawn {
        /// When.
        at: DateTime<Utc>,
    },
    /// The device has stopped because it was asked to.
    Canceled {
        /// When.
        at: DateTime<Utc>,
    },
}

impl InstallState {
    /// Whether the device has just closed it with a success that nothing speaks against.
    #[must_use]
    pub fn is_closed_with_success(&self) -> bool {
        matches!(self, Self::Installed { doubtful: false, .. })
    }
}

impl Install {
    /// Why its device did not take it this time; `None`: it did, or has failed.
    #[must_use]
    pub fn refusal(&self) -> Option<DeviceRefusal> {
        match self.state {
            InstallState::Failed {
                failure: crate::deployment::Failure::Reported,
                ..
            } => DeviceRefusal::of_detail(&self.detail),
            InstallState::Failed { .. }
            | InstallState::Planned
            | InstallState::Started { .. }
            | InstallState::Installed { .. }
            | InstallState::Completed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => None,
        }
    }

    /// Whether it was planned until its window was over (W4). What was taken back before that has missed nothing.
    #[must_use]
    pub fn missed_its_window(&self) -> bool {
        match (&self.state, self.window) {
            (InstallState::Withdrawn { at }, Some(window)) => window.has_closed(*at),
            _ => false,
        }
    }

    /// Whether the device may still say something that counts.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.state {
            InstallState::Planned | InstallState::Started { .. } | InstallState::Installed { .. } => true,
            InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => false,
        }
    }

    /// Whether the device is to be told to stop: it has started, and it is not too late (`docs/devices.md` 2.9).
    #[must_use]
    pub fn is_to_be_canceled(&self) -> bool {
        let stoppable = matches!(
            self.state,
            InstallState::Started {
                installed_chunks: false,
                ..
            }
        );
        stoppable && self.cancel_wanted.is_some()
    }

    /// Whether the device has shown a sign of working on it and has not closed it: its link stays (`docs/devices.md` 2.2).
    #[must_use]
    pub fn is_started(&self) -> bool {
        matches!(self.state, InstallState::Started { .. })
    }

    /// Whether the device works on it and is not silent.
    #[must_use]
    pub fn is_running(&self) -> bool {
        match self.state {
            InstallState::Started { silent_at, .. } => silent_at.is_none(),
            InstallState::Installed { .. } => true,
            InstallState::Planned
            | InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => false,
        }
    }

    /// Where it stands after a sign of work: it has started, and it is not silent. `detail`: what the device says.
    #[must_use]
    pub fn started(&self, now: DateTime<Utc>, detail: &str) -> Self {
        let installed_chunks = matches!(
            self.state,
            InstallState::Started {
                installed_chunks: true,
                ..
            }
        );
        Self {
            state: InstallState::Started {
                heard_at: now,
                silent_at: None,
                installed_chunks,
                objects: false,
            },
            started_at: self.started_at.or(Some(now)),
            detail: shorten(detail),
            ..self.clone()
        }
    }

    /// Where it stands after a started device has said that it does not go on, without closing: it is there, and asked as before.
    #[must_use]
    pub fn objected(&self, now: DateTime<Utc>, detail: &str) -> Self {
        let mut objected = self.started(now, detail);
        if let InstallState::Started { objects, .. } = &mut objected.state {
            *objects = true;
        }
        objected
    }

    /// Whether the device has said last that it does not go on.
    #[must_use]
    pub fn objects(&self) -> bool {
        matches!(self.state, InstallState::Started { objects: true, .. })
    }

    /// Where it stands after the device has closed it in `state`. A device that shows no sign of work before has started now.
    #[must_use]
    pub fn closed(&self, state: InstallState, now: DateTime<Utc>, detail: &str) -> Self {
        Self {
            state,
            started_at: self.started_at.or(Some(now)),
            detail: shorten(detail),
            ..self.clone()
        }
    }

    /// Where it stands after the device has stopped because it was asked to.
    #[must_use]
    pub fn canceled(&self, now: DateTime<Utc>, detail: &str) -> Self {
        Self {
            state: InstallState::Canceled { at: now },
            detail: shorten(detail),
            ..self.clone()
        }
    }

    /// When a started device has been silent for too long (W5): three times the expected minutes, at least 60 minutes.
    #[must_use]
    pub fn silent_from(&self, settings: &Settings, expected_minutes: u32) -> Option<DateTime<Utc>> {
        let minutes = (settings.silent_factor.saturating_mul(expected_minutes)).max(settings.silent_least_minutes);
        match self.state {
            InstallState::Started {
                heard_at,
                silent_at: None,
                ..
            } => Some(heard_at + TimeDelta::minutes(minutes.into())),
            InstallState::Started { silent_at: Some(_), .. }
            | InstallState::Planned
            | InstallState::Installed { .. }
            | InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => None,
        }
    }
}

/// The longest detail that an install keeps, in characters.
pub const LONGEST_DETAIL: usize = 500;

fn shorten(detail: &str) -> String {
    detail
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(LONGEST_DETAIL)
        .collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn instant(time: &str) -> DateTime<Utc> {
        format!("2025-03-05T{time}:00Z").parse().expect("an instant")
    }

    fn install(state: InstallState) -> Install {
        Install {
            action: ActionId(1),
            deployment: DeploymentId(Uuid::nil()),
            update: UpdateId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            attempt: 1,
            window: None,
            state,
            shown_up_at: None,
            started_at: None,
            detail: String::new(),
            cancel_wanted: None,
        }
    }

    fn started() -> Install {
        let state = InstallState::Started {
            heard_at: instant("00:10"),
            silent_at: None,
            installed_chunks: false,
            objects: false,
        };
        Install {
            started_at: Some(instant("00:10")),
            ..install(state)
        }
    }

    #[test]
    fn a_started_device_is_silent_after_three_times_the_minutes_but_not_before_an_hour_w5() {
        let settings = Settings::default();
        assert_eq!(started().silent_from(&settings, 15), Some(instant("01:10")));
        assert_eq!(started().silent_from(&settings, 20), Some(instant("01:10")));
        assert_eq!(started().silent_from(&settings, 40), Some(instant("02:10")));
        assert_eq!(install(InstallState::Planned).silent_from(&settings, 15), None);
    }
}
