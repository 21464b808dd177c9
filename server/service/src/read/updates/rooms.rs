//! The rooms of an update with status and reason (P3, P4): counted, a page of them, and as a file.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::deployment::{Deployment, DeploymentState};
use domain::ids::{RingId, RoomId, UpdateId};
use domain::ring::RingPlace;
use domain::rollout::Rollout;
use domain::status::{RoomStatus, RoomsByStatus};
use domain::time_text;
use domain::zone::Zone;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use store::{RoomListRecord, UpdateRooms};

use super::UpdateSummary;
use crate::error::Result;
use crate::estate_counts::{RoomsByProgress, UpdateRoomsFound};
use crate::explain::ExpectedStart;
use crate::read::rooms::RoomCursor;
use crate::read::{Page, PageOf, ReadSnapshot};
use crate::spreadsheet::{self, CsvStream};
use crate::{Actor, Service};

/// Which rooms of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateRoomFilter {
    /// Those of this status (T1); `None`: all that have the product or a deployment.
    pub status: Option<RoomStatus>,
    /// Those that stand in this ring for the update.
    pub ring: Option<RingId>,
}

/// A room with one update.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateRoomItem {
    pub room: RoomId,
    pub name: String,
    /// The name of its site.
    pub site: String,
    pub zone: Zone,
    /// The ring in which it stands for the update.
    pub ring: RingOfRoom,
    /// Status (T1).
    pub status: RoomStatus,
    /// Why, in one sentence (T5).
    pub why: String,
    /// When it starts; `None`: it has ended, or has no deployment.
    pub start: Option<ExpectedStart>,
    pub deployment: Option<Deployment>,
    /// The number of the open ticket of its failure.
    pub ticket: Option<i64>,
}

impl UpdateRoomItem {
    /// When the update starts here, or was installed: `Wed 25 Nov, 00:00–05:00 (Berlin)`, `Only after a retry`.
    #[must_use]
    pub fn when(&self, now: DateTime<Utc>) -> String {
        match (
            &self.start,
            self.deployment.as_ref().map(|deployment| &deployment.state),
        ) {
            (Some(start), _) => start.words(&self.zone, now),
            (None, Some(DeploymentState::Completed { at })) => {
                format!("Installed {}", time_text::instant(*at, &self.zone, now))
            }
            (None, _) => "Not planned".to_owned(),
        }
    }

    /// Which attempt it is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.deployment.as_ref().map_or(1, |deployment| deployment.attempt)
    }

    /// Whether it joined after its ring's turn.
    #[must_use]
    pub fn is_catch_up(&self) -> bool {
        self.deployment.as_ref().is_some_and(Deployment::is_catch_up)
    }
}

/// The ring in which a room stands for an update: as the rollout entered it, else the room's own. In the implicit ring of all rooms (S12)
/// the own one tells more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingOfRoom {
    /// Identity.
    pub id: RingId,
    pub name: String,
    /// Its place; `None`: the ring is not there any more. A ring with rooms is never deleted.
    pub place: Option<RingPlace>,
}

/// How many rooms of an update have which status (T1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateRoomCounts {
    /// Rooms that have its product or a deployment.
    pub all: i64,
    /// Those that have a deployment and need it.
    pub rooms: RoomsByStatus,
}

impl UpdateRoomCounts {
    /// Rooms of this status; `None`: all.
    #[must_use]
    pub fn of(&self, status: Option<RoomStatus>) -> i64 {
        match status {
            None => self.all,
            Some(RoomStatus::NotRequired) => self.all - self.rooms.total(),
            Some(status) => self.rooms.with(status),
        }
    }
}

/// A page of an update's rooms, by name.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateRoomPage {
    /// The rooms.
    pub page: Page<UpdateRoomItem, RoomCursor>,
    /// Rooms on all pages.
    pub total: i64,
}

