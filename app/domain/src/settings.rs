//! What an organisation has set (SPEC: a number in a row is the default of a setting unless the row says *fixed*).

use chrono::{NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::zone::Zone;

/// The organisation that this instance serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its name, as the top bar shows it.
    pub name: String,
    /// A rollout's days are days in this zone (W7).
    pub zone: Zone,
    /// Numbers that it may change.
    pub settings: Settings,
}

/// Numbers that an organisation may change; the defaults are SPEC's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Rollouts of routine updates start on this day (S3).
    pub start_weekday: Weekday,
    /// When a window opens on the wall clock (W1).
    pub window_opens: NaiveTime,
    /// Length of an ordinary window in minutes (W1).
    pub window_minutes: u32,
    /// Windows in which a device never showed up, after which its deployment has failed (W4).
    pub unreachable_after_windows: u32,
    /// A started device has failed as *silent* after this many times the expected minutes without a report (W5).
    pub silent_factor: u32,
    /// …but not before this many minutes (W5).
    pub silent_least_minutes: u32,
    /// Hours in which the inventory must confirm an install (`DDI.md` 2.13).
    pub confirm_within_hours: u32,
    /// Minutes before a window at which its room is prepared: facts are asked for, window-aware devices may prefetch.
    pub prepare_minutes: u32,
    /// How often an idle device polls, in seconds, 5 to 86 399.
    pub poll_seconds: u32,
    /// How updates that are published from now on go through the rooms (S12).
    pub mode: Mode,
    /// Rollout nights of the one implicit ring of Automatic mode, 1 to 60 (S12).
    pub automatic_days: u32,
    /// A superseded update that has finished its Staging test goes on until the newer one has caught up, ring by ring (S9).
    pub starvation_guard: bool,
    /// Windows without space for an update, after which its room gets a Warning ticket (S7).
    pub crowded_after_windows: u32,
}

/// How an update goes through the rooms (S12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Ring by ring.
    #[default]
    RingValidated,
    /// One implicit ring over all applicable rooms, without test days.
    Automatic,
}

impl Mode {
    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::RingValidated => "Ring validated",
            Self::Automatic => "Automatic",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start_weekday: Weekday::Wed,
            window_opens: NaiveTime::MIN,
            window_minutes: 300,
            unreachable_after_windows: 2,
            silent_factor: 3,
            silent_least_minutes: 60,
            confirm_within_hours: 24,
            prepare_minutes: 60,
            poll_seconds: 300,
            mode: Mode::RingValidated,
            automatic_days: 5,
            starvation_guard: true,
            crowded_after_windows: 3,
        }
    }
}

#[cfg(feature = "zones")]
impl Settings {
    /// The window on the wall clock (W1).
    #[must_use]
    pub fn window(&self) -> crate::window::WindowHours {
        crate::window::WindowHours {
            opens: self.window_opens,
            minutes: self.window_minutes,
        }
    }
}
