//! What reports of facts make of devices.

use super::*;
use crate::conversation::examples::instant;

fn product(name: &str) -> ProductId {
    ProductId(name.to_owned())
}

fn components(all: &[(&str, Option<&str>)]) -> Components {
    let owned = |(name, version): &(&str, Option<&str>)| (product(name), version.map(str::to_owned));
    all.iter().map(owned).collect()
}

fn report(mode: ConfigMode, data: &[(&str, Option<&str>)]) -> ConfigReport {
    let owned = |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
    ConfigReport {
        mode,
        data: data.iter().map(owned).collect(),
    }
}

/// Has named its components, and has them.
fn known(all: &[(&str, Option<&str>)]) -> KnownDevice {
    let components = components(all);
    let named = take(KnownDevice::default(), &report_of(&components), instant("00:00"));
    let named = named.expect("a report");
    KnownDevice {
        attributes: named.attributes,
        told_at: named.told_at,
        components,
        ..KnownDevice::default()
    }
}

/// Has them from an import and has reported nothing yet.
fn imported(all: &[(&str, Option<&str>)]) -> KnownDevice {
    KnownDevice {
        components: components(all),
        ..KnownDevice::default()
    }
}

fn takes(known: &KnownDevice, report: &ConfigReport) -> Taken {
    take(known.clone(), report, instant("01:00")).expect("a report within the limits")
}

#[test]
fn a_version_is_new_once_and_what_is_as_before_asks_for_no_recheck_s1_i5() {
    let before = known(&[("cam", Some("1")), ("app", None)]);
    let same = takes(&before, &report_of(&before.components));
    assert!(!same.rechecks_room());
    assert_eq!((same.changed, same.gone), (Vec::new(), Vec::new()));
    let after = components(&[("cam", Some("2")), ("app", None), ("bar", None)]);
    let taken = takes(&before, &report_of(&after));
    assert!(taken.rechecks_room());
    let changed = vec![(product("bar"), None), (product("cam"), Some("2".to_owned()))];
    assert_eq!(taken.changed, changed);
    assert_eq!(taken.gone, []);
}

#[test]
fn a_component_that_a_device_named_and_does_not_name_any_more_is_gone_and_an_imported_one_stays() {
    let cam = report_of(&components(&[("cam", Some("1"))]));
    let taken = takes(&known(&[("cam", Some("1")), ("app", Some("1"))]), &cam);
    assert_eq!((taken.changed, taken.gone), (Vec::new(), vec![product("app")]));
    let taken = takes(&imported(&[("cam", Some("1")), ("app", Some("1"))]), &cam);
    assert!(!taken.rechecks_room());
    assert_eq!(taken.first_named, [product("cam")], "from now on it is reported");
    let alone = report_of(&components(&[("cam", None)]));
    let taken = takes(&imported(&[("cam", Some("1"))]), &alone);
    assert_eq!(
        (taken.changed, taken.gone),
        (Vec::new(), Vec::new()),
        "it takes no version away"
    );
}

#[test]
fn one_version_says_nothing_where_there_are_several_products_ddi_2_13() {
    let only_version =
        |data: &[(&str, Option<&str>)]| takes(&imported(&[]), &report(ConfigMode::Merge, data)).attributes;
    let alone = only_version(&[("sw_version", Some("2.0"))]);
    assert!(leaves_product_open(&alone, 2) && leaves_product_open(&alone, 0));
    assert!(!leaves_product_open(&alone, 1), "the one that it has");
    let named = only_version(&[("sw_version", Some("2.0")), ("component.1.product", Some("cam"))]);
    assert!(!leaves_product_open(&named, 2), "it names them");
    assert!(!leaves_product_open(&only_version(&[]), 2));
}

