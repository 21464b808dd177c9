//! What people do to a simulated fleet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::{DeviceEvent, LogEntry, Simulation};
use crate::changes::{Applied, Changes, Recheck, StopOf, TakeBack, Wake};
use crate::commands::acknowledge::acknowledge;
use crate::commands::cancel::{cancel, nothing_to_cancel};
use crate::commands::deactivate::deactivate;
use crate::commands::edit_rings::{delete_ring, edit_rings};
use crate::commands::edit_settings::edit_settings;
use crate::commands::force::ForceOutcome;
use crate::commands::move_rooms::{RoomInRing, check_all_found, move_rooms};
use crate::commands::pause::{Pause, pause};
use crate::commands::publish::{PublishFacts, ReleaseToPublish, publish, recall};
use crate::commands::resume::resume;
use crate::commands::retry::Retry;
use crate::commands::set_resume_date::set_resume_date;
use crate::commands::{self, startable_rollout};
use crate::deployment;
use crate::event::Subject;
use crate::freeze::FreezeScope;
use crate::ids::{RingId, RoomId, UpdateId};
use crate::install::Install;
use crate::refusal::Refusal;
use crate::ring::RingSequence;
use crate::rollout::{Rollout, days};
use crate::room::{Hold, Room};
use crate::settings::Organisation;
use crate::time_text;
use crate::update::Update;
use crate::zone::Zone;

impl Simulation {
    /// Publishes a release (S3, S4). `supersedes`: it takes the place of older ones (S9).
    ///
    /// # Errors
    /// It is published or recalled already, or does not fit into a window.
    pub fn publish(&mut self, update: Update, supersedes: bool) -> Result<(), Refusal> {
        let candidate = ReleaseToPublish {
            title: update.title(),
            published: self.fleet.rollouts.contains_key(&update.id),
            recalled: self.fleet.recalled.contains(&update.id),
            has_file: update.offerable,
            expected_minutes: update.expected_minutes,
        };
        let older = self.fleet.rollouts.iter().filter(|(older, _)| {
            let facts = self.fleet.updates.get(older);
            supersedes && facts.is_some_and(|older| update.supersedes(older))
        });
        let older: BTreeMap<UpdateId, Rollout> = older.map(|(id, older)| (*id, older.clone())).collect();
        let facts = PublishFacts {
            organisation: &self.fleet.organisation,
            rings: &self.fleet.rings,
            freezes: &self.fleet.freezes,
            update: &update,
            older: &older,
        };
        let published = publish(&candidate, &facts, "", self.now)?;
        self.fleet.updates.insert(update.id, update);
        self.write(&published.changes);
        Ok(())
    }

    fn title(&self, update: UpdateId) -> String {
        self.fleet
            .updates
            .get(&update)
            .map_or_else(|| "An update".to_owned(), Update::title)
    }

