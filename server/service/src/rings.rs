//! Rings: adding, editing, deleting, and moving rooms between them (R1–R13).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::changes::Applied;
use domain::clean::{CleanLine, CleanText, name_key};
use domain::commands::edit_rings::{delete_ring, edit_rings};
use domain::commands::move_rooms::{RoomInRing, check_all_found, move_rooms};
use domain::ids::{RingId, RoomId, UpdateId};
use domain::refusal::Refusal;
use domain::ring::{Ring, RingDraft, RingOrder, RingSequence};
use domain::text::counted;
use domain::update::Update;
use serde_json::json;
use store::{RoomRing, Tx};

use crate::change::change;
use crate::error::{Result, ServiceError};
use crate::plan_facts::PlanFacts;
use crate::read::PageOf;
use crate::read::rooms::RoomFilter;
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
        change!(
            self,
            actor,
            Act::EditRings,
            |tx| { PlanFacts::of(tx).await? },
            |facts, now| {
                let before = &facts.rings;
                let after = before.without(id)?;
                let target = match rooms_to {
                    Some(target) => after
                        .get(target)
                        .ok_or_else(|| ServiceError::invalid("target ring", "there is no such ring"))?,
                    None => after.general(),
                };
                let changes = delete_ring(id, &after, target.id, facts.calendar(), &facts.titled(), now)?;
                let ring = before.get(id);
                let name = ring.map_or(String::new(), |ring| ring.name.clone());
                let target = target.name.clone();
                let gone = ring.and_then(|ring| serde_json::to_value(ring).ok());
                (changes, move |applied: &Applied| {
                    let summary = format!(
                        "Deleted the ring {name}; {} went to {target}.",
                        counted(applied.moved_rooms, "room")
                    );
                    let entry = actor.entry("ring.deleted", "ring", id, summary).with_before(gone);
                    Ok((vec![entry], ()))
                })
            }
        )
    }

    async fn change_rings(
        &self,
        actor: &Actor,
        action: &'static str,
        id: RingId,
        change: impl Fn(&RingSequence) -> Result<RingSequence>,
    ) -> Result<()> {
        change!(
            self,
            actor,
            Act::EditRings,
            |tx| { PlanFacts::of(tx).await? },
            |facts, now| {
                let before = &facts.rings;
                let after = change(before)?;
                let changes = edit_rings(before, &after, &facts.titled(), now)?;
                let ring = after.get(id);
                let (name, days) = ring.map_or((String::new(), 0), |ring| (ring.name.clone(), ring.completion_days()));
                let verb = if action == "ring.added" { "Added" } else { "Edited" };
                let summary = format!(
                    "{verb} the ring {name}: {}, {} of 60 in all.",
                    counted(days, "day"),
                    after.total_days()
                );
                let entry = actor
                    .entry(action, "ring", id, summary)
                    .with_before(before.get(id).and_then(|ring| serde_json::to_value(ring).ok()))
                    .with_after(ring.and_then(|ring| serde_json::to_value(ring).ok()));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
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
        let asked_at = self.clock.now();
        change!(
            self,
            actor,
            Act::EditRings,
            |tx| {
                let rings = tx.rings().await?;
                if rings.get(to).is_none() {
                    return Err(Refusal::NoSuchRing.into());
                }
                let rooms = chosen(tx, which, asked_at).await?.into_iter().map(|room| RoomInRing {
                    room: room.id,
                    name: room.name,
                    ring: room.ring,
                });
                (rings, rooms.collect::<Vec<_>>())
            },
            |(rings, rooms), now| {
                let are_named = matches!(which, RoomChoice::Named(_));
                let moved = move_rooms(&rings, &rooms, are_named, from, to, now)?;
                let leaving = moved.leaving;
                (moved.changes, move |applied: &Applied| {
                    let name = |ring| rings.get(ring).map_or("", |ring| &ring.name);
                    let entry = |from: RingId, room: &RoomInRing| {
                        let (from, to) = (name(from), name(to));
                        let summary = format!("Moved {} from {from} to {to}.", room.name);
                        actor
                            .entry("room.moved", "room", room.room, summary)
                            .with_before(json!({ "ring": from }))
                            .with_after(json!({ "ring": to }))
                    };
                    let entries = leaving
                        .iter()
                        .flat_map(|(ring, rooms)| rooms.iter().map(|room| entry(*ring, room)));
                    let entries: Vec<_> = entries.collect();
                    let moved = entries.len();
                    if u64::try_from(moved) != Ok(applied.moved_rooms) {
                        let problem = "some of these rooms were moved by somebody else meanwhile";
                        return Err(ServiceError::conflict(problem));
                    }
                    let there_already = rooms.len() - moved;
                    Ok((entries, MoveOutcome { moved, there_already }))
                })
            }
        )
    }
}

/// The rooms that are to be moved, as they are now. `asked_at`: of the unhealthy ones, those that were so then.
async fn chosen(tx: &mut Tx, which: &RoomChoice, asked_at: DateTime<Utc>) -> Result<Vec<RoomRing>> {
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
            let filter = filter.stored(&PageOf::First, asked_at);
            let rooms = tx.matching_rooms(&filter, most + 1).await?;
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

pub(crate) async fn title(tx: &mut Tx, update: UpdateId) -> Result<String> {
    let updates = tx.updates(&[update]).await?;
    Ok(updates
        .get(&update)
        .map_or_else(|| "An update".to_owned(), Update::title))
}
