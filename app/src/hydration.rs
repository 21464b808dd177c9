//! How the browser's part of the program comes to a page: after the page has been painted, so that it does not share the line with what
//! people wait to see. Everything works before it has come, as it does without script.
//!
//! In place of leptos' `HydrationScripts`, which asks for all of it in the page's head. Server only.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Meta;

/// Asks for the program once there is something to see. A page that nobody sees is not painted: it asks after a second.
const SCRIPT: &str = r#"
const start = () => {
  const files = document.querySelector('meta[name="parts"]')?.content.split(" ") ?? [];
  for (const file of ["/pkg/nightshift.wasm", ...files]) {
    const link = document.createElement("link");
    link.rel = file.endsWith(".js") ? "modulepreload" : "preload";
    link.as = file.endsWith(".js") ? "script" : "fetch";
    link.crossOrigin = "anonymous";
    link.href = file;
    document.head.append(link);
  }
  import("/pkg/nightshift.js").then(async (program) => {
    await program.default({ module_or_path: "/pkg/nightshift.wasm" });
    program.hydrate();
  });
};
let started = false;
const once = () => {
  if (!started) start();
  started = true;
};
new PerformanceObserver(once).observe({ type: "paint", buffered: true });
setTimeout(once, 1000);
"#;

/// The script that starts it.
#[component]
pub(crate) fn HydrationScript() -> impl IntoView {
    view! { <script type="module" nonce=use_nonce() inner_html=SCRIPT></script> }
}

/// Which files each part of the browser's program is in, as the build has written it down. The server puts it into the context.
#[derive(Clone, Debug, Default)]
pub struct WasmParts(Arc<HashMap<String, String>>);

impl WasmParts {
    /// The file of the build, in `/pkg`.
    pub const FILE: &str = "__wasm_split_manifest.json";
    /// What loads parts.
    const LOADER: &str = "__wasm_split.______________________.js";

    /// Reads it.
    ///
    /// # Errors
    /// It is not what this build writes.
    pub fn read(manifest: &[u8]) -> Result<Self, serde_json::Error> {
        let manifest: HashMap<String, Vec<String>> = serde_json::from_slice(manifest)?;
        let part = |(key, files): (String, Vec<String>)| {
            // A part is called like its function and a number.
            let name = key.rsplit_once('_').map_or(key.as_str(), |(name, _)| name).to_owned();
            let files = files.iter().map(|file| format!("/pkg/{file}.wasm"));
            let files: Vec<String> = files.chain([format!("/pkg/{}", Self::LOADER)]).collect();
            (name, files.join(" "))
        };
        Ok(Self(Arc::new(manifest.into_iter().map(part).collect())))
    }
}

/// Writes into the page's head which files it needs beside what all pages have in common.
pub(crate) fn preload_part(part: &'static str) {
    let files = use_context::<WasmParts>().and_then(|parts| parts.0.get(part).cloned());
    if let Some(files) = files {
        // It is registered for the head; nothing stands here.
        _ = view! { <Meta name="parts" content=files /> }.to_html();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_the_name_of_its_function() {
        let parts = WasmParts::read(br#"{"list_part_123": ["split_list_part_123", "chunk_4"]}"#).expect("a manifest");
        let files = "/pkg/split_list_part_123.wasm /pkg/chunk_4.wasm /pkg/__wasm_split.______________________.js";
        assert_eq!(parts.0.get("list_part").map(String::as_str), Some(files));
        assert!(WasmParts::read(b"[]").is_err());
    }
}
