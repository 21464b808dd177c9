//! What the page of support asks the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::support::model::{SupportQuery, SupportView};

/// Rooms by how long what they have is supported.
#[server(prefix = "/api", endpoint = "support/list", input = GetUrl)]
pub async fn list_support(query: SupportQuery) -> Result<SupportView, AppError> {
    crate::context::current()?.list_support(query).await
}
