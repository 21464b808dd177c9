//! The part of a fleet that one plan looks at.
//!
//! The store cuts the same slices with SQL (`server/store/src/tick/mod.rs`). Nothing is decided here. Start with [`Slice`] and
//! [`Fleet::slice`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Fleet;
use crate::deployment::{Deployment, DeploymentState};
use crate::freeze::{Freeze, Freezes};
use crate::ids::{DeploymentId, RingId, RoomId, StageOf, UpdateId};
use crate::install::Install;
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::room::Room;
use crate::settings::Organisation;
use crate::update::Update;
use crate::zone::Zone;

/// What one plan looks at: everything that can change by `now`, and nothing else.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Whose facts they are.
    pub organisation: Organisation,
    /// The rings of today.
    pub rings: RingSequence,
    /// The freezes that move plans (W6).
    pub freezes: Freezes,
    /// Every live update, those of the rooms below, and releases that may be steps to one of them (S8).
    pub updates: BTreeMap<UpdateId, Update>,
    pub rollouts: BTreeMap<UpdateId, Rollout>,
    /// Rollouts whose next instant has come.
    pub due: Vec<DueRollout>,
    /// Rooms with a due deployment, and rooms to recheck.
    pub rooms: Vec<DueRoom>,
    /// At most so many rooms get their night in one plan.
    pub batch: usize,
}

/// A rollout whose next instant has come.
#[derive(Clone, Debug)]
pub struct DueRollout {
    /// Which.
    pub update: UpdateId,
    /// The ring that is being filled or comes next; `None`: it has entered all.
    pub ring: Option<StageOf>,
    /// The zones of all rooms of that ring: a ring counts as entered when the date begins in the easternmost (S5). Empty while
    /// the ring is being filled.
    pub zones: Vec<Zone>,
    /// The rooms of that ring for which the update is applicable and nothing keeps it away, forced ones left out (S6). Read
    /// once, when the ring's date has begun somewhere; empty before that, and while the ring is being filled.
    pub candidates: Vec<Candidate>,
    /// While the ring is being filled: the next rooms in the order of its nights, last position first.
    pub placement_batch: Option<PlacementBatch>,
}

/// The next rooms of a ring that is being filled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacementBatch {
    /// So many positions are dealt with.
    pub taken: u32,
    /// Their rooms, by position; those that are no candidates any more are left out.
    pub rooms: Vec<(u32, Candidate)>,
}

/// The positions that come next in a ring of `rooms` rooms of which `placed` have their night: from the end, so that the first
/// nights come last and wait least for the others.
#[must_use]
pub fn next_positions(rooms: u32, placed: u32, batch: usize) -> std::ops::Range<u32> {
    let left = rooms.saturating_sub(placed);
    left.saturating_sub(u32::try_from(batch).unwrap_or(u32::MAX))..left
}

/// A room that a ring's entry gives a night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub room: RoomId,
    /// The model of its first matching device.
    pub model: String,
    pub ring: RingId,
    pub zone: Zone,
    pub from_version: Option<String>,
    /// A deployment that was withdrawn and is to be used again, and its attempt.
    pub withdrawn: Option<(DeploymentId, u32)>,
    /// [`Room::freezes`].
    pub freezes: Vec<Freeze>,
}

/// A room that the planner must look at, with everything open in it.
#[derive(Clone, Debug)]
pub struct DueRoom {
    pub room: Room,
    /// Its facts have changed.
    pub recheck: bool,
    /// Its deployments that are not over and done with, and the failed and withdrawn ones of rollouts that are not deprecated.
    pub deployments: Vec<Deployment>,
    /// Their installs of the current attempt, and every open one.
    pub installs: Vec<Install>,
}

