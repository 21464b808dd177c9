//! A product, an update or a device in a table: a tile with an icon, the name, a second line.

use leptos::prelude::*;

use super::icon::Icon;

/// The content of a cell that names its row.
#[component]
pub fn ProductCell(
    icon: &'static str,
    name: String,
    /// Where the name leads.
    #[prop(optional_no_strip)]
    href: Option<String>,
    /// The second line.
    sub: String,
) -> impl IntoView {
    let name = match href {
        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    view! {
        <div class="upd">
            <span class="upd-icon">
                <Icon name=icon />
            </span>
            <div>{name} <span class="sub">{sub}</span></div>
        </div>
    }
}
