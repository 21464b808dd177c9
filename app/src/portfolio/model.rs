//! The portfolio: products, releases, their files, and what publishing one would mean (P7, K9).

use domain::ids::UpdateId;
use domain::status::UpdateStatus;
use domain::update::{ProductKind, Severity};
use serde::{Deserialize, Serialize};

use crate::components::model::{Pager, TimeText};

/// A product of the portfolio, read side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// Identity.
    pub id: String,
    /// This organisation's IT covers it.
    pub covered: bool,
    pub name: String,
    pub vendor: String,
    pub kind: ProductKind,
    /// Newest release: version.
    pub newest: Option<String>,
    /// Newest release: date, where known.
    pub released: Option<TimeText>,
    /// Releases known.
    pub releases: i64,
    /// Rooms that have it.
    pub rooms: i64,
    /// The newest published update of it: id and status.
    pub published: Option<(UpdateId, UpdateStatus)>,
}

/// The portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioView {
    /// Products.
    pub rows: Vec<ProductRow>,
    /// Whether whoever looks may change the portfolio.
    pub may_change: bool,
    /// Pages.
    pub pager: Pager,
}

/// One product with a page of its releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductView {
    /// Identity.
    pub id: String,
    pub name: String,
    pub vendor: String,
    pub kind: ProductKind,
    /// This organisation's IT covers it.
    pub covered: bool,
    /// Its versions are supported for a time only (L1).
    pub has_support_policy: bool,
    /// `12 minutes an install`.
    pub expected: String,
    /// Rooms that have it.
    pub rooms: i64,
    /// Releases, the newest first.
    pub rows: Vec<ReleaseRow>,
    /// Pages.
    pub pager: Pager,
    /// Whether whoever looks may change it.
    pub may_change: bool,
}

/// A release in the list of its product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRow {
    /// Identity.
    pub id: UpdateId,
    pub version: String,
    /// Day of release, where known.
    pub released: Option<TimeText>,
    /// How urgent.
    pub severity: Severity,
    /// Its rollout's status; `None`: not published.
    pub status: Option<UpdateStatus>,
    /// Recalled, here or by its vendor.
    pub recalled: bool,
    pub files: i64,
    /// Devices that report it.
    pub devices: i64,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// As devices see it.
    pub filename: String,
    /// `1.2 GB`.
    pub size: String,
    /// Lower-case hex.
    pub sha256: String,
    /// An outside address; `None`: Nightshift has the bytes.
    pub url: Option<String>,
}

/// What the dialogs of a release start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseForm {
    /// Identity.
    pub id: UpdateId,
    /// Its product's id.
    pub product: String,
    /// `Teams Rooms app 5.2.115.0`.
    pub title: String,
    /// As it is graded.
    pub severity: Severity,
    pub files: Vec<FileRow>,
    /// Rooms in which a device reports it.
    pub rooms: i64,
    /// It has a rollout: its files stay as they are.
    pub published: bool,
    /// Recalled, here or by its vendor.
    pub recalled: bool,
    /// What publishing it now would mean, by severity; none where nobody asked.
    pub plans: Vec<PublishView>,
}

/// What publishing a release would mean (K9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishView {
    /// As which it is published.
    pub severity: Severity,
    /// `It starts on Wed 30 Oct, Berlin time.`
    pub starts: String,
    /// Every ring: name, dates, rooms.
    pub rings: Vec<(String, String, String)>,
    /// What gives way to it.
    pub supersedes: Vec<String>,
    /// Why it cannot be published.
    pub refused: Option<String>,
}

/// A release as its form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReleaseFields {
    pub version: String,
    /// `2026-11-24`; empty: not known.
    pub released: String,
    /// `routine`, `critical`.
    pub severity: String,
    /// What a device must run before; empty: anything.
    pub minimum_version: String,
    /// Device models, one a line; empty: all.
    pub models: String,
    /// `true`: it goes to devices that do not say their version.
    pub applies_to_unknown: String,
    /// Minutes of an install; empty: its product's.
    pub expected_minutes: String,
    /// Known issues, one a line.
    pub known_issues: String,
}

/// A file at an outside address, as its form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutsideFields {
    /// As devices see it.
    pub filename: String,
    /// Where devices fetch it.
    pub url: String,
    /// Bytes.
    pub size: String,
    /// Hex.
    pub sha256: String,
    /// Hex.
    pub sha1: String,
    /// Hex.
    pub md5: String,
}

/// What a catalogue would become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueReview {
    /// The file's name.
    pub name: String,
    /// What it would add and change, in one sentence.
    pub adds: String,
    /// Releases that it would add: product, version.
    pub releases: Vec<(String, String)>,
    /// More of them, which are not named.
    pub more: i64,
}
