//! One room in the words of its tabs (P5).

use domain::access::Act;
use domain::conversation::feedback::{Execution, Finished};
use domain::conversation::programs::ProgramChange;
use domain::ids::{DeviceId, RoomId};
use domain::lifecycle::SupportGroup;
use domain::room::{Block, Hold, RoomState};
use domain::time_text;
use domain::update::titled;
use service::read::ReadSnapshot;
use service::read::rooms::{
    ComponentItem, ComponentState, DeviceItem, ListedPrograms, RecommendedRelease, RoomDetail, RoomEvent,
    RoomHistoryItem, RoomUpdateItem,
};
use service::read::support::SupportedVersion;

use super::{local_time, place};
use crate::components::model::HistoryRow;
use crate::context::{RequestContext, Result, ring_view};
use crate::formats;
use crate::readiness::present as readiness;
use crate::rooms::model::{
    ComponentView, DeviceView, FactView, ProgramsView, RoomHead, RoomHistory, RoomOverview, RoomTickets, RoomUpdateRow,
    RoomUpdates,
};
use crate::support::present::until;

impl RequestContext {
    /// A room's Overview.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn room_overview(&self, id: RoomId) -> Result<RoomOverview> {
        let mut snapshot = self.snapshot().await?;
        let room = snapshot.room(id).await?;
        let year = formats::year(&snapshot);
        let support = snapshot.support_of_room(id, &room.room.zone).await?;
        let devices = snapshot.devices_in(&room).await?.into_iter();
        let devices = devices
            .map(|device| device_view(&snapshot, &room, device, &support))
            .collect();
        let readiness = match room.room.state {
            RoomState::Retired => None,
            state @ (RoomState::Onboarding | RoomState::Managed) => {
                let found = snapshot.readiness_of(id).await?;
                let may_decide = self.viewer.actor.role.may(Act::DecideReadiness);
                Some(readiness::room_view(
                    &snapshot,
                    &room.room.zone,
                    state,
                    found,
                    may_decide,
                ))
            }
        };
        Ok(RoomOverview {
            head: head(&snapshot, &room),
            devices,
            holds: room.room.holds.iter().map(|hold| held(hold, year)).collect(),
            readiness,
        })
    }

    /// A room's Updates.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn room_updates(&self, id: RoomId) -> Result<RoomUpdates> {
        let mut snapshot = self.snapshot().await?;
        let room = snapshot.room(id).await?;
        let may_retry = self.viewer.actor.role.may(Act::RetryRoom);
        let updates = snapshot.updates_of_room(&room).await?.into_iter();
        let rows = updates.map(|update| update_row(&snapshot, &room, update, may_retry));
        Ok(RoomUpdates {
            head: head(&snapshot, &room),
            rows: rows.collect(),
        })
    }

    /// A room's Tickets.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn room_tickets(&self, id: RoomId) -> Result<RoomTickets> {
        let mut snapshot = self.snapshot().await?;
        let room = snapshot.room(id).await?;
        let tickets = snapshot.tickets_of_room(id).await?;
        let zone = &room.room.zone;
        let rows = tickets
            .iter()
            .map(|ticket| crate::tickets::present::row(ticket, zone, snapshot.now));
        Ok(RoomTickets {
            head: head(&snapshot, &room),
            rows: rows.collect(),
        })
    }

    /// A room's History.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn room_history(&self, id: RoomId) -> Result<RoomHistory> {
        let mut snapshot = self.snapshot().await?;
        let room = snapshot.room(id).await?;
        let history = snapshot.history_of_room(&room).await?.into_iter();
        let rows = history.map(|item| history_row(&snapshot, &room, item));
        Ok(RoomHistory {
            head: head(&snapshot, &room),
            rows: rows.collect(),
        })
    }
}

