//! The list of updates (T9, T10).

use domain::status::UpdateStatus;
use domain::update::{ProductKind, Severity};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::UpdatesHead;
use super::api::list_updates;
use super::ring_track::RingTrack;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell, SortHead};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, Filter, HiddenField, SearchBox, Switch, Toolbar, choice};
use crate::components::icon;
use crate::components::legend::{Legend, LegendEntry};
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::product_cell::ProductCell;
use crate::components::resource::empty_view;
use crate::components::show_resource::show_part;
use crate::components::status_badge::{SeverityMark, UpdateStatusBadge, severity_label};
use crate::components::time::Time;
use crate::updates::model::{UpdateRow, UpdatesQuery, UpdatesView};

const PATH: &str = "/updates";

/// The page.
#[component]
pub fn UpdatesPage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| address.with(query));
    let updates = page_resource(move || query.get(), list_updates);
    view! {
        <UpdatesHead current="Updates" />
        {show_part(updates, move |view| page(view, &query.get_untracked(), &address.get_untracked()))}
    }
    .into_any()
}

fn query(address: &ParamsMap) -> UpdatesQuery {
    UpdatesQuery {
        q: address::value(address, "q"),
        status: address::value(address, "status"),
        severity: address::value(address, "severity"),
        kind: address::value(address, "kind"),
        vendor: address::value(address, "vendor"),
        sort: address::value(address, "sort"),
        past: address::value(address, "past") == "on",
        page: address::page(address),
    }
}

fn page(view: UpdatesView, query: &UpdatesQuery, address: &ParamsMap) -> AnyView {
    let UpdatesView {
        rows,
        scale,
        vendors,
        pager,
    } = view;
    let content = if rows.is_empty() {
        no_rows(address)
    } else {
        let rows = rows.into_iter().map(row).collect_view();
        view! {
            <DataTable kind="updates" caption="Updates" head=head(&scale, address)>
                {rows}
            </DataTable>
        }
        .into_any()
    };
    let legend = vec![
        LegendEntry::Installed,
        LegendEntry::Failed,
        LegendEntry::Waiting,
        LegendEntry::TestDays,
        LegendEntry::Today,
        LegendEntry::Paused,
    ];
    view! {
        {toolbar(query, vendors)}
        <section aria-labelledby="h-list">
            <div class="section-head">
                <h2 id="h-list" class="vh">
                    "List"
                </h2>
                <p role="status">{pager.text.clone()}</p>
                <Legend of="ring track" entries=legend />
            </div>
            {content}
            <Pager pager />
        </section>
    }
    .into_any()
}

fn toolbar(query: &UpdatesQuery, vendors: Vec<String>) -> AnyView {
    let query = query.clone();
    let statuses = UpdateStatus::ALL
        .map(|status| choice(status.as_str(), status.label()))
        .to_vec();
    let severities = [Severity::Critical, Severity::Routine]
        .map(|each| choice(each.as_str(), severity_label(each)))
        .to_vec();
    let kinds = ProductKind::ALL
        .map(|kind| choice(kind.as_str(), kind.label()))
        .to_vec();
    let vendors = vendors
        .into_iter()
        .map(|vendor| choice(vendor.clone(), vendor))
        .collect();
    view! {
        <Toolbar action=PATH>
            <SearchBox label="Search updates" value=query.q />
            <Filter label="Status" name="status" value=query.status choices=statuses />
            <Filter label="Severity" name="severity" value=query.severity choices=severities />
            <Filter label="Kind" name="kind" value=query.kind choices=kinds />
            <Filter label="Vendor" name="vendor" value=query.vendor choices=vendors />
            <HiddenField name="sort" value=query.sort />
            <Apply />
            <Switch label="Include past updates" name="past" on=query.past />
        </Toolbar>
    }
    .into_any()
}

fn no_rows(address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(PATH, address) /> }.into_any()
    } else if address::is_filtered(address) {
        view! {
            <EmptyState
                title="No update matches"
                text="No update matches these filters."
                clear=Some(PATH.to_owned())
            />
        }
        .into_any()
    } else {
        view! {
            <EmptyState
                title="No update is under way"
                text="Past updates are shown with Include past updates."
                clear=None
            />
        }
        .into_any()
    }
}

fn head(scale: &[(String, u32)], address: &ParamsMap) -> AnyView {
    let rings = scale
        .iter()
        .map(|(name, days)| view! { <span class=format!("g{days}")>{name.clone()}</span> }.into_any());
    let sort = |label, class, column| view! { <SortHead label class column path=PATH query=address.clone() /> };
    view! {
        {sort("Update", "col-name", "name")}
        {sort("Status", "col-status", "status")}
        <th scope="col" role="columnheader" class="col-track">
            <span class="vh">"Rollout"</span>
            <span class="ring-scale" aria-hidden="true">
                {rings.collect_view()}
            </span>
        </th>
        <Head class="col-rooms" label="Installed" />
        {sort("Start", "col-starts", "starts")}
        {sort("Ends", "col-ends", "ends")}
    }
    .into_any()
}

fn row(row: UpdateRow) -> AnyView {
    let href = format!("{PATH}/{}", row.id);
    let sub = format!("{} · {}", row.vendor, row.kind.label());
    let severity = match row.severity {
        Severity::Critical => view! {
            <span class="sub sub--sev">
                <SeverityMark severity=row.severity />
            </span>
        }
        .into_any(),
        Severity::Routine => empty_view(),
    };
    let failed = (row.failed > 0).then(|| {
        let failed = format!("{} failed", row.failed);
        view! { <span class="sub bad">{failed}</span> }.into_any()
    });
    let day = row.day.map(|day| view! { <span class="sub">{day}</span> }.into_any());
    view! {
        <tr role="row">
            <NameCell class="col-name">
                <ProductCell icon=icon::of_kind(row.kind) name=row.title href=Some(href) sub />
            </NameCell>
            <Cell class="col-status">
                <UpdateStatusBadge status=row.status />
                {severity}
            </Cell>
            <Cell class="col-track">
                <RingTrack status=row.status track=row.track />
            </Cell>
            <Cell class="col-rooms">
                <span class="nowrap">{format!("{} of {}", row.done, row.total)}</span>
                {failed}
            </Cell>
            <Cell class="col-starts">
                <Time when=row.starts />
            </Cell>
            <Cell class="col-ends">
                <Time when=row.ends />
                {day}
            </Cell>
        </tr>
    }
    .into_any()
}
