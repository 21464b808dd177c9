//! What a device is told when it polls (`docs/devices.md` 2 and 3): one pure function of its open install and the instant.
//!
//! [`decide`] is asked by the poll, again by `GET deploymentBase`, for the device may be late, and again when a device that has
//! not started says its first word. The simulator asks the same function.

use chrono::{DateTime, TimeDelta, Utc};

use crate::deployment::Force;
use crate::ids::DeviceId;
use crate::install::{Install, InstallState};
use crate::settings::Settings;

/// What counts for the decision.
#[derive(Clone, Debug)]
pub struct OfferFacts<'a> {
    /// The device's open install.
    pub install: &'a Install,
    /// [`crate::rollout::Rollout::may_start_rooms`].
    pub rollout_may_start: bool,
    /// How the deployment is forced, if it is.
    pub force: Option<Force>,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
    /// The room, as its devices last reported it.
    pub presence: Presence,
    /// The device keeps to windows of its own (`docs/devices.md` 2.1).
    pub window_aware: bool,
}

/// Whether people are in the room, as far as devices say (K5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// The last report of `room.state=free`.
    pub free_at: Option<DateTime<Utc>>,
    /// The last report of another `room.state`, of a device that has not said `free` since.
    pub busy_at: Option<DateTime<Utc>>,
    /// A booking that is known: until when.
    pub busy_until: Option<DateTime<Utc>>,
}

/// What a device is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// No work.
    Nothing,
    /// Install this.
    Install,
    /// Fetch this, and install it when the window opens. Only for window-aware devices (`docs/devices.md` 2.1).
    Prefetch,
    /// Stop.
    Cancel,
}

impl Presence {
    /// Free by a report not older than two minutes, with no other device of the room saying otherwise, and not booked now (K5).
    #[must_use]
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        let is_fresh = |at: DateTime<Utc>| now - at <= TimeDelta::minutes(2);
        let is_free = self.free_at.is_some_and(is_fresh) && !self.busy_at.is_some_and(is_fresh);
        is_free && self.busy_until.is_none_or(|until| until <= now)
    }
}

/// What the device of this install is told at `now`.
#[must_use]
pub fn decide(facts: &OfferFacts<'_>, now: DateTime<Utc>) -> Offer {
    match facts.install.state {
        InstallState::Started { .. } if facts.install.is_to_be_canceled() => Offer::Cancel,
        // Sticky: a device that has started keeps its link until it closes (`docs/devices.md` 2.2).
        InstallState::Started { .. } => Offer::Install,
        InstallState::Planned if !facts.rollout_may_start => Offer::Nothing,
        // What is forced has a window only where a freeze lies ahead.
        InstallState::Planned => match (facts.force, facts.install.window) {
            (Some(_), Some((opens, closes))) if now < opens || closes <= now => Offer::Nothing,
            (Some(Force::Now), _) => Offer::Install,
            (Some(Force::WhenAvailable), _) if facts.presence.is_free(now) => Offer::Install,
            (Some(Force::WhenAvailable), _) => Offer::Nothing,
            (None, Some((opens, closes))) => in_window(facts, opens, closes, now),
            (None, None) => Offer::Nothing,
        },
        InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Failed { .. }
        | InstallState::Withdrawn { .. }
        | InstallState::Canceled { .. } => Offer::Nothing,
    }
}

fn in_window(facts: &OfferFacts<'_>, opens: DateTime<Utc>, closes: DateTime<Utc>, now: DateTime<Utc>) -> Offer {
    let still_fits = now + TimeDelta::minutes(facts.expected_minutes.into()) <= closes;
    if now < opens {
        if facts.window_aware {
            Offer::Prefetch
        } else {
            Offer::Nothing
        }
    } else if still_fits {
        Offer::Install
    } else {
        Offer::Nothing
    }
}

