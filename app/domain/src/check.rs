//! The laws of the planner's README, as findings: for tests, the simulator and `nightshift check`.
//!
//! [`check`] looks at one state of all facts, [`forward`] at two that follow each other. They repair nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::deployment::{Deployment, DeploymentState, Withdrawal};
use crate::fleet::Fleet;
use crate::ids::{DeviceId, RoomId, StageOf, UpdateId};
use crate::install::InstallState;
use crate::readiness::{BlockScope, Check, CheckResult};
use crate::ring::MOST_TOTAL_DAYS;
use crate::rollout::{Counts, Rollout, RolloutState};
use crate::room::RoomState;
use crate::ticket::{TicketCause, TicketStatus};

/// A law that the facts break.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The law's letter in the planner's README.
    pub law: char,
    /// Which facts break it, in one sentence.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}: {}", self.law, self.what)
    }
}

/// Every law that one state of the facts breaks.
#[must_use]
pub fn check(fleet: &Fleet) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    starts(fleet, &mut findings);
    stages(fleet, &mut findings);
    one_at_a_time(fleet, &mut findings);
    tickets(fleet, &mut findings);
    plan_length(fleet, &mut findings);
    nights(fleet, &mut findings);
    counts(fleet, &mut findings);
    finished(fleet, &mut findings);
    reasons(fleet, &mut findings);
    frozen(fleet, &mut findings);
    superseded(fleet, &mut findings);
    blocks(fleet, &mut findings);
    onboarding(fleet, &mut findings);
    visits(fleet, &mut findings);
    halts(fleet, &mut findings);
    completed(fleet, &mut findings);
    findings.0.sort();
    findings.0
}

/// Law H: what `before` had finished, `after` has not un-finished.
#[must_use]
pub fn forward(before: &Fleet, after: &Fleet) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    for (id, old) in &before.deployments {
        let stays = match (&old.state, after.deployments.get(id).map(|new| &new.state)) {
            // What its devices have lost since is written down with the instant (S16).
            (DeploymentState::Completed { .. }, new) => {
                let fell_back = |new: &Deployment| {
                    new.fall_backs.at.last() > old.fall_backs.at.last()
                        || matches!(new.state, DeploymentState::Withdrawn { .. })
                };
                matches!(new, Some(DeploymentState::Completed { .. }))
                    || after.deployments.get(id).is_some_and(fell_back)
            }
            (
                DeploymentState::Waiting
                | DeploymentState::Prepared
                | DeploymentState::Started { .. }
                | DeploymentState::Failed { .. }
                | DeploymentState::Withdrawn { .. },
                new,
            ) => new.is_some(),
        };
        findings.unless(stays, 'H', || {
            format!("deployment {id} was completed and is not any more")
        });
    }
    for (action, old) in &before.installs {
        let same = after
            .installs
            .get(action)
            .is_some_and(|new| old.is_open() || new.state == old.state);
        findings.unless(same, 'H', || format!("action {action} had ended and has changed"));
    }
    for (update, old) in &before.rollouts {
        let Some(new) = after.rollouts.get(update) else {
            findings.unless(false, 'H', || format!("rollout {update} is gone"));
            continue;
        };
        let final_stays = match old.state {
            RolloutState::Deprecated { .. } => old.state == new.state,
            RolloutState::Finished { .. } => matches!(
                new.state,
                RolloutState::Finished { .. } | RolloutState::Deprecated { .. }
            ),
            RolloutState::Running | RolloutState::Paused { .. } => true,
        };
        findings.unless(final_stays, 'H', || format!("rollout {update} had ended and continues"));
        let prefix = old
            .stages
            .iter()
            .zip(&new.stages)
            .all(|(old, new)| old.ring == new.ring && old.starts_on == new.starts_on);
        findings.unless(prefix && old.stages.len() <= new.stages.len(), 'H', || {
            format!("rollout {update} has left a ring that it had entered")
        });
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn unless(&mut self, holds: bool, law: char, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Finding { law, what: what() });
        }
    }
}

fn starts(fleet: &Fleet, findings: &mut Findings) {
    // What a device did not take it never started (S17).
    let taken = fleet.installs.values().filter(|install| install.refusal().is_none());
    for install in taken {
        let Some(started) = install.started_at else { continue };
        let deployment = fleet.deployments.get(&install.deployment);
        let is_forced = deployment.is_none_or(|of| of.is_forced() || of.attempt != install.attempt);
        findings.unless(install.window.is_some() || is_forced, 'B', || {
            format!("action {} started without a window and was not forced", install.action)
        });
        if let Some(window) = install.window {
            let (opens, closes) = (window.opens(), window.closes());
            let inside = window.contains(started);
            findings.unless(inside, 'B', || {
                format!(
                    "action {} started at {started}, outside its window from {opens} to {closes}",
                    install.action
                )
            });
        }
        // Of a step on a way (S8) it is the rollout that the way leads to.
        let barred = deployment
            .and_then(|deployment| fleet.rollouts.get(&deployment.update))
            .and_then(|rollout| match &rollout.state {
                RolloutState::Paused { since, .. } => Some((*since, "paused")),
                RolloutState::Deprecated { at, .. } => Some((*at, "deprecated")),
                RolloutState::Running | RolloutState::Finished { .. } => None,
            });
        if let Some((since, how)) = barred {
            findings.unless(started <= since, 'E', || {
                format!(
                    "action {} started at {started}, but its rollout is {how} since {since}",
                    install.action
                )
            });
        }
    }
}

