//! Rings: adding, editing, deleting, and moving rooms between them (R1–R13).

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Act;
use domain::clean::{CleanLine, CleanText, name_key};
use domain::commands::edit_rings::{delete_ring, edit_rings};
use domain::commands::move_rooms::{RoomInRing, check_all_found, move_rooms};
use domain::ids::{RingId, RoomId, UpdateId};
use domain::refusal::Refusal;
use domain::ring::{Ring, RingDraft, RingOrder, RingSequence};
use domain::rollout::Rollout;
use domain::update::Update;
use serde_json::json;
use store::{RoomFilter, RoomRing, Tx};

use crate::error::{Result, ServiceError};
use crate::tick::organisation;
use crate::{Actor, Service};

/// The most rooms that are moved at once: all in one transaction, for which on SQLite every other writer waits.
pub const MOST_MOVED: usize = 20_000;

/// A ring as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingFields {
    /// Name, unique without regard to case.
    pub name: CleanLine,
    /// Description; may be empty.
    pub description: CleanText,
    /// The place between the pinned rings; these have none.
    pub order: Option<RingOrder>,
    /// Whole days.
    pub rollout_days: u32,
    /// Whole days.
    pub test_days: u32,
}

impl RingFields {
    fn check(&self) -> Result<()> {
        for (field, can_be_shown) in [
            ("name", self.name.can_be_shown()),
            ("description", self.description.can_be_shown()),
        ] {
            if !can_be_shown {
                return Err(ServiceError::invalid(field, "has characters that cannot be shown"));
            }
        }
        Ok(())
    }

    /// What the rules say of it beside the rings that are there. A name that one of them has in another Unicode form is written as there.
    fn draft(&self, rings: &RingSequence, own: Option<RingId>) -> RingDraft {
        let typed = self.name.as_str();
        let is_own = |ring: &&Ring| Some(ring.id) == own && CleanLine::from(ring.name.as_str()) == self.name;
        let is_of_another = |ring: &&Ring| Some(ring.id) != own && name_key(&ring.name) == name_key(typed);
        let there = rings.iter().find(is_own).or_else(|| rings.iter().find(is_of_another));
        RingDraft {
            name: there.map_or_else(|| typed.to_owned(), |ring| ring.name.clone()),
            description: self.description.to_string(),
            order: self.order,
            rollout_days: self.rollout_days,
            test_days: self.test_days,
        }
    }
}

/// The ring of a name; of rings whose names fall together, the one that is written so.
pub(crate) fn ring_named<'r>(rings: &'r RingSequence, name: &CleanLine) -> Option<&'r Ring> {
    let key = name_key(name.as_str());
    rings
        .named(name.as_str())
        .or_else(|| rings.iter().find(|ring| name_key(&ring.name) == key))
}

/// Which rooms are moved.
#[derive(Clone, Debug)]
pub enum RoomChoice {
    /// These.
    Named(Vec<RoomId>),
    /// All that match, and how many those were when somebody looked.
    Matching(RoomFilter, i64),
}

/// What came of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveOutcome {
    /// Rooms that are in another ring now.
    pub moved: usize,
    /// Rooms that matched and were in the ring already.
    pub there_already: usize,
}

impl Service {
    /// Adds a custom ring (R2, R4, R8, R9).
    ///
    /// # Errors
    /// Names the field and the limit, or the rollout whose plan would get too long (R10).
    pub async fn add_ring(&self, actor: &Actor, fields: RingFields) -> Result<RingId> {
        actor.may(Act::EditRings)?;
        fields.check()?;
        let id = RingId(self.new_id()?);
        let add = |rings: &RingSequence| Ok(rings.with_added(id, fields.draft(rings, None))?);
        self.change_rings(actor, "ring.added", id, add).await?;
        Ok(id)
    }

