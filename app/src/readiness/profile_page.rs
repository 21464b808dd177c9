//! What readiness checks go by: the profile that comes with Nightshift, or one of the organisation's own (C6).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::api::{SetProfile, get_profile};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{PostForm, TextArea, posts_to};
use crate::components::show_resource::show_part;
use crate::readiness::model::{DemandRow, ProfileView};

/// The page.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let profile = page_resource(|| (), |()| get_profile());
    let address = use_query_map();
    // What was refused without script stands in the address.
    let typed = move || address.with_untracked(|address| address::value(address, "profile"));
    view! {
        <PageHeader
            title="Readiness profile"
            tab=None
            above=("/rooms/readiness", "Readiness")
            lede="What the checks go by: editions that pass, other names of makers, software of the image, and the guidance in each room."
        />
        {show_part(profile, move |profile| page(profile, typed()))}
    }
    .into_any()
}

fn page(profile: ProfileView, typed: String) -> AnyView {
    let state = if profile.is_own {
        "All rooms are judged by a profile of your own."
    } else {
        "All rooms are judged by the profile that comes with Nightshift."
    };
    let old = format!(
        "Facts count for {} hours; a check that goes by older ones is unknown. That number is a ",
        profile.facts_count_hours
    );
    let demands = demands(profile.demands.clone());
    let text = if profile.may_edit {
        form(profile, typed)
    } else {
        view! { <pre class="profile-text">{profile.text}</pre> }.into_any()
    };
    view! {
        <p>{state}</p>
        {demands}
        <p class="muted">{old} <a href="/settings">"setting"</a> "."</p>
        <section aria-labelledby="h-profile">
            <h2 id="h-profile">"As a file"</h2>
            {text}
        </section>
    }
    .into_any()
}

/// What each check demands, in words.
fn demands(demands: Vec<DemandRow>) -> AnyView {
    let head = view! {
        <Head class="col-name" label="Check" />
        <Head label="Passes when" />
        <Head label="While it does not" />
    }
    .into_any();
    let rows = demands.into_iter().map(|demand| {
        view! {
            <tr role="row">
                <NameCell class="col-name">{demand.check.label()}</NameCell>
                <Cell label="Passes when">{demand.passes}</Cell>
                <Cell label="Otherwise">{demand.otherwise}</Cell>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    view! {
        <DataTable kind="demands" caption="What the checks demand" head>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn form(profile: ProfileView, typed: String) -> AnyView {
    let action = posts_to::<SetProfile>();
    let text = if typed.is_empty() { profile.text } else { typed };
    let back = profile.is_own.then(|| {
        let action = posts_to::<SetProfile>();
        view! {
            <PostForm action class="inline-form" prefix="shipped">
                <input type="hidden" name="profile" value="" />
                <button class="btn" type="submit">
                    "Go back to the shipped profile"
                </button>
            </PostForm>
        }
        .into_any()
    });
    view! {
        <PostForm action class="form profile-form" prefix="profile">
            <TextArea
                label="Profile"
                name="profile"
                value=text
                longest=20_000
                rows=30
                hint="In JSON. What you leave out is as in the shipped profile. All rooms are checked again at once."
            />
            <button class="btn btn--primary" type="submit">
                "Save the profile"
            </button>
        </PostForm>
        {back}
    }
    .into_any()
}
