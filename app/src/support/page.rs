//! Support: which versions rooms have, until when each is supported, and who still has what is out of support (L5).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::list_support;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, DayFilter, Filter, HiddenField, Toolbar, choice};
use crate::components::icon::Icon;
use crate::components::model::Choice;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::show_resource::show_part;
use crate::support::model::{
    GroupCount, ProductSupportView, RoomVersionView, SupportQuery, SupportRow, SupportView, VersionRow,
};
use crate::words::count;

/// The page's address.
const SUPPORT: &str = "/rooms/support";

/// The page.
#[component]
pub fn SupportPage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| address.with(query));
    let view = page_resource(move || query.get(), list_support);
    let export = move || {
        address.with(|address| address::only("/support.csv", address, &["product", "group", "version", "date"]))
    };
    let actions = view! {
        <a class="btn" href=export rel="external" download="support.csv">
            "Export"
        </a>
    };
    view! {
        <PageHeader
            title="Support"
            tab=None
            above=("/rooms", "Rooms")
            actions=actions.into_any()
        />
        {show_part(view, move |view| page(view, query.get_untracked(), &address.get_untracked()))}
    }
    .into_any()
}

fn query(address: &ParamsMap) -> SupportQuery {
    SupportQuery {
        product: address::value(address, "product"),
        group: address::value(address, "group"),
        version: address::value(address, "version"),
        date: address::value(address, "date"),
        after: address::value(address, "after"),
        before: address::value(address, "before"),
    }
}

fn page(view: SupportView, query: SupportQuery, address: &ParamsMap) -> AnyView {
    let SupportView {
        as_of,
        is_past,
        rule,
        today,
        products,
        choices,
        rows,
        pager,
    } = view;
    if choices.is_empty() {
        let text = "A product gets a support policy on its own page in the portfolio.";
        return view! { <EmptyState title="No product has a support policy" text clear=None /> }.into_any();
    }
    let date = query.date.clone();
    let of_version = (!query.version.is_empty() && !query.product.is_empty())
        .then(|| of_version(&query, choices.iter().find(|known| known.value == query.product)));
    let products = products.into_iter().map(|found| product(found, &date)).collect_view();
    let content = if rows.is_empty() {
        no_rows(address)
    } else {
        table(rows, is_past)
    };
    let groups = vec![
        choice("ending", "Ends within 60 days"),
        choice("supported", "Supported"),
        choice("unknown", "Unknown"),
        choice("all", "All"),
    ];
    view! {
        <p class="muted">
            {rule} " A room with several versions of a product counts once, for the one whose support ends first."
        </p>
        <Toolbar action=SUPPORT>
            <Filter label="Product" name="product" value=query.product choices />
            <Filter label="Support" name="group" value=query.group choices=groups none="Out of support" />
            <HiddenField name="version" value=query.version />
            <DayFilter label="As of" name="date" value=date max=today />
            <Apply />
        </Toolbar>
        <p class="muted">{as_of} {is_past.then_some(". Rooms whose devices had reported a version by the end of that day are counted.")}</p>
        {products}
        <section aria-labelledby="h-list">
            {of_version}
            <div class="section-head">
                <h2 id="h-list">"Rooms"</h2>
                <p role="status">{pager.text.clone()}</p>
            </div>
            {content}
            <Pager pager />
        </section>
    }
    .into_any()
}

/// Class and icon of a group.
#[must_use]
pub fn class_and_icon(group: &str) -> (&'static str, &'static str) {
    match group {
        "unsupported" => ("status check--fail", "check-fail"),
        "ending" => ("status check--warn", "check-warn"),
        "supported" => ("status check--pass", "check-pass"),
        _ => ("status check--na", "help"),
    }
}

fn badge(group: &str, label: String) -> AnyView {
    let (class, icon) = class_and_icon(group);
    view! {
        <span class=class>
            <Icon name=icon />
            {label}
        </span>
    }
    .into_any()
}

