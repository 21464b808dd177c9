//! What devices are told, and what their words mean (`docs/devices.md`).
//!
//! A device polls, says something about one of its actions, or reports facts about itself. For each there is one pure function over what
//! was loaded and the instant: [`offer::decide`], [`hear::hear`], [`inventory::take`] and [`programs::take`]. Their answers are values: what changes of the
//! device's own install or of its own inventory, and whether the planner rechecks the room. They load nothing and write nothing, and they
//! decide nothing about rooms and rollouts: that is the planner's. The store and the simulator ask the same functions.
//!
//! Where to start: [`offer::decide`].

#[cfg(test)]
mod examples;
pub mod facts;
pub mod feedback;
pub mod hear;
pub mod inventory;
#[cfg(feature = "zones")]
pub mod nightly_facts;
pub mod offer;
pub mod presence;
pub mod programs;
pub mod sleep;

use crate::deployment::Force;
use crate::ids::{ActionId, DeviceId};
use crate::install::Install;
use feedback::Feedback;
use inventory::{ConfigReport, ReportRefusal};
use presence::Presence;

/// What counts for what a device is told, and for what its words about an action mean.
#[derive(Clone, Debug)]
pub struct OfferFacts<'a> {
    /// The action that the device asks or speaks about, whatever its state.
    pub install: &'a Install,
    /// [`crate::rollout::Rollout::may_start_rooms`], and its release is not recalled.
    pub rollout_may_start: bool,
    /// How the deployment is forced, if it is.
    pub force: Option<Force>,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
    /// The room, as its devices last reported it.
    pub presence: Presence,
    /// The device keeps to windows of its own (`docs/devices.md` 2.1).
    pub window_aware: bool,
}

/// What a device reports.
#[derive(Clone, Debug)]
pub enum Report {
    /// It polled while it might have started (W4).
    ShowedUp {
        /// The install that waits for it.
        action: ActionId,
    },
    /// It said something about an action.
    Feedback {
        /// Who.
        device: DeviceId,
        /// About which.
        action: ActionId,
        /// What.
        feedback: Feedback,
        /// It keeps to windows of its own, as its requests show (`docs/devices.md` 2.1).
        window_aware: bool,
    },
    /// It answered a cancel (`docs/devices.md` 1).
    CancelFeedback {
        /// Who.
        device: DeviceId,
        /// About which.
        action: ActionId,
        /// What.
        feedback: Feedback,
    },
    /// It fetched the artifact of an action for the first time (`docs/devices.md` 2.2).
    Fetched(Fetched),
    /// It reported facts about itself.
    Config {
        /// Who.
        device: DeviceId,
        /// What.
        report: ConfigReport,
    },
}

impl Report {
    /// Who speaks, where that is part of it.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Self::ShowedUp { .. } => None,
            Self::Feedback { device, .. } | Self::CancelFeedback { device, .. } | Self::Config { device, .. } => {
                Some(*device)
            }
            Self::Fetched(fetched) => Some(fetched.device),
        }
    }
}

/// See [`Report::Fetched`].
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Who.
    pub device: DeviceId,
    /// Of which action.
    pub action: ActionId,
}

/// What came of a report. All but `Refused` are durable before they are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something; the planner rechecks the room. Answer 200.
    Changed,
    /// It is noted and changes nothing that the planner goes by. Answer 200.
    Noted,
    /// The action has ended: noted, answer 410 (`docs/devices.md` 2.11).
    Ended,
    /// There is no such action of this device, or it may not start now: answer 404 (`docs/devices.md` 2.10).
    NotFound,
    /// The report breaks a limit: answer 400. Nothing of it is stored.
    Refused(ReportRefusal),
}
