//! The halt rule (K7): a rollout is paused in the plan in which one room too many has failed.
//!
//! Only a room that fails now can fire it, so that a rollout which an admin has resumed goes on until another room fails. The rule itself
//! is [`crate::halt`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::changes::{Changes, HaltTicket, Wake};
use crate::deployment::{Attempt, Deployment};
use crate::event::{Event, Subject};
use crate::fleet::Slice;
use crate::halt::{Halt, RingTally};
use crate::ids::{DeploymentId, StageOf, UpdateId};
use crate::ring::RingSequence;
use crate::rollout::{Counts, Rollout, RolloutState};
use crate::ticket::OPENED_BY_RULE;
use crate::zone::Zone;

/// Pauses the rollouts that this plan's failures speak against.
pub(super) fn halt(slice: &Slice, now: DateTime<Utc>, changes: &mut Changes) {
    for (update, moved) in moved_counts(slice, changes) {
        if !moved.has_new_failure {
            continue;
        }
        let planned = changes.rollouts.iter().position(|planned| planned.update == update);
        let known = planned.map_or_else(|| slice.rollouts.get(&update), |at| changes.rollouts.get(at));
        let Some(rollout) = known.filter(|rollout| rollout.state == RolloutState::Running) else {
            continue;
        };
        let rule = rollout.halt_rule.unwrap_or(slice.organisation.settings.halt);
        let Some(halt) = rule.halts(&tallies(rollout, &slice.rings, &moved.counts)) else {
            continue;
        };
        let halted = rollout.halt(halt.clone(), &slice.organisation.zone, now);
        match planned {
            Some(at) => changes.rollouts[at] = halted,
            None => changes.rollouts.push(halted),
        }
        changes.woken.push(Wake::update(update, now));
        changes.report_line(Subject::Rollout(update), Event::Halted(halt.clone()));
        changes.halt_tickets.push(HaltTicket::Opened { update, halt });
    }
}

/// How this plan moves the counts of a rollout.
#[derive(Default)]
struct Moved {
    counts: BTreeMap<StageOf, Counts>,
    /// A room has failed that had not failed before, nor when an admin resumed the rollout after a halt.
    has_new_failure: bool,
}

fn moved_counts(slice: &Slice, changes: &Changes) -> BTreeMap<UpdateId, Moved> {
    let before: BTreeMap<DeploymentId, &Deployment> = slice
        .rooms
        .iter()
        .flat_map(|due| &due.deployments)
        .map(|deployment| (deployment.id, deployment))
        .collect();
    let mut moved: BTreeMap<UpdateId, Moved> = BTreeMap::new();
    for after in &changes.deployments {
        let of_update = moved.entry(after.update).or_default();
        let old = before.get(&after.id);
        if let Some(old) = old {
            of_update.counts.entry(old.ring).or_default().count(old, -1);
        }
        of_update.counts.entry(after.ring).or_default().count(after, 1);
        let was_failed = old.is_some_and(|old| ends_badly(old));
        of_update.has_new_failure |= ends_badly(after) && !was_failed && !after.tolerated;
    }
    moved
}

/// Whether an attempt has just failed: one that waits for its next attempt has failed before.
fn ends_badly(deployment: &Deployment) -> bool {
    let has_failed = deployment.attempted() == Some(Attempt::Failed);
    has_failed && !deployment.is_unfinished()
}

/// What came of it in each ring so far, in rollout order.
fn tallies(rollout: &Rollout, rings: &RingSequence, moved: &BTreeMap<StageOf, Counts>) -> Vec<RingTally> {
    let tally = |ring: StageOf, name: &str, planned: u32| {
        let counts = rollout
            .counts_of(ring)
            .plus(moved.get(&ring).copied().unwrap_or_default());
        RingTally {
            name: name.to_owned(),
            // Rooms that were forced or caught up are not among the planned ones.
            applicable: i64::from(planned).max(counts.total() + counts.catch_up),
            attempted: counts.attempted,
            failed: counts.failed_attempts,
            ..RingTally::default()
        }
    };
    let entered = rollout.stages.iter();
    let entered = entered.map(|stage| tally(stage.ring, &stage.name, stage.rooms));
    let ahead = rollout.rings_ahead(rings);
    let ahead = ahead.iter().map(|ring| tally(ring.ring, &ring.name, 0));
    entered.chain(ahead).collect()
}

impl Rollout {
    /// This rollout paused by the halt rule.
    #[must_use]
    fn halt(&self, halt: Halt, zone: &Zone, now: DateTime<Utc>) -> Self {
        let state = RolloutState::Paused {
            since: now,
            by: OPENED_BY_RULE.to_owned(),
            reason: halt.sentence(),
            resumes_on: None,
        };
        Self {
            halt: Some(halt),
            ..self.pause(state, zone)
        }
    }
}
