//! The device conversation's side of the store: what a poll needs to know, and typed commands for what devices report.
//!
//! Devices are many, so this is hot. A poll is one query and writes only what changes. A report locks one install (or one
//! device), changes it guarded by its state, and marks the room for the planner. On Postgres each command is a short READ
//! COMMITTED transaction; on SQLite one writer takes many at a time and answers after their common commit.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::deployment::Force;
use domain::ids::{ActionId, DeviceId, ProductId, RoomId};
use domain::install::{Execution, Feedback, Heard, Install, InstallState};
use domain::offer::{self, Asked, Offer, Presence};
use domain::update::Standing;
use domain::version::{self, Version};
use sqlx::sqlite::SqlitePool;
use sqlx::types::Json;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::deployments::InstallRow;
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::open::{Database, Store};
use crate::rows::{micros, opt_instant, word};
use crate::tx::{Inner, Tx, each};

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
    /// Its open action.
    pub open: Option<ActionId>,
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
pub struct Wanted {
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
pub struct Asking {
    /// Who asks.
    pub device: DeviceRecord,
    /// What it might be told.
    pub wanted: Option<Wanted>,
}

/// A poll's result.
#[derive(Clone, Debug)]
pub struct Poll {
    /// What it is told.
    pub offer: Offer,
    /// About which action.
    pub action: Option<ActionId>,
}

impl Asking {
    /// The question for [`offer::decide`].
    #[must_use]
    pub fn asked(&self) -> Option<Asked<'_>> {
        self.wanted.as_ref().map(|wanted| Asked {
            install: &wanted.install,
            rollout_may_start: wanted.rollout_may_start,
            force: wanted.force,
            expected_minutes: wanted.expected_minutes,
            presence: self.device.presence,
            window_aware: self.device.window_aware,
        })
    }
}

/// How a report of facts changes what is known (`DDI.md` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigMode {
    /// Adds and overwrites; a null deletes.
    Merge,
    /// Replaces all.
    Replace,
    /// Deletes the keys.
    Remove,
}

/// A report of facts.
#[derive(Clone, Debug)]
pub struct ConfigReport {
    /// How.
    pub mode: ConfigMode,
    /// What; `None` deletes the key.
    pub data: BTreeMap<String, Option<String>>,
}

/// What a device reports.
#[derive(Clone, Debug)]
pub enum Report {
    /// It polled while it might have started (W4).
    ShowedUp {
        /// The install that waits for it.
        action: ActionId,
    },
    /// It said something about an action.
    Feedback {
        /// Who.
        device: DeviceId,
        /// About which.
        action: ActionId,
        /// What.
        feedback: Feedback,
        /// It keeps to windows of its own, as its requests show (`DDI.md` 2.1).
        window_aware: bool,
    },
    /// It answered a cancel (`DDI.md` 1).
    CancelFeedback {
        /// Who.
        device: DeviceId,
        /// About which.
        action: ActionId,
        /// What.
        feedback: Feedback,
    },
    /// It fetched the artifact of an action for the first time (`DDI.md` 2.2).
    Fetched(Fetched),
    /// It reported facts about itself.
    Config {
        /// Who.
        device: DeviceId,
        /// What.
        report: ConfigReport,
    },
}

/// See [`Report::Fetched`].
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Who.
    pub device: DeviceId,
    /// Of which action.
    pub action: ActionId,
}

/// What came of a report. All but `Refused` are durable before they are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something; the planner should look.
    Changed,
    /// It is noted and changes nothing.
    Noted,
    /// The action has ended: noted, answer 410.
    Ended,
    /// There is no such action of this device, or it may not start now: answer 404.
    NotFound,
    /// The report breaks a limit: answer 400. Nothing of it is stored.
    Refused(Refusal),
}

/// The limit that a report of facts breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A key or value is too long.
    #[error("attribute {attribute:?} is too long: keys and values have at most {MOST_CHARACTERS} characters")]
    TooLong {
        /// The key, shortened.
        attribute: String,
    },
    /// Too many keys.
    #[error("attribute {attribute:?} is one too many: a device has at most {MOST_ATTRIBUTES} attributes")]
    TooMany {
        /// The first key beyond.
        attribute: String,
    },
}

