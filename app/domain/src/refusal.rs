//! Why a command of a person does nothing: typed, with its facts. `text::refusal` makes the sentences, and nothing reads them back.

use chrono::NaiveDate;

use crate::freeze::{DateOutOfRange, FreezeScope};
use crate::readiness::Check;
use crate::settings::SettingRefusal;

/// Why a command does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The update was never published.
    NoRollout,
    /// It is paused by somebody already.
    PausedAlready {
        /// The update.
        title: String,
        /// Who paused it.
        by: String,
    },
    /// It is paused, and nothing starts before somebody resumes it.
    Paused {
        /// The update.
        title: String,
    },
    NotPaused {
        /// The update.
        title: String,
    },
    /// Nothing more starts of it (T8).
    Deprecated {
        /// The update.
        title: String,
    },
    /// It is through all rings.
    RolloutOver {
        /// The update.
        title: String,
    },
    /// A pause cannot end today or before.
    ResumesTooEarly {
        /// The organisation's date.
        today: NaiveDate,
    },
    /// A pause cannot be given so far an end.
    ResumesTooLate {
        /// Days from today.
        days: i64,
    },
    /// The pause has this end already.
    SameEnd {
        /// The update.
        title: String,
        /// The end; `None`: until somebody resumes it.
        on: Option<NaiveDate>,
    },
    /// There is nothing to retry in the room.
    NotFailed {
        /// The update.
        title: String,
        room: String,
    },
    /// A newer update has come to the room's ring (S9).
    GivesWay {
        /// The older update.
        title: String,
        room: String,
    },
    /// There are no failures to acknowledge (T9).
    NotCompletedWithFailures {
        /// The update.
        title: String,
    },
    /// Somebody has acknowledged its failures before.
    AcknowledgedAlready {
        /// The update.
        title: String,
    },
    /// Whom a freeze would concern is not there.
    NoSuchScope(FreezeScope),
    /// A date that plans cannot hold.
    DateOutOfRange {
        /// Which field has it.
        field: &'static str,
        /// The date, and the range that it is out of.
        error: DateOutOfRange,
    },
    /// A freeze cannot begin in the past.
    FreezeBegan {
        /// Its first date.
        from: NaiveDate,
        /// The organisation's date.
        today: NaiveDate,
    },
    /// A freeze cannot end before it begins.
    FreezeEndsFirst {
        /// Its first date.
        from: NaiveDate,
        /// Its last date.
        until: NaiveDate,
    },
    /// With the freezes that it touches it would be too long (W6).
    FreezeTooLong {
        /// First frozen date.
        first: NaiveDate,
        /// Last frozen date.
        last: NaiveDate,
        /// Days from the one to the other, both included.
        days: i64,
    },
    /// It would leave too few free days to another freeze of the same rooms (W6).
    FreezesTooNear {
        /// Last date of the earlier one.
        before: NaiveDate,
        /// First date of the later one.
        after: NaiveDate,
        /// Free days between them.
        free: i64,
    },
    /// There is no such freeze.
    NoFreeze,
    /// Of a freeze nothing is left that could be lifted.
    NothingAhead {
        /// Its last date.
        until: NaiveDate,
    },
    /// Rooms cannot go to a ring that is not there.
    NoSuchRing,
    /// No room was named.
    NoRooms,
    /// A room that was named is not there.
    NoSuchRoom,
    /// The room is not where it was seen (R3).
    MovedMeanwhile {
        room: String,
        /// The ring that it is in.
        ring: String,
    },
    /// The room is there already.
    InRingAlready { room: String, ring: String },
    /// All rooms that match are there already.
    AllInRingAlready { ring: String },
    /// With these rings the plan of a rollout under way would get too long (R10).
    PlanTooLong {
        /// The update.
        title: String,
        /// The days of its plan.
        days: u32,
    },
    /// An update is inside the ring that is to be deleted (R11).
    InsideRing {
        /// The update.
        title: String,
        /// The ring's last date.
        until: Option<NaiveDate>,
        /// The city of the organisation's zone.
        city: String,
    },
    /// It has a rollout.
    PublishedAlready {
        /// The release.
        title: String,
    },
    /// Its vendor, or an admin, has recalled it.
    Recalled {
        /// The release.
        title: String,
    },
    /// It was recalled before.
    RecalledBefore {
        /// The release.
        title: String,
    },
    NoFile {
        /// The release.
        title: String,
    },
    /// An install takes some time.
    NoMinutes,
    /// An install takes longer than the window (S7).
    DoesNotFit {
        /// Typical minutes of an install.
        minutes: u32,
        /// Minutes of the window.
        window: u32,
    },
    /// An install of a running update takes longer than the window that is wanted (S7).
    RunningDoesNotFit {
        /// The update.
        title: String,
        /// Typical minutes of an install.
        minutes: u32,
        /// Minutes of the window that is wanted.
        window: u32,
    },
    /// A setting is not as it may be.
    Setting(SettingRefusal),
    /// No device of the room downloads the update.
    NothingToCancel {
        /// The update.
        title: String,
        room: String,
    },
    /// What people decide about checks (C1, C4).
    Readiness(ReadinessRefusal),
}

