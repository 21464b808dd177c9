//! What the pages under Updates ask the server for.

use domain::deployment::Force;
use domain::ids::{RoomId, UpdateId};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::updates::model::{Control, ControlView, UpdateRoomsQuery, UpdateView, UpdatesQuery, UpdatesView};

/// A page of the list of updates.
#[server(prefix = "/api", endpoint = "updates/list", input = GetUrl)]
pub async fn list_updates(query: UpdatesQuery) -> Result<UpdatesView, AppError> {
    crate::context::current()?.list_updates(query).await
}

/// One update, with a page of its rooms.
#[server(prefix = "/api", endpoint = "updates/one", input = GetUrl)]
pub async fn get_update(id: UpdateId, rooms: UpdateRoomsQuery) -> Result<UpdateView, AppError> {
    crate::context::current()?.update(id, rooms).await
}

/// What a dialog about an update says before the click.
#[server(prefix = "/api", endpoint = "updates/control", input = GetUrl)]
pub async fn get_control(
    id: UpdateId,
    what: Control,
    #[server(default)] rooms: Vec<RoomId>,
) -> Result<ControlView, AppError> {
    crate::context::current()?.control(id, what, rooms).await
}

/// Pauses an update (K2, K3): until a date, or until somebody resumes it.
#[server(prefix = "/api", endpoint = "updates/pause")]
pub async fn pause_update(
    update: UpdateId,
    reason: String,
    #[server(default)] resumes_on: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.pause(update, &reason, &resumes_on).await
}

/// Gives the pause of an update another end (K3): a date, or none.
#[server(prefix = "/api", endpoint = "updates/resume-date")]
pub async fn set_resume_date(
    update: UpdateId,
    reason: String,
    #[server(default)] resumes_on: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .set_resume_date(update, &reason, &resumes_on)
        .await
}

/// Resumes an update (K3).
#[server(prefix = "/api", endpoint = "updates/resume")]
pub async fn resume_update(update: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.resume(update, &reason).await
}

/// Retries all failed rooms of an update (K4).
#[server(prefix = "/api", endpoint = "updates/retry")]
pub async fn retry_all_failed(update: UpdateId) -> Result<FormSuccess, AppError> {
    crate::context::current()?.retry_all_failed(update).await
}

/// Retries an update in one room (K4, A1).
#[server(prefix = "/api", endpoint = "updates/retry-room")]
pub async fn retry_room(
    update: UpdateId,
    room: RoomId,
    #[server(default)] from_room: bool,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.retry_room(update, room, from_room).await
}

/// Forces an update (K5); without rooms, all of it.
#[server(prefix = "/api", endpoint = "updates/force")]
pub async fn force_update(
    update: UpdateId,
    #[server(default)] rooms: Vec<RoomId>,
    mode: Force,
    reason: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.force(update, rooms, mode, &reason).await
}

/// Acknowledges the failures of an update (T9).
#[server(prefix = "/api", endpoint = "updates/acknowledge")]
pub async fn acknowledge_update(update: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.acknowledge(update, &reason).await
}

/// Ends the rollout of an update by hand (S15).
#[server(prefix = "/api", endpoint = "updates/deactivate")]
pub async fn deactivate_update(update: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.deactivate(update, &reason).await
}
