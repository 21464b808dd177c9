//! [`AppError`]: the only error that crosses the wire. It tells people what is wrong and nothing about the inside.

use leptos::prelude::*;
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// Why a page or an action could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum AppError {
    /// A field breaks a limit.
    #[error("{}: {problem}", field.replace('_', " "))]
    Invalid {
        /// Which.
        field: String,
        /// How, in one sentence.
        problem: String,
    },
    /// It is not there (any more).
    #[error("{what} was not found")]
    NotFound {
        /// What was looked for: `This room`.
        what: String,
    },
    /// Somebody else was faster, or it stands differently by now.
    #[error("{problem}")]
    Conflict {
        /// What stands in the way.
        problem: String,
    },
    /// Whoever asks may not.
    #[error("{problem}")]
    Forbidden {
        /// What they may not do, in one sentence.
        problem: String,
    },
    /// Nobody is signed in, or not any more.
    #[error("You are not signed in any more.")]
    SignedOut,
    /// The database is away; trying again helps once it is back.
    #[error("Nightshift cannot reach its database. Try again; if that does not help, tell whoever runs Nightshift.")]
    Unavailable,
    /// A fault of ours; the log has it under this number.
    #[error("Something went wrong. Fault {incident} in the log says what.")]
    Internal {
        /// To find it in the log.
        incident: String,
    },
    /// The request never arrived, or its answer could not be read.
    #[error("The server did not answer: {problem}")]
    Network {
        /// What the transport said.
        problem: String,
    },
}

impl AppError {
    /// The status of an answer that says this.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::SignedOut => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::Invalid { .. } => 422,
            // On the server: the arguments could not be read.
            Self::Network { .. } => 400,
            Self::Internal { .. } => 500,
            Self::Unavailable => 503,
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Network {
            problem: error.to_string(),
        }
    }
}
