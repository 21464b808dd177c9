//! Freezes: spans of local dates in which nothing starts (W6).

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Act;
use domain::freeze::{self, Freeze, FreezeScope, Freezes};
use domain::ids::{FreezeId, UpdateId};
use domain::planner;
use domain::rollout::Rollout;
use domain::settings::Organisation;
use domain::when;
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
        reason: &str,
    ) -> Result<FreezeId> {
        actor.may(Act::Freeze)?;
        let reason = checked_reason(reason)?;
        let id = FreezeId(self.new_id()?);
        store::write!(self.store, tx => {
            let live = tx.live_rollouts().await?;
            // Not before the locks: a start that was a little faster must not look later than the freeze (law M).
            for update in &live {
                tx.lock_rollout(*update).await?;
            }
            let now = self.clock.now();
            let organisation = organisation(tx).await?;
            let whose = whose(tx, scope).await?;
            let today = organisation.zone.date(now);
            if from < today {
                return Err(ServiceError::invalid("first date", format!("{from} has passed; it is {today}")));
            }
            for others in tx.freezes_beside(scope).await? {
                freeze::check(&others, from, until).map_err(refused)?;
            }
            let before = tx.freezes().await?;
            let freeze = Freeze { from, until, owner: actor.name.clone(), reason: reason.clone(), made_at: now, id };
            tx.add_freeze(scope, &freeze).await?;
            move_plans(tx, &organisation, scope, &before, &live, now).await?;
            tx.take_back(Prepared::in_freeze(scope, from, until), now).await?;
            let summary = format!("Froze {whose} from {} to {}: {reason}", when::dated(from), when::dated(until));
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
        let mut tx = self.store.begin().await?;
        let moved = self.moved_by(&mut tx, scope, from, until).await;
        // It was made to see what follows; nothing of that stays.
        tx.roll_back().await?;
        moved
    }

    async fn moved_by(
        &self,
        tx: &mut Tx,
        scope: FreezeScope,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<(String, NaiveDate, NaiveDate)>> {
        let now = self.clock.now();
        let organisation = organisation(tx).await?;
        whose(tx, scope).await?;
        for others in tx.freezes_beside(scope).await? {
            freeze::check(&others, from, until).map_err(refused)?;
        }
        let before = tx.freezes().await?;
        let made = Freeze {
            from,
            until,
            owner: String::new(),
            reason: String::new(),
            made_at: now,
            id: FreezeId(self.new_id()?),
        };
        tx.add_freeze(scope, &made).await?;
        let after = tx.freezes().await?;
        let shift = planner::refreeze(&organisation.zone, now, &before, &after);
        let (rings, live) = (tx.rings().await?, tx.live_rollouts().await?);
        let mut moved = Vec::new();
        for rollout in tx.rollouts(&live).await?.values() {
            let ends = |rollout: &Rollout, freezes: &Freezes| {
                let calendar = rollout.calendar_at(&rings, freezes, &organisation.zone, now);
                calendar.last().and_then(|stage| stage.test_ends.pred_opt())
            };
            if let (Some(was), Some(is)) = (ends(rollout, &before), ends(&rollout.refrozen(&shift), &after)) {
                moved.push((crate::rings::title(tx, rollout.update).await?, was, is));
            }
        }
        Ok(moved)
    }

    /// Lifts what is ahead of a freeze (W6): from tomorrow on nothing is frozen by it, and plans take their dates back. Tonight's
    /// windows are over already, or too close.
    ///
    /// # Errors
    /// There is no such freeze, or nothing of it is ahead.
    pub async fn lift_freeze(&self, actor: &Actor, id: FreezeId, reason: &str) -> Result<()> {
        actor.may(Act::Freeze)?;
        let reason = checked_reason(reason)?;
        let now = self.clock.now();
        store::write!(self.store, tx => {
            let organisation = organisation(tx).await?;
            let today = organisation.zone.date(now);
            let Some((scope, freeze)) = tx.freeze_record(id).await? else {
                return Err(ServiceError::not_found("This freeze"));
            };
            if freeze.until <= today {
                return Err(ServiceError::conflict(format!("nothing of the freeze is ahead; its last date is {}", when::dated(freeze.until))));
            }
            let live = tx.live_rollouts().await?;
            let before = tx.freezes().await?;
            let last = (freeze.from <= today).then_some(today);
            tx.shorten_freeze(id, last).await?;
            move_plans(tx, &organisation, scope, &before, &live, now).await?;
            let whose = whose(tx, scope).await?;
            let summary = format!("Lifted the freeze of {whose} from {} to {}: {reason}", when::dated(freeze.from), when::dated(freeze.until));
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

fn refused(problem: String) -> ServiceError {
    let (field, problem) = match problem.strip_prefix("first date: ") {
        Some(problem) => ("first date", problem.to_owned()),
        None => ("last date", problem.trim_start_matches("last date: ").to_owned()),
    };
    ServiceError::invalid(field, problem)
}

/// Moves the dates of every live plan to what is frozen now (W6), and has the rooms looked at.
async fn move_plans(
    tx: &mut Tx,
    organisation: &Organisation,
    scope: FreezeScope,
    before: &Freezes,
    live: &[UpdateId],
    now: DateTime<Utc>,
) -> Result<()> {
    match scope {
        FreezeScope::Organisation | FreezeScope::Ring(_) => {
            let after = tx.freezes().await?;
            let shift = planner::refreeze(&organisation.zone, now, before, &after);
            let rollouts = tx.rollouts(live).await?;
            for rollout in rollouts.values() {
                tx.put_rollout(&rollout.refrozen(&shift)).await?;
                if let Some(stage) = rollout.stages.last() {
                    tx.shift_nights(rollout.update, stage.ring, &shift).await?;
                }
                tx.wake_deployments(rollout.update, now).await?;
            }
            tx.wake_rollouts(now).await?;
        }
        FreezeScope::Site(site) => tx.mark_site(site).await?,
        FreezeScope::Room(room) => tx.mark(room).await?,
    }
    Ok(())
}

async fn whose(tx: &mut Tx, scope: FreezeScope) -> Result<String> {
    let name = match scope {
        FreezeScope::Organisation => Some("everything".to_owned()),
        FreezeScope::Ring(id) => tx.rings().await?.get(id).map(|ring| ring.name.clone()),
        FreezeScope::Site(id) => tx.site_name(id).await?,
        FreezeScope::Room(id) => tx.room_record(id).await?.map(|room| room.name),
    };
    name.ok_or_else(|| ServiceError::invalid("scope", format!("there is no such {}", scope.as_str())))
}
