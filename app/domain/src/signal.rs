//! Signals: whether a room works now, as its devices say (I4, `docs/devices.md` 4).
//!
//! How a bad one becomes a ticket stands in [`crate::health`]. Start with [`Signal`].

use serde::{Deserialize, Serialize};

/// What a device says of one part of its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The room app answers.
    App,
    /// The room's account is signed in.
    SignIn,
    Network,
    Camera,
    Microphone,
    Speaker,
    Display,
    Console,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 8] = [
        Self::App,
        Self::SignIn,
        Self::Network,
        Self::Camera,
        Self::Microphone,
        Self::Speaker,
        Self::Display,
        Self::Console,
    ];

    /// The word in attributes and rows: `signal.<word>`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::SignIn => "sign_in",
            Self::Network => "network",
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Display => "display",
            Self::Console => "console",
        }
    }

    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::App => "App",
            Self::SignIn => "Sign-in",
            Self::Network => "Network",
            Self::Camera => "Camera",
            Self::Microphone => "Microphone",
            Self::Speaker => "Speaker",
            Self::Display => "Display",
            Self::Console => "Console",
        }
    }

    /// The signal of an attribute such as `signal.camera`.
    #[must_use]
    pub fn of_attribute(attribute: &str) -> Option<Self> {
        let word = attribute.strip_prefix("signal.")?;
        Self::ALL.into_iter().find(|signal| signal.as_str() == word)
    }
}

/// How well it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalLevel {
    Ok,
    Warn,
    Bad,
}

impl SignalLevel {
    /// The level in a value such as `bad: no picture`.
    #[must_use]
    pub fn of_value(value: &str) -> Option<Self> {
        match value.split(':').next().unwrap_or_default().trim() {
            "ok" => Some(Self::Ok),
            "warn" => Some(Self::Warn),
            "bad" => Some(Self::Bad),
            _ => None,
        }
    }
}
