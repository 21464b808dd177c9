//! The dialogs of one ticket: assign, edit, resolve, suppress (I1, I3).

use domain::ticket::TicketSeverity;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::api::{AssignTicket, EditTicket, ResolveTicket, SuppressTicket, get_ticket};
use crate::components::address;
use crate::components::dialog::{DIALOG, opened};
use crate::components::post_form::{FormDialog, ReasonField, SelectField, TextArea, TextField, posts_to};
use crate::tickets::model::{TicketChoices, TicketView};

/// The dialog of a ticket that the address opens, if any.
#[component]
pub(super) fn TicketDialogs(
    /// The ticket.
    number: Memo<Option<i64>>,
    /// The address, with what a refused form has brought back.
    address: Memo<ParamsMap>,
) -> impl IntoView {
    let key = move || {
        let word = address.with(|address| address::value(address, DIALOG));
        Some((number.get()?, word)).filter(|(_, word)| !word.is_empty())
    };
    let ask = |(number, _)| get_ticket(number);
    opened(key, ask, move |(_, word): (i64, String), answer| {
        let ticket: TicketView = answer.ok()?;
        let choices = ticket.choices.clone()?;
        ticket_dialog(&word, ticket, choices, &address.get_untracked())
    })
}

/// Which one, by the word in the address; `None`: none, or none that fits this ticket.
fn ticket_dialog(word: &str, ticket: TicketView, choices: TicketChoices, address: &ParamsMap) -> Option<AnyView> {
    match (word, ticket.is_automatic) {
        ("assign", _) => Some(assign(ticket, &choices)),
        ("edit", false) => Some(edit(ticket)),
        ("resolve", false) => Some(resolve(ticket, &choices, address)),
        ("suppress", true) => Some(suppress(&ticket, &choices, address)),
        _ => None,
    }
}

/// The ticket's page.
fn close(ticket: &TicketView) -> String {
    format!("/incidents/{}", ticket.row.number)
}

fn hidden_number(ticket: &TicketView) -> AnyView {
    view! { <input type="hidden" name="number" value=ticket.row.number.to_string() /> }.into_any()
}

fn assign(ticket: TicketView, choices: &TicketChoices) -> AnyView {
    let (close, hidden, action) = (close(&ticket), hidden_number(&ticket), posts_to::<AssignTicket>());
    let mut people = vec![(String::new(), "Nobody".to_owned())];
    people.extend(choices.assignees.iter().map(|name| (name.clone(), name.clone())));
    let value = ticket.assignee.unwrap_or_default();
    view! {
        <FormDialog title="Assign the ticket" close action submit="Assign" narrow=true>
            {hidden}
            <SelectField label="Assigned to" name="assignee" value choices=people />
        </FormDialog>
    }
    .into_any()
}

fn edit(ticket: TicketView) -> AnyView {
    let (close, hidden, action) = (close(&ticket), hidden_number(&ticket), posts_to::<EditTicket>());
    let severities = TicketSeverity::ALL.map(|severity| (severity.as_str().to_owned(), severity.label().to_owned()));
    let severity = ticket.row.severity.as_str();
    view! {
        <FormDialog title="Edit the ticket" close action submit="Save">
            {hidden}
            <TextField label="Title" name="title" value=ticket.row.title first=true />
            <TextArea
                label="What happened"
                name="description"
                value=ticket.description
                longest=4000
                rows=4
            />
            <SelectField label="Severity" name="severity" value=severity choices=severities.to_vec() />
            <div class="choice">
                <input
                    type="checkbox"
                    id="high-impact"
                    name="high_impact"
                    value="true"
                    checked=ticket.high_impact
                />
                <div>
                    <label for="high-impact">"High impact"</label>
                </div>
            </div>
        </FormDialog>
    }
    .into_any()
}

fn resolve(ticket: TicketView, choices: &TicketChoices, address: &ParamsMap) -> AnyView {
    let (close, hidden, action) = (close(&ticket), hidden_number(&ticket), posts_to::<ResolveTicket>());
    let categories = choices.categories.iter();
    let categories: Vec<_> = categories.map(|word| (word.clone(), word.clone())).collect();
    let note = address::value(address, "note");
    view! {
        <FormDialog title="Resolve the ticket" close action submit="Resolve">
            {hidden}
            <SelectField label="Cause" name="category" value=ticket.category choices=categories />
            <TextArea
                label="What was done"
                name="note"
                value=note
                longest=4000
                rows=3
                first=true
            />
        </FormDialog>
    }
    .into_any()
}

fn suppress(ticket: &TicketView, choices: &TicketChoices, address: &ParamsMap) -> AnyView {
    let (close, hidden, action) = (close(ticket), hidden_number(ticket), posts_to::<SuppressTicket>());
    let [reason, until] = ["reason", "until"].map(|name| address::value(address, name));
    let latest = format!("At the latest {}.", choices.last_day);
    view! {
        <FormDialog title="Suppress the ticket" close action submit="Suppress">
            {hidden}
            <p>"It is resolved automatically when its cause is gone. Until the end of the day that you choose, it is not among the open tickets."</p>
            <TextField
                label="Until the end of"
                name="until"
                value=until
                kind="date"
                hint=latest
                first=true
            />
            <ReasonField value=reason />
        </FormDialog>
    }
    .into_any()
}
