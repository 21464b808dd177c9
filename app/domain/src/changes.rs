//! What a decision consists of: rows in their new state, a few edits of many rows at once, and typed events.
//!
//! The planner and the commands of people make [`Changes`]; `Fleet::apply` writes them in memory and the store's `Tx::apply` in SQL.
//! There is no third writer, and nothing here decides.

use chrono::{DateTime, Utc};

use crate::deployment::{Deployment, DeploymentState};
use crate::event::{Event, Subject};
use crate::freeze::Shift;
use crate::ids::{ActionId, DeploymentId, DeviceId, RingId, RoomId, UpdateId};
use crate::install::{Install, InstallState};
use crate::rollout::Rollout;
use crate::ticket::TicketChange;

/// Rows to write. Each stands once, in its new state; the writer compares with what is there to keep the counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Rollouts with their stages. The counts in them are not the plan's to write.
    pub rollouts: Vec<Rollout>,
    /// The order of nights in a ring that is too large for one plan (S6).
    pub placements: Vec<Placement>,
    /// Rollouts whose order of nights is not needed any more.
    pub fully_placed: Vec<UpdateId>,
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
    /// Nights of waiting rooms that move with the dates of their rollout (K3, W6).
    pub moved_nights: Vec<MovedNights>,
    /// Devices that are asked to stop what they download (`docs/devices.md` 3).
    pub stops: Vec<Stop>,
    /// Rollouts of which everything unfinished is looked at by this instant.
    pub woken: Vec<(UpdateId, DateTime<Utc>)>,
    /// Rooms that were rechecked.
    pub rechecked_rooms: Vec<RoomId>,
    /// What was decided and what everything waits for.
    pub report: Vec<ReportLine>,
}

/// The nights of a rollout's waiting rooms move, in one ring: all for which [`MovedNights::of`] gives another night.
#[derive(Clone, Debug, PartialEq)]
pub struct MovedNights {
    /// Of which update.
    pub update: UpdateId,
    /// In the ring that the rollout was in.
    pub ring: RingId,
    /// How its dates move.
    pub shift: Shift,
}

impl MovedNights {
    /// A waiting room after the dates of its rollout have moved: its night has moved with the plan. `None`: it stays as it is.
    ///
    /// Only nights of the ring that the rollout was in, and only those from the shift on: the days are added to that ring, and a room
    /// of an earlier one, or one that waits for "the next window", goes to the next window there is.
    #[must_use]
    pub fn of(&self, deployment: &Deployment) -> Option<Deployment> {
        let planned = deployment.planned_night?;
        let waits = deployment.state == DeploymentState::Waiting && deployment.follows_plan();
        let concerned = deployment.update == self.update && deployment.ring == self.ring;
        if !waits || !concerned || planned < self.shift.from {
            return None;
        }
        let mut moved = deployment.clone();
        moved.night = self.shift.date(deployment.ring, deployment.night);
        moved.planned_night = Some(self.shift.date(deployment.ring, planned));
        (moved != *deployment).then_some(moved)
    }
}

/// Devices that download are asked to stop; those that have said `All Chunks Installed.` are not (`docs/devices.md` 2.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Which ones.
    pub of: StopOf,
    /// Why, in the words of whoever asks.
    pub why: String,
    /// When: a release's deployments are looked at then.
    pub at: DateTime<Utc>,
}

/// Whose downloads stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOf {
    /// All of a release, and whatever has it open is looked at.
    Release(UpdateId),
    /// Those of one deployment.
    Deployment(DeploymentId),
}

/// How many rows each edit of many rows has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rooms whose night has moved.
    pub moved_nights: u64,
    /// Devices that are asked to stop.
    pub stops: u64,
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

impl Changes {
    /// Whether there is nothing to write. A plan made right after another must be empty (law A).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rollouts.is_empty()
            && self.placements.is_empty()
            && self.fully_placed.is_empty()
            && self.placed.is_empty()
            && self.deployments.is_empty()
            && self.installs.is_empty()
            && self.new_installs.is_empty()
            && self.tickets.is_empty()
            && self.moved_nights.is_empty()
            && self.stops.is_empty()
            && self.woken.is_empty()
            && self.rechecked_rooms.is_empty()
    }

    /// The nights of a rollout's rooms move with its dates, in the ring that it is in.
    pub fn move_nights(&mut self, rollout: &Rollout, shift: &Shift) {
        self.moved_nights.extend(rollout.stages.last().map(|stage| MovedNights {
            update: rollout.update,
            ring: stage.ring,
            shift: shift.clone(),
        }));
    }

    /// Changes a rollout that may be among the changes already.
    pub(crate) fn change_rollout(&mut self, before: &Rollout, change: impl FnOnce(&mut Rollout)) {
        match self.rollouts.iter_mut().find(|planned| planned.update == before.update) {
            Some(planned) => change(planned),
            None => {
                let mut after = before.clone();
                change(&mut after);
                self.rollouts.push(after);
            }
        }
    }

    pub(crate) fn report_line(&mut self, subject: Subject, event: Event) {
        self.report.push(ReportLine { subject, event });
    }
}
