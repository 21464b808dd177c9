//! Readiness over all rooms: which check fails where, and what onboarding still wants (C8).

use domain::access::Act;
use domain::readiness::{ALL_CHECKS, CheckResult};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::list_readiness;
use super::dialogs::{CONFIRM, ConfirmDialog};
use super::room_panel::class_and_icon;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, Filter, HiddenField, SearchBox, Toolbar, choice};
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::selection::{Selection, SelectionBar, SelectionBox};
use crate::components::show_resource::show_part;
use crate::readiness::model::{CheckCounts, CheckView, ReadinessQuery, ReadinessRow, ReadinessView};
use crate::words::count;

/// The page's address.
const READINESS: &str = "/rooms/readiness";
/// The list's filters in the address.
const FILTERS: [&str; 5] = ["q", "check", "result", "state", "software"];
/// These and the list's page.
const KEPT: [&str; 7] = ["q", "check", "result", "state", "software", "after", "before"];
/// Rooms that are onboarding, whatever their checks came to.
const ONBOARDING: &str = "/rooms/readiness?state=onboarding&result=all";

/// The page.
#[component]
pub fn ReadinessPage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| address.with(query));
    let close = Memo::new(move |_| address.with(|address| address::only(READINESS, address, &KEPT)));
    Selection::provide(address, &FILTERS, String::new);
    let view = page_resource(move || query.get(), list_readiness);
    let export = move || address.with(|address| address::only("/readiness.csv", address, &FILTERS));
    let actions = view! {
        <a class="btn" href=export rel="external" download="readiness.csv">
            "Export"
        </a>
        <ForRole act=Act::See>
            <a class="btn" href="/rooms/readiness/software">
                "Software"
            </a>
            <a class="btn" href="/rooms/readiness/profile">
                "Profile"
            </a>
        </ForRole>
    };
    view! {
        <PageHeader
            title="Readiness"
            tab=None
            above=("/rooms", "Rooms")
            lede="What rooms need so that updates go well, judged from what their devices report."
            actions=actions.into_any()
        />
        {show_part(view, move |view| page(view, query.get_untracked(), &address.get_untracked()))}
        <ConfirmDialog address close />
    }
    .into_any()
}

fn query(address: &ParamsMap) -> ReadinessQuery {
    ReadinessQuery {
        q: address::value(address, "q"),
        check: address::value(address, "check"),
        result: address::value(address, "result"),
        state: address::value(address, "state"),
        software: address::value(address, "software"),
        after: address::value(address, "after"),
        before: address::value(address, "before"),
    }
}

