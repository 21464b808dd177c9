//! One person with an account: what they are here for, and where they are signed in.

use domain::ids::PersonId;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::api::get_person;
use super::sessions::{SessionOwner, sessions};
use crate::access::model::{PersonDetailView, PersonRow};
use crate::components::address;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::show_resource::show_page;
use crate::error::AppError;

/// The page.
#[component]
pub fn PersonPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| address::value(params, "id").parse::<PersonId>().ok()));
    let person = page_resource(
        move || id.get(),
        |id| async move {
            let id = id.ok_or_else(|| AppError::NotFound {
                what: "This account".to_owned(),
            })?;
            get_person(id).await
        },
    );
    show_page(person, page)
}

fn page(view: PersonDetailView) -> AnyView {
    let PersonDetailView {
        person,
        sessions: rows,
        may_change,
        may_see_audit,
    } = view;
    let PersonRow {
        id,
        name,
        email,
        role,
        state,
    } = person;
    let done = address::address("/audit", [("who", format!("{name} ({email})").as_str())]);
    let suffered = address::address("/audit", [("kind", "person"), ("object", id.to_string().as_str())]);
    let whose = if rows.iter().any(|row| row.is_this) {
        SessionOwner::Own
    } else if may_change {
        SessionOwner::Of(id)
    } else {
        SessionOwner::Shown
    };
    view! {
        <PageHeader title=name tab=None above=("/settings/people", "People") />
        <section aria-label="Account">
            <dl class="facts facts--wide">
                <dt>"E-mail"</dt>
                <dd>{email}</dd>
                <dt>"Role"</dt>
                <dd>{role.label()}</dd>
                <dt>"State"</dt>
                <dd>{state}</dd>
                {may_see_audit
                    .then(|| {
                        view! {
                            <dt>"Audit"</dt>
                            <dd>
                                <a href=done>"What they did"</a>
                                ", "
                                <a href=suffered>"what was done to the account"</a>
                            </dd>
                        }.into_any()
                    })}
            </dl>
        </section>
        {sessions(rows, whose)}
    }
    .into_any()
}
