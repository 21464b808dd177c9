//! Rooms and sites as lists have them (P0, P4).
//!
//! Start with [`ReadSnapshot::room_list`]. One room with everything in it is in `detail.rs`, what its form starts from in `form.rs`, the
//! estate as a file in `export.rs`. No words for a screen are made here.

mod detail;
mod export;
mod form;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::ids::{RingId, RoomId, SiteId};
use domain::room::{Health, HealthFacts, Room, RoomState};
use domain::zone::Zone;
use serde::{Deserialize, Serialize};
use store::{RoomListRecord, RoomWork, SiteRecord};

use super::search::searched;
use super::{ExpectedStart, Page, PageOf, ReadSnapshot};
use crate::error::Result;
use crate::estate_counts::RoomsFound;
use crate::{Actor, Service};

pub use detail::{
    ComponentItem, ComponentState, DeviceItem, ForcedUpdates, ListedPrograms, RecommendedRelease, RoomDetail,
    RoomEvent, RoomHistoryItem, RoomUpdateItem,
};
pub use export::{ExportedComponent, ExportedDevice, ExportedRoom};
pub use form::{AfterMove, EditableRoom, RingMove, UpdateAfterMove};

/// Which rooms of the estate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomFilter {
    /// Beginnings of words in the name or the building, as somebody types them; empty: any.
    pub words: String,
    /// Those of one ring.
    pub ring: Option<RingId>,
    /// Those of one site.
    pub site: Option<SiteId>,
    /// How they stand.
    pub which: WhichRooms,
}

/// Rooms by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichRooms {
    /// All that are not retired.
    #[default]
    NotRetired,
    /// Those alone that are unhealthy now (I4).
    Unhealthy,
    /// Those alone that are onboarding (C4).
    Onboarding,
    /// The retired ones, in place of all others.
    Retired,
}

impl RoomFilter {
    /// As the store takes it.
    pub(crate) fn stored(&self, page: &PageOf<RoomCursor>, now: DateTime<Utc>) -> store::RoomFilter {
        let position = |row: &RoomCursor| (row.name_key.clone(), row.id);
        store::RoomFilter {
            words: searched(&self.words),
            ring: self.ring,
            site: self.site,
            after: page.after().map(position),
            before: page.before().map(position),
            retired: self.which == WhichRooms::Retired,
            unhealthy_at: (self.which == WhichRooms::Unhealthy).then_some(now),
            onboarding: self.which == WhichRooms::Onboarding,
            checks: None,
            software: None,
            versions: None,
            looked_up_by: store::LookedUpBy::Name,
        }
    }
}

/// Where a room stands in a list by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCursor {
    /// The name as it is sorted.
    pub name_key: String,
    /// The room.
    pub id: RoomId,
}

impl RoomCursor {
    pub(crate) fn of(record: &RoomListRecord) -> Self {
        Self {
            name_key: record.name_key.clone(),
            id: record.id,
        }
    }
}

/// A room in a list, with what is going on in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomItem {
    /// Identity.
    pub id: RoomId,
    /// Unique at its site.
    pub name: String,
    /// The site's name.
    pub site: String,
    /// May be empty.
    pub building: String,
    /// As people call it; may be empty.
    pub floor: String,
    /// Its own, or its site's.
    pub zone: Zone,
    /// The ring that it is in.
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
    /// What tickets and contacts say of it (I4).
    pub health: Health,
    /// Tickets that are not resolved.
    pub open_tickets: i64,
    /// How many it has.
    pub devices: i64,
    /// Of its devices, in their order.
    pub models: Vec<String>,
    /// Its updates by how they stand.
    pub updates: RoomUpdateCounts,
    /// When the next of its updates starts; `None`: none waits.
    pub next_start: Option<ExpectedStart>,
}

/// The updates that have still something to do in a room, by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomUpdateCounts {
    /// They wait, and their rollouts are not paused.
    pub scheduled: i64,
    /// They wait for the resume of their rollouts (T1).
    pub paused: i64,
    /// They have started.
    pub running: i64,
    /// They have failed, and are not deprecated.
    pub failed: i64,
}

impl RoomUpdateCounts {
    fn of(work: &RoomWork) -> Self {
        Self {
            scheduled: work.scheduled,
            paused: work.paused,
            running: work.running,
            failed: work.failed,
        }
    }
}

/// A page of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomList {
    /// By name.
    pub rooms: Page<RoomItem, RoomCursor>,
    /// How many match, on all pages; of a large estate as it was a moment ago.
    pub total: i64,
}

/// The rooms that a change of all that match would concern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchingRooms {
    /// How many they are now.
    pub total: i64,
    /// The first of them, by name.
    pub first: Vec<RoomId>,
}

/// Where rooms are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Identity.
    pub id: SiteId,
    /// Unique.
    pub name: String,
    /// May be empty.
    pub city: String,
    /// May be empty.
    pub country: String,
    /// That of its rooms, unless they have their own.
    pub zone: Zone,
}

