//! A dialog over a page (P8). It has an address of its own, `?do=…` behind the page's: links open it, links close it, the back button
//! works, and without script it stands in the page.

use leptos::ev::Event;
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::icon::Icon;

/// The key of the address under which a page's dialogs stand.
pub const DIALOG: &str = "do";

/// The dialog.
#[component]
pub fn Dialog(
    /// Its title.
    #[prop(into)]
    title: String,
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
    let opener = StoredValue::new_local(None::<HtmlElement>);
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else {
            return;
        };
        let active = document().active_element().and_then(|active| active.dyn_into().ok());
        opener.set_value(active);
        // The server has written it open, for readers without script; a modal one takes the focus and gives it back.
        dialog.close();
        if let Err(error) = dialog.show_modal() {
            leptos::logging::error!("the dialog stays in the page: {error:?}");
        }
    });
    on_cleanup(move || {
        let Some(Some(opener)) = opener.try_get_value() else {
            return;
        };
        // After the page has taken its new shape; what opened it may be gone by then.
        request_animation_frame(move || {
            let main = || {
                document()
                    .get_element_by_id("main")
                    .and_then(|main| main.dyn_into().ok())
            };
            let target = if opener.is_connected() { Some(opener) } else { main() };
            if let Some(target) = target {
                _ = target.focus();
            }
        });
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

/// The page stays where it is.
pub(super) fn closing() -> NavigateOptions {
    NavigateOptions {
        scroll: false,
        replace: true,
        ..NavigateOptions::default()
    }
}
