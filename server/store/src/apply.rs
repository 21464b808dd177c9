//! Changes as rows: the one writer of what the domain has decided. The other one is `Fleet::apply`, in memory.
//!
//! It decides nothing and reads nothing that decides. The order of the writes is the order of the locks. Start with [`Tx::apply`].

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::changes::{Applied, Changes, FreezeChange, MovedRooms, Recheck, Wake, WakeOf};
use domain::ids::RoomId;

use crate::error::Result;
use crate::tx::Tx;

impl Tx {
    /// Writes changes. `rechecks`: those that the planner was given, by their ids.
    ///
    /// # Errors
    /// A law would be broken.
    pub async fn apply(
        &mut self,
        changes: &Changes,
        rechecks: &[(i64, RoomId)],
        now: DateTime<Utc>,
    ) -> Result<Applied> {
        let mut applied = Applied::default();
        self.apply_estate(changes, &mut applied, now).await?;
        for new in &changes.new_rollouts {
            self.add_rollout(&new.rollout, &new.by).await?;
        }
        for rollout in &changes.rollouts {
            self.put_rollout(rollout).await?;
        }
        self.put_placements(&changes.placements).await?;
        for update in &changes.fully_placed {
            self.delete_placements(*update).await?;
        }
        self.put_installs(&changes.installs).await?;
        self.place_deployments(&changes.placed, now).await?;
        self.put_deployments(&changes.deployments, now).await?;
        self.add_installs(&changes.new_installs).await?;
        for believed in &changes.believed {
            self.believe(believed, now).await?;
        }
        for change in &changes.tickets {
            self.apply_ticket(change, now).await?;
        }
        for change in &changes.halt_tickets {
            self.apply_halt_ticket(change, now).await?;
        }
        for update in &changes.tolerated {
            self.tolerate_failed(*update).await?;
        }
        for change in &changes.cause_tickets {
            self.apply_cause_ticket(change, now).await?;
        }
        for edit in &changes.readiness {
            self.edit_readiness(edit).await?;
        }
        for change in &changes.settings {
            self.apply_setting_change(change, now).await?;
        }
        self.put_checked_rooms(&changes.checked_rooms).await?;
        for moved in &changes.moved_nights {
            applied.moved_nights += self.move_nights(moved).await?;
        }
        for stop in &changes.stops {
            applied.stops += self.stop(stop).await?;
        }
        for taken in &changes.taken_back {
            self.take_back(taken).await?;
        }
        self.wake(&changes.woken).await?;
        // A recheck that the plan has not done stays for the next round.
        let settled: BTreeSet<RoomId> = changes.rechecked_rooms.iter().copied().collect();
        let settled: Vec<i64> = rechecks
            .iter()
            .filter(|(_, room)| settled.contains(room))
            .map(|(id, _)| *id)
            .collect();
        self.delete_rechecks(&settled).await?;
        Ok(applied)
    }

    async fn wake(&mut self, woken: &[Wake]) -> Result<()> {
        for wake in woken {
            match wake.what {
                WakeOf::Update(update) => self.wake_deployments(update, wake.at).await?,
                WakeOf::WaitingForStep(step) => self.wake_waiting_for_step(step, wake.at).await?,
                WakeOf::UnderFinished(ring) => self.wake_under_finished(ring, wake.at).await?,
                WakeOf::Rollouts => self.wake_rollouts(wake.at).await?,
            }
        }
        Ok(())
    }

    /// What people set: the organisation, rings, freezes, the rings of rooms, and what they say of releases.
    async fn apply_estate(&mut self, changes: &Changes, applied: &mut Applied, now: DateTime<Utc>) -> Result<()> {
        if let Some(organisation) = &changes.organisation {
            self.put_organisation(organisation).await?;
        }
        for change in &changes.freezes {
            match change {
                FreezeChange::Made { scope, freeze } => self.add_freeze(*scope, freeze).await?,
                FreezeChange::Lifted { id, last } => self.shorten_freeze(*id, *last).await?,
            }
        }
        if changes.rings.is_some() {
            self.lock_rings().await?;
        }
        for MovedRooms { rooms, from, to } in &changes.moved_rooms {
            applied.moved_rooms += match rooms {
                Some(rooms) => {
                    let moved = self.move_rooms(rooms, *from, *to).await?;
                    self.recheck_all(rooms.iter().copied()).await?;
                    moved
                }
                None => self.move_all_rooms(*from, *to).await?,
            };
        }
        if let Some(rings) = &changes.rings {
            self.put_rings(rings).await?;
        }
        for acknowledged in &changes.acknowledged {
            self.acknowledge(acknowledged).await?;
        }
        for release in &changes.recalled {
            let organisation = self.organisation().await?;
            let today = organisation.map_or(now.date_naive(), |organisation| organisation.zone.date(now));
            self.recall_release(*release, today).await?;
        }
        for recheck in &changes.rechecks {
            match recheck {
                Recheck::Ring(ring) => self.recheck_ring(*ring).await?,
                Recheck::Site(site) => self.recheck_site(*site).await?,
                Recheck::Room(room) => self.recheck(*room).await?,
                Recheck::Late(update) => self.recheck_late(*update).await?,
                Recheck::OutOfSupport { update, on } => self.recheck_out_of_support(*update, *on).await?,
            }
        }
        Ok(())
    }
}
