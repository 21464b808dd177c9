//! What devices said becomes the deployment's state (W5, K1, `docs/devices.md` 2.12 and 2.13).

use crate::deployment::{Deployment, DeploymentState, Failure};
use crate::ids::UpdateId;
use crate::install::{Install, InstallState};
use crate::planner::rooms::RoomCase;
use crate::reason::Reason;
use crate::rollout::days;
use crate::room::Device;
use crate::time_text::Moment;
use crate::update::{Applicability, Update};

/// Started devices that fell silent, and devices whose inventory confirms the install or has not done so in time.
pub(super) fn settle_installs(case: &mut RoomCase<'_>) {
    for index in 0..case.installs.len() {
        let install = &case.installs[index];
        let Some(update) = case.slice.updates.get(&install.update) else {
            continue;
        };
        let state = match install.state {
            InstallState::Started {
                heard_at,
                installed_chunks,
                ..
            } => {
                let silent = install
                    .silent_from(case.settings(), update.expected_minutes)
                    .is_some_and(|at| at <= case.now);
                silent.then_some(InstallState::Started {
                    heard_at,
                    silent_at: Some(case.now),
                    installed_chunks,
                })
            }
            InstallState::Installed { at, doubtful } => {
                let device = case.room.devices.iter().find(|device| device.id == install.device);
                if is_confirmed(update, device, doubtful) {
                    Some(InstallState::Completed { at: case.now })
                } else if case.now >= at + case.grace() {
                    Some(InstallState::Failed {
                        at: case.now,
                        failure: Failure::Unconfirmed,
                    })
                } else {
                    None
                }
            }
            InstallState::Planned
            | InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => None,
        };
        if let Some(state) = state {
            case.installs[index].state = state;
        }
    }
}

/// Completed means that the inventory says so. A device whose product reports no version is believed, unless in doubt.
fn is_confirmed(update: &Update, device: Option<&Device>, doubtful: bool) -> bool {
    let Some(device) = device else { return false };
    match device.component(&update.product) {
        Some(component) if component.version.is_some() => {
            matches!(update.applicability(device), Applicability::Current(_))
        }
        Some(_) | None => !doubtful,
    }
}

/// The deployment's state after what its installs say.
pub(super) fn conclude(case: &mut RoomCase<'_>) {
    for index in 0..case.deployments.len() {
        match case.deployments[index].state {
            DeploymentState::Prepared | DeploymentState::Started { .. } => conclude_open(case, index),
            // Forced in the moment between a device's start and this plan: it runs, so there is nothing to wait for.
            DeploymentState::Waiting if runs(case, index) => conclude_open(case, index),
            DeploymentState::Waiting
            | DeploymentState::Failed { .. }
            | DeploymentState::Completed { .. }
            | DeploymentState::Withdrawn { .. } => {}
        }
    }
    // Only now is it known which deployments of the room are still open.
    for index in 0..case.deployments.len() {
        if matches!(case.deployments[index].state, DeploymentState::Failed { .. }) {
            complete_late(case, index);
        }
    }
}

/// The reason of a room in which no device runs, but something has been installed and something is left: the next step of a way
/// (S8), or other devices (S7).
pub(super) fn partly_done(case: &RoomCase<'_>, index: usize) -> Reason {
    let deployment = &case.deployments[index];
    let of_attempt = |install: &&Install| install.deployment == deployment.id && install.attempt == deployment.attempt;
    let steps = case.installs.iter().filter(of_attempt).filter(|install| {
        matches!(install.state, InstallState::Completed { .. }) && install.update != deployment.update
    });
    match steps.max_by_key(|install| install.action) {
        Some(step) => {
            let (step, target) = (version(case, step.update), version(case, deployment.update));
            Reason::OnTheWay { step, target }
        }
        None => Reason::SomeDevicesDone,
    }
}

fn runs(case: &RoomCase<'_>, index: usize) -> bool {
    case.latest_installs(&case.deployments[index])
        .iter()
        .any(|install| install.is_running())
}

