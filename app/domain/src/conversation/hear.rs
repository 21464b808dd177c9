//! What a device's words about one of its actions mean (`docs/devices.md` 1, 2).
//!
//! Devices touch nothing but their own install and their inventory; what follows from it for the room and the rollout is the
//! planner's to say. Whoever calls loads the facts first and writes what is [`Heard`]. Start with [`hear`].

use chrono::{DateTime, Utc};

use super::feedback::{Execution, Feedback, Finished};
use super::offer::{self, Offer};
use super::{OfferFacts, Outcome};
use crate::deployment::Failure;
use crate::install::{Install, InstallState, LONGEST_DETAIL};

/// What a device says about one of its actions.
#[derive(Clone, Copy, Debug)]
pub enum Words<'w> {
    /// How far it is.
    Feedback(&'w Feedback),
    /// Its answer to a cancel (`docs/devices.md` 1, cancelAction).
    CancelFeedback(&'w Feedback),
    /// Nothing; but it fetches the artifact for the first time (`docs/devices.md` 2.2).
    Fetched,
}

/// What follows from a device's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What came of them.
    pub outcome: Outcome,
    /// The install in its new state; `None`: it stands as before.
    pub install: Option<Install>,
    /// The device is asked for its facts.
    pub wants_facts: bool,
    /// What the history of the action keeps; `None`: nothing.
    pub kept: Option<KeptWords>,
}

/// A line in the history of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptWords {
    /// What the device does.
    pub execution: Execution,
    /// What came of it.
    pub finished: Finished,
    /// In its own words, at most [`MOST_KEPT`] characters.
    pub detail: String,
    /// `false`: the action had ended before.
    pub counts: bool,
}

impl Heard {
    fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            install: None,
            wants_facts: false,
            kept: None,
        }
    }

    /// Whether the planner rechecks the room.
    #[must_use]
    pub fn rechecks_room(&self) -> bool {
        self.outcome == Outcome::Changed
    }
}

/// What `words` of the device about the action of `facts` change at `now`.
#[must_use]
pub fn hear(facts: &OfferFacts<'_>, words: Words<'_>, now: DateTime<Utc>) -> Heard {
    let install = facts.install;
    match words {
        Words::Feedback(feedback) => heard(install, feedback, effect_of_feedback(facts, feedback, now)),
        Words::CancelFeedback(feedback) => heard(install, feedback, effect_of_cancel(install, feedback, now)),
        Words::Fetched => fetched(facts, now),
    }
}

/// What words do to an install.
enum Effect {
    /// It stands here now.
    Changed(Install),
    /// They stand in the history only.
    Noted,
    /// The action has ended: they stand in the history and change nothing (`docs/devices.md` 2.11).
    Ended,
    /// The device was not asked for them, or has not started and may not start now (`docs/devices.md` 2.10).
    NotOffered,
}

fn heard(install: &Install, feedback: &Feedback, effect: Effect) -> Heard {
    let with = |outcome, counts| Heard {
        kept: Some(kept(feedback, counts)),
        ..Heard::nothing(outcome)
    };
    match effect {
        Effect::Changed(changed) => {
            // A sign of life alone moves nothing but a deadline, which the planner reads when it comes.
            let says_otherwise =
                changed.objects() != install.objects() || (changed.objects() && changed.detail != install.detail);
            let is_news = std::mem::discriminant(&changed.state) != std::mem::discriminant(&install.state)
                || is_silent(install)
                || says_otherwise;
            Heard {
                wants_facts: !changed.is_started(),
                install: Some(changed),
                ..with(if is_news { Outcome::Changed } else { Outcome::Noted }, true)
            }
        }
        Effect::Noted => with(Outcome::Noted, true),
        Effect::Ended => with(Outcome::Ended, false),
        Effect::NotOffered => Heard::nothing(Outcome::NotFound),
    }
}

fn is_silent(install: &Install) -> bool {
    matches!(install.state, InstallState::Started { silent_at: Some(_), .. })
}