impl Fleet {
    /// What is due at `now`; `None`: nothing.
    #[must_use]
    pub fn slice(&self, now: DateTime<Utc>) -> Option<Slice> {
        let due: Vec<DueRollout> = self
            .rollouts
            .values()
            .filter(|rollout| rollout.next_at.is_some_and(|at| at <= now))
            .map(|rollout| self.due_rollout(rollout, now))
            .collect();
        let rechecks = self.rechecks_by(now);
        let mut rooms = rechecks.clone();
        for deployment in self.deployments.values() {
            if deployment.next_at.is_some_and(|at| at <= now) {
                rooms.insert(deployment.room);
            }
        }
        if due.is_empty() && rooms.is_empty() {
            return None;
        }
        Some(Slice {
            organisation: self.organisation.clone(),
            rings: self.rings.clone(),
            freezes: self.freezes.clone(),
            updates: self.updates.clone(),
            rollouts: self.rollouts.clone(),
            due,
            rooms: rooms
                .iter()
                .filter_map(|room| self.due_room(*room, &rechecks))
                .collect(),
            batch: self.batch,
        })
    }

    /// Rooms to recheck by `now`.
    fn rechecks_by(&self, now: DateTime<Utc>) -> BTreeSet<RoomId> {
        let by_now = self
            .rechecks_at
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, room)| *room);
        self.rechecks.iter().copied().chain(by_now).collect()
    }

    fn due_room(&self, id: RoomId, rechecks: &BTreeSet<RoomId>) -> Option<DueRoom> {
        let room = self.rooms.get(&id)?.clone();
        let deployments: Vec<Deployment> = self
            .deployments
            .values()
            .filter(|deployment| deployment.room == id)
            .cloned()
            .collect();
        let installs = self
            .installs
            .values()
            .filter(|install| {
                let of = deployments
                    .iter()
                    .find(|deployment| deployment.id == install.deployment);
                of.is_some_and(|deployment| install.attempt == deployment.attempt || install.is_open())
            })
            .cloned()
            .collect();
        Some(DueRoom {
            room,
            recheck: rechecks.contains(&id),
            deployments,
            installs,
        })
    }

    fn due_rollout(&self, rollout: &Rollout, now: DateTime<Utc>) -> DueRollout {
        let ring = rollout.ring_to_fill(&self.rings);
        let in_ring = || {
            self.rooms.values().filter(move |room| {
                Some(rollout.ring_of(room.ring)) == ring && room.state != crate::room::RoomState::Retired
            })
        };
        let zones: BTreeSet<Zone> = match rollout.being_filled() {
            Some(_) => BTreeSet::new(),
            None => in_ring().map(|room| room.zone.clone()).collect(),
        };
        let zones: Vec<Zone> = zones.into_iter().collect();
        let update = self.updates.get(&rollout.update);
        let is_entered_now = rollout.enters_by(&self.rings, &self.freezes, &self.organisation.zone, &zones, now);
        let candidates = update.filter(|_| is_entered_now).map_or_else(Vec::new, |update| {
            in_ring().filter_map(|room| self.candidate(update, room, now)).collect()
        });
        let placement_batch = rollout.being_filled().map(|stage| {
            let positions = next_positions(stage.rooms, stage.placed, self.batch);
            let still = |position: u32| {
                let room = self.rooms.get(self.placements.get(&(rollout.update, position))?)?;
                let stays = rollout.ring_of(room.ring) == stage.ring && room.state != crate::room::RoomState::Retired;
                let candidate = self.candidate(update?, room, now).filter(|_| stays)?;
                Some((position, candidate))
            };
            PlacementBatch {
                taken: positions.end - positions.start,
                rooms: positions.filter_map(still).collect(),
            }
        });
        DueRollout {
            update: rollout.update,
            ring,
            zones,
            candidates,
            placement_batch,
        }
    }

    fn candidate(&self, update: &Update, room: &Room, now: DateTime<Utc>) -> Option<Candidate> {
        let existing = self.deployment_of(room.id, update.id);
        let has_one = existing.is_some_and(|deployment| !matches!(deployment.state, DeploymentState::Withdrawn { .. }));
        if has_one || update.exclusion(room, room.zone.date(now)).is_some() {
            return None;
        }
        let device = update.devices_in(room).next()?;
        let withdrawn = existing.map(|deployment| (deployment.id, deployment.attempt));
        let from_version = device
            .component(&update.product)
            .and_then(|component| component.version.clone());
        Some(Candidate {
            room: room.id,
            model: device.model.clone(),
            ring: room.ring,
            zone: room.zone.clone(),
            from_version,
            withdrawn,
            freezes: room.freezes.clone(),
        })
    }
}
