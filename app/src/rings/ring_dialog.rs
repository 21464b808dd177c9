//! The dialogs of rings: add, edit, delete (P6, R1–R11).
//!
//! Days set by other rings, what remains of the 60, and why a ring is refused are worked out here by the domain's own rules, with every
//! keystroke; the server says the same when the form is sent.

use domain::ids::RingId;
use domain::ring::{MOST_TOTAL_DAYS, Ring, RingDraft, RingKind, RingOrder, RingSequence};
use leptos::ev::Event;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::api::{AddRing, DeleteRing, EditRing, get_ring_plan};
use super::ring_plan::dates;
use crate::components::address;
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::icon::Icon;
use crate::components::post_form::{Field, FormDialog, SelectField, TextField, posts_to};
use crate::rings::model::RingPlan;
use crate::words::count;

/// The page of the rings.
pub(super) const RINGS: &str = "/updates/rings";
/// Words of the dialogs in addresses.
pub(super) const ADD: &str = "add";
pub(super) const EDIT: &str = "edit";
pub(super) const DELETE: &str = "delete";

/// The dialog of a ring that the address opens, if any.
#[component]
pub(super) fn RingDialogs(
    /// The address, with what a refused form has brought back.
    address: Memo<ParamsMap>,
) -> impl IntoView {
    let key = move || {
        let address = address.get();
        let word = address::value(&address, DIALOG);
        let known = [ADD, EDIT, DELETE].contains(&word.as_str());
        known.then(|| (word, address::value(&address, "ring")))
    };
    opened(
        key,
        |_| get_ring_plan(),
        move |(word, ring): (String, String), answer| {
            let address = address.get_untracked();
            let plan: RingPlan = match answer {
                Ok(plan) => plan,
                Err(error) => return Some(failed("Rings", RINGS.to_owned(), &error)),
            };
            if word == ADD {
                return Some(form(None, plan, &address));
            }
            let ring = plan.sequence.get(ring.parse().ok()?)?.clone();
            if word == EDIT {
                return Some(form(Some(ring), plan, &address));
            }
            Some(delete(&ring, &plan))
        },
    )
}

/// The fields of a ring, with what follows from them. `None`: a new one.
fn form(ring: Option<Ring>, plan: RingPlan, address: &ParamsMap) -> AnyView {
    let sequence = &plan.sequence;
    let typed = |name: &str, known: String| address::typed(address, name, &known);
    let of = |get: fn(&Ring) -> String| ring.as_ref().map(get).unwrap_or_default();
    let is_new = ring.is_none();
    let is_custom = ring.as_ref().is_none_or(|ring| ring.kind == RingKind::Custom);
    let has_order = ring.as_ref().is_none_or(|ring| ring.place.order().is_some());
    let name = RwSignal::new(typed("name", of(|ring| ring.name.clone())));
    let known_order = of(|ring| {
        ring.place
            .order()
            .map_or_else(String::new, |order| order.number().to_string())
    });
    let free = (1..=9)
        .find(|order| holder(sequence, None, *order).is_none())
        .unwrap_or(9);
    let known_order = if is_new { free.to_string() } else { known_order };
    let order = RwSignal::new(typed("order", known_order));
    let days = |get: fn(&Ring) -> u32, new: u32| ring.as_ref().map_or(new, get).to_string();
    let rollout = RwSignal::new(typed("rollout_days", days(|ring| ring.rollout_days, 1)));
    let test = RwSignal::new(typed("test_days", days(|ring| ring.test_days, 0)));
    let description = typed("description", of(|ring| ring.description.clone()));
    let id = ring.as_ref().map(|ring| ring.id);

    let orders = orders(sequence, id);
    let (title, action, submit) = match &ring {
        None => ("Add a ring".to_owned(), posts_to::<AddRing>(), "Add the ring"),
        Some(ring) => (format!("Edit the ring {}", ring.name), posts_to::<EditRing>(), "Save"),
    };
    let hidden = ring.as_ref().map(|ring| {
        // As it is read here: whoever is slower is told.
        let seen = address::typed(address, "seen", &serde_json::to_string(ring).unwrap_or_default());
        view! {
            <input type="hidden" name="ring" value=ring.id.to_string() />
            <input type="hidden" name="seen" value=seen />
        }
        .into_any()
    });
    let name_field = name_field(name, is_custom);
    let order_field = has_order.then(|| {
        let control = order_control(order, orders);
        view! { <Field label="Order" name="order" hint="1 goes first, 9 last." control /> }.into_any()
    });
    let rollout_control = text_control("rollout_days", rollout, "number", Some((1, MOST_TOTAL_DAYS)));
    let test_control = text_control("test_days", test, "number", Some((0, MOST_TOTAL_DAYS)));
    view! {
        <FormDialog title close=RINGS action submit>
            {hidden}
            {name_field}
            <TextField label="Description" name="description" value=description optional=true />
            <div class="field-row field-row--3">
                {order_field}
                <Field label="Rollout duration, days" name="rollout_days" control=rollout_control />
                <Field label="Test period, days" name="test_days" control=test_control />
            </div>
            {what_follows(plan, id, [name, order, rollout, test])}
        </FormDialog>
    }
    .into_any()
}

