//! Which rooms count for versions of products (L5): part of the filters of [`super::rooms`].
//!
//! A room that has several versions of one product counts for one of them. Which one is the domain's to say
//! (`domain::lifecycle::SupportOrder`): whoever asks names the versions that are worse.

use chrono::{DateTime, Utc};
use domain::ids::ProductId;
use uuid::Uuid;

use crate::rows::{ids_in, micros, texts_in};

/// Rooms that have one of these versions, or had it then, and none of the same product that is worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionFilter {
    /// Of these products.
    pub products: Vec<ProductId>,
    pub wanted: VersionSet,
    /// A room that has one of these counts for it, and not for what it has of `wanted`.
    pub worse: VersionSet,
    /// At this instant; `None`: now.
    pub at: Option<DateTime<Utc>>,
}

/// Versions, by their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionSet {
    Only(Vec<Uuid>),
    /// All others, and those that devices do not say.
    AllBut(Vec<Uuid>),
}

impl VersionSet {
    /// Every version.
    #[must_use]
    pub fn all() -> Self {
        Self::AllBut(Vec::new())
    }

    /// Whether a version is in it; `None`: one that devices do not say.
    #[must_use]
    pub fn has(&self, version: Option<Uuid>) -> bool {
        match self {
            Self::Only(versions) => version.is_some_and(|version| versions.contains(&version)),
            Self::AllBut(versions) => version.is_none_or(|version| !versions.contains(&version)),
        }
    }
}

/// Continues a query of rooms `r` with those that count for what `filter` asks for.
pub(super) fn push_versions<DB>(query: &mut sqlx::QueryBuilder<DB>, filter: &VersionFilter)
where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query.push(" AND EXISTS (SELECT 1 FROM ");
    push_components_of_room(query, ("d", "k"), filter.at);
    query.push(" AND k.product_id IN (");
    // No product has an empty id: a list must have something in it.
    let products = filter.products.iter().map(|product| product.0.as_str());
    texts_in(query, products.chain([""]));
    push_set(query, "k", &filter.wanted);
    push_none_worse(query, filter);
    // Postgres would make a list of all such rooms first.
    query.push(" LIMIT 1 OFFSET 0)");
}

/// Continues a query of rooms `r` and of components `k` with the rooms that have nothing worse than `k`.
pub(super) fn push_none_worse<DB>(query: &mut sqlx::QueryBuilder<DB>, filter: &VersionFilter)
where
    DB: sqlx::Database,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    if filter.worse != VersionSet::Only(Vec::new()) {
        query.push(" AND NOT EXISTS (SELECT 1 FROM ");
        push_components_of_room(query, ("e", "o"), filter.at);
        query.push(" AND o.product_id = k.product_id");
        push_set(query, "o", &filter.worse);
        query.push(")");
    }
}

/// Continues a query of components with those that have this version of a product; `None`: one that devices do not say.
pub(super) fn push_version<DB>(
    query: &mut sqlx::QueryBuilder<DB>,
    component: &str,
    product: &ProductId,
    version: Option<Uuid>,
) where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query
        .push(format_args!(" AND {component}.product_id = "))
        .push_bind(product.0.clone());
    match version {
        Some(version) => {
            query
                .push(format_args!(" AND {component}.version_id = "))
                .push_bind(version);
        }
        None => drop(query.push(format_args!(" AND {component}.version_id IS NULL"))),
    }
}

/// What the devices of a room `r` have, or what those had that were there at an instant.
fn push_components_of_room<DB>(
    query: &mut sqlx::QueryBuilder<DB>,
    (device, component): (&str, &str),
    at: Option<DateTime<Utc>>,
) where
    DB: sqlx::Database,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    // SQLite takes the tables of a CROSS JOIN in their order: it must not begin with all devices that have a version.
    match at {
        Some(at) => {
            query.push(format_args!(
                "device_rooms {device} CROSS JOIN component_history {component}
                WHERE {device}.room_id = r.id AND {component}.device_id = {device}.device_id"
            ));
            push_then(query, device, at);
            push_then(query, component, at);
        }
        None => drop(query.push(format_args!(
            "devices {device} CROSS JOIN components {component}
            WHERE {device}.room_id = r.id AND {component}.device_id = {device}.id AND {device}.revoked_at IS NULL"
        ))),
    }
}

/// Of a table with `from_at` and `until_at` the rows that held at an instant.
pub(crate) fn push_then<DB>(query: &mut sqlx::QueryBuilder<DB>, table: &str, at: DateTime<Utc>)
where
    DB: sqlx::Database,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query
        .push(format_args!(" AND {table}.from_at <= "))
        .push_bind(micros(at));
    query.push(format_args!(" AND ({table}.until_at IS NULL OR {table}.until_at > "));
    query.push_bind(micros(at)).push(")");
}

fn push_set<DB>(query: &mut sqlx::QueryBuilder<DB>, component: &str, set: &VersionSet)
where
    DB: sqlx::Database,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    match set {
        VersionSet::Only(versions) => {
            // IS TRUE: no index of versions is to be taken for it, which would lead to all devices that have one.
            query.push(format_args!(" AND ({component}.version_id IN ("));
            // No version has the nil UUID: a list must have something in it.
            ids_in(query, versions.iter().copied().chain([Uuid::nil()]));
            query.push(") IS TRUE");
        }
        VersionSet::AllBut(versions) if versions.is_empty() => {}
        VersionSet::AllBut(versions) => {
            query.push(format_args!(
                " AND ({component}.version_id IS NULL OR {component}.version_id NOT IN ("
            ));
            ids_in(query, versions.iter().copied());
            query.push(")");
        }
    }
}
