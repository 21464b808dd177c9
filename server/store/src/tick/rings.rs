//! What a rollout that is due is decided with: the zones and candidates of its next ring, or the next rooms of the ring that it fills (S6).

use chrono::{DateTime, Utc};
use domain::fleet::{self, DueRollout, PlacementBatch};
use domain::freeze::Freezes;
use domain::ids::StageOf;
use domain::ring::RingSequence;
use domain::rollout::{Rollout, RolloutState, Stage};
use domain::settings::Organisation;
use domain::update::Update;

use crate::error::{Result, StoreError};
use crate::rows::zone_of;
use crate::rules_in_sql::EntryRooms;
use crate::tx::{Tx, each};

/// What counts for every rollout of a slice.
pub(super) struct SharedFacts<'s> {
    pub(super) organisation: &'s Organisation,
    pub(super) rings: &'s RingSequence,
    pub(super) freezes: &'s Freezes,
}

impl Tx {
    pub(super) async fn due_rollout(
        &mut self,
        rollout: &Rollout,
        update: &Update,
        ring: Option<StageOf>,
        with: &SharedFacts<'_>,
        now: DateTime<Utc>,
    ) -> Result<DueRollout> {
        const ZONES: &str = "SELECT DISTINCT zone FROM rooms WHERE ring_id = $1 AND state <> 'retired' ORDER BY zone";
        const ALL_ZONES: &str = "SELECT DISTINCT zone FROM rooms WHERE state <> 'retired' ORDER BY zone";
        let mut due = DueRollout {
            update: rollout.update,
            ring,
            zones: Vec::new(),
            candidates: Vec::new(),
            placement_batch: None,
        };
        let Some(ring) = ring.filter(|_| matches!(rollout.state, RolloutState::Running)) else {
            return Ok(due);
        };
        if let Some(stage) = rollout.being_filled() {
            due.placement_batch = Some(self.placement_batch(stage, update, now).await?);
            return Ok(due);
        }
        let names: Vec<String> = match ring {
            StageOf::AllRooms => each!(self, c => sqlx::query_scalar(ALL_ZONES).fetch_all(c).await)?,
            StageOf::Ring(ring) => each!(self, c => sqlx::query_scalar(ZONES).bind(ring.0).fetch_all(c).await)?,
        };
        for name in names {
            due.zones.push(zone_of("rooms", "zone", &name)?);
        }
        if rollout.enters_by(with.rings, with.freezes, &with.organisation.zone, &due.zones, now) {
            let candidates = self.candidates(update, &EntryRooms::OfRing(ring), now).await?;
            due.candidates = candidates.into_iter().map(|(_, candidate)| candidate).collect();
        }
        Ok(due)
    }

    /// The next rooms of a ring that is being filled (S6).
    async fn placement_batch(&mut self, stage: &Stage, update: &Update, now: DateTime<Utc>) -> Result<PlacementBatch> {
        let positions = fleet::next_positions(stage.rooms, stage.placed, fleet::MOST_NEW_DEPLOYMENTS);
        let taken = positions.end - positions.start;
        let mut rooms = Vec::new();
        for (position, candidate) in self
            .candidates(update, &EntryRooms::Placed(stage.ring, positions), now)
            .await?
        {
            let position = position.ok_or_else(|| StoreError::row("placements", candidate.room, "has no position"))?;
            rooms.push((position, candidate));
        }
        rooms.sort_by_key(|(position, _)| *position);
        Ok(PlacementBatch { taken, rooms })
    }
}
