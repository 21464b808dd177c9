//! What people do to a rollout as a whole: pause, resume, cancel, acknowledge (K2, K3, T9).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Act;
use domain::changes::Applied;
use domain::clean::CleanText;
use domain::commands::acknowledge::acknowledge;
use domain::commands::cancel::{cancel, nothing_to_cancel};
use domain::commands::deactivate::deactivate;
use domain::commands::pause::{self, Pause};
use domain::commands::resume::{Calendar, ResumedRollout, resume};
use domain::commands::set_resume_date::set_resume_date;
use domain::freeze::Freezes;
use domain::ids::{RoomId, UpdateId};
use domain::refusal::Refusal;
use domain::ring::RingSequence;
use domain::rollout::{Counts, PlannedStage, Rollout, RolloutState};
use domain::settings::Organisation;
use domain::text::counted;
use domain::ticket::OPENED_BY_RULE;
use domain::time_text;
use domain::update::Update;
use serde_json::json;
use store::{AuditEntry, Tx};

use crate::change::{change, preview};
use crate::error::{Result, ServiceError};
use crate::rings::title as title_of;
use crate::tick::organisation;
use crate::{Actor, Service};

/// The longest reason that people may give, in characters.
pub(crate) const LONGEST_REASON: usize = 500;

/// What a pause would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausePlan {
    /// The rollout as it would be.
    pub rollout: Rollout,
    /// Some of the rooms in which installs are running, which go on: by name.
    pub running: Vec<String>,
}

/// What a resume would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumePlan {
    /// Since when it is paused.
    pub since: DateTime<Utc>,
    /// By whom, why and until when.
    pub pause: Pause,
    /// If somebody resumes it now.
    pub now: ResumedPlan,
    /// If its pause ends by itself; `None`: it does not.
    pub by_itself: Option<ResumedPlan>,
}

/// An update that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumedPlan {
    /// Later dates move by so many days.
    pub days_later: u32,
    /// Its rings that are not over then, in dates.
    pub ahead: Vec<PlannedStage>,
}

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

    /// What [`Service::pause`] would do (K2). `named`: so many of the rooms in which installs are running are named.
    ///
    /// # Errors
    /// As there, reason and date aside.
    pub async fn pause_plan(&self, actor: &Actor, update: UpdateId, named: i64) -> Result<PausePlan> {
        preview!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let (before, title) = (tx.rollout(update).await?, title_of(tx, update).await?);
                let running = tx.running_rooms(update, named).await?;
                (before, title, organisation(tx).await?.zone, running)
            },
            |(before, title, zone, running), now| {
                let asked = Pause {
                    by: actor.name.clone(),
                    reason: String::new(),
                    resumes_on: None,
                };
                let mut changes = pause::pause(before.as_ref(), &title, &zone, &asked, now)?;
                PausePlan {
                    rollout: changes.rollouts.pop().ok_or(Refusal::NoRollout)?,
                    running: running.into_iter().map(|(_, name)| name).collect(),
                }
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
                let resumed = facts.resume(update, &actor.name, now)?;
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

    /// What [`Service::resume`] would do now, and what happens when the pause ends by itself (K3).
    ///
    /// # Errors
    /// As there, the reason aside.
    pub async fn resume_plan(&self, actor: &Actor, update: UpdateId) -> Result<ResumePlan> {
        preview!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| { ResumeFacts::of(tx, update).await? },
            |facts, now| {
                let resumed = facts.resume(update, &actor.name, now)?;
                let pause = facts.pause().ok_or(Refusal::NoRollout)?;
                let by_itself = match pause.resumes_on {
                    // The planner comes to it when that date begins.
                    Some(date) => Some(facts.plan(update, now.max(facts.organisation.zone.start_of(date)))?),
                    None => None,
                };
                ResumePlan {
                    since: resumed.since,
                    pause,
                    now: facts.plan(update, now)?,
                    by_itself,
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

    /// Whether [`Service::deactivate`] would do it (S15): how many rooms have it, and how many wait for it.
    ///
    /// # Errors
    /// As there, the reason aside.
    pub async fn deactivate_plan(&self, actor: &Actor, update: UpdateId) -> Result<Counts> {
        preview!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| { (tx.rollout(update).await?, title_of(tx, update).await?) },
            |(rollout, title), now| {
                deactivate(rollout.as_ref(), &title, "", &actor.name, now)?;
                rollout.map_or_else(Counts::default, |rollout| rollout.total_counts())
            }
        )
    }

    /// An admin ends an update's rollout by hand (S15): it is deprecated at once and nothing more starts.
    ///
    /// # Errors
    /// There is no such rollout, or it is deprecated.
    pub async fn deactivate(&self, actor: &Actor, update: UpdateId, reason: CleanText) -> Result<()> {
        change!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                (locked_rollout(tx, update).await?, reason)
            },
            |((rollout, title), reason), now| {
                let changes = deactivate(rollout.as_ref(), &title, &reason, &actor.name, now)?;
                let summary = format!("Deactivated {title}: {reason}");
                let entry = entry(actor, "rollout.deactivated", update, summary)
                    .with_after(json!({ "state": "deprecated", "reason": reason }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Whether [`Service::acknowledge`] would do it (T9): how many failed rooms stay without the update.
    ///
    /// # Errors
    /// As there, the reason aside.
    pub async fn acknowledge_plan(&self, actor: &Actor, update: UpdateId) -> Result<i64> {
        preview!(
            self,
            actor,
            Act::ControlUpdates,
            |tx| {
                let (rollout, title) = (tx.rollout(update).await?, title_of(tx, update).await?);
                (rollout, title, tx.is_acknowledged(update).await?)
            },
            |(rollout, title, acknowledged), now| {
                acknowledge(rollout.as_ref(), &title, acknowledged, &actor.name, now)?;
                rollout.map_or(0, |rollout| rollout.total_counts().failed)
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

    fn resume(&self, update: UpdateId, by: &str, now: DateTime<Utc>) -> Result<ResumedRollout, Refusal> {
        let step = self.releases.get(&update);
        resume(
            self.rollout.as_ref(),
            step,
            self.calendar(),
            self.releases.values(),
            by,
            now,
        )
    }

    fn plan(&self, update: UpdateId, at: DateTime<Utc>) -> Result<ResumedPlan, Refusal> {
        let resumed = self.resume(update, OPENED_BY_RULE, at)?;
        Ok(ResumedPlan {
            days_later: resumed.days_later,
            ahead: resumed.ahead(self.calendar(), at),
        })
    }

    /// The pause in which it is.
    fn pause(&self) -> Option<Pause> {
        match &self.rollout.as_ref()?.state {
            RolloutState::Paused {
                by, reason, resumes_on, ..
            } => Some(Pause {
                by: by.clone(),
                reason: reason.clone(),
                resumes_on: *resumes_on,
            }),
            RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        }
    }

    fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.organisation.zone,
            rings: &self.rings,
            freezes: &self.freezes,
        }
    }
}
