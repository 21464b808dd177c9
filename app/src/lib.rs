//! Nightshift's pages: compiled once for the server, which writes them, and once for the browser, which takes them
//! over.
//!
//! One folder a feature. In each, `model.rs` has what its pages show and the only types that cross the wire for it; `present.rs` (server
//! only) makes them from what the service knows; `api.rs` holds the server functions; the other files are the pages. Nothing here
//! decides, counts or asks for the time. Start with [`App`], which is the table of routes.

#![recursion_limit = "512"]

pub mod access;
pub mod audit;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod error;
#[cfg(feature = "ssr")]
mod formats;
mod freezes;
mod home;
#[cfg(feature = "ssr")]
pub mod hydration;
mod portfolio;
pub mod readiness;
mod rings;
pub mod rooms;
mod routes;
mod search;
mod settings;
pub mod support;
mod tickets;
pub mod updates;
mod words;

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{ParamSegment, SsrMode, StaticSegment};

use crate::components::error_view::NotFoundPage;
use crate::components::shell::Shell;
#[cfg(feature = "ssr")]
use crate::hydration::HydrationScript;
use crate::routes::Page;

/// The document around the app.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    restrict();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link id="leptos" rel="stylesheet" href="/pkg/nightshift.css" />
                <AutoReload options />
                <HydrationScript />
                <leptos_meta::MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The app: the shell and the table of routes.
#[expect(clippy::too_many_lines, reason = "one table of routes")]
#[component]
pub fn App() -> impl IntoView {
    // What stands in the page's head is the server's; in the browser a page sets its title.
    #[cfg(feature = "ssr")]
    leptos_meta::provide_meta_context();
    // An address with an id comes after the fixed words in its place.
    view! {
        <Router>
            <Shell>
                <FlatRoutes fallback=NotFoundPage>
                    <Route path=StaticSegment("") view=Page::Home ssr=SsrMode::Async />
                    <Route path=StaticSegment("incidents") view=Page::Incidents ssr=SsrMode::Async />
                    <Route
                        path=(StaticSegment("incidents"), ParamSegment("number"))
                        view=Page::Ticket
                        ssr=SsrMode::Async
                    />
                    <Route path=StaticSegment("rooms") view=Page::Inventory ssr=SsrMode::Async />
                    <Route path=(StaticSegment("rooms"), StaticSegment("import")) view=Page::Import ssr=SsrMode::Async />
                    <Route path=(StaticSegment("rooms"), StaticSegment("sites")) view=Page::Sites ssr=SsrMode::Async />
                    <Route
                        path=(StaticSegment("rooms"), StaticSegment("support"))
                        view=Page::Support
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("rooms"), StaticSegment("readiness"))
                        view=Page::Readiness
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("rooms"), StaticSegment("readiness"), StaticSegment("software"))
                        view=Page::Software
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("rooms"), StaticSegment("readiness"), StaticSegment("profile"))
                        view=Page::Profile
                        ssr=SsrMode::Async
                    />
                    <Route path=(StaticSegment("rooms"), ParamSegment("id")) view=Page::Room ssr=SsrMode::Async />
                    <Route
                        path=(StaticSegment("rooms"), ParamSegment("id"), StaticSegment("updates"))
                        view=Page::RoomUpdates
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("rooms"), ParamSegment("id"), StaticSegment("tickets"))
                        view=Page::RoomTickets
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("rooms"), ParamSegment("id"), StaticSegment("history"))
                        view=Page::RoomHistory
                        ssr=SsrMode::Async
                    />
                    <Route path=StaticSegment("updates") view=Page::Updates ssr=SsrMode::Async />
                    <Route
                        path=(StaticSegment("updates"), StaticSegment("rooms"))
                        view=Page::Rooms
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("updates"), StaticSegment("rings"))
                        view=Page::Rings
                        ssr=SsrMode::Async
                    />
                    <Route path=(StaticSegment("updates"), ParamSegment("id")) view=Page::Update ssr=SsrMode::Async />
                    <Route path=StaticSegment("portfolio") view=Page::Portfolio ssr=SsrMode::Async />
                    <Route
                        path=(StaticSegment("portfolio"), StaticSegment("import"))
                        view=Page::Catalogue
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("portfolio"), ParamSegment("id"))
                        view=Page::Product
                        ssr=SsrMode::Async
                    />
                    <Route path=StaticSegment("audit") view=Page::Audit ssr=SsrMode::Async />
                    <Route path=StaticSegment("settings") view=Page::Settings ssr=SsrMode::Async />
                    <Route
                        path=(StaticSegment("settings"), StaticSegment("freezes"))
                        view=Page::Freezes
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("settings"), StaticSegment("people"))
                        view=Page::People
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("settings"), StaticSegment("people"), ParamSegment("id"))
                        view=Page::Person
                        ssr=SsrMode::Async
                    />
                    <Route
                        path=(StaticSegment("settings"), StaticSegment("tokens"))
                        view=Page::Tokens
                        ssr=SsrMode::Async
                    />
                    <Route path=StaticSegment("search") view=Page::Search ssr=SsrMode::Async />
                    <Route path=StaticSegment("account") view=Page::Account ssr=SsrMode::Async />
                </FlatRoutes>
            </Shell>
        </Router>
    }
}

/// Where browsers report what they refused for a page's policy.
#[cfg(feature = "ssr")]
pub const REPORTS: &str = "/csp-reports";

/// What a page may load and run: its own files, and scripts and styles that carry this answer's nonce.
#[cfg(feature = "ssr")]
fn restrict() {
    use axum::http::{HeaderValue, header};
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<leptos_axum::ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         report-uri {REPORTS}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
