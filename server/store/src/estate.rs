//! What people change in the estate: rooms and devices, one by one, and what a file is compared with before it is imported (P0).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::clean::name_key;
use domain::ids::{DeviceId, RoomId, SiteId};
use domain::room::RoomState;
use uuid::Uuid;

use crate::error::Result;
use crate::rooms::RoomRecord;
use crate::rows::{micros, texts_in};
use crate::tx::{Tx, each};

/// A file that somebody has sent and not decided on yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRecord {
    /// Identity.
    pub id: Uuid,
    /// What it is to become: `rooms`, `catalogue`.
    pub kind: String,
    /// What it is called where it came from.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// Who sent it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// Values in one query.
const BATCH: usize = 500;

impl Tx {
    /// Writes what a room is, if nobody has changed it since it was read; `false`: somebody has.
    ///
    /// # Errors
    /// The name is taken at its site.
    pub async fn put_room(&mut self, room: &RoomRecord) -> Result<bool> {
        const SQL: &str =
            "UPDATE rooms SET name = $3, name_key = CASE WHEN name = $3 THEN name_key ELSE $4 END,
                clean_key = CASE WHEN name = $3 THEN clean_key END, site_id = $5, building = $6, floor = $7, capacity = $8,
                zone = $9, zone_is_own = $10, state = $11, check_at = 0, revision = revision + 1
            WHERE id = $1 AND revision = $2";
        let done = each!(self, c => sqlx::query(SQL)
            .bind(room.id.0)
            .bind(room.revision)
            .bind(&room.name)
            .bind(name_key(&room.name))
            .bind(room.site.0)
            .bind(&room.building)
            .bind(&room.floor)
            .bind(i64::from(room.capacity))
            .bind(room.zone.name())
            .bind(room.zone_is_own)
            .bind(room.state.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
        if done == 1 && room.state == RoomState::Retired {
            self.forget_checks(room.id).await?;
        }
        Ok(done == 1)
    }

    /// The room of this name at a site, without regard to case or Unicode form, other than this one.
    pub async fn room_at(&mut self, site: SiteId, name: &str, other_than: Option<RoomId>) -> Result<Option<RoomId>> {
        const SQL: &str = "SELECT id FROM rooms WHERE (name_key = $1 OR clean_key = $1) AND site_id = $2 AND id <> $3 ORDER BY id LIMIT 1";
        let id: Option<Uuid> = each!(self, c => sqlx::query_scalar(SQL)
            .bind(name_key(name))
            .bind(site.0)
            .bind(other_than.map_or(Uuid::nil(), |room| room.0))
            .fetch_optional(c)
            .await)?;
        Ok(id.map(RoomId))
    }

    /// The rooms of these names, whatever their sites: (name key, site) to room.
    pub async fn rooms_by_name_key(&mut self, keys: &[String]) -> Result<BTreeMap<(String, SiteId), RoomId>> {
        let mut found = BTreeMap::new();
        for batch in keys.chunks(BATCH) {
            let rows: Vec<(String, Uuid, Uuid)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT name_key, site_id, id FROM rooms WHERE name_key IN (");
                texts_in(&mut query, batch.iter().map(String::as_str));
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(
                rows.into_iter()
                    .map(|(key, site, id)| ((key, SiteId(site)), RoomId(id))),
            );
        }
        Ok(found)
    }

    /// Which of these names devices have, revoked ones too: name to its room's name.
    pub async fn devices_by_controller(&mut self, controllers: &[String]) -> Result<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        for batch in controllers.chunks(BATCH) {
            let rows: Vec<(String, String)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT d.controller_id, r.name FROM devices d JOIN rooms r ON r.id = d.room_id WHERE d.controller_id IN (",
                );
                texts_in(&mut query, batch.iter().map(String::as_str));
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Whether an install runs in a room, or waits for its confirmation: also one that the planner has yet to hear of.
    pub async fn has_running(&mut self, room: RoomId) -> Result<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM deployments d JOIN installs i ON i.deployment_id = d.id
            WHERE d.room_id = $1 AND d.state = 'open' AND i.state IN ('started', 'installed')";
        let running: i64 = each!(self, c => sqlx::query_scalar(SQL).bind(room.0).fetch_one(c).await)?;
        Ok(running > 0)
    }

    /// The place behind the last device of a room.
    pub async fn next_position(&mut self, room: RoomId) -> Result<u32> {
        const SQL: &str = "SELECT COALESCE(MAX(position) + 1, 0) FROM devices WHERE room_id = $1";
        let next: i64 = each!(self, c => sqlx::query_scalar(SQL).bind(room.0).fetch_one(c).await)?;
        Ok(u32::try_from(next).unwrap_or(0))
    }

    /// The room of a device, revoked or not; `None`: no device is called that.
    pub async fn room_of_device(&mut self, controller: &str) -> Result<Option<(DeviceId, RoomId)>> {
        const SQL: &str = "SELECT id, room_id FROM devices WHERE controller_id = $1";
        let row: Option<(Uuid, Uuid)> = each!(self, c => sqlx::query_as(SQL).bind(controller).fetch_optional(c).await)?;
        Ok(row.map(|(id, room)| (DeviceId(id), RoomId(room))))
    }

    /// Keeps a file until somebody decides on it.
    pub async fn add_upload(&mut self, upload: &UploadRecord) -> Result<()> {
        const SQL: &str =
            "INSERT INTO uploads (id, kind, name, text, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)";
        each!(self, c => sqlx::query(SQL)
            .bind(upload.id)
            .bind(&upload.kind)
            .bind(&upload.name)
            .bind(&upload.text)
            .bind(&upload.made_by)
            .bind(micros(upload.made_at))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// A file that waits for somebody to decide.
    pub async fn upload(&mut self, id: Uuid) -> Result<Option<UploadRecord>> {
        const SQL: &str = "SELECT kind, name, text, made_by, made_at FROM uploads WHERE id = $1";
        let row: Option<(String, String, String, String, i64)> =
            each!(self, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?;
        row.map(|(kind, name, text, made_by, made_at)| {
            let made_at = crate::rows::instant("uploads", id, made_at)?;
            Ok(UploadRecord {
                id,
                kind,
                name,
                text,
                made_by,
                made_at,
            })
        })
        .transpose()
    }

    /// Forgets a file, and those from before `old`.
    pub async fn forget_uploads(&mut self, id: Option<Uuid>, old: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "DELETE FROM uploads WHERE id = $1 OR made_at < $2";
        each!(self, c => sqlx::query(SQL).bind(id).bind(micros(old)).execute(c).await.map(drop))?;
        Ok(())
    }
}
