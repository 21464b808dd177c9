//! Updates and rings in the words of their pages.

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
use domain::update::{ProductKind, Severity, titled};
use service::read::{ReadSnapshot, UpdateSummary};

use self::pictures::{calendar_view, track};
use self::rooms::{ring_choices, room_filter, room_page, room_rows, statuses};
use crate::components::model::HistoryRow;
use crate::context::{PAGE, RequestContext, Result};
use crate::formats;
use crate::updates::model::{UpdateRoomsQuery, UpdateRow, UpdateView, UpdatesQuery, UpdatesView};

impl RequestContext {
    /// A page of the list of updates (T9, T10).
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_updates(&self, query: UpdatesQuery) -> Result<UpdatesView> {
        let mut snapshot = self.snapshot().await?;
        let all = snapshot.updates(query.past).await?;
        let mut vendors: Vec<String> = all.iter().map(|summary| summary.record.vendor.clone()).collect();
        vendors.sort();
        vendors.dedup();
        let mut shown: Vec<&UpdateSummary> = all.iter().filter(|summary| matches_query(summary, &query)).collect();
        sort(&mut shown, &query.sort);
        let total = i64::try_from(shown.len()).unwrap_or(0);
        let first = usize::try_from(formats::offset(query.page)).unwrap_or(0);
        let page = usize::try_from(PAGE).unwrap_or(50);
        let rows: Vec<UpdateRow> = shown
            .into_iter()
            .skip(first)
            .take(page)
            .map(|summary| update_row(&snapshot, summary))
            .collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let pager = formats::numbered(query.page, shown, total, "update", "updates");
        let pager = formats::with_filters(pager, &kept_query(&query));
        let scale = snapshot
            .rings
            .iter()
            .map(|ring| (ring.name.clone(), ring.completion_days()))
            .collect();
        Ok(UpdatesView {
            rows,
            scale,
            vendors,
            pager,
        })
    }

    /// One update with a page of its rooms (P3).
    ///
    /// # Errors
    /// It was not published, or the database fails.
    pub async fn update(&self, id: UpdateId, rooms: UpdateRoomsQuery) -> Result<UpdateView> {
        let mut snapshot = self.snapshot().await?;
        let summary = snapshot.update(id).await?;
        let calendar = calendar_view(&mut snapshot, &summary).await?;
        let statuses = statuses(&mut snapshot, &summary).await?;
        let (room_rows, pager) = room_page(&mut snapshot, &summary, &rooms, &statuses).await?;
        let release = snapshot.tx.release(id).await?;
        let known_issues = release
            .as_ref()
            .map(|release| release.release.known_issues.clone())
            .unwrap_or_default();
        let tickets = snapshot.tx.tickets_of_update(id).await?;
        let zone = snapshot.organisation.zone.clone();
        Ok(UpdateView {
            ahead: summary.waiting.values().sum(),
            id,
            title: title(&summary),
            vendor: summary.record.vendor.clone(),
            kind: summary.record.kind,
            severity: summary.record.severity,
            status: summary.status,
            status_sentence: status_sentence(&snapshot, &summary),
            day: day_of(&snapshot, &summary),
            facts: facts(&mut snapshot, &summary).await?,
            calendar,
            statuses,
            rings: ring_choices(&snapshot, &summary),
            rooms: room_rows,
            pager,
            known_issues,
            tickets: tickets
                .iter()
                .map(|ticket| crate::tickets::present::row(ticket, &zone, snapshot.now))
                .collect(),
            history: history(&mut snapshot, id).await?,
            controls: self.controls(&mut snapshot, &summary).await?,
            may_retry: self.viewer.actor.role.may(Act::RetryRoom) && summary.rollout.may_start_rooms(),
        })
    }

    /// A part of an update's rooms for a file, with the filters of its page, and where the next part starts (P3).
    ///
    /// # Errors
    /// It was not published, or the database fails.
    pub async fn export_rooms(
        &self,
        id: UpdateId,
        query: UpdateRoomsQuery,
    ) -> Result<(Vec<Vec<String>>, Option<UpdateRoomsQuery>)> {
        let mut snapshot = self.snapshot().await?;
        let summary = snapshot.update(id).await?;
        let filter = room_filter(&summary, &query)?;
        let mut records = snapshot.tx.update_room_page(&filter, PAGE + 1).await?;
        let more = crate::rooms::present::cut(&mut records, false);
        let last = records.last().filter(|_| more);
        let next = last.map(|last| UpdateRoomsQuery {
            after: format!("{}|{}", last.name_key, last.id),
            ..query
        });
        let rows = room_rows(&mut snapshot, &summary, &records)
            .await?
            .into_iter()
            .map(|row| {
                vec![
                    row.name,
                    row.site,
                    row.ring.name,
                    row.status.label().to_owned(),
                    row.why,
                    row.next,
                    row.attempt.to_string(),
                    if row.catch_up { "yes" } else { "" }.to_owned(),
                    row.ticket.map_or_else(String::new, |number| format!("T-{number}")),
                ]
            });
        Ok((rows.collect(), next))
    }
}

/// The columns of [`RequestContext::export_rooms`].
pub const EXPORTED: [&str; 9] = [
    "room", "site", "ring", "status", "why", "when", "attempt", "catch-up", "ticket",
];

fn title(summary: &UpdateSummary) -> String {
    titled(&summary.record.title, &summary.record.version)
}

