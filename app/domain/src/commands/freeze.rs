//! Freeze (W6): dates in which nothing starts, for the organisation, a ring, a site or a room.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::changes::{Changes, FreezeChange, Recheck, TakeBack, Wake, WakeOf};
use crate::commands::resume::Calendar;
use crate::freeze::{Freeze, FreezeScope, Freezes, LEAST_FREE_DAYS, MOST_FROZEN_DAYS, Shift, check_date};
use crate::ids::UpdateId;
use crate::refusal::Refusal;
use crate::rollout::Rollout;

/// First and last date of freezes.
pub type Spans = Vec<(NaiveDate, NaiveDate)>;

/// A freeze is made. `beside`: the freezes that its rooms have already, once for each set of rooms that have the same. `live`: the live
/// rollouts. `calendar`: as it is.
///
/// # Errors
/// It begins in the past or ends before it begins, it would be too long, or too near to another one.
pub fn freeze<'r>(
    scope: FreezeScope,
    made: &Freeze,
    beside: &[Spans],
    live: impl Iterator<Item = &'r Rollout>,
    calendar: Calendar<'_>,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    check_dates(calendar.zone.date(now), beside, made.from, made.until)?;
    let mut changes = replan(scope, live, calendar, &calendar.freezes.with(scope, made), now);
    changes.freezes.push(FreezeChange::Made {
        scope,
        freeze: made.clone(),
    });
    changes.taken_back.push(TakeBack {
        scope,
        nights: Some((made.from, made.until)),
        at: now,
    });
    Ok(changes)
}

/// Whether a freeze from `from` to `until` may be made on `today`, the organisation's date.
fn check_dates(today: NaiveDate, beside: &[Spans], from: NaiveDate, until: NaiveDate) -> Result<(), Refusal> {
    if from < today {
        return Err(Refusal::FreezeBegan { from, today });
    }
    beside.iter().try_for_each(|others| check(others, from, until))
}

/// Whether rooms that have `others` already may have this one too. Freezes that touch or overlap count as one span.
fn check(others: &[(NaiveDate, NaiveDate)], from: NaiveDate, until: NaiveDate) -> Result<(), Refusal> {
    for (field, date) in [("first date", from), ("last date", until)] {
        check_date(date).map_err(|error| Refusal::DateOutOfRange { field, error })?;
    }
    if until < from {
        return Err(Refusal::FreezeEndsFirst { from, until });
    }
    let mut spans: BTreeSet<(NaiveDate, NaiveDate)> = others.iter().copied().collect();
    spans.insert((from, until));
    let mut joined: Spans = Vec::new();
    for (first, last) in spans {
        match joined.last_mut() {
            Some((_, before)) if first <= *before + Days::new(1) => *before = last.max(*before),
            Some(_) | None => joined.push((first, last)),
        }
    }
    for (first, last) in &joined {
        let (first, last, days) = (*first, *last, (*last - *first).num_days() + 1);
        if days > i64::from(MOST_FROZEN_DAYS) {
            return Err(Refusal::FreezeTooLong { first, last, days });
        }
    }
    for pair in joined.windows(2) {
        let (before, after) = (pair[0].1, pair[1].0);
        let free = (after - before).num_days() - 1;
        if free < i64::from(LEAST_FREE_DAYS) {
            return Err(Refusal::FreezesTooNear { before, after, free });
        }
    }
    Ok(())
}

