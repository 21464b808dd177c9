//! Freezes: spans of dates in which nothing starts (W6).

use domain::access::Act;
use leptos::ev::Event;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};

use super::api::{AddFreeze, LiftFreeze, list_freezes, plan_freeze};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::empty_state::EmptyState;
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{FormDialog, ReasonField, SelectField, TextField, posts_to};
use crate::components::show_resource::show_part;
use crate::error::AppError;
use crate::freezes::model::{FreezeRow, FreezesView};

/// The page's address.
const FREEZES: &str = "/settings/freezes";
/// Words of the dialogs in addresses.
const ADD: &str = "add";
const LIFT: &str = "lift";

/// The page.
#[component]
pub fn FreezesPage() -> impl IntoView {
    let freezes = page_resource(|| (), |()| list_freezes());
    let add = view! {
        <ForRole act=Act::Freeze>
            <a class="btn btn--primary" href=format!("{FREEZES}?{DIALOG}={ADD}") data-noscroll="">
                <Icon name="add" />
                "Add a freeze"
            </a>
        </ForRole>
    };
    view! {
        <PageHeader
            title="Freezes"
            tab=None
            above=("/settings", "Settings")
            lede="Nothing starts on these dates. Plans skip them; installs that have started continue."
            actions=add.into_any()
        />
        {show_part(freezes, page)}
        <FreezeDialogs />
    }
    .into_any()
}

fn page(freezes: FreezesView) -> AnyView {
    let FreezesView { rows, may_change, .. } = freezes;
    if rows.is_empty() {
        let text = "Nothing is frozen, now or ahead.";
        return view! { <EmptyState title="No freezes" text clear=None /> }.into_any();
    }
    let head = view! {
        <Head class="col-name" label="Frozen" />
        <Head label="Dates" />
        <Head label="State" />
        <Head label="Reason" />
        {may_change.then(|| view! { <Head label="Lift it" hidden=true /> }.into_any())}
    };
    let rows = rows.into_iter().map(|found| row(found, may_change)).collect_view();
    view! {
        <DataTable kind="freezes" caption="Freezes" head=head.into_any()>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: FreezeRow, may_change: bool) -> AnyView {
    let lift = may_change.then(|| {
        let link = row.may_lift.then(|| {
            let href = format!("{FREEZES}?{DIALOG}={LIFT}&freeze={}", row.id);
            let label = format!("Lift the freeze of {}", row.whom);
            view! {
                <a class="btn btn--small" href=href data-noscroll="" aria-label=label>
                    "Lift"
                </a>
            }
            .into_any()
        });
        view! { <Cell class="col-act">{link}</Cell> }.into_any()
    });
    view! {
        <tr role="row">
            <NameCell class="col-name">{row.whom}</NameCell>
            <Cell label="Dates">{row.dates}</Cell>
            <Cell label="State">{row.state}</Cell>
            <Cell label="Reason">{row.reason} <span class="sub">{row.owner}</span></Cell>
            {lift}
        </tr>
    }
    .into_any()
}

#[component]
fn FreezeDialogs() -> impl IntoView {
    let address = use_query_map();
    let key = move || {
        let word = address.with(|address| address::value(address, DIALOG));
        let freeze = address.with(|address| address::value(address, "freeze"));
        [ADD, LIFT].contains(&word.as_str()).then_some((word, freeze))
    };
    opened(
        key,
        |_| list_freezes(),
        move |(word, freeze): (String, String), answer| {
            let freezes: FreezesView = match answer {
                Ok(freezes) => freezes,
                Err(error) => return Some(failed("Freezes", FREEZES.to_owned(), &error)),
            };
            if word == ADD {
                return Some(add(freezes, &address.get_untracked()));
            }
            let known = freezes.rows.into_iter().find(|row| row.id == freeze)?;
            Some(lift(known))
        },
    )
}

fn add(freezes: FreezesView, address: &ParamsMap) -> AnyView {
    let scope = address::typed(address, "scope", "organisation");
    let scopes: Vec<_> = freezes
        .scopes
        .into_iter()
        .map(|choice| (choice.value, choice.label))
        .collect();
    let from = address::typed(address, "from", &freezes.today);
    let until = address::typed(address, "until", &freezes.today);
    let reason = address::value(address, "reason");
    let action = posts_to::<AddFreeze>();
    let typed = RwSignal::new([scope.clone(), from.clone(), until.clone()]);
    // Each of the three fields tells when it has changed.
    let changed = move |event: Event| {
        let Some(target) = event.target() else { return };
        let (name, value) = match target.dyn_ref::<HtmlInputElement>() {
            Some(input) => (input.name(), input.value()),
            None => match target.dyn_ref::<HtmlSelectElement>() {
                Some(select) => (select.name(), select.value()),
                None => return,
            },
        };
        let place = ["scope", "from", "until"].iter().position(|known| *known == name);
        if let Some(place) = place {
            typed.update(|typed| typed[place] = value);
        }
    };
    view! {
        <FormDialog title="Add a freeze" close=FREEZES action submit="Freeze">
            <div class="stack" on:change=changed>
                <SelectField label="What is frozen" name="scope" value=scope choices=scopes />
                <div class="field-row">
                    <TextField label="First date" name="from" value=from kind="date" />
                    <TextField
                        label="Last date"
                        name="until"
                        value=until
                        kind="date"
                        hint="At most 30 days, with at least 14 free days before the next freeze."
                    />
                </div>
            </div>
            {follows(typed)}
            <ReasonField value=reason />
        </FormDialog>
    }
    .into_any()
}

/// What would follow for the running updates (K9): asked whenever one of the dates has changed.
fn follows(typed: RwSignal<[String; 3]>) -> AnyView {
    let moves = RwSignal::new(None::<Result<Vec<String>, AppError>>);
    Effect::new(move |_| {
        let [scope, from, until] = typed.get();
        spawn_local(async move {
            let plan = plan_freeze(scope.clone(), from.clone(), until.clone()).await;
            // Only the last question counts, if anybody still waits for it.
            if typed.try_get_untracked() == Some([scope, from, until]) {
                _ = moves.try_set(Some(plan));
            }
        });
    });
    let content = move || match moves.get() {
        None => view! { <p class="muted">"…"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="muted">{error.to_string()}</p> }.into_any(),
        Some(Ok(sentences)) => {
            let items = sentences
                .into_iter()
                .map(|sentence| view! { <li>{sentence}</li> }.into_any());
            view! { <ul class="bullets">{items.collect_view()}</ul> }.into_any()
        }
    };
    view! {
        <div class="preview" aria-live="polite">
            <h3>"What it moves"</h3>
            {content}
        </div>
    }
    .into_any()
}

fn lift(freeze: FreezeRow) -> AnyView {
    let title = format!("Lift the freeze of {}?", freeze.whom);
    let action = posts_to::<LiftFreeze>();
    let text = format!(
        "It is frozen {}. The dates still ahead are lifted, and plans get them back.",
        freeze.dates
    );
    view! {
        <FormDialog title close=FREEZES action submit="Lift the freeze" narrow=true>
            <input type="hidden" name="freeze" value=freeze.id />
            <p>{text}</p>
            <ReasonField first=true />
        </FormDialog>
    }
    .into_any()
}
