//! What a room's checks came to, as it is written. What follows from it is in [`crate::changes`]; who decides it is [`super::decide`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Check, CheckResult};
use crate::ids::RoomId;
use crate::room::Block;

/// How a room's checks have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRoom {
    pub room: RoomId,
    /// When.
    pub at: DateTime<Utc>,
    /// Results that are new; `None`: the check is not made any more.
    pub changed: BTreeMap<Check, Option<CheckResult>>,
    /// The worst result of all.
    pub worst: Option<CheckResult>,
    /// What is blocked from now on; `None`: the same as before.
    pub blocks: Option<Vec<Block>>,
    /// Names of software that nobody has reviewed; `None`: the same as before.
    pub unreviewed: Option<BTreeSet<String>>,
    /// It was onboarding, and nothing is missing any more (C4).
    pub becomes_managed: bool,
    /// When it is looked at again, if nothing is reported before.
    pub next_at: DateTime<Utc>,
}
