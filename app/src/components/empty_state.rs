//! What a list shows when it is empty, and the picture for it.

use leptos::prelude::*;

/// Nothing here: what, why, and the way out.
#[component]
pub fn EmptyState(
    /// In a few words.
    title: &'static str,
    /// One sentence.
    text: &'static str,
    /// The address without filters, where filters are set.
    #[prop(optional_no_strip)]
    clear: Option<String>,
) -> impl IntoView {
    let clear = clear.map(|href| {
        view! {
            <div class="btn-row">
                <a class="btn" href=href>
                    "Clear filters"
                </a>
            </div>
        }
        .into_any()
    });
    view! {
        <section class="empty">
            <EmptyArt />
            <h2>{title}</h2>
            <p>{text}</p>
            {clear}
        </section>
    }
}

/// A page that the list does not reach (any more): the way back to its first page.
#[component]
pub fn EmptyPage(
    /// The address of the first page.
    first: String,
) -> impl IntoView {
    view! {
        <section class="empty">
            <EmptyArt />
            <h2>"This page is empty"</h2>
            <p>"The list ends before it."</p>
            <div class="btn-row">
                <a class="btn" href=first>
                    "Go to page 1"
                </a>
            </div>
        </section>
    }
}

/// The rings of a night.
#[component]
pub fn EmptyArt() -> impl IntoView {
    view! {
        <svg class="empty-art" viewBox="0 0 144 72" aria-hidden="true">
            <path class="a1" d="M8 68a64 64 0 0 1 128 0"></path>
            <path class="a1" d="M32 68a40 40 0 0 1 80 0"></path>
            <path class="a2" d="M32 68a40 40 0 0 1 20-34.6"></path>
            <circle class="a3" cx="54" cy="32.4" r="5"></circle>
        </svg>
    }
}
