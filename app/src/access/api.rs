//! What the account pages ask the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::view::{AccountView, PeopleView};

/// The own account, with its sessions.
#[server(prefix = "/api", endpoint = "account", input = GetUrl)]
pub async fn get_account() -> Result<AccountView, AppError> {
    crate::desk()?.account().await
}

/// Everybody with an account.
#[server(prefix = "/api", endpoint = "people", input = GetUrl)]
pub async fn get_people() -> Result<PeopleView, AppError> {
    crate::desk()?.people().await
}
