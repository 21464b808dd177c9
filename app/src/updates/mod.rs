//! Updates: the list, its tab Rooms, and one update (SPEC P2–P4). The tab Rings is in [`crate::rings`].
//!
//! Start with [`list_page`]; what the pages ask the server for is in [`api`].

mod api;
mod control_dialog;
mod detail_page;
mod geometry;
mod list_page;
pub mod model;
#[cfg(feature = "ssr")]
pub mod present;
mod ring_track;
mod rooms_tab;
mod timeline;

use leptos::prelude::*;

use crate::components::page_header::PageHeader;
use crate::components::tabs::{Tab, Tabs};

pub(crate) use api::RetryRoom;
pub use detail_page::UpdatePage;
pub use list_page::UpdatesPage;
pub use rooms_tab::RoomsTab;

/// Title and tabs of the three pages under Updates. `current` is a tab's name.
#[component]
pub(crate) fn UpdatesHead(
    current: &'static str,
    /// What may be done here.
    #[prop(optional, into)]
    actions: Option<AnyView>,
) -> impl IntoView {
    let tab = |name, href: &str| Tab {
        name,
        href: href.to_owned(),
        count: None,
    };
    let tabs = vec![
        tab("Updates", "/updates"),
        tab("Rooms", "/updates/rooms"),
        tab("Rings", "/updates/rings"),
    ];
    let title = match current {
        "Rooms" => Some("Updates: rooms".to_owned()),
        "Rings" => Some("Updates: rings".to_owned()),
        _ => None,
    };
    view! {
        <PageHeader title="Updates" tab=title actions=actions.into_any() />
        <Tabs label="Updates" tabs current />
    }
}
