//! Sentences of reasons (T5).

use chrono::Datelike;

use crate::deployment::Force;
use crate::device_refusal::DeviceRefusal;
use crate::reason::{CatchUp, Delay, Frozen, Reason};
use crate::text::counted;
use crate::time_text;

impl Reason {
    /// The reason in one sentence.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm for each reason")]
    pub fn sentence(&self) -> String {
        match self {
            Self::Night {
                night,
                nights,
                ring,
                delay,
            } => {
                let delay = delay.as_ref().map_or_else(String::new, delayed);
                format!("Night {night} of {nights} in {ring}{delay}.")
            }
            Self::FellBack { version, found } => match found {
                Some(found) => format!("Catch-up: the room had {version}, and its devices report {found} now."),
                None => format!("The room had {version}, and none of its devices has the product any more."),
            },
            Self::CatchUp { ring, cause } => match cause {
                CatchUp::Moved => format!("Catch-up: moved to {ring} after the rollout had reached it."),
                CatchUp::Joined => format!("Catch-up: joined the rollout after it had reached {ring}."),
                CatchUp::Late => "Catch-up: the rollout is over, and the room has yet to get it.".to_owned(),
                CatchUp::OutOfSupport => {
                    format!("Catch-up: what the room has is out of support, so that it does not wait for {ring}.")
                }
            },
            Self::MovedAhead { ring } => format!("Moved to {ring}, which the rollout has not entered."),
            Self::Forced { by, how } => match how {
                Force::Now => format!("Forced by {by}."),
                Force::WhenAvailable => format!("Forced by {by}, when the room is free."),
            },
            Self::ForcedAndFrozen(frozen) => format!("Waits for the end of a freeze: {}.", frozen.words()),
            Self::FreezeOver => "Forced; the freeze is over.".to_owned(),
            Self::Retried { by, attempt } => format!("Retry by {by}, attempt {attempt}."),
            Self::Written(sentence) => sentence.clone(),
            // Another window
            Self::NightFrozen { night, frozen } => {
                format!("Waits for the next free night: {night} is {}.", frozen.words())
            }
            Self::NoContact { night } => format!("No contact in the window of {night}; waits for the next one."),
            Self::NotStarted { night } => {
                format!("Was offered on {night}, but did not start; waits for the next window.")
            }
            Self::Refused { why } => format!(
                "A device did not take it: {}. The room waits for its next window.",
                why.words()
            ),
            Self::RefusedOften { times, why } => {
                format!(
                    "A device did not take it {}. The last time {}.",
                    counted(*times, "time"),
                    why.words()
                )
            }
            Self::CameLate { night } => {
                format!("In contact on {night}, but too late in the window to start; waits for the next one.")
            }
            Self::DeviceSilent { night } => {
                format!(
                    "A device of the room has been silent since before the window of {night}; waits for the next one."
                )
            }
            Self::NoSpace { night } => {
                format!("Other updates filled the window of {night}; waits for the next one.")
            }
            Self::WindowPassed { night } => {
                format!("The window of {night} passed without a start; waits for the next one.")
            }
            // Under way
            Self::PausedHalfway => "Paused before all devices of the room had started.".to_owned(),
            Self::StepRecalled { version } => format!("{version} was recalled; looking for another upgrade path."),
            Self::OnTheWay { step, target } => format!("Has {step}, a step on the way to {target}."),
            Self::SomeDevicesDone => "Some devices of the room are done; the others have yet to start.".to_owned(),
            Self::Installing { version, target: None } => format!("Installing {version}."),
            Self::Installing {
                version,
                target: Some(target),
            } => format!("Installing {version} first, on the way to {target}."),
            Self::Objection { version, words } if words.is_empty() => {
                format!("Installing {version}; the device objects and does not say why.")
            }
            Self::Objection { version, words } => format!("Installing {version}; the device objects: {words}."),
            Self::Unreported { version } => format!("Installed; the device has yet to report {version}."),
            // Ended
            Self::Confirmed { version, at } => format!("Confirmed {version} on {at}."),
            Self::OnNewer { newer, version, at } => format!("Reached {newer} on {at}, skipping {version}."),
            Self::PartlyInstalled(because) => {
                format!("Some devices of the room have it. {}", because.sentence())
            }
            Self::Superseded { by } => format!("Superseded by {by}."),
            Self::Deactivated { by, why } => format!("Deactivated by {by}: {why}."),
            Self::Recalled { why } => format!("Recalled: {why}."),
            Self::NotRequired { why, product, on } => why.sentence(product, |date| time_text::date(date, on.year())),
            Self::DeviceReported { detail } if detail.is_empty() => {
                "The device reported a failure without a reason.".to_owned()
            }
            Self::DeviceReported { detail } => format!("The device reported: {detail}"),
            Self::Silent { since } => format!("Silent: no report since {since}."),
            Self::Unconfirmed { version, hours } => {
                let hours = counted(*hours, "hour");
                format!(
                    "Unconfirmed: the device reported that it was done, but its inventory did not show {version} within {hours}."
                )
            }
            Self::Unreachable { windows, last: None } => {
                format!("Unreachable: no contact in {}.", counted(*windows, "window"))
            }
            Self::Unreachable {
                windows,
                last: Some(last),
            } => format!(
                "Unreachable: no contact in {}, the last one on {last}.",
                counted(*windows, "window")
            ),
            Self::NeverStarted { windows, offered, last } => format!(
                "Not started in {}; a device was offered it in {offered} of them. The last window was on {last}.",
                counted(*windows, "window")
            ),
            Self::Stopped { why } => why.clone(),
            Self::FellBackOften { version, times, days } => format!(
                "The room has lost {version} {} within {}. Somebody must find out why before it is installed again.",
                counted(*times, "time"),
                counted(*days, "day")
            ),
            Self::NoPath(missing) => missing.sentence(),
        }
    }
}

impl DeviceRefusal {
    /// Why, as part of a sentence.
    fn words(self) -> &'static str {
        match self {
            Self::Busy => "somebody was using it",
            Self::Installer => "another installer was running",
            Self::Power => "it had not enough power",
            Self::Restart => "a restart was pending",
        }
    }
}

fn delayed(delay: &Delay) -> String {
    match delay {
        Delay::Frozen(frozen) => format!(", in the next free window: {}", frozen.words()),
        Delay::NoSuchDate { city } => format!(", in the next window because that date does not exist in {city}"),
        Delay::Over => ", in the next window because that night was over already".to_owned(),
    }
}

impl Frozen {
    /// `frozen until Thu 2 Jan by Facilities: year-end close`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("frozen until {} by {}: {}", self.until, self.owner, self.reason)
    }
}
