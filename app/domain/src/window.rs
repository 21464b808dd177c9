//! The nightly window in which a room may be touched (SPEC W1, W2).
//!
//! A window is read off the wall clock of one local date and never computed as start + 5 h. Start with [`Window::on`].

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::freeze::Freeze;
use crate::zone::Zone;

/// When a window opens and closes on the wall clock: half open, `[opens, closes)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowHours {
    /// Wall clock time at which it opens.
    pub opens: NaiveTime,
    /// Length on an ordinary night, in minutes, 60 to 1 440.
    pub minutes: u32,
}

impl Default for WindowHours {
    /// 00:00–05:00 (W1).
    fn default() -> Self {
        Self {
            opens: NaiveTime::MIN,
            minutes: 300,
        }
    }
}

/// One room's window on one local date, as instants: half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The local date.
    pub night: NaiveDate,
    /// First instant inside.
    pub opens: DateTime<Utc>,
    /// First instant after.
    pub closes: DateTime<Utc>,
}

impl Window {
    /// The window of `night` in `zone`, or none where that date does not exist (Apia 2011-12-30).
    ///
    /// - Clocks that change make it 4 or 6 hours long.
    /// - Where midnight does not exist (Havana 2026-03-08) it opens at the first instant that does.
    /// - Where the date's hours fall into several pieces (St John's 2006-10-29) it is the last piece.
    #[must_use]
    pub fn on(zone: &Zone, night: NaiveDate, hours: WindowHours) -> Option<Self> {
        let pieces = zone.pieces(night, hours.opens, TimeDelta::minutes(hours.minutes.into()));
        pieces.last().map(|&(opens, closes)| Self { night, opens, closes })
    }

    /// The first window that closes after `now` on a date not before `not_before`.
    #[must_use]
    pub fn next(zone: &Zone, not_before: NaiveDate, now: DateTime<Utc>, hours: WindowHours) -> Self {
        let mut night = not_before.max(zone.date(now) - Days::new(1));
        loop {
            if let Some(window) = Self::on(zone, night, hours).filter(|window| window.closes > now) {
                return window;
            }
            night = night + Days::new(1);
        }
    }

    /// The first window that closes after `now`, on a date not before `not_before` and not frozen (W6).
    #[must_use]
    pub fn next_free<'f>(
        zone: &Zone,
        not_before: NaiveDate,
        now: DateTime<Utc>,
        hours: WindowHours,
        frozen: impl Fn(NaiveDate) -> Option<&'f Freeze>,
    ) -> Self {
        let mut window = Self::next(zone, not_before, now, hours);
        while let Some(freeze) = frozen(window.night) {
            window = Self::next(zone, freeze.until + Days::new(1), now, hours);
        }
        window
    }

    /// Whether `instant` lies inside.
    #[must_use]
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.opens <= instant && instant < self.closes
    }

    /// Length in minutes.
    #[must_use]
    pub fn minutes(&self) -> i64 {
        (self.closes - self.opens).num_minutes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(zone: &str, night: &str) -> Option<Window> {
        let zone = Zone::parse(zone).expect("a zone of the database");
        Window::on(&zone, night.parse().expect("a date"), WindowHours::default())
    }

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn an_ordinary_night_lasts_five_hours_w1() {
        let night = window("Europe/Berlin", "2026-11-24").expect("a window");
        assert_eq!(night.opens, instant("2026-11-23T23:00:00Z"));
        assert_eq!(night.minutes(), 300);
        assert!(night.contains(night.opens));
        assert!(!night.contains(night.closes), "half open");
    }

    #[test]
    fn clocks_that_change_make_four_and_six_hours_w2() {
        assert_eq!(window("Europe/Berlin", "2026-03-29").expect("spring").minutes(), 240);
        assert_eq!(window("Europe/Berlin", "2026-10-25").expect("autumn").minutes(), 360);
        // Lord Howe's clocks change by half an hour.
        assert_eq!(
            window("Australia/Lord_Howe", "2026-10-04").expect("spring").minutes(),
            270
        );
    }

    #[test]
    fn where_midnight_does_not_exist_the_window_opens_at_the_first_instant_that_does_w2() {
        // Cairo goes from 00:00 to 01:00 on 24 April 2026.
        let cairo = window("Africa/Cairo", "2026-04-24").expect("a window");
        assert_eq!(cairo.opens, instant("2026-04-23T22:00:00Z"));
        assert_eq!(cairo.minutes(), 240);
        let havana = window("America/Havana", "2026-03-08").expect("a window");
        assert_eq!(
            Zone::parse("America/Havana")
                .expect("Havana")
                .local(havana.opens)
                .wall
                .to_string(),
            "2026-03-08 01:00:00"
        );
        assert_eq!(havana.minutes(), 240);
    }

    #[test]
    fn of_a_date_in_two_pieces_the_last_one_counts_w2() {
        // St John's went back from 00:01 to 23:01 of the day before: 29 October 2006 had a first minute, then a day of its own.
        let night = window("America/St_Johns", "2006-10-29").expect("a window");
        assert_eq!(night.opens, instant("2006-10-29T03:30:00Z"));
        assert_eq!(night.minutes(), 300);
    }

    #[test]
    fn a_date_that_does_not_exist_has_no_window_w2() {
        assert_eq!(window("Pacific/Apia", "2011-12-30"), None);
        let apia = Zone::parse("Pacific/Apia").expect("Apia");
        let skipped = "2011-12-30".parse().expect("a date");
        let next = Window::next(&apia, skipped, instant("2011-12-29T00:00:00Z"), WindowHours::default());
        assert_eq!(next.night.to_string(), "2011-12-31");
    }

    #[test]
    fn zone_rules_are_of_2026_w3() {
        let vancouver = window("America/Vancouver", "2026-11-22").expect("a window");
        assert_eq!(vancouver.opens, instant("2026-11-22T07:00:00Z"));
    }

    #[test]
    fn the_next_window_is_tonights_until_it_has_closed() {
        let berlin = Zone::parse("Europe/Berlin").expect("Berlin");
        let date = "2026-11-24".parse().expect("a date");
        let next = |now: &str| {
            Window::next(&berlin, date, instant(now), WindowHours::default())
                .night
                .to_string()
        };
        assert_eq!(next("2026-11-20T00:00:00Z"), "2026-11-24");
        assert_eq!(next("2026-11-24T03:59:59Z"), "2026-11-24");
        assert_eq!(next("2026-11-24T04:00:00Z"), "2026-11-25");
    }
}
