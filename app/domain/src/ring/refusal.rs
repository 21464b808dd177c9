//! Why rings cannot be as somebody wants them, as data.
//!
//! No sentence stands here: [`crate::text`] makes them.

use serde::{Deserialize, Serialize};

use super::RingKind;
use crate::refusal::RefusalKind;

/// Why rings cannot be as somebody wants them. `text::ring` makes the sentences; as an error it says its field and the limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RingRefusal {
    /// R4.
    NameMissing,
    /// R4.
    NameTooLong {
        /// Characters given.
        length: usize,
    },
    /// R4.
    NameTaken {
        /// The name as the other ring writes it.
        holder: String,
    },
    /// R4.
    DescriptionTooLong {
        /// Characters given.
        length: usize,
    },
    /// R2.
    Order {
        /// What was typed.
        given: String,
    },
    /// R2.
    OrderMissing,
    /// R2.
    OrderTaken {
        /// The order wanted.
        order: u8,
        /// The ring that has it.
        holder: String,
    },
    /// R4.
    NoRolloutDays,
    /// R8, R9.
    TooLong {
        /// Rollout + test of the ring.
        wanted: u32,
        /// What the other rings leave.
        remaining: u32,
    },
    /// R1.
    Preconfigured {
        /// The ring.
        name: String,
    },
    /// Rings from a file or a database: a preconfigured ring is missing, or there are several of it.
    NotOne {
        /// Which ring.
        kind: RingKind,
        /// How many there are.
        number: usize,
    },
    /// Rings from a file or a database: only Staging is first, and only Executive last.
    OutOfPlace {
        /// The ring.
        name: String,
    },
    /// The ring is not there (any more).
    Unknown,
}

impl RingRefusal {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::NameMissing | Self::NameTooLong { .. } | Self::NameTaken { .. } => RefusalKind::Field("name"),
            Self::DescriptionTooLong { .. } => RefusalKind::Field("description"),
            Self::Order { .. } | Self::OrderMissing | Self::OrderTaken { .. } => RefusalKind::Field("order"),
            Self::NoRolloutDays | Self::TooLong { .. } => RefusalKind::Field("rollout duration"),
            Self::NotOne { .. } | Self::OutOfPlace { .. } => RefusalKind::Field("rings"),
            Self::Preconfigured { .. } => RefusalKind::Conflict,
            Self::Unknown => RefusalKind::Missing,
        }
    }
}

impl std::error::Error for RingRefusal {}
