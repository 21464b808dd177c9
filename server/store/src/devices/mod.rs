//! Devices: who speaks, what decides over what it is told, and what it reports. Enrolment, and last contacts.
//!
//! What is read when a device speaks is `loading.rs`. What it says about its actions is `reports.rs`, what it says about itself
//! `inventory.rs` and, of its programs, `programs.rs`, and how both come into the database `queue.rs`. What its words mean is the domain's (`domain::conversation`).

mod inventory;
mod loading;
mod programs;
mod queue;
mod reports;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::conversation::OfferFacts;
use domain::conversation::presence::Presence;
use domain::deployment::Force;
use domain::ids::{ActionId, DeviceId, RoomId};
use domain::install::Install;
use sqlx::types::Json;
use uuid::Uuid;

use crate::database::Store;
use crate::error::Result;
use crate::rooms::NewDevice;
use crate::rows::{micros, opt_instant};
use crate::tx::{Tx, each};

pub use inventory::SUPPORT_WORKED_OUT;
pub(crate) use inventory::{bad_since_of, told_at_of};
pub use programs::ProgramSummary;
pub(crate) use queue::run_queue;

/// Who speaks: what every request of a device begins with. One narrow row.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Identity.
    pub id: DeviceId,
    /// What it calls itself.
    pub controller: String,
    /// SHA-256 of its token; `None`: it was never enrolled.
    pub token_hash: Option<Vec<u8>>,
    /// It was revoked: nothing it says counts any more.
    pub revoked: bool,
    /// It is asked for its facts.
    pub facts_wanted: bool,
    /// It keeps to windows of its own.
    pub window_aware: bool,
    /// It was in contact before, since it was added, moved or given a token.
    pub is_known: bool,
    /// It is asked to change a setting (C3).
    pub has_setting_change: bool,
    /// Its open action.
    pub open: Option<ActionId>,
    /// The last action that it has closed with success.
    pub installed: Option<ActionId>,
}

/// A device with what decides over it.
#[derive(Clone, Debug)]
pub struct DeviceRecord {
    /// Identity.
    pub id: DeviceId,
    /// What it calls itself.
    pub controller: String,
    pub room: RoomId,
    /// SHA-256 of its token; `None`: it was never enrolled.
    pub token_hash: Option<Vec<u8>>,
    /// It was revoked: nothing it says counts any more.
    pub revoked: bool,
    /// It is asked for its facts.
    pub facts_wanted: bool,
    /// It keeps to windows of its own.
    pub window_aware: bool,
    /// Whether people are in the room, as all its devices last said.
    pub presence: Presence,
    /// Its last contact, as far as it was written.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// Its open install, with what decides over it.
#[derive(Clone, Debug)]
pub struct OpenInstall {
    pub install: Install,
    /// How its deployment is forced.
    pub force: Option<Force>,
    /// Whether its rollout may start rooms.
    pub rollout_may_start: bool,
    /// Typical minutes.
    pub expected_minutes: u32,
    /// The rollout that it belongs to: of a step on a way (S8), the one that the way leads to.
    pub rollout: domain::ids::UpdateId,
}

/// What a poll needs to know: one query.
#[derive(Clone, Debug)]
pub struct DeviceFacts {
    /// Who asks.
    pub device: DeviceRecord,
    /// What it might be told.
    pub open_install: Option<OpenInstall>,
}

impl DeviceFacts {
    /// The question for [`domain::conversation::offer::decide`].
    #[must_use]
    pub fn offer_facts(&self) -> Option<OfferFacts<'_>> {
        self.open_install.as_ref().map(|open| OfferFacts {
            install: &open.install,
            rollout_may_start: open.rollout_may_start,
            force: open.force,
            expected_minutes: open.expected_minutes,
            presence: self.device.presence,
            window_aware: self.device.window_aware,
        })
    }
}
impl Tx {
    /// How many of these rooms have people in them, as devices have said since `fresh` or still say, and when the latest of them said so
    /// (K5).
    pub async fn rooms_in_use(
        &mut self,
        rooms: &[RoomId],
        fresh: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(i64, Option<DateTime<Utc>>)> {
        let (mut in_use, mut latest) = (0, None);
        for batch in rooms.chunks(500) {
            let (found, busy_at): (i64, Option<i64>) = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT COUNT(DISTINCT room_id), MAX(busy_at) FROM devices WHERE (busy_at >= ");
                query.push_bind(micros(fresh)).push(" OR busy_until > ").push_bind(micros(now)).push(") AND room_id IN (");
                let mut ids = query.separated(", ");
                for room in batch {
                    ids.push_bind(room.0);
                }
                query.push(")");
                query.build_query_as().fetch_one(c).await
            })?;
            in_use += found;
            latest = latest.max(busy_at);
        }
        Ok((in_use, opt_instant("devices", "busy_at", latest)?))
    }

