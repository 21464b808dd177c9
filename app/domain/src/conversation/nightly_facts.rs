//! When all devices of a zone are asked for their facts, whether they have work or not (`docs/devices.md` 1).
//!
//! Facts are wanted after a registration, after every close and while a force waits as well; those are said where they happen. Start with
//! [`night_to_ask_for`].

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::window::{Window, WindowHours};
use crate::zone::Zone;

/// So long before a window opens its rooms' devices are asked, so that what it starts from is known.
pub const ASKED_BEFORE: TimeDelta = TimeDelta::minutes(60);

/// The night for which the devices of rooms in `zone` are to have told their facts at `now`; `None`: it is not time yet.
#[must_use]
pub fn night_to_ask_for(zone: &Zone, hours: WindowHours, now: DateTime<Utc>) -> Option<NaiveDate> {
    let window = Window::next(zone, zone.date(now), now, hours);
    (window.opens - ASKED_BEFORE <= now).then_some(window.night)
}

/// When that changes next.
#[must_use]
pub fn asks_next_at(zone: &Zone, hours: WindowHours, now: DateTime<Utc>) -> DateTime<Utc> {
    let mut window = Window::next(zone, zone.date(now), now, hours);
    while window.opens - ASKED_BEFORE <= now {
        window = Window::next(zone, window.night + chrono::Days::new(1), now, hours);
    }
    window.opens - ASKED_BEFORE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn devices_are_asked_an_hour_before_the_window_of_their_room_and_until_it_closes_ddi_1() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let hours = WindowHours::default();
        let night = |time| night_to_ask_for(&berlin, hours, instant(time)).map(|night| night.to_string());
        assert_eq!(night("2025-03-04T21:59:59Z"), None);
        assert_eq!(night("2025-03-04T22:00:00Z").as_deref(), Some("2025-03-05"));
        assert_eq!(
            night("2025-03-05T03:59:59Z").as_deref(),
            Some("2025-03-05"),
            "whoever was away is asked late"
        );
        assert_eq!(night("2025-03-05T04:00:00Z"), None);
        let next = |time| asks_next_at(&berlin, hours, instant(time));
        assert_eq!(next("2025-03-04T12:00:00Z"), instant("2025-03-04T22:00:00Z"));
        assert_eq!(next("2025-03-04T22:00:00Z"), instant("2025-03-05T22:00:00Z"));
        // The night on which clocks go forward is asked for by its own window.
        assert_eq!(next("2025-03-30T12:00:00Z"), instant("2025-03-30T21:00:00Z"));
    }
}
