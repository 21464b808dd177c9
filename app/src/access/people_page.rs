//! Who has an account, and what they are here for.

use domain::access::Role;
use leptos::prelude::*;

use super::api::get_people;
use crate::access::model::{PeopleView, PersonRow};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::page_header::PageHeader;
use crate::components::resource::json_resource;
use crate::components::show_resource::show_part;

/// Everybody with an account.
#[component]
pub fn PeoplePage() -> impl IntoView {
    // Not asked again while it is open: what is shown once must stay until it is copied.
    let people = json_resource(|| (), |()| get_people());
    view! {
        <PageHeader title="People" tab=None above=("/settings", "Settings") />
        {show_part(people, page)}
    }
    .into_any()
}

fn page(people: PeopleView) -> AnyView {
    let PeopleView { rows, may_change, link } = people;
    let head = view! {
        <Head label="Name" />
        <Head label="Role" />
        <Head label="State" />
        {may_change.then(|| view! { <Head class="col-act" label="Change" /> }.into_any())}
    };
    let link = link.map(|link| {
        view! {
            <div class="msg msg--warning" role="status">
                <div class="msg-body">
                    <p>"Send them this link. It is not shown again, works once and expires after three days."</p>
                    <p>
                        <code class="one-time-secret">{link}</code>
                    </p>
                </div>
            </div>
        }
        .into_any()
    });
    view! {
        {link}
        <section aria-label="People">
            <DataTable kind="people" caption="People with an account" head=head.into_any()>
                {rows.into_iter().map(|row| person(row, may_change)).collect_view()}
            </DataTable>
        </section>
        {may_change.then(add)}
    }
    .into_any()
}

fn person(row: PersonRow, may_change: bool) -> AnyView {
    let PersonRow {
        id,
        name,
        email,
        role,
        state,
    } = row;
    let href = format!("/settings/people/{id}");
    let change = may_change.then(|| changes(&name, &email, role));
    view! {
        <tr role="row">
            <NameCell class="col-name">
                <a href=href>{name}</a>
                <span class="sub">{email}</span>
            </NameCell>
            <Cell class="col-role" label="Role">{role.label()}</Cell>
            <Cell class="col-state" label="State">{state}</Cell>
            {change}
        </tr>
    }
    .into_any()
}

/// What may be done to a person: another role, a new link, an end.
fn changes(name: &str, email: &str, role: Role) -> AnyView {
    let email = email.to_owned();
    let named = |what: &str| format!("{what} {name}");
    let (role_of, set, reset, disable) = (
        named("Role of"),
        named("Set the role of"),
        named("Reset link for"),
        named("Disable"),
    );
    view! {
        <Cell class="col-act">
            <div class="btn-row">
                <form class="inline-form" method="post" action="/settings/people/role">
                    <input type="hidden" name="email" value=email.clone() />
                    <div class="select-wrap">
                        <select class="input select" name="role" aria-label=role_of>
                            {roles(Some(role))}
                        </select>
                    </div>
                    <button class="btn btn--small" type="submit" aria-label=set>
                        "Set"
                    </button>
                </form>
                <form method="post" action="/settings/people/reset">
                    <input type="hidden" name="email" value=email.clone() />
                    <button class="btn btn--small" type="submit" aria-label=reset>
                        "Reset link"
                    </button>
                </form>
                <form method="post" action="/settings/people/disable">
                    <input type="hidden" name="email" value=email />
                    <button class="btn btn--small" type="submit" aria-label=disable>
                        "Disable"
                    </button>
                </form>
            </div>
        </Cell>
    }
    .into_any()
}

pub(super) fn roles(selected: Option<Role>) -> AnyView {
    Role::ALL
        .into_iter()
        .map(|role| {
            view! {
                <option value=role.as_str() selected=selected == Some(role)>
                    {role.label()}
                </option>
            }
            .into_any()
        })
        .collect_view()
        .into_any()
}

fn add() -> AnyView {
    view! {
        <section aria-labelledby="h-add">
            <div class="section-head">
                <h2 id="h-add">"Add a person"</h2>
            </div>
            <form class="form" method="post" action="/settings/people/add">
                <div class="field">
                    <label for="person-name">"Name"</label>
                    <input class="input" id="person-name" name="name" maxlength="100" autocomplete="off" required />
                </div>
                <div class="field">
                    <label for="person-email">"E-mail"</label>
                    <input
                        class="input"
                        id="person-email"
                        name="email"
                        type="email"
                        maxlength="200"
                        autocomplete="off"
                        required
                    />
                </div>
                <div class="field">
                    <label for="person-role">"Role"</label>
                    <div class="select-wrap">
                        <select class="input select" id="person-role" name="role">
                            {roles(Some(Role::Helpdesk))}
                        </select>
                    </div>
                </div>
                <button class="btn btn--primary" type="submit">
                    "Add"
                </button>
            </form>
        </section>
    }
    .into_any()
}
