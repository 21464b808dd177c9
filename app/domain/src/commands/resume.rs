//! Resume (K3): later dates move by the days between pause and resume, in the organisation's zone.

use chrono::{DateTime, Utc};

use crate::changes::{Changes, Wake};
use crate::freeze::Freezes;
use crate::refusal::Refusal;
use crate::ring::RingSequence;
use crate::rollout::{PlannedStage, Rollout, RolloutState};
use crate::update::Update;
use crate::zone::Zone;

/// What dates of rollouts follow from.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'f> {
    /// The organisation's zone.
    pub zone: &'f Zone,
    /// The rings of today.
    pub rings: &'f RingSequence,
    /// The freezes that move plans.
    pub freezes: &'f Freezes,
}

/// What comes of a resume.
#[derive(Clone, Debug)]
pub struct ResumedRollout {
    /// Since when it was paused.
    pub since: DateTime<Utc>,
    /// Later dates move by so many days.
    pub days_later: u32,
    /// As it goes on.
    pub rollout: Rollout,
    /// What is written.
    pub changes: Changes,
}

impl ResumedRollout {
    /// Its rings that are not over at `now`, the instant of the resume, in dates.
    #[must_use]
    pub fn ahead(&self, calendar: Calendar<'_>, now: DateTime<Utc>) -> Vec<PlannedStage> {
        let today = calendar.zone.date(now);
        let planned = self
            .rollout
            .calendar_at(calendar.rings, calendar.freezes, calendar.zone, now);
        planned.into_iter().filter(|stage| stage.test_ends > today).collect()
    }
}

/// `by`: who asks. `others`: the releases of its product. Rooms on their way to one of them may have waited for this one as a step (S8), also where the
/// rollout of that one is over and somebody retries it.
///
/// # Errors
/// There is no such rollout, or it is not paused.
pub fn resume<'f>(
    rollout: Option<&Rollout>,
    update: Option<&Update>,
    calendar: Calendar<'f>,
    others: impl Iterator<Item = &'f Update>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<ResumedRollout, Refusal> {
    let before = rollout.ok_or(Refusal::NoRollout)?;
    let resumed = before.resume(calendar.rings, calendar.freezes, calendar.zone, now);
    let (RolloutState::Paused { since, .. }, Some((after, shift))) = (&before.state, resumed) else {
        let title = update.map_or_else(|| "An update".to_owned(), Update::title);
        return Err(Refusal::NotPaused { title });
    };
    let others = others.filter(|other| update.is_some_and(|step| other.may_wait_for(step)));
    let woken = std::iter::once(after.update).chain(others.map(|other| other.id));
    let mut changes = Changes {
        woken: woken.map(|update| Wake::update(update, now)).collect(),
        ..Changes::default()
    };
    changes.note_resume(before, calendar.zone.date(now), by);
    changes.move_nights(&after, &shift);
    changes.rollouts.push(after.clone());
    Ok(ResumedRollout {
        since: *since,
        days_later: shift.days(),
        rollout: after,
        changes,
    })
}
