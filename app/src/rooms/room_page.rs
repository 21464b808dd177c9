//! One room: what stands above all tabs, and the Overview tab (P5).

use domain::access::Act;
use domain::ids::RoomId;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api::{RefreshFacts, get_room_overview};
use super::room_dialogs::{ADD_DEVICE, ASSIGN, BRING_BACK, EDIT, RENEW_DEVICE, RETIRE, REVOKE_DEVICE, RoomDialogs};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::DIALOG;
use crate::components::empty_state::EmptyState;
use crate::components::for_role::ForRole;
use crate::components::icon::{self, Icon};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{PostForm, posts_to};
use crate::components::product_cell::ProductCell;
use crate::components::ring_badge::RingBadge;
use crate::components::show_resource::show_page;
use crate::components::status_badge::HealthBadge;
use crate::components::tabs::{Tab, Tabs};
use crate::error::AppError;
use crate::readiness::{WaiveDialog, room_panel};
use crate::rooms::model::{ComponentView, DeviceView, FactView, ProgramsView, RoomHead, RoomOverview};
use crate::tickets::model::IssueAbout;
use crate::tickets::{RecordLink, record_dialog};

/// The Overview tab.
#[component]
pub fn RoomPage() -> impl IntoView {
    let id = use_room_id();
    let room = page_resource(
        move || id.get(),
        |id| async move { get_room_overview(found(id)?).await },
    );
    let address = use_query_map();
    let about = move || {
        let room = id.get()?.to_string();
        Some(IssueAbout {
            room,
            ..IssueAbout::default()
        })
    };
    let close = move || id.get().map_or_else(String::new, |id| format!("/rooms/{id}"));
    view! {
        {show_page(room, page)}
        {record_dialog(about, address, close)}
        <RoomDialogs id />
        <WaiveDialog id />
    }
}

/// The room in the address, if that can be one.
pub(super) fn use_room_id() -> Memo<Option<RoomId>> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|params| address::value(params, "id").parse().ok()))
}

/// The room in the address, or that there is none.
pub(super) fn found(id: Option<RoomId>) -> Result<RoomId, AppError> {
    id.ok_or_else(|| AppError::NotFound {
        what: "This room".to_owned(),
    })
}

/// Title, first line and tabs. `current` is a tab's name.
#[component]
pub(super) fn Frame(head: RoomHead, current: &'static str) -> impl IntoView {
    let tab = (current != "Overview").then(|| format!("{}: {}", head.name, current.to_ascii_lowercase()));
    let path = format!("/rooms/{}", head.id);
    let troubles = troubles(&head, &path, current);
    let meta = head
        .meta
        .into_iter()
        .map(|words| view! { <li>{words}</li> }.into_any())
        .collect_view();
    let here = if current == "Overview" {
        path.clone()
    } else {
        format!("{path}/{}", current.to_ascii_lowercase())
    };
    let actions = actions(&path, head.retired);
    let retired = head
        .retired
        .then(|| view! { <span class="tag">"Retired"</span> }.into_any());
    let change = (!head.retired).then(|| view! { <ChangeRing here=here.clone() /> }.into_any());
    let window = (!head.retired).then(|| {
        view! {
            <div>
                <dt>"Next window"</dt>
                <dd>{head.next_window} <span class="sub">{head.next_window_work}</span></dd>
            </div>
        }
        .into_any()
    });
    let health = (!head.retired).then(|| view! { <HealthBadge health=head.health pill=true /> }.into_any());
    let tabs = tabs(&path, head.open_tickets);
    view! {
        <PageHeader title=head.name.clone() tab above=("/rooms", "Rooms") actions>
            <li>{health} {retired}</li>
            {meta}
        </PageHeader>
        <dl class="strip">
            <div>
                <dt>"Local time"</dt>
                <dd>{head.local_time} <span class="sub">{head.zone}</span></dd>
            </div>
            <div>
                <dt>"Ring"</dt>
                <dd>
                    <RingBadge ring=head.ring />
                    {change}
                </dd>
            </div>
            {window}
            <div>
                <dt>"Health"</dt>
                <dd>{head.health_why}</dd>
            </div>
        </dl>
        {troubles}
        <Tabs label=head.name tabs current />
    }
}

/// What is wrong with the room, above every tab.
fn troubles(head: &RoomHead, path: &str, current: &str) -> Option<AnyView> {
    let troubles: Vec<&String> = head.failed.iter().chain(&head.blocked).collect();
    if troubles.is_empty() || head.retired {
        return None;
    }
    let leads_on = (current != "Updates").then(|| {
        let href = format!("{path}/updates");
        view! { <a href=href>"Show its updates"</a> }.into_any()
    });
    let troubles = troubles.into_iter();
    let troubles = troubles.map(|trouble| view! { <p>{trouble.clone()}</p> }.into_any());
    let message = view! {
        <div class="msg msg--warning">
            <Icon name="warning" />
            <div class="msg-body">{troubles.collect_view()} {leads_on}</div>
        </div>
    };
    Some(message.into_any())
}

