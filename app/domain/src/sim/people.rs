//! What people do to a simulated fleet.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::{DeviceEvent, Happened, Simulation};
use crate::deployment::{Deployment, Force};
use crate::freeze::{self, Freeze, Shift};
use crate::ids::{DeploymentId, RingId, RoomId, UpdateId};
use crate::install::Install;
use crate::event::Subject;
use crate::planner;
use crate::reason::Reason;
use crate::ring::RingSequence;
use crate::rollout::{Rollout, RolloutState, days};
use crate::room::{Hold, Room};
use crate::update::Update;
use crate::when;

impl Simulation {
    /// Publishes a release (S3, S4). `supersedes`: it takes the place of older ones (S9).
    pub fn publish(&mut self, update: Update, supersedes: bool) {
        let rollout = planner::publish(&self.fleet.organisation, &update, self.now);
        let older = self.fleet.rollouts.keys().filter(|older| {
            let facts = self.fleet.updates.get(older);
            supersedes && facts.is_some_and(|older| update.takes_the_place_of(older))
        });
        for older in older.copied().collect::<Vec<_>>() {
            let Some(before) = self.fleet.rollouts.get(&older) else {
                continue;
            };
            let fleet = &self.fleet;
            let after = planner::supersede(
                before,
                &update,
                &fleet.organisation,
                &fleet.rings,
                &fleet.freezes,
                self.now,
            );
            if let Some(after) = after {
                self.fleet.rollouts.insert(older, after);
                self.fleet.wake_deployments(older, self.now);
            }
        }
        self.fleet.rollouts.insert(update.id, rollout);
        self.fleet.updates.insert(update.id, update);
    }

    /// Pauses a rollout (K2, K3), until somebody resumes it or until a date of the organisation's.
    pub fn pause(&mut self, update: UpdateId, by: &str, reason: &str, resumes_on: Option<NaiveDate>) {
        let next_at = resumes_on.map(|date| self.fleet.organisation.zone.start_of(date));
        if let Some(rollout) = self
            .fleet
            .rollouts
            .get_mut(&update)
            .filter(|rollout| rollout.state == RolloutState::Running)
        {
            rollout.state = RolloutState::Paused {
                since: self.now,
                by: by.to_owned(),
                reason: reason.to_owned(),
                resumes_on,
            };
            rollout.next_at = next_at;
            self.fleet.wake_deployments(update, self.now);
        }
    }

    /// Resumes a rollout (K3): later dates move by the days between.
    pub fn resume(&mut self, update: UpdateId) {
        let zone = self.fleet.organisation.zone.clone();
        let Some(rollout) = self.fleet.rollouts.get_mut(&update) else {
            return;
        };
        let RolloutState::Paused { since, .. } = rollout.state else {
            return;
        };
        let freezes = self.fleet.freezes.clone();
        let pause = planner::resume(&zone, since, self.now, &freezes);
        *rollout = Rollout {
            next_at: Some(self.now),
            ..rollout.resumed(&self.fleet.rings, &pause)
        };
        self.shift_nights(update, &pause);
        self.fleet.wake_deployments(update, self.now);
        let Some(step) = self.fleet.updates.get(&update) else {
            return;
        };
        for waiting in planner::led_to_by(step, self.fleet.updates.values()) {
            self.fleet.wake_deployments(waiting, self.now);
        }
    }

