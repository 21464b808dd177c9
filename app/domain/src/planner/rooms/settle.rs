//! What devices said becomes the deployment's state (W5, K1, `DDI.md` 2.12 and 2.13).

use crate::deployment::{Deployment, DeploymentState, Failure};
use crate::install::{Install, InstallState};
use crate::planner::rooms::Look;
use crate::room::Device;
use crate::update::{Applicability, Update};

/// Started devices that fell silent, and devices whose inventory confirms the install or has not done so in time.
pub(super) fn hear_devices(look: &mut Look<'_>) {
    for index in 0..look.installs.len() {
        let install = &look.installs[index];
        let Some(update) = look.slice.updates.get(&install.update) else {
            continue;
        };
        let state = match install.state {
            InstallState::Started {
                heard_at,
                installed_chunks,
                ..
            } => {
                let silent = install
                    .silent_from(look.settings(), update.expected_minutes)
                    .is_some_and(|at| at <= look.now);
                silent.then_some(InstallState::Started {
                    heard_at,
                    silent_at: Some(look.now),
                    installed_chunks,
                })
            }
            InstallState::Installed { at, doubtful } => {
                let device = look.room.devices.iter().find(|device| device.id == install.device);
                if is_confirmed(update, device, doubtful) {
                    Some(InstallState::Completed { at: look.now })
                } else if look.now >= at + look.grace() {
                    Some(InstallState::Failed {
                        at: look.now,
                        failure: Failure::Unconfirmed,
                    })
                } else {
                    None
                }
            }
            InstallState::Planned
            | InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. } => None,
        };
        if let Some(state) = state {
            look.installs[index].state = state;
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
pub(super) fn conclude(look: &mut Look<'_>) {
    for index in 0..look.deployments.len() {
        match look.deployments[index].state {
            DeploymentState::Open { .. } => conclude_open(look, index),
            // Forced in the moment between a device's start and this look: it runs, so there is nothing to wait for.
            DeploymentState::Waiting if runs(look, index) => conclude_open(look, index),
            DeploymentState::Waiting
            | DeploymentState::Failed { .. }
            | DeploymentState::Completed { .. }
            | DeploymentState::Withdrawn { .. } => {}
        }
    }
    // Only now is it known which deployments of the room are still open.
    for index in 0..look.deployments.len() {
        if matches!(look.deployments[index].state, DeploymentState::Failed { .. }) {
            heal(look, index);
        }
    }
}

/// The reason of a room in which no device runs, some have ended and others have their window ahead.
pub(super) const PARTLY_DONE: &str = "Some devices of the room are done; the others have yet to start.";

fn runs(look: &Look<'_>, index: usize) -> bool {
    look.latest_installs(&look.deployments[index])
        .iter()
        .any(|install| install.is_running())
}

fn conclude_open(look: &mut Look<'_>, index: usize) {
    let installs = look.latest_installs(&look.deployments[index]);
    let started_at = installs.iter().filter_map(|install| install.started_at).min();
    if installs
        .iter()
        .any(|install| install.is_running() || install.state == InstallState::Planned)
    {
        let waits_for_inventory = installs
            .iter()
            .any(|install| matches!(install.state, InstallState::Installed { .. }));
        let runs = installs.iter().any(|install| install.is_running());
        let deployment = &mut look.deployments[index];
        if started_at.is_some() {
            deployment.state = DeploymentState::Open { started_at };
            let version = look
                .slice
                .updates
                .get(&deployment.update)
                .map_or("", |update| &update.version);
            deployment.reason = if waits_for_inventory {
                format!("Installed; the device has yet to report {version}.")
            } else if runs {
                format!("Installing {version}.")
            } else {
                PARTLY_DONE.to_owned()
            };
        }
        return;
    }
    let failed = installs
        .iter()
        .find_map(|install| failure_of(install).map(|failure| (failure, sentence(look, install, failure))));
    let all_completed = !installs.is_empty()
        && installs
            .iter()
            .all(|install| matches!(install.state, InstallState::Completed { .. }));
    if let Some((failure, sentence)) = failed {
        look.fail(index, failure, sentence);
    } else if all_completed {
        let sentence = confirmed(look, index);
        look.complete(index, sentence);
    } else {
        super::lapse::back_to_waiting(look, index);
    }
}

/// A late report of a silent device heals the room (W5), and so does an inventory that shows the version after all.
fn heal(look: &mut Look<'_>, index: usize) {
    let deployment = &look.deployments[index];
    let installs = look.latest_installs(deployment);
    let running = installs.iter().any(|install| install.is_running());
    let started_at = installs.iter().filter_map(|install| install.started_at).min();
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
    let room_is_free = !look.deployments.iter().any(Deployment::is_open);
    if running && room_is_free {
        // It reports again after it was silent; the state says since when it runs, the reason what it does.
        look.deployments[index].state = DeploymentState::Open { started_at };
        conclude_open(look, index);
    } else if is_current(look, index) {
        let sentence = confirmed(look, index);
        look.complete(index, sentence);
    } else if let (true, Some(install)) = (was_silent, late_failure) {
        let sentence = sentence(look, install, Failure::Reported);
        look.fail(index, Failure::Reported, sentence);
    }
}

/// Whether every device that has the product has the update's version or a newer one, and at least one has.
pub(super) fn is_current(look: &Look<'_>, index: usize) -> bool {
    let Some(update) = look.update(&look.deployments[index]) else {
        return false;
    };
    let mut current = 0;
    for device in &look.room.devices {
        match update.applicability(device) {
            Applicability::NoComponent => {}
            Applicability::Current(_) => current += 1,
            Applicability::Applicable
            | Applicability::Unordered(_)
            | Applicability::UnknownVersion
            | Applicability::NeedsFirst(_) => return false,
        }
    }
    current > 0
}

pub(super) fn confirmed(look: &Look<'_>, index: usize) -> String {
    let version = look
        .update(&look.deployments[index])
        .map_or("", |update| &update.version);
    format!(
        "Confirmed {version} on {}.",
        crate::when::instant(look.now, &look.room.zone, look.now)
    )
}

fn failure_of(install: &Install) -> Option<Failure> {
    match install.state {
        InstallState::Failed { failure, .. } => Some(failure),
        InstallState::Started { silent_at: Some(_), .. } => Some(Failure::Silent),
        InstallState::Started { silent_at: None, .. }
        | InstallState::Planned
        | InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Withdrawn { .. } => None,
    }
}

fn sentence(look: &Look<'_>, install: &Install, failure: Failure) -> String {
    let settings = look.settings();
    let version = look
        .slice
        .updates
        .get(&install.update)
        .map_or("", |update| &update.version);
    match failure {
        Failure::Reported if install.detail.is_empty() => "The device reported a failure without a reason.".to_owned(),
        Failure::Reported => format!("The device reported: {}", first_line(&install.detail)),
        Failure::Silent => {
            let heard = match install.state {
                InstallState::Started { heard_at, .. } => heard_at,
                InstallState::Planned
                | InstallState::Installed { .. }
                | InstallState::Completed { .. }
                | InstallState::Failed { .. }
                | InstallState::Withdrawn { .. } => look.now,
            };
            format!(
                "Silent: no report since {}.",
                crate::when::instant(heard, &look.room.zone, look.now)
            )
        }
        Failure::Unconfirmed => {
            format!(
                "Unconfirmed: the device said it was done, but did not report {version} within {} hours.",
                settings.confirm_within_hours
            )
        }
        Failure::Unreachable => format!(
            "Unreachable: no contact in {} windows.",
            settings.unreachable_after_windows
        ),
    }
}

fn first_line(detail: &str) -> &str {
    detail
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}
