//! Windows that closed before the start (W4), and rollouts that were deprecated or superseded under a room (T8, S9).

use crate::deployment::{DeploymentState, Failure, Withdrawal};
use crate::install::{Install, InstallState};
use crate::planner::rooms::RoomCase;
use crate::reason::{Frozen, Reason};
use crate::rollout::{RolloutState, days};

/// Takes planned installs back whose window has closed, and everything unstarted of a deprecated rollout. What is unstarted of
/// a paused one goes back to waiting, so that it keeps no other update from tonight's window.
pub(super) fn withdraw_installs(case: &mut RoomCase<'_>) {
    for index in 0..case.deployments.len() {
        let deployment = &case.deployments[index];
        if !deployment.is_unfinished() {
            continue;
        }
        let (id, paused) = (deployment.id, case.is_paused(deployment));
        let over = reason_to_give_up(case, index);
        let frozen_night = case.freeze_on(deployment.night.date()).is_some();
        let window_today = case.window_of(deployment);
        let (is_forced, next_freeze) = (deployment.is_forced(), case.next_freeze());
        let is_frozen = case.freeze_on(case.today()).is_some();
        for install in case.installs.iter_mut().filter(|install| install.deployment == id) {
            let window_closed = install.window.is_some_and(|window| window.has_closed(case.now));
            // Prepared for hours, or in a zone, that are others now: the night stays, and is prepared anew.
            let window_moved = !is_forced && install.window != window_today;
            // A freeze that was made, or changed, when the room was prepared already. What is forced may start up to the next one.
            let frozen = if is_forced {
                is_frozen || install.window.map(|window| window.closes()) != next_freeze
            } else {
                frozen_night
            };
            // A step that was recalled, or lost its file: another way is looked for (S8, S10).
            let no_step = case
                .slice
                .updates
                .get(&install.update)
                .is_some_and(|step| install.update != case.deployments[index].update && !step.offerable);
            let is_void = window_closed || window_moved || over.is_some() || paused || frozen || no_step;
            if install.state == InstallState::Planned && is_void {
                install.state = InstallState::Withdrawn { at: case.now };
            }
        }
        // A device may have started a moment ago: its install knows, the deployment has not heard of it yet.
        let runs = case
            .installs
            .iter()
            .any(|install| install.deployment == id && install.is_running());
        match over {
            Some(reason) if !runs && !case.deployments[index].has_started() => {
                super::join::withdraw(case, index, Withdrawal::Deprecated, reason);
            }
            Some(_) | None => count_missed_force(case, index),
        }
    }
}

/// Why nothing more of this deployment's update starts in the room: it is deprecated, or a newer one has come to its ring.
pub(super) fn reason_to_give_up(case: &RoomCase<'_>, index: usize) -> Option<Reason> {
    let deployment = &case.deployments[index];
    if let Some(RolloutState::Deprecated { reason, .. }) = case.rollout(deployment).map(|rollout| &rollout.state) {
        return Some(reason.clone());
    }
    let newer = case.superseding_update(deployment)?;
    Some(Reason::Superseded { by: newer.title() })
}

/// A forced deployment has no window to miss; whether its device ever shows up is counted by the room's windows all the same.
fn count_missed_force(case: &mut RoomCase<'_>, index: usize) {
    let deployment = &case.deployments[index];
    if !deployment.is_forced() || !deployment.is_open() || case.is_paused(deployment) {
        return;
    }
    let last = deployment.night.date();
    let next = case.next_window(last);
    if next.night == last {
        return;
    }
    let installs = case.latest_installs(deployment);
    let is_away = |install: &Install| install.state == InstallState::Planned && install.shown_up_at.is_none();
    let somebody_is_away = installs.iter().any(|install| is_away(install));
    if installs.iter().any(|install| install.is_running()) {
        return;
    }
    let id = deployment.id;
    case.deployments[index].night.move_to(next.night);
    // Each window counts by itself: a device that came once and never again is away.
    for install in case.installs.iter_mut().filter(|install| install.deployment == id) {
        if install.state == InstallState::Planned {
            install.shown_up_at = None;
        }
    }
    if !somebody_is_away {
        return;
    }
    let missed = case.deployments[index].missed_windows + 1;
    case.deployments[index].missed_windows = missed;
    if missed >= case.settings().unreachable_after_windows {
        for install in case
            .installs
            .iter_mut()
            .filter(|install| install.deployment == id && install.state == InstallState::Planned)
        {
            install.state = InstallState::Withdrawn { at: case.now };
        }
        fail_unreachable(case, index, last);
    }
}

