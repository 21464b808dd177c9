//! The Tickets tab of a room (P5, K1).

use leptos::prelude::*;

use super::api::get_room_tickets;
use super::room_dialogs::RoomDialogs;
use super::room_page::{Frame, found, use_room_id};
use crate::components::empty_state::EmptyState;
use crate::components::page_refresh::page_resource;
use crate::components::show_resource::show_page;
use crate::rooms::model::RoomTickets;
use crate::tickets::ticket_table;

/// The tab.
#[component]
pub fn RoomTicketsPage() -> impl IntoView {
    let id = use_room_id();
    let room = page_resource(move || id.get(), |id| async move { get_room_tickets(found(id)?).await });
    view! {
        {show_page(room, page)}
        <RoomDialogs id tab="/tickets" />
    }
    .into_any()
}

fn page(room: RoomTickets) -> AnyView {
    let RoomTickets { head, rows } = room;
    let title = format!("Tickets for {}", head.name);
    let content = if rows.is_empty() {
        view! { <EmptyState title="No tickets" text="Nobody has reported anything about this room." clear=None /> }
            .into_any()
    } else {
        ticket_table(title.clone(), rows)
    };
    view! {
        <Frame head current="Tickets" />
        <section aria-labelledby="h-tickets">
            <div class="section-head">
                <h2 id="h-tickets">{title}</h2>
            </div>
            {content}
        </section>
    }
    .into_any()
}
