//! Rooms, the devices in them and what those report (SPEC 1).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::freeze::{Freeze, Freezes};
use crate::ids::{DeviceId, ProductId, RingId, RoomId};
use crate::readiness::BlockScope;
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

/// A room's health (I4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// A device is in contact, and no ticket troubles the room.
    Healthy,
    /// An open Critical or Important ticket, or a recorded one.
    Unhealthy,
    /// No device has checked in for as long as the settings say.
    Unmonitored,
    /// New.
    Onboarding,
    /// What would make it unhealthy is suppressed for the time being (I3).
    Suppressed,
}

/// How tickets trouble a room (I3, I4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthImpact {
    /// None does.
    None,
    /// Those that would are suppressed.
    Suppressed,
    /// One does.
    Open,
}

impl HealthImpact {
    /// What follows from so many open tickets that make a room unhealthy, apart from those that are suppressed.
    #[must_use]
    pub fn of(open: i64, suppressed: i64) -> Self {
        match (open, suppressed) {
            (0, 0) => Self::None,
            (0, _) => Self::Suppressed,
            _ => Self::Open,
        }
    }
}

impl Health {
    /// The health of a room in this state. `in_contact`: a device of it is in contact.
    #[must_use]
    pub fn of(state: RoomState, impact: HealthImpact, in_contact: bool) -> Self {
        match (state, impact) {
            (RoomState::Onboarding, _) => Self::Onboarding,
            (RoomState::Managed | RoomState::Retired, HealthImpact::Open) => Self::Unhealthy,
            (RoomState::Managed | RoomState::Retired, _) if !in_contact => Self::Unmonitored,
            (RoomState::Managed | RoomState::Retired, HealthImpact::Suppressed) => Self::Suppressed,
            (RoomState::Managed | RoomState::Retired, HealthImpact::None) => Self::Healthy,
        }
    }

    /// The word on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Unhealthy => "Unhealthy",
            Self::Unmonitored => "Unmonitored",
            Self::Onboarding => "Onboarding",
            Self::Suppressed => "Suppressed",
        }
    }
}

/// What a room's health follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HealthFacts {
    /// Whether it takes part.
    pub state: RoomState,
    /// Open tickets that make it unhealthy.
    pub tickets: i64,
    /// Open tickets that would, if they were not suppressed (I3).
    pub suppressed: i64,
    pub devices: i64,
    /// Those of them that have checked in lately.
    pub in_contact: i64,
    /// Minutes without a check-in of any device, after which the room is unmonitored: a setting.
    pub unmonitored_minutes: u32,
    /// Whether any of them ever has.
    pub ever_seen: bool,
}

impl HealthFacts {
    /// The health that follows.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::of(
            self.state,
            HealthImpact::of(self.tickets, self.suppressed),
            self.in_contact > 0,
        )
    }

    /// Why the health is what it is, in a sentence or two.
    #[must_use]
    pub fn sentence(&self) -> String {
        let noun = if self.devices == 1 { "device" } else { "devices" };
        let contact = format!("{} of {} {noun} in contact", self.in_contact, self.devices);
        match self.health() {
            Health::Healthy => format!("{contact}."),
            Health::Unhealthy if self.tickets == 1 => format!("1 open ticket. {contact}."),
            Health::Unhealthy => format!("{} open tickets. {contact}.", self.tickets),
            Health::Suppressed if self.suppressed == 1 => format!("1 open ticket is suppressed. {contact}."),
            Health::Suppressed => format!("{} open tickets are suppressed. {contact}.", self.suppressed),
            Health::Unmonitored if self.devices == 0 => "It has no devices.".to_owned(),
            Health::Unmonitored if self.ever_seen => {
                format!(
                    "{contact}: no check-in for {} minutes or more.",
                    self.unmonitored_minutes
                )
            }
            Health::Unmonitored => format!("{contact}: no check-in yet."),
            Health::Onboarding => format!("New, not scheduled yet. {contact}."),
        }
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
    /// What its checks keep away from it (C2, S13).
    pub blocks: Vec<Block>,
    /// Holds that concern the room itself, its site or a model in it ★.
    pub holds: Vec<Hold>,
    /// Freezes of the room itself or of its site (W6). Those of its ring and of the organisation are [`crate::freeze::Freezes`].
    pub freezes: Vec<Freeze>,
    /// What is in it.
    pub devices: Vec<Device>,
    /// The last supported day of what its devices have, by product, as far as an end is known (L1).
    #[serde(default)]
    pub supported_until: BTreeMap<ProductId, NaiveDate>,
}

