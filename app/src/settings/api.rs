//! What the settings ask the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::view::SettingsView;

/// All settings.
#[server(prefix = "/api", endpoint = "settings", input = GetUrl)]
pub async fn get_settings() -> Result<SettingsView, AppError> {
    crate::desk()?.settings().await
}
