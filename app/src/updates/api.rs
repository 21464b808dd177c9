//! What the pages under Updates ask the server for.

use domain::deployment::Force;
use domain::ids::{RingId, RoomId, UpdateId};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::{
    Control, ControlView, FormSuccess, MovePlan, RingPlan, RingsView, RoomsQuery, UpdateRoomsQuery, UpdateView,
    UpdatesQuery, UpdatesView,
};

/// A page of the list of updates.
#[server(prefix = "/api", endpoint = "updates/list", input = GetUrl)]
pub async fn list_updates(query: UpdatesQuery) -> Result<UpdatesView, AppError> {
    crate::presenter()?.list_updates(query).await
}

/// One update, with a page of its rooms.
#[server(prefix = "/api", endpoint = "updates/one", input = GetUrl)]
pub async fn get_update(id: UpdateId, rooms: UpdateRoomsQuery) -> Result<UpdateView, AppError> {
    crate::presenter()?.update(id, rooms).await
}

/// The rings.
#[server(prefix = "/api", endpoint = "rings/list", input = GetUrl)]
pub async fn list_rings() -> Result<RingsView, AppError> {
    crate::presenter()?.list_rings().await
}

/// What the dialogs of rings work with (R9, R10, K9).
#[server(prefix = "/api", endpoint = "rings/plan", input = GetUrl)]
pub async fn get_ring_plan() -> Result<RingPlan, AppError> {
    crate::presenter()?.ring_plan().await
}

/// What a dialog about an update says before the click.
#[server(prefix = "/api", endpoint = "updates/control", input = GetUrl)]
pub async fn get_control(
    id: UpdateId,
    what: Control,
    #[server(default)] rooms: Vec<RoomId>,
) -> Result<ControlView, AppError> {
    crate::presenter()?.control(id, what, rooms).await
}

/// Pauses an update (K2, K3): until a date, or until somebody resumes it.
#[server(prefix = "/api", endpoint = "updates/pause")]
pub async fn pause_update(
    update: UpdateId,
    reason: String,
    #[server(default)] resumes_on: String,
) -> Result<FormSuccess, AppError> {
    crate::presenter()?.pause(update, &reason, &resumes_on).await
}

/// Gives the pause of an update another end (K3): a date, or none.
#[server(prefix = "/api", endpoint = "updates/resume-date")]
pub async fn set_resume_date(
    update: UpdateId,
    reason: String,
    #[server(default)] resumes_on: String,
) -> Result<FormSuccess, AppError> {
    crate::presenter()?.set_resume_date(update, &reason, &resumes_on).await
}

/// Resumes an update (K3).
#[server(prefix = "/api", endpoint = "updates/resume")]
pub async fn resume_update(update: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::presenter()?.resume(update, &reason).await
}

/// Retries all failed rooms of an update (K4).
#[server(prefix = "/api", endpoint = "updates/retry")]
pub async fn retry_all_failed(update: UpdateId) -> Result<FormSuccess, AppError> {
    crate::presenter()?.retry_all_failed(update).await
}

/// Retries an update in one room (K4, A1).
#[server(prefix = "/api", endpoint = "updates/retry-room")]
pub async fn retry_room(
    update: UpdateId,
    room: RoomId,
    #[server(default)] from_room: bool,
) -> Result<FormSuccess, AppError> {
    crate::presenter()?.retry_room(update, room, from_room).await
}

/// Forces an update (K5); without rooms, all of it.
#[server(prefix = "/api", endpoint = "updates/force")]
pub async fn force_update(
    update: UpdateId,
    #[server(default)] rooms: Vec<RoomId>,
    mode: Force,
    reason: String,
) -> Result<FormSuccess, AppError> {
    crate::presenter()?.force(update, rooms, mode, &reason).await
}

/// Acknowledges the failures of an update (T9).
#[server(prefix = "/api", endpoint = "updates/acknowledge")]
pub async fn acknowledge_update(update: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::presenter()?.acknowledge(update, &reason).await
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
    let draft = crate::present::rings::fields(name, description, &order, rollout_days, test_days)?;
    crate::presenter()?.add_ring(draft).await
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
    let draft = crate::present::rings::fields(name, description, &order, rollout_days, test_days)?;
    crate::presenter()?.edit_ring(ring, &seen, draft).await
}

/// Deletes a ring; its rooms go to another one (R11).
#[server(prefix = "/api", endpoint = "rings/delete")]
pub async fn delete_ring(ring: RingId, rooms_to: RingId) -> Result<FormSuccess, AppError> {
    crate::presenter()?.delete_ring(ring, rooms_to).await
}

/// What the dialog that moves rooms works with (R12, K9): of the rooms that are named, or of all that match.
#[server(prefix = "/api", endpoint = "rings/move-plan", input = GetUrl)]
pub async fn get_move_plan(
    #[server(default)] rooms: Vec<RoomId>,
    #[server(default)] all: bool,
    query: RoomsQuery,
) -> Result<MovePlan, AppError> {
    crate::presenter()?.move_plan(rooms, all.then_some(query)).await
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
    crate::presenter()?
        .move_rooms(rooms, seen.map(|seen| (query, seen)), from, to)
        .await
}
