//! Rings: adding, editing, deleting, and moving rooms between them (R1–R13).

use domain::access::Act;
use domain::ids::{RingId, RoomId};
use domain::planner;
use domain::ring::{Ring, RingDraft, RingSequence};
use domain::rollout::{Rollout, RolloutState};
use serde_json::json;
use store::Tx;

use crate::error::{Result, ServiceError};
use crate::tick::organisation;
use crate::{Actor, Service};

impl Service {
    /// Adds a custom ring (R2, R4, R8, R9).
    ///
    /// # Errors
    /// Names the field and the limit, or the rollout whose plan would get too long (R10).
    pub async fn add_ring(&self, actor: &Actor, draft: RingDraft) -> Result<RingId> {
        actor.may(Act::EditRings)?;
        let id = RingId(self.new_id()?);
        self.change_rings(
            actor,
            "ring.added",
            id,
            |rings| Ok(rings.with_added(id, draft.clone())?),
        )
        .await?;
        Ok(id)
    }

    /// Edits a ring (R10). `seen`: as a form has read it, where there was one.
    ///
    /// # Errors
    /// Names the field and the limit, or the rollout whose plan would get too long; somebody has changed the ring meanwhile.
    pub async fn edit_ring(&self, actor: &Actor, id: RingId, seen: Option<&Ring>, draft: RingDraft) -> Result<()> {
        actor.may(Act::EditRings)?;
        self.change_rings(actor, "ring.edited", id, |rings| {
            if let (Some(seen), Some(now)) = (seen, rings.get(id))
                && seen != now
            {
                let problem = format!("{} was changed by somebody else meanwhile; look at it again", now.name);
                return Err(ServiceError::conflict(problem));
            }
            Ok(rings.with_edited(id, draft.clone())?)
        })
        .await
    }

