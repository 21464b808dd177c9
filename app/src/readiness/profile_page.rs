//! What readiness checks go by: the profile that comes with Nightshift, or one of the organisation's own (C6).

use leptos::prelude::*;

use super::api::{SetProfile, get_profile};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{PostForm, TextArea, posts_to};
use crate::components::show_resource::show_part;
use crate::readiness::model::ProfileView;

/// The page.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let profile = page_resource(|| (), |()| get_profile());
    view! {
        <PageHeader
            title="Readiness profile"
            tab=None
            above=("/rooms/readiness", "Readiness")
            lede="What the checks go by: editions that pass, other names of makers, software of the image, and the guidance in each room."
        />
        {show_part(profile, page)}
    }
    .into_any()
}

fn page(profile: ProfileView) -> AnyView {
    let state = if profile.is_own {
        "All rooms are judged by a profile of your own."
    } else {
        "All rooms are judged by the profile that comes with Nightshift."
    };
    let text = if profile.may_edit {
        form(profile)
    } else {
        view! { <pre class="profile-text">{profile.text}</pre> }.into_any()
    };
    view! {
        <p>{state}</p>
        {text}
    }
    .into_any()
}

fn form(profile: ProfileView) -> AnyView {
    let action = posts_to::<SetProfile>();
    let text = profile.text;
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
        <PostForm action class="form" prefix="profile">
            <TextArea
                label="Profile"
                name="profile"
                value=text
                longest=65_536
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
