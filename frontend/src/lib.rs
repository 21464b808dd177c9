//! Nightshift in the browser: takes over the page that the server rendered. It must not hold pages or rules; those are
//! in `app`.

#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's script. `data-hydrated` tells styles and tests that links and forms are the router's from here
/// on: the page's own part of the program has come by then.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let document = leptos::prelude::document();
    let Some(body) = document.body() else { return };
    leptos::mount::hydrate_from_async(body, app::App).await.forget();
    let root = leptos::prelude::document().document_element();
    if let Some(root) = root {
        // Setting an attribute fails only for a name that is none.
        _ = root.set_attribute("data-hydrated", "");
    }
}