    /// Moves a device to another room as the one described (A4): its name and its history stay, what it reported and had installed is
    /// forgotten. It has no token until it is given one.
    pub async fn move_device(&mut self, id: DeviceId, moved: &NewDevice, at: DateTime<Utc>) -> Result<()> {
        const MOVE: &str = "UPDATE devices SET room_id = $2, position = $3, role = $4, vendor = $5, model = $6, serial = $7,
                attributes = $8, told_at = $8, bad_since = $8, window_aware = $9, free_at = NULL, busy_at = NULL, busy_until = NULL, last_seen_at = NULL, first_contact_at = NULL,
                token_hash = NULL, enrolled_at = NULL, revoked_at = NULL, facts_wanted = $10,
                installed_action_id = NULL, store_updates_off_since = NULL, setting_action_id = NULL, setting_failures = 0, setting_said = '',
                revision = revision + 1
            WHERE id = $1";
        // It is there from now on, and not only when it gets a token (L5).
        const COMES: &str = "INSERT INTO device_rooms (device_id, room_id, from_at) SELECT d.id, $2, $3 FROM devices d
            WHERE d.id = $1 AND NOT EXISTS (SELECT 1 FROM device_rooms o WHERE o.device_id = d.id AND o.until_at IS NULL)";
        const ENDS: &str = "UPDATE components SET reported_at = $2 WHERE device_id = $1";
        const FORGET: [&str; 3] = [
            "DELETE FROM components WHERE device_id = $1",
            "DELETE FROM program_lists WHERE device_id = $1",
            "DELETE FROM program_changes WHERE device_id = $1",
        ];
        // Both rooms are checked again: the one that it leaves, and the one that it comes to (C5).
        const BEFORE: &str = "SELECT room_id FROM devices WHERE id = $1";
        let before: Option<Uuid> = each!(self, c => sqlx::query_scalar(BEFORE).bind(id.0).fetch_optional(c).await)?;
        let rooms: Vec<RoomId> = before.into_iter().map(RoomId).chain([moved.room]).collect();
        self.check_soon(&rooms).await?;
        each!(self, c => sqlx::query(MOVE)
            .bind(id.0)
            .bind(moved.room.0)
            .bind(i64::from(moved.position))
            .bind(&moved.role)
            .bind(&moved.vendor)
            .bind(&moved.model)
            .bind(&moved.serial)
            .bind(Json(serde_json::json!({})))
            .bind(false)
            .bind(true)
            .execute(c)
            .await
            .map(drop))?;
        each!(self, c => sqlx::query(COMES).bind(id.0).bind(moved.room.0).bind(micros(at)).execute(c).await.map(drop))?;
        each!(self, c => sqlx::query(ENDS).bind(id.0).bind(micros(at)).execute(c).await.map(drop))?;
        for forget in FORGET {
            each!(self, c => sqlx::query(forget).bind(id.0).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Gives a device a token (A4); a token that it had before counts no more. `false`: there is no such device.
    pub async fn enrol_device(&mut self, controller: &str, token_hash: &[u8], at: DateTime<Utc>) -> Result<bool> {
        const SQL: &str = "UPDATE devices SET token_hash = $2, enrolled_at = $3, revoked_at = NULL, facts_wanted = $4, first_contact_at = NULL
            WHERE controller_id = $1";
        let done = each!(self, c => sqlx::query(SQL)
            .bind(controller)
            .bind(token_hash)
            .bind(micros(at))
            .bind(true)
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Notes the first contact of a device, so that open pages show it at once (P12). One that speaks through the gateway has no token of
    /// its own, and counts as enrolled from now on (`docs/devices.md` 1).
    pub async fn note_first_contact(&mut self, device: DeviceId, at: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "UPDATE devices SET first_contact_at = $2, enrolled_at = COALESCE(enrolled_at, $2),
                last_seen_at = CASE WHEN last_seen_at > $2 THEN last_seen_at ELSE $2 END
            WHERE id = $1 AND first_contact_at IS NULL";
        each!(self, c => sqlx::query(SQL).bind(device.0).bind(micros(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a device's token away. `false`: there is no such device, or it had none.
    pub async fn revoke_device(&mut self, controller: &str, at: DateTime<Utc>) -> Result<bool> {
        const SQL: &str =
            "UPDATE devices SET token_hash = NULL, revoked_at = $2 WHERE controller_id = $1 AND revoked_at IS NULL";
        const CHECK: &str = "UPDATE rooms SET check_at = 0 WHERE id IN (SELECT room_id FROM devices WHERE controller_id = $1) AND state <> 'retired'";
        each!(self, c => sqlx::query(CHECK).bind(controller).execute(c).await.map(drop))?;
        let done = each!(self, c => sqlx::query(SQL).bind(controller).bind(micros(at)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Writes last contacts; none goes back.
    pub async fn put_last_seen(&mut self, seen: &[(DeviceId, DateTime<Utc>)]) -> Result<()> {
        for batch in seen.chunks(LAST_SEEN) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("UPDATE devices SET last_seen_at = seen.column2 FROM (");
                query.push_values(batch, |mut row, (device, at)| {
                    row.push_bind(device.0).push_bind(micros(*at));
                });
                query.push(
                    ") AS seen WHERE devices.id = seen.column1
                        AND (devices.last_seen_at IS NULL OR devices.last_seen_at < seen.column2)",
                );
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }
}

/// Last contacts in one statement.
const LAST_SEEN: usize = 500;

impl Store {
    /// Writes last contacts that were kept in memory; losing some does no harm. A few hundred rows in a transaction, in the order of
    /// ids, so that several processes wait for each other and do not meet.
    pub async fn put_last_seen(&self, seen: &BTreeMap<DeviceId, DateTime<Utc>>) -> Result<()> {
        let seen: Vec<(DeviceId, DateTime<Utc>)> = seen.iter().map(|(device, at)| (*device, *at)).collect();
        for batch in seen.chunks(LAST_SEEN) {
            let mut tx = self.begin_command().await?;
            tx.put_last_seen(batch).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
