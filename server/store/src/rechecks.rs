//! Rooms that the planner is to look at again, because their facts have changed (table `marks`).

use chrono::NaiveDate;
use domain::ids::{RingId, RoomId, SiteId, UpdateId};

use crate::deployments::BATCH;
use crate::error::Result;
use crate::tx::{Tx, each};

impl Tx {
    /// Has the planner recheck a room with the next tick, because its facts have changed.
    pub async fn recheck(&mut self, room: RoomId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at) VALUES ($1, 0)";
        each!(self, c => sqlx::query(SQL).bind(room.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// [`Tx::recheck`] for many rooms.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn recheck_all(&mut self, rooms: impl Iterator<Item = RoomId>) -> Result<()> {
        let rooms: Vec<RoomId> = rooms.collect();
        for batch in rooms.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO marks (room_id, due_at) ");
                query.push_values(batch, |mut row, room| {
                    row.push_bind(room.0).push_bind(0_i64);
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Has the planner recheck every room of a ring.
    pub async fn recheck_ring(&mut self, ring: RingId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at) SELECT id, 0 FROM rooms WHERE ring_id = $1";
        each!(self, c => sqlx::query(SQL).bind(ring.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Has the planner recheck every room of a site.
    pub async fn recheck_site(&mut self, site: SiteId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at) SELECT id, 0 FROM rooms WHERE site_id = $1";
        each!(self, c => sqlx::query(SQL).bind(site.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Has the planner recheck every room that has a version of an update's product that is out of support on a date (S11).
    pub(crate) async fn recheck_out_of_support(&mut self, update: UpdateId, on: NaiveDate) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at)
            SELECT DISTINCT c.room_id, 0 FROM updates u
            JOIN versions v ON v.product_id = u.product_id AND v.supported_until < $2
            JOIN components c ON c.product_id = v.product_id AND c.version_id = v.id AND c.room_key IS NOT NULL
            WHERE u.id = $1";
        each!(self, c => sqlx::query(SQL).bind(update.0).bind(on).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Has the planner recheck every room that has yet to get an update of this one's product whose rollout is over (S11).
    pub(crate) async fn recheck_late(&mut self, update: UpdateId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at)
            SELECT DISTINCT c.room_id, 0 FROM updates x
            JOIN updates u ON u.product_id = x.product_id
            JOIN rollouts o ON o.update_id = u.id AND o.state = 'finished'
            JOIN standings s ON s.update_id = u.id AND s.standing IN ('below', 'needs_first')
            JOIN components c ON c.product_id = u.product_id AND c.version_id = s.version_id AND c.room_key IS NOT NULL
            LEFT JOIN deployments d ON d.update_id = u.id AND d.room_id = c.room_id
            WHERE x.id = $1 AND (d.id IS NULL OR d.state = 'withdrawn')";
        each!(self, c => sqlx::query(SQL).bind(update.0).execute(c).await.map(drop))?;
        Ok(())
    }

    pub(crate) async fn delete_rechecks(&mut self, rechecks: &[i64]) -> Result<()> {
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
