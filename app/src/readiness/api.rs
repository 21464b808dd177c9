//! What the pages about readiness ask the server for.

use domain::ids::RoomId;
use domain::readiness::Check;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::readiness::model::{ProfileView, ReadinessQuery, ReadinessView, SoftwareView};

/// A page of rooms by their checks.
#[server(prefix = "/api", endpoint = "readiness/list", input = GetUrl)]
pub async fn list_readiness(query: ReadinessQuery) -> Result<ReadinessView, AppError> {
    crate::context::current()?.list_readiness(query).await
}

/// Names of software that were reviewed.
#[server(prefix = "/api", endpoint = "readiness/software", input = GetUrl)]
pub async fn list_software() -> Result<SoftwareView, AppError> {
    crate::context::current()?.list_software().await
}

/// The profile that checks go by (C6).
#[server(prefix = "/api", endpoint = "readiness/profile", input = GetUrl)]
pub async fn get_profile() -> Result<ProfileView, AppError> {
    crate::context::current()?.profile().await
}

/// Sets the profile that checks go by; empty: the one that comes with Nightshift.
#[server(prefix = "/api", endpoint = "readiness/set-profile")]
pub async fn set_profile(#[server(default)] profile: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.set_profile(&profile).await
}

/// Waives a check of a room until a date (C1).
#[server(prefix = "/api", endpoint = "readiness/waive")]
pub async fn waive_check(room: RoomId, check: Check, until: String, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .waive_check(room, check, &until, &reason)
        .await
}

/// Ends a waiver before its date.
#[server(prefix = "/api", endpoint = "readiness/end-waiver")]
pub async fn end_waiver(room: RoomId, check: Check) -> Result<FormSuccess, AppError> {
    crate::context::current()?.end_waiver(room, check).await
}

/// Confirms that the change management of rooms has moved here (C4). `back`: the page to return to.
#[server(prefix = "/api", endpoint = "readiness/confirm")]
pub async fn confirm_rooms(
    #[server(default)] rooms: Vec<RoomId>,
    #[server(default)] back: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.confirm_rooms(&rooms, &back).await
}

/// Marks a name of software as reviewed, for all rooms (C1). `room`: on whose page it was marked.
#[server(prefix = "/api", endpoint = "readiness/review")]
pub async fn review_software(name: String, #[server(default)] room: Option<RoomId>) -> Result<FormSuccess, AppError> {
    crate::context::current()?.review_software(&name, room).await
}

/// Lets a name of software count as not reviewed again.
#[server(prefix = "/api", endpoint = "readiness/end-review")]
pub async fn end_review(name: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.end_review(&name).await
}
