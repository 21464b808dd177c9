//! What devices said becomes the deployment's state (W5, K1, `docs/devices.md` 2.12 and 2.13).

use super::case::RoomCase;
use super::{lapse, reasons};
use crate::deployment::{DeploymentState, Failure};
use crate::device_refusal::DeviceRefusal;
use crate::ids::{ActionId, UpdateId};
use crate::install::{Install, InstallState};
use crate::reason::Reason;
use crate::room::{Device, VersionSource};
use crate::update::{Applicability, Update};

/// Started devices that fell silent, and devices whose inventory confirms the install or has not done so in time.
pub(super) fn settle_installs(case: &mut RoomCase<'_>) {
    let installs = case.installs().iter();
    let settled = installs.filter_map(|install| Some((install.action, settled_state(case, install)?)));
    let settled: Vec<(ActionId, InstallState)> = settled.collect();
    for (action, state) in settled {
        if let InstallState::Completed { .. } = state {
            believe_if_unreported(case, action);
        }
        case.settle_install(action, state);
    }
}

/// Of a device that does not say what it has, the version is set: nobody else will.
fn believe_if_unreported(case: &mut RoomCase<'_>, action: ActionId) {
    let Some(install) = case.installs().iter().find(|install| install.action == action) else {
        return;
    };
    let (device, update) = (install.device, install.update);
    let known = case.room().devices.iter().find(|known| known.id == device);
    let release = case.release(update);
    if let (Some(known), Some(release)) = (known, release)
        && !reports_version(release, known)
    {
        case.believe(device, update);
    }
}

