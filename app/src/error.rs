//! [`AppError`]: the only error that crosses the wire. It tells people what is wrong and nothing about the inside.

use std::borrow::Cow;

use leptos::prelude::*;
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// Why a page or an action could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
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
    /// A fault of ours; the log has it under this id.
    #[error("Something went wrong. Fault {fault_id} in the log says what.")]
    Internal {
        /// To find it in the log.
        fault_id: String,
    },
    /// The request never arrived, or its answer could not be read.
    #[error("The server did not answer: {problem}")]
    Network {
        /// What the transport said.
        problem: String,
    },
}

impl AppError {
    /// A field breaks a limit; `problem` says how in one sentence.
    #[must_use]
    pub fn invalid(field: &str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            problem: problem.into(),
        }
    }

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

/// A refusal of the service as pages, forms and files say it; faults of ours are logged here, once. Forms that are sent without a script
/// to the server's own routes are answered by `server/src/access/mod.rs: status_and_sentence`.
#[cfg(feature = "ssr")]
impl From<service::ServiceError> for AppError {
    fn from(error: service::ServiceError) -> Self {
        use service::ServiceError;
        match error {
            ServiceError::Invalid { field, problem } => Self::Invalid {
                field: field.to_owned(),
                problem,
            },
            ServiceError::NotFound { what } => Self::NotFound { what },
            ServiceError::Conflict { problem } => Self::Conflict { problem },
            ServiceError::Forbidden { problem } => Self::Forbidden { problem },
            error if error.is_unavailable() => Self::Unavailable,
            error => {
                let fault_id = fault_id();
                service::log_fault(&fault_id, &error);
                Self::Internal { fault_id }
            }
        }
    }
}

/// The id under which the log has a fault of ours: unique in this process.
#[cfg(feature = "ssr")]
fn fault_id() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(
        "{:04X}-{:04X}",
        std::process::id() & 0xffff,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// An [`AppError`] as one flat object: `{"error": "invalid", "field": "name", "problem": "…"}`. The browser loads one reader for it in
/// place of one for each kind.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire {
    error: Cow<'static, str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    what: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    fault_id: String,
}

impl From<AppError> for Wire {
    fn from(error: AppError) -> Self {
        let kind = |kind| Self {
            error: Cow::Borrowed(kind),
            ..Self::default()
        };
        match error {
            AppError::Invalid { field, problem } => Self {
                field,
                problem,
                ..kind("invalid")
            },
            AppError::NotFound { what } => Self {
                what,
                ..kind("not_found")
            },
            AppError::Conflict { problem } => Self {
                problem,
                ..kind("conflict")
            },
            AppError::Forbidden { problem } => Self {
                problem,
                ..kind("forbidden")
            },
            AppError::SignedOut => kind("signed_out"),
            AppError::Unavailable => kind("unavailable"),
            AppError::Internal { fault_id } => Self {
                fault_id,
                ..kind("internal")
            },
            AppError::Network { problem } => Self {
                problem,
                ..kind("network")
            },
        }
    }
}

impl From<Wire> for AppError {
    fn from(wire: Wire) -> Self {
        let Wire {
            error,
            field,
            problem,
            what,
            fault_id,
        } = wire;
        match &*error {
            "invalid" => Self::Invalid { field, problem },
            "not_found" => Self::NotFound { what },
            "conflict" => Self::Conflict { problem },
            "forbidden" => Self::Forbidden { problem },
            "signed_out" => Self::SignedOut,
            "unavailable" => Self::Unavailable,
            "internal" => Self::Internal { fault_id },
            "network" => Self::Network { problem },
            unknown => Self::Network {
                problem: format!("it said {unknown:?}"),
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_comes_through_the_wire() {
        let text = |text: &str| text.to_owned();
        let errors = [
            AppError::Invalid {
                field: text("name"),
                problem: text("at most 60 characters"),
            },
            AppError::NotFound {
                what: text("This room"),
            },
            AppError::Conflict {
                problem: text("Somebody was faster."),
            },
            AppError::Forbidden {
                problem: text("Auditors change nothing."),
            },
            AppError::SignedOut,
            AppError::Unavailable,
            AppError::Internal { fault_id: text("4f") },
            AppError::Network {
                problem: text("it hung up"),
            },
        ];
        for error in errors {
            let wire = serde_json::to_string(&error).expect("JSON");
            assert_eq!(
                serde_json::from_str::<AppError>(&wire).expect("an error"),
                error,
                "{wire}"
            );
        }
        assert_eq!(
            serde_json::to_string(&AppError::SignedOut).expect("JSON"),
            r#"{"error":"signed_out"}"#
        );
    }
}
