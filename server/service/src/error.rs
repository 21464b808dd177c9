//! What a use case can answer instead of a result.

use domain::refusal::{Refusal, RefusalKind};
use domain::ring::RingRefusal;
use domain::text::{refusal, ring};
use store::{Retryable, StoreError};

/// A use case's result.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

/// Why a use case did nothing. The texts of the first three are for people. Every use case may say that the database fails; their own docs
/// name only what else can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A field breaks a limit.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// How, in one sentence.
        problem: String,
    },
    /// It is not there (any more).
    #[error("{what} was not found")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// Something stands in the way.
    #[error("{problem}")]
    Conflict {
        /// What.
        problem: String,
    },
    /// Whoever asks may not.
    #[error("{problem}")]
    Forbidden {
        /// What they may not do, in one sentence.
        problem: String,
    },
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Hashing,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The artifact folder.
    #[error("the artifact folder failed")]
    Artifacts(#[source] object_store::Error),
    /// The machine has no randomness to give.
    #[error("no randomness to be had")]
    Random(#[source] getrandom::Error),
}

impl ServiceError {
    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }

    /// The database is away, or gave up for now: trying again helps.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unavailable(_) | StoreError::Conflict(_)))
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn conflict(problem: impl Into<String>) -> Self {
        Self::Conflict {
            problem: problem.into(),
        }
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        let problem = refusal::sentence(&refusal);
        match refusal.kind() {
            RefusalKind::Field(field) => Self::Invalid { field, problem },
            RefusalKind::Missing => Self::not_found(refusal::missing(&refusal)),
            RefusalKind::Conflict => Self::Conflict { problem },
        }
    }
}

impl From<RingRefusal> for ServiceError {
    fn from(refusal: RingRefusal) -> Self {
        let problem = ring::sentence(&refusal);
        match refusal.kind() {
            RefusalKind::Field(field) => Self::Invalid { field, problem },
            RefusalKind::Missing => Self::not_found("This ring"),
            RefusalKind::Conflict => Self::Conflict { problem },
        }
    }
}

impl Retryable for ServiceError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Invalid { .. }
            | Self::NotFound { .. }
            | Self::Conflict { .. }
            | Self::Forbidden { .. }
            | Self::Hashing
            | Self::Artifacts(_)
            | Self::Random(_) => false,
        }
    }
}
