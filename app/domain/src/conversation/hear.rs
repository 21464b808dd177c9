//! What a device's words about an action do to its install (`docs/devices.md` 1, 2).
//!
//! Devices touch nothing but their own install and their inventory; what follows from it for the room and the rollout is the
//! planner's to say. Start with [`Install::hear`].

use chrono::{DateTime, Utc};

use crate::conversation::feedback::{Execution, Feedback, Finished};
use crate::install::{Install, InstallState};

/// What a feedback does to an install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackEffect {
    /// The install stands here now. Answer 200.
    Changed(Install),
    /// Noted in the history only. Answer 200.
    Noted,
    /// The action has ended: noted in the history, nothing changes. Answer 410 (`docs/devices.md` 2.11).
    Ended,
    /// The device has not started and may not start now. Answer 404 (`docs/devices.md` 2.10).
    NotOffered,
}
impl Install {
    /// The first GET of the artifact: the device has started (`docs/devices.md` 2.2). `None`: nothing changes.
    #[must_use]
    pub fn fetched(&self, may_start: bool, now: DateTime<Utc>) -> Option<Self> {
        match self.state {
            InstallState::Planned if may_start => Some(self.started(now, "The device fetches the artifact.")),
            InstallState::Planned
            | InstallState::Started { .. }
            | InstallState::Installed { .. }
            | InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => None,
        }
    }

    /// What `feedback` does to this install. `may_start`: [`crate::conversation::offer::decide`] would offer it right now.
    #[must_use]
    pub fn hear(&self, feedback: &Feedback, may_start: bool, now: DateTime<Utc>) -> FeedbackEffect {
        let detail = feedback.details.last().map_or("", String::as_str);
        let started = match self.state {
            InstallState::Planned if !may_start => return FeedbackEffect::NotOffered,
            InstallState::Planned => false,
            InstallState::Started { .. } => true,
            InstallState::Installed { .. }
            | InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => return FeedbackEffect::Ended,
        };
        match feedback.execution {
            Execution::Closed => {
                let skipped = matches!(feedback.details.as_slice(), [only] if only == "Skipped Update.");
                let state = match feedback.finished {
                    Finished::Success | Finished::None => InstallState::Installed {
                        at: now,
                        doubtful: !started || skipped,
                    },
                    Finished::Failure => InstallState::Failed {
                        at: now,
                        failure: crate::deployment::Failure::Reported,
                    },
                };
                let started_at = self.started_at.or(Some(now));
                FeedbackEffect::Changed(Self {
                    state,
                    started_at,
                    detail: shorten(detail),
                    ..self.clone()
                })
            }
            Execution::Proceeding
            | Execution::Scheduled
            | Execution::Resumed
            | Execution::Download
            | Execution::Downloaded => {
                let mut heard = self.started(now, detail);
                if feedback.details.iter().any(|detail| detail == ALL_CHUNKS_INSTALLED)
                    && let InstallState::Started { installed_chunks, .. } = &mut heard.state
                {
                    *installed_chunks = true;
                }
                FeedbackEffect::Changed(heard)
            }
            // Some clients acknowledge a cancel here and not where they were asked.
            Execution::Canceled if self.is_to_be_canceled() => FeedbackEffect::Changed(self.canceled(now, detail)),
            // A device that "cancels" unasked goes on being asked.
            Execution::Rejected | Execution::Canceled => FeedbackEffect::Noted,
        }
    }

    /// What a device's answer to a cancel does (`docs/devices.md` 1, cancelAction): it has stopped, or it goes on.
    #[must_use]
    pub fn hear_cancel(&self, feedback: &Feedback, now: DateTime<Utc>) -> FeedbackEffect {
        let detail = feedback.details.last().map_or("", String::as_str);
        if !self.is_open() {
            return FeedbackEffect::Ended;
        }
        if !self.is_to_be_canceled() {
            return FeedbackEffect::NotOffered;
        }
        let stopped = match (feedback.execution, feedback.finished) {
            (Execution::Canceled, _) | (Execution::Closed, Finished::Success | Finished::None) => true,
            (Execution::Rejected, _) | (Execution::Closed, Finished::Failure) => false,
            (
                Execution::Proceeding
                | Execution::Scheduled
                | Execution::Resumed
                | Execution::Download
                | Execution::Downloaded,
                _,
            ) => return FeedbackEffect::Noted,
        };
        FeedbackEffect::Changed(if stopped {
            self.canceled(now, detail)
        } else {
            // It was too late, or the device cannot stop: it is not asked again, and what it reports counts as ever.
            Self {
                cancel_wanted: None,
                ..self.started(now, detail)
            }
        })
    }

