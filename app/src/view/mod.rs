//! What the pages show: values that the server functions return and the components take.
//!
//! Times are formatted on the server, because the browser has no zone rules and must render the same text ([`When`]).
//! Nothing here decides anything; statuses and reasons come from the domain crate.

mod estate;
mod portfolio;
mod search;
mod settings;

pub use estate::*;
pub use portfolio::*;
pub use search::*;
pub use settings::*;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::Role;
use domain::freeze::Freezes;
use domain::ids::{AnnouncementId, PersonId, RingId, RoomId, UpdateId};
use domain::ring::RingSequence;
use domain::rollout::Rollout;
pub use domain::room::Health;
use domain::status::{RingStatus, RoomStatus, UpdateStatus};
use domain::ticket::{TicketSeverity, TicketState};
use domain::update::{ProductKind, Severity};
use serde::{Deserialize, Serialize};

/// An instant or a date as people read it, and as machines do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// `Wed 25 Nov, 01:12 (Berlin)`, or `Wed 25 Nov`.
    pub text: String,
    /// For `<time datetime>`: RFC 3339, or `2026-11-25`.
    pub machine: String,
}

/// A ring where it is named: badge and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingView {
    /// Identity.
    pub id: RingId,
    /// Name.
    pub name: String,
    /// S, 1 to 9, or E; A for the implicit ring of all rooms.
    pub badge: String,
    /// 0 to 10: the style class `ring-N`.
    pub scale: u8,
}

/// What every page shows around its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellView {
    /// The organisation's name.
    pub organisation: String,
    /// Today in the organisation's zone: `Thu 24 Oct 2024`.
    pub today: String,
    /// Now on its clock: `10:00`.
    pub clock: When,
    /// The zone's city.
    pub city: String,
    /// `Time zones: 2026e`.
    pub tzdb: String,
    /// The demo's bar, in the demo.
    pub demo: Option<DemoView>,
    /// Who is here.
    pub person: PersonView,
    /// What came of the form that was just sent without script.
    pub said: Option<Said>,
}

impl Done {
    /// With nothing that is shown once.
    #[must_use]
    pub fn new(text: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            to: to.into(),
            shown_once: None,
        }
    }
}

/// What was done, and where the page goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What was done, in one sentence.
    pub text: String,
    /// An address of ours.
    pub to: String,
    /// What is shown this once and never again: a device's token.
    #[serde(default)]
    pub shown_once: Option<ShownOnce>,
}

/// Something that is shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownOnce {
    /// What it is for, in one sentence.
    pub why: String,
    /// Itself.
    pub secret: String,
}

/// What may be done to an update (K2–K5, T9). The words are those of its dialog's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Pause it in all rings.
    Pause,
    /// Resume it.
    Resume,
    /// Retry all failed.
    Retry,
    /// Force it.
    Force,
    /// Acknowledge its failures.
    Acknowledge,
}

impl Control {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Resume, Self::Pause, Self::Retry, Self::Force, Self::Acknowledge];

    /// The word in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
            Self::Force => "force",
            Self::Acknowledge => "acknowledge",
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
            Self::Retry => "Retry all failed",
            Self::Force => "Force updates",
            Self::Acknowledge => "Acknowledge",
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
    /// The words above the rooms.
    pub rooms_heading: String,
    /// Rooms that it is about, at most some.
    pub rooms: Vec<ControlRoom>,
    /// Rooms that are not named.
    pub more_rooms: i64,
    /// How many rooms it would change.
    pub count: i64,
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

/// Who is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// Their name.
    pub name: String,
    /// What they are here for.
    pub role: Role,
}

/// What came of the form that was just sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Whether it was done.
    pub is_good: bool,
    /// In one sentence.
    pub text: String,
    /// What is shown with it, this once.
    #[serde(default)]
    pub shown_once: Option<ShownOnce>,
}

/// The own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Name.
    pub name: String,
    /// E-mail address; empty in the demo, where there is no account.
    pub email: String,
    /// The role's word.
    pub role: String,
    /// Sessions, the latest used first.
    pub sessions: Vec<SessionRow>,

    /// Fewest characters of a password.
    pub shortest_password: u32,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Identity.
    pub id: String,
    /// The browser's own name.
    pub agent: String,
    /// From where.
    pub address: String,
    /// Since when.
    pub since: When,
    /// When it was last used.
    pub last_used: When,
    /// It is the one that asks.
    pub is_this: bool,
}