/// Why nobody may decide this about a room's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadinessRefusal {
    /// The room is gone.
    Retired { room: String },
    /// A waiver cannot end in the past.
    WaiverEnded {
        /// Its last date.
        until: NaiveDate,
        /// The room's date.
        today: NaiveDate,
    },
    /// A waiver cannot run so long.
    WaiverTooLong {
        /// Days from today.
        days: i64,
    },
    /// No waiver of the check runs.
    NotWaived { check: Check, room: String },
    /// The room is no new one (C4).
    NotOnboarding { room: String },
    /// Somebody has confirmed that its change management has moved here.
    ConfirmedAlready { room: String },
    /// Somebody has reviewed the name.
    ReviewedAlready { name: String },
    /// Nobody has reviewed the name.
    NotReviewed { name: String },
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// A field breaks a limit: its name.
    Field(&'static str),
    /// Something is not there.
    Missing,
    /// Something stands in the way.
    Conflict,
}

impl Refusal {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::NoRollout | Self::NoFreeze | Self::NoSuchRoom => RefusalKind::Missing,
            Self::ResumesTooEarly { .. } | Self::ResumesTooLate { .. } => RefusalKind::Field("resumes_on"),
            Self::NoSuchScope(_) => RefusalKind::Field("scope"),
            Self::DateOutOfRange { field, .. } => RefusalKind::Field(field),
            Self::Setting(refusal) => RefusalKind::Field(refusal.field()),
            Self::FreezeBegan { .. } | Self::FreezesTooNear { .. } => RefusalKind::Field("first date"),
            Self::FreezeEndsFirst { .. } | Self::FreezeTooLong { .. } => RefusalKind::Field("last date"),
            Self::NoSuchRing | Self::InRingAlready { .. } | Self::AllInRingAlready { .. } => {
                RefusalKind::Field("target ring")
            }
            Self::NoRooms => RefusalKind::Field("rooms"),
            Self::PlanTooLong { .. } => RefusalKind::Field("rollout duration"),
            Self::NoFile { .. } => RefusalKind::Field("files"),
            Self::NoMinutes | Self::DoesNotFit { .. } => RefusalKind::Field("expected minutes"),
            Self::RunningDoesNotFit { .. } => RefusalKind::Field("window_minutes"),
            Self::Readiness(refusal) => refusal.kind(),
            Self::MovedMeanwhile { .. }
            | Self::InsideRing { .. }
            | Self::PublishedAlready { .. }
            | Self::Recalled { .. }
            | Self::RecalledBefore { .. }
            | Self::NothingToCancel { .. }
            | Self::PausedAlready { .. }
            | Self::Paused { .. }
            | Self::NotPaused { .. }
            | Self::Deprecated { .. }
            | Self::RolloutOver { .. }
            | Self::SameEnd { .. }
            | Self::NotFailed { .. }
            | Self::GivesWay { .. }
            | Self::NotCompletedWithFailures { .. }
            | Self::AcknowledgedAlready { .. }
            | Self::NothingAhead { .. } => RefusalKind::Conflict,
        }
    }
}

impl ReadinessRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::WaiverEnded { .. } | Self::WaiverTooLong { .. } => RefusalKind::Field("until"),
            Self::ReviewedAlready { .. } | Self::NotReviewed { .. } => RefusalKind::Field("name"),
            Self::Retired { .. }
            | Self::NotWaived { .. }
            | Self::NotOnboarding { .. }
            | Self::ConfirmedAlready { .. } => RefusalKind::Conflict,
        }
    }
}

impl From<ReadinessRefusal> for Refusal {
    fn from(refusal: ReadinessRefusal) -> Self {
        Self::Readiness(refusal)
    }
}
