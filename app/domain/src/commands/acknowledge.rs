//! Acknowledge (T9): somebody has seen that an update was completed with failures.

use crate::refusal::Refusal;
use crate::rollout::Rollout;
use crate::status::{self, UpdateStatus};

/// Whether the failures may be acknowledged. `acknowledged`: somebody has done so before.
///
/// # Errors
/// There is no such rollout, it is not completed with failures, or somebody has acknowledged them.
pub fn acknowledge(rollout: Option<&Rollout>, title: &str, acknowledged: bool) -> Result<(), Refusal> {
    let rollout = rollout.ok_or(Refusal::NoRollout)?;
    let title = title.to_owned();
    if status::update(rollout, true) != UpdateStatus::CompletedWithFailures {
        return Err(Refusal::NotCompletedWithFailures { title });
    }
    if acknowledged {
        return Err(Refusal::AcknowledgedAlready { title });
    }
    Ok(())
}
