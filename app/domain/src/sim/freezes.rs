//! Freezes in the simulator: they are made, looked at before that, and lifted.

use chrono::NaiveDate;
use uuid::Uuid;

use super::Simulation;
use crate::commands::freeze::{Spans, freeze, last_dates, move_plans};
use crate::commands::lift_freeze::lift_freeze;
use crate::commands::resume::Calendar;
use crate::freeze::{Freeze, FreezeScope, Freezes};
use crate::ids::{FreezeId, RingId, RoomId, SiteId};
use crate::refusal::Refusal;
use crate::room::RoomState;
use crate::update::Update;

impl Simulation {
    /// A freeze of the organisation or of a ring: the dates of every plan move (W6).
    ///
    /// # Errors
    /// The dates are no good, or too near to another freeze.
    pub fn freeze_plans(&mut self, ring: Option<RingId>, made: Freeze) -> Result<(), Refusal> {
        let scope = ring.map_or(FreezeScope::Organisation, FreezeScope::Ring);
        self.may_freeze(scope, &[], made.from, made.until)?;
        let after = self.fleet.freezes.with(scope, &made);
        self.set_freezes(after);
        self.wake_under_finished(ring);
        Ok(())
    }

    /// A freeze of single rooms, or of a site: only those rooms move (W6).
    ///
    /// # Errors
    /// The dates are no good, or too near to another freeze.
    pub fn freeze_rooms(&mut self, rooms: &[RoomId], made: &Freeze) -> Result<(), Refusal> {
        // A site is no more than its rooms here.
        let scope = match rooms {
            [] => FreezeScope::Site(SiteId(Uuid::nil())),
            [first, ..] => FreezeScope::Room(*first),
        };
        for room in self.may_freeze(scope, rooms, made.from, made.until)? {
            if let Some(room) = self.fleet.rooms.get_mut(&room) {
                room.freezes.push(made.clone());
                room.freezes.sort_by_key(|freeze| (freeze.from, freeze.id));
                self.fleet.rechecks.insert(room.id);
            }
        }
        Ok(())
    }

    /// What a freeze would do to the running updates (K9): the title of each, and the last date of its plan before and after.
    /// `rooms`: of a site.
    ///
    /// # Errors
    /// As when it is made.
    pub fn freeze_plan(
        &self,
        scope: FreezeScope,
        rooms: &[RoomId],
        made: &Freeze,
    ) -> Result<Vec<(String, NaiveDate, NaiveDate)>, Refusal> {
        self.may_freeze(scope, rooms, made.from, made.until)?;
        let fleet = &self.fleet;
        let live = fleet.rollouts.values().filter(|rollout| rollout.is_live());
        let calendar = Calendar {
            zone: &fleet.organisation.zone,
            rings: &fleet.rings,
            freezes: &fleet.freezes,
        };
        let moved = last_dates(live, calendar, &fleet.freezes.with(scope, made), self.now);
        let title = |id| fleet.updates.get(&id).map_or_else(String::new, Update::title);
        Ok(moved.into_iter().map(|(id, was, is)| (title(id), was, is)).collect())
    }

    /// The rooms that a freeze would concern. `rooms`: of a site or the one room.
    fn may_freeze(
        &self,
        scope: FreezeScope,
        rooms: &[RoomId],
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<RoomId>, Refusal> {
        let is_known = match scope {
            FreezeScope::Organisation => true,
            FreezeScope::Ring(ring) => self.fleet.rings.get(ring).is_some(),
            FreezeScope::Site(_) => !rooms.is_empty(),
            FreezeScope::Room(room) => self.fleet.rooms.contains_key(&room),
        };
        if !is_known {
            return Err(Refusal::NoSuchScope(scope));
        }
        let concerned = self.fleet.rooms.values().filter(|room| match scope {
            FreezeScope::Organisation => true,
            FreezeScope::Ring(ring) => room.ring == ring,
            FreezeScope::Site(_) | FreezeScope::Room(_) => rooms.contains(&room.id),
        });
        let concerned: Vec<_> = concerned.filter(|room| room.state != RoomState::Retired).collect();
        let spans = |freezes: &mut dyn Iterator<Item = &Freeze>| -> Spans {
            freezes.map(|freeze| (freeze.from, freeze.until)).collect()
        };
        let of_organisation = || self.fleet.freezes.organisation.iter();
        let beside = concerned.iter().map(|room| {
            let of_ring = self.fleet.freezes.rings.get(&room.ring).into_iter().flatten();
            spans(&mut of_organisation().chain(of_ring).chain(&room.freezes))
        });
        let mut beside: Vec<Spans> = beside.collect();
        if beside.is_empty() {
            // Nobody is there yet: the organisation's own freezes count all the same.
            beside.push(spans(&mut of_organisation()));
        }
        freeze(self.fleet.organisation.zone.date(self.now), &beside, from, until)?;
        Ok(concerned.iter().map(|room| room.id).collect())
    }

    /// Other freezes of the organisation and of rings from now on.
    fn set_freezes(&mut self, after: Freezes) {
        let before = std::mem::replace(&mut self.fleet.freezes, after.clone());
        let zone = self.fleet.organisation.zone.clone();
        let live = self.fleet.rollouts.values().filter(|rollout| rollout.is_live());
        let changes = move_plans(live, &zone, &before, &after, self.now);
        self.write(&changes);
    }

    /// Lifts what is ahead of a freeze (W6).
    ///
    /// # Errors
    /// There is no such freeze, or nothing of it is ahead.
    pub fn lift_freeze(&mut self, id: FreezeId) -> Result<(), Refusal> {
        let fleet = &self.fleet;
        let of_plans = || {
            fleet
                .freezes
                .organisation
                .iter()
                .chain(fleet.freezes.rings.values().flatten())
        };
        let of_rooms = fleet.rooms.values().flat_map(|room| &room.freezes);
        let freeze = of_plans().chain(of_rooms).find(|freeze| freeze.id == id);
        let last = lift_freeze(freeze, fleet.organisation.zone.date(self.now))?;
        if of_plans().any(|freeze| freeze.id == id) {
            let after = fleet.freezes.shortened(id, last);
            let of_ring = |(_, of): &(&RingId, &Vec<Freeze>)| of.iter().any(|freeze| freeze.id == id);
            let ring = self.fleet.freezes.rings.iter().find(of_ring).map(|(ring, _)| *ring);
            self.set_freezes(after);
            self.wake_under_finished(ring);
            return Ok(());
        }
        for room in self.fleet.rooms.values_mut() {
            let Some(position) = room.freezes.iter().position(|freeze| freeze.id == id) else {
                continue;
            };
            match last {
                None => drop(room.freezes.remove(position)),
                Some(last) => room.freezes[position].until = last,
            }
            self.fleet.rechecks.insert(room.id);
        }
        Ok(())
    }
}
