//! Updates → Rings: the order in which an update goes through, and the 60 days (P6, R16).

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::api::list_rings;
use super::budget::Budget;
use super::ring_dialog::{ADD, DELETE, EDIT, RINGS, RingDialogs};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::DIALOG;
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::legend::{Legend, LegendEntry};
use crate::components::page_refresh::page_resource;
use crate::components::ring_badge::RingCode;
use crate::components::show_resource::show_part;
use crate::components::time::Time;
use crate::rings::model::{RingRow, RingsView};
use crate::updates::UpdatesHead;
use crate::words::count;

/// The page.
#[component]
pub fn RingsTab() -> impl IntoView {
    let rings = page_resource(|| (), |()| list_rings());
    let address = use_query_map();
    let add = view! {
        <ForRole act=Act::EditRings>
            <a class="btn btn--primary" href=format!("{RINGS}?{DIALOG}={ADD}") data-noscroll="">
                <Icon name="add" />
                "Add a ring"
            </a>
        </ForRole>
    };
    view! {
        <UpdatesHead current="Rings" actions=add.into_any() />
        {show_part(rings, page)}
        <RingDialogs address />
    }
    .into_any()
}

fn page(rings: RingsView) -> AnyView {
    let RingsView { total, remaining, .. } = rings;
    let table = table(&rings);
    view! {
        <p class="lede">
            "An update reaches the rings from top to bottom. All rings together may take 60 days."
        </p>
        <section class="budget-card" aria-labelledby="h-budget">
            <div class="section-head section-head--flush">
                <h2 id="h-budget">{format!("{total} of {} days set", total + remaining)}</h2>
                <Legend of="60 days" entries=vec![LegendEntry::Rollout, LegendEntry::Test, LegendEntry::Remaining] />
            </div>
            <Budget rings />
        </section>
        <section aria-labelledby="h-rings">
            <h2 id="h-rings" class="vh">
                "Rings"
            </h2>
            {table}
        </section>
    }
    .into_any()
}

fn table(rings: &RingsView) -> AnyView {
    let head = view! {
        <Head class="col-order" label="Order" />
        <Head label="Ring" />
        <Head class="col-num" label="Rooms" />
        <Head class="col-num" label="Deferment period" />
        <Head class="col-num" label="Rollout duration" />
        <Head class="col-num" label="Test period" />
        <Head class="col-num" label="Completion time" />
        <Head label="Last update" />
        {rings.may_edit.then(|| view! { <Head class="col-act" label="Change" hidden=true /> }.into_any())}
    }
    .into_any();
    let may_edit = rings.may_edit;
    let rows = rings
        .rows
        .iter()
        .cloned()
        .map(|ring| row(ring, may_edit))
        .collect_view();
    view! {
        <DataTable kind="rings" caption="Rings in order" head foot=sums(rings)>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: RingRow, may_edit: bool) -> AnyView {
    let (id, name) = (row.id, row.ring.name.clone());
    let change = may_edit.then(move || {
        let link = |word: &str, label: &'static str, picture: &'static str| {
            let href = format!("{RINGS}?{DIALOG}={word}&ring={id}");
            let named = format!("{label} {name}");
            view! {
                <a class="btn btn--icon btn--subtle" href=href aria-label=named data-noscroll="">
                    <Icon name=picture />
                </a>
            }
        };
        let edit = link(EDIT, "Edit", "edit").into_any();
        let delete = (!row.preconfigured).then(|| link(DELETE, "Delete", "delete").into_any());
        view! { <Cell class="col-act">{edit} {delete}</Cell> }.into_any()
    });
    let rooms = format!("/updates/rooms?ring={}", row.id);
    let order = match row.ring.scale {
        0 => "First".to_owned(),
        10 => "Last".to_owned(),
        order => format!("Order {order}"),
    };
    let description =
        (!row.description.is_empty()).then(|| view! { <span class="sub">{row.description}</span> }.into_any());
    let last = match row.last_update {
        Some(when) => view! { <Time when /> }.into_any(),
        None => view! { <span class="muted">"None yet"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <Cell class="col-order">
                <span class="ring">
                    <RingCode badge=row.ring.badge scale=row.ring.scale />
                    <span class="vh">{order}</span>
                </span>
            </Cell>
            <NameCell>
                <a href=rooms>{row.ring.name}</a>
                {description}
            </NameCell>
            <Cell class="col-num" label="Rooms">
                {row.rooms}
            </Cell>
            <Cell class="col-num" label="Deferment period">
                {days(row.deferment)}
            </Cell>
            <Cell class="col-num" label="Rollout duration">
                {days(row.rollout_days)}
            </Cell>
            <Cell class="col-num" label="Test period">
                {days(row.test_days)}
            </Cell>
            <Cell class="col-num" label="Completion time">
                {days(row.completion)}
            </Cell>
            <Cell label="Last update">{last}</Cell>
            {change}
        </tr>
    }
    .into_any()
}

fn sums(rings: &RingsView) -> AnyView {
    let sum = |of: fn(&RingRow) -> u32| rings.rows.iter().map(of).sum::<u32>();
    let rooms: i64 = rings.rows.iter().map(|row| row.rooms).sum();
    let (rollout, test, total) = (sum(|row| row.rollout_days), sum(|row| row.test_days), rings.total);
    view! {
        <tr role="row">
            <td role="cell" class="col-order"></td>
            <th scope="row" role="rowheader">
                "Total"
            </th>
            <Cell class="col-num" label="Rooms">
                {rooms}
            </Cell>
            <td role="cell" class="col-num"></td>
            <Cell class="col-num" label="Rollout duration">
                {days(rollout)}
            </Cell>
            <Cell class="col-num" label="Test period">
                {days(test)}
            </Cell>
            <Cell class="col-num" label="Completion time">
                {days(total)}
            </Cell>
            <td role="cell"></td>
            {rings.may_edit.then(|| view! { <td role="cell"></td> }.into_any())}
        </tr>
    }
    .into_any()
}

fn days(days: u32) -> String {
    count(days, "day", "days")
}
