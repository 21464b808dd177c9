//! Retry (K4): failed rooms go back into their next window. Where a newer update has taken the place of this one (S9) nothing of it
//! would start, and nothing is put back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::changes::Changes;
use crate::deployment::{Deployment, DeploymentState};
use crate::ids::{RoomId, StageOf, UpdateId};
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::room::Room;
use crate::settings::Settings;
use crate::window::Window;
use crate::zone::Zone;

/// What is the same for every room of the update.
#[derive(Clone, Copy, Debug)]
pub struct Retry<'f> {
    /// The rollout, of which rooms may start ([`startable_rollout`](super::startable_rollout)).
    pub rollout: &'f Rollout,
    /// The update.
    pub title: &'f str,
    /// The rings of today.
    pub rings: &'f RingSequence,
    /// At least the rollouts that supersede this one.
    pub newer: &'f BTreeMap<UpdateId, Rollout>,
    /// The organisation's.
    pub settings: &'f Settings,
    /// Who asks.
    pub by: &'f str,
}

/// Rooms that a retry leaves as they are, and why.
pub type NotRetried = Vec<(RoomId, Refusal)>;

impl Retry<'_> {
    /// A page of rooms, each with what it has of the update: those in which it has failed go into their next attempt.
    pub fn rooms<'a>(
        &self,
        rooms: impl Iterator<Item = (&'a Room, &'a Deployment)>,
        now: DateTime<Utc>,
    ) -> (Changes, NotRetried) {
        let (mut changes, mut left_out) = (Changes::default(), Vec::new());
        for (room, failed) in rooms {
            match self.deployment(room, Some(failed), now) {
                Ok(deployment) => changes.deployments.push(deployment),
                Err(why) => left_out.push((room.id, why)),
            }
        }
        (changes, left_out)
    }

    /// One room. `failed`: what it has of the update.
    ///
    /// # Errors
    /// The update has not failed in the room, or not any more, or gives way to a newer one there.
    pub fn room(&self, room: &Room, failed: Option<&Deployment>, now: DateTime<Utc>) -> Result<Changes, Refusal> {
        Ok(Changes {
            deployments: vec![self.deployment(room, failed, now)?],
            ..Changes::default()
        })
    }

    fn deployment(&self, room: &Room, failed: Option<&Deployment>, now: DateTime<Utc>) -> Result<Deployment, Refusal> {
        let (title, name) = (self.title.to_owned(), room.name.clone());
        let newer = self
            .rollout
            .superseded_in_ring(self.rings, StageOf::Ring(room.ring), |newer| self.newer.get(&newer));
        if newer.is_some() {
            return Err(Refusal::GivesWay { title, room: name });
        }
        let retried = failed.and_then(|failed| next_attempt(failed, &room.zone, self.settings, self.by, now));
        retried.ok_or(Refusal::NotFailed { title, room: name })
    }
}

/// The failed deployment in its next attempt; `None`: it has not failed, and a second click changes nothing.
///
/// An action of the attempt before that is still open (silent, W5) is waited for: the planner opens the retry when it closes.
fn next_attempt(
    deployment: &Deployment,
    zone: &Zone,
    settings: &Settings,
    by: &str,
    now: DateTime<Utc>,
) -> Option<Deployment> {
    let last_failure = match deployment.state {
        DeploymentState::Failed { failure, .. } => Some(failure),
        DeploymentState::Waiting
        | DeploymentState::Prepared
        | DeploymentState::Started { .. }
        | DeploymentState::Completed { .. }
        | DeploymentState::Withdrawn { .. } => return None,
    };
    let window = Window::next(zone, zone.date(now), now, settings.window());
    Some(Deployment {
        night: deployment.night.of_retry(window.night),
        state: DeploymentState::Waiting,
        attempt: deployment.attempt + 1,
        last_failure,
        refusals: 0,
        missed_windows: 0,
        offered_windows: 0,
        reason: Reason::Retried {
            by: by.to_owned(),
            attempt: deployment.attempt + 1,
        },
        next_at: Some(now),
        ..deployment.clone()
    })
}