/// Of what a device says, so many characters are kept.
pub const MOST_KEPT: usize = 2000;

fn kept(feedback: &Feedback, counts: bool) -> KeptWords {
    KeptWords {
        execution: feedback.execution,
        finished: feedback.finished,
        // Postgres has no way to keep a NUL in text.
        detail: feedback.shortened(MOST_KEPT).replace('\0', ""),
        counts,
    }
}

/// Whether a device that has not started may do so at this offer.
fn may_start(offer: Offer) -> bool {
    match offer {
        Offer::Install | Offer::Prefetch => true,
        Offer::Nothing | Offer::Cancel => false,
    }
}

/// The first GET of the artifact: the device has started (`docs/devices.md` 2.2).
fn fetched(facts: &OfferFacts<'_>, now: DateTime<Utc>) -> Heard {
    match facts.install.state {
        InstallState::Planned if may_start(offer::decide(facts, now).offer) => Heard {
            install: Some(facts.install.started(now, "The device fetches the artifact.")),
            ..Heard::nothing(Outcome::Changed)
        },
        // It may not start any more, and must not get what it would start with.
        InstallState::Planned => Heard::nothing(Outcome::NotFound),
        InstallState::Started { .. }
        | InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Failed { .. }
        | InstallState::Withdrawn { .. }
        | InstallState::Canceled { .. } => Heard::nothing(Outcome::Noted),
    }
}

fn effect_of_feedback(facts: &OfferFacts<'_>, feedback: &Feedback, now: DateTime<Utc>) -> Effect {
    let install = facts.install;
    let detail = &feedback.summary(LONGEST_DETAIL);
    let started = match install.state {
        InstallState::Planned => {
            let offer = offer::decide(facts, now).offer;
            // Fetching ahead of the window is not starting (W1): what is said about it stands in the history only.
            if offer == Offer::Prefetch && feedback.execution != Execution::Closed {
                return Effect::Noted;
            }
            if !may_start(offer) {
                return Effect::NotOffered;
            }
            false
        }
        InstallState::Started { .. } => true,
        InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Failed { .. }
        | InstallState::Withdrawn { .. }
        | InstallState::Canceled { .. } => return Effect::Ended,
    };
    match feedback.execution {
        Execution::Closed => Effect::Changed(install.closed(closed_state(feedback, started, now), now, detail)),
        Execution::Proceeding
        | Execution::Scheduled
        | Execution::Resumed
        | Execution::Download
        | Execution::Downloaded => {
            let mut heard = install.started(now, detail);
            if feedback.details.iter().any(|detail| detail == ALL_CHUNKS_INSTALLED)
                && let InstallState::Started { installed_chunks, .. } = &mut heard.state
            {
                *installed_chunks = true;
            }
            Effect::Changed(heard)
        }
        // Some clients acknowledge a cancel here and not where they were asked.
        Execution::Canceled if install.is_to_be_canceled() => Effect::Changed(install.canceled(now, detail)),
        // A device that "cancels" unasked goes on being asked. It is there all the same, and people read what it says.
        Execution::Rejected | Execution::Canceled if started => Effect::Changed(install.objected(now, detail)),
        Execution::Rejected | Execution::Canceled => Effect::Noted,
    }
}

/// How a device closes its action. `started`: it had shown a sign of working on it.
fn closed_state(feedback: &Feedback, started: bool, now: DateTime<Utc>) -> InstallState {
    let skipped = matches!(feedback.details.as_slice(), [only] if only == "Skipped Update.");
    match feedback.finished {
        Finished::Success | Finished::None => InstallState::Installed {
            at: now,
            doubtful: !started || skipped,
        },
        Finished::Unreadable => InstallState::Installed {
            at: now,
            doubtful: true,
        },
        Finished::Failure => InstallState::Failed {
            at: now,
            failure: Failure::Reported,
        },
    }
}

