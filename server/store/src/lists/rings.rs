//! What the list of rings says beside the rings themselves.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::{RingId, StageOf};
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{opt_instant, stage_id};
use crate::tx::{Tx, each};

impl Tx {
    /// Rooms by ring.
    pub async fn rooms_by_ring(&mut self) -> Result<BTreeMap<RingId, i64>> {
        const SQL: &str = "SELECT ring_id, CAST(SUM(rooms) AS BIGINT) FROM room_counts WHERE state <> 'retired' GROUP BY ring_id ORDER BY ring_id";
        let rows: Vec<(Uuid, i64)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(ring, rooms)| (RingId(ring), rooms)).collect())
    }

    /// When a ring last received an update: as a ring, or a room that is in it now with all rooms (S12).
    pub async fn last_completed_in(&mut self, ring: RingId) -> Result<Option<DateTime<Utc>>> {
        const AS_RING: &str = "SELECT MAX(ended_at) FROM deployments WHERE ring_id = $1 AND state = 'completed'";
        const WITH_ALL: &str = "SELECT d.ended_at
            FROM deployments d JOIN rooms r ON r.id = d.room_id
            WHERE d.ring_id = $1 AND d.state = 'completed' AND d.ended_at IS NOT NULL AND r.ring_id = $2
            ORDER BY d.ended_at DESC LIMIT 1";
        let as_ring: Option<i64> = each!(self, c => sqlx::query_scalar(AS_RING).bind(ring.0).fetch_one(c).await)?;
        let with_all: Option<i64> = each!(self, c => sqlx::query_scalar(WITH_ALL)
            .bind(stage_id(StageOf::AllRooms))
            .bind(ring.0)
            .fetch_optional(c)
            .await)?;
        opt_instant("deployments", ring, as_ring.max(with_all))
    }
}
