//! The toolbar of a list: a GET form that works without script. With script a change applies at once and stays in the
//! address.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement, HtmlInputElement, HtmlSelectElement, UrlSearchParams};

use super::address;
use super::icon::Icon;
use crate::components::model::Choice;

/// The form. The fields are its children; `name`s are the keys of the address.
#[component]
pub fn Toolbar(
    /// The page's address.
    #[prop(into)]
    action: String,
    /// The form's name.
    #[prop(default = "Filters")]
    label: &'static str,
    #[prop(default = "toolbar")] class: &'static str,
    /// Fields.
    children: Children,
) -> impl IntoView {
    let send = opens(action.clone());
    view! {
        <form class=class method="get" action=action role="search" aria-label=label on:submit=send>
            {children()}
        </form>
    }
}

/// With script, a GET form leads to its page without another load.
pub fn opens(path: String) -> impl Fn(SubmitEvent) + Clone + Send + 'static {
    let navigate = use_navigate();
    move |event: SubmitEvent| {
        // Without an answer the browser sends the form itself, which leads to the same page.
        let Some(query) = query_of(&event) else {
            return;
        };
        event.prevent_default();
        let to = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&to, options);
    }
}

/// Sends the form where there is no script.
#[component]
pub fn Apply() -> impl IntoView {
    view! {
        <button class="btn filter-apply" type="submit">
            "Apply"
        </button>
    }
}

/// Words to look for.
#[component]
pub fn SearchBox(
    /// What it says.
    label: &'static str,
    /// The words in the address.
    value: String,
) -> impl IntoView {
    view! {
        <div class="search-box">
            <Icon name="search" />
            <label class="vh" for="f-q">
                {label}
            </label>
            <input
                class="input"
                type="search"
                id="f-q"
                name="q"
                placeholder=label
                value=value.clone()
                prop:value=value
            />
        </div>
    }
}

/// One choice among several.
#[component]
pub fn Filter(
    /// Its name on screen.
    label: &'static str,
    /// Its name in the address.
    name: &'static str,
    /// What is chosen; empty: nothing.
    value: String,
    /// What there is to choose from.
    choices: Vec<Choice>,
    /// The words for no choice.
    #[prop(default = "All")]
    none: &'static str,
) -> impl IntoView {
    let id = format!("f-{name}");
    let class = if value.is_empty() { "filter" } else { "filter is-set" };
    let options = choices.into_iter().map(|choice| {
        let chosen = choice.value == value;
        view! {
            <option value=choice.value selected=chosen>
                {choice.label}
            </option>
        }
        .into_any()
    });
    let options = options.collect_view();
    let apply = |event: Event| send(target_as::<HtmlSelectElement>(&event).and_then(|select| select.form()));
    view! {
        <label class=class for=id>
            <span>{label}</span>
            <select class="filter-select" id=id.clone() name=name prop:value=value.clone() on:change=apply>
                <option value="" selected=value.is_empty()>
                    {none}
                </option>
                {options}
            </select>
        </label>
    }
}

/// On or off, at the end of the toolbar. On is `name=on` in the address.
#[component]
pub fn Switch(
    /// Its name on screen.
    label: &'static str,
    /// Its name in the address.
    name: &'static str,
    /// Whether it is on.
    on: bool,
) -> impl IntoView {
    let apply = |event: Event| send(target_as::<HtmlInputElement>(&event).and_then(|input| input.form()));
    view! {
        <span class="push">
            <label class="switch" for=name>
                <input type="checkbox" role="switch" id=name name=name checked=on prop:checked=on on:change=apply />
                <span class="switch-track" aria-hidden="true"></span>
                {label}
            </label>
        </span>
    }
}

/// A day.
#[component]
pub fn DayFilter(
    /// Its name on screen.
    label: &'static str,
    /// Its name in the address.
    name: &'static str,
    /// What is chosen: `2026-03-01`; empty: nothing.
    value: String,
    /// The last day that can be chosen; empty: any.
    #[prop(default = String::new())]
    max: String,
) -> impl IntoView {
    let id = format!("f-{name}");
    let class = if value.is_empty() { "filter" } else { "filter is-set" };
    let apply = |event: Event| send(target_as::<HtmlInputElement>(&event).and_then(|input| input.form()));
    view! {
        <label class=format!("{class} filter--day") for=id>
            <span>{label}</span>
            <input
                class="filter-day"
                type="date"
                max=(!max.is_empty()).then_some(max)
                id=id.clone()
                name=name
                value=value.clone()
                prop:value=value
                on:change=apply
            />
        </label>
    }
}

/// Keeps a part of the address that has no field.
#[component]
pub fn HiddenField(
    /// Its name in the address.
    name: &'static str,
    value: String,
) -> impl IntoView {
    (!value.is_empty()).then(|| view! { <input type="hidden" name=name value=value /> }.into_any())
}

/// A choice of a word and its label.
#[must_use]
pub fn choice(value: impl Into<String>, label: impl Into<String>) -> Choice {
    Choice {
        value: value.into(),
        label: label.into(),
    }
}

fn send(form: Option<HtmlFormElement>) {
    if let Some(form) = form {
        // It fails only for a form that is not in the document any more.
        _ = form.request_submit();
    }
}

fn query_of(event: &SubmitEvent) -> Option<String> {
    let form = target_as::<HtmlFormElement>(event)?;
    let data = FormData::new_with_form(&form).ok()?;
    let fields = UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    Some(address::without_empty(&fields.to_string().as_string()?))
}

fn target_as<T: JsCast>(event: &Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}
