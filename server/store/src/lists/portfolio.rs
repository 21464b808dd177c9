//! The portfolio (P7): products, their releases, and how many rooms have them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::{ProductId, UpdateId};
use domain::update::{ProductKind, Severity};
use uuid::Uuid;

use crate::deployments::BATCH;
use crate::error::Result;
use crate::rows::{texts_in, word};
use crate::tx::{Tx, each};

/// A product of the portfolio.
#[derive(Clone, Debug)]
pub struct PortfolioRecord {
    /// Identity.
    pub id: ProductId,
    pub name: String,
    pub vendor: String,
    /// Part of the portfolio that this organisation covers.
    pub covered: bool,
    pub kind: ProductKind,
    /// Newest release that is not recalled: version and day.
    pub newest: Option<(String, Option<NaiveDate>)>,
    /// Releases known.
    pub releases: i64,
    /// Whether a device has it.
    pub in_use: bool,
    /// The newest published update.
    pub published: Option<UpdateId>,
}

/// A release of a product in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLineRecord {
    /// Identity.
    pub id: UpdateId,
    pub version: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    /// How urgent.
    pub severity: Severity,
    /// Withdrawn by the vendor, or recalled here.
    pub recalled: bool,
    /// It has a rollout.
    pub published: bool,
    pub files: i64,
    /// Devices that report it.
    pub devices: i64,
}

impl Tx {
    /// A page of the portfolio, covered products first, by name. `words`: lower case, in a name or a vendor; empty: all.
    pub async fn portfolio_page(
        &mut self,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<PortfolioRecord>, i64)> {
        const COUNT: &str =
            "SELECT COUNT(*) FROM products p WHERE lower(p.vendor || ' ' || p.name) LIKE $1 ESCAPE '\\'";
        const SQL: &str = "SELECT p.id, p.name, p.vendor, p.kind, p.covered,
                (SELECT COUNT(*) FROM updates u WHERE u.product_id = p.id),
                (SELECT 1 FROM components c WHERE c.product_id = p.id ORDER BY c.version_id LIMIT 1) IS NOT NULL,
                (SELECT u.id FROM updates u JOIN rollouts r ON r.update_id = u.id WHERE u.product_id = p.id ORDER BY u.position DESC LIMIT 1),
                n.version, v.released
            FROM products p
            LEFT JOIN updates n ON n.id = (SELECT u.id FROM updates u WHERE u.product_id = p.id AND NOT u.recalled ORDER BY u.position DESC LIMIT 1)
            LEFT JOIN versions v ON v.id = n.version_id
            WHERE lower(p.vendor || ' ' || p.name) LIKE $1 ESCAPE '\\'
            ORDER BY p.covered DESC, p.name, p.id LIMIT $2 OFFSET $3";
        type Row = (
            String,
            String,
            String,
            String,
            bool,
            i64,
            bool,
            Option<Uuid>,
            Option<String>,
            Option<NaiveDate>,
        );
        let words = crate::rows::containing(words);
        let count: i64 = each!(self, c => sqlx::query_scalar(COUNT).bind(&words).fetch_one(c).await)?;
        let rows: Vec<Row> =
            each!(self, c => sqlx::query_as(SQL).bind(&words).bind(limit).bind(offset).fetch_all(c).await)?;
        let rows = rows
            .into_iter()
            .map(
                |(id, name, vendor, kind, covered, releases, in_use, published, version, released)| {
                    Ok(PortfolioRecord {
                        kind: word("products", &id, &kind, ProductKind::from_word)?,
                        id: ProductId(id),
                        name,
                        vendor,
                        covered,
                        newest: version.map(|version| (version, released)),
                        releases,
                        in_use,
                        published: published.map(UpdateId),
                    })
                },
            )
            .collect::<Result<Vec<_>>>()?;
        Ok((rows, count))
    }

    /// A page of a product's releases, the newest first, and how many there are.
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

    /// The newest release of each of these products that is published and not deprecated.
    pub async fn recommended(&mut self, products: &[ProductId]) -> Result<BTreeMap<ProductId, (UpdateId, String)>> {
        let mut found = BTreeMap::new();
        for batch in products.chunks(BATCH) {
            let rows: Vec<(String, Uuid, String)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT u.product_id, u.id, u.version FROM updates u JOIN rollouts r ON r.update_id = u.id
                    WHERE r.state <> 'deprecated' AND u.product_id IN (",
                );
                texts_in(&mut query, batch.iter().map(|product| product.0.as_str()));
                query.push(" ORDER BY u.product_id, u.position");
                query.build_query_as().fetch_all(c).await
            })?;
            // A newer one takes the place of an older one.
            found.extend(
                rows.into_iter()
                    .map(|(product, id, version)| (ProductId(product), (UpdateId(id), version))),
            );
        }
        Ok(found)
    }

    /// How many rooms have each of these products.
    pub async fn rooms_with(&mut self, products: &[ProductId]) -> Result<BTreeMap<ProductId, i64>> {
        let mut with: BTreeMap<_, _> = products.iter().map(|product| (product.clone(), 0)).collect();
        if products.is_empty() {
            return Ok(with);
        }
        let rows: Vec<(String, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT c.product_id, COUNT(DISTINCT d.room_id) FROM components c JOIN devices d ON d.id = c.device_id
                WHERE d.revoked_at IS NULL AND c.product_id IN (",
            );
            texts_in(&mut query, products.iter().map(|product| product.0.as_str()));
            query.push(" GROUP BY c.product_id ORDER BY c.product_id");
            query.build_query_as().fetch_all(c).await
        })?;
        with.extend(rows.into_iter().map(|(product, rooms)| (ProductId(product), rooms)));
        Ok(with)
    }

    /// How many rooms have a device with the version of a release (S10).
    pub async fn rooms_running_count(&mut self, release: UpdateId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(DISTINCT d.room_id)
            FROM updates u
            JOIN components c ON c.product_id = u.product_id AND c.version_id = u.version_id
            JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
            WHERE u.id = $1";
        Ok(each!(self, c => sqlx::query_scalar(SQL).bind(release.0).fetch_one(c).await)?)
    }
}
