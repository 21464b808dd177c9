//! What the pages about rooms ask the server for.

use domain::ids::{RingId, RoomId, SiteId};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use uuid::Uuid;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::rooms::model::{
    ImportReview, RoomFields, RoomForm, RoomHistory, RoomOverview, RoomTickets, RoomUpdates, RoomsQuery, RoomsView,
    SitesView,
};

/// A page of rooms.
#[server(prefix = "/api", endpoint = "rooms/list", input = GetUrl)]
pub async fn list_rooms(query: RoomsQuery) -> Result<RoomsView, AppError> {
    crate::context::current()?.list_rooms(query).await
}

/// A room's devices and what keeps updates away.
#[server(prefix = "/api", endpoint = "rooms/overview", input = GetUrl)]
pub async fn get_room_overview(id: RoomId) -> Result<RoomOverview, AppError> {
    crate::context::current()?.room_overview(id).await
}

/// A room's updates.
#[server(prefix = "/api", endpoint = "rooms/updates", input = GetUrl)]
pub async fn get_room_updates(id: RoomId) -> Result<RoomUpdates, AppError> {
    crate::context::current()?.room_updates(id).await
}

/// A room's tickets.
#[server(prefix = "/api", endpoint = "rooms/tickets", input = GetUrl)]
pub async fn get_room_tickets(id: RoomId) -> Result<RoomTickets, AppError> {
    crate::context::current()?.room_tickets(id).await
}

/// A room's history.
#[server(prefix = "/api", endpoint = "rooms/history", input = GetUrl)]
pub async fn get_room_history(id: RoomId) -> Result<RoomHistory, AppError> {
    crate::context::current()?.room_history(id).await
}

/// What the dialogs of a room start from; with what moves would mean, for the one that assigns a ring.
#[server(prefix = "/api", endpoint = "rooms/form", input = GetUrl)]
pub async fn get_room_form(
    #[server(default)] id: Option<RoomId>,
    #[server(default)] moves: bool,
) -> Result<RoomForm, AppError> {
    crate::context::current()?.room_form(id, moves).await
}

/// Adds a room (R3).
#[server(prefix = "/api", endpoint = "rooms/add")]
pub async fn add_room(
    #[server(flatten)] fields: RoomFields,
    #[server(default)] ring: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.add_room(fields, &ring).await
}

/// Edits a room.
#[server(prefix = "/api", endpoint = "rooms/edit")]
pub async fn edit_room(
    room: RoomId,
    revision: i64,
    #[server(flatten)] fields: RoomFields,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.edit_room(room, revision, fields).await
}

/// Retires a room.
#[server(prefix = "/api", endpoint = "rooms/retire")]
pub async fn retire_room(room: RoomId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.retire_room(room, &reason).await
}

/// Brings a retired room back.
#[server(prefix = "/api", endpoint = "rooms/bring-back")]
pub async fn bring_back_room(room: RoomId) -> Result<FormSuccess, AppError> {
    crate::context::current()?.bring_back_room(room).await
}

/// Assigns a ring to a room (R13).
#[server(prefix = "/api", endpoint = "rooms/assign")]
pub async fn assign_ring(
    room: RoomId,
    from: RingId,
    to: RingId,
    #[server(default)] tab: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.assign_ring(room, from, to, &tab).await
}

/// Adds a device to a room (A4).
#[server(prefix = "/api", endpoint = "devices/add")]
pub async fn add_device(
    room: RoomId,
    device: String,
    #[server(default)] role: String,
    #[server(default)] vendor: String,
    model: String,
    #[server(default)] serial: String,
) -> Result<FormSuccess, AppError> {
    let draft = service::rooms::DeviceDraft {
        controller: device,
        role: role.into(),
        vendor: vendor.into(),
        model: model.into(),
        serial: serial.into(),
    };
    crate::context::current()?.add_device(room, draft).await
}

/// Hands out a new token for a device (A4).
#[server(prefix = "/api", endpoint = "devices/token")]
pub async fn renew_device(room: RoomId, device: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.renew_device(room, &device).await
}

/// Takes a device's token away.
#[server(prefix = "/api", endpoint = "devices/revoke")]
pub async fn revoke_device(room: RoomId, device: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.revoke_device(room, &device).await
}

/// Asks the devices of a room for their facts.
#[server(prefix = "/api", endpoint = "rooms/refresh")]
pub async fn refresh_facts(room: RoomId) -> Result<FormSuccess, AppError> {
    crate::context::current()?.refresh_facts(room).await
}

/// The sites.
#[server(prefix = "/api", endpoint = "sites/list", input = GetUrl)]
pub async fn list_sites() -> Result<SitesView, AppError> {
    crate::context::current()?.sites().await
}

/// Adds a site.
#[server(prefix = "/api", endpoint = "sites/add")]
pub async fn add_site(
    name: String,
    #[server(default)] city: String,
    #[server(default)] country: String,
    zone: String,
) -> Result<FormSuccess, AppError> {
    let draft = service::rooms::SiteDraft {
        name: name.into(),
        city: city.into(),
        country: country.into(),
        zone: zone.into(),
    };
    crate::context::current()?.add_site(draft).await
}

/// Edits a site.
#[server(prefix = "/api", endpoint = "sites/edit")]
pub async fn edit_site(
    site: SiteId,
    name: String,
    #[server(default)] city: String,
    #[server(default)] country: String,
    zone: String,
) -> Result<FormSuccess, AppError> {
    let draft = service::rooms::SiteDraft {
        name: name.into(),
        city: city.into(),
        country: country.into(),
        zone: zone.into(),
    };
    crate::context::current()?.edit_site(site, draft).await
}

/// What a file that was sent would become (P0); nothing, where none was.
#[server(prefix = "/api", endpoint = "rooms/review", input = GetUrl)]
pub async fn review_rooms(#[server(default)] upload: Option<Uuid>) -> Result<Option<ImportReview>, AppError> {
    crate::context::current()?.review_rooms(upload).await
}

/// Imports a file that was looked at.
#[server(prefix = "/api", endpoint = "rooms/import")]
pub async fn import_rooms(upload: Uuid) -> Result<FormSuccess, AppError> {
    crate::context::current()?.import_rooms(upload).await
}
