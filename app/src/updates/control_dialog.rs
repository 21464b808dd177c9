//! The dialogs of an update: pause, resume, retry, force, acknowledge (K2–K5, T9). Consequences stand in them in numbers and dates.

use domain::deployment::Force;
use domain::ids::{RoomId, UpdateId};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::api::{
    AcknowledgeUpdate, DeactivateUpdate, ForceUpdate, PauseUpdate, ResumeUpdate, RetryAllFailed, SetResumeDate,
    get_control,
};
use crate::components::address;
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::icon::Icon;
use crate::components::post_form::{FormDialog, ReasonField, TextField, posts_to};
use crate::components::selection::{is_of_selection, rooms_in};
use crate::error::AppError;
use crate::updates::model::{Control, ControlRoom, ControlView};

/// The update, what is done to it, the rooms that were chosen, and whether it is about those alone.
type ControlKey = (UpdateId, Control, Vec<RoomId>, bool);

/// The dialog of an update that the address opens, if any.
#[component]
pub(super) fn ControlDialogs(
    /// The update.
    id: Memo<Option<UpdateId>>,
    /// The address, with what a refused form has brought back.
    address: Memo<ParamsMap>,
) -> impl IntoView {
    let key = move || {
        let address = address.get();
        let what = Control::from_word(&address::value(&address, DIALOG))?;
        Some((id.get()?, what, rooms_in(&address), is_of_selection(&address)))
    };
    let ask = |(id, what, rooms, _)| get_control(id, what, rooms);
    opened(key, ask, move |(id, what, rooms, of_chosen): ControlKey, answer| {
        let address = address.get_untracked();
        let close = page_of(id, &address);
        if of_chosen && rooms.is_empty() {
            let problem = "Choose rooms in the list first.".to_owned();
            return Some(failed(what.label(), close, &AppError::Conflict { problem }));
        }
        Some(match answer {
            Ok(view) => dialog(what, view, close, &address),
            Err(error) => failed(what.label(), close, &error),
        })
    })
}

/// The address of the page without a dialog.
pub(super) fn page_of(id: UpdateId, address: &ParamsMap) -> String {
    address::only(
        &format!("/updates/{id}"),
        address,
        &["status", "ring", "after", "before"],
    )
}

#[expect(clippy::too_many_lines, reason = "one form")]
fn dialog(what: Control, view: ControlView, close: String, address: &ParamsMap) -> AnyView {
    let reason = address::value(address, "reason");
    // What was typed, even where it is nothing.
    let resumes_on = address.get("resumes_on").unwrap_or_else(|| view.resumes_on.clone());
    let title = match what {
        Control::Pause => format!("Pause {}?", view.title),
        Control::Resume => format!("Resume {}?", view.title),
        Control::ResumeDate => format!("When {} resumes", view.title),
        Control::Retry => format!("Retry {} in all failed rooms?", view.title),
        Control::Force => format!("Force {}", view.title),
        Control::Acknowledge => format!("Acknowledge the failures of {}?", view.title),
        Control::Deactivate => format!("Deactivate {}?", view.title),
    };
    if let Some(problem) = view.refused {
        return failed(what.label(), close, &AppError::Conflict { problem });
    }
    let rooms = |count: i64| {
        if count == 1 {
            "1 room".to_owned()
        } else {
            format!("{count} rooms")
        }
    };
    let (action, submit) = match what {
        Control::Pause => (posts_to::<PauseUpdate>(), "Pause update".to_owned()),
        Control::Resume => (posts_to::<ResumeUpdate>(), "Resume update".to_owned()),
        Control::ResumeDate => (posts_to::<SetResumeDate>(), "Set resume date".to_owned()),
        Control::Retry => (posts_to::<RetryAllFailed>(), format!("Retry {}", rooms(view.count))),
        Control::Force => (posts_to::<ForceUpdate>(), format!("Force {}", rooms(view.count))),
        Control::Acknowledge => (posts_to::<AcknowledgeUpdate>(), "Acknowledge".to_owned()),
        Control::Deactivate => (posts_to::<DeactivateUpdate>(), "Deactivate update".to_owned()),
    };
    let id = view.id.to_string();
    let body = match what {
        Control::Pause => view! {
            {sentences(view.sentences)}
            {named(view.rooms_heading, view.rooms, view.more_rooms)}
            <ReasonField value=reason first=true />
            {resume_date(resumes_on, false)}
        }
        .into_any(),
        Control::ResumeDate => view! {
            {sentences(view.sentences)}
            {resume_date(resumes_on, true)}
            <ReasonField value=reason />
        }
        .into_any(),
        Control::Resume | Control::Acknowledge | Control::Deactivate => view! {
            {sentences(view.sentences)}
            {named(view.rooms_heading, view.rooms, view.more_rooms)}
            <ReasonField value=reason first=true />
        }
        .into_any(),
        Control::Retry => view! {
            {sentences(view.sentences)}
            {named(view.rooms_heading, view.rooms, view.more_rooms)}
        }
        .into_any(),
        Control::Force => force(view, reason),
    };
    view! {
        <FormDialog title close action submit>
            <input type="hidden" name="update" value=id />
            {body}
        </FormDialog>
    }
    .into_any()
}

