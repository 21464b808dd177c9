//! The sites: where rooms are, and in which time zone their nights are (P0).

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::{AddSite, EditSite, list_sites};
use super::room_dialogs::{ADD, EDIT};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::empty_state::EmptyState;
use crate::components::for_role::ForRole;
use crate::components::icon::Icon;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{FormDialog, TextField, ZoneField, posts_to};
use crate::components::show_resource::show_part;
use crate::rooms::model::{SiteRow, SitesView};
use crate::words::count;

/// The page's address.
const SITES: &str = "/rooms/sites";

/// The page.
#[component]
pub fn SitesPage() -> impl IntoView {
    let sites = page_resource(|| (), |()| list_sites());
    let add = view! {
        <ForRole act=Act::EditRooms>
            <a class="btn btn--primary" href=format!("{SITES}?{DIALOG}={ADD}") data-noscroll="">
                <Icon name="add" />
                "Add a site"
            </a>
        </ForRole>
    };
    view! {
        <PageHeader
            title="Sites"
            tab=None
            above=("/rooms", "Rooms")
            lede="A room’s nights are nights of its site’s time zone, unless the room has its own."
            actions=add.into_any()
        />
        {show_part(sites, page)}
        <SiteDialogs />
    }
    .into_any()
}

fn page(sites: SitesView) -> AnyView {
    let SitesView { rows, may_change, .. } = sites;
    if rows.is_empty() {
        let text = "Sites appear here when they are added, or with an import of rooms.";
        return view! { <EmptyState title="No sites yet" text clear=None /> }.into_any();
    }
    let head = view! {
        <Head class="col-name" label="Site" />
        <Head label="Time zone" />
        <Head label="Local time" />
        <Head class="col-num" label="Rooms" />
        {may_change.then(|| view! { <Head label="Change it" hidden=true /> }.into_any())}
    };
    let rows = rows.into_iter().map(|site| row(site, may_change)).collect_view();
    view! {
        <DataTable kind="sites" caption="Sites" head=head.into_any()>
            {rows}
        </DataTable>
    }
    .into_any()
}

fn row(site: SiteRow, may_change: bool) -> AnyView {
    let place = [site.city.as_str(), site.country.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|words| !words.is_empty()).collect();
    let place = place.join(", ");
    let edit = may_change.then(|| {
        let href = format!("{SITES}?{DIALOG}={EDIT}&site={}", site.id);
        let label = format!("Edit {}", site.name);
        view! {
            <Cell class="col-act">
                <a class="btn btn--small" href=href data-noscroll="" aria-label=label>
                    "Edit"
                </a>
            </Cell>
        }
        .into_any()
    });
    let rooms = format!("/rooms?site={}", site.id);
    view! {
        <tr role="row">
            <NameCell class="col-name">{site.name} <span class="sub">{place}</span></NameCell>
            <Cell label="Time zone">{site.zone}</Cell>
            <Cell label="Local time">{site.local_time}</Cell>
            <Cell class="col-num" label="Rooms">
                <a href=rooms>{count(site.rooms, "room", "rooms")}</a>
            </Cell>
            {edit}
        </tr>
    }
    .into_any()
}

#[component]
fn SiteDialogs() -> impl IntoView {
    let address = use_query_map();
    let key = move || {
        let word = address.with(|address| address::value(address, DIALOG));
        let site = address.with(|address| address::value(address, "site"));
        [ADD, EDIT].contains(&word.as_str()).then_some((word, site))
    };
    opened(
        key,
        |_| list_sites(),
        move |(word, site): (String, String), answer| {
            let sites: SitesView = match answer {
                Ok(sites) => sites,
                Err(error) => return Some(failed("Sites", SITES.to_owned(), &error)),
            };
            let known = sites.rows.into_iter().find(|row| row.id == site && word == EDIT);
            if word == EDIT && known.is_none() {
                return None;
            }
            Some(form(known, sites.zones, &address.get_untracked()))
        },
    )
}

fn form(known: Option<SiteRow>, zones: Vec<String>, address: &ParamsMap) -> AnyView {
    let of = |get: fn(&SiteRow) -> &str| known.as_ref().map(get).unwrap_or_default();
    let typed = |name: &str, known: &str| address::typed(address, name, known);
    let name = typed("name", of(|site| &site.name));
    let (city, country) = (
        typed("city", of(|site| &site.city)),
        typed("country", of(|site| &site.country)),
    );
    let zone = typed("zone", of(|site| &site.zone));
    let (title, action, submit) = match &known {
        None => ("Add a site".to_owned(), posts_to::<AddSite>(), "Add the site"),
        Some(site) => (format!("Edit {}", site.name), posts_to::<EditSite>(), "Save"),
    };
    let moved = known.as_ref().filter(|site| site.rooms > 0).map(|site| {
        let rooms = count(site.rooms, "room", "rooms");
        view! { <p class="muted">{format!("A new time zone moves the nights of its {rooms}, except where a room has its own.")}</p> }.into_any()
    });
    let hidden = known.map(|site| view! { <input type="hidden" name="site" value=site.id /> }.into_any());
    view! {
        <FormDialog title close=SITES action submit>
            {hidden} <TextField label="Name" name="name" value=name longest=100 first=true />
            <div class="field-row">
                <TextField label="City" name="city" value=city longest=100 optional=true />
                <TextField label="Country" name="country" value=country longest=100 optional=true />
            </div>
            <ZoneField label="Time zone" value=zone zones />
            {moved}
        </FormDialog>
    }
    .into_any()
}
