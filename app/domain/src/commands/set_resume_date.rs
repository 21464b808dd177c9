//! Another end for a pause (K3): a date, or until somebody resumes the update.

use chrono::{DateTime, NaiveDate, Utc};

use crate::changes::Changes;
use crate::commands::pause::{check_end, pause_changes};
use crate::refusal::Refusal;
use crate::rollout::{Rollout, RolloutState};
use crate::zone::Zone;

/// `zone`: the organisation's. `resumes_on`: `None`: somebody resumes the update.
///
/// # Errors
/// There is no such rollout, it is not paused, it has that end already, or the date is not one of the next
/// [`MOST_PAUSED_DAYS`](crate::commands::pause::MOST_PAUSED_DAYS).
pub fn set_resume_date(
    rollout: Option<&Rollout>,
    title: &str,
    zone: &Zone,
    resumes_on: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    let before = rollout.ok_or(Refusal::NoRollout)?;
    let title = title.to_owned();
    let mut state = before.state.clone();
    let RolloutState::Paused { resumes_on: end, .. } = &mut state else {
        return Err(Refusal::NotPaused { title });
    };
    if *end == resumes_on {
        return Err(Refusal::SameEnd { title, on: resumes_on });
    }
    check_end(resumes_on, zone.date(now))?;
    *end = resumes_on;
    Ok(pause_changes(before, state, zone, now))
}
