//! One update: the dates of every ring, every room with its reason, issues, tickets, history (P3).

use domain::ids::UpdateId;
use domain::status::RoomStatus;
use domain::update::Severity;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::params::ParamsMap;

use super::api::{RetryRoom, get_update};
use super::control_dialog::{ControlDialogs, page_of};
use super::timeline::Timeline;
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::DIALOG;
use crate::components::empty_state::{EmptyPage, EmptyState};
use crate::components::filters::{Apply, Filter, HiddenField, Toolbar};
use crate::components::history_list::HistoryList;
use crate::components::icon::{self, Icon};
use crate::components::legend::{Legend, LegendEntry};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::pager::Pager;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::ring_badge::RingBadge;
use crate::components::selection::{Selection, SelectionBar, SelectionBox};
use crate::components::show_resource::show_page;
use crate::components::status_badge::{RoomStatusBadge, SeverityMark, UpdateStatusBadge};
use crate::error::AppError;
use crate::tickets::model::IssueAbout;
use crate::tickets::{RecordLink, record_dialog, ticket_links};
use crate::updates::model::{Control, UpdateRoomRow, UpdateRoomsQuery, UpdateView};

/// The page.
#[component]
pub fn UpdatePage() -> impl IntoView {
    let params = use_params_map();
    let address = use_query_map();
    let id = Memo::new(move |_| params.with(|params| address::value(params, "id").parse::<UpdateId>().ok()));
    let query = Memo::new(move |_| address.with(query));
    let update = page_resource(
        move || (id.get(), query.get()),
        |(id, query)| async move {
            let id = id.ok_or_else(|| AppError::NotFound {
                what: "This update".to_owned(),
            })?;
            get_update(id, query).await
        },
    );
    let about = move || {
        let update = id.get()?.to_string();
        let paused = address.with(|address| !address::value(address, "paused").is_empty());
        Some(IssueAbout {
            update,
            paused,
            ..IssueAbout::default()
        })
    };
    let close = move || {
        id.get()
            .map_or_else(String::new, |id| address.with(|address| page_of(id, address)))
    };
    Selection::provide(address, &["status", "ring"], move || {
        id.get().map_or_else(String::new, |id| id.to_string())
    });
    view! {
        {show_page(update, move |view| page(view, &query.get_untracked(), &address.get_untracked()))}
        <ControlDialogs id address />
        {record_dialog(about, address, close)}
    }
}

fn query(address: &ParamsMap) -> UpdateRoomsQuery {
    UpdateRoomsQuery {
        status: address::value(address, "status"),
        ring: address::value(address, "ring"),
        after: address::value(address, "after"),
        before: address::value(address, "before"),
    }
}

fn page(view: UpdateView, query: &UpdateRoomsQuery, address: &ParamsMap) -> AnyView {
    let head = head(&view, address);
    let counts = counts(&view);
    let rollout = rollout(&view);
    let rooms = rooms(&view, query, address);
    view! {
        {head}
        {counts}
        {rollout}
        <div class="cols cols--aside">
            {rooms}
            <aside class="stack" aria-label="More about this update">
                {known_issues(view.known_issues)}
                <section class="panel" aria-labelledby="h-tickets">
                    <h2 id="h-tickets">"Tickets"</h2>
                    {ticket_links(view.tickets)}
                </section>
                {facts(view.facts)}
                <section class="panel" aria-labelledby="h-history">
                    <h2 id="h-history">"History"</h2>
                    <HistoryList rows=view.history />
                </section>
            </aside>
        </div>
    }
    .into_any()
}

fn head(view: &UpdateView, address: &ParamsMap) -> AnyView {
    let severity = match view.severity {
        Severity::Critical => Some(
            view! {
                <li>
                    <SeverityMark severity=view.severity />
                </li>
            }
            .into_any(),
        ),
        Severity::Routine => None,
    };
    let UpdateView {
        title,
        status_sentence,
        status,
        vendor,
        kind,
        ..
    } = view.clone();
    let path = page_of(view.id, address);
    let controls = view.controls.iter().map(|what| control(*what, &path)).collect_view();
    view! {
        <PageHeader
            title
            above=("/updates", "Updates")
            icon=icon::of_kind(kind)
            lede=status_sentence
            tab=None
            actions=view! { {controls} <RecordLink path /> }.into_any()
        >
            <li>
                <UpdateStatusBadge status pill=true />
            </li>
            {severity}
            <li>{vendor}</li>
            <li>{kind.label()}</li>
        </PageHeader>
    }
    .into_any()
}

/// A link to a dialog.
fn control(what: Control, path: &str) -> AnyView {
    let (class, picture) = match what {
        Control::Resume => ("btn btn--primary", "play"),
        Control::ResumeDate => ("btn", "edit"),
        Control::Pause => ("btn", "pause"),
        Control::Retry => ("btn", "retry"),
        Control::Force => ("btn", "flash"),
        Control::Acknowledge => ("btn", "check"),
        Control::Deactivate => ("btn", "x"),
    };
    let separator = if path.contains('?') { '&' } else { '?' };
    view! {
        <a class=class href=format!("{path}{separator}{DIALOG}={}", what.as_str()) data-noscroll="">
            <Icon name=picture />
            {what.label()}
        </a>
    }
    .into_any()
}

