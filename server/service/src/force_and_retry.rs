//! Retry and force: failed rooms go back into their next window (K4), and rooms skip ring, day and window (K5, K6). Each with what its
//! dialog shows before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::changes::{Applied, Changes};
use domain::clean::CleanText;
use domain::commands::force::{self, ForceOutcome, ForceRefusal};
use domain::commands::retry::Retry;
use domain::commands::startable_rollout;
use domain::conversation::presence;
use domain::deployment::{Deployment, Force};
use domain::freeze::Freezes;
use domain::ids::{NewIds, RoomId, UpdateId};
use domain::reason::Reason;
use domain::ring::RingSequence;
use domain::rollout::Rollout;
use domain::room::Room;
use domain::settings::Organisation;
use domain::text::counted;
use domain::update::Update;
use domain::window::Window;
use domain::zone::Zone;
use serde_json::json;
use store::{ForceRecord, RoomRing, Tx};

use crate::change::{change, change_in_pages, preview};
use crate::control::{checked_reason, entry};
use crate::error::{Result, ServiceError};
use crate::explain::next_window;
use crate::read::RoomName;
use crate::read::portfolio::{KnownIssue, ReleaseSummary};
use crate::rings::title as title_of;
use crate::tick::organisation;
use crate::{Actor, Service};

/// What a retry did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOutcome {
    /// Rooms that went back into their next window.
    pub rooms: usize,
    /// Failed rooms that stay as they are, because a newer update has come to their ring (S9).
    pub left_out: usize,
}

/// What a retry would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryPlan {
    /// In how many rooms.
    pub retried: RetryOutcome,
    /// Some of the rooms that would go back.
    pub rooms: Vec<RetriedRoom>,
}

/// A room that would go back into its next window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetriedRoom {
    /// Which.
    pub room: RoomId,
    pub name: String,
    /// The name of its site.
    pub site: String,
    pub zone: Zone,
    pub window: Window,
    /// Which attempt that would be.
    pub attempt: u32,
    /// Why the last one failed.
    pub failure: Reason,
}

/// Which rooms of an update are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomScope {
    /// These.
    Rooms(Vec<RoomId>),
    /// All that wait for it or have failed, and those that would get it in a ring ahead.
    All,
}

impl RoomScope {
    async fn rooms(&self, tx: &mut Tx, update: UpdateId) -> Result<Vec<RoomId>> {
        match self {
            Self::Rooms(rooms) => Ok(rooms.clone()),
            Self::All => Ok(tx.rooms_to_force(update).await?),
        }
    }
}

/// What a force would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForcePlan {
    /// The rooms.
    pub forced: ForceOutcome,
    /// The product's name, for what is said of rooms that are left out.
    pub product: String,
    /// How many of those that are forced have people in them.
    pub in_use: i64,
    /// When the latest of their devices said so.
    pub in_use_at: Option<DateTime<Utc>>,
    /// Some of those that are forced.
    pub first_forced: Vec<ForcedRoom>,
    /// Some of those that are left out.
    pub first_left_out: Vec<LeftOutRoom>,
    /// What is known to go wrong with the update.
    pub known_issues: Vec<KnownIssue>,
}

/// A room that a force would reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForcedRoom {
    pub room: RoomName,
    /// The name of its ring.
    pub ring: String,
}

/// A room that a force would leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutRoom {
    pub room: RoomName,
    pub why: ForceRefusal,
}

/// Rooms that are read and written together.
const BATCH: i64 = 500;
const AT_A_TIME: usize = 500;
/// Rooms that the plan of a force names, of those that it reaches and of those that it leaves out.
const NAMED: usize = 20;

