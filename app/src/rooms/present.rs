//! Rooms in the words of their pages: the list here; one room in [`room`]; what people change in [`room_forms`], [`devices`], [`sites`] and
//! [`import`].
//!
//! Start with [`RequestContext::list_rooms`]. What stands in a room, and how it stands, is worked out by `service::read::rooms`.

mod devices;
mod import;
mod room;
mod room_forms;
mod sites;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::ids::{RingId, RoomId, SiteId};
use domain::zone::Zone;
use service::read::rooms::{RoomCursor, RoomFilter, RoomItem, WhichRooms};
use service::read::{PageOf, ReadSnapshot};
use uuid::Uuid;

use crate::components::model::Choice;
use crate::context::{RequestContext, Result, ring_view};
use crate::formats;
use crate::rooms::model::{RoomRow, RoomsQuery, RoomsView};

impl RequestContext {
    /// A page of rooms (P4, P0).
    pub async fn list_rooms(&self, query: RoomsQuery) -> Result<RoomsView> {
        let mut snapshot = self.snapshot().await?;
        let page = page_of(&query.after, &query.before);
        let list = snapshot.room_list(&room_filter(&query), &page, formats::PAGE).await?;
        let text = formats::count(list.total, "room", "rooms");
        let pager = formats::paged(text, &list.rooms, |name, room| {
            formats::query(&[
                ("q", &query.q),
                ("ring", &query.ring),
                ("site", &query.site),
                ("state", &query.state),
                (name, &cursor_text(room)),
            ])
        });
        let rows = list.rooms.items.into_iter().map(|room| room_row(&snapshot, room));
        let rows = rows.collect();
        let sites = snapshot.sites().await?.into_iter().map(|site| Choice {
            value: site.id.to_string(),
            label: site.name,
        });
        Ok(RoomsView {
            rows,
            rings: ring_choices(&snapshot),
            sites: sites.collect(),
            pager,
            total: list.total,
            may_move: self.viewer.actor.role.may(Act::EditRings),
        })
    }
}

/// The rooms that an address asks for, on all pages.
#[must_use]
pub fn room_filter(query: &RoomsQuery) -> RoomFilter {
    RoomFilter {
        words: query.q.clone(),
        ring: query.ring.parse::<RingId>().ok(),
        site: query.site.parse::<SiteId>().ok(),
        which: match query.state.as_str() {
            "retired" => WhichRooms::Retired,
            "unhealthy" => WhichRooms::Unhealthy,
            "onboarding" => WhichRooms::Onboarding,
            _ => WhichRooms::NotRetired,
        },
    }
}

/// The page of rooms by name that an address asks for.
pub(crate) fn page_of(after: &str, before: &str) -> PageOf<RoomCursor> {
    match (room_cursor(after), room_cursor(before)) {
        (_, Some(room)) => PageOf::Before(room),
        (Some(room), None) => PageOf::After(room),
        (None, None) => PageOf::First,
    }
}

/// `name_key|id`.
#[must_use]
pub fn room_cursor(text: &str) -> Option<RoomCursor> {
    // No page has given one with a NUL, and Postgres cannot be asked for it.
    let (key, id) = text.rsplit_once('|').filter(|(key, _)| !key.contains('\0'))?;
    let id = id.parse::<Uuid>().ok()?;
    Some(RoomCursor {
        name_key: key.to_owned(),
        id: RoomId(id),
    })
}

/// [`room_cursor`], as an address has it.
pub(crate) fn cursor_text(room: &RoomCursor) -> String {
    format!("{}|{}", room.name_key, room.id)
}

pub(crate) fn local_time(zone: &Zone, now: DateTime<Utc>) -> String {
    format!("{} ({})", zone.local(now).wall.format("%a %-d %b, %H:%M"), zone.city())
}

fn ring_choices(snapshot: &ReadSnapshot) -> Vec<Choice> {
    let choices = snapshot.rings.iter().map(|ring| Choice {
        value: ring.id.to_string(),
        label: ring.name.clone(),
    });
    choices.collect()
}

pub(crate) fn place(building: &str, floor: &str) -> String {
    match (building.is_empty(), floor.is_empty()) {
        (true, true) => String::new(),
        (false, true) => building.to_owned(),
        (true, false) => format!("Floor {floor}"),
        (false, false) => format!("{building}, floor {floor}"),
    }
}

fn room_row(snapshot: &ReadSnapshot, room: RoomItem) -> RoomRow {
    let next_start = room.next_start.as_ref();
    RoomRow {
        id: room.id,
        place: place(&room.building, &room.floor),
        ring: ring_view(snapshot, room.ring),
        local_time: local_time(&room.zone, snapshot.now),
        health: room.health,
        tickets: room.open_tickets,
        devices: room.devices,
        models: room.models.join(", "),
        scheduled: room.updates.scheduled,
        paused: room.updates.paused,
        running: room.updates.running,
        failed: room.updates.failed,
        next_window: next_start.map(|start| formats::start(start, &room.zone, snapshot.now)),
        name: room.name,
        site: room.site,
    }
}
