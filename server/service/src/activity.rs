//! What this process has done since it started: numbers for `/metrics` (G4). Nothing decides by them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::conversation::Outcome;

use crate::clock::Stopwatch;

/// Counts, each since the start of the process.
#[derive(Debug, Default)]
pub struct Activity {
    polls: AtomicU64,
    reports: [AtomicU64; 5],
    ticks: AtomicU64,
    rounds: AtomicU64,
    failed_ticks: AtomicU64,
    failed_in_a_row: AtomicU64,
    /// Since the last round of planning ended; empty while nothing in this process plans by itself.
    round_ended: Mutex<Option<Stopwatch>>,
}

/// [`Activity`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityCounts {
    /// Polls of devices that were answered.
    pub polls: u64,
    /// Reports of devices by what came of them: a word, and how many.
    pub reports: [(&'static str, u64); 5],
    /// Ticks that were begun.
    pub ticks: u64,
    /// Transactions of ticks that wrote something.
    pub rounds: u64,
    /// Ticks that failed and are tried again.
    pub failed_ticks: u64,
    /// Of these, how many came one after the other up to now.
    pub failed_in_a_row: u64,
    /// How long ago a round of planning ended: it wrote, found nothing due, or found that another process plans. `None` where nothing
    /// plans by itself, as with a driven clock.
    pub without_a_round: Option<Duration>,
}

const WORDS: [&str; 5] = ["changed", "noted", "ended", "not_found", "refused"];

impl Activity {
    pub(crate) fn polled(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reported(&self, outcome: &Outcome) {
        let index = match outcome {
            Outcome::Changed => 0,
            Outcome::Noted => 1,
            Outcome::Ended => 2,
            Outcome::NotFound => 3,
            Outcome::Refused(_) => 4,
        };
        self.reports[index].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ticked(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wrote_a_round(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tick_failed(&self) {
        self.failed_ticks.fetch_add(1, Ordering::Relaxed);
        self.failed_in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tick_succeeded(&self) {
        self.failed_in_a_row.store(0, Ordering::Relaxed);
    }

    /// From now on rounds are expected.
    pub(crate) fn planning_begins(&self) {
        self.set_round_ended(Some(Stopwatch::start()));
    }

    /// A round has ended well.
    pub(crate) fn round_ended(&self) {
        let mut since = self.round_ended.lock().unwrap_or_else(PoisonError::into_inner);
        *since = since.map(|_| Stopwatch::start());
    }

    /// No more rounds are expected.
    pub(crate) fn planning_ends(&self) {
        self.set_round_ended(None);
    }

    fn set_round_ended(&self, since: Option<Stopwatch>) {
        *self.round_ended.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// The counts as they stand.
    #[must_use]
    pub fn now(&self) -> ActivityCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut reports = [("", 0); 5];
        for (index, (word, counter)) in WORDS.into_iter().zip(&self.reports).enumerate() {
            reports[index] = (word, count(counter));
        }
        ActivityCounts {
            polls: count(&self.polls),
            reports,
            ticks: count(&self.ticks),
            rounds: count(&self.rounds),
            failed_ticks: count(&self.failed_ticks),
            failed_in_a_row: count(&self.failed_in_a_row),
            without_a_round: self
                .round_ended
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .map(|since| since.elapsed()),
        }
    }
}