/// Whether the device shows up in time by polling now (W4): its install waits for it, and nothing but the device is missing.
#[must_use]
pub fn shows_up(facts: &OfferFacts<'_>, now: DateTime<Utc>) -> bool {
    let its_time = match facts.install.window {
        Some((opens, closes)) => opens <= now && now < closes,
        None => true,
    };
    facts.install.state == InstallState::Planned
        && facts.install.shown_up_at.is_none()
        && its_time
        && facts.rollout_may_start
}

/// Seconds until the device polls again: 5 to 86 399 (`docs/devices.md` 1).
///
/// The base has a jitter that is fixed per device; 30 s while something is in progress or forced; before a window a third of
/// the time that is left.
#[must_use]
pub fn poll_again_in(settings: &Settings, device: DeviceId, facts: Option<&OfferFacts<'_>>, now: DateTime<Utc>) -> u32 {
    const BUSY: u32 = 30;
    const SHORTEST: u32 = 5;
    const LONGEST: u32 = 86_399;
    let base = jittered(settings.poll_seconds, device).clamp(SHORTEST, LONGEST);
    let Some(facts) = facts else { return base };
    if !facts.install.is_open() {
        return base;
    }
    if facts.install.is_started() || facts.force.is_some() {
        return BUSY.min(base);
    }
    match facts.install.window {
        Some((opens, _)) if now < opens => {
            let third = u32::try_from((opens - now).num_seconds() / 3).unwrap_or(LONGEST);
            third.clamp(BUSY.min(base), base)
        }
        Some(_) | None => base,
    }
}

