//! Identities. Every id is a type of its own, so that a room can never stand where a ring is wanted.
//!
//! Ids are UUIDs made by the service (version 7, from the injected clock); this crate only carries them. Two exceptions:
//! [`ProductId`] is the catalogue's own name of a product, which devices report as it is, and [`ActionId`] is the positive
//! 32-bit number that DDI clients see (`docs/devices.md` 2.5).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_ids! {
    /// A ring of rooms.
    RingId,
    /// A place with rooms.
    SiteId,
    /// A meeting room.
    RoomId,
    /// A device in a room. On the wire it goes by its controller id instead.
    DeviceId,
    /// A release that was published. A rollout is an update's way through the rings, so it goes by the same id.
    UpdateId,
    /// One update in one room.
    DeploymentId,
    /// Something a person must look at.
    TicketId,
    /// A hold on a room, a model or a site.
    HoldId,
    /// A span of dates in which nothing starts.
    FreezeId,
    /// Somebody with an account.
    PersonId,
    /// A token of a program. Not the token itself.
    TokenId,
    /// Something that is announced on Home.
    AnnouncementId,
}

/// Whose rooms a stage of a rollout concerns, and in whose counts a deployment stands.
///
/// As text, and so as a key in JSON, it is the ring's id or `all-rooms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StageOf {
    /// All rooms: the one implicit ring of a rollout in Automatic mode (S12). It comes before every ring, as in the rows.
    AllRooms,
    /// The rooms of a ring.
    Ring(RingId),
}

impl StageOf {
    const ALL_ROOMS: &'static str = "all-rooms";

    /// The ring, where it is one.
    #[must_use]
    pub fn ring(self) -> Option<RingId> {
        match self {
            Self::AllRooms => None,
            Self::Ring(ring) => Some(ring),
        }
    }
}

impl From<RingId> for StageOf {
    fn from(ring: RingId) -> Self {
        Self::Ring(ring)
    }
}

impl fmt::Display for StageOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllRooms => f.write_str(Self::ALL_ROOMS),
            Self::Ring(ring) => ring.fmt(f),
        }
    }
}

impl std::str::FromStr for StageOf {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == Self::ALL_ROOMS {
            Ok(Self::AllRooms)
        } else {
            text.parse().map(Self::Ring)
        }
    }
}

impl TryFrom<String> for StageOf {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StageOf> for String {
    fn from(stage: StageOf) -> Self {
        stage.to_string()
    }
}

/// The catalogue's name of a product, for example `teams-rooms-app-windows`: 1 to 80 characters of `a-z 0-9 -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(pub String);

/// The text is no catalogue's name of a product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("product {0:?} must be 1 to 80 characters of a-z, 0-9 and -")]
pub struct MalformedProductId(pub String);

impl ProductId {
    /// Takes a product name as it stands in a catalogue or in a device's report.
    ///
    /// # Errors
    /// It breaks a limit; the error names all of them.
    pub fn parse(text: &str) -> Result<Self, MalformedProductId> {
        let well_formed = !text.is_empty()
            && text.len() <= 80
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedProductId(text.to_owned()))
        }
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProductId({})", self.0)
    }
}

/// One attempt to install one update on one device, as DDI clients know it: 1 to 2 147 483 647.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub i32);

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActionId({})", self.0)
    }
}

/// Makes ids for new deployments. The service's come from its clock and randomness, the simulator's from a counter.
pub trait NewIds {
    /// An id that was never given before.
    fn deployment(&mut self) -> DeploymentId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_stage_is_a_rings_id_or_all_rooms_s12() {
        let ring = StageOf::Ring(RingId(Uuid::from_u128(7)));
        for stage in [StageOf::AllRooms, ring] {
            assert_eq!(stage.to_string().parse::<StageOf>().expect("its own text"), stage);
        }
        assert_eq!(ring.to_string(), Uuid::from_u128(7).to_string());
        assert!("Staging".parse::<StageOf>().is_err());
        assert!(StageOf::AllRooms < ring, "as in the rows");
    }
}
