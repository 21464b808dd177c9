//! Opening what is next in a room: one update at a time (S7), inside its window (W1) or by force (K5).

use std::cmp::Reverse;

use chrono::TimeDelta;

use crate::deployment::{Deployment, DeploymentState, Withdrawal};
use crate::ids::DeviceId;
use crate::install::InstallState;
use crate::planner::changes::NewInstall;
use crate::planner::rooms::{Look, prepares_at};
use crate::status::NotRequired;
use crate::update::{Exclusion, Severity, Update};
use crate::window::Window;

pub(super) fn open_next(look: &mut Look<'_>) {
    make_forced_wait_no_more(look);
    move_past_windows_on(look);
    let open_one = look.deployments.iter().position(Deployment::is_open);
    if open_one.is_some_and(|index| !is_prepared_only(look, index)) {
        return;
    }
    let mut in_line: Vec<usize> = (0..look.deployments.len())
        .filter(|index| may_open(look, &look.deployments[*index]))
        .collect();
    in_line.sort_by_key(|index| order(look, &look.deployments[*index]));
    if let Some(prepared) = open_one {
        // Prepared an hour ago, and now something more urgent is due: what has not started gives way (S7).
        let goes_first =
            |index: &usize| order(look, &look.deployments[*index]) < order(look, &look.deployments[prepared]);
        in_line.retain(goes_first);
        if in_line.iter().all(|index| must_not_have(look, *index)) {
            return;
        }
        super::join::withdraw_planned(look, prepared);
        look.deployments[prepared].state = DeploymentState::Waiting;
    }
    for index in in_line {
        if open(look, index) {
            return;
        }
    }
}

/// Whether the open deployment's devices have all yet to start, on their first try tonight.
fn is_prepared_only(look: &Look<'_>, index: usize) -> bool {
    let deployment = &look.deployments[index];
    let all_planned = look
        .latest_installs(deployment)
        .iter()
        .all(|install| install.state == InstallState::Planned);
    deployment.state == DeploymentState::Open { started_at: None } && all_planned
}

fn must_not_have(look: &Look<'_>, index: usize) -> bool {
    look.update(&look.deployments[index])
        .is_none_or(|update| update.exclusion(look.room, look.today()).is_some())
}

/// A force that came while the same update was open for tonight: its installs are made anew, without a window.
fn make_forced_wait_no_more(look: &mut Look<'_>) {
    for index in 0..look.deployments.len() {
        let deployment = &look.deployments[index];
        if deployment.force.is_none() || deployment.state != DeploymentState::Waiting {
            continue;
        }
        let id = deployment.id;
        for install in look.installs.iter_mut().filter(|install| install.deployment == id) {
            if install.state == InstallState::Planned {
                install.state = InstallState::Withdrawn { at: look.now };
            }
        }
    }
}

/// A waiting room whose window has passed goes to the next one: another update had it, or the service was away.
fn move_past_windows_on(look: &mut Look<'_>) {
    for index in 0..look.deployments.len() {
        let deployment = &look.deployments[index];
        let waits = deployment.state == DeploymentState::Waiting && deployment.force.is_none();
        if !waits
            || look
                .rollout(deployment)
                .is_none_or(|rollout| !rollout.may_start_rooms())
        {
            continue;
        }
        let next = look.next_window(deployment.night);
        if next.night != deployment.night {
            let date = look.write_date(deployment.night);
            let deployment = &mut look.deployments[index];
            deployment.night = next.night;
            deployment.reason = format!("The window of {date} passed without a start; waits for the next one.");
        }
    }
}

fn may_open(look: &Look<'_>, deployment: &Deployment) -> bool {
    if deployment.state != DeploymentState::Waiting {
        return false;
    }
    let (Some(rollout), Some(update)) = (look.rollout(deployment), look.update(deployment)) else {
        return false;
    };
    let being_filled = rollout.stages.last().is_some_and(|stage| stage.placed < stage.rooms);
    if !rollout.may_start_rooms() || (being_filled && deployment.force.is_none()) {
        return false;
    }
    // A planned install is in nobody's way: it is taken back when its deployment gives way.
    let is_busy = |device: DeviceId| {
        look.installs
            .iter()
            .any(|install| install.device == device && install.is_open() && install.state != InstallState::Planned)
    };
    let devices_are_free = update.devices_in(look.room).all(|device| !is_busy(device.id));
    devices_are_free && (deployment.force.is_some() || fits(look, update, &look.next_window(deployment.night)))
}

/// Whether the window is open, or about to, and the expected minutes still fit into what is left of it (S7).
fn fits(look: &Look<'_>, update: &Update, window: &Window) -> bool {
    let left = window.closes - look.now.max(window.opens);
    prepares_at(look.settings(), window) <= look.now && left >= TimeDelta::minutes(update.expected_minutes.into())
}

/// Forced ones first; then critical, then by kind, then the oldest release (S7).
fn order(look: &Look<'_>, deployment: &Deployment) -> impl Ord + use<> {
    let update = look.update(deployment);
    (
        Reverse(deployment.force.is_some()),
        update.map_or(Severity::Routine, |update| update.severity),
        update.map(|update| update.kind),
        update.and_then(|update| update.released),
        deployment.update,
    )
}

/// Makes the installs; `false`: the room does not need it any more, or must not have it.
fn open(look: &mut Look<'_>, index: usize) -> bool {
    let deployment = &look.deployments[index];
    let Some(update) = look.update(deployment) else {
        return false;
    };
    if let Some(exclusion) = update.exclusion(look.room, look.today()) {
        let was_tried = deployment.attempt > 1 || super::join::was_partly_done(look, deployment);
        let sentence =
            NotRequired::Excluded(exclusion.clone()).sentence(&update.product_name, |date| look.write_date(date));
        if was_tried && matches!(exclusion, Exclusion::AlreadyOn { .. }) {
            look.complete(index, sentence);
        } else {
            super::join::withdraw(look, index, Withdrawal::NotRequired, sentence);
        }
        return false;
    }
    let window = match deployment.force {
        Some(_) => None,
        None => {
            let window = look.next_window(deployment.night);
            Some((window.opens, window.closes))
        }
    };
    let new = update.devices_in(look.room).map(|device| NewInstall {
        deployment: deployment.id,
        update: update.id,
        device: device.id,
        attempt: deployment.attempt,
        window,
    });
    let new: Vec<NewInstall> = new.collect();
    look.new_installs.extend(new);
    if look.deployments[index].force.is_some() {
        // From here on it is the night whose window the device would miss by not showing up (W4).
        look.deployments[index].night = look.next_window(look.deployments[index].night).night;
    }
    let started_at = look
        .latest_installs(&look.deployments[index])
        .iter()
        .filter_map(|install| install.started_at)
        .min();
    look.deployments[index].state = DeploymentState::Open { started_at };
    if started_at.is_some() {
        look.deployments[index].reason = super::settle::PARTLY_DONE.to_owned();
    }
    true
}
