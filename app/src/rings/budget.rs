//! The 60-day picture of the rings: rollout solid, test tinted, what remains open.

use domain::ring::MOST_TOTAL_DAYS;
use leptos::prelude::*;

use super::budget_geometry::{Days, budget};
use crate::components::geometry::{percent, share};
use crate::rings::model::RingsView;
use crate::words::count;

/// Distance of the numbers below the picture.
const STEP: u32 = 10;

/// Names, blocks and the axis.
#[component]
pub fn Budget(
    /// The rings and their sums.
    rings: RingsView,
) -> impl IntoView {
    let days: Vec<Days> = rings
        .rows
        .iter()
        .map(|row| Days {
            scale: row.ring.scale,
            rollout: row.rollout_days,
            test: row.test_days,
        })
        .collect();
    let drawn = budget(&days);
    let blocks = drawn.rings.into_iter().map(|block| {
        view! {
            <svg class=format!("ring-{}", block.scale) x=block.x width=block.width height="48">
                <rect class="b-test" y="4" height="40" rx="4"></rect>
                <svg width=block.rollout height="48">
                    <rect class="b-roll" y="4" height="40" rx="4"></rect>
                </svg>
            </svg>
        }
        .into_any()
    });
    let left = drawn.left.map(|(x, width)| {
        view! {
            <svg x=x width=width height="48">
                <rect class="b-left" y="4" height="40" rx="4"></rect>
            </svg>
        }
        .into_any()
    });
    let limit = if drawn.over.is_some() {
        "b-limit b-limit--over"
    } else {
        "b-limit"
    };
    let over = drawn.over.map(|(x, width)| {
        view! {
            <svg x=x width=width height="48">
                <rect class="b-over" y="4" height="40" rx="4" fill="url(#p-over)"></rect>
            </svg>
        }
        .into_any()
    });
    view! {
        <div class="budget-wrap">
            {names(&rings)}
            <svg class="budget" width="100%" height="48" role="img" aria-label=sentence(&rings)>
                {blocks.collect_view()}
                {left}
                {over}
                <line class=limit x1=drawn.limit.clone() x2=drawn.limit y1="0" y2="48"></line>
            </svg>
            {axis()}
        </div>
    }
}

fn names(rings: &RingsView) -> AnyView {
    let names = rings.rows.iter().map(|row| {
        view! {
            <span class=format!("g{}", row.completion)>
                <span class="wide">{row.ring.name.clone()}</span>
                <span class="narrow">{row.ring.badge.clone()}</span>
            </span>
        }
        .into_any()
    });
    let left = (rings.remaining > 0).then(|| {
        view! {
            <span class=format!("g{}", rings.remaining)>
                <span class="wide">{count(rings.remaining, "day remains", "days remain")}</span>
            </span>
        }
        .into_any()
    });
    view! {
        <p class="budget-names" aria-hidden="true">
            {names.collect_view()}
            {left}
        </p>
    }
    .into_any()
}

fn axis() -> AnyView {
    let numbers = (0..=MOST_TOTAL_DAYS).step_by(STEP as usize).map(|day| {
        let (anchor, text) = match day {
            0 => ("start", "Day 0".to_owned()),
            MOST_TOTAL_DAYS => ("end", day.to_string()),
            _ => ("middle", day.to_string()),
        };
        view! {
            <text x=percent(share(f64::from(day), f64::from(MOST_TOTAL_DAYS))) y="13" text-anchor=anchor>
                {text}
            </text>
        }
        .into_any()
    });
    view! {
        <svg class="budget-axis" width="100%" height="18" aria-hidden="true">
            {numbers.collect_view()}
        </svg>
    }
    .into_any()
}

fn sentence(rings: &RingsView) -> String {
    let each: Vec<String> = rings
        .rows
        .iter()
        .map(|row| format!("{} {}", row.ring.name, count(row.completion, "day", "days")))
        .collect();
    let RingsView { total, remaining, .. } = rings;
    format!(
        "{}. Together {total} of {MOST_TOTAL_DAYS} days, {}.",
        each.join(", "),
        count(*remaining, "remains", "remain")
    )
}
