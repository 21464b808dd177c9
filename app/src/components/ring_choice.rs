//! The choice of a ring to go to, with what then follows (R13, R14, K9): of the dialogs that move rooms.

use leptos::ev::Event;
use leptos::prelude::*;

use super::post_form::Field;

/// The field `to`, and below it what the chosen ring brings.
#[component]
pub fn RingChoice(
    /// Its name on screen.
    label: &'static str,
    /// Id and name of each ring that may be chosen.
    choices: Vec<(String, String)>,
    /// What the sentences below are about.
    heading: &'static str,
    /// Stands there for a ring that brings nothing.
    nothing: &'static str,
    /// What a ring brings, by its id, in sentences.
    follows: impl Fn(&str) -> Vec<String> + Send + Sync + 'static,
) -> impl IntoView {
    let chosen = RwSignal::new(String::new());
    let control = move |field: String, described: String| {
        let options = choices
            .into_iter()
            .map(|(id, name)| view! { <option value=id>{name}</option> }.into_any());
        let choose = move |event: Event| chosen.set(event_target_value(&event));
        view! {
            <span class="select-wrap">
                <select class="input select" id=field name="to" aria-describedby=described required autofocus=true on:change=choose>
                    <option value="">"Choose a ring"</option>
                    {options.collect_view()}
                </select>
            </span>
        }
        .into_any()
    };
    let preview = move || {
        let ring = chosen.get();
        if ring.is_empty() {
            return view! { <p class="muted">"Choose a ring to see it."</p> }.into_any();
        }
        let sentences = follows(&ring);
        if sentences.is_empty() {
            return view! { <p class="muted">{nothing}</p> }.into_any();
        }
        let items = sentences
            .into_iter()
            .map(|sentence| view! { <li>{sentence}</li> }.into_any());
        view! { <ul class="bullets">{items.collect_view()}</ul> }.into_any()
    };
    view! {
        <Field label name="to" control />
        <div class="preview" aria-live="polite">
            <h3>{heading}</h3>
            {preview}
        </div>
    }
}
