//! Record an issue (I2): from a room, an update or the list; and after a pause, where it may be left out with a reason (K2).

use domain::access::Act;
use domain::ticket::TicketSeverity;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::api::{LeaveIssueOut, RecordIssue, get_issue_draft};
use crate::components::address;
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::post_form::{FormDialog, PostForm, ReasonField, SelectField, TextArea, TextField, posts_to};
use crate::tickets::model::{IssueAbout, IssueDraft};

/// The word of the dialog in addresses.
const RECORD: &str = "record";

/// The link that opens the dialog on a page, for whoever may record an issue.
#[component]
pub fn RecordLink(
    /// The page's address.
    #[prop(into)]
    path: String,
) -> impl IntoView {
    let separator = if path.contains('?') { '&' } else { '?' };
    let href = format!("{path}{separator}{DIALOG}={RECORD}");
    view! {
        <ForRole act=Act::WorkOnTickets>
            <a class="btn" href=href.clone() data-noscroll="">
                <Icon name="ticket" />
                "Record an issue"
            </a>
        </ForRole>
    }
}

/// The dialog, where the address opens it. `about`: what it is about, as soon as that is known; `close`: the page without it.
pub fn record_dialog(
    about: impl Fn() -> Option<IssueAbout> + Send + Sync + 'static,
    address: Memo<ParamsMap>,
    close: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> AnyView {
    let key = move || {
        let is_open = address.with(|address| address::value(address, DIALOG) == RECORD);
        about().filter(|_| is_open)
    };
    opened(key, get_issue_draft, move |_, answer| {
        let close = untrack(&close);
        Some(match answer {
            Ok(draft) => dialog(draft, &address.get_untracked(), close),
            Err(error) => failed("Record an issue", close, &error),
        })
    })
}

#[expect(clippy::too_many_lines, reason = "one form")]
fn dialog(draft: IssueDraft, address: &ParamsMap, close: String) -> AnyView {
    let paused = draft.update.clone().filter(|_| draft.paused);
    let about = draft.update.clone().map(|(id, title)| {
        view! {
            <input type="hidden" name="update" value=id.to_string() />
            <p class="muted">{format!("About {title}.")}</p>
        }
        .into_any()
    });
    let severities = TicketSeverity::ALL.map(|severity| (severity.as_str().to_owned(), severity.label().to_owned()));
    // Whoever does not know sees that there is a choice; a default would be filed and never looked at.
    let mut categories = vec![(String::new(), "Choose a category".to_owned())];
    categories.extend(draft.categories.iter().map(|word| (word.clone(), word.clone())));
    let severity = address::typed(address, "severity", TicketSeverity::Important.as_str());
    let category = address::value(address, "category");
    let title = address::typed(address, "title", &draft.title);
    let description = address::typed(address, "description", &draft.description);
    let rooms = address::typed(address, "rooms", &draft.rooms);
    let high_impact = address::value(address, "high_impact") == "true";
    let heading = if paused.is_some() {
        "It is paused. Record an issue?"
    } else {
        "Record an issue"
    };
    let action = posts_to::<RecordIssue>();
    let without = match paused {
        Some((id, _)) => leave_out(id.to_string()),
        None => ().into_any(),
    };
    view! {
        <FormDialog title=heading close action submit="Record" after=without>
            {about}
            <TextField label="Title" name="title" value=title first=true />
            <TextArea
                label="What happened"
                name="description"
                value=description
                hint="Say what people see in the room, and since when."
                longest=4000
                rows=3
            />
            <TextArea
                label="Rooms"
                name="rooms"
                value=rooms
                hint="One a line. They show as unhealthy while the ticket is open."
                longest=20_000
                rows=3
            />
            <div class="field-row">
                <SelectField label="Severity" name="severity" value=severity choices=severities.to_vec() />
                <SelectField label="Category" name="category" value=category choices=categories />
            </div>
            <div class="choice">
                <input type="checkbox" id="high-impact" name="high_impact" value="true" checked=high_impact />
                <div>
                    <label for="high-impact">"High impact"</label>
                    <p class="hint">"It keeps people from working."</p>
                </div>
            </div>
        </FormDialog>
    }
    .into_any()
}

/// After a pause: no issue, and why.
fn leave_out(update: String) -> AnyView {
    let action = posts_to::<LeaveIssueOut>();
    view! {
        <details class="dialog-after">
            <summary>"Record no issue"</summary>
            <PostForm action class="form">
                <input type="hidden" name="update" value=update />
                <ReasonField />
                <button class="btn" type="submit">
                    "Leave it out"
                </button>
            </PostForm>
        </details>
    }
    .into_any()
}
