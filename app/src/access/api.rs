//! What the account pages ask the server for.

use domain::ids::PersonId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::{AccountView, PeopleView, PersonDetailView, TokensView};

/// The own account, with its sessions.
#[server(prefix = "/api", endpoint = "account", input = GetUrl)]
pub async fn get_account() -> Result<AccountView, AppError> {
    crate::presenter()?.account().await
}

/// Everybody with an account.
#[server(prefix = "/api", endpoint = "people", input = GetUrl)]
pub async fn get_people() -> Result<PeopleView, AppError> {
    crate::presenter()?.people().await
}

/// A person, and where they are signed in.
#[server(prefix = "/api", endpoint = "people/one", input = GetUrl)]
pub async fn get_person(id: PersonId) -> Result<PersonDetailView, AppError> {
    crate::presenter()?.person(id).await
}

/// Tokens for automation.
#[server(prefix = "/api", endpoint = "tokens", input = GetUrl)]
pub async fn get_tokens() -> Result<TokensView, AppError> {
    crate::presenter()?.tokens().await
}
