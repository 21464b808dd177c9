//! Why something stands where it stands (T5, law L): data. `text::reason` makes sentences of it; nothing reads a sentence.
//!
//! A reason carries what was known when it was given, names and dates as values, so that its sentence never changes. Start with
//! [`Reason`].

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::device_refusal::DeviceRefusal;
use crate::force::Force;
use crate::freeze::Freeze;
use crate::path::MissingStep;
use crate::time_text::{Day, Moment};
use crate::update::Exclusion;

/// Why a deployment stands where it stands, or a rollout is deprecated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code", content = "facts")]
pub enum Reason {
    /// Its ring's entry gave it this night (S6).
    Night {
        /// 1 for the ring's first night.
        night: u32,
        /// So many nights the ring has.
        nights: u32,
        /// The ring's name.
        ring: String,
        /// Why the window of that night is not the one.
        delay: Option<Delay>,
    },
    /// The room had it, and its devices report another version now (S16).
    FellBack {
        /// The update's version.
        version: String,
        /// What the room has in its place; `None`: none of its devices has the product any more.
        found: Option<String>,
    },
    /// It came after its ring's turn (R14, S11).
    CatchUp {
        /// The ring's name.
        ring: String,
        /// How it came there.
        cause: CatchUp,
    },
    /// The room went to a ring that the rollout has not entered (R14).
    MovedAhead {
        /// That ring's name.
        ring: String,
    },
    /// A person forced it (K5).
    Forced {
        /// Who.
        by: String,
        /// When it may start.
        how: Force,
    },
    /// It was prepared or forced, and a freeze keeps it (W6).
    ForcedAndFrozen(Frozen),
    /// It is forced, and the freeze that kept it is over.
    FreezeOver,
    /// A person put it back into its next window (K4).
    Retried {
        /// Who.
        by: String,
        /// Which attempt this is.
        attempt: u32,
    },
    /// Its night is frozen (W6).
    NightFrozen {
        night: Day,
        /// By what.
        frozen: Frozen,
    },
    /// No device came in the window (W4).
    NoContact { night: Day },
    /// The devices were offered it in the window and did not start (W4).
    NotStarted { night: Day },
    /// A device did not take it this time, for reasons of its own (S17).
    Refused { why: DeviceRefusal },
    /// A device did not take it, time after time (S17).
    RefusedOften {
        /// So often.
        times: u32,
        /// Why the last time.
        why: DeviceRefusal,
    },
    /// The devices came too late in the window for its minutes (S7).
    CameLate { night: Day },
    /// A device fell silent before the window (W5).
    DeviceSilent { night: Day },
    /// Other updates filled the window (S7).
    NoSpace { night: Day },
    /// The window passed and nothing of the room was in its way: the service was away.
    WindowPassed { night: Day },
    /// Some devices of the room had started when the update was paused (K3).
    PausedHalfway,
    /// The release that it needs first was recalled (S8, S10).
    StepRecalled {
        /// That release's version.
        version: String,
    },
    /// A step of the way is done, the next one has yet to start (S8).
    OnTheWay {
        /// Where it is.
        step: String,
        /// Where it goes.
        target: String,
    },
    /// Some devices of the room are done, others have yet to start (S7).
    SomeDevicesDone,
    /// A device installs.
    Installing {
        /// Which version.
        version: String,
        /// Where that is a step: the update's version (S8).
        target: Option<String>,
    },
    /// A device that has started says that it does not go on, and has not closed (`docs/devices.md` 1, rejected and canceled).
    Objection {
        /// Which version.
        version: String,
        /// What it says.
        words: String,
    },
    /// A device says that it is done, and has yet to report the version (`docs/devices.md` 2.13).
    Unreported {
        /// Which version.
        version: String,
    },
    /// The devices report the version.
    Confirmed {
        /// Which version.
        version: String,
        /// Since when it is known.
        at: Moment,
    },
    /// The devices report a newer version, which another update brought.
    OnNewer {
        /// The version that they report.
        newer: String,
        /// The update's own.
        version: String,
        /// Since when it is known.
        at: Moment,
    },
    /// Some devices have it, and the others will not get it for this reason.
    PartlyInstalled(Box<Reason>),
    /// A newer update of the product takes its place (S9).
    Superseded {
        /// The newer one's title.
        by: String,
    },
    /// An admin has ended its rollout (S15).
    Deactivated {
        /// Who.
        by: String,
        /// Why, as they wrote it.
        why: String,
    },
    /// The release was recalled (S10).
    Recalled {
        /// Why, as somebody wrote it.
        why: String,
    },
    /// The room does not need it, or must not have it.
    NotRequired {
        why: NotRequired,
        /// The product's name.
        product: String,
        /// The date in the room when this was found.
        on: NaiveDate,
    },
    /// A device said that it failed.
    DeviceReported {
        /// The first line of what it said; empty: it gave no reason.
        detail: String,
    },
    /// A started device says nothing any more (W5).
    Silent {
        /// Its last word.
        since: Moment,
    },
    /// A device said that it was done and did not report the version in time (`docs/devices.md` 2.13).
    Unconfirmed {
        /// Which version.
        version: String,
        /// Within so many hours.
        hours: u32,
    },
    /// No device came in several windows (W4).
    Unreachable {
        /// In so many.
        windows: u32,
        /// The last one's night, where it is known.
        last: Option<Day>,
    },
    /// Devices were offered it and did not start it, window after window (W4).
    NeverStarted {
        /// In so many.
        windows: u32,
        /// In so many of them a device was offered it.
        offered: u32,
        /// The last one's night.
        last: Day,
    },
    /// A device stopped because it was told to.
    Stopped {
        /// The sentence of whoever asked for it.
        why: String,
    },
    /// The devices of the room have lost it too often (S16).
    FellBackOften {
        /// The update's version.
        version: String,
        /// So often …
        times: u32,
        /// … within so many days.
        days: u32,
    },
    /// No release leads to the version (S8).
    NoPath(MissingStep),
    /// A sentence from before reasons were data, or from a file of the past.
    Written(String),
}

