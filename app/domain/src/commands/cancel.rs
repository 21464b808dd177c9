//! An admin stops an update in a room (`docs/devices.md` 3): devices that still download it are asked to stop.

use chrono::{DateTime, Utc};

use crate::changes::{Changes, Stop, StopOf};
use crate::deployment::Deployment;
use crate::refusal::Refusal;

/// `deployment`: of the update in the room. Whether a device still downloads is known when the changes are written: what asks nobody
/// to stop is refused with [`Refusal::NothingToCancel`].
///
/// # Errors
/// The update has never come to the room.
pub fn cancel(
    deployment: Option<&Deployment>,
    title: &str,
    room: &str,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    let deployment = deployment.ok_or_else(|| nothing_to_cancel(title, room))?;
    Ok(Changes {
        stops: vec![Stop {
            of: StopOf::Deployment(deployment.id),
            why: format!("Stopped by {by}: {reason}."),
            at: now,
        }],
        ..Changes::default()
    })
}

/// No device of the room downloads the update.
#[must_use]
pub fn nothing_to_cancel(title: &str, room: &str) -> Refusal {
    Refusal::NothingToCancel {
        title: title.to_owned(),
        room: room.to_owned(),
    }
}
