//! Every clause of L1, L2 and L3 with its last day and the day after, and products of the catalogue worked out by hand.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use serde::Deserialize;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// A release; no date where the text is empty.
fn release<'a>(version: &'a str, released: &str) -> Release<'a> {
    Release {
        version,
        released: released.parse().ok(),
        recall: Recall::Never,
    }
}

fn recalled<'a>(version: &'a str, released: &str, recall: Recall) -> Release<'a> {
    Release {
        recall,
        ..release(version, released)
    }
}

/// The first release is the one that is asked about.
fn asked(releases: &[Release<'_>], rule: CountingRule, as_of: &str) -> Support {
    let history = ReleaseHistory {
        releases,
        scheme: &VersionScheme::default(),
        rule,
    };
    support_of(&releases[0], &history, day(as_of))
}

#[track_caller]
fn supported(releases: &[Release<'_>], rule: CountingRule, as_of: &str, last_day: Option<&str>) {
    let support = asked(releases, rule, as_of);
    assert_eq!(support.state(), SupportState::Supported, "{support:?}");
    assert_eq!(support.last_day, last_day.map(day), "{support:?}");
}

#[track_caller]
fn unsupported(releases: &[Release<'_>], rule: CountingRule, as_of: &str, last_day: &str) {
    let support = asked(releases, rule, as_of);
    assert_eq!(support.state(), SupportState::Unsupported, "{support:?}");
    assert_eq!(support.last_day, Some(day(last_day)), "{support:?}");
}

use CountingRule::{Lines, Releases};

#[test]
fn support_ends_twelve_months_after_the_release_with_that_day_included_l1() {
    let releases = [release("1.0", "2023-05-10"), release("1.1", "2023-06-01")];
    supported(&releases, Releases, "2024-05-10", Some("2024-05-10"));
    unsupported(&releases, Releases, "2024-05-11", "2024-05-10");
    let why = asked(&releases, Releases, "2024-05-11").why;
    assert_eq!(
        why.sentence(),
        "Released on Wed 10 May 2023, it had 12 months of support, to Fri 10 May 2024."
    );
}

#[test]
fn the_twelve_months_of_29_february_end_on_28_february_l1() {
    let releases = [release("1.0", "2024-02-29"), release("1.1", "2024-03-01")];
    supported(&releases, Releases, "2025-02-28", Some("2025-02-28"));
    unsupported(&releases, Releases, "2025-03-01", "2025-02-28");
}

#[test]
fn the_twelve_months_of_28_february_end_before_a_leap_day_l1() {
    let releases = [release("1.0", "2023-02-28"), release("1.1", "2023-03-01")];
    supported(&releases, Releases, "2024-02-28", Some("2024-02-28"));
    unsupported(&releases, Releases, "2024-02-29", "2024-02-28");
}

#[test]
fn the_third_newer_release_ends_support_on_its_day_l1() {
    let releases = [
        release("1.0", "2024-01-10"),
        release("1.1", "2024-02-01"),
        release("1.2", "2024-03-01"),
        release("1.3", "2024-04-01"),
        release("1.4", "2024-05-01"),
    ];
    supported(&releases, Releases, "2024-03-31", Some("2025-01-10"));
    unsupported(&releases, Releases, "2024-04-01", "2024-03-31");
    unsupported(&releases, Releases, "2026-01-01", "2024-03-31");
    assert_eq!(asked(&releases, Releases, "2024-03-31").newer_releases, 2);
    assert_eq!(asked(&releases, Releases, "2024-06-01").newer_releases, 4);
    assert_eq!(
        asked(&releases, Releases, "2024-06-01").why.sentence(),
        "The third newer release, 1.3, came on Mon 1 Apr 2024; at most 2 may be newer."
    );
}

#[test]
fn two_releases_of_one_day_count_as_two_l1() {
    let releases = [
        release("1.0", "2024-01-10"),
        release("1.1", "2024-02-01"),
        release("1.3", "2024-03-01"),
        release("1.2", "2024-03-01"),
    ];
    supported(&releases, Releases, "2024-02-29", Some("2025-01-10"));
    unsupported(&releases, Releases, "2024-03-01", "2024-02-29");
    assert_eq!(asked(&releases, Releases, "2024-03-01").newer_releases, 3);
}

#[test]
fn a_release_of_the_same_day_is_not_newer_l1() {
    let releases = [
        release("1.0", "2024-01-10"),
        release("1.1", "2024-01-10"),
        release("1.2", "2024-02-01"),
        release("1.3", "2024-03-01"),
    ];
    supported(&releases, Releases, "2024-03-01", Some("2025-01-10"));
    assert_eq!(asked(&releases, Releases, "2024-03-01").newer_releases, 2);
}

#[test]
fn the_first_clause_that_ends_support_wins_and_the_age_where_both_do_on_one_day_l1() {
    let with_third = |third| {
        [
            release("1.0", "2023-01-10"),
            release("1.1", "2023-02-01"),
            release("1.2", "2023-03-01"),
            release("1.3", third),
        ]
    };
    // The third comes a day before, on the day that both end support, and later.
    unsupported(&with_third("2024-01-10"), Releases, "2024-06-01", "2024-01-09");
    for third in ["2024-01-11", "2024-03-01"] {
        let releases = with_third(third);
        unsupported(&releases, Releases, "2024-06-01", "2024-01-10");
        let why = asked(&releases, Releases, "2024-06-01").why;
        assert!(matches!(why, SupportReason::TooOld { .. }), "{why:?}");
    }
}

#[test]
fn a_release_dated_after_the_date_asked_does_not_exist_yet_l1() {
    let releases = [
        release("1.0", "2024-01-10"),
        release("1.1", "2024-02-01"),
        release("1.2", "2024-03-01"),
        release("1.3", "2024-04-01"),
    ];
    supported(&releases, Releases, "2024-01-31", None);
    supported(&releases, Releases, "2024-02-01", Some("2025-01-10"));
    assert_eq!(asked(&releases, Releases, "2024-02-29").newer_releases, 1);
    // Neither does the version itself.
    let before = asked(&releases, Releases, "2024-01-09");
    assert_eq!((before.state(), before.last_day), (SupportState::Unknown, None));
}

#[test]
fn a_recalled_release_counts_until_the_day_before_its_recall_l1() {
    let with_third = |recall| {
        [
            release("1.0", "2024-01-10"),
            release("1.1", "2024-02-01"),
            release("1.2", "2024-03-01"),
            recalled("1.3", "2024-04-01", recall),
        ]
    };
    let later = with_third(Recall::On(day("2024-04-20")));
    unsupported(&later, Releases, "2024-04-19", "2024-03-31");
    supported(&later, Releases, "2024-04-20", Some("2025-01-10"));
    assert_eq!(asked(&later, Releases, "2024-04-20").newer_releases, 2);
    let at_once = with_third(Recall::On(day("2024-04-01")));
    supported(&at_once, Releases, "2024-04-01", Some("2025-01-10"));
    let some_day = with_third(Recall::DayUnknown);
    supported(&some_day, Releases, "2024-04-01", Some("2025-01-10"));
}

#[test]
fn a_release_without_a_date_is_unknown_and_never_counts_l1() {
    let mut releases = vec![release("1.0", "2024-01-10"), release("1.1", "2024-02-01")];
    releases.extend(["1.2", "1.3", "1.4"].map(|version| release(version, "")));
    for rule in CountingRule::ALL {
        supported(&releases, rule, "2024-06-01", Some("2025-01-10"));
        assert_eq!(asked(&releases, rule, "2024-06-01").newer_releases, 1);
    }
    let undated = asked(&releases[2..], Releases, "2024-06-01");
    assert_eq!(undated, Support::unknown(SupportReason::Undated));
}

#[test]
fn the_newest_release_is_never_too_old_l2() {
    for others in [vec![], vec![release("0.9", "2020-01-01")], vec![release("1.1", "")]] {
        let mut releases = vec![release("1.0", "2021-01-10")];
        releases.extend(others);
        for as_of in ["2021-01-10", "2022-01-10", "2022-01-11", "2030-01-01"] {
            supported(&releases, Releases, as_of, None);
        }
    }
}

#[test]
fn an_old_version_loses_support_on_the_day_something_newer_appears_l2() {
    let releases = [release("1.0", "2021-01-10"), release("1.1", "2023-06-01")];
    supported(&releases, Releases, "2023-05-31", None);
    unsupported(&releases, Releases, "2023-06-01", "2023-05-31");
    assert_eq!(
        asked(&releases, Releases, "2023-06-01").why.sentence(),
        "It is older than 12 months and was the newest release until 1.1 came on Thu 1 Jun 2023."
    );
}

#[test]
fn something_newer_on_the_day_after_the_twelve_months_changes_nothing_l2() {
    for (newer, last_day) in [
        ("2022-01-10", "2022-01-10"),
        ("2022-01-11", "2022-01-10"),
        ("2022-01-12", "2022-01-11"),
    ] {
        let releases = [release("1.0", "2021-01-10"), release("1.1", newer)];
        unsupported(&releases, Releases, "2022-03-01", last_day);
    }
}

#[test]
fn an_old_version_is_the_newest_again_once_what_came_after_it_is_recalled_l2() {
    let releases = [
        release("1.0", "2021-01-10"),
        recalled("1.1", "2023-06-01", Recall::On(day("2023-06-05"))),
        release("1.2", "2023-08-01"),
    ];
    unsupported(&releases, Releases, "2023-06-04", "2023-05-31");
    supported(&releases, Releases, "2023-06-05", None);
    unsupported(&releases, Releases, "2023-08-01", "2023-07-31");
}

#[test]
fn a_line_counts_once_and_from_its_first_release_l3() {
    let releases = [
        release("1.0.1", "2024-01-10"),
        release("1.0.2", "2024-01-20"),
        release("1.1.0", "2024-02-01"),
        release("1.1.1", "2024-02-10"),
        release("1.1.2", "2024-02-20"),
        release("1.2.0", "2024-03-01"),
        release("1.2.1", "2024-03-10"),
        release("2.0.0", "2024-04-01"),
        release("2.0.1", "2024-04-10"),
    ];
    supported(&releases, Lines, "2024-03-31", Some("2025-01-10"));
    unsupported(&releases, Lines, "2024-04-01", "2024-03-31");
    let support = asked(&releases, Lines, "2024-05-01");
    assert_eq!(support.newer_releases, 8);
    assert_eq!(
        support.why.sentence(),
        "The third newer release line began with 2.0.0 on Mon 1 Apr 2024; at most 2 may be newer."
    );
    unsupported(&releases, Releases, "2024-04-01", "2024-02-09");
}

#[test]
fn a_line_goes_on_counting_from_its_next_release_when_its_first_one_is_recalled_l3() {
    let releases = [
        release("1.0", "2024-01-10"),
        release("1.1", "2024-02-01"),
        release("1.2", "2024-03-01"),
        recalled("1.3.0", "2024-04-01", Recall::On(day("2024-04-05"))),
        release("1.3.1", "2024-04-10"),
    ];
    unsupported(&releases, Lines, "2024-04-04", "2024-03-31");
    supported(&releases, Lines, "2024-04-09", Some("2025-01-10"));
    unsupported(&releases, Lines, "2024-04-10", "2024-04-09");
}

#[test]
fn a_lower_line_released_later_counts_for_the_age_and_not_for_the_number_l2_l3() {
    let releases = [
        release("2.0.0", "2021-01-10"),
        release("1.9.1", "2023-06-01"),
        release("1.8.1", "2023-07-01"),
        release("1.7.1", "2023-08-01"),
    ];
    supported(&releases, Lines, "2023-05-31", None);
    unsupported(&releases, Lines, "2023-06-01", "2023-05-31");
    let young = [
        release("2.0.0", "2023-05-01"),
        releases[1],
        releases[2],
        releases[3],
        release("2.0.1", "2023-09-01"),
    ];
    supported(&young, Lines, "2023-09-01", Some("2024-05-01"));
    unsupported(&young, Releases, "2023-09-01", "2023-07-31");
}

#[test]
fn a_higher_line_that_began_before_the_version_came_out_is_newer_l3() {
    let mut releases = vec![
        release("1.0.9", "2024-06-01"),
        release("1.0.0", "2024-01-01"),
        release("1.1.0", "2024-02-01"),
        release("1.2.0", "2024-03-01"),
    ];
    // It is the newest by its date.
    supported(&releases, Lines, "2024-06-01", None);
    releases.push(release("1.3.0", "2024-07-01"));
    unsupported(&releases, Lines, "2024-07-01", "2024-06-30");
    // L2 keeps the newest one from its age alone.
    releases[4] = release("1.3.0", "2024-04-01");
    unsupported(&releases, Lines, "2024-06-01", "2024-03-31");
    assert_eq!(asked(&releases, Lines, "2024-06-01").newer_releases, 0);
    supported(&releases, Releases, "2024-06-01", None);
}

#[test]
fn the_far_ends_of_the_calendar_end_nothing_early_l1() {
    let last = NaiveDate::MAX;
    let end = |version, released| Release {
        version,
        released: Some(released),
        recall: Recall::Never,
    };
    let releases = [end("1.0", day_before(last)), end("1.1", last)];
    let history = ReleaseHistory {
        releases: &releases,
        scheme: &VersionScheme::default(),
        rule: Releases,
    };
    assert_eq!(
        support_of(&releases[0], &history, last).state(),
        SupportState::Supported
    );
}

#[derive(Clone, Deserialize)]
struct CatalogueRelease {
    product: String,
    version: String,
    released: Option<NaiveDate>,
    recalled: bool,
}

impl CatalogueRelease {
    fn release(&self) -> Release<'_> {
        Release {
            version: &self.version,
            released: self.released,
            recall: if self.recalled {
                Recall::DayUnknown
            } else {
                Recall::Never
            },
        }
    }
}

/// How a version of a compact copy of the catalogue stands, with the last day and the number of newer releases.
fn in_catalogue(product: &str, version: &str, rule: CountingRule, as_of: &str) -> (SupportState, String, usize) {
    let lines: Vec<CatalogueRelease> =
        serde_json::from_str(include_str!("../../tests/data/releases.json")).expect("releases");
    let releases: Vec<Release<'_>> = lines
        .iter()
        .filter(|line| line.product == product)
        .map(CatalogueRelease::release)
        .collect();
    let scheme = VersionScheme {
        by_release_date: ["windows-feature", "poly-studio-x"].contains(&product),
        optional_prefix: None,
    };
    let history = ReleaseHistory {
        releases: &releases,
        scheme: &scheme,
        rule,
    };
    let asked = releases
        .iter()
        .find(|release| release.version == version)
        .expect("a release");
    let support = support_of(asked, &history, day(as_of));
    let last_day = support
        .last_day
        .map_or_else(|| "none".to_owned(), |day| day.to_string());
    (support.state(), last_day, support.newer_releases)
}

#[test]
fn products_of_the_catalogue_stand_as_worked_out_by_hand_l1_l2_l3() {
    use SupportState::{Supported, Unknown, Unsupported};
    let app = "teams-rooms-app-windows";
    let bar = "logitech-collabos-rally-bar";
    let poly = "poly-studio-x";
    let expected = [
        (app, "5.2.115.0", Releases, Supported, "none", 0),
        (app, "5.1.24.0", Releases, Supported, "2025-07-30", 2),
        (app, "5.0.305.0", Releases, Unsupported, "2024-09-25", 3),
        (app, "5.0.305.0", Lines, Supported, "2025-06-03", 3),
        (app, "4.17.51.0", Releases, Unsupported, "2023-11-15", 10),
        (app, "4.17.51.0", Lines, Unsupported, "2024-04-23", 10),
        // Two recalled builds without a date stand between these and the newest.
        (bar, "1.11.254", Releases, Supported, "2025-01-31", 2),
        (bar, "1.10.409", Releases, Unsupported, "2024-08-20", 3),
        (bar, "1.10.409", Lines, Supported, "2024-12-06", 3),
        (bar, "1.12.252", Releases, Unknown, "none", 0),
        (
            "epos-vision-3t",
            "v1.7.23195.03",
            Releases,
            Unsupported,
            "2024-07-31",
            2,
        ),
        // 2.0 came on the same day as 1.9.
        ("epos-vision-5t", "v1.9.23365.01", Releases, Supported, "2025-02-20", 1),
        // 23H2 came twelve months and thirteen days after 22H2.
        ("windows-feature", "22H2", Releases, Unsupported, "2023-10-30", 1),
        // Lines of a product that goes by dates: 4.2 is the only one after 4.1.
        (poly, "4.1.0.382263", Releases, Unsupported, "2024-02-12", 5),
        (poly, "4.1.0.382263", Lines, Unsupported, "2024-08-28", 5),
        (poly, "3.14.1.374010", Releases, Unknown, "none", 0),
    ];
    for (product, version, rule, state, last_day, newer) in expected {
        assert_eq!(
            in_catalogue(product, version, rule, "2024-10-24"),
            (state, last_day.to_owned(), newer),
            "{product} {version} {rule:?}"
        );
    }
    // The week before 23H2 nobody knew of an end.
    let before = in_catalogue("windows-feature", "22H2", Releases, "2023-10-25");
    assert_eq!(before, (Supported, "none".to_owned(), 0));
}

/// The last supported day under the rule of releases, said over again as plainly as SPEC says it: no code of the product is used.
fn last_day_as_the_spec_has_it(
    releases: &[CatalogueRelease],
    released: NaiveDate,
    as_of: NaiveDate,
) -> Option<NaiveDate> {
    let mut newer: Vec<NaiveDate> = releases
        .iter()
        .filter(|other| !other.recalled)
        .filter_map(|other| other.released)
        .filter(|other| *other > released && *other <= as_of)
        .collect();
    newer.sort();
    let first = newer.first()?;
    // Twelve months; the newest outlives them, until something newer appears.
    let year_later = released.year() + 1;
    let anniversary = released
        .with_year(year_later)
        .or_else(|| NaiveDate::from_ymd_opt(year_later, 2, 28))
        .expect("a date");
    let by_age = anniversary.max(day_before(*first));
    Some(match newer.get(2) {
        Some(third) => by_age.min(day_before(*third)),
        None => by_age,
    })
}

#[test]
fn every_release_of_the_catalogue_is_supported_as_the_spec_counts_l1_l2() {
    let lines: Vec<CatalogueRelease> =
        serde_json::from_str(include_str!("../../tests/data/releases.json")).expect("releases");
    let mut products: BTreeMap<&str, Vec<&CatalogueRelease>> = BTreeMap::new();
    for line in &lines {
        products.entry(&line.product).or_default().push(line);
    }
    let mut compared = 0;
    for (product, of_product) in products {
        let own: Vec<CatalogueRelease> = of_product.iter().map(|line| (*line).clone()).collect();
        let releases: Vec<Release<'_>> = own.iter().map(CatalogueRelease::release).collect();
        let scheme = VersionScheme::default();
        let history = ReleaseHistory {
            releases: &releases,
            scheme: &scheme,
            rule: Releases,
        };
        for as_of in ["2023-06-30", "2024-02-29", "2024-10-24", "2025-03-04", "2026-01-01"].map(day) {
            for (line, release) in own.iter().zip(&releases) {
                let support = support_of(release, &history, as_of);
                let Some(released) = line.released.filter(|released| *released <= as_of && !line.recalled) else {
                    continue;
                };
                let last_day = last_day_as_the_spec_has_it(&own, released, as_of);
                let state = match last_day {
                    Some(last) if last < as_of => SupportState::Unsupported,
                    Some(_) | None => SupportState::Supported,
                };
                assert_eq!(
                    (support.state(), support.last_day),
                    (state, last_day),
                    "{product} {} on {as_of}",
                    line.version
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared} compared");
}

#[test]
fn a_line_is_the_first_two_numbers_of_a_version_l3() {
    let line = |text| VersionLine::of(&VersionScheme::default(), text);
    for (a, b) in [
        ("4.19.57.0", "v4.19"),
        ("2", "2.0.1"),
        ("NFB1.20240516.0658", "nfb1.20240516.1"),
        ("22H2", "22h2-3"),
    ] {
        assert_eq!(line(a), line(b), "{a} {b}");
    }
    for (a, b) in [("4.19.57", "4.1.9"), ("NFB1.2", "NFC1.2"), ("22H1", "22H2")] {
        assert_ne!(line(a), line(b), "{a} {b}");
    }
    assert_eq!(line("N/A"), None);
}

#[test]
fn a_reason_of_support_comes_back_from_what_is_kept_of_it_l1() {
    let reasons = [
        SupportReason::Undated,
        SupportReason::WithinLimits {
            released: day("2024-01-10"),
            last_day: day("2025-01-10"),
            newer: 1,
            rule: Lines,
        },
    ];
    for reason in reasons {
        let kept = serde_json::to_string(&reason).expect("a text");
        assert_eq!(serde_json::from_str::<SupportReason>(&kept).expect("a reason"), reason);
    }
}

#[test]
fn support_ends_within_sixty_days_or_later_l5() {
    let releases = [release("1.0", "2024-01-10"), release("1.1", "2024-02-01")];
    for (as_of, group) in [
        ("2024-11-10", SupportGroup::Supported),
        ("2024-11-11", SupportGroup::Ending),
        ("2025-01-10", SupportGroup::Ending),
        ("2025-01-11", SupportGroup::Unsupported),
        ("2024-01-09", SupportGroup::Unknown),
    ] {
        let support = asked(&releases, Releases, as_of);
        assert_eq!(SupportGroup::of(Some(&support), day(as_of)), group, "{as_of}");
    }
    assert_eq!(SupportGroup::of(None, day("2024-11-10")), SupportGroup::Unknown);
}

#[test]
fn of_several_versions_in_a_room_the_one_that_ends_first_counts_l5() {
    let as_of = "2025-01-05";
    let newer = release("9.0", "2025-01-01");
    let between = release("2.0", "2024-01-25");
    let of = |released: &str| asked(&[release("1.0", released), between, newer], Releases, as_of);
    let in_order = [
        // Out of support, the longest first; ending; unknown; supported; the newest.
        Some(of("2023-01-01")),
        Some(of("2023-12-01")),
        Some(of("2024-01-10")),
        Some(of("2024-01-20")),
        None,
        Some(of("2024-08-01")),
        Some(asked(&[newer], Releases, as_of)),
    ];
    let places: Vec<SupportOrder> = in_order
        .iter()
        .map(|support| SupportOrder::of(support.as_ref(), day(as_of)))
        .collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
    let groups: Vec<SupportGroup> = in_order
        .iter()
        .map(|support| SupportGroup::of(support.as_ref(), day(as_of)))
        .collect();
    assert!(
        groups
            .windows(2)
            .all(|pair| pair[0] == pair[1] || pair[0].is_worse_than(pair[1]) && !pair[1].is_worse_than(pair[0])),
        "{groups:?}"
    );
}

#[test]
fn what_counts_as_newer_is_said_as_it_is_set_l3() {
    assert_eq!(
        Releases.sentence(),
        "A version is supported for 12 months after its release, while at most 2 newer releases exist. The newest release is never too old."
    );
    assert_eq!(
        Lines.sentence(),
        "A version is supported for 12 months after its release, while at most 2 newer release lines exist; a line is the first two numbers of \
        a version. The newest release is never too old."
    );
}
