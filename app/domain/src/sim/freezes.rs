//! Freezes in the simulator: they are made, looked at before that, and lifted.

use chrono::NaiveDate;

use super::Simulation;
use crate::changes::Changes;
use crate::commands::freeze::{Spans, freeze, last_dates};
use crate::commands::lift_freeze::lift_freeze;
use crate::freeze::{Freeze, FreezeScope};
use crate::ids::{FreezeId, RingId, RoomId, SiteId};
use crate::refusal::Refusal;
use crate::rollout::Rollout;
use crate::room::RoomState;
use crate::update::Update;

impl Simulation {
    /// A freeze of the organisation or of a ring: the dates of every plan move (W6).
    ///
    /// # Errors
    /// The dates are no good, or too near to another freeze.
    pub fn freeze_plans(&mut self, ring: Option<RingId>, made: &Freeze) -> Result<(), Refusal> {
        let scope = ring.map_or(FreezeScope::Organisation, FreezeScope::Ring);
        let changes = self.freeze(scope, &[], made)?;
        self.write(&changes);
        Ok(())
    }

    /// A freeze of single rooms, or of a site: only those rooms move (W6).
    ///
    /// # Errors
    /// The dates are no good, or too near to another freeze.
    pub fn freeze_rooms(&mut self, rooms: &[RoomId], made: &Freeze) -> Result<(), Refusal> {
        // A site is no more than its rooms here.
        let site = SiteId(made.id.0);
        let scope = match rooms {
            [room] => FreezeScope::Room(*room),
            _ => FreezeScope::Site(site),
        };
        let changes = self.freeze(scope, rooms, made)?;
        self.fleet.sites.insert(site, rooms.iter().copied().collect());
        self.write(&changes);
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
        let changes = self.freeze(scope, rooms, made)?;
        let fleet = &self.fleet;
        let moved = last_dates(self.live_rollouts(), &changes, fleet.calendar(), self.now);
        let title = |id| fleet.updates.get(&id).map_or_else(String::new, Update::title);
        Ok(moved.into_iter().map(|(id, was, is)| (title(id), was, is)).collect())
    }

    /// What a freeze consists of. `rooms`: of a site or the one room.
    fn freeze(&self, scope: FreezeScope, rooms: &[RoomId], made: &Freeze) -> Result<Changes, Refusal> {
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
        let concerned = concerned.filter(|room| room.state != RoomState::Retired);
        let spans = |freezes: &mut dyn Iterator<Item = &Freeze>| -> Spans {
            freezes.map(|freeze| (freeze.from, freeze.until)).collect()
        };
        let of_organisation = || self.fleet.freezes.organisation.iter();
        let beside = concerned.map(|room| {
            let of_ring = self.fleet.freezes.rings.get(&room.ring).into_iter().flatten();
            spans(&mut of_organisation().chain(of_ring).chain(&room.freezes))
        });
        let mut beside: Vec<Spans> = beside.collect();
        if beside.is_empty() {
            // Nobody is there yet: the organisation's own freezes count all the same.
            beside.push(spans(&mut of_organisation()));
        }
        let calendar = self.fleet.calendar();
        freeze(scope, made, &beside, self.live_rollouts(), calendar, self.now)
    }

    fn live_rollouts(&self) -> impl Iterator<Item = &Rollout> {
        self.fleet.rollouts.values().filter(|rollout| rollout.is_live())
    }

    /// Lifts what is ahead of a freeze (W6).
    ///
    /// # Errors
    /// There is no such freeze, or nothing of it is ahead.
    pub fn lift_freeze(&mut self, id: FreezeId) -> Result<(), Refusal> {
        let fleet = &self.fleet;
        let of_organisation = fleet.freezes.organisation.iter();
        let of_organisation = of_organisation.map(|freeze| (FreezeScope::Organisation, freeze));
        let of_rings = fleet.freezes.rings.iter();
        let of_rings = of_rings.flat_map(|(ring, of)| of.iter().map(|freeze| (FreezeScope::Ring(*ring), freeze)));
        let of_rooms = fleet.rooms.values().flat_map(|room| {
            let scope = |freeze: &Freeze| {
                let site = SiteId(freeze.id.0);
                let of_site = fleet.sites.get(&site).is_some_and(|rooms| rooms.len() > 1);
                if of_site {
                    FreezeScope::Site(site)
                } else {
                    FreezeScope::Room(room.id)
                }
            };
            room.freezes.iter().map(move |freeze| (scope(freeze), freeze))
        });
        let freeze = of_organisation
            .chain(of_rings)
            .chain(of_rooms)
            .find(|(_, freeze)| freeze.id == id);
        let freeze = freeze.map(|(scope, freeze)| (scope, freeze.clone()));
        let lifted = lift_freeze(freeze, self.live_rollouts(), fleet.calendar(), self.now)?;
        self.write(&lifted.changes);
        Ok(())
    }
}
