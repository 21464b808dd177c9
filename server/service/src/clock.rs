//! The only place that reads a clock.
//!
//! Everything else takes a [`Clock`]. The demo and tests drive theirs: it shows what it was last set to and never runs on its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// What time it is.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    System,
    /// One that is set by hand, in microseconds since 1970.
    Driven(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start` until it is set.
    #[must_use]
    pub fn driven(start: DateTime<Utc>) -> Self {
        Self::Driven(Arc::new(AtomicI64::new(start.timestamp_micros())))
    }

    /// Now, in whole microseconds: what the database keeps.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match self {
            Self::System => Utc::now().timestamp_micros(),
            Self::Driven(micros) => micros.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// Sets a driven clock, forward only; the machine's clock stays as it is.
    pub fn advance_to(&self, instant: DateTime<Utc>) {
        if let Self::Driven(micros) = self {
            micros.fetch_max(instant.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Sets a driven clock, back as well: what a machine does whose time is corrected. The machine's clock stays as it is.
    pub fn set_to(&self, instant: DateTime<Utc>) {
        if let Self::Driven(micros) = self {
            micros.store(instant.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Whether somebody drives this clock.
    #[must_use]
    pub fn is_driven(&self) -> bool {
        matches!(self, Self::Driven(_))
    }
}

/// A stopwatch, for pacing, for measuring what this process does, and for noticing that the clock is wrong; never for what it decides.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "measures this process, decides nothing")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}
