//! The rooms of an update (P3): a page of them by name, how many there are, and how many stand where.

use std::collections::BTreeMap;

use domain::ids::{ProductId, RingId, RoomId, UpdateId};
use domain::rollout::RolloutState;
use domain::status;
use domain::status::RoomStatus;
use uuid::Uuid;

use crate::error::Result;
use crate::lists::rooms::{RoomListRecord, between, room_list_record};
use crate::rows::ids_in;
use crate::tx::{Tx, each};

/// Rooms of an update on a page: which ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateRooms {
    /// All that have the product, or a deployment.
    All,
    /// Waiting, or open and not started.
    Scheduled,
    /// Started.
    InProgress,
    /// Completed.
    Completed,
    /// Failed.
    Failed,
    /// Withdrawn by deprecation.
    Deprecated,
    /// Withdrawn by deprecation, or about to be: waiting, or open and not started.
    DeprecatedOrScheduled,
    /// No deployment, or one that was withdrawn for another reason.
    NotRequired,
    /// None.
    Nothing,
}

/// Which rooms of an update, and which page of them.
#[derive(Clone, Debug)]
pub struct UpdateRoomFilter {
    /// The update.
    pub update: UpdateId,
    /// Its product.
    pub product: ProductId,
    /// Which of its rooms.
    pub which: UpdateRooms,
    /// A ring: the one in which a room stands for this update.
    pub ring: Option<RingId>,
    /// So few rooms have the product or a deployment that it is less to find and sort them all than to walk through the estate by name.
    pub few: bool,
    /// The page starts after this room: (name key, id).
    pub after: Option<(String, RoomId)>,
    /// The page ends before this room.
    pub before: Option<(String, RoomId)>,
}

/// Some of an update's rooms, which an index has in the order of their names.
struct RoomsPart {
    /// The state of their deployments; `None`: also rooms without one.
    state: Option<&'static str>,
    /// What is true of their deployments `x` beside that.
    and: &'static str,
}

impl UpdateRooms {
    /// Those that have a status while their rollout is in a state: what has not started follows that at once, also before the planner has
    /// looked at the rooms (T1).
    #[must_use]
    pub fn of(status: RoomStatus, rollout: &RolloutState) -> Self {
        let not_started = status::not_started(rollout);
        match status {
            RoomStatus::Scheduled | RoomStatus::Paused if status == not_started => Self::Scheduled,
            RoomStatus::Scheduled | RoomStatus::Paused => Self::Nothing,
            RoomStatus::Deprecated if status == not_started => Self::DeprecatedOrScheduled,
            RoomStatus::Deprecated => Self::Deprecated,
            RoomStatus::InProgress => Self::InProgress,
            RoomStatus::Completed => Self::Completed,
            RoomStatus::Failed => Self::Failed,
            RoomStatus::NotRequired => Self::NotRequired,
        }
    }

    const fn parts(self) -> &'static [RoomsPart] {
        const fn of(state: &'static str, and: &'static str) -> RoomsPart {
            RoomsPart {
                state: Some(state),
                and,
            }
        }
        const fn with_or_without(and: &'static str) -> RoomsPart {
            RoomsPart { state: None, and }
        }
        match self {
            Self::All => &[const { with_or_without("") }],
            Self::Scheduled => &[
                const { of("waiting", "") },
                const { of("open", " AND x.started_at IS NULL") },
            ],
            Self::InProgress => &[const { of("open", " AND x.started_at IS NOT NULL") }],
            Self::Completed => &[const { of("completed", "") }],
            Self::Failed => &[const { of("failed", "") }],
            Self::Deprecated => &[const { of("withdrawn", " AND x.withdrawal = 'deprecated'") }],
            Self::DeprecatedOrScheduled => &[
                const { of("waiting", "") },
                const { of("open", " AND x.started_at IS NULL") },
                const { of("withdrawn", " AND x.withdrawal = 'deprecated'") },
            ],
            Self::NotRequired => &[const {
                with_or_without(" AND (x.id IS NULL OR (x.state = 'withdrawn' AND x.withdrawal <> 'deprecated'))")
            }],
            Self::Nothing => &[],
        }
    }
}

