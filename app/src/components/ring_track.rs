//! The compact ring track of an update: tall block = rollout, thin line = test days, fill = installed, red = failed.

use domain::status::UpdateStatus;
use leptos::prelude::*;

use super::geometry::track::{self, FailureShape, Mark, RingShape};
use crate::view::TrackView;

/// The picture and the line below it. An update that nobody needs has only the line.
#[component]
pub fn RingTrack(
    /// The update's status.
    status: UpdateStatus,
    /// What is drawn.
    track: TrackView,
) -> impl IntoView {
    let drawn = track::track(&track);
    let TrackView { sentence, caption, .. } = track;
    let picture = state(status).map(|state| {
        view! {
            <svg
                class=format!("track track--{state}")
                width="100%"
                height="28"
                role="img"
                aria-label=sentence
            >
                {drawn.rings.into_iter().map(ring).collect_view()}
                {drawn.failures.into_iter().map(failure).collect_view()}
                {drawn.mark.map(|(what, x)| mark(what, &x))}
            </svg>
        }
    });
    let caption = (!caption.is_empty()).then(|| view! { <p class="track-caption">{caption}</p> });
    view! {
        {picture}
        {caption}
    }
}

fn state(status: UpdateStatus) -> Option<&'static str> {
    match status {
        UpdateStatus::Scheduled => Some("scheduled"),
        UpdateStatus::InProgress => Some("running"),
        UpdateStatus::CompletedWithFailures => Some("failures"),
        UpdateStatus::Completed => Some("completed"),
        UpdateStatus::Deprecated => Some("deprecated"),
        UpdateStatus::Paused => Some("paused"),
        UpdateStatus::NotRequired => None,
    }
}

fn ring(shape: RingShape) -> AnyView {
    let outline = if shape.has_rooms { "t-wait" } else { "t-wait t-none" };
    let done = shape
        .done
        .map(|width| view! { <rect class="t-done" y="9" width=width height="14" rx="3"></rect> });
    let test = shape
        .has_test
        .then(|| view! { <line class="t-test" x1=shape.rollout.clone() x2="100%" y1="16" y2="16"></line> });
    let tested = shape
        .tested
        .map(|to| view! { <line class="t-tested" x1=shape.rollout.clone() x2=to y1="16" y2="16"></line> });
    view! {
        <svg class=format!("ring-{}", shape.scale) x=shape.x width=shape.width height="28">
            <svg width=shape.rollout height="28">
                <rect class=outline y="9" height="14" rx="3"></rect>
                {done}
            </svg>
            {test}
            {tested}
        </svg>
    }
    .into_any()
}

fn failure(shape: FailureShape) -> AnyView {
    view! {
        <svg x=shape.x width=shape.width height="28">
            <rect class="t-fail" x=shape.from y="7" width=shape.length height="18" rx="2"></rect>
        </svg>
    }
    .into_any()
}

fn mark(mark: Mark, x: &str) -> AnyView {
    let x = x.to_owned();
    match mark {
        Mark::Now => view! {
            <line class="t-now" x1=x.clone() x2=x.clone() y1="4" y2="28"></line>
            <circle class="t-moon" cx=x cy="4" r="4"></circle>
        }
        .into_any(),
        Mark::Paused => view! {
            <line class="t-now t-now--paused" x1=x.clone() x2=x.clone() y1="7" y2="28"></line>
            <g class="t-pause">
                <circle cx=x.clone() cy="7" r="7"></circle>
                <line x1=x.clone() x2=x.clone() y1="4" y2="10"></line>
                <line x1=x.clone() x2=x y1="4" y2="10"></line>
            </g>
        }
        .into_any(),
        Mark::Stopped => view! { <line class="t-stop" x1=x.clone() x2=x y1="4" y2="28"></line> }.into_any(),
    }
}