fn conclude_open(case: &mut RoomCase<'_>, index: usize) {
    let installs = case.latest_installs(&case.deployments[index]);
    let goes_on = |install: &&Install| install.is_running() || install.state == InstallState::Planned;
    if installs.iter().any(goes_on) {
        say_what_runs(case, index);
        return;
    }
    let failed = installs
        .iter()
        .find_map(|install| failure_of(install).map(|failure| (failure, reason_of(case, install, failure))));
    let all_completed = !installs.is_empty()
        && installs
            .iter()
            .all(|install| matches!(install.state, InstallState::Completed { .. }));
    let update = case.deployments[index].update;
    let is_step = installs.iter().any(|install| install.update != update);
    // Of a release that was recalled as a step, another way is looked for (S8, S10).
    let canceled = installs
        .iter()
        .filter(|install| matches!(install.state, InstallState::Canceled { .. }) && install.update == update)
        .find_map(|install| install.cancel_wanted.clone());
    let gives_up = super::lapse::reason_to_give_up(case, index).is_some();
    if let Some((failure, reason)) = failed {
        case.fail(index, failure, reason);
    } else if let (Some(why), false) = (canceled, gives_up) {
        case.fail(index, Failure::Canceled, Reason::Stopped { why });
    } else if is_step && all_completed && !gives_up {
        // One step of the way is done; the next one follows in what is left of the window, or in the next (S8).
        let reason = partly_done(case, index);
        let deployment = &mut case.deployments[index];
        deployment.state = DeploymentState::Waiting;
        deployment.reason = reason;
    } else if all_completed && !is_step && has_devices_left(case, index) && !gives_up {
        // A silent one was left out. It misses window after window; the others have what they came for.
        let next = case.next_window(case.deployments[index].night.date() + days(1));
        let reason = partly_done(case, index);
        let deployment = &mut case.deployments[index];
        deployment.state = DeploymentState::Waiting;
        deployment.night.move_to(next.night);
        deployment.reason = reason;
    } else if all_completed && !is_step {
        let reason = confirmed(case, index);
        case.complete(index, reason);
    } else {
        super::lapse::back_to_waiting(case, index);
    }
}

/// Some device of the deployment runs or has still to start: the state says since when the room is at it, the reason what it does.
fn say_what_runs(case: &mut RoomCase<'_>, index: usize) {
    let Some(at) = case.started_at(&case.deployments[index]) else {
        return;
    };
    let installs = case.latest_installs(&case.deployments[index]);
    let waits_for_inventory = installs
        .iter()
        .any(|install| matches!(install.state, InstallState::Installed { .. }));
    let running = installs.iter().find(|install| install.is_running());
    let step = running.map(|install| version(case, install.update));
    let reason = if waits_for_inventory {
        Reason::Unreported {
            version: step.unwrap_or_default(),
        }
    } else if let Some(step) = step {
        let target = version(case, case.deployments[index].update);
        let target = (step != target).then_some(target);
        Reason::Installing { version: step, target }
    } else {
        partly_done(case, index)
    };
    let deployment = &mut case.deployments[index];
    deployment.state = DeploymentState::Started { at };
    deployment.reason = reason;
}

fn has_devices_left(case: &RoomCase<'_>, index: usize) -> bool {
    let deployment = &case.deployments[index];
    let update = case.update(deployment);
    update.is_some_and(|update| super::open::devices_left(case, deployment, update).next().is_some())
}

fn version(case: &RoomCase<'_>, update: UpdateId) -> String {
    case.slice
        .updates
        .get(&update)
        .map_or_else(String::new, |update| update.version.clone())
}

