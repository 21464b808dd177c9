//! A ring where it is named: its badge and its name.

use leptos::prelude::*;

use crate::components::model::RingView;

/// Badge and name.
#[component]
pub fn RingBadge(ring: RingView) -> impl IntoView {
    view! {
        <span class="ring">
            <RingCode badge=ring.badge scale=ring.scale />
            {ring.name}
        </span>
    }
}

/// The badge alone; the name must stand beside it.
#[component]
pub fn RingCode(
    /// S, 1 to 9, E, or A.
    badge: String,
    /// 0 to 10.
    scale: u8,
) -> impl IntoView {
    view! {
        <span class=format!("ring-code ring-{scale}") aria-hidden="true">
            {badge}
        </span>
    }
}
