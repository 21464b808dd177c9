//! New ids: UUIDs version 7, from the injected clock and the machine's randomness.

use domain::ids::{DeploymentId, NewIds};
use uuid::{Builder, Uuid};

use crate::Service;
use crate::error::{Result, ServiceError};

impl Service {
    /// An id that was never given before.
    pub(crate) fn new_id(&self) -> Result<Uuid> {
        let mut random = [0_u8; 10];
        getrandom::fill(&mut random).map_err(ServiceError::Random)?;
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        Ok(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Ids for a plan. Drawn from one random start: a plan may want thousands.
    pub(crate) fn plan_ids(&self) -> Result<PlanIds> {
        Ok(PlanIds(self.new_id()?.as_u128()))
    }
}

/// Ids that follow each other.
pub(crate) struct PlanIds(u128);

impl NewIds for PlanIds {
    fn deployment(&mut self) -> DeploymentId {
        // The low 62 bits are random; counting in them keeps the version and the variant.
        let low = self.0.wrapping_add(1) & ((1 << 62) - 1);
        self.0 = (self.0 & !((1 << 62) - 1)) | low;
        DeploymentId(Uuid::from_u128(self.0))
    }
}
