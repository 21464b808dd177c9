//! Tickets: what a person must look at (SPEC 7, K1).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, ProductId, RoomId, UpdateId};
use crate::readiness::Check;
use crate::reason::Reason;
use crate::signal::Signal;

/// How bad it is (I1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketSeverity {
    /// The room cannot be used.
    Critical,
    /// Something does not work.
    Important,
    /// Something will not work for long.
    Warning,
    /// Something could be better.
    Recommendation,
}

impl TicketSeverity {
    /// Every severity, worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Important, Self::Warning, Self::Recommendation];

    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Important => "important",
            Self::Warning => "warning",
            Self::Recommendation => "recommendation",
        }
    }

    /// The severity of a word that [`TicketSeverity::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }

    /// The word on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::Important => "Important",
            Self::Warning => "Warning",
            Self::Recommendation => "Recommendation",
        }
    }
}

/// Where a ticket stands, in the words of rows, files and screens (I1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// Nobody has looked.
    NeedsAction,
    /// Somebody is looking.
    Investigating,
    /// Done.
    Resolved,
}

impl TicketStatus {
    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeedsAction => "needs_action",
            Self::Investigating => "investigating",
            Self::Resolved => "resolved",
        }
    }

    /// The state of a word that [`TicketStatus::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::NeedsAction, Self::Investigating, Self::Resolved]
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NeedsAction => "Needs action",
            Self::Investigating => "Investigating",
            Self::Resolved => "Resolved",
        }
    }
}

/// Where a ticket stands, with what is known of it (I1, I3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum TicketState {
    /// Nobody has looked.
    NeedsAction,
    /// Somebody is looking.
    Investigating,
    /// Done.
    Resolved {
        /// When.
        at: DateTime<Utc>,
        /// What kind of cause was found. One that has resolved itself has none.
        category: Option<String>,
    },
}

impl TicketState {
    /// The word for it.
    #[must_use]
    pub fn status(&self) -> TicketStatus {
        match self {
            Self::NeedsAction => TicketStatus::NeedsAction,
            Self::Investigating => TicketStatus::Investigating,
            Self::Resolved { .. } => TicketStatus::Resolved,
        }
    }

    /// When it was resolved, if it is.
    #[must_use]
    pub fn resolved_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Resolved { at, .. } => Some(*at),
            Self::NeedsAction | Self::Investigating => None,
        }
    }

    /// What kind of cause was found, if it is resolved and somebody has said so.
    #[must_use]
    pub fn resolution(&self) -> Option<&str> {
        match self {
            Self::Resolved { category, .. } => category.as_deref(),
            Self::NeedsAction | Self::Investigating => None,
        }
    }
}

/// A ticket is nobody's concern for a while (I3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The instant at which that is over: the end of a day of the organisation.
    pub until: DateTime<Utc>,
    /// Why, as somebody wrote it.
    pub reason: String,
}

/// The ticket that deployments open by themselves: one per room and update (K1, S7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureTicket {
    /// Where it failed.
    pub room: RoomId,
    /// What failed.
    pub update: UpdateId,
    /// Resolved when a later success has cleared it.
    pub state: TicketStatus,
    /// What went wrong each time, oldest first.
    pub failures: Vec<String>,
}

/// Who opens tickets and pauses rollouts by rule.
pub const OPENED_BY_RULE: &str = "Nightshift";

/// What a plan does to a failure ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketChange {
    /// Where.
    pub room: RoomId,
    /// Of what.
    pub update: UpdateId,
    /// What happened.
    pub event: TicketEvent,
}

/// See [`TicketChange`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEvent {
    /// Open the ticket, or add this failure to the one that there is.
    Failed {
        /// Which attempt failed.
        attempt: u32,
        /// Why.
        reason: Reason,
    },
    /// Open the ticket, or add this to it: other updates of the room have left no space (S7).
    NoSpace {
        /// In so many windows.
        windows: u32,
    },
    /// The cause is gone: it resolves the ticket, if there is one.
    Cleared(Reason),
}

/// Why a ticket of a room opens by itself, apart from failed updates. A room has at most one for each cause; it resolves itself when the
/// cause is gone (I3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketCause {
    /// A check that nothing remedies from afar fails (C2).
    Check(Check),
    /// A setting of this device could not be changed (C3).
    Setting(DeviceId),
    /// A version of this product is out of support (L4).
    Support(ProductId),
    /// This device says that something does not work.
    Signal(DeviceId, Signal),
}

impl TicketCause {
    /// What it is about, in the words of I1's categories.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self {
            Self::Check(_) | Self::Setting(_) => "Readiness",
            Self::Support(_) => "App version",
            Self::Signal(..) => "Room health",
        }
    }

    /// The cause of a word that [`TicketCause::word`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let (kind, rest) = word.split_once(':')?;
        let device = |text: &str| text.parse().ok().map(DeviceId);
        match kind {
            "check" => Check::from_word(rest).map(Self::Check),
            "setting" => device(rest).map(Self::Setting),
            "support" => ProductId::parse(rest).ok().map(Self::Support),
            "signal" => {
                let (id, signal) = rest.split_once(':')?;
                let signal = Signal::ALL.into_iter().find(|known| known.as_str() == signal)?;
                Some(Self::Signal(device(id)?, signal))
            }
            _ => None,
        }
    }

    /// Its word in rows; no two causes have the same.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Check(check) => format!("check:{}", check.as_str()),
            Self::Setting(device) => format!("setting:{device}"),
            Self::Support(product) => format!("support:{product}"),
            Self::Signal(device, signal) => format!("signal:{device}:{}", signal.as_str()),
        }
    }
}

/// The ticket of a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseTicket {
    pub severity: TicketSeverity,
    pub state: TicketStatus,
}

/// What happens to the ticket of a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseTicketChange {
    /// Where.
    pub room: RoomId,
    pub cause: TicketCause,
    /// What happened.
    pub event: CauseEvent,
}

/// See [`CauseTicketChange`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CauseEvent {
    /// Open the ticket, or give the open one this severity.
    Found {
        severity: TicketSeverity,
        /// Of a ticket that opens.
        title: String,
        /// In one sentence or two.
        what: String,
    },
    /// The cause is gone: it resolves the ticket, if there is one.
    Gone {
        /// In one sentence.
        what: String,
    },
}