/// An update of at most so many rooms has them found and sorted at once.
const FEW: i64 = 2_000;
/// Rooms in one part of a file.
const EXPORTED_AT_ONCE: i64 = 500;
/// The columns of [`Service::export_update_rooms`].
const COLUMNS: [&str; 9] = [
    "room", "site", "ring", "status", "why", "when", "attempt", "catch-up", "ticket",
];

impl ReadSnapshot {
    /// How many rooms of an update have which status; of a large estate as they were a moment ago.
    pub async fn update_room_counts(&mut self, summary: &UpdateSummary) -> Result<UpdateRoomCounts> {
        let product = &summary.update.product;
        let with_product = self.rooms_with(std::slice::from_ref(product)).await?;
        let with_product = with_product.get(product).copied().unwrap_or(0);
        let rooms = self.rooms_by_status(&summary.rollout).await?;
        let all = with_product.max(rooms.total());
        Ok(UpdateRoomCounts { all, rooms })
    }

    /// A page of an update's rooms, by name. `counts`: [`ReadSnapshot::update_room_counts`].
    pub async fn update_rooms(
        &mut self,
        summary: &UpdateSummary,
        counts: &UpdateRoomCounts,
        filter: &UpdateRoomFilter,
        asked: &PageOf<RoomCursor>,
        limit: i64,
    ) -> Result<UpdateRoomPage> {
        let in_store = store::UpdateRoomFilter {
            few: counts.all <= FEW,
            ..filter.stored(summary, asked)
        };
        let page = self.room_items(summary, &in_store, asked, limit).await?;
        let total = match filter.ring {
            Some(_) => self.update_rooms_found(&in_store).await?,
            None => counts.of(filter.status),
        };
        Ok(UpdateRoomPage { page, total })
    }

    /// Rooms of an update by status, those without a deployment aside; of a large estate as they were a moment ago, but always as the
    /// rollout has them now.
    pub async fn rooms_by_status(&mut self, rollout: &Rollout) -> Result<RoomsByStatus> {
        let by_progress = self.estate_count(&RoomsByProgress(rollout.update)).await?;
        Ok(RoomsByStatus::of(by_progress, &rollout.state))
    }

    /// [`store::Tx::update_rooms_found`]; of a large estate as it was a moment ago.
    async fn update_rooms_found(&mut self, filter: &store::UpdateRoomFilter) -> Result<i64> {
        self.estate_count(&UpdateRoomsFound(filter.clone())).await
    }

    async fn room_items(
        &mut self,
        summary: &UpdateSummary,
        filter: &store::UpdateRoomFilter,
        asked: &PageOf<RoomCursor>,
        limit: i64,
    ) -> Result<Page<UpdateRoomItem, RoomCursor>> {
        let records = self.tx.update_room_page(filter, limit + 1).await?;
        let Page { items, previous, next } = Page::cut(records, asked, limit, RoomCursor::of);
        let id = summary.update.id;
        let ids: Vec<RoomId> = items.iter().map(|record| record.id).collect();
        let rooms = self.rooms(&ids).await?;
        let planned = self.updates_for_planning(&[id]).await?;
        let tickets = self.tx.failure_ticket_numbers(id, &ids).await?;
        let mut in_rooms = match planned.get(&id) {
            Some(update) => self.update_in_rooms(update, &summary.rollout, rooms.values()).await?,
            None => BTreeMap::new(),
        };
        let item = |record: RoomListRecord| {
            let in_room = in_rooms.remove(&record.id)?;
            Some(UpdateRoomItem {
                room: record.id,
                name: record.name,
                site: record.site,
                zone: record.zone,
                ring: self.ring_of_room(&summary.rollout, in_room.deployment.as_ref(), record.ring),
                status: in_room.status,
                why: in_room.why,
                start: in_room.start,
                ticket: tickets.get(&record.id).copied(),
                deployment: in_room.deployment,
            })
        };
        Ok(Page {
            items: items.into_iter().filter_map(item).collect(),
            previous,
            next,
        })
    }

