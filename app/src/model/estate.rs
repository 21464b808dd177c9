//! Rooms, sites and files of rooms, as their dialogs start from them and send them (P0, R13).

use domain::ids::RoomId;
use serde::{Deserialize, Serialize};

use super::{Choice, RingView};

/// What the dialogs of a room start from (P0, R13).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomForm {
    /// The room; `None`: a new one.
    pub id: Option<RoomId>,
    /// Name.
    pub name: String,
    /// Its site's id.
    pub site: String,
    /// Building.
    pub building: String,
    /// Floor.
    pub floor: String,
    /// Seats; empty: not counted.
    pub capacity: String,
    /// Its own zone; empty: its site's.
    pub zone: String,
    /// `onboarding`, `managed`.
    pub state: String,
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
    /// Name.
    pub name: String,
    /// Its site's id.
    pub site: String,
    /// Building.
    pub building: String,
    /// Floor.
    pub floor: String,
    /// Seats; empty: not counted.
    pub capacity: String,
    /// Its own zone; empty: its site's.
    pub zone: String,
    /// `onboarding`, `managed`.
    pub state: String,
}

/// A site in a list, and what its dialog starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    /// Identity.
    pub id: String,
    /// Name.
    pub name: String,
    /// City.
    pub city: String,
    /// Country.
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
    /// Name.
    pub name: String,
    /// Site and zone.
    pub site: String,
    /// Ring.
    pub ring: RingView,
    /// Devices.
    pub devices: i64,
}
