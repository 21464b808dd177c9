//! What a device is told when it polls (`docs/devices.md` 2 and 3): one pure function of its open install and the instant.
//!
//! [`decide`] is asked by the poll, again by `GET deploymentBase`, for the device may be late, and again when a device says something
//! about its action ([`super::hear::hear`]). Each question is one call: the answer also says whether the device shows up in time.

use chrono::{DateTime, Utc};

use super::{OfferFacts, presence};
use crate::deployment::Force;
use crate::install::InstallState;
use crate::start_window::StartWindow;

/// The answer to a poll.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What the device is told.
    pub offer: Offer,
    /// The device shows up in time by asking now, for the first time (W4).
    pub shows_up: bool,
    /// A force waits until the room is known to be free (K5).
    pub waits_for_free_room: bool,
}

impl Answer {
    /// Whether the device is asked for its facts. `wanted`: somebody waits for them already.
    #[must_use]
    pub fn asks_for_facts(self, wanted: bool) -> bool {
        // swupdate sends its facts instead of installing when a poll has both links, and would do so for ever.
        self.offer == Offer::Nothing && (wanted || self.waits_for_free_room)
    }
}

/// What a device is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// No work.
    #[default]
    Nothing,
    Install,
    /// Fetch this, and install it when the window opens. Only for window-aware devices (`docs/devices.md` 2.1).
    Prefetch,
    /// Stop.
    Cancel,
}

/// What a poll at `now` is answered, and what it shows. A device without an open action gets the default answer.
#[must_use]
pub fn decide(facts: &OfferFacts<'_>, now: DateTime<Utc>) -> Answer {
    let offer = offer(facts, now);
    Answer {
        offer,
        shows_up: presence::shows_up(facts, now),
        waits_for_free_room: facts.force == Some(Force::WhenAvailable) && offer == Offer::Nothing,
    }
}

fn offer(facts: &OfferFacts<'_>, now: DateTime<Utc>) -> Offer {
    match facts.install.state {
        InstallState::Started { .. } if facts.install.is_to_be_canceled() => Offer::Cancel,
        // Sticky: a device that has started keeps its link until it closes (`docs/devices.md` 2.2).
        InstallState::Started { .. } => Offer::Install,
        InstallState::Planned if !facts.rollout_may_start => Offer::Nothing,
        // What is forced has a window only where a freeze lies ahead.
        InstallState::Planned => match (facts.force, facts.install.window) {
            (Some(_), Some(window)) if !window.contains(now) => Offer::Nothing,
            (Some(Force::Now), _) => Offer::Install,
            (Some(Force::WhenAvailable), _) if facts.presence.is_free(now) => Offer::Install,
            (Some(Force::WhenAvailable), _) => Offer::Nothing,
            (None, Some(window)) => in_window(facts, window, now),
            (None, None) => Offer::Nothing,
        },
        InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Failed { .. }
        | InstallState::Withdrawn { .. }
        | InstallState::Canceled { .. } => Offer::Nothing,
    }
}

