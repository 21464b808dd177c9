//! The rooms of an update, with status and reason (P3, P4).

use domain::deployment::Deployment;
use domain::ids::{RingId, RoomId};
use domain::ring::RingPlace;
use domain::rollout::{Rollout, RolloutState};
use domain::status::RoomStatus;
use service::pages::{ExpectedStart, ReadSnapshot, UpdateSummary};
use service::store::{RoomListRecord, UpdateRoomFilter, UpdateRooms};

use super::{PAGE, Result, formats, ring_view, service_error, store_error};
use crate::error::AppError;
use crate::model::{Choice, Pager, RingView, UpdateRoomRow, UpdateRoomsQuery};

/// An update of at most so many rooms has them found and sorted at once.
const FEW: i64 = 2_000;

/// The chips: (word in the address, label, rooms).
pub(super) async fn statuses(
    snapshot: &mut ReadSnapshot,
    summary: &UpdateSummary,
) -> Result<Vec<(String, String, i64)>> {
    let product = &summary.record.product;
    let with_product = snapshot
        .rooms_with(std::slice::from_ref(product))
        .await
        .map_err(service_error)?;
    let with_product = with_product.get(product).copied().unwrap_or(0);
    let by_status = snapshot
        .rooms_by_status(&summary.rollout)
        .await
        .map_err(service_error)?;
    let of = |status: RoomStatus| by_status.with(status);
    let deployed = by_status.total();
    let all = with_product.max(deployed);
    let rows = [
        ("", "All", all),
        ("failed", "Failed", of(RoomStatus::Failed)),
        ("in-progress", "In progress", of(RoomStatus::InProgress)),
        ("scheduled", "Scheduled", of(RoomStatus::Scheduled)),
        ("paused", "Paused", of(RoomStatus::Paused)),
        ("completed", "Completed", of(RoomStatus::Completed)),
        ("deprecated", "Deprecated", of(RoomStatus::Deprecated)),
        ("not-required", "Not required", all - deployed),
    ];
    let shown = rows
        .into_iter()
        .filter(|(word, _, rooms)| word.is_empty() || *rooms > 0);
    Ok(shown
        .map(|(word, label, rooms)| (word.to_owned(), label.to_owned(), rooms))
        .collect())
}

pub(super) async fn room_page(
    snapshot: &mut ReadSnapshot,
    summary: &UpdateSummary,
    query: &UpdateRoomsQuery,
    statuses: &[(String, String, i64)],
) -> Result<(Vec<UpdateRoomRow>, Pager)> {
    let chip = statuses.iter().find(|(word, ..)| *word == query.status);
    let all = statuses.first().map_or(0, |(_, _, rooms)| *rooms);
    let filter = UpdateRoomFilter {
        few: all <= FEW,
        ..room_filter(summary, query)?
    };
    let mut records = snapshot
        .tx
        .update_room_page(&filter, PAGE + 1)
        .await
        .map_err(store_error)?;
    let more = super::rooms::cut(&mut records, filter.before.is_some());
    let total = match filter.ring {
        Some(_) => snapshot.update_rooms_found(&filter).await.map_err(service_error)?,
        // What the chip of the status says.
        None => chip.map_or(0, |(_, _, rooms)| *rooms),
    };
    let text = formats::count(total, "room", "rooms");
    let ends = (filter.after.is_some(), filter.before.is_some());
    let pager = super::rooms::pager(text, ends, &records, more, |name, cursor| {
        formats::query(&[("status", &query.status), ("ring", &query.ring), (name, cursor)])
    });
    Ok((room_rows(snapshot, summary, &records).await?, pager))
}

pub(super) fn room_filter(summary: &UpdateSummary, query: &UpdateRoomsQuery) -> Result<UpdateRoomFilter> {
    Ok(UpdateRoomFilter {
        update: summary.record.id,
        product: summary.record.product.clone(),
        which: which_rooms(&query.status, &summary.rollout.state)?,
        ring: query.ring.parse::<RingId>().ok(),
        few: false,
        after: super::rooms::cursor(&query.after),
        before: super::rooms::cursor(&query.before),
    })
}

