//! The rooms with all that is in them, line by line, for the export (P0).

use uuid::Uuid;

use crate::error::Result;
use crate::lists::rooms::{RoomFilter, RoomsPart, between, filter_rooms};
use crate::lists::search::SearchedList;
use crate::tx::{Tx, each};

/// A room and, where it has any, one thing on one of its devices: a line of an export.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EstateLine {
    /// The room's place in the order.
    pub name_key: String,
    pub room: Uuid,
    pub site: String,
    pub name: String,
    pub building: String,
    pub floor: String,
    /// Seats.
    pub capacity: i64,
    /// Its zone, where it is its own.
    pub zone: Option<String>,
    /// Its ring's name.
    pub ring: String,
    /// Whether it takes part.
    pub state: String,
    /// What a device calls itself.
    pub device: Option<String>,
    /// bar, console …
    pub role: Option<String>,
    pub vendor: Option<String>,
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// A product on it.
    pub product: Option<String>,
    /// The version that it reports.
    pub version: Option<String>,
}

impl Tx {
    /// Rooms by name with all that is in them, after one of them: the lines of at most `limit` rooms.
    pub async fn estate_lines(&mut self, filter: &RoomFilter, limit: i64) -> Result<Vec<EstateLine>> {
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let (key, id) = filter.order(RoomsPart::All);
        let lines = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT r.name_key, r.id AS room, s.name AS site, r.name, r.building, r.floor, r.capacity,
                    CASE WHEN r.zone_is_own THEN r.zone END AS zone, g.name AS ring, r.state,
                    d.controller_id AS device, d.role, d.vendor, d.model, d.serial, c.product_id AS product, v.text AS version
                FROM (SELECT r.*",
            );
            filter_rooms!(query, filter, RoomsPart::All, words);
            between(&mut query, (key, id), filter.after.as_ref(), None);
            query.push(format_args!(" ORDER BY {key}, {id} LIMIT ")).push_bind(limit);
            query.push(
                ") AS r
                JOIN sites s ON s.id = r.site_id
                JOIN rings g ON g.id = r.ring_id
                LEFT JOIN devices d ON d.room_id = r.id AND d.revoked_at IS NULL
                LEFT JOIN components c ON c.device_id = d.id
                LEFT JOIN versions v ON v.id = c.version_id
                ORDER BY r.name_key, r.id, d.position, d.id, c.product_id",
            );
            query.build_query_as::<EstateLine>().fetch_all(c).await
        })?;
        Ok(lines)
    }
}
