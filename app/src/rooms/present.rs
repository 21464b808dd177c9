//! Rooms in the words of their pages.

mod changes;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::deployment::DeploymentState;
use domain::ids::{ProductId, RingId, RoomId, SiteId, UpdateId};
use domain::room::{Block, Room, RoomState};
use domain::status::RoomStatus;
use domain::time_text;
use domain::update::{Applicability, ProductKind, Update, titled};
use domain::zone::Zone;
use service::read::{ReadSnapshot, UpdateInRoom};
use service::store::{DeviceDetail, RoomFilter, RoomListRecord, RoomWork};
use uuid::Uuid;

use crate::components::model::{Choice, HistoryRow, Pager};
use crate::context::{PAGE, RequestContext, Result, ring_view};
use crate::error::AppError;
use crate::formats;
use crate::rooms::model::{
    ComponentView, DeviceView, RoomHead, RoomHistory, RoomOverview, RoomRow, RoomTickets, RoomUpdateRow, RoomUpdates,
    RoomsQuery, RoomsView,
};

impl RequestContext {
    /// A page of rooms (P4, P0).
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_rooms(&self, query: RoomsQuery) -> Result<RoomsView> {
        let mut snapshot = self.snapshot().await?;
        let filter = room_filter(&query, snapshot.now);
        let mut records = snapshot.tx.room_page(&filter, PAGE + 1).await?;
        let total = snapshot.rooms_found(&filter).await?;
        let more = cut(&mut records, filter.before.is_some());
        let text = formats::count(total, "room", "rooms");
        let ends = (filter.after.is_some(), filter.before.is_some());
        let pager = pager(text, ends, &records, more, |name, cursor| {
            formats::query(&[
                ("q", &query.q),
                ("ring", &query.ring),
                ("site", &query.site),
                ("state", &query.state),
                (name, cursor),
            ])
        });
        let ids: Vec<RoomId> = records.iter().map(|record| record.id).collect();
        let work = snapshot.tx.work_in(&ids, snapshot.now).await?;
        // The freezes of a room matter only where something waits for a night.
        let with_night = work.iter().filter(|(_, work)| !work.nights.is_empty());
        let with_night: Vec<RoomId> = with_night.map(|(id, _)| *id).collect();
        let rooms = snapshot.rooms(&with_night).await?;
        let rows = records
            .iter()
            .map(|record| room_row(&snapshot, record, work.get(&record.id), rooms.get(&record.id)))
            .collect();
        let sites = snapshot.tx.sites().await?;
        let rings = snapshot
            .rings
            .iter()
            .map(|ring| Choice {
                value: ring.id.to_string(),
                label: ring.name.clone(),
            })
            .collect();
        let sites = sites
            .into_iter()
            .map(|site| Choice {
                value: site.id.to_string(),
                label: site.name,
            })
            .collect();
        Ok(RoomsView {
            rows,
            rings,
            sites,
            pager,
            total,
            may_move: self.viewer.actor.role.may(Act::EditRings),
        })
    }

    /// A room's Overview.
    ///
    /// # Errors
    /// There is no such room, or the database fails.
    pub async fn room_overview(&self, id: RoomId) -> Result<RoomOverview> {
        let mut snapshot = self.snapshot().await?;
        let (head, room) = head(&mut snapshot, id).await?;
        let year = formats::year(&snapshot);
        let details = snapshot.tx.device_details(id).await?;
        let recommended = recommended(&mut snapshot, &room, &details).await?;
        let devices = details.into_iter();
        let devices = devices.map(|device| device_view(&snapshot, &room, device, &recommended));
        let devices = devices.collect();
        let holds = room.holds.iter().map(|hold| {
            let what = hold
                .product
                .as_ref()
                .map_or_else(|| "All updates".to_owned(), ToString::to_string);
            format!(
                "{what}: held by {} until {}: {}.",
                hold.owner,
                time_text::date(hold.until, year),
                hold.reason
            )
        });
        let blocks = room
            .blocks
            .iter()
            .map(|block| (block.kind.label().to_owned(), formats::sentence(&block.why)));
        Ok(RoomOverview {
            head,
            devices,
            holds: holds.collect(),
            blocks: blocks.collect(),
        })
    }

