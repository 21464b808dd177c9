//! When a device polls again: often while there is something to do, and in time for its room's windows (`docs/devices.md` 1, W11).

use chrono::{DateTime, Utc};

use super::OfferFacts;
use super::offer::Offer;
use crate::ids::DeviceId;
use crate::settings::Settings;
#[cfg(feature = "zones")]
use crate::window::Window;
#[cfg(feature = "zones")]
use crate::zone::Zone;

/// Seconds until the device polls again: 5 to 86 399 (`docs/devices.md` 1).
///
/// The base has a jitter that is fixed per device; 30 s while something is offered, in progress, not confirmed yet, or forced; before a
/// window a third of the time that is left, and inside it at most five minutes. `facts`: its open action, with what it is told.
#[must_use]
pub fn poll_again_in(
    settings: &Settings,
    device: DeviceId,
    facts: Option<(&OfferFacts<'_>, Offer)>,
    now: DateTime<Utc>,
) -> u32 {
    let base = idle(settings, device);
    let Some((facts, offer)) = facts else { return base };
    if !facts.install.is_open() {
        return base;
    }
    let is_told_something = matches!(offer, Offer::Install | Offer::Cancel);
    if is_told_something || facts.install.is_running() || facts.force.is_some() {
        return BUSY.min(base);
    }
    match facts.install.window {
        Some(window) if now < window.opens() => {
            let third = u32::try_from((window.opens() - now).num_seconds() / 3).unwrap_or(LONGEST);
            third.clamp(BUSY.min(base), base)
        }
        // The room may become free, and a long sleep would take the rest of the night.
        Some(window) if window.contains(now) => base.min(AT_ONCE),
        Some(_) | None => base,
    }
}

/// Seconds until a device polls again that is asked to change a setting (C3).
#[must_use]
pub fn while_busy(settings: &Settings, device: DeviceId) -> u32 {
    idle(settings, device).min(BUSY)
}

/// Seconds until a device polls again that has nothing to do.
fn idle(settings: &Settings, device: DeviceId) -> u32 {
    jittered(settings.poll_seconds, device).clamp(SHORTEST, LONGEST)
}

/// A device that has something to do is heard so often, in seconds.
const BUSY: u32 = 30;
/// The shortest and the longest sleep that is told, in seconds. 24:00:00 makes swupdate reject the whole poll.
const SHORTEST: u32 = 5;
const LONGEST: u32 = crate::settings::MOST_POLL_SECONDS;
/// Devices that are told to come when a window opens come within so many seconds, not all at once.
const AT_ONCE: u32 = 300;

/// Whether a device that sleeps so long may miss a room's preparation for its window, so that [`until_window`] is to be asked (W11).
#[must_use]
pub fn may_miss_a_window(settings: &Settings, seconds: u32) -> bool {
    // As long again, for a device that is late.
    seconds.saturating_mul(2) > settings.prepare_minutes.saturating_mul(60)
}

/// The sleep of a device without an open action, such that no window of its room passes between two polls (W11): it comes when the next
/// one opens, if it would come later. `zone`: its room's.
#[cfg(feature = "zones")]
#[must_use]
pub fn until_window(settings: &Settings, device: DeviceId, zone: &Zone, seconds: u32, now: DateTime<Utc>) -> u32 {
    let hours = settings.window();
    let mut window = Window::next(zone, zone.date(now), now, hours);
    if window.opens <= now {
        window = Window::next(zone, window.night + chrono::Days::new(1), now, hours);
    }
    let left = u32::try_from((window.opens - now).num_seconds()).unwrap_or(LONGEST);
    let spread = u32::from(device.0.as_bytes()[13]) * AT_ONCE / 256;
    seconds.min(left.saturating_add(spread)).clamp(SHORTEST, LONGEST)
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
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::conversation::examples::{instant, offer_facts, planned, started};
    use crate::conversation::offer;
    use crate::deployment::Force;
    use crate::install::{Install, InstallState};

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
                        let offer = offer::decide(&facts, instant(time)).offer;
                        let seconds = poll_again_in(&settings, device, Some((&facts, offer)), instant(time));
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
            let facts = offer_facts(install);
            let offer = offer::decide(&facts, instant(time)).offer;
            poll_again_in(&settings, install.device, Some((&facts, offer)), instant(time))
        };
        assert_eq!(sleep(&started(false), "00:20"), 30);
        let install = planned(Some(("04:00", "05:00")));
        assert_eq!(sleep(&install, "03:30"), 600);
        assert_eq!(sleep(&install, "03:59"), 30);
        let idle = poll_again_in(&settings, install.device, None, instant("04:30"));
        assert!((3_240..=3_960).contains(&idle), "a tenth more or less");
        assert_eq!(sleep(&install, "04:30"), 30, "it is offered");
        assert_eq!(sleep(&install, "04:50"), 300, "it does not fit any more");
        let unconfirmed = Install {
            state: InstallState::Installed {
                at: instant("04:20"),
                doubtful: false,
            },
            ..planned(None)
        };
        assert_eq!(sleep(&unconfirmed, "04:30"), 30, "the room waits for its word");
    }

    #[cfg(feature = "zones")]
    #[test]
    fn a_device_that_sleeps_long_comes_when_a_window_of_its_room_opens_w11() {
        let settings = Settings {
            poll_seconds: 43_200,
            ..Settings::default()
        };
        assert!(may_miss_a_window(&settings, 43_200));
        assert!(!may_miss_a_window(
            &settings,
            Settings::default().poll_seconds * 11 / 10
        ));
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        for number in 0..200_u128 {
            let device = DeviceId(Uuid::from_u128((number * 7_919) << 16));
            for minutes in (0..1440).step_by(7) {
                let now = instant("00:00") + TimeDelta::minutes(minutes);
                let base = poll_again_in(&settings, device, None, now);
                let told = until_window(&settings, device, &berlin, base, now);
                let next = now + TimeDelta::seconds(told.into());
                // Nights open at 23:00 UTC and close at 04:00.
                let opens = [
                    instant("00:00") - TimeDelta::hours(1),
                    instant("23:00"),
                    instant("23:00") + TimeDelta::days(1),
                ];
                let first = opens.into_iter().find(|opens| *opens > now).expect("a night");
                assert!(next <= first + TimeDelta::seconds(300), "{now}: {next}");
            }
        }
    }
}
