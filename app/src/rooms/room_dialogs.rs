//! The dialogs of a room: edit, retire, bring back, assign a ring (R13), and its devices (A4); and that of a new room.

use domain::ids::RoomId;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::{
    AddDevice, AddRoom, AssignRing, BringBackRoom, EditRoom, RenewDevice, RetireRoom, RevokeDevice, get_room_form,
};
use crate::components::address;
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::model::Choice;
use crate::components::post_form::{FormDialog, ReasonField, SelectField, TextField, ZoneField, posts_to};
use crate::components::ring_choice::RingChoice;
use crate::rooms::model::RoomForm;

/// Words of the dialogs in addresses.
pub(super) const ADD: &str = "add";
pub(super) const EDIT: &str = "edit";
pub(super) const RETIRE: &str = "retire";
pub(super) const BRING_BACK: &str = "bring-back";
pub(super) const ASSIGN: &str = "assign";
pub(super) const ADD_DEVICE: &str = "add-device";
pub(super) const RENEW_DEVICE: &str = "renew-device";
pub(super) const REVOKE_DEVICE: &str = "revoke-device";

/// What devices call themselves by what they do; others may be typed by an agent.
const ROLES: [(&str, &str); 10] = [
    ("compute", "Compute"),
    ("console", "Console"),
    ("bar", "Video bar"),
    ("camera", "Camera"),
    ("display", "Display"),
    ("microphone", "Microphone"),
    ("speaker", "Speaker"),
    ("panel", "Room panel"),
    ("tablet", "Tablet"),
    ("", "Something else"),
];

/// The dialog of the room at `path` that the address opens, if any.
#[component]
pub(super) fn RoomDialogs(
    /// The room in the address.
    id: Memo<Option<RoomId>>,
    /// The page's part behind the room: `/updates`.
    #[prop(optional)]
    tab: &'static str,
) -> impl IntoView {
    const OF_A_ROOM: [&str; 7] = [
        EDIT,
        RETIRE,
        BRING_BACK,
        ASSIGN,
        ADD_DEVICE,
        RENEW_DEVICE,
        REVOKE_DEVICE,
    ];
    let address = use_query_map();
    let key = move || {
        let word = address.with(|address| address::value(address, DIALOG));
        let device = address.with(|address| address::value(address, "device"));
        let id = id.get()?;
        OF_A_ROOM.contains(&word.as_str()).then_some((word, id, device))
    };
    opened(
        key,
        |(word, id, _): (String, RoomId, String)| get_room_form(Some(id), word == ASSIGN),
        move |(word, id, device): (String, RoomId, String), answer| {
            let close = format!("/rooms/{id}{tab}");
            let form: RoomForm = match answer {
                Ok(form) => form,
                Err(error) => return Some(failed("This room", close, &error)),
            };
            let address = address.get_untracked();
            Some(match word.as_str() {
                EDIT => room_form(form, &address, close),
                RETIRE => retire(&form, id, close),
                BRING_BACK => bring_back(&form, id, close),
                ASSIGN => assign(form, id, tab, close),
                ADD_DEVICE => add_device(&form, id, &address, close),
                RENEW_DEVICE => renew_device(id, device, close),
                REVOKE_DEVICE => revoke_device(&form, id, device, close),
                _ => return None,
            })
        },
    )
}

/// The dialog of a new room, if the address opens it.
#[component]
pub(super) fn AddRoomDialog(
    /// The page without it.
    close: &'static str,
) -> impl IntoView {
    let address = use_query_map();
    let key = move || {
        address
            .with(|address| address::value(address, DIALOG) == ADD)
            .then_some(())
    };
    opened(
        key,
        |()| get_room_form(None, false),
        move |(), answer| {
            let close = close.to_owned();
            Some(match answer {
                Ok(form) => room_form(form, &address.get_untracked(), close),
                Err(error) => failed("Add a room", close, &error),
            })
        },
    )
}

fn pairs(choices: Vec<Choice>) -> Vec<(String, String)> {
    choices.into_iter().map(|choice| (choice.value, choice.label)).collect()
}

fn room_form(form: RoomForm, address: &ParamsMap, close: String) -> AnyView {
    let typed = |name: &str, known: &str| address::typed(address, name, known);
    let is_new = form.id.is_none();
    let (title, action, submit) = if is_new {
        ("Add a room".to_owned(), posts_to::<AddRoom>(), "Add the room")
    } else {
        (format!("Edit {}", form.name), posts_to::<EditRoom>(), "Save")
    };
    if form.sites.is_empty() {
        let none = view! {
            <FormDialog title close action submit="Add the room">
                <p>"There is no site yet. "<a href="/rooms/sites?do=add">"Add the first one"</a>", then its rooms."</p>
            </FormDialog>
        };
        return none.into_any();
    }
    let (name, site) = (typed("name", &form.name), typed("site", &form.site));
    let (building, floor) = (typed("building", &form.building), typed("floor", &form.floor));
    let (capacity, zone) = (typed("capacity", &form.capacity), typed("zone", &form.zone));
    let longest = form.longest_name;
    let hidden = form.id.map(|id| {
        view! {
            <input type="hidden" name="room" value=id.to_string() />
            <input type="hidden" name="revision" value=form.revision.to_string() />
        }
        .into_any()
    });
    let ring = is_new.then(|| {
        let ring = typed("ring", &form.ring);
        let rings = pairs(form.rings);
        view! { <SelectField label="Ring" name="ring" value=ring choices=rings /> }.into_any()
    });
    let sites = pairs(form.sites);
    view! {
        <FormDialog title close action submit>
            {hidden} <TextField label="Name" name="name" value=name longest first=true />
            <SelectField label="Site" name="site" value=site choices=sites />
            <div class="field-row field-row--3">
                <TextField label="Building" name="building" value=building longest optional=true />
                <TextField label="Floor" name="floor" value=floor longest optional=true />
                <TextField label="Seats" name="capacity" value=capacity kind="number" optional=true />
            </div>
            <ZoneField
                label="Time zone, if not the site’s"
                value=zone
                zones=form.zones
                optional=true
                hint="The room’s nights follow it."
            />
            {ring}
        </FormDialog>
    }
    .into_any()
}

