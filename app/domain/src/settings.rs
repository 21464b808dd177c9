//! What an organisation has set (SPEC: a number in a row is the default of a setting unless the row says *fixed*).

use chrono::{NaiveTime, Timelike, Weekday};
use serde::{Deserialize, Serialize};

use crate::halt::{HaltLimit, HaltRule};
use crate::lifecycle::CountingRule;
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
    /// Hours in which the inventory must confirm an install (`docs/devices.md` 2.13).
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
    /// What counts as newer when support of a version ends (L3).
    pub support_rule: CountingRule,
    /// Hours for which facts count, 30 to 336; older ones make a check unknown (C7).
    pub facts_count_hours: u32,
    /// Minutes without a check-in of any device, after which a room is unmonitored, 5 to 2,880; no fewer than between two polls (I4).
    pub unmonitored_minutes: u32,
    /// Minutes for which a signal is bad before it opens a ticket (I4).
    pub bad_signal_minutes: u32,
    /// After so many fall-backs within [`Settings::fall_back_days`] a room waits for a person, 1 to 20 (S16).
    pub fall_back_times: u32,
    /// Days for which a fall-back counts, 1 to 366 (S16).
    pub fall_back_days: u32,
    /// So often a room waits for its next window because a device did not take an update, 0 to 30 (S17).
    pub refused_windows: u32,
    /// When a rollout is paused by rule (K7).
    pub halt: HaltRule,
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
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::RingValidated, Self::Automatic];

    /// The word in forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RingValidated => "ring_validated",
            Self::Automatic => "automatic",
        }
    }

    /// The mode of a word that [`Mode::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

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
            support_rule: CountingRule::Releases,
            facts_count_hours: 48,
            unmonitored_minutes: 30,
            bad_signal_minutes: 10,
            fall_back_times: 3,
            fall_back_days: 30,
            refused_windows: 3,
            halt: HaltRule::default(),
        }
    }
}

/// Why settings cannot be as somebody wants them. `text::refusal` makes the sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingRefusal {
    /// A number of the halt rule is not within its limits (K7).
    Halt(HaltLimit),
    /// A number is not within its limits.
    OutOfRange {
        /// Which: the name of the field of [`Settings`].
        field: &'static str,
        /// The number that is wanted.
        value: u32,
        /// The smallest that it may be.
        least: u32,
        /// The largest that it may be.
        most: u32,
    },
    /// The window would end on the next date; it belongs to one (W1).
    WindowPastMidnight {
        /// Its length.
        minutes: u32,
        /// When it opens on the wall clock.
        opens: NaiveTime,
    },
    /// A device that polls as it is told would be out of contact meanwhile (I4).
    UnmonitoredBetweenPolls {
        /// After how long a room is to be unmonitored.
        minutes: u32,
        /// How long a device may be told to wait, rounded up.
        waits: u32,
    },
}

impl SettingRefusal {
    /// The field of [`Settings`] that is to be changed.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } => field,
            Self::Halt(limit) => limit.field,
            Self::WindowPastMidnight { .. } => "window_minutes",
            Self::UnmonitoredBetweenPolls { .. } => "unmonitored_minutes",
        }
    }
}

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// The longest that a device may be told to wait, in seconds: 24:00:00 is no time of a day.
pub const MOST_POLL_SECONDS: u32 = 86_399;

/// Devices are asked for their facts once a night: facts must count for longer than from one night to the next (C5, C7).
const LEAST_FACTS_HOURS: u32 = 30;

impl Settings {
    /// Whether each number is within its limits, the window within its date (W1), and no room unmonitored between two polls (I4).
    ///
    /// # Errors
    /// The first field that is not.
    pub fn check(&self) -> Result<(), SettingRefusal> {
        let limits = [
            ("window_minutes", self.window_minutes, 60, DAY),
            ("unreachable_after_windows", self.unreachable_after_windows, 1, 30),
            ("silent_factor", self.silent_factor, 1, 20),
            ("silent_least_minutes", self.silent_least_minutes, 10, DAY),
            ("confirm_within_hours", self.confirm_within_hours, 1, 14 * 24),
            ("prepare_minutes", self.prepare_minutes, 0, DAY / 2),
            ("poll_seconds", self.poll_seconds, 5, MOST_POLL_SECONDS),
            ("automatic_days", self.automatic_days, 1, 60),
            ("crowded_after_windows", self.crowded_after_windows, 1, 30),
            ("facts_count_hours", self.facts_count_hours, LEAST_FACTS_HOURS, 14 * 24),
            ("unmonitored_minutes", self.unmonitored_minutes, 5, 2 * DAY),
            ("bad_signal_minutes", self.bad_signal_minutes, 0, DAY),
            ("fall_back_times", self.fall_back_times, 1, 20),
            ("fall_back_days", self.fall_back_days, 1, 366),
            ("refused_windows", self.refused_windows, 0, 30),
        ];
        for (field, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                return Err(SettingRefusal::OutOfRange {
                    field,
                    value,
                    least,
                    most,
                });
            }
        }
        self.halt.check().map_err(SettingRefusal::Halt)?;
        let opens = self.window_opens.num_seconds_from_midnight() / 60;
        if opens + self.window_minutes > DAY {
            return Err(SettingRefusal::WindowPastMidnight {
                minutes: self.window_minutes,
                opens: self.window_opens,
            });
        }
        let waits = self.longest_wait().div_ceil(60);
        if self.unmonitored_minutes < waits {
            return Err(SettingRefusal::UnmonitoredBetweenPolls {
                minutes: self.unmonitored_minutes,
                waits,
            });
        }
        Ok(())
    }
}