    /// Moves the nights of a rollout with its dates.
    fn shift_nights(&mut self, update: UpdateId, shift: &Shift<'_>) {
        let Some(rollout) = self.fleet.rollouts.get(&update) else {
            return;
        };
        let of_update = self
            .fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == update);
        let deployments = of_update
            .filter_map(|deployment| planner::after_shift(deployment, rollout, shift))
            .collect();
        let plan = planner::Plan {
            deployments,
            ..planner::Plan::default()
        };
        let nights = self.new_nights(&plan);
        self.log.extend(nights);
        self.fleet.apply(&plan);
    }

    /// Recalls a release (S10): its rollout is deprecated, what still downloads is stopped, and it is no step any more.
    pub fn recall(&mut self, update: UpdateId, why: &str) {
        if let Some(facts) = self.fleet.updates.get_mut(&update) {
            facts.offerable = false;
        }
        if let Some(recalled) = self
            .fleet
            .rollouts
            .get(&update)
            .and_then(|rollout| planner::recall(rollout, why, self.now))
        {
            self.fleet.rollouts.insert(update, recalled);
        }
        self.fleet.wake_deployments(update, self.now);
        let of_release = self
            .fleet
            .installs
            .values()
            .filter(|install| install.update == update && install.is_open());
        for install in of_release.cloned().collect::<Vec<_>>() {
            self.wake_deployment(install.deployment);
            self.ask_to_stop(&install, Reason::recalled(why).sentence());
        }
    }

    /// An admin stops an update in a room (`DDI.md` 3). Only what still downloads stops: how many devices are asked.
    pub fn cancel(&mut self, update: UpdateId, room: RoomId, why: &str) -> usize {
        let Some(deployment) = self.fleet.deployment_of(room, update).map(|deployment| deployment.id) else {
            return 0;
        };
        let started = |install: &&Install| install.deployment == deployment && install.is_started();
        let started: Vec<Install> = self.fleet.installs.values().filter(started).cloned().collect();
        let asked = started.iter().map(|install| self.ask_to_stop(install, why.to_owned()));
        asked.collect::<Vec<_>>().into_iter().filter(|asked| *asked).count()
    }

    fn ask_to_stop(&mut self, install: &Install, why: String) -> bool {
        let asked = Install {
            cancel_wanted: Some(why),
            ..install.clone()
        };
        if !asked.is_to_be_canceled() {
            return false;
        }
        let action = asked.action;
        self.fleet.installs.insert(action, asked);
        // While it works, a device polls every half minute.
        self.schedule(self.now + TimeDelta::seconds(30), DeviceEvent::Stop(action));
        true
    }

    fn wake_deployment(&mut self, id: DeploymentId) {
        if let Some(deployment) = self.fleet.deployments.get_mut(&id)
            && deployment.is_unfinished()
        {
            deployment.next_at = Some(self.now);
        }
    }

    /// A freeze of the organisation or of a ring: the dates of every plan move (W6).
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn freeze_plans(&mut self, ring: Option<RingId>, freeze: Freeze) -> Result<(), String> {
        let rooms = self
            .fleet
            .rooms
            .values()
            .filter(|room| ring.is_none_or(|ring| room.ring == ring));
        let rooms: Vec<RoomId> = rooms.map(|room| room.id).collect();
        self.check_freeze(&rooms, &freeze)?;
        let before = self.fleet.freezes.clone();
        let of = match ring {
            None => &mut self.fleet.freezes.organisation,
            Some(ring) => self.fleet.freezes.rings.entry(ring).or_default(),
        };
        of.push(freeze);
        of.sort_by_key(|freeze| (freeze.from, freeze.id));
        let after = self.fleet.freezes.clone();
        let zone = self.fleet.organisation.zone.clone();
        let shift = planner::refreeze(&zone, self.now, &before, &after);
        let live = self.fleet.rollouts.values().filter(|rollout| rollout.is_live());
        for update in live.map(|rollout| rollout.update).collect::<Vec<_>>() {
            if let Some(rollout) = self.fleet.rollouts.get_mut(&update) {
                *rollout = rollout.refrozen(&shift);
            }
            self.shift_nights(update, &shift);
        }
        self.look_again();
        self.look_at_rooms(&rooms);
        Ok(())
    }

    /// A freeze of single rooms, or of a site: only those rooms move (W6).
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn freeze_rooms(&mut self, rooms: &[RoomId], freeze: &Freeze) -> Result<(), String> {
        self.check_freeze(rooms, freeze)?;
        for room in rooms {
            if let Some(room) = self.fleet.rooms.get_mut(room) {
                room.freezes.push(freeze.clone());
                room.freezes.sort_by_key(|freeze| (freeze.from, freeze.id));
            }
        }
        self.look_at_rooms(rooms);
        Ok(())
    }

    fn check_freeze(&self, rooms: &[RoomId], new: &Freeze) -> Result<(), String> {
        let today = self.fleet.organisation.zone.date(self.now);
        if new.from < today {
            return Err(format!("first date: {} has passed; it is {today}", new.from));
        }
        for room in rooms.iter().filter_map(|room| self.fleet.rooms.get(room)) {
            let of_ring = self.fleet.freezes.rings.get(&room.ring).into_iter().flatten();
            let all = self
                .fleet
                .freezes
                .organisation
                .iter()
                .chain(of_ring)
                .chain(&room.freezes);
            let others: Vec<_> = all.map(|freeze| (freeze.from, freeze.until)).collect();
            freeze::check(&others, new.from, new.until)?;
        }
        Ok(())
    }

    fn look_at_rooms(&mut self, rooms: &[RoomId]) {
        for deployment in self.fleet.deployments.values_mut() {
            if rooms.contains(&deployment.room) && deployment.is_unfinished() {
                deployment.next_at = Some(self.now);
            }
        }
    }

    /// Deprecates an update for whatever reason (T8).
    pub fn deprecate(&mut self, update: UpdateId, reason: &str) {
        let live_or_over = |rollout: &&mut Rollout| !matches!(rollout.state, RolloutState::Deprecated { .. });
        if let Some(rollout) = self.fleet.rollouts.get_mut(&update).filter(live_or_over) {
            rollout.state = RolloutState::Deprecated {
                at: self.now,
                reason: Reason::Written(reason.to_owned()),
            };
            rollout.next_at = None;
            self.fleet.wake_deployments(update, self.now);
        }
    }

    /// Retry all failed (K4): how many rooms went back into their next window.
    pub fn retry_all_failed(&mut self, update: UpdateId, by: &str) -> usize {
        let startable = self.fleet.rollouts.get(&update).is_some_and(Rollout::may_start_rooms);
        if !startable {
            return 0;
        }
        let settings = self.fleet.organisation.settings.clone();
        let retried: Vec<_> = self
            .fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == update)
            .filter_map(|deployment| {
                let room = self.fleet.rooms.get(&deployment.room)?;
                planner::retry(deployment, &room.zone, &settings, by, self.now)
            })
            .collect();
        let number = retried.len();
        for retry in &retried {
            let subject = Some(Subject::Room(retry.room, retry.update));
            self.log.push(Happened {
                at: self.now,
                subject,
                text: retry.reason.sentence(),
            });
        }
        self.put(retried);
        number
    }

    /// Forces an update in rooms (K5): how many rooms. The log says which were left out and why.
    pub fn force(&mut self, update: UpdateId, rooms: &[RoomId], how: Force, by: &str) -> usize {
        let (Some(update), Some(rollout)) = (
            self.fleet.updates.get(&update).cloned(),
            self.fleet.rollouts.get(&update).cloned(),
        ) else {
            return 0;
        };
        if !rollout.may_start_rooms() {
            return 0;
        }
        let (mut forced, mut left_out) = (Vec::new(), Vec::new());
        // A room that is named twice is forced once.
        let rooms: BTreeSet<&RoomId> = rooms.iter().collect();
        for room in rooms.into_iter().filter_map(|room| self.fleet.rooms.get(room)) {
            let existing = self.fleet.deployment_of(room.id, update.id);
            let freezes = &self.fleet.freezes;
            let newer = planner::gives_way_to(&self.fleet.rings, &rollout, room.ring, |newer| {
                self.fleet.rollouts.get(&newer)
            });
            let newer = newer
                .and_then(|newer| self.fleet.updates.get(&newer))
                .map(Update::title);
            match planner::force(
                &update,
                &rollout,
                room,
                freezes,
                newer.as_deref(),
                existing,
                how,
                by,
                self.now,
                &mut self.ids,
            ) {
                Ok(deployment) => forced.push(deployment),
                Err(why) => {
                    let year = room.zone.date(self.now).year();
                    let why = why.sentence(&update.product_name, |date| when::date(date, year));
                    left_out.push((room.id, format!("Left out of the force: {why}")));
                }
            }
        }
        let number = forced.len();
        for (room, text) in left_out {
            self.log.push(Happened {
                at: self.now,
                subject: Some(Subject::Room(room, update.id)),
                text,
            });
        }
        self.put(forced);
        number
    }

    /// Moves a room into another ring (R12–R14).
    pub fn move_room(&mut self, room: RoomId, ring: RingId) {
        if let Some(room) = self.fleet.rooms.get_mut(&room) {
            room.ring = ring;
            self.fleet.marked.insert(room.id);
        }
        self.look_again();
    }

    /// Keeps updates away from a room up to and including a date ★.
    pub fn hold(&mut self, room: RoomId, hold: Hold) {
        let Some(held) = self.fleet.rooms.get_mut(&room) else {
            return;
        };
        let begins = held.zone.start_of(hold.since);
        let ends = held.zone.start_of(hold.until + days(1));
        held.holds.push(hold);
        self.fleet.marked.insert(room);
        let ahead = [begins, ends].into_iter().filter(|at| *at > self.now);
        self.fleet.marked_at.extend(ahead.map(|at| (at, room)));
    }

    /// A room is added while rollouts are under way (R3, R14).
    pub fn add_room(&mut self, room: Room) {
        self.fleet.marked.insert(room.id);
        self.fleet.rooms.insert(room.id, room);
        self.look_again();
    }

    /// Other rings from now on (R10).
    pub fn set_rings(&mut self, rings: RingSequence) {
        let live: Vec<&Rollout> = self
            .fleet
            .rollouts
            .values()
            .filter(|rollout| rollout.is_live())
            .collect();
        let changed = planner::reached_otherwise(&self.fleet.rings, &rings, &live);
        let in_changed = self.fleet.rooms.values().filter(|room| changed.contains(&room.ring));
        self.fleet.marked.extend(in_changed.map(|room| room.id));
        self.fleet.rings = rings;
        self.look_again();
    }

    fn look_again(&mut self) {
        for rollout in self.fleet.rollouts.values_mut() {
            if let Some(again) = planner::look_again(rollout, self.now) {
                *rollout = again;
            }
        }
    }

    /// Writes deployments that a person has changed, with their counts.
    fn put(&mut self, deployments: Vec<Deployment>) {
        let plan = planner::Plan {
            deployments,
            ..planner::Plan::default()
        };
        self.fleet.apply(&plan);
    }
}
