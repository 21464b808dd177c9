//! The dated timeline of one update: a real table whose last column is the picture; the other columns say the same in
//! words.

use domain::status::RingStatus;
use leptos::prelude::*;

use super::geometry::timeline::{self, Bar, Cell as NightCell, Ground, Night};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::ring_badge::RingBadge;
use crate::components::status_badge::RingStatusBadge;
use crate::updates::model::{CalendarView, StageView};

/// The table.
#[component]
pub fn Timeline(
    /// Dates and rings.
    calendar: CalendarView,
) -> impl IntoView {
    let head = view! {
        <Head class="col-ring" label="Ring" />
        <Head class="col-dates" label="Rollout" />
        <Head class="col-rooms" label="Installed" />
        <th scope="col" role="columnheader" class="col-bar">
            <span class="vh">"Night by night"</span>
            {axis(&calendar)}
        </th>
    }
    .into_any();
    let rows = calendar.stages.iter().map(|stage| row(&calendar, stage)).collect_view();
    view! {
        <DataTable kind="timeline" caption="Dates and progress of each ring" head>
            {rows}
        </DataTable>
    }
}

fn row(calendar: &CalendarView, stage: &StageView) -> AnyView {
    let is_now = match stage.status {
        RingStatus::RollingOut | RingStatus::Testing => Some("is-now"),
        RingStatus::NotStarted
        | RingStatus::Completed
        | RingStatus::CompletedWithFailures
        | RingStatus::Paused
        | RingStatus::Deprecated => None,
    };
    let test =
        (!stage.test.is_empty()).then(|| view! { <span class="sub">"Test " {unbroken(&stage.test)}</span> }.into_any());
    let failed = (stage.failed > 0)
        .then(|| view! { <span class="sub bad">{format!("{} failed", stage.failed)}</span> }.into_any());
    let running = (stage.running > 0)
        .then(|| view! { <span class="sub">{format!("{} running", stage.running)}</span> }.into_any());
    let waiting = (stage.waiting > 0)
        .then(|| view! { <span class="sub">{format!("{} waiting", stage.waiting)}</span> }.into_any());
    let withdrawn = (stage.withdrawn > 0)
        .then(|| view! { <span class="sub">{format!("{} deprecated", stage.withdrawn)}</span> }.into_any());
    let catch_up = match stage.catch_up {
        0 => None,
        1 => Some("1 of them catches up".to_owned()),
        rooms => Some(format!("{rooms} of them catch up")),
    };
    let catch_up = catch_up.map(|text| view! { <span class="sub">{text}</span> }.into_any());
    let picture = picture(calendar, stage);
    let StageView {
        ring,
        status,
        rollout,
        installed,
        ..
    } = stage.clone();
    view! {
        <tr role="row" class=is_now>
            <NameCell class="col-ring">
                <RingBadge ring />
                <span class="sub sub--status">
                    <RingStatusBadge status />
                </span>
            </NameCell>
            <Cell class="col-dates">{unbroken(&rollout)} {test}</Cell>
            <Cell class="col-rooms">{installed} {failed} {running} {waiting} {withdrawn} {catch_up}</Cell>
            <Cell class="col-bar">{picture}</Cell>
        </tr>
    }
    .into_any()
}

/// The two ends of a span of days; a line breaks between them only.
fn unbroken(span: &str) -> AnyView {
    let ends = span.split_inclusive('–');
    let ends = ends.map(|end| view! { <span class="nowrap">{end.trim().to_owned()}</span> " " }.into_any());
    ends.collect_view().into_any()
}

fn axis(calendar: &CalendarView) -> AnyView {
    let drawn = timeline::axis(calendar);
    let dates = drawn.dates.into_iter().map(|(x, text)| {
        view! {
            <text class="tl-date" x=x dx="4" y="38">
                {text}
            </text>
        }
        .into_any()
    });
    let now = drawn.now.map(|x| {
        view! {
            <line class="t-now" x1=x.clone() x2=x.clone() y1="18" y2="44"></line>
            <circle class="t-moon" cx=x.clone() cy="18" r="4"></circle>
            <text class="tl-mark tl-mark--now" x=x y="10" text-anchor="end" dx="6">
                "Today"
            </text>
        }
        .into_any()
    });
    let paused = drawn.paused.map(|(x, is_behind_now)| {
        let dx = if is_behind_now { "12" } else { "0" };
        view! {
            <text class="tl-mark tl-mark--paused" x=x dx=dx y="10">
                "Paused"
            </text>
        }
        .into_any()
    });
    view! {
        <svg class="timeline-axis" width="100%" height="44" aria-hidden="true">
            <svg y="22" width="100%" height="22">
                {ground(timeline::ground(calendar), "22")}
            </svg>
            {paused}
            // The dates stand on it.
            {now}
            {dates.collect_view()}
        </svg>
    }
    .into_any()
}

