//! Moving rooms into another ring, all or none (R12–R14).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::changes::{Changes, MovedRooms, Wake};
use crate::ids::{RingId, RoomId};
use crate::refusal::Refusal;
use crate::ring::RingSequence;

/// Where a room stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomInRing {
    pub room: RoomId,
    pub name: String,
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

/// Rooms that go to another ring.
#[derive(Clone, Debug)]
pub struct RoomMove {
    /// By the ring that they leave.
    pub leaving: BTreeMap<RingId, Vec<RoomInRing>>,
    /// What is written.
    pub changes: Changes,
}

/// `from`: the ring in which the rooms were seen, where that was one. `are_named`: each was named, and not all that match.
///
/// # Errors
/// There is no such ring, somebody has moved a room meanwhile (R3), or it is there already.
pub fn move_rooms(
    rings: &RingSequence,
    rooms: &[RoomInRing],
    are_named: bool,
    from: Option<RingId>,
    to: RingId,
    now: DateTime<Utc>,
) -> Result<RoomMove, Refusal> {
    let target = rings.get(to).ok_or(Refusal::NoSuchRing)?;
    let mut leaving: BTreeMap<RingId, Vec<RoomInRing>> = BTreeMap::new();
    for place in rooms {
        if from.is_some_and(|from| from != place.ring) {
            let (room, ring) = (place.name.clone(), name_of(rings, place.ring));
            return Err(Refusal::MovedMeanwhile { room, ring });
        }
        if place.ring != to {
            leaving.entry(place.ring).or_default().push(place.clone());
        } else if are_named {
            let (room, ring) = (place.name.clone(), target.name.clone());
            return Err(Refusal::InRingAlready { room, ring });
        }
    }
    if leaving.is_empty() {
        let ring = target.name.clone();
        return Err(Refusal::AllInRingAlready { ring });
    }
    let moved = leaving.iter().map(|(from, rooms)| MovedRooms {
        rooms: Some(rooms.iter().map(|place| place.room).collect()),
        from: *from,
        to,
    });
    let changes = Changes {
        moved_rooms: moved.collect(),
        woken: vec![Wake::rollouts(now)],
        ..Changes::default()
    };
    Ok(RoomMove { leaving, changes })
}

fn name_of(rings: &RingSequence, ring: RingId) -> String {
    rings.get(ring).map_or_else(String::new, |ring| ring.name.clone())
}
