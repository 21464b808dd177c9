//! How long versions are supported (L1–L5): releases by date, last supported days, and which versions rooms have or had.
//!
//! Loaded and written only; what ends support is `domain::lifecycle`'s. Start with [`Tx::support_releases`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::version::VersionScheme;
use uuid::Uuid;

use crate::deployments::BATCH;
use crate::error::Result;
use crate::lists::push_then;
use crate::rows::{ids_in, instant, micros, texts_in};
use crate::tx::{Tx, each};

/// A product with a support policy, and its releases.
#[derive(Clone, Debug)]
pub struct SupportedProduct {
    pub id: ProductId,
    pub name: String,
    pub scheme: VersionScheme,
    /// Every release: version, day of release, whether it was recalled, and on which day where that is known.
    pub releases: Vec<(String, Option<NaiveDate>, bool, Option<NaiveDate>)>,
    /// Every version that was released or reported: row, text, day of release, last supported day as it was worked out.
    pub versions: Vec<(Uuid, String, Option<NaiveDate>, Option<NaiveDate>)>,
}

/// A component of a room: (room, product, version's row, version's text).
pub type RoomVersion = (RoomId, ProductId, Option<Uuid>, Option<String>);

/// What a device that is in a room had first of a product, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstVersion {
    pub room: RoomId,
    pub device: DeviceId,
    pub product: ProductId,
    /// Its row; `None`: the device did not say it.
    pub version: Option<Uuid>,
    pub from: DateTime<Utc>,
}

/// A version that a device had for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastVersion {
    pub device: DeviceId,
    pub product: ProductId,
    /// Its row; `None`: nobody knows it.
    pub version: Option<Uuid>,
    pub from: DateTime<Utc>,
    /// It had it up to this instant, which does not count.
    pub until: DateTime<Utc>,
}

/// Rooms that count for one version of a product, or for versions without a place that are called the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedRooms {
    pub product: ProductId,
    /// The version's place; 0: it has none.
    pub place: i64,
    /// What a version without a place is called; `None`: it has a place, or devices do not say it.
    pub without_place: Option<String>,
    pub rooms: i64,
}

impl Tx {
    /// The products with a support policy, by name.
    pub async fn support_releases(&mut self) -> Result<Vec<SupportedProduct>> {
        const PRODUCTS: &str = "SELECT id, name, by_release_date, optional_prefix FROM products WHERE has_support_policy ORDER BY name, id";
        const RELEASES: &str = "SELECT u.product_id, u.version, v.released, u.recalled, u.recalled_on
            FROM products p JOIN updates u ON u.product_id = p.id JOIN versions v ON v.id = u.version_id
            WHERE p.has_support_policy ORDER BY u.product_id, u.position, u.id";
        const VERSIONS: &str = "SELECT v.product_id, v.id, v.text, v.released, v.supported_until
            FROM products p JOIN versions v ON v.product_id = p.id WHERE p.has_support_policy ORDER BY v.product_id, v.text";
        let products: Vec<(String, String, bool, Option<String>)> =
            each!(self, c => sqlx::query_as(PRODUCTS).fetch_all(c).await)?;
        type Release = (String, String, Option<NaiveDate>, bool, Option<NaiveDate>);
        let releases: Vec<Release> = each!(self, c => sqlx::query_as(RELEASES).fetch_all(c).await)?;
        type Version = (String, Uuid, String, Option<NaiveDate>, Option<NaiveDate>);
        let versions: Vec<Version> = each!(self, c => sqlx::query_as(VERSIONS).fetch_all(c).await)?;
        let mut by_product: BTreeMap<String, SupportedProduct> = BTreeMap::new();
        let mut order = Vec::new();
        for (id, name, by_release_date, optional_prefix) in products {
            order.push(id.clone());
            let product = SupportedProduct {
                id: ProductId(id.clone()),
                name,
                scheme: VersionScheme {
                    by_release_date,
                    optional_prefix,
                },
                releases: Vec::new(),
                versions: Vec::new(),
            };
            by_product.insert(id, product);
        }
        for (product, version, released, recalled, recalled_on) in releases {
            if let Some(product) = by_product.get_mut(&product) {
                product.releases.push((version, released, recalled, recalled_on));
            }
        }
        for (product, id, text, released, until) in versions {
            if let Some(product) = by_product.get_mut(&product) {
                product.versions.push((id, text, released, until));
            }
        }
        Ok(order.into_iter().filter_map(|id| by_product.remove(&id)).collect())
    }

