//! Rules that commands and the planner share: publishing and what it supersedes, recalls, and what a freeze moves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::freeze::{Freezes, Shift};
use crate::ids::{RingId, UpdateId};
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::ring::{Ring, RingSequence};
use crate::rollout::{Rollout, RolloutState, start_date};
use crate::settings::{Mode, Organisation, Settings};
use crate::update::{Severity, Update};
use crate::zone::Zone;

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
        automatic_days: match organisation.settings.mode {
            Mode::RingValidated => None,
            Mode::Automatic => Some(organisation.settings.automatic_days),
        },
        superseded_by: Vec::new(),
        counts: BTreeMap::new(),
        next_at: Some(now),
    }
}

/// The rollout that a newer update takes the place of when it is published (S9); `None`: it stays as it is.
///
/// At once, unless the starvation guard is on, the newer one is not critical, and the older one has finished its Staging test:
/// then it goes on in each ring until the newer one enters that ring.
#[must_use]
pub fn supersede(
    older: &Rollout,
    newer: &Update,
    organisation: &Organisation,
    rings: &RingSequence,
    freezes: &Freezes,
    now: DateTime<Utc>,
) -> Option<Rollout> {
    if !older.is_live() {
        return None;
    }
    let calendar = older.calendar_at(rings, freezes, &organisation.zone, now);
    let today = organisation.zone.date(now);
    let first = calendar.first().filter(|stage| stage.entered);
    let has_finished_test = first.is_some_and(|stage| stage.test_ends <= today);
    let goes_on = organisation.settings.starvation_guard && newer.severity != Severity::Critical && has_finished_test;
    let mut superseded = older.clone();
    superseded.superseded_by.push(newer.id);
    if !goes_on {
        superseded.state = RolloutState::Deprecated {
            at: now,
            reason: Reason::Superseded { by: newer.title() },
        };
        superseded.next_at = None;
    }
    Some(superseded)
}

/// The rollout of a release that was recalled (S10); `None`: it is deprecated already.
#[must_use]
pub fn recall(rollout: &Rollout, why: &str, now: DateTime<Utc>) -> Option<Rollout> {
    let is_deprecated = matches!(rollout.state, RolloutState::Deprecated { .. });
    (!is_deprecated).then(|| Rollout {
        state: RolloutState::Deprecated {
            at: now,
            reason: Reason::recalled(why),
        },
        next_at: None,
        ..rollout.clone()
    })
}

/// The updates whose rooms may wait for `step` on their way (S8): they are looked at when its rollout is resumed.
#[must_use]
pub fn updates_waiting_for<'u>(step: &Update, updates: impl Iterator<Item = &'u Update>) -> Vec<UpdateId> {
    let waits =
        |update: &&Update| update.id != step.id && update.product == step.product && update.minimum_version.is_some();
    updates.filter(waits).map(|update| update.id).collect()
}

/// How a change of freezes moves dates (W6): those from today on, in the organisation's zone.
#[must_use]
pub fn freeze_shift(zone: &Zone, now: DateTime<Utc>, before: &Freezes, after: &Freezes) -> Shift {
    let today = zone.date(now);
    Shift {
        from: today,
        to: today,
        before: before.clone(),
        after: after.clone(),
    }
}

/// Rings that a change of rings lets a live rollout pass without entering them, or takes out from behind it (R10): their rooms
/// are looked at as if they had been moved there (R14).
#[must_use]
pub fn rings_reached_differently(before: &RingSequence, after: &RingSequence, live: &[&Rollout]) -> BTreeSet<RingId> {
    let changed = |rollout: &&Rollout, ring: &Ring| {
        let was = before.get(ring.id).map(|ring| rollout.has_reached(ring));
        was.is_some_and(|was| was != rollout.has_reached(ring))
    };
    let changed = after
        .iter()
        .filter(|ring| live.iter().any(|rollout| changed(rollout, ring)));
    changed.map(|ring| ring.id).collect()
}

/// A running rollout after rooms came to a ring or left it, or rings, zones or settings were changed: when its next ring begins
/// depends on them (S5), so it is looked at now. `None`: nothing to look at.
#[must_use]
pub fn wake_rollout(rollout: &Rollout, now: DateTime<Utc>) -> Option<Rollout> {
    let waits = rollout.state == RolloutState::Running && rollout.next_at.is_some_and(|at| at > now);
    waits.then(|| Rollout {
        next_at: Some(now),
        ..rollout.clone()
    })
}

/// Whether an update of so many expected minutes can be published (S7): one that fits into no window would wait for ever.
///
/// # Errors
/// It takes no time, or longer than the window.
pub fn check_minutes(settings: &Settings, expected_minutes: u32) -> Result<(), Refusal> {
    if expected_minutes == 0 {
        return Err(Refusal::NoMinutes);
    }
    if expected_minutes > settings.window_minutes {
        return Err(Refusal::DoesNotFit {
            minutes: expected_minutes,
            window: settings.window_minutes,
        });
    }
    Ok(())
}