fn blocks(fleet: &Fleet, findings: &mut Findings) {
    for (room, checks) in &fleet.checks {
        let Some(room) = fleet.rooms.get(room) else { continue };
        // What keeps a room from becoming Managed follows from its checks alone, and is not kept beside them.
        for scope in BlockScope::ALL.into_iter().filter(|scope| scope.kind().is_some()) {
            let is_blocked = room.blocks.iter().any(|block| block.scope == scope);
            let (label, name) = (scope.label(), &room.name);
            let follows = |(check, result): (&Check, &CheckResult)| scope.follows_from(*check, *result);
            findings.unless(is_blocked || !checks.results.iter().any(follows), 'O', || {
                format!("a check blocks {label} in room {name}, and it is not blocked")
            });
            // What is unknown keeps a block (C2), and begins none.
            let keeps = |(check, result): (&Check, &CheckResult)| {
                scope.follows_from(*check, CheckResult::Fail)
                    && matches!(result, CheckResult::Fail | CheckResult::Unknown)
            };
            findings.unless(!is_blocked || checks.results.iter().any(keeps), 'O', || {
                format!("{label} is blocked in room {name}, and no check says so")
            });
        }
    }
}

fn onboarding(fleet: &Fleet, findings: &mut Findings) {
    for deployment in fleet.deployments.values() {
        let Some(room) = fleet.rooms.get(&deployment.room) else {
            continue;
        };
        let is_planned = matches!(deployment.state, DeploymentState::Waiting | DeploymentState::Prepared);
        // The planner looks at a room that was brought back with the next plan.
        let may_be = room.state != RoomState::Onboarding || fleet.rechecks.contains(&room.id);
        findings.unless(may_be || !is_planned, 'P', || {
            format!(
                "deployment {} is planned in room {}, which is onboarding",
                deployment.id, room.name
            )
        });
    }
}

fn visits(fleet: &Fleet, findings: &mut Findings) {
    for ((room, cause), ticket) in &fleet.cause_tickets {
        let TicketCause::Check(check) = cause else { continue };
        let result = fleet.checks.get(room).and_then(|checks| checks.results.get(check));
        let is_found = matches!(result, Some(CheckResult::Fail | CheckResult::Unknown));
        findings.unless(is_found || ticket.state == TicketStatus::Resolved, 'Q', || {
            format!(
                "a ticket of {} is open in room {room}, and the check does not fail",
                check.label()
            )
        });
    }
}

fn frozen(fleet: &Fleet, findings: &mut Findings) {
    for install in fleet.installs.values() {
        let (Some(started), Some(deployment)) = (install.started_at, fleet.deployments.get(&install.deployment)) else {
            continue;
        };
        let Some(room) = fleet.rooms.get(&deployment.room) else {
            continue;
        };
        let date = room.zone.date(started);
        // A ring's freeze counts for who was in the ring when it started and is in it still.
        let of_ring = fleet
            .freezes
            .rings
            .get(&room.ring)
            .filter(|_| deployment.ring == StageOf::Ring(room.ring));
        let mut freezes = fleet
            .freezes
            .organisation
            .iter()
            .chain(of_ring.into_iter().flatten())
            .chain(&room.freezes);
        let broken = freezes.find(|freeze| freeze.covers(date) && freeze.made_at < started);
        findings.unless(broken.is_none(), 'M', || {
            format!(
                "action {} started at {started}, in a freeze of room {}",
                install.action, room.name
            )
        });
    }
}

fn superseded(fleet: &Fleet, findings: &mut Findings) {
    for deployment in fleet.deployments.values() {
        let unstarted = deployment.is_unfinished() && !deployment.has_started();
        let (Some(older), Some(room)) = (
            fleet.rollouts.get(&deployment.update),
            fleet.rooms.get(&deployment.room),
        ) else {
            continue;
        };
        if !unstarted || older.superseded_by.is_empty() || fleet.rechecks.contains(&room.id) {
            continue;
        }
        let newer = older.superseded_by.iter().filter_map(|newer| fleet.rollouts.get(newer));
        let counts = |newer: &&Rollout| !matches!(newer.state, RolloutState::Deprecated { .. });
        let ring = fleet.rings.get(room.ring);
        for newer in newer.filter(counts) {
            let has_come = ring.is_some_and(|ring| newer.has_reached(ring));
            // The planner has been told to look and has not yet.
            let entered_at = newer.stages.last().map(|stage| stage.entered_at);
            let pending = deployment.next_at.is_some_and(|at| Some(at) <= entered_at);
            findings.unless(!has_come || pending, 'N', || {
                format!(
                    "deployment {} waits, but {} has reached its ring and supersedes it",
                    deployment.id, newer.update
                )
            });
        }
    }
}

