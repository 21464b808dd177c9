//! Each check with each value, ages, waivers, and which devices count.

use chrono::TimeDelta;
use domain::product::ProductKind;
use domain::readiness::CheckResult::{Fail, FixedByService, NotApplicable, Pass, Unknown, Waived, Warning};
use domain::readiness::profile::Profile;
use domain::readiness::{ALL_CHECKS, Check, Decisions, ReportingDevice, RoomFacts};

use crate::room::{computer, computer_at, date, judged, now, of, result, room, waiver};

#[test]
fn every_value_of_every_check_has_its_result_c1_c1a() {
    let vendor = "device.vendor";
    let image = "readiness.base_image_oem";
    let (edition, channel) = ("os.edition", "os.channel");
    let table: [(Check, &[(&str, &str)], _); 45] = [
        (Check::BaseImage, &[], Pass),
        (Check::BaseImage, &[(image, "")], Unknown),
        (Check::BaseImage, &[(vendor, "")], Unknown),
        (Check::BaseImage, &[(image, "generic"), (vendor, "")], Unknown),
        (Check::BaseImage, &[(image, "generic")], Fail),
        (Check::BaseImage, &[(image, "Generic"), (vendor, "generic")], Fail),
        (Check::BaseImage, &[(image, "HP")], Fail),
        (Check::BaseImage, &[(image, " lenovo ")], Pass),
        (Check::BaseImage, &[(vendor, "LENOVO")], Pass),
        (Check::BaseImage, &[(vendor, "Dell Inc."), (image, "dell")], Pass),
        (Check::BaseImage, &[(vendor, "HP"), (image, "hewlett-packard")], Pass),
        (Check::BaseImage, &[(vendor, "HP Poly"), (image, "HP")], Pass),
        (Check::BaseImage, &[(vendor, "Acme"), (image, "ACME")], Pass),
        (Check::OsEdition, &[], Pass),
        (Check::OsEdition, &[(edition, "Enterprise"), (channel, "general")], Pass),
        (Check::OsEdition, &[(channel, "semi_annual")], Pass),
        (Check::OsEdition, &[(channel, "long_term")], Fail),
        (Check::OsEdition, &[(edition, "IoTEnterpriseS")], Fail),
        (
            Check::OsEdition,
            &[(edition, "EnterpriseS"), (channel, "general")],
            Fail,
        ),
        (Check::OsEdition, &[(edition, "iotenterprise")], Fail),
        (Check::OsEdition, &[(edition, "Professional")], Fail),
        (Check::OsEdition, &[(edition, ""), (channel, "long_term")], Unknown),
        (Check::LogitechSync, &[], Pass),
        (Check::LogitechSync, &[("readiness.logitech_sync", "stopped")], Fail),
        (Check::LogitechSync, &[("readiness.logitech_sync", "absent")], Fail),
        (Check::LogitechSync, &[("readiness.logitech_sync", "")], Unknown),
        (Check::OsUpdates, &[], Pass),
        (Check::OsUpdates, &[("readiness.os_updates", "nightshift")], Pass),
        (
            Check::OsUpdates,
            &[("readiness.os_updates", "enabled,nightshift")],
            Pass,
        ),
        (Check::OsUpdates, &[("readiness.os_updates", "enabled , gpo")], Fail),
        (Check::OsUpdates, &[("readiness.os_updates", "nightshift, mdm")], Fail),
        (Check::OsUpdates, &[("readiness.os_updates", "disabled")], Fail),
        (Check::OsUpdates, &[("readiness.os_updates", "wsus")], Fail),
        (Check::OsUpdates, &[("readiness.os_updates", "blocked")], Fail),
        (Check::OsUpdates, &[("readiness.os_updates", "")], Unknown),
        (Check::StoreUpdates, &[], Pass),
        (Check::StoreUpdates, &[("readiness.store_updates", "on")], Warning),
        (Check::StoreUpdates, &[("readiness.store_updates", "user")], Warning),
        (Check::StoreUpdates, &[("readiness.store_updates", "")], Unknown),
        (Check::Antivirus, &[("readiness.antivirus", "none")], NotApplicable),
        (Check::Antivirus, &[], Pass),
        (Check::Antivirus, &[("readiness.antivirus", "not_excluded")], Warning),
        (Check::Antivirus, &[("readiness.antivirus", "unknown")], Unknown),
        (Check::Antivirus, &[("readiness.antivirus", "")], Unknown),
        (
            Check::ChangeManagement,
            &[("readiness.other_change_management", "")],
            Unknown,
        ),
    ];
    for (check, changes, expected) in table {
        assert_eq!(of(check, changes), expected, "{} with {changes:?}", check.as_str());
    }
}