    /// Deletes a custom ring; its rooms go to `rooms_to`, or to General (R11).
    ///
    /// # Errors
    /// The ring is preconfigured, or an update is inside it.
    pub async fn delete_ring(&self, actor: &Actor, id: RingId, rooms_to: Option<RingId>) -> Result<()> {
        actor.may(Act::EditRings)?;
        let now = self.clock.now();
        store::write!(self.store, tx => {
            let before = tx.rings().await?;
            let after = before.without(id)?;
            let target = match rooms_to {
                Some(target) => after.get(target).ok_or_else(|| ServiceError::invalid("target ring", "there is no such ring"))?,
                None => after.general(),
            };
            refuse_while_inside(tx, id).await?;
            let moved = tx.move_all_rooms(id, target.id).await?;
            tx.put_rings(&after).await?;
            tx.wake_rollouts(now).await?;
            let name = before.get(id).map_or(String::new(), |ring| ring.name.clone());
            let summary = format!("Deleted the ring {name}; {moved} rooms went to {}.", target.name);
            let entry = actor.entry("ring.deleted", "ring", id, summary)
                .with_before(before.get(id).and_then(|ring| serde_json::to_value(ring).ok()));
            tx.add_audit(now, &entry).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(())
    }

    async fn change_rings(
        &self,
        actor: &Actor,
        action: &'static str,
        id: RingId,
        change: impl Fn(&RingSequence) -> Result<RingSequence>,
    ) -> Result<()> {
        let now = self.clock.now();
        store::write!(self.store, tx => {
            let before = tx.rings().await?;
            let after = change(&before)?;
            let live = tx.live_rollouts().await?;
            let rollouts = tx.rollouts(&live).await?;
            let live: Vec<&Rollout> = rollouts.values().collect();
            refuse_longer_plans(tx, &after, &live).await?;
            tx.put_rings(&after).await?;
            for ring in planner::reached_otherwise(&before, &after, &live) {
                tx.mark_ring(ring).await?;
            }
            tx.wake_rollouts(now).await?;
            let ring = after.get(id);
            let (name, days) = ring.map_or((String::new(), 0), |ring| (ring.name.clone(), ring.completion_days()));
            let verb = if action == "ring.added" { "Added" } else { "Edited" };
            let summary = format!("{verb} the ring {name}: {days} days, {} of 60 in all.", after.total_days());
            let entry = actor.entry(action, "ring", id, summary)
                .with_before(before.get(id).and_then(|ring| serde_json::to_value(ring).ok()))
                .with_after(ring.and_then(|ring| serde_json::to_value(ring).ok()));
            tx.add_audit(now, &entry).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(())
    }

    /// Moves rooms into a ring, all or none (R12, R13, R14). `from`: the ring in which they were seen, where that was one.
    ///
    /// # Errors
    /// A room or the ring is not there, or somebody moved one of the rooms meanwhile (R3).
    pub async fn move_rooms(&self, actor: &Actor, rooms: &[RoomId], from: Option<RingId>, to: RingId) -> Result<()> {
        actor.may(Act::EditRings)?;
        let now = self.clock.now();
        if rooms.is_empty() {
            return Err(ServiceError::invalid("rooms", "select at least one room"));
        }
        store::write!(self.store, tx => {
            let rings = tx.rings().await?;
            let target = rings.get(to).ok_or_else(|| ServiceError::invalid("target ring", "there is no such ring"))?;
            for id in rooms {
                let room = tx.room_record(*id).await?.ok_or_else(|| ServiceError::not_found("A selected room"))?;
                if room.ring == to {
                    let problem = format!("{} is in {} already", room.name, target.name);
                    return Err(ServiceError::invalid("target ring", problem));
                }
                let source = rings.get(room.ring).map_or("", |ring| &ring.name);
                if from.is_some_and(|from| from != room.ring) {
                    let problem = format!("{} was moved to {source} by somebody else meanwhile", room.name);
                    return Err(ServiceError::conflict(problem));
                }
                if !tx.move_room(*id, room.ring, to).await? {
                    return Err(ServiceError::conflict(format!("{} was moved by somebody else meanwhile", room.name)));
                }
                tx.mark(*id).await?;
                let summary = format!("Moved {} from {source} to {}.", room.name, target.name);
                let entry = actor.entry("room.moved", "room", id, summary)
                    .with_before(json!({ "ring": source }))
                    .with_after(json!({ "ring": target.name }));
                tx.add_audit(now, &entry).await?;
            }
            tx.wake_rollouts(now).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(())
    }
}

/// R10: the mixed plan of a running rollout must stay within the 60 days.
async fn refuse_longer_plans(tx: &mut Tx, rings: &RingSequence, live: &[&Rollout]) -> Result<()> {
    for rollout in live {
        let total = rollout.planned_days(rings);
        if total > domain::ring::MOST_TOTAL_DAYS {
            let title = title(tx, rollout.update).await?;
            let problem = format!("the running rollout of {title} would take {total} days; 60 are the most");
            return Err(ServiceError::invalid("rollout duration", problem));
        }
    }
    Ok(())
}

/// R11: a ring stays while an update is inside it.
async fn refuse_while_inside(tx: &mut Tx, ring: RingId) -> Result<()> {
    let organisation = organisation(tx).await?;
    let rings = tx.rings().await?;
    let live = tx.live_rollouts().await?;
    for rollout in tx.rollouts(&live).await?.values() {
        let inside = rollout.stages.last().is_some_and(|stage| stage.ring == ring)
            && matches!(rollout.state, RolloutState::Running | RolloutState::Paused { .. });
        if inside {
            let title = title(tx, rollout.update).await?;
            let calendar = rollout.calendar(&rings, &tx.freezes().await?, None, rollout.starts_on);
            let ends = calendar
                .iter()
                .find(|stage| stage.ring == ring)
                .map(|stage| stage.test_ends);
            let until = ends.map_or(String::new(), |ends| {
                format!(" until {}", ends.pred_opt().unwrap_or(ends))
            });
            let city = organisation.zone.city();
            return Err(ServiceError::conflict(format!(
                "{title} is inside this ring{until} ({city}); it can be deleted after that"
            )));
        }
    }
    Ok(())
}

pub(crate) async fn title(tx: &mut Tx, update: domain::ids::UpdateId) -> Result<String> {
    let updates = tx.updates(&[update]).await?;
    Ok(updates
        .get(&update)
        .map_or_else(|| "An update".to_owned(), domain::update::Update::title))
}
