//! What a refused command says.

use crate::commands::pause::MOST_PAUSED_DAYS;
use crate::commands::readiness::MOST_WAIVED_DAYS;
use crate::freeze::{LEAST_FREE_DAYS, MOST_FROZEN_DAYS};
use crate::halt::HaltLimit;
use crate::refusal::{ReadinessRefusal, Refusal, RefusalKind};
use crate::settings::SettingRefusal;
use crate::text::counted;
use crate::text::ring::plan_too_long;
use crate::time_text::dated;

/// Why a command does nothing, in one sentence. What it says of a field does not name the field.
#[must_use]
pub fn sentence(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoRollout | Refusal::NoFreeze | Refusal::NoSuchRoom => format!("{} was not found", missing(refusal)),
        Refusal::PausedAlready { title, by } => format!("{title} is paused already, by {by}"),
        Refusal::Paused { title } => format!("{title} is paused; resume it first"),
        Refusal::NotPaused { title } => format!("{title} is not paused"),
        Refusal::Deprecated { title } => format!("{title} is deprecated"),
        Refusal::RolloutOver { title } => format!("the rollout of {title} is over"),
        Refusal::ResumesTooEarly { today } => {
            format!("choose a date after today, {}, or leave it empty", dated(*today))
        }
        Refusal::ResumesTooLate { days } => format!("at most {MOST_PAUSED_DAYS} days ahead; that is {days}"),
        Refusal::SameEnd { title, on: Some(date) } => format!("the pause of {title} already ends on {}", dated(*date)),
        Refusal::SameEnd { title, on: None } => format!("the pause of {title} already has no resume date"),
        Refusal::NotFailed { title, room } => format!("{title} has not failed in {room}"),
        Refusal::GivesWay { title, room } => format!("a newer update has superseded {title} in {room}"),
        Refusal::NotCompletedWithFailures { title } => format!("{title} is not completed with failures"),
        Refusal::AcknowledgedAlready { title } => format!("the failures of {title} are acknowledged already"),
        Refusal::NoSuchScope(scope) => format!("there is no such {}", scope.as_str()),
        Refusal::DateOutOfRange { error, .. } => error.to_string(),
        Refusal::FreezeBegan { from, today } => format!("{from} has passed; it is {today}"),
        Refusal::FreezeEndsFirst { from, until } => format!("{until} is before the first date {from}"),
        Refusal::FreezeTooLong { first, last, days } => {
            format!("{first} to {last} would be {days} frozen days in a row; at most {MOST_FROZEN_DAYS} are allowed")
        }
        Refusal::FreezesTooNear { before, after, free } => {
            let free = counted(*free, "free day");
            format!(
                "only {free} between {before} and {after}; these rooms need at least {LEAST_FREE_DAYS} between two freezes"
            )
        }
        Refusal::NothingAhead { until } => {
            format!("nothing of the freeze is ahead; its last date is {}", dated(*until))
        }
        Refusal::NoSuchRing => "there is no such ring".to_owned(),
        Refusal::NoRooms => "select at least one room".to_owned(),
        Refusal::MovedMeanwhile { room, ring } => format!("{room} was moved to {ring} by somebody else meanwhile"),
        Refusal::InRingAlready { room, ring } => format!("{room} is in {ring} already"),
        Refusal::AllInRingAlready { ring } => format!("all of these rooms are in {ring} already"),
        Refusal::PlanTooLong { title, days } => plan_too_long(title, *days),
        Refusal::InsideRing { title, until, city } => {
            let until = until.map_or_else(String::new, |date| format!(" until {}", dated(date)));
            format!("{title} is inside this ring{until} ({city}); it can be deleted after that")
        }
        Refusal::PublishedAlready { title } => format!("{title} is published already"),
        Refusal::Recalled { title } => format!("{title} was recalled by its vendor"),
        Refusal::RecalledBefore { title } => format!("{title} was recalled before"),
        Refusal::NoFile { title } => format!("{title} has no file; add one before publishing"),
        Refusal::NoMinutes => "must be at least 1".to_owned(),
        Refusal::DoesNotFit { minutes, window } => {
            format!("{minutes} minutes do not fit into the window of {window} minutes")
        }
        Refusal::RunningDoesNotFit { title, minutes, window } => {
            format!("{title} is running and needs {minutes} minutes; a window of {window} minutes is too short")
        }
        Refusal::Setting(refusal) => setting(refusal),
        Refusal::Readiness(refusal) => readiness(refusal),
        Refusal::NothingToCancel { title, room } => format!("nothing of {title} is being downloaded in {room}"),
    }
}

fn readiness(refusal: &ReadinessRefusal) -> String {
    match refusal {
        ReadinessRefusal::Retired { room } => format!("{room} is retired"),
        ReadinessRefusal::WaiverEnded { until, today } => format!("{until} has passed; in the room it is {today}"),
        ReadinessRefusal::WaiverTooLong { days } => {
            format!("at most {MOST_WAIVED_DAYS} days ahead; that is {days}")
        }
        ReadinessRefusal::NotWaived { check, room } => format!("no waiver of {} runs in {room}", check.label()),
        ReadinessRefusal::NotOnboarding { room } => format!("{room} is not onboarding"),
        ReadinessRefusal::ConfirmedAlready { room } => format!("{room} is confirmed already"),
        ReadinessRefusal::ReviewedAlready { name } => format!("{name} is reviewed already"),
        ReadinessRefusal::NotReviewed { name } => format!("{name} is not reviewed"),
    }
}

fn setting(refusal: &SettingRefusal) -> String {
    match refusal {
        SettingRefusal::OutOfRange { value, least, most, .. } => format!("{value} is not between {least} and {most}"),
        SettingRefusal::Halt(HaltLimit { value, least, most, .. }) => {
            format!("{value} is not between {least} and {most}; leave it empty to switch it off")
        }
        SettingRefusal::WindowPastMidnight { minutes, opens } => {
            let opens = opens.format("%H:%M");
            format!(
                "a window of {minutes} minutes that opens at {opens} would end on the next date; it must end on the same date"
            )
        }
        SettingRefusal::UnmonitoredBetweenPolls { minutes, waits } => {
            format!("{minutes} are too few: devices may wait {waits} minutes between two polls")
        }
    }
}

/// What is not there, as a sentence begins with it; empty where something else is the matter.
#[must_use]
pub fn missing(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoRollout => "This update's rollout",
        Refusal::NoFreeze => "This freeze",
        Refusal::NoSuchRoom => "A selected room",
        _ => "",
    }
}

/// The sentence with its field before it, where it has one: for the command line and scenarios.
#[must_use]
pub fn with_field(refusal: &Refusal) -> String {
    match refusal.kind() {
        RefusalKind::Field(field) => format!("{field}: {}", sentence(refusal)),
        RefusalKind::Missing | RefusalKind::Conflict => sentence(refusal),
    }
}
