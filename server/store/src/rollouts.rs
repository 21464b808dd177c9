//! Rollouts with their stages and counts.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::changes::Acknowledgement;
use domain::ids::{StageOf, UpdateId};
use domain::ring::RingPlace;
use domain::rollout::{Counts, Rollout, RolloutState, Stage};
use uuid::Uuid;

use crate::dialect;
use crate::error::{Result, StoreError};
use crate::rows::{self, ids_in, instant, micros, needed, opt_instant, opt_micros, small, stage_id, stage_of};
use crate::tx::{Inner, Tx, each};

#[derive(sqlx::FromRow)]
pub(crate) struct RolloutStateRow {
    update_id: Uuid,
    state: String,
    state_since: Option<i64>,
    state_by: Option<String>,
    state_reason: Option<String>,
    resumes_on: Option<NaiveDate>,
    state_reason_facts: Option<String>,
}

impl RolloutStateRow {
    pub(crate) fn into_domain(self) -> Result<RolloutState> {
        let id = self.update_id;
        let at = || needed("rollouts", id, "the instant of its state", self.state_since);
        let reason = self.state_reason.unwrap_or_default();
        match self.state.as_str() {
            "running" => Ok(RolloutState::Running),
            "paused" => Ok(RolloutState::Paused {
                since: at()?,
                by: self.state_by.unwrap_or_default(),
                reason,
                resumes_on: self.resumes_on,
            }),
            "deprecated" => Ok(RolloutState::Deprecated {
                at: at()?,
                reason: rows::reason(self.state_reason_facts.as_deref(), reason),
            }),
            "finished" => Ok(RolloutState::Finished { at: at()? }),
            other => Err(StoreError::row("rollouts", id, format!("{other:?} is unknown"))),
        }
    }
}

#[derive(sqlx::FromRow)]
struct RolloutRow {
    published_at: i64,
    starts_on: NaiveDate,
    paused_days: i64,
    automatic_days: Option<i64>,
    next_at: Option<i64>,
    first_test_over: bool,
    halt_rule: Option<String>,
    halt: Option<String>,
    #[sqlx(flatten)]
    state: RolloutStateRow,
}

impl RolloutRow {
    /// Without stages, supersessions and counts.
    fn into_domain(self) -> Result<Rollout> {
        let id = self.state.update_id;
        Ok(Rollout {
            update: UpdateId(id),
            published_at: instant("rollouts", id, self.published_at)?,
            starts_on: self.starts_on,
            state: self.state.into_domain()?,
            stages: Vec::new(),
            paused_days: small("rollouts", id, self.paused_days)?,
            automatic_days: self
                .automatic_days
                .map(|days| small("rollouts", id, days))
                .transpose()?,
            superseded_by: Vec::new(),
            counts: BTreeMap::new(),
            next_at: opt_instant("rollouts", id, self.next_at)?,
            first_test_over: self.first_test_over,
            halt_rule: of_text(id, self.halt_rule.as_deref())?,
            halt: of_text(id, self.halt.as_deref())?,
        })
    }
}

/// A document of ours in a row.
fn as_text(document: &impl serde::Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

fn of_text<T: serde::de::DeserializeOwned>(id: Uuid, text: Option<&str>) -> Result<Option<T>> {
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|error| StoreError::row("rollouts", id, error.to_string()))
}

impl Tx {
    /// Ids of rollouts that are running or paused.
    pub async fn live_rollouts(&mut self) -> Result<Vec<UpdateId>> {
        const SQL: &str = "SELECT update_id FROM rollouts WHERE state IN ('running', 'paused') ORDER BY update_id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).fetch_all(c).await)?;
        Ok(ids.into_iter().map(UpdateId).collect())
    }

    /// Ids of all rollouts.
    pub async fn all_rollouts(&mut self) -> Result<Vec<UpdateId>> {
        const SQL: &str = "SELECT update_id FROM rollouts ORDER BY update_id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).fetch_all(c).await)?;
        Ok(ids.into_iter().map(UpdateId).collect())
    }

    /// One rollout.
    pub async fn rollout(&mut self, update: UpdateId) -> Result<Option<Rollout>> {
        Ok(self.rollouts(&[update]).await?.remove(&update))
    }

