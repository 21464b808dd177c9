//! What the planner looks at of rooms that are due.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::deployment::Deployment;
use domain::ids::{DeploymentId, RoomId};
use domain::install::Install;

use crate::deployments::{DEPLOYMENT_COLUMNS, DeploymentRow};
use crate::error::Result;
use crate::installs::{INSTALL_COLUMNS, InstallRow};
use crate::rows::{ids_in, micros};
use crate::tx::{Tx, each};

impl Tx {
    /// What `planner::rooms` looks at, compared with `Fleet::slice` in `what_is_due_is_the_same_in_rows_and_in_memory_s14`: everything that is unfinished or has failed, all of live rollouts, and whatever still has
    /// an open install, for that keeps its device busy (law D).
    ///
    /// And what has lately been completed: whether another update had a window (S7) is told by its installs.
    pub(super) async fn planning_deployments(
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
