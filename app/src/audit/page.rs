//! The page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::get_audit;
use crate::audit::model::{AuditQuery, AuditRow, AuditView};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, DayFilter, Filter, HiddenField, Toolbar};
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::show_resource::show_part;
use crate::components::time::Time;

const PATH: &str = "/audit";

/// Audit.
#[component]
pub fn AuditPage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| address.with(query));
    let entries = page_resource(move || query.get(), get_audit);
    view! {
        <PageHeader title="Audit" tab=None />
        {show_part(entries, move |view| page(view, query.get_untracked(), &address.get_untracked()))}
    }
    .into_any()
}

fn query(address: &ParamsMap) -> AuditQuery {
    AuditQuery {
        who: address::value(address, "who"),
        kind: address::value(address, "kind"),
        object: address::value(address, "object"),
        from: address::value(address, "from"),
        until: address::value(address, "until"),
        after: address::value(address, "after"),
        before: address::value(address, "before"),
    }
}

fn page(audit: AuditView, query: AuditQuery, address: &ParamsMap) -> AnyView {
    let AuditView {
        rows,
        actors,
        kinds,
        zone,
        export,
        pager,
    } = audit;
    let object = if query.object.is_empty() {
        view! { <Filter label="Object" name="kind" value=query.kind choices=kinds /> }.into_any()
    } else {
        let (who, from, until) = (query.who.as_str(), query.from.as_str(), query.until.as_str());
        let all = address::address(PATH, [("who", who), ("from", from), ("until", until)]);
        let one = format!("Only one {}", query.kind);
        view! {
            <HiddenField name="kind" value=query.kind />
            <HiddenField name="object" value=query.object />
            <a class="filter filter--only is-set" href=all>
                <span>{one}</span>
                <Icon name="dismiss" />
                <span class="vh">"Show all objects"</span>
            </a>
        }
        .into_any()
    };
    let content = if rows.is_empty() { no_rows(address) } else { table(rows) };
    view! {
        <Toolbar action=PATH>
            <Filter label="Who" name="who" value=query.who choices=actors none="Everybody" />
            {object}
            <DayFilter label="From" name="from" value=query.from />
            <DayFilter label="Until" name="until" value=query.until />
            <Apply />
            <a class="btn push" href=export rel="external" download="audit.csv">
                "Export"
            </a>
        </Toolbar>
        <section aria-labelledby="h-list">
            <div class="section-head">
                <h2 id="h-list" class="vh">
                    "List"
                </h2>
                <p role="status">{format!("{}. Days are days in {zone}.", pager.text)}</p>
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
        view! { <EmptyState title="No entry matches" text="No entry matches these filters." clear /> }.into_any()
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
    let AuditRow {
        at,
        actor,
        address,
        summary,
        object,
        about,
        facts,
    } = row;
    let object = match about {
        Some(about) => {
            let label = format!("Everything about this {object}");
            view! {
                <a href=about aria-label=label>
                    {object}
                </a>
            }
            .into_any()
        }
        None => object.into_any(),
    };
    let facts = (!facts.is_empty()).then(|| {
        let facts = facts
            .into_iter()
            .map(|fact| view! { <li>{fact}</li> }.into_any())
            .collect_view();
        view! {
            <details class="audit-facts">
                <summary>"What changed"</summary>
                <ul>{facts}</ul>
            </details>
        }
        .into_any()
    });
    let from = (!address.is_empty()).then(|| view! { <span class="sub">{format!("from {address}")}</span> }.into_any());
    view! {
        <tr role="row">
            <NameCell>{summary} {facts}</NameCell>
            <Cell label="Object">{object}</Cell>
            <Cell label="Who">{actor} " " {from}</Cell>
            <Cell label="When">
                <Time when=at />
            </Cell>
        </tr>
    }
    .into_any()
}
