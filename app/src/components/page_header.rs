//! The head of a page: where it is, what it is called, and what is true of it at a glance.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use web_sys::HtmlElement;

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
    /// What may be done here: links to dialogs, at the end of the title's line.
    #[prop(optional, into)]
    actions: Option<AnyView>,
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
        .into_any()
    });
    let tab = tab.unwrap_or_else(|| title.clone());
    let meta = children.map(|children| view! { <ul class="meta">{children()}</ul> }.into_any());
    let lede = (!lede.is_empty()).then(|| view! { <p class="lede">{lede}</p> }.into_any());
    let block = view! { <div class="title-block"><PageTitle text=title /> {meta} {lede}</div> };
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
    let actions = actions.map(|actions| view! { <div class="btn-row">{actions}</div> }.into_any());
    view! {
        <TabTitle text=tab />
        <div class="page-head">
            {crumbs} {block} {actions}
        </div>
    }
}

/// The page on which the focus has arrived. Answers that draw the same page anew must not move it again.
#[derive(Clone, Copy)]
pub struct FocusedPage(StoredValue<String>);

impl FocusedPage {
    /// With the page that the server wrote: there the browser has set the focus.
    #[must_use]
    pub fn at(path: String) -> Self {
        Self(StoredValue::new(path))
    }
}

/// The heading that names a page. When the router has come to another page it takes the focus, so that the keyboard
/// goes on from there and screen readers read it (P10).
#[component]
pub fn PageTitle(
    /// What the page is called.
    text: String,
) -> impl IntoView {
    let heading = NodeRef::<leptos::html::H1>::new();
    let path = use_location().pathname;
    let focused = use_context::<FocusedPage>();
    heading.on_load(move |heading| {
        let Some(FocusedPage(before)) = focused else { return };
        let path = path.get_untracked();
        if before.get_value() != path {
            before.set_value(path);
            // It is made before it is put into the page, and what is not there takes no focus.
            request_animation_frame(move || focus(&heading));
        }
    });
    view! {
        <h1 tabindex="-1" node_ref=heading>
            {text}
        </h1>
    }
}

/// Where the page stands is the router's to say: it scrolls, and the back button returns to where the page was left.
fn focus(heading: &HtmlElement) {
    let window = window();
    let position = (window.scroll_x(), window.scroll_y());
    // It fails only for an element that is not in the document any more.
    _ = heading.focus();
    if let (Ok(x), Ok(y)) = position {
        window.scroll_to_with_x_and_y(x, y);
    }
}
