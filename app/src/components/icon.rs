//! An icon of the sprite in `public/icons.svg`. Icons never stand alone: the word beside them says the same.

use domain::update::ProductKind;
use leptos::prelude::*;

/// The icon `i-{name}` of the sprite.
#[component]
pub fn Icon(
    /// Its name in the sprite, without `i-`.
    name: &'static str,
    /// A second class.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let class = if class.is_empty() {
        "icon".to_owned()
    } else {
        format!("icon {class}")
    };
    view! {
        <svg class=class aria-hidden="true">
            <use href=format!("/icons.svg#i-{name}")></use>
        </svg>
    }
}

/// The icon of a kind of product.
#[must_use]
pub fn of_kind(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::Os => "window",
        ProductKind::Service => "settings",
        ProductKind::App => "app",
        ProductKind::Driver | ProductKind::Firmware => "device",
    }
}

/// The icon of a device's role. Devices say their role themselves, so there are words that nobody knows.
#[must_use]
pub fn of_role(role: &str) -> &'static str {
    match role {
        "bar" | "video" => "video",
        "camera" => "camera",
        "compute" => "desktop",
        "console" => "console",
        "display" => "tv",
        "microphone" | "mic" => "mic",
        "panel" => "panel",
        "speaker" => "speaker",
        "tablet" => "tablet",
        _ => "device",
    }
}
