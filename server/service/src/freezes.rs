//! Freezes: spans of local dates in which nothing starts (W6).

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Act;
use domain::clean::CleanText;
use domain::commands::freeze::{self, freeze};
use domain::commands::lift_freeze::lift_freeze;
use domain::commands::resume::Calendar;
use domain::freeze::{Freeze, FreezeScope, Freezes};
use domain::ids::FreezeId;
use domain::refusal::Refusal;
use domain::settings::Organisation;
use domain::time_text;
use serde_json::json;
use store::{Prepared, Tx};

use crate::control::checked_reason;
use crate::error::{Result, ServiceError};
use crate::tick::organisation;
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
        actor.may(Act::Freeze)?;
        let reason = checked_reason(reason)?;
        let id = FreezeId(self.new_id()?);
        store::write!(self.store, tx => {
            tx.lock_scope(scope).await?;
            let live = tx.live_rollouts().await?;
            // Not before the locks: a start that was a little faster must not look later than the freeze (law M).
            for update in &live {
                tx.lock_rollout(*update).await?;
            }
            let now = self.clock.now();
            let organisation = organisation(tx).await?;
            let whose = scope_name(tx, scope).await?;
            freeze(organisation.zone.date(now), &tx.freeze_spans_beside(scope).await?, from, until)?;
            let before = tx.freezes().await?;
            let freeze = Freeze { from, until, owner: actor.name.clone(), reason: reason.clone(), made_at: now, id };
            tx.add_freeze(scope, &freeze).await?;
            move_plans(tx, &organisation, scope, &before, &before.with(scope, &freeze), now).await?;
            tx.take_back(Prepared::in_freeze(scope, from, until), now).await?;
            let summary = format!("Froze {whose} from {} to {}: {reason}", time_text::dated(from), time_text::dated(until));
            let entry = actor.entry("freeze.made", "freeze", id, summary)
                .with_after(json!({ "scope": scope, "from": from, "until": until, "reason": reason }));
            tx.add_audit(now, &entry).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(id)
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
        actor.may(Act::Freeze)?;
        let mut tx = self.store.read().await?;
        let now = self.clock.now();
        let organisation = organisation(&mut tx).await?;
        scope_name(&mut tx, scope).await?;
        freeze(
            organisation.zone.date(now),
            &tx.freeze_spans_beside(scope).await?,
            from,
            until,
        )?;
        let before = tx.freezes().await?;
        let made = Freeze {
            from,
            until,
            owner: String::new(),
            reason: String::new(),
            made_at: now,
            id: FreezeId(self.new_id()?),
        };
        let after = before.with(scope, &made);
        let (rings, live) = (tx.rings().await?, tx.live_rollouts().await?);
        let rollouts = tx.rollouts(&live).await?;
        let calendar = Calendar {
            zone: &organisation.zone,
            rings: &rings,
            freezes: &before,
        };
        let mut moved = Vec::new();
        for (update, was, is) in freeze::last_dates(rollouts.values(), calendar, &after, now) {
            moved.push((crate::rings::title(&mut tx, update).await?, was, is));
        }
        Ok(moved)
    }

    /// Lifts what is ahead of a freeze (W6): from tomorrow on nothing is frozen by it, and plans take their dates back. Tonight's
    /// windows are over already, or too close.
    ///
    /// # Errors
    /// There is no such freeze, or nothing of it is ahead.
    pub async fn lift_freeze(&self, actor: &Actor, id: FreezeId, reason: CleanText) -> Result<()> {
        actor.may(Act::Freeze)?;
        let reason = checked_reason(reason)?;
        let now = self.clock.now();
        store::write!(self.store, tx => {
            let organisation = organisation(tx).await?;
            let record = tx.freeze_record(id).await?;
            let last = lift_freeze(record.as_ref().map(|(_, freeze)| freeze), organisation.zone.date(now))?;
            let (scope, freeze) = record.ok_or(Refusal::NoFreeze)?;
            let before = tx.freezes().await?;
            tx.shorten_freeze(id, last).await?;
            move_plans(tx, &organisation, scope, &before, &before.shortened(id, last), now).await?;
            let whose = scope_name(tx, scope).await?;
            let summary = format!("Lifted the freeze of {whose} from {} to {}: {reason}", time_text::dated(freeze.from), time_text::dated(freeze.until));
            let entry = actor.entry("freeze.lifted", "freeze", id, summary)
                .with_before(json!({ "scope": scope, "from": freeze.from, "until": freeze.until }))
                .with_after(last.map(|until| json!({ "scope": scope, "from": freeze.from, "until": until })));
            tx.add_audit(now, &entry).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(())
    }
}

/// Moves the dates of every live plan to what is frozen now (W6), and has the rooms looked at.
async fn move_plans(
    tx: &mut Tx,
    organisation: &Organisation,
    scope: FreezeScope,
    before: &Freezes,
    after: &Freezes,
    now: DateTime<Utc>,
) -> Result<()> {
    match scope {
        FreezeScope::Organisation | FreezeScope::Ring(_) => {
            let live = tx.live_rollouts().await?;
            let rollouts = tx.rollouts(&live).await?;
            let changes = freeze::move_plans(rollouts.values(), &organisation.zone, before, after, now);
            tx.apply(&changes, &[], now).await?;
            let ring = match scope {
                FreezeScope::Ring(ring) => Some(ring),
                FreezeScope::Organisation | FreezeScope::Site(_) | FreezeScope::Room(_) => None,
            };
            tx.wake_under_finished(ring, now).await?;
        }
        FreezeScope::Site(site) => tx.recheck_site(site).await?,
        FreezeScope::Room(room) => tx.recheck(room).await?,
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
