//! Updates: the list, its tabs Rooms and Rings, and one update (SPEC P2–P4, P6).
//!
//! Start with [`list_page`]; what the pages ask the server for is in [`api`].

mod api;
mod control_dialog;
mod detail_page;
mod list_page;
mod move_dialog;
mod ring_dialog;
mod ring_plan;
mod rings_tab;
mod rooms_tab;

use leptos::prelude::*;

use crate::components::page_header::PageHeader;
use crate::components::tabs::{Tab, Tabs};

pub(crate) use api::RetryRoom;
pub use detail_page::UpdatePage;
pub use list_page::UpdatesPage;
pub use rings_tab::RingsTab;
pub use rooms_tab::RoomsTab;

/// Title and tabs of the three pages under Updates. `current` is a tab's name.
#[component]
fn UpdatesHead(
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
