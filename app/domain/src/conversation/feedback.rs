//! The words of a device about an action, as the protocol has them (`docs/devices.md` 1).
//!
//! Only the words are here. What they mean is said in `hear.rs`.

use serde::{Deserialize, Serialize};

/// `execution` of a feedback (`docs/devices.md` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Execution {
    /// The device says that it is done, one way or the other.
    Closed,
    /// It works on it.
    Proceeding,
    /// It has put it on its own schedule.
    Scheduled,
    /// It goes on after a break.
    Resumed,
    Download,
    Downloaded,
    /// It objects; a warning in the history.
    Rejected,
    /// It acknowledges a cancel.
    Canceled,
}

impl Execution {
    /// Every word of the protocol.
    pub const ALL: [Self; 8] = [
        Self::Closed,
        Self::Proceeding,
        Self::Scheduled,
        Self::Resumed,
        Self::Download,
        Self::Downloaded,
        Self::Rejected,
        Self::Canceled,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Proceeding => "proceeding",
            Self::Scheduled => "scheduled",
            Self::Resumed => "resumed",
            Self::Download => "download",
            Self::Downloaded => "downloaded",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
        }
    }

    /// The execution of a word on the wire.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|execution| execution.as_str() == word)
    }
}

/// `result.finished` of a feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finished {
    /// It worked.
    Success,
    /// It did not.
    Failure,
    /// Nothing to say yet; with `closed` it counts as success.
    None,
}

impl Finished {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::None => "none",
        }
    }

    /// The result of a word on the wire.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Success, Self::Failure, Self::None]
            .into_iter()
            .find(|finished| finished.as_str() == word)
    }
}

/// What a device says about an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// What it does.
    pub execution: Execution,
    /// What came of it.
    pub finished: Finished,
    /// In its own words.
    pub details: Vec<String>,
}
