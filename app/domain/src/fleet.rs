//! All facts in memory, for the simulator, the checker and tests; and [`Slice`], the part of them that one plan looks at.
//!
//! The store holds the same facts as rows and cuts the same slices with SQL. A conformance test keeps the two alike.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::changes::{Applied, Changes, FreezeChange, MovedRooms, Recheck, Stop, StopOf, TakeBack, Wake, WakeOf};
use crate::commands::resume::Calendar;
use crate::deployment::{Bucket, Deployment, DeploymentState};
use crate::freeze::{Freeze, FreezeScope, Freezes};
use crate::ids::{ActionId, DeploymentId, FreezeId, RingId, RoomId, SiteId, UpdateId};
use crate::install::{Install, InstallState};
use crate::planner;
use crate::ring::RingSequence;
use crate::rollout::{Rollout, RolloutState};
use crate::room::Room;
use crate::settings::Organisation;
use crate::ticket::{FailureTicket, TicketChange, TicketEvent, TicketState};
use crate::update::{Exclusion, Update};
use crate::zone::Zone;

/// All facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// Whose they are.
    pub organisation: Organisation,
    /// The rings of today.
    pub rings: RingSequence,
    /// Releases: those that were published, and others that may be steps on a way (S8).
    pub updates: BTreeMap<UpdateId, Update>,
    /// Their ways through the rings.
    pub rollouts: BTreeMap<UpdateId, Rollout>,
    /// Updates whose failures an admin has acknowledged (T9).
    pub acknowledged: BTreeSet<UpdateId>,
    /// Releases that were recalled (S10).
    pub recalled: BTreeSet<UpdateId>,
    /// Rooms with what is in them.
    pub rooms: BTreeMap<RoomId, Room>,
    /// The rooms of a site, where a freeze concerns it.
    pub sites: BTreeMap<SiteId, BTreeSet<RoomId>>,
    /// Updates in rooms.
    pub deployments: BTreeMap<DeploymentId, Deployment>,
    /// Attempts on devices.
    pub installs: BTreeMap<ActionId, Install>,
    /// What failed, one a room and update.
    pub tickets: BTreeMap<(RoomId, UpdateId), FailureTicket>,
    /// The freezes that move plans (W6).
    pub freezes: Freezes,
    /// The order of nights in rings that are being filled (S6), by position.
    pub placements: BTreeMap<(UpdateId, u32), RoomId>,
    /// At most so many rooms get their night in one plan: [`crate::planner::MOST_NEW_DEPLOYMENTS`], or fewer in tests.
    pub batch: usize,
    /// Rooms to recheck: their facts have changed since the planner last looked.
    pub rechecks: BTreeSet<RoomId>,
    /// Rooms to recheck at an instant, because a hold begins or ends.
    pub rechecks_at: BTreeSet<(DateTime<Utc>, RoomId)>,
}

/// What one plan looks at: everything that can change by `now`, and nothing else.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Whose facts they are.
    pub organisation: Organisation,
    /// The rings of today.
    pub rings: RingSequence,
    /// The freezes that move plans (W6).
    pub freezes: Freezes,
    /// Every live update, those of the rooms below, and releases that may be steps to one of them (S8).
    pub updates: BTreeMap<UpdateId, Update>,
    /// Their rollouts.
    pub rollouts: BTreeMap<UpdateId, Rollout>,
    /// Rollouts whose next instant has come.
    pub due: Vec<DueRollout>,
    /// Rooms with a due deployment, and rooms to recheck.
    pub rooms: Vec<DueRoom>,
    /// At most so many rooms get their night in one plan.
    pub batch: usize,
}

/// A rollout whose next instant has come.
#[derive(Clone, Debug)]
pub struct DueRollout {
    /// Which.
    pub update: UpdateId,
    /// The ring that is being filled or comes next; `None`: it has entered all.
    pub ring: Option<RingId>,
    /// The zones of all rooms of that ring: a ring counts as entered when the date begins in the easternmost (S5). Empty while
    /// the ring is being filled.
    pub zones: Vec<Zone>,
    /// The rooms of that ring for which the update is applicable and nothing keeps it away, forced ones left out (S6). Read
    /// once, when the ring's date has begun somewhere; empty before that, and while the ring is being filled.
    pub candidates: Vec<Candidate>,
    /// While the ring is being filled: the next rooms in the order of its nights, last position first.
    pub placement_batch: Option<PlacementBatch>,
}

