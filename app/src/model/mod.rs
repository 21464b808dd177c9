//! What the pages show: values that the server functions return and the components take.
//!
//! Times are formatted on the server, because the browser has no zone rules and must render the same text ([`TimeText`]).
//! Nothing here decides anything; statuses and reasons come from the domain crate.

mod access;
mod audit;
mod estate;
mod portfolio;
mod rings;
mod rooms;
mod search;
mod settings;
mod tickets;
mod updates;

use domain::ids::AnnouncementId;
pub use domain::room::Health;
use serde::{Deserialize, Serialize};

pub use access::*;
pub use audit::*;
pub use estate::*;
pub use portfolio::*;
pub use rings::*;
pub use rooms::*;
pub use search::*;
pub use settings::*;
pub use tickets::*;
pub use updates::*;

/// An instant or a date as people read it, and as machines do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeText {
    /// `Wed 25 Nov, 01:12 (Berlin)`, or `Wed 25 Nov`.
    pub text: String,
    /// For `<time datetime>`: RFC 3339, or `2026-11-25`.
    pub machine: String,
}

/// What every page shows around its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellView {
    /// The organisation's name.
    pub organisation: String,
    /// Today in the organisation's zone: `Thu 24 Oct 2024`.
    pub today: String,
    /// Now on its clock: `10:00`.
    pub clock: TimeText,
    /// The zone's city.
    pub city: String,
    /// `Time zones: 2026e`.
    pub tzdb: String,
    /// The demo's bar, in the demo.
    pub demo: Option<DemoView>,
    /// Who is here.
    pub person: PersonView,
    /// What came of the form that was just sent without script.
    pub flash: Option<FlashMessage>,
}

impl FormSuccess {
    /// With nothing that is shown once.
    #[must_use]
    pub fn new(text: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            to: to.into(),
            one_time_secret: None,
        }
    }
}

/// What was done, and where the page goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormSuccess {
    /// What was done, in one sentence.
    pub text: String,
    /// An address of ours.
    pub to: String,
    /// What is shown this once and never again: a device's token.
    #[serde(default)]
    pub one_time_secret: Option<OneTimeSecret>,
}

/// Something that is shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeSecret {
    /// What it is for, in one sentence.
    pub why: String,
    /// Itself.
    pub secret: String,
}

/// What came of the form that was just sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlashMessage {
    /// Whether it was done.
    pub is_good: bool,
    /// In one sentence.
    pub text: String,
    /// What is shown with it, this once.
    #[serde(default)]
    pub one_time_secret: Option<OneTimeSecret>,
}

/// The demo's bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoView {
    /// `The clock runs at 3,600×.`, or `The clock stands still.`
    pub clock: String,
}

/// One page of a list. Some lists are paged by number and some by a row, so `previous` and `next` are whole query
/// strings, without the question mark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pager {
    /// `51–100 of 120 updates`; `120 rooms`, where pages have no number.
    pub text: String,
    /// Query string of the page before.
    pub previous: Option<String>,
    /// Query string of the page after.
    pub next: Option<String>,
}

/// A choice in a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// In the address.
    pub value: String,
    /// On screen.
    pub label: String,
}

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// When.
    pub at: TimeText,
    /// Where or what: a room's name, an update's title; empty where the page says it.
    pub about: String,
    /// What happened.
    pub text: String,
    /// A second line.
    pub detail: String,
    /// Something went wrong.
    pub bad: bool,
}

/// Home (P1), read side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HomeView {
    /// What needs attention: (sentence, address, bad).
    pub attention: Vec<(String, String, bool)>,
    /// Tonight by site: (site, window in local time, rooms).
    pub tonight: Vec<(String, String, i64)>,
    /// Per ring: (ring, days since it last received an update, the date).
    pub since: Vec<(RingView, Option<i64>, Option<TimeText>)>,
    /// Rooms by health: (health, rooms).
    pub health: Vec<(Health, i64)>,
    /// What is announced and not dismissed by whoever looks, newest first.
    pub announcements: Vec<AnnouncementView>,
    /// Whether whoever looks may announce something.
    pub may_announce: bool,
    /// Whether whoever looks has an account with which to dismiss anything.
    pub may_dismiss: bool,
}

/// Something that is announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementView {
    /// Identity.
    pub id: AnnouncementId,
    /// What, in a few words.
    pub title: String,
    /// More about it; may be empty.
    pub text: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: TimeText,
}
