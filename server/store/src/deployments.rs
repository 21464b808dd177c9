//! Deployments: rows to values and back, with their counts.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::deployment::{Deployment, DeploymentState, Failure, FallBacks, Force, Night, Withdrawal};
use domain::ids::{DeploymentId, RoomId, StageOf, UpdateId};
use domain::rollout::Counts;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::rows::{
    ids_in, micros, needed, opt_instant, opt_micros, reason, reason_facts, small, stage_id, stage_of, word,
};
use crate::tx::{Tx, each};

#[derive(sqlx::FromRow)]
pub(crate) struct DeploymentRow {
    id: Uuid,
    update_id: Uuid,
    room_id: Uuid,
    ring_id: Uuid,
    night: NaiveDate,
    planned_night: Option<NaiveDate>,
    state: String,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    failure: Option<String>,
    withdrawal: Option<String>,
    attempt: i64,
    missed_windows: i64,
    offered_windows: i64,
    crowded_windows: i64,
    catch_up: bool,
    force: Option<String>,
    from_version: Option<String>,
    reason: String,
    next_at: Option<i64>,
    reason_facts: Option<String>,
    fall_backs: Option<String>,
    last_failure: Option<String>,
    tolerated: bool,
    refusals: i64,
}

pub(crate) const DEPLOYMENT_COLUMNS: &str = "id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at, \
    failure, withdrawal, attempt, missed_windows, offered_windows, crowded_windows, catch_up, force, from_version, reason, next_at, \
    reason_facts, fall_backs, last_failure, tolerated, refusals";

impl DeploymentRow {
    pub(crate) fn into_domain(self) -> Result<Deployment> {
        let table = "deployments";
        let id = self.id;
        let ended = || needed(table, id, "the instant of its end", self.ended_at);
        let state = match self.state.as_str() {
            "waiting" => DeploymentState::Waiting,
            "open" => DeploymentState::opened(opt_instant(table, id, self.started_at)?),
            "completed" => DeploymentState::Completed { at: ended()? },
            "failed" => {
                let failure = word(
                    table,
                    id,
                    self.failure.as_deref().unwrap_or_default(),
                    Failure::from_word,
                )?;
                DeploymentState::Failed { at: ended()?, failure }
            }
            "withdrawn" => {
                let why = word(
                    table,
                    id,
                    self.withdrawal.as_deref().unwrap_or_default(),
                    Withdrawal::from_word,
                )?;
                DeploymentState::Withdrawn { at: ended()?, why }
            }
            other => return Err(StoreError::row(table, id, format!("{other:?} is unknown"))),
        };
        let force = self
            .force
            .map(|force| word(table, id, &force, Force::from_word))
            .transpose()?;
        let last_failure = self.last_failure.as_deref();
        let last_failure = last_failure.map(|failure| word(table, id, failure, Failure::from_word));
        let (date, catch_up) = (self.night, self.catch_up);
        let night = night_of(id, self.planned_night, date, force, catch_up)?;
        Ok(Deployment {
            id: DeploymentId(id),
            update: UpdateId(self.update_id),
            room: RoomId(self.room_id),
            ring: stage_of(self.ring_id),
            night,
            state,
            attempt: small(table, id, self.attempt)?,
            missed_windows: small(table, id, self.missed_windows)?,
            offered_windows: small(table, id, self.offered_windows)?,
            crowded_windows: small(table, id, self.crowded_windows)?,
            last_failure: last_failure.transpose()?,
            tolerated: self.tolerated,
            refusals: small(table, id, self.refusals)?,
            fall_backs: fall_backs_of(table, id, self.fall_backs.as_deref())?,
            from_version: self.from_version,
            reason: reason(self.reason_facts.as_deref(), self.reason),
            next_at: opt_instant(table, id, self.next_at)?,
        })
    }
}

fn night_of(
    id: Uuid,
    planned: Option<NaiveDate>,
    date: NaiveDate,
    force: Option<Force>,
    catch_up: bool,
) -> Result<Night> {
    match (planned, force, catch_up) {
        (Some(planned), None, false) => Ok(Night::Planned { date, planned }),
        (None, None, _) => Ok(Night::NextWindow { date, catch_up }),
        (None, Some(how), _) => Ok(Night::Forced { date, how, catch_up }),
        (Some(_), Some(_), _) | (Some(_), None, true) => {
            let problem = "has a planned night, and is forced or a catch-up";
            Err(StoreError::row("deployments", id, problem))
        }
    }
}

