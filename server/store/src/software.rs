//! Names of software in rooms: those that somebody has reviewed, and those that nobody has (C1).
//!
//! Which names a room's checks have found is `domain::readiness::decide`'s. Start with [`Tx::unreviewed_software`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::clean::name_key;
use domain::ids::RoomId;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{ids_in, instant};
use crate::tx::{Tx, each};

/// A name of software that somebody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewedSoftware {
    pub name: String,
    pub by: String,
    pub at: DateTime<Utc>,
}

/// A name of software that nobody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UnreviewedSoftware {
    pub name: String,
    /// In so many rooms.
    pub rooms: i64,
}

impl Tx {
    /// Names of software that somebody has reviewed, by name.
    pub async fn reviewed_software(&mut self) -> Result<Vec<ReviewedSoftware>> {
        const SQL: &str = "SELECT name, reviewed_by, reviewed_at FROM reviewed_software ORDER BY name_key";
        let rows: Vec<(String, String, i64)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(name, by, at)| {
                let at = instant("reviewed_software", &name, at)?;
                Ok(ReviewedSoftware { name, by, at })
            })
            .collect()
    }

    /// Names of software that nobody has reviewed, those of the most rooms first.
    pub async fn unreviewed_software(&mut self, limit: i64) -> Result<Vec<UnreviewedSoftware>> {
        // A name that was reviewed just now stands there until its rooms have been checked again.
        const SQL: &str = "SELECT u.name, u.rooms FROM unreviewed_counts u
            WHERE NOT EXISTS (SELECT 1 FROM reviewed_software r WHERE r.name_key = u.name_key)
            ORDER BY u.rooms DESC, u.name_key LIMIT ";
        Ok(each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(SQL);
            // A number and no parameter: Postgres then plans for a page.
            query.push(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// In how many rooms a name is that nobody has reviewed.
    pub async fn rooms_with_unreviewed(&mut self, name_key: &str) -> Result<i64> {
        const SQL: &str = "SELECT COALESCE(MAX(rooms), 0) FROM unreviewed_counts WHERE name_key = $1";
        Ok(each!(self, c => sqlx::query_scalar(SQL).bind(name_key).fetch_one(c).await)?)
    }

    /// The names that nobody has reviewed, as the checks of rooms have found them last.
    pub(crate) async fn unreviewed_in(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, BTreeSet<String>>> {
        let rows: Vec<(Uuid, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, name FROM unreviewed_software WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, name_key");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
        for (room, name) in rows {
            by_room.entry(room).or_default().insert(name);
        }
        Ok(by_room)
    }

    /// Writes the names that nobody has reviewed, in place of those that were there.
    pub(crate) async fn put_unreviewed(&mut self, room: RoomId, names: &BTreeSet<String>) -> Result<()> {
        const GONE: &str = "DELETE FROM unreviewed_software WHERE room_id = $1";
        each!(self, c => sqlx::query(GONE).bind(room.0).execute(c).await.map(drop))?;
        // Names that differ in case alone are one.
        let by_key: BTreeMap<String, &String> = names.iter().map(|name| (name_key(name), name)).collect();
        if by_key.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("INSERT INTO unreviewed_software (room_id, name_key, name) ");
            query.push_values(&by_key, |mut row, (key, name)| {
                row.push_bind(room.0).push_bind(key.clone()).push_bind((*name).clone());
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }
}
