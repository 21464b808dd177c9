//! What the pages about tickets ask the server for.

#![expect(
    clippy::too_many_arguments,
    reason = "a server function has a parameter for each field of its form"
)]

use domain::ids::UpdateId;
use domain::ticket::TicketSeverity;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::tickets::model::{IssueAbout, IssueDraft, TicketView, TicketsQuery, TicketsView};

/// A page of tickets.
#[server(prefix = "/api", endpoint = "tickets/list", input = GetUrl)]
pub async fn list_tickets(query: TicketsQuery) -> Result<TicketsView, AppError> {
    crate::context::current()?.list_tickets(query).await
}

/// One ticket.
#[server(prefix = "/api", endpoint = "tickets/one", input = GetUrl)]
pub async fn get_ticket(number: i64) -> Result<TicketView, AppError> {
    crate::context::current()?.ticket(number).await
}

/// The form of an issue, filled in as far as it is known what it is about.
#[server(prefix = "/api", endpoint = "tickets/draft", input = GetUrl)]
pub async fn get_issue_draft(about: IssueAbout) -> Result<IssueDraft, AppError> {
    crate::context::current()?.issue_draft(about).await
}

/// Records an issue (I2). `rooms`: one a line.
#[server(prefix = "/api", endpoint = "tickets/record")]
pub async fn record_issue(
    title: String,
    description: String,
    severity: TicketSeverity,
    category: String,
    rooms: String,
    #[server(default)] high_impact: bool,
    #[server(default)] update: String,
) -> Result<FormSuccess, AppError> {
    let update = update.parse().ok();
    let issue = service::tickets::Issue {
        title: title.into(),
        description: description.into(),
        severity,
        category,
        rooms: rooms.into(),
        high_impact,
        update,
    };
    crate::context::current()?.record_issue(issue).await
}

/// Leaves the issue of a pause out, with a reason (K2).
#[server(prefix = "/api", endpoint = "tickets/leave-out")]
pub async fn leave_issue_out(update: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.leave_issue_out(update, &reason).await
}

/// Adds a note.
#[server(prefix = "/api", endpoint = "tickets/note")]
pub async fn add_note(number: i64, note: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.add_note(number, &note).await
}

/// Gives a ticket to somebody; empty: to nobody.
#[server(prefix = "/api", endpoint = "tickets/assign")]
pub async fn assign_ticket(number: i64, #[server(default)] assignee: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.assign_ticket(number, &assignee).await
}

/// Says whether somebody is looking into a ticket.
#[server(prefix = "/api", endpoint = "tickets/investigate")]
pub async fn investigate_ticket(number: i64, investigating: bool) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .investigate_ticket(number, investigating)
        .await
}

/// Changes what a recorded ticket says.
#[server(prefix = "/api", endpoint = "tickets/edit")]
pub async fn edit_ticket(
    number: i64,
    title: String,
    description: String,
    severity: TicketSeverity,
    #[server(default)] high_impact: bool,
) -> Result<FormSuccess, AppError> {
    let context = crate::context::current()?;
    context
        .edit_ticket(number, &title, &description, severity, high_impact)
        .await
}

/// Resolves a recorded ticket (I3).
#[server(prefix = "/api", endpoint = "tickets/resolve")]
pub async fn resolve_ticket(number: i64, category: String, note: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .resolve_ticket(number, &category, &note)
        .await
}

/// Lets an automatic ticket rest until the end of a day (I3).
#[server(prefix = "/api", endpoint = "tickets/suppress")]
pub async fn suppress_ticket(number: i64, until: String, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .suppress_ticket(number, &until, &reason)
        .await
}
