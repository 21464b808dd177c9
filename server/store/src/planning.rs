//! The tick's side of the store: what is due, and a plan's rows.
//!
//! Cost follows the work due: every query here starts from an index on "when", or from the ids that such a query gave.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use domain::changes::{Applied, Changes, FreezeChange, MovedRooms, Placement, Recheck, WakeOf};
use domain::deployment::Deployment;
use domain::fleet::{self, Candidate, DueRollout, DueRoom, PlacementBatch, Slice};
use domain::freeze::Freezes;
use domain::ids::{DeploymentId, ProductId, RingId, RoomId, StageOf, UpdateId};
use domain::install::Install;
use domain::ring::RingSequence;
use domain::rollout::{Rollout, RolloutState, Stage};
use domain::room::{Hold, Room};
use domain::settings::Organisation;
use domain::update::{Update, VersionStanding};
use domain::zone::Zone;
use uuid::Uuid;

use crate::deployments::{DEPLOYMENT_COLUMNS, DeploymentRow, INSTALL_COLUMNS, InstallRow};
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::rooms::{ids_in, zone_of};
use crate::rows::{instant, micros, small, word};
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

/// What counts for every rollout of a slice.
struct SharedFacts<'s> {
    organisation: &'s Organisation,
    rings: &'s RingSequence,
    freezes: &'s Freezes,
}

/// Which rooms are looked at for a ring's entry.
enum EntryRooms {
    /// All of the ring.
    OfRing(StageOf),
    /// Those that have these positions and are still in the ring.
    Placed(StageOf, Range<u32>),
}

/// Rows in one statement.
const BATCH: usize = 2000;

