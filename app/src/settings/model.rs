//! What the organisation has set.

use serde::{Deserialize, Serialize};

/// Settings, as their form has them and sends them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsFields {
    /// As what they were read: who is slower is told.
    pub seen: String,
    /// The organisation's name.
    pub name: String,
    /// Its IANA zone.
    pub zone: String,
    /// `Wed`.
    pub start_weekday: String,
    /// `00:00`.
    pub window_opens: String,
    pub window_minutes: String,
    /// A mode's word.
    pub mode: String,
    pub automatic_days: String,
    /// `true`: on.
    pub starvation_guard: String,
    pub unreachable_after_windows: String,
    /// Times the expected minutes.
    pub silent_factor: String,
    pub silent_least_minutes: String,
    pub confirm_within_hours: String,
    pub crowded_after_windows: String,
    pub poll_seconds: String,
    pub prepare_minutes: String,
    /// A counting rule's word (L3).
    pub support_rule: String,
    pub facts_count_hours: String,
    pub unmonitored_minutes: String,
    pub bad_signal_minutes: String,
    /// Of the halt rule (K7): empty switches a number off.
    pub failed_rooms: String,
    pub failed_percent: String,
    pub attempted_percent: String,
    pub attempted_at_least: String,
    pub first_ring_one: String,
    pub refused_windows: String,
    pub fall_back_times: String,
    pub fall_back_days: String,
}

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// What is set.
    pub fields: SettingsFields,
    /// The release of the zone rules in use (W3).
    pub tzdb: String,
    /// Zones that a list offers while a zone is typed.
    pub zones: Vec<String>,
    /// Whether whoever looks may change them.
    pub may_change: bool,
}
