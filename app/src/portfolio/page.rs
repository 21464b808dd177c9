//! The page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::get_portfolio;
use crate::components::address;
use crate::components::changes::asking;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::icon;
use crate::components::loaded::loaded;
use crate::components::page_header::PageHeader;
use crate::components::pager::Pager;
use crate::components::product_cell::ProductCell;
use crate::components::status_badge::UpdateStatusBadge;
use crate::components::time::Time;
use crate::view::{PortfolioView, ProductRow};

const PATH: &str = "/portfolio";

/// Portfolio.
#[component]
pub fn PortfolioPage() -> impl IntoView {
    let address = use_query_map();
    let number = Memo::new(move |_| address.with(address::page));
    let products = asking(move || number.get(), get_portfolio);
    view! {
        <PageHeader title="Portfolio" tab=None />
        {loaded(products, move |view| page(view, &address.get_untracked()))}
    }
    .into_any()
}

fn page(portfolio: PortfolioView, address: &ParamsMap) -> AnyView {
    let PortfolioView { rows, pager } = portfolio;
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
        view! {
            <EmptyState title="No products" text="Products appear here when a catalogue is imported." clear=None />
        }
        .into_any()
    }
}

fn table(rows: Vec<ProductRow>) -> AnyView {
    let head = view! {
        <Head class="col-name" label="Product" />
        <Head label="Newest release" />
        <Head class="col-num" label="Releases" />
        <Head class="col-num" label="Rooms" />
        <Head label="Update" />
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <DataTable kind="portfolio" caption="Products" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: ProductRow) -> AnyView {
    let sub = format!("{} · {}", row.vendor, row.kind.label());
    let newest = match row.newest {
        Some(version) => version.into_any(),
        None => view! { <span class="muted">"None known"</span> }.into_any(),
    };
    let released = row.released.map(|when| {
        view! {
            <span class="sub">
                <Time when />
            </span>
        }
    });
    let published = match row.published {
        Some((id, status)) => view! {
            <a href=format!("/updates/{id}")>
                <UpdateStatusBadge status />
            </a>
        }
        .into_any(),
        None => view! { <span class="muted">"Not published"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <NameCell class="col-name">
                <ProductCell icon=icon::of_kind(row.kind) name=row.name href=None sub />
            </NameCell>
            <Cell label="Newest release">{newest} {released}</Cell>
            <Cell class="col-num" label="Releases">
                {row.releases}
            </Cell>
            <Cell class="col-num" label="Rooms">
                {row.rooms}
            </Cell>
            <Cell label="Update">{published}</Cell>
        </tr>
    }
    .into_any()
}
