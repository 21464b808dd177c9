//! Retry (K4): a failed room goes back into its next window.

use chrono::{DateTime, Utc};

use crate::deployment::{Deployment, DeploymentState};
use crate::reason::Reason;
use crate::settings::Settings;
use crate::window::Window;
use crate::zone::Zone;

/// The failed deployment in its next attempt; `None`: it has not failed, and a second click changes nothing.
///
/// An action of the attempt before that is still open (silent, W5) is waited for: the planner opens the retry when it closes.
#[must_use]
pub fn retry(
    deployment: &Deployment,
    zone: &Zone,
    settings: &Settings,
    by: &str,
    now: DateTime<Utc>,
) -> Option<Deployment> {
    match deployment.state {
        DeploymentState::Failed { .. } => {}
        DeploymentState::Waiting
        | DeploymentState::Open { .. }
        | DeploymentState::Completed { .. }
        | DeploymentState::Withdrawn { .. } => return None,
    }
    let window = Window::next(zone, zone.date(now), now, settings.window());
    Some(Deployment {
        night: window.night,
        state: DeploymentState::Waiting,
        attempt: deployment.attempt + 1,
        missed_windows: 0,
        force: None,
        reason: Reason::Retried {
            by: by.to_owned(),
            attempt: deployment.attempt + 1,
        },
        next_at: Some(now),
        ..deployment.clone()
    })
}
