//! What people do to rings and to the rooms in them (R1–R14).

use domain::ids::{RingId, RoomId};
use domain::ring::{Ring, RingDraft, RingOrder};

use super::{Desk, Result, told};
use crate::error::AppError;
use crate::view::Done;

/// Where the pages of rings are.
const PAGE: &str = "/updates/rings";

impl Desk {
    /// Adds a ring (R2, R4, R8, R9).
    ///
    /// # Errors
    /// As [`service::Service::add_ring`].
    pub async fn add_ring(&self, draft: RingDraft) -> Result<Done> {
        let name = draft.name.trim().to_owned();
        self.service.add_ring(&self.viewer.actor, draft).await.map_err(told)?;
        Ok(done(format!("The ring {name} is added.")))
    }

    /// Edits a ring (R10).
    ///
    /// # Errors
    /// As [`service::Service::edit_ring`].
    pub async fn edit_ring(&self, id: RingId, seen: &str, draft: RingDraft) -> Result<Done> {
        // A form of before that was kept, or none: nothing to compare with.
        let seen: Option<Ring> = serde_json::from_str(seen).ok();
        let name = draft.name.trim().to_owned();
        self.service
            .edit_ring(&self.viewer.actor, id, seen.as_ref(), draft)
            .await
            .map_err(told)?;
        Ok(done(format!("The ring {name} is changed.")))
    }

    /// Deletes a ring (R11).
    ///
    /// # Errors
    /// As [`service::Service::delete_ring`].
    pub async fn delete_ring(&self, id: RingId, rooms_to: RingId) -> Result<Done> {
        let deleted = self.service.delete_ring(&self.viewer.actor, id, Some(rooms_to)).await;
        deleted.map_err(told)?;
        Ok(done("The ring is deleted.".to_owned()))
    }

    /// Moves rooms into a ring (R12–R14).
    ///
    /// # Errors
    /// As [`service::Service::move_rooms`].
    pub async fn move_rooms(&self, rooms: &[RoomId], from: Option<RingId>, to: RingId) -> Result<Done> {
        self.service
            .move_rooms(&self.viewer.actor, rooms, from, to)
            .await
            .map_err(told)?;
        let text = match rooms {
            [_] => "The room is moved.".to_owned(),
            rooms => format!("{} rooms are moved.", rooms.len()),
        };
        Ok(Done::new(text, format!("/updates/rooms?ring={to}")))
    }
}

fn done(text: String) -> Done {
    Done::new(text, PAGE)
}

/// A ring as a form has it; an empty order: none, as for the pinned ones.
pub(crate) fn draft(
    name: String,
    description: String,
    order: &str,
    rollout_days: u32,
    test_days: u32,
) -> Result<RingDraft> {
    let order = match order.trim() {
        "" => None,
        order => Some(order.parse::<RingOrder>().map_err(|refusal| AppError::Invalid {
            field: "order".to_owned(),
            problem: refusal.to_string(),
        })?),
    };
    Ok(RingDraft {
        name,
        description,
        order,
        rollout_days,
        test_days,
    })
}
