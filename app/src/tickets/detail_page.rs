//! One ticket (P7).

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::api::get_ticket;
use crate::components::address;
use crate::components::history_list::HistoryList;
use crate::components::loaded::loaded_page;
use crate::components::page_header::PageHeader;
use crate::components::status_badge::{TicketSeverityBadge, TicketStateBadge};
use crate::components::time::Time;
use crate::error::AppError;
use crate::view::TicketView;

/// The page.
#[component]
pub fn TicketPage() -> impl IntoView {
    let params = use_params_map();
    let number = Memo::new(move |_| params.with(|params| address::value(params, "number").parse::<i64>().ok()));
    let ticket = Resource::new(
        move || number.get(),
        |number| async move {
            let number = number.ok_or_else(|| AppError::NotFound {
                what: "This ticket".to_owned(),
            })?;
            get_ticket(number).await
        },
    );
    loaded_page(ticket, page)
}

fn page(ticket: TicketView) -> AnyView {
    let tab = Some(format!("T-{} {}", ticket.row.number, ticket.row.title));
    let details = details(&ticket);
    let rooms = ticket
        .rooms
        .into_iter()
        .map(|(id, name)| view! { <li><a href=format!("/rooms/{id}")>{name}</a></li> });
    view! {
        <PageHeader title=ticket.row.title tab above=("/incidents", "Incidents")>
            <li>
                <TicketSeverityBadge severity=ticket.row.severity pill=true />
            </li>
            <li>
                <TicketStateBadge state=ticket.row.state />
            </li>
            <li>{format!("T-{}", ticket.row.number)}</li>
        </PageHeader>
        <div class="cols cols--aside">
            <div class="stack">
                <section class="panel" aria-labelledby="h-what">
                    <h2 id="h-what">"What happened"</h2>
                    <div class="prose">{paragraphs(&ticket.description)}</div>
                </section>
                <section aria-labelledby="h-rooms">
                    <div class="section-head">
                        <h2 id="h-rooms">"Rooms"</h2>
                    </div>
                    <ul class="list">{rooms.collect_view()}</ul>
                </section>
            </div>
            <aside class="stack" aria-label="More about this ticket">
                {details}
                <section class="panel" aria-labelledby="h-history">
                    <h2 id="h-history">"History"</h2>
                    <HistoryList rows=ticket.history />
                </section>
            </aside>
        </div>
    }
    .into_any()
}

fn paragraphs(text: &str) -> AnyView {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| view! { <p>{line.to_owned()}</p> })
        .collect_view()
        .into_any()
}

fn details(ticket: &TicketView) -> AnyView {
    let update = ticket.update.clone().map(|(id, title)| {
        view! {
            <dt>"Update"</dt>
            <dd>
                <a href=format!("/updates/{id}")>{title}</a>
            </dd>
        }
    });
    let assignee = ticket.assignee.clone().unwrap_or_else(|| "Nobody".to_owned());
    view! {
        <section class="panel" aria-labelledby="h-details">
            <h2 id="h-details">"Details"</h2>
            <dl class="facts">
                {update}
                <dt>"Category"</dt>
                <dd>{ticket.category.clone()}</dd>
                <dt>"Assigned to"</dt>
                <dd>{assignee}</dd>
                <dt>"Opened by"</dt>
                <dd>{ticket.row.opened_by.clone()}</dd>
                <dt>"Opened"</dt>
                <dd>
                    <Time when=ticket.row.opened.clone() />
                </dd>
            </dl>
        </section>
    }
    .into_any()
}
