//! Rooms that the planner is to look at again, because their facts have changed (table `marks`).

use domain::ids::{RingId, RoomId, SiteId};

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