#[test]
fn a_report_that_names_a_component_names_them_all_whatever_their_numbers_s1() {
    let mode = ConfigMode::Merge;
    let first = report(
        mode,
        &[
            ("component.1.product", Some("bar-fw")),
            ("component.1.version", Some("1.0")),
            ("component.2.product", Some("room-os")),
            ("component.2.version", Some("1.0")),
            ("component.2.serial", Some("S-7")),
            ("room.state", Some("free")),
        ],
    );
    let before = KnownDevice {
        attributes: takes(&KnownDevice::default(), &first).attributes,
        components: components(&[("bar-fw", Some("1.0")), ("room-os", Some("1.0"))]),
        ..KnownDevice::default()
    };
    let renumbered = [
        ("component.1.product", Some("room-os")),
        ("component.1.version", Some("2.0")),
    ];
    let taken = takes(&before, &report(mode, &renumbered));
    assert_eq!(taken.changed, [(product("room-os"), Some("2.0".to_owned()))]);
    assert_eq!(taken.gone, [product("bar-fw")]);
    let kept: Vec<&str> = taken.attributes.keys().map(String::as_str).collect();
    assert_eq!(kept, ["component.1.product", "component.1.version", "room.state"]);
    // What is taken away by name takes nothing else away.
    for (mode, data) in [
        (ConfigMode::Remove, [("component.1.product", None)]),
        (mode, [("component.1.product", None)]),
    ] {
        let taken = takes(&before, &report(mode, &data));
        assert_eq!((taken.changed, taken.gone), (Vec::new(), vec![product("bar-fw")]));
    }
}

#[test]
fn each_fact_has_the_time_at_which_it_was_told_last_c7() {
    let first = take(
        KnownDevice::default(),
        &report(ConfigMode::Merge, &[("a", Some("1")), ("b", Some("1"))]),
        instant("00:10"),
    );
    let first = first.expect("a report");
    let before = KnownDevice {
        attributes: first.attributes,
        told_at: first.told_at,
        ..KnownDevice::default()
    };
    let told = |mode, data: &[(&str, Option<&str>)]| takes(&before, &report(mode, data)).told_at;
    let (then, now) = (instant("00:10"), instant("01:00"));
    let times = |times: &[(&str, DateTime<Utc>)]| -> BTreeMap<String, DateTime<Utc>> {
        times.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect()
    };
    // The same value again is told again.
    assert_eq!(
        told(ConfigMode::Merge, &[("a", Some("1"))]),
        times(&[("a", now), ("b", then)])
    );
    assert_eq!(told(ConfigMode::Merge, &[("a", None)]), times(&[("b", then)]));
    assert_eq!(told(ConfigMode::Remove, &[("b", None)]), times(&[("a", then)]));
    assert_eq!(told(ConfigMode::Replace, &[("b", Some("2"))]), times(&[("b", now)]));
}

#[test]
fn a_device_of_one_component_that_names_none_reports_its_version_as_sw_version() {
    let says = report(ConfigMode::Merge, &[("sw_version", Some("2"))]);
    let taken = takes(&imported(&[("cam", Some("1"))]), &says);
    assert_eq!(taken.changed, [(product("cam"), Some("2".to_owned()))]);
    for of_more_or_less in [imported(&[("cam", Some("1")), ("app", Some("1"))]), imported(&[])] {
        assert!(!takes(&of_more_or_less, &says).rechecks_room());
    }
    let named = takes(&known(&[("cam", Some("1"))]), &says);
    assert!(!named.rechecks_room(), "it has named its component");
}

#[test]
fn that_sw_version_is_of_no_product_is_said_with_the_first_report_of_it_only() {
    let says = report(ConfigMode::Merge, &[("sw_version", Some("2"))]);
    let begins = |known: &KnownDevice| takes(known, &says).begins_to_leave_product_open;
    for of_more_or_less in [imported(&[("cam", Some("1")), ("app", Some("1"))]), imported(&[])] {
        assert!(begins(&of_more_or_less));
        let told = KnownDevice {
            attributes: takes(&of_more_or_less, &says).attributes,
            ..of_more_or_less
        };
        assert!(!begins(&told), "it was said before");
    }
    assert!(!begins(&imported(&[("cam", Some("1"))])), "it is of the only one");
    assert!(!begins(&known(&[("cam", Some("1"))])), "it names its component");
}

#[test]
fn a_product_that_the_portfolio_does_not_know_stays_an_attribute() {
    let mut taken = takes(&imported(&[]), &report_of(&components(&[("toaster", Some("1"))])));
    assert!(taken.rechecks_room());
    taken.keep_known(|product| product.0 == "cam");
    assert!(!taken.rechecks_room());
    assert_eq!(taken.attributes["component.1.product"], "toaster");
}

