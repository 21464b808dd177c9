//! What people do to a rollout: pause, resume, retry, force, acknowledge (K2–K6, T9).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::access::Act;
use domain::changes::{Applied, Changes};
use domain::clean::CleanText;
use domain::commands::acknowledge::acknowledge;
use domain::commands::cancel::{cancel, nothing_to_cancel};
use domain::commands::pause::{self, Pause};
use domain::commands::resume::{Calendar, ResumedRollout, resume};
use domain::commands::retry::Retry;
use domain::commands::set_resume_date::set_resume_date;
use domain::commands::{force, startable_rollout};
use domain::deployment::{Deployment, Force};
use domain::freeze::Freezes;
use domain::ids::{NewIds, RoomId, UpdateId};
use domain::refusal::Refusal;
use domain::ring::RingSequence;
use domain::rollout::Rollout;
use domain::room::Room;
use domain::settings::{Organisation, Settings};
use domain::text::counted;
use domain::time_text;
use domain::update::Update;
use serde_json::json;
use store::{AuditEntry, ForceRecord, Tx};

use crate::change::{change, change_in_pages, preview};
use crate::error::{Result, ServiceError};
use crate::rings::title as title_of;
use crate::tick::organisation;
use crate::{Actor, Service};

/// What a retry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOutcome {
    /// Rooms that went back into their next window.
    pub rooms: usize,
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
    /// How many of those that are forced have people in them.
    pub in_use: i64,
    /// When the latest of their devices said so.
    pub in_use_at: Option<DateTime<Utc>>,
}

/// What a force did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForceOutcome {
    /// Rooms that are forced.
    pub rooms: Vec<RoomId>,
    /// Rooms that were left out, and why.
    pub left_out: Vec<(RoomId, String)>,
}

/// The longest reason that people may give, in characters.
pub(crate) const LONGEST_REASON: usize = 500;

/// Rooms that are read and written together.
const BATCH: i64 = 500;
const AT_A_TIME: usize = 500;

/// How long a device's word about people in its room counts (K5).
const FRESH: TimeDelta = TimeDelta::minutes(2);

