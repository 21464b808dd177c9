//! The checks of one room, on its own page (C1, C7).

use domain::access::Act;
use domain::ids::RoomId;
use domain::readiness::CheckResult;
use leptos::prelude::*;

use super::api::{ConfirmRooms, EndWaiver, ReviewSoftware};
use super::dialogs::WAIVE;
use crate::components::dialog::DIALOG;
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::time::Time;
use crate::readiness::model::{CheckView, RoomReadinessView};

/// Class and icon of a result.
#[must_use]
pub fn class_and_icon(result: CheckResult) -> (&'static str, &'static str) {
    match result {
        CheckResult::Fail => ("status check--fail", "check-fail"),
        CheckResult::Unknown => ("status check--unknown", "help"),
        CheckResult::Warning => ("status check--warn", "check-warn"),
        CheckResult::Waived => ("status check--na", "check-warn"),
        CheckResult::FixedByService | CheckResult::Pass => ("status check--pass", "check-pass"),
        CheckResult::NotApplicable => ("status check--na", "check-na"),
    }
}

/// Its checks: what somebody should look at first, the rest in one line each.
pub fn checks_section(room: RoomId, readiness: RoomReadinessView) -> AnyView {
    let is_open = |check: &CheckView| check.may_be_waived || check.is_waived;
    let (open, rest): (Vec<_>, Vec<_>) = readiness.checks.into_iter().partition(is_open);
    let applies = rest.iter().any(|check| check.result != CheckResult::NotApplicable);
    let nothing = (open.is_empty() && !applies)
        .then(|| view! { <p class="muted">"No check applies: it has no Windows computer."</p> }.into_any());
    let may_decide = readiness.may_decide;
    let open = open
        .into_iter()
        .map(|check| full(room, check, may_decide))
        .collect_view();
    let rest = nothing.is_none().then(|| rest.into_iter().map(short).collect_view());
    view! {
        <section aria-labelledby="h-readiness">
            <div class="section-head">
                <h2 id="h-readiness">"Readiness"</h2>
            </div>
            {nothing}
            <ul class="readiness">{open} {rest}</ul>
        </section>
    }
    .into_any()
}

/// What a new room still wants before updates are planned for it (C4, C8).
pub fn onboarding_panel(room: RoomId, readiness: &RoomReadinessView) -> AnyView {
    let wants = readiness.wants.iter();
    let wants = wants
        .map(|want| view! { <li>{want.clone()}</li> }.into_any())
        .collect_view();
    let confirm = (!readiness.is_confirmed).then(|| {
        let action = posts_to::<ConfirmRooms>();
        view! {
            <ForRole act=Act::DecideReadiness>
                <PostForm action class="inline-form" prefix="confirm">
                    <input type="hidden" name="rooms[0]" value=room.to_string() />
                    <input type="hidden" name="back" value="room" />
                    <button class="btn btn--primary" type="submit">
                        "Confirm onboarding"
                    </button>
                </PostForm>
                <p class="muted">
                    "Confirm it when every other program that changes this room has stopped. It cannot be taken back."
                </p>
            </ForRole>
        }
        .into_any()
    });
    view! {
        <section class="panel" aria-labelledby="h-onboarding">
            <h2 id="h-onboarding">"Onboarding"</h2>
            <p>"No updates are planned for it yet. It still needs this:"</p>
            <ul class="bullets">{wants}</ul>
            {confirm}
        </section>
    }
    .into_any()
}

/// A check that somebody should look at, with what to do.
fn full(room: RoomId, check: CheckView, may_decide: bool) -> AnyView {
    let (class, icon) = class_and_icon(check.result);
    let label = check.check.label();
    let since = check.since.clone().map(|since| {
        view! {
            <span class="sub">"Since " <Time when=since /></span>
        }
        .into_any()
    });
    let review = (!check.to_review.is_empty()).then(|| review(room, check.to_review.clone()));
    let decide = decide(room, &check);
    let nobody = (!may_decide && check.may_be_waived)
        .then(|| view! { <p class="muted">"An admin may waive it."</p> }.into_any());
    let by = reported_by(&check);
    view! {
        <li>
            <span class=class>
                <Icon name=icon />
            </span>
            <span class="check-name">{label}</span>
            <span class="result">{check.result.label()}</span>
            <div class="guide">
                <p>{check.why} " " {by} {since}</p>
                <p>{check.consequence}</p>
                <p>{check.guidance}</p>
                {review}
                {decide}
                {nobody}
            </div>
        </li>
    }
    .into_any()
}

/// The device that has told the facts.
fn reported_by(check: &CheckView) -> Option<AnyView> {
    let by = (!check.reported_by.is_empty()).then(|| format!("Reported by {}.", check.reported_by));
    by.map(|by| view! { <span class="sub">{by} " "</span> }.into_any())
}

/// A button for each name of software that nobody has reviewed.
fn review(room: RoomId, names: Vec<String>) -> AnyView {
    let button = move |name: String| {
        let action = posts_to::<ReviewSoftware>();
        let label = format!("Mark {name} as reviewed");
        view! {
            <PostForm action class="inline-form" prefix="review">
                <input type="hidden" name="name" value=name />
                <input type="hidden" name="room" value=room.to_string() />
                <button class="btn btn--small" type="submit">
                    {label}
                </button>
            </PostForm>
        }
        .into_any()
    };
    view! { <ForRole act=Act::DecideReadiness>{names.clone().into_iter().map(button).collect_view()}</ForRole> }
        .into_any()
}

/// To waive the check, or to end its waiver.
fn decide(room: RoomId, check: &CheckView) -> AnyView {
    let label = check.check.label();
    if check.is_waived {
        let action = posts_to::<EndWaiver>();
        let word = check.check.as_str();
        return view! {
            <ForRole act=Act::DecideReadiness>
                <PostForm action class="inline-form" prefix="waiver">
                    <input type="hidden" name="room" value=room.to_string() />
                    <input type="hidden" name="check" value=word />
                    <button class="btn btn--small" type="submit" aria-label=format!("End the waiver of {label}")>
                        "End the waiver"
                    </button>
                </PostForm>
            </ForRole>
        }
        .into_any();
    }
    let href = format!("/rooms/{room}?{DIALOG}={WAIVE}&check={}", check.check.as_str());
    view! {
        <ForRole act=Act::DecideReadiness>
            <a class="link-sub" href=href.clone() data-noscroll="" aria-label=format!("Waive {label}")>
                "Waive"
            </a>
        </ForRole>
    }
    .into_any()
}

/// A check that passes, or that does not apply.
fn short(check: CheckView) -> AnyView {
    let (class, icon) = class_and_icon(check.result);
    let by = reported_by(&check);
    view! {
        <li class="is-ok">
            <span class=class>
                <Icon name=icon />
            </span>
            <span class="check-name">{check.check.label()}</span>
            <span class="result">{check.result.label()}</span>
            <p class="guide">{check.why} " " {by}</p>
        </li>
    }
    .into_any()
}
