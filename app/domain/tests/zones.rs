//! Windows of every zone against chrono-tz, which has a zone database and an algorithm of its own (SPEC W2, W3).
//!
//! The oracle walks a date minute by minute with what chrono-tz says the wall shows; nothing of `domain::window` is used to
//! compute what is expected. chrono-tz 0.10.4 embeds tzdata 2025b, jiff's bundled database is newer: only dates are compared on
//! which both must agree, and zones whose history was rewritten in between are left out by name.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use domain::window::{Window, WindowHours};
use domain::zone::{Zone, database_version};

/// Zones whose history between 1990 and 2024 differs in the two releases, each with the reason.
const REWRITTEN: [(&str, &str); 1] = [(
    "America/Bogota",
    "its summer time of 1992 begins on 2 May in the newer release, on 3 May in 2025b",
)];

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date")
}

fn offset(zone: Tz, instant: DateTime<Utc>) -> TimeDelta {
    zone.from_utc_datetime(&instant.naive_utc()).naive_local() - instant.naive_utc()
}

fn noon(date: NaiveDate) -> DateTime<Utc> {
    date.and_hms_opt(12, 0, 0).expect("noon").and_utc()
}

/// The last unbroken run of minutes at which the wall shows `night` and a time before 05:00, as [opens, closes).
fn expected(zone: Tz, night: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    // Since 1990 no zone has been further from UTC than 14 hours.
    let first = noon(night) - TimeDelta::hours(12 + 15);
    let mut runs: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    let mut ahead = offset(zone, first);
    for quarter in 0..(15 + 5 + 15) * 4 {
        let start = first + TimeDelta::minutes(quarter * 15);
        let here = ahead;
        ahead = offset(zone, start + TimeDelta::minutes(15));
        for minute in 0..15 {
            let instant = start + TimeDelta::minutes(minute);
            // In a quarter of an hour in which nothing changes the wall need not be asked for each minute.
            let offset = if here == ahead { here } else { offset(zone, instant) };
            let wall = instant.naive_utc() + offset;
            if wall.date() != night || wall.hour() >= 5 {
                continue;
            }
            match runs.last_mut() {
                Some((_, closes)) if *closes == instant => *closes = instant + TimeDelta::minutes(1),
                Some(_) | None => runs.push((instant, instant + TimeDelta::minutes(1))),
            }
        }
    }
    runs.last().copied()
}

/// The offset at noon of every seventh day: zones that have the same are walked once.
fn weeks(zone: Tz) -> Vec<(NaiveDate, TimeDelta)> {
    let first = date(1990, 1, 3);
    (0..1_825)
        .map(|week| first + Days::new(week * 7))
        .map(|day| (day, offset(zone, noon(day))))
        .collect()
}

/// Dates on which clocks change, every fifth year with the dates around them; and two ordinary ones every fifth year.
fn dates(zone: Tz, weeks: &[(NaiveDate, TimeDelta)]) -> Vec<NaiveDate> {
    let mut dates = Vec::new();
    for pair in weeks.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let full_year = start.0.year() % 5 == 0;
        let ordinary = full_year && matches!(start.0.month(), 1 | 7) && start.0.day() <= 7;
        if ordinary {
            dates.push(start.0);
        }
        if start.1 == end.1 {
            continue;
        }
        for day in start.0.iter_days().skip(1).take(7) {
            if offset(zone, noon(day)) != offset(zone, noon(day - Days::new(1))) {
                // The change lies between two noons: on this date, or late on the one before.
                dates.push(day);
                dates.push(day - Days::new(1));
                if full_year {
                    dates.push(day + Days::new(1));
                }
            }
        }
    }
    dates.sort();
    dates.dedup();
    dates
}

#[test]
fn windows_of_all_zones_are_those_that_chrono_tz_shows_minute_by_minute_w2() {
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut zones, mut nights) = (0, 0);
    let mut seen = BTreeSet::new();
    for tz in chrono_tz::TZ_VARIANTS {
        let Ok(zone) = Zone::parse(tz.name()) else { continue };
        if REWRITTEN.iter().any(|(name, _)| *name == tz.name()) {
            continue;
        }
        zones += 1;
        let weeks = weeks(tz);
        let dates = dates(tz, &weeks);
        // Names for the same place need not be walked again.
        let again = !seen.insert(weeks);
        for night in dates.into_iter().filter(|_| !again) {
            nights += 1;
            let expected = expected(tz, night);
            let window = Window::on(&zone, night, WindowHours::default()).map(|window| (window.opens, window.closes));
            if window != expected {
                wrong
                    .entry(tz.name())
                    .or_default()
                    .push(format!("{night}: {window:?}, chrono-tz {expected:?}"));
            }
        }
    }
    let report: Vec<String> = wrong
        .iter()
        .map(|(zone, nights)| format!("{zone} ({}): {}", nights.len(), nights[0]))
        .collect();
    assert!(report.is_empty(), "{}", report.join("\n"));
    assert!(zones > 500 && nights > 5_000, "{zones} zones, {nights} nights");
}

#[test]
fn the_database_is_of_2026_or_later_w3() {
    let version = database_version();
    assert!(version.as_str() >= "2026e", "{version}");
}

#[test]
fn zones_that_changed_their_minds_follow_the_newer_rules_w3() {
    // chrono-tz 2025b does not know of these: British Columbia stays on summer time from 2026 on.
    let opens = |zone: &str, night| {
        let zone = Zone::parse(zone).expect("a zone");
        Window::on(&zone, night, WindowHours::default())
            .expect("a window")
            .opens
            .to_rfc3339()
    };
    assert_eq!(
        opens("America/Vancouver", date(2026, 11, 22)),
        "2026-11-22T07:00:00+00:00"
    );
    assert_eq!(
        opens("America/Vancouver", date(2025, 11, 22)),
        "2025-11-22T08:00:00+00:00"
    );
}
