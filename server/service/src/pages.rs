//! What pages read: one snapshot of facts, with the statuses that follow from them.
//!
//! A [`ReadSnapshot`] is one reading transaction. It answers with domain values; words and formats are the pages' own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::deployment::{Deployment, Progress};
use domain::freeze::{Freeze, FreezeScope, Freezes};
use domain::ids::{ProductId, RingId, RoomId, UpdateId};
use domain::ring::RingSequence;
use domain::rollout::{Counts, PlannedStage, Rollout, RolloutState};
use domain::room::{Health, HealthFacts, Room, RoomState, UNMONITORED_AFTER};
use domain::settings::Organisation;
use domain::status::{self, RoomStatus, RoomsByStatus, UpdateStatus};
use domain::update::Update;
use domain::window::Window;
use domain::zone::Zone;
use store::{
    DeviceLineRecord, PublishedRecord, RoomFilter, RoomWork, TicketFilter, Tx, UpdateRoomFilter, WaitingRooms,
};

use crate::Service;
use crate::error::{Result, ServiceError};
use crate::estate_counts::{
    DatabaseRevision, EstateCount, EstateCounts, LARGE, RoomsByHealthFacts, RoomsByNight, RoomsByProgress, RoomsFound,
    RoomsWaiting, RoomsWith, TicketsFound, UpdateRoomsFound, UpdateRoomsWaiting, WaitingByRing,
};
pub use crate::explain::ExpectedStart;
use crate::explain::{StatusFacts, next_window, status_in_room};
use crate::tick::organisation;

/// One snapshot of facts.
pub struct ReadSnapshot {
    /// For the typed read queries.
    pub tx: Tx,
    /// The organisation.
    pub organisation: Organisation,
    /// Its rings.
    pub rings: RingSequence,
    /// The freezes that move plans.
    pub freezes: Freezes,
    /// The instant of the snapshot.
    pub now: DateTime<Utc>,
    /// Where the counts of a large estate are kept, and where its database stands; `None`: it is not large.
    estate_counts: Option<(EstateCounts, DatabaseRevision)>,
}

/// An update with what follows from its facts.
#[derive(Clone, Debug)]
pub struct UpdateSummary {
    /// What it is.
    pub record: PublishedRecord,
    /// Its rollout.
    pub rollout: Rollout,
    /// Its status (T3).
    pub status: UpdateStatus,
    /// Its rings in dates.
    pub calendar: Vec<PlannedStage>,
    /// Rooms that would get it and have no deployment, by the ring in whose plan they stand ([`Rollout::ring_of`]).
    pub waiting: BTreeMap<RingId, i64>,
    /// Its deployments, counted.
    pub counts: Counts,
}

/// A room with one update.
#[derive(Clone, Debug)]
pub struct UpdateInRoom {
    /// Status (T1).
    pub status: RoomStatus,
    /// Why (T5).
    pub why: String,
    /// When it starts; `None`: it has ended, or has no deployment.
    pub start: Option<ExpectedStart>,
    /// Its deployment.
    pub deployment: Option<Deployment>,
}

/// What opens tonight at one site: windows from now on that open within a day.
#[derive(Clone, Debug)]
pub struct TonightWindow {
    /// The site's name.
    pub site: String,
    /// The zone of the window.
    pub zone: Zone,
    /// The window.
    pub window: Window,
    /// Rooms that wait for it.
    pub rooms: i64,
}

/// Updates that are asked about at once.
const BATCH: usize = 500;

/// Windows that open within this are tonight's.
const TONIGHT: TimeDelta = TimeDelta::hours(24);

fn status_of(rollout: &Rollout, waiting: &BTreeMap<RingId, i64>) -> UpdateStatus {
    status::update(rollout, waiting.values().any(|rooms| *rooms > 0))
}

impl Service {
    /// A snapshot to read from.
    ///
    /// # Errors
    /// The database fails.
    pub async fn read_snapshot(&self) -> Result<ReadSnapshot> {
        let mut tx = self.store.read().await?;
        let organisation = organisation(&mut tx).await?;
        let rings = tx.rings().await?;
        let freezes = tx.freezes().await?;
        let estate_counts = if tx.room_count().await? >= LARGE {
            Some((self.estate_counts.clone(), tx.database_revision().await?))
        } else {
            None
        };
        Ok(ReadSnapshot {
            tx,
            organisation,
            rings,
            freezes,
            now: self.clock.now(),
            estate_counts,
        })
    }

    /// Devices by what they call themselves, after one of them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn devices_after(&self, after: &str, limit: i64) -> Result<Vec<DeviceLineRecord>> {
        Ok(self.store.read().await?.devices_after(after, limit).await?)
    }
}

impl ReadSnapshot {
    async fn estate_count<S: EstateCount>(&mut self, count: &S) -> Result<S::Value> {
        match self.estate_counts.clone() {
            Some((estate_counts, revision)) => estate_counts.get(&mut self.tx, revision, count).await,
            None => Ok(count.count(&mut self.tx, self.now).await?),
        }
    }

