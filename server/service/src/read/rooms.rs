//! Rooms as lists have them (P0, P4).

use domain::ids::RoomId;
use serde::{Deserialize, Serialize};
use store::RoomListRecord;

/// Where a room stands in a list by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCursor {
    /// The name as it is sorted.
    pub name_key: String,
    /// The room.
    pub id: RoomId,
}

impl RoomCursor {
    pub(crate) fn of(record: &RoomListRecord) -> Self {
        Self {
            name_key: record.name_key.clone(),
            id: record.id,
        }
    }
}