    /// Whether a product has a support policy.
    pub async fn has_support_policy(&mut self, product: &ProductId) -> Result<bool> {
        const SQL: &str = "SELECT has_support_policy FROM products WHERE id = $1";
        let has: Option<bool> = each!(self, c => sqlx::query_scalar(SQL).bind(&product.0).fetch_optional(c).await)?;
        Ok(has.unwrap_or(false))
    }

    /// Gives a product a support policy, or takes it away: then no end is known of its versions.
    pub async fn put_support_policy(&mut self, product: &ProductId, has_policy: bool) -> Result<()> {
        const SQL: &str = "UPDATE products SET has_support_policy = $2 WHERE id = $1";
        const FORGET: &str = "UPDATE versions SET supported_until = NULL WHERE product_id = $1";
        each!(self, c => sqlx::query(SQL).bind(&product.0).bind(has_policy).execute(c).await.map(drop))?;
        if !has_policy {
            each!(self, c => sqlx::query(FORGET).bind(&product.0).execute(c).await.map(drop))?;
            self.check_where_products_are(&[product]).await?;
        }
        Ok(())
    }

    /// Writes the last supported day of a version.
    pub async fn put_supported_until(&mut self, version: Uuid, until: Option<NaiveDate>) -> Result<()> {
        const SQL: &str = "UPDATE versions SET supported_until = $2 WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(version).bind(until).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The checks of rooms that have one of these products are made with the next tick.
    pub async fn check_where_products_are(&mut self, products: &[&ProductId]) -> Result<()> {
        if products.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "UPDATE rooms SET check_at = 0 WHERE check_at > 0 AND id IN (
                    SELECT d.room_id FROM components c JOIN devices d ON d.id = c.device_id WHERE c.product_id IN (",
            );
            texts_in(&mut query, products.iter().map(|product| product.0.as_str()));
            query.push(")");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// How many rooms count for each version of products with a support policy, now or at an instant: each room once for each product, for
    /// the version of it that has the smallest place. Versions without a place have the place 0.
    pub async fn rooms_by_version(
        &mut self,
        at: Option<DateTime<Utc>>,
        places: &[(Uuid, i64)],
    ) -> Result<Vec<CountedRooms>> {
        const BY_ROOM: &str = ") SELECT x.product_id, x.place, CASE WHEN x.place = 0 THEN x.unplaced END, COUNT(*)
            FROM (SELECT c.product_id, d.room_id, MIN(COALESCE(w.place, 0)) AS place, MIN(CASE WHEN w.place IS NULL THEN v.text END) AS unplaced
                FROM products p ";
        // SQLite takes the tables of a CROSS JOIN in their order: it begins with the few products that have a policy.
        const NOW: &str = "CROSS JOIN components c
                JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
                JOIN rooms r ON r.id = d.room_id AND r.state <> 'retired'";
        const THEN: &str = "CROSS JOIN component_history c JOIN device_rooms d ON d.device_id = c.device_id";
        const PLACES: &str = " LEFT JOIN placed w ON w.version_id = c.version_id
                LEFT JOIN versions v ON w.place IS NULL AND v.id = c.version_id
                WHERE p.has_support_policy AND c.product_id = p.id";
        const GROUPS: &str = " GROUP BY c.product_id, d.room_id) AS x GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
        // The nil UUID is no version's: a list must have something in it.
        let placed = places.iter().copied().chain([(Uuid::nil(), 0)]);
        let rows: Vec<(String, i64, Option<String>, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("WITH placed (version_id, place) AS (");
            query.push_values(placed.clone(), |mut row, (version, place)| {
                row.push_bind(version).push_bind(place);
            });
            query.push(BY_ROOM).push(if at.is_some() { THEN } else { NOW }).push(PLACES);
            if let Some(at) = at {
                push_then(&mut query, "c", at);
                push_then(&mut query, "d", at);
            }
            query.push(GROUPS);
            query.build_query_as().fetch_all(c).await
        })?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(product, place, without_place, rooms)| CountedRooms {
                product: ProductId(product),
                place,
                without_place,
                rooms,
            })
            .collect())
    }