impl Service {
    /// Pauses an update in all rings, at once (K2, K3), until somebody resumes it or until a date of the organisation's.
    ///
    /// # Errors
    /// There is no such rollout, it is not running, or the date is not one of the next [`MOST_PAUSED_DAYS`](pause::MOST_PAUSED_DAYS).
    pub async fn pause(
        &self,
        actor: &Actor,
        update: UpdateId,
        reason: CleanText,
        resumes_on: Option<NaiveDate>,
    ) -> Result<()> {
        change!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                (locked_rollout(tx, update).await?, organisation(tx).await?.zone, reason)
            },
            |((before, title), zone, reason), now| {
                let asked = Pause {
                    by: actor.name.clone(),
                    reason: reason.clone(),
                    resumes_on,
                };
                let changes = pause::pause(before.as_ref(), &title, &zone, &asked, now)?;
                let until = resumes_on.map_or_else(String::new, |date| format!(" until {}", time_text::dated(date)));
                let entry = entry(
                    actor,
                    "rollout.paused",
                    update,
                    format!("Paused {title}{until}: {reason}"),
                )
                .with_before(json!({ "state": "running" }))
                .with_after(json!({ "state": "paused", "reason": reason, "resumes_on": resumes_on }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Gives a pause another end (K3): a date of the organisation's, or `None`: until somebody resumes the update.
    ///
    /// # Errors
    /// There is no such rollout, it is not paused, it has that end already, or the date is not one of the next [`MOST_PAUSED_DAYS`](pause::MOST_PAUSED_DAYS).
    pub async fn set_resume_date(
        &self,
        actor: &Actor,
        update: UpdateId,
        reason: CleanText,
        resumes_on: Option<NaiveDate>,
    ) -> Result<()> {
        change!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                (locked_rollout(tx, update).await?, organisation(tx).await?.zone, reason)
            },
            |((before, title), zone, reason), now| {
                let changes = set_resume_date(before.as_ref(), &title, &zone, resumes_on, now)?;
                let named = |date: Option<NaiveDate>| date.map_or_else(|| "no date".to_owned(), time_text::dated);
                let old = before.and_then(|before| before.resumes_on());
                let (from, to) = (named(old), named(resumes_on));
                let summary = format!("Moved the end of the pause of {title} from {from} to {to}: {reason}");
                let entry = entry(actor, "rollout.pause_moved", update, summary)
                    .with_before(json!({ "resumes_on": old }))
                    .with_after(json!({ "resumes_on": resumes_on }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Resumes an update: later dates move by the days between pause and resume (K3).
    ///
    /// # Errors
    /// There is no such rollout, or it is not paused.
    pub async fn resume(&self, actor: &Actor, update: UpdateId, reason: CleanText) -> Result<()> {
        change!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                tx.lock_rollout(update).await?;
                (ResumeFacts::of(tx, update).await?, title_of(tx, update).await?, reason)
            },
            |(facts, title, reason), now| {
                let resumed = facts.resume(update, now)?;
                let summary = format!(
                    "Resumed {title}, later dates move by {}: {reason}",
                    counted(resumed.days_later, "day")
                );
                let entry = entry(actor, "rollout.resumed", update, summary)
                    .with_before(json!({ "state": "paused", "since": resumed.since }))
                    .with_after(json!({ "state": "running", "days_later": resumed.days_later }));
                (resumed.changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Retry all failed (K4): exactly the failed rooms go back into their next window. A second call changes nothing.
    ///
    /// # Errors
    /// There is no such rollout, or it is paused or deprecated.
    pub async fn retry_all_failed(&self, actor: &Actor, update: UpdateId) -> Result<RetryOutcome> {
        #[derive(Default)]
        struct Done {
            rooms: usize,
            last: Option<RoomId>,
        }
        change_in_pages!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| { RetryFacts::of(tx, update).await? },
            |facts, now, done: Done| {
                let failed = tx.failed_deployments(update, done.last, BATCH).await?;
                let ids: Vec<RoomId> = failed.iter().map(|deployment| deployment.room).collect();
                let rooms = tx.rooms(&ids).await?.into_iter().map(|room| (room.id, room));
                let rooms: BTreeMap<RoomId, Room> = rooms.collect();
                let retry = facts.retry(&actor.name);
                let retried = failed.iter().filter_map(|deployment| {
                    let room = rooms.get(&deployment.room)?;
                    retry.room(room, Some(deployment), now).ok()
                });
                let deployments: Vec<Deployment> = retried.collect();
                done.rooms += deployments.len();
                done.last = ids.last().copied();
                done.last.map(|_| Changes {
                    deployments,
                    ..Changes::default()
                })
            },
            {
                let rooms = done.rooms;
                let summary = format!("Retried {} in {}.", facts.title, counted(rooms, "failed room"));
                let entry = entry(actor, "update.retried", update, summary)
                    .with_before(json!({ "state": "failed" }))
                    .with_after(json!({ "state": "waiting", "rooms": rooms }));
                let entries = if rooms == 0 { Vec::new() } else { vec![entry] };
                (entries, RetryOutcome { rooms })
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
                let retried = facts.retry(&actor.name).room(&room, deployment.as_ref(), now)?;
                let changes = Changes {
                    deployments: vec![retried],
                    ..Changes::default()
                };
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
                    Some(page) => {
                        let deployments = facts.force_in(tx, page, now, &mut ids, &mut done).await?;
                        Some(Changes {
                            deployments,
                            ..Changes::default()
                        })
                    }
                }
            },
            {
                let forced = done.outcome;
                tx.add_force(&ForceRecord {
                    update,
                    mode,
                    rooms: forced.rooms.clone(),
                    left_out: forced.left_out.clone(),
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
                let (in_use, in_use_at) = tx.rooms_in_use(&forced.rooms, now - FRESH, now).await?;
                ForcePlan {
                    forced,
                    in_use,
                    in_use_at,
                }
            }
        )
    }

    /// Stops an update in a room whose devices still download it (`docs/devices.md` 3): how many are asked to stop. One that has said
    /// `All Chunks Installed.` is not.
    ///
    /// # Errors
    /// Nothing of the update downloads in the room; the reason is missing or too long.
    pub async fn cancel(&self, actor: &Actor, update: UpdateId, room: RoomId, reason: CleanText) -> Result<u64> {
        change!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                let title = title_of(tx, update).await?;
                let record = tx
                    .room_record(room)
                    .await?
                    .ok_or_else(|| ServiceError::not_found("This room"))?;
                (tx.deployment_of(room, update).await?, title, record.name, reason)
            },
            |(deployment, title, room, reason), now| {
                let changes = cancel(deployment.as_ref(), &title, &room, &actor.name, &reason, now)?;
                (changes, |applied: &Applied| {
                    if applied.stops == 0 {
                        return Err(ServiceError::from(nothing_to_cancel(&title, &room)));
                    }
                    let entry = entry(
                        actor,
                        "update.canceled",
                        update,
                        format!("Stopped {title} in {room}: {reason}"),
                    )
                    .with_before(json!({ "room": room, "state": "open" }))
                    .with_after(json!({ "room": room, "state": "asked to stop", "devices": applied.stops }));
                    Ok((vec![entry], applied.stops))
                })
            }
        )
    }

    /// An admin has seen that an update was completed with failures: it leaves the active list (T9).
    ///
    /// # Errors
    /// There is no such rollout, or it is not completed with failures.
    pub async fn acknowledge(&self, actor: &Actor, update: UpdateId, reason: CleanText) -> Result<()> {
        change!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                let rollout = locked_rollout(tx, update).await?;
                (rollout, tx.is_acknowledged(update).await?, reason)
            },
            |((rollout, title), acknowledged, reason), now| {
                let changes = acknowledge(rollout.as_ref(), &title, acknowledged, &actor.name, now)?;
                let summary = format!("Acknowledged the failures of {title}: {reason}");
                let entry = entry(actor, "update.acknowledged", update, summary)
                    .with_before(json!({ "acknowledged": false }))
                    .with_after(json!({ "acknowledged": true }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }
}

pub(crate) fn checked_reason(reason: CleanText) -> Result<String> {
    if !reason.can_be_shown() {
        return Err(ServiceError::invalid("reason", "has characters that cannot be shown"));
    }
    match reason.length() {
        0 => Err(ServiceError::invalid(
            "reason",
            "say why; others will read it in the history",
        )),
        length if length > LONGEST_REASON => Err(ServiceError::invalid(
            "reason",
            format!("{length} characters are too many; at most {LONGEST_REASON}"),
        )),
        _ => Ok(reason.into()),
    }
}

/// The rollout, locked, and its title.
async fn locked_rollout(tx: &mut Tx, update: UpdateId) -> Result<(Option<Rollout>, String)> {
    tx.lock_rollout(update).await?;
    Ok((tx.rollout(update).await?, title_of(tx, update).await?))
}

/// An entry about an update, without what was before and is after.
pub(crate) fn entry(actor: &Actor, action: &'static str, update: UpdateId, summary: String) -> AuditEntry {
    actor.entry(action, "update", update, summary)
}

/// What a retry follows from (K4), but for the rooms.
struct RetryFacts {
    rollout: Rollout,
    title: String,
    settings: Settings,
    rings: RingSequence,
    /// The rollouts that supersede this one.
    newer: BTreeMap<UpdateId, Rollout>,
}

impl RetryFacts {
    async fn of(tx: &mut Tx, update: UpdateId) -> Result<Self> {
        let (rollout, title) = (tx.rollout(update).await?, title_of(tx, update).await?);
        let rollout = startable_rollout(rollout.as_ref(), &title)?.clone();
        Ok(Self {
            settings: organisation(tx).await?.settings,
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
            settings: &self.settings,
            by,
        }
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
    /// Their updates.
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

    /// Decides for some rooms: the deployments of those that are forced.
    async fn force_in(
        &self,
        tx: &mut Tx,
        rooms: &[RoomId],
        now: DateTime<Utc>,
        ids: &mut impl NewIds,
        done: &mut ForceDone,
    ) -> Result<Vec<Deployment>> {
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
        let mut deployments = Vec::with_capacity(rooms.len());
        for room in tx.rooms(rooms).await? {
            match force.room(&room, existing.get(&room.id), now, ids) {
                Ok(deployment) => {
                    done.outcome.rooms.push(room.id);
                    deployments.push(deployment);
                }
                Err(why) => {
                    let why = why.sentence(&self.update.product_name, |date| date.to_string());
                    done.outcome.left_out.push((room.id, why));
                }
            }
        }
        done.pages += 1;
        Ok(deployments)
    }
}

/// What a resume follows from (K3).
struct ResumeFacts {
    organisation: Organisation,
    rings: RingSequence,
    freezes: Freezes,
    rollout: Option<Rollout>,
    /// The releases of the update's product, itself included.
    releases: BTreeMap<UpdateId, Update>,
}

impl ResumeFacts {
    async fn of(tx: &mut Tx, update: UpdateId) -> Result<Self> {
        let product = tx.updates(&[update]).await?.remove(&update).map(|step| step.product);
        let releases = match product {
            Some(product) => {
                let releases = tx.releases_of(&product).await?;
                tx.updates(&releases).await?
            }
            None => BTreeMap::new(),
        };
        Ok(Self {
            organisation: organisation(tx).await?,
            rings: tx.rings().await?,
            freezes: tx.freezes().await?,
            rollout: tx.rollout(update).await?,
            releases,
        })
    }

    fn resume(&self, update: UpdateId, now: DateTime<Utc>) -> Result<ResumedRollout, Refusal> {
        let calendar = Calendar {
            zone: &self.organisation.zone,
            rings: &self.rings,
            freezes: &self.freezes,
        };
        let step = self.releases.get(&update);
        resume(self.rollout.as_ref(), step, calendar, self.releases.values(), now)
    }
}
