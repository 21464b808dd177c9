//! The planner: facts and an instant in, rows to write out. `README.md` beside this file has the laws and the open decisions.
//!
//! It must not act, wait or ask: no I/O, no clock, no randomness, no order that depends on hashing seeds. Start with [`plan`].

mod halt;
mod rings;
mod rooms;

use chrono::{DateTime, Utc};

use crate::changes::Changes;
use crate::fleet::Slice;
use crate::ids::NewIds;

/// What is to be written because `now` has come (S14: the same facts and instant give the same plan).
#[must_use]
pub fn plan(slice: &Slice, now: DateTime<Utc>, ids: &mut dyn NewIds) -> Changes {
    let mut changes = Changes::default();
    for due in &slice.due {
        rings::advance(slice, due, now, ids, &mut changes);
    }
    // Whether a room joins or leaves depends on the rings that rollouts have entered. When that has just changed, rechecks stay for
    // the next slice, which follows at once and shows the rollouts as they are now.
    let stages_before = |update| slice.rollouts.get(update).map(|rollout| &rollout.stages);
    let rings_moved = changes
        .rollouts
        .iter()
        .any(|after| stages_before(&after.update) != Some(&after.stages));
    for due in &slice.rooms {
        rooms::plan_room(slice, due, !rings_moved, now, ids, &mut changes);
    }
    halt::halt(slice, now, &mut changes);
    changes
}