/// No device of the deployment runs, none has failed, and not all are done: what is left waits for another window.
pub(super) fn back_to_waiting(case: &mut RoomCase<'_>, index: usize) {
    if let Some(reason) = reason_to_give_up(case, index) {
        give_up(case, index, reason);
        return;
    }
    let deployment = &case.deployments[index];
    let (night, is_forced) = (deployment.night.date(), deployment.is_forced());
    let had_started = deployment.has_started();
    if case.is_paused(deployment) {
        let deployment = &mut case.deployments[index];
        deployment.state = DeploymentState::Waiting;
        if had_started {
            deployment.reason = Reason::PausedHalfway;
        }
        return;
    }
    if let Some(version) = recalled_step(case, index) {
        let deployment = &mut case.deployments[index];
        deployment.state = DeploymentState::Waiting;
        deployment.reason = Reason::StepRecalled { version };
        return;
    }
    let relevant = if is_forced { case.today() } else { night };
    if let Some(frozen) = case.freeze_on(relevant).map(|freeze| Frozen::by(freeze, case.today())) {
        let next = case.next_window(night);
        let deployment = &mut case.deployments[index];
        deployment.state = DeploymentState::Waiting;
        deployment.night.move_to(if is_forced { night } else { next.night });
        deployment.reason = Reason::ForcedAndFrozen(frozen);
        return;
    }
    let installs = case.latest_installs(&case.deployments[index]);
    let is_withdrawn = |install: &&Install| matches!(install.state, InstallState::Withdrawn { .. });
    let taken_back = installs.iter().any(is_withdrawn) && !installs.iter().any(|install| install.missed_its_window());
    let nobody_came = installs
        .iter()
        .any(|install| install.missed_its_window() && install.shown_up_at.is_none());
    if is_forced || taken_back {
        // What was taken back before its window was over has missed nothing (W4): its night stays.
        case.deployments[index].state = DeploymentState::Waiting;
        if had_started && taken_back {
            case.deployments[index].reason = super::settle::partly_done(case, index);
        }
        return;
    }
    to_next_window(case, index, nobody_came);
}

/// Nothing more of the update starts in the room.
fn give_up(case: &mut RoomCase<'_>, index: usize, reason: Reason) {
    let deployment = &case.deployments[index];
    let some_are_done = case
        .latest_installs(deployment)
        .iter()
        .any(|install| matches!(install.state, InstallState::Completed { .. }) && install.update == deployment.update);
    if some_are_done {
        // Some device of the room has it, another was never reached and never will be.
        case.complete(index, Reason::PartlyInstalled(Box::new(reason)));
    } else {
        super::join::withdraw(case, index, Withdrawal::Deprecated, reason);
    }
}

/// The version of a release that is a step and was recalled under the deployment (S8, S10): another way is looked for, in the same night
/// if it fits.
fn recalled_step(case: &RoomCase<'_>, index: usize) -> Option<String> {
    let deployment = &case.deployments[index];
    let mut steps = case.latest_installs(deployment).into_iter().filter_map(|install| {
        let is_void = matches!(
            install.state,
            InstallState::Withdrawn { .. } | InstallState::Canceled { .. }
        );
        let step = case.slice.updates.get(&install.update)?;
        (is_void && install.update != deployment.update && !step.offerable).then_some(step)
    });
    steps.next().map(|step| step.version.clone())
}

/// The window is over: the next one follows, or the room is unreachable (W4). `nobody_came`: some device never showed up in it.
fn to_next_window(case: &mut RoomCase<'_>, index: usize, nobody_came: bool) {
    let night = case.deployments[index].night.date();
    let day = case.day(night);
    if nobody_came {
        case.deployments[index].missed_windows += 1;
        if case.deployments[index].missed_windows >= case.settings().unreachable_after_windows {
            fail_unreachable(case, index, night);
            return;
        }
    }
    let next = case.next_window(night + days(1));
    let deployment = &mut case.deployments[index];
    deployment.state = DeploymentState::Waiting;
    deployment.night.move_to(next.night);
    deployment.reason = if nobody_came {
        Reason::NoContact { night: day }
    } else {
        Reason::NotStarted { night: day }
    };
    if !nobody_came {
        super::open::count_crowded(case, index);
    }
}

pub(super) fn fail_unreachable(case: &mut RoomCase<'_>, index: usize, last: chrono::NaiveDate) {
    let windows = case.settings().unreachable_after_windows;
    let last = Some(case.day(last));
    case.fail(index, Failure::Unreachable, Reason::Unreachable { windows, last });
}
