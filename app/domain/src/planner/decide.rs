//! What people decide, as far as it is a rule: publishing, the length of a pause and what a resume moves.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::deployment::{Deployment, DeploymentState};
use crate::rollout::{Rollout, RolloutState, days, start_date};
use crate::settings::{Organisation, Settings};
use crate::update::Update;

/// A new rollout of `update` (S3, S4).
#[must_use]
pub fn publish(organisation: &Organisation, update: &Update, now: DateTime<Utc>) -> Rollout {
    let published_on = organisation.zone.date(now);
    let at_midnight = organisation.zone.start_of(published_on) == now;
    let starts_on = start_date(
        update.severity,
        published_on,
        at_midnight,
        organisation.settings.start_weekday,
    );
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

/// A waiting room after a pause of its rollout (K3): its night has moved with the plan. `None`: it stays as it is.
///
/// Only nights of the ring that the rollout was in, and only those still ahead when it was paused: the days are added to that
/// ring, and a room of an earlier one, or one that waits for "the next window", goes to the next window there is.
/// `rollout`: before or after [`Rollout::resumed`].
#[must_use]
pub fn after_pause(
    deployment: &Deployment,
    rollout: &Rollout,
    paused_on: NaiveDate,
    lost_days: u32,
) -> Option<Deployment> {
    let planned = deployment.planned_night?;
    let in_last_ring = rollout.stages.last().is_some_and(|stage| stage.ring == deployment.ring);
    let waits = deployment.state == DeploymentState::Waiting && deployment.follows_plan();
    if !waits || !in_last_ring || planned < paused_on || lost_days == 0 {
        return None;
    }
    let mut moved = deployment.clone();
    moved.night = deployment.night + days(lost_days);
    moved.planned_night = Some(planned + days(lost_days));
    Some(moved)
}

/// A running rollout after rooms came to a ring or left it, or rings, zones or settings were changed: when its next ring begins
/// depends on them (S5), so it is looked at now. `None`: nothing to look at.
#[must_use]
pub fn look_again(rollout: &Rollout, now: DateTime<Utc>) -> Option<Rollout> {
    let waits = rollout.state == RolloutState::Running && rollout.next_at.is_some_and(|at| at > now);
    waits.then(|| Rollout {
        next_at: Some(now),
        ..rollout.clone()
    })
}

/// Whether an update of so many expected minutes can be published (S7): one that fits into no window would wait for ever.
///
/// # Errors
/// Names the field and the limit.
pub fn check_minutes(settings: &Settings, expected_minutes: u32) -> Result<(), String> {
    if expected_minutes == 0 {
        return Err("expected minutes: 0 are too few; give at least 1".to_owned());
    }
    if expected_minutes > settings.window_minutes {
        let limit = settings.window_minutes;
        return Err(format!(
            "expected minutes: {expected_minutes} do not fit into the window of {limit} minutes"
        ));
    }
    Ok(())
}