#[test]
fn a_list_passes_when_each_name_is_reviewed_and_only_software_may_be_of_the_image_c1a() {
    let (software, others) = ("readiness.additional_software", "readiness.other_change_management");
    let long = "n".repeat(60);
    let first = format!("{long}1, {long}2");
    for (check, changes, reviewed, expected) in [
        (Check::AdditionalSoftware, vec![], vec![], Pass),
        (Check::AdditionalSoftware, vec![(software, "")], vec!["a"], Unknown),
        (Check::AdditionalSoftware, vec![(software, "a, b")], vec![], Warning),
        (Check::AdditionalSoftware, vec![(software, "a, b")], vec!["a"], Warning),
        (
            Check::AdditionalSoftware,
            vec![(software, "a, b")],
            vec![" B", "A"],
            Pass,
        ),
        (
            Check::AdditionalSoftware,
            vec![(software, "microsoft edge")],
            vec![],
            Pass,
        ),
        (
            Check::AdditionalSoftware,
            vec![(software, "Microsoft Edge, a")],
            vec!["a"],
            Pass,
        ),
        (
            Check::AdditionalSoftware,
            vec![(software, first.as_str()), ("readiness.additional_software.2", "b")],
            vec!["b"],
            Warning,
        ),
        (
            Check::AdditionalSoftware,
            vec![
                (software, "a"),
                ("readiness.additional_software.2", "b"),
                ("readiness.additional_software.3", "c"),
            ],
            vec!["a", "b"],
            Warning,
        ),
        (Check::ChangeManagement, vec![], vec![], Pass),
        (Check::ChangeManagement, vec![(others, "a script")], vec![], Warning),
        (
            Check::ChangeManagement,
            vec![(others, "a script")],
            vec!["a script"],
            Pass,
        ),
        (
            Check::ChangeManagement,
            vec![(others, "Microsoft Edge")],
            vec![],
            Warning,
        ),
    ] {
        let decisions = Decisions {
            reviewed: reviewed.iter().map(|name| (*name).to_owned()).collect(),
            ..Decisions::default()
        };
        let readiness = judged(&room(vec![computer(&changes)]), &decisions);
        assert_eq!(
            result(&readiness, check),
            expected,
            "{changes:?}, reviewed {reviewed:?}"
        );
    }
}

#[test]
fn facts_count_for_exactly_48_hours_and_no_longer_c7() {
    let hours = TimeDelta::hours(48);
    for (reported_at, expected) in [
        (Some(now()), Pass),
        (Some(now() - hours), Pass),
        (Some(now() - hours - TimeDelta::seconds(1)), Unknown),
        (None, Unknown),
    ] {
        let readiness = judged(&room(vec![computer_at(&[], reported_at)]), &Decisions::default());
        for verdict in &readiness.verdicts {
            assert_eq!(
                verdict.result,
                expected,
                "{} from {reported_at:?}",
                verdict.check.as_str()
            );
        }
    }
}

