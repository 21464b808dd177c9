//! Moving chosen rooms into another ring (R12), with what then comes to them (K9).

use domain::ids::{RingId, RoomId};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::api::{MoveRooms, get_move_plan};
use crate::components::address;
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::filters::HiddenField;
use crate::components::post_form::{FormDialog, posts_to};
use crate::components::ring_choice::RingChoice;
use crate::components::selection::{is_all, rooms_in};
use crate::error::AppError;
use crate::rings::model::MovePlan;
use crate::rooms::model::RoomsQuery;
use crate::words::count;

/// Its word in addresses.
pub(crate) const MOVE: &str = "move";

/// Which rooms: those that are named, or all that match.
type RoomsToMove = (Vec<RoomId>, Option<RoomsQuery>);

/// The dialog, if the address opens it.
#[component]
pub(crate) fn MoveDialog(
    /// The address with the rooms.
    address: Memo<ParamsMap>,
    /// The address of the page without it.
    close: Memo<String>,
) -> impl IntoView {
    let key = move || {
        let address = address.get();
        if address::value(&address, DIALOG) != MOVE {
            return None;
        }
        let matching = is_all(&address).then(|| RoomsQuery {
            q: address::value(&address, "q"),
            ring: address::value(&address, "ring"),
            site: address::value(&address, "site"),
            ..RoomsQuery::default()
        });
        let rooms = if matching.is_some() {
            Vec::new()
        } else {
            rooms_in(&address)
        };
        Some((rooms, matching))
    };
    opened(
        key,
        |(rooms, matching): RoomsToMove| get_move_plan(rooms, matching.is_some(), matching.unwrap_or_default()),
        move |(rooms, matching): RoomsToMove, answer| {
            let close = close.get_untracked();
            let plan: MovePlan = match answer {
                Ok(plan) => plan,
                Err(error) => return Some(failed("Move rooms", close, &error)),
            };
            // On the list of one ring they are all from there; whoever moves one of them meanwhile is not overruled (R3).
            let from = address.with_untracked(|address| address::value(address, "ring"));
            Some(dialog(rooms, matching, &from, plan, close))
        },
    )
}

fn dialog(rooms: Vec<RoomId>, matching: Option<RoomsQuery>, from: &str, plan: MovePlan, close: String) -> AnyView {
    let action = posts_to::<MoveRooms>();
    let MovePlan { rings, number, names } = plan;
    if number == 0 {
        let problem = "Choose rooms in the list first.".to_owned();
        return failed("Move rooms", close, &AppError::Conflict { problem });
    }
    let from = from
        .parse::<RingId>()
        .ok()
        .filter(|from| rings.sequence.get(*from).is_some());
    let others = rings.sequence.iter().filter(|ring| Some(ring.id) != from);
    let choices: Vec<(String, String)> = others.map(|ring| (ring.id.to_string(), ring.name.clone())).collect();
    let follows = move |ring: &str| {
        let ring = ring.parse::<RingId>();
        ring.map(|ring| rings.arrivals(ring)).unwrap_or_default()
    };
    let hidden = rooms.into_iter().enumerate().map(|(index, room)| {
        view! { <input type="hidden" name=format!("rooms[{index}]") value=room.to_string() /> }.into_any()
    });
    let hidden = hidden.collect_view();
    let hidden_matching = matching.map(|query| {
        view! {
            <input type="hidden" name="seen" value=number.to_string() />
            <HiddenField name="q" value=query.q />
            <HiddenField name="ring" value=query.ring />
            <HiddenField name="site" value=query.site />
        }
        .into_any()
    });
    let from = from.map(|from| view! { <input type="hidden" name="from" value=from.to_string() /> }.into_any());
    let more = number - i64::try_from(names.len()).unwrap_or(0);
    let names = names.join("; ");
    let named = if more > 0 {
        format!("{names}; and {more} more.")
    } else {
        format!("{names}.")
    };
    view! {
        <FormDialog title=format!("Move {}", count(number, "room", "rooms")) close action submit="Move rooms">
            {hidden}
            {hidden_matching}
            {from}
            <p class="muted">{named}</p>
            <RingChoice
                label="Target ring"
                choices
                heading="What then comes to these rooms, where it applies"
                nothing="No update is running."
                follows
            />
        </FormDialog>
    }
    .into_any()
}
