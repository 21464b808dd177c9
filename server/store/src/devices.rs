//! Devices: who speaks, and what decides over what it is told. Enrolment, and last contacts.
//!
//! Devices are many, so this is hot. A poll is one narrow row, and a second one where the device has something to do. What devices
//! report is `reports.rs`; what they report about themselves, `inventory.rs`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::conversation::offer::{OfferFacts, Presence};
use domain::deployment::Force;
use domain::ids::{ActionId, DeviceId, RoomId};
use domain::install::Install;
use uuid::Uuid;

use crate::deployments::InstallRow;
use crate::error::Result;
use crate::open::{Database, Store};
use crate::rows::{micros, opt_instant, word};
use crate::tx::{Tx, each};

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
    /// It has spoken before, or was given a token.
    pub enrolled: bool,
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
    /// Its room.
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
    /// The install.
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
    /// The question for [`offer::decide`].
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
            + CASE WHEN d.window_aware THEN 4 ELSE 0 END + CASE WHEN d.enrolled_at IS NULL THEN 8 ELSE 0 END AS flags,
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
        i.state_at, i.heard_at, i.silent_at, i.installed_chunks, i.doubtful, i.failure, i.shown_up_at, i.started_at,
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
    pub(crate) fn into_device_facts(self) -> Result<DeviceFacts> {
        let id = self.d_id;
        let device = DeviceRecord {
            id: DeviceId(id),
            controller: self.controller_id,
            room: RoomId(self.room_id),
            token_hash: self.token_hash,
            revoked: self.revoked_at.is_some(),
            facts_wanted: self.facts_wanted,
            window_aware: self.window_aware,
            presence: Presence {
                free_at: opt_instant("devices", id, self.free_at)?,
                busy_at: opt_instant("devices", id, self.busy_at)?,
                busy_until: opt_instant("devices", id, self.busy_until)?,
            },
            last_seen_at: opt_instant("devices", id, self.last_seen_at)?,
        };
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
}

impl Tx {
    /// What a poll of this controller needs to know; `None`: nobody of that name.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn device_facts(&mut self, controller: &str) -> Result<Option<DeviceFacts>> {
        let row: Option<DeviceFactsRow> =
            each!(self, c => sqlx::query_as(FACTS).bind(controller).fetch_optional(c).await)?;
        row.map(DeviceFactsRow::into_device_facts).transpose()
    }

    /// What decides over one action of a device, whatever its state; `None`: it has no such action.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn device_facts_of_action(&mut self, device: DeviceId, action: ActionId) -> Result<Option<DeviceFacts>> {
        let row: Option<DeviceFactsRow> =
            each!(self, c => sqlx::query_as(FACTS_OF_ACTION).bind(device.0).bind(action.0).fetch_optional(c).await)?;
        row.map(DeviceFactsRow::into_device_facts).transpose()
    }

    /// What decides over several actions at once, whosever they are.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
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

    /// How many of these rooms have people in them, as devices have said since `fresh` or still say, and when the latest of them said so
    /// (K5).
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
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

    /// Gives a device a token (A4); a token that it had before counts no more. `false`: there is no such device.
    ///
    /// # Errors
    /// The database fails.
    pub async fn enrol_device(&mut self, controller: &str, token_hash: &[u8], at: DateTime<Utc>) -> Result<bool> {
        const SQL: &str = "UPDATE devices SET token_hash = $2, enrolled_at = $3, revoked_at = NULL, facts_wanted = $4 WHERE controller_id = $1";
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

    /// Notes that a device speaks for the first time, through the gateway (`docs/devices.md` 1).
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_enrolled(&mut self, device: DeviceId, at: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "UPDATE devices SET enrolled_at = $2 WHERE id = $1 AND enrolled_at IS NULL";
        each!(self, c => sqlx::query(SQL).bind(device.0).bind(micros(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a device's token away. `false`: there is no such device, or it had none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn revoke_device(&mut self, controller: &str, at: DateTime<Utc>) -> Result<bool> {
        const SQL: &str =
            "UPDATE devices SET token_hash = NULL, revoked_at = $2 WHERE controller_id = $1 AND revoked_at IS NULL";
        let done = each!(self, c => sqlx::query(SQL).bind(controller).bind(micros(at)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Writes last contacts; none goes back.
    ///
    /// # Errors
    /// The database fails.
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
    /// Who speaks; `None`: nobody of that name. One statement, and so one snapshot: it needs no transaction.
    ///
    /// # Errors
    /// The database fails.
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
            enrolled: flags & 8 == 0,
            open: open.map(ActionId),
            installed: installed.map(ActionId),
        }))
    }

    /// [`Tx::device_facts_of_action`] without a transaction around it.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
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

    /// Writes last contacts that were kept in memory; losing some does no harm. A few hundred rows in a transaction, in the order of
    /// ids, so that several processes wait for each other and do not meet.
    ///
    /// # Errors
    /// The database fails.
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
