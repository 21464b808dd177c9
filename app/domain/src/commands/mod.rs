//! What people decide, one command a file: facts and an instant in, new rows or a refusal out.
//!
//! The service brings the facts from rows, the simulator from its fleet; both write what comes out. No command may ask or write
//! anything itself, and none is told twice: whoever shows what would follow calls the same function.

pub mod acknowledge;
pub mod cancel;
pub mod deactivate;
pub mod edit_rings;
pub mod edit_settings;
pub mod force;
pub mod freeze;
pub mod lift_freeze;
pub mod move_rooms;
pub mod pause;
pub mod publish;
pub mod readiness;
pub mod resume;
pub mod retry;
pub mod set_resume_date;

use crate::refusal::Refusal;
use crate::rollout::{Rollout, StartObstacle};

/// The rollout, if rooms may be retried and forced under it (K4, K5): also after it is over.
///
/// # Errors
/// There is none, or it is paused or deprecated.
pub fn startable_rollout<'r>(rollout: Option<&'r Rollout>, title: &str) -> Result<&'r Rollout, Refusal> {
    let rollout = rollout.ok_or(Refusal::NoRollout)?;
    let title = title.to_owned();
    match rollout.obstacle() {
        None => Ok(rollout),
        Some(StartObstacle::Paused) => Err(Refusal::Paused { title }),
        Some(StartObstacle::Deprecated) => Err(Refusal::Deprecated { title }),
    }
}