/// As they stand in a row; NULL: there was none.
fn fall_backs_text(fall_backs: &FallBacks) -> Option<String> {
    let has_any = *fall_backs != FallBacks::default();
    has_any.then(|| serde_json::to_string(fall_backs).unwrap_or_default())
}

fn fall_backs_of(table: &'static str, id: Uuid, text: Option<&str>) -> Result<FallBacks> {
    let Some(text) = text else {
        return Ok(FallBacks::default());
    };
    serde_json::from_str(text).map_err(|error| StoreError::row(table, id, format!("fall_backs: {error}")))
}

/// The columns that a deployment's state fills. Nothing else writes them.
pub(crate) struct StateColumns {
    pub(crate) state: &'static str,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    failure: Option<&'static str>,
    withdrawal: Option<&'static str>,
    progress: &'static str,
}

pub(crate) fn state_columns(state: &DeploymentState) -> StateColumns {
    let none = StateColumns {
        state: "waiting",
        started_at: None,
        ended_at: None,
        failure: None,
        withdrawal: None,
        progress: state.progress().as_str(),
    };
    match state {
        DeploymentState::Waiting => none,
        DeploymentState::Prepared => StateColumns { state: "open", ..none },
        DeploymentState::Started { at } => StateColumns {
            state: "open",
            started_at: Some(micros(*at)),
            ..none
        },
        DeploymentState::Completed { at } => StateColumns {
            state: "completed",
            ended_at: Some(micros(*at)),
            ..none
        },
        DeploymentState::Failed { at, failure } => StateColumns {
            state: "failed",
            ended_at: Some(micros(*at)),
            failure: Some(failure.as_str()),
            ..none
        },
        DeploymentState::Withdrawn { at, why } => StateColumns {
            state: "withdrawn",
            ended_at: Some(micros(*at)),
            withdrawal: Some(why.as_str()),
            ..none
        },
    }
}

/// Ids in one statement.
pub(crate) const BATCH: usize = 500;

impl Tx {
    /// One deployment.
    pub async fn deployment_of(&mut self, room: RoomId, update: UpdateId) -> Result<Option<Deployment>> {
        const SQL: &str = "SELECT id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at,
                failure, withdrawal, attempt, missed_windows, offered_windows, crowded_windows, catch_up, force, from_version, reason, next_at, reason_facts, fall_backs, last_failure, tolerated, refusals
            FROM deployments WHERE room_id = $1 AND update_id = $2";
        let row: Option<DeploymentRow> =
            each!(self, c => sqlx::query_as(SQL).bind(room.0).bind(update.0).fetch_optional(c).await)?;
        row.map(DeploymentRow::into_domain).transpose()
    }

