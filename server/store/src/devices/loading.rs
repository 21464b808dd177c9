//! What is read when a device speaks: who it is, and what decides over its actions.
//!
//! Devices are many, so this is hot. A poll is one narrow row, and a second one where the device has something to do. Nothing is
//! decided here. Start with [`Store::caller`].

use std::collections::BTreeMap;

use domain::conversation::presence::Presence;
use domain::deployment::Force;
use domain::ids::{ActionId, DeviceId, RoomId};
use domain::zone::Zone;
use uuid::Uuid;

use crate::database::{Database, Store};
use crate::devices::{Caller, DeviceFacts, DeviceRecord, OpenInstall};
use crate::error::Result;
use crate::installs::InstallRow;
use crate::rows::{opt_instant, word, zone_of};
use crate::tx::{Tx, each};

#[derive(sqlx::FromRow)]
pub(crate) struct DeviceFactsRow {
    d_id: Uuid,
    controller_id: String,
    room_id: Uuid,
    token_hash: Option<Vec<u8>>,
    revoked_at: Option<i64>,
    facts_wanted: bool,
    window_aware: bool,
    free_at: Option<i64>,
    busy_at: Option<i64>,
    busy_until: Option<i64>,
    last_seen_at: Option<i64>,
    action_id: Option<i32>,
    deployment_id: Option<Uuid>,
    update_id: Option<Uuid>,
    device_id: Option<Uuid>,
    attempt: Option<i64>,
    window_opens: Option<i64>,
    window_closes: Option<i64>,
    state: Option<String>,
    state_at: Option<i64>,
    heard_at: Option<i64>,
    silent_at: Option<i64>,
    installed_chunks: Option<bool>,
    objects: Option<bool>,
    doubtful: Option<bool>,
    failure: Option<String>,
    shown_up_at: Option<i64>,
    started_at: Option<i64>,
    detail: Option<String>,
    cancel_wanted: Option<String>,
    force: Option<String>,
    rollout_id: Option<Uuid>,
    recalled: Option<bool>,
    rollout_state: Option<String>,
    expected_minutes: Option<i64>,
}

/// What the token is compared with, and whether there is more to look at. Every column costs a copy.
const CALLER: &str = "SELECT d.id, d.token_hash,
        CASE WHEN d.revoked_at IS NULL THEN 0 ELSE 1 END + CASE WHEN d.facts_wanted THEN 2 ELSE 0 END
            + CASE WHEN d.window_aware THEN 4 ELSE 0 END + CASE WHEN d.first_contact_at IS NULL THEN 8 ELSE 0 END
            + CASE WHEN d.setting_action_id IS NULL THEN 0 ELSE 16 END AS flags,
        i.action_id, d.installed_action_id
    FROM devices d
    LEFT JOIN installs i ON i.device_id = d.id AND i.state IN ('planned', 'started', 'installed')
    WHERE d.controller_id = $1";

