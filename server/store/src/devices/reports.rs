//! What devices say about their actions: loaded, judged by the domain, written (docs/architecture.md).
//!
//! A report locks one install, changes it guarded by its state, and has the planner recheck the room. There are two ways to load: row
//! locks for one report on Postgres, one statement for a batch on SQLite, whose one writer needs no locks. What the words mean is
//! [`hear::hear`]'s in both. `queue.rs` has the ways by which reports come here.

use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};
use domain::conversation::hear::{self, Heard, KeptWords, Words};
use domain::conversation::{Outcome, Report};
use domain::ids::{ActionId, DeviceId, RoomId};
use domain::install::{Install, InstallState};
use uuid::Uuid;

use crate::devices::DeviceFacts;
use crate::dialect;
use crate::error::Result;
use crate::rows::{ids_in, micros};
use crate::tx::{Inner, Tx, each};

/// What a device has said about one of its actions.
#[derive(Clone, Copy)]
pub(super) struct Received<'r> {
    pub(super) device: DeviceId,
    pub(super) action: ActionId,
    pub(super) words: Words<'r>,
    /// The device keeps to windows of its own, as its requests show (`docs/devices.md` 2.1).
    pub(super) window_aware: bool,
    pub(super) now: DateTime<Utc>,
}

/// What follows from it.
struct Judged {
    device: DeviceId,
    action: ActionId,
    room: RoomId,
    now: DateTime<Utc>,
    heard: Heard,
}

impl Received<'_> {
    /// Asks the domain what the words mean; `None`: the device has no such action.
    fn judge(self, mut facts: DeviceFacts) -> Option<Judged> {
        facts.device.window_aware |= self.window_aware;
        let heard = hear::hear(&facts.offer_facts()?, self.words, self.now);
        Some(Judged {
            device: self.device,
            action: self.action,
            room: facts.device.room,
            now: self.now,
            heard,
        })
    }
}

impl Tx {
    pub(super) async fn run(&mut self, report: &Report, now: DateTime<Utc>) -> Result<Outcome> {
        let received = |device: &DeviceId, action: &ActionId, words, window_aware| Received {
            device: *device,
            action: *action,
            words,
            window_aware,
            now,
        };
        match report {
            Report::ShowedUp { action } => self.showed_up(*action, now).await,
            Report::Feedback {
                device,
                action,
                feedback,
                window_aware,
            } => {
                let received = received(device, action, Words::Feedback(feedback), *window_aware);
                self.hear_one(received).await
            }
            Report::CancelFeedback {
                device,
                action,
                feedback,
            } => {
                let received = received(device, action, Words::CancelFeedback(feedback), false);
                self.hear_one(received).await
            }
            Report::Fetched(fetched) => {
                let received = received(&fetched.device, &fetched.action, Words::Fetched, false);
                self.hear_one(received).await
            }
            Report::Config { device, report } => self.config(*device, report, now).await,
        }
    }

