//! Edits of many rows at once: each is one statement over any number of deployments or installs.
//!
//! They carry decided values, and SQL only joins them. What they mean is in `Fleet::apply` (`app/domain/src/fleet/apply.rs`), and random life
//! compares the two. Start with [`Tx::apply`], which calls them.

use chrono::{DateTime, NaiveDate, Utc};
use domain::changes::{MovedNights, Stop, StopOf, TakeBack};
use domain::freeze::FreezeScope;
use domain::ids::{SiteId, UpdateId};
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{ids_in, micros, stage_id};
use crate::rules_in_sql::follows_plan;
use crate::tx::{Tx, each};

impl Tx {
    /// Moves the nights of a rollout with its dates (K3, W6): the rows for which [`MovedNights::of`] gives another night, all rooms of a
    /// night at once. How many rooms.
    pub(crate) async fn move_nights(&mut self, nights: &MovedNights) -> Result<u64> {
        let MovedNights { update, ring, shift } = nights;
        let (ring, mut rooms) = (*ring, 0);
        const NIGHTS: &str = concat!(
            "SELECT DISTINCT night, planned_night FROM deployments WHERE update_id = $1 AND ",
            follows_plan!(),
            " AND ring_id = $2 AND planned_night >= $3 ORDER BY planned_night, night"
        );
        const MOVE: &str = concat!(
            "UPDATE deployments SET night = $4, planned_night = $5 WHERE update_id = $1 AND ",
            follows_plan!(),
            " AND ring_id = $6 AND night = $2 AND planned_night = $3"
        );
        let mut nights: Vec<(NaiveDate, NaiveDate)> = each!(self, c => sqlx::query_as(NIGHTS).bind(update.0).bind(stage_id(ring)).bind(shift.from).fetch_all(c).await)?;
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
                .bind(stage_id(ring))
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

    /// Has the planner look at everything unfinished of updates that may wait for this one as a step: `Update::may_wait_for`.
    pub(crate) async fn wake_waiting_for_step(&mut self, step: UpdateId, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str =
            "UPDATE deployments SET next_at = $2 WHERE progress IN ('not_started', 'in_progress') AND update_id IN (
            SELECT u.id FROM updates s JOIN updates u ON u.product_id = s.product_id
            WHERE s.id = $1 AND u.id <> s.id AND u.minimum_version IS NOT NULL)";
        each!(self, c => sqlx::query(SQL).bind(step.0).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Has the planner look at everything unfinished of a rollout.
    pub async fn wake_deployments(&mut self, update: UpdateId, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str =
            "UPDATE deployments SET next_at = $2 WHERE update_id = $1 AND progress IN ('not_started', 'in_progress')";
        each!(self, c => sqlx::query(SQL).bind(update.0).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(())
    }
}
