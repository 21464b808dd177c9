//! Deactivate (S15): an admin ends an update's rollout by hand. The release itself stays usable as a step to others (S8).

use chrono::{DateTime, Utc};

use crate::changes::{Changes, Wake};
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::rollout::{Rollout, RolloutState};

/// It is deprecated at once: nothing more starts, and what runs finishes. One that is over may have retries and late rooms; they end too.
///
/// # Errors
/// There is no such rollout, or it is deprecated.
pub fn deactivate(
    rollout: Option<&Rollout>,
    title: &str,
    why: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    let before = rollout.ok_or(Refusal::NoRollout)?;
    if matches!(before.state, RolloutState::Deprecated { .. }) {
        let title = title.to_owned();
        return Err(Refusal::Deprecated { title });
    }
    let reason = Reason::Deactivated {
        by: by.to_owned(),
        why: why.to_owned(),
    };
    let mut changes = Changes {
        rollouts: vec![before.deprecate(reason, now)],
        woken: vec![Wake::update(before.update, now)],
        ..Changes::default()
    };
    changes.note_end(before, by, now);
    Ok(changes)
}