/// A late report of a silent device heals the room (W5), and so does an inventory that shows the version after all.
fn complete_late(case: &mut RoomCase<'_>, index: usize) {
    let deployment = &case.deployments[index];
    let installs = case.latest_installs(deployment);
    let running = installs.iter().any(|install| install.is_running());
    let started_at = case.started_at(deployment);
    let late_failure = installs.iter().find(|install| {
        matches!(
            install.state,
            InstallState::Failed {
                failure: Failure::Reported,
                ..
            }
        )
    });
    let was_silent = matches!(
        deployment.state,
        DeploymentState::Failed {
            failure: Failure::Silent,
            ..
        }
    );
    // While it was silent the room's next update may have begun on another device. One at a time (law D): then it stays failed
    // until its device has closed.
    let room_is_free = !case.deployments.iter().any(Deployment::is_open);
    if running && room_is_free {
        // It reports again after it was silent; the state says since when it runs, the reason what it does.
        case.deployments[index].state = DeploymentState::opened(started_at);
        conclude_open(case, index);
    } else if is_current(case, index) {
        let reason = confirmed(case, index);
        case.complete(index, reason);
    } else if let (true, Some(install)) = (was_silent, late_failure) {
        let reason = reason_of(case, install, Failure::Reported);
        case.fail(index, Failure::Reported, reason);
    }
}

/// Whether every device that has the product has the update's version or a newer one, and at least one has.
pub(super) fn is_current(case: &RoomCase<'_>, index: usize) -> bool {
    let Some(update) = case.update(&case.deployments[index]) else {
        return false;
    };
    let mut current = 0;
    for device in &case.room.devices {
        match update.applicability(device) {
            Applicability::NoComponent => {}
            Applicability::Current(_) => current += 1,
            Applicability::Applicable | Applicability::Unordered(_) | Applicability::UnknownVersion => return false,
        }
    }
    current > 0
}

pub(super) fn confirmed(case: &RoomCase<'_>, index: usize) -> Reason {
    let at = Moment::new(case.now, &case.room.zone, case.now);
    let version = version(case, case.deployments[index].update);
    let Some(update) = case.update(&case.deployments[index]) else {
        return Reason::Confirmed { version, at };
    };
    let on_it = |newer: &&Update| {
        let installed = |device: &Device| {
            let component = device.component(&newer.product);
            component.is_some_and(|component| component.version.as_ref() == Some(&newer.version))
        };
        newer.product == update.product && newer.is_above(&update.version) && case.room.devices.iter().any(installed)
    };
    match case.releases().find(on_it) {
        // Another update brought it: this one was never confirmed.
        Some(newer) => Reason::OnNewer {
            newer: newer.version.clone(),
            version,
            at,
        },
        None => Reason::Confirmed { version, at },
    }
}

fn failure_of(install: &Install) -> Option<Failure> {
    match install.state {
        InstallState::Failed { failure, .. } => Some(failure),
        InstallState::Started { silent_at: Some(_), .. } => Some(Failure::Silent),
        InstallState::Started { silent_at: None, .. }
        | InstallState::Planned
        | InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Withdrawn { .. }
        | InstallState::Canceled { .. } => None,
    }
}

fn reason_of(case: &RoomCase<'_>, install: &Install, failure: Failure) -> Reason {
    let settings = case.settings();
    match failure {
        Failure::Reported => Reason::DeviceReported {
            detail: first_line(&install.detail).to_owned(),
        },
        Failure::Silent => {
            let heard = match install.state {
                InstallState::Started { heard_at, .. } => heard_at,
                InstallState::Planned
                | InstallState::Installed { .. }
                | InstallState::Completed { .. }
                | InstallState::Failed { .. }
                | InstallState::Withdrawn { .. }
                | InstallState::Canceled { .. } => case.now,
            };
            let since = Moment::new(heard, &case.room.zone, case.now);
            Reason::Silent { since }
        }
        Failure::Unconfirmed => Reason::Unconfirmed {
            version: version(case, install.update),
            hours: settings.confirm_within_hours,
        },
        // These three are the room's and not a device's: their reasons are made where they are found.
        Failure::Canceled | Failure::NoPath | Failure::Unreachable => Reason::Unreachable {
            windows: settings.unreachable_after_windows,
            last: None,
        },
    }
}

fn first_line(detail: &str) -> &str {
    detail
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}