/// Up to a tenth more or less, the same for a device every time.
fn jittered(seconds: u32, device: DeviceId) -> u32 {
    let bytes = device.0.as_bytes();
    let spread = (u32::from(bytes[14]) << 8 | u32::from(bytes[15])) % 201;
    let thousandths = u64::from(900 + spread);
    u32::try_from(u64::from(seconds) * thousandths / 1000).unwrap_or(seconds)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::deployment::Failure;
    use crate::ids::{ActionId, DeploymentId, UpdateId};

    fn instant(time: &str) -> DateTime<Utc> {
        format!("2025-03-05T{time}:00Z").parse().expect("an instant")
    }

    fn planned(window: Option<(&str, &str)>) -> Install {
        Install {
            action: ActionId(1),
            deployment: DeploymentId(Uuid::nil()),
            update: UpdateId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            attempt: 1,
            window: window.map(|(opens, closes)| (instant(opens), instant(closes))),
            state: InstallState::Planned,
            shown_up_at: None,
            started_at: None,
            detail: String::new(),
            cancel_wanted: None,
        }
    }

    fn started(installed_chunks: bool) -> Install {
        let state = InstallState::Started {
            heard_at: instant("00:10"),
            silent_at: None,
            installed_chunks,
        };
        Install {
            state,
            started_at: Some(instant("00:10")),
            ..planned(Some(("00:00", "05:00")))
        }
    }

    /// Planned for 00:00 to 05:00, 20 minutes, of a rollout that may start, asked by an ordinary device.
    fn offer_facts(install: &Install) -> OfferFacts<'_> {
        OfferFacts {
            install,
            rollout_may_start: true,
            force: None,
            expected_minutes: 20,
            presence: Presence::default(),
            window_aware: false,
        }
    }

    #[test]
    fn a_planned_install_is_offered_inside_its_window_as_long_as_it_fits_w1_s7() {
        let install = planned(Some(("00:00", "05:00")));
        let told = |time| decide(&offer_facts(&install), instant(time));
        assert_eq!(told("00:00"), Offer::Install);
        assert_eq!(told("04:40"), Offer::Install, "it just fits");
        assert_eq!(told("04:41"), Offer::Nothing, "it does not fit any more");
        assert_eq!(told("05:00"), Offer::Nothing, "half open");
        let tomorrow = planned(Some(("01:00", "05:00")));
        assert_eq!(
            decide(&offer_facts(&tomorrow), instant("00:59")),
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
        assert_eq!(decide(&aware, instant("00:30")), Offer::Prefetch);
        assert_eq!(decide(&aware, instant("01:00")), Offer::Install);
        assert_eq!(
            decide(
                &OfferFacts {
                    rollout_may_start: false,
                    ..aware
                },
                instant("00:30")
            ),
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
                assert_eq!(decide(&facts, instant("01:00")), Offer::Nothing, "{force:?}");
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
        assert_eq!(decide(&forced, instant("14:00")), Offer::Install);
        assert_eq!(
            decide(&offer_facts(&install), instant("14:00")),
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
            assert_eq!(decide(&facts, instant(time)), Offer::Install);
        }
    }

    #[test]
    fn a_cancel_is_offered_until_all_chunks_are_installed() {
        let told = |install: Install| {
            let wanted = Install {
                cancel_wanted: Some("Recalled: cameras stay dark.".to_owned()),
                ..install
            };
            decide(&offer_facts(&wanted), instant("00:20"))
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
                decide(&forced, instant(time))
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
            assert_eq!(decide(&offer_facts(&install), instant("01:00")), Offer::Nothing);
            assert!(!shows_up(&offer_facts(&install), instant("01:00")));
        }
    }

    #[test]
    fn a_device_shows_up_by_polling_inside_the_window_even_if_it_does_not_fit_any_more_w4() {
        let install = planned(Some(("00:00", "05:00")));
        assert!(shows_up(&offer_facts(&install), instant("04:59")));
        assert!(!shows_up(&offer_facts(&install), instant("05:00")));
        assert!(!shows_up(
            &OfferFacts {
                rollout_may_start: false,
                ..offer_facts(&install)
            },
            instant("01:00")
        ));
        let came = Install {
            shown_up_at: Some(instant("00:30")),
            ..install
        };
        assert!(!shows_up(&offer_facts(&came), instant("01:00")), "once is enough");
        assert!(
            shows_up(&offer_facts(&planned(None)), instant("14:00")),
            "a force has no window to miss"
        );
    }

    #[test]
    fn the_sleep_between_polls_keeps_its_bounds() {
        let before = planned(Some(("04:00", "05:00")));
        let forced = planned(None);
        let running = started(false);
        for number in 0..500_u128 {
            let device = DeviceId(Uuid::from_u128(number * 7_919));
            for poll_seconds in [0, 5, 30, 300, 86_399, u32::MAX] {
                let settings = Settings {
                    poll_seconds,
                    ..Settings::default()
                };
                let idle = poll_again_in(&settings, device, None, instant("00:00"));
                assert!((5..=86_399).contains(&idle), "{idle}");
                for install in [&before, &forced, &running] {
                    let facts = OfferFacts {
                        force: install.window.is_none().then_some(Force::Now),
                        ..offer_facts(install)
                    };
                    for time in ["00:00", "03:59", "04:30", "14:00"] {
                        let seconds = poll_again_in(&settings, device, Some(&facts), instant(time));
                        assert!((5..=idle).contains(&seconds), "{seconds} of {idle}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_device_polls_every_thirty_seconds_while_it_works_and_by_thirds_before_its_window() {
        let settings = Settings {
            poll_seconds: 3_600,
            ..Settings::default()
        };
        let sleep = |install: &Install, time| {
            poll_again_in(&settings, install.device, Some(&offer_facts(install)), instant(time))
        };
        assert_eq!(sleep(&started(false), "00:20"), 30);
        let install = planned(Some(("04:00", "05:00")));
        assert_eq!(sleep(&install, "03:30"), 600);
        assert_eq!(sleep(&install, "03:59"), 30);
        let idle = poll_again_in(&settings, install.device, None, instant("04:30"));
        assert!((3_240..=3_960).contains(&idle), "a tenth more or less");
        assert_eq!(sleep(&install, "04:30"), idle);
    }
}
