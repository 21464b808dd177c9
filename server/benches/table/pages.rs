//! What a browser has to load before a page answers: the front end as it lies on disk, compressed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Line, Wanted};

/// What a first load may weigh.
const WANTED: f64 = 250_000.0;

/// The common part, and with it the parts that the pages need on which people arrive.
pub fn first_load() -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site/pkg");
    let size = |name: &str| {
        let file = folder.join(format!("{name}.wasm.br"));
        std::fs::metadata(&file)
            .unwrap_or_else(|error| panic!("{}: {error}; make builds it", file.display()))
            .len()
    };
    let common = size("nightshift");
    let manifest = std::fs::read_to_string(folder.join("__wasm_split_manifest.json")).expect("the list of parts");
    let parts: BTreeMap<String, Vec<String>> = serde_json::from_str(&manifest).expect("part to files");
    let with = |part: &str| {
        let files = parts.iter().find(|(name, _)| name.starts_with(part));
        let files = files.map(|(_, files)| files.as_slice()).unwrap_or_default();
        common + files.iter().map(|file| size(file)).sum::<u64>()
    };
    let line = |what: &str, bytes: u64| Line {
        what: what.to_owned(),
        measured: format!("{} kB", bytes / 1000),
        compared: "250 kB".to_owned(),
        ratio: Some((
            f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / WANTED,
            Wanted::AtMost(1.0),
        )),
    };
    vec![
        line("wasm of a first load, brotli: what all pages have in common", common),
        line("… with what Home needs", with("home_part")),
        line("… with what the list of updates needs", with("list_part")),
    ]
}
