//! Typed commands for what devices report (docs/architecture.md).
//!
//! A report locks one install (or one device), changes it guarded by its state, and has the planner recheck the room. `queue.rs` has
//! the ways by which reports come here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};
use domain::conversation::feedback::{Execution, Feedback};
use domain::conversation::hear::FeedbackEffect;
use domain::conversation::offer::{self, Offer};
use domain::ids::{ActionId, DeviceId, RoomId};
use domain::install::{Install, InstallState};
use uuid::Uuid;

use crate::devices::DeviceFacts;
use crate::dialect;
use crate::error::Result;
use crate::rooms::ids_in;
use crate::rows::micros;
use crate::tx::{Inner, Tx, each};

/// How a report of facts changes what is known (`docs/devices.md` 1).
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
        /// It keeps to windows of its own, as its requests show (`docs/devices.md` 2.1).
        window_aware: bool,
    },
    /// It answered a cancel (`docs/devices.md` 1).
    CancelFeedback {
        /// Who.
        device: DeviceId,
        /// About which.
        action: ActionId,
        /// What.
        feedback: Feedback,
    },
    /// It fetched the artifact of an action for the first time (`docs/devices.md` 2.2).
    Fetched(Fetched),
    /// It reported facts about itself.
    Config {
        /// Who.
        device: DeviceId,
        /// What.
        report: ConfigReport,
    },
}

impl Report {
    /// Who speaks, where that is part of it.
    pub(super) fn device(&self) -> Option<DeviceId> {
        match self {
            Self::ShowedUp { .. } => None,
            Self::Feedback { device, .. } | Self::CancelFeedback { device, .. } | Self::Config { device, .. } => {
                Some(*device)
            }
            Self::Fetched(fetched) => Some(fetched.device),
        }
    }
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
    Refused(ReportRefusal),
}

/// The limit that a report of facts breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportRefusal {
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

