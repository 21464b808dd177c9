//! Values that more than one feature shows, and what stands around every page.
//!
//! Times are formatted on the server, because the browser has no zone rules and must render the same text ([`TimeText`]). Nothing here
//! decides anything; statuses and reasons come from the domain. What one feature shows is in that feature's `model`.

use domain::access::Role;
use serde::{Deserialize, Serialize};

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

/// Who is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    pub name: String,
    /// What they are here for.
    pub role: Role,
}

/// A ring where it is named: badge and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingView {
    pub name: String,
    /// S, 1 to 9, or E; A for the implicit ring of all rooms.
    pub badge: String,
    /// 0 to 10: the style class `ring-N`.
    pub scale: u8,
}
