//! Moving rooms into another ring, all or none (R12–R14).

use std::collections::BTreeMap;

use crate::ids::{RingId, RoomId};
use crate::refusal::Refusal;
use crate::ring::RingSequence;

/// Where a room stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomInRing {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Its ring.
    pub ring: RingId,
}

/// Whether all rooms that somebody has named are there.
///
/// # Errors
/// None was named, or one is not there.
pub fn check_all_found(named: usize, found: usize) -> Result<(), Refusal> {
    match (named, found) {
        (0, _) => Err(Refusal::NoRooms),
        (named, found) if found < named => Err(Refusal::NoSuchRoom),
        _ => Ok(()),
    }
}

/// The rooms that go to another ring, by the ring that they leave. `from`: the ring in which they were seen, where that was one.
/// `are_named`: each was named, and not all that match.
///
/// # Errors
/// There is no such ring, somebody has moved a room meanwhile (R3), or it is there already.
pub fn move_rooms(
    rings: &RingSequence,
    rooms: Vec<RoomInRing>,
    are_named: bool,
    from: Option<RingId>,
    to: RingId,
) -> Result<BTreeMap<RingId, Vec<RoomInRing>>, Refusal> {
    let target = rings.get(to).ok_or(Refusal::NoSuchRing)?;
    let mut leaving: BTreeMap<RingId, Vec<RoomInRing>> = BTreeMap::new();
    for place in rooms {
        if from.is_some_and(|from| from != place.ring) {
            let ring = rings.get(place.ring).map_or_else(String::new, |ring| ring.name.clone());
            return Err(Refusal::MovedMeanwhile { room: place.name, ring });
        }
        if place.ring != to {
            leaving.entry(place.ring).or_default().push(place);
        } else if are_named {
            let ring = target.name.clone();
            return Err(Refusal::InRingAlready { room: place.name, ring });
        }
    }
    if leaving.is_empty() {
        let ring = target.name.clone();
        return Err(Refusal::AllInRingAlready { ring });
    }
    Ok(leaving)
}
