//! What a simulated device does when it is asked to install, and when people are in its room.

use chrono::{DateTime, Utc};

/// How a simulated device behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Minutes that an install takes.
    pub minutes: u32,
    /// So many attempts fail before one works.
    pub failures: u32,
    /// So many attempts are refused because somebody is using the device (S17), before it takes one.
    pub refusals: u32,
    /// So many attempts start and then go silent.
    pub silences: u32,
    /// Minutes after which a silent device reports its success after all; `None`: never.
    pub late_minutes: Option<u32>,
    /// Spans in which it does not poll.
    pub absences: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// It reports the new version after an install.
    pub confirms: bool,
    /// Spans in which people are in the room, as its devices report (K5).
    pub busy: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// It answers a cancel by going on.
    pub refuses_cancel: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            minutes: 15,
            failures: 0,
            refusals: 0,
            silences: 0,
            late_minutes: None,
            absences: Vec::new(),
            confirms: true,
            busy: Vec::new(),
            refuses_cancel: false,
        }
    }
}

impl Behaviour {
    /// Until when people are in the room; `None`: nobody is.
    pub(super) fn busy_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let busy = self.busy.iter().find(|(from, until)| *from <= now && now < *until);
        busy.map(|(_, until)| *until)
    }
}
