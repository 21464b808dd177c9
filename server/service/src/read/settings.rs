//! What the organisation has set.

use domain::settings::Organisation;
use domain::zone;
use serde::Serialize;

use super::ReadSnapshot;
use crate::settings::fingerprint;

/// What is set now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CurrentSettings {
    /// Name, zone and numbers.
    pub organisation: Organisation,
    /// As what it was read: a change says that, and is refused if something else is set by then.
    pub fingerprint: String,
    /// The release of the zone rules in use (W3).
    pub zone_rules: String,
}

impl ReadSnapshot {
    /// What is set now.
    #[must_use]
    pub fn settings(&self) -> CurrentSettings {
        CurrentSettings {
            organisation: self.organisation.clone(),
            fingerprint: fingerprint(&self.organisation),
            zone_rules: zone::database_version(),
        }
    }
}
