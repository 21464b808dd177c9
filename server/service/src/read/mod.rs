//! What pages, files and programs read: one snapshot of facts, with the statuses that follow from them.
//!
//! A [`ReadSnapshot`] is one reading transaction. It answers with domain values; words and formats are the pages' own. What a feature reads
//! is in the file of its name; what several of them need is here, in [`page`] and in [`numbered`].

pub mod access;
pub mod audit;
pub mod devices;
pub mod freezes;
pub mod home;
pub mod numbered;
pub mod page;
pub mod portfolio;
pub mod readiness;
pub mod rings;
pub mod rooms;
pub mod search;
pub mod settings;
pub mod support;
pub mod tickets;
pub mod updates;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::deployment::Deployment;
use domain::freeze::{Freeze, FreezeScope, Freezes};
use domain::ids::{RoomId, StageOf, UpdateId};
use domain::ring::RingSequence;
use domain::rollout::{PlannedStage, Rollout};
use domain::room::Room;
use domain::settings::Organisation;
use domain::status::RoomStatus;
use domain::update::Update;
use domain::window::Window;
use serde::Serialize;
use store::{Tx, WaitingRooms};

use crate::Service;
use crate::error::Result;
use crate::estate_counts::{DatabaseRevision, EstateCount, EstateCounts, LARGE, UpdateRoomsWaiting};
pub use crate::explain::{ExpectedStart, forced_words};
use crate::explain::{StatusFacts, next_window, status_in_room};
use crate::tick::organisation;
pub use numbered::{Numbered, NumberedPage, Wanted};
pub use page::{Page, PageOf};
pub use rooms::RoomCursor;
pub use updates::UpdateSummary;

/// One snapshot of facts.
pub struct ReadSnapshot {
    /// For the queries of this module; nobody else asks the store.
    tx: Tx,
    pub organisation: Organisation,
    pub rings: RingSequence,
    /// The freezes that move plans.
    pub freezes: Freezes,
    /// The instant of the snapshot.
    pub now: DateTime<Utc>,
    estate_counts: EstateCounts,
    estate_size: EstateSize,
}

/// How large the estate is. Only pages with counts want to know, and ask the database then.
#[derive(Clone, Copy)]
enum EstateSize {
    NotAsked,
    Small,
    /// Its counts are kept; they are compared with where its database stands.
    Large(DatabaseRevision),
}

/// An entry of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// A person, a device or a rule.
    pub actor: String,
    /// What happened, in one sentence.
    pub text: String,
}

/// A room where it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomName {
    /// Identity.
    pub id: RoomId,
    /// Unique at its site.
    pub name: String,
    /// The site's name.
    pub site: String,
}

/// A room with one update.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateInRoom {
    /// Status (T1).
    pub status: RoomStatus,
    /// Why (T5).
    pub why: String,
    /// When it starts; `None`: it has ended, or has no deployment.
    pub start: Option<ExpectedStart>,
    pub deployment: Option<Deployment>,
}

/// Windows that open within this are tonight's.
const TONIGHT: TimeDelta = TimeDelta::hours(24);

impl Service {
    /// A snapshot to read from.
    pub async fn read_snapshot(&self) -> Result<ReadSnapshot> {
        let mut tx = self.store.read().await?;
        let organisation = organisation(&mut tx).await?;
        let rings = tx.rings().await?;
        let freezes = tx.freezes().await?;
        Ok(ReadSnapshot {
            tx,
            organisation,
            rings,
            freezes,
            now: self.clock.now(),
            estate_counts: self.estate_counts.clone(),
            estate_size: EstateSize::NotAsked,
        })
    }
}

impl ReadSnapshot {
    async fn estate_count<S: EstateCount>(&mut self, count: &S) -> Result<S::Value> {
        match self.database_of_large_estate().await? {
            Some(revision) => self.estate_counts.get(&mut self.tx, revision, count).await,
            None => Ok(count.count(&mut self.tx, self.now).await?),
        }
    }

    /// Where the database of a large estate stands; `None`: the estate is not large.
    async fn database_of_large_estate(&mut self) -> Result<Option<DatabaseRevision>> {
        if matches!(self.estate_size, EstateSize::NotAsked) {
            self.estate_size = if self.tx.room_count().await? >= LARGE {
                EstateSize::Large(self.tx.database_revision().await?)
            } else {
                EstateSize::Small
            };
        }
        match self.estate_size {
            EstateSize::Large(revision) => Ok(Some(revision)),
            EstateSize::NotAsked | EstateSize::Small => Ok(None),
        }
    }

    /// What the audit has of an object, newest first.
    async fn history_of(&mut self, object_kind: &str, object_id: &str, limit: i64) -> Result<Vec<HistoryEntry>> {
        let records = self.tx.audit_of(object_kind, object_id, limit).await?;
        let entries = records.into_iter().map(|record| HistoryEntry {
            at: record.at,
            actor: record.entry.actor,
            text: record.entry.summary,
        });
        Ok(entries.collect())
    }

    /// Names of rooms, in the order of names. One that is not there is left out.
    pub async fn room_names(&mut self, rooms: &[RoomId]) -> Result<Vec<RoomName>> {
        let names = self.tx.room_names(rooms).await?.into_iter();
        Ok(names.map(|(id, name, site)| RoomName { id, name, site }).collect())
    }

