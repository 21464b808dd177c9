//! A due room: what its devices said, windows that closed, rollouts it joins or leaves, and what is opened next.

mod case;
mod fall_back;
mod join;
mod lapse;
mod next_instants;
mod open;
mod reasons;
mod report;
mod settle;
mod wake;

use chrono::{DateTime, Utc};

use crate::changes::Changes;
use crate::fleet::{DueRoom, Slice};
use crate::ids::NewIds;
use case::RoomCase;

/// Plans one room. `is_recheck`: a recheck is done now, not with the next slice.
pub(super) fn plan_room(
    slice: &Slice,
    due: &DueRoom,
    is_recheck: bool,
    now: DateTime<Utc>,
    ids: &mut dyn NewIds,
    changes: &mut Changes,
) {
    let mut case = RoomCase::new(slice, due, now);
    settle::settle_installs(&mut case);
    lapse::withdraw_installs(&mut case);
    settle::conclude(&mut case);
    let is_recheck = due.recheck && is_recheck;
    if is_recheck {
        fall_back::fall_back(&mut case);
    }
    join::leave(&mut case, is_recheck);
    if is_recheck {
        join::join(&mut case, ids);
        changes.rechecked_rooms.push(due.room.id);
        wake::wake_for_entry(&case, changes);
    }
    open::open_next(&mut case);
    next_instants::set_next_instants(&mut case);
    report::report(&case, changes);
    wake::wake_finishing_rollouts(&case, changes);
    case.write(changes);
}
