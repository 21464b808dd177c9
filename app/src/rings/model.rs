//! Rings, and what the dialogs that change them work with (P6, R9–R12).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::freeze::Freezes;
use domain::ids::RingId;
use domain::ring::RingSequence;
use domain::rollout::Rollout;
use serde::{Deserialize, Serialize};

use crate::components::model::{RingView, TimeText};

/// A row of the Rings tab (R16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingRow {
    /// Identity.
    pub id: RingId,
    pub ring: RingView,
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
    pub last_update: Option<TimeText>,
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