/// A readiness check keeps something away from a room (C2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it keeps away.
    pub scope: BlockScope,
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
    /// Who says so.
    #[serde(default)]
    pub source: VersionSource,
}

/// Where a component's version comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionSource {
    /// The device has named it.
    #[default]
    Reported,
    /// A file, and the device has not named it yet: some never can (`docs/devices.md` 3).
    Imported,
}

impl Device {
    /// What the device reported about `product`.
    #[must_use]
    pub fn component(&self, product: &ProductId) -> Option<&Component> {
        self.components.iter().find(|component| component.product == *product)
    }
}

impl Room {
    /// Whether the version of a product that it has is out of support on `date`, a date in its zone (L1).
    #[must_use]
    pub fn is_out_of_support(&self, product: &ProductId, date: NaiveDate) -> bool {
        self.supported_until.get(product).is_some_and(|last| *last < date)
    }

    /// The freeze in which nothing starts in this room on `date`, a date in its zone (W6).
    #[must_use]
    pub fn freeze_on<'f>(&'f self, plans: &'f Freezes, date: NaiveDate) -> Option<&'f Freeze> {
        let own = self.freezes.iter().find(|freeze| freeze.covers(date));
        own.or_else(|| plans.on(self.ring, date))
    }

    /// The hold that keeps updates of `product` away on `date`, if any.
    #[must_use]
    pub fn hold_on(&self, product: &ProductId, date: NaiveDate) -> Option<&Hold> {
        self.holds.iter().find(|hold| {
            hold.since <= date && date <= hold.until && hold.product.as_ref().is_none_or(|held| held == product)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health_facts(state: RoomState, tickets: i64, in_contact: i64) -> HealthFacts {
        HealthFacts {
            state,
            tickets,
            suppressed: 0,
            devices: 3,
            in_contact,
            ever_seen: true,
            unmonitored_minutes: 30,
        }
    }

    #[test]
    fn health_follows_from_state_tickets_and_contact_in_this_order_i4() {
        for (state, tickets, in_contact, health) in [
            (RoomState::Managed, 0, 1, Health::Healthy),
            (RoomState::Managed, 1, 3, Health::Unhealthy),
            (RoomState::Managed, 1, 0, Health::Unhealthy),
            (RoomState::Managed, 0, 0, Health::Unmonitored),
            (RoomState::Onboarding, 1, 0, Health::Onboarding),
            (RoomState::Retired, 0, 0, Health::Unmonitored),
        ] {
            assert_eq!(health_facts(state, tickets, in_contact).health(), health);
        }
    }

    #[test]
    fn a_room_is_suppressed_while_all_that_troubles_it_is_i3_i4() {
        let with = |tickets, suppressed| HealthFacts {
            suppressed,
            ..health_facts(RoomState::Managed, tickets, 3)
        };
        assert_eq!(with(0, 1).health(), Health::Suppressed);
        assert_eq!(with(1, 1).health(), Health::Unhealthy);
        let away = HealthFacts {
            in_contact: 0,
            ..with(0, 1)
        };
        assert_eq!(away.health(), Health::Unmonitored, "nobody knows how it is");
        assert_eq!(
            with(0, 1).sentence(),
            "1 open ticket is suppressed. 3 of 3 devices in contact."
        );
        let new = HealthFacts {
            state: RoomState::Onboarding,
            ..with(0, 2)
        };
        assert_eq!(new.health(), Health::Onboarding);
    }

    #[test]
    fn its_sentence_says_how_many_devices_are_in_contact_i4() {
        let sentence = |tickets, in_contact| health_facts(RoomState::Managed, tickets, in_contact).sentence();
        assert_eq!(sentence(0, 1), "1 of 3 devices in contact.");
        assert_eq!(sentence(1, 3), "1 open ticket. 3 of 3 devices in contact.");
        assert_eq!(sentence(2, 0), "2 open tickets. 0 of 3 devices in contact.");
        assert_eq!(
            sentence(0, 0),
            "0 of 3 devices in contact: no check-in for 30 minutes or more."
        );
        let new = HealthFacts {
            devices: 1,
            ever_seen: false,
            ..health_facts(RoomState::Managed, 0, 0)
        };
        assert_eq!(new.sentence(), "0 of 1 device in contact: no check-in yet.");
        let empty = HealthFacts { devices: 0, ..new };
        assert_eq!(empty.sentence(), "It has no devices.");
        assert_eq!(
            health_facts(RoomState::Onboarding, 0, 2).sentence(),
            "New, not scheduled yet. 2 of 3 devices in contact."
        );
    }
}
