//! What people decide, as far as it is a rule: publishing and the length of a pause.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::rollout::{Rollout, RolloutState, start_date};
use crate::settings::Organisation;
use crate::update::Update;

/// A new rollout of `update` (S3, S4).
#[must_use]
pub fn publish(organisation: &Organisation, update: &Update, now: DateTime<Utc>) -> Rollout {
    let published_on = organisation.zone.date(now);
    let at_midnight = organisation.zone.start_of(published_on) == now;
    let starts_on = start_date(update.severity, published_on, at_midnight, organisation.settings.start_weekday);
    Rollout {
        update: update.id,
        published_at: now,
        starts_on,
        state: RolloutState::Running,
        stages: Vec::new(),
        paused_days: 0,
        counts: BTreeMap::new(),
        next_at: Some(now),
    }
}

/// Days that a pause has cost (K3): from the date of the pause to the date of the resume, in the organisation's zone.
#[must_use]
pub fn lost_days(paused_on: NaiveDate, resumed_on: NaiveDate) -> u32 {
    u32::try_from((resumed_on - paused_on).num_days()).unwrap_or(0)
}
