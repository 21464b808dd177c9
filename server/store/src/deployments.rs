//! Deployments and installs: rows to values and back, and their history.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::changes::{MovedNights, NewInstall, Stop, StopOf, TakeBack};
use domain::deployment::{Bucket, Deployment, DeploymentState, Failure, Force, Night, Withdrawal};
use domain::freeze::FreezeScope;
use domain::ids::{ActionId, DeploymentId, DeviceId, RoomId, SiteId, StageOf, UpdateId};
use domain::install::{Install, InstallState};
use domain::start_window::StartWindow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::rooms::ids_in;
use crate::rows::{
    instant, micros, needed, opt_instant, opt_micros, reason, reason_facts, small, stage_id, stage_of, word,
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
    crowded_windows: i64,
    catch_up: bool,
    force: Option<String>,
    from_version: Option<String>,
    reason: String,
    next_at: Option<i64>,
    reason_facts: Option<String>,
}

pub(crate) const DEPLOYMENT_COLUMNS: &str = "id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at, \
    failure, withdrawal, attempt, missed_windows, crowded_windows, catch_up, force, from_version, reason, next_at, \
    reason_facts";

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
        let (date, catch_up) = (self.night, self.catch_up);
        let night = match (self.planned_night, force, catch_up) {
            (Some(planned), None, false) => Night::Planned { date, planned },
            (None, None, _) => Night::NextWindow { date, catch_up },
            (None, Some(how), _) => Night::Forced { date, how, catch_up },
            (Some(_), Some(_), _) | (Some(_), None, true) => {
                let problem = "has a planned night, and is forced or a catch-up";
                return Err(StoreError::row(table, id, problem));
            }
        };
        Ok(Deployment {
            id: DeploymentId(id),
            update: UpdateId(self.update_id),
            room: RoomId(self.room_id),
            ring: stage_of(self.ring_id),
            night,
            state,
            attempt: small(table, id, self.attempt)?,
            missed_windows: small(table, id, self.missed_windows)?,
            crowded_windows: small(table, id, self.crowded_windows)?,
            from_version: self.from_version,
            reason: reason(self.reason_facts.as_deref(), self.reason),
            next_at: opt_instant(table, id, self.next_at)?,
        })
    }
}

/// The columns that a deployment's state fills.
struct StateColumns {
    state: &'static str,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    failure: Option<&'static str>,
    withdrawal: Option<&'static str>,
}