/// What a [`DeviceFactsRow`] is read from; the joins and the condition follow.
macro_rules! select_device_facts {
    ($($rest:literal),+) => {
        concat!(
            "SELECT d.id AS d_id, d.controller_id, d.room_id, d.token_hash, d.revoked_at, d.facts_wanted, d.window_aware,
        (SELECT MAX(o.free_at) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS free_at,
        (SELECT MAX(o.busy_at) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS busy_at,
        (SELECT MAX(o.busy_until) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS busy_until,
        d.last_seen_at,
        i.action_id, i.deployment_id, i.update_id, i.device_id, i.attempt, i.window_opens, i.window_closes, i.state,
        i.state_at, i.heard_at, i.silent_at, i.installed_chunks, i.objects, i.doubtful, i.failure, i.shown_up_at, i.started_at,
        i.detail, i.cancel_wanted, p.force, p.update_id AS rollout_id, r.state AS rollout_state, u.expected_minutes, u.recalled
    FROM devices d
    ",
            $($rest),+
        )
    };
}

/// A device with its open action, if it has one.
const FACTS: &str = select_device_facts!(
    "LEFT JOIN installs i ON i.device_id = d.id AND i.state IN ('planned', 'started', 'installed')
    LEFT JOIN deployments p ON p.id = i.deployment_id
    LEFT JOIN rollouts r ON r.update_id = p.update_id
    LEFT JOIN updates u ON u.id = i.update_id
    WHERE d.controller_id = $1"
);

/// The same with an action, whatever its state.
macro_rules! select_facts_of_action {
    ($which:literal) => {
        select_device_facts!(
            "JOIN installs i ON i.device_id = d.id
    JOIN deployments p ON p.id = i.deployment_id
    JOIN rollouts r ON r.update_id = p.update_id
    JOIN updates u ON u.id = i.update_id
    WHERE ",
            $which
        )
    };
}

/// About one action of a device.
const FACTS_OF_ACTION: &str = select_facts_of_action!("d.id = $1 AND i.action_id = $2");

/// About several; the list of actions follows.
const FACTS_OF_ACTIONS: &str = select_facts_of_action!("i.action_id IN (");

impl DeviceFactsRow {
    pub(crate) fn into_device_facts(mut self) -> Result<DeviceFacts> {
        let device = self.take_device()?;
        let (Some(action_id), Some(deployment_id), Some(update_id), Some(device_id), Some(attempt), Some(state)) = (
            self.action_id,
            self.deployment_id,
            self.update_id,
            self.device_id,
            self.attempt,
            self.state,
        ) else {
            return Ok(DeviceFacts {
                device,
                open_install: None,
            });
        };
        let install = InstallRow {
            action_id,
            deployment_id,
            update_id,
            device_id,
            attempt,
            window_opens: self.window_opens,
            window_closes: self.window_closes,
            state,
            state_at: self.state_at,
            heard_at: self.heard_at,
            silent_at: self.silent_at,
            installed_chunks: self.installed_chunks.unwrap_or_default(),
            objects: self.objects.unwrap_or_default(),
            doubtful: self.doubtful.unwrap_or_default(),
            failure: self.failure,
            shown_up_at: self.shown_up_at,
            started_at: self.started_at,
            detail: self.detail.unwrap_or_default(),
            cancel_wanted: self.cancel_wanted,
        };
        let open = OpenInstall {
            install: install.into_domain()?,
            force: self
                .force
                .map(|force| word("deployments", action_id, &force, Force::from_word))
                .transpose()?,
            rollout_may_start: matches!(self.rollout_state.as_deref(), Some("running" | "finished"))
                && self.recalled == Some(false),
            expected_minutes: u32::try_from(self.expected_minutes.unwrap_or(0)).unwrap_or(0),
            rollout: domain::ids::UpdateId(self.rollout_id.unwrap_or(update_id)),
        };
        Ok(DeviceFacts {
            device,
            open_install: Some(open),
        })
    }

    fn take_device(&mut self) -> Result<DeviceRecord> {
        let id = self.d_id;
        Ok(DeviceRecord {
            id: DeviceId(id),
            controller: std::mem::take(&mut self.controller_id),
            room: RoomId(self.room_id),
            token_hash: self.token_hash.take(),
            revoked: self.revoked_at.is_some(),
            facts_wanted: self.facts_wanted,
            window_aware: self.window_aware,
            presence: Presence {
                free_at: opt_instant("devices", id, self.free_at)?,
                busy_at: opt_instant("devices", id, self.busy_at)?,
                busy_until: opt_instant("devices", id, self.busy_until)?,
            },
            last_seen_at: opt_instant("devices", id, self.last_seen_at)?,
        })
    }
}

impl Tx {
    /// What a poll of this controller needs to know; `None`: nobody of that name.
    pub async fn device_facts(&mut self, controller: &str) -> Result<Option<DeviceFacts>> {
        let row: Option<DeviceFactsRow> =
            each!(self, c => sqlx::query_as(FACTS).bind(controller).fetch_optional(c).await)?;
        row.map(DeviceFactsRow::into_device_facts).transpose()
    }

    /// The zone of a device's room; `None`: there is no such device.
    ///
    /// # Errors
    /// The zone is none.
    pub async fn zone_of_device(&mut self, device: DeviceId) -> Result<Option<Zone>> {
        const SQL: &str = "SELECT r.zone FROM devices d JOIN rooms r ON r.id = d.room_id WHERE d.id = $1";
        let zone: Option<String> = each!(self, c => sqlx::query_scalar(SQL).bind(device.0).fetch_optional(c).await)?;
        zone.map(|zone| zone_of("devices", device, &zone)).transpose()
    }

    /// What decides over one action of a device, whatever its state; `None`: it has no such action.
    pub async fn device_facts_of_action(&mut self, device: DeviceId, action: ActionId) -> Result<Option<DeviceFacts>> {
        let row: Option<DeviceFactsRow> =
            each!(self, c => sqlx::query_as(FACTS_OF_ACTION).bind(device.0).bind(action.0).fetch_optional(c).await)?;
        row.map(DeviceFactsRow::into_device_facts).transpose()
    }

    /// What decides over several actions at once, whosever they are.
    pub(crate) async fn device_facts_of_actions(
        &mut self,
        actions: &[ActionId],
    ) -> Result<BTreeMap<ActionId, DeviceFacts>> {
        let rows: Vec<DeviceFactsRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(FACTS_OF_ACTIONS);
            let mut ids = query.separated(", ");
            for action in actions {
                ids.push_bind(action.0);
            }
            ids.push_unseparated(") ORDER BY i.action_id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut all = BTreeMap::new();
        for row in rows {
            let facts = row.into_device_facts()?;
            if let Some(open) = &facts.open_install {
                all.insert(open.install.action, facts);
            }
        }
        Ok(all)
    }
}

impl Store {
    /// Who speaks; `None`: nobody of that name. One statement, and so one snapshot: it needs no transaction.
    pub async fn caller(&self, controller: &str) -> Result<Option<Caller>> {
        type Row = (Uuid, Option<Vec<u8>>, i32, Option<i32>, Option<i32>);
        let row: Option<Row> = match &self.database {
            Database::Sqlite { readers, .. } => sqlx::query_as(CALLER).bind(controller).fetch_optional(readers).await?,
            Database::Postgres(pool) => sqlx::query_as(CALLER).bind(controller).fetch_optional(pool).await?,
        };
        Ok(row.map(|(id, token_hash, flags, open, installed)| Caller {
            id: DeviceId(id),
            controller: controller.to_owned(),
            token_hash,
            revoked: flags & 1 != 0,
            facts_wanted: flags & 2 != 0,
            window_aware: flags & 4 != 0,
            is_known: flags & 8 == 0,
            has_setting_change: flags & 16 != 0,
            open: open.map(ActionId),
            installed: installed.map(ActionId),
        }))
    }

    /// [`Tx::device_facts_of_action`] without a transaction around it.
    pub async fn device_facts_of_action(&self, device: DeviceId, action: ActionId) -> Result<Option<DeviceFacts>> {
        let row: Option<DeviceFactsRow> = match &self.database {
            Database::Sqlite { readers, .. } => {
                let query = sqlx::query_as(FACTS_OF_ACTION).bind(device.0).bind(action.0);
                query.fetch_optional(readers).await?
            }
            Database::Postgres(pool) => {
                let query = sqlx::query_as(FACTS_OF_ACTION).bind(device.0).bind(action.0);
                query.fetch_optional(pool).await?
            }
        };
        row.map(DeviceFactsRow::into_device_facts).transpose()
    }
}
