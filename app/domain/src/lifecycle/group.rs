//! Groups of versions by how long they are supported, and which of a room's versions of one product counts (L5).
//!
//! Start with [`SupportGroup::of`] and [`SupportOrder`].

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Support, SupportState};

/// Days before its end from which on support counts as ending; fixed (L5).
pub const ENDING_DAYS: i64 = 60;

/// How long something is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupportGroup {
    Unsupported,
    /// Within [`ENDING_DAYS`].
    Ending,
    Supported,
    /// Nobody knows the version, or when it was released.
    Unknown,
}

impl SupportGroup {
    /// Every group, as pages show them.
    pub const ALL: [Self; 4] = [Self::Unsupported, Self::Ending, Self::Supported, Self::Unknown];

    /// The word in addresses and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Ending => "ending",
            Self::Supported => "supported",
            Self::Unknown => "unknown",
        }
    }

    /// The group of a word that [`SupportGroup::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == word)
    }

    /// The group of a version on `date`.
    #[must_use]
    pub fn of(support: Option<&Support>, date: NaiveDate) -> Self {
        let Some(support) = support else { return Self::Unknown };
        match support.state() {
            SupportState::Unknown => Self::Unknown,
            SupportState::Unsupported => Self::Unsupported,
            SupportState::Supported => match support.last_day {
                Some(last) if (last - date).num_days() <= ENDING_DAYS => Self::Ending,
                Some(_) | None => Self::Supported,
            },
        }
    }

    /// Whether a room counts for `self` and not for `other`, if it has versions of both.
    #[must_use]
    pub fn is_worse_than(self, other: Self) -> bool {
        self.rank() < other.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::Unsupported => 0,
            Self::Ending => 1,
            Self::Unknown => 2,
            Self::Supported => 3,
        }
    }
}

/// Which version counts in a room that has several of one product: the smallest one, so that a room counts once (L5).
///
/// What has ended or ends first counts, as it does for the room's ticket (L4) and for the order of its updates (S7). A version that nobody
/// knows hides no end that is known; but a room is supported only if all its versions are known to be. The newest, which has no end, comes
/// last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SupportOrder {
    rank: u8,
    last_day: NaiveDate,
}

impl SupportOrder {
    /// The place of a version on `date`.
    #[must_use]
    pub fn of(support: Option<&Support>, date: NaiveDate) -> Self {
        let last_day = support.and_then(|support| support.last_day);
        Self {
            rank: SupportGroup::of(support, date).rank(),
            last_day: last_day.unwrap_or(NaiveDate::MAX),
        }
    }
}
