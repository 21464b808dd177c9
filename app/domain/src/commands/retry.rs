//! Retry (K4): failed rooms go back into their next window. Where a newer update has taken the place of this one (S9) nothing of it
//! would start, and nothing is put back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::deployment::Deployment;
use crate::ids::UpdateId;
use crate::planner;
use crate::refusal::Refusal;
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::room::Room;
use crate::settings::Settings;

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

impl Retry<'_> {
    /// The room's deployment in its next attempt.
    ///
    /// # Errors
    /// The update has not failed in the room, or not any more, or gives way to a newer one there.
    pub fn room(&self, room: &Room, failed: Option<&Deployment>, now: DateTime<Utc>) -> Result<Deployment, Refusal> {
        let (title, name) = (self.title.to_owned(), room.name.clone());
        let newer = planner::superseding_in_ring(self.rings, self.rollout, room.ring, |newer| self.newer.get(&newer));
        if newer.is_some() {
            return Err(Refusal::GivesWay { title, room: name });
        }
        let retried = failed.and_then(|failed| planner::retry(failed, &room.zone, self.settings, self.by, now));
        retried.ok_or(Refusal::NotFailed { title, room: name })
    }
}
