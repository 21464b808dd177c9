//! What was done to deployments, append-only: their events (P3), what devices said about their actions, and who forced what (K6).

use chrono::{DateTime, Utc};
use domain::conversation::feedback::{Execution, Finished};
use domain::deployment::{Deployment, DeploymentState, Force};
use domain::ids::{RoomId, UpdateId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::deployments::state_columns;
use crate::error::Result;
use crate::rows::{instant, micros, word};
use crate::tx::{Tx, each};

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

/// What a device has said about an action (`docs/devices.md` 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceMessage {
    pub at: DateTime<Utc>,
    /// What the device calls itself.
    pub controller: String,
    /// What the action installs.
    pub update: UpdateId,
    pub execution: Execution,
    pub finished: Finished,
    /// In its own words, shortened.
    pub words: String,
    /// `false`: the action had ended, and nothing follows from it (`docs/devices.md` 2.11).
    pub counts: bool,
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

impl Tx {
    /// The first events of deployments that a ring's entry has made.
    pub(crate) async fn add_placed_events(
        &mut self,
        update: UpdateId,
        batch: &[&Deployment],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let new = state_columns(&DeploymentState::Waiting);
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "INSERT INTO deployment_events (update_id, at, state, deployment_id, room_id, reason) SELECT ",
            );
            query.push_bind(update.0).push(", ").push_bind(micros(now));
            query.push(format_args!(", '{}', column1, column2, column3 FROM (", new.state));
            query.push_values(batch, |mut row, deployment| {
                row.push_bind(deployment.id.0)
                    .push_bind(deployment.room.0)
                    .push_bind(deployment.reason.sentence());
            });
            query.push(") AS placed");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    pub(crate) async fn add_deployment_events(&mut self, changed: &[&Deployment], now: DateTime<Utc>) -> Result<()> {
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

    /// Logs a force (K6).
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

    /// What the devices of a room have said last about actions there, newest first. Those of its latest actions are looked through.
    pub async fn messages_of_room(&mut self, room: RoomId, limit: i64) -> Result<Vec<DeviceMessage>> {
        const SQL: &str = "SELECT m.at, d.controller_id, i.update_id, m.execution, m.finished, m.detail, m.counted
            FROM (SELECT i.action_id, i.device_id, i.update_id
                FROM devices d
                JOIN installs i ON i.device_id = d.id
                JOIN deployments p ON p.id = i.deployment_id
                WHERE d.room_id = $1 AND p.room_id = $1
                ORDER BY i.action_id DESC LIMIT 50) AS i
            JOIN devices d ON d.id = i.device_id
            JOIN reports m ON m.action_id = i.action_id
            ORDER BY m.id DESC LIMIT $2";
        type Row = (i64, String, Uuid, String, String, String, bool);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(room.0).bind(limit).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(at, controller, update, execution, finished, words, counts)| {
                Ok(DeviceMessage {
                    at: instant("reports", &controller, at)?,
                    update: UpdateId(update),
                    execution: word("reports", &controller, &execution, Execution::from_word)?,
                    finished: word("reports", &controller, &finished, Finished::from_row)?,
                    words,
                    counts,
                    controller,
                })
            })
            .collect()
    }

    /// The latest events of a room's deployments, newest first.
    pub async fn events_of_room(&mut self, room: RoomId, limit: i64) -> Result<Vec<DeploymentEvent>> {
        const SQL: &str = "SELECT id, update_id, room_id, at, state, reason FROM deployment_events
            WHERE room_id = $1 ORDER BY id DESC LIMIT $2";
        self.events(SQL, room.0, limit).await
    }

    /// The latest events of an update's deployments, newest first.
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
