//! Keyboard shortcuts: `/` to the search box, `g` and a letter to a place, `?` to the list of them (P10). They do nothing while somebody
//! types, and nothing together with Ctrl, Alt or Meta, which belong to the browser.

use leptos::ev::{KeyboardEvent, keydown};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::components::address;
use crate::components::dialog::{DIALOG, Dialog};
use crate::components::resource::empty_view;

/// The id of the search box.
pub const BOX: &str = "search";

/// The word of the list in addresses.
const SHORTCUTS: &str = "keys";

/// Letter behind `g`, place, and its name.
const PLACES: [(&str, &str, &str); 7] = [
    ("h", "/", "Home"),
    ("i", "/incidents", "Incidents"),
    ("r", "/rooms", "Rooms"),
    ("u", "/updates", "Updates"),
    ("p", "/portfolio", "Portfolio"),
    ("a", "/audit", "Audit"),
    ("s", "/settings", "Settings"),
];

/// Listens from here on. In the browser alone.
pub fn listen() {
    let navigate = use_navigate();
    let path = use_location().pathname;
    let after_g = StoredValue::new(false);
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let handle = window_event_listener(keydown, move |event: KeyboardEvent| {
            let key = event.key();
            let was_after_g = after_g.get_value();
            after_g.set_value(false);
            if event.ctrl_key() || event.alt_key() || event.meta_key() || types(&event) {
                return;
            }
            if was_after_g {
                if let Some((_, place, _)) = PLACES.into_iter().find(|(letter, ..)| *letter == key) {
                    event.prevent_default();
                    navigate(place, NavigateOptions::default());
                }
                return;
            }
            match key.as_str() {
                "/" => {
                    event.prevent_default();
                    focus_box();
                }
                "g" => after_g.set_value(true),
                "?" => navigate(
                    &format!("{}?{DIALOG}={SHORTCUTS}", path.get_untracked()),
                    NavigateOptions {
                        scroll: false,
                        ..NavigateOptions::default()
                    },
                ),
                _ => {}
            }
        });
        on_cleanup(move || handle.remove());
    });
}

fn focus_box() {
    let found = document()
        .get_element_by_id(BOX)
        .and_then(|found| found.dyn_into::<HtmlElement>().ok());
    // On a phone the box is a page of its own; `/` is of no use there.
    if let Some(found) = found {
        _ = found.focus();
    }
}

/// Whether the key goes into a field.
fn types(event: &KeyboardEvent) -> bool {
    let Some(target) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || target.is_content_editable()
}

/// The list of keys, where the address opens it.
#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    let address = use_query_map();
    let path = use_location().pathname;
    move || {
        if address.with(|address| address::value(address, DIALOG) != SHORTCUTS) {
            return empty_view();
        }
        let close = path.get_untracked();
        let again = close.clone();
        let places = PLACES.map(|(letter, _, name)| {
            view! {
                <dt>
                    <kbd>"g"</kbd>
                    " then "
                    <kbd>{letter}</kbd>
                </dt>
                <dd>{name}</dd>
            }
            .into_any()
        });
        view! {
            <Dialog title="Keyboard shortcuts" close narrow=true>
                <div class="dialog-body">
                    <dl class="keys">
                        <dt>
                            <kbd>"/"</kbd>
                        </dt>
                        <dd>"Search"</dd>
                        {places.into_iter().collect_view()}
                        <dt>
                            <kbd>"?"</kbd>
                        </dt>
                        <dd>"This list"</dd>
                        <dt>
                            <kbd>"Esc"</kbd>
                        </dt>
                        <dd>"Close a dialog"</dd>
                    </dl>
                </div>
                <div class="dialog-foot">
                    <a class="btn" href=again data-noscroll="">
                        "Close"
                    </a>
                </div>
            </Dialog>
        }
        .into_any()
    }
}

/// The link to the list.
#[must_use]
pub fn link() -> AnyView {
    view! {
        <a href=format!("?{DIALOG}={SHORTCUTS}") data-noscroll="">
            "Keyboard shortcuts"
        </a>
    }
    .into_any()
}
