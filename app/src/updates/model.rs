//! Updates: the list, one of them, and what may be done to it (P2, P3, K1–K6).

use domain::ids::{RoomId, UpdateId};
use domain::status::{RingStatus, RoomStatus, UpdateStatus};
use domain::update::{ProductKind, Severity};
use serde::{Deserialize, Serialize};

use crate::components::model::{Choice, HistoryRow, Pager, RingView, TimeText};
use crate::tickets::model::TicketRow;

/// What may be done to an update (K2–K5, T9). The words are those of its dialog's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Pause it in all rings.
    Pause,
    Resume,
    /// Give its pause another end.
    ResumeDate,
    /// Retry all failed.
    Retry,
    Force,
    /// Acknowledge its failures.
    Acknowledge,
    /// End its rollout by hand.
    Deactivate,
}

impl Control {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Resume,
        Self::ResumeDate,
        Self::Pause,
        Self::Retry,
        Self::Force,
        Self::Acknowledge,
        Self::Deactivate,
    ];

    /// The word in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::ResumeDate => "resume-date",
            Self::Retry => "retry",
            Self::Force => "force",
            Self::Acknowledge => "acknowledge",
            Self::Deactivate => "deactivate",
        }
    }

    /// The one of a word that [`Control::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|control| control.as_str() == word)
    }

    /// The words on its button.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::ResumeDate => "Set resume date",
            Self::Retry => "Retry all failed",
            Self::Force => "Force updates",
            Self::Acknowledge => "Acknowledge",
            Self::Deactivate => "Deactivate",
        }
    }
}

/// What a dialog about an update says before the click: consequences in numbers and dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlView {
    /// The update.
    pub id: UpdateId,
    /// `Teams Rooms app 5.2.115.0`.
    pub title: String,
    /// What will happen, a paragraph each.
    pub sentences: Vec<String>,
    /// The date on which its pause ends by itself (K3), as a field of dates has it; empty: none.
    pub resumes_on: String,
    /// The words above the rooms.
    pub rooms_heading: String,
    /// Rooms that it is about, at most some.
    pub rooms: Vec<ControlRoom>,
    /// Rooms that are not named.
    pub more_rooms: i64,
    /// How many rooms it would change.
    pub count: i64,
    /// Rooms that it would change, at most some; with their rings.
    pub hit: Vec<ControlRoom>,
    /// What is known to go wrong with this version.
    pub known_issues: Vec<String>,
    /// Rooms that were chosen on the page; none: all of the update.
    pub chosen: Vec<RoomId>,
    /// Why it cannot be done now.
    pub refused: Option<String>,
}

/// A room in a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlRoom {
    /// Name and site.
    pub name: String,
    /// When: `Wed 25 Nov, 00:00–05:00 (Kathmandu)`; empty: not at all.
    pub when: String,
    /// What is said of it.
    pub note: String,
}

/// A ring in a compact track; the x axis is plan days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackRing {
    pub name: String,
    /// 0 to 10.
    pub scale: u8,
    /// Planned days.
    pub rollout_days: u32,
    /// Planned days.
    pub test_days: u32,
    /// Test days that have passed.
    pub tested_days: u32,
    /// Whether the rollout has entered it.
    pub entered: bool,
    /// Rooms with the update.
    pub done: i64,
    /// Rooms in which it failed.
    pub failed: i64,
    /// Rooms that wait or run; of a ring not entered: rooms that would get it today.
    pub waiting: i64,
    /// Rooms that had not started when the update was deprecated.
    pub withdrawn: i64,
}

/// The mark on a track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackMark {
    /// None: scheduled or over.
    None,
    /// Now, in plan days with the share of today.
    Now(f64),
    /// Paused here.
    Paused(f64),
    /// Deprecated here.
    Stopped(f64),
}

/// A compact track, as in the list of updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackView {
    /// The rings in order.
    pub rings: Vec<TrackRing>,
    /// Where it is.
    pub mark: TrackMark,
    /// The whole picture in one sentence, for `aria-label`.
    pub sentence: String,
    /// Below the picture: `General: night 9 of 10`.
    pub caption: String,
}

/// A row of the list of updates (T10).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateRow {
    /// Identity.
    pub id: UpdateId,
    /// Product name and version: what the row is called.
    pub title: String,
    pub vendor: String,
    /// Kind of product.
    pub kind: ProductKind,
    pub severity: Severity,
    /// Status (T3).
    pub status: UpdateStatus,
    /// The ring track.
    pub track: TrackView,
    /// Rooms with it, of `total`.
    pub done: i64,
    /// Rooms in which it failed.
    pub failed: i64,
    /// All rooms it concerns: deployed, and waiting for their ring.
    pub total: i64,
    /// First date.
    pub starts: TimeText,
    /// Last date, as projected now.
    pub ends: TimeText,
    /// `Day 23 of 35`, while in progress.
    pub day: Option<String>,
}

/// The list of updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdatesView {
    /// The rows of this page.
    pub rows: Vec<UpdateRow>,
    /// The rings of today, for the track's scale in the column head: name and days.
    pub scale: Vec<(String, u32)>,
    /// Vendors, for the filter.
    pub vendors: Vec<String>,
    /// Pages.
    pub pager: Pager,
}

