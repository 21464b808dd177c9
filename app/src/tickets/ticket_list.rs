//! Tickets as a table, and as links in the margin of another page.

use leptos::prelude::*;

use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::status_badge::{TicketSeverityBadge, TicketStateBadge};
use crate::components::time::Time;
use crate::tickets::model::TicketRow;

/// A table of tickets.
pub fn ticket_table(caption: String, rows: Vec<TicketRow>) -> AnyView {
    let head = view! {
        <Head label="Ticket" />
        <Head class="col-sev" label="Severity" />
        <Head class="col-state" label="State" />
        <Head class="col-opened" label="Opened" />
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <DataTable kind="ticket-list" caption head>
            {rows}
        </DataTable>
    }
    .into_any()
}

/// Links to tickets, or a line that says there are none.
pub fn ticket_links(rows: Vec<TicketRow>) -> AnyView {
    if rows.is_empty() {
        return view! { <p class="muted">"No tickets."</p> }.into_any();
    }
    let rows = rows.into_iter().map(|row| {
        view! {
            <li class="ticket-link">
                <a href=address(row.number)>{name(&row)}</a>
                <TicketSeverityBadge severity=row.severity />
                <span class="sub">{format!("{}, opened ", row.state.label())} <Time when=row.opened /></span>
            </li>
        }
        .into_any()
    });
    view! { <ul class="list">{rows.collect_view()}</ul> }.into_any()
}

fn row(row: TicketRow) -> AnyView {
    let name = name(&row);
    view! {
        <tr role="row">
            <NameCell>
                <a href=address(row.number)>{name}</a>
                <span class="sub">{row.rooms}</span>
            </NameCell>
            <Cell class="col-sev" label="Severity">
                <TicketSeverityBadge severity=row.severity />
            </Cell>
            <Cell class="col-state" label="State">
                <TicketStateBadge state=row.state />
            </Cell>
            <Cell class="col-opened" label="Opened">
                <Time when=row.opened />
                <span class="sub">{format!("by {}", row.opened_by)}</span>
            </Cell>
        </tr>
    }
    .into_any()
}

fn address(number: i64) -> String {
    format!("/incidents/{number}")
}

fn name(row: &TicketRow) -> String {
    format!("T-{} {}", row.number, row.title)
}
