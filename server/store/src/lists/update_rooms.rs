//! The rooms of an update (P3): a page of them by name, how many there are, and how many stand where.

use std::collections::BTreeMap;

use domain::deployment::Progress;
use domain::ids::{ProductId, RingId, RoomId, StageOf, UpdateId};
use domain::rollout::RolloutState;
use domain::status;
use domain::status::RoomStatus;
use uuid::Uuid;

use crate::error::Result;
use crate::lists::rooms::{RoomListRecord, between, room_list_record};
use crate::rows::{ids_in, stage_id, word};
use crate::tx::{Tx, each};

/// Rooms of an update on a page: which ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateRooms {
    /// All that have the product, or a deployment.
    All,
    /// Those whose deployments have come to one of these.
    At(Vec<Progress>),
    /// Those that have the product and no deployment, or one that is not required any more.
    NotRequired,
}

/// Which rooms of an update, and which page of them.
#[derive(Clone, Debug)]
pub struct UpdateRoomFilter {
    pub update: UpdateId,
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
#[derive(Clone, Copy)]
enum RoomsPart {
    /// Those that [`UpdateRooms::All`] has.
    All,
    /// Those whose deployments have come to this.
    At(Progress),
    /// Those that [`UpdateRooms::NotRequired`] has.
    NotRequired,
}

impl RoomsPart {
    /// What they stand in the order of: an index of the table that their query begins with has it.
    fn order(self) -> (&'static str, &'static str) {
        match self {
            Self::At(_) => ("x.room_key", "x.room_id"),
            Self::All | Self::NotRequired => ("r.name_key", "r.id"),
        }
    }
}

impl UpdateRooms {
    /// Those that have a status while their rollout is in a state (T1): what [`status::room`] says of each of them.
    #[must_use]
    pub fn of(status: RoomStatus, rollout: &RolloutState) -> Self {
        match status {
            RoomStatus::NotRequired => Self::NotRequired,
            RoomStatus::Scheduled
            | RoomStatus::InProgress
            | RoomStatus::Completed
            | RoomStatus::Failed
            | RoomStatus::Paused
            | RoomStatus::Deprecated => Self::At(status::progress_of(status, rollout)),
        }
    }

    fn parts(&self) -> Vec<RoomsPart> {
        match self {
            Self::All => vec![RoomsPart::All],
            Self::At(progress) => progress.iter().copied().map(RoomsPart::At).collect(),
            Self::NotRequired => vec![RoomsPart::NotRequired],
        }
    }
}

/// Continues a query of rooms `r`, their sites `s` and their deployments `x` behind its columns: a [`RoomsPart`] of what `filter` asks for.
macro_rules! rooms_of_update {
    ($query:ident, $filter:ident, $part:ident) => {
        if let RoomsPart::At(progress) = $part {
            // SQLite takes the tables of a CROSS JOIN in their order; Postgres knows for itself where to begin.
            $query
                .push(" FROM deployments x CROSS JOIN rooms r JOIN sites s ON s.id = r.site_id WHERE r.id = x.room_id AND x.progress = '")
                .push(progress.as_str())
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
        if let RoomsPart::NotRequired = $part {
            $query.push(" AND (x.id IS NULL OR x.progress = 'not_required')");
        }
        // The ring in which a room stands for this update; in the implicit ring of all rooms the room's own tells more
        // (S12).
        if let Some(ring) = $filter.ring {
            $query
                .push(" AND COALESCE(NULLIF(x.ring_id, ")
                .push_bind(stage_id(StageOf::AllRooms))
                .push("), r.ring_id) = ")
                .push_bind(ring.0);
        }
    };
}

impl Tx {
    /// Rooms of an update by what their deployments have come to; those without one are not among them.
    pub async fn rooms_by_progress(&mut self, update: UpdateId) -> Result<BTreeMap<Progress, i64>> {
        const SQL: &str =
            "SELECT progress, COUNT(*) FROM deployments WHERE update_id = $1 GROUP BY progress ORDER BY progress";
        let rows: Vec<(String, i64)> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(progress, rooms)| Ok((word("deployments", update, &progress, Progress::from_word)?, rooms)))
            .collect()
    }

    /// A page of an update's rooms by name.
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
            for part in &parts {
                let (key, id) = part.order();
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
    pub async fn update_rooms_found(&mut self, filter: &UpdateRoomFilter) -> Result<i64> {
        let mut found = 0;
        for part in &filter.which.parts() {
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
    pub async fn running_rooms(&mut self, update: UpdateId, limit: i64) -> Result<Vec<(RoomId, String)>> {
        const SQL: &str = "SELECT r.id, r.name FROM deployments x JOIN rooms r ON r.id = x.room_id
            WHERE x.update_id = $1 AND x.progress = 'in_progress' ORDER BY r.name_key, r.id LIMIT $2";
        let rows: Vec<(Uuid, String)> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(limit).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(id, name)| (RoomId(id), name)).collect())
    }

    /// The open failure tickets of an update in these rooms: room to number.
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
