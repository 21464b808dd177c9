//! The page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::get_audit;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::loaded::loaded;
use crate::components::page_header::PageHeader;
use crate::components::pager::Pager;
use crate::components::time::Time;
use crate::view::{AuditRow, AuditView};

const PATH: &str = "/audit";

/// Audit.
#[component]
pub fn AuditPage() -> impl IntoView {
    let address = use_query_map();
    let number = Memo::new(move |_| address.with(address::page));
    let entries = Resource::new(move || number.get(), get_audit);
    view! {
        <PageHeader title="Audit" tab=None />
        {loaded(entries, move |view| page(view, &address.get_untracked()))}
    }
    .into_any()
}

fn page(audit: AuditView, address: &ParamsMap) -> AnyView {
    let AuditView { rows, pager } = audit;
    let content = if rows.is_empty() { nothing(address) } else { table(rows) };
    view! {
        <section aria-labelledby="h-list">
            <div class="section-head">
                <h2 id="h-list" class="vh">
                    "List"
                </h2>
                <p role="status">{pager.text.clone()}</p>
            </div>
            {content}
            <Pager pager />
        </section>
    }
    .into_any()
}

fn nothing(address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(PATH, address) /> }.into_any()
    } else {
        view! { <EmptyState title="No entries" text="Nobody has changed anything yet." clear=None /> }.into_any()
    }
}

fn table(rows: Vec<AuditRow>) -> AnyView {
    let head = view! {
        <Head label="What" />
        <Head label="Object" />
        <Head label="Who" />
        <Head label="When" />
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <DataTable kind="audit" caption="Audit" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: AuditRow) -> AnyView {
    view! {
        <tr role="row">
            <NameCell>{row.summary}</NameCell>
            <Cell label="Object">{row.object}</Cell>
            <Cell label="Who">{row.actor}</Cell>
            <Cell label="When">
                <Time when=row.at />
            </Cell>
        </tr>
    }
    .into_any()
}
