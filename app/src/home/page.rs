//! The page.

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::api::{Announce, DismissAnnouncement, TakeDownAnnouncement, get_home};
use crate::components::address;
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::dialog::{DIALOG, failed, opened};
use crate::components::geometry::{percent, rooms, share};
use crate::components::icon::Icon;
use crate::components::model::{RingView, ShellView, TimeText};
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::post_form::{FormDialog, PostForm, TextArea, TextField, posts_to};
use crate::components::ring_badge::RingBadge;
use crate::components::shell::get_shell;
use crate::components::show_resource::show_part;
use crate::components::status_badge::HealthBadge;
use crate::components::time::Time;
use crate::error::AppError;
use crate::home::model::{AnnouncementView, HomeView};
use crate::words::count;
use domain::room::Health;

/// The word of the dialog in addresses.
const ANNOUNCE: &str = "announce";
/// A bar of days since the last update is full after this many.
const FULL_BAR_DAYS: i64 = 60;

/// Home.
#[component]
pub fn HomePage() -> impl IntoView {
    let home = page_resource(|| (), |()| get_home());
    view! {
        <PageHeader title="Home" tab=None />
        {show_part(home, page)}
        <AnnounceDialog />
    }
    .into_any()
}

/// The dialog of a new announcement, if the address opens it.
#[component]
fn AnnounceDialog() -> impl IntoView {
    let address = use_query_map();
    let key = move || {
        address
            .with(|address| address::value(address, DIALOG) == ANNOUNCE)
            .then_some(())
    };
    opened(
        key,
        |()| get_shell(),
        move |(), shell: Result<ShellView, AppError>| {
            let refused = match shell {
                Ok(shell) if shell.person.role.may(Act::Announce) => None,
                Ok(_) => Some(AppError::Forbidden {
                    problem: "only an admin announces something".to_owned(),
                }),
                Err(error) => Some(error),
            };
            if let Some(error) = refused {
                return Some(failed("Announce something", "/".to_owned(), &error));
            }
            let address = address.get_untracked();
            let (title, text, until) = (
                address::value(&address, "title"),
                address::value(&address, "text"),
                address::value(&address, "until"),
            );
            let action = posts_to::<Announce>();
            let dialog = view! {
                <FormDialog title="Announce something" close="/" action submit="Announce">
                    <TextField label="Title" name="title" value=title longest=120 first=true />
                    <TextArea label="Details" name="text" value=text longest=4000 rows=4 optional=true />
                    <TextField
                        label="Last date"
                        name="until"
                        value=until
                        kind="date"
                        optional=true
                        hint="Without a date, it stays until somebody takes it down."
                    />
                </FormDialog>
            };
            Some(dialog.into_any())
        },
    )
}

fn page(home: HomeView) -> AnyView {
    let HomeView {
        attention: points,
        tonight: sites,
        since: rings,
        health: groups,
        announcements: news,
        may_announce,
        may_dismiss,
    } = home;
    view! {
        <div class="home-top">{attention(points)} {since(rings)}</div>
        {tonight(sites)}
        <div class="home-foot">{announcements(news, may_announce, may_dismiss)} {health(&groups)}</div>
    }
    .into_any()
}

fn attention(points: Vec<(String, String, bool)>) -> AnyView {
    let content = if points.is_empty() {
        view! { <p class="muted">"Nothing needs attention."</p> }.into_any()
    } else {
        let points = points.into_iter().map(|(sentence, href, bad)| {
            let (class, icon) = if bad {
                ("status status--failed", "error-f")
            } else {
                ("status", "info")
            };
            view! {
                <li>
                    <span class=class>
                        <Icon name=icon />
                    </span>
                    <h3>
                        <a href=href>{sentence}</a>
                    </h3>
                </li>
            }
            .into_any()
        });
        view! { <ul class="attention">{points.collect_view()}</ul> }.into_any()
    };
    view! {
        <section aria-labelledby="h-attention">
            <div class="section-head">
                <h2 id="h-attention">"Needs attention"</h2>
            </div>
            {content}
        </section>
    }
    .into_any()
}