impl Service {
    /// Retry all failed (K4): exactly the failed rooms go back into their next window. A second call changes nothing.
    ///
    /// # Errors
    /// There is no such rollout, or it is paused or deprecated.
    pub async fn retry_all_failed(&self, actor: &Actor, update: UpdateId) -> Result<RetryOutcome> {
        change_in_pages!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| { RetryFacts::of(tx, update).await? },
            |facts, now, done: RetryDone| {
                let failed = FailedRooms::after(tx, update, done.last).await?;
                failed.map(|failed| failed.retry(&facts.retry(&actor.name), now, &mut done))
            },
            {
                let rooms = done.retried.rooms;
                let summary = format!("Retried {} in {}.", facts.title, counted(rooms, "failed room"));
                let entry = entry(actor, "update.retried", update, summary)
                    .with_before(json!({ "state": "failed" }))
                    .with_after(json!({ "state": "waiting", "rooms": rooms }));
                let entries = if rooms == 0 { Vec::new() } else { vec![entry] };
                (entries, done.retried)
            }
        )
    }

    /// What [`Service::retry_all_failed`] would do, without doing it (K4). `named`: so many of the rooms are named.
    ///
    /// # Errors
    /// As there.
    pub async fn retry_plan(&self, actor: &Actor, update: UpdateId, named: usize) -> Result<RetryPlan> {
        preview!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| { (RetryFacts::of(tx, update).await?, tx.freezes().await?) },
            |(facts, freezes), now| {
                let (mut done, mut rooms) = (RetryDone::default(), Vec::new());
                while let Some(failed) = FailedRooms::after(tx, update, done.last).await? {
                    let changes = failed.retry(&facts.retry(&actor.name), now, &mut done);
                    let more = named.saturating_sub(rooms.len());
                    let window = |room: &Room, retried: &Deployment| {
                        next_window(&facts.organisation, &freezes, room, retried.night.date(), now)
                    };
                    rooms.extend(failed.named(&changes.deployments, more, window));
                }
                let ids: Vec<RoomId> = rooms.iter().map(|retried| retried.room).collect();
                let mut names = names(tx, &ids).await?;
                for retried in &mut rooms {
                    retried.site = names.remove(&retried.room).map_or_else(String::new, |room| room.site);
                }
                RetryPlan {
                    retried: done.retried,
                    rooms,
                }
            }
        )
    }

    /// Retry in one room, which helpdesk may (A1, K4): it goes back into its next window.
    ///
    /// # Errors
    /// The update has not failed in the room, or not any more; its rollout is paused or deprecated, or gives way to a newer update
    /// there.
    pub async fn retry(&self, actor: &Actor, update: UpdateId, room: RoomId) -> Result<()> {
        change!(
            self,
            actor,
            Act::RetryRoom,
            |tx| {
                let facts = RetryFacts::of(tx, update).await?;
                let room = tx.rooms(&[room]).await?.pop();
                let room = room.ok_or_else(|| ServiceError::not_found("This room"))?;
                (facts, tx.deployment_of(room.id, update).await?, room)
            },
            |(facts, deployment, room), now| {
                let changes = facts.retry(&actor.name).room(&room, deployment.as_ref(), now)?;
                let summary = format!("Retried {} in {}.", facts.title, room.name);
                let entry = entry(actor, "update.retried", update, summary)
                    .with_before(json!({ "room": room.name, "state": "failed" }))
                    .with_after(json!({ "room": room.name, "state": "waiting" }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Forces an update (K5, K6), now or when each room is next available: it skips ring, day and window, and nothing else.
    ///
    /// # Errors
    /// There is no such rollout, or it is paused or deprecated; the reason is missing or too long.
    pub async fn force(
        &self,
        actor: &Actor,
        update: UpdateId,
        scope: &RoomScope,
        mode: Force,
        reason: CleanText,
    ) -> Result<ForceOutcome> {
        change_in_pages!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                let facts = ForceFacts::of(tx, update, mode, &actor.name).await?;
                (facts, scope.rooms(tx, update).await?, self.plan_ids()?, reason)
            },
            |(facts, rooms, mut ids, reason), now, done: ForceDone| {
                match rooms.chunks(AT_A_TIME).nth(done.pages) {
                    None => None,
                    Some(page) => Some(facts.force_in(tx, page, now, &mut ids, &mut done).await?),
                }
            },
            {
                let forced = done.outcome;
                tx.add_force(&ForceRecord {
                    update,
                    mode,
                    rooms: forced.rooms.clone(),
                    left_out: facts.sentences(&forced),
                    actor: actor.name.clone(),
                    at: now,
                    reason: reason.clone(),
                })
                .await?;
                let how = match mode {
                    Force::Now => "",
                    Force::WhenAvailable => ", each when it is free",
                };
                let (rooms, left_out) = (forced.rooms.len(), forced.left_out.len());
                let title = facts.update.title();
                let summary = format!(
                    "Forced {title} in {}{how}, {left_out} left out: {reason}",
                    counted(rooms, "room")
                );
                let entry = entry(actor, "update.forced", update, summary)
                    .with_after(json!({ "mode": mode, "rooms": rooms, "left_out": left_out }));
                (vec![entry], forced)
            }
        )
    }

    /// What [`Service::force`] would do, without doing it (K5): also how many of the rooms are in use, and since when that is known.
    ///
    /// # Errors
    /// As there, the reason aside.
    pub async fn force_plan(
        &self,
        actor: &Actor,
        update: UpdateId,
        scope: &RoomScope,
        mode: Force,
    ) -> Result<ForcePlan> {
        preview!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let facts = ForceFacts::of(tx, update, mode, &actor.name).await?;
                (facts, scope.rooms(tx, update).await?, self.plan_ids()?)
            },
            |(facts, rooms, mut ids), now| {
                let mut done = ForceDone::default();
                for page in rooms.chunks(AT_A_TIME) {
                    facts.force_in(tx, page, now, &mut ids, &mut done).await?;
                }
                let forced = done.outcome;
                let (in_use, in_use_at) = tx.rooms_in_use(&forced.rooms, now - presence::FRESH, now).await?;
                let release = tx.release(update).await?;
                ForcePlan {
                    first_forced: facts.first_forced(tx, &forced).await?,
                    first_left_out: first_left_out(tx, &forced).await?,
                    known_issues: release.map_or_else(Vec::new, |release| ReleaseSummary::of(release).known_issues),
                    forced,
                    product: facts.update.product_name,
                    in_use,
                    in_use_at,
                }
            }
        )
    }
}