fn resume_date(value: String, first: bool) -> AnyView {
    view! {
        <TextField
            label="Resume automatically on"
            name="resumes_on"
            value
            kind="date"
            optional=true
            first
            hint="At 00:00 of that date in the organisation’s zone. Without a date, it stays paused until somebody resumes it."
        />
    }
    .into_any()
}

fn sentences(sentences: Vec<String>) -> AnyView {
    let sentences = sentences
        .into_iter()
        .map(|sentence| view! { <p>{sentence}</p> }.into_any());
    sentences.collect_view().into_any()
}

/// Rooms, or rings, with a date and a word each.
fn named(heading: String, rooms: Vec<ControlRoom>, more: i64) -> Option<AnyView> {
    if rooms.is_empty() {
        return None;
    }
    let rooms = rooms.into_iter().map(|room| {
        let note = (!room.note.is_empty()).then(|| view! { <span class="sub">{room.note}</span> }.into_any());
        view! {
            <li>
                <div class="split">
                    <b>{room.name}</b>
                    <span>{room.when}</span>
                </div>
                {note}
            </li>
        }
        .into_any()
    });
    let heading = (!heading.is_empty()).then(|| view! { <h3>{heading}</h3> }.into_any());
    let more = (more > 0).then(|| view! { <p class="muted">{format!("and {more} more")}</p> }.into_any());
    let list = view! {
        <div class="preview">
            {heading}
            <ul class="list list--compact">{rooms.collect_view()}</ul>
            {more}
        </div>
    };
    Some(list.into_any())
}

fn force(view: ControlView, reason: String) -> AnyView {
    let ControlView {
        sentences: lines,
        rooms_heading,
        rooms,
        more_rooms,
        count,
        hit,
        known_issues,
        chosen,
        ..
    } = view;
    let more_hit = count - i64::try_from(hit.len()).unwrap_or(0);
    let scope = match (chosen.len(), count) {
        (0, 1) => "The 1 room of this update that can be forced.".to_owned(),
        (0, count) => format!("All {count} rooms of this update that can be forced."),
        (1, _) => "The room that you have chosen.".to_owned(),
        (chosen, _) => format!("{count} of the {chosen} rooms that you have chosen can be forced."),
    };
    let chosen = chosen.into_iter().enumerate().map(|(index, room)| {
        view! { <input type="hidden" name=format!("rooms[{index}]") value=room.to_string() /> }.into_any()
    });
    let issues = (!known_issues.is_empty()).then(|| {
        let issues = known_issues
            .into_iter()
            .map(|issue| view! { <li>{issue}</li> }.into_any());
        view! {
            <div class="preview">
                <h3>"Known issues of this version"</h3>
                <ul class="bullets">{issues.collect_view()}</ul>
            </div>
        }
        .into_any()
    });
    view! {
        {chosen.collect_view()}
        <div class="msg msg--warning">
            <Icon name="warning" />
            <div class="msg-body">
                <p>
                    <strong>"Not a regular way to update."</strong>
                    " A force skips ring, start day and night, and nothing else: holds, freezes, readiness, minimum versions and \
                     one at a time remain. Every force is logged."
                </p>
            </div>
        </div>
        <div>
            <p>{scope}</p>
            {folded("Which rooms".to_owned(), hit, more_hit)}
        </div>
        <fieldset class="group">
            <legend>"When"</legend>
            {when(Force::WhenAvailable, "When next available", "When the room is online and free, with no booking in the way.")}
            {when(Force::Now, "Immediately", "With the device's next poll, in working hours too. The room may restart.")}
        </fieldset>
        {sentences(lines)}
        {issues}
        <ReasonField value=reason />
        {folded(rooms_heading, rooms, more_rooms)}
    }
    .into_any()
}

/// Rooms that only some want to read; it opens without script too.
fn folded(heading: String, rooms: Vec<ControlRoom>, more: i64) -> Option<AnyView> {
    let list = named(String::new(), rooms, more)?;
    let folded = view! {
        <details class="folded">
            <summary>{heading}</summary>
            {list}
        </details>
    };
    Some(folded.into_any())
}

fn when(mode: Force, label: &'static str, hint: &'static str) -> AnyView {
    let (id, hint_id) = (
        format!("force-{}", mode.as_str()),
        format!("force-{}-hint", mode.as_str()),
    );
    let is_first = mode == Force::WhenAvailable;
    view! {
        <div class="choice">
            <input
                type="radio"
                id=id.clone()
                name="mode"
                value=mode.as_str()
                checked=is_first
                autofocus=is_first
                aria-describedby=hint_id.clone()
            />
            <div>
                <label for=id>{label}</label>
                <p class="hint" id=hint_id>
                    {hint}
                </p>
            </div>
        </div>
    }
    .into_any()
}
