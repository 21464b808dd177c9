//! One box that finds rooms, updates and tickets by name or number, and the keyboard shortcuts (SPEC P8, P10).
//!
//! The box stands in the top bar ([`SearchBar`]); what it found is [`SearchPage`]; [`shortcuts`] listens to the keyboard.

mod page;
pub mod shortcuts;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

pub use page::{SearchBar, SearchPage};

use crate::error::AppError;
use crate::model::SearchView;

/// What was found.
#[server(prefix = "/api", endpoint = "search", input = GetUrl)]
pub async fn search(#[server(default)] q: String) -> Result<SearchView, AppError> {
    crate::presenter()?.search(&q).await
}