/// The next rooms of a ring that is being filled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacementBatch {
    /// So many positions are dealt with.
    pub taken: u32,
    /// Their rooms, by position; those that are no candidates any more are left out.
    pub rooms: Vec<(u32, Candidate)>,
}

/// The positions that come next in a ring of `rooms` rooms of which `placed` have their night: from the end, so that the first
/// nights come last and wait least for the others.
#[must_use]
pub fn next_positions(rooms: u32, placed: u32, batch: usize) -> std::ops::Range<u32> {
    let left = rooms.saturating_sub(placed);
    left.saturating_sub(u32::try_from(batch).unwrap_or(u32::MAX))..left
}

/// A room that a ring's entry gives a night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub room: RoomId,
    /// The model of its first matching device.
    pub model: String,
    /// Its ring.
    pub ring: RingId,
    /// Its zone.
    pub zone: Zone,
    /// The version it has.
    pub from_version: Option<String>,
    /// A deployment that was withdrawn and is to be used again, and its attempt.
    pub withdrawn: Option<(DeploymentId, u32)>,
    /// [`Room::freezes`].
    pub freezes: Vec<Freeze>,
}

/// A room that the planner must look at, with everything open in it.
#[derive(Clone, Debug)]
pub struct DueRoom {
    /// The room.
    pub room: Room,
    /// Its facts have changed.
    pub recheck: bool,
    /// Its deployments that are not over and done with, and the failed and withdrawn ones of rollouts that are not deprecated.
    pub deployments: Vec<Deployment>,
    /// Their installs of the current attempt, and every open one.
    pub installs: Vec<Install>,
}

impl Fleet {
    /// A fleet with rings and nothing else.
    #[must_use]
    pub fn new(organisation: Organisation, rings: RingSequence) -> Self {
        Self {
            organisation,
            rings,
            updates: BTreeMap::new(),
            rollouts: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            recalled: BTreeSet::new(),
            rooms: BTreeMap::new(),
            sites: BTreeMap::new(),
            deployments: BTreeMap::new(),
            installs: BTreeMap::new(),
            tickets: BTreeMap::new(),
            freezes: Freezes::default(),
            placements: BTreeMap::new(),
            batch: planner::MOST_NEW_DEPLOYMENTS,
            rechecks: BTreeSet::new(),
            rechecks_at: BTreeSet::new(),
        }
    }

