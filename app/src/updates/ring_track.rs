//! The compact ring track of an update: tall block = rollout, thin line = test days, fill = installed, red = failed.
//!
//! The picture is written as text, not as a view: nothing in it ever changes by itself, and a list has hundreds of its shapes, which the
//! browser would have to walk through before anything could be clicked.

use std::fmt::Write as _;

use domain::status::UpdateStatus;
use leptos::prelude::*;

use super::geometry::track::{self, FailureShape, Mark, RingShape, Track};
use crate::updates::model::TrackView;

/// The picture and the line below it. An update that nobody needs has only the line.
#[component]
pub fn RingTrack(
    /// The update's status.
    status: UpdateStatus,
    /// What is drawn.
    track: TrackView,
) -> impl IntoView {
    let shapes = shapes(&track::track(&track));
    let TrackView { sentence, caption, .. } = track;
    let picture = state(status).map(|state| {
        let class = format!("track track--{state}");
        view! { <svg class=class width="100%" height="28" role="img" aria-label=sentence inner_html=shapes></svg> }
            .into_any()
    });
    let caption = (!caption.is_empty()).then(|| view! { <p class="track-caption">{caption}</p> }.into_any());
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

/// Everything in the picture. It is made of numbers and words of this file.
fn shapes(track: &Track) -> String {
    let mut to = String::new();
    for shape in &track.rings {
        ring(&mut to, shape);
    }
    for shape in &track.failures {
        failure(&mut to, shape);
    }
    if let Some((what, x)) = &track.mark {
        mark(&mut to, *what, x);
    }
    to
}

/// Writes into a `String`, which does not fail.
macro_rules! put {
    ($to:ident, $($shape:tt)+) => {
        _ = write!($to, $($shape)+)
    };
}

fn ring(to: &mut String, shape: &RingShape) {
    let RingShape {
        scale,
        x,
        width,
        rollout,
        ..
    } = shape;
    let outline = if shape.has_rooms { "t-wait" } else { "t-wait t-none" };
    put!(to, r#"<svg class="ring-{scale}" x="{x}" width="{width}" height="28">"#);
    put!(
        to,
        r#"<svg width="{rollout}" height="28"><rect class="{outline}" y="9" height="14" rx="3"></rect>"#
    );
    if let Some(done) = &shape.done {
        put!(
            to,
            r#"<rect class="t-done" y="9" width="{done}" height="14" rx="3"></rect>"#
        );
    }
    put!(to, "</svg>");
    if shape.has_test {
        put!(
            to,
            r#"<line class="t-test" x1="{rollout}" x2="100%" y1="16" y2="16"></line>"#
        );
    }
    if let Some(tested) = &shape.tested {
        put!(
            to,
            r#"<line class="t-tested" x1="{rollout}" x2="{tested}" y1="16" y2="16"></line>"#
        );
    }
    put!(to, "</svg>");
}

fn failure(to: &mut String, shape: &FailureShape) {
    let FailureShape { x, width, from, length } = shape;
    put!(
        to,
        r#"<svg x="{x}" width="{width}" height="28"><rect class="t-fail" x="{from}" y="7" width="{length}" height="18" rx="2"></rect></svg>"#
    );
}

fn mark(to: &mut String, mark: Mark, x: &str) {
    match mark {
        Mark::Now => {
            put!(to, r#"<line class="t-now" x1="{x}" x2="{x}" y1="4" y2="28"></line>"#);
            put!(to, r#"<circle class="t-moon" cx="{x}" cy="4" r="4"></circle>"#);
        }
        Mark::Paused => {
            put!(
                to,
                r#"<line class="t-now t-now--paused" x1="{x}" x2="{x}" y1="7" y2="28"></line>"#
            );
            put!(to, r#"<g class="t-pause"><circle cx="{x}" cy="7" r="7"></circle>"#);
            put!(
                to,
                r#"<line x1="{x}" x2="{x}" y1="4" y2="10"></line><line x1="{x}" x2="{x}" y1="4" y2="10"></line></g>"#
            );
        }
        Mark::Stopped => put!(to, r#"<line class="t-stop" x1="{x}" x2="{x}" y1="4" y2="28"></line>"#),
    }
}
