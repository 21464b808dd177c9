//! The pictures of a rollout: the track in a list (T10), and the timeline in dates (P3).

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use domain::rollout::{Rollout, RolloutState};
use domain::status::{self, RoomStatus};
use service::read::updates::UpdateDetail;
use service::read::updates::timeline::{UpdateNight, UpdateStage};
use service::read::{ReadSnapshot, UpdateSummary};

use crate::formats;
use crate::updates::model::{CalendarView, NightView, StageView, TrackMark, TrackRing, TrackView};
use crate::updates::present::rooms::stage_ring;
use crate::updates::present::{caption, status_date};

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

pub(crate) fn track(snapshot: &ReadSnapshot, summary: &UpdateSummary) -> TrackView {
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
    let parts = rings.iter().zip(&summary.calendar);
    let parts: Vec<String> = parts
        .map(|(ring, stage)| ring_sentence(ring, summary.was_not_reached(stage)))
        .collect();
    let sentence = format!("{}: {}.", summary.status.label(), parts.join("; "));
    TrackView {
        rings,
        mark,
        sentence,
        caption: caption(snapshot, summary),
    }
}

fn ring_sentence(ring: &TrackRing, not_reached: bool) -> String {
    let total = ring.done + ring.failed + ring.waiting + ring.withdrawn;
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

pub(crate) fn calendar_view(snapshot: &ReadSnapshot, update: &UpdateDetail) -> CalendarView {
    let summary = &update.summary;
    let year = formats::year(snapshot);
    let zone = &snapshot.organisation.zone;
    let first = summary.starts_on;
    let last = summary.calendar.last().map_or(first, |stage| stage.test_ends);
    let length = u32::try_from((last - first).num_days()).unwrap_or(0).max(1);
    let day_of = |date: NaiveDate| u32::try_from((date - first).num_days()).unwrap_or(0);
    let stages = update.stages.iter();
    let stages = stages.map(|stage| stage_view(summary, stage, &day_of, year));
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
    CalendarView {
        labels: labels.collect(),
        length,
        first_weekday: first.weekday().num_days_from_monday(),
        now: inside.then(|| f64::from(day_of(wall.date())) + share_of_day(wall.time())),
        clock: f64::from(day_of(stands_on)) + share,
        paused,
        stages: stages.collect(),
    }
}

/// `day_of`: days since the first day of the calendar.
fn stage_view(
    summary: &UpdateSummary,
    stage: &UpdateStage,
    day_of: &impl Fn(NaiveDate) -> u32,
    year: i32,
) -> StageView {
    let (rooms, planned) = (&stage.rooms, &stage.planned);
    let test = if planned.test_ends > planned.rollout_ends {
        formats::span(planned.rollout_ends, planned.test_ends, year)
    } else {
        String::new()
    };
    let rollout = formats::span(planned.starts_on, planned.rollout_ends, year);
    let waiting = rooms.waiting() + stage.ahead;
    let all = rooms.total() + stage.ahead;
    let (installed, sentence) = if all == 0 && summary.was_not_reached(planned) {
        ("Not reached".to_owned(), format!("{} was not reached.", planned.name))
    } else {
        let sentence = stage_sentence(stage, &rollout, waiting);
        (format!("{} of {all}", rooms.with(RoomStatus::Completed)), sentence)
    };
    StageView {
        ring: stage_ring(planned.ring, &planned.name, planned.place),
        status: stage.status,
        rollout,
        test,
        first_day: day_of(planned.starts_on),
        rollout_length: u32::try_from((planned.rollout_ends - planned.starts_on).num_days()).unwrap_or(0),
        test_length: u32::try_from((planned.test_ends - planned.rollout_ends).num_days()).unwrap_or(0),
        nights: night_views(&stage.nights, day_of),
        installed,
        failed: rooms.with(RoomStatus::Failed),
        running: rooms.with(RoomStatus::InProgress),
        waiting,
        withdrawn: rooms.with(RoomStatus::Deprecated),
        catch_up: stage.catch_ups,
        sentence,
    }
}

/// Nights before the first day of the calendar stand on that.
fn night_views(nights: &[UpdateNight], day_of: &impl Fn(NaiveDate) -> u32) -> Vec<NightView> {
    let mut by_day: BTreeMap<u32, NightView> = BTreeMap::new();
    for night in nights {
        let day = day_of(night.night);
        let view = by_day.entry(day).or_insert(NightView {
            day,
            done: 0,
            failed: 0,
            running: 0,
            waiting: 0,
            tonight: false,
        });
        view.done += night.completed;
        view.failed += night.failed;
        view.running += night.in_progress;
        view.waiting += night.scheduled;
        view.tonight |= night.tonight;
    }
    by_day.into_values().collect()
}

fn stage_sentence(stage: &UpdateStage, rollout: &str, waiting: i64) -> String {
    let rooms = &stage.rooms;
    let some = |status: RoomStatus, word: &str| {
        if rooms.with(status) > 0 {
            format!(", {} {word}", rooms.with(status))
        } else {
            String::new()
        }
    };
    format!(
        "{}: {}. Nights {rollout}: {} installed{}{}, {waiting} waiting{}.",
        stage.planned.name,
        stage.status.label(),
        rooms.with(RoomStatus::Completed),
        some(RoomStatus::Failed, "failed"),
        some(RoomStatus::InProgress, "running"),
        some(RoomStatus::Deprecated, "deprecated"),
    )
}
