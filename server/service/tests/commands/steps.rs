//! What a script is made of.

use domain::deployment::Force;
use domain::update::Severity;

use testkit::people::{Command, Release, Whom};

/// A line of a script. Times are in UTC, which is the organisation's zone.
#[derive(Clone, Debug)]
pub enum Step {
    Give {
        at: &'static str,
        command: Command,
        ends: Ends,
    },
    /// From now on.
    Device {
        name: &'static str,
        does: Device,
    },
    Wait {
        until: &'static str,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Ends {
    Well,
    Refused,
}

#[derive(Clone, Copy, Debug)]
pub enum Device {
    Fails(u32),
    GoesSilent,
    IsAway,
    IsBack,
    IsFree,
}

pub const APP: Release = ("app", "11");
pub const OLD_APP: Release = ("app", "10");
pub const BAR2: Release = ("bar", "2.0");
pub const BAR3: Release = ("bar", "3.0");
pub const BAR4: Release = ("bar", "4.0");
pub const WIN: Release = ("win", "2");
pub const LONG: Release = ("win", "9");
pub const NOBODY: &str = "Nobody's";

pub fn well(at: &'static str, command: Command) -> Step {
    let ends = Ends::Well;
    Step::Give { at, command, ends }
}

pub fn refused(at: &'static str, command: Command) -> Step {
    let ends = Ends::Refused;
    Step::Give { at, command, ends }
}

pub fn device(name: &'static str, does: Device) -> Step {
    Step::Device { name, does }
}

pub fn publish(release: Release) -> Command {
    Command::Publish {
        release,
        severity: None,
        supersedes: true,
    }
}

pub fn critical(release: Release) -> Command {
    Command::Publish {
        release,
        severity: Some(Severity::Critical),
        supersedes: true,
    }
}

pub fn beside(release: Release) -> Command {
    Command::Publish {
        release,
        severity: None,
        supersedes: false,
    }
}

pub fn pause(release: Release, until: Option<&'static str>) -> Command {
    Command::Pause { release, until }
}

pub fn resume_on(release: Release, until: Option<&'static str>) -> Command {
    Command::SetResumeDate { release, until }
}

pub fn retry(release: Release, room: &'static str) -> Command {
    Command::Retry { release, room }
}

pub fn force(release: Release, rooms: &'static [&'static str]) -> Command {
    let how = Force::Now;
    Command::Force { release, rooms, how }
}

pub fn force_when_free(release: Release, rooms: &'static [&'static str]) -> Command {
    let how = Force::WhenAvailable;
    Command::Force { release, rooms, how }
}

pub fn freeze(label: &'static str, whom: Whom, from: &'static str, until: &'static str) -> Command {
    Command::Freeze {
        label,
        whom,
        from,
        until,
    }
}

pub fn plan_freeze(whom: Whom, from: &'static str, until: &'static str) -> Command {
    Command::PlanFreeze { whom, from, until }
}

pub fn move_rooms(rooms: &'static [&'static str], from: Option<&'static str>, to: &'static str) -> Command {
    Command::Move { rooms, from, to }
}

pub fn add_ring(name: &'static str, order: i64, rollout_days: u32, test_days: u32) -> Command {
    Command::AddRing {
        name,
        order,
        rollout_days,
        test_days,
    }
}

pub fn edit_ring(name: &'static str, order: Option<i64>, rollout_days: u32, test_days: u32) -> Command {
    Command::EditRing {
        name,
        order,
        rollout_days,
        test_days,
    }
}
