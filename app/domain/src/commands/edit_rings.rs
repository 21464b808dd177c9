//! Other rings (R10, R11). Each edit by itself is checked by [`RingSequence`]; here it is held against the rollouts under way.

use std::collections::BTreeSet;

use crate::freeze::Freezes;
use crate::ids::RingId;
use crate::planner;
use crate::refusal::Refusal;
use crate::ring::{MOST_TOTAL_DAYS, RingSequence};
use crate::rollout::Rollout;
use crate::zone::Zone;

/// The rings whose rooms are looked at when `after` takes the place of `before`. `live`: the live rollouts and their titles.
///
/// # Errors
/// The plan of one of them would get too long.
pub fn edit_rings(
    before: &RingSequence,
    after: &RingSequence,
    live: &[(&Rollout, String)],
) -> Result<BTreeSet<RingId>, Refusal> {
    for (rollout, title) in live {
        let days = rollout.planned_days(after);
        if days > MOST_TOTAL_DAYS {
            let title = title.clone();
            return Err(Refusal::PlanTooLong { title, days });
        }
    }
    let rollouts: Vec<&Rollout> = live.iter().map(|(rollout, _)| *rollout).collect();
    Ok(planner::rings_reached_differently(before, after, &rollouts))
}

/// Whether a ring may be deleted, as far as rollouts under way are concerned (R11). `zone`: the organisation's.
///
/// # Errors
/// A rollout is inside it.
pub fn delete_ring(
    ring: RingId,
    rings: &RingSequence,
    freezes: &Freezes,
    zone: &Zone,
    live: &[(&Rollout, String)],
) -> Result<(), Refusal> {
    let inside = |(rollout, _): &&(&Rollout, String)| rollout.stages.last().is_some_and(|stage| stage.ring == ring);
    let Some((rollout, title)) = live.iter().find(inside) else {
        return Ok(());
    };
    let calendar = rollout.calendar(rings, freezes, None, rollout.starts_on);
    let stage = calendar.iter().find(|stage| stage.ring == ring);
    Err(Refusal::InsideRing {
        title: title.clone(),
        until: stage.map(|stage| stage.test_ends.pred_opt().unwrap_or(stage.test_ends)),
        city: zone.city(),
    })
}