    /// Rollouts with their stages and counts.
    pub async fn rollouts(&mut self, ids: &[UpdateId]) -> Result<BTreeMap<UpdateId, Rollout>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<RolloutRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT update_id, published_at, starts_on, state, state_since, state_by, state_reason, paused_days,
                    automatic_days, next_at, resumes_on, state_reason_facts, first_test_over, halt_rule, halt
                FROM rollouts WHERE update_id IN (",
            );
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY update_id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut rollouts = BTreeMap::new();
        for row in rows {
            let rollout = row.into_domain()?;
            rollouts.insert(rollout.update, rollout);
        }
        self.add_stages(ids, &mut rollouts).await?;
        self.add_supersessions(ids, &mut rollouts).await?;
        self.add_counts(ids, &mut rollouts).await?;
        Ok(rollouts)
    }

    async fn add_supersessions(&mut self, ids: &[UpdateId], rollouts: &mut BTreeMap<UpdateId, Rollout>) -> Result<()> {
        let rows: Vec<(Uuid, Uuid)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT update_id, newer_id FROM supersessions WHERE update_id IN (");
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY update_id, position");
            query.build_query_as().fetch_all(c).await
        })?;
        for (older, newer) in rows {
            if let Some(rollout) = rollouts.get_mut(&UpdateId(older)) {
                rollout.superseded_by.push(UpdateId(newer));
            }
        }
        Ok(())
    }

    /// The updates that this one supersedes (S9).
    pub async fn superseded_by(&mut self, newer: UpdateId) -> Result<Vec<UpdateId>> {
        const SQL: &str = "SELECT update_id FROM supersessions WHERE newer_id = $1 ORDER BY update_id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).bind(newer.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(UpdateId).collect())
    }

    async fn add_stages(&mut self, ids: &[UpdateId], rollouts: &mut BTreeMap<UpdateId, Rollout>) -> Result<()> {
        type Row = (
            Uuid,
            Uuid,
            String,
            i64,
            i64,
            i64,
            NaiveDate,
            NaiveDate,
            NaiveDate,
            i64,
            i64,
            i64,
        );
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT update_id, ring_id, name, place, rollout_days, test_days, starts_on, rollout_ends,
                    test_ends, entered_at, rooms, placed
                FROM stages WHERE update_id IN (",
            );
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY update_id, position");
            query.build_query_as().fetch_all(c).await
        })?;
        for (
            id,
            ring,
            name,
            place,
            rollout_days,
            test_days,
            starts_on,
            rollout_ends,
            test_ends,
            entered_at,
            rooms,
            placed,
        ) in rows
        {
            let Some(rollout) = rollouts.get_mut(&UpdateId(id)) else {
                continue;
            };
            rollout.stages.push(Stage {
                ring: stage_of(ring),
                name,
                place: RingPlace::from_scale(place)
                    .map_err(|error| StoreError::row("stages", id, error.to_string()))?,
                rollout_days: small("stages", id, rollout_days)?,
                test_days: small("stages", id, test_days)?,
                starts_on,
                rollout_ends,
                test_ends,
                entered_at: instant("stages", id, entered_at)?,
                rooms: small("stages", id, rooms)?,
                placed: small("stages", id, placed)?,
            });
        }
        Ok(())
    }

    async fn add_counts(&mut self, ids: &[UpdateId], rollouts: &mut BTreeMap<UpdateId, Rollout>) -> Result<()> {
        type Row = (Uuid, Uuid, i64, i64, i64, i64, i64, i64, i64, i64);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT update_id, ring_id, scheduled, in_progress, completed, failed, deprecated, catch_up,
                    attempted, failed_attempts
                FROM ring_counts WHERE update_id IN (",
            );
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY update_id, ring_id");
            query.build_query_as().fetch_all(c).await
        })?;
        for (id, ring, scheduled, in_progress, completed, failed, deprecated, catch_up, attempted, failed_attempts) in
            rows
        {
            if let Some(rollout) = rollouts.get_mut(&UpdateId(id)) {
                let counts = Counts {
                    scheduled,
                    in_progress,
                    completed,
                    failed,
                    deprecated,
                    catch_up,
                    attempted,
                    failed_attempts,
                };
                rollout.counts.insert(stage_of(ring), counts);
            }
        }
        Ok(())
    }

    /// Lets no device start under a rollout until this transaction ends. Whoever stops a rollout takes this first and reads the
    /// clock afterwards: no start that was written before is then later than the stop (law E).
    pub async fn lock_rollout(&mut self, update: UpdateId) -> Result<()> {
        self.lock_row(dialect::LOCK_ROLLOUT_POSTGRES, update.0).await
    }

    /// Lets no device start a release until this transaction ends, under whichever rollout: as [`Tx::lock_rollout`], and after it.
    pub async fn lock_release(&mut self, release: UpdateId) -> Result<()> {
        self.lock_row(dialect::LOCK_RELEASE_POSTGRES, release.0).await
    }

    async fn lock_row(&mut self, sql: &'static str, id: Uuid) -> Result<()> {
        match &mut self.inner {
            // BEGIN IMMEDIATE holds the write lock already.
            Inner::Sqlite(_) => {}
            Inner::Postgres(transaction) => {
                sqlx::query(sql).bind(id).fetch_optional(&mut **transaction).await?;
            }
        }
        Ok(())
    }

    /// Adds a rollout.
    ///
    /// # Errors
    /// The update has one.
    pub async fn add_rollout(&mut self, rollout: &Rollout, by: &str) -> Result<()> {
        const SQL: &str =
            "INSERT INTO rollouts (update_id, published_at, published_by, starts_on, state, paused_days, automatic_days, next_at)
            VALUES ($1, $2, $3, $4, 'running', $5, $6, $7)";
        each!(self, c => sqlx::query(SQL)
            .bind(rollout.update.0)
            .bind(micros(rollout.published_at))
            .bind(by)
            .bind(rollout.starts_on)
            .bind(i64::from(rollout.paused_days))
            .bind(rollout.automatic_days.map(i64::from))
            .bind(opt_micros(rollout.next_at))
            .execute(c)
            .await
            .map(drop))?;
        self.put_rollout(rollout).await
    }

    /// Writes a rollout and its stages, all but the counts.
    ///
    /// # Errors
    /// There is no such rollout.
    pub async fn put_rollout(&mut self, rollout: &Rollout) -> Result<()> {
        const SQL: &str =
            "UPDATE rollouts SET starts_on = $2, state = $3, state_since = $4, state_by = $5, state_reason = $6,
                paused_days = $7, next_at = $8, resumes_on = $9, state_reason_facts = $10, halt_rule = $11, halt = $12,
                first_test_over = $13, revision = revision + 1
            WHERE update_id = $1";
        let resumes_on = match &rollout.state {
            RolloutState::Paused { resumes_on, .. } => *resumes_on,
            RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        };
        let (state, since, by, reason) = match &rollout.state {
            RolloutState::Running => ("running", None, None, None),
            RolloutState::Paused { since, by, reason, .. } => {
                ("paused", Some(*since), Some(by.as_str()), Some(reason.clone()))
            }
            RolloutState::Deprecated { at, reason } => ("deprecated", Some(*at), None, Some(reason.sentence())),
            RolloutState::Finished { at } => ("finished", Some(*at), None, None),
        };
        let facts = match &rollout.state {
            RolloutState::Deprecated { reason, .. } => rows::reason_facts(reason),
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => None,
        };
        let written = each!(self, c => sqlx::query(SQL)
            .bind(rollout.update.0)
            .bind(rollout.starts_on)
            .bind(state)
            .bind(opt_micros(since))
            .bind(by)
            .bind(reason)
            .bind(i64::from(rollout.paused_days))
            .bind(opt_micros(rollout.next_at))
            .bind(resumes_on)
            .bind(facts)
            .bind(rollout.halt_rule.map(|rule| as_text(&rule)))
            .bind(rollout.halt.as_ref().map(as_text))
            .bind(rollout.first_test_over)
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
        if written != 1 {
            return Err(StoreError::row(
                "rollouts",
                rollout.update,
                "is not there to be changed",
            ));
        }
        self.put_supersessions(rollout).await?;
        self.put_stages(rollout).await
    }

    async fn put_supersessions(&mut self, rollout: &Rollout) -> Result<()> {
        const NEWER: &str = "INSERT INTO supersessions (update_id, position, newer_id) VALUES ($1, $2, $3)
            ON CONFLICT (update_id, position) DO NOTHING";
        for (position, newer) in (0_i64..).zip(&rollout.superseded_by) {
            each!(self, c => sqlx::query(NEWER).bind(rollout.update.0).bind(position).bind(newer.0).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    async fn put_stages(&mut self, rollout: &Rollout) -> Result<()> {
        const STAGE: &str = "INSERT INTO stages
            (update_id, position, ring_id, name, place, rollout_days, test_days, starts_on, rollout_ends, entered_at, rooms, placed,
             test_ends)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (update_id, position) DO UPDATE SET starts_on = excluded.starts_on,
                rollout_ends = excluded.rollout_ends, test_ends = excluded.test_ends, rooms = excluded.rooms, placed = excluded.placed";
        for (position, stage) in (0_i64..).zip(&rollout.stages) {
            each!(self, c => sqlx::query(STAGE)
                .bind(rollout.update.0)
                .bind(position)
                .bind(stage_id(stage.ring))
                .bind(&stage.name)
                .bind(i64::from(stage.place.scale()))
                .bind(i64::from(stage.rollout_days))
                .bind(i64::from(stage.test_days))
                .bind(stage.starts_on)
                .bind(stage.rollout_ends)
                .bind(micros(stage.entered_at))
                .bind(i64::from(stage.rooms))
                .bind(i64::from(stage.placed))
                .bind(stage.test_ends)
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// Adds to the counts of rings.
    pub(crate) async fn add_to_counts(&mut self, deltas: &BTreeMap<(UpdateId, StageOf), Counts>) -> Result<()> {
        const SQL: &str = "INSERT INTO ring_counts
            (update_id, ring_id, scheduled, in_progress, completed, failed, deprecated, catch_up, attempted, failed_attempts)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (update_id, ring_id) DO UPDATE SET
                scheduled = ring_counts.scheduled + excluded.scheduled,
                in_progress = ring_counts.in_progress + excluded.in_progress,
                completed = ring_counts.completed + excluded.completed,
                failed = ring_counts.failed + excluded.failed,
                deprecated = ring_counts.deprecated + excluded.deprecated,
                catch_up = ring_counts.catch_up + excluded.catch_up,
                attempted = ring_counts.attempted + excluded.attempted,
                failed_attempts = ring_counts.failed_attempts + excluded.failed_attempts";
        for ((update, ring), by) in deltas {
            if *by == Counts::default() {
                continue;
            }
            each!(self, c => sqlx::query(SQL)
                .bind(update.0)
                .bind(stage_id(*ring))
                .bind(by.scheduled)
                .bind(by.in_progress)
                .bind(by.completed)
                .bind(by.failed)
                .bind(by.deprecated)
                .bind(by.catch_up)
                .bind(by.attempted)
                .bind(by.failed_attempts)
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// Has the planner look at every running rollout, because rings, zones or the rooms in them have changed
    /// (`Rollout::wake`).
    pub async fn wake_rollouts(&mut self, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str =
            "UPDATE rollouts SET next_at = $1, revision = revision + 1 WHERE state = 'running' AND next_at > $1";
        each!(self, c => sqlx::query(SQL).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Whether an admin has acknowledged an update's failures (T9).
    pub async fn is_acknowledged(&mut self, update: UpdateId) -> Result<bool> {
        const SQL: &str = "SELECT acknowledged_at FROM rollouts WHERE update_id = $1";
        let at: Option<Option<i64>> = each!(self, c => sqlx::query_scalar(SQL).bind(update.0).fetch_optional(c).await)?;
        Ok(at.flatten().is_some())
    }

    /// Notes that an admin has seen that an update was completed with failures (T9).
    pub(crate) async fn acknowledge(&mut self, acknowledged: &Acknowledgement) -> Result<()> {
        const SQL: &str = "UPDATE rollouts SET acknowledged_at = $2, acknowledged_by = $3 WHERE update_id = $1";
        each!(self, c => sqlx::query(SQL)
            .bind(acknowledged.update.0)
            .bind(micros(acknowledged.at))
            .bind(&acknowledged.by)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
