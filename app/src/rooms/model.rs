//! Rooms: their lists, and one of them (P0, P4, P5).

use domain::ids::{RoomId, UpdateId};
use domain::room::Health;
use domain::status::RoomStatus;
use domain::update::ProductKind;
use serde::{Deserialize, Serialize};

use crate::components::model::{Choice, HistoryRow, Pager, RingView};
use crate::readiness::model::RoomReadinessView;
use crate::tickets::model::TicketRow;

/// A row of the lists of rooms (P4, P0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Identity.
    pub id: RoomId,
    pub name: String,
    /// Building and floor: `Quay House, floor 4`.
    pub place: String,
    pub site: String,
    pub ring: RingView,
    /// `Thu 24 Oct, 14:45 (Kathmandu)`.
    pub local_time: String,
    pub health: Health,
    /// Open tickets.
    pub tickets: i64,
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
    /// `unhealthy`: those alone (I4). `retired`: those that take part no more, in place of all others.
    pub state: String,
    /// The room after which this page starts: `name_key|id`.
    pub after: String,
    /// The room before which this page ends: `name_key|id`.
    pub before: String,
}

/// What stands above all tabs of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHead {
    /// Identity.
    pub id: RoomId,
    pub name: String,
    /// Site, building, floor, capacity in words.
    pub meta: Vec<String>,
    pub health: Health,
    /// Why the health is what it is.
    pub health_why: String,
    /// `Thu 24 Oct, 14:45 (Kathmandu)`.
    pub local_time: String,
    /// Its zone: `Asia/Kathmandu, UTC+5:45`.
    pub zone: String,
    pub ring: RingView,
    /// The next window: `Fri 25 Oct, 00:00–05:00 (Kathmandu)`.
    pub next_window: String,
    /// What is planned in it, or that nothing is.
    pub next_window_work: String,
    /// Open tickets, for the tab's count.
    pub open_tickets: i64,
    /// That updates failed here, which they may have in a healthy room too (I4).
    pub failed: Option<String>,
    /// Which kinds its readiness keeps out, and why.
    pub blocked: Vec<String>,
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
    pub components: Vec<ComponentView>,
    /// What it last reported (P12).
    pub facts: Vec<FactView>,
    /// `None`: it has listed no programs.
    pub programs: Option<ProgramsView>,
}

/// The programs on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramsView {
    /// How many, and when they were listed.
    pub text: String,
    /// Where the whole list is.
    pub export: String,
    /// What has changed lately, the newest first: what, and when it was noticed.
    pub changes: Vec<(String, String)>,
}

/// A fact as a device has told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactView {
    pub name: String,
    pub value: String,
    /// When, or that it is not known.
    pub told: String,
    /// It means something to the rules.
    pub is_understood: bool,
}

/// A product on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentView {
    /// Product name.
    pub product: String,
    pub kind: ProductKind,
    /// Installed version, or `Unknown`.
    pub installed: String,
    /// `Serial number S-7`; `None`: the device reports none.
    pub serial: Option<String>,
    /// Newest release that is published and not deprecated; `None`: none is.
    pub recommended: Option<String>,
    /// `Current`, or the status of the update that brings the recommended version.
    pub state: String,
    /// Until when the installed version is supported, and the days left; `None`: the product has no support policy.
    pub support: Option<String>,
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
    /// Its readiness checks, and what onboarding still wants; `None`: it is retired.
    pub readiness: Option<RoomReadinessView>,
}

/// An update in one room, for the room's Updates tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomUpdateRow {
    pub update: UpdateId,
    /// Product name and version.
    pub title: String,
    /// Vendor and kind, and `from 5.1.28.0` where known.
    pub sub: String,
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

/// What the dialogs of a room start from (P0, R13).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomForm {
    /// The room; `None`: a new one.
    pub id: Option<RoomId>,
    pub name: String,
    /// Its site's id.
    pub site: String,
    pub building: String,
    pub floor: String,
    /// Seats; empty: not counted.
    pub capacity: String,
    /// Its own zone; empty: its site's.
    pub zone: String,
    /// As which it was read: who is slower is told.
    pub revision: i64,
    /// Its ring's id.
    pub ring: String,
    /// Every site: id, name with zone.
    pub sites: Vec<Choice>,
    /// Every ring.
    pub rings: Vec<Choice>,
    /// Ring to what a move there would mean, in sentences with exact dates (R14, K9).
    pub moves: Vec<(String, Vec<String>)>,
    /// Zones that a list offers while a zone is typed.
    pub zones: Vec<String>,
    /// Most characters of a name.
    pub longest_name: u32,
}

/// A room as its form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomFields {
    pub name: String,
    /// Its site's id.
    pub site: String,
    pub building: String,
    pub floor: String,
    /// Seats; empty: not counted.
    pub capacity: String,
    /// Its own zone; empty: its site's.
    pub zone: String,
}

/// A site in a list, and what its dialog starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    /// Identity.
    pub id: String,
    pub name: String,
    pub city: String,
    pub country: String,
    /// IANA zone.
    pub zone: String,
    /// `Thu 24 Oct, 14:45 (Kathmandu)`.
    pub local_time: String,
    /// Rooms that are not retired.
    pub rooms: i64,
}

/// The sites (P0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitesView {
    /// By name.
    pub rows: Vec<SiteRow>,
    /// Zones that a list offers while a zone is typed.
    pub zones: Vec<String>,
    /// Whether whoever looks may change them.
    pub may_change: bool,
}

/// What a file of rooms would become (P0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReview {
    /// The file's name.
    pub name: String,
    /// What would be added, in one sentence.
    pub adds: String,
    /// How many lines are refused.
    pub refused_lines: i64,
    /// The first of them: where, field, what is wrong.
    pub refused: Vec<(String, String, String)>,
    /// The first rooms that would be added.
    pub rooms: Vec<ImportedRoom>,
}

/// A room that a file would add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedRoom {
    /// `line 3 (Mast)`.
    pub place: String,
    pub name: String,
    /// Site and zone.
    pub site: String,
    pub ring: RingView,
    pub devices: i64,
    /// Devices that come from other rooms, in words; empty: none do.
    pub moved: String,
}
