//! The rooms of an update, with status and reason (P3, P4).

use domain::ids::{RingId, StageOf};
use domain::ring::RingPlace;
use domain::status::RoomStatus;
use service::read::updates::rooms::{RingOfRoom, UpdateRoomCounts, UpdateRoomFilter, UpdateRoomItem, UpdateRoomPage};
use service::read::{ExpectedStart, ReadSnapshot, UpdateSummary};

use crate::components::model::{Choice, Pager, RingView};
use crate::context::{Result, ring_view};
use crate::error::AppError;
use crate::formats;
use crate::rooms::present::cursor_text;
use crate::updates::model::{UpdateRoomRow, UpdateRoomsQuery};

/// The statuses of rooms in the order of their chips, with their words in the address and their labels.
const CHIPS: [(RoomStatus, &str, &str); 7] = [
    (RoomStatus::Failed, "failed", "Failed"),
    (RoomStatus::InProgress, "in-progress", "In progress"),
    (RoomStatus::Scheduled, "scheduled", "Scheduled"),
    (RoomStatus::Paused, "paused", "Paused"),
    (RoomStatus::Completed, "completed", "Completed"),
    (RoomStatus::Deprecated, "deprecated", "Deprecated"),
    (RoomStatus::NotRequired, "not-required", "Not required"),
];

/// The chips: (word in the address, label, rooms).
pub(crate) fn statuses(counts: &UpdateRoomCounts) -> Vec<(String, String, i64)> {
    let chips = CHIPS.into_iter();
    let chips = chips.map(|(status, word, label)| (word, label, counts.of(Some(status))));
    let shown = chips.filter(|(_, _, rooms)| *rooms > 0);
    std::iter::once(("", "All", counts.all))
        .chain(shown)
        .map(|(word, label, rooms)| (word.to_owned(), label.to_owned(), rooms))
        .collect()
}

/// The rooms of an update that an address asks for.
///
/// # Errors
/// It names a status that no room has.
pub fn room_filter(query: &UpdateRoomsQuery) -> Result<UpdateRoomFilter> {
    let status = match query.status.as_str() {
        "" => None,
        status => {
            let chip = CHIPS.into_iter().find(|(_, word, _)| *word == status);
            let unknown = || AppError::invalid("status", format!("{status:?} is not a status of a room"));
            Some(chip.ok_or_else(unknown)?.0)
        }
    };
    Ok(UpdateRoomFilter {
        status,
        ring: query.ring.parse::<RingId>().ok(),
    })
}

/// The pager of an update's rooms.
pub(crate) fn rooms_pager(query: &UpdateRoomsQuery, rooms: &UpdateRoomPage) -> Pager {
    let text = formats::count(rooms.total, "room", "rooms");
    formats::paged(text, &rooms.page, |name, room| {
        let room = cursor_text(room);
        formats::query(&[("status", &query.status), ("ring", &query.ring), (name, &room)])
    })
}

pub(crate) fn room_row(snapshot: &ReadSnapshot, item: &UpdateRoomItem) -> UpdateRoomRow {
    UpdateRoomRow {
        room: item.room,
        name: item.name.clone(),
        site: item.site.clone(),
        ring: room_ring(snapshot, &item.ring),
        status: item.status,
        why: item.why.clone(),
        next: item.when(snapshot.now),
        has_window: matches!(item.start, Some(ExpectedStart::Window(_))),
        ticket: item.ticket,
        attempt: item.attempt(),
        catch_up: item.is_catch_up(),
    }
}

fn room_ring(snapshot: &ReadSnapshot, ring: &RingOfRoom) -> RingView {
    match ring.place {
        Some(place) => stage_ring(StageOf::Ring(ring.id), &ring.name, place),
        None => ring_view(snapshot, ring.id),
    }
}

/// A ring as a rollout has it. The one of all rooms (S12) has no place on the scale, so it has a badge of its own.
pub(crate) fn stage_ring(of: StageOf, name: &str, place: RingPlace) -> RingView {
    RingView {
        name: name.to_owned(),
        badge: match of {
            StageOf::AllRooms => "A".to_owned(),
            StageOf::Ring(_) => place.badge(),
        },
        scale: place.scale(),
    }
}

/// The rings in which the rooms of an update stand, for the filter.
pub(crate) fn ring_choices(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> Vec<Choice> {
    let choice = |id: RingId, name: &str| Choice {
        value: id.to_string(),
        label: name.to_owned(),
    };
    match summary.rollout.automatic_days {
        Some(_) => snapshot.rings.iter().map(|ring| choice(ring.id, &ring.name)).collect(),
        None => {
            let stages = summary.calendar.iter();
            stages
                .filter_map(|stage| stage.ring.ring().map(|ring| choice(ring, &stage.name)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::deployment::Progress;
    use domain::rollout::RolloutState;
    use domain::status::RoomsByStatus;

    use super::*;

    #[test]
    fn an_address_asks_for_the_rooms_of_a_status_or_is_refused() {
        let filter = |status: &str| {
            room_filter(&UpdateRoomsQuery {
                status: status.to_owned(),
                ..UpdateRoomsQuery::default()
            })
        };
        assert_eq!(filter("").map(|filter| filter.status), Ok(None));
        for (status, word, _) in CHIPS {
            assert_eq!(filter(word).map(|filter| filter.status), Ok(Some(status)), "{word}");
        }
        assert!(filter("late").is_err());
    }

    #[test]
    fn a_status_without_rooms_has_no_chip() {
        let counts = UpdateRoomCounts {
            all: 2,
            rooms: RoomsByStatus::of([(Progress::Failed, 2)], &RolloutState::Running),
        };
        let chips = statuses(&counts);
        let chips: Vec<(&str, i64)> = chips.iter().map(|(word, _, rooms)| (word.as_str(), *rooms)).collect();
        assert_eq!(chips, [("", 2), ("failed", 2)]);
    }
}
