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

impl RingId {
    /// The one implicit ring of a rollout in Automatic mode: all rooms (S12). No row has this id.
    pub const ALL_ROOMS: Self = Self(Uuid::nil());
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
