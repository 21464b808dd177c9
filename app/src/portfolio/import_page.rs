//! A catalogue from files: send it, look at what it would become, import it (P7).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use uuid::Uuid;

use super::api::{ImportCatalogue, review_catalogue};
use crate::components::address;
use crate::components::answer::asked;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::loaded::loaded;
use crate::components::page_header::PageHeader;
use crate::components::post_form::{PostForm, posts_to};
use crate::error::AppError;
use crate::view::CatalogueReview;

/// The page.
#[component]
pub fn CataloguePage() -> impl IntoView {
    let address = use_query_map();
    let upload = Memo::new(move |_| address.with(|address| address::value(address, "upload")));
    // Asked once: what was looked at is what is imported.
    let review = asked(
        move || upload.get(),
        |upload| async move {
            let missing = |_| AppError::NotFound {
                what: "This file".to_owned(),
            };
            let upload = Some(upload).filter(|upload| !upload.is_empty());
            review_catalogue(
                upload
                    .map(|upload| upload.parse::<Uuid>().map_err(missing))
                    .transpose()?,
            )
            .await
        },
    );
    view! {
        <PageHeader title="Import a catalogue" tab=None above=("/portfolio", "Portfolio") />
        {loaded(review, move |found| page(found, upload.get_untracked()))}
    }
    .into_any()
}

fn page(found: Option<CatalogueReview>, upload: String) -> AnyView {
    let review = found.map(|found| reviewed(found, upload));
    view! {
        <section aria-labelledby="h-file">
            <h2 id="h-file" class="vh">
                "Files"
            </h2>
            <form class="form" method="post" action="/portfolio/import/file" enctype="multipart/form-data">
                {file_field("products", "Products", "products.json: each with id, vendor, name, kind and expected_minutes.")}
                {file_field("releases", "Releases", "releases.json: each with product, version, rank, and what else is known. At most 32 MB together.")}
                <button class="btn btn--primary" type="submit">
                    "Check the files"
                </button>
            </form>
        </section>
        {review}
    }
    .into_any()
}

fn file_field(name: &'static str, label: &'static str, hint: &'static str) -> AnyView {
    let (id, hint_id) = (format!("file-{name}"), format!("file-{name}-hint"));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                type="file"
                id=id
                name=name
                accept=".json,application/json"
                aria-describedby=hint_id.clone()
                required
            />
            <p class="hint" id=hint_id>
                {hint}
            </p>
        </div>
    }
    .into_any()
}

fn reviewed(review: CatalogueReview, upload: String) -> AnyView {
    let CatalogueReview {
        name,
        adds,
        releases,
        more,
    } = review;
    let action = posts_to::<ImportCatalogue>();
    let rows = releases.into_iter().map(|(product, version)| {
        view! {
            <tr role="row">
                <NameCell class="col-name">{version}</NameCell>
                <Cell label="Product">{product}</Cell>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    let table = (!rows.is_empty()).then(|| {
        let head = view! {
            <Head class="col-name" label="Release" />
            <Head label="Product" />
        };
        view! {
            <DataTable kind="import" caption="Releases that it would add" head=head.into_any()>
                {rows}
            </DataTable>
        }
        .into_any()
    });
    let more = (more > 0).then(|| view! { <p class="muted">{format!("and {more} more")}</p> }.into_any());
    view! {
        <section class="reviewed" aria-labelledby="h-review">
            <div class="section-head">
                <h2 id="h-review">"What the import would change"</h2>
            </div>
            <PostForm action class="form">
                <input type="hidden" name="upload" value=upload />
                <p role="status">{format!("{name}: {adds}. Nothing is published by it.")}</p>
                <button class="btn btn--primary" type="submit">
                    "Import it"
                </button>
            </PostForm>
            {table}
            {more}
        </section>
    }
    .into_any()
}
