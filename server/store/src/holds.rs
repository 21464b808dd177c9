//! What keeps updates away from rooms: holds and blocks.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{HoldId, ProductId, RoomId};
use domain::room::{Block, Hold};
use domain::update::ProductKind;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{ids_in, micros, word, zone_of};
use crate::tx::{Tx, each};

impl Tx {
    /// Keeps updates of a product (or all) away from a room ★.
    pub async fn add_hold(&mut self, id: HoldId, room: RoomId, hold: &Hold, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "INSERT INTO holds (id, room_id, product_id, owner, reason, since, until)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        each!(self, c => sqlx::query(SQL)
            .bind(id.0)
            .bind(room.0)
            .bind(hold.product.as_ref().map(|product| product.0.clone()))
            .bind(&hold.owner)
            .bind(&hold.reason)
            .bind(hold.since)
            .bind(hold.until)
            .execute(c)
            .await
            .map(drop))?;
        // When it begins and when it has ended, the room's facts change by themselves (S11).
        const ZONE: &str = "SELECT zone FROM rooms WHERE id = $1";
        const RECHECK: &str = "INSERT INTO marks (room_id, due_at) VALUES ($1, $2)";
        let zone: String = each!(self, c => sqlx::query_scalar(ZONE).bind(room.0).fetch_one(c).await)?;
        let zone = zone_of("rooms", room, &zone)?;
        let (begins, ends) = (
            zone.start_of(hold.since),
            zone.start_of(hold.until + chrono::Days::new(1)),
        );
        for at in [begins, ends].into_iter().filter(|at| *at > now) {
            each!(self, c => sqlx::query(RECHECK).bind(room.0).bind(micros(at)).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Notes a failed readiness check that keeps updates of a kind away from a room.
    pub async fn put_block(&mut self, room: RoomId, block: &Block) -> Result<()> {
        const SQL: &str = "INSERT INTO blocks (room_id, kind, why) VALUES ($1, $2, $3)
            ON CONFLICT (room_id, kind) DO UPDATE SET why = excluded.why";
        each!(self, c => sqlx::query(SQL).bind(room.0).bind(block.kind.as_str()).bind(&block.why).execute(c).await.map(drop))?;
        Ok(())
    }

    pub(crate) async fn holds_on(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Hold>>> {
        type Row = (Uuid, Option<String>, String, String, NaiveDate, NaiveDate);
        let rows: Vec<Row> = each!(self, c => {
            let mut query =
                sqlx::QueryBuilder::new("SELECT room_id, product_id, owner, reason, since, until FROM holds WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, since, id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Hold>> = BTreeMap::new();
        for (room, product, owner, reason, since, until) in rows {
            by_room.entry(room).or_default().push(Hold {
                product: product.map(ProductId),
                owner,
                reason,
                since,
                until,
            });
        }
        Ok(by_room)
    }

    pub(crate) async fn blocks_on(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Block>>> {
        let rows: Vec<(Uuid, String, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, kind, why FROM blocks WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, kind");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Block>> = BTreeMap::new();
        for (room, kind, why) in rows {
            let kind = word("blocks", room, &kind, ProductKind::from_word)?;
            by_room.entry(room).or_default().push(Block { kind, why });
        }
        Ok(by_room)
    }
}