fn head(snapshot: &ReadSnapshot, room: &RoomDetail) -> RoomHead {
    let zone = &room.room.zone;
    let offset = zone.local(snapshot.now).offset_seconds / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    let mut meta = vec![room.site_name.clone()];
    meta.extend(Some(place(&room.building, &room.floor)).filter(|place| !place.is_empty()));
    meta.extend((room.capacity > 0).then(|| formats::count(room.capacity, "seat", "seats")));
    let failed = room.updates.failed;
    let failed = (failed > 0).then(|| format!("{} failed here.", formats::count(failed, "update has", "updates have")));
    RoomHead {
        id: room.room.id,
        name: room.room.name.clone(),
        zone: format!(
            "{}, UTC{sign}{}:{:02}",
            zone.name(),
            offset.abs() / 60,
            offset.abs() % 60
        ),
        meta,
        health: room.health,
        health_why: room.health_facts.sentence(),
        local_time: local_time(zone, snapshot.now),
        ring: ring_view(snapshot, room.room.ring),
        next_window: time_text::window(&room.next_window, zone, snapshot.now),
        next_window_work: planned(room),
        open_tickets: room.open_tickets,
        failed,
        blocked: room.room.blocks.iter().map(blocked).collect(),
        retired: room.room.state == RoomState::Retired,
    }
}

/// What is planned in the next window, and what waits for none.
fn planned(room: &RoomDetail) -> String {
    let mut planned = match room.planned {
        0 => "Nothing is planned.".to_owned(),
        updates => format!("{} planned.", formats::count(updates, "update", "updates")),
    };
    if let Some(forced) = room.forced {
        let updates = formats::count(forced.updates, "update is", "updates are");
        let when = formats::forced(forced.how).to_lowercase();
        planned.push_str(&format!(" {updates} forced: {when}."));
    }
    if room.updates.paused > 0 {
        let waits = formats::count(room.updates.paused, "update waits", "updates wait");
        planned.push_str(&format!(" {waits} for the resume."));
    }
    planned
}

fn blocked(block: &Block) -> String {
    let (scope, why) = (block.scope.label(), formats::sentence(&block.why));
    format!("{scope} updates are not installed here: {why}")
}

fn held(hold: &Hold, year: i32) -> String {
    let product = hold.product.as_ref();
    let what = product.map_or_else(|| "All updates".to_owned(), ToString::to_string);
    let until = time_text::date(hold.until, year);
    format!("{what}: held by {} until {until}: {}.", hold.owner, hold.reason)
}

fn device_view(
    snapshot: &ReadSnapshot,
    room: &RoomDetail,
    device: DeviceItem,
    support: &[SupportedVersion],
) -> DeviceView {
    let contact = match device.last_contact {
        Some(at) => format!("Last contact {}", time_text::instant(at, &room.room.zone, snapshot.now)),
        None => "No contact yet".to_owned(),
    };
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
    let facts = device.facts.into_iter().map(|fact| FactView {
        told: fact.told_at.map_or_else(
            || "Time not known".to_owned(),
            |at| time_text::instant(at, &room.room.zone, snapshot.now),
        ),
        name: fact.name,
        value: fact.value,
        is_understood: fact.is_understood,
    });
    DeviceView {
        name: format!("{vendor}{}", device.model),
        sub: format!("{serial}{}", device.controller),
        controller: device.controller,
        role: device.role,
        contact,
        components: device
            .components
            .into_iter()
            .map(|component| component_view(component, support))
            .collect(),
        facts: facts.collect(),
        programs: device
            .programs
            .map(|programs| programs_view(snapshot, room, device.id, programs)),
    }
}

fn programs_view(
    snapshot: &ReadSnapshot,
    room: &RoomDetail,
    device: DeviceId,
    programs: ListedPrograms,
) -> ProgramsView {
    let instant = |at| time_text::instant(at, &room.room.zone, snapshot.now);
    let changes = programs.changes.into_iter();
    let count = formats::count(programs.count, "program", "programs");
    ProgramsView {
        text: format!("{count}, listed {}", instant(programs.taken_at)),
        export: format!("/devices/{device}/programs.csv"),
        changes: changes
            .map(|(at, change)| (program_change(&change), instant(at)))
            .collect(),
    }
}

/// `Zoom Rooms: 5.17 became 5.18`.
fn program_change(change: &ProgramChange) -> String {
    let name = &change.name;
    match (change.before.as_deref(), change.after.as_deref()) {
        (Some(before), Some(after)) => format!("{name}: {before} became {after}"),
        (None, Some("")) => format!("{name} was added"),
        (None, Some(after)) => format!("{name} {after} was added"),
        (Some("") | None, None) => format!("{name} was removed"),
        (Some(before), None) => format!("{name} {before} was removed"),
    }
}

