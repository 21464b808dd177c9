//! The page.

use leptos::prelude::*;

use super::api::get_settings;
use crate::components::changes::asking;
use crate::components::loaded::loaded;
use crate::components::page_header::PageHeader;
use crate::view::{Setting, SettingsView};

/// Settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let settings = asking(|| (), |()| get_settings());
    view! {
        <PageHeader title="Settings" tab=None />
        <div class="btn-row">
            <a class="btn" href="/settings/people">
                "People and roles"
            </a>
            <a class="btn" href="/settings/tokens">
                "Tokens"
            </a>
        </div>
        {loaded(settings, page)}
    }
    .into_any()
}

fn page(settings: SettingsView) -> AnyView {
    settings
        .groups
        .into_iter()
        .enumerate()
        .map(group)
        .collect_view()
        .into_any()
}

fn group((index, (heading, entries)): (usize, (String, Vec<Setting>))) -> AnyView {
    let id = format!("h-group-{index}");
    let entries = entries.into_iter().map(|(name, value, meaning)| {
        let meaning = (!meaning.is_empty()).then(|| view! { <span class="sub">{meaning}</span> });
        view! {
            <dt>{name}</dt>
            <dd>{value} {meaning}</dd>
        }
    });
    view! {
        <section aria-labelledby=id>
            <div class="section-head">
                <h2 id=id.clone()>{heading}</h2>
            </div>
            <dl class="facts facts--wide">{entries.collect_view()}</dl>
        </section>
    }
    .into_any()
}