fn stages(fleet: &Fleet, findings: &mut Findings) {
    for rollout in fleet.rollouts.values() {
        let mut earliest = rollout.starts_on;
        for stage in &rollout.stages {
            findings.unless(stage.starts_on >= earliest, 'C', || {
                format!(
                    "rollout {} entered {} for {}, before {earliest}",
                    rollout.update, stage.name, stage.starts_on
                )
            });
            earliest = stage.test_ends;
        }
    }
}

fn one_at_a_time(fleet: &Fleet, findings: &mut Findings) {
    let mut open_rooms: BTreeSet<RoomId> = BTreeSet::new();
    let mut pairs: BTreeSet<(RoomId, UpdateId)> = BTreeSet::new();
    for deployment in fleet.deployments.values() {
        let first = pairs.insert((deployment.room, deployment.update));
        findings.unless(first, 'D', || {
            format!(
                "room {} has two deployments of update {}",
                deployment.room, deployment.update
            )
        });
        if deployment.is_open() {
            let alone = open_rooms.insert(deployment.room);
            findings.unless(alone, 'D', || {
                format!("room {} has two open deployments", deployment.room)
            });
        }
    }
    let mut open_devices: BTreeSet<DeviceId> = BTreeSet::new();
    for install in fleet.installs.values().filter(|install| install.is_open()) {
        let alone = open_devices.insert(install.device);
        findings.unless(alone, 'D', || {
            format!("device {} has two open installs", install.device)
        });
    }
}

fn tickets(fleet: &Fleet, findings: &mut Findings) {
    let by_pair: BTreeMap<(RoomId, UpdateId), &Deployment> = fleet
        .deployments
        .values()
        .map(|deployment| ((deployment.room, deployment.update), deployment))
        .collect();
    for (pair, deployment) in &by_pair {
        if matches!(deployment.state, DeploymentState::Failed { .. }) {
            let open = fleet
                .tickets
                .get(pair)
                .is_some_and(|ticket| ticket.state != TicketStatus::Resolved);
            findings.unless(open, 'F', || {
                format!("the failed deployment {} has no open ticket", deployment.id)
            });
        }
    }
    let tried: BTreeSet<_> = fleet
        .installs
        .values()
        .filter(|install| install.started_at.is_some())
        .map(|install| install.deployment)
        .collect();
    for (pair, ticket) in fleet
        .tickets
        .iter()
        .filter(|(_, ticket)| ticket.state != TicketStatus::Resolved)
    {
        let has_cause = by_pair.get(pair).is_some_and(|deployment| match deployment.state {
            DeploymentState::Failed { .. } => true,
            DeploymentState::Waiting | DeploymentState::Prepared | DeploymentState::Started { .. } => {
                deployment.attempt > 1 || deployment.crowded_windows > 0 || tried.contains(&deployment.id)
            }
            DeploymentState::Completed { .. } | DeploymentState::Withdrawn { .. } => false,
        });
        findings.unless(has_cause, 'F', || {
            format!(
                "the failure ticket of room {} and update {} is open without a cause",
                ticket.room, ticket.update
            )
        });
    }
}

fn plan_length(fleet: &Fleet, findings: &mut Findings) {
    for rollout in fleet.rollouts.values().filter(|rollout| rollout.is_live()) {
        let total = rollout.planned_days(&fleet.rings);
        findings.unless(total <= MOST_TOTAL_DAYS, 'G', || {
            format!("the plan of rollout {} is {total} days long", rollout.update)
        });
    }
}

fn nights(fleet: &Fleet, findings: &mut Findings) {
    for deployment in fleet
        .deployments
        .values()
        .filter(|deployment| deployment.is_unfinished())
    {
        let Some(planned) = deployment.night.planned() else {
            continue;
        };
        let Some(stage) = fleet
            .rollouts
            .get(&deployment.update)
            .and_then(|rollout| rollout.stage(deployment.ring))
        else {
            findings.unless(false, 'I', || {
                format!(
                    "deployment {} has a night in a ring that was not entered",
                    deployment.id
                )
            });
            continue;
        };
        let ends = stage.rollout_ends;
        let inside = stage.starts_on <= planned && planned < ends;
        findings.unless(inside, 'I', || {
            format!(
                "the planned night {planned} of deployment {} is outside {}'s rollout dates",
                deployment.id, stage.name
            )
        });
        let night = deployment.night.date();
        findings.unless(night >= planned, 'I', || {
            format!(
                "the night {night} of deployment {} is before the planned {planned}",
                deployment.id
            )
        });
    }
}

