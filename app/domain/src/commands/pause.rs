//! Pause (K2, K3): nothing starts any more, until somebody resumes the update or until a date.

use chrono::{DateTime, NaiveDate, Utc};

use crate::changes::{Changes, Wake};
use crate::refusal::Refusal;
use crate::rollout::{Rollout, RolloutState};
use crate::zone::Zone;

/// The farthest date on which a pause may end by itself, in days.
pub const MOST_PAUSED_DAYS: i64 = 90;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The organisation's date on which it ends by itself; `None`: somebody resumes the update.
    pub resumes_on: Option<NaiveDate>,
}

/// `zone`: the organisation's.
///
/// # Errors
/// There is no such rollout, it is not running, or the date is not one of the next [`MOST_PAUSED_DAYS`].
pub fn pause(
    rollout: Option<&Rollout>,
    title: &str,
    zone: &Zone,
    pause: &Pause,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    let before = rollout.ok_or(Refusal::NoRollout)?;
    let title = title.to_owned();
    match &before.state {
        RolloutState::Running => {}
        RolloutState::Paused { by, .. } => {
            let by = by.clone();
            return Err(Refusal::PausedAlready { title, by });
        }
        RolloutState::Deprecated { .. } => return Err(Refusal::Deprecated { title }),
        RolloutState::Finished { .. } => return Err(Refusal::RolloutOver { title }),
    }
    check_end(pause.resumes_on, zone.date(now))?;
    let state = RolloutState::Paused {
        since: now,
        by: pause.by.clone(),
        reason: pause.reason.clone(),
        resumes_on: pause.resumes_on,
    };
    Ok(pause_changes(before, state, zone, now))
}

/// Whether a pause may end on a date.
///
/// # Errors
/// It is today or before, or too far ahead.
pub(super) fn check_end(resumes_on: Option<NaiveDate>, today: NaiveDate) -> Result<(), Refusal> {
    match resumes_on.map(|date| (date - today).num_days()) {
        Some(days) if days < 1 => Err(Refusal::ResumesTooEarly { today }),
        Some(days) if days > MOST_PAUSED_DAYS => Err(Refusal::ResumesTooLate { days }),
        Some(_) | None => Ok(()),
    }
}

/// The rollout in a pause: it is looked at when that ends by itself, and its rooms now.
pub(super) fn pause_changes(before: &Rollout, state: RolloutState, zone: &Zone, now: DateTime<Utc>) -> Changes {
    let after = before.pause(state, zone);
    Changes {
        woken: vec![Wake::update(after.update, now)],
        rollouts: vec![after],
        ..Changes::default()
    }
}