impl Settings {
    /// The longest that an idle device is told to wait, in seconds: each device's share of a tenth more or less is its own.
    fn longest_wait(&self) -> u32 {
        self.poll_seconds
            .saturating_add(self.poll_seconds / 10)
            .min(MOST_POLL_SECONDS)
    }

    /// For how long facts count (C7).
    #[must_use]
    pub fn facts_count(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::hours(self.facts_count_hours.into())
    }

    /// How long a signal is bad before it opens a ticket (I4).
    #[must_use]
    pub fn bad_signal_after(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::minutes(self.bad_signal_minutes.into())
    }

    /// How long a room is out of contact before it is unmonitored (I4).
    #[must_use]
    pub fn unmonitored_after(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::minutes(self.unmonitored_minutes.into())
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

    /// When a room is prepared for a window: see [`Settings::prepare_minutes`].
    #[must_use]
    pub fn prepares_at(&self, window: &crate::window::Window) -> chrono::DateTime<chrono::Utc> {
        window.opens - chrono::TimeDelta::minutes(self.prepare_minutes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_limits_and_a_window_its_date_w1_g5() {
        let good = Settings::default();
        assert_eq!(good.check(), Ok(()));
        let late = NaiveTime::from_hms_opt(20, 0, 0).expect("a time");
        let whole_day = Settings {
            window_minutes: DAY,
            ..good.clone()
        };
        assert_eq!(whole_day.check(), Ok(()));
        for (settings, field) in [
            (
                Settings {
                    window_minutes: 59,
                    ..good.clone()
                },
                "window_minutes",
            ),
            (
                Settings {
                    window_opens: late,
                    ..good.clone()
                },
                "window_minutes",
            ),
            (
                Settings {
                    unreachable_after_windows: 0,
                    ..good.clone()
                },
                "unreachable_after_windows",
            ),
            (
                Settings {
                    silent_factor: 21,
                    ..good.clone()
                },
                "silent_factor",
            ),
            (
                Settings {
                    silent_least_minutes: 9,
                    ..good.clone()
                },
                "silent_least_minutes",
            ),
            (
                Settings {
                    confirm_within_hours: 0,
                    ..good.clone()
                },
                "confirm_within_hours",
            ),
            (
                Settings {
                    prepare_minutes: 721,
                    ..good.clone()
                },
                "prepare_minutes",
            ),
            (
                Settings {
                    poll_seconds: 4,
                    ..good.clone()
                },
                "poll_seconds",
            ),
            (
                Settings {
                    automatic_days: 61,
                    ..good.clone()
                },
                "automatic_days",
            ),
            (
                Settings {
                    crowded_after_windows: 0,
                    ..good.clone()
                },
                "crowded_after_windows",
            ),
            (
                Settings {
                    facts_count_hours: 29,
                    ..good.clone()
                },
                "facts_count_hours",
            ),
            (
                Settings {
                    bad_signal_minutes: 1_441,
                    ..good.clone()
                },
                "bad_signal_minutes",
            ),
            (
                Settings {
                    unmonitored_minutes: 2_881,
                    ..good
                },
                "unmonitored_minutes",
            ),
        ] {
            assert_eq!(settings.check().map_err(|refused| refused.field()), Err(field));
        }
    }

    #[test]
    fn no_room_is_unmonitored_while_its_device_waits_as_it_was_told_i4() {
        let with = |poll_seconds, unmonitored_minutes| Settings {
            poll_seconds,
            unmonitored_minutes,
            ..Settings::default()
        };
        // A tenth more than an hour.
        assert_eq!(with(3_600, 66).check(), Ok(()));
        let refused = SettingRefusal::UnmonitoredBetweenPolls { minutes: 65, waits: 66 };
        assert_eq!(with(3_600, 65).check(), Err(refused));
        assert_eq!(with(86_399, 1_585).check(), Ok(()));
    }

    #[test]
    fn modes_have_words() {
        for mode in Mode::ALL {
            assert_eq!(Mode::from_word(mode.as_str()), Some(mode));
        }
        assert_eq!(Mode::from_word("manual"), None);
    }
}
