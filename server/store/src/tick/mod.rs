//! The tick's side of the store: what is due.
//!
//! Cost follows the work due: every query here starts from an index on "when", or from the ids that such a query gave. Nothing is written
//! here: see `apply.rs`. Start with [`Tx::due`]. `rings.rs` has what a ring's entry is decided with, `rooms.rs` what a room is.

mod rings;
mod rooms;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::deployment::Deployment;
use domain::fleet::{self, DueRoom, Slice};
use domain::ids::{DeploymentId, RoomId, UpdateId};
use domain::install::Install;
use domain::rollout::{Rollout, RolloutState};
use domain::room::Room;
use domain::settings::Organisation;
use domain::update::Update;
use uuid::Uuid;

use crate::dialect;
use crate::error::Result;
use crate::rows::{instant, micros};
use crate::tick::rings::SharedFacts;
use crate::tx::{Inner, Tx, each};

/// How much one transaction of a tick looks at.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub rollouts: i64,
    pub rooms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rollouts: 4,
            rooms: 200,
        }
    }
}

/// A slice, with the rechecks that it has seen.
pub struct DueSlice {
    /// What the planner looks at.
    pub slice: Slice,
    /// Rows of the rechecks whose rooms are in the slice.
    pub rechecks: Vec<(i64, RoomId)>,
}

impl Tx {
    /// Takes the right to plan in this transaction; `false`: another process has it.
    pub async fn try_tick_lock(&mut self) -> Result<bool> {
        match &mut self.inner {
            // BEGIN IMMEDIATE holds the write lock already.
            Inner::Sqlite(_) => Ok(true),
            Inner::Postgres(transaction) => Ok(sqlx::query_scalar(dialect::TICK_LOCK_POSTGRES)
                .fetch_one(&mut **transaction)
                .await?),
        }
    }

    /// The first instant at which something is due; `None`: nothing, unless something happens.
    pub async fn next_due(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        const FIRST_RECHECK: &str = "SELECT MIN(due_at) FROM marks";
        const ROLLOUTS: &str = "SELECT MIN(next_at) FROM rollouts WHERE next_at IS NOT NULL";
        const DEPLOYMENTS: &str = "SELECT MIN(next_at) FROM deployments WHERE next_at IS NOT NULL";
        let first_recheck: Option<i64> = each!(self, c => sqlx::query_scalar(FIRST_RECHECK).fetch_one(c).await)?;
        if first_recheck.is_some_and(|at| at <= micros(now)) {
            return Ok(Some(now));
        }
        let rollouts: Option<i64> = each!(self, c => sqlx::query_scalar(ROLLOUTS).fetch_one(c).await)?;
        let deployments: Option<i64> = each!(self, c => sqlx::query_scalar(DEPLOYMENTS).fetch_one(c).await)?;
        let checks = self.next_check().await?;
        let all = rollouts.into_iter().chain(deployments).chain(first_recheck);
        let first = all.chain(checks.map(|at| at.max(micros(now)))).min();
        first.map(|at| instant("deployments", "next_at", at)).transpose()
    }

    /// What can change by `now`, at most `limits` of it; `None`: nothing.
    pub async fn due(
        &mut self,
        organisation: &Organisation,
        now: DateTime<Utc>,
        limits: Limits,
    ) -> Result<Option<DueSlice>> {
        const ROLLOUTS: &str =
            "SELECT update_id FROM rollouts WHERE next_at <= $1 ORDER BY next_at, update_id LIMIT $2";
        const ROOMS: &str = "SELECT room_id FROM deployments WHERE next_at <= $1 ORDER BY next_at, room_id LIMIT $2";
        const RECHECKS: &str = "SELECT id, room_id FROM marks WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2";
        let at = micros(now);
        let due: Vec<Uuid> =
            each!(self, c => sqlx::query_scalar(ROLLOUTS).bind(at).bind(limits.rollouts).fetch_all(c).await)?;
        let rechecks: Vec<(i64, Uuid)> =
            each!(self, c => sqlx::query_as(RECHECKS).bind(at).bind(limits.rooms).fetch_all(c).await)?;
        let rooms: Vec<Uuid> =
            each!(self, c => sqlx::query_scalar(ROOMS).bind(at).bind(limits.rooms).fetch_all(c).await)?;
        if due.is_empty() && rechecks.is_empty() && rooms.is_empty() {
            return Ok(None);
        }
        let recheck_rooms: BTreeSet<RoomId> = rechecks.iter().map(|(_, room)| RoomId(*room)).collect();
        let room_ids: BTreeSet<RoomId> = rooms
            .into_iter()
            .map(RoomId)
            .chain(recheck_rooms.iter().copied())
            .collect();
        let due: Vec<UpdateId> = due.into_iter().map(UpdateId).collect();
        let slice = self.slice(organisation, now, &due, &room_ids, &recheck_rooms).await?;
        Ok(Some(DueSlice {
            slice,
            rechecks: rechecks.into_iter().map(|(id, room)| (id, RoomId(room))).collect(),
        }))
    }