/// Everybody with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleView {
    /// By name.
    pub rows: Vec<PersonRow>,
    /// Whether whoever asks may change accounts.
    pub may_change: bool,
    /// A one-time link that was just made; shown this once.
    pub link: Option<String>,
}

/// A person with an account, and where they are signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDetailView {
    /// The person.
    pub person: PersonRow,
    /// Sessions, the latest used first.
    pub sessions: Vec<SessionRow>,
    /// Whether whoever asks may end them.
    pub may_change: bool,
    /// Whether whoever asks may see the audit.
    pub may_see_audit: bool,
}

/// Tokens for automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensView {
    /// By name.
    pub rows: Vec<TokenRow>,
    /// Whether whoever asks may make and revoke them.
    pub may_change: bool,
    /// A token that was just made; shown this once.
    pub secret: Option<String>,
    /// How a program fetches the audit with a token: a command.
    pub example: String,
    /// Most days that one lives.
    pub longest_days: u16,
}

/// A token in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Identity; not the token itself.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made: When,
    /// Until when it works.
    pub expires: When,
    /// It works no more.
    pub is_expired: bool,
    /// When it was last used; `None`: never yet.
    pub used: Option<When>,
}

/// A person in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Identity.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// What they are here for.
    pub role: Role,
    /// `May sign in`, `Has not chosen a password yet`, `Disabled`.
    pub state: String,
}

/// The demo's bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoView {
    /// `The clock runs at 3,600×.`, or `The clock stands still.`
    pub pace: String,
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

/// A ring in a compact track; the x axis is plan days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackRing {
    /// Name.
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
#[serde(rename_all = "snake_case", tag = "mark", content = "day")]
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
    /// Vendor.
    pub vendor: String,
    /// Kind of product.
    pub kind: ProductKind,
    /// Severity.
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
    pub starts: When,
    /// Last date, as projected now.
    pub ends: When,
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
    /// The ring.
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
pub struct RoomWhyRow {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Its site.
    pub site: String,
    /// Its ring.
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
pub struct RoomWhyQuery {
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

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// When.
    pub at: When,
    /// Where or what: a room's name, an update's title; empty where the page says it.
    pub about: String,
    /// What happened.
    pub text: String,
    /// A second line.
    pub detail: String,
    /// Something went wrong.
    pub bad: bool,
}

/// One update (P3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateView {
    /// Identity.
    pub id: UpdateId,
    /// Product name and version.
    pub title: String,
    /// Vendor.
    pub vendor: String,
    /// Kind of product.
    pub kind: ProductKind,
    /// Severity.
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
    pub rooms: Vec<RoomWhyRow>,
    /// Pages of rooms.
    pub pager: Pager,
    /// Known issues: (what, fixed in).
    pub known_issues: Vec<(String, Option<String>)>,
    /// Its tickets.
    pub tickets: Vec<TicketRow>,
    /// Its history, newest first.
    pub history: Vec<HistoryRow>,
    /// What may be done to it now by whoever looks.
    pub controls: Vec<Control>,
    /// Whether whoever looks may retry a failed room (A1).
    pub may_retry: bool,
}

/// A row of the lists of rooms (P4, P0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Identity.
    pub id: RoomId,
    /// Name.
    pub name: String,
    /// Building and floor: `Quay House, floor 4`.
    pub place: String,
    /// Site.
    pub site: String,
    /// Ring.
    pub ring: RingView,
    /// `Thu 24 Oct, 14:45 (Kathmandu)`.
    pub local_time: String,
    /// Health.
    pub health: Health,
    /// Number of devices.
    pub devices: i64,
    /// Device models, as their devices report them.
    pub models: String,
    /// Updates scheduled.
    pub scheduled: i64,
    /// Updates that wait for the resume of their rollout.
    pub paused: i64,
    /// Updates running.
    pub running: i64,
    /// Updates failed.
    pub failed: i64,
    /// The next window in which something is planned; when what is forced starts; `After the resume`.
    pub next_window: Option<String>,
}