fn matches_query(summary: &UpdateSummary, query: &UpdatesQuery) -> bool {
    let words = formats::searched(&query.q);
    let record = &summary.record;
    (words.is_empty()
        || title(summary).to_lowercase().contains(&words)
        || record.vendor.to_lowercase().contains(&words))
        && (query.status.is_empty() || UpdateStatus::from_word(&query.status) == Some(summary.status))
        && (query.severity.is_empty() || Severity::from_word(&query.severity) == Some(record.severity))
        && (query.kind.is_empty() || ProductKind::from_word(&query.kind) == Some(record.kind))
        && (query.vendor.is_empty() || query.vendor == record.vendor)
}

/// Without a wish: what needs people first, then what runs, then what comes, then what is over; the newest first in each.
fn sort(updates: &mut [&UpdateSummary], by: &str) {
    let (by, reversed) = by.strip_prefix('-').map_or((by, false), |by| (by, true));
    let ends = |summary: &UpdateSummary| summary.calendar.last().map(|stage| stage.test_ends);
    match by {
        "name" => updates.sort_by_key(|summary| title(summary).to_lowercase()),
        "status" => updates.sort_by_key(|summary| summary.status),
        "severity" => updates.sort_by_key(|summary| summary.record.severity),
        "starts" => updates.sort_by_key(|summary| summary.rollout.starts_on),
        "ends" => updates.sort_by_key(|summary| ends(summary)),
        _ => updates.sort_by_key(|summary| (urgency(summary.status), std::cmp::Reverse(summary.rollout.starts_on))),
    }
    if reversed {
        updates.reverse();
    }
}

fn urgency(status: UpdateStatus) -> u8 {
    match status {
        UpdateStatus::Paused => 0,
        UpdateStatus::CompletedWithFailures => 1,
        UpdateStatus::InProgress => 2,
        UpdateStatus::Scheduled => 3,
        UpdateStatus::Completed => 4,
        UpdateStatus::Deprecated => 5,
        UpdateStatus::NotRequired => 6,
    }
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
    let last_day = summary
        .calendar
        .last()
        .and_then(|stage| stage.test_ends.pred_opt())
        .unwrap_or(summary.rollout.starts_on);
    // What was stopped has no days ahead.
    let last_day = match &summary.rollout.state {
        RolloutState::Deprecated { at, .. } => snapshot.organisation.zone.date(*at),
        RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => last_day,
    };
    let waiting: i64 = summary.waiting.values().sum();
    UpdateRow {
        id: summary.record.id,
        title: title(summary),
        vendor: summary.record.vendor.clone(),
        kind: summary.record.kind,
        severity: summary.record.severity,
        status: summary.status,
        track: track(snapshot, summary),
        done: summary.counts.completed,
        failed: summary.counts.failed,
        total: summary.counts.total() + waiting,
        starts: formats::day(first_night(summary), year),
        ends: formats::day(last_day, year),
        day: day_of(snapshot, summary),
    }
}

fn day_of(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> Option<String> {
    match summary.status {
        UpdateStatus::InProgress | UpdateStatus::Paused => {}
        UpdateStatus::Scheduled
        | UpdateStatus::CompletedWithFailures
        | UpdateStatus::Completed
        | UpdateStatus::Deprecated
        | UpdateStatus::NotRequired => return None,
    }
    let status_date = status_date(snapshot, summary);
    let (day, days) = summary
        .rollout
        .plan_day(&summary.calendar, &snapshot.freezes, status_date)?;
    Some(format!("Day {day} of {days}"))
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

/// The date of the first night, with what freezes do to it.
fn first_night(summary: &UpdateSummary) -> NaiveDate {
    let first = summary.calendar.first();
    first.map_or(summary.rollout.starts_on, |stage| stage.starts_on)
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
            let paused = format!(
                "Paused by {by} on {}: {}",
                time_text::instant(*since, zone, snapshot.now),
                formats::sentence(reason)
            );
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

async fn facts(snapshot: &mut ReadSnapshot, summary: &UpdateSummary) -> Result<Vec<(String, String)>> {
    let id = summary.record.id;
    let year = formats::year(snapshot);
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(release) = snapshot.tx.release(id).await? {
        let released = release.released.map_or_else(
            || "Not published by the vendor".to_owned(),
            |day| time_text::date(day, year),
        );
        fact("Released", released);
        fact(
            "Expected install",
            formats::count(release.release.expected_minutes, "minute", "minutes"),
        );
        if let Some(minimum) = &release.release.minimum_version {
            fact("Needs first", minimum.clone());
        }
        if !release.release.models.is_empty() {
            fact("For models", release.release.models.join(", "));
        }
    }
    if let Some((at, by)) = snapshot.tx.published_at(id).await? {
        fact(
            "Published",
            format!(
                "{} by {by}",
                time_text::instant(at, &snapshot.organisation.zone, snapshot.now)
            ),
        );
    }
    for record in snapshot.tx.artifacts(id).await? {
        fact(
            "File",
            format!("{}, {}", record.artifact.filename, formats::size(record.artifact.size)),
        );
        fact("SHA-256", record.artifact.sha256);
    }
    Ok(facts)
}

async fn history(snapshot: &mut ReadSnapshot, id: UpdateId) -> Result<Vec<HistoryRow>> {
    let zone = snapshot.organisation.zone.clone();
    let audit = snapshot.tx.audit_of("update", &id.to_string(), 100).await?;
    Ok(audit
        .into_iter()
        .map(|record| HistoryRow {
            at: formats::instant(record.at, &zone, snapshot.now),
            about: String::new(),
            text: record.entry.summary,
            detail: record.entry.actor,
            bad: false,
        })
        .collect())
}
