//! What people decide about readiness: waivers (C1), reviewed names, and that a room's change management has moved here (C4).
//!
//! What follows for the checks is worked out when they are made next, at once: see [`crate::readiness::decide`].

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::changes::{Changes, ReadinessEdit};
use crate::freeze::check_date;
use crate::ids::RoomId;
use crate::readiness::decide::RoomToCheck;
use crate::readiness::{Check, Waiver};
use crate::refusal::{ReadinessRefusal, Refusal};
use crate::room::RoomState;

/// A waiver runs for at most so many days: somebody looks again once a year.
pub const MOST_WAIVED_DAYS: i64 = 366;

/// A room that somebody decides about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomToDecide {
    pub room: RoomId,
    pub name: String,
    pub state: RoomState,
    /// The date in its zone.
    pub today: NaiveDate,
}

impl RoomToDecide {
    /// As its checks know it.
    #[must_use]
    pub fn of(room: &RoomToCheck, now: DateTime<Utc>) -> Self {
        Self {
            room: room.room,
            name: room.name.clone(),
            state: room.state,
            today: room.zone.date(now),
        }
    }
}

/// Somebody answers for a check of a room until a date, that date included (C1). One that runs already is replaced.
///
/// # Errors
/// The room is gone, the date has passed, or it is too far ahead.
pub fn waive(room: &RoomToDecide, waiver: Waiver, now: DateTime<Utc>) -> Result<Changes, Refusal> {
    refuse_retired(room)?;
    let field = "until";
    check_date(waiver.until).map_err(|error| Refusal::DateOutOfRange { field, error })?;
    let today = room.today;
    if waiver.until < today {
        let until = waiver.until;
        return Err(ReadinessRefusal::WaiverEnded { until, today }.into());
    }
    let days = (waiver.until - today).num_days();
    if waiver.until - today > TimeDelta::days(MOST_WAIVED_DAYS) {
        return Err(ReadinessRefusal::WaiverTooLong { days }.into());
    }
    Ok(edit(ReadinessEdit::Waived {
        room: room.room,
        waiver,
        at: now,
    }))
}

/// A waiver ends before its date.
///
/// # Errors
/// The check is not waived.
pub fn end_waiver(room: &RoomToDecide, waivers: &[Waiver], check: Check) -> Result<Changes, Refusal> {
    let runs = |waiver: &Waiver| waiver.check == check && waiver.until >= room.today;
    if !waivers.iter().any(runs) {
        let room = room.name.clone();
        return Err(ReadinessRefusal::NotWaived { check, room }.into());
    }
    let room = room.room;
    Ok(edit(ReadinessEdit::WaiverEnded { room, check }))
}

/// Somebody confirms that a room's change management has moved here (C4). The room becomes Managed as soon as its checks let it.
///
/// # Errors
/// The room is not onboarding, or somebody has confirmed it.
pub fn confirm_onboarding(
    room: &RoomToDecide,
    is_confirmed: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    refuse_retired(room)?;
    let name = || room.name.clone();
    match (room.state, is_confirmed) {
        (RoomState::Onboarding, false) => Ok(edit(ReadinessEdit::Confirmed {
            room: room.room,
            by: by.to_owned(),
            at: now,
        })),
        (RoomState::Onboarding, true) => Err(ReadinessRefusal::ConfirmedAlready { room: name() }.into()),
        (RoomState::Managed | RoomState::Retired, _) => Err(ReadinessRefusal::NotOnboarding { room: name() }.into()),
    }
}

/// An admin has looked at a name of software, for all rooms (C1).
///
/// # Errors
/// Somebody has reviewed it.
pub fn review(name: &str, is_reviewed: bool, by: &str, now: DateTime<Utc>) -> Result<Changes, Refusal> {
    let name = name.to_owned();
    if is_reviewed {
        return Err(ReadinessRefusal::ReviewedAlready { name }.into());
    }
    let by = by.to_owned();
    Ok(edit(ReadinessEdit::Reviewed { name, by, at: now }))
}

/// A name counts as not reviewed again.
///
/// # Errors
/// Nobody has reviewed it.
pub fn end_review(name: &str, is_reviewed: bool) -> Result<Changes, Refusal> {
    let name = name.to_owned();
    if !is_reviewed {
        return Err(ReadinessRefusal::NotReviewed { name }.into());
    }
    Ok(edit(ReadinessEdit::ReviewEnded { name }))
}

fn edit(edit: ReadinessEdit) -> Changes {
    Changes {
        readiness: vec![edit],
        ..Changes::default()
    }
}

fn refuse_retired(room: &RoomToDecide) -> Result<(), Refusal> {
    match room.state {
        RoomState::Onboarding | RoomState::Managed => Ok(()),
        RoomState::Retired => Err(ReadinessRefusal::Retired {
            room: room.name.clone(),
        }
        .into()),
    }
}