/// A page of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomsView {
    /// The rows.
    pub rows: Vec<RoomRow>,
    /// Rings, for the filter.
    pub rings: Vec<Choice>,
    /// Sites, for the filter.
    pub sites: Vec<Choice>,
    /// Pages.
    pub pager: Pager,
    /// How many match, on all pages.
    pub total: i64,
    /// Whether whoever looks may move rooms.
    pub may_move: bool,
}

/// Filters of the lists of rooms, as in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomsQuery {
    /// Words in the name.
    pub q: String,
    /// A ring's id; empty: all.
    pub ring: String,
    /// A site's id; empty: all.
    pub site: String,
    /// `retired`: those that take part no more, in place of all others.
    pub state: String,
    /// The room after which this page starts: `name_key|id`.
    pub after: String,
    /// The room before which this page ends: `name_key|id`.
    pub before: String,
}

/// A row of the Rings tab (R16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingRow {
    /// The ring.
    pub ring: RingView,
    /// Its description.
    pub description: String,
    /// Preconfigured: it cannot be deleted (R1).
    pub preconfigured: bool,
    /// Rooms in it.
    pub rooms: i64,
    /// Deferment (R6).
    pub deferment: u32,
    /// Rollout duration.
    pub rollout_days: u32,
    /// Test period.
    pub test_days: u32,
    /// Completion time (R5).
    pub completion: u32,
    /// When it last received an update.
    pub last_update: Option<When>,
}

/// The Rings tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingsView {
    /// Rings in rollout order.
    pub rows: Vec<RingRow>,
    /// Total (R7).
    pub total: u32,
    /// Remaining of the 60 days (R8).
    pub remaining: u32,
    /// Whether whoever looks may change them.
    pub may_edit: bool,
}

/// What the dialogs of rings work with: the rings, and the running rollouts whose dates they move (R9, R10, K9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingPlan {
    /// The rings.
    pub sequence: RingSequence,
    /// Rooms in each.
    pub rooms: BTreeMap<RingId, i64>,
    /// What is frozen.
    pub freezes: Freezes,
    /// The organisation's date.
    pub today: NaiveDate,
    /// The city of its zone.
    pub city: String,
    /// The rollouts that are on their way.
    pub running: Vec<RunningRollout>,
}

/// A rollout that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningRollout {
    /// Its update.
    pub title: String,
    /// The rollout.
    pub rollout: Rollout,
    /// The organisation's date on which it was paused, while it is.
    pub paused_on: Option<NaiveDate>,
}

/// What the dialog that moves rooms works with (R12, K9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovePlan {
    /// The rings, and what is running.
    pub rings: RingPlan,
    /// How many rooms are moved.
    pub number: i64,
    /// The first of them, each with its site.
    pub names: Vec<String>,
}

/// What stands above all tabs of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHead {
    /// Identity.
    pub id: RoomId,
    /// Name.
    pub name: String,
    /// Site, building, floor, capacity in words.
    pub meta: Vec<String>,
    /// Health.
    pub health: Health,
    /// Why the health is what it is.
    pub health_why: String,
    /// `Thu 24 Oct, 14:45 (Kathmandu)`.
    pub local_time: String,
    /// Its zone: `Asia/Kathmandu, UTC+5:45`.
    pub zone: String,
    /// Its ring.
    pub ring: RingView,
    /// The next window: `Fri 25 Oct, 00:00–05:00 (Kathmandu)`.
    pub next_window: String,
    /// What is planned in it, or that nothing is.
    pub next_window_work: String,
    /// Open tickets, for the tab's count.
    pub open_tickets: i64,
    /// It takes part no more.
    pub retired: bool,
}

/// A device with its components (P5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// What it calls itself on the wire.
    pub controller: String,
    /// Vendor and model.
    pub name: String,
    /// `bar`, `console`, `compute`, `camera`, `panel` …
    pub role: String,
    /// Serial number and controller id.
    pub sub: String,
    /// `Last contact Thu 24 Oct, 09:58 (London)`, or that there was none.
    pub contact: String,
    /// Components.
    pub components: Vec<ComponentView>,
}