    /// What dates of rollouts follow from.
    #[must_use]
    pub fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.organisation.zone,
            rings: &self.rings,
            freezes: &self.freezes,
        }
    }

    /// The first instant at which something is due; `None`: nothing ever, unless something happens.
    #[must_use]
    pub fn next_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.rechecks.is_empty() {
            return Some(now);
        }
        let rollouts = self.rollouts.values().filter_map(|rollout| rollout.next_at);
        let deployments = self.deployments.values().filter_map(|deployment| deployment.next_at);
        let rechecks = self.rechecks_at.first().map(|(at, _)| *at);
        rollouts.chain(deployments).chain(rechecks).min()
    }

    /// What is due at `now`; `None`: nothing.
    #[must_use]
    pub fn slice(&self, now: DateTime<Utc>) -> Option<Slice> {
        let due: Vec<DueRollout> = self
            .rollouts
            .values()
            .filter(|rollout| rollout.next_at.is_some_and(|at| at <= now))
            .map(|rollout| self.due_rollout(rollout, now))
            .collect();
        let rechecks = self.rechecks_by(now);
        let mut rooms = rechecks.clone();
        for deployment in self.deployments.values() {
            if deployment.next_at.is_some_and(|at| at <= now) {
                rooms.insert(deployment.room);
            }
        }
        if due.is_empty() && rooms.is_empty() {
            return None;
        }
        Some(Slice {
            organisation: self.organisation.clone(),
            rings: self.rings.clone(),
            freezes: self.freezes.clone(),
            updates: self.updates.clone(),
            rollouts: self.rollouts.clone(),
            due,
            rooms: rooms
                .iter()
                .filter_map(|room| self.due_room(*room, &rechecks))
                .collect(),
            batch: self.batch,
        })
    }

    /// Rooms to recheck by `now`.
    fn rechecks_by(&self, now: DateTime<Utc>) -> BTreeSet<RoomId> {
        let by_now = self
            .rechecks_at
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, room)| *room);
        self.rechecks.iter().copied().chain(by_now).collect()
    }

    fn due_room(&self, id: RoomId, rechecks: &BTreeSet<RoomId>) -> Option<DueRoom> {
        let room = self.rooms.get(&id)?.clone();
        let deployments: Vec<Deployment> = self
            .deployments
            .values()
            .filter(|deployment| deployment.room == id)
            .cloned()
            .collect();
        let installs = self
            .installs
            .values()
            .filter(|install| {
                let of = deployments
                    .iter()
                    .find(|deployment| deployment.id == install.deployment);
                of.is_some_and(|deployment| install.attempt == deployment.attempt || install.is_open())
            })
            .cloned()
            .collect();
        Some(DueRoom {
            room,
            recheck: rechecks.contains(&id),
            deployments,
            installs,
        })
    }

    fn due_rollout(&self, rollout: &Rollout, now: DateTime<Utc>) -> DueRollout {
        let ring = rollout.ring_to_fill(&self.rings);
        let in_ring = || {
            self.rooms.values().filter(move |room| {
                Some(rollout.ring_of(room.ring)) == ring && room.state != crate::room::RoomState::Retired
            })
        };
        let zones: BTreeSet<Zone> = match rollout.being_filled() {
            Some(_) => BTreeSet::new(),
            None => in_ring().map(|room| room.zone.clone()).collect(),
        };
        let zones: Vec<Zone> = zones.into_iter().collect();
        let update = self.updates.get(&rollout.update);
        let is_entered_now = rollout.enters_by(&self.rings, &self.freezes, &self.organisation.zone, &zones, now);
        let candidates = update.filter(|_| is_entered_now).map_or_else(Vec::new, |update| {
            in_ring().filter_map(|room| self.candidate(update, room, now)).collect()
        });
        let placement_batch = rollout.being_filled().map(|stage| {
            let positions = next_positions(stage.rooms, stage.placed, self.batch);
            let still = |position: u32| {
                let room = self.rooms.get(self.placements.get(&(rollout.update, position))?)?;
                let stays = rollout.ring_of(room.ring) == stage.ring && room.state != crate::room::RoomState::Retired;
                let candidate = self.candidate(update?, room, now).filter(|_| stays)?;
                Some((position, candidate))
            };
            PlacementBatch {
                taken: positions.end - positions.start,
                rooms: positions.filter_map(still).collect(),
            }
        });
        DueRollout {
            update: rollout.update,
            ring,
            zones,
            candidates,
            placement_batch,
        }
    }

    fn candidate(&self, update: &Update, room: &Room, now: DateTime<Utc>) -> Option<Candidate> {
        let existing = self.deployment_of(room.id, update.id);
        let has_one = existing.is_some_and(|deployment| !matches!(deployment.state, DeploymentState::Withdrawn { .. }));
        if has_one || update.exclusion(room, room.zone.date(now)).is_some() {
            return None;
        }
        let device = update.devices_in(room).next()?;
        let withdrawn = existing.map(|deployment| (deployment.id, deployment.attempt));
        let from_version = device
            .component(&update.product)
            .and_then(|component| component.version.clone());
        Some(Candidate {
            room: room.id,
            model: device.model.clone(),
            ring: room.ring,
            zone: room.zone.clone(),
            from_version,
            withdrawn,
            freezes: room.freezes.clone(),
        })
    }

    /// The deployment of an update in a room.
    #[must_use]
    pub fn deployment_of(&self, room: RoomId, update: UpdateId) -> Option<&Deployment> {
        self.deployments
            .values()
            .find(|deployment| deployment.room == room && deployment.update == update)
    }

    /// Whether some room without a deployment would get one (T3).
    #[must_use]
    pub fn applies_to_a_room(&self, update: &Update, now: DateTime<Utc>) -> bool {
        self.rooms
            .values()
            .any(|room| match update.exclusion(room, room.zone.date(now)) {
                None | Some(Exclusion::Held { .. } | Exclusion::Blocked { .. } | Exclusion::Onboarding) => {
                    room.state != crate::room::RoomState::Retired
                }
                Some(
                    Exclusion::AlreadyOn { .. }
                    | Exclusion::DoesNotApply
                    | Exclusion::OtherFamily { .. }
                    | Exclusion::VersionUnknown
                    | Exclusion::Retired,
                ) => false,
            })
    }

    /// Writes changes, as the store does.
    pub fn apply(&mut self, changes: &Changes) -> Applied {
        let mut applied = Applied::default();
        self.apply_estate(changes, &mut applied);
        for new in &changes.new_rollouts {
            self.rollouts.insert(new.rollout.update, new.rollout.clone());
        }
        for rollout in &changes.rollouts {
            let mut after = rollout.clone();
            // Counts are kept by deltas only, so that changes can never write them over.
            after.counts = self
                .rollouts
                .get(&rollout.update)
                .map(|before| before.counts.clone())
                .unwrap_or_default();
            self.rollouts.insert(rollout.update, after);
        }
        for deployment in changes.placed.iter().chain(&changes.deployments) {
            let before = self.deployments.insert(deployment.id, deployment.clone());
            if let Some(before) = before {
                self.count(before.update, before.ring, before.bucket(), -1);
            }
            self.count(deployment.update, deployment.ring, deployment.bucket(), 1);
        }
        for install in &changes.installs {
            self.installs.insert(install.action, install.clone());
        }
        for new in &changes.new_installs {
            let action = ActionId(self.installs.keys().next_back().map_or(1, |last| last.0 + 1));
            self.installs.insert(action, new.with_action(action));
        }
        for change in &changes.tickets {
            self.apply_ticket(change);
        }
        for placement in &changes.placements {
            self.placements
                .insert((placement.update, placement.position), placement.room);
        }
        self.placements
            .retain(|(update, _), _| !changes.fully_placed.contains(update));
        for room in &changes.rechecked_rooms {
            self.rechecks.remove(room);
        }
        for moved in self.moved_by(changes) {
            applied.moved_nights += 1;
            self.deployments.insert(moved.id, moved);
        }
        for stop in &changes.stops {
            applied.stops += self.stop(stop);
        }
        for taken in &changes.taken_back {
            self.take_back(taken);
        }
        for wake in &changes.woken {
            self.wake(wake);
        }
        applied
    }

    /// What people set: the organisation, rings, freezes, the rings of rooms, and what they say of releases.
    fn apply_estate(&mut self, changes: &Changes, applied: &mut Applied) {
        if let Some(organisation) = &changes.organisation {
            self.organisation = organisation.clone();
        }
        for change in &changes.freezes {
            match change {
                FreezeChange::Made { scope, freeze } => self.make_freeze(*scope, freeze),
                FreezeChange::Lifted { id, last } => self.lift_freeze(*id, *last),
            }
        }
        for moved in &changes.moved_rooms {
            applied.moved_rooms += self.move_rooms(moved);
        }
        if let Some(rings) = &changes.rings {
            self.rings = rings.clone();
            // A ring's freezes go with it.
            self.freezes.rings.retain(|ring, _| rings.get(*ring).is_some());
        }
        self.acknowledged
            .extend(changes.acknowledged.iter().map(|acknowledged| acknowledged.update));
        for release in &changes.recalled {
            self.recalled.insert(*release);
            if let Some(update) = self.updates.get_mut(release) {
                update.offerable = false;
            }
        }
        for recheck in &changes.rechecks {
            let rooms: Vec<RoomId> = match recheck {
                Recheck::Ring(ring) => self.in_scope(FreezeScope::Ring(*ring)).collect(),
                Recheck::Site(site) => self.in_scope(FreezeScope::Site(*site)).collect(),
                Recheck::Room(room) => vec![*room],
            };
            self.rechecks.extend(rooms);
        }
    }

    fn make_freeze(&mut self, scope: FreezeScope, freeze: &Freeze) {
        match scope {
            FreezeScope::Organisation | FreezeScope::Ring(_) => self.freezes = self.freezes.with(scope, freeze),
            FreezeScope::Site(_) | FreezeScope::Room(_) => {
                for room in self.in_scope(scope).collect::<Vec<_>>() {
                    let Some(room) = self.rooms.get_mut(&room) else {
                        continue;
                    };
                    room.freezes.push(freeze.clone());
                    room.freezes.sort_by_key(|freeze| (freeze.from, freeze.id));
                }
            }
        }
    }

    fn lift_freeze(&mut self, id: FreezeId, last: Option<NaiveDate>) {
        self.freezes = self.freezes.shortened(id, last);
        for room in self.rooms.values_mut() {
            let Some(position) = room.freezes.iter().position(|freeze| freeze.id == id) else {
                continue;
            };
            match last {
                None => drop(room.freezes.remove(position)),
                Some(last) => room.freezes[position].until = last,
            }
        }
    }

    fn move_rooms(&mut self, moved: &MovedRooms) -> u64 {
        let concerned = |room: &&mut Room| {
            let named = moved.rooms.as_ref().is_none_or(|rooms| rooms.contains(&room.id));
            named && room.ring == moved.from
        };
        let (mut number, mut in_ring) = (0, Vec::new());
        for room in self.rooms.values_mut().filter(concerned) {
            room.ring = moved.to;
            in_ring.push(room.id);
            number += 1;
        }
        // Also those that were named and had gone elsewhere.
        self.rechecks.extend(moved.rooms.clone().unwrap_or(in_ring));
        number
    }

    /// The rooms that a freeze of this scope would concern.
    fn in_scope(&self, scope: FreezeScope) -> impl Iterator<Item = RoomId> {
        let concerned = move |room: &&Room| match scope {
            FreezeScope::Organisation => true,
            FreezeScope::Ring(ring) => room.ring == ring,
            FreezeScope::Site(site) => self.sites.get(&site).is_some_and(|rooms| rooms.contains(&room.id)),
            FreezeScope::Room(id) => room.id == id,
        };
        self.rooms.values().filter(concerned).map(|room| room.id)
    }

    fn take_back(&mut self, taken: &TakeBack) {
        let rooms: BTreeSet<RoomId> = self.in_scope(taken.scope).collect();
        let is_for = |deployment: &Deployment| {
            let night = |(from, until)| deployment.force.is_some() || (from..=until).contains(&deployment.night);
            matches!(deployment.state, DeploymentState::Open { .. })
                && rooms.contains(&deployment.room)
                && taken.nights.is_none_or(night)
        };
        for install in self.installs.values_mut() {
            let Some(deployment) = self.deployments.get_mut(&install.deployment) else {
                continue;
            };
            if install.state == InstallState::Planned && is_for(deployment) {
                install.state = InstallState::Withdrawn { at: taken.at };
                deployment.next_at = Some(taken.at);
            }
        }
    }

    /// Has the planner look at something.
    fn wake(&mut self, wake: &Wake) {
        match wake.what {
            WakeOf::Update(update) => {
                let of_update = self
                    .deployments
                    .values_mut()
                    .filter(|deployment| deployment.update == update);
                for deployment in of_update.filter(|deployment| deployment.is_unfinished()) {
                    deployment.next_at = Some(wake.at);
                }
            }
            WakeOf::UnderFinished(ring) => {
                for deployment in self.deployments.values_mut() {
                    let rollout = self.rollouts.get(&deployment.update).map(|rollout| &rollout.state);
                    let is_over = matches!(rollout, Some(RolloutState::Finished { .. }));
                    let in_ring = ring.is_none() || self.rooms.get(&deployment.room).map(|room| room.ring) == ring;
                    if is_over && in_ring && deployment.is_unfinished() {
                        deployment.next_at = Some(wake.at);
                    }
                }
            }
            WakeOf::Rollouts => {
                for rollout in self.rollouts.values_mut() {
                    if let Some(again) = rollout.wake(wake.at) {
                        *rollout = again;
                    }
                }
            }
        }
    }

    /// The deployments whose night moves with these changes.
    #[must_use]
    pub fn moved_by(&self, changes: &Changes) -> Vec<Deployment> {
        if changes.moved_nights.is_empty() {
            return Vec::new();
        }
        let moves = |deployment: &Deployment| changes.moved_nights.iter().find_map(|moved| moved.of(deployment));
        self.deployments.values().filter_map(moves).collect()
    }

    fn stop(&mut self, stop: &Stop) -> u64 {
        let concerned = |install: &Install| match stop.of {
            StopOf::Release(release) => install.update == release,
            StopOf::Deployment(deployment) => install.deployment == deployment,
        };
        let (mut asked, mut open) = (0, BTreeSet::new());
        for install in self.installs.values_mut().filter(|install| concerned(install)) {
            if install.is_open() {
                open.insert(install.deployment);
            }
            let to_stop = Install {
                cancel_wanted: Some(stop.why.clone()),
                ..install.clone()
            };
            if to_stop.is_to_be_canceled() {
                *install = to_stop;
                asked += 1;
            }
        }
        if let StopOf::Release(_) = stop.of {
            for deployment in self
                .deployments
                .values_mut()
                .filter(|deployment| open.contains(&deployment.id))
            {
                if deployment.is_unfinished() {
                    deployment.next_at = Some(stop.at);
                }
            }
        }
        asked
    }

    /// Forgets the rechecks that were due by `now`: a plan has seen their rooms.
    pub fn forget_rechecks(&mut self, settled: &[RoomId], now: DateTime<Utc>) {
        self.rechecks_at
            .retain(|(at, room)| *at > now || !settled.contains(room));
    }

    fn count(&mut self, update: UpdateId, ring: RingId, bucket: Option<Bucket>, by: i64) {
        let Some(bucket) = bucket else { return };
        let Some(rollout) = self.rollouts.get_mut(&update) else {
            return;
        };
        *rollout.counts.entry(ring).or_default().of(bucket) += by;
    }

    fn apply_ticket(&mut self, change: &TicketChange) {
        let key = (change.room, change.update);
        match &change.event {
            TicketEvent::Failed { .. } | TicketEvent::NoSpace { .. } => {
                let ticket = self.tickets.entry(key).or_insert_with(|| FailureTicket {
                    room: change.room,
                    update: change.update,
                    state: TicketState::NeedsAction,
                    failures: Vec::new(),
                });
                ticket.state = TicketState::NeedsAction;
                ticket.failures.push(change.event.sentence());
            }
            TicketEvent::Cleared(_) => {
                if let Some(ticket) = self.tickets.get_mut(&key) {
                    ticket.state = TicketState::Resolved;
                }
            }
        }
    }

    /// A device has said something that changed its install: the room must be looked at.
    pub fn hear(&mut self, install: Install) {
        if let Some(deployment) = self.deployments.get(&install.deployment) {
            self.rechecks.insert(deployment.room);
        }
        self.installs.insert(install.action, install);
    }

    /// The open install of a device.
    #[must_use]
    pub fn open_install(&self, device: crate::ids::DeviceId) -> Option<&Install> {
        self.installs
            .values()
            .find(|install| install.device == device && install.is_open())
    }

    /// Notes that a device polled while it might have started (W4).
    pub fn showed_up(&mut self, action: ActionId, now: DateTime<Utc>) {
        if let Some(install) = self.installs.get_mut(&action)
            && install.state == InstallState::Planned
            && install.shown_up_at.is_none()
        {
            install.shown_up_at = Some(now);
        }
    }
}
