//! What the page of freezes shows (W6).

use serde::{Deserialize, Serialize};

use crate::components::model::Choice;

/// A freeze in the list (W6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeRow {
    /// Identity.
    pub id: String,
    /// Whom it concerns: `Everything`, `Ring General`, `Site London`, `Mast, London`.
    pub whom: String,
    /// `Thu 24 Dec to Fri 1 Jan`.
    pub dates: String,
    /// `Now`, `Ahead`, `Over`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub owner: String,
    /// Something of it is ahead.
    pub may_lift: bool,
}

/// The freezes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezesView {
    /// By their first dates.
    pub rows: Vec<FreezeRow>,
    /// What may be frozen.
    pub scopes: Vec<Choice>,
    /// `2026-11-24`: no freeze begins before it.
    pub today: String,
    /// Whether whoever looks may make and lift them.
    pub may_change: bool,
}
