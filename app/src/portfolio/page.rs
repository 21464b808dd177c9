//! The page.

use domain::access::Act;
use domain::update::ProductKind;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::{AddProduct, get_portfolio};
use super::release_dialogs::ADD;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::{DIALOG, opened};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, SearchBox, Toolbar};
use crate::components::for_role::ForRole;
use crate::components::icon::{self, Icon};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::post_form::{FormDialog, SelectField, TextField, posts_to};
use crate::components::product_cell::ProductCell;
use crate::components::show_resource::show_part;
use crate::components::status_badge::UpdateStatusBadge;
use crate::components::time::Time;
use crate::error::AppError;
use crate::portfolio::model::{PortfolioView, ProductRow};

const PATH: &str = "/portfolio";

/// Portfolio.
#[component]
pub fn PortfolioPage() -> impl IntoView {
    let address = use_query_map();
    let number = Memo::new(move |_| address.with(address::page));
    let words = Memo::new(move |_| address.with(|address| address::value(address, "q")));
    let products = page_resource(
        move || (words.get(), number.get()),
        |(words, number)| get_portfolio(words, number),
    );
    let actions = view! {
        <ForRole act=Act::Publish>
            <a class="btn" href="/portfolio/import">
                "Import"
            </a>
            <a class="btn btn--primary" href=format!("{PATH}?{DIALOG}={ADD}") data-noscroll="">
                <Icon name="add" />
                "Add a product"
            </a>
        </ForRole>
    };
    view! {
        <PageHeader title="Portfolio" tab=None actions=actions.into_any() />
        {show_part(products, move |view| page(view, &address.get_untracked()))}
        <AddProductDialog />
    }
    .into_any()
}

/// The dialog of a new product, if the address opens it.
#[component]
fn AddProductDialog() -> impl IntoView {
    let address = use_query_map();
    let key = move || {
        address
            .with(|address| address::value(address, DIALOG) == ADD)
            .then_some(())
    };
    opened(
        key,
        |()| async { Ok(()) },
        move |(), _: Result<(), AppError>| {
            let address = address.get_untracked();
            let typed = |name: &str| address::value(&address, name);
            let kinds = ProductKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.label().to_owned()));
            let kind = address::typed(&address, "kind", ProductKind::Firmware.as_str());
            let minutes = address::typed(&address, "expected_minutes", "15");
            let (id, vendor, name) = (typed("id"), typed("vendor"), typed("name"));
            let action = posts_to::<AddProduct>();
            let dialog = view! {
                <FormDialog title="Add a product" close=PATH action submit="Add the product">
                    <TextField label="Name" name="name" value=name longest=100 first=true />
                    <TextField label="Vendor" name="vendor" value=vendor longest=100 />
                    <TextField
                        label="Id"
                        name="id"
                        value=id
                        longest=80
                        hint="As devices report it: small letters, digits and dashes, as in logitech-rally-bar."
                    />
                    <div class="field-row">
                        <SelectField label="Kind" name="kind" value=kind choices=kinds.to_vec() />
                        <TextField label="Expected minutes" name="expected_minutes" value=minutes kind="number" />
                    </div>
                </FormDialog>
            };
            Some(dialog.into_any())
        },
    )
}

fn page(portfolio: PortfolioView, address: &ParamsMap) -> AnyView {
    let PortfolioView { rows, pager, .. } = portfolio;
    let content = if rows.is_empty() { no_rows(address) } else { table(rows) };
    let words = address::value(address, "q");
    view! {
        <Toolbar action=PATH>
            <SearchBox label="Search products" value=words />
            <Apply />
        </Toolbar>
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

fn no_rows(address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(PATH, address) /> }.into_any()
    } else if address::is_filtered(address) {
        let clear = Some(PATH.to_owned());
        view! { <EmptyState title="No product matches" text="No product matches these filters." clear /> }.into_any()
    } else {
        view! {
            <EmptyState title="No products" text="Products appear here when they are added, or a catalogue is imported." clear=None />
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
    let href = format!("{PATH}/{}", row.id);
    let covered = if row.covered { "" } else { " · not covered" };
    let sub = format!("{} · {}{covered}", row.vendor, row.kind.label());
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
        .into_any()
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
                <ProductCell icon=icon::of_kind(row.kind) name=row.name href=Some(href) sub />
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
