//! What the planner looks at of rooms that are due.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::deployment::Deployment;
use domain::ids::{DeploymentId, RoomId, UpdateId};
use domain::install::Install;

use crate::deployments::{DEPLOYMENT_COLUMNS, DeploymentRow};
use crate::error::Result;
use crate::installs::{INSTALL_COLUMNS, InstallRow};
use crate::rows::{ids_in, micros};
use crate::tx::{Tx, each};
use uuid::Uuid;

impl Tx {
    /// What `planner::rooms` looks at, compared with `Fleet::slice` in `what_is_due_is_the_same_in_rows_and_in_memory_s14`: everything that is unfinished or has failed, all of live rollouts, and whatever still has
    /// an open install, for that keeps its device busy (law D).
    ///
    /// And all of those that the room may have lost (S16) or missed (S11): `missed`.
    ///
    /// And what has lately been completed: whether another update had a window (S7) is told by its installs.
    pub(super) async fn planning_deployments(
        &mut self,
        rooms: &[RoomId],
        missed: &[UpdateId],
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
            query.push(" OR update_id IN (");
            // No update has the nil UUID: a list must have something in it.
            ids_in(&mut query, missed.iter().map(|update| update.0).chain([Uuid::nil()]));
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

    /// Updates whose rollouts are over and whose version is not that of one of these rooms: those that they have missed (S11), or had once
    /// (S16).
    pub(super) async fn missed_updates(&mut self, rooms: &BTreeSet<RoomId>) -> Result<Vec<UpdateId>> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Uuid> = each!(self, c => {
            // SQLite takes the tables of a CROSS JOIN in their order.
            let mut query = sqlx::QueryBuilder::new(
                "SELECT DISTINCT o.update_id FROM devices d CROSS JOIN components c CROSS JOIN updates u CROSS JOIN rollouts o
                LEFT JOIN standings s ON s.update_id = u.id AND s.version_id = c.version_id
                WHERE c.device_id = d.id AND d.revoked_at IS NULL AND u.product_id = c.product_id AND o.update_id = u.id
                    AND o.state IN ('finished', 'deprecated') AND (s.standing IS NULL OR s.standing <> 'current') AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY o.update_id");
            query.build_query_scalar().fetch_all(c).await
        })?;
        Ok(rows.into_iter().map(UpdateId).collect())
    }

    /// The installs of the current attempt of these deployments, and every open one.
    pub(super) async fn planning_installs(
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
}
