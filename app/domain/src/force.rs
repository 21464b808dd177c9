//! How an update is forced (K5). `commands::force` decides which rooms may be forced.

use serde::{Deserialize, Serialize};

/// How an update is forced (K5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// With the device's next poll.
    Now,
    /// As soon as the room is free for long enough.
    WhenAvailable,
}

impl Force {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::WhenAvailable => "when_available",
        }
    }

    /// The force of a word that [`Force::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Now, Self::WhenAvailable]
            .into_iter()
            .find(|force| force.as_str() == word)
    }
}
