//! What the pages and dialogs of rings ask the server for.

#![expect(
    clippy::too_many_arguments,
    reason = "a server function has a parameter for each field of its form"
)]

use domain::ids::{RingId, RoomId};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::rings::model::{MovePlan, RingPlan, RingsView};
use crate::rooms::model::RoomsQuery;

/// The rings.
#[server(prefix = "/api", endpoint = "rings/list", input = GetUrl)]
pub async fn list_rings() -> Result<RingsView, AppError> {
    crate::context::current()?.list_rings().await
}

/// What the dialogs of rings work with (R9, R10, K9).
#[server(prefix = "/api", endpoint = "rings/plan", input = GetUrl)]
pub async fn get_ring_plan() -> Result<RingPlan, AppError> {
    crate::context::current()?.ring_plan().await
}

/// Adds a ring (R2, R4).
#[server(prefix = "/api", endpoint = "rings/add")]
pub async fn add_ring(
    name: String,
    #[server(default)] description: String,
    #[server(default)] order: String,
    rollout_days: u32,
    test_days: u32,
) -> Result<FormSuccess, AppError> {
    let draft = super::present::fields(name, description, &order, rollout_days, test_days)?;
    crate::context::current()?.add_ring(draft).await
}

/// Edits a ring (R10), as the form has seen it.
#[server(prefix = "/api", endpoint = "rings/edit")]
pub async fn edit_ring(
    ring: RingId,
    #[server(default)] seen: String,
    name: String,
    #[server(default)] description: String,
    #[server(default)] order: String,
    rollout_days: u32,
    test_days: u32,
) -> Result<FormSuccess, AppError> {
    let draft = super::present::fields(name, description, &order, rollout_days, test_days)?;
    crate::context::current()?.edit_ring(ring, &seen, draft).await
}

/// Deletes a ring; its rooms go to another one (R11).
#[server(prefix = "/api", endpoint = "rings/delete")]
pub async fn delete_ring(ring: RingId, rooms_to: RingId) -> Result<FormSuccess, AppError> {
    crate::context::current()?.delete_ring(ring, rooms_to).await
}

/// What the dialog that moves rooms works with (R12, K9): of the rooms that are named, or of all that match.
#[server(prefix = "/api", endpoint = "rings/move-plan", input = GetUrl)]
pub async fn get_move_plan(
    #[server(default)] rooms: Vec<RoomId>,
    #[server(default)] all: bool,
    query: RoomsQuery,
) -> Result<MovePlan, AppError> {
    crate::context::current()?.move_plan(rooms, all.then_some(query)).await
}

/// Moves rooms into a ring (R12): those that are named, or all that match, of which there were `seen`.
#[server(prefix = "/api", endpoint = "rings/move")]
pub async fn move_rooms(
    #[server(default)] rooms: Vec<RoomId>,
    #[server(default)] seen: Option<i64>,
    #[server(flatten)] query: RoomsQuery,
    #[server(default)] from: Option<RingId>,
    to: RingId,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .move_rooms(rooms, seen.map(|seen| (query, seen)), from, to)
        .await
}
