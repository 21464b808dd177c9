//! Rooms, the devices in them and what those report (SPEC 1).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::freeze::{Freeze, Freezes};
use crate::ids::{DeviceId, ProductId, RingId, RoomId};
use crate::zone::Zone;

/// Whether a room takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomState {
    /// New; not scheduled until its blocking checks pass and somebody confirmed it (C4, S13).
    Onboarding,
    /// Takes part.
    Managed,
    /// Gone; kept for its history.
    Retired,
}

impl RoomState {
    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Onboarding => "onboarding",
            Self::Managed => "managed",
            Self::Retired => "retired",
        }
    }

    /// The state of a word that [`RoomState::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Onboarding, Self::Managed, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// A meeting room, as far as planning needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Identity.
    pub id: RoomId,
    /// Name, unique at its site.
    pub name: String,
    /// Its own zone or its site's.
    pub zone: Zone,
    /// The one ring that it is in (R3).
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
    /// Updates of these kinds must not reach it, with the failed check's sentence (C2, S13).
    pub blocks: Vec<Block>,
    /// Holds that concern the room itself, its site or a model in it ★.
    pub holds: Vec<Hold>,
    /// Freezes of the room itself or of its site (W6). Those of its ring and of the organisation are [`crate::freeze::Freezes`].
    pub freezes: Vec<Freeze>,
    /// What is in it.
    pub devices: Vec<Device>,
}

/// A failed readiness check that keeps updates of one kind away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The kind of product it blocks.
    pub kind: crate::update::ProductKind,
    /// Why, in one sentence.
    pub why: String,
}

/// Something an update must not reach, with owner, reason and end ★.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The product that is kept away; `None`: every product.
    pub product: Option<ProductId>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// First date on which it counts, in the room's zone.
    pub since: NaiveDate,
    /// Last date on which it counts, in the room's zone.
    pub until: NaiveDate,
}

/// One thing in a room that runs an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// Model, as the vendor writes it.
    pub model: String,
    /// What it reported about itself; at most one entry a product.
    pub components: Vec<Component>,
}

/// A product on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// What it is.
    pub product: ProductId,
    /// The installed version; `None` where the device does not say.
    pub version: Option<String>,
}

impl Device {
    /// What the device reported about `product`.
    #[must_use]
    pub fn component(&self, product: &ProductId) -> Option<&Component> {
        self.components.iter().find(|component| component.product == *product)
    }
}

impl Room {
    /// The freeze in which nothing starts in this room on `date`, a date in its zone (W6).
    #[must_use]
    pub fn frozen<'f>(&'f self, plans: &'f Freezes, date: NaiveDate) -> Option<&'f Freeze> {
        let own = self.freezes.iter().find(|freeze| freeze.covers(date));
        own.or_else(|| plans.on(self.ring, date))
    }

    /// The hold that keeps updates of `product` away on `date`, if any.
    #[must_use]
    pub fn held(&self, product: &ProductId, date: NaiveDate) -> Option<&Hold> {
        self.holds.iter().find(|hold| {
            hold.since <= date && date <= hold.until && hold.product.as_ref().is_none_or(|held| held == product)
        })
    }
}
