//! What happened, newest first.

use leptos::prelude::*;

use super::time::Time;
use crate::components::model::HistoryRow;

/// The list, or a line that says there is nothing yet.
#[component]
pub fn HistoryList(
    /// Newest first.
    rows: Vec<HistoryRow>,
) -> impl IntoView {
    if rows.is_empty() {
        return view! { <p class="muted">"Nothing has happened yet."</p> }.into_any();
    }
    view! { <ol class="history">{rows.into_iter().map(row).collect_view()}</ol> }.into_any()
}

fn row(row: HistoryRow) -> AnyView {
    let text = if row.about.is_empty() {
        row.text
    } else {
        format!("{}: {}", row.about, row.text)
    };
    let detail = (!row.detail.is_empty()).then(|| view! { <span class="sub">{row.detail}</span> }.into_any());
    view! {
        <li class=row.bad.then_some("bad")>
            <Time when=row.at />
            <span>{text}</span>
            {detail}
        </li>
    }
    .into_any()
}
