//! Why a room was left out of a force (K5).

use chrono::NaiveDate;

use crate::commands::force::ForceRefusal;
use crate::reason::NotRequired;

impl ForceRefusal {
    /// The reason in one sentence. `product` is the product's name; `date` writes a date.
    #[must_use]
    pub fn sentence(&self, product: &str, date: impl Fn(NaiveDate) -> String) -> String {
        match self {
            Self::Excluded(exclusion) => NotRequired::Excluded(exclusion.clone()).sentence(product, date),
            Self::AlreadyRunning => "A device of the room has started already.".to_owned(),
            Self::AlreadyDone => "The room has the update already.".to_owned(),
            Self::AlreadyForced => "The room is forced already.".to_owned(),
            Self::Frozen(freeze) => format!(
                "Frozen by {} until {}: {}.",
                freeze.owner,
                date(freeze.until),
                freeze.reason
            ),
            Self::Superseded(newer) => format!("{newer} supersedes it in the room's ring."),
        }
    }
}