fn retire(form: &RoomForm, id: RoomId, close: String) -> AnyView {
    let action = posts_to::<RetireRoom>();
    let title = format!("Retire {}?", form.name);
    view! {
        <FormDialog title close action submit="Retire the room" danger=true narrow=true>
            <input type="hidden" name="room" value=id.to_string() />
            <p>
                "Nothing more is planned for it; what waits there is withdrawn. Its devices can no longer check in. Its history stays, and \
                 it can be brought back."
            </p>
            <ReasonField first=true />
        </FormDialog>
    }
    .into_any()
}

fn bring_back(form: &RoomForm, id: RoomId, close: String) -> AnyView {
    let action = posts_to::<BringBackRoom>();
    let title = format!("Bring {} back?", form.name);
    view! {
        <FormDialog title close action submit="Bring it back" narrow=true>
            <input type="hidden" name="room" value=id.to_string() />
            <p>"It is then onboarding: updates come as soon as it is managed. Its devices need new tokens."</p>
        </FormDialog>
    }
    .into_any()
}

/// Change → choose → Assign (R13), with what follows for each choice.
fn assign(form: RoomForm, id: RoomId, tab: &'static str, close: String) -> AnyView {
    let action = posts_to::<AssignRing>();
    let title = format!("Change the ring of {}", form.name);
    let from = form.ring.clone();
    let choices = pairs(form.rings.into_iter().filter(|ring| ring.value != from).collect());
    let moves = form.moves;
    let follows = move |ring: &str| {
        let sentences = moves.iter().find(|(other, _)| other == ring);
        sentences.map(|(_, sentences)| sentences.clone()).unwrap_or_default()
    };
    view! {
        <FormDialog title close action submit="Assign">
            <input type="hidden" name="room" value=id.to_string() />
            <input type="hidden" name="from" value=from />
            <input type="hidden" name="tab" value=tab />
            <RingChoice
                label="Ring"
                choices
                heading="What then comes to this room"
                nothing="No running update still has to reach this room."
                follows
            />
        </FormDialog>
    }
    .into_any()
}

fn add_device(form: &RoomForm, id: RoomId, address: &ParamsMap, close: String) -> AnyView {
    let typed = |name: &str| address::value(address, name);
    let action = posts_to::<AddDevice>();
    let title = format!("Add a device to {}", form.name);
    let (device, model, vendor, serial) = (typed("device"), typed("model"), typed("vendor"), typed("serial"));
    let role = address::typed(address, "role", "compute");
    let roles = ROLES.map(|(word, label)| (word.to_owned(), label.to_owned())).to_vec();
    let longest = form.longest_name;
    view! {
        <FormDialog title close action submit="Add the device">
            <input type="hidden" name="room" value=id.to_string() />
            <TextField
                label="Device id"
                name="device"
                value=device
                longest=64
                first=true
                hint="As its agent calls it: letters, digits, dot, dash and underscore."
            />
            <div class="field-row">
                <SelectField label="Role" name="role" value=role choices=roles />
                <TextField label="Vendor" name="vendor" value=vendor longest optional=true />
            </div>
            <div class="field-row">
                <TextField label="Model" name="model" value=model longest hint="Updates say which models they are for." />
                <TextField label="Serial number" name="serial" value=serial longest optional=true />
            </div>
            <p class="muted">"The device’s token is shown once, when it is added."</p>
        </FormDialog>
    }
    .into_any()
}

fn renew_device(id: RoomId, device: String, close: String) -> AnyView {
    let action = posts_to::<RenewDevice>();
    let title = format!("A new token for {device}?");
    view! {
        <FormDialog title close action submit="Hand out a new token" narrow=true>
            <input type="hidden" name="room" value=id.to_string() />
            <input type="hidden" name="device" value=device />
            <p>"The old token stops working at once. The agent needs the new one, which is shown once."</p>
        </FormDialog>
    }
    .into_any()
}

fn revoke_device(form: &RoomForm, id: RoomId, device: String, close: String) -> AnyView {
    let action = posts_to::<RevokeDevice>();
    let title = format!("Revoke {device}?");
    let text = format!(
        "It may not check in any more, and no update of {} waits for it. A new token brings it back.",
        form.name
    );
    view! {
        <FormDialog title close action submit="Revoke the device" danger=true narrow=true>
            <input type="hidden" name="room" value=id.to_string() />
            <input type="hidden" name="device" value=device />
            <p>{text}</p>
        </FormDialog>
    }
    .into_any()
}
