//! What a plan decided, and what is waited for: typed, with the facts that belong to it. `text::event` makes sentences of it.
//!
//! An event is for whoever wants to hear: the log, a dry run, a timeline. Rows are never read out of it.

use serde::{Deserialize, Serialize};

use crate::halt::Halt;
use crate::ids::{RoomId, UpdateId};
use crate::reason::Reason;
use crate::time_text::{Day, Night};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Rollout(UpdateId),
    /// An update in a room.
    Room(RoomId, UpdateId),
}

/// Something that was decided, or is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code", content = "facts")]
pub enum Event {
    /// The date that a pause was given has come (K3).
    PauseOver {
        /// Later dates move by so many days.
        days: u32,
    },
    /// The next ring starts on a date (S5).
    RingAhead {
        /// The ring's name.
        ring: String,
        /// Its first night.
        starts: Day,
    },
    /// A ring is entered, and its rooms get their nights (S6).
    RingEntered {
        /// The ring's name.
        ring: String,
        /// So many rooms need the update.
        rooms: u32,
        /// So many nights the ring has.
        nights: u32,
        /// It should have been entered before.
        late: Option<Late>,
    },
    /// A ring is passed, for a newer update has come to it (S9).
    RingPassed {
        /// The ring's name.
        ring: String,
        /// The newer one's title.
        newer: String,
        /// It should have been passed before.
        late: Option<Late>,
    },
    /// The last ring has yet to end its test (T6).
    LastRing {
        /// The ring's name.
        ring: String,
        /// Its last date.
        ends: Day,
    },
    /// All dates have passed, and some rooms have not ended (T6).
    Finishing {
        /// So many.
        rooms: i64,
    },
    /// It is paused by rule (K7).
    Halted(Halt),
    /// The rollout is over (T6).
    Finished,
    /// The rollout is deprecated (S9, S10).
    Deprecated(Reason),
    /// What was prepared in a room waits again.
    TakenBack(TakenBack),
    /// A room is prepared for a window.
    Prepared(Night),
    /// A deployment stands somewhere else, or for another reason.
    Stands(Reason),
}

/// A ring's date passed while the service was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// By so many days.
    pub days: i64,
    /// Its date.
    pub planned: Day,
}

/// Why something that was prepared waits again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenBack {
    /// The update is paused (K3).
    Paused,
    /// The window of its night has other hours now (W1).
    OtherHours,
    /// Another update of the room goes first (S7).
    AnotherFirst,
}
