//! What people change in the portfolio (P7), beside `catalogue.rs`.

use domain::ids::{ProductId, UpdateId};

use crate::error::Result;
use crate::tx::{Tx, each};

impl Tx {
    /// The place behind the newest release of a product.
    pub async fn next_release_position(&mut self, product: &ProductId) -> Result<u32> {
        const SQL: &str = "SELECT COALESCE(MAX(position) + 1, 1) FROM updates WHERE product_id = $1";
        let next: i64 = each!(self, c => sqlx::query_scalar(SQL).bind(&product.0).fetch_one(c).await)?;
        Ok(u32::try_from(next).unwrap_or(u32::MAX))
    }

    /// Takes a file of a release away; its bytes stay in the folder, where another release may have the same. `false`: it has none of
    /// this name.
    pub async fn delete_artifact(&mut self, update: UpdateId, filename: &str) -> Result<bool> {
        const SQL: &str = "DELETE FROM artifacts WHERE update_id = $1 AND filename = $2";
        let done = each!(self, c => sqlx::query(SQL).bind(update.0).bind(filename).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }
}