/// A slice, with the rechecks that it has seen.
pub struct DueSlice {
    /// What the planner looks at.
    pub slice: Slice,
    /// Rows of the rechecks whose rooms are in the slice.
    pub rechecks: Vec<(i64, RoomId)>,
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
        const FIRST_RECHECK: &str = "SELECT MIN(due_at) FROM marks";
        const ROLLOUTS: &str = "SELECT MIN(next_at) FROM rollouts WHERE next_at IS NOT NULL";
        const DEPLOYMENTS: &str = "SELECT MIN(next_at) FROM deployments WHERE next_at IS NOT NULL";
        let first_recheck: Option<i64> = each!(self, c => sqlx::query_scalar(FIRST_RECHECK).fetch_one(c).await)?;
        if first_recheck.is_some_and(|at| at <= micros(now)) {
            return Ok(Some(now));
        }
        let rollouts: Option<i64> = each!(self, c => sqlx::query_scalar(ROLLOUTS).fetch_one(c).await)?;
        let deployments: Option<i64> = each!(self, c => sqlx::query_scalar(DEPLOYMENTS).fetch_one(c).await)?;
        let first = rollouts.into_iter().chain(deployments).chain(first_recheck).min();
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
        ring: Option<StageOf>,
        with: &SharedFacts<'_>,
        now: DateTime<Utc>,
    ) -> Result<DueRollout> {
        const ZONES: &str = "SELECT DISTINCT zone FROM rooms WHERE ring_id = $1 AND state <> 'retired' ORDER BY zone";
        const ALL_ZONES: &str = "SELECT DISTINCT zone FROM rooms WHERE state <> 'retired' ORDER BY zone";
        let mut due = DueRollout {
            update: rollout.update,
            ring,
            zones: Vec::new(),
            candidates: Vec::new(),
            placement_batch: None,
        };
        let Some(ring) = ring.filter(|_| matches!(rollout.state, RolloutState::Running)) else {
            return Ok(due);
        };
        if let Some(stage) = rollout.being_filled() {
            due.placement_batch = Some(self.placement_batch(stage, update, now).await?);
            return Ok(due);
        }
        let names: Vec<String> = match ring {
            StageOf::AllRooms => each!(self, c => sqlx::query_scalar(ALL_ZONES).fetch_all(c).await)?,
            StageOf::Ring(ring) => each!(self, c => sqlx::query_scalar(ZONES).bind(ring.0).fetch_all(c).await)?,
        };
        for name in names {
            due.zones.push(zone_of("rooms", "zone", &name)?);
        }
        if rollout.enters_by(with.rings, with.freezes, &with.organisation.zone, &due.zones, now) {
            let candidates = self.candidates(update, &EntryRooms::OfRing(ring), now).await?;
            due.candidates = candidates.into_iter().map(|(_, candidate)| candidate).collect();
        }
        Ok(due)
    }

    /// The next rooms of a ring that is being filled (S6).
    async fn placement_batch(&mut self, stage: &Stage, update: &Update, now: DateTime<Utc>) -> Result<PlacementBatch> {
        let positions = fleet::next_positions(stage.rooms, stage.placed, fleet::MOST_NEW_DEPLOYMENTS);
        let taken = positions.end - positions.start;
        let mut rooms = Vec::new();
        for (position, candidate) in self
            .candidates(update, &EntryRooms::Placed(stage.ring, positions), now)
            .await?
        {
            let position = position.ok_or_else(|| StoreError::row("placements", candidate.room, "has no position"))?;
            rooms.push((position, candidate));
        }
        rooms.sort_by_key(|(position, _)| *position);
        Ok(PlacementBatch { taken, rooms })
    }

    /// Rooms that a ring's entry gives a night (S1, S6): applicable, kept away by nothing, and without a deployment. By room, each
    /// with its position where it has one.
    async fn candidates(
        &mut self,
        update: &Update,
        rooms: &EntryRooms,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Option<u32>, Candidate)>> {
        type Row = (
            Uuid,
            String,
            Uuid,
            String,
            Option<Uuid>,
            Option<Uuid>,
            Option<i64>,
            Option<i64>,
        );
        let (EntryRooms::OfRing(ring) | EntryRooms::Placed(ring, _)) = *rooms;
        let rows: Vec<Row> = each!(self, c => {
            // From the rooms to their devices, and not from all devices that have the product: `CROSS JOIN` keeps SQLite to that.
            let mut query = sqlx::QueryBuilder::new("SELECT r.id, r.zone, r.ring_id, d.model, c.version_id, p.id, p.attempt, ");
            query.push(match rooms {
                EntryRooms::OfRing(_) => "CAST(NULL AS BIGINT) FROM rooms r",
                EntryRooms::Placed(..) => "l.position FROM placements l CROSS JOIN rooms r",
            });
            query.push(" CROSS JOIN devices d CROSS JOIN components c LEFT JOIN deployments p ON p.room_id = r.id AND p.update_id = ");
            query.push_bind(update.id.0);
            query.push(" WHERE ");
            if let EntryRooms::Placed(_, positions) = rooms {
                query.push("l.update_id = ").push_bind(update.id.0);
                query.push(" AND l.position >= ").push_bind(i64::from(positions.start));
                query.push(" AND l.position < ").push_bind(i64::from(positions.end));
                query.push(" AND r.id = l.room_id AND ");
            }
            query.push("r.state = 'managed' AND d.room_id = r.id AND d.revoked_at IS NULL AND c.device_id = d.id AND c.product_id = ");
            query.push_bind(update.product.0.clone());
            query.push(" AND (p.id IS NULL OR p.state = 'withdrawn')");
            if let StageOf::Ring(ring) = ring {
                query.push(" AND r.ring_id = ").push_bind(ring.0);
            }
            query.push(" AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.room_id = r.id AND b.kind = ");
            query.push_bind(update.kind.as_str());
            query.push(") ORDER BY r.id, d.position, d.id");
            query.build_query_as().fetch_all(c).await
        })?;
        let versions = self.standings_of(update).await?;
        let freezes = self.freezes_in_ring(ring).await?;
        let held = self.held_in_ring(ring, &update.product).await?;
        let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
        let mut candidates: Vec<(Option<u32>, Candidate)> = Vec::new();
        for (room, zone_name, of_ring, model, version, withdrawn, attempt, position) in rows {
            // The first device that fits speaks for its room.
            let is_there = candidates.last().is_some_and(|(_, last)| last.room == RoomId(room));
            if is_there || !update.fits(&model) {
                continue;
            }
            let from_version = match version.map(|version| versions.get(&version)) {
                Some(Some((text, Some(VersionStanding::Below | VersionStanding::NeedsFirst)))) => Some(text.clone()),
                Some(_) => continue,
                None if update.applies_to_unknown => None,
                None => continue,
            };
            let zone = match zones.get(&zone_name) {
                Some(zone) => zone.clone(),
                None => {
                    let zone = zone_of("rooms", room, &zone_name)?;
                    zones.insert(zone_name, zone.clone());
                    zone
                }
            };
            let is_held = held.get(&room).is_some_and(|holds| {
                let today = zone.date(now);
                holds.iter().any(|hold| hold.since <= today && today <= hold.until)
            });
            if is_held {
                continue;
            }
            let withdrawn = match (withdrawn, attempt) {
                (Some(id), Some(attempt)) => Some((DeploymentId(id), small("deployments", id, attempt)?)),
                (Some(_) | None, _) => None,
            };
            let position = position
                .map(|position| small("placements", room, position))
                .transpose()?;
            let candidate = Candidate {
                room: RoomId(room),
                model,
                ring: RingId(of_ring),
                zone,
                from_version,
                withdrawn,
                freezes: freezes.get(&room).cloned().unwrap_or_default(),
            };
            candidates.push((position, candidate));
        }
        Ok(candidates)
    }

    /// The known versions of an update's product, each with how it stands to the update.
    async fn standings_of(&mut self, update: &Update) -> Result<BTreeMap<Uuid, (String, Option<VersionStanding>)>> {
        const SQL: &str = "SELECT v.id, v.text, s.standing FROM versions v
            LEFT JOIN standings s ON s.version_id = v.id AND s.update_id = $1
            WHERE v.product_id = $2 ORDER BY v.id";
        let rows: Vec<(Uuid, String, Option<String>)> = each!(self, c => sqlx::query_as(SQL)
            .bind(update.id.0)
            .bind(&update.product.0)
            .fetch_all(c)
            .await)?;
        let mut versions = BTreeMap::new();
        for (id, text, standing) in rows {
            let standing = standing.map(|standing| word("standings", id, &standing, VersionStanding::from_word));
            versions.insert(id, (text, standing.transpose()?));
        }
        Ok(versions)
    }

    /// Keeps the order of nights of a large ring (S6): all of one update.
    async fn put_placements(&mut self, placements: &[Placement]) -> Result<()> {
        // Several rollouts may enter large rings in one plan.
        let of_one_update = placements.chunk_by(|one, next| one.update == next.update);
        for batch in of_one_update.flat_map(|of_one| of_one.chunks(BATCH)) {
            let update = batch[0].update;
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO placements (update_id, position, room_id) SELECT ");
                query.push_bind(update.0).push(", column1, column2 FROM (");
                query.push_values(batch, |mut row, placement| {
                    row.push_bind(i64::from(placement.position)).push_bind(placement.room.0);
                });
                query.push(") AS placed");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    async fn delete_placements(&mut self, update: UpdateId) -> Result<()> {
        const SQL: &str = "DELETE FROM placements WHERE update_id = $1";
        each!(self, c => sqlx::query(SQL).bind(update.0).execute(c).await.map(drop))?;
        Ok(())
    }

    async fn held_in_ring(&mut self, ring: StageOf, product: &ProductId) -> Result<BTreeMap<Uuid, Vec<Hold>>> {
        type Row = (Uuid, String, String, NaiveDate, NaiveDate);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT h.room_id, h.owner, h.reason, h.since, h.until FROM holds h JOIN rooms r ON r.id = h.room_id
                WHERE (h.product_id IS NULL OR h.product_id = ",
            );
            query.push_bind(product.0.clone());
            query.push(")");
            if let StageOf::Ring(ring) = ring {
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

    /// Writes changes. `rechecks`: those that the planner was given, by their ids.
    ///
    /// # Errors
    /// The database fails, or a law would be broken.
    pub async fn apply(
        &mut self,
        changes: &Changes,
        rechecks: &[(i64, RoomId)],
        now: DateTime<Utc>,
    ) -> Result<Applied> {
        let mut applied = Applied::default();
        self.apply_estate(changes, &mut applied).await?;
        for new in &changes.new_rollouts {
            self.add_rollout(&new.rollout, &new.by).await?;
        }
        for rollout in &changes.rollouts {
            self.put_rollout(rollout).await?;
        }
        self.put_placements(&changes.placements).await?;
        for update in &changes.fully_placed {
            self.delete_placements(*update).await?;
        }
        self.put_installs(&changes.installs).await?;
        self.place_deployments(&changes.placed, now).await?;
        self.put_deployments(&changes.deployments, now).await?;
        self.add_installs(&changes.new_installs).await?;
        for change in &changes.tickets {
            self.apply_ticket(change, now).await?;
        }
        for moved in &changes.moved_nights {
            applied.moved_nights += self.move_nights(moved).await?;
        }
        for stop in &changes.stops {
            applied.stops += self.stop(stop).await?;
        }
        for taken in &changes.taken_back {
            self.take_back(taken).await?;
        }
        for wake in &changes.woken {
            match wake.what {
                WakeOf::Update(update) => self.wake_deployments(update, wake.at).await?,
                WakeOf::UnderFinished(ring) => self.wake_under_finished(ring, wake.at).await?,
                WakeOf::Rollouts => self.wake_rollouts(wake.at).await?,
            }
        }
        // A recheck that the plan has not done stays for the next round.
        let settled: BTreeSet<RoomId> = changes.rechecked_rooms.iter().copied().collect();
        let settled: Vec<i64> = rechecks
            .iter()
            .filter(|(_, room)| settled.contains(room))
            .map(|(id, _)| *id)
            .collect();
        self.delete_rechecks(&settled).await?;
        Ok(applied)
    }

    /// What people set: the organisation, rings, freezes, the rings of rooms, and what they say of releases.
    async fn apply_estate(&mut self, changes: &Changes, applied: &mut Applied) -> Result<()> {
        if let Some(organisation) = &changes.organisation {
            self.put_organisation(organisation).await?;
        }
        for change in &changes.freezes {
            match change {
                FreezeChange::Made { scope, freeze } => self.add_freeze(*scope, freeze).await?,
                FreezeChange::Lifted { id, last } => self.shorten_freeze(*id, *last).await?,
            }
        }
        if changes.rings.is_some() {
            self.lock_rings().await?;
        }
        for MovedRooms { rooms, from, to } in &changes.moved_rooms {
            applied.moved_rooms += match rooms {
                Some(rooms) => {
                    let moved = self.move_rooms(rooms, *from, *to).await?;
                    self.recheck_all(rooms.iter().copied()).await?;
                    moved
                }
                None => self.move_all_rooms(*from, *to).await?,
            };
        }
        if let Some(rings) = &changes.rings {
            self.put_rings(rings).await?;
        }
        for acknowledged in &changes.acknowledged {
            self.acknowledge(acknowledged).await?;
        }
        for release in &changes.recalled {
            self.recall_release(*release).await?;
        }
        for recheck in &changes.rechecks {
            match recheck {
                Recheck::Ring(ring) => self.recheck_ring(*ring).await?,
                Recheck::Site(site) => self.recheck_site(*site).await?,
                Recheck::Room(room) => self.recheck(*room).await?,
            }
        }
        Ok(())
    }

    async fn delete_rechecks(&mut self, rechecks: &[i64]) -> Result<()> {
        for batch in rechecks.chunks(500) {
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
