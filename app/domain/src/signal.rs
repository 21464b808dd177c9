//! Signals: whether a room works now, as its devices say (I4, `docs/devices.md` 4).
//!
//! How a bad one becomes a ticket stands in `readiness::decide`. Start with [`Signal`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
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

/// Since when each signal is bad, after a report at `now`. One that was bad before stays bad since then.
#[must_use]
pub fn bad_since(
    attributes: &BTreeMap<String, String>,
    before: &BTreeMap<Signal, DateTime<Utc>>,
    now: DateTime<Utc>,
) -> BTreeMap<Signal, DateTime<Utc>> {
    let signals = attributes.iter().filter_map(|(name, value)| {
        let signal = Signal::of_attribute(name)?;
        let is_bad = SignalLevel::of_value(value) == Some(SignalLevel::Bad);
        is_bad.then(|| (signal, before.get(&signal).copied().unwrap_or(now)))
    });
    signals.collect()
}

/// The device's own words in a value such as `bad: no picture`; empty: it has none.
#[must_use]
pub fn words(value: &str) -> &str {
    value.split_once(':').map_or("", |(_, words)| words.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_bad_since_it_was_first_said_to_be_i4() {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).expect("an instant");
        let told = |value: &str| BTreeMap::from([("signal.camera".to_owned(), value.to_owned())]);
        let first = bad_since(&told("bad: no picture"), &BTreeMap::new(), at(1));
        assert_eq!(first, BTreeMap::from([(Signal::Camera, at(1))]));
        assert_eq!(bad_since(&told("bad"), &first, at(5)), first, "the same again");
        assert!(bad_since(&told("warn: dim"), &first, at(6)).is_empty());
        assert_eq!(words("bad: no picture: at all"), "no picture: at all");
        assert_eq!(words("bad"), "");
    }
}
