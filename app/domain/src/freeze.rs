//! Freezes: spans of local dates in which nothing starts (SPEC W6), and how plans step over them.
//!
//! A frozen date does not count as a plan day: a ring of ten nights has its ten nights on the first ten dates that are free, and
//! a test period waits likewise. So each date shifts a plan once, whoever froze it. Start with [`Freezes`]; [`Shift`] says where
//! the dates of a plan go when it is resumed, or when its freezes change.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{FreezeId, RingId, RoomId, SiteId, StageOf};

/// The longest span without a free date, in days (W6).
pub const MOST_FROZEN_DAYS: u32 = 30;
/// The fewest free dates between two frozen spans of the same rooms (W6).
pub const LEAST_FREE_DAYS: u32 = 14;

/// A span of local dates in which nothing starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Freeze {
    /// First frozen date: of a room, in its zone.
    pub from: NaiveDate,
    /// Last frozen date.
    pub until: NaiveDate,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it was made: what had started by then went on.
    pub made_at: DateTime<Utc>,
    /// Identity.
    pub id: FreezeId,
}

/// Whom a freeze concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope", content = "id")]
pub enum FreezeScope {
    /// Every room; moves the dates of every plan.
    Organisation,
    /// The rooms of a ring; moves the dates of plans in that ring.
    Ring(RingId),
    /// The rooms of a site; moves those rooms only.
    Site(SiteId),
    /// One room; moves that room only.
    Room(RoomId),
}

impl FreezeScope {
    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Ring(_) => "ring",
            Self::Site(_) => "site",
            Self::Room(_) => "room",
        }
    }
}

impl Freeze {
    /// Whether dates of it are ahead of `today`, which may be lifted (W6).
    #[must_use]
    pub fn is_ahead(&self, today: NaiveDate) -> bool {
        self.until > today
    }

    /// Whether `date` is frozen.
    #[must_use]
    pub fn covers(&self, date: NaiveDate) -> bool {
        self.from <= date && date <= self.until
    }
}

/// The freezes that move plans: the organisation's and the rings'. Those of a site or a room stand on [`crate::room::Room`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freezes {
    /// The organisation's.
    pub organisation: Vec<Freeze>,
    /// Of single rings.
    pub rings: BTreeMap<RingId, Vec<Freeze>>,
}

impl Freezes {
    /// The freeze that keeps `ring` from starting anything on `date`. All rooms are kept by those of the organisation alone.
    #[must_use]
    pub fn on(&self, ring: impl Into<StageOf>, date: NaiveDate) -> Option<&Freeze> {
        let ring = ring.into().ring();
        let of_ring = ring.and_then(|ring| self.rings.get(&ring)).into_iter().flatten();
        self.organisation
            .iter()
            .chain(of_ring)
            .find(|freeze| freeze.covers(date))
    }

    /// These freezes and a new one. One of a site or a room moves no plan and is none of them.
    #[must_use]
    pub fn with(&self, scope: FreezeScope, freeze: &Freeze) -> Self {
        let mut with = self.clone();
        let of = match scope {
            FreezeScope::Organisation => &mut with.organisation,
            FreezeScope::Ring(ring) => with.rings.entry(ring).or_default(),
            FreezeScope::Site(_) | FreezeScope::Room(_) => return with,
        };
        of.push(freeze.clone());
        of.sort_by_key(|freeze| (freeze.from, freeze.id));
        with
    }

    /// These freezes with one of them lifted: its last date is `last`, and without one it is as if it had never been.
    #[must_use]
    pub fn shortened(&self, id: FreezeId, last: Option<NaiveDate>) -> Self {
        let mut shortened = self.clone();
        let lists = std::iter::once(&mut shortened.organisation).chain(shortened.rings.values_mut());
        for list in lists {
            match last {
                None => list.retain(|freeze| freeze.id != id),
                Some(last) => list
                    .iter_mut()
                    .filter(|freeze| freeze.id == id)
                    .for_each(|freeze| freeze.until = last),
            }
        }
        shortened.rings.retain(|_, freezes| !freezes.is_empty());
        shortened
    }

    /// The free date number `index`, counted from 0, of those not before `from`.
    #[must_use]
    pub fn nth_free(&self, ring: StageOf, from: NaiveDate, index: u32) -> NaiveDate {
        let mut date = self.first_free(ring, from);
        for _ in 0..index {
            date = self.first_free(ring, date + Days::new(1));
        }
        date
    }

    /// The first date after `days` free ones from `from` on; `from` itself for none.
    #[must_use]
    pub fn end_of(&self, ring: StageOf, from: NaiveDate, days: u32) -> NaiveDate {
        match days.checked_sub(1) {
            None => from,
            Some(last) => self.nth_free(ring, from, last) + Days::new(1),
        }
    }

    /// Free dates from `from` on and before `until`.
    #[must_use]
    pub fn free_between(&self, ring: StageOf, from: NaiveDate, until: NaiveDate) -> u32 {
        let dates = from.iter_days().take_while(|date| *date < until);
        let free = dates.filter(|date| self.on(ring, *date).is_none()).count();
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    fn first_free(&self, ring: StageOf, from: NaiveDate) -> NaiveDate {
        let mut date = from;
        // Each turn leaves one freeze behind.
        while let Some(freeze) = self.on(ring, date) {
            date = freeze.until + Days::new(1);
        }
        date
    }
}

/// Dates of a plan that move: all from `from` on, so that as many free dates lie before each as did before, counted from `to`.
///
/// A resume (K3) moves from the date of the pause to that of the resume; a changed freeze stays on the date of the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The first date that moves.
    pub from: NaiveDate,
    /// Where it moves.
    pub to: NaiveDate,
    /// The freezes under which the dates were made.
    pub before: Freezes,
    /// The freezes of now.
    pub after: Freezes,
}

