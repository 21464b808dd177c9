//! What the portfolio asks the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::view::PortfolioView;

/// A page of products.
#[server(prefix = "/api", endpoint = "portfolio", input = GetUrl)]
pub async fn get_portfolio(page: u32) -> Result<PortfolioView, AppError> {
    crate::desk()?.portfolio(page).await
}
