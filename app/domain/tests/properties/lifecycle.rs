//! Histories of releases and recalls of every form: support never comes back by itself, and its last day is the last one (L1–L3).

use chrono::{Days, NaiveDate};
use domain::lifecycle::{CountingRule, Recall, Release, ReleaseHistory, Support, SupportState, support_of};
use domain::version::VersionScheme;
use proptest::prelude::*;

/// Dates are days from 0 to 1 200, over three leap years and more.
const LAST_DAY: u64 = 1_200;

#[derive(Clone, Debug)]
struct Made {
    version: String,
    released: Option<NaiveDate>,
    recall: Recall,
}

fn date(day: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2023, 1, 1).expect("a date") + Days::new(day)
}

fn a_release() -> impl Strategy<Value = Made> {
    let recall = prop_oneof![
        8 => Just(Recall::Never),
        2 => (0..LAST_DAY).prop_map(|day| Recall::On(date(day))),
        1 => Just(Recall::DayUnknown),
    ];
    let released = proptest::option::weighted(0.9, (0..LAST_DAY).prop_map(date));
    ("[1-3]\\.[0-3](\\.[0-9])?", released, recall).prop_map(|(version, released, recall)| Made {
        version,
        released,
        recall,
    })
}

fn a_rule() -> impl Strategy<Value = CountingRule> {
    proptest::sample::select(CountingRule::ALL.to_vec())
}

/// How the first release stands.
fn asked(made: &[Made], by_release_date: bool, rule: CountingRule, as_of: NaiveDate) -> Support {
    let releases: Vec<Release<'_>> = made
        .iter()
        .map(|made| Release {
            version: &made.version,
            released: made.released,
            recall: made.recall,
        })
        .collect();
    let scheme = VersionScheme {
        by_release_date,
        optional_prefix: None,
    };
    let history = ReleaseHistory {
        releases: &releases,
        scheme: &scheme,
        rule,
    };
    support_of(&releases[0], &history, as_of)
}

fn is_recalled_between(made: &[Made], after: NaiveDate, until: NaiveDate) -> bool {
    made.iter()
        .any(|made| matches!(made.recall, Recall::On(day) if after < day && day <= until))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn support_comes_back_by_a_recall_alone_l1_l2_l3(
        made in proptest::collection::vec(a_release(), 1..9), by_release_date: bool, rule in a_rule(),
        earlier in 0..LAST_DAY * 2, days in 0..LAST_DAY,
    ) {
        let (earlier, later) = (date(earlier), date(earlier + days));
        let before = asked(&made, by_release_date, rule, earlier).state();
        let after = asked(&made, by_release_date, rule, later).state();
        if before == SupportState::Unsupported && !is_recalled_between(&made, earlier, later) {
            prop_assert_eq!(after, SupportState::Unsupported);
        }
    }

    #[test]
    fn a_version_is_supported_on_its_last_day_and_not_on_the_day_after_l1_l2_l3(
        made in proptest::collection::vec(a_release(), 1..9), by_release_date: bool, rule in a_rule(),
        as_of in 0..LAST_DAY * 2,
    ) {
        let as_of = date(as_of);
        let support = asked(&made, by_release_date, rule, as_of);
        let Some(last_day) = support.last_day else {
            prop_assert_ne!(support.state(), SupportState::Unsupported);
            return Ok(());
        };
        prop_assert_eq!(support.state() == SupportState::Supported, as_of <= last_day);
        // Asked again with what was known on the date asked: nothing is released or recalled after it.
        let known: Vec<Made> = made
            .iter()
            .enumerate()
            .filter(|(index, made)| *index == 0 || made.released.is_some_and(|day| day <= as_of))
            .map(|(_, made)| {
                let recall = match made.recall {
                    Recall::On(day) if day > as_of => Recall::Never,
                    recall => recall,
                };
                Made { recall, ..made.clone() }
            })
            .collect();
        let asked_on = |day| asked(&known, by_release_date, rule, day);
        let released = made[0].released.expect("a date, for its last day is known");
        // A recall changes what counts: also when a line began, and so which lines are higher.
        let is_same = !is_recalled_between(&known, last_day, as_of);
        // By lines, a version may come out when three higher ones exist already; it never was supported.
        if last_day >= released && is_same {
            prop_assert_eq!(asked_on(last_day).state(), SupportState::Supported);
        }
        let day_after = last_day + Days::new(1);
        if day_after >= released && is_same {
            prop_assert_eq!(asked_on(day_after).state(), SupportState::Unsupported);
        }
        if as_of <= last_day {
            prop_assert_eq!(asked_on(last_day).last_day, Some(last_day));
        }
    }

    #[test]
    fn a_release_without_a_date_changes_nothing_l1(
        made in proptest::collection::vec(a_release(), 1..9), by_release_date: bool, rule in a_rule(),
        as_of in 0..LAST_DAY * 2, undated in a_release(), place: prop::sample::Index,
    ) {
        let mut with_it = made.clone();
        with_it.insert(1 + place.index(made.len()), Made { released: None, ..undated });
        prop_assert_eq!(
            asked(&made, by_release_date, rule, date(as_of)),
            asked(&with_it, by_release_date, rule, date(as_of))
        );
    }
}
