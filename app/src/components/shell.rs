//! What stands around every page: the demo's bar, the top bar, the navigation.
//!
//! Everything but the links comes from one server function. A page works without it: where it fails, the bars stay
//! empty.

use domain::access::{Act, Role};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos_router::hooks::use_location;

use super::change_feed;
use super::flash::{Flash, FlashLine};
use super::for_role::SignedInPerson;
use super::icon::Icon;
use super::page_header::FocusedPage;
use super::page_refresh::PageRefresh;
use super::resource::{empty_view, json_resource, transition};
use super::show_resource::PageResource;
use super::time::Time;
use crate::components::model::{PersonView, ShellView};
use crate::error::AppError;
use crate::search::{SearchBar, shortcuts};

/// A place in the navigation.
struct NavigationItem {
    name: &'static str,
    href: &'static str,
    icon: &'static str,
    /// What one must be allowed to see it; `None`: nothing.
    act: Option<Act>,
}

const MAIN_ITEMS: [NavigationItem; 4] = [
    NavigationItem {
        name: "Home",
        href: "/",
        icon: "home",
        act: None,
    },
    NavigationItem {
        name: "Incidents",
        href: "/incidents",
        icon: "incidents",
        act: None,
    },
    NavigationItem {
        name: "Rooms",
        href: "/rooms",
        icon: "rooms",
        act: None,
    },
    NavigationItem {
        name: "Updates",
        href: "/updates",
        icon: "updates",
        act: None,
    },
];

const OFFICE_ITEMS: [NavigationItem; 3] = [
    NavigationItem {
        name: "Portfolio",
        href: "/portfolio",
        icon: "portfolio",
        act: Some(Act::SeePortfolio),
    },
    NavigationItem {
        name: "Audit",
        href: "/audit",
        icon: "audit",
        act: Some(Act::SeeAudit),
    },
    NavigationItem {
        name: "Settings",
        href: "/settings",
        icon: "settings",
        act: Some(Act::SeeSettings),
    },
];

/// What every page shows around its content.
#[server(prefix = "/api", endpoint = "shell", input = GetUrl)]
pub async fn get_shell() -> Result<ShellView, AppError> {
    crate::context::current()?.shell().await
}

/// The shell with a page in it.
#[component]
pub fn Shell(
    /// The page.
    children: Children,
) -> impl IntoView {
    let path = use_location().pathname;
    provide_context(FocusedPage::at(path.get_untracked()));
    let (flash, refresh) = (Flash::provide(), PageRefresh::provide());
    change_feed::listen(refresh);
    shortcuts::listen();
    // The clock in the top bar moves on with every page. Not with every change: what a form has brought is said once, and stays until then.
    let shell = json_resource(move || path.get(), |_| get_shell());
    SignedInPerson::provide(shell);
    let part = move |show: fn(ShellView) -> AnyView| {
        let content = move || async move { shell.await.ok().map_or_else(empty_view, show) };
        transition(content, empty_view)
    };
    view! {
        <div class="app">
            <Patterns />
            // The browser follows it itself: it moves the focus, which the router does not.
            <a class="skip" href="#main" rel="external">
                "Skip to content"
            </a>
            {part(demo_bar)}
            <header class="topbar">
                <button
                    class="btn btn--icon topbar-menu"
                    type="button"
                    popovertarget="nav"
                    aria-label="Open navigation"
                >
                    <Icon name="nav" />
                </button>
                <a class="brand" href="/">
                    <svg class="brand-mark" viewBox="0 0 24 24" aria-hidden="true">
                        <path class="brand-ring" d="M12.9 4.2A8.2 8.2 0 1 0 19.8 11.1"></path>
                        <path class="brand-moon" d="M20.4 7.6A4.6 4.6 0 1 1 16 2a3.8 3.8 0 0 0 4.4 5.6Z"></path>
                    </svg>
                    <span>"Nightshift"</span>
                </a>
                {part(organisation)}
                <SearchBar />
                {part(clock)}
                {part(person)}
            </header>
            <Navigation shell foot=part(foot) />
            <main class="main" id="main" tabindex="-1">
                <FlashLine shell flash />
                {children()}
            </main>
            <shortcuts::ShortcutsDialog />
        </div>
    }
}

