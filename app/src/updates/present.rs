//! Updates in the words of their pages.

mod control;
mod pictures;
mod rooms;

use chrono::NaiveDate;
use domain::access::Act;
use domain::ids::UpdateId;
use domain::reason::Frozen;
use domain::rollout::{PlannedStage, Progress, RolloutState};
use domain::status::UpdateStatus;
use domain::time_text;
use domain::update::{ProductKind, Severity};
use service::read::updates::{UpdateDetail, UpdateFilter, UpdateOrder, UpdateSort};
use service::read::{ReadSnapshot, UpdateSummary};

use crate::components::model::HistoryRow;
use crate::context::{RequestContext, Result};
use crate::formats;
use crate::rooms::present::page_of;
use crate::updates::model::{UpdateRoomsQuery, UpdateRow, UpdateView, UpdatesQuery, UpdatesView};
use crate::updates::present::pictures::{calendar_view, track};
use crate::updates::present::rooms::{ring_choices, room_row, rooms_pager, statuses};

pub use rooms::room_filter;

impl RequestContext {
    /// A page of the list of updates (T9, T10).
    pub async fn list_updates(&self, query: UpdatesQuery) -> Result<UpdatesView> {
        let mut snapshot = self.snapshot().await?;
        let (filter, asked) = (update_filter(&query), formats::numbered_page(query.page));
        let found = snapshot.update_page(&filter, order(&query.sort), asked).await?;
        let rows: Vec<UpdateRow> = found
            .updates
            .iter()
            .map(|summary| update_row(&snapshot, summary))
            .collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let pager = formats::numbered(query.page, shown, found.total, "update", "updates");
        let pager = formats::with_filters(pager, &kept_query(&query));
        let scale = snapshot
            .rings
            .iter()
            .map(|ring| (ring.name.clone(), ring.completion_days()))
            .collect();
        Ok(UpdatesView {
            rows,
            scale,
            vendors: found.vendors,
            pager,
        })
    }

    /// One update with a page of its rooms (P3).
    ///
    /// # Errors
    /// It was not published, or the address asks for no status of a room.
    pub async fn update(&self, id: UpdateId, query: UpdateRoomsQuery) -> Result<UpdateView> {
        let mut snapshot = self.snapshot().await?;
        let update = snapshot.update_detail(id).await?;
        let summary = &update.summary;
        let (filter, asked) = (room_filter(&query)?, page_of(&query.after, &query.before));
        let rooms = snapshot.update_rooms(summary, &update.rooms, &filter, &asked, formats::PAGE);
        let rooms = rooms.await?;
        let zone = &snapshot.organisation.zone;
        let tickets = update.tickets.iter();
        let known_issues = update.release.known_issues.iter();
        let role = self.viewer.actor.role;
        Ok(UpdateView {
            ahead: summary.ahead(),
            id,
            title: summary.update.title(),
            vendor: summary.update.vendor.clone(),
            kind: summary.update.kind,
            severity: summary.update.severity,
            status: summary.status,
            status_sentence: status_sentence(&snapshot, summary),
            day: day_of(summary),
            facts: facts(&snapshot, &update),
            calendar: calendar_view(&snapshot, &update),
            statuses: statuses(&update.rooms),
            rings: ring_choices(&snapshot, summary),
            pager: rooms_pager(&query, &rooms),
            rooms: rooms.page.items.iter().map(|room| room_row(&snapshot, room)).collect(),
            known_issues: known_issues
                .map(|issue| (issue.what.clone(), issue.fixed_in.clone()))
                .collect(),
            tickets: tickets
                .map(|ticket| crate::tickets::present::row(ticket, zone, snapshot.now))
                .collect(),
            history: history(&snapshot, &update),
            controls: self.controls(&update.controls),
            may_retry: role.may(Act::RetryRoom) && summary.rollout.may_start_rooms(),
        })
    }
}

/// The updates that an address asks for.
fn update_filter(query: &UpdatesQuery) -> UpdateFilter {
    UpdateFilter {
        words: query.q.clone(),
        status: formats::wanted(&query.status, UpdateStatus::from_word),
        severity: formats::wanted(&query.severity, Severity::from_word),
        kind: formats::wanted(&query.kind, ProductKind::from_word),
        vendor: Some(query.vendor.clone()).filter(|vendor| !vendor.is_empty()),
        past: query.past,
    }
}

/// The order that an address asks for.
fn order(sort: &str) -> UpdateOrder {
    let (by, reversed) = sort.strip_prefix('-').map_or((sort, false), |by| (by, true));
    let by = match by {
        "name" => UpdateSort::Name,
        "status" => UpdateSort::Status,
        "severity" => UpdateSort::Severity,
        "starts" => UpdateSort::Starts,
        "ends" => UpdateSort::Ends,
        _ => UpdateSort::Urgency,
    };
    UpdateOrder { by, reversed }
}

fn kept_query(query: &UpdatesQuery) -> String {
    formats::query(&[
        ("q", &query.q),
        ("status", &query.status),
        ("severity", &query.severity),
        ("kind", &query.kind),
        ("vendor", &query.vendor),
        ("sort", &query.sort),
        ("past", if query.past { "on" } else { "" }),
    ])
}