fn since(rings: Vec<(RingView, Option<i64>, Option<TimeText>)>) -> AnyView {
    let rings = rings.into_iter().map(|(ring, days, last)| {
        let bar = days.map(|days| {
            let passed = rooms(days.clamp(1, FULL_BAR_DAYS));
            view! {
                <svg class=format!("bar ring-{}", ring.scale) width="100%" height="6" aria-hidden="true">
                    <rect class="bar-bg" width="100%" height="6" rx="3"></rect>
                    <rect class="bar-fg" width=percent(share(passed, rooms(FULL_BAR_DAYS))) height="6" rx="3"></rect>
                </svg>
            }
            .into_any()
        });
        let last = last.map(|when| view! { <span class="sub">"Last: " <Time when /></span> }.into_any());
        view! {
            <li>
                <RingBadge ring />
                <span class="days">{ago(days)}</span>
                {bar}
                {last}
            </li>
        }
        .into_any()
    });
    view! {
        <section class="panel" aria-labelledby="h-since">
            <h2 id="h-since">"Last update in each ring"</h2>
            <ul class="since">{rings.collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn ago(days: Option<i64>) -> String {
    match days {
        None => "none yet".to_owned(),
        Some(0) => "today".to_owned(),
        Some(days) => count(days, "day ago", "days ago"),
    }
}

fn tonight(sites: Vec<(String, String, i64)>) -> AnyView {
    let content = if sites.is_empty() {
        view! { <p>"Nothing is planned for tonight."</p> }.into_any()
    } else {
        let head = view! {
            <Head class="col-site" label="Site" />
            <Head class="col-when" label="Window" />
            <Head class="col-what" label="Rooms" />
        }
        .into_any();
        // They come by site.
        let mut names: Vec<&str> = sites.iter().map(|(site, ..)| site.as_str()).collect();
        names.dedup();
        let all = sites.iter().map(|(_, _, rooms)| rooms).sum::<i64>();
        let sum = format!(
            "{} at {}, each in its own night.",
            count(all, "room", "rooms"),
            count(i64::try_from(names.len()).unwrap_or(0), "site", "sites")
        );
        let rows = sites.iter().cloned().map(|(site, window, waiting)| {
            view! {
                <tr role="row">
                    <NameCell class="col-site">{site}</NameCell>
                    <Cell class="col-when" label="Window">
                        {window}
                    </Cell>
                    <Cell class="col-what" label="Rooms">
                        {count(waiting, "room", "rooms")}
                    </Cell>
                </tr>
            }
            .into_any()
        });
        let rows = rows.collect_view();
        view! {
            <p>{sum}</p>
            <DataTable kind="night" caption="Rooms that update tonight, by site" head>
                {rows}
            </DataTable>
        }
        .into_any()
    };
    view! {
        <section class="night-panel" aria-labelledby="h-night">
            <div class="on-night">
                <div class="section-head">
                    <h2 id="h-night">"Tonight’s plan"</h2>
                </div>
                {content}
            </div>
        </section>
    }
    .into_any()
}

fn announcements(news: Vec<AnnouncementView>, may_announce: bool, may_dismiss: bool) -> AnyView {
    let content = if news.is_empty() {
        view! { <p class="muted">"No announcements."</p> }.into_any()
    } else {
        let items = news.into_iter().map(|one| announcement(one, may_announce, may_dismiss));
        view! { <ul class="announce">{items.collect_view()}</ul> }.into_any()
    };
    let write = may_announce.then(|| {
        view! {
            <a href=format!("/?{DIALOG}={ANNOUNCE}") data-noscroll="">
                "Announce something"
            </a>
        }
        .into_any()
    });
    view! {
        <section aria-labelledby="h-announce">
            <div class="section-head">
                <h2 id="h-announce">"Announcements"</h2>
                {write}
            </div>
            {content}
        </section>
    }
    .into_any()
}

fn announcement(one: AnnouncementView, may_take_down: bool, may_dismiss: bool) -> AnyView {
    let AnnouncementView {
        id,
        title,
        text,
        by,
        at,
    } = one;
    let (named, dismissed) = (format!("Take down: {title}"), format!("Dismiss: {title}"));
    let (takes_down, dismisses) = (posts_to::<TakeDownAnnouncement>(), posts_to::<DismissAnnouncement>());
    let take_down = may_take_down.then(|| {
        view! {
            <PostForm action=takes_down class="inline-form">
                <input type="hidden" name="id" value=id.to_string() />
                <button class="btn btn--small btn--subtle" type="submit" aria-label=named>
                    "Take down"
                </button>
            </PostForm>
        }
        .into_any()
    });
    let dismiss = may_dismiss.then(|| {
        view! {
            <PostForm action=dismisses class="inline-form">
                <input type="hidden" name="id" value=id.to_string() />
                <button class="btn btn--icon btn--subtle" type="submit" aria-label=dismissed>
                    <Icon name="dismiss" />
                </button>
            </PostForm>
        }
        .into_any()
    });
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let text = lines
        .map(|line| view! { <p>{line.to_owned()}</p> }.into_any())
        .collect_view();
    view! {
        <li>
            <h3>{title.clone()}</h3>
            <div class="announce-acts">{take_down} {dismiss}</div>
            {text}
            <p class="sub">{by} ", " <Time when=at /></p>
        </li>
    }
    .into_any()
}

/// How many; those that somebody should look at are a step away.
fn number_of(health: Health, number: i64) -> AnyView {
    if health == Health::Unhealthy && number > 0 {
        view! { <a href="/rooms?state=unhealthy">{number}</a> }.into_any()
    } else {
        view! { <span>{number}</span> }.into_any()
    }
}

fn health(groups: &[(Health, i64)]) -> AnyView {
    let all: i64 = groups.iter().map(|(_, number)| number).sum();
    let mut start = 0;
    let mut bars = Vec::with_capacity(groups.len());
    for (health, number) in groups {
        let class = match health {
            Health::Healthy => "hb-healthy",
            Health::Unhealthy => "hb-unhealthy",
            Health::Unmonitored => "hb-unmonitored",
            Health::Onboarding => "hb-onboarding",
            Health::Suppressed => "hb-suppressed",
        };
        let x = percent(share(rooms(start), rooms(all)));
        let width = percent(share(rooms(*number), rooms(all)));
        bars.push(view! { <rect class=class x=x width=width height="12"></rect> }.into_any());
        start += number;
    }
    let words: Vec<String> = groups
        .iter()
        .map(|(health, number)| format!("{number} {}", health.label().to_ascii_lowercase()))
        .collect();
    let key = groups.iter().map(|(health, number)| {
        view! {
            <li>
                <HealthBadge health=*health />
                {number_of(*health, *number)}
            </li>
        }
        .into_any()
    });
    let content = if all == 0 {
        view! { <p class="muted">"No rooms yet."</p> }.into_any()
    } else {
        view! {
            <div class="stack stack--tight">
                <svg class="health-bar" width="100%" height="12" role="img" aria-label=words.join(", ")>
                    {bars}
                </svg>
                <ul class="health-key">{key.collect_view()}</ul>
            </div>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby="h-health">
            <div class="section-head">
                <h2 id="h-health">"Room health"</h2>
                <p>
                    <a href="/rooms">{count(all, "room", "rooms")}</a>
                </p>
            </div>
            {content}
        </section>
    }
    .into_any()
}
