//! The ways of a report into the database: SQLite's one writer takes many at a time, Postgres runs each for itself.
//!
//! On Postgres each report is a short READ COMMITTED transaction. On SQLite one writer takes many in a transaction and answers after
//! their common commit. What a report means is not said here. Start with [`Store::report`].

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::conversation::hear::Words;
use domain::conversation::{Outcome, Report};
use domain::ids::DeviceId;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use crate::database::{Database, QueuedReport, Store};
use crate::devices::reports::Received;
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::tx::{Inner, Tx};

impl Store {
    /// Takes what a device reports. The answer comes after it is durable.
    ///
    /// # Errors
    /// The database fails; nothing of the report is stored then.
    pub async fn report(&self, report: Report, now: DateTime<Utc>) -> Result<Outcome> {
        match &self.database {
            Database::Sqlite { reports, .. } => {
                let (answer, answered) = oneshot::channel();
                let gone = || StoreError::Unavailable(sqlx::Error::PoolClosed);
                reports
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

/// SQLite's one writer of reports: many in a transaction, answered after their common commit.
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
                    reports = batch.len(),
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
                let received = Received {
                    device: *device,
                    action: *action,
                    words: Words::Feedback(feedback),
                    window_aware: *window_aware,
                    now: *now,
                };
                feedbacks.add(index, received);
            }
            Report::Config { device, report } => configs.add(index, (*device, report, *now)),
            Report::ShowedUp { .. } | Report::CancelFeedback { .. } | Report::Fetched(_) => {}
        }
    }
    feedbacks.put(tx.hear_many(&feedbacks.what).await?, &mut outcomes);
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
