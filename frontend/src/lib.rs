//! Nightshift in the browser: takes over the page that the server rendered. It must not hold pages or rules; those are
//! in `app`.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's script. `data-hydrated` tells styles and tests that links and forms are the router's from here
/// on.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
    let root = leptos::prelude::document().document_element();
    if let Some(root) = root {
        // Setting an attribute fails only for a name that is none.
        _ = root.set_attribute("data-hydrated", "");
    }
}