    /// [`Tx::rooms_with`]; of a large estate as it was a moment ago.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_with(&mut self, products: &[ProductId]) -> Result<BTreeMap<ProductId, i64>> {
        if self.estate_counts.is_none() {
            return Ok(self.tx.rooms_with(products).await?);
        }
        let mut with = BTreeMap::new();
        for product in products {
            with.insert(product.clone(), self.estate_count(&RoomsWith(product.clone())).await?);
        }
        Ok(with)
    }

    /// [`Tx::waiting_by_ring`] for what is on its way; of a large estate as it was a moment ago.
    async fn waiting_by_ring(
        &mut self,
        rollouts: impl Iterator<Item = &Rollout>,
    ) -> Result<BTreeMap<UpdateId, BTreeMap<RingId, i64>>> {
        // What is over waits for nobody.
        let on_its_way = rollouts.filter_map(|rollout| match rollout.state {
            RolloutState::Running | RolloutState::Paused { .. } => Some(rollout.update),
            RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        });
        let on_its_way: Vec<UpdateId> = on_its_way.collect();
        let today = self.organisation.zone.date(self.now);
        let mut ahead = BTreeMap::new();
        if self.estate_counts.is_some() {
            for update in on_its_way {
                ahead.insert(update, self.estate_count(&WaitingByRing(update, today)).await?);
            }
        } else {
            for batch in on_its_way.chunks(BATCH) {
                ahead.extend(self.tx.waiting_by_ring(batch, today).await?);
            }
        }
        Ok(ahead)
    }

    /// Rooms of an update by status, those without a deployment aside; of a large estate as they were a moment ago, but always as the
    /// rollout has them now.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_status(&mut self, rollout: &Rollout) -> Result<RoomsByStatus> {
        let by_progress = self.estate_count(&RoomsByProgress(rollout.update)).await?;
        Ok(RoomsByStatus::of(by_progress, &rollout.state))
    }

    /// [`Tx::rooms_by_night`]; of a large estate as it was a moment ago.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_night(&mut self, update: UpdateId) -> Result<Vec<(RingId, NaiveDate, Progress, i64)>> {
        self.estate_count(&RoomsByNight(update)).await
    }

    /// [`Tx::rooms_found`]; with words or of the unhealthy ones, of a large estate as it was a moment ago.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_found(&mut self, filter: &RoomFilter) -> Result<i64> {
        if filter.words.is_empty() && filter.unhealthy_at.is_none() {
            return Ok(self.tx.rooms_found(filter).await?);
        }
        self.estate_count(&RoomsFound(filter.clone())).await
    }

    /// [`Tx::tickets_found`]; with words, of a large estate as it was a moment ago.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tickets_found(&mut self, filter: &TicketFilter) -> Result<i64> {
        if filter.words.trim().is_empty() {
            return Ok(self.tx.tickets_found(filter).await?);
        }
        self.estate_count(&TicketsFound(filter.clone())).await
    }

    /// [`Tx::update_rooms_found`]; of a large estate as it was a moment ago.
    ///
    /// # Errors
    /// The database fails.
    pub async fn update_rooms_found(&mut self, filter: &UpdateRoomFilter) -> Result<i64> {
        self.estate_count(&UpdateRoomsFound(filter.clone())).await
    }

    /// Published updates with their statuses. `past`: also those that concern nobody any more (T9).
    ///
    /// # Errors
    /// The database fails.
    pub async fn updates(&mut self, past: bool) -> Result<Vec<UpdateSummary>> {
        let records = self.tx.published(!past).await?;
        let ids: Vec<UpdateId> = records.iter().map(|record| record.id).collect();
        let mut rollouts = BTreeMap::new();
        for batch in ids.chunks(BATCH) {
            rollouts.extend(self.tx.rollouts(batch).await?);
        }
        let mut ahead = self.waiting_by_ring(rollouts.values()).await?;
        let mut summaries = Vec::with_capacity(records.len());
        for record in records {
            let Some(rollout) = rollouts.remove(&record.id) else {
                continue;
            };
            let ahead = ahead.remove(&record.id).unwrap_or_default();
            let summary = self.summary(record, rollout, ahead);
            let stays_in_portfolio = summary.status == UpdateStatus::NotRequired;
            let shown = past || summary.status.is_active(summary.record.acknowledged);
            if shown && !stays_in_portfolio {
                summaries.push(summary);
            }
        }
        Ok(summaries)
    }

    /// One update with its status.
    ///
    /// # Errors
    /// It was not published, or the database fails.
    pub async fn update(&mut self, id: UpdateId) -> Result<UpdateSummary> {
        let missing = || ServiceError::not_found("This update");
        let release = self.tx.release(id).await?.ok_or_else(missing)?;
        let rollout = self.tx.rollout(id).await?.ok_or_else(missing)?;
        let record = PublishedRecord {
            id,
            title: release.release.title,
            version: release.release.version,
            vendor: release.product.vendor,
            product: release.product.id,
            kind: release.product.kind,
            severity: release.release.severity,
            acknowledged: false,
        };
        let mut ahead = self.waiting_by_ring(std::iter::once(&rollout)).await?;
        let ahead = ahead.remove(&id).unwrap_or_default();
        Ok(self.summary(record, rollout, ahead))
    }

    /// The statuses of published updates.
    ///
    /// # Errors
    /// The database fails.
    pub async fn statuses(&mut self, ids: &[UpdateId]) -> Result<BTreeMap<UpdateId, UpdateStatus>> {
        let rollouts = self.tx.rollouts(ids).await?;
        let mut ahead = self.waiting_by_ring(rollouts.values()).await?;
        let statuses = rollouts.into_iter().map(|(id, rollout)| {
            let waiting = self.waiting(&rollout, ahead.remove(&id).unwrap_or_default());
            (id, status_of(&rollout, &waiting))
        });
        Ok(statuses.collect())
    }

    /// Of the rooms in each ring that would get it those whose ring is still ahead, by the ring in whose plan they stand.
    fn waiting(&self, rollout: &Rollout, ahead: BTreeMap<RingId, i64>) -> BTreeMap<RingId, i64> {
        let mut waiting = BTreeMap::new();
        for (ring, rooms) in ahead {
            let reached = self.rings.get(ring).is_some_and(|ring| rollout.has_reached(ring));
            if !reached {
                *waiting.entry(rollout.ring_of(ring)).or_insert(0) += rooms;
            }
        }
        waiting
    }

    fn summary(&self, record: PublishedRecord, rollout: Rollout, ahead: BTreeMap<RingId, i64>) -> UpdateSummary {
        let waiting = self.waiting(&rollout, ahead);
        UpdateSummary {
            record,
            status: status_of(&rollout, &waiting),
            calendar: rollout.calendar_at(&self.rings, &self.freezes, &self.organisation.zone, self.now),
            counts: rollout.total_counts(),
            rollout,
            waiting,
        }
    }

    /// Rooms with everything in them.
    ///
    /// # Errors
    /// The database fails.
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
    ///
    /// # Errors
    /// The database fails.
    pub async fn updates_for_planning(&mut self, ids: &[UpdateId]) -> Result<BTreeMap<UpdateId, Update>> {
        Ok(self.tx.updates(ids).await?)
    }

    /// What the health of a room in this state follows from (I4).
    #[must_use]
    pub fn health_facts(&self, state: RoomState, work: &RoomWork) -> HealthFacts {
        let recent = |at: &&DateTime<Utc>| self.now - **at < UNMONITORED_AFTER;
        let in_contact = work.contacts.iter().filter(recent).count();
        HealthFacts {
            state,
            tickets: work.unhealthy,
            suppressed: work.suppressed,
            devices: work.devices,
            in_contact: i64::try_from(in_contact).unwrap_or(i64::MAX),
            ever_seen: !work.contacts.is_empty(),
        }
    }

    /// How many rooms are of which health (I4).
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_health(&mut self) -> Result<BTreeMap<Health, i64>> {
        let groups = self.estate_count(&RoomsByHealthFacts).await?;
        let mut by_health = BTreeMap::new();
        for (state, impact, in_contact, rooms) in groups {
            *by_health.entry(Health::of(state, impact, in_contact)).or_insert(0) += rooms;
        }
        Ok(by_health)
    }

    /// The first window of a room that has not closed, on a date not before `night` and not frozen (W6).
    #[must_use]
    pub fn next_window(&self, room: &Room, night: NaiveDate) -> Window {
        next_window(&self.organisation, &self.freezes, room, night, self.now)
    }

    /// The rooms that wait for a window of tonight, by site and window. A room counts once, in the first of its
    /// windows.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tonight(&mut self) -> Result<Vec<TonightWindow>> {
        let until = self.last_night_of_tonight();
        let waiting = self.estate_count(&RoomsWaiting(until)).await?;
        let aside = self.tx.freezes_of_sites_and_rooms().await?;
        let mut sites: BTreeMap<(String, DateTime<Utc>, Zone), TonightWindow> = BTreeMap::new();
        for group in waiting {
            let window = self.window_of(&group, &aside);
            if !self.is_tonight(&window) {
                continue;
            }
            let key = (group.site_name.clone(), window.opens, group.zone.clone());
            let tonight = sites.entry(key).or_insert(TonightWindow {
                site: group.site_name,
                zone: group.zone,
                window,
                rooms: 0,
            });
            tonight.rooms += group.rooms;
        }
        Ok(sites.into_values().collect())
    }

    /// The nights, as they were planned, of the rooms of a rollout that wait for a window of tonight: (ring, night).
    ///
    /// # Errors
    /// The database fails.
    pub async fn nights_of_tonight(&mut self, rollout: &Rollout) -> Result<BTreeSet<(RingId, NaiveDate)>> {
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
    ///
    /// # Errors
    /// The database fails.
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
    ///
    /// # Errors
    /// The database fails.
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
