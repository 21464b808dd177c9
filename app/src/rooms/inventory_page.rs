//! The inventory: all rooms with site, health, devices and ring (P0).

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::room_dialogs::{ADD, AddRoomDialog};
use super::room_list::{RoomList, room_name};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::DIALOG;
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::ring_badge::RingBadge;
use crate::components::status_badge::HealthBadge;
use crate::rooms::model::RoomRow;
use crate::words::count;

/// The page.
#[component]
pub fn InventoryPage() -> impl IntoView {
    let address = use_query_map();
    let export = move || address.with(|address| address::only("/rooms.csv", address, &["q", "ring", "site", "state"]));
    let actions = view! {
        <a class="btn" href=export rel="external" download="rooms.csv">
            "Export"
        </a>
        <ForRole act=Act::EditRooms>
            <a class="btn" href="/rooms/import">
                "Import"
            </a>
            <a class="btn btn--primary" href=format!("/rooms?{DIALOG}={ADD}") data-noscroll="">
                <Icon name="add" />
                "Add a room"
            </a>
        </ForRole>
    };
    view! {
        <PageHeader title="Rooms" tab=None actions=actions.into_any()>
            <li>
                <a href="/rooms/sites">"Sites"</a>
            </li>
            <li>
                <a href="/rooms/readiness">"Readiness"</a>
            </li>
            <li>
                <a href="/rooms/support">"Support"</a>
            </li>
        </PageHeader>
        <RoomList path="/rooms" table=table with_retired=true />
        <AddRoomDialog close="/rooms" />
    }
    .into_any()
}

fn table(rows: Vec<RoomRow>, _total: i64, _may_move: bool, _address: &ParamsMap) -> AnyView {
    let head = view! {
        <Head class="col-room" label="Room" />
        <Head class="col-site" label="Site" />
        <Head class="col-health" label="Health" />
        <Head class="col-devices" label="Devices" />
        <Head class="col-ring" label="Ring" />
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <DataTable kind="inventory" caption="Rooms" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(row: RoomRow) -> AnyView {
    let name = room_name(&row);
    let devices = count(row.devices, "device", "devices");
    let tickets = (row.tickets > 0).then(|| {
        let href = format!("/rooms/{}/tickets", row.id);
        view! {
            <span class="sub sub--indent">
                <a href=href>{count(row.tickets, "open ticket", "open tickets")}</a>
            </span>
        }
        .into_any()
    });
    view! {
        <tr role="row">
            <NameCell>{name}</NameCell>
            <Cell class="col-site">{row.site}</Cell>
            <Cell class="col-health" label="Health">
                <HealthBadge health=row.health />
                {tickets}
            </Cell>
            <Cell class="col-devices" label="Devices">
                {devices}
                <span class="sub">{row.models}</span>
            </Cell>
            <Cell class="col-ring" label="Ring">
                <RingBadge ring=row.ring />
            </Cell>
        </tr>
    }
    .into_any()
}
