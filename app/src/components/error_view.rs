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
        AppError::Forbidden { .. } => view! { <LeadsHome /> }.into_any(),
        _ => view! { <TryAgain /> }.into_any(),
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
    match error {
        AppError::NotFound { .. } => view! {
            <TabTitle text=headline.clone() />
            <section class="empty empty--page">
                <EmptyArt />
                <PageTitle text=headline />
                <p>"The address may be wrong, or what it led to is gone."</p>
                <div class="btn-row">
                    <a class="btn btn--primary" href="/">
                        "Home"
                    </a>
                    <a class="btn" href="/updates">
                        "Show updates"
                    </a>
                </div>
            </section>
        }
        .into_any(),
        AppError::SignedOut => view! {
            <TabTitle text=headline.clone() />
            <section class="empty empty--page">
                <EmptyArt />
                <PageTitle text=headline />
                <p>{error.to_string()}</p>
                <div class="btn-row">
                    <a class="btn btn--primary" href="/sign-in" rel="external">
                        "Sign in"
                    </a>
                </div>
            </section>
        }
        .into_any(),
        AppError::Forbidden { .. } => view! {
            <TabTitle text=headline.clone() />
            <section class="empty empty--page">
                <EmptyArt />
                <PageTitle text=headline />
                <p>{error.to_string()}</p>
                <LeadsHome />
            </section>
        }
        .into_any(),
        AppError::Invalid { .. }
        | AppError::Conflict { .. }
        | AppError::Unavailable
        | AppError::Internal { .. }
        | AppError::Network { .. } => view! {
            <TabTitle text=headline.clone() />
            <section class="empty empty--page">
                <Icon name="error-f" class="empty-icon" />
                <PageTitle text=headline />
                <p>{error.to_string()}</p>
                <TryAgain />
            </section>
        }
        .into_any(),
    }
}

/// An address that leads nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! { <ErrorPage error=AppError::NotFound { what: "This page".to_owned() } /> }
}

#[component]
fn LeadsHome() -> impl IntoView {
    view! {
        <div class="btn-row">
            <a class="btn btn--primary" href="/">
                "Home"
            </a>
            <a class="btn" href="/account">
                "Your account"
            </a>
        </div>
    }
}

/// `rel="external"` loads the page anew instead of asking the router for the page that is already there.
#[component]
fn TryAgain() -> impl IntoView {
    view! {
        <div class="btn-row">
            <a class="btn" href="" rel="external">
                <Icon name="retry" />
                "Try again"
            </a>
        </div>
    }
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
