//! What the box asks the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::search::model::SearchView;

/// What was found.
#[server(prefix = "/api", endpoint = "search", input = GetUrl)]
pub async fn search(#[server(default)] q: String) -> Result<SearchView, AppError> {
    crate::context::current()?.search(&q).await
}
