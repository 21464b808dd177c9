//! What Home asks the server for.

use domain::ids::AnnouncementId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::home::model::HomeView;

/// Everything on Home.
#[server(prefix = "/api", endpoint = "home", input = GetUrl)]
pub async fn get_home() -> Result<HomeView, AppError> {
    crate::context::current()?.home().await
}

/// Announces something to everybody (P1).
#[server(prefix = "/api", endpoint = "home/announce")]
pub async fn announce(
    title: String,
    #[server(default)] text: String,
    #[server(default)] until: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.announce(title, text, &until).await
}

/// Takes an announcement down, for everybody (P1).
#[server(prefix = "/api", endpoint = "home/take-down")]
pub async fn take_down_announcement(id: AnnouncementId) -> Result<FormSuccess, AppError> {
    crate::context::current()?.take_down(id).await
}

/// Dismisses an announcement, for whoever asks (P1).
#[server(prefix = "/api", endpoint = "home/dismiss")]
pub async fn dismiss_announcement(id: AnnouncementId) -> Result<FormSuccess, AppError> {
    crate::context::current()?.dismiss(id).await
}
