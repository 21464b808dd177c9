//! Slices as far as they decide, so that those of rows and of memory can be compared.

use domain::deployment::{Deployment, DeploymentState};
use domain::fleet::{Candidate, Fleet, PlacementBatch, Slice};
use domain::ids::{StageOf, UpdateId};
use domain::install::Install;
use domain::rollout::{Counts, RolloutState};
use domain::room::Room;
use domain::zone::Zone;

/// What the two sides must agree on: not the texts of tickets, which live in their history, and not counts of nothing.
pub fn comparable(fleet: &Fleet) -> Fleet {
    let mut fleet = fleet.clone();
    // The store knows each room's site.
    fleet.sites.clear();
    for ticket in fleet.tickets.values_mut() {
        ticket.failures.clear();
    }
    for rollout in fleet.rollouts.values_mut() {
        rollout.counts.retain(|_, counts| *counts != Counts::default());
    }
    fleet
}

type NormalDue = (
    UpdateId,
    Option<StageOf>,
    Vec<Zone>,
    Vec<Candidate>,
    Option<PlacementBatch>,
);

/// What of a slice decides: the rest of it is there for words, or is over.
#[derive(Debug, PartialEq)]
pub struct Normal {
    due: Vec<NormalDue>,
    rooms: Vec<(Room, bool, Vec<Deployment>, Vec<Install>)>,
}

impl Normal {
    pub fn of(slice: &Slice) -> Self {
        let is_live = |update: &UpdateId| {
            slice
                .rollouts
                .get(update)
                .is_some_and(domain::rollout::Rollout::is_live)
        };
        let due = slice.due.iter().map(|due| {
            let running = slice
                .rollouts
                .get(&due.update)
                .is_some_and(|rollout| rollout.state == RolloutState::Running);
            let mut zones = due.zones.clone();
            zones.sort();
            let candidates = due.candidates.clone();
            let (zones, candidates) = if running {
                (zones, candidates)
            } else {
                (Vec::new(), Vec::new())
            };
            (due.update, due.ring, zones, candidates, due.placement_batch.clone())
        });
        let rooms = slice.rooms.iter().map(|due| {
            let counts = |deployment: &&Deployment| {
                let over = matches!(
                    deployment.state,
                    DeploymentState::Completed { .. } | DeploymentState::Withdrawn { .. }
                );
                let is_busy = || {
                    due.installs
                        .iter()
                        .any(|install| install.deployment == deployment.id && install.is_open())
                };
                !over || is_live(&deployment.update) || is_busy()
            };
            let mut deployments: Vec<Deployment> = due.deployments.iter().filter(counts).cloned().collect();
            deployments.sort_by_key(|deployment| deployment.id);
            let of = |install: &&Install| deployments.iter().any(|deployment| deployment.id == install.deployment);
            let mut installs: Vec<Install> = due.installs.iter().filter(of).cloned().collect();
            installs.sort_by_key(|install| install.action);
            (due.room.clone(), due.recheck, deployments, installs)
        });
        let mut normal = Self {
            due: due.collect(),
            rooms: rooms.collect(),
        };
        normal.due.sort_by_key(|(update, ..)| *update);
        normal
    }
}