/// The counts that lead to their rooms.
fn counts(view: &UpdateView) -> AnyView {
    let count = |word: &str, label: &str, count: i64| {
        let label = if word.is_empty() {
            "rooms".to_owned()
        } else {
            label.to_ascii_lowercase()
        };
        let (class, dot) = match word {
            "completed" => ("kpi kpi--done", true),
            "failed" => ("kpi kpi--fail", true),
            "scheduled" => ("kpi kpi--wait", true),
            _ => ("kpi", false),
        };
        view! {
            <a class=class href=format!("?status={word}#rooms")>
                <b>{count}</b>
                <span>{dot.then(|| view! { <i></i> }.into_any())} {label}</span>
            </a>
        }
        .into_any()
    };
    // Most of what is not required waits for its ring, which is another thing than not being wanted at all.
    let counts = view.statuses.iter().flat_map(|(word, label, rooms)| {
        let ahead = if word == "not-required" {
            view.ahead.min(*rooms)
        } else {
            0
        };
        [
            (ahead > 0).then(|| count(word, "wait for their ring", ahead)),
            (ahead < *rooms).then(|| count(word, label, rooms - ahead)),
        ]
    });
    let counts: Vec<AnyView> = counts.flatten().collect();
    view! { <div class="kpis">{counts}</div> }.into_any()
}

fn rollout(view: &UpdateView) -> AnyView {
    let headline = match &view.day {
        Some(day) => format!("Rollout: {}", day.to_ascii_lowercase()),
        None => "Rollout".to_owned(),
    };
    let mut legend = vec![
        LegendEntry::Installed,
        LegendEntry::Failed,
        LegendEntry::Waiting,
        LegendEntry::TestDays,
        LegendEntry::Today,
    ];
    let mut nights = view.calendar.stages.iter().flat_map(|stage| &stage.nights);
    if nights.any(|night| night.tonight) {
        legend.push(LegendEntry::Tonight);
    }
    if view.calendar.paused.is_some() {
        legend.push(LegendEntry::Paused);
    }
    let has_nights = view.calendar.stages.iter().any(|stage| !stage.nights.is_empty());
    let content = if view.calendar.stages.is_empty() {
        view! { <p class="muted">"There is no rollout: no room needs this update."</p> }.into_any()
    } else {
        view! {
            <Timeline calendar=view.calendar.clone() />
            {has_nights.then(|| view! { <p class="muted note timeline-note">"Numbers are rooms per night."</p> }.into_any())}
        }
        .into_any()
    };
    view! {
        <section aria-labelledby="h-rollout">
            <div class="section-head">
                <h2 id="h-rollout">{headline}</h2>
                <Legend of="timeline" entries=legend />
            </div>
            {content}
        </section>
    }
    .into_any()
}

fn rooms(view: &UpdateView, query: &UpdateRoomsQuery, address: &ParamsMap) -> AnyView {
    let path = format!("/updates/{}", view.id);
    let rings = view.rings.clone();
    let chips = chips(view, query, address, &path);
    let UpdateRoomsQuery { status, ring, .. } = query.clone();
    let export = address::only(&format!("{path}/rooms.csv"), address, &["status", "ring"]);
    let content = if view.rooms.is_empty() {
        no_rows(&path, address)
    } else {
        table(view, &path, address)
    };
    view! {
        <section id="rooms" aria-labelledby="h-rooms">
            <div class="section-head">
                <h2 id="h-rooms">"Rooms"</h2>
                <p role="status">{view.pager.text.clone()}</p>
                <a class="btn btn--small" href=export rel="external" download="update-rooms.csv">
                    "Export"
                </a>
            </div>
            <div class="stack stack--tight">
                <Toolbar action=path label="Rooms of this update">
                    {chips}
                    <span class="push"></span>
                    <Filter label="Ring" name="ring" value=ring choices=rings />
                    <HiddenField name="status" value=status />
                    <Apply />
                </Toolbar>
                {content}
                <Pager pager=view.pager.clone() anchor="rooms" />
            </div>
        </section>
    }
    .into_any()
}

fn no_rows(path: &str, address: &ParamsMap) -> AnyView {
    if address::is_later_page(address) {
        let first = format!("{}#rooms", address::first_page(path, address));
        view! { <EmptyPage first /> }.into_any()
    } else if address::is_filtered(address) {
        let clear = Some(format!("{path}#rooms"));
        view! { <EmptyState title="No room matches" text="No room matches these filters." clear /> }.into_any()
    } else {
        view! { <EmptyState title="No rooms" text="No room has this product." clear=None /> }.into_any()
    }
}

fn chips(view: &UpdateView, query: &UpdateRoomsQuery, address: &ParamsMap, path: &str) -> AnyView {
    let chip = |word: &str, label: String| {
        let href = format!("{}#rooms", address::with(path, address, "status", word));
        let current = (query.status == word).then_some("true");
        view! {
            <a class="chip" href=href aria-current=current>
                {label}
            </a>
        }
    };
    let chips = view
        .statuses
        .iter()
        .map(|(word, label, count)| chip(word, format!("{label} {count}")));
    view! {
        <nav class="chips" aria-label="Rooms by status">
            {chips.collect_view()}
        </nav>
    }
    .into_any()
}

