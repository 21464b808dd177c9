//! What may be done with an update as it stands. The commands of the domain are asked; there is no second rule.

use domain::commands::acknowledge::acknowledge;
use domain::commands::deactivate::deactivate;
use domain::commands::pause::{Pause, pause};
use domain::commands::resume::{Calendar, resume};
use domain::commands::startable_rollout;
use serde::Serialize;

use super::UpdateSummary;
use crate::read::ReadSnapshot;

/// What may be done with an update (K2–K5, T9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateControl {
    /// [`crate::Service::pause`].
    Pause,
    /// [`crate::Service::resume`].
    Resume,
    /// [`crate::Service::set_resume_date`].
    SetResumeDate,
    /// [`crate::Service::retry_all_failed`].
    RetryAllFailed,
    /// [`crate::Service::force`].
    Force,
    /// [`crate::Service::acknowledge`].
    Acknowledge,
    /// [`crate::Service::deactivate`].
    Deactivate,
}

impl UpdateControl {
    const ALL: [Self; 7] = [
        Self::Pause,
        Self::Resume,
        Self::SetResumeDate,
        Self::RetryAllFailed,
        Self::Force,
        Self::Acknowledge,
        Self::Deactivate,
    ];
}

impl ReadSnapshot {
    /// What may be done with an update now, by whoever may control updates.
    #[must_use]
    pub fn possible_controls(&self, summary: &UpdateSummary) -> Vec<UpdateControl> {
        let all = UpdateControl::ALL.into_iter();
        all.filter(|control| self.is_possible(*control, summary)).collect()
    }

    /// Whether something can be done with an update as it stands: what decides when it is done is asked.
    fn is_possible(&self, control: UpdateControl, summary: &UpdateSummary) -> bool {
        let (rollout, zone) = (Some(&summary.rollout), &self.organisation.zone);
        match control {
            UpdateControl::Pause => {
                let asked = Pause {
                    by: String::new(),
                    reason: String::new(),
                    resumes_on: None,
                };
                pause(rollout, "", zone, &asked, self.now).is_ok()
            }
            UpdateControl::Resume | UpdateControl::SetResumeDate => {
                let calendar = Calendar {
                    zone,
                    rings: &self.rings,
                    freezes: &self.freezes,
                };
                resume(rollout, None, calendar, std::iter::empty(), "", self.now).is_ok()
            }
            // Without a failed room a retry is not refused, but changes nothing.
            UpdateControl::RetryAllFailed => summary.counts.failed > 0 && startable_rollout(rollout, "").is_ok(),
            UpdateControl::Force => startable_rollout(rollout, "").is_ok(),
            UpdateControl::Deactivate => deactivate(rollout, "", "", "", self.now).is_ok(),
            UpdateControl::Acknowledge => acknowledge(rollout, "", summary.update.acknowledged, "", self.now).is_ok(),
        }
    }
}