    /// A room's Updates.
    ///
    /// # Errors
    /// There is no such room, or the database fails.
    pub async fn room_updates(&self, id: RoomId) -> Result<RoomUpdates> {
        let mut snapshot = self.snapshot().await?;
        let (head, room) = head(&mut snapshot, id).await?;
        let published = snapshot.tx.published(false).await?;
        let mine: Vec<_> = published
            .into_iter()
            .filter(|record| {
                room.devices
                    .iter()
                    .any(|device| device.component(&record.product).is_some())
            })
            .collect();
        let ids: Vec<UpdateId> = mine.iter().map(|record| record.id).collect();
        let planned = snapshot.updates_for_planning(&ids).await?;
        let rollouts = snapshot.tx.rollouts(&ids).await?;
        let known = ids.iter().filter_map(|id| planned.get(id).zip(rollouts.get(id)));
        let known: Vec<_> = known.collect();
        let mut by_update = snapshot.updates_in_room(&room, &known).await?;
        let mut rows = Vec::with_capacity(mine.len());
        for record in mine {
            let (Some(in_room), Some(rollout)) = (by_update.remove(&record.id), rollouts.get(&record.id)) else {
                continue;
            };
            let from = in_room
                .deployment
                .as_ref()
                .and_then(|deployment| deployment.from_version.clone());
            let from = from.map(|version| format!(" · from {version}")).unwrap_or_default();
            rows.push(RoomUpdateRow {
                update: record.id,
                title: titled(&record.title, &record.version),
                sub: format!("{} · {}{from}", record.vendor, record.kind.label()),
                kind: record.kind,
                may_retry: in_room.status == RoomStatus::Failed
                    && self.viewer.actor.role.may(Act::RetryRoom)
                    && rollout.may_start_rooms(),
                status: in_room.status,
                when: when_of(&snapshot, &room, &in_room),
                why: in_room.why,
            });
        }
        rows.sort_by_key(|row| std::cmp::Reverse(rank(row.status)));
        Ok(RoomUpdates { head, rows })
    }

    /// A room's Tickets.
    ///
    /// # Errors
    /// There is no such room, or the database fails.
    pub async fn room_tickets(&self, id: RoomId) -> Result<RoomTickets> {
        let mut snapshot = self.snapshot().await?;
        let (head, room) = head(&mut snapshot, id).await?;
        let tickets = snapshot.tickets_of_room(id).await?;
        Ok(RoomTickets {
            head,
            rows: tickets
                .iter()
                .map(|ticket| crate::tickets::present::row(ticket, &room.zone, snapshot.now))
                .collect(),
        })
    }

    /// A room's History.
    ///
    /// # Errors
    /// There is no such room, or the database fails.
    pub async fn room_history(&self, id: RoomId) -> Result<RoomHistory> {
        let mut snapshot = self.snapshot().await?;
        let (head, room) = head(&mut snapshot, id).await?;
        let events = snapshot.tx.events_of_room(id, 200).await?;
        let audit = snapshot.tx.audit_of("room", &id.to_string(), 100).await?;
        let ids: Vec<UpdateId> = events.iter().map(|event| event.update).collect();
        let titles: BTreeMap<UpdateId, String> = snapshot
            .updates_for_planning(&ids)
            .await?
            .into_iter()
            .map(|(id, update)| (id, update.title()))
            .collect();
        let mut rows: Vec<(DateTime<Utc>, HistoryRow)> = Vec::new();
        for event in events {
            rows.push((
                event.at,
                HistoryRow {
                    at: formats::instant(event.at, &room.zone, snapshot.now),
                    about: titles.get(&event.update).cloned().unwrap_or_default(),
                    text: event.reason,
                    detail: String::new(),
                    bad: event.state == "failed",
                },
            ));
        }
        for record in audit {
            rows.push((
                record.at,
                HistoryRow {
                    at: formats::instant(record.at, &room.zone, snapshot.now),
                    about: String::new(),
                    text: record.entry.summary,
                    detail: record.entry.actor,
                    bad: false,
                },
            ));
        }
        rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(RoomHistory {
            head,
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        })
    }
}

/// The rooms that an address asks for.
#[must_use]
pub fn room_filter(query: &RoomsQuery, now: DateTime<Utc>) -> RoomFilter {
    RoomFilter {
        words: formats::searched(&query.q),
        ring: query.ring.parse::<RingId>().ok(),
        site: query.site.parse::<SiteId>().ok(),
        after: cursor(&query.after),
        before: cursor(&query.before),
        retired: query.state == "retired",
        unhealthy_at: (query.state == "unhealthy").then_some(now),
    }
}

