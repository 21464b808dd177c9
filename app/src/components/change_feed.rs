//! Listens to the server while the page is looked at (P9). An event says that something has changed; pages ask for what they show.
//!
//! A hidden tab does not listen: it asks once when it is looked at again. When the server was away, the browser connects by itself, and
//! the page asks then as well.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource, VisibilityState};

use super::page_refresh::PageRefresh;

/// Begins to listen, in the browser alone.
pub fn listen(refresh: PageRefresh) {
    Effect::new(move |_| {
        let source = StoredValue::new_local(connect(refresh, false));
        let seen = move |_: Event| {
            source.update_value(|source| {
                if let Some(source) = source.take() {
                    source.close();
                }
                if document().visibility_state() == VisibilityState::Visible {
                    *source = connect(refresh, true);
                }
            });
        };
        // It lasts as long as the page.
        let seen = Closure::<dyn FnMut(Event)>::new(seen).into_js_value();
        _ = document().add_event_listener_with_callback("visibilitychange", seen.unchecked_ref());
    });
}

/// Opens the stream. `again`: the page may have missed something.
fn connect(refresh: PageRefresh, again: bool) -> Option<EventSource> {
    let source = EventSource::new("/events").ok()?;
    let mut missed = again;
    let opened = Closure::<dyn FnMut(Event)>::new(move |_| {
        if missed {
            refresh.request();
        }
        // Whenever it opens once more, it was closed before.
        missed = true;
    });
    let changed = Closure::<dyn FnMut(Event)>::new(move |_| refresh.request());
    source.set_onopen(Some(opened.into_js_value().unchecked_ref()));
    let listening = source.add_event_listener_with_callback("changed", changed.into_js_value().unchecked_ref());
    listening.ok().map(|()| source)
}
