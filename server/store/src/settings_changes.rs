//! Settings that devices are asked to change (C3): made, heard about, over.
//!
//! They are no installs: nothing is planned and nothing counts. What follows from facts is `domain::readiness::decide`'s. Start with
//! [`Tx::apply_setting_change`].

use chrono::{DateTime, Utc};
use domain::changes::{SettingChange, SettingEvent};
use domain::ids::{ActionId, DeviceId};

use crate::error::Result;
use crate::rows::micros;
use crate::tx::{Tx, each};

/// The action numbers of changed settings begin here; those of installs do not come so far before 2058 (`docs/devices.md` 2.5).
pub(crate) const FIRST_SETTING_ACTION: ActionId = ActionId(1 << 30);

/// Whether an action changes a setting, and installs nothing.
#[must_use]
pub fn is_of_setting(action: ActionId) -> bool {
    action >= FIRST_SETTING_ACTION
}

impl Tx {
    /// Writes what a room's checks ask of a device, or what its facts have shown.
    pub(crate) async fn apply_setting_change(&mut self, change: &SettingChange, now: DateTime<Utc>) -> Result<()> {
        const OPEN: &str =
            "INSERT INTO setting_changes (device_id, setting, value, made_at) VALUES ($1, 'store_updates', 'off', $2)
            ON CONFLICT DO NOTHING";
        const NOTE: &str = "UPDATE devices SET revision = revision + 1, setting_action_id =
            (SELECT s.action_id FROM setting_changes s WHERE s.device_id = $1 AND s.ended_at IS NULL) WHERE id = $1";
        const END: &str =
            "UPDATE setting_changes SET ended_at = $2, failed = $3 WHERE device_id = $1 AND ended_at IS NULL";
        const DONE: &str =
            "UPDATE devices SET store_updates_off_since = $2, setting_failures = 0, setting_said = '' WHERE id = $1";
        const FAILED: &str = "UPDATE devices SET setting_failures = setting_failures + 1 WHERE id = $1";
        let device = change.device.0;
        match change.event {
            SettingEvent::Wanted => {
                each!(self, c => sqlx::query(OPEN).bind(device).bind(micros(now)).execute(c).await.map(drop))?;
            }
            SettingEvent::Done => {
                each!(self, c => sqlx::query(END).bind(device).bind(micros(now)).bind(false).execute(c).await.map(drop))?;
                each!(self, c => sqlx::query(DONE).bind(device).bind(micros(now)).execute(c).await.map(drop))?;
            }
            SettingEvent::Withdrawn => {
                each!(self, c => sqlx::query(END).bind(device).bind(micros(now)).bind(false).execute(c).await.map(drop))?;
            }
            SettingEvent::Failed => {
                each!(self, c => sqlx::query(END).bind(device).bind(micros(now)).bind(true).execute(c).await.map(drop))?;
                each!(self, c => sqlx::query(FAILED).bind(device).execute(c).await.map(drop))?;
            }
        }
        each!(self, c => sqlx::query(NOTE).bind(device).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The open change of a device, and whether it has said that it has done it; `None`: there is none.
    pub async fn open_setting_change(&mut self, device: DeviceId) -> Result<Option<(ActionId, bool)>> {
        const SQL: &str =
            "SELECT s.action_id, s.told_at FROM devices d JOIN setting_changes s ON s.action_id = d.setting_action_id
            WHERE d.id = $1 AND d.revoked_at IS NULL";
        let action: Option<(i32, Option<i64>)> =
            each!(self, c => sqlx::query_as(SQL).bind(device.0).fetch_optional(c).await)?;
        Ok(action.map(|(action, told_at)| (ActionId(action), told_at.is_some())))
    }

    /// Whether a device was ever asked for this change.
    pub async fn is_setting_change_of(&mut self, device: DeviceId, action: ActionId) -> Result<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM setting_changes WHERE action_id = $1 AND device_id = $2";
        let found: i64 = each!(self, c => sqlx::query_scalar(SQL).bind(action.0).bind(device.0).fetch_one(c).await)?;
        Ok(found == 1)
    }

    /// The device has said that it has done it: its facts are asked for, and have the last word.
    pub async fn setting_was_told(&mut self, device: DeviceId, action: ActionId, now: DateTime<Utc>) -> Result<()> {
        const TOLD: &str = "UPDATE setting_changes SET told_at = $2 WHERE action_id = $1 AND ended_at IS NULL";
        const ASK: &str = "UPDATE devices SET facts_wanted = $2, revision = revision + 1 WHERE id = $1";
        each!(self, c => sqlx::query(TOLD).bind(action.0).bind(micros(now)).execute(c).await.map(drop))?;
        each!(self, c => sqlx::query(ASK).bind(device.0).bind(true).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The device has said that it cannot, and why.
    pub async fn setting_has_failed(&mut self, device: DeviceId, said: &str, now: DateTime<Utc>) -> Result<()> {
        const SAID: &str = "UPDATE devices SET setting_said = $2 WHERE id = $1";
        each!(self, c => sqlx::query(SAID).bind(device.0).bind(said).execute(c).await.map(drop))?;
        let change = SettingChange {
            device,
            event: SettingEvent::Failed,
        };
        self.apply_setting_change(&change, now).await?;
        const ROOM: &str = "UPDATE rooms SET check_at = 0 WHERE id IN (SELECT room_id FROM devices WHERE id = $1) AND state <> 'retired'";
        each!(self, c => sqlx::query(ROOM).bind(device.0).execute(c).await.map(drop))?;
        Ok(())
    }
}
