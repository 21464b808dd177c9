//! The box, and the page of what it found.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::api::search;
use crate::components::address;
use crate::components::empty_state::EmptyState;
use crate::components::filters::Toolbar;
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::show_resource::show_part;
use crate::search::model::{SearchHit, SearchView};

/// The page's address.
const SEARCH: &str = "/search";

/// The box in the top bar.
#[component]
pub fn SearchBar() -> impl IntoView {
    view! {
        <Toolbar action=SEARCH label="Everything" class="topbar-search">
            <label class="vh" for=super::shortcuts::BOX>
                "Search rooms, updates and tickets"
            </label>
            <Icon name="search" />
            <input
                type="search"
                id=super::shortcuts::BOX
                name="q"
                placeholder="Search"
                autocomplete="off"
                aria-keyshortcuts="/"
            />
        </Toolbar>
        <a class="btn btn--icon topbar-find" href=SEARCH aria-label="Search">
            <Icon name="search" />
        </a>
    }
}

/// What was found.
#[component]
pub fn SearchPage() -> impl IntoView {
    let address = use_query_map();
    let q = Memo::new(move |_| address.with(|address| address::value(address, "q")));
    let found = page_resource(move || q.get(), search);
    view! {
        <PageHeader title="Search" tab=None />
        {show_part(found, move |found| page(found, q.get_untracked()))}
    }
    .into_any()
}

fn page(found: SearchView, q: String) -> AnyView {
    let SearchView {
        rooms,
        updates,
        tickets,
    } = found;
    let all = rooms.len() + updates.len() + tickets.len();
    let summary = match (q.trim().is_empty(), all) {
        (true, _) => "Type the name of a room or an update, or a ticket’s title or number.".to_owned(),
        (false, 0) => "Nothing matches.".to_owned(),
        (false, 1) => "1 found".to_owned(),
        (false, all) => format!("{all} found"),
    };
    let nothing = (all == 0 && !q.trim().is_empty()).then(|| {
        view! { <EmptyState title="Nothing found" text="Words match from their start: cut finds Cuttle, 5.2 finds 5.2.115.0." clear=None /> }.into_any()
    });
    view! {
        <Toolbar action=SEARCH>
            <div class="search-box">
                <Icon name="search" />
                <label class="vh" for="search-q">
                    "Search rooms, updates and tickets"
                </label>
                <input class="input" type="search" id="search-q" name="q" value=q.clone() prop:value=q autocomplete="off" />
            </div>
            <button class="btn" type="submit">
                "Search"
            </button>
        </Toolbar>
        <p role="status">{summary}</p>
        {nothing}
        {group("Rooms", "rooms", "h-found-rooms", rooms)}
        {group("Updates", "updates", "h-found-updates", updates)}
        {group("Tickets", "incidents", "h-found-tickets", tickets)}
    }
    .into_any()
}

fn group(heading: &'static str, icon: &'static str, id: &'static str, found: Vec<SearchHit>) -> Option<AnyView> {
    if found.is_empty() {
        return None;
    }
    let items = found.into_iter().map(|found| {
        view! {
            <li class="found">
                <Icon name=icon />
                <a href=found.href>{found.name}</a>
                <span class="sub">{found.sub}</span>
            </li>
        }
        .into_any()
    });
    let group = view! {
        <section aria-labelledby=id>
            <h2 id=id>{heading}</h2>
            <ul class="list list--compact">{items.collect_view()}</ul>
        </section>
    };
    Some(group.into_any())
}
