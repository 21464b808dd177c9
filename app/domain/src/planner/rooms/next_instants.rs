//! When a room's deployments must be looked at again if nothing happens.

use chrono::{DateTime, Utc};

use super::case::RoomCase;
use crate::deployment::{Deployment, DeploymentState};
use crate::install::{Install, InstallState};
use crate::start_window::StartWindow;

pub(super) fn set_next_instants(case: &mut RoomCase<'_>) {
    for update in case.updates() {
        let next_at = case
            .deployment(update)
            .and_then(|deployment| next_instant(case, deployment));
        case.look_again_at(update, next_at);
    }
}

fn next_instant(case: &RoomCase<'_>, deployment: &Deployment) -> Option<DateTime<Utc>> {
    let devices = case
        .installs_of(deployment.update)
        .filter_map(|install| next_of_install(case, deployment, install));
    let own = match deployment.state {
        DeploymentState::Waiting => next_of_waiting(case, deployment),
        DeploymentState::Prepared | DeploymentState::Started { .. } => {
            let new = case.new_installs_of(deployment.update);
            new.map(|install| next_of_planned(case, deployment, install.window))
                .min()
        }
        DeploymentState::Completed { .. } | DeploymentState::Failed { .. } | DeploymentState::Withdrawn { .. } => None,
    };
    devices.chain(own).min()
}

fn next_of_waiting(case: &RoomCase<'_>, deployment: &Deployment) -> Option<DateTime<Utc>> {
    let rollout = case.rollout(deployment.update)?;
    if !rollout.may_start_rooms() {
        return None;
    }
    if rollout.being_filled().is_some() && !deployment.is_forced() {
        // Offers begin after the last room has its night: this one stays due until then.
        return Some(deployment.next_at.map_or(case.now(), |at| at.min(case.now())));
    }
    let window = case.next_window(deployment.night.date());
    let prepares = case.settings().prepares_at(&window);
    // A force waits for another update, or for the end of a freeze; both are over at the latest when a window opens.
    let waits_for = if deployment.is_forced() { window.opens } else { prepares };
    Some(if case.now() < waits_for {
        waits_for
    } else {
        window.closes
    })
}

fn next_of_install(case: &RoomCase<'_>, deployment: &Deployment, install: &Install) -> Option<DateTime<Utc>> {
    match install.state {
        InstallState::Planned => match install.window {
            Some(_) => Some(next_of_planned(case, deployment, install.window)),
            None if case.is_paused(deployment.update) => None,
            None => Some(next_of_planned(case, deployment, None)),
        },
        InstallState::Started { .. } => {
            // Of what is installed: on a way to the update that is a step (S8).
            let release = case.release(install.update);
            let minutes = release.map_or(0, |release| release.expected_minutes);
            install.silent_from(case.settings(), minutes)
        }
        InstallState::Installed { at, .. } => Some(case.unconfirmed_from(at)),
        InstallState::Completed { .. }
        | InstallState::Failed { .. }
        | InstallState::Withdrawn { .. }
        | InstallState::Canceled { .. } => None,
    }
}

/// A window closes. A forced install may start at any time before a freeze; whether its device shows up is counted by the
/// room's windows all the same.
fn next_of_planned(case: &RoomCase<'_>, deployment: &Deployment, window: Option<StartWindow>) -> DateTime<Utc> {
    let of_room = || case.next_window(deployment.night.date()).closes;
    match window.map(|window| window.closes()) {
        Some(closes) if deployment.is_forced() => closes.min(of_room()),
        Some(closes) => closes,
        None => of_room(),
    }
}
