//! What people decide about checks: a waiver of one check of a room (C1), and that rooms are confirmed (C4).

use domain::ids::RoomId;
use domain::readiness::Check;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::{ConfirmRooms, WaiveCheck};
use crate::components::address;
use crate::components::dialog::{DIALOG, failed};
use crate::components::post_form::{FormDialog, ReasonField, TextField, posts_to};
use crate::components::selection::rooms_in;
use crate::error::AppError;
use crate::words::count;

/// Words of the dialogs in addresses.
pub(super) const WAIVE: &str = "waive";
pub(super) const CONFIRM: &str = "confirm";

/// The dialog that waives a check of the room, if the address opens it.
#[component]
pub fn WaiveDialog(id: Memo<Option<RoomId>>) -> impl IntoView {
    let address = use_query_map();
    // What is typed stays while the page behind it is asked for again.
    let opened = Memo::new(move |_| {
        let check = address.with(|address| {
            let is_it = address::value(address, DIALOG) == WAIVE;
            is_it
                .then(|| Check::from_word(&address::value(address, "check")))
                .flatten()
        });
        id.get().zip(check)
    });
    move || {
        opened
            .get()
            .map(|(room, check)| waive(room, check, &address.get_untracked()))
    }
}

fn waive(room: RoomId, check: Check, address: &ParamsMap) -> AnyView {
    let action = posts_to::<WaiveCheck>();
    let close = format!("/rooms/{room}");
    let (until, reason) = (address::value(address, "until"), address::value(address, "reason"));
    view! {
        <FormDialog title=format!("Waive {}", check.label()) close action submit="Waive the check">
            <input type="hidden" name="room" value=room.to_string() />
            <input type="hidden" name="check" value=check.as_str() />
            <p>"While the check is waived, it keeps no update away."</p>
            <TextField
                label="Until"
                name="until"
                value=until
                kind="date"
                first=true
                hint="The last day that counts, in the room’s time zone: at most 366 days ahead."
            />
            <ReasonField value=reason />
        </FormDialog>
    }
    .into_any()
}

/// The dialog that confirms the chosen rooms, if the address opens it.
#[component]
pub(super) fn ConfirmDialog(address: Memo<ParamsMap>, close: Memo<String>) -> impl IntoView {
    let rooms = Memo::new(move |_| {
        address.with(|address| (address::value(address, DIALOG) == CONFIRM).then(|| rooms_in(address)))
    });
    move || rooms.get().map(|rooms| confirm(rooms, close.get_untracked()))
}

fn confirm(rooms: Vec<RoomId>, close: String) -> AnyView {
    if rooms.is_empty() {
        let problem = "Choose rooms in the list first.".to_owned();
        return failed("Confirm onboarding", close, &AppError::Conflict { problem });
    }
    let action = posts_to::<ConfirmRooms>();
    let number = i64::try_from(rooms.len()).unwrap_or(i64::MAX);
    let title = format!("Confirm {}", count(number, "room", "rooms"));
    let hidden = rooms.into_iter().enumerate().map(|(index, room)| {
        view! { <input type="hidden" name=format!("rooms[{index}]") value=room.to_string() /> }.into_any()
    });
    let hidden = hidden.collect_view();
    view! {
        <FormDialog title close action submit="Confirm onboarding" narrow=true>
            {hidden}
            <p>
                "You confirm that every other program that changes these rooms has been told to stop. Each room becomes managed as soon \
                 as its checks let it."
            </p>
        </FormDialog>
    }
    .into_any()
}