#[test]
fn a_word_about_the_room_counts_from_now_and_a_report_without_one_makes_none_younger_k5() {
    let before = KnownDevice {
        free_at: Some(instant("00:10")),
        ..KnownDevice::default()
    };
    let heard = |mode, data: &[(&str, Option<&str>)]| {
        let presence = takes(&before, &report(mode, data)).presence;
        (presence.free_at, presence.busy_at)
    };
    let (then, now) = (Some(instant("00:10")), Some(instant("01:00")));
    assert_eq!(heard(ConfigMode::Merge, &[("a", Some("1"))]), (then, None));
    assert_eq!(heard(ConfigMode::Merge, &[("room.state", Some("Free"))]), (now, None));
    assert_eq!(heard(ConfigMode::Merge, &[("room.state", Some("busy"))]), (None, now));
    assert_eq!(heard(ConfigMode::Remove, &[("room.state", None)]), (None, None));
    assert_eq!(heard(ConfigMode::Replace, &[("a", Some("1"))]), (None, None));
}

#[test]
fn a_booking_is_read_with_its_offset_and_what_cannot_be_read_is_refused_k5() {
    let until = |text| {
        let booked = report(ConfigMode::Merge, &[("room.busy_until", Some(text))]);
        takes(&KnownDevice::default(), &booked).presence.busy_until
    };
    assert_eq!(until("2025-03-05T15:30:00+01:00"), Some(instant("14:30")));
    assert_eq!(until("none"), None);
    let before = KnownDevice {
        free_at: Some(instant("00:10")),
        ..KnownDevice::default()
    };
    // Without an offset it is no instant: taken for "not booked" it would let an install start in a meeting.
    let report = report(
        ConfigMode::Merge,
        &[
            ("room.state", Some("free")),
            ("room.busy_until", Some("2025-03-04T15:30:00")),
        ],
    );
    let refused = take(before, &report, instant("01:00")).expect_err("no instant");
    assert_eq!(
        refused.to_string(),
        "attribute \"room.busy_until\" is \"2025-03-04T15:30:00\": it must be a time with an offset, such as 2026-03-04T15:30:00+01:00, or none"
    );
}

#[test]
fn a_report_that_breaks_a_limit_is_refused_and_names_the_attribute() {
    let long = "é".repeat(MOST_CHARACTERS + 1);
    for (key, value) in [(long.as_str(), "1"), ("a", long.as_str())] {
        let refused = take(
            KnownDevice::default(),
            &report(ConfigMode::Merge, &[(key, Some(value))]),
            instant("01:00"),
        );
        let attribute = key.chars().take(MOST_CHARACTERS).collect();
        assert_eq!(refused, Err(ReportRefusal::TooLong { attribute }));
    }
    let keys: Vec<String> = (0..=MOST_ATTRIBUTES).map(|number| format!("{number:03}")).collect();
    let data: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), Some("1"))).collect();
    let at_most = report(ConfigMode::Merge, &data[..MOST_ATTRIBUTES]);
    assert_eq!(
        takes(&KnownDevice::default(), &at_most).attributes.len(),
        MOST_ATTRIBUTES
    );
    let refused = take(
        KnownDevice::default(),
        &report(ConfigMode::Merge, &data),
        instant("01:00"),
    );
    let attribute = "100".to_owned();
    assert_eq!(refused, Err(ReportRefusal::TooMany { attribute }));
    // Characters that cannot be kept make no room for more.
    let with_nul: Vec<String> = keys.iter().map(|key| format!("{key}\0")).collect();
    let data: Vec<(&str, Option<&str>)> = with_nul.iter().map(|key| (key.as_str(), Some("1"))).collect();
    let refused = take(
        KnownDevice::default(),
        &report(ConfigMode::Merge, &data),
        instant("01:00"),
    );
    let attribute = "100".to_owned();
    assert_eq!(refused, Err(ReportRefusal::TooMany { attribute }));
    let twice = [("a", Some("1")), ("a\0", Some("2"))];
    let refused = take(
        KnownDevice::default(),
        &report(ConfigMode::Merge, &twice),
        instant("01:00"),
    );
    let attribute = "a".to_owned();
    assert_eq!(refused, Err(ReportRefusal::Twice { attribute }));
}