    /// Rooms with everything in them.
    pub async fn rooms(&mut self, ids: &[RoomId]) -> Result<BTreeMap<RoomId, Room>> {
        Ok(self
            .tx
            .rooms(ids)
            .await?
            .into_iter()
            .map(|room| (room.id, room))
            .collect())
    }

    /// Updates as the planner sees them.
    pub async fn updates_for_planning(&mut self, ids: &[UpdateId]) -> Result<BTreeMap<UpdateId, Update>> {
        Ok(self.tx.updates(ids).await?)
    }

    /// The first window of a room that has not closed, on a date not before `night` and not frozen (W6).
    #[must_use]
    pub fn next_window(&self, room: &Room, night: NaiveDate) -> Window {
        next_window(&self.organisation, &self.freezes, room, night, self.now)
    }

    /// The nights, as they were planned, of the rooms of a rollout that wait for a window of tonight: (ring, night).
    pub async fn nights_of_tonight(&mut self, rollout: &Rollout) -> Result<BTreeSet<(StageOf, NaiveDate)>> {
        if !rollout.may_start_rooms() {
            return Ok(BTreeSet::new());
        }
        let until = self.last_night_of_tonight();
        let waiting = self.estate_count(&UpdateRoomsWaiting(rollout.update, until)).await?;
        let aside = self.tx.freezes_of_sites_and_rooms().await?;
        let mut nights = BTreeSet::new();
        for (ring, planned, group) in waiting {
            if self.is_tonight(&self.window_of(&group, &aside)) {
                nights.insert((ring, planned));
            }
        }
        Ok(nights)
    }

    /// The dates of rooms are at most a day off the organisation's, and a window of tonight is at most one more away.
    fn last_night_of_tonight(&self) -> NaiveDate {
        self.organisation.zone.date(self.now) + Days::new(2)
    }

    /// [`ReadSnapshot::next_window`] of rooms that have the same. `aside`: the freezes of single sites and rooms.
    fn window_of(&self, waiting: &WaitingRooms, aside: &[(FreezeScope, Freeze)]) -> Window {
        let concerns = |scope: &FreezeScope| match scope {
            FreezeScope::Site(site) => *site == waiting.site,
            FreezeScope::Room(room) => Some(*room) == waiting.own,
            FreezeScope::Organisation | FreezeScope::Ring(_) => false,
        };
        let frozen = |date: NaiveDate| {
            let own = aside
                .iter()
                .find(|(scope, freeze)| concerns(scope) && freeze.covers(date));
            own.map(|(_, freeze)| freeze)
                .or_else(|| self.freezes.on(waiting.ring, date))
        };
        let hours = self.organisation.settings.window();
        Window::next_free(&waiting.zone, waiting.night, self.now, hours, frozen)
    }

    fn is_tonight(&self, window: &Window) -> bool {
        window.opens <= self.now + TONIGHT
    }

    /// The state of an update in rooms, from one question to the database.
    pub async fn update_in_rooms<'a>(
        &mut self,
        update: &Update,
        rollout: &Rollout,
        rooms: impl Iterator<Item = &'a Room> + Clone,
    ) -> Result<BTreeMap<RoomId, UpdateInRoom>> {
        let ids: Vec<RoomId> = rooms.clone().map(|room| room.id).collect();
        let mut deployments = self.tx.deployments_in(&ids, update.id).await?;
        let calendar = self.calendar_of(rollout);
        let in_room = |room: &Room| {
            let deployment = deployments.remove(&room.id);
            (
                room.id,
                self.update_in_room(&calendar, update, rollout, room, deployment),
            )
        };
        Ok(rooms.map(in_room).collect())
    }

    /// The state of updates in a room, with the rollout of each, from one question to the database.
    pub async fn updates_in_room(
        &mut self,
        room: &Room,
        updates: &[(&Update, &Rollout)],
    ) -> Result<BTreeMap<UpdateId, UpdateInRoom>> {
        let ids: Vec<UpdateId> = updates.iter().map(|(update, _)| update.id).collect();
        let mut deployments = self.tx.deployments_of_room(room.id, &ids).await?;
        let in_room = |(update, rollout): &(&Update, &Rollout)| {
            let deployment = deployments.remove(&update.id);
            let in_room = self.update_in_room(&self.calendar_of(rollout), update, rollout, room, deployment);
            (update.id, in_room)
        };
        Ok(updates.iter().map(in_room).collect())
    }

    fn calendar_of(&self, rollout: &Rollout) -> Vec<PlannedStage> {
        rollout.calendar_at(&self.rings, &self.freezes, &self.organisation.zone, self.now)
    }

    fn update_in_room(
        &self,
        calendar: &[PlannedStage],
        update: &Update,
        rollout: &Rollout,
        room: &Room,
        deployment: Option<Deployment>,
    ) -> UpdateInRoom {
        let facts = StatusFacts {
            organisation: &self.organisation,
            freezes: &self.freezes,
            calendar,
        };
        let in_room = status_in_room(&facts, update, rollout, room, deployment.as_ref(), self.now);
        UpdateInRoom {
            status: in_room.status,
            why: in_room.why,
            start: in_room.start,
            deployment,
        }
    }
}
