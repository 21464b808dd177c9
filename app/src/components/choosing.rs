//! Choosing rooms of a list for something that is then done to all of them. What is chosen stays while the list's pages turn; it goes
//! when the list is filtered otherwise, or when something was done.
//!
//! Without script the choice is that of one page: the boxes belong to the bar's form, which leads to a dialog.

use std::collections::BTreeSet;

use domain::ids::RoomId;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::address;
use super::announcement::Announcement;
use super::dialog::DIALOG;
use super::filters::{Keep, opens};
use super::icon::Icon;
use crate::words::count;

/// What is chosen.
#[derive(Clone, Copy)]
pub struct Chosen {
    rooms: RwSignal<BTreeSet<RoomId>>,
    /// All that match, on every page.
    all: RwSignal<bool>,
}

impl Chosen {
    /// Puts it into the context of everything below. `filters`: the keys of the address that filter the list.
    pub fn provide(address: Memo<ParamsMap>, filters: &'static [&'static str]) {
        let (rooms, all) = address.with_untracked(|address| (rooms_in(address), is_all(address)));
        let chosen = Self {
            rooms: RwSignal::new(rooms.into_iter().collect()),
            all: RwSignal::new(all),
        };
        provide_context(chosen);
        let filter = Memo::new(move |_| address.with(|address| address::only("", address, filters)));
        let announcement = use_context::<Announcement>();
        Effect::new(move |before: Option<()>| {
            filter.track();
            if let Some(announcement) = announcement {
                announcement.track();
            }
            if before.is_some() {
                chosen.clear();
            }
        });
    }

    fn clear(self) {
        self.rooms.update(BTreeSet::clear);
        self.all.set(false);
    }

    fn set(self, room: RoomId, is_chosen: bool) {
        self.rooms.update(|rooms| {
            if is_chosen {
                rooms.insert(room);
            } else {
                rooms.remove(&room);
            }
        });
    }
}

/// The rooms that the address of a dialog names.
pub fn rooms_in(address: &ParamsMap) -> Vec<RoomId> {
    let all = address.get_all("room").unwrap_or_default();
    all.iter().filter_map(|room| room.parse().ok()).collect()
}

/// Whether the address of a dialog says all that match.
pub fn is_all(address: &ParamsMap) -> bool {
    !address::value(address, "all").is_empty()
}

/// The bar above the list: what is done to the chosen ones.
#[component]
pub fn ChooseBar(
    /// The page's address.
    #[prop(into)]
    path: String,
    /// The word of the dialog in addresses.
    opens_dialog: &'static str,
    /// What the button says.
    label: &'static str,
    /// Its icon.
    icon: &'static str,
    /// What the address keeps: the list's filters and its page.
    keep: Vec<(&'static str, String)>,
    /// The rooms on this page.
    page: Vec<RoomId>,
    /// How many match on all pages, where all can be chosen at once.
    #[prop(optional)]
    total: Option<i64>,
) -> impl IntoView {
    let chosen = expect_context::<Chosen>();
    let keep = keep
        .into_iter()
        .map(|(name, value)| view! { <Keep name value /> })
        .collect_view();
    let shown: BTreeSet<RoomId> = page.iter().copied().collect();
    let elsewhere = move || {
        let rooms = chosen.rooms.get();
        let elsewhere = rooms
            .difference(&shown)
            .map(|room| view! { <Keep name="room" value=room.to_string() /> });
        elsewhere.collect_view()
    };
    let all = total
        .filter(|total| *total > i64::try_from(page.len()).unwrap_or(0))
        .map(|total| {
            let label = format!("All {total} that match");
            let change = move |event| chosen.all.set(event_target_checked(&event));
            view! {
                <label class="check">
                    <input
                        class="check-only"
                        type="checkbox"
                        name="all"
                        value="on"
                        checked=chosen.all.get_untracked()
                        prop:checked=chosen.all
                        on:change=change
                    />
                    {label}
                </label>
            }
        });
    let whole_page = move |_| chosen.rooms.update(|rooms| rooms.extend(page.iter().copied()));
    let said = move || match chosen.rooms.with(BTreeSet::len) {
        _ if chosen.all.get() => String::new(),
        0 => "None chosen".to_owned(),
        number => format!(
            "{} chosen",
            count(i64::try_from(number).unwrap_or(i64::MAX), "room", "rooms")
        ),
    };
    let is_nothing = move || !chosen.all.get() && chosen.rooms.with(BTreeSet::is_empty);
    let action = path.clone();
    view! {
        <form id="choose" class="choose-bar" method="get" action=action on:submit=opens(path)>
            <input type="hidden" name=DIALOG value=opens_dialog />
            {keep}
            {elsewhere}
            <button class="btn btn--small" type="submit">
                <Icon name=icon />
                {label}
            </button>
            {all}
            <span class="with-script">
                <button class="btn btn--small btn--subtle" type="button" on:click=whole_page>
                    "Choose this page"
                </button>
                <button class="btn btn--small btn--subtle" type="button" disabled=is_nothing on:click=move |_| chosen.clear()>
                    "Choose none"
                </button>
                <span class="muted" role="status">
                    {said}
                </span>
            </span>
        </form>
    }
    .into_any()
}

/// The box of a row.
#[component]
pub fn ChooseBox(
    /// The room.
    room: RoomId,
    /// Its name.
    name: String,
) -> impl IntoView {
    let chosen = expect_context::<Chosen>();
    let is_chosen = move || chosen.rooms.with(|rooms| rooms.contains(&room));
    let change = move |event| chosen.set(room, event_target_checked(&event));
    view! {
        <input
            class="check-only"
            type="checkbox"
            form="choose"
            name="room"
            value=room.to_string()
            aria-label=format!("Choose {name}")
            checked=untrack(is_chosen)
            prop:checked=is_chosen
            on:change=change
        />
    }
    .into_any()
}
