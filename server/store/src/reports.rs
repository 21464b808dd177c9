//! Typed commands for what devices report (docs/architecture.md).
//!
//! A report locks one install (or one device), changes it guarded by its state, and has the planner recheck the room. On Postgres
//! each command is a short READ COMMITTED transaction; on SQLite one writer takes many at a time and answers after their common
//! commit.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::conversation::feedback::{Execution, Feedback};
use domain::conversation::hear::FeedbackEffect;
use domain::conversation::offer::{self, Offer};
use domain::ids::{ActionId, DeviceId, RoomId};
use domain::install::{Install, InstallState};
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::devices::DeviceFacts;
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::open::{Database, Store};
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
    fn device(&self) -> Option<DeviceId> {
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
    async fn run(&mut self, report: &Report, now: DateTime<Utc>) -> Result<Outcome> {
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
    async fn feedbacks(&mut self, received: &[(ReceivedFeedback<'_>, bool)]) -> Result<Vec<Outcome>> {
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
struct ReceivedFeedback<'r> {
    device: DeviceId,
    action: ActionId,
    feedback: &'r Feedback,
    now: DateTime<Utc>,
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

/// A command with the way back to whoever waits for its answer.
pub(crate) struct QueuedReport {
    report: Report,
    now: DateTime<Utc>,
    answer: oneshot::Sender<Result<Outcome>>,
}

impl Store {
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
                    .send(QueuedReport { report, now, answer })
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
                        Err(error) if error.is_retryable() && attempts < 5 => {}
                        outcome => return outcome,
                    }
                }
            }
        }
    }
}

/// SQLite's one writer of device commands: many in a transaction, answered after their common commit.
pub(crate) async fn run_queue(writer: SqlitePool, mut queue: mpsc::Receiver<QueuedReport>) {
    const MOST: usize = 64;
    let mut batch = Vec::with_capacity(MOST);
    while queue.recv_many(&mut batch, MOST).await > 0 {
        // In a task of its own: a fault of ours costs this batch its answers, and not every report from now on.
        let taken = Arc::new(std::mem::replace(&mut batch, Vec::with_capacity(MOST)));
        let running = tokio::spawn({
            let (writer, taken) = (writer.clone(), Arc::clone(&taken));
            async move { run_batch(&writer, &taken).await }
        });
        let outcomes = running
            .await
            .unwrap_or(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)));
        let Ok(mut batch) = Arc::try_unwrap(taken) else {
            continue;
        };
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
async fn run_batch(writer: &SqlitePool, batch: &[QueuedReport]) -> Result<Vec<Result<Outcome>>> {
    match run_as_one(writer, batch).await {
        Err(error) if !matches!(error, StoreError::Unavailable(_)) && batch.len() > 1 => {
            run_one_by_one(writer, batch).await
        }
        outcomes => Ok(outcomes?.into_iter().map(Ok).collect()),
    }
}

async fn run_as_one(writer: &SqlitePool, batch: &[QueuedReport]) -> Result<Vec<Outcome>> {
    let inner = Inner::Sqlite(writer.begin_with(dialect::BEGIN_WRITE_SQLITE).await?);
    let mut tx = Tx { inner };
    let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
    // What devices say that say nothing else in this batch goes first, and together.
    let mut speakers: BTreeMap<DeviceId, u32> = BTreeMap::new();
    for queued in batch {
        if let Some(device) = queued.report.device() {
            *speakers.entry(device).or_default() += 1;
        }
    }
    let (mut feedbacks, mut configs) = (ReportGroup::default(), ReportGroup::default());
    for (index, QueuedReport { report, now, .. }) in batch.iter().enumerate() {
        if report.device().and_then(|device| speakers.get(&device)) != Some(&1) {
            continue;
        }
        match report {
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
                    now: *now,
                };
                feedbacks.add(index, (received, *window_aware));
            }
            Report::Config { device, report } => configs.add(index, (*device, report, *now)),
            Report::ShowedUp { .. } | Report::CancelFeedback { .. } | Report::Fetched(_) => {}
        }
    }
    feedbacks.put(tx.feedbacks(&feedbacks.what).await?, &mut outcomes);
    configs.put(tx.configs(&configs.what).await?, &mut outcomes);
    let mut all = Vec::with_capacity(batch.len());
    for (queued, outcome) in batch.iter().zip(outcomes) {
        all.push(match outcome {
            Some(outcome) => outcome,
            None => tx.run(&queued.report, queued.now).await?,
        });
    }
    tx.commit().await?;
    Ok(all)
}

/// Reports of one kind that are taken together, with their places in the batch.
struct ReportGroup<T> {
    places: Vec<usize>,
    what: Vec<T>,
}

impl<T> Default for ReportGroup<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            what: Vec::new(),
        }
    }
}

impl<T> ReportGroup<T> {
    fn add(&mut self, place: usize, what: T) {
        self.places.push(place);
        self.what.push(what);
    }

    fn put(&self, came: Vec<Outcome>, outcomes: &mut [Option<Outcome>]) {
        for (place, outcome) in self.places.iter().zip(came) {
            outcomes[*place] = Some(outcome);
        }
    }
}

async fn run_one_by_one(writer: &SqlitePool, batch: &[QueuedReport]) -> Result<Vec<Result<Outcome>>> {
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
