//! What people see of products and change in the portfolio (P7): a product with its releases, and files of releases.

use chrono::NaiveDate;
use domain::ids::{ProductId, UpdateId};
use domain::update::Severity;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::word;
use crate::tx::{Tx, each};

/// A release of a product in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLineRecord {
    /// Identity.
    pub id: UpdateId,
    /// Version.
    pub version: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    /// How urgent.
    pub severity: Severity,
    /// Withdrawn by the vendor, or recalled here.
    pub recalled: bool,
    /// It has a rollout.
    pub published: bool,
    /// Files.
    pub files: i64,
    /// Devices that report it.
    pub devices: i64,
}

impl Tx {
    /// A page of a product's releases, the newest first, and how many there are.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn release_page(
        &mut self,
        product: &ProductId,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<ReleaseLineRecord>, i64)> {
        const COUNT: &str = "SELECT COUNT(*) FROM updates WHERE product_id = $1";
        const SQL: &str = "SELECT u.id, u.version, v.released, u.severity, u.recalled, r.update_id IS NOT NULL,
                (SELECT COUNT(*) FROM artifacts a WHERE a.update_id = u.id),
                (SELECT COUNT(*) FROM components c WHERE c.product_id = u.product_id AND c.version_id = u.version_id)
            FROM updates u
            JOIN versions v ON v.id = u.version_id
            LEFT JOIN rollouts r ON r.update_id = u.id
            WHERE u.product_id = $1 ORDER BY u.position DESC, u.id DESC LIMIT $2 OFFSET $3";
        type Row = (Uuid, String, Option<NaiveDate>, String, bool, bool, i64, i64);
        let count: i64 = each!(self, c => sqlx::query_scalar(COUNT).bind(&product.0).fetch_one(c).await)?;
        let rows: Vec<Row> =
            each!(self, c => sqlx::query_as(SQL).bind(&product.0).bind(limit).bind(offset).fetch_all(c).await)?;
        let rows = rows
            .into_iter()
            .map(
                |(id, version, released, severity, recalled, published, files, devices)| {
                    Ok(ReleaseLineRecord {
                        severity: word("updates", id, &severity, Severity::from_word)?,
                        id: UpdateId(id),
                        version,
                        released,
                        recalled,
                        published,
                        files,
                        devices,
                    })
                },
            )
            .collect::<Result<Vec<_>>>()?;
        Ok((rows, count))
    }

    /// How many rooms have a device with the version of a release (S10).
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_running_count(&mut self, release: UpdateId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(DISTINCT d.room_id)
            FROM updates u
            JOIN components c ON c.product_id = u.product_id AND c.version_id = u.version_id
            JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
            WHERE u.id = $1";
        Ok(each!(self, c => sqlx::query_scalar(SQL).bind(release.0).fetch_one(c).await)?)
    }

    /// The place behind the newest release of a product.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_release_position(&mut self, product: &ProductId) -> Result<u32> {
        const SQL: &str = "SELECT COALESCE(MAX(position) + 1, 1) FROM updates WHERE product_id = $1";
        let next: i64 = each!(self, c => sqlx::query_scalar(SQL).bind(&product.0).fetch_one(c).await)?;
        Ok(u32::try_from(next).unwrap_or(u32::MAX))
    }

    /// Takes a file of a release away; its bytes stay in the folder, where another release may have the same. `false`: it has none of
    /// this name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_artifact(&mut self, update: UpdateId, filename: &str) -> Result<bool> {
        const SQL: &str = "DELETE FROM artifacts WHERE update_id = $1 AND filename = $2";
        let done = each!(self, c => sqlx::query(SQL).bind(update.0).bind(filename).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }
}