fn in_window(facts: &OfferFacts<'_>, window: StartWindow, now: DateTime<Utc>) -> Offer {
    if now < window.opens() {
        if facts.window_aware {
            Offer::Prefetch
        } else {
            Offer::Nothing
        }
    } else if window.still_fits(now, facts.expected_minutes) {
        Offer::Install
    } else {
        Offer::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::examples::{instant, offer_facts, planned, started};
    use crate::conversation::presence::Presence;
    use crate::deployment::Failure;
    use crate::install::Install;

    #[test]
    fn a_planned_install_is_offered_inside_its_window_as_long_as_it_fits_w1_s7() {
        let install = planned(Some(("00:00", "05:00")));
        let told = |time| decide(&offer_facts(&install), instant(time)).offer;
        assert_eq!(told("00:00"), Offer::Install);
        assert_eq!(told("04:40"), Offer::Install, "it just fits");
        assert_eq!(told("04:41"), Offer::Nothing, "it does not fit any more");
        assert_eq!(told("05:00"), Offer::Nothing, "half open");
        let tomorrow = planned(Some(("01:00", "05:00")));
        assert_eq!(
            decide(&offer_facts(&tomorrow), instant("00:59")).offer,
            Offer::Nothing,
            "not before it opens"
        );
    }

    #[test]
    fn a_window_aware_device_may_prefetch_before_the_window_w1() {
        let install = planned(Some(("01:00", "05:00")));
        let aware = OfferFacts {
            window_aware: true,
            ..offer_facts(&install)
        };
        assert_eq!(decide(&aware, instant("00:30")).offer, Offer::Prefetch);
        assert_eq!(decide(&aware, instant("01:00")).offer, Offer::Install);
        assert_eq!(
            decide(
                &OfferFacts {
                    rollout_may_start: false,
                    ..aware
                },
                instant("00:30")
            )
            .offer,
            Offer::Nothing
        );
    }

    #[test]
    fn nothing_starts_of_a_paused_or_deprecated_rollout_and_a_force_neither_k3_t8() {
        for install in [planned(Some(("00:00", "05:00"))), planned(None)] {
            for force in [None, Some(Force::Now), Some(Force::WhenAvailable)] {
                let facts = OfferFacts {
                    rollout_may_start: false,
                    force,
                    ..offer_facts(&install)
                };
                assert_eq!(decide(&facts, instant("01:00")).offer, Offer::Nothing, "{force:?}");
            }
        }
    }

    #[test]
    fn a_force_skips_the_window_k5() {
        let install = planned(None);
        let forced = OfferFacts {
            force: Some(Force::Now),
            ..offer_facts(&install)
        };
        assert_eq!(decide(&forced, instant("14:00")).offer, Offer::Install);
        assert_eq!(
            decide(&offer_facts(&install), instant("14:00")).offer,
            Offer::Nothing,
            "no window and no force"
        );
    }

    #[test]
    fn a_force_for_when_the_room_is_available_waits_for_a_fresh_report_that_it_is_free_k5() {
        let install = planned(None);
        let told = |free_at: Option<&str>, busy_until: Option<&str>| {
            let presence = Presence {
                free_at: free_at.map(instant),
                busy_at: None,
                busy_until: busy_until.map(instant),
            };
            decide(
                &OfferFacts {
                    force: Some(Force::WhenAvailable),
                    presence,
                    ..offer_facts(&install)
                },
                instant("14:00"),
            )
            .offer
        };
        assert_eq!(told(None, None), Offer::Nothing);
        assert_eq!(told(Some("13:58"), None), Offer::Install, "two minutes old");
        assert_eq!(told(Some("13:57"), None), Offer::Nothing, "older than two minutes");
        assert_eq!(told(Some("13:59"), Some("14:30")), Offer::Nothing, "booked");
        assert_eq!(
            told(Some("13:59"), Some("14:00")),
            Offer::Install,
            "the booking is over"
        );
    }

    #[test]
    fn a_started_install_keeps_its_offer_until_it_closes_k3_w5() {
        let install = started(false);
        for (time, rollout_may_start) in [("00:20", true), ("05:30", true), ("14:00", false)] {
            let facts = OfferFacts {
                rollout_may_start,
                ..offer_facts(&install)
            };
            assert_eq!(decide(&facts, instant(time)).offer, Offer::Install);
        }
    }

    #[test]
    fn a_cancel_is_offered_until_all_chunks_are_installed() {
        let told = |install: Install| {
            let wanted = Install {
                cancel_wanted: Some("Recalled: cameras stay dark.".to_owned()),
                ..install
            };
            decide(&offer_facts(&wanted), instant("00:20")).offer
        };
        assert_eq!(told(started(false)), Offer::Cancel);
        assert_eq!(told(started(true)), Offer::Install, "only the restart is left");
        assert_eq!(
            told(planned(None)),
            Offer::Nothing,
            "what has not started is withdrawn instead"
        );
    }

    #[test]
    fn what_is_forced_is_offered_up_to_a_freeze_and_not_in_it_k5_w6() {
        let install = planned(Some(("00:30", "01:30")));
        for force in [Force::Now, Force::WhenAvailable] {
            let told = |time| {
                let presence = Presence {
                    free_at: Some(instant(time)),
                    busy_at: None,
                    busy_until: None,
                };
                let forced = OfferFacts {
                    force: Some(force),
                    presence,
                    ..offer_facts(&install)
                };
                decide(&forced, instant(time)).offer
            };
            assert_eq!(told("01:29"), Offer::Install, "a force asks for no space in the window");
            assert_eq!(told("01:30"), Offer::Nothing, "the freeze has begun");
        }
    }

    #[test]
    fn an_install_that_has_ended_is_not_offered() {
        let at = instant("00:30");
        let ended = [
            InstallState::Installed { at, doubtful: false },
            InstallState::Completed { at },
            InstallState::Failed {
                at,
                failure: Failure::Reported,
            },
            InstallState::Withdrawn { at },
            InstallState::Canceled { at },
        ];
        for state in ended {
            let install = Install {
                state,
                ..planned(Some(("00:00", "05:00")))
            };
            assert_eq!(decide(&offer_facts(&install), instant("01:00")).offer, Offer::Nothing);
            assert!(!decide(&offer_facts(&install), instant("01:00")).shows_up);
        }
    }

    #[test]
    fn facts_are_asked_for_only_where_there_is_no_work_and_always_while_a_force_waits_for_a_free_room_k5() {
        let install = planned(None);
        let asked = |force: Force, free_at: Option<&str>, wanted: bool| {
            let facts = OfferFacts {
                force: Some(force),
                presence: Presence {
                    free_at: free_at.map(instant),
                    ..Presence::default()
                },
                ..offer_facts(&install)
            };
            decide(&facts, instant("14:00")).asks_for_facts(wanted)
        };
        assert!(asked(Force::WhenAvailable, None, false));
        assert!(!asked(Force::WhenAvailable, Some("14:00"), true), "it installs");
        assert!(!asked(Force::Now, None, true), "it installs");
        assert!(Answer::default().asks_for_facts(true));
        assert!(!Answer::default().asks_for_facts(false));
    }
}
