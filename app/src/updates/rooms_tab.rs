//! Updates → Rooms: what is planned where (P4).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::UpdatesHead;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::icon::Icon;
use crate::components::ring_badge::RingBadge;
use crate::components::selection::{Selection, SelectionBar, SelectionBox};
use crate::components::status_badge::HealthBadge;
use crate::rings::move_dialog::{MOVE, MoveDialog};
use crate::rooms::model::RoomRow;
use crate::rooms::room_list::{RoomList, room_name};

/// The page's address.
const ROOMS: &str = "/updates/rooms";
/// The list's filters in the address.
const FILTERS: [&str; 3] = ["q", "ring", "site"];
/// These and the list's page.
const KEPT: [&str; 5] = ["q", "ring", "site", "after", "before"];

/// The page.
#[component]
pub fn RoomsTab() -> impl IntoView {
    let address = use_query_map();
    let close = Memo::new(move |_| address.with(|address| address::only(ROOMS, address, &KEPT)));
    Selection::provide(address, &FILTERS, String::new);
    view! {
        <UpdatesHead current="Rooms" />
        <RoomList path=ROOMS table=table />
        <MoveDialog address close />
    }
    .into_any()
}

fn table(rows: Vec<RoomRow>, total: i64, may_move: bool, address: &ParamsMap) -> AnyView {
    let page: Vec<_> = rows.iter().map(|row| row.id).collect();
    let keep = KEPT.map(|key| (key, address::value(address, key))).to_vec();
    let bar = may_move.then(|| {
        view! { <SelectionBar path=ROOMS opens_dialog=MOVE label="Move chosen rooms" icon="move" keep page total /> }
            .into_any()
    });
    let head = view! {
        {may_move.then(|| view! { <Head class="col-check" label="Choose" hidden=true /> }.into_any())}
        <Head class="col-room" label="Room" />
        <Head class="col-site" label="Site" />
        <Head class="col-ring" label="Ring" />
        <Head class="col-time" label="Local time" />
        <Head class="col-health" label="Health" />
        <Head class="col-work" label="Updates" />
        <Head class="col-win" label="Next window" />
    }
    .into_any();
    let rows = rows.into_iter().map(|room| row(room, may_move)).collect_view();
    view! {
        {bar}
        <DataTable kind="rooms-list" caption="Rooms" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: RoomRow, may_move: bool) -> AnyView {
    let name = room_name(&row);
    let work = work(&row);
    let choose = may_move.then(|| {
        let (room, name) = (row.id, row.name.clone());
        view! {
            <Cell class="col-check">
                <SelectionBox room name />
            </Cell>
        }
        .into_any()
    });
    let window = match row.next_window {
        Some(window) => window.into_any(),
        None => view! { <span class="muted">"Nothing planned"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            {choose}
            <NameCell>{name}</NameCell>
            <Cell class="col-site">{row.site}</Cell>
            <Cell class="col-ring" label="Ring">
                <RingBadge ring=row.ring />
            </Cell>
            <Cell class="col-time" label="Local time">
                {row.local_time}
            </Cell>
            <Cell class="col-health" label="Health">
                <HealthBadge health=row.health />
            </Cell>
            <Cell class="col-work" label="Updates">
                {work}
            </Cell>
            <Cell class="col-win" label="Next window">
                {window}
            </Cell>
        </tr>
    }
    .into_any()
}

fn work(row: &RoomRow) -> AnyView {
    let kinds = [
        (row.failed, "status status--failed", "s-failed", "failed"),
        (row.running, "status status--running", "s-running", "running"),
        (row.paused, "status status--paused", "s-paused", "paused"),
        (row.scheduled, "status status--scheduled", "s-scheduled", "scheduled"),
    ];
    let some = kinds.into_iter().filter(|(count, ..)| *count > 0);
    let parts = some.map(|(count, class, icon, word)| {
        view! {
            <span class=class>
                <Icon name=icon />
                {format!("{count} {word}")}
            </span>
        }
        .into_any()
    });
    let parts = parts.collect_view();
    if parts.is_empty() {
        return view! { <span class="muted">"Nothing planned"</span> }.into_any();
    }
    view! {
        <a class="work" href=format!("/rooms/{}/updates", row.id)>
            {parts}
        </a>
    }
    .into_any()
}
