//! A room whose facts have changed joins rollouts and leaves them (R14, S1).

use crate::deployment::{Deployment, DeploymentState, Night, Withdrawal};
use crate::ids::{NewIds, StageOf};
use crate::install::{Install, InstallState};
use crate::planner::rings::superseding_in_slice;
use crate::planner::rooms::RoomCase;
use crate::reason::{CatchUp, Reason};
use crate::rollout::Rollout;
use crate::ticket::{TicketChange, TicketEvent};
use crate::update::{Exclusion, Update};

/// Takes back what the room must not have or does not need, and, if it may have `moved`, what its ring has not come to. What has
/// started, or was tried before, stays where it is (R14).
pub(super) fn leave(case: &mut RoomCase<'_>, moved: bool) {
    for index in 0..case.deployments.len() {
        leave_one(case, index, moved);
    }
}

/// Compares the room with every live rollout.
pub(super) fn join(case: &mut RoomCase<'_>, ids: &mut dyn NewIds) {
    let slice = case.slice;
    for rollout in slice.rollouts.values().filter(|rollout| rollout.is_live()) {
        if let Some(update) = slice.updates.get(&rollout.update) {
            join_one(case, rollout, update, ids);
        }
    }
}

fn leave_one(case: &mut RoomCase<'_>, index: usize, moved: bool) {
    let deployment = &case.deployments[index];
    if !deployment.is_unfinished() || deployment.has_started() {
        return;
    }
    let (Some(update), Some(rollout)) = (case.update(deployment), case.rollout(deployment)) else {
        return;
    };
    // What is prepared for tonight would start on tonight's date: a hold that begins then counts already.
    let starts_on = if deployment.is_open() && !deployment.is_forced() {
        deployment.night.date().max(case.today())
    } else {
        case.today()
    };
    let exclusion = update.exclusion(case.room, starts_on);
    let ring = case.slice.rings.get(case.room.ring);
    let moved_ahead = moved
        && !deployment.is_forced()
        && deployment.attempt == 1
        && !was_partly_done(case, deployment)
        && ring.is_some_and(|ring| !rollout.has_reached(ring));
    let counts_in = rollout.ring_of(case.room.ring);
    let moved_behind = moved && deployment.follows_plan() && deployment.ring != counts_in;
    match exclusion {
        Some(Exclusion::AlreadyOn { .. }) if deployment.attempt > 1 || was_partly_done(case, deployment) => {
            withdraw_planned(case, index);
            let reason = super::settle::confirmed(case, index);
            case.complete(index, reason);
        }
        Some(exclusion) => {
            let reason = case.not_required(exclusion, update);
            withdraw(case, index, Withdrawal::NotRequired, reason);
        }
        None if moved_ahead => {
            let ring = ring.map_or(String::new(), |ring| ring.name.clone());
            withdraw(case, index, Withdrawal::Moved, Reason::MovedAhead { ring });
        }
        None if moved_behind => {
            // An open one is prepared for the next window already.
            let window = case.next_window(case.today());
            let is_open = deployment.is_open();
            let ring = ring.map_or(String::new(), |ring| ring.name.clone());
            let deployment = &mut case.deployments[index];
            let date = if is_open { deployment.night.date() } else { window.night };
            deployment.night = Night::NextWindow { date, catch_up: true };
            deployment.ring = counts_in;
            deployment.reason = Reason::CatchUp {
                ring,
                cause: CatchUp::Moved,
            };
        }
        None => {}
    }
}

pub(super) fn was_partly_done(case: &RoomCase<'_>, deployment: &Deployment) -> bool {
    case.installs
        .iter()
        .any(|install| install.deployment == deployment.id && matches!(install.state, InstallState::Completed { .. }))
}

pub(super) fn withdraw(case: &mut RoomCase<'_>, index: usize, why: Withdrawal, reason: Reason) {
    withdraw_planned(case, index);
    let deployment = &case.deployments[index];
    if deployment.attempt > 1 || deployment.crowded_windows > 0 || was_tried(case, deployment) {
        // Nothing more is tried here, so that there is nothing left to look at (I3).
        case.tickets.push(TicketChange {
            room: deployment.room,
            update: deployment.update,
            event: TicketEvent::Cleared(reason.clone()),
        });
    }
    case.deployments[index].state = DeploymentState::Withdrawn { at: case.now, why };
    case.deployments[index].reason = reason;
}

/// Whether a device has ever started it: it may have failed, and come back (W5).
fn was_tried(case: &RoomCase<'_>, deployment: &Deployment) -> bool {
    let started = |install: &Install| install.deployment == deployment.id && install.started_at.is_some();
    case.installs.iter().any(started)
}

pub(super) fn withdraw_planned(case: &mut RoomCase<'_>, index: usize) {
    let id = case.deployments[index].id;
    for install in case.installs.iter_mut().filter(|install| install.deployment == id) {
        if install.state == InstallState::Planned {
            install.state = InstallState::Withdrawn { at: case.now };
        }
    }
}

/// Into a ring that the rollout has entered or passed: the room is scheduled for its next window, as a catch-up.
fn join_one(case: &mut RoomCase<'_>, rollout: &Rollout, update: &Update, ids: &mut dyn NewIds) {
    let Some(ring) = case.slice.rings.get(case.room.ring) else {
        return;
    };
    let is_superseded = superseding_in_slice(case.slice, rollout, StageOf::Ring(ring.id)).is_some();
    if !rollout.has_reached(ring) || is_superseded {
        return;
    }
    let existing = case
        .deployments
        .iter()
        .position(|deployment| deployment.update == update.id);
    let withdrawn = match existing {
        None => None,
        Some(index) => match case.deployments[index].state {
            DeploymentState::Withdrawn {
                why: Withdrawal::Moved | Withdrawal::NotRequired,
                ..
            } => Some(index),
            DeploymentState::Withdrawn {
                why: Withdrawal::Deprecated,
                ..
            }
            | DeploymentState::Waiting
            | DeploymentState::Prepared
            | DeploymentState::Started { .. }
            | DeploymentState::Completed { .. }
            | DeploymentState::Failed { .. } => return,
        },
    };
    if update.exclusion(case.room, case.today()).is_some() {
        return;
    }
    let window = case.next_window(case.today());
    let reason = Reason::CatchUp {
        ring: ring.name.clone(),
        cause: CatchUp::Joined,
    };
    let id = withdrawn.map_or_else(|| ids.deployment(), |index| case.deployments[index].id);
    let attempt = withdrawn.map_or(1, |index| case.deployments[index].attempt);
    let deployment = Deployment {
        night: Night::NextWindow {
            date: window.night,
            catch_up: true,
        },
        attempt,
        ..Deployment::new(id, update, case.room, rollout.ring_of(case.room.ring), case.now, reason)
    };
    match withdrawn {
        Some(index) => case.deployments[index] = deployment,
        None => case.deployments.push(deployment),
    }
}
