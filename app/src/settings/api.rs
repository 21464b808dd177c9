//! What the settings ask the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::settings::model::{SettingsFields, SettingsView};

/// All settings.
#[server(prefix = "/api", endpoint = "settings", input = GetUrl)]
pub async fn get_settings() -> Result<SettingsView, AppError> {
    crate::context::current()?.settings().await
}

/// Changes them.
#[server(prefix = "/api", endpoint = "settings/edit")]
pub async fn edit_settings(#[server(flatten)] fields: SettingsFields) -> Result<FormSuccess, AppError> {
    crate::context::current()?.edit_settings(fields).await
}