fn table(view: &UpdateView, path: &str, address: &ParamsMap) -> AnyView {
    let may_force = view.controls.contains(&Control::Force);
    let head = view! {
        {may_force.then(|| view! { <Head class="col-check" label="Choose" hidden=true /> }.into_any())}
        <Head class="col-room" label="Room" />
        <Head class="col-ring" label="Ring" />
        <Head class="col-status" label="Status" />
        <Head label="Why" />
        <Head class="col-win" label="When" />
    }
    .into_any();
    let (update, may_retry) = (view.id, view.may_retry);
    let rows = view.rooms.iter().cloned();
    let rows = rows
        .map(|room| row(room, may_force, may_retry.then_some(update)))
        .collect_view();
    let table = view! {
        <DataTable kind="room-why" caption="Rooms of this update" head>
            {rows}
        </DataTable>
    };
    if !may_force {
        return table.into_any();
    }
    // Its own form may not stand in another one: the buttons that retry a room name theirs.
    let page = view.rooms.iter().map(|room| room.room).collect();
    let keep = ["status", "ring", "after", "before"].map(|key| (key, address::value(address, key)));
    view! {
        <SelectionBar
            path
            opens_dialog=Control::Force.as_str()
            label="Force chosen rooms"
            icon="flash"
            keep=keep.to_vec()
            page
        />
        {table}
    }
    .into_any()
}

fn row(row: UpdateRoomRow, may_force: bool, retries: Option<UpdateId>) -> AnyView {
    let choose = may_force.then(|| {
        let (room, name) = (row.room, row.name.clone());
        view! {
            <Cell class="col-check">
                <SelectionBox room name />
            </Cell>
        }
        .into_any()
    });
    let retry = retries
        .filter(|_| row.status == RoomStatus::Failed)
        .map(|update| retry_button(update, &row));
    let attempt =
        (row.attempt > 1).then(|| view! { <span class="sub">{format!("Attempt {}", row.attempt)}</span> }.into_any());
    let ticket = row.ticket.map(|number| {
        view! {
            <span class="sub">
                <a href=format!("/incidents/{number}")>{format!("T-{number}")}</a>
            </span>
        }
        .into_any()
    });
    let catch_up = row.catch_up.then(|| {
        view! {
            " "
            <span class="tag">"Catch-up"</span>
        }
        .into_any()
    });
    let next = if row.has_window {
        row.next.into_any()
    } else {
        view! { <span class="muted">{row.next}</span> }.into_any()
    };
    view! {
        <tr role="row">
            {choose}
            <NameCell>
                <a href=format!("/rooms/{}", row.room)>{row.name}</a>
                <span class="sub">{row.site}</span>
            </NameCell>
            <Cell label="Ring">
                <RingBadge ring=row.ring />
            </Cell>
            <Cell class="col-status" label="Status">
                <RoomStatusBadge status=row.status />
            </Cell>
            <Cell class="why" label="Why">
                {row.why}
                {catch_up}
                {attempt}
                {ticket}
            </Cell>
            <Cell class="col-win" label="Next window">
                {next}
                {retry}
            </Cell>
        </tr>
    }
    .into_any()
}

fn retry_button(update: UpdateId, row: &UpdateRoomRow) -> AnyView {
    let label = format!("Retry {}", row.name);
    let (update, room) = (update.to_string(), row.room.to_string());
    let action = posts_to::<RetryRoom>();
    view! {
        <PostForm action class="inline-form">
            <input type="hidden" name="update" value=update />
            <input type="hidden" name="room" value=room />
            <button class="btn btn--small" type="submit" aria-label=label>
                "Retry"
            </button>
        </PostForm>
    }
    .into_any()
}

fn known_issues(issues: Vec<(String, Option<String>)>) -> Option<AnyView> {
    if issues.is_empty() {
        return None;
    }
    let issues = issues.into_iter().map(|(what, fixed_in)| {
        let fixed = fixed_in.map(|version| view! { <p class="muted">{format!("Fixed in {version}.")}</p> }.into_any());
        view! {
            <li>
                <h3>{what}</h3>
                {fixed}
            </li>
        }
        .into_any()
    });
    let list = view! {
        <section class="panel" aria-labelledby="h-known">
            <h2 id="h-known">"Known issues"</h2>
            <ul class="list">{issues.collect_view()}</ul>
        </section>
    };
    Some(list.into_any())
}

fn facts(facts: Vec<(String, String)>) -> AnyView {
    let facts = facts.into_iter().map(|(name, value)| {
        view! {
            <dt>{name}</dt>
            <dd>{value}</dd>
        }
        .into_any()
    });
    view! {
        <section class="panel" aria-labelledby="h-facts">
            <h2 id="h-facts">"Details"</h2>
            <dl class="facts">{facts.collect_view()}</dl>
        </section>
    }
    .into_any()
}