/// `name_key|id`.
pub(crate) fn cursor(text: &str) -> Option<(String, RoomId)> {
    // No page has given one with a NUL, and Postgres cannot be asked for it.
    let (key, id) = text.rsplit_once('|').filter(|(key, _)| !key.contains('\0'))?;
    let id = id.parse::<Uuid>().ok()?;
    Some((key.to_owned(), RoomId(id)))
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

pub(crate) fn local_time(zone: &Zone, now: DateTime<Utc>) -> String {
    format!("{} ({})", zone.local(now).wall.format("%a %-d %b, %H:%M"), zone.city())
}

fn place(building: &str, floor: &str) -> String {
    match (building.is_empty(), floor.is_empty()) {
        (true, true) => String::new(),
        (false, true) => building.to_owned(),
        (true, false) => format!("Floor {floor}"),
        (false, false) => format!("{building}, floor {floor}"),
    }
}

/// `room`: the room, where something waits for a night in it.
fn room_row(snapshot: &ReadSnapshot, record: &RoomListRecord, work: Option<&RoomWork>, room: Option<&Room>) -> RoomRow {
    let nothing = RoomWork::default();
    let work = work.unwrap_or(&nothing);
    let mut models = work.models.clone();
    models.dedup();
    let next_window = match work.force {
        Some(force) => Some(formats::forced(force).to_owned()),
        None if work.nights.is_empty() && work.paused > 0 => Some(formats::AFTER_RESUME.to_owned()),
        None => room.zip(work.nights.first()).map(|(room, night)| {
            let window = snapshot.next_window(room, *night);
            time_text::window(&window, &room.zone, snapshot.now)
        }),
    };
    RoomRow {
        id: record.id,
        name: record.name.clone(),
        place: place(&record.building, &record.floor),
        site: record.site.clone(),
        ring: ring_view(snapshot, record.ring),
        local_time: local_time(&record.zone, snapshot.now),
        health: snapshot.health_facts(record.state, work).health(),
        tickets: work.open_tickets,
        devices: work.devices,
        models: models.join(", "),
        scheduled: work.scheduled,
        paused: work.paused,
        running: work.running,
        failed: work.failed,
        next_window,
    }
}

pub(crate) async fn head(snapshot: &mut ReadSnapshot, id: RoomId) -> Result<(RoomHead, Room)> {
    let missing = || AppError::NotFound {
        what: "This room".to_owned(),
    };
    let record = snapshot.tx.room_record(id).await?.ok_or_else(missing)?;
    let room = snapshot.rooms(&[id]).await?.remove(&id).ok_or_else(missing)?;
    let work = snapshot
        .tx
        .work_in(&[id], snapshot.now)
        .await?
        .remove(&id)
        .unwrap_or_default();
    let health_facts = snapshot.health_facts(record.state, &work);
    let first = work.nights.first().copied();
    let next = snapshot.next_window(&room, first.unwrap_or_else(|| room.zone.date(snapshot.now)));
    let in_it = work
        .nights
        .iter()
        .filter(|night| snapshot.next_window(&room, **night).night == next.night);
    let mut planned = match i64::try_from(in_it.count()).unwrap_or(0) {
        0 => "Nothing is planned.".to_owned(),
        updates => format!("{} planned.", formats::count(updates, "update", "updates")),
    };
    if let Some(force) = work.force {
        let forced = work.scheduled - i64::try_from(work.nights.len()).unwrap_or(0);
        let updates = formats::count(forced, "update is", "updates are");
        let when = formats::forced(force).to_lowercase();
        planned.push_str(&format!(" {updates} forced: {when}."));
    }
    if work.paused > 0 {
        let waits = formats::count(work.paused, "update waits", "updates wait");
        planned.push_str(&format!(" {waits} for the resume."));
    }
    let offset = room.zone.local(snapshot.now).offset_seconds / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    let mut meta = vec![record.site_name.clone()];
    meta.extend(Some(place(&record.building, &record.floor)).filter(|place| !place.is_empty()));
    meta.extend((record.capacity > 0).then(|| formats::count(record.capacity, "seat", "seats")));
    let head = RoomHead {
        id,
        name: record.name.clone(),
        zone: format!(
            "{}, UTC{sign}{}:{:02}",
            room.zone.name(),
            offset.abs() / 60,
            offset.abs() % 60
        ),
        meta,
        health: health_facts.health(),
        health_why: health_facts.sentence(),
        local_time: local_time(&room.zone, snapshot.now),
        ring: ring_view(snapshot, record.ring),
        next_window: time_text::window(&next, &room.zone, snapshot.now),
        next_window_work: planned,
        open_tickets: work.open_tickets,
        failed: (work.failed > 0).then(|| {
            format!(
                "{} failed here.",
                formats::count(work.failed, "update has", "updates have")
            )
        }),
        blocked: room.blocks.iter().map(blocked).collect(),
        retired: record.state == RoomState::Retired,
    };
    Ok((head, room))
}

fn blocked(block: &Block) -> String {
    let (kind, why) = (block.kind.label(), formats::sentence(&block.why));
    format!("{kind} updates are not installed here: {why}")
}

/// What a product should be, with the update and how a room stands to it, by product.
type Recommended = BTreeMap<ProductId, (String, Option<(Update, UpdateInRoom)>)>;

/// What each product on the devices of a room should be, and how the room stands to it.
async fn recommended(snapshot: &mut ReadSnapshot, room: &Room, devices: &[DeviceDetail]) -> Result<Recommended> {
    let products = devices.iter().flat_map(|device| &device.components);
    let products: BTreeSet<ProductId> = products.map(|(product, ..)| product.clone()).collect();
    let products: Vec<ProductId> = products.into_iter().collect();
    let recommended = snapshot.tx.recommended(&products).await?;
    let ids: Vec<UpdateId> = recommended.values().map(|(update, _)| *update).collect();
    let mut planned = snapshot.updates_for_planning(&ids).await?;
    let rollouts = snapshot.tx.rollouts(&ids).await?;
    let known = ids.iter().filter_map(|id| planned.get(id).zip(rollouts.get(id)));
    let known: Vec<_> = known.collect();
    let mut by_update = snapshot.updates_in_room(room, &known).await?;
    let recommended = recommended.into_iter();
    Ok(recommended
        .map(|(product, (id, version))| (product, (version, planned.remove(&id).zip(by_update.remove(&id)))))
        .collect())
}

fn device_view(snapshot: &ReadSnapshot, room: &Room, device: DeviceDetail, recommended: &Recommended) -> DeviceView {
    let contact = match device.last_seen_at {
        Some(at) => format!("Last contact {}", time_text::instant(at, &room.zone, snapshot.now)),
        None => "No contact yet".to_owned(),
    };
    let own = room.devices.iter().find(|own| own.id == device.id);
    let component = |(product, name, kind, version): (ProductId, String, ProductKind, Option<String>)| {
        let recommended = recommended.get(&product);
        let state = match recommended {
            None => "Not covered by an update".to_owned(),
            Some((_, None)) => String::new(),
            Some((_, Some((update, _)))) if own.is_some_and(|own| is_current(update, own)) => "Current".to_owned(),
            Some((_, Some((_, in_room)))) if in_room.status == RoomStatus::NotRequired => in_room.why.clone(),
            Some((_, Some((_, in_room)))) => in_room.status.label().to_owned(),
        };
        ComponentView {
            product: name,
            kind,
            installed: version.unwrap_or_else(|| "Unknown".to_owned()),
            recommended: recommended.map(|(version, _)| version.clone()),
            state,
        }
    };
    let components = device.components.into_iter().map(component).collect();
    let vendor = if device.model.starts_with(&device.vendor) {
        String::new()
    } else {
        format!("{} ", device.vendor)
    };
    let serial = if device.serial.is_empty() {
        String::new()
    } else {
        format!("{} · ", device.serial)
    };
    DeviceView {
        controller: device.controller.clone(),
        name: format!("{vendor}{}", device.model),
        role: device.role,
        sub: format!("{serial}{}", device.controller),
        contact,
        components,
    }
}

fn is_current(update: &Update, device: &domain::room::Device) -> bool {
    matches!(update.applicability(device), Applicability::Current(_))
}

fn when_of(snapshot: &ReadSnapshot, room: &Room, in_room: &UpdateInRoom) -> String {
    match in_room.deployment.as_ref().map(|deployment| &deployment.state) {
        Some(DeploymentState::Completed { at } | DeploymentState::Failed { at, .. }) => {
            time_text::instant(*at, &room.zone, snapshot.now)
        }
        Some(DeploymentState::Open { started_at: Some(at) }) => {
            format!("Since {}", time_text::instant(*at, &room.zone, snapshot.now))
        }
        Some(
            DeploymentState::Open { started_at: None } | DeploymentState::Waiting | DeploymentState::Withdrawn { .. },
        )
        | None => match &in_room.start {
            Some(start) => formats::start(start, &room.zone, snapshot.now),
            None => String::new(),
        },
    }
}

/// What concerns people comes first.
fn rank(status: RoomStatus) -> u8 {
    match status {
        RoomStatus::Failed => 6,
        RoomStatus::InProgress => 5,
        RoomStatus::Paused => 4,
        RoomStatus::Scheduled => 3,
        RoomStatus::Completed => 2,
        RoomStatus::NotRequired => 1,
        RoomStatus::Deprecated => 0,
    }
}
