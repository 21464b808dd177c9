//! What Home shows (P1).

use domain::ids::AnnouncementId;
use domain::room::Health;
use serde::{Deserialize, Serialize};

use crate::components::model::{RingView, TimeText};

/// Home (P1), read side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HomeView {
    /// What needs attention: (sentence, address, bad).
    pub attention: Vec<(String, String, bool)>,
    /// Tonight by site: (site, window in local time, rooms).
    pub tonight: Vec<(String, String, i64)>,
    /// Per ring: (ring, days since it last received an update, the date).
    pub since: Vec<(RingView, Option<i64>, Option<TimeText>)>,
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
    pub at: TimeText,
}
