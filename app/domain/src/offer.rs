//! What a device is told when it polls (`DDI.md` 2 and 3): one pure function of its open install and the instant.
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
pub struct Asked<'a> {
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
    /// The device keeps to windows of its own (`DDI.md` 2.1).
    pub window_aware: bool,
    /// Somebody wants the action to stop.
    pub cancel_wanted: bool,
}

/// Whether people are in the room, as far as devices say (K5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// The last report of `room.state=free`.
    pub free_at: Option<DateTime<Utc>>,
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
    /// Fetch this, and install it when the window opens. Only for window-aware devices (`DDI.md` 2.1).
    Prefetch,
    /// Stop.
    Cancel,
}

impl Presence {
    /// Free by a report not older than two minutes, and not booked now (K5).
    #[must_use]
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        let fresh = self.free_at.is_some_and(|at| now - at <= TimeDelta::minutes(2));
        fresh && self.busy_until.is_none_or(|until| until <= now)
    }
}

/// What the device of this install is told at `now`.
#[must_use]
pub fn decide(asked: &Asked<'_>, now: DateTime<Utc>) -> Offer {
    match asked.install.state {
        InstallState::Started { installed_chunks, .. } if asked.cancel_wanted && !installed_chunks => Offer::Cancel,
        // Sticky: a device that has started keeps its link until it closes (`DDI.md` 2.2).
        InstallState::Started { .. } => Offer::Install,
        InstallState::Planned if !asked.rollout_may_start => Offer::Nothing,
        InstallState::Planned => match (asked.force, asked.install.window) {
            (Some(Force::Now), _) => Offer::Install,
            (Some(Force::WhenAvailable), _) if asked.presence.is_free(now) => Offer::Install,
            (Some(Force::WhenAvailable), _) => Offer::Nothing,
            (None, Some((opens, closes))) => in_window(asked, opens, closes, now),
            (None, None) => Offer::Nothing,
        },
        InstallState::Installed { .. }
        | InstallState::Completed { .. }
        | InstallState::Failed { .. }
        | InstallState::Withdrawn { .. } => Offer::Nothing,
    }
}

fn in_window(asked: &Asked<'_>, opens: DateTime<Utc>, closes: DateTime<Utc>, now: DateTime<Utc>) -> Offer {
    let still_fits = now + TimeDelta::minutes(asked.expected_minutes.into()) <= closes;
    if now < opens {
        if asked.window_aware { Offer::Prefetch } else { Offer::Nothing }
    } else if still_fits {
        Offer::Install
    } else {
        Offer::Nothing
    }
}

/// Whether the device shows up in time by polling now (W4): its install waits for it, and nothing but the device is missing.
#[must_use]
pub fn shows_up(asked: &Asked<'_>, now: DateTime<Utc>) -> bool {
    let its_time = match asked.install.window {
        Some((opens, closes)) => opens <= now && now < closes,
        None => true,
    };
    asked.install.state == InstallState::Planned && asked.install.shown_up_at.is_none() && its_time && asked.rollout_may_start
}

/// Seconds until the device polls again: 5 to 86 399 (`DDI.md` 1).
///
/// The base has a jitter that is fixed per device; 30 s while something is in progress or forced; before a window a third of
/// the time that is left.
#[must_use]
pub fn poll_again_in(settings: &Settings, device: DeviceId, asked: Option<&Asked<'_>>, now: DateTime<Utc>) -> u32 {
    const BUSY: u32 = 30;
    const SHORTEST: u32 = 5;
    const LONGEST: u32 = 86_399;
    let base = jittered(settings.poll_seconds, device).clamp(SHORTEST, LONGEST);
    let Some(asked) = asked else { return base };
    if !asked.install.is_open() {
        return base;
    }
    if asked.install.is_started() || asked.force.is_some() {
        return BUSY.min(base);
    }
    match asked.install.window {
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