    fn canceled(&self, now: DateTime<Utc>, detail: &str) -> Self {
        Self {
            state: InstallState::Canceled { at: now },
            detail: shorten(detail),
            ..self.clone()
        }
    }

    fn started(&self, now: DateTime<Utc>, detail: &str) -> Self {
        let installed_chunks = matches!(
            self.state,
            InstallState::Started {
                installed_chunks: true,
                ..
            }
        );
        Self {
            state: InstallState::Started {
                heard_at: now,
                silent_at: None,
                installed_chunks,
            },
            started_at: self.started_at.or(Some(now)),
            detail: shorten(detail),
            ..self.clone()
        }
    }
}

/// What swupdate says when all is written and only the restart is left (`docs/devices.md` 2.9).
pub const ALL_CHUNKS_INSTALLED: &str = "All Chunks Installed.";

/// The longest detail that an install keeps, in characters.
pub const LONGEST_DETAIL: usize = 500;

fn shorten(detail: &str) -> String {
    detail
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(LONGEST_DETAIL)
        .collect()
}
#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::deployment::Failure;
    use crate::ids::{ActionId, DeploymentId, DeviceId, UpdateId};

    fn instant(time: &str) -> DateTime<Utc> {
        format!("2025-03-05T{time}:00Z").parse().expect("an instant")
    }

    fn install(state: InstallState) -> Install {
        Install {
            action: ActionId(1),
            deployment: DeploymentId(Uuid::nil()),
            update: UpdateId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            attempt: 1,
            window: None,
            state,
            shown_up_at: None,
            started_at: None,
            detail: String::new(),
            cancel_wanted: None,
        }
    }

    fn started() -> Install {
        let state = InstallState::Started {
            heard_at: instant("00:10"),
            silent_at: None,
            installed_chunks: false,
        };
        Install {
            started_at: Some(instant("00:10")),
            ..install(state)
        }
    }

    fn says(execution: Execution, finished: Finished, details: &[&str]) -> Feedback {
        Feedback {
            execution,
            finished,
            details: details.iter().map(|&detail| detail.to_owned()).collect(),
        }
    }

    #[track_caller]
    fn changed(heard: FeedbackEffect) -> Install {
        match heard {
            FeedbackEffect::Changed(install) => install,
            other @ (FeedbackEffect::Noted | FeedbackEffect::Ended | FeedbackEffect::NotOffered) => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_sign_of_work_starts_a_planned_install_once() {
        let working = [
            Execution::Proceeding,
            Execution::Scheduled,
            Execution::Resumed,
            Execution::Download,
            Execution::Downloaded,
        ];
        for execution in working {
            let heard = install(InstallState::Planned).hear(
                &says(execution, Finished::None, &["step"]),
                true,
                instant("00:20"),
            );
            let heard = changed(heard);
            assert!(heard.is_started() && heard.is_running() && heard.is_open());
            assert_eq!(heard.started_at, Some(instant("00:20")));
            assert_eq!(heard.detail, "step");
            let later = changed(heard.hear(&says(execution, Finished::None, &[]), false, instant("00:30")));
            assert_eq!(later.started_at, Some(instant("00:20")), "the first sign counts");
            assert!(matches!(later.state, InstallState::Started { heard_at, .. } if heard_at == instant("00:30")));
        }
    }

    #[test]
    fn a_planned_install_that_may_not_start_is_not_offered_whatever_is_said_w1_k3() {
        for execution in Execution::ALL {
            for finished in [Finished::Success, Finished::Failure, Finished::None] {
                let heard =
                    install(InstallState::Planned).hear(&says(execution, finished, &[]), false, instant("00:20"));
                assert_eq!(heard, FeedbackEffect::NotOffered, "{execution:?}");
            }
        }
        assert_eq!(install(InstallState::Planned).fetched(false, instant("00:20")), None);
    }

    #[test]
    fn an_action_that_has_ended_changes_no_more_whatever_is_said() {
        let at = instant("00:15");
        let ended = [
            InstallState::Installed { at, doubtful: false },
            InstallState::Completed { at },
            InstallState::Failed {
                at,
                failure: Failure::Reported,
            },
            InstallState::Withdrawn { at },
        ];
        for state in ended {
            for execution in Execution::ALL {
                let heard =
                    install(state.clone()).hear(&says(execution, Finished::Success, &[]), true, instant("00:20"));
                assert_eq!(heard, FeedbackEffect::Ended, "{state:?} {execution:?}");
            }
            assert_eq!(install(state).fetched(true, instant("00:20")), None);
        }
    }

    #[test]
    fn closed_with_success_or_nothing_is_installed_and_with_failure_failed() {
        let close = |finished| {
            changed(started().hear(&says(Execution::Closed, finished, &["bye"]), false, instant("00:40"))).state
        };
        let done = InstallState::Installed {
            at: instant("00:40"),
            doubtful: false,
        };
        assert_eq!(close(Finished::Success), done);
        assert_eq!(close(Finished::None), done);
        assert_eq!(
            close(Finished::Failure),
            InstallState::Failed {
                at: instant("00:40"),
                failure: Failure::Reported
            }
        );
    }

    #[test]
    fn success_without_a_sign_of_work_or_with_a_skipped_update_is_doubtful() {
        let success = |install: Install, details: &[&str]| {
            let heard = changed(install.hear(
                &says(Execution::Closed, Finished::Success, details),
                true,
                instant("00:40"),
            ));
            matches!(heard.state, InstallState::Installed { doubtful: true, .. })
        };
        assert!(success(install(InstallState::Planned), &["done"]));
        assert!(success(started(), &["Skipped Update."]));
        assert!(!success(started(), &["Skipped Update.", "Installed."]));
        assert!(!success(started(), &["done"]));
    }

    #[test]
    fn a_rejection_and_an_unasked_cancel_are_noted_only() {
        for execution in [Execution::Rejected, Execution::Canceled] {
            for install in [install(InstallState::Planned), started()] {
                assert_eq!(
                    install.hear(&says(execution, Finished::Failure, &[]), true, instant("00:40")),
                    FeedbackEffect::Noted
                );
            }
        }
    }

    #[test]
    fn all_chunks_installed_is_remembered() {
        let heard = changed(started().hear(
            &says(Execution::Proceeding, Finished::None, &[ALL_CHUNKS_INSTALLED]),
            true,
            instant("00:20"),
        ));
        let heard = changed(heard.hear(
            &says(Execution::Proceeding, Finished::None, &["restarting"]),
            true,
            instant("00:21"),
        ));
        assert!(matches!(
            heard.state,
            InstallState::Started {
                installed_chunks: true,
                ..
            }
        ));
    }

    #[test]
    fn a_silent_device_that_speaks_again_runs_again_w5() {
        let state = InstallState::Started {
            heard_at: instant("00:10"),
            silent_at: Some(instant("01:10")),
            installed_chunks: false,
        };
        let silent = Install { state, ..started() };
        assert!(silent.is_open() && silent.is_started() && !silent.is_running());
        let heard = changed(silent.hear(
            &says(Execution::Proceeding, Finished::None, &["here"]),
            false,
            instant("09:00"),
        ));
        assert!(heard.is_running());
        assert!(matches!(
            changed(silent.hear(
                &says(Execution::Closed, Finished::Success, &[]),
                false,
                instant("09:00")
            ))
            .state,
            InstallState::Installed { doubtful: false, .. }
        ));
    }

    #[test]
    fn a_detail_is_kept_short_and_without_control_characters() {
        let long = format!("\u{1b}[31m{}", "é".repeat(600));
        let heard = changed(started().hear(
            &says(Execution::Proceeding, Finished::None, &[&long]),
            true,
            instant("00:20"),
        ));
        assert_eq!(heard.detail.chars().count(), LONGEST_DETAIL);
        assert!(!heard.detail.contains('\u{1b}'));
    }
}
