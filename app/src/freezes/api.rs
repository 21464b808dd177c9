//! What the page of freezes asks the server for.

use domain::ids::FreezeId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::freezes::model::FreezesView;

/// The freezes (W6).
#[server(prefix = "/api", endpoint = "freezes/list", input = GetUrl)]
pub async fn list_freezes() -> Result<FreezesView, AppError> {
    crate::context::current()?.freezes().await
}

/// What a freeze would do to the running updates (K9).
#[server(prefix = "/api", endpoint = "freezes/plan", input = GetUrl)]
pub async fn plan_freeze(scope: String, from: String, until: String) -> Result<Vec<String>, AppError> {
    crate::context::current()?.plan_freeze(&scope, &from, &until).await
}

/// Freezes (W6).
#[server(prefix = "/api", endpoint = "freezes/add")]
pub async fn add_freeze(scope: String, from: String, until: String, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.freeze(&scope, &from, &until, &reason).await
}

/// Lifts what is ahead of a freeze (W6).
#[server(prefix = "/api", endpoint = "freezes/lift")]
pub async fn lift_freeze(freeze: FreezeId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.lift_freeze(freeze, &reason).await
}