fn counts(fleet: &Fleet, findings: &mut Findings) {
    let mut counted: BTreeMap<(UpdateId, StageOf), Counts> = BTreeMap::new();
    for deployment in fleet.deployments.values() {
        counted
            .entry((deployment.update, deployment.ring))
            .or_default()
            .count(deployment, 1);
    }
    for rollout in fleet.rollouts.values() {
        for (ring, stored) in &rollout.counts {
            let real = counted.remove(&(rollout.update, *ring)).unwrap_or_default();
            findings.unless(real == *stored, 'J', || {
                format!(
                    "rollout {} counts {stored:?} in ring {ring}, but there are {real:?}",
                    rollout.update
                )
            });
        }
    }
    for ((update, ring), real) in counted.into_iter().filter(|(_, real)| *real != Counts::default()) {
        findings.unless(false, 'J', || {
            format!("rollout {update} counts nothing in ring {ring}, but there are {real:?}")
        });
    }
}

fn finished(fleet: &Fleet, findings: &mut Findings) {
    for rollout in fleet.rollouts.values() {
        let asleep = rollout.state == RolloutState::Running && rollout.next_at.is_none();
        findings.unless(!asleep || rollout.total_counts().unfinished() > 0, 'K', || {
            format!("rollout {} waits for rooms, but none is left", rollout.update)
        });
    }
    for deployment in fleet
        .deployments
        .values()
        .filter(|deployment| deployment.is_unfinished())
    {
        let over = |rollout: &Rollout| matches!(rollout.state, RolloutState::Finished { .. });
        // One that was silent and reports late goes on with the attempt that it had.
        let was_tried = || {
            fleet
                .installs
                .values()
                .any(|install| install.deployment == deployment.id && install.started_at.is_some())
        };
        let allowed = || deployment.is_catch_up() || deployment.attempt > 1 || deployment.is_forced() || was_tried();
        let of_finished = fleet.rollouts.get(&deployment.update).is_some_and(over);
        findings.unless(!of_finished || allowed(), 'K', || {
            format!(
                "rollout {} is finished, but deployment {} waits",
                deployment.update, deployment.id
            )
        });
    }
}

fn halts(fleet: &Fleet, findings: &mut Findings) {
    for rollout in fleet.rollouts.values().filter(|rollout| rollout.halt.is_some()) {
        let is_open = fleet
            .halt_tickets
            .get(&rollout.update)
            .is_some_and(|state| *state != TicketStatus::Resolved);
        let is_paused = matches!(rollout.state, RolloutState::Paused { .. });
        findings.unless(is_paused && is_open, 'R', || {
            format!(
                "rollout {} was halted by rule, and is not paused or has no open ticket",
                rollout.update
            )
        });
    }
    for (update, _) in fleet
        .halt_tickets
        .iter()
        .filter(|(_, state)| **state != TicketStatus::Resolved)
    {
        let is_halted = fleet.rollouts.get(update).is_some_and(|rollout| rollout.halt.is_some());
        findings.unless(is_halted, 'R', || {
            format!("the ticket of a halt of {update} is open, and it is not halted")
        });
    }
}

fn completed(fleet: &Fleet, findings: &mut Findings) {
    for deployment in fleet.deployments.values() {
        let is_completed = matches!(deployment.state, DeploymentState::Completed { .. });
        let is_seen = !fleet.rechecks.contains(&deployment.room);
        let (room, update) = (fleet.rooms.get(&deployment.room), fleet.updates.get(&deployment.update));
        let (Some(room), Some(update), true) = (room, update, is_completed && is_seen) else {
            continue;
        };
        findings.unless(update.lost_in(room).is_none(), 'S', || {
            format!(
                "deployment {} is completed, and its devices say otherwise",
                deployment.id
            )
        });
    }
}

fn reasons(fleet: &Fleet, findings: &mut Findings) {
    for deployment in fleet.deployments.values() {
        let needs_one = !matches!(
            deployment.state,
            DeploymentState::Withdrawn {
                why: Withdrawal::NotRequired,
                ..
            }
        );
        findings.unless(!needs_one || !deployment.reason.is_missing(), 'L', || {
            format!("deployment {} has no reason", deployment.id)
        });
    }
    for install in fleet.installs.values() {
        let started = matches!(install.state, InstallState::Started { .. }) && install.started_at.is_none();
        findings.unless(!started, 'L', || {
            format!("action {} is started, but nobody knows when", install.action)
        });
    }
}