/// The most attributes of a device.
pub const MOST_ATTRIBUTES: usize = 100;
/// The most characters of a key or a value.
pub const MOST_CHARACTERS: usize = 128;

#[derive(sqlx::FromRow)]
struct AskingRow {
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
            + CASE WHEN d.window_aware THEN 4 ELSE 0 END AS flags,
        i.action_id
    FROM devices d
    LEFT JOIN installs i ON i.device_id = d.id AND i.state IN ('planned', 'started', 'installed')
    WHERE d.controller_id = $1";

/// A device with its open action, if it has one.
const ASKING: &str = "SELECT d.id AS d_id, d.controller_id, d.room_id, d.token_hash, d.revoked_at, d.facts_wanted, d.window_aware,
        (SELECT MAX(o.free_at) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS free_at,
        (SELECT MAX(o.busy_at) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS busy_at,
        (SELECT MAX(o.busy_until) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS busy_until,
        d.last_seen_at,
        i.action_id, i.deployment_id, i.update_id, i.device_id, i.attempt, i.window_opens, i.window_closes, i.state,
        i.state_at, i.heard_at, i.silent_at, i.installed_chunks, i.doubtful, i.failure, i.shown_up_at, i.started_at,
        i.detail, i.cancel_wanted, p.force, p.update_id AS rollout_id, r.state AS rollout_state, u.expected_minutes, u.recalled
    FROM devices d
    LEFT JOIN installs i ON i.device_id = d.id AND i.state IN ('planned', 'started', 'installed')
    LEFT JOIN deployments p ON p.id = i.deployment_id
    LEFT JOIN rollouts r ON r.update_id = p.update_id
    LEFT JOIN updates u ON u.id = i.update_id
    WHERE d.controller_id = $1";

/// The same about one action, whatever its state.
const ASKING_ABOUT: &str = "SELECT d.id AS d_id, d.controller_id, d.room_id, d.token_hash, d.revoked_at, d.facts_wanted, d.window_aware,
        (SELECT MAX(o.free_at) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS free_at,
        (SELECT MAX(o.busy_at) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS busy_at,
        (SELECT MAX(o.busy_until) FROM devices o WHERE o.room_id = d.room_id AND o.revoked_at IS NULL) AS busy_until,
        d.last_seen_at,
        i.action_id, i.deployment_id, i.update_id, i.device_id, i.attempt, i.window_opens, i.window_closes, i.state,
        i.state_at, i.heard_at, i.silent_at, i.installed_chunks, i.doubtful, i.failure, i.shown_up_at, i.started_at,
        i.detail, i.cancel_wanted, p.force, p.update_id AS rollout_id, r.state AS rollout_state, u.expected_minutes, u.recalled
    FROM devices d
    JOIN installs i ON i.device_id = d.id
    JOIN deployments p ON p.id = i.deployment_id
    JOIN rollouts r ON r.update_id = p.update_id
    JOIN updates u ON u.id = i.update_id
    WHERE d.id = $1 AND i.action_id = $2";

impl AskingRow {
    fn into_asking(self) -> Result<Asking> {
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
            return Ok(Asking { device, wanted: None });
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
        let wanted = Wanted {
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
        Ok(Asking {
            device,
            wanted: Some(wanted),
        })
    }
}

impl Tx {
    /// What a poll of this controller needs to know; `None`: nobody of that name.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn asking(&mut self, controller: &str) -> Result<Option<Asking>> {
        let row: Option<AskingRow> = each!(self, c => sqlx::query_as(ASKING).bind(controller).fetch_optional(c).await)?;
        row.map(AskingRow::into_asking).transpose()
    }

    /// What decides over one action of a device, whatever its state; `None`: it has no such action.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn asking_about(&mut self, device: DeviceId, action: ActionId) -> Result<Option<Asking>> {
        let row: Option<AskingRow> =
            each!(self, c => sqlx::query_as(ASKING_ABOUT).bind(device.0).bind(action.0).fetch_optional(c).await)?;
        row.map(AskingRow::into_asking).transpose()
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

    /// Writes last contacts that were kept in memory; losing some does no harm.
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_last_seen(&mut self, seen: &[(DeviceId, DateTime<Utc>)]) -> Result<()> {
        const SQL: &str = "UPDATE devices SET last_seen_at = $2 WHERE id = $1";
        for (device, at) in seen {
            each!(self, c => sqlx::query(SQL).bind(device.0).bind(micros(*at)).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    async fn run(&mut self, report: &Report, now: DateTime<Utc>) -> Result<Outcome> {
        match report {
            Report::ShowedUp { action } => self.showed_up(*action, now).await,
            Report::Feedback {
                device,
                action,
                feedback,
                window_aware,
            } => self.feedback(*device, *action, feedback, *window_aware, now).await,
            Report::CancelFeedback {
                device,
                action,
                feedback,
            } => self.cancel_feedback(*device, *action, feedback, now).await,
            Report::Fetched(fetched) => self.fetched(fetched, now).await,
            Report::Config { device, report } => self.config(*device, report, now).await,
        }
    }

    async fn showed_up(&mut self, action: ActionId, now: DateTime<Utc>) -> Result<Outcome> {
        const SQL: &str = "UPDATE installs SET shown_up_at = $2, revision = revision + 1
            WHERE action_id = $1 AND state = 'planned' AND shown_up_at IS NULL";
        each!(self, c => sqlx::query(SQL).bind(action.0).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(Outcome::Noted)
    }

    async fn feedback(
        &mut self,
        device: DeviceId,
        action: ActionId,
        feedback: &Feedback,
        window_aware: bool,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        let Some((asking, install, may_start)) = self.locked(device, action, window_aware, now).await? else {
            return Ok(Outcome::NotFound);
        };
        // Fetching ahead of the window is not starting (W1): what is said about it stands in the history only.
        let ahead = asking
            .asked()
            .is_some_and(|asked| offer::decide(&asked, now) == Offer::Prefetch);
        if ahead && feedback.execution != Execution::Closed {
            self.add_report(action, feedback, true, now).await?;
            return Ok(Outcome::Noted);
        }
        let heard = install.hear(feedback, may_start, now);
        self.heard(&asking, &install, feedback, heard, now).await
    }

    async fn cancel_feedback(
        &mut self,
        device: DeviceId,
        action: ActionId,
        feedback: &Feedback,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        let Some((asking, install, _)) = self.locked(device, action, false, now).await? else {
            return Ok(Outcome::NotFound);
        };
        let heard = install.hear_cancel(feedback, now);
        self.heard(&asking, &install, feedback, heard, now).await
    }

    async fn heard(
        &mut self,
        asking: &Asking,
        install: &Install,
        feedback: &Feedback,
        heard: Heard,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        let (device, action) = (asking.device.id, install.action);
        match heard {
            Heard::Changed(changed) => {
                self.put_install(&changed).await?;
                self.add_report(action, feedback, true, now).await?;
                if !matches!(changed.state, InstallState::Started { .. }) {
                    self.want_facts(device).await?;
                }
                // A sign of life alone moves nothing but a deadline, which the planner reads when it comes.
                if std::mem::discriminant(&changed.state) != std::mem::discriminant(&install.state)
                    || is_silent(install)
                {
                    self.mark(asking.device.room).await?;
                    return Ok(Outcome::Changed);
                }
                Ok(Outcome::Noted)
            }
            Heard::Noted => {
                self.add_report(action, feedback, true, now).await?;
                Ok(Outcome::Noted)
            }
            Heard::Ended => {
                self.add_report(action, feedback, false, now).await?;
                Ok(Outcome::Ended)
            }
            Heard::NotOffered => Ok(Outcome::NotFound),
        }
    }

    async fn fetched(&mut self, fetched: &Fetched, now: DateTime<Utc>) -> Result<Outcome> {
        let Some((asking, install, may_start)) = self.locked(fetched.device, fetched.action, false, now).await? else {
            return Ok(Outcome::NotFound);
        };
        match install.fetched(may_start, now) {
            Some(started) => {
                self.put_install(&started).await?;
                self.mark(asking.device.room).await?;
                Ok(Outcome::Changed)
            }
            // It runs already; or it may not start any more, and must not get what it would start with.
            None if install.is_started() => Ok(Outcome::Noted),
            None => Ok(Outcome::NotFound),
        }
    }

    /// One install, locked against other devices' commands, and whether its device may start it right now.
    async fn locked(
        &mut self,
        device: DeviceId,
        action: ActionId,
        window_aware: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<(Asking, Install, bool)>> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_INSTALL_POSTGRES)
                .bind(action.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        let Some(mut asking) = self.asking_about(device, action).await? else {
            return Ok(None);
        };
        let Some(wanted) = &asking.wanted else { return Ok(None) };
        if let (Inner::Postgres(transaction), InstallState::Planned) = (&mut self.inner, &wanted.install.state) {
            sqlx::query(dialect::SHARE_ROLLOUT_POSTGRES)
                .bind(wanted.rollout.0)
                .fetch_optional(&mut **transaction)
                .await?;
            sqlx::query(dialect::SHARE_RELEASE_POSTGRES)
                .bind(wanted.install.update.0)
                .fetch_optional(&mut **transaction)
                .await?;
            // Read once more: the rollout may have been paused while its lock was waited for.
            match self.asking_about(device, action).await? {
                Some(again) => asking = again,
                None => return Ok(None),
            }
        }
        asking.device.window_aware |= window_aware;
        let may_start = asking.asked().is_some_and(|asked| {
            asked.install.is_started() || matches!(offer::decide(&asked, now), Offer::Install | Offer::Prefetch)
        });
        let install = asking.wanted.as_ref().map(|wanted| wanted.install.clone());
        Ok(install.map(|install| (asking, install, may_start)))
    }

    async fn add_report(
        &mut self,
        action: ActionId,
        feedback: &Feedback,
        counted: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        const SQL: &str =
            "INSERT INTO reports (action_id, at, execution, finished, detail, counted) VALUES ($1, $2, $3, $4, $5, $6)";
        let detail: String = feedback
            .details
            .join("\n")
            .chars()
            .filter(|c| *c != '\0')
            .take(2000)
            .collect();
        each!(self, c => sqlx::query(SQL)
            .bind(action.0)
            .bind(micros(now))
            .bind(feedback.execution.as_str())
            .bind(feedback.finished.as_str())
            .bind(&detail)
            .bind(counted)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    async fn want_facts(&mut self, device: DeviceId) -> Result<()> {
        const SQL: &str = "UPDATE devices SET facts_wanted = $2 WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(device.0).bind(true).execute(c).await.map(drop))?;
        Ok(())
    }

    async fn config(&mut self, device: DeviceId, report: &ConfigReport, now: DateTime<Utc>) -> Result<Outcome> {
        // One row for each component; the device's own columns stand in each.
        const READ: &str = "SELECT d.room_id, d.attributes, d.free_at, d.busy_at, c.product_id, v.text
            FROM devices d
            LEFT JOIN components c ON c.device_id = d.id
            LEFT JOIN versions v ON v.id = c.version_id
            WHERE d.id = $1
            ORDER BY c.product_id";
        const WRITE: &str =
            "UPDATE devices SET attributes = $2, facts_wanted = $3, window_aware = $4, free_at = $5, busy_at = $6,
                busy_until = $7, last_seen_at = $8, revision = revision + 1 WHERE id = $1";
        type Row = (
            Uuid,
            Json<BTreeMap<String, String>>,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<String>,
        );
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_DEVICE_POSTGRES)
                .bind(device.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(READ).bind(device.0).fetch_all(c).await)?;
        let mut known = BTreeMap::new();
        let mut own = None;
        for (room, attributes, free_at, busy_at, product, version) in rows {
            known.extend(product.map(|product| (product, version)));
            own.get_or_insert((room, attributes.0, free_at, busy_at));
        }
        let Some((room, before, free_before, busy_before)) = own else {
            return Ok(Outcome::NotFound);
        };
        let attributes = match merged(before.clone(), report) {
            Ok(attributes) => attributes,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let is = |key: &str, value: &str| {
            attributes
                .get(key)
                .is_some_and(|given| given.eq_ignore_ascii_case(value))
        };
        // A report that does not speak of the room makes an earlier one no younger (K5).
        let speaks_of_room = report.mode == ConfigMode::Replace || report.data.contains_key("room.state");
        let (free_at, busy_at) = if !speaks_of_room {
            (free_before, busy_before)
        } else if is("room.state", "free") {
            (Some(micros(now)), None)
        } else {
            (None, attributes.contains_key("room.state").then(|| micros(now)))
        };
        let busy_until = attributes
            .get("room.busy_until")
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        each!(self, c => sqlx::query(WRITE)
            .bind(device.0)
            .bind(Json(&attributes))
            .bind(false)
            .bind(is("ddi.window", "aware"))
            .bind(free_at)
            .bind(busy_at)
            .bind(busy_until.map(|until| until.timestamp_micros()))
            .bind(micros(now))
            .execute(c)
            .await
            .map(drop))?;
        if self.take_inventory(device, &before, &attributes, &known, now).await? {
            self.mark(RoomId(room)).await?;
            return Ok(Outcome::Changed);
        }
        Ok(Outcome::Noted)
    }

    /// Takes components and versions from attributes (`DDI.md` 3); whether anything is new.
    ///
    /// A device that names no components and has exactly one reports that one's version as `sw_version`. What an earlier report
    /// named and this one does not is gone; what came from an import stays until the device names its components.
    async fn take_inventory(
        &mut self,
        device: DeviceId,
        before: &BTreeMap<String, String>,
        attributes: &BTreeMap<String, String>,
        known: &BTreeMap<String, Option<String>>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let mut reported = components_in(attributes);
        if let (true, Some(version), [only]) = (
            reported.is_empty(),
            attributes.get("sw_version"),
            known.keys().collect::<Vec<_>>().as_slice(),
        ) {
            reported.insert((*only).clone(), Some(version.clone()));
        }
        let gone: Vec<String> = components_in(before)
            .into_keys()
            .filter(|product| known.contains_key(product) && !reported.contains_key(product))
            .collect();
        let mut changes = Vec::new();
        for (product, version) in reported {
            if known.get(&product) == Some(&version) {
                continue;
            }
            let product = ProductId(product);
            // A product that the portfolio does not know stays an attribute.
            let Some(record) = self.product(&product).await? else {
                continue;
            };
            let row = match &version {
                Some(text) => Some(self.known_version(&record, text).await?),
                None => None,
            };
            changes.push((device, product, row));
        }
        if changes.is_empty() && gone.is_empty() {
            return Ok(false);
        }
        self.put_components(&changes, now).await?;
        for product in gone {
            const SQL: &str = "DELETE FROM components WHERE device_id = $1 AND product_id = $2";
            each!(self, c => sqlx::query(SQL).bind(device.0).bind(&product).execute(c).await.map(drop))?;
        }
        Ok(true)
    }

    /// The row of a version, made if it is seen for the first time: then its standing to every published update is worked out.
    ///
    /// # Errors
    /// The database fails.
    pub async fn known_version(&mut self, product: &crate::ProductRecord, text: &str) -> Result<Uuid> {
        const FIND: &str = "SELECT id FROM versions WHERE product_id = $1 AND text = $2";
        let found: Option<Uuid> =
            each!(self, c => sqlx::query_scalar(FIND).bind(&product.id.0).bind(text).fetch_optional(c).await)?;
        if let Some(id) = found {
            return Ok(id);
        }
        let known = self.versions(&product.id).await?;
        // A spelling of a known version has that one's release day.
        let released = known
            .iter()
            .find(|known| version::same(&product.scheme, &known.text, text))
            .and_then(|known| known.released);
        let id = self
            .put_version(version_id(&product.id, text), &product.id, text, released)
            .await?;
        for update in self.compared_of(&product.id).await? {
            if let Some(release) = self.release(update).await? {
                let standing = standing(&release, &known, Version { text, released });
                self.put_standings(update, &[(id, standing)]).await?;
            }
        }
        Ok(id)
    }

    /// Works out how every known version of its product stands to a release, and writes it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn work_out_standings(&mut self, release: &crate::ReleaseRecord) -> Result<()> {
        let known = self.versions(&release.product.id).await?;
        let standings: Vec<(Uuid, Standing)> = known
            .iter()
            .map(|version| {
                (
                    version.id,
                    standing(
                        release,
                        &known,
                        Version {
                            text: &version.text,
                            released: version.released,
                        },
                    ),
                )
            })
            .collect();
        self.put_standings(release.release.id, &standings).await
    }
}

fn standing(release: &crate::ReleaseRecord, known: &[crate::VersionRecord], installed: Version<'_>) -> Standing {
    let scheme = &release.product.scheme;
    let dated = |text: &str| {
        known
            .iter()
            .find(|known| version::same(scheme, &known.text, text))
            .and_then(|known| known.released)
    };
    let update = Version {
        text: &release.release.version,
        released: release.released,
    };
    let minimum = release.release.minimum_version.as_deref().map(|text| Version {
        text,
        released: dated(text),
    });
    Standing::of(scheme, installed, update, minimum)
}

/// The row id of a version: the same wherever it is first seen, so that two reports make the same row.
#[must_use]
pub fn version_id(product: &ProductId, text: &str) -> Uuid {
    let namespace = Uuid::from_u128(0x6e69_6768_7473_6869_6674_2d76_6572_7369);
    Uuid::new_v5(&namespace, format!("{product}\u{0}{text}").as_bytes())
}

/// Products with their versions, as attributes name them (`DDI.md` 3).
fn components_in(attributes: &BTreeMap<String, String>) -> BTreeMap<String, Option<String>> {
    let number = |key: &str| {
        let number = key.strip_prefix("component.")?.strip_suffix(".product")?;
        Some(number.to_owned())
    };
    let named = attributes
        .iter()
        .filter_map(|(key, product)| Some((number(key)?, product)));
    let version = |number: &str| {
        let version = attributes.get(&format!("component.{number}.version"));
        version.filter(|version| !version.is_empty()).cloned()
    };
    named
        .map(|(number, product)| (product.clone(), version(&number)))
        .collect()
}

fn is_silent(install: &Install) -> bool {
    matches!(install.state, InstallState::Started { silent_at: Some(_), .. })
}

fn merged(
    mut attributes: BTreeMap<String, String>,
    report: &ConfigReport,
) -> std::result::Result<BTreeMap<String, String>, Refusal> {
    let too_long = |text: &str| text.chars().count() > MOST_CHARACTERS;
    for (key, value) in &report.data {
        if too_long(key) || value.as_deref().is_some_and(too_long) {
            return Err(Refusal::TooLong {
                attribute: key.chars().take(MOST_CHARACTERS).collect(),
            });
        }
    }
    if report.mode == ConfigMode::Replace {
        attributes.clear();
    }
    for (key, value) in &report.data {
        match (report.mode, value) {
            (ConfigMode::Remove, _) | (ConfigMode::Merge | ConfigMode::Replace, None) => {
                attributes.remove(key);
            }
            (ConfigMode::Merge | ConfigMode::Replace, Some(value)) => {
                // Postgres has no way to keep a NUL in text.
                attributes.insert(key.replace('\0', ""), value.replace('\0', ""));
            }
        }
    }
    match report.data.keys().rfind(|key| attributes.contains_key(*key)) {
        Some(last) if attributes.len() > MOST_ATTRIBUTES => Err(Refusal::TooMany {
            attribute: last.clone(),
        }),
        Some(_) | None => Ok(attributes),
    }
}

/// A command with the way back to whoever waits for its answer.
pub(crate) struct Queued {
    report: Report,
    now: DateTime<Utc>,
    answer: oneshot::Sender<Result<Outcome>>,
}

impl Store {
    /// Who speaks; `None`: nobody of that name. One statement, and so one snapshot: it needs no transaction.
    ///
    /// # Errors
    /// The database fails.
    pub async fn caller(&self, controller: &str) -> Result<Option<Caller>> {
        type Row = (Uuid, Option<Vec<u8>>, i32, Option<i32>);
        let row: Option<Row> = match &self.database {
            Database::Sqlite { readers, .. } => sqlx::query_as(CALLER).bind(controller).fetch_optional(readers).await?,
            Database::Postgres(pool) => sqlx::query_as(CALLER).bind(controller).fetch_optional(pool).await?,
        };
        Ok(row.map(|(id, token_hash, flags, action)| Caller {
            id: DeviceId(id),
            controller: controller.to_owned(),
            token_hash,
            revoked: flags & 1 != 0,
            facts_wanted: flags & 2 != 0,
            window_aware: flags & 4 != 0,
            open: action.map(ActionId),
        }))
    }

    /// [`Tx::asking_about`] without a transaction around it.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn asking_about(&self, device: DeviceId, action: ActionId) -> Result<Option<Asking>> {
        let row: Option<AskingRow> = match &self.database {
            Database::Sqlite { readers, .. } => {
                let query = sqlx::query_as(ASKING_ABOUT).bind(device.0).bind(action.0);
                query.fetch_optional(readers).await?
            }
            Database::Postgres(pool) => {
                let query = sqlx::query_as(ASKING_ABOUT).bind(device.0).bind(action.0);
                query.fetch_optional(pool).await?
            }
        };
        row.map(AskingRow::into_asking).transpose()
    }

    /// Takes what a device reports. The answer comes after it is durable.
    ///
    /// # Errors
    /// The database fails; nothing of the report is stored then.
    pub async fn report(&self, report: Report, now: DateTime<Utc>) -> Result<Outcome> {
        match &self.database {
            Database::Sqlite { commands, .. } => {
                let (answer, answered) = oneshot::channel();
                let gone = || StoreError::Unavailable(sqlx::Error::PoolClosed);
                commands
                    .send(Queued { report, now, answer })
                    .await
                    .map_err(|_| gone())?;
                answered.await.map_err(|_| gone())?
            }
            Database::Postgres(pool) => {
                let mut attempts = 0;
                loop {
                    attempts += 1;
                    let mut tx = dialect::begin_postgres(pool, dialect::BEGIN_COMMAND_POSTGRES).await?;
                    let outcome = match tx.run(&report, now).await {
                        Ok(outcome) => tx.commit().await.map(|()| outcome),
                        Err(error) => Err(error),
                    };
                    match outcome {
                        Err(error) if error.is_again() && attempts < 5 => {}
                        outcome => return outcome,
                    }
                }
            }
        }
    }
}

/// SQLite's one writer of device commands: many in a transaction, answered after their common commit.
pub(crate) async fn run_queue(writer: SqlitePool, mut queue: mpsc::Receiver<Queued>) {
    const MOST: usize = 64;
    let mut batch = Vec::with_capacity(MOST);
    while queue.recv_many(&mut batch, MOST).await > 0 {
        let outcomes = run_batch(&writer, &batch).await;
        match outcomes {
            Ok(outcomes) => {
                for (queued, outcome) in batch.drain(..).zip(outcomes) {
                    // Whoever asked may have hung up; the report is kept all the same.
                    let _ = queued.answer.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    commands = batch.len(),
                    "device reports could not be written"
                );
                for queued in batch.drain(..) {
                    let _ = queued
                        .answer
                        .send(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)));
                }
            }
        }
    }
}

/// All in one transaction. Only when one of them fails is each given a savepoint of its own, so that it spoils no other's.
async fn run_batch(writer: &SqlitePool, batch: &[Queued]) -> Result<Vec<Result<Outcome>>> {
    match run_together(writer, batch).await {
        Err(error) if !matches!(error, StoreError::Unavailable(_)) && batch.len() > 1 => {
            run_one_by_one(writer, batch).await
        }
        outcomes => Ok(outcomes?.into_iter().map(Ok).collect()),
    }
}

async fn run_together(writer: &SqlitePool, batch: &[Queued]) -> Result<Vec<Outcome>> {
    let inner = Inner::Sqlite(writer.begin_with(dialect::BEGIN_WRITE_SQLITE).await?);
    let mut tx = Tx { inner };
    let mut outcomes = Vec::with_capacity(batch.len());
    for queued in batch {
        outcomes.push(tx.run(&queued.report, queued.now).await?);
    }
    tx.commit().await?;
    Ok(outcomes)
}

async fn run_one_by_one(writer: &SqlitePool, batch: &[Queued]) -> Result<Vec<Result<Outcome>>> {
    let inner = Inner::Sqlite(writer.begin_with(dialect::BEGIN_WRITE_SQLITE).await?);
    let mut tx = Tx { inner };
    let mut outcomes = Vec::with_capacity(batch.len());
    for queued in batch {
        tx.execute("SAVEPOINT command").await?;
        let outcome = tx.run(&queued.report, queued.now).await;
        if outcome.is_err() {
            tx.execute("ROLLBACK TO command").await?;
        }
        tx.execute("RELEASE command").await?;
        outcomes.push(outcome);
    }
    tx.commit().await?;
    Ok(outcomes)
}