/// What a retry follows from (K4), but for the rooms.
struct RetryFacts {
    rollout: Rollout,
    title: String,
    organisation: Organisation,
    rings: RingSequence,
    /// The rollouts that supersede this one.
    newer: BTreeMap<UpdateId, Rollout>,
}

impl RetryFacts {
    async fn of(tx: &mut Tx, update: UpdateId) -> Result<Self> {
        let (rollout, title) = (tx.rollout(update).await?, title_of(tx, update).await?);
        let rollout = startable_rollout(rollout.as_ref(), &title)?.clone();
        Ok(Self {
            organisation: organisation(tx).await?,
            rings: tx.rings().await?,
            newer: tx.rollouts(&rollout.superseded_by).await?,
            rollout,
            title,
        })
    }

    fn retry<'f>(&'f self, by: &'f str) -> Retry<'f> {
        Retry {
            rollout: &self.rollout,
            title: &self.title,
            rings: &self.rings,
            newer: &self.newer,
            settings: &self.organisation.settings,
            by,
        }
    }
}

/// How far a retry of all failed rooms has come.
#[derive(Default)]
struct RetryDone {
    retried: RetryOutcome,
    last: Option<RoomId>,
}

/// A page of the rooms in which an update has failed.
struct FailedRooms {
    deployments: Vec<Deployment>,
    rooms: BTreeMap<RoomId, Room>,
}

impl FailedRooms {
    /// Those after `last`; `None`: there are no more.
    async fn after(tx: &mut Tx, update: UpdateId, last: Option<RoomId>) -> Result<Option<Self>> {
        let deployments = tx.failed_deployments(update, last, BATCH).await?;
        if deployments.is_empty() {
            return Ok(None);
        }
        let ids: Vec<RoomId> = deployments.iter().map(|deployment| deployment.room).collect();
        let rooms = tx.rooms(&ids).await?.into_iter().map(|room| (room.id, room));
        let rooms = rooms.collect();
        Ok(Some(Self { deployments, rooms }))
    }

    fn retry(&self, retry: &Retry<'_>, now: DateTime<Utc>, done: &mut RetryDone) -> Changes {
        let rooms = self.deployments.iter();
        let rooms = rooms.filter_map(|failed| Some((self.rooms.get(&failed.room)?, failed)));
        let (changes, left_out) = retry.rooms(rooms, now);
        done.retried.rooms += changes.deployments.len();
        done.retried.left_out += left_out.len();
        done.last = self.deployments.last().map(|failed| failed.room);
        changes
    }

    /// At most so many of those that are retried, without their sites.
    fn named(
        &self,
        retried: &[Deployment],
        most: usize,
        window: impl Fn(&Room, &Deployment) -> Window,
    ) -> Vec<RetriedRoom> {
        let room_of = |retried: &Deployment| {
            let room = self.rooms.get(&retried.room)?;
            let failed = self.deployments.iter().find(|failed| failed.room == room.id)?;
            Some(RetriedRoom {
                room: room.id,
                name: room.name.clone(),
                site: String::new(),
                zone: room.zone.clone(),
                window: window(room, retried),
                attempt: retried.attempt,
                failure: failed.reason.clone(),
            })
        };
        retried.iter().take(most).filter_map(room_of).collect()
    }
}

