//! The head of a page: where it is, what it is called, and what is true of it at a glance.

use leptos::prelude::*;

use super::icon::Icon;
use super::tab_title::TabTitle;

/// Breadcrumb, title and what stands below it. It also names the browser's tab.
#[component]
pub fn PageHeader(
    /// The page's title.
    #[prop(into)]
    title: String,
    /// What the browser's tab says, where it is more than the title.
    #[prop(optional_no_strip)]
    tab: Option<String>,
    /// The page above it: (address, name).
    #[prop(optional, into)]
    above: Option<(&'static str, &'static str)>,
    /// What it is about, as a picture.
    #[prop(optional, into)]
    icon: Option<&'static str>,
    /// One sentence below the title.
    #[prop(optional, into)]
    lede: String,
    /// `<li>`s of the line below the title.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let crumbs = above.map(|(href, name)| {
        view! {
            <nav class="crumbs" aria-label="Breadcrumb">
                <ol>
                    <li>
                        <a href=href>{name}</a>
                    </li>
                    <li>
                        <span aria-current="page">{title.clone()}</span>
                    </li>
                </ol>
            </nav>
        }
    });
    let tab = tab.unwrap_or_else(|| title.clone());
    let block = view! {
        <div class="title-block">
            <h1>{title}</h1>
            {children.map(|children| view! { <ul class="meta">{children()}</ul> })}
            {(!lede.is_empty()).then(|| view! { <p class="lede">{lede}</p> })}
        </div>
    };
    let block = match icon {
        Some(name) => view! {
            <div class="upd upd--head">
                <span class="upd-icon upd-icon--big">
                    <Icon name />
                </span>
                {block}
            </div>
        }
        .into_any(),
        None => block.into_any(),
    };
    view! {
        <TabTitle text=tab />
        <div class="page-head">{crumbs} {block}</div>
    }
}