    async fn showed_up(&mut self, action: ActionId, now: DateTime<Utc>) -> Result<Outcome> {
        const SQL: &str = "UPDATE installs SET shown_up_at = $2, revision = revision + 1
            WHERE action_id = $1 AND state = 'planned' AND shown_up_at IS NULL";
        each!(self, c => sqlx::query(SQL).bind(action.0).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(Outcome::Noted)
    }

    async fn hear_one(&mut self, received: Received<'_>) -> Result<Outcome> {
        let facts = self.locked(received.device, received.action).await?;
        let Some(judged) = facts.and_then(|facts| received.judge(facts)) else {
            return Ok(Outcome::NotFound);
        };
        let outcome = judged.heard.outcome.clone();
        self.write_heard(vec![judged]).await?;
        Ok(outcome)
    }

    /// What devices say about different actions at once, in the order given: rows are read and written together. For SQLite, whose one
    /// writer needs no locks.
    pub(super) async fn hear_many(&mut self, received: &[Received<'_>]) -> Result<Vec<Outcome>> {
        if received.is_empty() {
            return Ok(Vec::new());
        }
        let actions: Vec<ActionId> = received.iter().map(|received| received.action).collect();
        let mut about = self.device_facts_of_actions(&actions).await?;
        let (mut outcomes, mut all_judged) = (Vec::with_capacity(received.len()), Vec::with_capacity(received.len()));
        for received in received {
            // Compared before it is taken: a device that names another one's action must not use that one's report up (A4).
            let facts = match about.entry(received.action) {
                Entry::Occupied(entry) if entry.get().device.id == received.device => Some(entry.remove()),
                Entry::Occupied(_) | Entry::Vacant(_) => None,
            };
            let Some(judged) = facts.and_then(|facts| received.judge(facts)) else {
                outcomes.push(Outcome::NotFound);
                continue;
            };
            outcomes.push(judged.heard.outcome.clone());
            all_judged.push(judged);
        }
        self.write_heard(all_judged).await?;
        Ok(outcomes)
    }

    /// Writes what words change.
    async fn write_heard(&mut self, mut judged: Vec<Judged>) -> Result<()> {
        let installs: Vec<Install> = judged.iter_mut().filter_map(|of| of.heard.install.take()).collect();
        self.put_installs(&installs).await?;
        self.note_installed(&installs).await?;
        self.add_reports(&judged).await?;
        let wanted: Vec<Uuid> = judged
            .iter()
            .filter(|of| of.heard.wants_facts)
            .map(|of| of.device.0)
            .collect();
        self.want_facts(&wanted).await?;
        for of in judged.iter().filter(|of| of.heard.rechecks_room()) {
            self.recheck(of.room).await?;
        }
        Ok(())
    }

    /// What decides over one install, locked against other devices' commands, and against a pause if the device might start it.
    async fn locked(&mut self, device: DeviceId, action: ActionId) -> Result<Option<DeviceFacts>> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_INSTALL_POSTGRES)
                .bind(action.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        let Some(facts) = self.device_facts_of_action(device, action).await? else {
            return Ok(None);
        };
        let Some(open) = &facts.open_install else {
            return Ok(None);
        };
        if let (Inner::Postgres(transaction), InstallState::Planned) = (&mut self.inner, &open.install.state) {
            sqlx::query(dialect::SHARE_ROLLOUT_POSTGRES)
                .bind(open.rollout.0)
                .fetch_optional(&mut **transaction)
                .await?;
            sqlx::query(dialect::SHARE_RELEASE_POSTGRES)
                .bind(open.install.update.0)
                .fetch_optional(&mut **transaction)
                .await?;
            // Read once more: the rollout may have been paused while its lock was waited for.
            return self.device_facts_of_action(device, action).await;
        }
        Ok(Some(facts))
    }

    async fn add_reports(&mut self, judged: &[Judged]) -> Result<()> {
        let reports: Vec<(&Judged, &KeptWords)> = judged
            .iter()
            .filter_map(|of| Some((of, of.heard.kept.as_ref()?)))
            .collect();
        if reports.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query =
                sqlx::QueryBuilder::new("INSERT INTO reports (action_id, at, execution, finished, detail, counted) ");
            query.push_values(&reports, |mut row, (of, kept)| {
                row.push_bind(of.action.0)
                    .push_bind(micros(of.now))
                    .push_bind(kept.execution.as_str())
                    .push_bind(kept.finished.as_str())
                    .push_bind(kept.detail.as_str())
                    .push_bind(kept.counts);
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Notes which actions devices have closed with success: what they installed may be looked up (`docs/devices.md` 1, `installedBase`).
    async fn note_installed(&mut self, installs: &[Install]) -> Result<()> {
        const SQL: &str = "UPDATE devices SET installed_action_id = $2 WHERE id = $1";
        let closed = InstallState::is_closed_with_success;
        for install in installs.iter().filter(|install| closed(&install.state)) {
            each!(self, c => sqlx::query(SQL).bind(install.device.0).bind(install.action.0).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    async fn want_facts(&mut self, devices: &[Uuid]) -> Result<()> {
        if devices.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("UPDATE devices SET facts_wanted = ");
            query.push_bind(true).push(" WHERE id IN (");
            ids_in(&mut query, devices.iter().copied());
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }
}
