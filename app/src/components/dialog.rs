//! A dialog over a page (P8). It has an address of its own, `?do=…` behind the page's: links open it, links close it, the back button
//! works, and without script it stands in the page.

use std::future::Future;

use leptos::ev::Event;
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement};

use super::icon::Icon;
use super::resource::{empty_view, json_resource, transition};
use crate::error::AppError;

/// The key of the address under which a page's dialogs stand.
pub const DIALOG: &str = "do";

/// The dialog that the page's address opens, if any: `key` says which, `ask` asks the server for what stands in it, once, so that what is
/// typed stays, and `show` makes it.
///
/// It belongs into the page itself and not into a closure there: the browser numbers what it asks for like the server did.
pub fn opened<K, T, F>(
    key: impl Fn() -> Option<K> + Send + Sync + 'static,
    ask: impl Fn(K) -> F + Clone + Send + Sync + 'static,
    show: impl Fn(K, Result<T, AppError>) -> Option<AnyView> + Clone + Send + Sync + 'static,
) -> AnyView
where
    K: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static,
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let key = Memo::new(move |_| key());
    let answer = json_resource(
        move || key.get(),
        move |key| {
            let ask = ask.clone();
            async move {
                let key = key?;
                Some((key.clone(), ask(key).await))
            }
        },
    );
    let content = move || {
        let show = show.clone();
        async move {
            let shown = answer.await.and_then(|(key, answer)| show(key, answer));
            shown.unwrap_or_else(empty_view)
        }
    };
    transition(content, empty_view)
}

/// Stands where a dialog could not be had.
pub fn failed(title: &'static str, close: String, error: &AppError) -> AnyView {
    let (text, close_again) = (error.to_string(), close.clone());
    view! {
        <Dialog title close narrow=true>
            <div class="dialog-body">
                <div class="msg msg--warning">
                    <Icon name="warning" />
                    <p class="msg-body">{text}</p>
                </div>
            </div>
            <div class="dialog-foot">
                <a class="btn" href=close_again data-noscroll="">
                    "Close"
                </a>
            </div>
        </Dialog>
    }
    .into_any()
}

/// The dialog.
#[component]
pub fn Dialog(
    #[prop(into)] title: String,
    /// The address of the page without it.
    #[prop(into)]
    close: String,
    /// Narrower, for one question.
    #[prop(optional)]
    narrow: bool,
    /// A form, or a body and a foot.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let navigate = use_navigate();
    // An effect runs in the browser alone; so does what it leaves behind.
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else {
            return;
        };
        let active = document()
            .active_element()
            .and_then(|active| active.dyn_into::<HtmlElement>().ok());
        let opener = StoredValue::new_local(active);
        on_cleanup(move || {
            if let Some(opener) = opener.try_get_value() {
                give_back(opener);
            }
        });
        // It is made before it is put into the page.
        request_animation_frame(move || show(&dialog));
    });
    let leave = {
        let close = close.clone();
        move |event: Event| {
            event.prevent_default();
            navigate(&close, closing());
        }
    };
    let class = if narrow { "dialog dialog--narrow" } else { "dialog" };
    view! {
        <dialog class=class aria-labelledby="h-dialog" open=true node_ref=dialog on:cancel=leave>
            <div class="dialog-head">
                <h2 id="h-dialog">{title}</h2>
                <a class="btn btn--icon btn--subtle" href=close data-noscroll="" aria-label="Close">
                    <Icon name="dismiss" />
                </a>
            </div>
            {children()}
        </dialog>
    }
}

/// The server has written it open, for readers without script; a modal one takes the focus and gives it back.
fn show(dialog: &HtmlDialogElement) {
    if !dialog.is_connected() {
        return;
    }
    dialog.close();
    if let Err(error) = dialog.show_modal() {
        leptos::logging::error!("the dialog stays in the page: {error:?}");
    }
    // The first thing in it is the way out; whoever has opened it wants to go on.
    let is_way_out = document()
        .active_element()
        .is_some_and(|active| active.matches(".dialog-head a").unwrap_or(false));
    if is_way_out && let Some(first) = first_in(dialog) {
        _ = first.focus();
    }
}

/// Its first field; else the button that does it.
fn first_in(dialog: &HtmlDialogElement) -> Option<HtmlElement> {
    const FIELD: &str = ".dialog-body :is(input:not([type=hidden]), select, textarea)";
    const BUTTON: &str = ".dialog-foot :is(button, a)";
    let find = |what| dialog.query_selector(what).ok().flatten();
    find(FIELD)
        .or_else(|| find(BUTTON))
        .and_then(|found| found.dyn_into().ok())
}

/// The focus goes to what opened the dialog, after the page has taken its new shape; that may be gone by then.
fn give_back(opener: Option<HtmlElement>) {
    request_animation_frame(move || {
        let opener = opener.filter(|opener| opener.is_connected());
        let main = || {
            document()
                .get_element_by_id("main")
                .and_then(|main| main.dyn_into().ok())
        };
        if let Some(target) = opener.or_else(main) {
            _ = target.focus();
        }
    });
}

/// The page stays where it is.
pub(super) fn closing() -> NavigateOptions {
    NavigateOptions {
        scroll: false,
        replace: true,
        ..NavigateOptions::default()
    }
}
