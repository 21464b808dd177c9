//! What the pages about tickets ask the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::view::{TicketView, TicketsQuery, TicketsView};

/// A page of tickets.
#[server(prefix = "/api", endpoint = "tickets/list", input = GetUrl)]
pub async fn list_tickets(query: TicketsQuery) -> Result<TicketsView, AppError> {
    crate::desk()?.list_tickets(query).await
}

/// One ticket.
#[server(prefix = "/api", endpoint = "tickets/one", input = GetUrl)]
pub async fn get_ticket(number: i64) -> Result<TicketView, AppError> {
    crate::desk()?.ticket(number).await
}