/// The rooms that a status in the address asks for.
fn which_rooms(status: &str, rollout: &RolloutState) -> Result<UpdateRooms> {
    let status = match status {
        "" => return Ok(UpdateRooms::All),
        "scheduled" => RoomStatus::Scheduled,
        "paused" => RoomStatus::Paused,
        "in-progress" => RoomStatus::InProgress,
        "completed" => RoomStatus::Completed,
        "failed" => RoomStatus::Failed,
        "deprecated" => RoomStatus::Deprecated,
        "not-required" => RoomStatus::NotRequired,
        unknown => {
            return Err(AppError::Invalid {
                field: "status".to_owned(),
                problem: format!("{unknown:?} is not a status of a room"),
            });
        }
    };
    Ok(UpdateRooms::of(status, rollout))
}

pub(super) async fn room_rows(
    snapshot: &mut ReadSnapshot,
    summary: &UpdateSummary,
    records: &[RoomListRecord],
) -> Result<Vec<UpdateRoomRow>> {
    let ids: Vec<RoomId> = records.iter().map(|record| record.id).collect();
    let rooms = snapshot.rooms(&ids).await.map_err(service_error)?;
    let planned = snapshot
        .updates_for_planning(&[summary.record.id])
        .await
        .map_err(service_error)?;
    let tickets = snapshot
        .tx
        .failure_ticket_numbers(summary.record.id, &ids)
        .await
        .map_err(store_error)?;
    let mut rows = Vec::with_capacity(records.len());
    let Some(update) = planned.get(&summary.record.id) else {
        return Ok(rows);
    };
    let by_room = snapshot.update_in_rooms(update, &summary.rollout, rooms.values()).await;
    let mut by_room = by_room.map_err(service_error)?;
    for record in records {
        let (Some(room), Some(in_room)) = (rooms.get(&record.id), by_room.remove(&record.id)) else {
            continue;
        };
        let deployment = in_room.deployment.as_ref();
        let next = match &in_room.start {
            Some(start) => formats::start(start, room, snapshot.now),
            None => formats::no_start(deployment, room, snapshot.now),
        };
        rows.push(UpdateRoomRow {
            room: record.id,
            name: record.name.clone(),
            site: record.site.clone(),
            ring: room_ring(snapshot, &summary.rollout, deployment, record.ring),
            status: in_room.status,
            why: in_room.why,
            next,
            has_window: matches!(in_room.start, Some(ExpectedStart::Window(_))),
            ticket: tickets.get(&record.id).copied(),
            attempt: deployment.map_or(1, |deployment| deployment.attempt),
            catch_up: deployment.is_some_and(|deployment| deployment.catch_up),
        });
    }
    Ok(rows)
}

/// The ring in which a room stands for an update: as the rollout entered it, else the room's own. In the implicit ring
/// of all rooms (S12) the own one tells more.
fn room_ring(snapshot: &ReadSnapshot, rollout: &Rollout, deployment: Option<&Deployment>, own: RingId) -> RingView {
    let entered = deployment
        .filter(|deployment| deployment.ring != RingId::ALL_ROOMS)
        .and_then(|deployment| rollout.stage(deployment.ring));
    match entered {
        Some(stage) => stage_ring(stage.ring, &stage.name, stage.place),
        None => ring_view(snapshot, own),
    }
}

/// A ring as a rollout has it. The one of all rooms (S12) has no place on the scale, so it has a badge of its own.
pub(super) fn stage_ring(id: RingId, name: &str, place: RingPlace) -> RingView {
    RingView {
        id,
        name: name.to_owned(),
        badge: if id == RingId::ALL_ROOMS {
            "A".to_owned()
        } else {
            place.badge()
        },
        scale: place.scale(),
    }
}

/// The rings in which the rooms of an update stand, for the filter.
pub(super) fn ring_choices(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> Vec<Choice> {
    let choice = |id: RingId, name: &str| Choice {
        value: id.to_string(),
        label: name.to_owned(),
    };
    match summary.rollout.automatic_days {
        Some(_) => snapshot.rings.iter().map(|ring| choice(ring.id, &ring.name)).collect(),
        None => {
            let stages = summary.calendar.iter();
            stages.map(|stage| choice(stage.ring, &stage.name)).collect()
        }
    }
}
