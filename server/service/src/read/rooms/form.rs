//! What the forms of a room start from, and what its move into another ring would mean (P0, R13, R14, K9).

use domain::deployment::DeploymentState;
use domain::ids::{RingId, RoomId, SiteId, UpdateId};
use domain::ring::Ring;
use domain::rollout::{PlannedStage, Rollout, RolloutState};
use domain::room::{Room, RoomState};
use domain::update::{Exclusion, Update};
use domain::window::Window;
use domain::zone::Zone;
use serde::Serialize;

use crate::error::{Result, ServiceError};
use crate::read::ReadSnapshot;

/// A room as its form starts from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EditableRoom {
    /// Identity.
    pub id: RoomId,
    /// Unique at its site.
    pub name: String,
    /// Where it is.
    pub site: SiteId,
    /// May be empty.
    pub building: String,
    /// As people call it; may be empty.
    pub floor: String,
    /// Seats; 0: nobody has counted them.
    pub capacity: u32,
    /// Its own, or its site's.
    pub zone: Zone,
    /// Which of the two it is.
    pub zone_is_own: bool,
    /// Whether it takes part.
    pub state: RoomState,
    /// The ring that it is in.
    pub ring: RingId,
    /// Counts its changes by people: an edit says as which the room was read.
    pub revision: i64,
}

/// What the move of a room into a ring would mean for the updates that it has still to get (R14, K9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingMove {
    pub ring: RingId,
    /// What each of them would do then.
    pub updates: Vec<UpdateAfterMove>,
}

/// What an update would do in a room that is in another ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateAfterMove {
    pub update: UpdateId,
    /// Product and version.
    pub title: String,
    /// The product's name.
    pub product_name: String,
    /// Its rollout is paused: the rest applies once it is resumed.
    pub is_paused: bool,
    /// What would become of it.
    #[serde(flatten)]
    pub outcome: AfterMove,
}

/// What would become of an update in a room that is in another ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum AfterMove {
    /// The room does not get it in any ring.
    KeptOut {
        /// Why.
        exclusion: Exclusion,
    },
    /// Its rollout has reached the ring: the room catches up.
    CaughtUp {
        /// The room's next window.
        window: Window,
    },
    /// The room gets it with the ring.
    WithRing {
        /// The ring's turn in the rollout.
        stage: PlannedStage,
    },
    /// Its rollout does not come to the ring.
    NotReached,
}

/// An update that a room has still to get.
struct UpdateAhead<'s> {
    update: &'s Update,
    rollout: &'s Rollout,
    exclusion: Option<Exclusion>,
}

impl ReadSnapshot {
    /// What the form of a room starts from.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn room_to_edit(&mut self, id: RoomId) -> Result<EditableRoom> {
        let record = self.tx.room_record(id).await?;
        let record = record.ok_or_else(|| ServiceError::not_found("This room"))?;
        Ok(EditableRoom {
            id: record.id,
            name: record.name,
            site: record.site,
            building: record.building,
            floor: record.floor,
            capacity: record.capacity,
            zone: record.zone,
            zone_is_own: record.zone_is_own,
            state: record.state,
            ring: record.ring,
            revision: record.revision,
        })
    }

    /// What a move of a room into each of the rings would mean. It takes a look at every running rollout.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn moves_of_room(&mut self, id: RoomId) -> Result<Vec<RingMove>> {
        let room = self.rooms(&[id]).await?.remove(&id);
        let room = room.ok_or_else(|| ServiceError::not_found("This room"))?;
        let live = self.tx.live_rollouts().await?;
        let updates = self.updates_for_planning(&live).await?;
        let rollouts = self.tx.rollouts(&live).await?;
        let mut ahead = Vec::new();
        for (id, update) in &updates {
            let Some(rollout) = rollouts.get(id) else { continue };
            if update.devices_in(&room).next().is_none() {
                continue;
            }
            let deployment = self.tx.deployment_of(room.id, *id).await?;
            let has_still_to_start = deployment.as_ref().is_none_or(|deployment| {
                matches!(
                    deployment.state,
                    DeploymentState::Waiting | DeploymentState::Withdrawn { .. }
                )
            });
            if has_still_to_start {
                let exclusion = update.exclusion(&room, room.zone.date(self.now));
                ahead.push(UpdateAhead {
                    update,
                    rollout,
                    exclusion,
                });
            }
        }
        let moves = self.rings.iter().map(|ring| RingMove {
            ring: ring.id,
            updates: ahead.iter().map(|ahead| self.after_move(ahead, &room, ring)).collect(),
        });
        Ok(moves.collect())
    }

    fn after_move(&self, ahead: &UpdateAhead<'_>, room: &Room, ring: &Ring) -> UpdateAfterMove {
        let (update, rollout) = (ahead.update, ahead.rollout);
        let outcome = if let Some(exclusion) = &ahead.exclusion {
            let exclusion = exclusion.clone();
            AfterMove::KeptOut { exclusion }
        } else if rollout.has_reached(ring) {
            let window = self.next_window(room, room.zone.date(self.now));
            AfterMove::CaughtUp { window }
        } else {
            let mut calendar = self.calendar_of(rollout).into_iter();
            let stage = calendar.find(|stage| stage.ring == rollout.ring_of(ring.id));
            stage.map_or(AfterMove::NotReached, |stage| AfterMove::WithRing { stage })
        };
        UpdateAfterMove {
            update: update.id,
            title: update.title(),
            product_name: update.product_name.clone(),
            is_paused: match rollout.state {
                RolloutState::Paused { .. } => true,
                RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => false,
            },
            outcome,
        }
    }
}
