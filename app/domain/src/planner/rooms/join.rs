//! A room whose facts have changed joins rollouts and leaves them (R14, S1).

use super::case::RoomCase;
use super::reasons;
use crate::deployment::{Deployment, DeploymentState, Night, Withdrawal};
use crate::ids::{NewIds, UpdateId};
use crate::reason::{CatchUp, Reason};
use crate::rollout::Rollout;
use crate::update::{Exclusion, Update};

/// Takes back what the room must not have or does not need, and, if it may have `moved`, what its ring has not come to. What has
/// started, or was tried before, stays where it is (R14).
pub(super) fn leave(case: &mut RoomCase<'_>, moved: bool) {
    for update in case.updates() {
        leave_one(case, update, moved);
    }
}

/// Compares the room with every live rollout.
pub(super) fn join(case: &mut RoomCase<'_>, ids: &mut dyn NewIds) {
    let rollouts = case.slice().rollouts.values();
    for rollout in rollouts.filter(|rollout| rollout.is_live()) {
        if let Some(release) = case.release(rollout.update) {
            join_one(case, rollout, release, ids);
        }
    }
}

fn leave_one(case: &mut RoomCase<'_>, update: UpdateId, moved: bool) {
    let Some(deployment) = case.deployment(update) else {
        return;
    };
    if !deployment.is_unfinished() || deployment.has_started() {
        return;
    }
    let (Some(release), Some(rollout)) = (case.release(update), case.rollout(update)) else {
        return;
    };
    // What is prepared for tonight would start on tonight's date: a hold that begins then counts already.
    let starts_on = if deployment.is_open() && !deployment.is_forced() {
        deployment.night.date().max(case.today())
    } else {
        case.today()
    };
    let exclusion = release.exclusion(case.room(), starts_on);
    let was_tried = case.was_tried(update);
    let not_reached = case.ring().is_some_and(|ring| !rollout.has_reached(ring));
    let moved_ahead = moved && !deployment.is_forced() && !was_tried && not_reached;
    let counts_in = rollout.ring_of(case.room().ring);
    let moved_behind = moved && deployment.follows_plan() && deployment.ring != counts_in;
    let ring = case.ring().map_or(String::new(), |ring| ring.name.clone());
    match exclusion {
        Some(Exclusion::AlreadyOn { .. }) if was_tried => {
            case.withdraw_planned(update);
            case.complete(update, reasons::confirmed(case, update));
        }
        Some(exclusion) => {
            let reason = reasons::not_required(case, exclusion, release);
            case.withdraw(update, Withdrawal::NotRequired, reason);
        }
        None if moved_ahead => case.withdraw(update, Withdrawal::Moved, Reason::MovedAhead { ring }),
        None if moved_behind => {
            // An open one is prepared for the next window already.
            let night = if deployment.is_open() {
                deployment.night.date()
            } else {
                case.next_window(case.today()).night
            };
            let cause = CatchUp::Moved;
            case.catch_up(update, counts_in, night, Reason::CatchUp { ring, cause });
        }
        None => {}
    }
}

/// Into a ring that the rollout has entered or passed: the room is scheduled for its next window, as a catch-up.
fn join_one(case: &mut RoomCase<'_>, rollout: &Rollout, release: &Update, ids: &mut dyn NewIds) {
    let Some(ring) = case.ring() else {
        return;
    };
    if !rollout.has_reached(ring) || case.superseding_update(rollout.update).is_some() {
        return;
    }
    let existing = case.deployment(release.id);
    if existing.is_some_and(|deployment| !may_join_again(&deployment.state)) {
        return;
    }
    if release.exclusion(case.room(), case.today()).is_some() {
        return;
    }
    let window = case.next_window(case.today());
    let reason = Reason::CatchUp {
        ring: ring.name.clone(),
        cause: CatchUp::Joined,
    };
    let (id, attempt) = existing.map_or_else(
        || (ids.deployment(), 1),
        |deployment| (deployment.id, deployment.attempt),
    );
    let counts_in = rollout.ring_of(ring.id);
    case.join(Deployment {
        night: Night::NextWindow {
            date: window.night,
            catch_up: true,
        },
        attempt,
        ..Deployment::new(id, release, case.room(), counts_in, case.now(), reason)
    });
}

/// Whether the room has left for reasons of its own. What was deprecated stays so.
fn may_join_again(state: &DeploymentState) -> bool {
    match state {
        DeploymentState::Withdrawn { why, .. } => match why {
            Withdrawal::Moved | Withdrawal::NotRequired => true,
            Withdrawal::Deprecated => false,
        },
        DeploymentState::Waiting
        | DeploymentState::Prepared
        | DeploymentState::Started { .. }
        | DeploymentState::Completed { .. }
        | DeploymentState::Failed { .. } => false,
    }
}
