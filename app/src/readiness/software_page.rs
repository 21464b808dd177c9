//! Names of software that somebody has reviewed, once for all rooms (C1).

use domain::access::Act;
use leptos::prelude::*;

use super::api::{EndReview, ReviewSoftware, list_software};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::EmptyState;
use crate::components::for_role::ForRole;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{PostForm, TextField, posts_to};
use crate::components::show_resource::show_part;
use crate::components::time::Time;
use crate::readiness::model::{ReviewedRow, SoftwareView};

/// The page.
#[component]
pub fn SoftwarePage() -> impl IntoView {
    let software = page_resource(|| (), |()| list_software());
    view! {
        <PageHeader
            title="Reviewed software"
            tab=None
            above=("/rooms/readiness", "Readiness")
            lede="Names that an admin has looked at. They count as fine in every room that reports them."
        />
        {show_part(software, page)}
    }
    .into_any()
}

fn page(software: SoftwareView) -> AnyView {
    let action = posts_to::<ReviewSoftware>();
    let may_decide = software.may_decide;
    let list = if software.rows.is_empty() {
        let text = "A room’s page offers to mark what its devices report.";
        view! { <EmptyState title="Nothing is reviewed yet" text clear=None /> }.into_any()
    } else {
        let head = view! {
            <Head class="col-name" label="Name" />
            <Head label="Reviewed" />
            {may_decide.then(|| view! { <Head label="End the review" hidden=true /> }.into_any())}
        };
        let rows = software
            .rows
            .into_iter()
            .map(|found| row(found, may_decide))
            .collect_view();
        view! {
            <DataTable kind="software" caption="Reviewed software" head=head.into_any()>
                {rows}
            </DataTable>
        }
        .into_any()
    };
    view! {
        <ForRole act=Act::DecideReadiness>
            <PostForm action class="form form--row" prefix="software">
                <TextField
                    label="Name"
                    name="name"
                    longest=128
                    hint="As devices report it; case does not count."
                />
                <button class="btn btn--primary" type="submit">
                    "Mark as reviewed"
                </button>
            </PostForm>
        </ForRole>
        {list}
    }
    .into_any()
}

fn row(row: ReviewedRow, may_decide: bool) -> AnyView {
    let end = may_decide.then(|| {
        let action = posts_to::<EndReview>();
        let label = format!("End the review of {}", row.name);
        let name = row.name.clone();
        view! {
            <Cell class="col-act">
                <PostForm action class="inline-form" prefix="end">
                    <input type="hidden" name="name" value=name />
                    <button class="btn btn--small" type="submit" aria-label=label>
                        "End the review"
                    </button>
                </PostForm>
            </Cell>
        }
        .into_any()
    });
    view! {
        <tr role="row">
            <NameCell class="col-name">{row.name}</NameCell>
            <Cell label="Reviewed">
                <Time when=row.at />
                <span class="sub">{format!("by {}", row.by)}</span>
            </Cell>
            {end}
        </tr>
    }
    .into_any()
}
