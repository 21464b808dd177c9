//! Updates and rings in the words of their pages.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use domain::access::Act;
use domain::deployment::Deployment;
use domain::ids::{RingId, RoomId, UpdateId};
use domain::planner::resume;
use domain::ring::RingPlace;
use domain::rollout::{Counts, PlannedStage, Progress, Rollout, RolloutState};
use domain::status::{self, RingStatus, UpdateStatus};
use domain::update::{ProductKind, Severity, titled};
use domain::when;
use service::pages::{Look, Start, UpdateSummary};
use service::store::{RoomListRecord, UpdateRoomFilter, UpdateRooms};

use super::{Desk, PAGE, Result, failed, ring_view, told, words};
use crate::error::AppError;
use crate::view::{
    CalendarView, Choice, HistoryRow, NightView, Pager, RingView, RoomWhyQuery, RoomWhyRow, StageView, TrackMark,
    TrackRing, TrackView, UpdateRow, UpdateView, UpdatesQuery, UpdatesView,
};

/// Rooms of an update that are found and sorted at once.
const FEW: i64 = 2_000;

impl Desk {
    /// A page of the list of updates (T9, T10).
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_updates(&self, query: UpdatesQuery) -> Result<UpdatesView> {
        let mut look = self.look().await?;
        let all = look.updates(query.past).await.map_err(told)?;
        let mut vendors: Vec<String> = all.iter().map(|summary| summary.record.vendor.clone()).collect();
        vendors.sort();
        vendors.dedup();
        let mut shown: Vec<&UpdateSummary> = all.iter().filter(|summary| matches_query(summary, &query)).collect();
        sort(&mut shown, &query.sort);
        let total = i64::try_from(shown.len()).unwrap_or(0);
        let first = usize::try_from(words::offset(query.page)).unwrap_or(0);
        let page = usize::try_from(PAGE).unwrap_or(50);
        let rows: Vec<UpdateRow> = shown
            .into_iter()
            .skip(first)
            .take(page)
            .map(|summary| update_row(&look, summary))
            .collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let pager = words::numbered(query.page, shown, total, "update", "updates");
        let pager = words::with_filters(pager, &kept_query(&query));
        let scale = look
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
    pub async fn update(&self, id: UpdateId, rooms: RoomWhyQuery) -> Result<UpdateView> {
        let mut look = self.look().await?;
        let summary = look.update(id).await.map_err(told)?;
        let calendar = calendar_view(&mut look, &summary).await?;
        let statuses = statuses(&mut look, &summary).await?;
        let (room_rows, pager) = room_page(&mut look, &summary, &rooms, &statuses).await?;
        let release = look.tx.release(id).await.map_err(failed)?;
        let known_issues = release
            .as_ref()
            .map(|release| release.release.known_issues.clone())
            .unwrap_or_default();
        let tickets = look.tx.tickets_of_update(id).await.map_err(failed)?;
        let zone = look.organisation.zone.clone();
        Ok(UpdateView {
            id,
            title: title(&summary),
            vendor: summary.record.vendor.clone(),
            kind: summary.record.kind,
            severity: summary.record.severity,
            status: summary.status,
            status_sentence: status_sentence(&look, &summary),
            day: day_of(&look, &summary),
            facts: facts(&mut look, &summary).await?,
            calendar,
            statuses,
            rings: ring_choices(&look, &summary),
            rooms: room_rows,
            pager,
            known_issues,
            tickets: tickets
                .iter()
                .map(|ticket| super::tickets::row(ticket, &zone, look.now))
                .collect(),
            history: history(&mut look, id).await?,
            controls: self.controls(&mut look, &summary).await?,
            may_retry: self.viewer.actor.role.may(Act::RetryRoom) && summary.rollout.may_be_retried(),
        })
    }

    /// A part of an update's rooms for a file, with the filters of its page, and where the next part starts (P3).
    ///
    /// # Errors
    /// It was not published, or the database fails.
    pub async fn export_rooms(
        &self,
        id: UpdateId,
        query: RoomWhyQuery,
    ) -> Result<(Vec<Vec<String>>, Option<RoomWhyQuery>)> {
        let mut look = self.look().await?;
        let summary = look.update(id).await.map_err(told)?;
        let filter = room_filter(&summary, &query)?;
        let mut records = look.tx.update_room_page(&filter, PAGE + 1).await.map_err(failed)?;
        let more = super::rooms::cut(&mut records, false);
        let last = records.last().filter(|_| more);
        let next = last.map(|last| RoomWhyQuery {
            after: format!("{}|{}", last.name_key, last.id),
            ..query
        });
        let rows = room_rows(&mut look, &summary, &records).await?.into_iter().map(|row| {
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

/// The columns of [`Desk::export_rooms`].
pub const EXPORTED: [&str; 9] = [
    "room", "site", "ring", "status", "why", "next", "attempt", "catch-up", "ticket",
];

fn title(summary: &UpdateSummary) -> String {
    titled(&summary.record.title, &summary.record.version)
}

fn matches_query(summary: &UpdateSummary, query: &UpdatesQuery) -> bool {
    let words = query.q.trim().to_lowercase();
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
    words::query(&[
        ("q", &query.q),
        ("status", &query.status),
        ("severity", &query.severity),
        ("kind", &query.kind),
        ("vendor", &query.vendor),
        ("sort", &query.sort),
        ("past", if query.past { "on" } else { "" }),
    ])
}

fn update_row(look: &Look, summary: &UpdateSummary) -> UpdateRow {
    let year = words::year(look);
    let last_day = summary
        .calendar
        .last()
        .and_then(|stage| stage.test_ends.pred_opt())
        .unwrap_or(summary.rollout.starts_on);
    let waiting: i64 = summary.waiting.values().sum();
    UpdateRow {
        id: summary.record.id,
        title: title(summary),
        vendor: summary.record.vendor.clone(),
        kind: summary.record.kind,
        severity: summary.record.severity,
        status: summary.status,
        track: track(look, summary),
        done: summary.counts.completed,
        failed: summary.counts.failed,
        total: summary.counts.total() + waiting,
        starts: words::day(first_night(summary), year),
        ends: words::day(last_day, year),
        day: day_of(look, summary),
    }
}

fn day_of(look: &Look, summary: &UpdateSummary) -> Option<String> {
    match summary.status {
        UpdateStatus::InProgress | UpdateStatus::Paused => {}
        UpdateStatus::Scheduled
        | UpdateStatus::CompletedWithFailures
        | UpdateStatus::Completed
        | UpdateStatus::Deprecated
        | UpdateStatus::NotRequired => return None,
    }
    let judged_on = judged_on(look, summary);
    let (day, days) = summary.rollout.plan_day(&summary.calendar, &look.freezes, judged_on)?;
    Some(format!("Day {day} of {days}"))
}

/// The date on which the days of a rollout are counted.
fn judged_on(look: &Look, summary: &UpdateSummary) -> NaiveDate {
    summary.rollout.judged_on(&look.organisation.zone, look.now)
}

/// Where the clock of a rollout stands in the organisation's zone: now, or when it was paused or deprecated. With the
/// share of that date that has passed.
fn stands_at(look: &Look, rollout: &Rollout) -> (NaiveDate, f64) {
    let at = match &rollout.state {
        RolloutState::Running | RolloutState::Finished { .. } => look.now,
        RolloutState::Paused { since, .. } => *since,
        RolloutState::Deprecated { at, .. } => *at,
    };
    let wall = look.organisation.zone.local(at).wall;
    (wall.date(), share_of_day(wall.time()))
}

fn share_of_day(time: NaiveTime) -> f64 {
    f64::from(time.num_seconds_from_midnight()) / 86_400.0
}

fn track(look: &Look, summary: &UpdateSummary) -> TrackView {
    let judged_on = judged_on(look, summary);
    let rings: Vec<TrackRing> = summary
        .calendar
        .iter()
        .map(|stage| {
            let counts = summary.rollout.counts_of(stage.ring);
            let ahead = summary.waiting.get(&stage.ring).copied().unwrap_or(0);
            TrackRing {
                name: stage.name.clone(),
                scale: stage.place.scale(),
                rollout_days: stage.rollout_days,
                test_days: stage.test_days,
                tested_days: stage.test_days_passed(&look.freezes, judged_on),
                entered: stage.entered,
                done: counts.completed,
                failed: counts.failed,
                waiting: counts.unfinished() + ahead,
                withdrawn: counts.deprecated,
            }
        })
        .collect();
    let stands_at = stands_at(look, &summary.rollout);
    let position = summary
        .rollout
        .position(&summary.calendar, &look.freezes, judged_on, stands_at);
    let mark = match (&summary.rollout.state, position) {
        (RolloutState::Running, Some(position)) => TrackMark::Now(position),
        (RolloutState::Paused { .. }, Some(position)) => TrackMark::Paused(position),
        (RolloutState::Deprecated { .. }, position) => TrackMark::Stopped(position.unwrap_or(0.0)),
        (RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. }, _) => TrackMark::None,
    };
    let parts: Vec<String> = rings.iter().map(|ring| ring_sentence(ring, summary)).collect();
    let sentence = format!("{}: {}.", summary.status.label(), parts.join("; "));
    TrackView {
        rings,
        mark,
        sentence,
        caption: caption(look, summary),
    }
}

fn ring_sentence(ring: &TrackRing, summary: &UpdateSummary) -> String {
    let total = ring.done + ring.failed + ring.waiting + ring.withdrawn;
    let not_reached = was_not_reached(summary, ring.entered);
    match (total, not_reached) {
        (0, true) => return format!("{} was not reached", ring.name),
        (0, false) => return format!("{} has no rooms for it", ring.name),
        _ => {}
    }
    let failed = if ring.failed > 0 {
        format!(", {} failed", ring.failed)
    } else {
        String::new()
    };
    // What was forced is counted in its ring before that is reached.
    let state = match (ring.entered, not_reached) {
        (true, _) => "",
        (false, true) => ", not reached",
        (false, false) => ", not started",
    };
    format!("{} {} of {total} installed{failed}{state}", ring.name, ring.done)
}

/// A ring to which a deprecated rollout did not come (T8). Which of its rooms need the update does not matter any more.
fn was_not_reached(summary: &UpdateSummary, entered: bool) -> bool {
    match summary.rollout.state {
        RolloutState::Deprecated { .. } => !entered,
        RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => false,
    }
}

fn caption(look: &Look, summary: &UpdateSummary) -> String {
    let date = |at| when::date(look.organisation.zone.date(at), words::year(look));
    match &summary.rollout.state {
        RolloutState::Deprecated { reason, .. } => reason.clone(),
        RolloutState::Paused { since, .. } => match summary.rollout.stages.last() {
            Some(stage) => format!("Paused in {} since {}", stage.name, date(*since)),
            None => format!("Paused since {}, before the first ring", date(*since)),
        },
        RolloutState::Finished { at } => format!("Over since {}", date(*at)),
        RolloutState::Running => progress(look, summary),
    }
}

/// What a running rollout does today, or waits for, without a full stop (T6).
fn progress(look: &Look, summary: &UpdateSummary) -> String {
    let today = look.organisation.zone.date(look.now);
    let year = words::year(look);
    let text = match summary.rollout.progress(&summary.calendar, today) {
        Progress::NotStarted { stage, on } => format!("{} starts {}", stage.name, when::date(on, year)),
        Progress::InStage(stage) => stage_caption(look, stage),
        Progress::WaitsFor { stage, on } => {
            format!("Waits for {}, which starts {}", stage.name, when::date(on, year))
        }
        Progress::Finishing { rooms: 0 } => "Finishing: every room has ended".to_owned(),
        Progress::Finishing { rooms } => {
            let rooms = words::count(rooms, "room has", "rooms have");
            format!("Finishing: {rooms} not ended yet")
        }
    };
    format!("{text}{}", superseded(summary))
}

fn stage_caption(look: &Look, stage: &PlannedStage) -> String {
    let today = look.organisation.zone.date(look.now);
    // Frozen dates are no plan days (W6).
    if let Some(freeze) = look.freezes.on(stage.ring, today) {
        format!("{}: {}", stage.name, when::freeze(freeze, words::year(look)))
    } else if today < stage.rollout_ends {
        let night = stage.night(&look.freezes, today);
        format!("{}: night {night} of {}", stage.name, stage.rollout_days)
    } else {
        let day = stage.test_day(&look.freezes, today);
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

fn status_sentence(look: &Look, summary: &UpdateSummary) -> String {
    let zone = &look.organisation.zone;
    match &summary.rollout.state {
        RolloutState::Paused {
            since,
            by,
            reason,
            resumes_on,
        } => {
            let paused = format!(
                "Paused by {by} on {}: {}",
                when::instant(*since, zone, look.now),
                words::sentence(reason)
            );
            match resumes_on {
                Some(date) => format!(
                    "{paused} It goes on by itself on {} ({}).",
                    when::date(*date, words::year(look)),
                    zone.city()
                ),
                None => paused,
            }
        }
        RolloutState::Deprecated { at, reason } => format!("{reason} Since {}.", when::instant(*at, zone, look.now)),
        RolloutState::Finished { at } => format!("Through all rings since {}.", when::instant(*at, zone, look.now)),
        RolloutState::Running => format!("{}.", progress(look, summary)),
    }
}

async fn facts(look: &mut Look, summary: &UpdateSummary) -> Result<Vec<(String, String)>> {
    let id = summary.record.id;
    let year = words::year(look);
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(release) = look.tx.release(id).await.map_err(failed)? {
        let released = release
            .released
            .map_or_else(|| "Not published by the vendor".to_owned(), |day| when::date(day, year));
        fact("Released", released);
        fact(
            "Expected install",
            words::count(release.release.expected_minutes, "minute", "minutes"),
        );
        if let Some(minimum) = &release.release.minimum_version {
            fact("Needs first", minimum.clone());
        }
        if !release.release.models.is_empty() {
            fact("For models", release.release.models.join(", "));
        }
    }
    if let Some((at, by)) = look.tx.published_at(id).await.map_err(failed)? {
        fact(
            "Published",
            format!("{} by {by}", when::instant(at, &look.organisation.zone, look.now)),
        );
    }
    for record in look.tx.artifacts(id).await.map_err(failed)? {
        fact(
            "File",
            format!("{}, {}", record.artifact.filename, words::size(record.artifact.size)),
        );
        fact("SHA-256", record.artifact.sha256);
    }
    Ok(facts)
}

async fn calendar_view(look: &mut Look, summary: &UpdateSummary) -> Result<CalendarView> {
    let year = words::year(look);
    let zone = look.organisation.zone.clone();
    let nights = Nights {
        rooms: look.rooms_by_night(summary.record.id).await.map_err(told)?,
        tonight: look.nights_of_tonight(&summary.rollout).await.map_err(told)?,
    };
    let first = summary
        .calendar
        .first()
        .map_or(summary.rollout.starts_on, |stage| stage.starts_on);
    let last = summary.calendar.last().map_or(first, |stage| stage.test_ends);
    let length = u32::try_from((last - first).num_days()).unwrap_or(0).max(1);
    let day_of = |date: NaiveDate| u32::try_from((date - first).num_days()).unwrap_or(0);
    let mut stages = Vec::with_capacity(summary.calendar.len());
    for stage in &summary.calendar {
        stages.push(stage_view(look, summary, stage, &nights, &day_of, year));
    }
    let labels = (0..length).step_by(7).map(|day| {
        let date = first + chrono::Days::new(day.into());
        (day, date.format("%-d %b").to_string())
    });
    let wall = zone.local(look.now).wall;
    let inside = first <= wall.date() && wall.date() < last;
    let (stands_on, share) = stands_at(look, &summary.rollout);
    let paused = match &summary.rollout.state {
        RolloutState::Paused { since, .. } => {
            let since = zone.date(*since);
            let length = u32::try_from((wall.date() - since).num_days()).unwrap_or(0);
            (since >= first && length > 0).then(|| (day_of(since), length))
        }
        RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
    };
    Ok(CalendarView {
        labels: labels.collect(),
        length,
        first_weekday: first.weekday().num_days_from_monday(),
        now: inside.then(|| f64::from(day_of(wall.date())) + share_of_day(wall.time())),
        clock: f64::from(day_of(stands_on)) + share,
        paused,
        stages,
    })
}

/// What is known of an update's nights.
struct Nights {
    /// Ring, night as planned, how they stand, rooms.
    rooms: Vec<(RingId, NaiveDate, String, i64)>,
    /// Ring and night as planned of those that wait for a window of tonight.
    tonight: BTreeSet<(RingId, NaiveDate)>,
}

fn stage_view(
    look: &Look,
    summary: &UpdateSummary,
    stage: &PlannedStage,
    nights: &Nights,
    day_of: &impl Fn(NaiveDate) -> u32,
    year: i32,
) -> StageView {
    let counts = summary.rollout.counts_of(stage.ring);
    let ahead = summary.waiting.get(&stage.ring).copied().unwrap_or(0);
    let mut by_day: BTreeMap<u32, NightView> = BTreeMap::new();
    // What a pause that still lasts would move if it ended today, like the calendar's own dates.
    let resumed = match &summary.rollout.state {
        RolloutState::Paused { since, .. } => Some(resume(&look.organisation.zone, *since, look.now, &look.freezes)),
        RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
    };
    for (ring, night, stands, rooms) in nights.rooms.iter().filter(|(ring, ..)| *ring == stage.ring) {
        let shown = match &resumed {
            Some(resumed) if stands == "waiting" => resumed.date(stage.ring, *night),
            Some(_) | None => *night,
        };
        let day = day_of(shown);
        let cell = by_day.entry(day).or_insert(NightView {
            day,
            done: 0,
            failed: 0,
            running: 0,
            waiting: 0,
            tonight: false,
        });
        match stands.as_str() {
            "completed" => cell.done += rooms,
            "failed" => cell.failed += rooms,
            "running" => cell.running += rooms,
            // Nobody waits for what was deprecated.
            "withdrawn" => {}
            _ => cell.waiting += rooms,
        }
        cell.tonight |= nights.tonight.contains(&(*ring, *night));
    }
    let status = status::ring(
        &summary.rollout,
        stage,
        summary.rollout.judged_on(&look.organisation.zone, look.now),
    );
    let test = if stage.test_ends > stage.rollout_ends {
        words::span(stage.rollout_ends, stage.test_ends, year)
    } else {
        String::new()
    };
    let rollout = words::span(stage.starts_on, stage.rollout_ends, year);
    let waiting = counts.scheduled + ahead;
    let all = counts.completed + counts.failed + counts.in_progress + waiting + counts.deprecated;
    let (installed, sentence) = if all == 0 && was_not_reached(summary, stage.entered) {
        ("Not reached".to_owned(), format!("{} was not reached.", stage.name))
    } else {
        let sentence = stage_sentence(stage, status, &rollout, &counts, waiting);
        (format!("{} of {all}", counts.completed), sentence)
    };
    StageView {
        ring: stage_ring(stage.ring, &stage.name, stage.place),
        status,
        rollout,
        test,
        first_day: day_of(stage.starts_on),
        rollout_length: u32::try_from((stage.rollout_ends - stage.starts_on).num_days()).unwrap_or(0),
        test_length: u32::try_from((stage.test_ends - stage.rollout_ends).num_days()).unwrap_or(0),
        nights: by_day.into_values().collect(),
        installed,
        failed: counts.failed,
        running: counts.in_progress,
        waiting,
        withdrawn: counts.deprecated,
        catch_up: counts.catch_up,
        sentence,
    }
}

fn stage_sentence(stage: &PlannedStage, status: RingStatus, rollout: &str, counts: &Counts, waiting: i64) -> String {
    let some = |rooms: i64, word: &str| {
        if rooms > 0 {
            format!(", {rooms} {word}")
        } else {
            String::new()
        }
    };
    format!(
        "{}: {}. Nights {rollout}: {} installed{}{}, {waiting} waiting{}.",
        stage.name,
        status.label(),
        counts.completed,
        some(counts.failed, "failed"),
        some(counts.in_progress, "running"),
        some(counts.deprecated, "deprecated"),
    )
}

/// The chips: (word in the address, label, rooms).
async fn statuses(look: &mut Look, summary: &UpdateSummary) -> Result<Vec<(String, String, i64)>> {
    let with_product = look.rooms_with(&summary.record.product).await.map_err(told)?;
    let nights = look.rooms_by_status(summary.record.id).await.map_err(told)?;
    let of = |word: &str| nights.get(word).copied().unwrap_or(0);
    let paused = matches!(summary.rollout.state, RolloutState::Paused { .. });
    let scheduled = of("scheduled");
    let deployed: i64 = nights.values().sum();
    let all = with_product.max(deployed);
    let rows = [
        ("", "All", all),
        ("failed", "Failed", of("failed")),
        ("in-progress", "In progress", of("in-progress")),
        ("scheduled", "Scheduled", if paused { 0 } else { scheduled }),
        ("paused", "Paused", if paused { scheduled } else { 0 }),
        ("completed", "Completed", of("completed")),
        ("deprecated", "Deprecated", of("deprecated")),
        ("not-required", "Not required", all - deployed),
    ];
    let shown = rows
        .into_iter()
        .filter(|(word, _, rooms)| word.is_empty() || *rooms > 0);
    Ok(shown
        .map(|(word, label, rooms)| (word.to_owned(), label.to_owned(), rooms))
        .collect())
}

async fn room_page(
    look: &mut Look,
    summary: &UpdateSummary,
    query: &RoomWhyQuery,
    statuses: &[(String, String, i64)],
) -> Result<(Vec<RoomWhyRow>, Pager)> {
    let chip = statuses.iter().find(|(word, ..)| *word == query.status);
    let filter = UpdateRoomFilter {
        few: chip.is_none_or(|(_, _, rooms)| *rooms <= FEW),
        ..room_filter(summary, query)?
    };
    let mut records = look.tx.update_room_page(&filter, PAGE + 1).await.map_err(failed)?;
    let more = super::rooms::cut(&mut records, filter.before.is_some());
    let total = match filter.ring {
        Some(_) => look.update_rooms_found(&filter).await.map_err(told)?,
        // What the chip of the status says.
        None => chip.map_or(0, |(_, _, rooms)| *rooms),
    };
    let text = words::count(total, "room", "rooms");
    let ends = (filter.after.is_some(), filter.before.is_some());
    let pager = super::rooms::pager(text, ends, &records, more, |name, cursor| {
        words::query(&[("status", &query.status), ("ring", &query.ring), (name, cursor)])
    });
    Ok((room_rows(look, summary, &records).await?, pager))
}

fn room_filter(summary: &UpdateSummary, query: &RoomWhyQuery) -> Result<UpdateRoomFilter> {
    let paused = matches!(summary.rollout.state, RolloutState::Paused { .. });
    Ok(UpdateRoomFilter {
        update: summary.record.id,
        product: summary.record.product.clone(),
        which: which_rooms(&query.status, paused)?,
        ring: query.ring.parse::<RingId>().ok(),
        few: false,
        after: super::rooms::cursor(&query.after),
        before: super::rooms::cursor(&query.before),
    })
}

/// The rooms that a status in the address asks for.
fn which_rooms(status: &str, paused: bool) -> Result<UpdateRooms> {
    Ok(match status {
        "" => UpdateRooms::All,
        "scheduled" if !paused => UpdateRooms::Scheduled,
        "paused" if paused => UpdateRooms::Scheduled,
        "scheduled" | "paused" => UpdateRooms::Nothing,
        "in-progress" => UpdateRooms::InProgress,
        "completed" => UpdateRooms::Completed,
        "failed" => UpdateRooms::Failed,
        "deprecated" => UpdateRooms::Deprecated,
        "not-required" => UpdateRooms::NotRequired,
        unknown => {
            return Err(AppError::Invalid {
                field: "status".to_owned(),
                problem: format!("{unknown:?} is no status of a room"),
            });
        }
    })
}

async fn room_rows(look: &mut Look, summary: &UpdateSummary, records: &[RoomListRecord]) -> Result<Vec<RoomWhyRow>> {
    let ids: Vec<RoomId> = records.iter().map(|record| record.id).collect();
    let rooms = look.rooms(&ids).await.map_err(told)?;
    let planned = look.planned(&[summary.record.id]).await.map_err(told)?;
    let tickets = look
        .tx
        .failure_ticket_numbers(summary.record.id, &ids)
        .await
        .map_err(failed)?;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let (Some(room), Some(update)) = (rooms.get(&record.id), planned.get(&summary.record.id)) else {
            continue;
        };
        let standing = look.standing(update, &summary.rollout, room).await.map_err(told)?;
        let deployment = standing.deployment.as_ref();
        let next = match &standing.start {
            Some(start) => words::start(start, room, look.now),
            None => words::no_start(standing.status).to_owned(),
        };
        rows.push(RoomWhyRow {
            room: record.id,
            name: record.name.clone(),
            site: record.site.clone(),
            ring: room_ring(look, &summary.rollout, deployment, record.ring),
            status: standing.status,
            why: standing.why,
            next,
            has_window: matches!(standing.start, Some(Start::Window(_))),
            ticket: tickets.get(&record.id).copied(),
            attempt: deployment.map_or(1, |deployment| deployment.attempt),
            catch_up: deployment.is_some_and(|deployment| deployment.catch_up),
        });
    }
    Ok(rows)
}

/// The ring in which a room stands for an update: as the rollout entered it, else the room's own. In the implicit ring
/// of all rooms (S12) the own one tells more.
fn room_ring(look: &Look, rollout: &Rollout, deployment: Option<&Deployment>, own: RingId) -> RingView {
    let entered = deployment
        .filter(|deployment| deployment.ring != RingId::ALL_ROOMS)
        .and_then(|deployment| rollout.stage(deployment.ring));
    match entered {
        Some(stage) => stage_ring(stage.ring, &stage.name, stage.place),
        None => ring_view(look, own),
    }
}

/// A ring as a rollout has it. The one of all rooms (S12) has no place on the scale, so it has a badge of its own.
fn stage_ring(id: RingId, name: &str, place: RingPlace) -> RingView {
    RingView {
        id,
        name: name.to_owned(),
        badge: if id == RingId::ALL_ROOMS {
            "A".to_owned()
        } else {
            place.badge()
        },
        scale: place.scale(),
    }
}

/// The rings in which the rooms of an update stand, for the filter.
fn ring_choices(look: &Look, summary: &UpdateSummary) -> Vec<Choice> {
    let choice = |id: RingId, name: &str| Choice {
        value: id.to_string(),
        label: name.to_owned(),
    };
    match summary.rollout.automatic_days {
        Some(_) => look.rings.iter().map(|ring| choice(ring.id, &ring.name)).collect(),
        None => {
            let stages = summary.calendar.iter();
            stages.map(|stage| choice(stage.ring, &stage.name)).collect()
        }
    }
}

async fn history(look: &mut Look, id: UpdateId) -> Result<Vec<HistoryRow>> {
    let zone = look.organisation.zone.clone();
    let audit = look.tx.audit_of("update", &id.to_string(), 100).await.map_err(failed)?;
    Ok(audit
        .into_iter()
        .map(|record| HistoryRow {
            at: words::instant(record.at, &zone, look.now),
            about: String::new(),
            text: record.entry.summary,
            detail: record.entry.actor,
            bad: false,
        })
        .collect())
}
