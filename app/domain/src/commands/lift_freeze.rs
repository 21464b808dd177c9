//! Lifting a freeze (W6): from tomorrow on nothing is frozen by it. Tonight's windows are over already, or too close.

use chrono::NaiveDate;

use crate::freeze::Freeze;
use crate::refusal::Refusal;

/// The last date of the freeze once it is lifted; `None`: nothing of it has begun, and nothing stays. `today`: the organisation's.
///
/// # Errors
/// There is no such freeze, or nothing of it is ahead.
pub fn lift_freeze(freeze: Option<&Freeze>, today: NaiveDate) -> Result<Option<NaiveDate>, Refusal> {
    let freeze = freeze.ok_or(Refusal::NoFreeze)?;
    if freeze.until <= today {
        return Err(Refusal::NothingAhead { until: freeze.until });
    }
    Ok((freeze.from <= today).then_some(today))
}
