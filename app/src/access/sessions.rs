//! Sessions: where somebody is signed in, with a button to end each.

use domain::ids::PersonId;
use leptos::prelude::*;

use crate::access::model::SessionRow;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::time::Time;

/// Whose sessions are shown, and what may be done to them.
#[derive(Clone, Copy)]
pub(super) enum SessionOwner {
    /// One's own: all but this one may be ended.
    Own,
    /// Of somebody else, by an admin.
    Of(PersonId),
    /// Of somebody else, to look at.
    Shown,
}

/// The section.
pub(super) fn sessions(rows: Vec<SessionRow>, whose: SessionOwner) -> AnyView {
    let may_end = !matches!(whose, SessionOwner::Shown);
    let others = rows.iter().filter(|row| !row.is_this).count();
    let head = view! {
        <Head label="Browser" />
        <Head label="Address" />
        <Head label="Since" />
        <Head label="Last used" />
        {may_end.then(|| view! { <Head label="End it" /> }.into_any())}
    };
    let caption = match whose {
        SessionOwner::Own => "Your sessions",
        SessionOwner::Of(_) | SessionOwner::Shown => "Sessions",
    };
    let end_all = (may_end && others > 1).then(|| {
        let name = match whose {
            SessionOwner::Own => "End all others",
            SessionOwner::Of(_) | SessionOwner::Shown => "End all",
        };
        end(whose, None, name)
    });
    let table = if rows.is_empty() {
        view! { <p class="sub">"Not signed in anywhere."</p> }.into_any()
    } else {
        view! {
            <DataTable kind="sessions" caption=caption head=head.into_any()>
                {rows.into_iter().map(|row| session(row, whose)).collect_view()}
            </DataTable>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby="h-sessions">
            <div class="section-head">
                <h2 id="h-sessions">"Sessions"</h2>
                {end_all}
            </div>
            {table}
        </section>
    }
    .into_any()
}

fn session(row: SessionRow, whose: SessionOwner) -> AnyView {
    let SessionRow {
        id,
        agent,
        address,
        since,
        last_used,
        is_this,
    } = row;
    let last = match whose {
        SessionOwner::Shown => None,
        SessionOwner::Own | SessionOwner::Of(_) if is_this => {
            Some(view! { <span class="sub">"This one"</span> }.into_any())
        }
        SessionOwner::Own | SessionOwner::Of(_) => Some(end(whose, Some(id), "End")),
    };
    view! {
        <tr role="row">
            <NameCell class="col-name">{agent}</NameCell>
            <Cell class="col-address" label="Address">
                {address}
            </Cell>
            <Cell class="col-since" label="Since">
                <Time when=since />
            </Cell>
            <Cell class="col-used" label="Last used">
                <Time when=last_used />
            </Cell>
            {last.map(|last| view! { <Cell class="col-act">{last}</Cell> }.into_any())}
        </tr>
    }
    .into_any()
}

/// Ends one session, or all but the one that asks.
fn end(whose: SessionOwner, session: Option<String>, name: &'static str) -> AnyView {
    let (action, person) = match whose {
        SessionOwner::Own | SessionOwner::Shown => ("/account/sessions/end", None),
        SessionOwner::Of(person) => ("/settings/people/sessions/end", Some(person.to_string())),
    };
    view! {
        <form method="post" action=action>
            {person.map(|person| view! { <input type="hidden" name="person" value=person /> }.into_any())}
            {session.map(|session| view! { <input type="hidden" name="session" value=session /> }.into_any())}
            <button class="btn btn--small" type="submit">
                {name}
            </button>
        </form>
    }
    .into_any()
}
