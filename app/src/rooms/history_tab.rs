//! The History tab of a room (P5).

use leptos::prelude::*;

use super::api::get_room_history;
use super::room_dialogs::RoomDialogs;
use super::room_page::{Frame, found, use_room_id};
use crate::components::history_list::HistoryList;
use crate::components::page_refresh::page_resource;
use crate::components::show_resource::show_page;
use crate::rooms::model::RoomHistory;

/// The tab.
#[component]
pub fn RoomHistoryPage() -> impl IntoView {
    let id = use_room_id();
    let room = page_resource(move || id.get(), |id| async move { get_room_history(found(id)?).await });
    view! {
        {show_page(room, page)}
        <RoomDialogs id tab="/history" />
    }
    .into_any()
}

fn page(room: RoomHistory) -> AnyView {
    let RoomHistory { head, rows } = room;
    view! {
        <Frame head current="History" />
        <section aria-labelledby="h-history">
            <div class="section-head">
                <h2 id="h-history">"History"</h2>
            </div>
            <HistoryList rows />
        </section>
    }
    .into_any()
}
