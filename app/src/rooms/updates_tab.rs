//! The Updates tab of a room: every update with its status and why (P5, T1, T5).

use domain::ids::{RoomId, UpdateId};
use leptos::prelude::*;

use super::api::get_room_updates;
use super::room_dialogs::RoomDialogs;
use super::room_page::{ChangeRing, Frame, found, use_room_id};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::EmptyState;
use crate::components::icon;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::product_cell::ProductCell;
use crate::components::ring_badge::RingBadge;
use crate::components::show_resource::show_page;
use crate::components::status_badge::RoomStatusBadge;
use crate::rooms::model::{RoomUpdateRow, RoomUpdates};
use crate::updates::RetryRoom;

/// The tab.
#[component]
pub fn RoomUpdatesPage() -> impl IntoView {
    let id = use_room_id();
    let room = page_resource(move || id.get(), |id| async move { get_room_updates(found(id)?).await });
    view! {
        {show_page(room, page)}
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
        table(head.id, title.clone(), rows)
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

fn table(room: RoomId, caption: String, rows: Vec<RoomUpdateRow>) -> AnyView {
    let head = view! {
        <Head class="col-name" label="Update" />
        <Head class="col-status" label="Status" />
        <Head label="Why" />
        <Head class="col-win" label="When" />
    }
    .into_any();
    let rows = rows.into_iter().map(|found| row(room, found)).collect_view();
    view! {
        <DataTable kind="room-why" caption head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(room: RoomId, row: RoomUpdateRow) -> AnyView {
    let retry = row.may_retry.then(|| retry(room, row.update, &row.title));
    // An empty cell has its label on phones all the same.
    let when = if row.when.is_empty() {
        view! { <span class="muted">"–"</span> }.into_any()
    } else {
        row.when.into_any()
    };
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
                {when} {retry}
            </Cell>
        </tr>
    }
    .into_any()
}

/// Once more, into the next window (K4): helpdesk may do it, too.
fn retry(room: RoomId, update: UpdateId, title: &str) -> AnyView {
    let action = posts_to::<RetryRoom>();
    let label = format!("Retry {title}");
    view! {
        <PostForm action class="inline-form" prefix="retry">
            <input type="hidden" name="update" value=update.to_string() />
            <input type="hidden" name="room" value=room.to_string() />
            <input type="hidden" name="from_room" value="true" />
            <button class="btn btn--small" type="submit" aria-label=label>
                "Retry"
            </button>
        </PostForm>
    }
    .into_any()
}