/// Filters and order of the list of updates, as in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdatesQuery {
    /// Words in product or version.
    pub q: String,
    /// A status ([`UpdateStatus::as_str`]); empty: all.
    pub status: String,
    /// A severity; empty: all.
    pub severity: String,
    /// A kind of product; empty: all.
    pub kind: String,
    /// A vendor; empty: all.
    pub vendor: String,
    /// `name`, `status`, `severity`, `starts`, `ends`, with `-` in front for the other direction; empty: as it concerns
    /// people.
    pub sort: String,
    /// Include past updates (T9).
    pub past: bool,
    /// Page, from 1.
    pub page: u32,
}

/// A ring of one rollout, in dates (P3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageView {
    pub ring: RingView,
    /// Status (T2).
    pub status: RingStatus,
    /// `Wed 2 Oct – Thu 3 Oct`.
    pub rollout: String,
    /// `Fri 4 Oct – Tue 8 Oct`; empty without test days.
    pub test: String,
    /// First night, days since the first day of the calendar.
    pub first_day: u32,
    /// Calendar days from the first night to the end of the rollout dates, pauses included.
    pub rollout_length: u32,
    /// Calendar days of test.
    pub test_length: u32,
    /// Nights with their rooms; `day` counts from the first day of the calendar.
    pub nights: Vec<NightView>,
    /// Rooms with it, of all: `36 of 43`, or `Not reached`.
    pub installed: String,
    /// Rooms in which it failed.
    pub failed: i64,
    /// Rooms in which it runs.
    pub running: i64,
    /// Rooms that wait; of a ring not entered: rooms that would get it today.
    pub waiting: i64,
    /// Rooms that had not started when the update was deprecated.
    pub withdrawn: i64,
    /// Catch-ups, which count for themselves.
    pub catch_up: i64,
    /// The row in one sentence, for `aria-label`.
    pub sentence: String,
}

/// One night of a ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightView {
    /// Days since the first day of the calendar.
    pub day: u32,
    /// Rooms with it.
    pub done: i64,
    /// Rooms in which it failed.
    pub failed: i64,
    /// Rooms in which it runs.
    pub running: i64,
    /// Rooms that wait.
    pub waiting: i64,
    /// Rooms wait for a window that opens tonight.
    pub tonight: bool,
}

/// The calendar behind an update's enlarged timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalendarView {
    /// The first day as `2 Oct`, and every seventh after: (day, text).
    pub labels: Vec<(u32, String)>,
    /// Calendar days in all.
    pub length: u32,
    /// Day of week of the first day: 0 is Monday.
    pub first_weekday: u32,
    /// Now, in days with the share of today; `None` before the start and after the end.
    pub now: Option<f64>,
    /// Where the rollout's clock stands, in days: now, or where it was paused or deprecated.
    pub clock: f64,
    /// Days lost in a pause that still lasts: (day, length).
    pub paused: Option<(u32, u32)>,
    /// The rings in order.
    pub stages: Vec<StageView>,
}

/// A room with one update: status and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateRoomRow {
    pub room: RoomId,
    pub name: String,
    pub site: String,
    pub ring: RingView,
    /// Status (T1).
    pub status: RoomStatus,
    /// Why, in one sentence (T5).
    pub why: String,
    /// The window it waits for, or what else: `As soon as it polls`, `Done`.
    pub next: String,
    /// Whether that is a window.
    pub has_window: bool,
    /// The ticket's number, where one is open.
    pub ticket: Option<i64>,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// It joined after its ring's turn.
    pub catch_up: bool,
}

/// Filters of an update's rooms, as in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateRoomsQuery {
    /// `failed`, `in-progress`, `scheduled`, `completed`, `paused`, `deprecated`, `not-required`; empty: all that have
    /// the product or a deployment.
    pub status: String,
    /// A ring's id; empty: all.
    pub ring: String,
    /// The room after which this page starts: `name_key|id`.
    pub after: String,
    /// The room before which this page ends: `name_key|id`.
    pub before: String,
}

/// One update (P3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateView {
    /// Rooms that need it and whose ring's turn has not come: not required so far (T5), and the ones that a rollout is ahead of.
    pub ahead: i64,
    /// Identity.
    pub id: UpdateId,
    /// Product name and version.
    pub title: String,
    pub vendor: String,
    /// Kind of product.
    pub kind: ProductKind,
    pub severity: Severity,
    /// Status (T3).
    pub status: UpdateStatus,
    /// More about the status in one sentence: who paused it and why, why it is deprecated, what it waits for.
    pub status_sentence: String,
    /// `Day 23 of 35`, while in progress.
    pub day: Option<String>,
    /// (name, value) pairs for the facts: release date, published, minimum version, expected minutes, file, size,
    /// SHA-256.
    pub facts: Vec<(String, String)>,
    /// The dated timeline.
    pub calendar: CalendarView,
    /// Rooms in each status, for the chips: (word in the address, label, count).
    pub statuses: Vec<(String, String, i64)>,
    /// Rings of its rooms, for the filter.
    pub rings: Vec<Choice>,
    /// The rooms of this page.
    pub rooms: Vec<UpdateRoomRow>,
    /// Pages of rooms.
    pub pager: Pager,
    /// Known issues: (what, fixed in).
    pub known_issues: Vec<(String, Option<String>)>,
    pub tickets: Vec<TicketRow>,
    /// Its history, newest first.
    pub history: Vec<HistoryRow>,
    /// What may be done to it now by whoever looks.
    pub controls: Vec<Control>,
    /// Whether whoever looks may retry a failed room (A1).
    pub may_retry: bool,
}