#[test]
fn a_check_names_its_fact_its_age_and_what_makes_it_pass_c7() {
    let told = |changes, reported_at| {
        let readiness = judged(&room(vec![computer_at(changes, reported_at)]), &Decisions::default());
        let verdict = &readiness.verdicts[3];
        assert!(verdict.guidance.ends_with('.'));
        verdict.why.sentence(|instant| instant.to_rfc3339())
    };
    let changes = &[("readiness.os_updates", "wsus")];
    assert_eq!(
        told(changes, Some(now())),
        "readiness.os_updates is wsus, reported 2024-10-24T09:00:00+00:00."
    );
    assert_eq!(
        told(changes, Some(now() - TimeDelta::hours(49))),
        "readiness.os_updates is wsus, reported 2024-10-22T08:00:00+00:00: older than 48 hours."
    );
    assert_eq!(
        told(&[("readiness.os_updates", "")], Some(now())),
        "No device has reported readiness.os_updates."
    );
}

#[test]
fn a_waiver_counts_on_its_last_day_and_not_on_the_day_after_c1a() {
    let failing = room(vec![computer(&[("readiness.base_image_oem", "generic")])]);
    for (until, expected) in [("2024-10-25", Waived), ("2024-10-24", Waived), ("2024-10-23", Fail)] {
        let decisions = Decisions {
            waivers: vec![waiver(Check::BaseImage, until)],
            ..Decisions::default()
        };
        assert_eq!(
            result(&judged(&failing, &decisions), Check::BaseImage),
            expected,
            "until {until}"
        );
    }
}

#[test]
fn a_waiver_turns_fail_warning_and_unknown_into_waived_and_nothing_else_c1a() {
    let decisions = Decisions {
        waivers: ALL_CHECKS.map(|check| waiver(check, "2024-12-31")).into(),
        ..Decisions::default()
    };
    let changes = [
        ("readiness.base_image_oem", "generic"),
        ("os.edition", ""),
        ("readiness.store_updates", "on"),
        ("readiness.antivirus", "none"),
    ];
    let readiness = judged(&room(vec![computer(&changes)]), &decisions);
    let results: Vec<_> = readiness.verdicts.iter().map(|verdict| verdict.result).collect();
    assert_eq!(results, [Waived, Waived, Pass, Pass, Waived, NotApplicable, Pass, Pass]);
    let waiver = readiness.verdicts[0].why.waiver.as_ref().expect("a waiver");
    assert_eq!((waiver.until, waiver.given.is_some()), (date("2024-12-31"), true));
    assert!(readiness.blocks.is_empty());
    let sentence = readiness.verdicts[0].why.sentence(|instant| instant.to_rfc3339());
    assert!(
        sentence.starts_with("Waived until Tue 31 Dec 2024 by an admin: a visit is booked. "),
        "{sentence}"
    );
}

#[test]
fn store_updates_that_nightshift_turned_off_are_fixed_by_the_service_for_30_days_c3() {
    for (word, days, expected) in [
        ("off", 0, FixedByService),
        ("off", 30, FixedByService),
        ("off", 31, Pass),
        ("on", 0, Warning),
        ("user", 0, Warning),
    ] {
        let remedied = ReportingDevice {
            store_updates_off_since: Some(now() - TimeDelta::days(days)),
            ..computer(&[("readiness.store_updates", word)])
        };
        let readiness = judged(&room(vec![remedied]), &Decisions::default());
        assert_eq!(
            result(&readiness, Check::StoreUpdates),
            expected,
            "{word} after {days} days"
        );
    }
}

