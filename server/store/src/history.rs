//! What was done to deployments, append-only: their events (P3), and who forced what (K6).

use chrono::{DateTime, Utc};
use domain::deployment::{Deployment, DeploymentState, Force};
use domain::ids::{RoomId, UpdateId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::deployments::state_columns;
use crate::error::Result;
use crate::rows::{instant, micros};
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