    /// Edits a ring (R10). `seen`: as a form has read it, where there was one.
    ///
    /// # Errors
    /// Names the field and the limit, or the rollout whose plan would get too long; somebody has changed the ring meanwhile.
    pub async fn edit_ring(&self, actor: &Actor, id: RingId, seen: Option<&Ring>, fields: RingFields) -> Result<()> {
        actor.may(Act::EditRings)?;
        fields.check()?;
        self.change_rings(actor, "ring.edited", id, |rings| {
            if let (Some(seen), Some(now)) = (seen, rings.get(id))
                && seen != now
            {
                let problem = format!("{} was changed by somebody else meanwhile; look at it again", now.name);
                return Err(ServiceError::conflict(problem));
            }
            Ok(rings.with_edited(id, fields.draft(rings, Some(id)))?)
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
            let live = titled(tx, &rollouts).await?;
            let rings_reached_differently = edit_rings(&before, &after, &live)?;
            tx.put_rings(&after).await?;
            for ring in rings_reached_differently {
                tx.recheck_ring(ring).await?;
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
    /// A room or the ring is not there, somebody moved one of the rooms meanwhile (R3), other rooms match than were seen, or they
    /// are more than [`MOST_MOVED`].
    pub async fn move_rooms(
        &self,
        actor: &Actor,
        which: &RoomChoice,
        from: Option<RingId>,
        to: RingId,
    ) -> Result<MoveOutcome> {
        actor.may(Act::EditRings)?;
        let now = self.clock.now();
        let moved = store::write!(self.store, tx => {
            let rings = tx.rings().await?;
            let target = rings.get(to).ok_or(Refusal::NoSuchRing)?;
            let rooms = chosen(tx, which).await?;
            let all = rooms.len();
            let places = rooms.into_iter().map(|room| RoomInRing { room: room.id, name: room.name, ring: room.ring });
            let are_named = matches!(which, RoomChoice::Named(_));
            let leaving = move_rooms(&rings, places.collect(), are_named, from, to)?;
            let mut moved = 0;
            for (source, rooms) in leaving {
                let name = rings.get(source).map_or("", |ring| &ring.name);
                let ids: Vec<RoomId> = rooms.iter().map(|room| room.room).collect();
                let found = tx.move_rooms(&ids, source, to).await?;
                if u64::try_from(ids.len()) != Ok(found) {
                    return Err(ServiceError::conflict("some of these rooms were moved by somebody else meanwhile"));
                }
                tx.recheck_all(ids.into_iter()).await?;
                moved += rooms.len();
                let entry = |room: RoomInRing| {
                    let summary = format!("Moved {} from {name} to {}.", room.name, target.name);
                    actor.entry("room.moved", "room", room.room, summary)
                        .with_before(json!({ "ring": name }))
                        .with_after(json!({ "ring": target.name }))
                };
                let entries: Vec<_> = rooms.into_iter().map(entry).collect();
                tx.add_audits(now, &entries).await?;
            }
            tx.wake_rollouts(now).await?;
            Ok::<_, ServiceError>(MoveOutcome { moved, there_already: all - moved })
        })?;
        self.wake();
        Ok(moved)
    }
}

/// The rooms that are to be moved, as they are now.
async fn chosen(tx: &mut Tx, which: &RoomChoice) -> Result<Vec<RoomRing>> {
    match which {
        RoomChoice::Named(ids) => {
            check_all_found(ids.len(), ids.len())?;
            refuse_too_many(ids.len())?;
            let ids: BTreeSet<RoomId> = ids.iter().copied().collect();
            let ids: Vec<RoomId> = ids.into_iter().collect();
            let rooms = tx.room_rings(&ids).await?;
            check_all_found(ids.len(), rooms.len())?;
            Ok(rooms)
        }
        RoomChoice::Matching(filter, seen) => {
            let most = i64::try_from(MOST_MOVED).unwrap_or(i64::MAX);
            let rooms = tx.matching_rooms(filter, most + 1).await?;
            refuse_too_many(rooms.len())?;
            let found = i64::try_from(rooms.len()).unwrap_or(i64::MAX);
            if found != *seen {
                let problem =
                    format!("the number of matching rooms has changed from {seen} to {found}; check the list again");
                return Err(ServiceError::conflict(problem));
            }
            if rooms.is_empty() {
                return Err(ServiceError::invalid("rooms", "no room matches"));
            }
            Ok(rooms)
        }
    }
}

fn refuse_too_many(rooms: usize) -> Result<()> {
    if rooms > MOST_MOVED {
        let problem = format!("at most {MOST_MOVED} are moved at once; narrow the list");
        return Err(ServiceError::invalid("rooms", problem));
    }
    Ok(())
}

/// R11: a ring stays while an update is inside it.
async fn refuse_while_inside(tx: &mut Tx, ring: RingId) -> Result<()> {
    let organisation = organisation(tx).await?;
    let (rings, freezes) = (tx.rings().await?, tx.freezes().await?);
    let live = tx.live_rollouts().await?;
    let rollouts = tx.rollouts(&live).await?;
    let live = titled(tx, &rollouts).await?;
    Ok(delete_ring(ring, &rings, &freezes, &organisation.zone, &live)?)
}

/// Rollouts with the titles of their updates.
async fn titled<'r>(tx: &mut Tx, rollouts: &'r BTreeMap<UpdateId, Rollout>) -> Result<Vec<(&'r Rollout, String)>> {
    let ids: Vec<UpdateId> = rollouts.keys().copied().collect();
    let updates = tx.updates(&ids).await?;
    let title = |id| updates.get(id).map_or_else(|| "An update".to_owned(), Update::title);
    Ok(rollouts.iter().map(|(id, rollout)| (rollout, title(id))).collect())
}

pub(crate) async fn title(tx: &mut Tx, update: UpdateId) -> Result<String> {
    let updates = tx.updates(&[update]).await?;
    Ok(updates
        .get(&update)
        .map_or_else(|| "An update".to_owned(), Update::title))
}
