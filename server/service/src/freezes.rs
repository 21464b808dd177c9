//! Freezes: spans of local dates in which nothing starts (W6).

use chrono::NaiveDate;
use domain::access::Act;
use domain::changes::Applied;
use domain::clean::CleanText;
use domain::commands::freeze::{freeze, last_dates};
use domain::commands::lift_freeze::lift_freeze;
use domain::freeze::{Freeze, FreezeScope};
use domain::ids::FreezeId;
use domain::refusal::Refusal;
use domain::time_text;
use serde_json::json;
use store::Tx;

use crate::change::{change, preview};
use crate::control::checked_reason;
use crate::error::Result;
use crate::plan_facts::PlanFacts;
use crate::{Actor, Service};

impl Service {
    /// Freezes the organisation, a ring, a site or a room from one date to another (W6). Plans step over the dates; what has
    /// started goes on.
    ///
    /// # Errors
    /// Names the field and the limit; whom it concerns is not there.
    pub async fn freeze(
        &self,
        actor: &Actor,
        scope: FreezeScope,
        from: NaiveDate,
        until: NaiveDate,
        reason: CleanText,
    ) -> Result<FreezeId> {
        let id = FreezeId(self.new_id()?);
        change!(
            self,
            actor,
            Act::Freeze,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                lock_planned(tx, scope).await?;
                let (whose, beside) = (scope_name(tx, scope).await?, tx.freeze_spans_beside(scope).await?);
                (PlanFacts::of(tx).await?, whose, beside, reason)
            },
            |(facts, whose, beside, reason), now| {
                let made = Freeze {
                    from,
                    until,
                    owner: actor.name.clone(),
                    reason: reason.clone(),
                    made_at: now,
                    id,
                };
                let changes = freeze(scope, &made, &beside, facts.live(), facts.calendar(), now)?;
                let (first, last) = (time_text::dated(from), time_text::dated(until));
                let summary = format!("Froze {whose} from {first} to {last}: {reason}");
                let entry = actor
                    .entry("freeze.made", "freeze", id, summary)
                    .with_after(json!({ "scope": scope, "from": from, "until": until, "reason": reason }));
                (changes, |_: &Applied| Ok((vec![entry], id)))
            }
        )
    }

    /// What a freeze would do to the running updates (K9): the title of each, and the last date of its plan before and after. Nothing is
    /// changed. One of a site or a room moves no plan.
    ///
    /// # Errors
    /// As [`Service::freeze`].
    pub async fn freeze_plan(
        &self,
        actor: &Actor,
        scope: FreezeScope,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<(String, NaiveDate, NaiveDate)>> {
        let id = FreezeId(self.new_id()?);
        preview!(
            self,
            actor,
            Act::Freeze,
            |tx| {
                scope_name(tx, scope).await?;
                (PlanFacts::of(tx).await?, tx.freeze_spans_beside(scope).await?)
            },
            |(facts, beside), now| {
                let made = Freeze {
                    from,
                    until,
                    owner: String::new(),
                    reason: String::new(),
                    made_at: now,
                    id,
                };
                let changes = freeze(scope, &made, &beside, facts.live(), facts.calendar(), now)?;
                let moved = last_dates(facts.live(), &changes, facts.calendar(), now).into_iter();
                moved.map(|(update, was, is)| (facts.title(update), was, is)).collect()
            }
        )
    }

    /// Lifts what is ahead of a freeze (W6): from tomorrow on nothing is frozen by it, and plans take their dates back. Tonight's
    /// windows are over already, or too close.
    ///
    /// # Errors
    /// There is no such freeze, or nothing of it is ahead.
    pub async fn lift_freeze(&self, actor: &Actor, id: FreezeId, reason: CleanText) -> Result<()> {
        change!(
            self,
            actor,
            Act::Freeze,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                let record = tx.freeze_record(id).await?;
                let whose = match &record {
                    Some((scope, _)) => {
                        lock_planned(tx, *scope).await?;
                        scope_name(tx, *scope).await?
                    }
                    None => String::new(),
                };
                (PlanFacts::of(tx).await?, record, whose, reason)
            },
            |(facts, record, whose, reason), now| {
                let lifted = lift_freeze(record, facts.live(), facts.calendar(), now)?;
                let (scope, from, until) = (lifted.scope, lifted.freeze.from, lifted.freeze.until);
                let (first, last) = (time_text::dated(from), time_text::dated(until));
                let summary = format!("Lifted the freeze of {whose} from {first} to {last}: {reason}");
                let after = lifted.last;
                let entry = actor
                    .entry("freeze.lifted", "freeze", id, summary)
                    .with_before(json!({ "scope": scope, "from": from, "until": until }))
                    .with_after(after.map(|until| json!({ "scope": scope, "from": from, "until": until })));
                (lifted.changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }
}

/// Locks whom a freeze concerns, and then the rollouts: under a freeze that begins today nothing may start that looks later than it.
async fn lock_planned(tx: &mut Tx, scope: FreezeScope) -> Result<()> {
    tx.lock_scope(scope).await?;
    for update in tx.live_rollouts().await? {
        tx.lock_rollout(update).await?;
    }
    Ok(())
}

async fn scope_name(tx: &mut Tx, scope: FreezeScope) -> Result<String> {
    let name = match scope {
        FreezeScope::Organisation => Some("everything".to_owned()),
        FreezeScope::Ring(id) => tx.rings().await?.get(id).map(|ring| ring.name.clone()),
        FreezeScope::Site(id) => tx.site_name(id).await?,
        FreezeScope::Room(id) => tx.room_record(id).await?.map(|room| room.name),
    };
    Ok(name.ok_or(Refusal::NoSuchScope(scope))?)
}