    /// Pauses a rollout (K2, K3), until somebody resumes it or until a date of the organisation's.
    ///
    /// # Errors
    /// It is not running, or the date is no good.
    pub fn pause(
        &mut self,
        update: UpdateId,
        by: &str,
        reason: &str,
        resumes_on: Option<NaiveDate>,
    ) -> Result<(), Refusal> {
        let asked = Pause {
            by: by.to_owned(),
            reason: reason.to_owned(),
            resumes_on,
        };
        let (rollout, zone) = (self.fleet.rollouts.get(&update), &self.fleet.organisation.zone);
        let changes = pause(rollout, &self.title(update), zone, &asked, self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Gives a pause another end (K3).
    ///
    /// # Errors
    /// It is not paused, has that end already, or the date is no good.
    pub fn set_resume_date(&mut self, update: UpdateId, resumes_on: Option<NaiveDate>) -> Result<(), Refusal> {
        let (rollout, zone) = (self.fleet.rollouts.get(&update), &self.fleet.organisation.zone);
        let changes = set_resume_date(rollout, &self.title(update), zone, resumes_on, self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Ends a rollout by hand (S15).
    ///
    /// # Errors
    /// It is deprecated.
    pub fn deactivate(&mut self, update: UpdateId, why: &str) -> Result<(), Refusal> {
        let rollout = self.fleet.rollouts.get(&update);
        let changes = deactivate(rollout, &self.title(update), why, "Admin", self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Resumes a rollout (K3): later dates move by the days between.
    ///
    /// # Errors
    /// It is not paused.
    pub fn resume(&mut self, update: UpdateId) -> Result<(), Refusal> {
        let rollout = self.fleet.rollouts.get(&update);
        let updates = &self.fleet.updates;
        let resumed = resume(
            rollout,
            updates.get(&update),
            self.fleet.calendar(),
            updates.values(),
            "Admin",
            self.now,
        )?;
        self.write(&resumed.changes);
        Ok(())
    }

    /// Writes changes, with what a timeline wants to know of nights that move, and has devices hear that they are asked to stop.
    pub(super) fn write(&mut self, changes: &Changes) -> Applied {
        let moved = Changes {
            deployments: self.fleet.moved_by(changes),
            ..Changes::default()
        };
        let nights = self.new_nights(&moved);
        self.log.extend(nights);
        let applied = self.fleet.apply(changes);
        for stop in &changes.stops {
            let concerned = |install: &&Install| match stop.of {
                StopOf::Release(release) => install.update == release,
                StopOf::Deployment(deployment) => install.deployment == deployment,
            };
            let asked = self.fleet.installs.values().filter(concerned);
            let asked = asked.filter(|install| install.is_to_be_canceled());
            // While it works, a device polls every half minute.
            for action in asked.map(|install| install.action).collect::<Vec<_>>() {
                self.schedule(self.now + TimeDelta::seconds(30), DeviceEvent::Stop(action));
            }
        }
        applied
    }

    /// An admin has seen that an update was completed with failures (T9).
    ///
    /// # Errors
    /// It was not, or somebody has seen it before.
    pub fn acknowledge(&mut self, update: UpdateId) -> Result<(), Refusal> {
        let acknowledged = self.fleet.acknowledged.contains(&update);
        let rollout = self.fleet.rollouts.get(&update);
        let changes = acknowledge(rollout, &self.title(update), acknowledged, "", self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Recalls a release (S10): its rollout is deprecated, what still downloads is stopped, and it is no step any more.
    ///
    /// # Errors
    /// It was recalled before.
    pub fn recall(&mut self, update: UpdateId, why: &str) -> Result<(), Refusal> {
        let (recalled, rollout) = (self.fleet.recalled.contains(&update), self.fleet.rollouts.get(&update));
        let changes = recall(update, &self.title(update), recalled, rollout, why, self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// An admin stops an update in a room (`docs/devices.md` 3). Only what still downloads stops: how many devices are asked.
    ///
    /// # Errors
    /// Nothing downloads.
    pub fn cancel(&mut self, update: UpdateId, room: RoomId, by: &str, reason: &str) -> Result<u64, Refusal> {
        let (title, name) = (self.title(update), self.room_name(room));
        let deployment = self.fleet.deployment_of(room, update);
        let changes = cancel(deployment, &title, &name, by, reason, self.now)?;
        match self.write(&changes).stops {
            0 => Err(nothing_to_cancel(&title, &name)),
            asked => Ok(asked),
        }
    }

    fn room_name(&self, room: RoomId) -> String {
        self.fleet
            .rooms
            .get(&room)
            .map_or_else(String::new, |room| room.name.clone())
    }

    /// Retry all failed (K4): how many rooms went back into their next window.
    ///
    /// # Errors
    /// There is no such rollout, or it is paused or deprecated.
    pub fn retry_all_failed(&mut self, update: UpdateId, by: &str) -> Result<usize, Refusal> {
        let title = self.title(update);
        let of_update = self
            .fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == update);
        let rooms = of_update.filter_map(|deployment| Some((self.fleet.rooms.get(&deployment.room)?, deployment)));
        let (changes, _) = self.retry_of(update, &title, by)?.rooms(rooms, self.now);
        let number = changes.deployments.len();
        self.write_retried(&changes);
        Ok(number)
    }

    /// Retry in one room (K4).
    ///
    /// # Errors
    /// There is nothing to retry there, or the rollout is paused or deprecated.
    pub fn retry(&mut self, update: UpdateId, room: RoomId, by: &str) -> Result<(), Refusal> {
        let title = self.title(update);
        let retry = self.retry_of(update, &title, by)?;
        let existing = self.fleet.deployment_of(room, update);
        let room = self.fleet.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let changes = retry.room(room, existing, self.now)?;
        self.write_retried(&changes);
        Ok(())
    }

    fn retry_of<'s>(&'s self, update: UpdateId, title: &'s str, by: &'s str) -> Result<Retry<'s>, Refusal> {
        Ok(Retry {
            rollout: startable_rollout(self.fleet.rollouts.get(&update), title)?,
            title,
            rings: &self.fleet.rings,
            newer: &self.fleet.rollouts,
            settings: &self.fleet.organisation.settings,
            by,
        })
    }

    fn write_retried(&mut self, changes: &Changes) {
        for retry in &changes.deployments {
            let subject = Some(Subject::Room(retry.room, retry.update));
            self.log.push(LogEntry {
                at: self.now,
                subject,
                text: retry.reason.sentence(),
            });
        }
        self.write(changes);
    }

    /// Forces an update in rooms (K5). The log says which were left out and why.
    ///
    /// # Errors
    /// There is no such rollout, or it is paused or deprecated.
    pub fn force(
        &mut self,
        update: UpdateId,
        rooms: &[RoomId],
        how: deployment::Force,
        by: &str,
    ) -> Result<ForceOutcome, Refusal> {
        let rollout = startable_rollout(self.fleet.rollouts.get(&update), &self.title(update))?.clone();
        let Some(update) = self.fleet.updates.get(&update).cloned() else {
            return Err(Refusal::NoRollout);
        };
        let force = commands::force::Force {
            update: &update,
            rollout: &rollout,
            rings: &self.fleet.rings,
            freezes: &self.fleet.freezes,
            newer: &self.fleet.rollouts,
            newer_updates: &self.fleet.updates,
            how,
            by,
        };
        // A room that is named twice is forced once.
        let rooms: BTreeSet<&RoomId> = rooms.iter().collect();
        let rooms = rooms.into_iter().filter_map(|room| self.fleet.rooms.get(room));
        let rooms = rooms.map(|room| (room, self.fleet.deployment_of(room.id, update.id)));
        let (changes, forced) = force.rooms(rooms, self.now, &mut self.ids);
        for (room, why) in &forced.left_out {
            let Some(zone) = self.fleet.rooms.get(room).map(|room| &room.zone) else {
                continue;
            };
            let year = zone.date(self.now).year();
            let why = why.sentence(&update.product_name, |date| time_text::date(date, year));
            self.log.push(LogEntry {
                at: self.now,
                subject: Some(Subject::Room(*room, update.id)),
                text: format!("Left out of the force: {why}"),
            });
        }
        self.write(&changes);
        Ok(forced)
    }

    /// Moves a room into another ring (R12–R14); one that is there already stays.
    pub fn move_room(&mut self, room: RoomId, ring: RingId) {
        if self.move_rooms(&[room], None, ring).is_err() {
            // Looked at all the same, as after every move.
            self.wake_rollouts();
        }
    }

    /// Moves rooms into another ring, all or none (R12–R14). `from`: the ring in which they were seen.
    ///
    /// # Errors
    /// A room or the ring is not there, a room is not where it was seen, or in the ring already.
    pub fn move_rooms(&mut self, rooms: &[RoomId], from: Option<RingId>, to: RingId) -> Result<usize, Refusal> {
        let named: BTreeSet<&RoomId> = rooms.iter().collect();
        let found = named.iter().filter_map(|room| self.fleet.rooms.get(*room));
        let places: Vec<RoomInRing> = found
            .map(|room| RoomInRing {
                room: room.id,
                name: room.name.clone(),
                ring: room.ring,
            })
            .collect();
        if self.fleet.rings.get(to).is_none() {
            return Err(Refusal::NoSuchRing);
        }
        check_all_found(named.len(), places.len())?;
        let moved = move_rooms(&self.fleet.rings, &places, true, from, to, self.now)?;
        Ok(usize::try_from(self.write(&moved.changes).moved_rooms).unwrap_or(usize::MAX))
    }

    /// Keeps updates away from a room up to and including a date ★.
    pub fn hold(&mut self, room: RoomId, hold: Hold) {
        let Some(held) = self.fleet.rooms.get_mut(&room) else {
            return;
        };
        let begins = held.zone.start_of(hold.since);
        let ends = held.zone.start_of(hold.until + days(1));
        held.holds.push(hold);
        self.fleet.rechecks.insert(room);
        let ahead = [begins, ends].into_iter().filter(|at| *at > self.now);
        self.fleet.rechecks_at.extend(ahead.map(|at| (at, room)));
    }

    /// A room is added while rollouts are under way (R3, R14).
    pub fn add_room(&mut self, room: Room) {
        self.fleet.rechecks.insert(room.id);
        self.fleet.rooms.insert(room.id, room);
        self.wake_rollouts();
    }

    /// Other rings from now on (R10).
    ///
    /// # Errors
    /// The plan of a rollout under way would get too long.
    pub fn set_rings(&mut self, rings: &RingSequence) -> Result<(), Refusal> {
        let changes = edit_rings(&self.fleet.rings, rings, &self.live(), self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Takes a custom ring away (R11): `rings` are those that are left. Its rooms go to `to`.
    ///
    /// # Errors
    /// An update is inside it.
    pub fn delete_ring(&mut self, ring: RingId, rings: &RingSequence, to: RingId) -> Result<(), Refusal> {
        let changes = delete_ring(ring, rings, to, self.fleet.calendar(), &self.live(), self.now)?;
        self.write(&changes);
        Ok(())
    }

    fn live(&self) -> Vec<(&Rollout, String)> {
        let live = self.fleet.rollouts.values().filter(|rollout| rollout.is_live());
        live.map(|rollout| (rollout, self.title(rollout.update))).collect()
    }

    /// Other settings from now on (S3, S12, W1, W4, W5).
    ///
    /// # Errors
    /// A running update would not fit into the window.
    pub fn edit_settings(&mut self, organisation: &Organisation) -> Result<(), Refusal> {
        let live = self.fleet.rollouts.values().filter(|rollout| rollout.is_live());
        let updates = live.filter_map(|rollout| self.fleet.updates.get(&rollout.update));
        let changes = edit_settings(&self.fleet.organisation, organisation, updates, self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Rooms have another zone from now on (W2). What is prepared in them waits for its evening there, and no window is missed (W4).
    pub fn change_zone(&mut self, rooms: &[RoomId], zone: &Zone) {
        let now = self.now;
        let moved: Vec<RoomId> = rooms
            .iter()
            .filter_map(|id| {
                let room = self.fleet.rooms.get_mut(id).filter(|room| room.zone != *zone)?;
                room.zone = zone.clone();
                Some(room.id)
            })
            .collect();
        let taken_back = moved.iter().map(|room| TakeBack {
            scope: FreezeScope::Room(*room),
            nights: None,
            at: now,
        });
        self.write(&Changes {
            taken_back: taken_back.collect(),
            rechecks: moved.iter().map(|room| Recheck::Room(*room)).collect(),
            woken: vec![Wake::rollouts(now)],
            ..Changes::default()
        });
    }

    fn wake_rollouts(&mut self) {
        self.write(&Changes {
            woken: vec![Wake::rollouts(self.now)],
            ..Changes::default()
        });
    }
}
