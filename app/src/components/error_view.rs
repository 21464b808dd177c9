//! What stands where a page or a part of it could not be had: what failed, and what to do.

use leptos::prelude::*;

use super::empty_state::EmptyArt;
use super::icon::Icon;
use super::page_header::PageTitle;
use super::tab_title::TabTitle;
use crate::error::AppError;

/// An error in place of a part of a page, below the page's own title.
#[component]
pub fn ErrorPart(
    /// What went wrong.
    error: AppError,
) -> impl IntoView {
    set_status(&error);
    // Trying again would not help whoever may not see it.
    let leads_on = match error {
        AppError::Forbidden { .. } => leads_home(),
        _ => try_again(),
    };
    view! {
        <section class="empty">
            <Icon name="error-f" class="empty-icon" />
            <h2>{headline(&error)}</h2>
            <p>{error.to_string()}</p>
            {leads_on}
        </section>
    }
}

/// An error in place of a whole page.
#[component]
pub fn ErrorPage(
    /// What went wrong.
    error: AppError,
) -> impl IntoView {
    set_status(&error);
    let headline = headline(&error);
    let (picture, text, leads_on) = match &error {
        AppError::NotFound { .. } => (
            view! { <EmptyArt /> }.into_any(),
            "The address may be wrong, or what it led to is gone.".to_owned(),
            leads_to(&[("Home", "/"), ("Show updates", "/updates")]),
        ),
        AppError::SignedOut => (
            view! { <EmptyArt /> }.into_any(),
            error.to_string(),
            leads_to(&[("Sign in", "/sign-in")]),
        ),
        AppError::Forbidden { .. } => (view! { <EmptyArt /> }.into_any(), error.to_string(), leads_home()),
        AppError::Invalid { .. }
        | AppError::Conflict { .. }
        | AppError::Unavailable
        | AppError::Internal { .. }
        | AppError::Network { .. } => (
            view! { <Icon name="error-f" class="empty-icon" /> }.into_any(),
            error.to_string(),
            try_again(),
        ),
    };
    view! {
        <TabTitle text=headline.clone() />
        <section class="empty empty--page">
            {picture} <PageTitle text=headline /> <p>{text}</p> {leads_on}
        </section>
    }
}

/// An address that leads nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! { <ErrorPage error=AppError::NotFound { what: "This page".to_owned() } /> }
}

fn leads_home() -> AnyView {
    leads_to(&[("Home", "/"), ("Your account", "/account")])
}

/// The first is what most people want.
fn leads_to(places: &[(&'static str, &'static str)]) -> AnyView {
    let links = places.iter().enumerate().map(|(index, (name, href))| {
        let class = if index == 0 { "btn btn--primary" } else { "btn" };
        // The page of the sign-in is not one of the router's.
        let rel = (*href == "/sign-in").then_some("external");
        view! {
            <a class=class href=*href rel=rel>
                {*name}
            </a>
        }
        .into_any()
    });
    view! { <div class="btn-row">{links.collect_view()}</div> }.into_any()
}

/// `rel="external"` loads the page anew instead of asking the router for the page that is already there.
fn try_again() -> AnyView {
    view! {
        <div class="btn-row">
            <a class="btn" href="" rel="external">
                <Icon name="retry" />
                "Try again"
            </a>
        </div>
    }
    .into_any()
}

fn headline(error: &AppError) -> String {
    match error {
        AppError::Invalid { .. } => "This address asks for something that does not exist".to_owned(),
        AppError::NotFound { what } => format!("{what} does not exist"),
        AppError::Conflict { .. } => "This is not possible now".to_owned(),
        AppError::Forbidden { .. } => "This is not for your role".to_owned(),
        AppError::SignedOut => "Please sign in".to_owned(),
        AppError::Unavailable | AppError::Internal { .. } | AppError::Network { .. } => {
            "This could not be loaded".to_owned()
        }
    }
}

/// The answer's status, while the server writes the page; in the browser there is no answer to set it on.
#[cfg(feature = "ssr")]
fn set_status(error: &AppError) {
    let status = axum::http::StatusCode::from_u16(error.status());
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), status) {
        response.set_status(status);
    }
}

#[cfg(not(feature = "ssr"))]
fn set_status(_error: &AppError) {}
