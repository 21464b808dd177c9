//! The pictures of a rollout: the track in a list (T10), and the timeline in dates (P3).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use domain::deployment::Progress;
use domain::ids::RingId;
use domain::rollout::{PlannedStage, Rollout, RolloutState};
use domain::status::{self, RingStatus, RoomStatus, RoomsByStatus};
use service::pages::{ReadSnapshot, UpdateSummary};

use super::update_rooms::stage_ring;
use super::updates::{caption, status_date};
use super::{Result, formats, service_error};
use crate::model::{CalendarView, NightView, StageView, TrackMark, TrackRing, TrackView};

/// Where the clock of a rollout stands in the organisation's zone: now, or when it was paused or deprecated. With the
/// share of that date that has passed.
fn stands_at(snapshot: &ReadSnapshot, rollout: &Rollout) -> (NaiveDate, f64) {
    let at = match &rollout.state {
        RolloutState::Running | RolloutState::Finished { .. } => snapshot.now,
        RolloutState::Paused { since, .. } => *since,
        RolloutState::Deprecated { at, .. } => *at,
    };
    let wall = snapshot.organisation.zone.local(at).wall;
    (wall.date(), share_of_day(wall.time()))
}

fn share_of_day(time: NaiveTime) -> f64 {
    f64::from(time.num_seconds_from_midnight()) / 86_400.0
}

pub(super) fn track(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> TrackView {
    let status_date = status_date(snapshot, summary);
    let rings: Vec<TrackRing> = summary
        .calendar
        .iter()
        .map(|stage| {
            let rooms = status::rooms(&summary.rollout.counts_of(stage.ring), &summary.rollout.state);
            let ahead = summary.waiting.get(&stage.ring).copied().unwrap_or(0);
            TrackRing {
                name: stage.name.clone(),
                scale: stage.place.scale(),
                rollout_days: stage.rollout_days,
                test_days: stage.test_days,
                tested_days: stage.test_days_passed(&snapshot.freezes, status_date),
                entered: stage.entered,
                done: rooms.with(RoomStatus::Completed),
                failed: rooms.with(RoomStatus::Failed),
                waiting: rooms.waiting() + rooms.with(RoomStatus::InProgress) + ahead,
                withdrawn: rooms.with(RoomStatus::Deprecated),
            }
        })
        .collect();
    let stands_at = stands_at(snapshot, &summary.rollout);
    let position = summary
        .rollout
        .position(&summary.calendar, &snapshot.freezes, status_date, stands_at);
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
        caption: caption(snapshot, summary),
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

pub(super) async fn calendar_view(snapshot: &mut ReadSnapshot, summary: &UpdateSummary) -> Result<CalendarView> {
    let year = formats::year(snapshot);
    let zone = snapshot.organisation.zone.clone();
    let nights = Nights {
        rooms: snapshot
            .rooms_by_night(summary.record.id)
            .await
            .map_err(service_error)?,
        tonight: snapshot
            .nights_of_tonight(&summary.rollout)
            .await
            .map_err(service_error)?,
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
        stages.push(stage_view(snapshot, summary, stage, &nights, &day_of, year));
    }
    let labels = (0..length).step_by(7).map(|day| {
        let date = first + chrono::Days::new(day.into());
        (day, date.format("%-d %b").to_string())
    });
    let wall = zone.local(snapshot.now).wall;
    let inside = first <= wall.date() && wall.date() < last;
    let (stands_on, share) = stands_at(snapshot, &summary.rollout);
    let paused = match &summary.rollout.state {
        RolloutState::Paused { since, .. } => {
            let since = zone.date(*since);
            let until = summary.rollout.continues_on(wall.date());
            let length = u32::try_from((until - since).num_days()).unwrap_or(0);
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
    /// Ring, night as planned, what they have come to, rooms.
    rooms: Vec<(RingId, NaiveDate, Progress, i64)>,
    /// Ring and night as planned of those that wait for a window of tonight.
    tonight: BTreeSet<(RingId, NaiveDate)>,
}

fn stage_view(
    snapshot: &ReadSnapshot,
    summary: &UpdateSummary,
    stage: &PlannedStage,
    nights: &Nights,
    day_of: &impl Fn(NaiveDate) -> u32,
    year: i32,
) -> StageView {
    let counts = summary.rollout.counts_of(stage.ring);
    let ahead = summary.waiting.get(&stage.ring).copied().unwrap_or(0);
    let mut by_day: BTreeMap<u32, NightView> = BTreeMap::new();
    // What a pause that still lasts moves, like the calendar's own dates.
    let zone = &snapshot.organisation.zone;
    let resumed = match &summary.rollout.state {
        RolloutState::Paused { since, .. } => {
            let (since, today) = (zone.date(*since), zone.date(snapshot.now));
            Some(summary.rollout.shift_by_pause(since, today, &snapshot.freezes))
        }
        RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
    };
    for (ring, night, progress, rooms) in nights.rooms.iter().filter(|(ring, ..)| *ring == stage.ring) {
        let shown = match &resumed {
            Some(resumed) if *progress == Progress::NotStarted => resumed.date(stage.ring, *night),
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
        match status::room(*progress, &summary.rollout.state) {
            RoomStatus::Completed => cell.done += rooms,
            RoomStatus::Failed => cell.failed += rooms,
            RoomStatus::InProgress => cell.running += rooms,
            RoomStatus::Scheduled | RoomStatus::Paused => cell.waiting += rooms,
            // Nobody waits for what was deprecated.
            RoomStatus::Deprecated | RoomStatus::NotRequired => {}
        }
        cell.tonight |= nights.tonight.contains(&(*ring, *night));
    }
    let status = status::ring(
        &summary.rollout,
        stage,
        summary.rollout.status_date(&snapshot.organisation.zone, snapshot.now),
    );
    let test = if stage.test_ends > stage.rollout_ends {
        formats::span(stage.rollout_ends, stage.test_ends, year)
    } else {
        String::new()
    };
    let rollout = formats::span(stage.starts_on, stage.rollout_ends, year);
    let rooms = status::rooms(&counts, &summary.rollout.state);
    let waiting = rooms.waiting() + ahead;
    let all = rooms.total() + ahead;
    let (installed, sentence) = if all == 0 && was_not_reached(summary, stage.entered) {
        ("Not reached".to_owned(), format!("{} was not reached.", stage.name))
    } else {
        let sentence = stage_sentence(stage, status, &rollout, &rooms, waiting);
        (format!("{} of {all}", rooms.with(RoomStatus::Completed)), sentence)
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
        failed: rooms.with(RoomStatus::Failed),
        running: rooms.with(RoomStatus::InProgress),
        waiting,
        withdrawn: rooms.with(RoomStatus::Deprecated),
        catch_up: counts.catch_up,
        sentence,
    }
}

fn stage_sentence(
    stage: &PlannedStage,
    status: RingStatus,
    rollout: &str,
    rooms: &RoomsByStatus,
    waiting: i64,
) -> String {
    let some = |status: RoomStatus, word: &str| {
        if rooms.with(status) > 0 {
            format!(", {} {word}", rooms.with(status))
        } else {
            String::new()
        }
    };
    format!(
        "{}: {}. Nights {rollout}: {} installed{}{}, {waiting} waiting{}.",
        stage.name,
        status.label(),
        rooms.with(RoomStatus::Completed),
        some(RoomStatus::Failed, "failed"),
        some(RoomStatus::InProgress, "running"),
        some(RoomStatus::Deprecated, "deprecated"),
    )
}
