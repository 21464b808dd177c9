//! Devices that are asked for their facts: those of a zone once a night, those of a room when somebody wants to know (`docs/devices.md` 1).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::RoomId;
use domain::zone::Zone;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{ids_in, zone_of};
use crate::tx::{Tx, each};

impl Tx {
    /// The zones of rooms that are not retired. It steps through the index from one zone to the next, so that its cost is the number of
    /// zones and not of rooms.
    ///
    /// # Errors
    /// A zone is none.
    pub async fn zones_of_rooms(&mut self) -> Result<Vec<Zone>> {
        const SQL: &str = "WITH RECURSIVE zones (zone) AS (
                SELECT MIN(zone) FROM rooms WHERE state <> 'retired'
                UNION ALL
                SELECT (SELECT MIN(r.zone) FROM rooms r WHERE r.state <> 'retired' AND r.zone > zones.zone) FROM zones WHERE zones.zone IS NOT NULL
            )
            SELECT zone FROM zones WHERE zone IS NOT NULL ORDER BY zone";
        let zones: Vec<String> = each!(self, c => sqlx::query_scalar(SQL).fetch_all(c).await)?;
        zones.iter().map(|zone| zone_of("rooms", "zone", zone)).collect()
    }

    /// By zone, the night for which its devices were asked last.
    pub async fn nights_asked_for_facts(&mut self) -> Result<BTreeMap<String, NaiveDate>> {
        const SQL: &str = "SELECT zone, night FROM facts_asked ORDER BY zone";
        let rows: Vec<(String, NaiveDate)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        Ok(rows.into_iter().collect())
    }

    /// Notes that all devices of a zone are asked for this night.
    pub async fn note_asked_for_facts(&mut self, zone: &Zone, night: NaiveDate) -> Result<()> {
        const SQL: &str = "INSERT INTO facts_asked (zone, night) VALUES ($1, $2) ON CONFLICT (zone) DO UPDATE SET night = excluded.night";
        each!(self, c => sqlx::query(SQL).bind(zone.name()).bind(night).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Asks the devices of a room for their facts, revoked ones aside: how many there are.
    pub async fn ask_room_for_facts(&mut self, room: RoomId) -> Result<u64> {
        const SQL: &str = "UPDATE devices SET facts_wanted = $2 WHERE room_id = $1 AND revoked_at IS NULL";
        Ok(
            each!(self, c => sqlx::query(SQL).bind(room.0).bind(true).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }

    /// Asks the devices of the next `limit` rooms of a zone for their facts, by the rooms' ids: the last of these rooms; `None`: all are
    /// asked.
    pub async fn ask_rooms_for_facts(
        &mut self,
        zone: &Zone,
        after: Option<RoomId>,
        limit: i64,
    ) -> Result<Option<RoomId>> {
        const ROOMS: &str =
            "SELECT id FROM rooms WHERE zone = $1 AND state <> 'retired' AND id > $2 ORDER BY id LIMIT $3";
        let after = after.map_or(Uuid::nil(), |room| room.0);
        let rooms: Vec<Uuid> =
            each!(self, c => sqlx::query_scalar(ROOMS).bind(zone.name()).bind(after).bind(limit).fetch_all(c).await)?;
        let Some(last) = rooms.last() else {
            return Ok(None);
        };
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("UPDATE devices SET facts_wanted = ");
            query.push_bind(true).push(" WHERE facts_wanted <> ").push_bind(true);
            query.push(" AND revoked_at IS NULL AND room_id IN (");
            ids_in(&mut query, rooms.iter().copied());
            query.build().execute(c).await.map(drop)
        })?;
        Ok(Some(RoomId(*last)))
    }
}
