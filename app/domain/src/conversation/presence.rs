//! Who is there: people in a room, and the device itself in time for its window.
//!
//! These rules are part of the answer to a poll: [`super::offer::decide`] asks them.

use chrono::{DateTime, TimeDelta, Utc};

use super::OfferFacts;
use crate::install::InstallState;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::examples::{instant, offer_facts, planned};
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
    fn the_client_of_rauc_keeps_windows_of_its_own() {
        assert!(keeps_own_windows(b"rauc-hawkbit-c-agent/1.0"));
        assert!(!keeps_own_windows(b"libcurl-agent/1.0 rauc-hawkbit-c-agent/"));
        assert!(!keeps_own_windows(b""));
    }
}
