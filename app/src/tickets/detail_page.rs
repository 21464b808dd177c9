//! One ticket (P7).

use domain::ticket::TicketStatus;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api::{AddNote, InvestigateTicket, get_ticket};
use super::ticket_dialog::TicketDialogs;
use crate::components::address;
use crate::components::dialog::DIALOG;
use crate::components::history_list::HistoryList;
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{PostForm, TextArea, posts_to};
use crate::components::show_resource::show_page;
use crate::components::status_badge::{TicketSeverityBadge, TicketStateBadge};
use crate::components::time::Time;
use crate::error::AppError;
use crate::tickets::model::TicketView;

/// The page.
#[component]
pub fn TicketPage() -> impl IntoView {
    let params = use_params_map();
    let number = Memo::new(move |_| params.with(|params| address::value(params, "number").parse::<i64>().ok()));
    let ticket = page_resource(
        move || number.get(),
        |number| async move {
            let number = number.ok_or_else(|| AppError::NotFound {
                what: "This ticket".to_owned(),
            })?;
            get_ticket(number).await
        },
    );
    let address = use_query_map();
    view! {
        {show_page(ticket, page)}
        <TicketDialogs number address />
    }
}

#[expect(clippy::too_many_lines, reason = "one page")]
fn page(ticket: TicketView) -> AnyView {
    let actions = ticket.choices.is_some().then(|| actions(&ticket));
    let note = ticket.choices.is_some().then(|| note(ticket.row.number));
    let suppressed = ticket
        .suppressed
        .clone()
        .map(|suppressed| view! { <li>{suppressed}</li> }.into_any());
    let high_impact = ticket.high_impact.then(|| view! { <li>"High impact"</li> }.into_any());
    let tab = Some(format!("T-{} {}", ticket.row.number, ticket.row.title));
    let details = details(&ticket);
    let has_update = ticket.update.is_some();
    let by_itself = (ticket.is_automatic && ticket.row.state != TicketStatus::Resolved).then(|| {
        view! { <p class="muted">"Nightshift has opened it, and resolves it once its cause is gone."</p> }.into_any()
    });
    let rooms = ticket.rooms.into_iter().map(|(id, name, site)| {
        let updates = has_update.then(|| {
            view! {
                " · "
                <a href=format!("/rooms/{id}/updates")>"Its updates"</a>
            }
            .into_any()
        });
        view! {
            <li>
                <a href=format!("/rooms/{id}")>{name}</a>
                <span class="sub">{site} {updates}</span>
            </li>
        }
        .into_any()
    });
    view! {
        <PageHeader title=ticket.row.title tab above=("/incidents", "Incidents") actions=actions.into_any()>
            <li>
                <TicketSeverityBadge severity=ticket.row.severity pill=true />
            </li>
            <li>
                <TicketStateBadge state=ticket.row.state />
            </li>
            <li>{format!("T-{}", ticket.row.number)}</li>
            {high_impact}
            {suppressed}
        </PageHeader>
        <div class="cols cols--aside">
            <div class="stack">
                <section class="panel" aria-labelledby="h-what">
                    <h2 id="h-what">"What happened"</h2>
                    <div class="prose">{paragraphs(&ticket.description)}</div>
                    {by_itself}
                </section>
                <section aria-labelledby="h-rooms">
                    <div class="section-head">
                        <h2 id="h-rooms">"Rooms"</h2>
                    </div>
                    <ul class="list">{rooms.collect_view()}</ul>
                </section>
                {note}
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

/// What may be done with it: links to dialogs, and whether somebody looks into it.
fn actions(ticket: &TicketView) -> AnyView {
    let number = ticket.row.number;
    let link = |word: &str, label: &'static str, picture: &'static str| {
        view! {
            <a class="btn" href=format!("/incidents/{number}?{DIALOG}={word}") data-noscroll="">
                <Icon name=picture />
                {label}
            </a>
        }
    };
    let assign = link("assign", "Assign", "person");
    if ticket.row.state == TicketStatus::Resolved {
        return assign.into_any();
    }
    let investigating = ticket.row.state == TicketStatus::Investigating;
    let (label, wanted) = if investigating {
        ("Needs action again", "false")
    } else {
        ("Investigate", "true")
    };
    let action = posts_to::<InvestigateTicket>();
    let last = if ticket.is_automatic {
        link("suppress", "Suppress", "h-suppressed").into_any()
    } else {
        view! { {link("edit", "Edit", "edit")} {link("resolve", "Resolve", "check")} }.into_any()
    };
    view! {
        <PostForm action class="inline-form">
            <input type="hidden" name="number" value=number.to_string() />
            <input type="hidden" name="investigating" value=wanted />
            <button class="btn" type="submit">
                <Icon name="search" />
                {label}
            </button>
        </PostForm>
        {assign}
        {last}
    }
    .into_any()
}

fn note(number: i64) -> AnyView {
    let action = posts_to::<AddNote>();
    view! {
        <section aria-labelledby="h-note">
            <div class="section-head">
                <h2 id="h-note">"Add a note"</h2>
            </div>
            <PostForm action class="form">
                <input type="hidden" name="number" value=number.to_string() />
                <TextArea label="Note" name="note" longest=4000 rows=3 hint="Everybody who sees tickets reads it." />
                <button class="btn btn--primary" type="submit">
                    "Add the note"
                </button>
            </PostForm>
        </section>
    }
    .into_any()
}

fn paragraphs(text: &str) -> AnyView {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| view! { <p>{line.to_owned()}</p> }.into_any())
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
        .into_any()
    });
    let resolution = ticket.resolution.clone().map(|category| {
        view! {
            <dt>"Cause"</dt>
            <dd>{category}</dd>
        }
        .into_any()
    });
    let assignee = ticket.assignee.clone().unwrap_or_else(|| "Nobody".to_owned());
    view! {
        <section class="panel" aria-labelledby="h-details">
            <h2 id="h-details">"Details"</h2>
            <dl class="facts">
                {update}
                <dt>"Category"</dt>
                <dd>{ticket.category.clone()}</dd>
                {resolution}
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
