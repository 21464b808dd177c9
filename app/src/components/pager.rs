//! To the pages before and after.

use leptos::prelude::*;

use super::resource::empty_view;
use crate::components::model::Pager as PagerView;

/// The pager; nothing where everything is on one page, for the count stands above the list.
#[component]
pub fn Pager(
    /// Where the list stands.
    pager: PagerView,
    /// The list's id, where it is not the first thing on its page.
    #[prop(optional)]
    anchor: &'static str,
) -> impl IntoView {
    if pager.previous.is_none() && pager.next.is_none() {
        return empty_view();
    }
    view! {
        <nav class="pager" aria-label="Pages">
            <p>{pager.text}</p>
            <div class="pager-btns">
                {step("Previous", pager.previous, anchor)} {step("Next", pager.next, anchor)}
            </div>
        </nav>
    }
    .into_any()
}

fn step(label: &'static str, query: Option<String>, anchor: &'static str) -> AnyView {
    match query {
        Some(query) => {
            let hash = if anchor.is_empty() { "" } else { "#" };
            view! {
                <a class="btn btn--small" href=format!("?{query}{hash}{anchor}")>
                    {label}
                </a>
            }
            .into_any()
        }
        None => view! {
            <span class="btn btn--small" role="link" aria-disabled="true">
                {label}
            </span>
        }
        .into_any(),
    }
}
