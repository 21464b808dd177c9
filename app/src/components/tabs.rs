//! Tabs: links, each with an address of its own. They are not ARIA tabs, so they need no arrow keys.

use leptos::prelude::*;

/// One tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub name: &'static str,
    /// Its address.
    pub href: String,
    /// A number behind the name.
    pub count: Option<i64>,
}

/// The tabs of a page.
#[component]
pub fn Tabs(
    /// What they are tabs of.
    #[prop(into)]
    label: String,
    /// In order.
    tabs: Vec<Tab>,
    /// The name of the one that is open.
    current: &'static str,
) -> impl IntoView {
    let links = tabs.into_iter().map(|tab| {
        let count = tab.count.map(|count| {
            view! {
                " "
                <span class="count">{count}</span>
            }
            .into_any()
        });
        view! {
            <li>
                <a href=tab.href aria-current=(tab.name == current).then_some("page")>
                    {tab.name}
                    {count}
                </a>
            </li>
        }
        .into_any()
    });
    view! {
        <nav class="tabs" aria-label=label>
            <ul>{links.collect_view()}</ul>
        </nav>
    }
}