    fn ring_of_room(&self, rollout: &Rollout, deployment: Option<&Deployment>, own: RingId) -> RingOfRoom {
        let entered = deployment.and_then(|deployment| {
            let ring = deployment.ring.ring()?;
            Some((ring, rollout.stage(deployment.ring)?))
        });
        match (entered, self.rings.get(own)) {
            (Some((ring, stage)), _) => RingOfRoom {
                id: ring,
                name: stage.name.clone(),
                place: Some(stage.place),
            },
            (None, Some(ring)) => RingOfRoom {
                id: own,
                name: ring.name.clone(),
                place: Some(ring.place),
            },
            (None, None) => RingOfRoom {
                id: own,
                name: "Deleted ring".to_owned(),
                place: None,
            },
        }
    }
}

impl UpdateRoomFilter {
    fn stored(self, summary: &UpdateSummary, asked: &PageOf<RoomCursor>) -> store::UpdateRoomFilter {
        let position = |room: &RoomCursor| (room.name_key.clone(), room.id);
        store::UpdateRoomFilter {
            update: summary.update.id,
            product: summary.update.product.clone(),
            which: match self.status {
                Some(status) => UpdateRooms::of(status, &summary.rollout.state),
                None => UpdateRooms::All,
            },
            ring: self.ring,
            few: false,
            after: asked.after().map(position),
            before: asked.before().map(position),
        }
    }
}

impl Service {
    /// The rooms of an update as a comma-separated file (P3), by name. Each part is a snapshot of its own: nobody waits for a long export,
    /// and nothing is held in memory. `after`: the room behind which the file starts.
    ///
    /// # Errors
    /// The actor may not see it, or it was not published.
    pub async fn export_update_rooms(
        &self,
        actor: &Actor,
        update: UpdateId,
        filter: UpdateRoomFilter,
        after: Option<RoomCursor>,
    ) -> Result<CsvStream> {
        actor.may(Act::See)?;
        // The first part says whether there is anything to be had at all.
        let asked = after.map_or(PageOf::First, PageOf::After);
        let (first, next) = self.exported_part(update, filter, &asked).await?;
        let first = futures::stream::once(async move { Ok(first) });
        let service = self.clone();
        let rest = futures::stream::try_unfold((service, next), move |(service, next)| async move {
            let Some(next) = next else { return Ok(None) };
            let asked = PageOf::After(next);
            let (rows, next) = service.exported_part(update, filter, &asked).await?;
            Ok(Some((rows, (service, next))))
        });
        Ok(spreadsheet::file(&COLUMNS, first.chain(rest)))
    }

    /// A part of the file, and the room behind which the next one starts.
    async fn exported_part(
        &self,
        update: UpdateId,
        filter: UpdateRoomFilter,
        asked: &PageOf<RoomCursor>,
    ) -> Result<(Vec<Vec<String>>, Option<RoomCursor>)> {
        let mut snapshot = self.read_snapshot().await?;
        let summary = snapshot.update(update).await?;
        let in_store = filter.stored(&summary, asked);
        let page = snapshot
            .room_items(&summary, &in_store, asked, EXPORTED_AT_ONCE)
            .await?;
        let rows = page.items.into_iter().map(|item| cells(item, snapshot.now));
        Ok((rows.collect(), page.next))
    }
}

fn cells(item: UpdateRoomItem, now: DateTime<Utc>) -> Vec<String> {
    let when = item.when(now);
    let (attempt, is_catch_up) = (item.attempt(), item.is_catch_up());
    vec![
        item.name,
        item.site,
        item.ring.name,
        item.status.label().to_owned(),
        item.why,
        when,
        attempt.to_string(),
        if is_catch_up { "yes" } else { "" }.to_owned(),
        item.ticket.map_or_else(String::new, |number| format!("T-{number}")),
    ]
}
