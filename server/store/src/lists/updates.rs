//! The list of published updates (P2, T9).

use chrono::{DateTime, Utc};
use domain::ids::{ProductId, UpdateId};
use domain::update::{ProductKind, Severity};
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{instant, word};
use crate::rules_in_sql::MAY_CONCERN;
use crate::tx::{Tx, each};

/// A published update in a list.
#[derive(Clone, Debug)]
pub struct PublishedRecord {
    /// Identity.
    pub id: UpdateId,
    /// Title of its product.
    pub title: String,
    pub version: String,
    pub vendor: String,
    pub product: ProductId,
    pub kind: ProductKind,
    pub severity: Severity,
    /// An admin has seen its failures (T9).
    pub acknowledged: bool,
}

impl Tx {
    /// Published updates; `active`: only those that may still concern people (T9).
    pub async fn published(&mut self, active: bool) -> Result<Vec<PublishedRecord>> {
        type Row = (Uuid, String, String, String, String, String, String, Option<i64>);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT u.id, u.title, u.version, p.vendor, p.id, p.kind, u.severity, r.acknowledged_at
                FROM rollouts r JOIN updates u ON u.id = r.update_id JOIN products p ON p.id = u.product_id",
            );
            if active {
                query.push(MAY_CONCERN);
            }
            query.push(" ORDER BY r.published_at DESC, u.id");
            query.build_query_as().fetch_all(c).await
        })?;
        rows.into_iter()
            .map(|(id, title, version, vendor, product, kind, severity, acknowledged)| {
                Ok(PublishedRecord {
                    id: UpdateId(id),
                    title,
                    version,
                    vendor,
                    kind: word("products", &product, &kind, ProductKind::from_word)?,
                    product: ProductId(product),
                    severity: word("updates", id, &severity, Severity::from_word)?,
                    acknowledged: acknowledged.is_some(),
                })
            })
            .collect()
    }

    /// When an update was published, and by whom.
    pub async fn published_at(&mut self, update: UpdateId) -> Result<Option<(DateTime<Utc>, String)>> {
        const SQL: &str = "SELECT published_at, published_by FROM rollouts WHERE update_id = $1";
        let row: Option<(i64, String)> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_optional(c).await)?;
        row.map(|(at, by)| Ok((instant("rollouts", update, at)?, by)))
            .transpose()
    }
}
