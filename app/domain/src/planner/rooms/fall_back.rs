//! A room had an update, and its devices say now that it has not (S16).

use super::case::RoomCase;
use crate::deployment::{DeploymentState, Failure, Withdrawal};
use crate::ids::UpdateId;
use crate::reason::Reason;
use crate::rollout::RolloutState;
use crate::room::Device;

/// Whatever the room had and has not any more waits for its next window, as a new attempt and as a catch-up. A recheck is told by what
/// devices report, so that this is looked at when something has changed, and not with each tick.
pub(super) fn fall_back(case: &mut RoomCase<'_>) {
    for update in case.updates() {
        let completed = case
            .deployment(update)
            .is_some_and(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }));
        let is_believed = |device: &Device| case.is_believed(device.id, update);
        let Some(release) = case
            .release(update)
            .filter(|_| completed && !case.room().devices.iter().any(is_believed))
        else {
            continue;
        };
        if let Some(lost) = release.lost_in(case.room()) {
            fall_back_one(case, update, lost.found);
        }
    }
}

fn fall_back_one(case: &mut RoomCase<'_>, update: UpdateId, found: Option<String>) {
    let version = case.version(update);
    let reason = Reason::FellBack {
        version: version.clone(),
        found,
    };
    let state = case.rollout(update).map(|rollout| &rollout.state);
    match state {
        // Nothing more of it starts (T8): the room has it no more.
        Some(RolloutState::Deprecated { .. }) => return case.withdraw(update, Withdrawal::Deprecated, reason),
        Some(RolloutState::Finished { .. }) => case.note_fall_back(update, true),
        Some(RolloutState::Running | RolloutState::Paused { .. }) | None => case.note_fall_back(update, false),
    }
    let (times, days) = (case.settings().fall_back_times, case.settings().fall_back_days);
    if case.fall_backs(update) >= times {
        case.fail(
            update,
            Failure::FellBack,
            Reason::FellBackOften { version, times, days },
        );
    } else {
        case.start_over(update, reason);
    }
}
