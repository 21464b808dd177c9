//! A list of rooms with its toolbar and pages. Which columns it has is up to the page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::list_rooms;
use crate::components::address;
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, Filter, SearchBox, Toolbar, choice};
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::show_resource::show_part;
use crate::rooms::model::{RoomRow, RoomsQuery, RoomsView};

/// Toolbar, count, table, pager.
#[component]
pub fn RoomList(
    /// The page's address.
    path: &'static str,
    /// The table of the rows: with how many match on all pages, whether they may be moved, and the address.
    table: fn(Vec<RoomRow>, i64, bool, &ParamsMap) -> AnyView,
    /// Retired rooms can be asked for.
    #[prop(optional)]
    with_retired: bool,
) -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| address.with(query));
    let rooms = page_resource(move || query.get(), list_rooms);
    show_part(rooms, move |view| {
        let query = query.get_untracked();
        list(path, table, with_retired, view, query, &address.get_untracked())
    })
}

/// A room's name as a link, with where it is.
pub fn room_name(row: &RoomRow) -> AnyView {
    view! {
        <a href=format!("/rooms/{}", row.id)>{row.name.clone()}</a>
        <span class="sub">
            <span class="site">{format!("{}, ", row.site)}</span>
            {row.place.clone()}
        </span>
    }
    .into_any()
}

fn query(address: &ParamsMap) -> RoomsQuery {
    RoomsQuery {
        q: address::value(address, "q"),
        ring: address::value(address, "ring"),
        site: address::value(address, "site"),
        state: address::value(address, "state"),
        after: address::value(address, "after"),
        before: address::value(address, "before"),
    }
}

fn list(
    path: &'static str,
    table: fn(Vec<RoomRow>, i64, bool, &ParamsMap) -> AnyView,
    with_retired: bool,
    view: RoomsView,
    query: RoomsQuery,
    address: &ParamsMap,
) -> AnyView {
    let RoomsView {
        rows,
        rings,
        sites,
        pager,
        total,
        may_move,
    } = view;
    let content = if rows.is_empty() {
        no_rows(path, address)
    } else {
        table(rows, total, may_move, address)
    };
    let retired = with_retired.then(|| {
        let choices = vec![
            choice("unhealthy", "Unhealthy"),
            choice("onboarding", "Onboarding"),
            choice("retired", "Retired"),
        ];
        view! { <Filter label="Show" name="state" value=query.state none="All in use" choices /> }.into_any()
    });
    view! {
        <Toolbar action=path>
            <SearchBox label="Search rooms" value=query.q />
            <Filter label="Site" name="site" value=query.site choices=sites />
            <Filter label="Ring" name="ring" value=query.ring choices=rings />
            {retired}
            <Apply />
        </Toolbar>
        <section aria-labelledby="h-list">
            <h2 id="h-list" class="vh">
                "List"
            </h2>
            <div class="section-head">
                <p role="status">{pager.text.clone()}</p>
            </div>
            {content}
            <Pager pager />
        </section>
    }
    .into_any()
}

fn no_rows(path: &str, address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        view! { <EmptyPage first=address::first_page(path, address) /> }.into_any()
    } else if address::value(address, "state") == "retired" && address::value(address, "q").is_empty() {
        let clear = Some(path.to_owned());
        view! { <EmptyState title="No retired rooms" text="A room is retired on its own page." clear /> }.into_any()
    } else if address::value(address, "state") == "unhealthy" && address::value(address, "q").is_empty() {
        let clear = Some(path.to_owned());
        let text = "No room has a ticket that makes it unhealthy.";
        view! { <EmptyState title="No unhealthy rooms" text clear /> }.into_any()
    } else if address::value(address, "state") == "onboarding" && address::value(address, "q").is_empty() {
        let clear = Some(path.to_owned());
        view! { <EmptyState title="No room is onboarding" text="New rooms appear here." clear /> }.into_any()
    } else if address::is_filtered(address) {
        let clear = Some(path.to_owned());
        view! { <EmptyState title="No room matches" text="No room matches these filters." clear /> }.into_any()
    } else {
        view! { <EmptyState title="No rooms yet" text="Rooms appear here when they are added or imported." clear=None /> }
            .into_any()
    }
}
