//! A room whose facts have changed joins rollouts and leaves them (R14, S1), and gets what it has missed (S11).

use std::collections::BTreeSet;

use super::case::RoomCase;
use super::reasons;
use crate::deployment::{Deployment, DeploymentState, Night, Withdrawal};
use crate::ids::{NewIds, ProductId, UpdateId};
use crate::reason::{CatchUp, Reason};
use crate::ring::Ring;
use crate::rollout::{Rollout, RolloutState};
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
    let products: BTreeSet<&ProductId> = case
        .room()
        .devices
        .iter()
        .flat_map(|device| device.components.iter().map(|component| &component.product))
        .collect();
    for product in products {
        join_late(case, product, ids);
    }
}

/// Gives a room the newest update of a product that it has missed and that has finished its Staging test, also when that rollout is over
/// (S11). A room whose ring has still to come waits for it, unless what it has is out of support.
fn join_late(case: &mut RoomCase<'_>, product: &ProductId, ids: &mut dyn NewIds) {
    // One at a time, and what runs or waits comes first.
    if has_one_ahead(case, product) {
        return;
    }
    let Some((rollout, release)) = newest_missed(case, product) else {
        return;
    };
    let Some(ring) = case.ring() else {
        return;
    };
    let cause = if !rollout.has_reached(ring) {
        if !case.is_out_of_support(product) {
            return;
        }
        CatchUp::OutOfSupport
    } else if rollout.is_live() {
        // It has joined, or may not.
        return;
    } else {
        CatchUp::Late
    };
    join_as_catch_up(case, rollout, release, ring, cause, ids);
}

/// Whether an update of a product runs or waits in the room.
fn has_one_ahead(case: &RoomCase<'_>, product: &ProductId) -> bool {
    let is_of_product = |update| case.release(update).is_some_and(|release| release.product == *product);
    case.unfinished_deployments()
        .any(|deployment| is_of_product(deployment.update))
}

/// The newest update of a product that the room needs and that has finished its first test; `None`: there is none, or it is paused.
fn newest_missed<'s>(case: &RoomCase<'s>, product: &ProductId) -> Option<(&'s Rollout, &'s Update)> {
    let missed = case.slice().rollouts.values().filter_map(|rollout| {
        let release = case.release(rollout.update)?;
        let is_deprecated = matches!(rollout.state, RolloutState::Deprecated { .. });
        let may_have_it = release.offerable && rollout.first_test_over && !is_deprecated;
        let applies = release.product == *product && release.devices_in(case.room()).next().is_some();
        (may_have_it && applies).then_some((rollout, release))
    });
    let newest = missed.reduce(|newest, other| {
        if other.1.is_above(&newest.1.version) {
            other
        } else {
            newest
        }
    });
    newest.filter(|(rollout, _)| rollout.may_start_rooms())
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
    // What is out of support does not wait for the ring (S11).
    let is_urgent = deployment.is_catch_up() && case.is_out_of_support(&release.product);
    let moved_ahead = moved && !deployment.is_forced() && !was_tried && not_reached && !is_urgent;
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
    join_as_catch_up(case, rollout, release, ring, CatchUp::Joined, ids);
}

/// In the room's next window, unless it has the update in whatever state, or must not have it.
fn join_as_catch_up(
    case: &mut RoomCase<'_>,
    rollout: &Rollout,
    release: &Update,
    ring: &Ring,
    cause: CatchUp,
    ids: &mut dyn NewIds,
) {
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
        cause,
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
