//! What a plan consists of: rows in their new state, and the report.

use chrono::{DateTime, Utc};

use crate::deployment::Deployment;
use crate::event::{Event, Subject};
use crate::ids::{ActionId, DeploymentId, DeviceId, RoomId, UpdateId};
use crate::install::{Install, InstallState};
use crate::rollout::Rollout;
use crate::ticket::TicketChange;

/// Rows to write. Each stands once, in its new state; the writer compares with what is there to keep the counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Rollouts with their stages. The counts in them are not the plan's to write.
    pub rollouts: Vec<Rollout>,
    /// Rollouts whose pause ends by itself (K3): whoever writes resumes them as a person would.
    pub resumed: Vec<UpdateId>,
    /// The order of nights in a ring that is too large for one plan (S6).
    pub placements: Vec<Placement>,
    /// Rollouts whose order of nights is not needed any more.
    pub filled: Vec<UpdateId>,
    /// Deployments that a ring's entry makes: new ones, all waiting for their first attempt.
    pub placed: Vec<Deployment>,
    /// Other new and changed deployments.
    pub deployments: Vec<Deployment>,
    /// Changed installs.
    pub installs: Vec<Install>,
    /// Installs to make; the writer gives each its action id.
    pub new_installs: Vec<NewInstall>,
    /// Failure tickets to open, add to or resolve.
    pub tickets: Vec<TicketChange>,
    /// Rollouts of which everything unfinished is looked at by this instant, because a newer one has come to a ring (S9).
    pub woken: Vec<(UpdateId, DateTime<Utc>)>,
    /// Rooms whose mark is dealt with.
    pub settled_rooms: Vec<RoomId>,
    /// What was decided and what everything waits for.
    pub report: Vec<ReportLine>,
}

/// A room's place in the order of its ring's nights, fixed when the ring is entered (S6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Of which update.
    pub update: UpdateId,
    /// The *k* of S6, from 0.
    pub position: u32,
    /// Which room.
    pub room: RoomId,
}

/// An install that has no action id yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstall {
    /// See [`Install::deployment`].
    pub deployment: DeploymentId,
    /// See [`Install::update`].
    pub update: UpdateId,
    /// See [`Install::device`].
    pub device: DeviceId,
    /// See [`Install::attempt`].
    pub attempt: u32,
    /// See [`Install::window`].
    pub window: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl NewInstall {
    /// The install under its action id.
    #[must_use]
    pub fn with_action(&self, action: ActionId) -> Install {
        Install {
            action,
            deployment: self.deployment,
            update: self.update,
            device: self.device,
            attempt: self.attempt,
            window: self.window,
            state: InstallState::Planned,
            shown_up_at: None,
            started_at: None,
            detail: String::new(),
            cancel_wanted: None,
        }
    }
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// What it is about.
    pub subject: Subject,
    /// What was decided and why, or what is waited for.
    pub event: Event,
}

impl Plan {
    /// Whether there is nothing to write. A plan made right after another must be empty (law A).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rollouts.is_empty()
            && self.resumed.is_empty()
            && self.placements.is_empty()
            && self.filled.is_empty()
            && self.placed.is_empty()
            && self.deployments.is_empty()
            && self.installs.is_empty()
            && self.new_installs.is_empty()
            && self.tickets.is_empty()
            && self.woken.is_empty()
            && self.settled_rooms.is_empty()
    }

    /// Changes a rollout that this plan may have changed already.
    pub(super) fn change_rollout(&mut self, before: &Rollout, change: impl FnOnce(&mut Rollout)) {
        match self.rollouts.iter_mut().find(|planned| planned.update == before.update) {
            Some(planned) => change(planned),
            None => {
                let mut after = before.clone();
                change(&mut after);
                self.rollouts.push(after);
            }
        }
    }

    pub(super) fn say(&mut self, subject: Subject, event: Event) {
        self.report.push(ReportLine { subject, event });
    }
}