/// It has stopped, or it goes on.
fn effect_of_cancel(install: &Install, feedback: &Feedback, now: DateTime<Utc>) -> Effect {
    let detail = &feedback.summary(LONGEST_DETAIL);
    if !install.is_open() {
        return Effect::Ended;
    }
    if !install.is_to_be_canceled() {
        return Effect::NotOffered;
    }
    let stopped = match (feedback.execution, feedback.finished) {
        (Execution::Canceled, _) | (Execution::Closed, Finished::Success | Finished::None | Finished::Unreadable) => {
            true
        }
        (Execution::Rejected, _) | (Execution::Closed, Finished::Failure) => false,
        (
            Execution::Proceeding
            | Execution::Scheduled
            | Execution::Resumed
            | Execution::Download
            | Execution::Downloaded,
            _,
        ) => return Effect::Noted,
    };
    Effect::Changed(if stopped {
        install.canceled(now, detail)
    } else {
        // It was too late, or the device cannot stop: it is not asked again, and what it reports counts as ever.
        Install {
            cancel_wanted: None,
            ..install.started(now, detail)
        }
    })
}

/// What swupdate says when all is written and only the restart is left (`docs/devices.md` 2.9).
pub const ALL_CHUNKS_INSTALLED: &str = "All Chunks Installed.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::examples::{instant, offer_facts, planned};
    use crate::deployment::Force;

    fn install(state: InstallState) -> Install {
        Install { state, ..planned(None) }
    }

    fn started() -> Install {
        crate::conversation::examples::started(false)
    }

    fn says(execution: Execution, finished: Finished, details: &[&str]) -> Feedback {
        Feedback {
            execution,
            finished,
            details: details.iter().map(|&detail| detail.to_owned()).collect(),
        }
    }

    /// Of a deployment that is forced, so that a planned install is offered if its rollout may start.
    fn forced(install: &Install, rollout_may_start: bool) -> OfferFacts<'_> {
        OfferFacts {
            rollout_may_start,
            force: Some(Force::Now),
            ..offer_facts(install)
        }
    }

    fn hears(install: &Install, feedback: &Feedback, may_start: bool, time: &str) -> Heard {
        hear(&forced(install, may_start), Words::Feedback(feedback), instant(time))
    }

    fn fetches(install: &Install, may_start: bool) -> Heard {
        hear(&forced(install, may_start), Words::Fetched, instant("00:20"))
    }

    #[track_caller]
    fn changed(heard: Heard) -> Install {
        assert!(heard.kept.is_some_and(|kept| kept.counts), "{:?}", heard.outcome);
        heard.install.expect("it changes something")
    }

    #[track_caller]
    fn is_noted_only(heard: &Heard) {
        assert_eq!((&heard.outcome, &heard.install), (&Outcome::Noted, &None));
        assert!(heard.kept.as_ref().is_some_and(|kept| kept.counts));
        assert!(!heard.rechecks_room() && !heard.wants_facts);
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
            let first = says(execution, Finished::None, &["step"]);
            let heard = changed(hears(&install(InstallState::Planned), &first, true, "00:20"));
            assert!(heard.is_started() && heard.is_running() && heard.is_open());
            assert_eq!(heard.started_at, Some(instant("00:20")));
            assert_eq!(heard.detail, "step");
            let later = changed(hears(&heard, &says(execution, Finished::None, &[]), false, "00:30"));
            assert_eq!(later.started_at, Some(instant("00:20")), "the first sign counts");
            assert!(matches!(later.state, InstallState::Started { heard_at, .. } if heard_at == instant("00:30")));
        }
    }

    #[test]
    fn a_planned_install_that_may_not_start_is_not_offered_whatever_is_said_w1_k3() {
        let planned = install(InstallState::Planned);
        for execution in Execution::ALL {
            for finished in [Finished::Success, Finished::Failure, Finished::None] {
                let heard = hears(&planned, &says(execution, finished, &[]), false, "00:20");
                assert_eq!(heard, Heard::nothing(Outcome::NotFound), "{execution:?}");
            }
        }
        assert_eq!(fetches(&planned, false), Heard::nothing(Outcome::NotFound));
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
                let word = says(execution, Finished::Success, &[]);
                let heard = hears(&install(state.clone()), &word, true, "00:20");
                assert_eq!(
                    (&heard.outcome, &heard.install),
                    (&Outcome::Ended, &None),
                    "{state:?} {execution:?}"
                );
                assert!(
                    heard.kept.is_some_and(|kept| !kept.counts),
                    "it is kept and does not count"
                );
            }
            assert_eq!(fetches(&install(state), true), Heard::nothing(Outcome::Noted));
        }
    }

    #[test]
    fn closed_with_success_or_nothing_is_installed_and_with_failure_failed() {
        let close = |finished| {
            let heard = hears(&started(), &says(Execution::Closed, finished, &["bye"]), false, "00:40");
            assert!(heard.rechecks_room() && heard.wants_facts);
            changed(heard).state
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
            let word = says(Execution::Closed, Finished::Success, details);
            let heard = changed(hears(&install, &word, true, "00:40"));
            matches!(heard.state, InstallState::Installed { doubtful: true, .. })
        };
        assert!(success(install(InstallState::Planned), &["done"]));
        assert!(success(started(), &["Skipped Update."]));
        assert!(!success(started(), &["Skipped Update.", "Installed."]));
        assert!(!success(started(), &["done"]));
    }

    #[test]
    fn a_rejection_and_an_unasked_cancel_are_a_sign_of_life_and_the_devices_words_w5_t5() {
        for execution in [Execution::Rejected, Execution::Canceled] {
            let word = says(execution, Finished::Failure, &["user pressed stop"]);
            is_noted_only(&hears(&install(InstallState::Planned), &word, true, "00:20"));
            let heard = hears(&started(), &word, true, "01:05");
            assert!(heard.rechecks_room(), "{execution:?}: people read it at once");
            let objecting = changed(heard);
            assert!(
                objecting.objects() && objecting.is_running(),
                "{execution:?}: it is there"
            );
            assert_eq!(objecting.detail, "user pressed stop");
            // The same again is no news; its link stays, and so does the deadline of its silence.
            let again = hears(&objecting, &word, true, "01:10");
            assert!(!again.rechecks_room());
            assert!(
                matches!(changed(again).state, InstallState::Started { heard_at, .. } if heard_at == instant("01:10"))
            );
            let works = hears(
                &objecting,
                &says(Execution::Proceeding, Finished::None, &["on"]),
                true,
                "01:11",
            );
            assert!(works.rechecks_room());
            assert!(!changed(works).objects());
        }
    }

    #[test]
    fn all_chunks_installed_is_remembered() {
        let all = says(Execution::Proceeding, Finished::None, &[ALL_CHUNKS_INSTALLED]);
        let heard = changed(hears(&started(), &all, true, "00:20"));
        let restarting = says(Execution::Proceeding, Finished::None, &["restarting"]);
        let heard = changed(hears(&heard, &restarting, true, "00:21"));
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
            objects: false,
        };
        let silent = Install { state, ..started() };
        assert!(silent.is_open() && silent.is_started() && !silent.is_running());
        let here = says(Execution::Proceeding, Finished::None, &["here"]);
        let heard = hears(&silent, &here, false, "09:00");
        assert!(heard.rechecks_room(), "the room had failed");
        assert!(changed(heard).is_running());
        let done = says(Execution::Closed, Finished::Success, &[]);
        assert!(matches!(
            changed(hears(&silent, &done, false, "09:00")).state,
            InstallState::Installed { doubtful: false, .. }
        ));
    }

    #[test]
    fn a_detail_is_kept_short_and_without_control_characters() {
        let long = format!("\u{1b}[31m{}", "é".repeat(600));
        let word = says(Execution::Proceeding, Finished::None, &[&long]);
        let heard = changed(hears(&started(), &word, true, "00:20"));
        let length = heard.detail.chars().count();
        assert!((LONGEST_DETAIL - 2..=LONGEST_DETAIL).contains(&length), "{length}");
        assert!(!heard.detail.contains('\u{1b}'));
    }

    #[test]
    fn the_history_keeps_all_details_up_to_a_length_and_no_nul() {
        let word = says(Execution::Proceeding, Finished::None, &["one", "t\0wo"]);
        let kept = hears(&started(), &word, true, "00:20").kept.expect("a line");
        assert_eq!(kept.detail, "one\ntwo");
        assert_eq!((kept.execution, kept.finished), (word.execution, word.finished));
        let long = says(Execution::Proceeding, Finished::None, &[&"é".repeat(3000)]);
        let kept = hears(&started(), &long, true, "00:20").kept.expect("a line");
        assert_eq!(kept.detail.chars().count(), MOST_KEPT);
    }

    #[test]
    fn a_sign_of_life_of_a_running_device_asks_for_nothing_and_its_first_word_has_the_room_rechecked() {
        let word = says(Execution::Proceeding, Finished::None, &["step"]);
        let first = hears(&install(InstallState::Planned), &word, true, "00:20");
        assert!(first.rechecks_room() && !first.wants_facts);
        let next = hears(&changed(first), &word, true, "00:21");
        assert_eq!(next.outcome, Outcome::Noted);
        assert!(!next.rechecks_room() && !next.wants_facts);
        assert!(next.install.is_some(), "its deadline has moved");
        let fetched = fetches(&install(InstallState::Planned), true);
        assert!(fetched.rechecks_room() && fetched.kept.is_none());
        assert!(fetched.install.is_some_and(|install| install.is_started()));
    }

    #[test]
    fn words_about_what_is_fetched_ahead_of_the_window_stand_in_the_history_only_until_it_closes_w1() {
        let install = planned(Some(("01:00", "05:00")));
        let ahead = OfferFacts {
            window_aware: true,
            ..offer_facts(&install)
        };
        let hears = |execution, finished| {
            let word = says(execution, finished, &["word"]);
            hear(&ahead, Words::Feedback(&word), instant("00:30"))
        };
        for execution in Execution::ALL {
            if execution != Execution::Closed {
                is_noted_only(&hears(execution, Finished::None));
            }
        }
        let closed = changed(hears(Execution::Closed, Finished::Success));
        assert!(matches!(closed.state, InstallState::Installed { doubtful: true, .. }));
    }

    #[test]
    fn a_device_that_is_asked_to_stop_stops_or_goes_on_and_one_that_is_not_asked_is_not_heard_s10() {
        let asked = Install {
            cancel_wanted: Some("Recalled: cameras stay dark.".to_owned()),
            ..started()
        };
        let answers = |install: &Install, execution, finished| {
            let word = says(execution, finished, &["word"]);
            hear(&offer_facts(install), Words::CancelFeedback(&word), instant("00:20"))
        };
        for (execution, finished) in [
            (Execution::Canceled, Finished::None),
            (Execution::Closed, Finished::Success),
            (Execution::Closed, Finished::None),
        ] {
            let stopped = answers(&asked, execution, finished);
            assert!(stopped.rechecks_room() && stopped.wants_facts);
            assert_eq!(
                changed(stopped).state,
                InstallState::Canceled { at: instant("00:20") },
                "{execution:?}"
            );
        }
        for (execution, finished) in [
            (Execution::Rejected, Finished::None),
            (Execution::Closed, Finished::Failure),
        ] {
            let goes_on = answers(&asked, execution, finished);
            assert!(!goes_on.rechecks_room(), "it runs as before");
            let goes_on = changed(goes_on);
            assert!(goes_on.is_started() && goes_on.cancel_wanted.is_none(), "{execution:?}");
        }
        is_noted_only(&answers(&asked, Execution::Proceeding, Finished::None));
        let unasked = answers(&started(), Execution::Canceled, Finished::None);
        assert_eq!(unasked, Heard::nothing(Outcome::NotFound));
        let over = install(InstallState::Canceled { at: instant("00:15") });
        assert_eq!(
            answers(&over, Execution::Canceled, Finished::None).outcome,
            Outcome::Ended
        );
    }
}
