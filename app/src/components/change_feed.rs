//! Listens to the server while the page is looked at (P9). An event says that something has changed; pages ask for what they show.
//!
//! A hidden tab does not listen: it asks once when it is looked at again. A page that is being left does not listen either: its session
//! may end with it. When the server was away, the browser connects by itself, and the page asks then as well.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource, EventTarget, VisibilityState};

use super::page_refresh::PageRefresh;

/// A page that is still here after so long was not left: what was asked for is a download.
const STILL_HERE: Duration = Duration::from_secs(5);

/// Begins to listen, in the browser alone.
pub fn listen(refresh: PageRefresh) {
    Effect::new(move |_| {
        let source = StoredValue::new_local(connect(refresh, false));
        let later = StoredValue::<Option<TimeoutHandle>>::new(None);
        let close = move || {
            if let Some(timeout) = later.try_update_value(Option::take).flatten() {
                timeout.clear();
            }
            if let Some(source) = source.try_update_value(Option::take).flatten() {
                source.close();
            }
        };
        let listen_again = move || {
            close();
            if document().visibility_state() == VisibilityState::Visible {
                source.set_value(connect(refresh, true));
            }
        };
        let begin_to_leave = move || {
            close();
            later.set_value(set_timeout_with_handle(listen_again, STILL_HERE).ok());
        };
        // They last as long as the page.
        let on = |target: &EventTarget, event, mut act: Box<dyn FnMut()>| {
            let heard = Closure::<dyn FnMut(Event)>::new(move |_| act()).into_js_value();
            _ = target.add_event_listener_with_callback(event, heard.unchecked_ref());
        };
        on(&document(), "visibilitychange", Box::new(listen_again));
        on(&window(), "beforeunload", Box::new(begin_to_leave));
        on(&window(), "pagehide", Box::new(close));
        // Also when somebody comes back to a page that the browser has kept. At its first showing nothing was missed.
        on(
            &window(),
            "pageshow",
            Box::new(move || {
                if source.with_value(Option::is_none) {
                    listen_again();
                }
            }),
        );
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
