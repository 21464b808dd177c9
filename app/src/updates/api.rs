//! What the pages under Updates ask the server for.

use domain::ids::UpdateId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::view::{RingsView, RoomWhyQuery, UpdateView, UpdatesQuery, UpdatesView};

/// A page of the list of updates.
#[server(prefix = "/api", endpoint = "updates/list", input = GetUrl)]
pub async fn list_updates(query: UpdatesQuery) -> Result<UpdatesView, AppError> {
    crate::desk()?.list_updates(query).await
}

/// One update, with a page of its rooms.
#[server(prefix = "/api", endpoint = "updates/one", input = GetUrl)]
pub async fn get_update(id: UpdateId, rooms: RoomWhyQuery) -> Result<UpdateView, AppError> {
    crate::desk()?.update(id, rooms).await
}

/// The rings.
#[server(prefix = "/api", endpoint = "rings/list", input = GetUrl)]
pub async fn list_rings() -> Result<RingsView, AppError> {
    crate::desk()?.list_rings().await
}
