//! Resume (K3): later dates move by the days between pause and resume, in the organisation's zone.

use chrono::{DateTime, Utc};

use crate::freeze::{Freezes, Shift};
use crate::planner::{self, Plan};
use crate::refusal::Refusal;
use crate::ring::RingSequence;
use crate::rollout::{Rollout, RolloutState};
use crate::update::Update;
use crate::zone::Zone;

/// What dates of rollouts follow from.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'f> {
    /// The organisation's zone.
    pub zone: &'f Zone,
    /// The rings of today.
    pub rings: &'f RingSequence,
    /// The freezes that move plans.
    pub freezes: &'f Freezes,
}

/// What comes of a resume.
#[derive(Clone, Debug)]
pub struct Resumed<'f> {
    /// Since when it was paused.
    pub since: DateTime<Utc>,
    /// What is written.
    pub plan: Plan,
    /// How the nights of its waiting rooms move, in the ring that it is in.
    pub shift: Shift<'f>,
}

/// `others`: the live updates. Rooms on their way to one of them may have waited for this one as a step (S8).
///
/// # Errors
/// There is no such rollout, or it is not paused.
pub fn resume<'f>(
    rollout: Option<&Rollout>,
    update: Option<&Update>,
    calendar: Calendar<'f>,
    others: impl Iterator<Item = &'f Update>,
    now: DateTime<Utc>,
) -> Result<Resumed<'f>, Refusal> {
    let before = rollout.ok_or(Refusal::NoRollout)?;
    let RolloutState::Paused { since, .. } = before.state else {
        let title = update.map_or_else(|| "An update".to_owned(), Update::title);
        return Err(Refusal::NotPaused { title });
    };
    let shift = planner::resume(calendar.zone, since, now, calendar.freezes);
    let after = Rollout {
        next_at: Some(now),
        ..before.resumed(calendar.rings, &shift)
    };
    let led_to = update.map_or_else(Vec::new, |step| planner::led_to_by(step, others));
    let woken = std::iter::once(after.update).chain(led_to);
    Ok(Resumed {
        since,
        plan: Plan {
            woken: woken.map(|update| (update, now)).collect(),
            rollouts: vec![after],
            ..Plan::default()
        },
        shift,
    })
}
