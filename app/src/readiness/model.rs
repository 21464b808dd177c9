//! Readiness: checks of a room, rooms by their checks, reviewed software (C1–C8).

use domain::ids::RoomId;
use domain::readiness::{Check, CheckResult};
use serde::{Deserialize, Serialize};

use crate::components::model::{Pager, TimeText};

/// A check of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    pub check: Check,
    pub result: CheckResult,
    /// Since when it is so; `None`: it was not made yet.
    pub since: Option<TimeText>,
    /// From which facts it follows, and when they were told.
    pub why: String,
    /// The device that has told the facts, as it calls itself; empty: none.
    pub reported_by: String,
    /// What it keeps away, and what ends that; may be empty.
    pub consequence: String,
    /// What makes it pass.
    pub guidance: String,
    /// Names of software that nobody has reviewed.
    pub to_review: Vec<String>,
    /// It is waived now.
    pub is_waived: bool,
    /// Somebody may answer for it.
    pub may_be_waived: bool,
}

/// The checks of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomReadinessView {
    /// In the order of C1.
    pub checks: Vec<CheckView>,
    /// Updates wait until its change management has moved here (C4).
    pub is_onboarding: bool,
    /// Somebody has confirmed that its change management has moved here.
    pub is_confirmed: bool,
    /// What onboarding still wants, in sentences.
    pub wants: Vec<String>,
    /// Whoever looks may waive checks, review software and confirm.
    pub may_decide: bool,
    /// Its date, as a form has it.
    pub today: String,
}

/// A room in the list of readiness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessRow {
    pub id: RoomId,
    pub name: String,
    pub site: String,
    /// Building and floor.
    pub place: String,
    pub is_onboarding: bool,
    /// It is onboarding, and somebody has confirmed it.
    pub is_confirmed: bool,
    /// The checks that the list is about.
    pub checks: Vec<CheckView>,
    /// What onboarding still wants, in sentences.
    pub wants: Vec<String>,
}

/// How many rooms there are of each result of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCounts {
    pub check: Check,
    /// In the order of [`CheckResult::ALL`].
    pub rooms: Vec<i64>,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessView {
    pub rows: Vec<ReadinessRow>,
    pub pager: Pager,
    pub counts: Vec<CheckCounts>,
    /// Rooms that are onboarding.
    pub onboarding: i64,
    /// Whoever looks may confirm rooms.
    pub may_decide: bool,
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadinessQuery {
    /// Words in the name or the building.
    pub q: String,
    /// A check; empty: the worst of all.
    pub check: String,
    /// A result; empty: those that somebody should look at; `all`: any.
    pub result: String,
    /// `onboarding`: those that are; empty: all.
    pub state: String,
    /// Those alone that have this software, which nobody has reviewed; empty: all.
    pub software: String,
    /// The page starts after this room.
    pub after: String,
    /// The page ends before this room.
    pub before: String,
}

/// A name of software that somebody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedRow {
    pub name: String,
    pub by: String,
    pub at: TimeText,
}

/// What a check demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandRow {
    pub check: Check,
    /// What makes it pass.
    pub passes: String,
    /// What follows while it does not.
    pub otherwise: String,
}

/// What checks go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileView {
    /// It is one of the organisation's own, and not the shipped one.
    pub is_own: bool,
    /// As JSON.
    pub text: String,
    /// What it demands, in words.
    pub demands: Vec<DemandRow>,
    /// For so many hours facts count.
    pub facts_count_hours: u32,
    /// Whoever looks may change it.
    pub may_edit: bool,
}

/// A name of software that nobody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreviewedRow {
    pub name: String,
    /// In so many rooms.
    pub rooms: i64,
    /// Where those rooms are listed.
    pub href: String,
}

/// The page of software in rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftwareView {
    /// Those of the most rooms first.
    pub unreviewed: Vec<UnreviewedRow>,
    /// There are more than are listed.
    pub has_more: bool,
    pub rows: Vec<ReviewedRow>,
    pub may_decide: bool,
}
