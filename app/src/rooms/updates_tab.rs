//! The Updates tab of a room: every update with its status and why (P5, T1, T5).

use leptos::prelude::*;

use super::api::get_room_updates;
use super::room_dialogs::RoomDialogs;
use super::room_page::{ChangeRing, Frame, found, use_room_id};
use crate::components::changes::asking;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::EmptyState;
use crate::components::icon;
use crate::components::loaded::loaded_page;
use crate::components::product_cell::ProductCell;
use crate::components::ring_badge::RingBadge;
use crate::components::status_badge::RoomStatusBadge;
use crate::view::{RoomUpdateRow, RoomUpdates};

/// The tab.
#[component]
pub fn RoomUpdatesPage() -> impl IntoView {
    let id = use_room_id();
    let room = asking(move || id.get(), |id| async move { get_room_updates(found(id)?).await });
    view! {
        {loaded_page(room, page)}
        <RoomDialogs id tab="/updates" />
    }
    .into_any()
}

fn page(room: RoomUpdates) -> AnyView {
    let RoomUpdates { head, rows } = room;
    let title = format!("Updates for {}", head.name);
    let content = if rows.is_empty() {
        view! {
            <EmptyState title="No updates yet" text="Nothing has been published for this room’s devices." clear=None />
        }
        .into_any()
    } else {
        table(title.clone(), rows)
    };
    let (ring, here) = (head.ring.clone(), format!("/rooms/{}/updates", head.id));
    view! {
        <Frame head current="Updates" />
        <section aria-labelledby="h-updates">
            <div class="section-head">
                <h2 id="h-updates">{title}</h2>
                <p class="assigned">
                    "Assigned ring: " <RingBadge ring /> <ChangeRing here />
                </p>
            </div>
            {content}
        </section>
    }
    .into_any()
}

fn table(caption: String, rows: Vec<RoomUpdateRow>) -> AnyView {
    let head = view! {
        <Head class="col-name" label="Update" />
        <Head class="col-status" label="Status" />
        <Head label="Why" />
        <Head class="col-win" label="When" />
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <DataTable kind="room-why" caption head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: RoomUpdateRow) -> AnyView {
    let href = format!("/updates/{}", row.update);
    view! {
        <tr role="row">
            <NameCell class="col-name">
                <ProductCell icon=icon::of_kind(row.kind) name=row.title href=Some(href) sub=row.sub />
            </NameCell>
            <Cell class="col-status" label="Status">
                <RoomStatusBadge status=row.status />
            </Cell>
            <Cell class="why" label="Why">
                {row.why}
            </Cell>
            <Cell class="col-win" label="When">
                {row.when}
            </Cell>
        </tr>
    }
    .into_any()
}