    /// Which versions of products with a support policy rooms have, or had through the devices that were there then.
    pub async fn versions_in_rooms(&mut self, rooms: &[RoomId], at: Option<DateTime<Utc>>) -> Result<Vec<RoomVersion>> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(Uuid, String, Option<Uuid>, Option<String>)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT DISTINCT d.room_id, c.product_id, c.version_id, v.text FROM ");
            query.push(match at {
                Some(_) => "device_rooms d JOIN component_history c ON c.device_id = d.device_id",
                None => "devices d JOIN components c ON c.device_id = d.id",
            });
            query.push(
                " JOIN products p ON p.id = c.product_id LEFT JOIN versions v ON v.id = c.version_id
                WHERE p.has_support_policy AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            match at {
                Some(at) => {
                    push_then(&mut query, "c", at);
                    push_then(&mut query, "d", at);
                }
                None => drop(query.push(" AND d.revoked_at IS NULL")),
            }
            query.push(" ORDER BY d.room_id, c.product_id, v.text");
            query.build_query_as().fetch_all(c).await
        })?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(room, product, version, text)| (RoomId(room), ProductId(product), version, text))
            .collect())
    }

    /// What the devices that are in rooms had first of each product.
    pub async fn first_versions(&mut self, rooms: &[RoomId]) -> Result<Vec<FirstVersion>> {
        let mut found = Vec::new();
        for batch in rooms.chunks(BATCH) {
            let rows: Vec<(Uuid, Uuid, String, Option<Uuid>, i64)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT d.room_id, h.device_id, h.product_id, h.version_id, h.from_at
                    FROM device_rooms d JOIN component_history h ON h.device_id = d.device_id
                    WHERE d.until_at IS NULL AND NOT EXISTS (
                        SELECT 1 FROM component_history e
                        WHERE e.device_id = h.device_id AND e.product_id = h.product_id AND e.from_at < h.from_at
                    ) AND d.room_id IN (",
                );
                ids_in(&mut query, batch.iter().map(|room| room.0));
                query.push(" ORDER BY d.room_id, h.device_id, h.product_id");
                query.build_query_as().fetch_all(c).await
            })?;
            for (room, device, product, version, from) in rows {
                found.push(FirstVersion {
                    room: RoomId(room),
                    device: DeviceId(device),
                    product: ProductId(product),
                    version,
                    from: instant("component_history", device, from)?,
                });
            }
        }
        Ok(found)
    }

    /// Adds what devices had before they were known here.
    pub async fn put_past_versions(&mut self, past: &[PastVersion]) -> Result<()> {
        for batch in past.chunks(BATCH) {
            each!(self, c => {
                let mut query =
                    sqlx::QueryBuilder::new("INSERT INTO component_history (device_id, product_id, version_id, from_at, until_at) ");
                query.push_values(batch, |mut row, past| {
                    row.push_bind(past.device.0)
                        .push_bind(past.product.0.clone())
                        .push_bind(past.version)
                        .push_bind(micros(past.from))
                        .push_bind(micros(past.until));
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }
}
