//! What has changed since: the pulse of open pages (P9).
//!
//! Nobody tells anybody anything: one look a second at how far three tables have grown, in each process that has open pages, and in no
//! other. So it does not matter which process has changed something, and there is nothing to be lost on the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Service;
use crate::error::Result;

/// How often is looked: pages show a change within two seconds (P9).
const OFTEN: Duration = Duration::from_secs(1);

/// Counts the changes that are seen while somebody listens. Clones share one look.
#[derive(Clone)]
pub struct Pulse {
    service: Service,
    stop: CancellationToken,
    beats: watch::Sender<u64>,
    /// Whether somebody looks already.
    looks: Arc<Mutex<bool>>,
}

impl Pulse {
    /// Of this service, until `stop`. Nothing is looked at before somebody listens.
    #[must_use]
    pub fn new(service: Service, stop: CancellationToken) -> Self {
        Self {
            service,
            stop,
            beats: watch::channel(0).0,
            looks: Arc::default(),
        }
    }

    /// Hears of changes from now on.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<u64> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = self.beats.subscribe();
        if !std::mem::replace(&mut *looks, true) {
            tokio::spawn(self.clone().look());
        }
        heard
    }

    /// Looks until nobody listens any more.
    async fn look(self) {
        let mut last = None;
        loop {
            match self.service.change_mark().await {
                Ok(mark) => {
                    // Sums of a large estate come a moment later than what they follow from.
                    let mark = (mark, self.service.sums.changes());
                    if last.is_some_and(|last| last != mark) {
                        self.beats.send_modify(|beats| *beats += 1);
                    }
                    last = Some(mark);
                }
                // The database is away; when it is back, the mark has moved or nothing has changed.
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no pulse"),
            }
            let stopped = self.stop.run_until_cancelled(tokio::time::sleep(OFTEN)).await.is_none();
            let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
            if stopped || self.beats.receiver_count() == 0 {
                *looks = false;
                return;
            }
        }
    }
}

impl Service {
    /// Where the database stands: it moves with every change that a page may show.
    ///
    /// # Errors
    /// The database fails.
    pub async fn change_mark(&self) -> Result<(i64, i64, i64)> {
        Ok(self.store.read().await?.change_mark().await?)
    }
}
