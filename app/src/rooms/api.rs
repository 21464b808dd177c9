//! What the pages about rooms ask the server for.

use domain::ids::RoomId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::view::{RoomHistory, RoomOverview, RoomTickets, RoomUpdates, RoomsQuery, RoomsView};

/// A page of rooms.
#[server(prefix = "/api", endpoint = "rooms/list", input = GetUrl)]
pub async fn list_rooms(query: RoomsQuery) -> Result<RoomsView, AppError> {
    crate::desk()?.list_rooms(query).await
}

/// A room's devices and what keeps updates away.
#[server(prefix = "/api", endpoint = "rooms/overview", input = GetUrl)]
pub async fn get_room_overview(id: RoomId) -> Result<RoomOverview, AppError> {
    crate::desk()?.room_overview(id).await
}

/// A room's updates.
#[server(prefix = "/api", endpoint = "rooms/updates", input = GetUrl)]
pub async fn get_room_updates(id: RoomId) -> Result<RoomUpdates, AppError> {
    crate::desk()?.room_updates(id).await
}

/// A room's tickets.
#[server(prefix = "/api", endpoint = "rooms/tickets", input = GetUrl)]
pub async fn get_room_tickets(id: RoomId) -> Result<RoomTickets, AppError> {
    crate::desk()?.room_tickets(id).await
}

/// A room's history.
#[server(prefix = "/api", endpoint = "rooms/history", input = GetUrl)]
pub async fn get_room_history(id: RoomId) -> Result<RoomHistory, AppError> {
    crate::desk()?.room_history(id).await
}
