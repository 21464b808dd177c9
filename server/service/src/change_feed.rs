//! What has changed since: what open pages listen to (P9).
//!
//! Nobody tells anybody anything: one question a second, how far the database has moved, in each process that has open pages, and in no
//! other. So it does not matter which process has changed something, and there is nothing to be lost on the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::room::Health;
use store::FactsRevision;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Service;
use crate::error::Result;

/// How often the database is asked: pages show a change within two seconds (P9).
const INTERVAL: Duration = Duration::from_secs(1);

/// Every so many questions it is asked how many rooms are out of contact: time alone makes them so, and no row says when (I4).
const CONTACT_EVERY: u64 = 5;

/// How far the rows, the facts of devices and the kept counts have moved.
type Revision = ((i64, i64, i64), FactsRevision, u64);

/// Counts the changes that are seen while somebody listens. Clones ask once for all of them.
#[derive(Clone)]
pub struct ChangeFeed {
    service: Service,
    stop: CancellationToken,
    changes: watch::Sender<u64>,
    /// Whether [`Self::ask`] runs already.
    is_running: Arc<Mutex<bool>>,
}

impl ChangeFeed {
    /// Of this service, until `stop`. Nothing is asked before somebody listens.
    #[must_use]
    pub fn new(service: Service, stop: CancellationToken) -> Self {
        Self {
            service,
            stop,
            changes: watch::channel(0).0,
            is_running: Arc::default(),
        }
    }

    /// Hears of changes from now on.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<u64> {
        let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = self.changes.subscribe();
        if !std::mem::replace(&mut *is_running, true) {
            tokio::spawn(self.clone().ask());
        }
        heard
    }

    /// Tells whoever listens if this is not as it was.
    fn note<T: PartialEq>(&self, last: &mut Option<T>, now: T) {
        if last.as_ref().is_some_and(|last| *last != now) {
            self.changes.send_modify(|changes| *changes += 1);
        }
        *last = Some(now);
    }

    /// What moves with everything that a page shows, later contacts aside.
    async fn revision(&self) -> Result<Revision> {
        let mut tx = self.service.store.read().await?;
        let (rows, facts) = (tx.database_revision().await?, tx.facts_revision().await?);
        // Counts of a large estate come a moment later than what they follow from.
        Ok((rows, facts, self.service.estate_counts.changes()))
    }

    /// How many rooms are of which health. Where the estate is large, what is kept of it, which moves by itself.
    async fn rooms_by_health(&self) -> Result<BTreeMap<Health, i64>> {
        self.service.read_snapshot().await?.rooms_by_health().await
    }

    /// Asks until nobody listens any more.
    async fn ask(self) {
        let (mut last, mut health, mut asked) = (None, None, 0_u64);
        loop {
            match self.revision().await {
                Ok(revision) => self.note(&mut last, revision),
                // The database is away; when it is back, the revision has moved or nothing has changed.
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no change feed"),
            }
            if asked.is_multiple_of(CONTACT_EVERY) {
                match self.rooms_by_health().await {
                    Ok(counted) => self.note(&mut health, counted),
                    Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no change feed"),
                }
            }
            asked += 1;
            let stopped = self
                .stop
                .run_until_cancelled(tokio::time::sleep(INTERVAL))
                .await
                .is_none();
            let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
            if stopped || self.changes.receiver_count() == 0 {
                *is_running = false;
                return;
            }
        }
    }
}
