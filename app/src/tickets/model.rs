//! Tickets: their list, one of them, and the form of an issue (P7, I1–I4).

use domain::ids::{RoomId, UpdateId};
use domain::ticket::{TicketSeverity, TicketStatus};
use serde::{Deserialize, Serialize};

use crate::components::model::{HistoryRow, Pager, TimeText};

/// A row of a list of tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRow {
    pub number: i64,
    pub title: String,
    /// The rooms, in words: `Cuttle`, or `Cuttle and 2 more`.
    pub rooms: String,
    /// How bad.
    pub severity: TicketSeverity,
    /// Where it stands.
    pub state: TicketStatus,
    /// Opened by a person or a rule.
    pub opened_by: String,
    /// When it was opened.
    pub opened: TimeText,
}

/// The list of tickets (P7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsView {
    pub rows: Vec<TicketRow>,
    /// Pages.
    pub pager: Pager,
}

/// Filters of the list of tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TicketsQuery {
    /// Words in the title.
    pub q: String,
    /// A state; empty: all that are not resolved; `all`: all.
    pub state: String,
    /// A severity; empty: all.
    pub severity: String,
    /// Page, from 1.
    pub page: u32,
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// The row's facts.
    pub row: TicketRow,
    pub description: String,
    pub category: String,
    /// Assignee, if any.
    pub assignee: Option<String>,
    /// Its rooms: identity, name, site.
    pub rooms: Vec<(RoomId, String, String)>,
    pub update: Option<(UpdateId, String)>,
    /// Its history, newest first.
    pub history: Vec<HistoryRow>,
    /// It opened by itself, and resolves itself (I3).
    pub is_automatic: bool,
    /// It keeps people from working.
    pub high_impact: bool,
    /// `Suppressed until the end of Tue 3 Dec: …`, while it is.
    pub suppressed: Option<String>,
    /// The category of its cause, once it is resolved.
    pub resolution: Option<String>,
    /// What whoever looks may do with it; `None`: nothing.
    pub choices: Option<TicketChoices>,
}

/// What people who work on tickets choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketChoices {
    /// Whom it can be given to.
    pub assignees: Vec<String>,
    /// What a cause may be.
    pub categories: Vec<String>,
    /// The last day until which it can be suppressed: `2026-11-25`.
    pub last_day: String,
}

/// What an issue is about, before it is recorded (I2, K2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IssueAbout {
    /// A room's id; empty: none yet.
    pub room: String,
    /// An update's id; empty: none.
    pub update: String,
    /// The update has just been paused: the issue may be left out, with a reason.
    pub paused: bool,
}

/// The form of an issue, filled in as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueDraft {
    pub title: String,
    /// What happened.
    pub description: String,
    /// Rooms, one a line.
    pub rooms: String,
    /// Its update: (id, title).
    pub update: Option<(UpdateId, String)>,
    /// What it may be about.
    pub categories: Vec<String>,
    /// The update has just been paused.
    pub paused: bool,
}
