//! Versions of every form: their order is one.

use chrono::NaiveDate;
use domain::version::{Version, VersionScheme, compare};
use proptest::prelude::*;

fn a_version() -> impl Strategy<Value = String> {
    prop_oneof![
        "[vV]?[0-9]{1,3}([.\\-_/ ][0-9]{1,4}){0,4}",
        "(RoomOS|NFB|E|)[ .]?[0-9]{1,2}(\\.[0-9a-c]{1,3}){0,3}(-beta)?",
        "\\PC{0,8}",
    ]
}

fn a_day() -> impl Strategy<Value = Option<NaiveDate>> {
    proptest::option::of((0_u64..400).prop_map(|days| NaiveDate::default() + chrono::Days::new(days)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_versions_turned_round_is_its_opposite_s2(
        a in a_version(), b in a_version(), day_a in a_day(), day_b in a_day(), by_release_date: bool,
    ) {
        let scheme = VersionScheme { by_release_date, optional_prefix: Some("1.".to_owned()) };
        let (a, b) = (Version { text: &a, released: day_a }, Version { text: &b, released: day_b });
        prop_assert_eq!(compare(&scheme, a, b).order, compare(&scheme, b, a).order.map(std::cmp::Ordering::reverse));
    }

    #[test]
    fn a_version_with_a_digit_equals_itself_and_one_without_has_no_order_s2(a in a_version()) {
        let itself = compare(&VersionScheme::default(), Version::undated(&a), Version::undated(&a)).order;
        let has_digit = a.chars().any(|c| c.is_ascii_digit());
        prop_assert_eq!(itself, has_digit.then_some(std::cmp::Ordering::Equal));
    }
}
