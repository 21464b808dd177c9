//! When a device may start an install: from one instant until another.
//!
//! An ordinary install has its night's window. What is forced may start at any time until the next freeze (K5, W6), so that it has a
//! window only where a freeze lies ahead. Which window an install gets is the planner's to say.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

#[cfg(feature = "zones")]
use crate::window::Window;

/// Half open, `[opens, closes)`, and never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StartWindow {
    opens: DateTime<Utc>,
    closes: DateTime<Utc>,
}

impl StartWindow {
    /// `None`: it would close before it has opened.
    #[must_use]
    pub fn new(opens: DateTime<Utc>, closes: DateTime<Utc>) -> Option<Self> {
        (opens < closes).then_some(Self { opens, closes })
    }

    /// First instant inside.
    #[must_use]
    pub fn opens(&self) -> DateTime<Utc> {
        self.opens
    }

    /// First instant after.
    #[must_use]
    pub fn closes(&self) -> DateTime<Utc> {
        self.closes
    }

    /// Whether `instant` lies inside.
    #[must_use]
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.opens <= instant && instant < self.closes
    }

    /// Whether an install of so many minutes that starts at `instant` ends inside (S7).
    #[must_use]
    pub fn still_fits(&self, instant: DateTime<Utc>, minutes: u32) -> bool {
        instant + TimeDelta::minutes(minutes.into()) <= self.closes
    }

    /// Whether it is over at `now`.
    #[must_use]
    pub fn has_closed(&self, now: DateTime<Utc>) -> bool {
        self.closes <= now
    }
}

#[cfg(feature = "zones")]
impl From<&Window> for StartWindow {
    // A window of a night has at least one piece of the date's hours, and no piece is empty.
    fn from(window: &Window) -> Self {
        Self {
            opens: window.opens,
            closes: window.closes,
        }
    }
}
