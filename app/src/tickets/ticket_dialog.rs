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
    let number = ticket.row.number;
    let close = format!("/incidents/{number}");
    let hidden = move || view! { <input type="hidden" name="number" value=number.to_string() /> };
    let [reason, note, until] = ["reason", "note", "until"].map(|name| address::value(address, name));
    let latest = format!("At the latest {}.", choices.last_day);
    let (title, description, category) = (ticket.row.title, ticket.description, ticket.category);
    let (is_high, is_automatic) = (ticket.high_impact, ticket.is_automatic);
    let categories: Vec<_> = choices
        .categories
        .iter()
        .map(|word| (word.clone(), word.clone()))
        .collect();
    let dialog = match word {
        "assign" => {
            let action = posts_to::<AssignTicket>();
            let mut people = vec![(String::new(), "Nobody".to_owned())];
            people.extend(choices.assignees.iter().map(|name| (name.clone(), name.clone())));
            let value = ticket.assignee.unwrap_or_default();
            view! {
                <FormDialog title="Assign the ticket" close action submit="Assign" narrow=true>
                    {hidden()}
                    <SelectField label="Assigned to" name="assignee" value choices=people />
                </FormDialog>
            }
            .into_any()
        }
        "edit" if !is_automatic => {
            let action = posts_to::<EditTicket>();
            let severities =
                TicketSeverity::ALL.map(|severity| (severity.as_str().to_owned(), severity.label().to_owned()));
            let severity = ticket.row.severity.as_str();
            view! {
                <FormDialog title="Edit the ticket" close action submit="Save">
                    {hidden()}
                    <TextField label="Title" name="title" value=title first=true />
                    <TextArea
                        label="What happened"
                        name="description"
                        value=description
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
                            checked=is_high
                        />
                        <div>
                            <label for="high-impact">"High impact"</label>
                        </div>
                    </div>
                </FormDialog>
            }
            .into_any()
        }
        "resolve" if !is_automatic => {
            let action = posts_to::<ResolveTicket>();
            view! {
                <FormDialog title="Resolve the ticket" close action submit="Resolve">
                    {hidden()}
                    <SelectField label="Cause" name="category" value=category choices=categories />
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
        "suppress" if is_automatic => {
            let action = posts_to::<SuppressTicket>();
            view! {
            <FormDialog title="Suppress the ticket" close action submit="Suppress">
                {hidden()}
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
        _ => return None,
    };
    Some(dialog)
}
