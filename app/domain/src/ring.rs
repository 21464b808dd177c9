//! Rings: the ordered groups of rooms that an update passes through (SPEC R1–R9).
//!
//! [`RingSequence`] is the only holder of rings. What it holds is always in rollout order, with distinct orders, with the three
//! preconfigured rings, and of at most 60 planned days; whoever wants other rings asks it for a changed copy and gets that or a
//! [`RingRefusal`]. The form in the browser, the server and the planner all call this code.

mod place;
mod refusal;
mod sequence;

use serde::{Deserialize, Serialize};

use crate::ids::RingId;

pub use place::{RingOrder, RingPlace};
pub use refusal::RingRefusal;
pub use sequence::RingSequence;

/// *Fixed:* no plan is longer than this many days (R8).
pub const MOST_TOTAL_DAYS: u32 = 60;

/// The longest name of a ring, in characters (R4).
pub const LONGEST_NAME: usize = 60;

/// The longest description of a ring, in characters.
pub const LONGEST_DESCRIPTION: usize = 500;

/// Whether a ring came with the product (R1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingKind {
    /// The first ring.
    Staging,
    /// The ring of every room that is in no other.
    General,
    /// The last ring.
    Executive,
    /// Added by an admin.
    Custom,
}

impl RingKind {
    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::General => "general",
            Self::Executive => "executive",
            Self::Custom => "custom",
        }
    }

    /// The kind of a word that [`RingKind::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Staging, Self::General, Self::Executive, Self::Custom]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// One ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// Identity.
    pub id: RingId,
    /// Preconfigured or custom.
    pub kind: RingKind,
    /// Trimmed, 1 to 60 characters, unique without regard to case (R4).
    pub name: String,
    /// Optional, at most 500 characters.
    pub description: String,
    /// Where it stands.
    pub place: RingPlace,
    /// How long its rooms are spread, in days, at least 1.
    pub rollout_days: u32,
    /// How long it is watched afterwards, in days, at least 0.
    pub test_days: u32,
}

impl Ring {
    /// Completion time = rollout duration + test period (R5). Numbers that no plan holds stay beyond every limit.
    #[must_use]
    pub fn completion_days(&self) -> u32 {
        self.rollout_days.saturating_add(self.test_days)
    }
}

/// What an admin types for a ring; not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingDraft {
    /// See [`Ring::name`].
    pub name: String,
    /// See [`Ring::description`].
    pub description: String,
    /// For General and custom rings; ignored for the pinned ones.
    pub order: Option<RingOrder>,
    /// Whole days, at least 1.
    pub rollout_days: u32,
    /// Whole days.
    pub test_days: u32,
}

/// What makes two names the same: letter case and outer blanks do not count (R4).
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}