fn state_columns(state: &DeploymentState) -> StateColumns {
    let none = StateColumns {
        state: "waiting",
        started_at: None,
        ended_at: None,
        failure: None,
        withdrawal: None,
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

/// The columns that an install's state fills.
struct InstallColumns {
    state: &'static str,
    state_at: Option<DateTime<Utc>>,
    heard_at: Option<DateTime<Utc>>,
    silent_at: Option<DateTime<Utc>>,
    installed_chunks: bool,
    doubtful: bool,
    failure: Option<&'static str>,
}

fn install_columns(state: &InstallState) -> InstallColumns {
    let of = |state, state_at| InstallColumns {
        state,
        state_at,
        heard_at: None,
        silent_at: None,
        installed_chunks: false,
        doubtful: false,
        failure: None,
    };
    match state {
        InstallState::Planned => of("planned", None),
        InstallState::Started {
            heard_at,
            silent_at,
            installed_chunks,
        } => InstallColumns {
            heard_at: Some(*heard_at),
            silent_at: *silent_at,
            installed_chunks: *installed_chunks,
            ..of("started", None)
        },
        InstallState::Installed { at, doubtful } => InstallColumns {
            doubtful: *doubtful,
            ..of("installed", Some(*at))
        },
        InstallState::Completed { at } => of("completed", Some(*at)),
        InstallState::Failed { at, failure } => InstallColumns {
            failure: Some(failure.as_str()),
            ..of("failed", Some(*at))
        },
        InstallState::Withdrawn { at } => of("withdrawn", Some(*at)),
        InstallState::Canceled { at } => of("canceled", Some(*at)),
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct InstallRow {
    pub(crate) action_id: i32,
    pub(crate) deployment_id: Uuid,
    pub(crate) update_id: Uuid,
    pub(crate) device_id: Uuid,
    pub(crate) attempt: i64,
    pub(crate) window_opens: Option<i64>,
    pub(crate) window_closes: Option<i64>,
    pub(crate) state: String,
    pub(crate) state_at: Option<i64>,
    pub(crate) heard_at: Option<i64>,
    pub(crate) silent_at: Option<i64>,
    pub(crate) installed_chunks: bool,
    pub(crate) doubtful: bool,
    pub(crate) failure: Option<String>,
    pub(crate) shown_up_at: Option<i64>,
    pub(crate) started_at: Option<i64>,
    pub(crate) detail: String,
    pub(crate) cancel_wanted: Option<String>,
}

pub(crate) const INSTALL_COLUMNS: &str = "action_id, deployment_id, update_id, device_id, attempt, window_opens, window_closes, \
    state, state_at, heard_at, silent_at, installed_chunks, doubtful, failure, shown_up_at, started_at, detail, cancel_wanted";

impl InstallRow {
    pub(crate) fn into_domain(self) -> Result<Install> {
        let table = "installs";
        let id = self.action_id;
        let at = || needed(table, id, "the instant of its state", self.state_at);
        let state = match self.state.as_str() {
            "planned" => InstallState::Planned,
            "started" => InstallState::Started {
                heard_at: needed(table, id, "the instant of its last report", self.heard_at)?,
                silent_at: opt_instant(table, id, self.silent_at)?,
                installed_chunks: self.installed_chunks,
            },
            "installed" => InstallState::Installed {
                at: at()?,
                doubtful: self.doubtful,
            },
            "completed" => InstallState::Completed { at: at()? },
            "failed" => {
                let failure = word(
                    table,
                    id,
                    self.failure.as_deref().unwrap_or_default(),
                    Failure::from_word,
                )?;
                InstallState::Failed { at: at()?, failure }
            }
            "withdrawn" => InstallState::Withdrawn { at: at()? },
            "canceled" => InstallState::Canceled { at: at()? },
            other => return Err(StoreError::row(table, id, format!("{other:?} is unknown"))),
        };
        let window = match (self.window_opens, self.window_closes) {
            (Some(opens), Some(closes)) => {
                let window = StartWindow::new(instant(table, id, opens)?, instant(table, id, closes)?);
                Some(window.ok_or_else(|| StoreError::row(table, id, "has a window that closes before it opens"))?)
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(StoreError::row(table, id, "has half a window")),
        };
        Ok(Install {
            action: ActionId(id),
            deployment: DeploymentId(self.deployment_id),
            update: UpdateId(self.update_id),
            device: DeviceId(self.device_id),
            attempt: small(table, id, self.attempt)?,
            window,
            state,
            shown_up_at: opt_instant(table, id, self.shown_up_at)?,
            started_at: opt_instant(table, id, self.started_at)?,
            detail: self.detail,
            cancel_wanted: self.cancel_wanted,
        })
    }
}

/// What people and the planner did to a deployment.
#[derive(Clone, Debug)]
pub struct DeploymentEvent {
    /// Number, ascending.
    pub id: i64,
    /// Of what.
    pub update: UpdateId,
    /// Where.
    pub room: RoomId,
    /// When.
    pub at: DateTime<Utc>,
    /// The state then: a word of the schema.
    pub state: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// A force (K6).
#[derive(Clone, Debug)]
pub struct ForceRecord {
    /// Of what.
    pub update: UpdateId,
    /// How.
    pub mode: Force,
    /// In which rooms.
    pub rooms: Vec<RoomId>,
    /// Left out: (room, why).
    pub left_out: Vec<(RoomId, String)>,
    /// Who.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Ids in one statement.
pub(crate) const BATCH: usize = 500;

impl Tx {
    /// One deployment.
    ///
    /// # Errors
    /// The database fails, or the row is no fact.
    pub async fn deployment_of(&mut self, room: RoomId, update: UpdateId) -> Result<Option<Deployment>> {
        const SQL: &str = "SELECT id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at,
                failure, withdrawal, attempt, missed_windows, crowded_windows, catch_up, force, from_version, reason, next_at, reason_facts
            FROM deployments WHERE room_id = $1 AND update_id = $2";
        let row: Option<DeploymentRow> =
            each!(self, c => sqlx::query_as(SQL).bind(room.0).bind(update.0).fetch_optional(c).await)?;
        row.map(DeploymentRow::into_domain).transpose()
    }

    /// The deployments of these updates in a room.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
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
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn deployments_in(&mut self, rooms: &[RoomId], update: UpdateId) -> Result<BTreeMap<RoomId, Deployment>> {
        let mut found = BTreeMap::new();
        for batch in rooms.chunks(BATCH) {
            let rows: Vec<DeploymentRow> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at, failure, withdrawal,
                        attempt, missed_windows, crowded_windows, catch_up, force, from_version, reason, next_at, reason_facts
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
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn failed_deployments(
        &mut self,
        update: UpdateId,
        after: Option<RoomId>,
        limit: i64,
    ) -> Result<Vec<Deployment>> {
        const SQL: &str = "SELECT id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at,
                failure, withdrawal, attempt, missed_windows, crowded_windows, catch_up, force, from_version, reason, next_at, reason_facts
            FROM deployments WHERE update_id = $1 AND state = 'failed'
                AND (room_key, room_id) > (COALESCE((SELECT r.name_key FROM rooms r WHERE r.id = $2), ''), $2)
            ORDER BY room_key, room_id LIMIT $3";
        let after = after.map_or(Uuid::nil(), |room| room.0);
        let rows: Vec<DeploymentRow> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(after).bind(limit).fetch_all(c).await)?;
        rows.into_iter().map(DeploymentRow::into_domain).collect()
    }

    /// Moves the nights of a rollout with its dates (K3, W6): the rows for which [`MovedNights::of`] gives another night, all rooms of a
    /// night at once. How many rooms.
    pub(crate) async fn move_nights(&mut self, nights: &MovedNights) -> Result<u64> {
        let MovedNights { update, ring, shift } = nights;
        let (ring, mut rooms) = (*ring, 0);
        let ring_id = stage_id(ring);
        const NIGHTS: &str = "SELECT DISTINCT night, planned_night FROM deployments
            WHERE update_id = $1 AND state = 'waiting' AND NOT catch_up AND attempt = 1 AND missed_windows = 0 AND force IS NULL
                AND ring_id = $2 AND planned_night >= $3
            ORDER BY planned_night, night";
        const MOVE: &str = "UPDATE deployments SET night = $4, planned_night = $5
            WHERE update_id = $1 AND state = 'waiting' AND NOT catch_up AND attempt = 1 AND missed_windows = 0 AND force IS NULL
                AND ring_id = $6 AND night = $2 AND planned_night = $3";
        let mut nights: Vec<(NaiveDate, NaiveDate)> =
            each!(self, c => sqlx::query_as(NIGHTS).bind(update.0).bind(ring_id).bind(shift.from).fetch_all(c).await)?;
        // No night is moved onto one that has yet to move: dates that go up start with the last, those that go down with the first.
        let goes_up = |(_, planned): &(NaiveDate, NaiveDate)| shift.date(ring, *planned) >= *planned;
        if nights.iter().all(goes_up) {
            nights.reverse();
        }
        for (night, planned) in nights {
            let moved = (shift.date(ring, night), shift.date(ring, planned));
            if moved == (night, planned) {
                continue;
            }
            rooms += each!(self, c => sqlx::query(MOVE)
                .bind(update.0)
                .bind(night)
                .bind(planned)
                .bind(moved.0)
                .bind(moved.1)
                .bind(ring_id)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
        }
        Ok(rooms)
    }

    /// Asks devices that still download to stop (`docs/devices.md` 3): how many.
    pub(crate) async fn stop(&mut self, stop: &Stop) -> Result<u64> {
        const WAKE: &str = "UPDATE deployments SET next_at = $2 WHERE state IN ('waiting', 'open') AND id IN
                (SELECT deployment_id FROM installs WHERE update_id = $1 AND state IN ('planned', 'started', 'installed'))";
        // Said twice, for SQLite takes the index of open installs only where its condition stands in the query.
        const OF_RELEASE: &str = "UPDATE installs SET cancel_wanted = $2, revision = revision + 1
            WHERE update_id = $1 AND state IN ('planned', 'started', 'installed') AND state = 'started' AND NOT installed_chunks";
        const OF_DEPLOYMENT: &str = "UPDATE installs SET cancel_wanted = $2, revision = revision + 1
            WHERE deployment_id = $1 AND state = 'started' AND NOT installed_chunks";
        let (sql, id) = match stop.of {
            StopOf::Deployment(deployment) => (OF_DEPLOYMENT, deployment.0),
            StopOf::Release(release) => (OF_RELEASE, release.0),
        };
        let asked = each!(self, c => sqlx::query(sql)
            .bind(id)
            .bind(stop.why.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
        if let StopOf::Release(release) = stop.of {
            each!(self, c => sqlx::query(WAKE).bind(release.0).bind(micros(stop.at)).execute(c).await.map(drop))?;
        }
        Ok(asked)
    }

    /// Takes back what is prepared and has not started; deployments of which something is taken back are looked at.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take_back(&mut self, taken: &TakeBack) -> Result<()> {
        let (rooms, id) = match taken.scope {
            FreezeScope::Organisation => ("TRUE", None),
            FreezeScope::Ring(id) => ("d.room_id IN (SELECT id FROM rooms WHERE ring_id = ", Some(id.0)),
            FreezeScope::Site(id) => ("d.room_id IN (SELECT id FROM rooms WHERE site_id = ", Some(id.0)),
            FreezeScope::Room(id) => ("(d.room_id = ", Some(id.0)),
        };
        self.take_back_in(rooms, id, taken.nights, taken.at).await
    }

    /// Takes back what is prepared in the rooms of a site that have its zone and none of their own, as [`Tx::take_back`] does.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take_back_in_zone_of(&mut self, site: SiteId, now: DateTime<Utc>) -> Result<()> {
        const ROOMS: &str = "d.room_id IN (SELECT id FROM rooms WHERE NOT zone_is_own AND site_id = ";
        self.take_back_in(ROOMS, Some(site.0), None, now).await
    }

    async fn take_back_in(
        &mut self,
        rooms: &str,
        id: Option<Uuid>,
        nights: Option<(NaiveDate, NaiveDate)>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let taken: Vec<Uuid> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("UPDATE installs SET state = 'withdrawn', state_at = ");
            query.push_bind(micros(now));
            query.push(", revision = revision + 1 WHERE state = 'planned' AND deployment_id IN
                (SELECT d.id FROM deployments d WHERE d.state = 'open' AND ");
            query.push(rooms);
            if let Some(id) = id {
                query.push_bind(id).push(")");
            }
            if let Some((from, until)) = nights {
                query.push(" AND (d.force IS NOT NULL OR d.night BETWEEN ").push_bind(from);
                query.push(" AND ").push_bind(until).push(")");
            }
            query.push(") RETURNING deployment_id");
            query.build_query_scalar().fetch_all(c).await
        })?;
        for batch in taken.chunks(500) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("UPDATE deployments SET next_at = ");
                query.push_bind(micros(now)).push(" WHERE id IN (");
                ids_in(&mut query, batch.iter().copied());
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Has the planner look at everything unfinished of a rollout.
    ///
    /// # Errors
    /// The database fails.
    pub async fn wake_deployments(&mut self, update: UpdateId, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "UPDATE deployments SET next_at = $2 WHERE update_id = $1 AND state IN ('waiting', 'open')";
        each!(self, c => sqlx::query(SQL).bind(update.0).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Writes the deployments that ring entries make (S6), with their counts and their history. All are new and wait for their first
    /// attempt, so that there is nothing to compare them with.
    ///
    /// # Errors
    /// The database fails, or a room has one already (law D).
    pub(crate) async fn place_deployments(&mut self, placed: &[Deployment], now: DateTime<Utc>) -> Result<()> {
        const ROWS: usize = 2000;
        let mut deltas: BTreeMap<(UpdateId, StageOf), BTreeMap<Bucket, i64>> = BTreeMap::new();
        let mut by_ring: BTreeMap<(UpdateId, StageOf), Vec<&Deployment>> = BTreeMap::new();
        for deployment in placed {
            by_ring
                .entry((deployment.update, deployment.ring))
                .or_default()
                .push(deployment);
        }
        for ((update, ring), deployments) in by_ring {
            for batch in deployments.chunks(ROWS) {
                each!(self, c => {
                    let mut query = sqlx::QueryBuilder::new(
                        "INSERT INTO deployments (update_id, ring_id, state, attempt, missed_windows, crowded_windows, catch_up,
                            id, room_id, night, planned_night, from_version, reason, next_at, reason_facts, room_key)
                        SELECT ",
                    );
                    query.push_bind(update.0).push(", ").push_bind(stage_id(ring));
                    query.push(", 'waiting', 1, 0, 0, false, column1, column2, column3, column4, column5, column6, column7, column8,
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
                each!(self, c => {
                    let mut query = sqlx::QueryBuilder::new(
                        "INSERT INTO deployment_events (update_id, at, state, deployment_id, room_id, reason) SELECT ",
                    );
                    query.push_bind(update.0).push(", ").push_bind(micros(now));
                    query.push(", 'waiting', column1, column2, column3 FROM (");
                    query.push_values(batch, |mut row, deployment| {
                        row.push_bind(deployment.id.0)
                            .push_bind(deployment.room.0)
                            .push_bind(deployment.reason.sentence());
                    });
                    query.push(") AS placed");
                    query.build().execute(c).await.map(drop)
                })?;
            }
            let number = i64::try_from(deployments.len()).unwrap_or(i64::MAX);
            deltas
                .entry((update, ring))
                .or_default()
                .insert(Bucket::Scheduled, number);
        }
        self.add_to_counts(&deltas).await
    }

    /// Writes deployments in their new state, with their counts and their history.
    ///
    /// # Errors
    /// The database fails, or a law would be broken.
    pub async fn put_deployments(&mut self, deployments: &[Deployment], now: DateTime<Utc>) -> Result<()> {
        // What closes comes before what opens: a room has one open deployment at any instant.
        let mut ordered: Vec<&Deployment> = deployments.iter().collect();
        ordered.sort_by_key(|deployment| deployment.is_open());
        let mut deltas: BTreeMap<(UpdateId, StageOf), BTreeMap<Bucket, i64>> = BTreeMap::new();
        for batch in ordered.chunks(BATCH) {
            let before = self
                .deployments_by_id(batch.iter().map(|deployment| deployment.id))
                .await?;
            let mut count = |update, ring, bucket: Option<Bucket>, by| {
                if let Some(bucket) = bucket {
                    *deltas.entry((update, ring)).or_default().entry(bucket).or_insert(0) += by;
                }
            };
            let mut changed = Vec::new();
            for deployment in batch {
                let old = before.get(&deployment.id);
                if let Some(old) = old {
                    count(old.update, old.ring, old.bucket(), -1);
                }
                count(deployment.update, deployment.ring, deployment.bucket(), 1);
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
            query.push(DEPLOYMENT_COLUMNS).push(", room_key) SELECT put.*, (SELECT r.name_key FROM rooms r WHERE r.id = put.column3) FROM (");
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
                    .push_bind(i64::from(deployment.crowded_windows))
                    .push_bind(deployment.is_catch_up())
                    .push_bind(deployment.night.force().map(Force::as_str))
                    .push_bind(deployment.from_version.clone())
                    .push_bind(deployment.reason.sentence())
                    .push_bind(opt_micros(deployment.next_at))
                    .push_bind(reason_facts(&deployment.reason));
            });
            query.push(
                ") AS put WHERE TRUE ON CONFLICT (id) DO UPDATE SET ring_id = excluded.ring_id, night = excluded.night,
                planned_night = excluded.planned_night, state = excluded.state, started_at = excluded.started_at,
                ended_at = excluded.ended_at, failure = excluded.failure, withdrawal = excluded.withdrawal,
                attempt = excluded.attempt, missed_windows = excluded.missed_windows,
                crowded_windows = excluded.crowded_windows, catch_up = excluded.catch_up,
                force = excluded.force, from_version = excluded.from_version, reason = excluded.reason,
                next_at = excluded.next_at, reason_facts = excluded.reason_facts",
            );
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    async fn add_deployment_events(&mut self, changed: &[&Deployment], now: DateTime<Utc>) -> Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "INSERT INTO deployment_events (deployment_id, update_id, room_id, at, state, reason) ",
            );
            query.push_values(changed, |mut row, deployment| {
                row.push_bind(deployment.id.0)
                    .push_bind(deployment.update.0)
                    .push_bind(deployment.room.0)
                    .push_bind(micros(now))
                    .push_bind(state_columns(&deployment.state).state)
                    .push_bind(deployment.reason.sentence());
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Writes installs in their new state. Devices write them too: on Postgres a row that has changed since this transaction's
    /// snapshot has it start again, or is locked by it; SQLite has one writer.
    ///
    /// # Errors
    /// The database fails, or one is not there.
    pub async fn put_installs(&mut self, installs: &[Install]) -> Result<()> {
        for batch in installs.chunks(BATCH) {
            let written = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "UPDATE installs SET state = changed.column2, state_at = changed.column3, heard_at = changed.column4, silent_at = changed.column5,
                        installed_chunks = changed.column6, doubtful = changed.column7, failure = changed.column8, shown_up_at = changed.column9,
                        started_at = changed.column10, detail = changed.column11, cancel_wanted = changed.column12, revision = revision + 1
                    FROM (",
                );
                query.push_values(batch, |mut row, install| {
                    let columns = install_columns(&install.state);
                    row.push_bind(install.action.0)
                        .push_bind(columns.state)
                        .push_bind(opt_micros(columns.state_at))
                        .push_bind(opt_micros(columns.heard_at))
                        .push_bind(opt_micros(columns.silent_at))
                        .push_bind(columns.installed_chunks)
                        .push_bind(columns.doubtful)
                        .push_bind(columns.failure)
                        .push_bind(opt_micros(install.shown_up_at))
                        .push_bind(opt_micros(install.started_at))
                        .push_bind(install.detail.as_str())
                        .push_bind(install.cancel_wanted.as_deref());
                });
                query.push(") AS changed WHERE installs.action_id = changed.column1");
                query.build().execute(c).await.map(|done| done.rows_affected())
            })?;
            if usize::try_from(written) != Ok(batch.len()) {
                let of = batch
                    .iter()
                    .map(|install| install.action.to_string())
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(StoreError::row("installs", of, "is not there to be changed"));
            }
        }
        Ok(())
    }

    /// The installs of a deployment, oldest first.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn installs_of(&mut self, deployment: DeploymentId) -> Result<Vec<Install>> {
        let rows: Vec<InstallRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(INSTALL_COLUMNS).push(" FROM installs WHERE deployment_id = ");
            query.push_bind(deployment.0);
            query.push(" ORDER BY action_id");
            query.build_query_as().fetch_all(c).await
        })?;
        rows.into_iter().map(InstallRow::into_domain).collect()
    }

    /// Makes installs; each gets its action id from the database. Their devices are asked for their facts.
    ///
    /// # Errors
    /// The database fails, or a device has an open install.
    pub async fn add_installs(&mut self, installs: &[NewInstall]) -> Result<()> {
        for batch in installs.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "INSERT INTO installs (deployment_id, update_id, device_id, attempt, window_opens, window_closes, state,
                    installed_chunks, doubtful, detail) ",
                );
                query.push_values(batch, |mut row, install| {
                    row.push_bind(install.deployment.0)
                        .push_bind(install.update.0)
                        .push_bind(install.device.0)
                        .push_bind(i64::from(install.attempt))
                        .push_bind(install.window.map(|window| micros(window.opens())))
                        .push_bind(install.window.map(|window| micros(window.closes())))
                        .push_bind("planned")
                        .push_bind(false)
                        .push_bind(false)
                        .push_bind("");
                });
                query.build().execute(c).await.map(drop)
            })?;
            // Facts are asked for ahead of a window; a forced device is not kept waiting for them.
            let ahead: Vec<Uuid> = batch
                .iter()
                .filter(|install| install.window.is_some())
                .map(|install| install.device.0)
                .collect();
            if !ahead.is_empty() {
                each!(self, c => {
                    let mut query = sqlx::QueryBuilder::new("UPDATE devices SET facts_wanted = ");
                    query.push_bind(true);
                    query.push(" WHERE id IN (");
                    ids_in(&mut query, ahead.iter().copied());
                    query.build().execute(c).await.map(drop)
                })?;
            }
        }
        Ok(())
    }

    /// Logs a force (K6).
    ///
    /// # Errors
    /// The database fails.
    pub async fn add_force(&mut self, force: &ForceRecord) -> Result<()> {
        const SQL: &str = "INSERT INTO forces (update_id, mode, rooms, left_out, actor, at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        each!(self, c => sqlx::query(SQL)
            .bind(force.update.0)
            .bind(force.mode.as_str())
            .bind(Json(&force.rooms))
            .bind(Json(&force.left_out))
            .bind(&force.actor)
            .bind(micros(force.at))
            .bind(&force.reason)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The latest events of a room's deployments, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn events_of_room(&mut self, room: RoomId, limit: i64) -> Result<Vec<DeploymentEvent>> {
        const SQL: &str = "SELECT id, update_id, room_id, at, state, reason FROM deployment_events
            WHERE room_id = $1 ORDER BY id DESC LIMIT $2";
        self.events(SQL, room.0, limit).await
    }

    /// The latest events of an update's deployments, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn events_of_update(&mut self, update: UpdateId, limit: i64) -> Result<Vec<DeploymentEvent>> {
        const SQL: &str = "SELECT id, update_id, room_id, at, state, reason FROM deployment_events
            WHERE update_id = $1 ORDER BY id DESC LIMIT $2";
        self.events(SQL, update.0, limit).await
    }

    async fn events(&mut self, sql: &'static str, of: Uuid, limit: i64) -> Result<Vec<DeploymentEvent>> {
        type Row = (i64, Uuid, Uuid, i64, String, String);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(sql).bind(of).bind(limit).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, update, room, at, state, reason)| {
                let at = instant("deployment_events", id, at)?;
                Ok(DeploymentEvent {
                    id,
                    update: UpdateId(update),
                    room: RoomId(room),
                    at,
                    state,
                    reason,
                })
            })
            .collect()
    }
}