#[test]
fn a_room_has_the_worst_of_its_computers_c1a() {
    let store = |word| computer(&[("readiness.store_updates", word)]);
    let stale = || computer_at(&[], Some(now() - TimeDelta::days(9)));
    let fixed = || ReportingDevice {
        store_updates_off_since: Some(now()),
        ..store("off")
    };
    for (computers, expected) in [
        (vec![store("off"), fixed()], FixedByService),
        (vec![fixed(), store("user")], Warning),
        (vec![store("on"), stale()], Unknown),
    ] {
        let readiness = judged(&room(computers), &Decisions::default());
        assert_eq!(result(&readiness, Check::StoreUpdates), expected);
    }
    let edition = |edition| computer(&[("os.edition", edition), ("readiness.antivirus", "none")]);
    let readiness = judged(
        &room(vec![stale(), edition("Professional"), computer(&[])]),
        &Decisions::default(),
    );
    assert_eq!(result(&readiness, Check::OsEdition), Fail);
    let readiness = judged(&room(vec![edition("Enterprise"), computer(&[])]), &Decisions::default());
    assert_eq!(
        result(&readiness, Check::Antivirus),
        Pass,
        "not applicable is the least"
    );
}

#[test]
fn without_a_windows_computer_nothing_applies_and_without_logitech_equipment_its_sync_does_not_c1a() {
    let nothing = judged(&RoomFacts::default(), &Decisions::default());
    assert!(nothing.verdicts.iter().all(|verdict| verdict.result == NotApplicable));
    assert_eq!((nothing.verdicts.len(), nothing.blocks.len()), (8, 0));
    let without = RoomFacts {
        computers: vec![computer_at(&[("readiness.logitech_sync", "absent")], None)],
        has_logitech: false,
    };
    let readiness = judged(&without, &Decisions::default());
    assert_eq!(result(&readiness, Check::LogitechSync), NotApplicable);
    assert_eq!(result(&readiness, Check::OsUpdates), Unknown);
}

#[test]
fn a_name_or_a_component_tells_windows_computers_and_logitech_equipment_c1a() {
    let device = |changes: &[(&str, &str)], products: &[(&str, ProductKind)]| ReportingDevice {
        products: products
            .iter()
            .map(|(vendor, kind)| ((*vendor).to_owned(), *kind))
            .collect(),
        ..computer_at(changes, None)
    };
    let (name, vendor) = ("os.name", "device.vendor");
    for (changes, products, windows, logitech) in [
        (&[(name, "Windows 11 IoT")][..], &[][..], 1, false),
        (&[(name, "")], &[("microsoft", ProductKind::Os)], 1, false),
        (&[(name, "Android")], &[("Microsoft", ProductKind::App)], 0, false),
        (&[(name, "Not Windows")], &[("Neat", ProductKind::Os)], 0, false),
        (&[(name, ""), (vendor, "LOGITECH")], &[], 0, true),
        (&[(name, "Windows 10")], &[("Logitech", ProductKind::Firmware)], 1, true),
    ] {
        let room = RoomFacts::of(vec![device(changes, products)], &Profile::shipped());
        assert_eq!(
            (room.computers.len(), room.has_logitech),
            (windows, logitech),
            "{changes:?}, {products:?}"
        );
    }
}

#[test]
fn a_profile_names_what_it_has_otherwise_and_refuses_unknown_keys_c6() {
    let profile = |text: &str| serde_json::from_str::<Profile>(text);
    let own = profile(r#"{"editions":["Professional"],"guidance":{"os_edition":"Ask us."}}"#).expect("a profile");
    assert_eq!(own.guidance.os_edition, "Ask us.");
    assert_eq!(own.makers, Profile::shipped().makers);
    assert_eq!(profile("{}").expect("a profile"), Profile::shipped());
    for (text, key) in [
        (r#"{"edition":[]}"#, "edition"),
        (r#"{"guidance":{"sync":"x"}}"#, "sync"),
        (r#"{"checks":["ready"]}"#, "ready"),
    ] {
        let refused = profile(text).expect_err(text).to_string();
        assert!(refused.contains(&format!("`{key}`")), "{refused}");
    }
    let written = serde_json::to_string(&Profile::shipped()).expect("text");
    assert_eq!(profile(&written).expect("a profile"), Profile::shipped());
}
