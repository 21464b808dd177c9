//! Shows what a resource brings. The page stays as it is while the next answer is on its way.

use leptos::prelude::*;

use super::error_view::{ErrorPage, ErrorPart};
use super::resource::{JsonResource, transition};
use crate::error::AppError;

/// What a page waits for.
pub type PageResource<T> = JsonResource<Result<T, AppError>>;

/// A part of a page, below the page's own title.
pub fn show_part<T>(resource: PageResource<T>, show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    either(resource, show, |error| view! { <ErrorPart error /> }.into_any())
}

/// A whole page, title included.
pub fn show_page<T>(resource: PageResource<T>, show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    either(resource, show, |error| view! { <ErrorPage error /> }.into_any())
}

fn either<T>(
    resource: PageResource<T>,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
    fail: fn(AppError) -> AnyView,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    let content = move || {
        let show = show.clone();
        async move {
            match resource.await {
                Ok(value) => show(value),
                Err(error) => fail(error),
            }
        }
    };
    transition(content, skeleton)
}

/// Stands where rows will be.
fn skeleton() -> AnyView {
    view! {
        <div class="sk-row" aria-busy="true">
            <span class="sk sk--w1"></span>
            <span class="sk sk--w3"></span>
            <span class="sk sk--w2"></span>
        </div>
    }
    .into_any()
}
