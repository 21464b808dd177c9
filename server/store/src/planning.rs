//! The tick's side of the store: what is due, and a plan's rows.
//!
//! Cost follows the work due: every query here starts from an index on "when", or from the ids that such a query gave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::deployment::Deployment;
use domain::fleet::{Candidate, DueRollout, DueRoom, Slice};
use domain::ids::{DeploymentId, ProductId, RingId, RoomId, UpdateId};
use domain::install::Install;
use domain::planner::Plan;
use domain::rollout::Rollout;
use domain::room::{Hold, Room};
use domain::settings::Organisation;
use domain::update::Update;
use uuid::Uuid;

use crate::deployments::{DEPLOYMENT_COLUMNS, DeploymentRow, INSTALL_COLUMNS, InstallRow};
use crate::dialect;
use crate::error::Result;
use crate::rooms::{ids_in, zone_of};
use crate::rows::{instant, micros};
use crate::tx::{Inner, Tx, each};

/// How much one transaction of a tick looks at.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rollouts.
    pub rollouts: i64,
    /// Rooms.
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

/// A slice, with the marks that it has seen.
pub struct Due {
    /// What the planner looks at.
    pub slice: Slice,
    /// Rows of the marks whose rooms are in the slice.
    pub marks: Vec<(i64, RoomId)>,
}

impl Tx {
    /// Takes the right to plan in this transaction; `false`: another process has it.
    ///
    /// # Errors
    /// The database fails.
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
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_due(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        const MARKED: &str = "SELECT MIN(due_at) FROM marks";
        const ROLLOUTS: &str = "SELECT MIN(next_at) FROM rollouts WHERE next_at IS NOT NULL";
        const DEPLOYMENTS: &str = "SELECT MIN(next_at) FROM deployments WHERE next_at IS NOT NULL";
        let marked: Option<i64> = each!(self, c => sqlx::query_scalar(MARKED).fetch_one(c).await)?;
        if marked.is_some_and(|at| at <= micros(now)) {
            return Ok(Some(now));
        }
        let rollouts: Option<i64> = each!(self, c => sqlx::query_scalar(ROLLOUTS).fetch_one(c).await)?;
        let deployments: Option<i64> = each!(self, c => sqlx::query_scalar(DEPLOYMENTS).fetch_one(c).await)?;
        let first = rollouts.into_iter().chain(deployments).chain(marked).min();
        first.map(|at| instant("deployments", "next_at", at)).transpose()
    }

