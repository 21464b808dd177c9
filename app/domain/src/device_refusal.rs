//! Devices that do not take an update this time, for reasons of their own (S17).

use serde::{Deserialize, Serialize};

/// Why a device did not take an update this time (S17). It has not failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceRefusal {
    /// Somebody uses it.
    Busy,
    /// Another installer runs.
    Installer,
    /// It has not enough power.
    Power,
    /// A restart is pending.
    Restart,
}

impl DeviceRefusal {
    /// What a first detail says, where it begins with one of the words that devices have for it (`docs/devices.md` 1).
    #[must_use]
    pub fn of_detail(detail: &str) -> Option<Self> {
        let word = detail.trim_start().strip_prefix("refused:")?;
        let words = [
            ("busy", Self::Busy),
            ("installer", Self::Installer),
            ("power", Self::Power),
            ("restart", Self::Restart),
        ];
        let known = words.into_iter().find(|(known, _)| word.starts_with(known))?;
        Some(known.1)
    }
}
