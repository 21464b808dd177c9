//! Incidents: the list of tickets (P0, P7).

use domain::ticket::{TicketSeverity, TicketStatus};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::list_tickets;
use super::record_dialog::{RecordLink, record_dialog};
use super::ticket_list::ticket_table;
use crate::components::address;
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, Filter, SearchBox, Toolbar, choice};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::show_resource::show_part;
use crate::tickets::model::{IssueAbout, TicketsQuery, TicketsView};

const PATH: &str = "/incidents";

/// The page.
#[component]
pub fn IncidentsPage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| address.with(query));
    let tickets = page_resource(move || query.get(), list_tickets);
    let close = move || address.with(|address| address::only(PATH, address, &["q", "state", "severity", "page"]));
    let record = view! { <RecordLink path=PATH /> }.into_any();
    view! {
        <PageHeader title="Incidents" tab=None actions=record />
        {show_part(tickets, move |view| page(view, query.get_untracked(), &address.get_untracked()))}
        {record_dialog(|| Some(IssueAbout::default()), address, close)}
    }
    .into_any()
}

fn query(address: &ParamsMap) -> TicketsQuery {
    TicketsQuery {
        q: address::value(address, "q"),
        state: address::value(address, "state"),
        severity: address::value(address, "severity"),
        page: address::page(address),
    }
}

fn page(view: TicketsView, query: TicketsQuery, address: &ParamsMap) -> AnyView {
    let TicketsView { rows, pager } = view;
    let content = if rows.is_empty() {
        no_rows(address)
    } else {
        ticket_table("Tickets".to_owned(), rows)
    };
    view! {
        {toolbar(query)}
        <section aria-labelledby="h-list">
            <div class="section-head">
                <h2 id="h-list" class="vh">
                    "List"
                </h2>
                <p role="status">{pager.text.clone()}</p>
            </div>
            {content}
            <Pager pager />
        </section>
    }
    .into_any()
}

fn toolbar(query: TicketsQuery) -> AnyView {
    let states = [
        TicketStatus::NeedsAction,
        TicketStatus::Investigating,
        TicketStatus::Resolved,
    ];
    let mut states = states.map(|state| choice(state.as_str(), state.label())).to_vec();
    states.push(choice("suppressed", "Suppressed"));
    states.push(choice("all", "All"));
    let severities = TicketSeverity::ALL
        .map(|severity| choice(severity.as_str(), severity.label()))
        .to_vec();
    view! {
        <Toolbar action=PATH>
            <SearchBox label="Search tickets" value=query.q />
            <Filter label="State" name="state" value=query.state choices=states none="Not resolved" />
            <Filter label="Severity" name="severity" value=query.severity choices=severities />
            <Apply />
        </Toolbar>
    }
    .into_any()
}

fn no_rows(address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(PATH, address) /> }.into_any()
    } else if address::is_filtered(address) {
        let clear = Some(PATH.to_owned());
        view! { <EmptyState title="No ticket matches" text="No ticket matches these filters." clear /> }.into_any()
    } else {
        view! { <EmptyState title="No open tickets" text="Every ticket is resolved." clear=None /> }.into_any()
    }
}
