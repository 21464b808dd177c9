//! Publishing a release (S3, S4, S7), and recalling it (S10).

use chrono::{DateTime, Utc};

use crate::changes::{Changes, Stop, StopOf};
use crate::ids::UpdateId;
use crate::planner;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::rollout::Rollout;
use crate::settings::Settings;

/// A release that somebody wants to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it is called.
    pub title: String,
    /// It has a rollout.
    pub published: bool,
    /// It was recalled.
    pub recalled: bool,
    /// It has a file.
    pub has_file: bool,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
}

/// Whether a release may be published.
///
/// # Errors
/// It is published or recalled, it has no file, or it does not fit into a window (S7).
pub fn publish(candidate: &Candidate, settings: &Settings) -> Result<(), Refusal> {
    let title = candidate.title.clone();
    if candidate.published {
        return Err(Refusal::PublishedAlready { title });
    }
    if candidate.recalled {
        return Err(Refusal::Recalled { title });
    }
    if !candidate.has_file {
        return Err(Refusal::NoFile { title });
    }
    planner::check_minutes(settings, candidate.expected_minutes)
}

/// The release's rollout ends, if it has one that goes on, and devices that download it are asked to stop. `recalled`: the release was
/// recalled before.
///
/// # Errors
/// It was recalled before.
pub fn recall(
    release: UpdateId,
    title: &str,
    recalled: bool,
    rollout: Option<&Rollout>,
    why: &str,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    if recalled {
        let title = title.to_owned();
        return Err(Refusal::RecalledBefore { title });
    }
    let after = rollout.and_then(|rollout| planner::recall(rollout, why, now));
    Ok(Changes {
        woken: after.iter().map(|after| (after.update, now)).collect(),
        rollouts: after.into_iter().collect(),
        stops: vec![Stop {
            of: StopOf::Release(release),
            why: Reason::recalled(why).sentence(),
            at: now,
        }],
        ..Changes::default()
    })
}
