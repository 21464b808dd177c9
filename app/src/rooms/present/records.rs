//! Pages of rows as the store has them, for the features that have no read models yet.

use domain::ids::RoomId;
use service::store::RoomListRecord;

use super::room_cursor;
use crate::components::model::Pager;
use crate::context::PAGE;

pub(crate) fn cursor(text: &str) -> Option<(String, RoomId)> {
    room_cursor(text).map(|room| (room.name_key, room.id))
}

/// Takes the one record too many away that was asked for to learn whether there are more; whether there are.
pub(crate) fn cut<T>(records: &mut Vec<T>, backwards: bool) -> bool {
    let page = usize::try_from(PAGE).unwrap_or(50);
    let more = records.len() > page;
    if more && backwards {
        records.remove(0);
    }
    records.truncate(page);
    more
}

/// The pager of a list of rooms by name, of which `records` are a page. The address said that it starts after a room,
/// or ends before one: (after, before). `more`: [`cut`]. `with` writes the list's query string with a cursor: (name,
/// value).
pub(crate) fn pager(
    text: String,
    (after, before): (bool, bool),
    records: &[RoomListRecord],
    more: bool,
    with: impl Fn(&str, &str) -> String,
) -> Pager {
    let at = |name: &str, record: &RoomListRecord| with(name, &format!("{}|{}", record.name_key, record.id));
    let has_previous = if before { more } else { after };
    let has_next = before || more;
    Pager {
        text,
        previous: records
            .first()
            .filter(|_| has_previous)
            .map(|first| at("before", first)),
        next: records.last().filter(|_| has_next).map(|last| at("after", last)),
    }
}
