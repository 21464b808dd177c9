//! What the settings ask the server for.

use domain::ids::FreezeId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::{FormSuccess, FreezesView, SettingsFields, SettingsView};

/// All settings.
#[server(prefix = "/api", endpoint = "settings", input = GetUrl)]
pub async fn get_settings() -> Result<SettingsView, AppError> {
    crate::presenter()?.settings().await
}

/// Changes them.
#[server(prefix = "/api", endpoint = "settings/edit")]
pub async fn edit_settings(#[server(flatten)] fields: SettingsFields) -> Result<FormSuccess, AppError> {
    crate::presenter()?.edit_settings(fields).await
}

/// The freezes (W6).
#[server(prefix = "/api", endpoint = "freezes/list", input = GetUrl)]
pub async fn list_freezes() -> Result<FreezesView, AppError> {
    crate::presenter()?.freezes().await
}

/// What a freeze would do to the running updates (K9).
#[server(prefix = "/api", endpoint = "freezes/plan", input = GetUrl)]
pub async fn plan_freeze(scope: String, from: String, until: String) -> Result<Vec<String>, AppError> {
    crate::presenter()?.plan_freeze(&scope, &from, &until).await
}

/// Freezes (W6).
#[server(prefix = "/api", endpoint = "freezes/add")]
pub async fn add_freeze(scope: String, from: String, until: String, reason: String) -> Result<FormSuccess, AppError> {
    crate::presenter()?.freeze(&scope, &from, &until, &reason).await
}

/// Lifts what is ahead of a freeze (W6).
#[server(prefix = "/api", endpoint = "freezes/lift")]
pub async fn lift_freeze(freeze: FreezeId, reason: String) -> Result<FormSuccess, AppError> {
    crate::presenter()?.lift_freeze(freeze, &reason).await
}