fn name_field(name: RwSignal<String>, is_custom: bool) -> AnyView {
    if is_custom {
        let control = text_control("name", name, "text", None);
        return view! { <Field label="Name" name="name" control /> }.into_any();
    }
    let kept = name.get_untracked();
    view! {
        <input type="hidden" name="name" value=kept.clone() />
        <p class="muted">{format!("{kept} is a preconfigured ring: its name stays.")}</p>
    }
    .into_any()
}

/// The nine orders, who has each, and whether it is taken by another ring than the one that is edited.
fn orders(sequence: &RingSequence, editing: Option<RingId>) -> Vec<(String, String, bool)> {
    (1..=9)
        .map(|number| match holder(sequence, editing, number) {
            Some(holder) => (number.to_string(), format!("{number}: {holder}"), true),
            None => (number.to_string(), number.to_string(), false),
        })
        .collect()
}

/// Who has this order, apart from the ring that is edited.
fn holder(sequence: &RingSequence, editing: Option<RingId>, order: u8) -> Option<String> {
    let has =
        |ring: &&Ring| ring.place.order().is_some_and(|place| place.number() == order) && Some(ring.id) != editing;
    sequence.iter().find(has).map(|ring| ring.name.clone())
}

type Control = Box<dyn FnOnce(String, String) -> AnyView + Send>;

fn text_control(name: &'static str, value: RwSignal<String>, kind: &'static str, range: Option<(u32, u32)>) -> Control {
    Box::new(move |id, described| {
        let (min, max) = range.map(|(min, max)| (min.to_string(), max.to_string())).unzip();
        let typed = move |event: Event| value.set(event_target_value(&event));
        view! {
            <input
                class="input"
                id=id
                name=name
                type=kind
                min=min
                max=max
                value=value.get_untracked()
                autocomplete="off"
                aria-describedby=described
                required
                on:input=typed
            />
        }
        .into_any()
    })
}

fn order_control(order: RwSignal<String>, orders: Vec<(String, String, bool)>) -> Control {
    Box::new(move |id, described| {
        let options = orders.into_iter().map(|(number, label, taken)| {
            let selected = number == order.get_untracked();
            view! {
                <option value=number selected=selected disabled=taken>
                    {label}
                </option>
            }
            .into_any()
        });
        let chosen = move |event: Event| order.set(event_target_value(&event));
        view! {
            <span class="select-wrap">
                <select class="input select" id=id name="order" aria-describedby=described on:change=chosen>
                    {options.collect_view()}
                </select>
            </span>
        }
        .into_any()
    })
}

