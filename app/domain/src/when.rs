//! How dates and times are written for people: exact, with the zone's city (design: `Wed 25 Nov, 00:00–05:00 (Berlin)`).

#[cfg(feature = "zones")]
use chrono::{DateTime, Utc};
use chrono::{Datelike, NaiveDate};

use crate::freeze::Freeze;
#[cfg(feature = "zones")]
use crate::window::Window;
#[cfg(feature = "zones")]
use crate::zone::Zone;

/// `Wed 25 Nov`, with the year when it is not `this_year`.
#[must_use]
pub fn date(date: NaiveDate, this_year: i32) -> String {
    if date.year() == this_year {
        date.format("%a %-d %b").to_string()
    } else {
        date.format("%a %-d %b %Y").to_string()
    }
}

/// `Wed 25 Nov 2026`: for what is kept and read again in another year.
#[must_use]
pub fn dated(date: NaiveDate) -> String {
    date.format("%a %-d %b %Y").to_string()
}

/// `Wed 25 Nov, 01:12 (Berlin)`, with the year when it is not the one of `now`.
#[cfg(feature = "zones")]
#[must_use]
pub fn instant(instant: DateTime<Utc>, zone: &Zone, now: DateTime<Utc>) -> String {
    let wall = zone.local(instant).wall;
    format!(
        "{}, {} ({})",
        date(wall.date(), zone.date(now).year()),
        wall.format("%H:%M"),
        zone.city()
    )
}

/// `Wed 25 Nov, 00:00–05:00 (Berlin)`, with the year when it is not the one of `now`.
#[cfg(feature = "zones")]
#[must_use]
pub fn window(window: &Window, zone: &Zone, now: DateTime<Utc>) -> String {
    format!("{}, {}", date(window.night, zone.date(now).year()), hours(window, zone))
}

/// `frozen until Thu 2 Jan by Facilities: year-end close`, with the year when it is not `this_year`.
#[must_use]
pub fn freeze(freeze: &Freeze, this_year: i32) -> String {
    format!(
        "frozen until {} by {}: {}",
        date(freeze.until, this_year),
        freeze.owner,
        freeze.reason
    )
}

/// `00:00–05:00 (Berlin)`.
#[cfg(feature = "zones")]
#[must_use]
pub fn hours(window: &Window, zone: &Zone) -> String {
    let time = |instant| zone.local(instant).wall.format("%H:%M").to_string();
    format!("{}–{} ({})", time(window.opens), time(window.closes), zone.city())
}
