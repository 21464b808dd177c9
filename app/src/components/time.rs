//! An instant as people read it, with what machines read.

use leptos::prelude::*;

use crate::components::model::TimeText;

/// `<time>` with the text that the server wrote.
#[component]
pub fn Time(when: TimeText) -> impl IntoView {
    view! { <time datetime=when.machine>{when.text}</time> }
}