impl From<SiteRecord> for Site {
    fn from(record: SiteRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            city: record.city,
            country: record.country,
            zone: record.zone,
        }
    }
}

/// A site in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteItem {
    #[serde(flatten)]
    pub site: Site,
    /// Its rooms that are not retired.
    pub rooms: i64,
}

impl Service {
    /// Every site, by name.
    ///
    /// # Errors
    /// Whoever asks may not see them.
    pub async fn sites(&self, actor: &Actor) -> Result<Vec<SiteItem>> {
        actor.may(Act::See)?;
        let mut tx = self.store.read().await?;
        let rooms = tx.rooms_by_site().await?;
        let sites = tx.sites().await?.into_iter();
        Ok(sites
            .map(|site| SiteItem {
                rooms: rooms.get(&site.id).copied().unwrap_or(0),
                site: site.into(),
            })
            .collect())
    }
}

impl ReadSnapshot {
    /// A page of at most `limit` rooms.
    pub async fn room_list(&mut self, filter: &RoomFilter, page: &PageOf<RoomCursor>, limit: i64) -> Result<RoomList> {
        let stored = filter.stored(page, self.now);
        let records = self.tx.room_page(&stored, limit + 1).await?;
        let total = self.rooms_found(&stored).await?;
        let records = Page::cut(records, page, limit, RoomCursor::of);
        let ids: Vec<RoomId> = records.items.iter().map(|record| record.id).collect();
        let mut work = self.tx.work_in(&ids, self.now).await?;
        // The freezes of a room matter only where something waits for a night.
        let with_night = work.iter().filter(|(_, work)| !work.nights.is_empty());
        let with_night: Vec<RoomId> = with_night.map(|(id, _)| *id).collect();
        let rooms = self.rooms(&with_night).await?;
        let rooms = records.map(|record| {
            let work = work.remove(&record.id).unwrap_or_default();
            let room = rooms.get(&record.id);
            self.room_item(record, work, room)
        });
        Ok(RoomList { rooms, total })
    }

    /// `room`: the room, where something waits for a night in it.
    fn room_item(&self, record: RoomListRecord, work: RoomWork, room: Option<&Room>) -> RoomItem {
        let next_start = match work.force {
            Some(force) => Some(ExpectedStart::Forced(force)),
            None if work.nights.is_empty() && work.paused > 0 => Some(ExpectedStart::AfterResume),
            None => {
                let next = room.zip(work.nights.first());
                next.map(|(room, night)| ExpectedStart::Window(self.next_window(room, *night)))
            }
        };
        RoomItem {
            health: self.health_facts(record.state, &work).health(),
            updates: RoomUpdateCounts::of(&work),
            id: record.id,
            name: record.name,
            site: record.site,
            building: record.building,
            floor: record.floor,
            zone: record.zone,
            ring: record.ring,
            state: record.state,
            open_tickets: work.open_tickets,
            devices: work.devices,
            models: {
                let mut models = work.models;
                models.dedup();
                models
            },
            next_start,
        }
    }

    /// What the health of a room in this state follows from (I4).
    fn health_facts(&self, state: RoomState, work: &RoomWork) -> HealthFacts {
        let settings = &self.organisation.settings;
        let recent = |at: &&DateTime<Utc>| self.now - **at < settings.unmonitored_after();
        let in_contact = work.contacts.iter().filter(recent).count();
        HealthFacts {
            state,
            tickets: work.unhealthy,
            suppressed: work.suppressed,
            devices: work.devices,
            in_contact: i64::try_from(in_contact).unwrap_or(i64::MAX),
            ever_seen: !work.contacts.is_empty(),
            unmonitored_minutes: settings.unmonitored_minutes,
        }
    }

    /// [`store::Tx::rooms_found`]; with words or of the unhealthy ones, of a large estate as it was a moment ago.
    pub(super) async fn rooms_found(&mut self, filter: &store::RoomFilter) -> Result<i64> {
        if filter.words.is_empty()
            && filter.unhealthy_at.is_none()
            && filter.checks.is_none()
            && filter.versions.is_none()
            && filter.software.is_none()
        {
            return Ok(self.tx.rooms_found(filter).await?);
        }
        self.estate_count(&RoomsFound(filter.clone())).await
    }

    /// What a change of all rooms that match would concern: so many are compared with those that match when it is done.
    pub async fn matching_rooms(&mut self, filter: &RoomFilter, limit: i64) -> Result<MatchingRooms> {
        let stored = filter.stored(&PageOf::First, self.now);
        let first = self.tx.room_page(&stored, limit).await?;
        Ok(MatchingRooms {
            // What is compared when it is done must be of now.
            total: self.tx.rooms_found(&stored).await?,
            first: first.into_iter().map(|room| room.id).collect(),
        })
    }

    /// Every site, by name.
    pub async fn sites(&mut self) -> Result<Vec<Site>> {
        Ok(self.tx.sites().await?.into_iter().map(Site::from).collect())
    }
}