#[component]
fn Navigation(shell: PageResource<ShellView>, foot: AnyView) -> impl IntoView {
    let navigation = NodeRef::<leptos::html::Nav>::new();
    let path = use_location().pathname;
    // On a phone the navigation is a popover, and no page is loaded that would close it.
    let close = move || {
        if let Some(navigation) = navigation.get_untracked() {
            // It fails only where it is no popover.
            _ = navigation.hide_popover();
        }
    };
    let link = move |item: NavigationItem| {
        let NavigationItem { name, href, icon, .. } = item;
        let current = move || is_current(href, &path.get());
        let picture = move || format!("/icons.svg#i-{icon}{}", if current() { "-f" } else { "" });
        view! {
            <li>
                <a
                    class="nav-link"
                    href=href
                    aria-current=move || current().then_some("page")
                    on:click=move |_| close()
                >
                    <svg class="icon" aria-hidden="true">
                        <use href=picture></use>
                    </svg>
                    <span>{name}</span>
                </a>
            </li>
        }
    };
    // Places that are not for everybody come with what the server says of whoever is here.
    let second = move || async move {
        let role = shell.await.ok().map(|shell| shell.person.role);
        let open = |item: &NavigationItem| item.act.is_none_or(|act| role.is_none_or(|role| role.may(act)));
        let links: Vec<_> = OFFICE_ITEMS.into_iter().filter(open).map(link).collect();
        if links.is_empty() {
            return empty_view();
        }
        view! { <ul class="nav-second">{links}</ul> }.into_any()
    };
    view! {
        <nav class="sidenav" id="nav" popover="auto" aria-label="Main" node_ref=navigation>
            <div class="sidenav-in">
                <ul>{MAIN_ITEMS.map(link).collect_view()}</ul>
                {transition(second, empty_view)}
                {foot}
            </div>
        </nav>
    }
}

/// Whether the page at `path` belongs to the place at `href`.
fn is_current(href: &str, path: &str) -> bool {
    match path.strip_prefix(href) {
        Some(rest) if href == "/" => rest.is_empty(),
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

fn demo_bar(shell: ShellView) -> AnyView {
    let ShellView {
        demo,
        today,
        clock,
        city,
        person,
        ..
    } = shell;
    let other = match person.role {
        Role::Admin => Role::Helpdesk,
        Role::Helpdesk | Role::Auditor => Role::Admin,
    };
    let Some(demo) = demo else { return empty_view() };
    view! {
            <section class="demo-bar" aria-label="Demo">
                <b>
                    <Icon name="clock" />
                    "Demo."
                </b>
                <span>{demo.clock}</span>
                <span>{format!("It is {today}, ")} <Time when=clock /> {format!(" ({city}).")}</span>
                <form class="demo-role" method="post" action="/demo/role">
                    <input type="hidden" name="role" value=other.as_str() />
                    <button class="btn btn--small" type="submit">
                        {format!("Look at it as {}", other.label())}
                    </button>
                </form>
            </section>
    }
    .into_any()
}

fn organisation(shell: ShellView) -> AnyView {
    view! { <span class="topbar-org">{shell.organisation}</span> }.into_any()
}

fn clock(shell: ShellView) -> AnyView {
    view! {
        <p class="topbar-clock">
            <span class="topbar-date">{format!("{}, ", shell.today)}</span>
            <Time when=shell.clock />
            {format!(" ({})", shell.city)}
        </p>
    }
    .into_any()
}

fn person(shell: ShellView) -> AnyView {
    let PersonView { name, role } = shell.person;
    view! {
        <a class="topbar-person" href="/account">
            <Icon name="person" />
            <span>{name}</span>
            <span class="topbar-role">{role.label()}</span>
        </a>
    }
    .into_any()
}

fn foot(shell: ShellView) -> AnyView {
    view! { <p class="nav-foot">{shell.tzdb}</p> }.into_any()
}

/// Fills of the pictures; once in the document.
#[component]
fn Patterns() -> impl IntoView {
    view! {
        <svg class="defs" width="0" height="0" aria-hidden="true">
            <defs>
                <pattern
                    id="p-frozen"
                    width="6"
                    height="6"
                    patternUnits="userSpaceOnUse"
                    patternTransform="rotate(45)"
                >
                    <rect class="p-frozen-line" width="1.2" height="6"></rect>
                </pattern>
                <pattern id="p-pause" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="p-pause-bg" width="6" height="6"></rect>
                    <rect class="p-pause-line" width="2" height="6"></rect>
                </pattern>
                <pattern id="p-over" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="p-over-bg" width="6" height="6"></rect>
                    <rect class="p-over-line" width="2" height="6"></rect>
                </pattern>
            </defs>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_belongs_to_one_place() {
        for (href, path, belongs) in [
            ("/", "/", true),
            ("/", "/updates", false),
            ("/updates", "/updates", true),
            ("/updates", "/updates/rooms", true),
            ("/rooms", "/updates/rooms", false),
            ("/rooms", "/roomservice", false),
        ] {
            assert_eq!(is_current(href, path), belongs, "{path} in {href}");
        }
    }
}