/// `None`: the install stands as before.
fn settled_state(case: &RoomCase<'_>, install: &Install) -> Option<InstallState> {
    let release = case.release(install.update)?;
    match install.state {
        InstallState::Started {
            heard_at,
            installed_chunks,
            objects,
            ..
        } => {
            let silent_from = install.silent_from(case.settings(), release.expected_minutes)?;
            (silent_from <= case.now()).then_some(InstallState::Started {
                heard_at,
                silent_at: Some(case.now()),
                installed_chunks,
                objects,
            })
        }
        InstallState::Installed { at, doubtful } => {
            let device = case.room().devices.iter().find(|device| device.id == install.device);
            if is_confirmed(release, device, doubtful) {
                Some(InstallState::Completed { at: case.now() })
            } else if case.now() >= case.unconfirmed_from(at) {
                Some(InstallState::Failed {
                    at: case.now(),
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
    }
}

/// Completed means that the inventory says so. A device that has reported no version of the product is believed, unless in doubt.
fn is_confirmed(update: &Update, device: Option<&Device>, doubtful: bool) -> bool {
    let Some(device) = device else { return false };
    if reports_version(update, device) {
        matches!(update.applicability(device), Applicability::Current(_))
    } else {
        !doubtful
    }
}

/// Whether the device itself has named its version of the release's product. What a file says confirms nothing.
fn reports_version(update: &Update, device: &Device) -> bool {
    let component = device.component(&update.product);
    component.is_some_and(|component| component.version.is_some() && component.source == VersionSource::Reported)
}

/// The deployment's state after what its installs say.
pub(super) fn conclude(case: &mut RoomCase<'_>) {
    for update in case.updates() {
        let Some(deployment) = case.deployment(update) else {
            continue;
        };
        match deployment.state {
            DeploymentState::Prepared | DeploymentState::Started { .. } => conclude_open(case, update),
            // Forced in the moment between a device's start and this plan: it runs, so there is nothing to wait for.
            DeploymentState::Waiting if runs(case, update) => conclude_open(case, update),
            DeploymentState::Waiting
            | DeploymentState::Failed { .. }
            | DeploymentState::Completed { .. }
            | DeploymentState::Withdrawn { .. } => {}
        }
    }
    // Only now is it known which deployments of the room are still open.
    for update in case.updates() {
        let state = case.deployment(update).map(|deployment| &deployment.state);
        if let Some(&DeploymentState::Failed { failure, .. }) = state {
            complete_late(case, update, failure);
        }
    }
}

fn runs(case: &RoomCase<'_>, update: UpdateId) -> bool {
    case.latest_installs(update).iter().any(|install| install.is_running())
}

fn conclude_open(case: &mut RoomCase<'_>, update: UpdateId) {
    let installs = case.latest_installs(update);
    let goes_on = |install: &&Install| install.is_running() || install.state == InstallState::Planned;
    if installs.iter().any(goes_on) {
        say_what_runs(case, update);
        return;
    }
    let refusal = refusal_of(&installs);
    let failed = installs
        .iter()
        .filter(|install| install.refusal().is_none())
        .find_map(|install| failure_of(install).map(|failure| (failure, reason_of(case, install, failure))));
    let all_completed = !installs.is_empty()
        && installs
            .iter()
            .all(|install| matches!(install.state, InstallState::Completed { .. }));
    let is_step = installs.iter().any(|install| install.update != update);
    // Of a release that was recalled as a step, another way is looked for (S8, S10).
    let canceled = installs
        .iter()
        .filter(|install| matches!(install.state, InstallState::Canceled { .. }) && install.update == update)
        .find_map(|install| install.cancel_wanted.clone());
    let gives_up = reasons::to_give_up(case, update).is_some();
    if let Some((failure, reason)) = failed {
        case.fail(update, failure, reason);
    } else if let (Some(why), false) = (refusal, gives_up) {
        lapse::refused(case, update, why);
    } else if let (Some(why), false) = (canceled, gives_up) {
        case.fail(update, Failure::Canceled, Reason::Stopped { why });
    } else if is_step && all_completed && !gives_up {
        // One step of the way is done; the next one follows in what is left of the window, or in the next (S8).
        case.wait_because(update, reasons::partly_done(case, update));
    } else if all_completed && !is_step && !case.devices_left(update).is_empty() && !gives_up {
        // A silent one was left out. It misses window after window; the others have what they came for.
        case.wait_for_next_night(update, reasons::partly_done(case, update));
    } else if all_completed && !is_step {
        case.complete(update, reasons::confirmed(case, update));
    } else {
        lapse::back_to_waiting(case, update);
    }
}

/// Some device of the deployment runs or has still to start: the state says since when the room is at it, the reason what it does.
fn say_what_runs(case: &mut RoomCase<'_>, update: UpdateId) {
    let Some(at) = case.started_at(update) else {
        return;
    };
    let installs = case.latest_installs(update);
    let waits_for_inventory = installs
        .iter()
        .any(|install| matches!(install.state, InstallState::Installed { .. }));
    let objection = installs.iter().find(|install| install.objects());
    let running = installs.iter().find(|install| install.is_running());
    let step = running.map(|install| case.version(install.update));
    let reason = if let Some(install) = objection {
        Reason::Objection {
            version: case.version(install.update),
            words: first_line(&install.detail).to_owned(),
        }
    } else if waits_for_inventory {
        Reason::Unreported {
            version: step.unwrap_or_default(),
        }
    } else if let Some(step) = step {
        let target = case.version(update);
        let target = (step != target).then_some(target);
        Reason::Installing { version: step, target }
    } else {
        reasons::partly_done(case, update)
    };
    case.start(update, at, reason);
}

/// A late report of a silent device heals the room (W5), and so does an inventory that shows the version after all. `failure`: how
/// the deployment has failed.
fn complete_late(case: &mut RoomCase<'_>, update: UpdateId, failure: Failure) {
    let installs = case.latest_installs(update);
    let late_failure = installs.iter().find(|install| {
        matches!(
            install.state,
            InstallState::Failed {
                failure: Failure::Reported,
                ..
            }
        )
    });
    // While it was silent the room's next update may have begun on another device. One at a time (law D): then it stays failed
    // until its device has closed.
    let room_is_free = case.open_deployment().is_none();
    if runs(case, update) && room_is_free {
        // It reports again after it was silent; the state says since when it runs, the reason what it does.
        case.reopen(update);
        conclude_open(case, update);
    } else if is_current(case, update) {
        case.complete(update, reasons::confirmed(case, update));
    } else if let (Failure::Silent, Some(install)) = (failure, late_failure) {
        let reason = reason_of(case, install, Failure::Reported);
        case.fail(update, Failure::Reported, reason);
    }
}

/// Whether every device that has the product has the update's version or a newer one, by its inventory or by its word, and at least one has.
fn is_current(case: &RoomCase<'_>, update: UpdateId) -> bool {
    let Some(release) = case.release(update) else {
        return false;
    };
    let mut current = 0;
    for device in &case.room().devices {
        match release.applicability(device) {
            Applicability::NoComponent => {}
            _ if case.is_believed(device.id, update) => current += 1,
            Applicability::Current(_) => current += 1,
            Applicability::Applicable | Applicability::Unordered(_) | Applicability::UnknownVersion => return false,
        }
    }
    current > 0
}

/// Why a device did not take it this time (S17).
fn refusal_of(installs: &[&Install]) -> Option<DeviceRefusal> {
    installs.iter().find_map(|install| install.refusal())
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
                | InstallState::Canceled { .. } => case.now(),
            };
            Reason::Silent {
                since: case.moment(heard),
            }
        }
        Failure::Unconfirmed => Reason::Unconfirmed {
            version: case.version(install.update),
            hours: settings.confirm_within_hours,
        },
        // These six are the room's and not a device's: their reasons are made where they are found.
        Failure::Canceled
        | Failure::NoPath
        | Failure::Unreachable
        | Failure::NotStarted
        | Failure::FellBack
        | Failure::Refused => Reason::Unreachable {
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
