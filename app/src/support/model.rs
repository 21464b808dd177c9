//! Support: products with their versions, and rooms by what they have (L5).

use domain::ids::RoomId;
use serde::{Deserialize, Serialize};

use crate::components::model::{Choice, Pager};

/// A number of rooms, with the word of its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// `unsupported`, `ending`, `supported`, `unknown`.
    pub group: String,
    /// The words on screen.
    pub label: String,
    pub rooms: i64,
}

/// A version that rooms have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    pub version: String,
    /// Devices say it.
    pub is_reported: bool,
    pub group: String,
    /// `Out of support`, `Supported` …
    pub label: String,
    /// Its last day of support, and the days left.
    pub until: String,
    /// Why, in one sentence.
    pub why: String,
    pub rooms: i64,
}

/// A product with a support policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSupportView {
    pub id: String,
    pub name: String,
    pub groups: Vec<GroupCount>,
    pub versions: Vec<VersionRow>,
}

/// A version in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomVersionView {
    /// Product and version.
    pub title: String,
    pub group: String,
    pub label: String,
    /// Its last day of support, and the days left.
    pub until: String,
    /// When the room gets a newer one; `None`: nothing is planned.
    pub projected: Option<String>,
}

/// A room in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportRow {
    pub id: RoomId,
    pub name: String,
    pub site: String,
    pub versions: Vec<RoomVersionView>,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportView {
    /// In words: `As of Thu 24 Oct 2024 (London)`.
    pub as_of: String,
    pub is_past: bool,
    /// How long a version is supported, as the organisation counts, in plain words.
    pub rule: String,
    /// Today, as a form has it.
    pub today: String,
    pub products: Vec<ProductSupportView>,
    /// Products to choose from.
    pub choices: Vec<Choice>,
    pub rows: Vec<SupportRow>,
    pub pager: Pager,
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupportQuery {
    /// A product's id; empty: all.
    pub product: String,
    /// A group's word; empty: those out of support.
    pub group: String,
    /// A version of the product; empty: all.
    pub version: String,
    /// A day; empty: today.
    pub date: String,
    /// The page starts after this room.
    pub after: String,
    /// The page ends before this room.
    pub before: String,
}