fn update_row(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> UpdateRow {
    let year = formats::year(snapshot);
    UpdateRow {
        id: summary.update.id,
        title: summary.update.title(),
        vendor: summary.update.vendor.clone(),
        kind: summary.update.kind,
        severity: summary.update.severity,
        status: summary.status,
        track: track(snapshot, summary),
        done: summary.counts.completed,
        failed: summary.counts.failed,
        total: summary.total(),
        starts: formats::day(summary.starts_on, year),
        ends: formats::day(summary.ends_on, year),
        day: day_of(summary),
    }
}

fn day_of(summary: &UpdateSummary) -> Option<String> {
    summary.plan_day.map(|plan| format!("Day {} of {}", plan.day, plan.of))
}

/// The date on which the days of a rollout are counted.
pub(crate) fn status_date(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> NaiveDate {
    summary.rollout.status_date(&snapshot.organisation.zone, snapshot.now)
}

pub(crate) fn caption(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> String {
    let date = |at| time_text::date(snapshot.organisation.zone.date(at), formats::year(snapshot));
    match &summary.rollout.state {
        RolloutState::Deprecated { reason, .. } => reason.sentence(),
        RolloutState::Paused { since, .. } => match summary.rollout.stages.last() {
            Some(stage) => format!("Paused in {} since {}", stage.name, date(*since)),
            None => format!("Paused since {}, before the first ring", date(*since)),
        },
        RolloutState::Finished { at } => format!("Over since {}", date(*at)),
        RolloutState::Running => progress(snapshot, summary),
    }
}

/// What a running rollout does today, or waits for, without a full stop (T6).
fn progress(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> String {
    let today = snapshot.organisation.zone.date(snapshot.now);
    let year = formats::year(snapshot);
    let text = match summary.rollout.progress(&summary.calendar, today) {
        Progress::NotStarted { stage, on } => format!("{} starts {}", stage.name, time_text::date(on, year)),
        Progress::InStage(stage) => stage_caption(snapshot, stage),
        Progress::WaitsFor { stage, on } => {
            format!("Waits for {}, which starts {}", stage.name, time_text::date(on, year))
        }
        Progress::Finishing { rooms: 0 } => "Finishing: every room has ended".to_owned(),
        Progress::Finishing { rooms } => {
            let rooms = formats::count(rooms, "room has", "rooms have");
            format!("Finishing: {rooms} not ended yet")
        }
    };
    format!("{text}{}", superseded(summary))
}

fn stage_caption(snapshot: &ReadSnapshot, stage: &PlannedStage) -> String {
    let today = snapshot.organisation.zone.date(snapshot.now);
    // Frozen dates are no plan days (W6).
    if let Some(freeze) = snapshot.freezes.on(stage.ring, today) {
        format!(
            "{}: {}",
            stage.name,
            Frozen::by(freeze, snapshot.organisation.zone.date(snapshot.now)).words()
        )
    } else if today < stage.rollout_ends {
        let night = stage.night(&snapshot.freezes, today);
        format!("{}: night {night} of {}", stage.name, stage.rollout_days)
    } else {
        let day = stage.test_day(&snapshot.freezes, today);
        format!("{}: test day {day} of {}", stage.name, stage.test_days)
    }
}

/// The mark of an update that goes on until a newer one has caught up (S9).
fn superseded(summary: &UpdateSummary) -> &'static str {
    if summary.rollout.is_being_superseded() {
        ", being superseded"
    } else {
        ""
    }
}

fn status_sentence(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> String {
    let zone = &snapshot.organisation.zone;
    match &summary.rollout.state {
        RolloutState::Paused {
            since,
            by,
            reason,
            resumes_on,
        } => {
            let (at, reason) = (
                time_text::instant(*since, zone, snapshot.now),
                formats::sentence(reason),
            );
            let paused = match summary.rollout.halt {
                Some(_) => format!("Halted by rule on {at}: {reason} Nothing more starts until an admin resumes it."),
                None => format!("Paused by {by} on {at}: {reason}"),
            };
            match resumes_on {
                Some(date) => format!(
                    "{paused} It resumes automatically on {} ({}).",
                    time_text::date(*date, formats::year(snapshot)),
                    zone.city()
                ),
                None => {
                    format!("{paused} The dates below are those of a resume today; each further day moves them by one.")
                }
            }
        }
        RolloutState::Deprecated { at, reason } => {
            format!(
                "{} Since {}.",
                reason.sentence(),
                time_text::instant(*at, zone, snapshot.now)
            )
        }
        RolloutState::Finished { at } => format!(
            "Through all rings since {}.",
            time_text::instant(*at, zone, snapshot.now)
        ),
        RolloutState::Running => format!("{}.", progress(snapshot, summary)),
    }
}

fn facts(snapshot: &ReadSnapshot, update: &UpdateDetail) -> Vec<(String, String)> {
    let year = formats::year(snapshot);
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    let release = &update.release;
    let released = release.released.map_or_else(
        || "Not published by the vendor".to_owned(),
        |day| time_text::date(day, year),
    );
    fact("Released", released);
    fact(
        "Expected install",
        formats::count(release.expected_minutes, "minute", "minutes"),
    );
    if let Some(minimum) = &release.minimum_version {
        fact("Needs first", minimum.clone());
    }
    if !release.models.is_empty() {
        fact("For models", release.models.join(", "));
    }
    let published_at = update.summary.rollout.published_at;
    let published = time_text::instant(published_at, &snapshot.organisation.zone, snapshot.now);
    fact("Published", format!("{published} by {}", update.published_by));
    for file in &update.files {
        fact("File", format!("{}, {}", file.filename, formats::size(file.size)));
        fact("SHA-256", file.sha256.clone());
    }
    facts
}

fn history(snapshot: &ReadSnapshot, update: &UpdateDetail) -> Vec<HistoryRow> {
    let entries = update.history.iter();
    let row = entries.map(|entry| HistoryRow {
        at: formats::instant(entry.at, &snapshot.organisation.zone, snapshot.now),
        about: String::new(),
        text: entry.text.clone(),
        detail: entry.actor.clone(),
        bad: false,
    });
    row.collect()
}
