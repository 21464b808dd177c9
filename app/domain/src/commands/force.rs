//! Force (K5): rooms that skip ring, day and window, and nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::changes::Changes;
use crate::deployment::{self, Deployment, DeploymentState, Night};
use crate::freeze::{Freeze, Freezes};
use crate::ids::{NewIds, RoomId, StageOf, UpdateId};
use crate::reason::Reason;
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::room::Room;
use crate::update::{Exclusion, Update};

/// Why a room was left out of a force (K5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForceRefusal {
    /// It does not need the update, or must not have it.
    Excluded(Exclusion),
    /// A device has started already.
    AlreadyRunning,
    /// It has the update.
    AlreadyDone,
    AlreadyForced,
    /// Nothing starts in it now (W6).
    Frozen(Freeze),
    /// A newer update has come to its ring and takes this one's place there (S9): its title.
    Superseded(String),
}

/// What came of a force in some rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForceOutcome {
    /// Rooms that are forced.
    pub rooms: Vec<RoomId>,
    /// Rooms that were left out, and why.
    pub left_out: Vec<(RoomId, ForceRefusal)>,
}

impl ForceOutcome {
    /// Adds what came of it in further rooms.
    pub fn add(&mut self, more: Self) {
        self.rooms.extend(more.rooms);
        self.left_out.extend(more.left_out);
    }
}

/// What is the same for every room of the update.
#[derive(Clone, Copy, Debug)]
pub struct Force<'f> {
    pub update: &'f Update,
    /// Its rollout, of which rooms may start ([`startable_rollout`](super::startable_rollout)).
    pub rollout: &'f Rollout,
    /// The rings of today.
    pub rings: &'f RingSequence,
    /// The freezes that move plans.
    pub freezes: &'f Freezes,
    /// At least the rollouts that supersede this one.
    pub newer: &'f BTreeMap<UpdateId, Rollout>,
    pub newer_updates: &'f BTreeMap<UpdateId, Update>,
    /// Now, or when the room is free.
    pub how: deployment::Force,
    /// Who asks.
    pub by: &'f str,
}

impl Force<'_> {
    /// A page of rooms, each with what it has of the update.
    pub fn rooms<'a>(
        &self,
        rooms: impl Iterator<Item = (&'a Room, Option<&'a Deployment>)>,
        now: DateTime<Utc>,
        ids: &mut dyn NewIds,
    ) -> (Changes, ForceOutcome) {
        let (mut changes, mut outcome) = (Changes::default(), ForceOutcome::default());
        for (room, existing) in rooms {
            match self.deployment(room, existing, now, ids) {
                Ok(deployment) => {
                    outcome.rooms.push(room.id);
                    changes.deployments.push(deployment);
                }
                Err(why) => outcome.left_out.push((room.id, why)),
            }
        }
        (changes, outcome)
    }

    /// Whether the room may have the update at all, and now.
    ///
    /// # Errors
    /// Why the room is left out.
    fn check(&self, room: &Room, existing: Option<&Deployment>, now: DateTime<Utc>) -> Result<(), ForceRefusal> {
        if let Some(exclusion) = self.update.exclusion(room, room.zone.date(now)) {
            return Err(match (exclusion, existing.map(|deployment| &deployment.state)) {
                (Exclusion::AlreadyOn { .. }, Some(DeploymentState::Completed { .. })) => ForceRefusal::AlreadyDone,
                (exclusion, _) => ForceRefusal::Excluded(exclusion),
            });
        }
        if let Some(freeze) = room.freeze_on(self.freezes, room.zone.date(now)) {
            return Err(ForceRefusal::Frozen(freeze.clone()));
        }
        let newer = self
            .rollout
            .superseded_in_ring(self.rings, StageOf::Ring(room.ring), |newer| self.newer.get(&newer));
        if let Some(newer) = newer.and_then(|newer| self.newer_updates.get(&newer)) {
            return Err(ForceRefusal::Superseded(newer.title()));
        }
        Ok(())
    }

    /// The room's deployment as a forced one. `existing`: what the room has of the update.
    ///
    /// # Errors
    /// Why the room is left out.
    fn deployment(
        &self,
        room: &Room,
        existing: Option<&Deployment>,
        now: DateTime<Utc>,
        ids: &mut dyn NewIds,
    ) -> Result<Deployment, ForceRefusal> {
        self.check(room, existing, now)?;
        let reason = Reason::Forced {
            by: self.by.to_owned(),
            how: self.how,
        };
        let forced = |base: Deployment| Deployment {
            night: Night::Forced {
                date: room.zone.date(now),
                how: self.how,
                catch_up: base.is_catch_up(),
            },
            state: DeploymentState::Waiting,
            missed_windows: 0,
            offered_windows: 0,
            reason: reason.clone(),
            next_at: Some(now),
            ..base
        };
        let ring = self.rollout.ring_of(room.ring);
        let new = |id| Deployment::new(id, self.update, room, ring, now, reason.clone());
        match existing {
            None => Ok(forced(new(ids.deployment()))),
            Some(deployment) => match deployment.state {
                DeploymentState::Started { .. } => Err(ForceRefusal::AlreadyRunning),
                DeploymentState::Waiting | DeploymentState::Prepared if deployment.night.force() == Some(self.how) => {
                    Err(ForceRefusal::AlreadyForced)
                }
                DeploymentState::Waiting | DeploymentState::Prepared => Ok(forced(deployment.clone())),
                DeploymentState::Failed { failure, .. } => Ok(forced(Deployment {
                    last_failure: Some(failure),
                    refusals: 0,
                    attempt: deployment.attempt + 1,
                    ..deployment.clone()
                })),
                DeploymentState::Completed { .. } => Err(ForceRefusal::AlreadyDone),
                DeploymentState::Withdrawn { .. } => {
                    let again = new(deployment.id);
                    Ok(forced(Deployment {
                        attempt: deployment.attempt,
                        ..again
                    }))
                }
            },
        }
    }
}