fn component_view(component: ComponentItem, support: &[SupportedVersion]) -> ComponentView {
    let is_it =
        |version: &&SupportedVersion| version.product == component.product && version.version == component.installed;
    let support = support.iter().find(is_it).map(|version| {
        let until = until(version.last_day, version.days_left, version.group);
        match version.group {
            SupportGroup::Unsupported => format!("Out of support. {until}"),
            SupportGroup::Ending | SupportGroup::Supported => format!("Supported. {until}"),
            SupportGroup::Unknown => "Support not known".to_owned(),
        }
    });
    let state = match &component.recommended {
        None => "Not covered by an update".to_owned(),
        Some(RecommendedRelease { state: None, .. }) => String::new(),
        Some(RecommendedRelease { state: Some(state), .. }) => match state {
            ComponentState::Current => "Current".to_owned(),
            ComponentState::NotRequired { why } => why.clone(),
            ComponentState::Update { status } => status.label().to_owned(),
        },
    };
    ComponentView {
        product: component.name,
        kind: component.kind,
        installed: component.installed.unwrap_or_else(|| "Unknown".to_owned()),
        serial: (!component.serial.is_empty()).then(|| format!("Serial number {}", component.serial)),
        recommended: component.recommended.map(|recommended| recommended.version),
        state,
        support,
    }
}

/// `may_retry`: whoever looks may retry rooms.
fn update_row(snapshot: &ReadSnapshot, room: &RoomDetail, update: RoomUpdateItem, may_retry: bool) -> RoomUpdateRow {
    let from = update.from_version.as_ref();
    let from = from.map(|version| format!(" · from {version}")).unwrap_or_default();
    let instant = |at| time_text::instant(at, &room.room.zone, snapshot.now);
    let when = match (update.ended_at, update.started_at, &update.start) {
        (Some(at), _, _) => instant(at),
        (None, Some(at), _) => format!("Since {}", instant(at)),
        (None, None, Some(start)) => formats::start(start, &room.room.zone, snapshot.now),
        (None, None, None) => String::new(),
    };
    RoomUpdateRow {
        update: update.update,
        title: titled(&update.title, &update.version),
        sub: format!("{} · {}{from}", update.vendor, update.kind.label()),
        kind: update.kind,
        status: update.status,
        why: update.why,
        when,
        may_retry: may_retry && update.may_be_retried,
    }
}

fn history_row(snapshot: &ReadSnapshot, room: &RoomDetail, item: RoomHistoryItem) -> HistoryRow {
    let at = formats::instant(item.at, &room.room.zone, snapshot.now);
    match item.event {
        RoomEvent::Update {
            title,
            has_failed,
            reason,
            ..
        } => HistoryRow {
            at,
            about: title.unwrap_or_default(),
            text: reason,
            detail: String::new(),
            bad: has_failed,
        },
        RoomEvent::Message {
            device,
            title,
            execution,
            finished,
            words,
            counts,
            ..
        } => HistoryRow {
            at,
            about: title.unwrap_or_default(),
            text: message_text(&device, execution, finished, counts),
            detail: words,
            bad: execution == Execution::Rejected || finished == Finished::Failure,
        },
        RoomEvent::ExternalChange { device, what } => HistoryRow {
            at,
            about: String::new(),
            text: what,
            detail: format!("Device {device}"),
            bad: false,
        },
        RoomEvent::Change { actor, summary } => HistoryRow {
            at,
            about: String::new(),
            text: summary,
            detail: actor,
            bad: false,
        },
    }
}

/// What a device has said about an update, in one sentence.
fn message_text(device: &str, execution: Execution, finished: Finished, counts: bool) -> String {
    let said = match (execution, finished) {
        (Execution::Closed, Finished::Success) => "reports success",
        (Execution::Closed, Finished::Failure) => "reports a failure",
        (Execution::Closed, Finished::None) => "reports that it is done",
        (Execution::Closed, Finished::Unreadable) => "reports that it is done, with a result that cannot be read",
        (Execution::Proceeding, _) => "is at work",
        (Execution::Scheduled, _) => "has put it on its own schedule",
        (Execution::Resumed, _) => "goes on after a break",
        (Execution::Download, _) => "downloads",
        (Execution::Downloaded, _) => "has downloaded",
        (Execution::Rejected, _) => "objects",
        (Execution::Canceled, _) => "says that it has stopped",
    };
    let late = if counts { "" } else { ", after the action had ended" };
    format!("Device {device} {said}{late}.")
}