    /// The deployments of these updates in a room.
    pub async fn deployments_of_room(
        &mut self,
        room: RoomId,
        updates: &[UpdateId],
    ) -> Result<BTreeMap<UpdateId, Deployment>> {
        let mut found = BTreeMap::new();
        for batch in updates.chunks(BATCH) {
            let rows: Vec<DeploymentRow> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT ");
                query.push(DEPLOYMENT_COLUMNS).push(" FROM deployments WHERE room_id = ").push_bind(room.0).push(" AND update_id IN (");
                ids_in(&mut query, batch.iter().map(|update| update.0));
                query.build_query_as().fetch_all(c).await
            })?;
            for row in rows {
                let deployment = row.into_domain()?;
                found.insert(deployment.update, deployment);
            }
        }
        Ok(found)
    }

    /// The deployments of an update in these rooms.
    pub async fn deployments_in(&mut self, rooms: &[RoomId], update: UpdateId) -> Result<BTreeMap<RoomId, Deployment>> {
        let mut found = BTreeMap::new();
        for batch in rooms.chunks(BATCH) {
            let rows: Vec<DeploymentRow> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at, failure, withdrawal,
                        attempt, missed_windows, offered_windows, crowded_windows, catch_up, force, from_version, reason, next_at, reason_facts, fall_backs, last_failure, tolerated, refusals
                    FROM deployments WHERE update_id = ",
                );
                query.push_bind(update.0).push(" AND room_id IN (");
                ids_in(&mut query, batch.iter().map(|room| room.0));
                query.build_query_as().fetch_all(c).await
            })?;
            for row in rows {
                let deployment = row.into_domain()?;
                found.insert(deployment.room, deployment);
            }
        }
        Ok(found)
    }

    /// The failed deployments of an update by the names of their rooms, in bounded slices after `after`.
    pub async fn failed_deployments(
        &mut self,
        update: UpdateId,
        after: Option<RoomId>,
        limit: i64,
    ) -> Result<Vec<Deployment>> {
        const SQL: &str = "SELECT id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at,
                failure, withdrawal, attempt, missed_windows, offered_windows, crowded_windows, catch_up, force, from_version, reason, next_at, reason_facts, fall_backs, last_failure, tolerated, refusals
            FROM deployments WHERE update_id = $1 AND progress = 'failed'
                AND (room_key, room_id) > (COALESCE((SELECT r.name_key FROM rooms r WHERE r.id = $2), ''), $2)
            ORDER BY room_key, room_id LIMIT $3";
        let after = after.map_or(Uuid::nil(), |room| room.0);
        let rows: Vec<DeploymentRow> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(after).bind(limit).fetch_all(c).await)?;
        rows.into_iter().map(DeploymentRow::into_domain).collect()
    }

    /// Writes the deployments that ring entries make (S6), with their counts and their history. All are new and wait for their first
    /// attempt, so that there is nothing to compare them with.
    ///
    /// # Errors
    /// A room has one already (law D).
    pub(crate) async fn place_deployments(&mut self, placed: &[Deployment], now: DateTime<Utc>) -> Result<()> {
        const ROWS: usize = 2000;
        let mut deltas: BTreeMap<(UpdateId, StageOf), Counts> = BTreeMap::new();
        let mut by_ring: BTreeMap<(UpdateId, StageOf), Vec<&Deployment>> = BTreeMap::new();
        for deployment in placed {
            by_ring
                .entry((deployment.update, deployment.ring))
                .or_default()
                .push(deployment);
        }
        for ((update, ring), deployments) in by_ring {
            for batch in deployments.chunks(ROWS) {
                self.insert_placed(update, ring, batch).await?;
                self.add_placed_events(update, batch, now).await?;
            }
            let number = i64::try_from(deployments.len()).unwrap_or(i64::MAX);
            deltas.entry((update, ring)).or_default().scheduled = number;
        }
        self.add_to_counts(&deltas).await
    }

    async fn insert_placed(&mut self, update: UpdateId, ring: StageOf, batch: &[&Deployment]) -> Result<()> {
        let new = state_columns(&DeploymentState::Waiting);
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "INSERT INTO deployments (update_id, ring_id, state, progress, attempt, missed_windows, offered_windows, crowded_windows, catch_up,
                    id, room_id, night, planned_night, from_version, reason, next_at, reason_facts, room_key)
                SELECT ",
            );
            query.push_bind(update.0).push(", ").push_bind(stage_id(ring));
            // Words of ours: a parameter would be of no type to Postgres here.
            query.push(format_args!(", '{}', '{}', 1, 0, 0, 0, false, ", new.state, new.progress));
            query.push("column1, column2, column3, column4, column5, column6, column7, column8,
                (SELECT r.name_key FROM rooms r WHERE r.id = placed.column2) FROM (");
            query.push_values(batch, |mut row, deployment| {
                row.push_bind(deployment.id.0)
                    .push_bind(deployment.room.0)
                    .push_bind(deployment.night.date())
                    .push_bind(deployment.night.planned())
                    .push_bind(deployment.from_version.as_deref())
                    .push_bind(deployment.reason.sentence())
                    .push_bind(opt_micros(deployment.next_at))
                    .push_bind(reason_facts(&deployment.reason));
            });
            query.push(") AS placed");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Writes deployments in their new state, with their counts and their history.
    ///
    /// # Errors
    /// A law would be broken.
    pub async fn put_deployments(&mut self, deployments: &[Deployment], now: DateTime<Utc>) -> Result<()> {
        // What closes comes before what opens: a room has one open deployment at any instant.
        let mut ordered: Vec<&Deployment> = deployments.iter().collect();
        ordered.sort_by_key(|deployment| deployment.is_open());
        let mut deltas: BTreeMap<(UpdateId, StageOf), Counts> = BTreeMap::new();
        for batch in ordered.chunks(BATCH) {
            let before = self
                .deployments_by_id(batch.iter().map(|deployment| deployment.id))
                .await?;
            let mut changed = Vec::new();
            for deployment in batch {
                let old = before.get(&deployment.id);
                if let Some(old) = old {
                    deltas.entry((old.update, old.ring)).or_default().count(old, -1);
                }
                let counts = deltas.entry((deployment.update, deployment.ring)).or_default();
                counts.count(deployment, 1);
                let is_news =
                    |old: &Deployment| old.state != deployment.state || deployment.reason.differs_from(&old.reason);
                if old.is_none_or(is_news) {
                    changed.push(*deployment);
                }
            }
            self.upsert_deployments(batch).await?;
            self.add_deployment_events(&changed, now).await?;
        }
        self.add_to_counts(&deltas).await
    }

    async fn deployments_by_id(
        &mut self,
        ids: impl Iterator<Item = DeploymentId> + Clone,
    ) -> Result<BTreeMap<DeploymentId, Deployment>> {
        let rows: Vec<DeploymentRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(DEPLOYMENT_COLUMNS).push(" FROM deployments WHERE id IN (");
            ids_in(&mut query, ids.clone().map(|id| id.0));
            query.push(" ORDER BY id");
            query.build_query_as().fetch_all(c).await
        })?;
        rows.into_iter()
            .map(|row| row.into_domain().map(|deployment| (deployment.id, deployment)))
            .collect()
    }

    async fn upsert_deployments(&mut self, batch: &[&Deployment]) -> Result<()> {
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("INSERT INTO deployments (");
            query.push(DEPLOYMENT_COLUMNS).push(", progress, room_key) SELECT put.*, (SELECT r.name_key FROM rooms r WHERE r.id = put.column3) FROM (");
            query.push_values(batch, |mut row, deployment| {
                let state = state_columns(&deployment.state);
                row.push_bind(deployment.id.0)
                    .push_bind(deployment.update.0)
                    .push_bind(deployment.room.0)
                    .push_bind(stage_id(deployment.ring))
                    .push_bind(deployment.night.date())
                    .push_bind(deployment.night.planned())
                    .push_bind(state.state)
                    .push_bind(state.started_at)
                    .push_bind(state.ended_at)
                    .push_bind(state.failure)
                    .push_bind(state.withdrawal)
                    .push_bind(i64::from(deployment.attempt))
                    .push_bind(i64::from(deployment.missed_windows))
                    .push_bind(i64::from(deployment.offered_windows))
                    .push_bind(i64::from(deployment.crowded_windows))
                    .push_bind(deployment.is_catch_up())
                    .push_bind(deployment.night.force().map(Force::as_str))
                    .push_bind(deployment.from_version.clone())
                    .push_bind(deployment.reason.sentence())
                    .push_bind(opt_micros(deployment.next_at))
                    .push_bind(reason_facts(&deployment.reason))
                    .push_bind(fall_backs_text(&deployment.fall_backs))
                    .push_bind(deployment.last_failure.map(Failure::as_str))
                    .push_bind(deployment.tolerated)
                    .push_bind(i64::from(deployment.refusals))
                    .push_bind(state.progress);
            });
            query.push(
                ") AS put WHERE TRUE ON CONFLICT (id) DO UPDATE SET ring_id = excluded.ring_id, night = excluded.night,
                planned_night = excluded.planned_night, state = excluded.state, started_at = excluded.started_at,
                ended_at = excluded.ended_at, failure = excluded.failure, withdrawal = excluded.withdrawal,
                attempt = excluded.attempt, missed_windows = excluded.missed_windows, offered_windows = excluded.offered_windows,
                crowded_windows = excluded.crowded_windows, catch_up = excluded.catch_up,
                force = excluded.force, from_version = excluded.from_version, reason = excluded.reason,
                next_at = excluded.next_at, reason_facts = excluded.reason_facts, fall_backs = excluded.fall_backs,
                last_failure = excluded.last_failure, tolerated = excluded.tolerated, refusals = excluded.refusals,
                progress = excluded.progress",
            );
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }
}