/// The 60 days with this ring as it is typed (R8, R9), or why it would be refused, and the dates that follow (R10, K9).
#[expect(
    clippy::too_many_lines,
    reason = "the dates of one dialog, worked out in the browser while somebody types"
)]
fn what_follows(plan: RingPlan, editing: Option<RingId>, typed: [RwSignal<String>; 4]) -> AnyView {
    let others = plan.sequence.days_set_by_other_rings(editing);
    let remaining = plan.sequence.remaining_days(editing);
    let [name, order, rollout, test] = typed;
    let wanted = move || {
        let number = |text: String| text.trim().parse::<u32>().ok();
        Some((number(rollout.get())?, number(test.get())?))
    };
    let left = move || wanted().map_or_else(|| "–".to_owned(), |(rollout, test)| days_left(remaining, rollout, test));
    let sequence = plan.sequence.clone();
    let changed = Memo::new(move |_| {
        let (rollout_days, test_days) = wanted()?;
        let draft = RingDraft {
            name: name.get(),
            description: String::new(),
            order: order.get().parse::<RingOrder>().ok(),
            rollout_days,
            test_days,
        };
        Some(with_ring(&sequence, editing, draft))
    });
    let follows = move || {
        let refused = |refusal: String| {
            view! {
                <p class="field-error">
                    <Icon name="error-f" />
                    {refusal}
                </p>
            }
            .into_any()
        };
        match changed.get()? {
            Err(refusal) => Some(refused(refusal)),
            Ok(rings) => Some(match plan.refusal(&rings) {
                Some(refusal) => refused(refusal),
                None => dates(&plan.consequences(&rings), &plan.city),
            }),
        }
    };
    view! {
        <dl class="days-left">
            <div>
                <dt>"Days set by other rings"</dt>
                <dd>{count(others, "day", "days")}</dd>
            </div>
            <div>
                <dt>"Remaining days"</dt>
                <dd>{count(remaining, "day", "days")}</dd>
            </div>
            <div>
                <dt>"Left with this ring"</dt>
                <dd>
                    <span role="status">{left}</span>
                </dd>
            </div>
        </dl>
        <div class="preview" aria-live="polite">
            <h3>"Dates of running updates"</h3>
            {follows}
        </div>
    }
    .into_any()
}

/// What remains of the 60 days with so many of them for this ring.
fn days_left(remaining: u32, rollout: u32, test: u32) -> String {
    let wanted = rollout.saturating_add(test);
    match remaining.checked_sub(wanted) {
        Some(left) => count(left, "day", "days"),
        None => format!("{} too many", count(wanted - remaining, "day", "days")),
    }
}

/// The rings as they would be, or why not.
fn with_ring(sequence: &RingSequence, editing: Option<RingId>, mut draft: RingDraft) -> Result<RingSequence, String> {
    let changed = match editing {
        Some(id) => sequence.with_edited(id, draft),
        None => {
            // A name is not missing while it has yet to be typed.
            if draft.name.trim().is_empty() {
                "The new ring".clone_into(&mut draft.name);
            }
            sequence.with_draft(draft)
        }
    };
    changed.map_err(|refusal| refusal.to_string())
}

fn delete(ring: &Ring, plan: &RingPlan) -> AnyView {
    let (rooms, sequence) = (plan.rooms.get(&ring.id).copied().unwrap_or(0), &plan.sequence);
    let (title, id, action) = (
        format!("Delete {}?", ring.name),
        ring.id.to_string(),
        posts_to::<DeleteRing>(),
    );
    let others = sequence.iter().filter(|other| other.id != ring.id);
    let choices: Vec<_> = others.map(|other| (other.id.to_string(), other.name.clone())).collect();
    let general = sequence.general().id.to_string();
    let total = sequence.total_days();
    let after = total - ring.completion_days();
    let question = match rooms {
        0 => "No room is in this ring. Rooms that come to it meanwhile go to".to_owned(),
        1 => "Move its 1 room to".to_owned(),
        rooms => format!("Move its {rooms} rooms to"),
    };
    let follows = sequence.without(ring.id).ok().map(|rings| {
        view! {
            <div class="preview">
                <h3>"Dates of running updates"</h3>
                {dates(&plan.consequences(&rings), &plan.city)}
            </div>
        }
        .into_any()
    });
    view! {
        <FormDialog title close=RINGS action submit="Delete the ring" danger=true>
            <input type="hidden" name="ring" value=id />
            <SelectField label=question name="rooms_to" value=general choices />
            <p>
                {format!(
                    "All rings together take {after} days then, {total} now. Updates that have not reached this ring pass it; one that is in \
                     it now keeps it from being deleted.",
                )}
            </p>
            {follows}
        </FormDialog>
    }
    .into_any()
}