/// Why a room is Not required (T5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "not_required")]
pub enum NotRequired {
    /// It needs the update, and its ring's turn comes on `date`.
    RingNotReached {
        /// The ring's name.
        ring: String,
        /// Its first night.
        date: NaiveDate,
    },
    /// A device's report has come that the planner has not seen yet.
    NotEvaluated,
    /// A newer update has come to its ring, or comes there first (S9): what supersedes this one reaches the room.
    Superseded,
    /// The rollout is over and the room became a candidate afterwards.
    RolloutOver,
    /// It does not need it, or must not have it.
    Excluded(Exclusion),
}

/// Why a room's window is not the one of its night.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code", content = "facts")]
pub enum Delay {
    /// That date is frozen (W6).
    Frozen(Frozen),
    /// The room's zone has no such date (W2).
    NoSuchDate {
        /// The zone's city.
        city: String,
    },
    /// The window was over already (S5).
    Over,
}

/// A freeze as a reason names it (W6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Its last date.
    pub until: Day,
    /// Who made it.
    pub owner: String,
    /// Why, as they wrote it.
    pub reason: String,
}

impl Frozen {
    /// By this freeze, told to somebody in the year of `today`.
    #[must_use]
    pub fn by(freeze: &Freeze, today: NaiveDate) -> Self {
        Self {
            until: Day::new(freeze.until, today),
            owner: freeze.owner.clone(),
            reason: freeze.reason.clone(),
        }
    }
}

impl Reason {
    /// Whether this says something else than what was said before. What another program wrote is no more than its sentence.
    #[must_use]
    pub fn differs_from(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Written(sentence), other) | (other, Self::Written(sentence)) => *sentence != other.sentence(),
            (before, now) => before != now,
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Written(sentence) if sentence.is_empty())
    }

    /// Why a release that was recalled is not installed (S10).
    #[must_use]
    pub fn recalled(why: &str) -> Self {
        Self::Recalled { why: why.to_owned() }
    }
}

/// How a room came to a ring after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// It was moved there with what waits for it.
    Moved,
    /// It is new there.
    Joined,
    /// The rollout was over when the room came, or when what had kept the update away ended (S11).
    Late,
    /// What it had is out of support, and its ring has still to come (S11).
    OutOfSupport,
}

#[cfg(all(test, feature = "zones"))]
mod tests {
    use super::*;

    #[test]
    fn a_reason_comes_back_from_what_is_kept_of_it_t5() {
        let date = |text: &str| -> NaiveDate { text.parse().expect("a date") };
        let day = Day::new(date("2025-03-05"), date("2025-03-05"));
        let frozen = Frozen {
            until: Day::new(date("2026-01-02"), date("2025-12-20")),
            owner: "Facilities".to_owned(),
            reason: "year end: {close}, \"all\"".to_owned(),
        };
        let reasons = [
            Reason::Night {
                night: 1,
                nights: 10,
                ring: "General".to_owned(),
                delay: Some(Delay::Frozen(frozen.clone())),
            },
            Reason::ForcedAndFrozen(frozen),
            Reason::PausedHalfway,
            Reason::PartlyInstalled(Box::new(Reason::recalled("it hums"))),
            Reason::NotRequired {
                why: NotRequired::Excluded(Exclusion::AlreadyOn {
                    version: "2.0".to_owned(),
                }),
                product: "Bar".to_owned(),
                on: date("2025-03-05"),
            },
            Reason::Unreachable {
                windows: 2,
                last: Some(day),
            },
            Reason::NeverStarted {
                windows: 2,
                offered: 1,
                last: day,
            },
            Reason::Written("As it was.".to_owned()),
        ];
        for reason in reasons {
            let kept = serde_json::to_string(&reason).expect("a text");
            assert_eq!(
                serde_json::from_str::<Reason>(&kept).expect("a reason"),
                reason,
                "{kept}"
            );
            assert!(reason.sentence().ends_with('.'), "{}", reason.sentence());
        }
    }

    #[test]
    fn a_date_of_another_year_is_written_with_it_w7() {
        let date = |text: &str| -> NaiveDate { text.parse().expect("a date") };
        let day = Day::new(date("2026-01-02"), date("2025-12-20"));
        assert_eq!(day.to_string(), "Fri 2 Jan 2026");
        assert_eq!(Day::new(day.date, day.date).to_string(), "Fri 2 Jan");
    }
}