impl Shift {
    /// How a change of freezes moves dates (W6): those from `today` on, the organisation's date.
    #[must_use]
    pub fn of_freezes(today: NaiveDate, before: &Freezes, after: &Freezes) -> Self {
        Self {
            from: today,
            to: today,
            before: before.clone(),
            after: after.clone(),
        }
    }

    /// The calendar days by which it moves.
    #[must_use]
    pub fn days(&self) -> u32 {
        u32::try_from((self.to - self.from).num_days()).unwrap_or(0)
    }

    /// Where a date of `ring`'s plan goes.
    #[must_use]
    pub fn date(&self, ring: StageOf, date: NaiveDate) -> NaiveDate {
        if date < self.from {
            return date;
        }
        let index = self.before.free_between(ring, self.from, date);
        self.after.nth_free(ring, self.to, index)
    }

    /// Where the start of a ring goes that has not been entered: the ring would have begun on the first free date from `date` on.
    #[must_use]
    pub fn start(&self, ring: StageOf, date: NaiveDate) -> NaiveDate {
        self.date(ring, self.before.nth_free(ring, date, 0))
    }

    /// Where the end of a span goes: the first date after it.
    #[must_use]
    pub fn end(&self, ring: StageOf, end: NaiveDate) -> NaiveDate {
        if end <= self.from {
            return end;
        }
        let left = self.before.free_between(ring, self.from, end);
        self.after.end_of(ring, self.to, left)
    }
}

/// A date that plans cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} must lie between 1900-01-01 and 2999-12-31")]
pub struct DateOutOfRange(pub NaiveDate);

/// Whether a date that somebody typed is one that plans can hold: calendars are not computed to the end of time.
///
/// # Errors
/// It is not; the error names the limits.
pub fn check_date(date: NaiveDate) -> Result<(), DateOutOfRange> {
    if (1900..3000).contains(&date.year()) {
        Ok(())
    } else {
        Err(DateOutOfRange(date))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const GENERAL: RingId = RingId(Uuid::from_u128(2));

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn freeze(from: &str, until: &str) -> Freeze {
        Freeze {
            from: date(from),
            until: date(until),
            owner: "Facilities".to_owned(),
            reason: "year end".to_owned(),
            made_at: DateTime::UNIX_EPOCH,
            id: FreezeId(Uuid::nil()),
        }
    }

    /// The organisation is frozen from 10 to 12 March, General from 12 to 14 March.
    fn freezes() -> Freezes {
        Freezes {
            organisation: vec![freeze("2025-03-10", "2025-03-12")],
            rings: BTreeMap::from([(GENERAL, vec![freeze("2025-03-12", "2025-03-14")])]),
        }
    }

    #[test]
    fn a_date_that_two_freezes_cover_counts_once_w6() {
        let other = RingId(Uuid::from_u128(1));
        assert_eq!(
            freezes().nth_free(StageOf::Ring(GENERAL), date("2025-03-08"), 1),
            date("2025-03-09")
        );
        assert_eq!(
            freezes().nth_free(StageOf::Ring(GENERAL), date("2025-03-08"), 2),
            date("2025-03-15")
        );
        assert_eq!(
            freezes().nth_free(StageOf::Ring(other), date("2025-03-08"), 2),
            date("2025-03-13")
        );
        assert_eq!(
            freezes().free_between(StageOf::Ring(GENERAL), date("2025-03-08"), date("2025-03-16")),
            3
        );
        assert_eq!(
            freezes().end_of(StageOf::Ring(GENERAL), date("2025-03-08"), 2),
            date("2025-03-10")
        );
        assert_eq!(
            freezes().end_of(StageOf::Ring(GENERAL), date("2025-03-08"), 3),
            date("2025-03-16")
        );
        assert_eq!(
            freezes().end_of(StageOf::Ring(GENERAL), date("2025-03-08"), 0),
            date("2025-03-08")
        );
    }

    #[test]
    fn a_pause_that_contains_a_freeze_costs_each_date_once_w6_k3() {
        let freezes = freezes();
        let shift = Shift {
            from: date("2025-03-09"),
            to: date("2025-03-16"),
            before: freezes.clone(),
            after: freezes,
        };
        // The 9th was the first free date of the pause, the 15th the second.
        assert_eq!(
            shift.date(StageOf::Ring(GENERAL), date("2025-03-08")),
            date("2025-03-08"),
            "before the pause"
        );
        assert_eq!(
            shift.date(StageOf::Ring(GENERAL), date("2025-03-09")),
            date("2025-03-16")
        );
        assert_eq!(
            shift.date(StageOf::Ring(GENERAL), date("2025-03-15")),
            date("2025-03-17")
        );
        assert_eq!(
            shift.end(StageOf::Ring(GENERAL), date("2025-03-09")),
            date("2025-03-09")
        );
        assert_eq!(
            shift.end(StageOf::Ring(GENERAL), date("2025-03-16")),
            date("2025-03-18")
        );
    }

    #[test]
    fn a_freeze_that_is_lifted_gives_its_dates_back_w6() {
        let (frozen, free) = (freezes(), Freezes::default());
        let shift = Shift {
            from: date("2025-03-09"),
            to: date("2025-03-09"),
            before: frozen,
            after: free,
        };
        assert_eq!(
            shift.date(StageOf::Ring(GENERAL), date("2025-03-15")),
            date("2025-03-10")
        );
        assert_eq!(
            shift.end(StageOf::Ring(GENERAL), date("2025-03-16")),
            date("2025-03-11")
        );
    }
}
