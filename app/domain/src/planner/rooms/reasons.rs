//! Reasons that more than one step of a room's plan gives. They only read the room; a step decides what follows from them.

use super::case::RoomCase;
use crate::ids::UpdateId;
use crate::install::InstallState;
use crate::reason::Reason;
use crate::rollout::RolloutState;
use crate::room::Device;
use crate::status::NotRequired;
use crate::update::{Exclusion, Update};

/// Every device has the update, or a newer one.
pub(super) fn confirmed(case: &RoomCase<'_>, update: UpdateId) -> Reason {
    let at = case.moment(case.now());
    let version = case.version(update);
    let Some(release) = case.release(update) else {
        return Reason::Confirmed { version, at };
    };
    let on_it = |newer: &&Update| {
        let installed = |device: &Device| {
            let component = device.component(&newer.product);
            component.is_some_and(|component| component.version.as_ref() == Some(&newer.version))
        };
        newer.product == release.product
            && newer.is_above(&release.version)
            && case.room().devices.iter().any(installed)
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

/// No device runs, but something has been installed and something is left: the next step of a way (S8), or other devices (S7).
pub(super) fn partly_done(case: &RoomCase<'_>, update: UpdateId) -> Reason {
    let steps = case
        .installs_of_attempt(update)
        .filter(|install| matches!(install.state, InstallState::Completed { .. }) && install.update != update);
    match steps.max_by_key(|install| install.action) {
        Some(step) => Reason::OnTheWay {
            step: case.version(step.update),
            target: case.version(update),
        },
        None => Reason::SomeDevicesDone,
    }
}

/// Nothing more of the update starts in the room: it is deprecated, or a newer one has come to the room's ring. `None`: it may.
pub(super) fn to_give_up(case: &RoomCase<'_>, update: UpdateId) -> Option<Reason> {
    if let Some(RolloutState::Deprecated { reason, .. }) = case.rollout(update).map(|rollout| &rollout.state) {
        return Some(reason.clone());
    }
    let newer = case.superseding_update(update)?;
    Some(Reason::Superseded { by: newer.title() })
}

/// The room does not need the update, or must not have it.
pub(super) fn not_required(case: &RoomCase<'_>, exclusion: Exclusion, release: &Update) -> Reason {
    Reason::NotRequired {
        why: NotRequired::Excluded(exclusion),
        product: release.product_name.clone(),
        on: case.today(),
    }
}