/// Continues a query of rooms `r`, their sites `s` and their deployments `x` behind its columns: a [`RoomsPart`] of what `filter` asks for.
macro_rules! rooms_of_update {
    ($query:ident, $filter:ident, $part:ident) => {
        if let Some(state) = $part.state {
            // SQLite takes the tables of a CROSS JOIN in their order; Postgres knows for itself where to begin.
            $query
                .push(" FROM deployments x CROSS JOIN rooms r JOIN sites s ON s.id = r.site_id WHERE r.id = x.room_id AND x.state = '")
                .push(state)
                .push("' AND x.update_id = ")
                .push_bind($filter.update.0)
                .push(" AND r.state <> 'retired'");
        } else {
            $query
                .push(
                    " FROM rooms r JOIN sites s ON s.id = r.site_id
                    LEFT JOIN deployments x ON x.room_id = r.id AND x.update_id = ",
                )
                .push_bind($filter.update.0)
                .push(" WHERE r.state <> 'retired'");
            if $filter.few {
                $query
                    .push(" AND r.id IN (SELECT y.room_id FROM deployments y WHERE y.update_id = ")
                    .push_bind($filter.update.0)
                    .push(
                        " UNION SELECT d.room_id FROM components c JOIN devices d ON d.id = c.device_id
                        WHERE d.revoked_at IS NULL AND c.product_id = ",
                    )
                    .push_bind($filter.product.0.clone())
                    .push(")");
            } else {
                $query
                    .push(
                        " AND (x.id IS NOT NULL OR EXISTS (
                        SELECT 1 FROM devices d JOIN components c ON c.device_id = d.id
                        WHERE d.room_id = r.id AND d.revoked_at IS NULL AND c.product_id = ",
                    )
                    .push_bind($filter.product.0.clone())
                    // Postgres would make a list of all such rooms first.
                    .push(" LIMIT 1 OFFSET 0))");
            }
        }
        $query.push($part.and);
        // The ring in which a room stands for this update; in the implicit ring of all rooms the room's own tells more
        // (S12).
        if let Some(ring) = $filter.ring {
            $query
                .push(" AND COALESCE(NULLIF(x.ring_id, ")
                .push_bind(RingId::ALL_ROOMS.0)
                .push("), r.ring_id) = ")
                .push_bind(ring.0);
        }
    };
}

impl Tx {
    /// Rooms of an update by what has become of them: `scheduled` (nothing has started), `in-progress`, `completed`, `failed` or
    /// `deprecated`; those without a deployment are not among them. Which status `scheduled` is, the rollout says.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_status(&mut self, update: UpdateId) -> Result<BTreeMap<String, i64>> {
        const SQL: &str = "SELECT status, COUNT(*) FROM (
                SELECT CASE
                    WHEN state = 'open' AND started_at IS NOT NULL THEN 'in-progress'
                    WHEN state IN ('waiting', 'open') THEN 'scheduled'
                    WHEN state = 'withdrawn' THEN 'deprecated'
                    ELSE state END AS status
                FROM deployments WHERE update_id = $1 AND (state <> 'withdrawn' OR withdrawal = 'deprecated')) AS x
            GROUP BY status ORDER BY status";
        let rows: Vec<(String, i64)> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        Ok(rows.into_iter().collect())
    }

    /// A page of an update's rooms by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn update_room_page(&mut self, filter: &UpdateRoomFilter, limit: i64) -> Result<Vec<RoomListRecord>> {
        type Row = (Uuid, String, String, String, String, String, String, Uuid, String);
        let parts = filter.which.parts();
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let direction = if filter.before.is_some() { " DESC" } else { "" };
        let mut rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("");
            let mut start = if parts.len() > 1 { "SELECT * FROM (" } else { "" };
            for part in parts {
                let (key, id) = match part.state {
                    Some(_) => ("x.room_key", "x.room_id"),
                    None => ("r.name_key", "r.id"),
                };
                query.push(start).push("SELECT r.id, r.name, r.name_key, s.name AS site, r.building, r.floor, r.zone, r.ring_id, r.state");
                rooms_of_update!(query, filter, part);
                between(&mut query, (key, id), filter.after.as_ref(), filter.before.as_ref());
                // A number and no parameter: Postgres then plans for a page, and not for a tenth of all rows.
                query.push(format_args!(" ORDER BY {key}{direction}, {id}{direction} LIMIT {limit}"));
                start = ") AS part UNION ALL SELECT * FROM (";
            }
            if parts.len() > 1 {
                query.push(format_args!(") AS part ORDER BY name_key{direction}, id{direction} LIMIT {limit}"));
            }
            query.build_query_as().fetch_all(c).await
        })?;
        if filter.before.is_some() {
            rows.reverse();
        }
        rows.into_iter().map(room_list_record).collect()
    }

    /// How many rooms there are on all pages of [`Tx::update_room_page`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn update_rooms_found(&mut self, filter: &UpdateRoomFilter) -> Result<i64> {
        let mut found = 0;
        for part in filter.which.parts() {
            let rooms: i64 = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT COUNT(*)");
                rooms_of_update!(query, filter, part);
                query.build_query_scalar().fetch_one(c).await
            })?;
            found += rooms;
        }
        Ok(found)
    }

    /// Rooms in which an update is being installed, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn running_rooms(&mut self, update: UpdateId, limit: i64) -> Result<Vec<(RoomId, String)>> {
        const SQL: &str = "SELECT r.id, r.name FROM deployments x JOIN rooms r ON r.id = x.room_id
            WHERE x.update_id = $1 AND x.state = 'open' AND x.started_at IS NOT NULL ORDER BY r.name_key, r.id LIMIT $2";
        let rows: Vec<(Uuid, String)> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(limit).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(id, name)| (RoomId(id), name)).collect())
    }

    /// The open failure tickets of an update in these rooms: room to number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn failure_ticket_numbers(
        &mut self,
        update: UpdateId,
        rooms: &[RoomId],
    ) -> Result<BTreeMap<RoomId, i64>> {
        if rooms.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<(Uuid, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT failure_room_id, number FROM tickets WHERE state <> 'resolved' AND update_id = ");
            query.push_bind(update.0).push(" AND failure_room_id IN (");
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY number");
            query.build_query_as().fetch_all(c).await
        })?;
        Ok(rows.into_iter().map(|(room, number)| (RoomId(room), number)).collect())
    }
}