/// A product: its rooms by group, and its versions.
fn product(product: ProductSupportView, date: &str) -> AnyView {
    let id = format!("h-{}", product.id);
    let labelled = id.clone();
    let groups = product.groups.into_iter();
    let groups = groups.map(|counted| group(counted, &product.id, date)).collect_view();
    let versions = if product.versions.is_empty() {
        let nobody = if date.is_empty() {
            "No room has it."
        } else {
            "No device had reported it by then."
        };
        view! { <p class="muted">{nobody}</p> }.into_any()
    } else {
        let head = view! {
            <Head class="col-name" label="Version" />
            <Head label="Support" />
            <Head label="Last day" />
            <Head class="col-num" label="Rooms" />
        }
        .into_any();
        let of = (product.id.clone(), product.name.clone());
        let rows = product
            .versions
            .into_iter()
            .map(|row| version(row, &of, date))
            .collect_view();
        let caption = format!("Versions of {}", product.name);
        view! {
            <DataTable kind="support-versions" caption head>
                {rows}
            </DataTable>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby=labelled>
            <h2 id=id>{product.name}</h2>
            <ul class="chips">{groups}</ul>
            {versions}
        </section>
    }
    .into_any()
}

/// The rooms of a group; a number leads to them.
fn group(group: GroupCount, product: &str, date: &str) -> AnyView {
    let number = count(group.rooms, "room", "rooms");
    let label = badge(&group.group, format!("{}: {number}", group.label));
    let view = if group.rooms == 0 {
        view! { <span class="chip">{label}</span> }.into_any()
    } else {
        let values = [("product", product), ("group", group.group.as_str()), ("date", date)];
        let href = address::address(SUPPORT, values);
        view! {
            <a class="chip" href=href>
                {label}
            </a>
        }
        .into_any()
    };
    view! { <li>{view}</li> }.into_any()
}

fn version(row: VersionRow, (product, name): &(String, String), date: &str) -> AnyView {
    let rooms = if row.is_reported {
        let values = [
            ("product", product.as_str()),
            ("group", "all"),
            ("version", row.version.as_str()),
            ("date", date),
        ];
        let href = format!("{}#h-list", address::address(SUPPORT, values));
        let label = format!("{name} {}: {}", row.version, count(row.rooms, "room", "rooms"));
        view! {
            <a href=href aria-label=label>
                {row.rooms}
            </a>
        }
        .into_any()
    } else {
        row.rooms.into_any()
    };
    view! {
        <tr role="row">
            <NameCell class="col-name">{row.version}</NameCell>
            <Cell label="Support">{badge(&row.group, row.label)} <span class="sub">{row.why}</span></Cell>
            <Cell label="Last day">{row.until}</Cell>
            <Cell class="col-num" label="Rooms">
                {rooms}
            </Cell>
        </tr>
    }
    .into_any()
}

/// That the list is about one version, with a way back.
fn of_version(query: &SupportQuery, product: Option<&Choice>) -> AnyView {
    let name = product.map_or_else(|| query.product.clone(), |product| product.label.clone());
    let text = format!("Rooms with {name} {}.", query.version);
    let values = [
        ("product", query.product.as_str()),
        ("group", "all"),
        ("date", query.date.as_str()),
    ];
    let href = address::address(SUPPORT, values);
    view! {
        <div class="msg">
            <Icon name="info" />
            <p class="msg-body">
                {text} " " <a href=href>"Show all versions"</a>
            </p>
        </div>
    }
    .into_any()
}

fn table(rows: Vec<SupportRow>, is_past: bool) -> AnyView {
    let head = view! {
        <Head class="col-room" label="Room" />
        <Head class="col-site" label="Site" />
        <Head label="Version" />
        <Head label="Last day" />
        {(!is_past).then(|| view! { <Head label="Recommended" /> }.into_any())}
    }
    .into_any();
    let rows = rows.into_iter().map(|found| row(found, is_past)).collect_view();
    view! {
        <DataTable kind="support-rooms" caption="Rooms" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: SupportRow, is_past: bool) -> AnyView {
    let versions = row.versions;
    let list = |cell: fn(&RoomVersionView) -> AnyView| {
        let items = versions
            .iter()
            .map(|version| view! { <li>{cell(version)}</li> }.into_any());
        view! { <ul class="findings">{items.collect_view()}</ul> }.into_any()
    };
    let titles = list(|version| {
        let badge = badge(&version.group, version.label.clone());
        view! { {version.title.clone()} " " {badge} }.into_any()
    });
    let until = list(|version| version.until.clone().into_any());
    let projected = (!is_past).then(|| {
        let projected = list(|version| match &version.projected {
            Some(projected) => projected.clone().into_any(),
            None => view! { <span class="muted">"Nothing is planned"</span> }.into_any(),
        });
        view! { <Cell label="Recommended">{projected}</Cell> }.into_any()
    });
    view! {
        <tr role="row">
            <NameCell>
                <a href=format!("/rooms/{}", row.id)>{row.name}</a>
            </NameCell>
            <Cell class="col-site" label="Site">
                {row.site}
            </Cell>
            <Cell label="Version">{titles}</Cell>
            <Cell label="Last day">{until}</Cell>
            {projected}
        </tr>
    }
    .into_any()
}

fn no_rows(address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(SUPPORT, address) /> }.into_any()
    } else if address::is_filtered(address) {
        let clear = Some(SUPPORT.to_owned());
        view! { <EmptyState title="No room matches" text="No room matches these filters." clear /> }.into_any()
    } else {
        let text = "Every room has supported versions, as far as they are known.";
        view! { <EmptyState title="Nothing is out of support" text clear=None /> }.into_any()
    }
}
