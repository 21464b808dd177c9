//! The order of nights of large rings that are being filled (S6).

use domain::changes::Placement;
use domain::ids::UpdateId;

use crate::error::Result;
use crate::tx::{Tx, each};

/// Rows in one statement.
const BATCH: usize = 2000;

impl Tx {
    /// Keeps the order of nights of a large ring (S6): all of one update.
    pub(crate) async fn put_placements(&mut self, placements: &[Placement]) -> Result<()> {
        // Several rollouts may enter large rings in one plan.
        let of_one_update = placements.chunk_by(|one, next| one.update == next.update);
        for batch in of_one_update.flat_map(|of_one| of_one.chunks(BATCH)) {
            let update = batch[0].update;
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO placements (update_id, position, room_id) SELECT ");
                query.push_bind(update.0).push(", column1, column2 FROM (");
                query.push_values(batch, |mut row, placement| {
                    row.push_bind(i64::from(placement.position)).push_bind(placement.room.0);
                });
                query.push(") AS placed");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    pub(crate) async fn delete_placements(&mut self, update: UpdateId) -> Result<()> {
        const SQL: &str = "DELETE FROM placements WHERE update_id = $1";
        each!(self, c => sqlx::query(SQL).bind(update.0).execute(c).await.map(drop))?;
        Ok(())
    }
}