fn page(view: ReadinessView, query: ReadinessQuery, address: &ParamsMap) -> AnyView {
    let ReadinessView {
        rows,
        pager,
        counts,
        onboarding,
        may_decide,
    } = view;
    let is_onboarding = query.state == "onboarding";
    let content = if rows.is_empty() {
        no_rows(address, is_onboarding)
    } else {
        table(rows, may_decide && is_onboarding, address)
    };
    let news = (onboarding > 0 && !is_onboarding).then(|| {
        let text = format!(
            "{} onboarding: no updates are planned there.",
            count(onboarding, "room is", "rooms are")
        );
        view! {
            <div class="msg">
                <Icon name="info" />
                <p class="msg-body">
                    {text} " " <a href=ONBOARDING>"Show what they still need"</a>
                </p>
            </div>
        }
        .into_any()
    });
    let software = (!query.software.is_empty()).then(|| {
        let text = format!("Rooms with {}, which nobody has reviewed.", query.software);
        view! {
            <div class="msg">
                <Icon name="info" />
                <p class="msg-body">
                    {text} " " <a href="/rooms/readiness/software">"Show all software"</a>
                </p>
            </div>
        }
        .into_any()
    });
    view! {
        {news}
        {software}
        {summary(counts)}
        {toolbar(query)}
        <section aria-labelledby="h-list">
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

/// How many rooms there are of each result of each check; a number leads to its rooms.
fn summary(counts: Vec<CheckCounts>) -> AnyView {
    if counts.is_empty() {
        return view! { <p class="muted">"No room has been checked yet."</p> }.into_any();
    }
    let head = view! {
        <Head class="col-name" label="Check" />
        <Head class="col-num" label="Fail" />
        <Head class="col-num" label="Unknown" />
        <Head class="col-num" label="Warning" />
        <Head class="col-num" label="Waived" />
        <Head class="col-num" label="Fixed by the service" />
        <Head class="col-num" label="Pass" />
        <Head class="col-num" label="Not applicable" />
    }
    .into_any();
    let rows = counts.into_iter().map(|counts| {
        let check = counts.check;
        let cells = CheckResult::ALL.into_iter().zip(counts.rooms).map(|(result, rooms)| {
            let number = if rooms == 0 {
                view! { <span class="muted">"0"</span> }.into_any()
            } else {
                let href = format!("{READINESS}?check={}&result={}", check.as_str(), result.as_str());
                let label = format!(
                    "{}: {}: {}",
                    check.label(),
                    result.label(),
                    count(rooms, "room", "rooms")
                );
                view! {
                    <a href=href aria-label=label>
                        {rooms}
                    </a>
                }
                .into_any()
            };
            view! {
                <Cell class="col-num" label=result.label()>
                    {number}
                </Cell>
            }
            .into_any()
        });
        let cells = cells.collect_view();
        view! {
            <tr role="row">
                <NameCell class="col-name">{check.label()}</NameCell>
                {cells}
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    view! {
        <section aria-labelledby="h-checks">
            <h2 id="h-checks">"Checks"</h2>
            <DataTable kind="check-counts" caption="Rooms by check and result" head>
                {rows}
            </DataTable>
        </section>
    }
    .into_any()
}

fn toolbar(query: ReadinessQuery) -> AnyView {
    let checks = ALL_CHECKS.map(|check| choice(check.as_str(), check.label())).to_vec();
    let mut results = CheckResult::ALL
        .map(|result| choice(result.as_str(), result.label()))
        .to_vec();
    results.push(choice("all", "Any"));
    let states = vec![choice("onboarding", "Onboarding")];
    view! {
        <Toolbar action=READINESS>
            <SearchBox label="Search rooms" value=query.q />
            <Filter label="Check" name="check" value=query.check choices=checks />
            <Filter label="Result" name="result" value=query.result choices=results none="To look at" />
            <Filter label="Show" name="state" value=query.state choices=states none="All in use" />
            <HiddenField name="software" value=query.software />
            <Apply />
        </Toolbar>
    }
    .into_any()
}

fn table(rows: Vec<ReadinessRow>, may_choose: bool, address: &ParamsMap) -> AnyView {
    let page: Vec<_> = rows.iter().filter(|row| !row.is_confirmed).map(|row| row.id).collect();
    let keep = KEPT.map(|key| (key, address::value(address, key))).to_vec();
    let bar = may_choose.then(|| {
        view! { <SelectionBar path=READINESS opens_dialog=CONFIRM label="Confirm chosen rooms" icon="check" keep page /> }
            .into_any()
    });
    let head = view! {
        {may_choose.then(|| view! { <Head class="col-check" label="Choose" hidden=true /> }.into_any())}
        <Head class="col-room" label="Room" />
        <Head class="col-site" label="Site" />
        <Head class="col-checks" label="What was found" />
    }
    .into_any();
    let rows = rows.into_iter().map(|found| row(found, may_choose)).collect_view();
    view! {
        {bar}
        <DataTable kind="readiness-list" caption="Rooms" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: ReadinessRow, may_choose: bool) -> AnyView {
    let choose = may_choose.then(|| {
        let (room, name) = (row.id, row.name.clone());
        let select = (!row.is_confirmed).then(|| view! { <SelectionBox room name /> }.into_any());
        view! { <Cell class="col-check">{select}</Cell> }.into_any()
    });
    let onboarding = row.is_onboarding.then(|| {
        view! {
            <span class="status health--onboarding">
                <Icon name="h-onboarding" />
                "Onboarding"
            </span>
        }
        .into_any()
    });
    let wants = row.wants.into_iter().map(|want| view! { <li>{want}</li> }.into_any());
    let wants = wants.collect_view();
    let found = if row.is_onboarding && row.checks.is_empty() {
        None
    } else {
        Some(row.checks.into_iter().map(found).collect_view())
    };
    view! {
        <tr role="row">
            {choose}
            <NameCell>
                <a href=format!("/rooms/{}", row.id)>{row.name}</a>
                <span class="sub">{row.place}</span>
                {onboarding}
            </NameCell>
            <Cell class="col-site" label="Site">
                {row.site}
            </Cell>
            <Cell class="col-checks" label="What was found">
                <ul class="findings">{found} {wants}</ul>
            </Cell>
        </tr>
    }
    .into_any()
}

/// One check with its result, and why it is so.
fn found(check: CheckView) -> AnyView {
    let (class, icon) = class_and_icon(check.result);
    view! {
        <li>
            <span class=class>
                <Icon name=icon />
                {format!("{}: {}", check.check.label(), check.result.label().to_lowercase())}
            </span>
            <span class="sub">{check.why}</span>
        </li>
    }
    .into_any()
}

fn no_rows(address: &ParamsMap, is_onboarding: bool) -> AnyView {
    let clear = Some(READINESS.to_owned());
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(READINESS, address) /> }.into_any()
    } else if is_onboarding {
        view! { <EmptyState title="No room is onboarding" text="New rooms appear here until somebody has confirmed them." clear /> }
            .into_any()
    } else if address::is_filtered(address) {
        view! { <EmptyState title="No room matches" text="No room matches these filters." clear /> }.into_any()
    } else {
        view! { <EmptyState title="Nothing to look at" text="No check fails, warns or is unknown in any room." clear=None /> }
            .into_any()
    }
}
