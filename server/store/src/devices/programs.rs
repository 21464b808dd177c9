//! The programs that devices list (`docs/devices.md` 4): the newest list of each, and how it has differed from those before.
//!
//! Loaded and written only; what a list means is `domain::conversation::programs`'s. Start with [`Tx::program_list`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::conversation::programs::{Program, ProgramChange, ProgramList, TakenPrograms};
use domain::ids::{DeviceId, RoomId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::dialect;
use crate::error::Result;
use crate::rows::{ids_in, instant, micros};
use crate::tx::{Inner, Tx, each};

/// The most differences that are kept of a device: the newest.
const MOST_CHANGES: i64 = 1_000;
/// Rows in one statement.
const BATCH: usize = 500;

/// What a room's page shows of a device's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSummary {
    pub taken_at: DateTime<Utc>,
    /// How many programs are in the newest list.
    pub count: i64,
    /// The newest differences first.
    pub changes: Vec<(DateTime<Utc>, ProgramChange)>,
}

impl Tx {
    /// Other lists of the device wait until this transaction ends.
    pub async fn lock_programs(&mut self, device: DeviceId) -> Result<()> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_DEVICE_POSTGRES)
                .bind(device.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        Ok(())
    }

    /// The newest list of a device, and its room. `None`: there is no such device, or it was revoked.
    pub async fn program_list(&mut self, device: DeviceId) -> Result<Option<(RoomId, Option<ProgramList>)>> {
        const SQL: &str =
            "SELECT d.room_id, l.taken_at, l.programs FROM devices d LEFT JOIN program_lists l ON l.device_id = d.id
            WHERE d.id = $1 AND d.revoked_at IS NULL";
        type Row = (Uuid, Option<i64>, Option<Json<Vec<Program>>>);
        let row: Option<Row> = each!(self, c => sqlx::query_as(SQL).bind(device.0).fetch_optional(c).await)?;
        let Some((room, taken_at, programs)) = row else {
            return Ok(None);
        };
        let list = match (taken_at, programs) {
            (Some(taken_at), Some(programs)) => Some(ProgramList {
                taken_at: instant("program_lists", device, taken_at)?,
                programs: programs.0,
            }),
            (_, None) | (None, _) => None,
        };
        Ok(Some((RoomId(room), list)))
    }

    /// Keeps a list as the newest of a device, and how it differs from the one before.
    pub async fn put_program_list(
        &mut self,
        device: DeviceId,
        taken: &TakenPrograms,
        now: DateTime<Utc>,
    ) -> Result<()> {
        const LIST: &str = "INSERT INTO program_lists (device_id, taken_at, count, programs) VALUES ($1, $2, $3, $4)
            ON CONFLICT (device_id) DO UPDATE SET taken_at = excluded.taken_at, count = excluded.count, programs = excluded.programs";
        const PRUNE: &str = "DELETE FROM program_changes WHERE device_id = $1 AND id <= (SELECT id FROM program_changes
            WHERE device_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
        let list = &taken.list;
        let count = i64::try_from(list.programs.len()).unwrap_or(i64::MAX);
        each!(self, c => sqlx::query(LIST)
            .bind(device.0)
            .bind(micros(list.taken_at))
            .bind(count)
            .bind(Json(&list.programs))
            .execute(c)
            .await
            .map(drop))?;
        // Of more than are kept, the last ones stay.
        let kept = usize::try_from(MOST_CHANGES).unwrap_or(usize::MAX);
        let newest = &taken.changes[taken.changes.len().saturating_sub(kept)..];
        for batch in newest.chunks(BATCH) {
            each!(self, c => {
                let mut query =
                    sqlx::QueryBuilder::new("INSERT INTO program_changes (device_id, at, name, version_before, version_after) ");
                query.push_values(batch, |mut row, change| {
                    row.push_bind(device.0)
                        .push_bind(micros(now))
                        .push_bind(change.name.clone())
                        .push_bind(change.before.clone())
                        .push_bind(change.after.clone());
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        if !newest.is_empty() {
            each!(self, c => sqlx::query(PRUNE).bind(device.0).bind(MOST_CHANGES).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// The newest lists of devices, by device.
    pub(crate) async fn program_lists_of(&mut self, devices: &[Uuid]) -> Result<BTreeMap<Uuid, ProgramList>> {
        let mut rows: Vec<(Uuid, i64, Json<Vec<Program>>)> = Vec::new();
        for batch in devices.chunks(BATCH) {
            rows.extend(each!(self, c => {
                let mut query =
                    sqlx::QueryBuilder::new("SELECT device_id, taken_at, programs FROM program_lists WHERE device_id IN (");
                ids_in(&mut query, batch.iter().copied());
                query.push(" ORDER BY device_id");
                query.build_query_as().fetch_all(c).await
            })?);
        }
        let read = |(device, taken_at, programs): (Uuid, i64, Json<Vec<Program>>)| {
            let taken_at = instant("program_lists", device, taken_at)?;
            let programs = programs.0;
            Ok((device, ProgramList { taken_at, programs }))
        };
        rows.into_iter().map(read).collect()
    }

    /// What devices of a room have listed, each with its newest `changes` differences.
    pub async fn program_summaries(
        &mut self,
        room: RoomId,
        changes: i64,
    ) -> Result<BTreeMap<DeviceId, ProgramSummary>> {
        const LISTS: &str =
            "SELECT l.device_id, l.taken_at, l.count FROM devices d JOIN program_lists l ON l.device_id = d.id
            WHERE d.room_id = $1 AND d.revoked_at IS NULL ORDER BY l.device_id";
        const CHANGES: &str = "SELECT at, name, version_before, version_after FROM program_changes WHERE device_id = $1
            ORDER BY id DESC LIMIT $2";
        type Change = (i64, String, Option<String>, Option<String>);
        let lists: Vec<(Uuid, i64, i64)> = each!(self, c => sqlx::query_as(LISTS).bind(room.0).fetch_all(c).await)?;
        let mut summaries = BTreeMap::new();
        // A room has a handful of devices.
        for (device, taken_at, count) in lists {
            let rows: Vec<Change> =
                each!(self, c => sqlx::query_as(CHANGES).bind(device).bind(changes).fetch_all(c).await)?;
            let read = |(at, name, before, after): Change| {
                let at = instant("program_changes", device, at)?;
                Ok((at, ProgramChange { name, before, after }))
            };
            let summary = ProgramSummary {
                taken_at: instant("program_lists", device, taken_at)?,
                count,
                changes: rows.into_iter().map(read).collect::<Result<_>>()?,
            };
            summaries.insert(DeviceId(device), summary);
        }
        Ok(summaries)
    }
}