fn tabs(path: &str, open_tickets: i64) -> Vec<Tab> {
    let tab = |name: &'static str, href: String, count: Option<i64>| Tab { name, href, count };
    vec![
        tab("Overview", path.to_owned(), None),
        tab("Updates", format!("{path}/updates"), None),
        tab(
            "Tickets",
            format!("{path}/tickets"),
            (open_tickets > 0).then_some(open_tickets),
        ),
        tab("History", format!("{path}/history"), None),
    ]
}

/// The link that opens Change → Assign (R13), for whoever may move rooms.
#[component]
pub(super) fn ChangeRing(
    /// The address of the page on which it stands.
    here: String,
) -> impl IntoView {
    let href = format!("{here}?{DIALOG}={ASSIGN}");
    view! {
        <ForRole act=Act::EditRings>
            <a class="link-sub" href=href.clone() data-noscroll="" aria-label="Change the ring">
                "Change"
            </a>
        </ForRole>
    }
}

/// What may be done to the room.
fn actions(path: &str, retired: bool) -> AnyView {
    let to = |word: &str| format!("{path}?{DIALOG}={word}");
    let (edit, retire, back) = (to(EDIT), to(RETIRE), to(BRING_BACK));
    let record = (!retired).then(|| view! { <RecordLink path /> }.into_any());
    view! {
        {record}
        <ForRole act=Act::EditRooms>
            {if retired {
                view! {
                    <a class="btn" href=back.clone() data-noscroll="">
                        "Bring back"
                    </a>
                }
                    .into_any()
            } else {
                view! {
                    <a class="btn" href=edit.clone() data-noscroll="">
                        "Edit"
                    </a>
                    <a class="btn btn--subtle" href=retire.clone() data-noscroll="">
                        "Retire"
                    </a>
                }
                    .into_any()
            }}
        </ForRole>
    }
    .into_any()
}

fn page(room: RoomOverview) -> AnyView {
    let RoomOverview {
        head,
        devices,
        holds,
        readiness,
    } = room;
    let devices = devices_section(&head, devices);
    let room = head.id;
    let onboarding = readiness.as_ref().filter(|readiness| readiness.is_onboarding);
    let onboarding = onboarding.map(|readiness| room_panel::onboarding_panel(room, readiness));
    let checks = readiness.map(|readiness| room_panel::checks_section(room, readiness));
    let has_aside = onboarding.is_some() || !holds.is_empty();
    let main = view! { <div class="stack">{devices} {checks}</div> }.into_any();
    let content = if has_aside {
        view! {
            <div class="cols cols--aside">
                {main}
                <aside class="stack" aria-label="More about this room">
                    {onboarding} {holds_panel(holds)}
                </aside>
            </div>
        }
        .into_any()
    } else {
        main
    };
    view! {
        <Frame head current="Overview" />
        {content}
    }
    .into_any()
}

fn devices_section(room: &RoomHead, devices: Vec<DeviceView>) -> AnyView {
    let path = format!("/rooms/{}", room.id);
    let add = (!room.retired).then(|| {
        let href = format!("{path}?{DIALOG}={ADD_DEVICE}");
        view! {
            <ForRole act=Act::ManageDevices>
                <a class="btn btn--small" href=href.clone() data-noscroll="">
                    <Icon name="add" />
                    "Add a device"
                </a>
            </ForRole>
        }
        .into_any()
    });
    if devices.is_empty() {
        return view! {
            <section aria-labelledby="h-devices">
                <div class="section-head">
                    <h2 id="h-devices">"Devices and versions"</h2>
                    {add}
                </div>
                <EmptyState title="No devices" text=if room.retired {
                        "What was in it may not check in any more."
                    } else {
                        "A device appears here when it is added; it checks in with its token."
                    } clear=None />
            </section>
        }
        .into_any();
    }
    let head = view! {
        <Head class="col-name" label="Device" />
        <Head label="Installed" />
        <Head label="Recommended" />
        <Head label="State" />
    }
    .into_any();
    let rows = devices.into_iter().map(|found| device(&path, found)).collect_view();
    let refresh = (!room.retired).then(|| refresh(room.id));
    view! {
        <section aria-labelledby="h-devices">
            <div class="section-head">
                <h2 id="h-devices">"Devices and versions"</h2>
                <div class="btn-row">{refresh} {add}</div>
            </div>
            <DataTable kind="devices" caption="Devices and versions" head grouped=true>
                {rows}
            </DataTable>
        </section>
    }
    .into_any()
}

