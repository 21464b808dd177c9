//! Choosing rooms of a list for something that is then done to all of them. What is chosen stays while the list's pages turn; it goes
//! when the list is filtered otherwise, or when something was done.
//!
//! Without script the choice is that of one page: the boxes belong to the bar's form, which leads to a dialog.

use std::collections::BTreeSet;

use domain::ids::RoomId;
use leptos::html;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::address;
use super::dialog::DIALOG;
use super::filters::{HiddenField, opens};
use super::flash::Flash;
use super::icon::Icon;
use crate::words::count;

/// The key of the address that says a dialog is about what was chosen.
const OF_SELECTION: &str = "chosen";

/// What is chosen.
#[derive(Clone, Copy)]
pub struct Selection {
    rooms: RwSignal<BTreeSet<RoomId>>,
    /// All that match, on every page.
    all: RwSignal<bool>,
}

impl Selection {
    /// Puts it into the context of everything below. `filters`: the keys of the address that filter the list; `of`: whose list it is.
    pub fn provide(
        address: Memo<ParamsMap>,
        filters: &'static [&'static str],
        of: impl Fn() -> String + Send + Sync + 'static,
    ) {
        let (rooms, all) = address.with_untracked(|address| (rooms_in(address), is_all(address)));
        let selection = Self {
            rooms: RwSignal::new(rooms.into_iter().collect()),
            all: RwSignal::new(all),
        };
        provide_context(selection);
        let filter = Memo::new(move |_| address.with(|address| address::only(&of(), address, filters)));
        let flash = use_context::<Flash>();
        Effect::new(move |before: Option<()>| {
            // Read, not only tracked: a memo that nobody has read does not move.
            _ = filter.get();
            if let Some(flash) = flash {
                flash.track();
            }
            if before.is_some() {
                selection.clear();
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

/// Whether the dialog is about what was chosen, even if that is nothing.
pub fn is_of_selection(address: &ParamsMap) -> bool {
    !address::value(address, OF_SELECTION).is_empty()
}

/// The bar above the list: what is done to the chosen ones.
#[component]
pub fn SelectionBar(
    /// The page's address.
    #[prop(into)]
    path: String,
    /// The word of the dialog in addresses.
    opens_dialog: &'static str,
    /// What the button says.
    label: &'static str,
    icon: &'static str,
    /// What the address keeps: the list's filters and its page.
    keep: Vec<(&'static str, String)>,
    /// The rooms on this page.
    page: Vec<RoomId>,
    /// How many match on all pages, where all can be chosen at once.
    #[prop(optional)]
    total: Option<i64>,
) -> impl IntoView {
    let selection = expect_context::<Selection>();
    let keep = keep
        .into_iter()
        .map(|(name, value)| view! { <HiddenField name value /> }.into_any())
        .collect_view();
    let shown: BTreeSet<RoomId> = page.iter().copied().collect();
    let elsewhere = move || {
        let rooms = selection.rooms.get();
        let elsewhere = rooms
            .difference(&shown)
            .map(|room| view! { <HiddenField name="room" value=room.to_string() /> }.into_any());
        elsewhere.collect_view()
    };
    let all = total
        .filter(|total| *total > i64::try_from(page.len()).unwrap_or(0))
        .map(|total| choose_all(selection, total));
    let whole_page = move |_| selection.rooms.update(|rooms| rooms.extend(page.iter().copied()));
    let all_of = total.unwrap_or_default();
    let summary = move || chosen(selection, all_of);
    let is_empty = move || (!selection.all.get() && selection.rooms.with(BTreeSet::is_empty)).then_some("true");
    let action = path.clone();
    view! {
        <form id="choose" class="selection-bar" method="get" action=action on:submit=opens(path)>
            <input type="hidden" name=DIALOG value=opens_dialog />
            // Nothing chosen is not the same as nothing said.
            <input type="hidden" name=OF_SELECTION value="on" />
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
                <button class="btn btn--small btn--subtle" type="button" aria-disabled=is_empty on:click=move |_| selection.clear()>
                    "Choose none"
                </button>
                <span class="muted" role="status">
                    {summary}
                </span>
            </span>
        </form>
    }
    .into_any()
}

/// The box that chooses all that match, on this page and on the others.
fn choose_all(selection: Selection, total: i64) -> AnyView {
    let label = format!("All {total} that match");
    let change = move |event| selection.all.set(event_target_checked(&event));
    let input = selection_input(move || selection.all.get(), move || selection.all.set(true));
    view! {
        <label class="check">
            <input
                class="check-only"
                type="checkbox"
                name="all"
                value="on"
                checked=selection.all.get_untracked()
                node_ref=input
                on:change=change
            />
            {label}
        </label>
    }
    .into_any()
}

/// How many are chosen. `total`: how many match.
fn chosen(selection: Selection, total: i64) -> String {
    match selection.rooms.with(BTreeSet::len) {
        _ if selection.all.get() => format!("All {} chosen", count(total, "room", "rooms")),
        0 => "None chosen".to_owned(),
        number => format!(
            "{} chosen",
            count(i64::try_from(number).unwrap_or(i64::MAX), "room", "rooms")
        ),
    }
}

/// A box that follows what is chosen. One that was ticked before the page's script was there is chosen with it.
fn selection_input(is_chosen: impl Fn() -> bool + 'static, choose: impl Fn() + 'static) -> NodeRef<html::Input> {
    let input = NodeRef::<html::Input>::new();
    let was_there = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    let is_to_take_over = StoredValue::new(was_there);
    Effect::new(move |_| {
        let Some(input) = input.get() else {
            return;
        };
        let is_chosen = is_chosen();
        if is_to_take_over.get_value() {
            is_to_take_over.set_value(false);
            if input.checked() && !is_chosen {
                choose();
                return;
            }
        }
        input.set_checked(is_chosen);
    });
    input
}

/// The box of a row.
#[component]
pub fn SelectionBox(room: RoomId, name: String) -> impl IntoView {
    let selection = expect_context::<Selection>();
    let is_chosen = move || selection.all.get() || selection.rooms.with(|rooms| rooms.contains(&room));
    let input = selection_input(is_chosen, move || selection.set(room, true));
    let change = move |event| selection.set(room, event_target_checked(&event));
    view! {
        <input
            class="check-only"
            type="checkbox"
            form="choose"
            name="room"
            value=room.to_string()
            aria-label=format!("Choose {name}")
            node_ref=input
            checked=untrack(is_chosen)
            disabled=move || selection.all.get()
            on:change=change
        />
    }
    .into_any()
}
