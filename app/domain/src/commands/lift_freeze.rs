//! Lifting a freeze (W6): from tomorrow on nothing is frozen by it. Tonight's windows are over already, or too close.

use chrono::{DateTime, NaiveDate, Utc};

use crate::changes::{Changes, FreezeChange};
use crate::commands::freeze::replan;
use crate::commands::resume::Calendar;
use crate::freeze::{Freeze, FreezeScope};
use crate::refusal::Refusal;
use crate::rollout::Rollout;

/// A freeze that is lifted.
#[derive(Clone, Debug)]
pub struct LiftedFreeze {
    /// Whom it concerns.
    pub scope: FreezeScope,
    /// As it was.
    pub freeze: Freeze,
    /// The last date that stays frozen; `None`: nothing of it has begun, and nothing stays.
    pub last: Option<NaiveDate>,
    /// What is written.
    pub changes: Changes,
}

/// `live`: the live rollouts. `calendar`: as it is, the freeze included.
///
/// # Errors
/// There is no such freeze, or nothing of it is ahead.
pub fn lift_freeze<'r>(
    freeze: Option<(FreezeScope, Freeze)>,
    live: impl Iterator<Item = &'r Rollout>,
    calendar: Calendar<'_>,
    now: DateTime<Utc>,
) -> Result<LiftedFreeze, Refusal> {
    let (scope, freeze) = freeze.ok_or(Refusal::NoFreeze)?;
    let today = calendar.zone.date(now);
    if !freeze.is_ahead(today) {
        return Err(Refusal::NothingAhead { until: freeze.until });
    }
    let last = (freeze.from <= today).then_some(today);
    let mut changes = replan(scope, live, calendar, &calendar.freezes.shortened(freeze.id, last), now);
    changes.freezes.push(FreezeChange::Lifted { id: freeze.id, last });
    Ok(LiftedFreeze {
        scope,
        freeze,
        last,
        changes,
    })
}
