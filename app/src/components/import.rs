//! What the pages of imports share: a file is sent, looked at, and only then imported (G5).

use std::future::Future;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::address;
use super::resource::json_resource;
use super::show_resource::PageResource;
use crate::error::AppError;

/// The upload in the address, and what it would become: nothing where none was sent yet. It is asked for once, so what was looked at is
/// what is imported.
pub fn reviewing<T, F>(
    review: impl Fn(Option<Uuid>) -> F + Clone + Send + Sync + 'static,
) -> (Memo<String>, PageResource<Option<T>>)
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<Option<T>, AppError>> + Send + 'static,
{
    let address = use_query_map();
    let upload = Memo::new(move |_| address.with(|address| address::value(address, "upload")));
    let reviewed = json_resource(
        move || upload.get(),
        move |upload| {
            let review = review.clone();
            async move {
                let missing = |_| AppError::NotFound {
                    what: "This file".to_owned(),
                };
                let upload = Some(upload).filter(|upload| !upload.is_empty());
                let upload = upload.map(|upload| upload.parse::<Uuid>()).transpose();
                review(upload.map_err(missing)?).await
            }
        },
    );
    (upload, reviewed)
}

/// A form that sends files to a plain route, with script and without.
#[component]
pub fn FileForm(
    /// Its name, for people who do not see it.
    name: &'static str,
    /// The route.
    action: &'static str,
    /// The words on its button.
    submit: &'static str,
    /// [`FileField`]s.
    children: Children,
) -> impl IntoView {
    view! {
        <section aria-labelledby="h-file">
            <h2 id="h-file" class="vh">
                {name}
            </h2>
            <form class="form" method="post" action=action enctype="multipart/form-data">
                {children()}
                <button class="btn btn--primary" type="submit">
                    {submit}
                </button>
            </form>
        </section>
    }
}

/// A file.
#[component]
pub fn FileField(
    /// Its name on screen.
    label: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// Endings and media types that the browser offers.
    accept: &'static str,
    /// What stands in it.
    hint: &'static str,
) -> impl IntoView {
    let (id, hint_id) = (format!("file-{name}"), format!("file-{name}-hint"));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input class="input" type="file" id=id name=name accept=accept aria-describedby=hint_id.clone() required />
            <p class="hint" id=hint_id>
                {hint}
            </p>
        </div>
    }
}
