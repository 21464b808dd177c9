//! What keeps updates away from rooms: holds and blocks.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{HoldId, ProductId, RoomId};
use domain::readiness::BlockScope;
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

    /// Writes what a room's readiness checks keep away from it (C2).
    pub async fn put_blocks(&mut self, room: RoomId, blocks: &[Block]) -> Result<()> {
        const CLEAR: &str = "DELETE FROM blocks WHERE room_id = $1";
        const SQL: &str = "INSERT INTO blocks (room_id, kind, vendor, why) VALUES ($1, $2, $3, $4)";
        each!(self, c => sqlx::query(CLEAR).bind(room.0).execute(c).await.map(drop))?;
        for block in blocks {
            let Some(kind) = block.scope.kind() else { continue };
            each!(self, c => sqlx::query(SQL)
                .bind(room.0)
                .bind(kind.as_str())
                .bind(block.scope.vendor())
                .bind(&block.why)
                .execute(c)
                .await
                .map(drop))?;
        }
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
        let rows: Vec<(Uuid, String, Option<String>, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, kind, vendor, why FROM blocks WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, kind");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Block>> = BTreeMap::new();
        for (room, kind, vendor, why) in rows {
            let scope = |kind: &str| BlockScope::of(ProductKind::from_word(kind)?, vendor.as_deref());
            let scope = word("blocks", room, &kind, scope)?;
            by_room.entry(room).or_default().push(Block { scope, why });
        }
        for blocks in by_room.values_mut() {
            blocks.sort_by_key(|block| block.scope);
        }
        Ok(by_room)
    }
}