/// What follows when the freezes of `scope` change, to `after` where they move plans: a freeze is made or lifted. Dates ahead move with
/// the plans, and rooms are looked at.
pub(super) fn replan<'r>(
    scope: FreezeScope,
    live: impl Iterator<Item = &'r Rollout>,
    calendar: Calendar<'_>,
    after: &Freezes,
    now: DateTime<Utc>,
) -> Changes {
    let ring = match scope {
        FreezeScope::Organisation => None,
        FreezeScope::Ring(ring) => Some(ring),
        FreezeScope::Site(site) => {
            return Changes {
                rechecks: vec![Recheck::Site(site)],
                ..Changes::default()
            };
        }
        FreezeScope::Room(room) => {
            return Changes {
                rechecks: vec![Recheck::Room(room)],
                ..Changes::default()
            };
        }
    };
    let shift = Shift::of_freezes(calendar.zone.date(now), calendar.freezes, after);
    let moved = live.map(|rollout| rollout.under_freezes(&shift));
    // When its next ring begins depends on what is frozen.
    let rollouts: Vec<Rollout> = moved.map(|moved| moved.wake(now).unwrap_or(moved)).collect();
    let mut changes = Changes {
        woken: rollouts
            .iter()
            .map(|rollout| Wake::update(rollout.update, now))
            .collect(),
        ..Changes::default()
    };
    changes.woken.push(Wake {
        what: WakeOf::UnderFinished(ring),
        at: now,
    });
    for rollout in &rollouts {
        changes.move_nights(rollout, &shift);
    }
    changes.rollouts = rollouts;
    changes
}

/// The last date of each live rollout's plan, as it is and under a freeze that would be made with `changes` (K9). `calendar`: as it is.
#[must_use]
pub fn last_dates<'r>(
    live: impl Iterator<Item = &'r Rollout>,
    changes: &Changes,
    calendar: Calendar<'_>,
    now: DateTime<Utc>,
) -> Vec<(UpdateId, NaiveDate, NaiveDate)> {
    let mut after = calendar.freezes.clone();
    for change in &changes.freezes {
        if let FreezeChange::Made { scope, freeze } = change {
            after = after.with(*scope, freeze);
        }
    }
    let last = |rollout: &Rollout, freezes: &Freezes| {
        let stages = rollout.calendar_at(calendar.rings, freezes, calendar.zone, now);
        stages.last().and_then(|stage| stage.test_ends.pred_opt())
    };
    live.filter_map(|was| {
        let moved = changes.rollouts.iter().find(|moved| moved.update == was.update);
        Some((
            was.update,
            last(was, calendar.freezes)?,
            last(moved.unwrap_or(was), &after)?,
        ))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::refusal::with_field;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_freeze_has_at_most_30_days_and_leaves_14_free_ones_w6() {
        let ask = |others: &[(&str, &str)], from: &str, until: &str| {
            let others: Spans = others.iter().map(|(from, until)| (date(from), date(until))).collect();
            let today = date("2025-12-01");
            check_dates(today, &[others], date(from), date(until)).map_err(|refusal| with_field(&refusal))
        };
        assert_eq!(ask(&[], "2025-12-01", "2025-12-30"), Ok(()), "30 days");
        let refused = ask(&[], "2025-11-30", "2025-12-01").expect_err("it has begun");
        assert_eq!(refused, "first date: 2025-11-30 has passed; it is 2025-12-01");
        let refused = ask(&[], "2025-12-01", "2025-12-31").expect_err("31 days");
        assert_eq!(
            refused,
            "last date: 2025-12-01 to 2025-12-31 would be 31 frozen days in a row; at most 30 are allowed"
        );
        let refused = ask(&[], "2025-12-02", "2025-12-01").expect_err("backwards");
        assert_eq!(refused, "last date: 2025-12-01 is before the first date 2025-12-02");
        let refused = ask(&[], "2025-12-02", "3000-01-01").expect_err("too far");
        assert_eq!(
            refused,
            "last date: 3000-01-01 must lie between 1900-01-01 and 2999-12-31"
        );
        assert_eq!(
            ask(&[("2025-12-01", "2025-12-05")], "2025-12-20", "2025-12-21"),
            Ok(()),
            "14 free days"
        );
        let refused = ask(&[("2025-12-01", "2025-12-05")], "2025-12-19", "2025-12-21").expect_err("13 free days");
        assert_eq!(
            refused,
            "first date: only 13 free days between 2025-12-05 and 2025-12-19; these rooms need at least 14 between two freezes"
        );
        assert_eq!(
            ask(&[("2025-12-01", "2025-12-05")], "2025-12-04", "2025-12-10"),
            Ok(()),
            "they overlap"
        );
        assert!(
            ask(&[("2025-12-01", "2025-12-20")], "2025-12-21", "2025-12-31").is_err(),
            "one span of 31 days, however it is cut"
        );
    }
}