impl Tx {
    pub(super) async fn run(&mut self, report: &Report, now: DateTime<Utc>) -> Result<Outcome> {
        match report {
            Report::ShowedUp { action } => self.showed_up(*action, now).await,
            Report::Feedback {
                device,
                action,
                feedback,
                window_aware,
            } => {
                let received = ReceivedFeedback {
                    device: *device,
                    action: *action,
                    feedback,
                    now,
                };
                self.feedback(received, *window_aware).await
            }
            Report::CancelFeedback {
                device,
                action,
                feedback,
            } => {
                let received = ReceivedFeedback {
                    device: *device,
                    action: *action,
                    feedback,
                    now,
                };
                self.cancel_feedback(received).await
            }
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

    async fn feedback(&mut self, received: ReceivedFeedback<'_>, window_aware: bool) -> Result<Outcome> {
        let Some((facts, install, may_start)) = self
            .locked(received.device, received.action, window_aware, received.now)
            .await?
        else {
            return Ok(Outcome::NotFound);
        };
        let judgement = judge(&facts, &install, may_start, received);
        self.write_judgements(&[judgement]).await
    }

    /// Feedbacks of different actions at once, in the order given: rows are read and written together. For SQLite, whose one writer
    /// needs no locks.
    pub(super) async fn feedbacks(&mut self, received: &[(ReceivedFeedback<'_>, bool)]) -> Result<Vec<Outcome>> {
        if received.is_empty() {
            return Ok(Vec::new());
        }
        let actions: Vec<ActionId> = received.iter().map(|(received, _)| received.action).collect();
        let mut about = self.device_facts_of_actions(&actions).await?;
        let (mut outcomes, mut judgements) = (Vec::with_capacity(received.len()), Vec::with_capacity(received.len()));
        for (received, window_aware) in received {
            // Compared before it is taken: a device that names another one's action must not use that one's report up (A4).
            let facts = match about.entry(received.action) {
                Entry::Occupied(entry) if entry.get().device.id == received.device => Some(entry.remove()),
                Entry::Occupied(_) | Entry::Vacant(_) => None,
            };
            let Some(mut facts) = facts else {
                outcomes.push(Outcome::NotFound);
                continue;
            };
            facts.device.window_aware |= window_aware;
            let may_start = may_start(&facts, received.now);
            let Some(open) = &facts.open_install else {
                outcomes.push(Outcome::NotFound);
                continue;
            };
            let judgement = judge(&facts, &open.install, may_start, *received);
            outcomes.push(judgement.outcome.clone());
            judgements.push(judgement);
        }
        self.write_judgements(&judgements).await?;
        Ok(outcomes)
    }

    async fn cancel_feedback(&mut self, received: ReceivedFeedback<'_>) -> Result<Outcome> {
        let Some((facts, install, _)) = self
            .locked(received.device, received.action, false, received.now)
            .await?
        else {
            return Ok(Outcome::NotFound);
        };
        let effect = install.hear_cancel(received.feedback, received.now);
        self.write_judgements(&[judgement(&facts, &install, effect, received)])
            .await
    }

    /// Writes what feedbacks change; gives the last one's outcome.
    async fn write_judgements(&mut self, judgements: &[Judgement<'_>]) -> Result<Outcome> {
        let installs: Vec<Install> = judgements
            .iter()
            .filter_map(|judgement| judgement.install.clone())
            .collect();
        self.put_installs(&installs).await?;
        let reports: Vec<(&ReceivedFeedback<'_>, bool)> = judgements
            .iter()
            .filter_map(|judgement| Some((&judgement.received, judgement.counted?)))
            .collect();
        self.add_reports(&reports).await?;
        let wanted: Vec<Uuid> = judgements
            .iter()
            .filter(|of| of.wants_facts)
            .map(|of| of.received.device.0)
            .collect();
        self.want_facts(&wanted).await?;
        for judgement in judgements
            .iter()
            .filter(|judgement| judgement.outcome == Outcome::Changed)
        {
            self.recheck(judgement.room).await?;
        }
        Ok(judgements
            .last()
            .map_or(Outcome::Noted, |judgement| judgement.outcome.clone()))
    }

    async fn fetched(&mut self, fetched: &Fetched, now: DateTime<Utc>) -> Result<Outcome> {
        let Some((facts, install, may_start)) = self.locked(fetched.device, fetched.action, false, now).await? else {
            return Ok(Outcome::NotFound);
        };
        match install.fetched(may_start, now) {
            Some(started) => {
                self.put_installs(&[started]).await?;
                self.recheck(facts.device.room).await?;
                Ok(Outcome::Changed)
            }
            // It may not start any more, and must not get what it would start with.
            None if install.state == InstallState::Planned => Ok(Outcome::NotFound),
            None => Ok(Outcome::Noted),
        }
    }

    /// One install, locked against other devices' commands, and whether its device may start it right now.
    async fn locked(
        &mut self,
        device: DeviceId,
        action: ActionId,
        window_aware: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<(DeviceFacts, Install, bool)>> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_INSTALL_POSTGRES)
                .bind(action.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        let Some(mut facts) = self.device_facts_of_action(device, action).await? else {
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
            match self.device_facts_of_action(device, action).await? {
                Some(again) => facts = again,
                None => return Ok(None),
            }
        }
        facts.device.window_aware |= window_aware;
        let may_start = may_start(&facts, now);
        let install = facts.open_install.as_ref().map(|open| open.install.clone());
        Ok(install.map(|install| (facts, install, may_start)))
    }

    async fn add_reports(&mut self, reports: &[(&ReceivedFeedback<'_>, bool)]) -> Result<()> {
        if reports.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query =
                sqlx::QueryBuilder::new("INSERT INTO reports (action_id, at, execution, finished, detail, counted) ");
            query.push_values(reports, |mut row, (received, counted)| {
                row.push_bind(received.action.0)
                    .push_bind(micros(received.now))
                    .push_bind(received.feedback.execution.as_str())
                    .push_bind(received.feedback.finished.as_str())
                    .push_bind(kept(received.feedback))
                    .push_bind(*counted);
            });
            query.build().execute(c).await.map(drop)
        })?;
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

/// One feedback.
#[derive(Clone, Copy)]
pub(super) struct ReceivedFeedback<'r> {
    pub(super) device: DeviceId,
    pub(super) action: ActionId,
    pub(super) feedback: &'r Feedback,
    pub(super) now: DateTime<Utc>,
}

/// What a feedback changes.
struct Judgement<'r> {
    received: ReceivedFeedback<'r>,
    room: RoomId,
    outcome: Outcome,
    /// The install in its new state.
    install: Option<Install>,
    /// Whether it counts; `None`: it is not even noted.
    counted: Option<bool>,
    wants_facts: bool,
}

/// Whether the device may start it right now, or has.
fn may_start(facts: &DeviceFacts, now: DateTime<Utc>) -> bool {
    facts.offer_facts().is_some_and(|offer_facts| {
        offer_facts.install.is_started() || matches!(offer::decide(&offer_facts, now), Offer::Install | Offer::Prefetch)
    })
}

fn judge<'r>(facts: &DeviceFacts, install: &Install, may_start: bool, received: ReceivedFeedback<'r>) -> Judgement<'r> {
    // Fetching ahead of the window is not starting (W1): what is said about it stands in the history only.
    let ahead = facts
        .offer_facts()
        .is_some_and(|offer_facts| offer::decide(&offer_facts, received.now) == Offer::Prefetch);
    let effect = if ahead && received.feedback.execution != Execution::Closed {
        FeedbackEffect::Noted
    } else {
        install.hear(received.feedback, may_start, received.now)
    };
    judgement(facts, install, effect, received)
}

fn judgement<'r>(
    facts: &DeviceFacts,
    install: &Install,
    effect: FeedbackEffect,
    received: ReceivedFeedback<'r>,
) -> Judgement<'r> {
    let with = |outcome, counted| Judgement {
        received,
        room: facts.device.room,
        outcome,
        install: None,
        counted,
        wants_facts: false,
    };
    match effect {
        FeedbackEffect::Changed(changed) => {
            // A sign of life alone moves nothing but a deadline, which the planner reads when it comes.
            let is_news =
                std::mem::discriminant(&changed.state) != std::mem::discriminant(&install.state) || is_silent(install);
            Judgement {
                wants_facts: !matches!(changed.state, InstallState::Started { .. }),
                install: Some(changed),
                ..with(if is_news { Outcome::Changed } else { Outcome::Noted }, Some(true))
            }
        }
        FeedbackEffect::Noted => with(Outcome::Noted, Some(true)),
        FeedbackEffect::Ended => with(Outcome::Ended, Some(false)),
        FeedbackEffect::NotOffered => with(Outcome::NotFound, None),
    }
}

/// Of what a device says, so much is kept.
fn kept(feedback: &Feedback) -> String {
    let details = feedback.details.join("\n");
    // Postgres has no way to keep a NUL in text.
    details.chars().filter(|c| *c != '\0').take(2000).collect()
}

fn is_silent(install: &Install) -> bool {
    matches!(install.state, InstallState::Started { silent_at: Some(_), .. })
}
