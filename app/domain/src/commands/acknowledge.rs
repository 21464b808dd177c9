//! Acknowledge (T9): somebody has seen that an update was completed with failures.

use chrono::{DateTime, Utc};

use crate::changes::{Acknowledgement, Changes};
use crate::refusal::Refusal;
use crate::rollout::Rollout;
use crate::status::{self, UpdateStatus};

/// `acknowledged`: somebody has acknowledged the failures before.
///
/// # Errors
/// There is no such rollout, it is not completed with failures, or somebody has acknowledged them.
pub fn acknowledge(
    rollout: Option<&Rollout>,
    title: &str,
    acknowledged: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    let rollout = rollout.ok_or(Refusal::NoRollout)?;
    let title = title.to_owned();
    if status::update(rollout, true) != UpdateStatus::CompletedWithFailures {
        return Err(Refusal::NotCompletedWithFailures { title });
    }
    if acknowledged {
        return Err(Refusal::AcknowledgedAlready { title });
    }
    Ok(Changes {
        acknowledged: vec![Acknowledgement {
            update: rollout.update,
            by: by.to_owned(),
            at: now,
        }],
        ..Changes::default()
    })
}
