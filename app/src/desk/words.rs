//! Formats that several pages share.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use domain::deployment::Force;
use domain::room::Room;
use domain::status::RoomStatus;
use domain::when;
use domain::zone::Zone;
use service::pages::{Look, Start};

use super::PAGE;
use crate::view::{Pager, When};

pub(super) fn instant(at: DateTime<Utc>, zone: &Zone, now: DateTime<Utc>) -> When {
    When {
        text: when::instant(at, zone, now),
        machine: at.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

/// `Thu 24 Oct 2024`.
pub(super) fn today(now: DateTime<Utc>, zone: &Zone) -> String {
    zone.date(now).format("%a %-d %b %Y").to_string()
}

/// `10:00`.
pub(super) fn clock(now: DateTime<Utc>, zone: &Zone) -> When {
    let wall = zone.local(now).wall;
    When {
        text: wall.format("%H:%M").to_string(),
        machine: now.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

pub(super) fn day(date: NaiveDate, year: i32) -> When {
    When {
        text: when::date(date, year),
        machine: date.to_string(),
    }
}

pub(super) fn year(look: &Look) -> i32 {
    look.organisation.zone.date(look.now).year()
}

/// `Wed 2 Oct – Thu 3 Oct`, or one date.
pub(super) fn span(from: NaiveDate, until_exclusive: NaiveDate, year: i32) -> String {
    let last = until_exclusive.pred_opt().unwrap_or(until_exclusive);
    if last <= from {
        when::date(from, year)
    } else {
        format!("{} – {}", when::date(from, year), when::date(last, year))
    }
}

/// When an update starts that is paused.
pub(super) const AFTER_RESUME: &str = "After the resume";

/// When an update starts in a room.
pub(super) fn start(start: &Start, room: &Room, now: DateTime<Utc>) -> String {
    match start {
        Start::Window(window) => when::window(window, &room.zone, now),
        Start::Forced(force) => forced(*force).to_owned(),
        Start::AfterFreeze(date) => {
            let this_year = room.zone.date(now).year();
            format!("After the freeze, on {}", when::date(*date, this_year))
        }
        Start::AfterResume => AFTER_RESUME.to_owned(),
        Start::Running => "Running".to_owned(),
        Start::AfterRetry => "Only after a retry".to_owned(),
    }
}

/// Why an update in a room has no start ahead.
pub(super) fn no_start(status: RoomStatus) -> &'static str {
    match status {
        RoomStatus::Completed => "Done",
        RoomStatus::NotRequired
        | RoomStatus::Scheduled
        | RoomStatus::InProgress
        | RoomStatus::Failed
        | RoomStatus::Paused
        | RoomStatus::Deprecated => "Not planned",
    }
}

/// When what is forced starts (K5).
pub(super) fn forced(force: Force) -> &'static str {
    match force {
        Force::Now => "As soon as it polls",
        Force::WhenAvailable => "When the room is free",
    }
}

pub(super) fn count(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub(super) fn offset(page: u32) -> i64 {
    i64::from(page.max(1) - 1) * PAGE
}

/// A pager over numbered pages. From behind the last page the way back leads to the last one.
pub(super) fn numbered(page: u32, shown: i64, total: i64, one: &str, many: &str) -> Pager {
    let (page, first) = (page.max(1), offset(page));
    let text = if shown == 0 || shown == total {
        count(total, one, many)
    } else {
        format!("{}–{} of {}", first + 1, first + shown, count(total, one, many))
    };
    let last = (total - 1).max(0) / PAGE + 1;
    let previous = i64::from(page - 1).min(last);
    Pager {
        text,
        previous: (page > 1).then(|| format!("page={previous}")),
        next: (first + shown < total).then(|| format!("page={}", page + 1)),
    }
}

/// The pager of a list whose filters, as a query string, are `kept`.
pub(super) fn with_filters(pager: Pager, kept: &str) -> Pager {
    let with = |page: String| {
        if kept.is_empty() {
            page
        } else {
            format!("{kept}&{page}")
        }
    };
    Pager {
        text: pager.text,
        previous: pager.previous.map(with),
        next: pager.next.map(with),
    }
}

/// A value in a query string.
pub(super) fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A query string of those that are not empty.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let filled = pairs.iter().filter(|(_, value)| !value.is_empty());
    filled
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// A number under which the log has a fault of ours: unique in this process.
pub(super) fn incident() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(
        "{:04X}-{:04X}",
        std::process::id() & 0xffff,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
