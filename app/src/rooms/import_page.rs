//! Rooms from a file: send it, look at what it would become, import it (P0, G5).

use leptos::prelude::*;

use super::api::{ImportRooms, review_rooms};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::icon::Icon;
use crate::components::import::{FileField, FileForm, reviewing};
use crate::components::page_header::PageHeader;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::ring_badge::RingBadge;
use crate::components::show_resource::show_part;
use crate::rooms::model::{ImportReview, ImportedRoom};
use crate::words::count;

/// What a file of rooms has.
const COLUMNS: &str = "Comma-separated values with the columns site and name, and as many as you like of building, floor, seats, zone, ring, \
                       state, device, role, vendor, model, serial, product and version; or JSON. At most 32 MB. You see what would \
                       change before it does.";

/// The page.
#[component]
pub fn ImportPage() -> impl IntoView {
    let (upload, review) = reviewing(review_rooms);
    view! {
        <PageHeader title="Import rooms" tab=None above=("/rooms", "Rooms") />
        {show_part(review, move |found| page(found, upload.get_untracked()))}
    }
    .into_any()
}

fn page(found: Option<ImportReview>, upload: String) -> AnyView {
    let review = found.map(|found| reviewed(found, upload));
    view! {
        <FileForm name="File" action="/rooms/import/file" submit="Check the file">
            <FileField label="A file of rooms" name="file" accept=".csv,.txt,.tsv,.json,text/csv,application/json" hint=COLUMNS />
        </FileForm>
        {review}
    }
    .into_any()
}

fn reviewed(review: ImportReview, upload: String) -> AnyView {
    let ImportReview {
        name,
        adds,
        refused_lines,
        refused,
        rooms,
    } = review;
    let action = posts_to::<ImportRooms>();
    let verdict = if refused_lines == 0 {
        view! {
            <PostForm action class="form">
                <input type="hidden" name="upload" value=upload />
                <p role="status">{format!("{name} adds {adds}.")}</p>
                <button class="btn btn--primary" type="submit">
                    "Import it"
                </button>
            </PostForm>
        }
        .into_any()
    } else {
        let lines = count(refused_lines, "line is", "lines are");
        view! {
            <div class="msg msg--error" role="alert">
                <Icon name="error-f" />
                <div class="msg-body">
                    <p>
                        <strong>{format!("{name}: {lines} refused, so nothing is imported.")}</strong>
                    </p>
                    <p>{format!("Without them it would add {adds}. Correct the file and send it again.")}</p>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="reviewed" aria-labelledby="h-review">
            <div class="section-head">
                <h2 id="h-review">"What the import would change"</h2>
            </div>
            {verdict} {refused_table(refused, refused_lines)} {rooms_table(rooms)}
        </section>
    }
    .into_any()
}

fn refused_table(refused: Vec<(String, String, String)>, all: i64) -> Option<AnyView> {
    if refused.is_empty() {
        return None;
    }
    let more = all - i64::try_from(refused.len()).unwrap_or(all);
    let head = view! {
        <Head class="col-name" label="Line" />
        <Head label="Field" />
        <Head label="Why it is refused" />
    };
    let rows = refused.into_iter().map(|(place, field, problem)| {
        view! {
            <tr role="row">
                <NameCell class="col-name">{place}</NameCell>
                <Cell label="Field">{field}</Cell>
                <Cell label="Why it is refused">{problem}</Cell>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    let more = (more > 0).then(|| view! { <p class="muted">{format!("and {more} more")}</p> }.into_any());
    let table = view! {
        <DataTable kind="import" caption="Refused lines" head=head.into_any()>
            {rows}
        </DataTable>
        {more}
    };
    Some(table.into_any())
}

fn rooms_table(rooms: Vec<ImportedRoom>) -> Option<AnyView> {
    if rooms.is_empty() {
        return None;
    }
    let head = view! {
        <Head class="col-name" label="Room" />
        <Head label="Site" />
        <Head label="Ring" />
        <Head class="col-num" label="Devices" />
    };
    let rows = rooms.into_iter().map(|room| {
        let moved = (!room.moved.is_empty()).then(|| view! { <span class="sub">{room.moved}</span> }.into_any());
        view! {
            <tr role="row">
                <NameCell class="col-name">{room.name} <span class="sub">{room.place}</span></NameCell>
                <Cell label="Site">{room.site}</Cell>
                <Cell label="Ring">
                    <RingBadge ring=room.ring />
                </Cell>
                <Cell class="col-num" label="Devices">
                    {room.devices} {moved}
                </Cell>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    let table = view! {
        <h3>"The first rooms"</h3>
        <DataTable kind="import" caption="Rooms that it would add" head=head.into_any()>
            {rows}
        </DataTable>
    };
    Some(table.into_any())
}
