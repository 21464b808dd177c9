//! How dates and times are written for people: exact, with the zone's city (design: `Wed 25 Nov, 00:00–05:00 (Berlin)`).

use std::fmt;

#[cfg(feature = "zones")]
use chrono::{DateTime, Utc};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

#[cfg(feature = "zones")]
use crate::window::Window;
#[cfg(feature = "zones")]
use crate::zone::Zone;

/// A date as it was told to somebody: a value that a reason keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub date: NaiveDate,
    /// The year in which it was told: that year is not written.
    pub told_in: i32,
}

impl Day {
    /// `date`, told on `today`.
    #[must_use]
    pub fn new(date: NaiveDate, today: NaiveDate) -> Self {
        Self {
            date,
            told_in: today.year(),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&date(self.date, self.told_in))
    }
}

/// An instant on the wall clock of a place, as it was told to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// What the clock showed.
    pub wall: NaiveDateTime,
    /// Where: the zone's city.
    pub city: String,
    /// The year in which it was told: that year is not written.
    pub told_in: i32,
}

impl Moment {
    /// `instant` in `zone`, told at `now`.
    #[cfg(feature = "zones")]
    #[must_use]
    pub fn new(instant: DateTime<Utc>, zone: &Zone, now: DateTime<Utc>) -> Self {
        Self {
            wall: zone.local(instant).wall,
            city: zone.city(),
            told_in: zone.date(now).year(),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = date(self.wall.date(), self.told_in);
        write!(formatter, "{day}, {} ({})", self.wall.format("%H:%M"), self.city)
    }
}

/// A room's window as it was told to somebody: `Wed 25 Nov, 00:00–05:00 (Berlin)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Its date.
    pub night: Day,
    /// What the clock shows when it opens.
    pub opens: NaiveTime,
    /// What the clock shows when it closes.
    pub closes: NaiveTime,
    /// Where: the zone's city.
    pub city: String,
}

impl Night {
    /// The window of a room in `zone`, told at `now`.
    #[cfg(feature = "zones")]
    #[must_use]
    pub fn new(window: &Window, zone: &Zone, now: DateTime<Utc>) -> Self {
        let time = |instant| zone.local(instant).wall.time();
        Self {
            night: Day::new(window.night, zone.date(now)),
            opens: time(window.opens),
            closes: time(window.closes),
            city: zone.city(),
        }
    }
}

impl fmt::Display for Night {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (opens, closes) = (self.opens.format("%H:%M"), self.closes.format("%H:%M"));
        write!(formatter, "{}, {opens}–{closes} ({})", self.night, self.city)
    }
}

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
    Moment::new(instant, zone, now).to_string()
}

/// `Wed 25 Nov, 00:00–05:00 (Berlin)`, with the year when it is not the one of `now`.
#[cfg(feature = "zones")]
#[must_use]
pub fn window(window: &Window, zone: &Zone, now: DateTime<Utc>) -> String {
    Night::new(window, zone, now).to_string()
}

/// `00:00–05:00 (Berlin)`.
#[cfg(feature = "zones")]
#[must_use]
pub fn hours(window: &Window, zone: &Zone) -> String {
    let time = |instant| zone.local(instant).wall.format("%H:%M").to_string();
    format!("{}–{} ({})", time(window.opens), time(window.closes), zone.city())
}
