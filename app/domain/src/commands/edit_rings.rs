//! Other rings (R10, R11). Each edit by itself is checked by [`RingSequence`]; here it is held against the rollouts under way.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::changes::{Changes, MovedRooms, Recheck, Wake};
use crate::commands::resume::Calendar;
use crate::ids::{RingId, StageOf};
use crate::refusal::Refusal;
use crate::ring::{Ring, RingSequence};
use crate::rollout::Rollout;

/// `after` takes the place of `before`. `live`: the live rollouts and their titles. Rooms of rings that one of them now reaches
/// differently are rechecked.
///
/// # Errors
/// The plan of one of them would get too long.
pub fn edit_rings(
    before: &RingSequence,
    after: &RingSequence,
    live: &[(&Rollout, String)],
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    for (rollout, title) in live {
        if let Some(days) = rollout.too_many_days(after) {
            let title = title.clone();
            return Err(Refusal::PlanTooLong { title, days });
        }
    }
    let rollouts: Vec<&Rollout> = live.iter().map(|(rollout, _)| *rollout).collect();
    let reached_differently = rings_reached_differently(before, after, &rollouts);
    Ok(Changes {
        rings: Some(after.clone()),
        rechecks: reached_differently.into_iter().map(Recheck::Ring).collect(),
        woken: vec![Wake::rollouts(now)],
        ..Changes::default()
    })
}

/// Rings that a change of rings lets a live rollout pass without entering them, or takes out from behind it (R10): their rooms
/// are looked at as if they had been moved there (R14).
fn rings_reached_differently(before: &RingSequence, after: &RingSequence, live: &[&Rollout]) -> BTreeSet<RingId> {
    let changed = |rollout: &&Rollout, ring: &Ring| {
        let was = before.get(ring.id).map(|ring| rollout.has_reached(ring));
        was.is_some_and(|was| was != rollout.has_reached(ring))
    };
    let changed = after
        .iter()
        .filter(|ring| live.iter().any(|rollout| changed(rollout, ring)));
    changed.map(|ring| ring.id).collect()
}

/// A ring is deleted (R11): `after` are the rings that are left, and its rooms go to `rooms_to`. `calendar`: with the rings of today.
/// `live`: the live rollouts and their titles.
///
/// # Errors
/// A rollout is inside it.
pub fn delete_ring(
    ring: RingId,
    after: &RingSequence,
    rooms_to: RingId,
    calendar: Calendar<'_>,
    live: &[(&Rollout, String)],
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    let inside = |(rollout, _): &&(&Rollout, String)| {
        rollout
            .stages
            .last()
            .is_some_and(|stage| stage.ring == StageOf::Ring(ring))
    };
    if let Some((rollout, title)) = live.iter().find(inside) {
        let stages = rollout.calendar(calendar.rings, calendar.freezes, None, rollout.starts_on);
        let stage = stages.iter().find(|stage| stage.ring == StageOf::Ring(ring));
        return Err(Refusal::InsideRing {
            title: title.clone(),
            until: stage.map(|stage| stage.test_ends.pred_opt().unwrap_or(stage.test_ends)),
            city: calendar.zone.city(),
        });
    }
    Ok(Changes {
        moved_rooms: vec![MovedRooms {
            rooms: None,
            from: ring,
            to: rooms_to,
        }],
        rings: Some(after.clone()),
        woken: vec![Wake::rollouts(now)],
        ..Changes::default()
    })
}
