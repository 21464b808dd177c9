//! What the account pages ask the server for.

use domain::ids::PersonId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::access::model::{AccountView, PeopleView, PersonDetailView, TokensView};
use crate::error::AppError;

/// The own account, with its sessions.
#[server(prefix = "/api", endpoint = "account", input = GetUrl)]
pub async fn get_account() -> Result<AccountView, AppError> {
    crate::context::current()?.account().await
}

/// Everybody with an account.
#[server(prefix = "/api", endpoint = "people", input = GetUrl)]
pub async fn get_people() -> Result<PeopleView, AppError> {
    crate::context::current()?.people().await
}

/// A person, and where they are signed in.
#[server(prefix = "/api", endpoint = "people/one", input = GetUrl)]
pub async fn get_person(id: PersonId) -> Result<PersonDetailView, AppError> {
    crate::context::current()?.person(id).await
}

/// Tokens for automation.
#[server(prefix = "/api", endpoint = "tokens", input = GetUrl)]
pub async fn get_tokens() -> Result<TokensView, AppError> {
    crate::context::current()?.tokens().await
}
