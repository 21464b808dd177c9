//! Rollouts that become due because of a room.

use super::case::RoomCase;
use crate::changes::Changes;
use crate::deployment::Deployment;
use crate::ids::UpdateId;
use crate::rollout::{Rollout, RolloutState};
use crate::room::RoomState;

/// The room may have come to the ring that a rollout enters next, from so far east that the ring's date begins earlier (S5).
pub(super) fn wake_for_entry(case: &RoomCase<'_>, changes: &mut Changes) {
    let (slice, room, now) = (case.slice(), case.room(), case.now());
    if room.state == RoomState::Retired {
        return;
    }
    for rollout in slice
        .rollouts
        .values()
        .filter(|rollout| rollout.state == RolloutState::Running)
    {
        let Some(at) = rollout.next_at.filter(|at| *at > now) else {
            continue;
        };
        let calendar = rollout.calendar_at(&slice.rings, &slice.freezes, &slice.organisation.zone, now);
        let ring = rollout.ring_of(room.ring);
        let Some(next) = calendar.iter().find(|stage| !stage.entered && stage.ring == ring) else {
            continue;
        };
        let is_next = rollout.ring_to_fill(&slice.rings) == Some(next.ring);
        let begins = room.zone.start_of(next.starts_on).max(now);
        if is_next && begins < at && changes.rollouts.iter().all(|planned| planned.update != rollout.update) {
            changes.rollouts.push(Rollout {
                next_at: Some(begins),
                ..rollout.clone()
            });
        }
    }
}

/// Rollouts that may be waiting for this room to finish (T6): whether they are through depends on what is left, catch-ups aside.
pub(super) fn wake_finishing_rollouts(case: &RoomCase<'_>, changes: &mut Changes) {
    for (before, after) in case.changed_deployments() {
        let has_ended = !after.is_unfinished() && before.is_none_or(Deployment::is_unfinished);
        let counts_no_more = after.is_catch_up() && before.is_some_and(|before| !before.is_catch_up());
        if has_ended || counts_no_more {
            wake_finishing_rollout(case, after.update, changes);
        }
    }
}

fn wake_finishing_rollout(case: &RoomCase<'_>, update: UpdateId, changes: &mut Changes) {
    let Some(rollout) = case.rollout(update) else {
        return;
    };
    if !matches!(rollout.state, RolloutState::Running) {
        return;
    }
    let planned = changes
        .rollouts
        .iter_mut()
        .find(|planned| planned.update == rollout.update);
    match planned {
        Some(planned) if planned.next_at.is_none() && planned.state == RolloutState::Running => {
            planned.next_at = Some(case.now());
        }
        Some(_) => {}
        None if rollout.next_at.is_none() => changes.rollouts.push(Rollout {
            next_at: Some(case.now()),
            ..rollout.clone()
        }),
        None => {}
    }
}