/// What a force follows from (K5), but for the rooms.
struct ForceFacts {
    rollout: Rollout,
    update: Update,
    rings: RingSequence,
    freezes: Freezes,
    /// The rollouts that supersede this one.
    newer: BTreeMap<UpdateId, Rollout>,
    newer_updates: BTreeMap<UpdateId, Update>,
    how: Force,
    by: String,
}

/// How far a force has come.
#[derive(Default)]
struct ForceDone {
    pages: usize,
    outcome: ForceOutcome,
}

impl ForceFacts {
    async fn of(tx: &mut Tx, update: UpdateId, how: Force, by: &str) -> Result<Self> {
        let facts = tx.updates(&[update]).await?.remove(&update);
        let title = facts.as_ref().map_or_else(String::new, Update::title);
        let rollout = startable_rollout(tx.rollout(update).await?.as_ref(), &title)?.clone();
        Ok(Self {
            update: facts.ok_or_else(|| ServiceError::not_found("This update"))?,
            rings: tx.rings().await?,
            freezes: tx.freezes().await?,
            newer: tx.rollouts(&rollout.superseded_by).await?,
            newer_updates: tx.updates(&rollout.superseded_by).await?,
            rollout,
            how,
            by: by.to_owned(),
        })
    }

    /// Decides for some rooms.
    async fn force_in(
        &self,
        tx: &mut Tx,
        rooms: &[RoomId],
        now: DateTime<Utc>,
        ids: &mut impl NewIds,
        done: &mut ForceDone,
    ) -> Result<Changes> {
        let force = force::Force {
            update: &self.update,
            rollout: &self.rollout,
            rings: &self.rings,
            freezes: &self.freezes,
            newer: &self.newer,
            newer_updates: &self.newer_updates,
            how: self.how,
            by: &self.by,
        };
        let existing = tx.deployments_in(rooms, self.update.id).await?;
        let rooms = tx.rooms(rooms).await?;
        let rooms = rooms.iter().map(|room| (room, existing.get(&room.id)));
        let (changes, outcome) = force.rooms(rooms, now, ids);
        done.outcome.add(outcome);
        done.pages += 1;
        Ok(changes)
    }

    /// Some of the rooms that are forced; one whose ring is not there any more is left out.
    async fn first_forced(&self, tx: &mut Tx, forced: &ForceOutcome) -> Result<Vec<ForcedRoom>> {
        let ids: Vec<RoomId> = forced.rooms.iter().take(NAMED).copied().collect();
        let mut names = names(tx, &ids).await?;
        let room = |in_ring: RoomRing| {
            Some(ForcedRoom {
                room: names.remove(&in_ring.id)?,
                ring: self.rings.get(in_ring.ring)?.name.clone(),
            })
        };
        Ok(tx.room_rings(&ids).await?.into_iter().filter_map(room).collect())
    }

    /// Why rooms are left out, as the record of the force keeps it.
    fn sentences(&self, forced: &ForceOutcome) -> Vec<(RoomId, String)> {
        let sentence = |why: &ForceRefusal| why.sentence(&self.update.product_name, |date| date.to_string());
        let left_out = forced.left_out.iter();
        left_out.map(|(room, why)| (*room, sentence(why))).collect()
    }
}

async fn first_left_out(tx: &mut Tx, forced: &ForceOutcome) -> Result<Vec<LeftOutRoom>> {
    let first: Vec<&(RoomId, ForceRefusal)> = forced.left_out.iter().take(NAMED).collect();
    let ids: Vec<RoomId> = first.iter().map(|(room, _)| *room).collect();
    let mut names = names(tx, &ids).await?;
    let room = |(room, why): &(RoomId, ForceRefusal)| {
        Some(LeftOutRoom {
            room: names.remove(room)?,
            why: why.clone(),
        })
    };
    Ok(first.into_iter().filter_map(room).collect())
}

async fn names(tx: &mut Tx, rooms: &[RoomId]) -> Result<BTreeMap<RoomId, RoomName>> {
    let names = tx.room_names(rooms).await?.into_iter();
    let names = names.map(|(id, name, site)| (id, RoomName { id, name, site }));
    Ok(names.collect())
}
