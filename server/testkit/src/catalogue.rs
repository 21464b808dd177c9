//! Catalogues for tests. An estate and a house have one each, because they differ: the estate's has a release that needs another one first, and an
//! app; the house's has the names of a vendor, and a product whose devices do not say their version.

use serde_json::{Value, json};
use service::catalogue::Catalogue;

/// The house's firmware of every bar.
pub const BAR: &str = "rally-bar-collabos";
/// The house's product whose devices do not say which version they have.
pub const MUTE: &str = "scheduler-panel";

/// Id, vendor, name, kind, expected minutes.
type Product<'t> = (&'t str, &'t str, &'t str, &'t str, u32);

/// Product, version, rank, release day, minimum version.
type Release<'t> = (&'t str, &'t str, u32, &'t str, Option<&'t str>);

fn catalogue(products: &[Product<'_>], releases: &[Release<'_>]) -> Catalogue {
    let products: Vec<Value> = products
        .iter()
        .map(|(id, vendor, name, kind, minutes)| {
            json!({ "id": id, "vendor": vendor, "name": name, "kind": kind, "covered": true, "expected_minutes": minutes })
        })
        .collect();
    let releases: Vec<Value> = releases
        .iter()
        .map(|(product, version, rank, released, minimum)| {
            json!({ "product": product, "version": version, "rank": rank, "released": released, "minimum_version": minimum })
        })
        .collect();
    Catalogue::parse(&json!(products).to_string(), &json!(releases).to_string()).expect("a catalogue")
}

/// The estate's: `bar`, whose 4.0 needs 3.0, and `app`.
pub fn bar_and_app() -> Catalogue {
    catalogue(
        &[
            ("bar", "Example", "Bar firmware", "firmware", 20),
            ("app", "Example", "Room app", "app", 10),
        ],
        &[
            ("bar", "1.0", 1, "2025-01-01", None),
            ("bar", "2.0", 2, "2025-02-01", None),
            ("bar", "3.0", 3, "2025-03-01", None),
            ("bar", "4.0", 4, "2025-03-02", Some("3.0")),
            ("app", "10", 1, "2025-01-01", None),
            ("app", "11", 2, "2025-02-01", None),
        ],
    )
}

/// Newer releases of the estate's app: 10 loses its support when 13 comes.
pub fn apps() -> Catalogue {
    catalogue(
        &[("app", "Example", "Room app", "app", 10)],
        &[
            ("app", "12", 3, "2025-03-01", None),
            ("app", "13", 4, "2025-03-20", None),
        ],
    )
}

/// Three newer releases of the estate's app, all of one line.
pub fn lines() -> Catalogue {
    catalogue(
        &[("app", "Example", "Room app", "app", 10)],
        &[
            ("app", "11.0.1", 3, "2025-03-01", None),
            ("app", "11.0.2", 4, "2025-03-10", None),
        ],
    )
}

/// An operating system, so that a room with it has a Windows computer.
pub fn windows() -> Catalogue {
    catalogue(
        &[("win", "Microsoft", "Windows", "os", 60)],
        &[("win", "1", 1, "2025-01-01", None), ("win", "2", 2, "2025-02-01", None)],
    )
}

/// The house's: [`BAR`] and [`MUTE`].
pub fn rally_bar_and_panel() -> Catalogue {
    catalogue(
        &[
            (BAR, "Logitech", "Rally Bar CollabOS", "firmware", 20),
            (MUTE, "Logitech", "Scheduler panel", "firmware", 10),
        ],
        &[
            (BAR, "1.0", 1, "2025-01-01", None),
            (BAR, "2.0", 2, "2025-01-02", None),
            (BAR, "3.0", 3, "2025-01-03", None),
            (MUTE, "1.0", 1, "2025-01-01", None),
            (MUTE, "2.0", 2, "2025-01-02", None),
        ],
    )
}
