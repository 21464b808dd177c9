//! What came of the form that was just sent.

use leptos::prelude::*;

use crate::view::Said;

/// A message above the page's content.
pub(super) fn message(said: Option<Said>) -> AnyView {
    said.map(|Said { is_good, text }| {
        let (class, role) = if is_good {
            ("msg msg--success", "status")
        } else {
            ("msg msg--error", "alert")
        };
        view! {
            <div class=class role=role>
                <p>{text}</p>
            </div>
        }
    })
    .into_any()
}