/// Asks the room's devices for their facts: helpdesk may do it, too.
fn refresh(room: RoomId) -> AnyView {
    let action = posts_to::<RefreshFacts>();
    view! {
        <ForRole act=Act::RefreshFacts>
            <PostForm action class="inline-form" prefix="refresh">
                <input type="hidden" name="room" value=room.to_string() />
                <button class="btn btn--small" type="submit" aria-label="Refresh what the devices report">
                    "Refresh"
                </button>
            </PostForm>
        </ForRole>
    }
    .into_any()
}

/// A group of rows: a device, and a row for each of its components.
fn device(path: &str, device: DeviceView) -> AnyView {
    let to = |word: &str| format!("{path}?{DIALOG}={word}&device={}", device.controller);
    let (renew, revoke) = (to(RENEW_DEVICE), to(REVOKE_DEVICE));
    let (renews, revokes) = (
        format!("New token for {}", device.controller),
        format!("Revoke {}", device.controller),
    );
    let components = device.components.into_iter().map(component).collect_view();
    let facts = facts(device.facts);
    let programs = device.programs.map(programs);
    view! {
        <tbody role="rowgroup">
            <tr role="row">
                <NameCell class="col-name" scope="rowgroup">
                    <ProductCell icon=icon::of_role(&device.role) name=device.name href=None sub=device.sub />
                </NameCell>
                <td role="cell" class="muted" colspan="3">
                    <div class="split">
                        <span>{device.contact}</span>
                        <ForRole act=Act::ManageDevices>
                            <span class="btn-row">
                                <a class="link-sub" href=renew.clone() data-noscroll="" aria-label=renews.clone()>
                                    "New token"
                                </a>
                                <a class="link-sub" href=revoke.clone() data-noscroll="" aria-label=revokes.clone()>
                                    "Revoke"
                                </a>
                            </span>
                        </ForRole>
                    </div>
                </td>
            </tr>
            {components}
            {facts}
            {programs}
        </tbody>
    }
    .into_any()
}

/// What a device last reported, folded away (P12).
fn facts(facts: Vec<FactView>) -> Option<AnyView> {
    if facts.is_empty() {
        return None;
    }
    let rows = facts.into_iter().map(|fact| {
        let mark = (!fact.is_understood).then(|| view! { <span class="sub">"Not understood"</span> }.into_any());
        view! {
            <div>
                <dt>{fact.name}</dt>
                <dd>
                    <span class="fact-value">{fact.value}</span>
                    <span class="sub">{fact.told}</span>
                    {mark}
                </dd>
            </div>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    Some(folded("What it last reported", view! { <dl>{rows}</dl> }.into_any()))
}

/// A row below a device that opens with a click.
fn folded(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <tr role="row" class="is-part">
            <td role="cell" colspan="4" class="reported-cell">
                <details class="reported-facts">
                    <summary>
                        <Icon name="chevron-right" />
                        {title}
                    </summary>
                    {content}
                </details>
            </td>
        </tr>
    }
    .into_any()
}

/// The programs on a device, folded away: how many, what has changed, and the whole list as a file (`docs/devices.md` 4).
fn programs(programs: ProgramsView) -> AnyView {
    let changes = programs.changes.into_iter().map(|(change, at)| {
        view! {
            <li>
                {change} <span class="sub">{at}</span>
            </li>
        }
        .into_any()
    });
    let changes = changes.collect_view();
    let content = view! {
        <p>
            {programs.text} ". "
            <a href=programs.export rel="external" download="programs.csv">
                "Download the list"
            </a>
        </p>
        <ul class="list">{changes}</ul>
    };
    folded("Programs", content.into_any())
}

fn component(component: ComponentView) -> AnyView {
    let serial = component
        .serial
        .map(|serial| view! { <span class="sub">{serial}</span> }.into_any());
    let support = component
        .support
        .map(|support| view! { <span class="sub">{support}</span> }.into_any());
    let recommended = match component.recommended {
        Some(version) => version.into_any(),
        None => view! { <span class="muted">"None"</span> }.into_any(),
    };
    view! {
        <tr role="row" class="is-part">
            <NameCell>{component.product} {serial}</NameCell>
            <Cell label="Installed">{component.installed} {support}</Cell>
            <Cell label="Recommended">{recommended}</Cell>
            <Cell label="State">{component.state}</Cell>
        </tr>
    }
    .into_any()
}

fn holds_panel(holds: Vec<String>) -> Option<AnyView> {
    if holds.is_empty() {
        return None;
    }
    let holds = holds.into_iter().map(|hold| view! { <li>{hold}</li> }.into_any());
    let panel = view! {
        <section class="panel" aria-labelledby="h-holds">
            <h2 id="h-holds">"Holds"</h2>
            <ul class="list">{holds.collect_view()}</ul>
        </section>
    };
    Some(panel.into_any())
}
