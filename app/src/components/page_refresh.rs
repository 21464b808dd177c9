//! When pages ask again: after something was done here, or when the server says that something has changed (P9).
//!
//! A page's resource is made with [`page_resource`]; it asks again under a transition, so the page stays as it is until the answer is there.

use std::future::Future;

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::resource::json_resource;
use super::show_resource::PageResource;
use crate::error::AppError;

/// Counts what has changed since the page was loaded.
#[derive(Clone, Copy)]
pub struct PageRefresh(RwSignal<u32>);

impl PageRefresh {
    /// Puts the count into the context of everything below.
    #[must_use]
    pub fn provide() -> Self {
        let refresh = Self(RwSignal::new(0));
        provide_context(refresh);
        refresh
    }

    /// Has every page and part that is open ask again.
    pub fn request(self) {
        self.0.update(|count| *count = count.wrapping_add(1));
    }
}

/// What a page asks the server for: again whenever its address or anything on the server has changed.
pub fn page_resource<S, T, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    ask: impl Fn(S) -> F + Send + Sync + 'static,
) -> PageResource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let refresh = use_context::<PageRefresh>();
    json_resource(
        move || (refresh.map(|refresh| refresh.0.get()), source()),
        move |(_, source)| ask(source),
    )
}