fn picture(calendar: &CalendarView, stage: &StageView) -> AnyView {
    let Bar {
        cells,
        ahead,
        test,
        tested,
    } = timeline::bar(calendar, stage);
    let ring = format!("ring-{}", stage.ring.scale);
    let width = timeline::cell_width(calendar);
    let nights = cells
        .into_iter()
        .map(|cell| night(cell, ring.clone(), width.clone()))
        .collect_view();
    let ahead = ahead.map(|(x, width)| {
        view! {
            <svg x=x width=width height="60">
                <rect class="t-wait t-none" y="16" height="28" rx="3"></rect>
            </svg>
        }
        .into_any()
    });
    let tests = test.map(|(from, to)| {
        let passed =
            tested.map(|to| view! { <line class="t-tested" x1=from.clone() x2=to y1="30" y2="30"></line> }.into_any());
        view! {
            <line class="t-test" x1=from.clone() x2=to y1="30" y2="30"></line>
            {passed}
            <text class="tl-test" x=from.clone() dx="3" y="22">
                "Test"
            </text>
        }
        .into_any()
    });
    let now = timeline::axis(calendar)
        .now
        .map(|x| view! { <line class="t-now" x1=x.clone() x2=x y1="0" y2="60"></line> }.into_any());
    view! {
        <svg class="timeline-bar" width="100%" height="60" role="img" aria-label=stage.sentence.clone()>
            {ground(timeline::ground(calendar), "60")}
            // The cells stand on it: their numbers stay legible.
            {now}
            {ahead}
            {nights}
            <g class=ring>{tests}</g>
        </svg>
    }
    .into_any()
}

fn ground(ground: Ground, height: &'static str) -> AnyView {
    let weekends = ground
        .weekends
        .into_iter()
        .map(|(x, width)| view! { <rect class="tl-weekend" x=x width=width height=height></rect> }.into_any());
    let weeks = ground
        .weeks
        .into_iter()
        .map(|x| view! { <line class="tl-week" x1=x.clone() x2=x y2=height></line> }.into_any());
    let paused = ground.paused.map(|(x, width)| {
        view! { <rect class="tl-paused" x=x width=width height=height fill="url(#p-pause)"></rect> }.into_any()
    });
    view! {
        {weekends.collect_view()}
        {weeks.collect_view()}
        {paused}
    }
    .into_any()
}

fn night(cell: NightCell, ring: String, width: String) -> AnyView {
    let drawn = match cell.night {
        Night::Done(rooms) => view! {
            <rect class="t-done" y="16" height="28" rx="3"></rect>
            {number("tl-num tl-num--on", "34", rooms)}
        }
        .into_any(),
        Night::DoneSomeFailed(rooms) => view! {
            <rect class="t-done" y="16" height="28" rx="3"></rect>
            <rect class="t-fail" y="35" height="12" rx="2"></rect>
            {number("tl-num tl-num--on", "29", rooms)}
        }
        .into_any(),
        Night::Failed(rooms) => view! {
            <rect class="t-fail t-fail--all" y="16" height="28" rx="3"></rect>
            {number("tl-num tl-num--fail", "34", rooms)}
        }
        .into_any(),
        Night::Waiting(rooms) => view! {
            <rect class="t-wait" y="16" height="28" rx="3"></rect>
            {number("tl-num", "34", rooms)}
        }
        .into_any(),
        Night::Tonight(rooms) => view! {
            <rect class="t-wait t-tonight" y="14" height="32" rx="4"></rect>
            {number("tl-num", "34", rooms)}
        }
        .into_any(),
        Night::Running(rooms) => view! {
            <rect class="t-wait t-running" y="16" height="28" rx="3"></rect>
            {number("tl-num", "34", rooms)}
        }
        .into_any(),
        Night::Empty => view! { <rect class="t-wait t-none" y="16" height="28" rx="3"></rect> }.into_any(),
    };
    view! {
        <svg class=ring x=cell.x width=width height="60">
            {drawn}
        </svg>
    }
    .into_any()
}

fn number(class: &'static str, y: &'static str, rooms: i64) -> impl IntoView {
    view! {
        <text class=class x="50%" y=y text-anchor="middle">
            {rooms}
        </text>
    }
}