    /// Adds what counts beside the rollouts that are looked at: what supersedes one of them, even when it is through (S9), and releases
    /// that are steps on a way (S8).
    async fn add_beside(
        &mut self,
        due: &[UpdateId],
        updates: &mut BTreeMap<UpdateId, Update>,
        rollouts: &mut BTreeMap<UpdateId, Rollout>,
    ) -> Result<()> {
        let newer = rollouts
            .values()
            .flat_map(|rollout| rollout.superseded_by.iter().copied());
        let newer: Vec<UpdateId> = newer.filter(|id| !rollouts.contains_key(id)).collect();
        rollouts.extend(self.rollouts(&newer).await?);
        let mut more = self.steps_to(updates).await?;
        more.extend(newer);
        // Rooms on their way to any release of a product may wait for a step whose pause ends now, also where that rollout is over.
        for id in due {
            let is_paused = rollouts
                .get(id)
                .is_some_and(|rollout| matches!(rollout.state, RolloutState::Paused { .. }));
            if let (true, Some(step)) = (is_paused, updates.get(id)) {
                more.extend(self.releases_of(&step.product).await?);
            }
        }
        more.retain(|id| !updates.contains_key(id));
        updates.extend(self.updates(&more).await?);
        Ok(())
    }

    async fn slice(
        &mut self,
        organisation: &Organisation,
        now: DateTime<Utc>,
        due: &[UpdateId],
        room_ids: &BTreeSet<RoomId>,
        rechecks: &BTreeSet<RoomId>,
    ) -> Result<Slice> {
        let rings = self.rings().await?;
        let room_ids: Vec<RoomId> = room_ids.iter().copied().collect();
        let rooms = self.rooms(&room_ids).await?;
        let freezes = self.freezes().await?;
        let missed = self.missed_updates(rechecks).await?;
        let mut deployments = self.planning_deployments(&room_ids, &missed, now).await?;
        let mut installs = self.planning_installs(&deployments).await?;

        let mut update_ids: BTreeSet<UpdateId> = self.live_rollouts().await?.into_iter().collect();
        update_ids.extend(due);
        update_ids.extend(missed);
        update_ids.extend(deployments.values().flatten().map(|deployment| deployment.update));
        let update_ids: Vec<UpdateId> = update_ids.into_iter().collect();
        let mut updates = self.updates(&update_ids).await?;
        let mut rollouts = self.rollouts(&update_ids).await?;
        self.add_beside(due, &mut updates, &mut rollouts).await?;

        let shared = SharedFacts {
            organisation,
            rings: &rings,
            freezes: &freezes,
        };
        let mut due_rollouts = Vec::with_capacity(due.len());
        for id in due {
            if let (Some(rollout), Some(update)) = (rollouts.get(id), updates.get(id)) {
                let ring = rollout.ring_to_fill(&rings);
                due_rollouts.push(self.due_rollout(rollout, update, ring, &shared, now).await?);
            }
        }
        let due_rooms = rooms
            .into_iter()
            .map(|room| due_room(room, rechecks, &mut deployments, &mut installs))
            .collect();
        Ok(Slice {
            organisation: organisation.clone(),
            rings,
            freezes,
            updates,
            rollouts,
            due: due_rollouts,
            rooms: due_rooms,
            batch: fleet::MOST_NEW_DEPLOYMENTS,
        })
    }
}

fn due_room(
    room: Room,
    rechecks: &BTreeSet<RoomId>,
    deployments: &mut BTreeMap<RoomId, Vec<Deployment>>,
    installs: &mut BTreeMap<DeploymentId, Vec<Install>>,
) -> DueRoom {
    let deployments = deployments.remove(&room.id).unwrap_or_default();
    let installs = deployments
        .iter()
        .flat_map(|deployment| installs.remove(&deployment.id).unwrap_or_default())
        .collect();
    DueRoom {
        recheck: rechecks.contains(&room.id),
        room,
        deployments,
        installs,
    }
}
