//! A catalogue from files: send it, look at what it would become, import it (P7).

use leptos::prelude::*;

use super::api::{ImportCatalogue, review_catalogue};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::import::{FileField, FileForm, reviewing};
use crate::components::page_header::PageHeader;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::show_resource::show_part;
use crate::portfolio::model::CatalogueReview;

const JSON: &str = ".json,application/json";

/// The page.
#[component]
pub fn CataloguePage() -> impl IntoView {
    let (upload, review) = reviewing(review_catalogue);
    view! {
        <PageHeader title="Import a catalogue" tab=None above=("/portfolio", "Portfolio") />
        {show_part(review, move |found| page(found, upload.get_untracked()))}
    }
    .into_any()
}

fn page(found: Option<CatalogueReview>, upload: String) -> AnyView {
    let review = found.map(|found| reviewed(found, upload));
    view! {
        <FileForm name="Files" action="/portfolio/import/file" submit="Check the files">
            <FileField
                label="Products"
                name="products"
                accept=JSON
                hint="products.json: each with id, vendor, name, kind and expected_minutes."
            />
            <FileField
                label="Releases"
                name="releases"
                accept=JSON
                hint="releases.json: each with product, version, rank, and what else is known. At most 32 MB together."
            />
        </FileForm>
        {review}
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