/// A product on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentView {
    /// Product name.
    pub product: String,
    /// Kind.
    pub kind: ProductKind,
    /// Installed version, or `Unknown`.
    pub installed: String,
    /// Newest release that is published and not deprecated; `None`: none is.
    pub recommended: Option<String>,
    /// `Current`, or the status of the update that brings the recommended version.
    pub state: String,
}

/// The Overview tab of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomOverview {
    /// Above the tabs.
    pub head: RoomHead,
    /// What is in it.
    pub devices: Vec<DeviceView>,
    /// Holds that concern it, in sentences.
    pub holds: Vec<String>,
    /// Failed readiness checks that keep updates away: (kind, sentence).
    pub blocks: Vec<(String, String)>,
}

/// An update in one room, for the room's Updates tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomUpdateRow {
    /// The update.
    pub update: UpdateId,
    /// Product name and version.
    pub title: String,
    /// Vendor and kind, and `from 5.1.28.0` where known.
    pub sub: String,
    /// Kind.
    pub kind: ProductKind,
    /// Status (T1).
    pub status: RoomStatus,
    /// Why (T5).
    pub why: String,
    /// The window or what else it waits for, or when it started or ended.
    pub when: String,
    /// It has failed, and whoever looks may retry it (K4, A1).
    pub may_retry: bool,
}

/// The Updates tab of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomUpdates {
    /// Above the tabs.
    pub head: RoomHead,
    /// Active updates first.
    pub rows: Vec<RoomUpdateRow>,
}

/// The Tickets tab of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomTickets {
    /// Above the tabs.
    pub head: RoomHead,
    /// Open first.
    pub rows: Vec<TicketRow>,
}

/// The History tab of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHistory {
    /// Above the tabs.
    pub head: RoomHead,
    /// Newest first.
    pub rows: Vec<HistoryRow>,
}

/// A row of a list of tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRow {
    /// Number.
    pub number: i64,
    /// Title.
    pub title: String,
    /// The rooms, in words: `Cuttle`, or `Cuttle and 2 more`.
    pub rooms: String,
    /// How bad.
    pub severity: TicketSeverity,
    /// Where it stands.
    pub state: TicketState,
    /// Opened by a person or a rule.
    pub opened_by: String,
    /// When it was opened.
    pub opened: When,
}

/// The list of tickets (P7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsView {
    /// The rows.
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
    /// Description.
    pub description: String,
    /// Category.
    pub category: String,
    /// Assignee, if any.
    pub assignee: Option<String>,
    /// Its rooms.
    pub rooms: Vec<(RoomId, String)>,
    /// Its update.
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
    pub desk: Option<TicketDesk>,
}

/// What people who work on tickets choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketDesk {
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
    /// Title.
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

/// Home (P1), read side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HomeView {
    /// What needs attention: (sentence, address, bad).
    pub attention: Vec<(String, String, bool)>,
    /// Tonight by site: (site, window in local time, rooms).
    pub tonight: Vec<(String, String, i64)>,
    /// Per ring: (ring, days since it last received an update, the date).
    pub since: Vec<(RingView, Option<i64>, Option<When>)>,
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
    pub at: When,
}

/// An audit entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When.
    pub at: When,
    /// Who: a person or a rule.
    pub actor: String,
    /// From where; empty for the program itself.
    pub address: String,
    /// What, in one sentence.
    pub summary: String,
    /// `room`, `update`, `ring` …
    pub object: String,
    /// Everything about this object: an address; `None`: the entry is about no single one.
    pub about: Option<String>,
    /// What was there before and what is there after it, by field: `role: helpdesk, before: auditor`.
    pub facts: Vec<String>,
}

/// Filters of the audit, as in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// Of whom; empty: of everybody.
    pub who: String,
    /// About what kind of object; empty: about all.
    pub kind: String,
    /// About which one of that kind; empty: about all.
    pub object: String,
    /// First day, `2026-03-01`.
    pub from: String,
    /// Last day.
    pub until: String,
    /// Older than this entry: `at.id`.
    pub after: String,
    /// Newer than this entry.
    pub before: String,
}

/// The audit, read side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Of whom there are entries.
    pub actors: Vec<Choice>,
    /// About what there are entries.
    pub kinds: Vec<Choice>,
    /// The zone of the days in the filters.
    pub zone: String,
    /// Where the same entries are as a file.
    pub export: String,
    /// Pages.
    pub pager: Pager,
}
