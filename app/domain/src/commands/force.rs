//! Force (K5): rooms that skip ring, day and window, and nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::deployment::{self, Deployment};
use crate::freeze::Freezes;
use crate::ids::UpdateId;
use crate::planner::{self, ForceRefusal, NewIds};
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::room::Room;
use crate::update::Update;

/// What is the same for every room of the update.
#[derive(Clone, Copy, Debug)]
pub struct Force<'f> {
    /// The update.
    pub update: &'f Update,
    /// Its rollout, of which rooms may start ([`startable_rollout`](super::startable_rollout)).
    pub rollout: &'f Rollout,
    /// The rings of today.
    pub rings: &'f RingSequence,
    /// The freezes that move plans.
    pub freezes: &'f Freezes,
    /// At least the rollouts that supersede this one.
    pub newer: &'f BTreeMap<UpdateId, Rollout>,
    /// Their updates.
    pub newer_updates: &'f BTreeMap<UpdateId, Update>,
    /// Now, or when the room is free.
    pub how: deployment::Force,
    /// Who asks.
    pub by: &'f str,
}

impl Force<'_> {
    /// The room's deployment as a forced one. `existing`: what the room has of the update.
    ///
    /// # Errors
    /// Why the room is left out.
    pub fn room(
        &self,
        room: &Room,
        existing: Option<&Deployment>,
        now: DateTime<Utc>,
        ids: &mut dyn NewIds,
    ) -> Result<Deployment, ForceRefusal> {
        let newer = planner::superseding_in_ring(self.rings, self.rollout, room.ring, |newer| self.newer.get(&newer));
        let newer = newer
            .and_then(|newer| self.newer_updates.get(&newer))
            .map(Update::title);
        planner::force(
            self.update,
            self.rollout,
            room,
            self.freezes,
            newer.as_deref(),
            existing,
            self.how,
            self.by,
            now,
            ids,
        )
    }
}