    /// What can change by `now`, at most `limits` of it; `None`: nothing.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn due(
        &mut self,
        organisation: &Organisation,
        now: DateTime<Utc>,
        limits: Limits,
    ) -> Result<Option<Due>> {
        const ROLLOUTS: &str =
            "SELECT update_id FROM rollouts WHERE next_at <= $1 ORDER BY next_at, update_id LIMIT $2";
        const ROOMS: &str = "SELECT room_id FROM deployments WHERE next_at <= $1 ORDER BY next_at, room_id LIMIT $2";
        const MARKS: &str = "SELECT id, room_id FROM marks WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2";
        let at = micros(now);
        let due: Vec<Uuid> =
            each!(self, c => sqlx::query_scalar(ROLLOUTS).bind(at).bind(limits.rollouts).fetch_all(c).await)?;
        let marks: Vec<(i64, Uuid)> =
            each!(self, c => sqlx::query_as(MARKS).bind(at).bind(limits.rooms).fetch_all(c).await)?;
        let rooms: Vec<Uuid> =
            each!(self, c => sqlx::query_scalar(ROOMS).bind(at).bind(limits.rooms).fetch_all(c).await)?;
        if due.is_empty() && marks.is_empty() && rooms.is_empty() {
            return Ok(None);
        }
        let marked: BTreeSet<RoomId> = marks.iter().map(|(_, room)| RoomId(*room)).collect();
        let room_ids: BTreeSet<RoomId> = rooms.into_iter().map(RoomId).chain(marked.iter().copied()).collect();
        let due: Vec<UpdateId> = due.into_iter().map(UpdateId).collect();
        let slice = self.slice(organisation, now, &due, &room_ids, &marked).await?;
        Ok(Some(Due {
            slice,
            marks: marks.into_iter().map(|(id, room)| (id, RoomId(room))).collect(),
        }))
    }

    async fn slice(
        &mut self,
        organisation: &Organisation,
        now: DateTime<Utc>,
        due: &[UpdateId],
        room_ids: &BTreeSet<RoomId>,
        marked: &BTreeSet<RoomId>,
    ) -> Result<Slice> {
        let rings = self.rings().await?;
        let room_ids: Vec<RoomId> = room_ids.iter().copied().collect();
        let rooms = self.rooms(&room_ids).await?;
        let freezes = self.freezes().await?;
        let mut deployments = self.planning_deployments(&room_ids, now).await?;
        let mut installs = self.planning_installs(&deployments).await?;

        let mut update_ids: BTreeSet<UpdateId> = self.live_rollouts().await?.into_iter().collect();
        update_ids.extend(due);
        update_ids.extend(deployments.values().flatten().map(|deployment| deployment.update));
        let update_ids: Vec<UpdateId> = update_ids.into_iter().collect();
        let mut updates = self.updates(&update_ids).await?;
        let mut rollouts = self.rollouts(&update_ids).await?;
        // What supersedes one of them counts even when it is through (S9), and releases that are steps on a way (S8).
        let newer = rollouts
            .values()
            .flat_map(|rollout| rollout.superseded_by.iter().copied());
        let newer: Vec<UpdateId> = newer.filter(|id| !rollouts.contains_key(id)).collect();
        rollouts.extend(self.rollouts(&newer).await?);
        let mut more = self.steps_to(&updates).await?;
        more.extend(newer);
        more.retain(|id| !updates.contains_key(id));
        updates.extend(self.updates(&more).await?);

        let mut due_rollouts = Vec::with_capacity(due.len());
        for id in due {
            if let (Some(rollout), Some(update)) = (rollouts.get(id), updates.get(id)) {
                let ring = rollout.ring_to_fill(&rings);
                due_rollouts.push(self.due_rollout(rollout, update, ring, now).await?);
            }
        }
        let due_rooms = rooms
            .into_iter()
            .map(|room| due_room(room, marked, &mut deployments, &mut installs))
            .collect();
        Ok(Slice {
            organisation: organisation.clone(),
            rings,
            freezes,
            updates,
            rollouts,
            due: due_rollouts,
            rooms: due_rooms,
        })
    }

    /// What `planner::rooms` looks at: everything that is unfinished or has failed, all of live rollouts, and whatever still has
    /// an open install, for that keeps its device busy (law D).
    ///
    /// And what has lately been completed: whether another update had a window (S7) is told by its installs.
    async fn planning_deployments(
        &mut self,
        rooms: &[RoomId],
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<RoomId, Vec<Deployment>>> {
        let lately = micros(now - chrono::TimeDelta::days(60));
        let mut by_room: BTreeMap<RoomId, Vec<Deployment>> = BTreeMap::new();
        if rooms.is_empty() {
            return Ok(by_room);
        }
        let rows: Vec<DeploymentRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(DEPLOYMENT_COLUMNS).push(" FROM deployments WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(
                " AND (state IN ('waiting', 'open', 'failed')
                    OR ended_at > ",
            );
            query.push_bind(lately);
            query.push(
                " OR update_id IN (SELECT update_id FROM rollouts WHERE state IN ('running', 'paused'))
                    OR EXISTS (SELECT 1 FROM installs i WHERE i.deployment_id = deployments.id
                        AND i.state IN ('planned', 'started', 'installed')))
                ORDER BY room_id, id",
            );
            query.build_query_as().fetch_all(c).await
        })?;
        for row in rows {
            let deployment = row.into_domain()?;
            by_room.entry(deployment.room).or_default().push(deployment);
        }
        Ok(by_room)
    }

    /// The installs of the current attempt of these deployments, and every open one.
    async fn planning_installs(
        &mut self,
        deployments: &BTreeMap<RoomId, Vec<Deployment>>,
    ) -> Result<BTreeMap<DeploymentId, Vec<Install>>> {
        let mut by_deployment: BTreeMap<DeploymentId, Vec<Install>> = BTreeMap::new();
        let all: Vec<&Deployment> = deployments.values().flatten().collect();
        for batch in all.chunks(1000) {
            let rows: Vec<InstallRow> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT ");
                query.push(INSTALL_COLUMNS).push(" FROM installs WHERE deployment_id IN (");
                ids_in(&mut query, batch.iter().map(|deployment| deployment.id.0));
                query.push(" ORDER BY deployment_id, action_id");
                query.build_query_as().fetch_all(c).await
            })?;
            let attempts: BTreeMap<DeploymentId, u32> = batch
                .iter()
                .map(|deployment| (deployment.id, deployment.attempt))
                .collect();
            for row in rows {
                let install = row.into_domain()?;
                if install.is_open() || attempts.get(&install.deployment) == Some(&install.attempt) {
                    by_deployment.entry(install.deployment).or_default().push(install);
                }
            }
        }
        Ok(by_deployment)
    }

    async fn due_rollout(
        &mut self,
        rollout: &Rollout,
        update: &Update,
        ring: Option<RingId>,
        now: DateTime<Utc>,
    ) -> Result<DueRollout> {
        const ZONES: &str = "SELECT DISTINCT zone FROM rooms WHERE ring_id = $1 AND state <> 'retired' ORDER BY zone";
        const ALL_ZONES: &str = "SELECT DISTINCT zone FROM rooms WHERE state <> 'retired' ORDER BY zone";
        let (mut zones, mut candidates) = (Vec::new(), Vec::new());
        if let Some(ring) = ring.filter(|_| matches!(rollout.state, domain::rollout::RolloutState::Running)) {
            let names: Vec<String> = match ring {
                RingId::ALL_ROOMS => each!(self, c => sqlx::query_scalar(ALL_ZONES).fetch_all(c).await)?,
                ring => each!(self, c => sqlx::query_scalar(ZONES).bind(ring.0).fetch_all(c).await)?,
            };
            for name in names {
                zones.push(zone_of("rooms", "zone", &name)?);
            }
            candidates = self.candidates(rollout, update, ring, now).await?;
        }
        Ok(DueRollout {
            update: rollout.update,
            ring,
            zones,
            candidates,
        })
    }

    /// The rooms of a ring that its entry gives a night (S1, S6): applicable and kept away by nothing, or placed already.
    async fn candidates(
        &mut self,
        rollout: &Rollout,
        update: &Update,
        ring: RingId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Candidate>> {
        const OF_ROOMS: &str =
            "SELECT r.id, r.zone, r.ring_id, d.model, v.text, s.standing, p.id, p.state, p.planned_night, p.ring_id
            FROM rooms r
            JOIN devices d ON d.room_id = r.id AND d.revoked_at IS NULL
            JOIN components c ON c.device_id = d.id AND c.product_id = ";
        type Row = (
            Uuid,
            String,
            Uuid,
            String,
            Option<String>,
            Option<String>,
            Option<Uuid>,
            Option<String>,
            Option<NaiveDate>,
            Option<Uuid>,
        );
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(OF_ROOMS);
            query.push_bind(update.product.0.clone());
            query.push(" LEFT JOIN versions v ON v.id = c.version_id LEFT JOIN standings s ON s.version_id = c.version_id AND s.update_id = ");
            query.push_bind(update.id.0);
            query.push(" LEFT JOIN deployments p ON p.room_id = r.id AND p.update_id = ");
            query.push_bind(update.id.0);
            query.push(" WHERE r.state <> 'retired'");
            if ring != RingId::ALL_ROOMS {
                query.push(" AND r.ring_id = ").push_bind(ring.0);
            }
            query.push(" AND ((p.planned_night IS NOT NULL AND p.ring_id = ").push_bind(ring.0);
            query.push(") OR (r.state = 'managed' AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.room_id = r.id AND b.kind = ");
            query.push_bind(update.kind.as_str());
            query.push("))) ORDER BY r.id, d.position, d.id");
            query.build_query_as().fetch_all(c).await
        })?;
        let freezes = self.freezes_in_ring(ring).await?;
        let held = self.held_in_ring(ring, &update.product).await?;
        let entered = rollout.stage(ring).is_some();
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut has_its_device: Option<Uuid> = None;
        for (room, zone, of_ring, model, version, standing, existing, state, planned_night, counts_in) in rows {
            if has_its_device == Some(room) {
                continue;
            }
            let zone = zone_of("rooms", room, &zone)?;
            let withdrawn = existing
                .filter(|_| state.as_deref() == Some("withdrawn"))
                .map(DeploymentId);
            let has_one = existing.is_some() && withdrawn.is_none();
            let placed = entered && planned_night.is_some() && counts_in == Some(ring.0);
            let fits = update.fits(&model);
            let applies = fits
                && match standing.as_deref() {
                    Some("below" | "needs_first") => true,
                    Some(_) => false,
                    None => version.is_none() && update.applies_to_unknown,
                };
            let is_held = || {
                let today = zone.date(now);
                held.get(&room)
                    .is_some_and(|holds| holds.iter().any(|hold| hold.since <= today && today <= hold.until))
            };
            let is_candidate = placed || (!has_one && applies && !is_held());
            if !is_candidate {
                continue;
            }
            let candidate = Candidate {
                room: RoomId(room),
                model,
                ring: RingId(of_ring),
                zone,
                from_version: version,
                placed,
                withdrawn,
                freezes: freezes.get(&room).cloned().unwrap_or_default(),
            };
            // The first device that fits speaks for its room; of a room that has its night, any device if none fits any more.
            has_its_device = applies.then_some(room);
            match candidates.last_mut() {
                Some(last) if last.room == candidate.room => {
                    if applies {
                        *last = candidate;
                    }
                }
                Some(_) | None => candidates.push(candidate),
            }
        }
        Ok(candidates)
    }

    async fn held_in_ring(&mut self, ring: RingId, product: &ProductId) -> Result<BTreeMap<Uuid, Vec<Hold>>> {
        type Row = (Uuid, String, String, NaiveDate, NaiveDate);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT h.room_id, h.owner, h.reason, h.since, h.until FROM holds h JOIN rooms r ON r.id = h.room_id
                WHERE (h.product_id IS NULL OR h.product_id = ",
            );
            query.push_bind(product.0.clone());
            query.push(")");
            if ring != RingId::ALL_ROOMS {
                query.push(" AND r.ring_id = ").push_bind(ring.0);
            }
            query.push(" ORDER BY h.room_id, h.since");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Hold>> = BTreeMap::new();
        for (room, owner, reason, since, until) in rows {
            by_room.entry(room).or_default().push(Hold {
                product: None,
                owner,
                reason,
                since,
                until,
            });
        }
        Ok(by_room)
    }

    /// Writes a plan's rows.
    ///
    /// # Errors
    /// The database fails, or a law would be broken.
    pub async fn apply(&mut self, plan: &Plan, marks: &[(i64, RoomId)], now: DateTime<Utc>) -> Result<()> {
        for rollout in &plan.rollouts {
            self.put_rollout(rollout).await?;
        }
        self.put_installs(&plan.installs).await?;
        self.put_deployments(&plan.deployments, now).await?;
        self.add_installs(&plan.new_installs).await?;
        for change in &plan.tickets {
            self.apply_ticket(change, now).await?;
        }
        for (update, at) in &plan.woken {
            self.wake_deployments(*update, *at).await?;
        }
        // A mark that the plan has not dealt with stays for the next round.
        let settled: BTreeSet<RoomId> = plan.settled_rooms.iter().copied().collect();
        let settled: Vec<i64> = marks
            .iter()
            .filter(|(_, room)| settled.contains(room))
            .map(|(id, _)| *id)
            .collect();
        self.delete_marks(&settled).await
    }

    async fn delete_marks(&mut self, marks: &[i64]) -> Result<()> {
        for batch in marks.chunks(500) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("DELETE FROM marks WHERE id IN (");
                let mut separated = query.separated(", ");
                for id in batch {
                    separated.push_bind(*id);
                }
                separated.push_unseparated(")");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }
}

fn due_room(
    room: Room,
    marked: &BTreeSet<RoomId>,
    deployments: &mut BTreeMap<RoomId, Vec<Deployment>>,
    installs: &mut BTreeMap<DeploymentId, Vec<Install>>,
) -> DueRoom {
    let deployments = deployments.remove(&room.id).unwrap_or_default();
    let installs = deployments
        .iter()
        .flat_map(|deployment| installs.remove(&deployment.id).unwrap_or_default())
        .collect();
    DueRoom {
        marked: marked.contains(&room.id),
        room,
        deployments,
        installs,
    }
}
