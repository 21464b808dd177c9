//! Names of software: those that nobody has reviewed, with how many rooms have them, and those that somebody has, once for all rooms (C1).

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
use crate::readiness::model::{ReviewedRow, SoftwareView, UnreviewedRow};
use crate::words::count;

/// The page.
#[component]
pub fn SoftwarePage() -> impl IntoView {
    let software = page_resource(|| (), |()| list_software());
    view! {
        <PageHeader
            title="Software"
            tab=None
            above=("/rooms/readiness", "Readiness")
            lede="Programs that are not part of the image, and other programs that change rooms, as devices report them. A name that an admin has reviewed counts as fine in every room."
        />
        {show_part(software, page)}
    }
    .into_any()
}

fn page(software: SoftwareView) -> AnyView {
    let action = posts_to::<ReviewSoftware>();
    let may_decide = software.may_decide;
    let to_review = unreviewed(software.unreviewed, software.has_more, may_decide);
    let list = if software.rows.is_empty() {
        let text = "Names that you mark above stand here.";
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
        {to_review}
        <section aria-labelledby="h-reviewed">
            <h2 id="h-reviewed">"Reviewed"</h2>
            {list}
        </section>
        <ForRole act=Act::DecideReadiness>
            <PostForm action class="form form--row" prefix="software">
                <TextField
                    label="Name"
                    name="name"
                    longest=256
                    hint="As devices report it; case does not count."
                />
                <button class="btn btn--primary" type="submit">
                    "Mark as reviewed"
                </button>
            </PostForm>
        </ForRole>
    }
    .into_any()
}

/// Names that nobody has reviewed, those of the most rooms first.
fn unreviewed(rows: Vec<UnreviewedRow>, has_more: bool, may_decide: bool) -> AnyView {
    let content = if rows.is_empty() {
        view! { <p class="muted">"Every name that devices report is reviewed or belongs to the image."</p> }.into_any()
    } else {
        let head = view! {
            <Head class="col-name" label="Name" />
            <Head class="col-num" label="Rooms" />
            {may_decide.then(|| view! { <Head label="Review" hidden=true /> }.into_any())}
        };
        let rows = rows
            .into_iter()
            .map(|found| unreviewed_row(found, may_decide))
            .collect_view();
        view! {
            <DataTable kind="software" caption="Software to review" head=head.into_any()>
                {rows}
            </DataTable>
        }
        .into_any()
    };
    let more = has_more.then(|| view! { <p class="muted">"These are the names with the most rooms."</p> }.into_any());
    view! {
        <section aria-labelledby="h-unreviewed">
            <h2 id="h-unreviewed">"To review"</h2>
            {content}
            {more}
        </section>
    }
    .into_any()
}

fn unreviewed_row(row: UnreviewedRow, may_decide: bool) -> AnyView {
    let review = may_decide.then(|| {
        let action = posts_to::<ReviewSoftware>();
        let label = format!("Mark as reviewed: {}", row.name);
        let name = row.name.clone();
        view! {
            <Cell class="col-act">
                <PostForm action class="inline-form" prefix="review">
                    <input type="hidden" name="name" value=name />
                    <button class="btn btn--small" type="submit" aria-label=label>
                        "Mark as reviewed"
                    </button>
                </PostForm>
            </Cell>
        }
        .into_any()
    });
    let label = format!("{}: {}", row.name, count(row.rooms, "room", "rooms"));
    view! {
        <tr role="row">
            <NameCell class="col-name">{row.name}</NameCell>
            <Cell class="col-num" label="Rooms">
                <a href=row.href aria-label=label>
                    {row.rooms}
                </a>
            </Cell>
            {review}
        </tr>
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
