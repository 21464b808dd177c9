//! Writes changes into a fleet: the twin in memory of the store's `Tx::apply`.
//!
//! Nothing is decided here; random life in the store's tests compares the two after every step. Start with [`Fleet::apply`].

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};

use super::Fleet;
use crate::changes::{
    Applied, BelievedVersion, Changes, FreezeChange, HaltTicket, MovedRooms, ReadinessEdit, Recheck, Stop, StopOf,
    TakeBack, Wake, WakeOf,
};
use crate::deployment::{Attempt, Deployment, DeploymentState};
use crate::freeze::{Freeze, FreezeScope};
use crate::ids::{ActionId, FreezeId, RoomId, UpdateId};
use crate::install::{Install, InstallState};
use crate::readiness::checked::CheckedRoom;
use crate::rollout::{Counts, RolloutState};
use crate::room::{Room, RoomState, VersionSource};
use crate::ticket::{
    CauseEvent, CauseTicket, CauseTicketChange, FailureTicket, TicketChange, TicketEvent, TicketStatus,
};
use crate::update::Update;

impl Fleet {
    /// Writes changes, as the store does.
    pub fn apply(&mut self, changes: &Changes) -> Applied {
        let mut applied = Applied::default();
        self.apply_estate(changes, &mut applied);
        self.apply_rollouts(changes);
        self.apply_rooms(changes);
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

    fn apply_rollouts(&mut self, changes: &Changes) {
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
                self.count(&before, -1);
            }
            self.count(deployment, 1);
        }
        for install in &changes.installs {
            self.installs.insert(install.action, install.clone());
        }
        for new in &changes.new_installs {
            let action = ActionId(self.installs.keys().next_back().map_or(1, |last| last.0 + 1));
            self.installs.insert(action, new.with_action(action));
        }
    }

    fn apply_rooms(&mut self, changes: &Changes) {
        for believed in &changes.believed {
            self.believe(believed);
        }
        for change in &changes.tickets {
            self.apply_ticket(change);
        }
        for change in &changes.halt_tickets {
            self.apply_halt_ticket(change);
        }
        for update in &changes.tolerated {
            self.tolerate(*update);
        }
        for change in &changes.cause_tickets {
            self.apply_cause_ticket(change);
        }
        for edit in &changes.readiness {
            self.edit_readiness(edit);
        }
        for checked in &changes.checked_rooms {
            self.apply_checks(checked);
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
    }

    fn believe(&mut self, believed: &BelievedVersion) {
        let (Some(release), Some(room)) = (self.updates.get(&believed.update), self.rooms.get_mut(&believed.room))
        else {
            return;
        };
        let device = room.devices.iter_mut().find(|device| device.id == believed.device);
        let components = device.into_iter().flat_map(|device| &mut device.components);
        for component in components.filter(|component| component.product == release.product) {
            if component.version.is_none() || component.source == VersionSource::Imported {
                component.version = Some(release.version.clone());
                component.source = VersionSource::Imported;
            }
        }
    }

    fn edit_readiness(&mut self, edit: &ReadinessEdit) {
        match edit {
            ReadinessEdit::Waived { room, waiver, at } => {
                let checks = self.checks.entry(*room).or_default();
                checks.waivers.retain(|other| other.check != waiver.check);
                checks.waivers.push(waiver.clone());
                checks.waivers.sort();
                checks.next_at = Some(*at);
            }
            ReadinessEdit::WaiverEnded { room, check } => {
                let checks = self.checks.entry(*room).or_default();
                checks.waivers.retain(|other| other.check != *check);
                checks.next_at = Some(DateTime::UNIX_EPOCH);
            }
            ReadinessEdit::Confirmed { room, at, .. } => {
                let checks = self.checks.entry(*room).or_default();
                checks.is_confirmed = true;
                checks.next_at = Some(*at);
            }
            ReadinessEdit::Reviewed { name, .. } => drop(self.reviewed.insert(name.clone())),
            ReadinessEdit::ReviewEnded { name } => drop(self.reviewed.remove(name)),
        }
    }

    fn apply_checks(&mut self, checked: &CheckedRoom) {
        let checks = self.checks.entry(checked.room).or_default();
        for (check, result) in &checked.changed {
            match result {
                Some(result) => drop(checks.results.insert(*check, *result)),
                None => drop(checks.results.remove(check)),
            }
        }
        if let Some(unreviewed) = &checked.unreviewed {
            checks.unreviewed.clone_from(unreviewed);
        }
        checks.next_at = Some(checked.next_at);
        let Some(room) = self.rooms.get_mut(&checked.room) else {
            return;
        };
        if let Some(blocks) = &checked.blocks {
            room.blocks.clone_from(blocks);
        }
        if checked.becomes_managed {
            room.state = RoomState::Managed;
        }
    }

    fn apply_cause_ticket(&mut self, change: &CauseTicketChange) {
        let key = (change.room, change.cause.clone());
        match &change.event {
            CauseEvent::Found { severity, .. } => {
                let ticket = CauseTicket {
                    severity: *severity,
                    state: TicketStatus::NeedsAction,
                };
                let ticket = match self.cause_tickets.get(&key) {
                    Some(open) if open.state != TicketStatus::Resolved => CauseTicket {
                        severity: *severity,
                        ..open.clone()
                    },
                    Some(_) | None => ticket,
                };
                self.cause_tickets.insert(key, ticket);
            }
            CauseEvent::Gone { .. } => {
                if let Some(ticket) = self.cause_tickets.get_mut(&key) {
                    ticket.state = TicketStatus::Resolved;
                }
            }
        }
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
                Recheck::OutOfSupport { update, on } => self.out_of_support(*update, *on),
                Recheck::Late(update) => self.late_for(*update),
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
    /// Rooms that have a version of an update's product that is out of support on a date.
    fn out_of_support(&self, update: UpdateId, on: NaiveDate) -> Vec<RoomId> {
        let product = self.updates.get(&update).map(|update| &update.product);
        let is_over = |room: &&Room| product.is_some_and(|product| room.is_out_of_support(product, on));
        self.rooms.values().filter(is_over).map(|room| room.id).collect()
    }

    /// Rooms that have yet to get an update of this one's product whose rollout is over.
    fn late_for(&self, update: UpdateId) -> Vec<RoomId> {
        let Some(product) = self.updates.get(&update).map(|update| &update.product) else {
            return Vec::new();
        };
        let is_over = |update: &&Update| {
            let rollout = self.rollouts.get(&update.id);
            update.product == *product
                && rollout.is_some_and(|rollout| matches!(rollout.state, RolloutState::Finished { .. }))
        };
        let over: Vec<&Update> = self.updates.values().filter(is_over).collect();
        let is_behind = |room: &Room, update: &Update| {
            let versions = room
                .devices
                .iter()
                .filter_map(|device| device.component(product)?.version.as_ref());
            let mut versions = versions.filter(|version| update.is_above(version));
            let deployment = self.deployment_of(room.id, update.id);
            let has_none =
                deployment.is_none_or(|deployment| matches!(deployment.state, DeploymentState::Withdrawn { .. }));
            has_none && versions.next().is_some()
        };
        let late = self
            .rooms
            .values()
            .filter(|room| over.iter().any(|update| is_behind(room, update)));
        late.map(|room| room.id).collect()
    }

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
            let night = |(from, until)| deployment.is_forced() || (from..=until).contains(&deployment.night.date());
            deployment.is_open() && rooms.contains(&deployment.room) && taken.nights.is_none_or(night)
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
            WakeOf::WaitingForStep(step) => {
                let Some(step) = self.updates.get(&step) else { return };
                let waits = |update: UpdateId| {
                    self.updates
                        .get(&update)
                        .is_some_and(|update| update.may_wait_for(step))
                };
                for deployment in self.deployments.values_mut() {
                    if deployment.is_unfinished() && waits(deployment.update) {
                        deployment.next_at = Some(wake.at);
                    }
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

    /// The deployments whose night moves with these changes.
    #[must_use]
    pub fn moved_by(&self, changes: &Changes) -> Vec<Deployment> {
        if changes.moved_nights.is_empty() {
            return Vec::new();
        }
        let moves = |deployment: &Deployment| changes.moved_nights.iter().find_map(|moved| moved.of(deployment));
        self.deployments.values().filter_map(moves).collect()
    }

    fn count(&mut self, deployment: &Deployment, by: i64) {
        let mut moved = Counts::default();
        moved.count(deployment, by);
        let Some(rollout) = self.rollouts.get_mut(&deployment.update) else {
            return;
        };
        if moved != Counts::default() {
            let counts = rollout.counts.entry(deployment.ring).or_default();
            *counts = counts.plus(moved);
        }
    }

    fn apply_halt_ticket(&mut self, change: &HaltTicket) {
        match change {
            HaltTicket::Opened { update, .. } => {
                self.halt_tickets.insert(*update, TicketStatus::NeedsAction);
            }
            HaltTicket::Cleared { update, .. } => {
                if let Some(ticket) = self.halt_tickets.get_mut(update) {
                    *ticket = TicketStatus::Resolved;
                }
            }
        }
    }

    /// Whatever has failed under an update fires no halt again (K7).
    fn tolerate(&mut self, update: UpdateId) {
        for deployment in self.deployments.values_mut() {
            if deployment.update == update && deployment.attempted() == Some(Attempt::Failed) {
                deployment.tolerated = true;
            }
        }
    }

    fn apply_ticket(&mut self, change: &TicketChange) {
        let key = (change.room, change.update);
        match &change.event {
            TicketEvent::Failed { .. } | TicketEvent::NoSpace { .. } => {
                let ticket = self.tickets.entry(key).or_insert_with(|| FailureTicket {
                    room: change.room,
                    update: change.update,
                    state: TicketStatus::NeedsAction,
                    failures: Vec::new(),
                });
                ticket.state = TicketStatus::NeedsAction;
                ticket.failures.push(change.event.sentence());
            }
            TicketEvent::Cleared(_) => {
                if let Some(ticket) = self.tickets.get_mut(&key) {
                    ticket.state = TicketStatus::Resolved;
                }
            }
        }
    }
}
