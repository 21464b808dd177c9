//! Windows that closed before the start (W4), and rollouts that were deprecated under a room (T8).

use crate::deployment::{DeploymentState, Failure, Withdrawal};
use crate::install::InstallState;
use crate::planner::rooms::Look;
use crate::rollout::{RolloutState, days};

/// Takes planned installs back whose window has closed, and everything unstarted of a deprecated rollout. What is unstarted of
/// a paused one goes back to waiting, so that it keeps no other update from tonight's window.
pub(super) fn withdraw_installs(look: &mut Look<'_>) {
    for index in 0..look.deployments.len() {
        let deployment = &look.deployments[index];
        if !deployment.is_unfinished() {
            continue;
        }
        let (id, deprecated, paused) = (
            deployment.id,
            look.is_deprecated(deployment),
            look.is_paused(deployment),
        );
        for install in look.installs.iter_mut().filter(|install| install.deployment == id) {
            let window_closed = install.window.is_some_and(|(_, closes)| closes <= look.now);
            if install.state == InstallState::Planned && (window_closed || deprecated || paused) {
                install.state = InstallState::Withdrawn { at: look.now };
            }
        }
        // A device may have started a moment ago: its install knows, the deployment has not heard of it yet.
        let runs = look
            .installs
            .iter()
            .any(|install| install.deployment == id && install.is_running());
        if deprecated && !runs && !look.deployments[index].has_started() {
            let reason = match look.rollout(&look.deployments[index]).map(|rollout| &rollout.state) {
                Some(RolloutState::Deprecated { reason, .. }) => reason.clone(),
                Some(RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. }) | None => {
                    String::new()
                }
            };
            let deployment = &mut look.deployments[index];
            deployment.state = DeploymentState::Withdrawn {
                at: look.now,
                why: Withdrawal::Deprecated,
            };
            deployment.reason = reason;
        } else {
            count_missed_force(look, index);
        }
    }
}

/// A forced deployment has no window to miss; whether its device ever shows up is counted by the room's windows all the same.
fn count_missed_force(look: &mut Look<'_>, index: usize) {
    let deployment = &look.deployments[index];
    if deployment.force.is_none() || !deployment.is_open() || look.is_paused(deployment) {
        return;
    }
    let nobody_came = look
        .latest_installs(deployment)
        .iter()
        .all(|install| install.state == InstallState::Planned && install.shown_up_at.is_none());
    let next = look.next_window(deployment.night);
    if !nobody_came || next.night == deployment.night {
        return;
    }
    let missed = deployment.missed_windows + 1;
    let last = deployment.night;
    look.deployments[index].missed_windows = missed;
    look.deployments[index].night = next.night;
    if missed >= look.settings().unreachable_after_windows {
        let id = look.deployments[index].id;
        for install in look
            .installs
            .iter_mut()
            .filter(|install| install.deployment == id && install.state == InstallState::Planned)
        {
            install.state = InstallState::Withdrawn { at: look.now };
        }
        fail_unreachable(look, index, last);
    }
}

/// No device of the deployment runs, none has failed, and not all are done: what is left waits for another window.
pub(super) fn back_to_waiting(look: &mut Look<'_>, index: usize) {
    let deployment = &look.deployments[index];
    let night = deployment.night;
    let installs = look.latest_installs(deployment);
    let nobody_came = installs
        .iter()
        .any(|install| matches!(install.state, InstallState::Withdrawn { .. }) && install.shown_up_at.is_none());
    let (paused, deprecated) = (look.is_paused(deployment), look.is_deprecated(deployment));
    if deprecated {
        // Some device of the room has it, another was never reached and never will be.
        let sentence = super::settle::confirmed(look, index);
        look.complete(index, sentence);
        return;
    }
    let date = look.write_date(night);
    if paused {
        let had_started = look.deployments[index].has_started();
        let deployment = &mut look.deployments[index];
        deployment.state = DeploymentState::Waiting;
        if had_started {
            deployment.reason = "Paused before all devices of the room had started.".to_owned();
        }
        return;
    }
    if nobody_came {
        look.deployments[index].missed_windows += 1;
        if look.deployments[index].missed_windows >= look.settings().unreachable_after_windows {
            fail_unreachable(look, index, night);
            return;
        }
    }
    let next = look.next_window(night + days(1));
    let deployment = &mut look.deployments[index];
    deployment.state = DeploymentState::Waiting;
    deployment.night = next.night;
    deployment.reason = if nobody_came {
        format!("No contact in the window of {date}; waits for the next one.")
    } else {
        format!("In contact on {date}, but did not start; waits for the next window.")
    };
}

fn fail_unreachable(look: &mut Look<'_>, index: usize, last: chrono::NaiveDate) {
    let windows = look.settings().unreachable_after_windows;
    let date = look.write_date(last);
    look.fail(
        index,
        Failure::Unreachable,
        format!("Unreachable: no contact in {windows} windows, the last one on {date}."),
    );
}
