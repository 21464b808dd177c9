//! One product: its releases, and which of them are published (P7).

use domain::access::Act;
use domain::update::Severity;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api::{CoverProduct, SetSupportPolicy, get_product};
use super::release_dialogs::{ADD, FILES, PUBLISH, RECALL, ReleaseDialogs};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::DIALOG;
use crate::components::empty_state::EmptyState;
use crate::components::for_role::ForRole;
use crate::components::icon::{self, Icon};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::show_resource::show_page;
use crate::components::status_badge::UpdateStatusBadge;
use crate::components::time::Time;
use crate::portfolio::model::{ProductView, ReleaseRow};
use crate::words::count;

/// The page.
#[component]
pub fn ProductPage() -> impl IntoView {
    let params = use_params_map();
    let address = use_query_map();
    let id = Memo::new(move |_| params.with(|params| address::value(params, "id")));
    let number = Memo::new(move |_| address.with(address::page));
    let product = page_resource(move || (id.get(), number.get()), |(id, number)| get_product(id, number));
    view! {
        {show_page(product, page)}
        <ReleaseDialogs product=id />
    }
    .into_any()
}

fn page(product: ProductView) -> AnyView {
    let ProductView {
        id,
        name,
        vendor,
        kind,
        covered,
        has_support_policy,
        expected,
        rooms,
        rows,
        pager,
        may_change,
    } = product;
    let path = format!("/portfolio/{id}");
    let add = format!("{path}?{DIALOG}={ADD}");
    let (state, other, offer) = if covered {
        ("Covered", "false", "Stop covering")
    } else {
        ("Not covered", "true", "Cover")
    };
    let support = has_support_policy.then(|| support_link(&id));
    let actions = view! {
        <ForRole act=Act::Publish>
            {cover(id.clone(), other, offer)} {support_policy(id.clone(), has_support_policy)}
            <a class="btn btn--primary" href=add.clone() data-noscroll="">
                <Icon name="add" />
                "Add a release"
            </a>
        </ForRole>
    };
    let content = if rows.is_empty() {
        view! { <EmptyState title="No releases" text="A release appears here when it is added or imported." clear=None /> }.into_any()
    } else {
        table(&path, &name, rows, may_change)
    };
    view! {
        <PageHeader title=name above=("/portfolio", "Portfolio") icon=icon::of_kind(kind) tab=None actions=actions.into_any()>
            <li>{vendor}</li>
            <li>{kind.label()}</li>
            <li>{state}</li>
            {support}
            <li>{count(rooms, "room has it", "rooms have it")}</li>
            <li>{expected}</li>
        </PageHeader>
        {covered.then(deployed_here)}
        <section aria-labelledby="h-releases">
            <div class="section-head">
                <h2 id="h-releases">"Releases"</h2>
                <p role="status">{pager.text.clone()}</p>
            </div>
            {content}
            <Pager pager />
        </section>
    }
    .into_any()
}

fn cover(product: String, covered: &'static str, offer: &'static str) -> AnyView {
    let action = posts_to::<CoverProduct>();
    view! {
        <PostForm action class="inline-form" prefix="cover">
            <input type="hidden" name="product" value=product />
            <input type="hidden" name="covered" value=covered />
            <button class="btn" type="submit">
                {offer}
            </button>
        </PostForm>
    }
    .into_any()
}

/// What whoever installs by hand should read first (C8).
fn deployed_here() -> AnyView {
    view! {
        <div class="msg">
            <Icon name="info" />
            <p class="msg-body">"Do not install this yourself: it is deployed here."</p>
        </div>
    }
    .into_any()
}

/// To the rooms by the support of its versions (L5).
fn support_link(product: &str) -> AnyView {
    let href = format!("/rooms/support?product={product}&group=all");
    view! {
        <li>
            <a href=href>"Support of its versions"</a>
        </li>
    }
    .into_any()
}

/// Whether its versions are supported for a time only (L1).
fn support_policy(product: String, has_policy: bool) -> AnyView {
    let action = posts_to::<SetSupportPolicy>();
    let (other, offer) = if has_policy {
        ("false", "Do not count support")
    } else {
        ("true", "Count support")
    };
    view! {
        <PostForm action class="inline-form" prefix="support">
            <input type="hidden" name="product" value=product />
            <input type="hidden" name="has_policy" value=other />
            <button class="btn" type="submit">
                {offer}
            </button>
        </PostForm>
    }
    .into_any()
}

fn table(path: &str, product: &str, rows: Vec<ReleaseRow>, may_change: bool) -> AnyView {
    let head = view! {
        <Head class="col-name" label="Version" />
        <Head label="Released" />
        <Head label="Update" />
        <Head class="col-num" label="Files" />
        <Head class="col-num" label="Devices" />
        {may_change.then(|| view! { <Head label="What may be done" hidden=true /> }.into_any())}
    };
    let rows = rows
        .into_iter()
        .map(|found| row(path, found, may_change))
        .collect_view();
    view! {
        <DataTable kind="releases" caption=format!("Releases of {product}") head=head.into_any()>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(path: &str, row: ReleaseRow, may_change: bool) -> AnyView {
    let ReleaseRow {
        id,
        version,
        released,
        severity,
        status,
        recalled,
        files,
        devices,
    } = row;
    let released = match released {
        Some(when) => view! { <Time when /> }.into_any(),
        None => view! { <span class="muted">"Not known"</span> }.into_any(),
    };
    let is_published = status.is_some();
    let state = match status {
        Some(status) => view! {
            <a href=format!("/updates/{id}")>
                <UpdateStatusBadge status />
            </a>
        }
        .into_any(),
        None => view! { <span class="muted">"Not published"</span> }.into_any(),
    };
    let critical = (severity == Severity::Critical).then(|| view! { <span class="sub">"Critical"</span> }.into_any());
    let withdrawn = recalled.then(|| view! { <span class="sub">"Recalled"</span> }.into_any());
    let actions = may_change.then(|| {
        let to = |word: &str| format!("{path}?{DIALOG}={word}&release={id}");
        let publish = (!is_published && !recalled).then(|| link(to(PUBLISH), "Publish", &version));
        let recall = (!recalled).then(|| link(to(RECALL), "Recall", &version));
        let files = link(to(FILES), "Files", &version);
        view! {
            <Cell class="col-act">
                <span class="btn-row">{publish} {files} {recall}</span>
            </Cell>
        }
        .into_any()
    });
    view! {
        <tr role="row">
            <NameCell class="col-name">{version.clone()} {critical}</NameCell>
            <Cell label="Released">{released}</Cell>
            <Cell label="Update">{state} {withdrawn}</Cell>
            <Cell class="col-num" label="Files">
                {files}
            </Cell>
            <Cell class="col-num" label="Devices">
                {devices}
            </Cell>
            {actions}
        </tr>
    }
    .into_any()
}

fn link(href: String, word: &'static str, version: &str) -> AnyView {
    let label = format!("{word} {version}");
    view! {
        <a class="btn btn--small" href=href data-noscroll="" aria-label=label>
            {word}
        </a>
    }
    .into_any()
}
