//! Who is there: people in a room, and the device itself in time for its window. And when it comes again.
//!
//! These rules are part of the answer to a poll: [`super::offer::decide`] asks them.

use chrono::{DateTime, TimeDelta, Utc};

use super::OfferFacts;
use crate::ids::DeviceId;
use crate::install::InstallState;
use crate::settings::Settings;

/// How long a device's word about people in its room counts (K5).
pub const FRESH: TimeDelta = TimeDelta::minutes(2);

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

impl Presence {
    /// Free by a report not older than [`FRESH`], with no other device of the room saying otherwise, and not booked now (K5).
    #[must_use]
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        let is_fresh = |at: DateTime<Utc>| now - at <= FRESH;
        let is_free = self.free_at.is_some_and(is_fresh) && !self.busy_at.is_some_and(is_fresh);
        is_free && self.busy_until.is_none_or(|until| until <= now)
    }
}

/// Whether the device shows up in time by polling now (W4): its install waits for it, and nothing but the device is missing.
pub(super) fn shows_up(facts: &OfferFacts<'_>, now: DateTime<Utc>) -> bool {
    let its_time = match facts.install.window {
        Some(window) => window.contains(now),
        None => true,
    };
    facts.install.state == InstallState::Planned
        && facts.install.shown_up_at.is_none()
        && its_time
        && facts.rollout_may_start
}

/// Whether a program keeps to windows of its own, by the user agent of its requests (`docs/devices.md` 2.1).
#[must_use]
pub fn keeps_own_windows(user_agent: &[u8]) -> bool {
    // rauc's client does so without saying so in its attributes.
    user_agent.starts_with(b"rauc-hawkbit-c-agent/")
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
        Some(window) if now < window.opens() => {
            let third = u32::try_from((window.opens() - now).num_seconds() / 3).unwrap_or(LONGEST);
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
    use crate::conversation::examples::{instant, offer_facts, planned, started};
    use crate::deployment::Force;
    use crate::install::Install;

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

    #[test]
    fn the_client_of_rauc_keeps_windows_of_its_own() {
        assert!(keeps_own_windows(b"rauc-hawkbit-c-agent/1.0"));
        assert!(!keeps_own_windows(b"libcurl-agent/1.0 rauc-hawkbit-c-agent/"));
        assert!(!keeps_own_windows(b""));
    }
}
