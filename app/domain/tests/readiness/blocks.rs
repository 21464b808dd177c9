//! What checks block, and when a block ends (C2).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::product::ProductKind;
use domain::readiness::profile::Profile;
use domain::readiness::{BlockScope, Check, Decisions, ReportingDevice, RoomFacts, assess, keeps_away};

use crate::room::{as_of, computer, computer_at, judged, now, room, waiver, words};

const EVERYTHING: [(&str, &str); 7] = [
    ("readiness.base_image_oem", "generic"),
    ("os.edition", "Professional"),
    ("readiness.logitech_sync", "stopped"),
    ("readiness.os_updates", "wsus"),
    ("readiness.store_updates", "on"),
    ("readiness.antivirus", "not_excluded"),
    ("readiness.additional_software", "a"),
];

fn blocked(computers: Vec<ReportingDevice>, waived: &[Check], before: &[BlockScope]) -> Vec<&'static str> {
    let decisions = Decisions {
        waivers: waived.iter().map(|check| waiver(*check, "2024-10-24")).collect(),
        ..Decisions::default()
    };
    let before: BTreeSet<BlockScope> = before.iter().copied().collect();
    words(&assess(&room(computers), &decisions, &Profile::shipped(), &as_of(), &before).blocks)
}

#[test]
fn four_checks_block_and_no_other_c2() {
    for (changes, expected) in [
        (&EVERYTHING[..], &["onboarding", "os", "firmware:Logitech"][..]),
        (&EVERYTHING[..1], &["onboarding"]),
        (&EVERYTHING[1..2], &["onboarding"]),
        (&EVERYTHING[2..3], &["firmware:Logitech"]),
        (&EVERYTHING[3..4], &["os"]),
        (&EVERYTHING[4..], &[]),
        (&[("readiness.base_image_oem", "")], &["onboarding"]),
        (&[("os.edition", "")], &["onboarding"]),
        (&[("readiness.os_updates", ""), ("readiness.logitech_sync", "")], &[]),
    ] {
        assert_eq!(blocked(vec![computer(changes)], &[], &[]), expected, "{changes:?}");
    }
    let stale = computer_at(&EVERYTHING, Some(now() - TimeDelta::days(3)));
    assert_eq!(blocked(vec![stale], &[], &[]), ["onboarding"], "without history");
}

#[test]
fn a_waived_check_blocks_nothing_c2() {
    let waived = [
        Check::BaseImage,
        Check::OsEdition,
        Check::OsUpdates,
        Check::LogitechSync,
    ];
    assert_eq!(blocked(vec![computer(&EVERYTHING)], &waived, &BlockScope::ALL), [""; 0]);
    assert_eq!(
        blocked(vec![computer(&EVERYTHING)], &waived[..1], &[]),
        ["onboarding", "os", "firmware:Logitech"]
    );
}

#[test]
fn a_block_of_a_kind_or_family_ends_by_a_fresh_report_or_a_waiver_never_by_age_c2() {
    let old = Some(now() - TimeDelta::days(90));
    let kept = ["os", "firmware:Logitech"];
    let image_and_edition = [Check::BaseImage, Check::OsEdition];
    let before = [BlockScope::Os, BlockScope::LogitechFirmware];
    let stale_fail = || computer_at(&EVERYTHING, old);
    let not_told = || computer(&[("readiness.os_updates", ""), ("readiness.logitech_sync", "")]);
    assert_eq!(blocked(vec![stale_fail()], &image_and_edition, &before), kept);
    assert_eq!(
        blocked(vec![not_told()], &image_and_edition, &before),
        kept,
        "silence is no good report"
    );
    assert_eq!(blocked(vec![computer(&[])], &[], &before), [""; 0]);
    let waived = [&image_and_edition[..], &[Check::OsUpdates]].concat();
    assert_eq!(blocked(vec![stale_fail()], &waived, &before), ["firmware:Logitech"]);
    // A report that did not block has ended it, and its age does not bring it back.
    assert_eq!(
        blocked(vec![computer_at(&[], old)], &image_and_edition, &before),
        [""; 0]
    );
    // One computer passes by a fresh report; the old word of the other one stands.
    assert_eq!(
        blocked(vec![computer(&[]), stale_fail()], &image_and_edition, &before),
        kept
    );
    assert_eq!(blocked(vec![computer(&[]), not_told()], &[], &before), [""; 0]);
}

#[test]
fn a_block_ends_with_what_it_was_about_c2() {
    let before: BTreeSet<BlockScope> = BlockScope::ALL.into();
    let none = RoomFacts::default();
    let readiness = assess(&none, &Decisions::default(), &Profile::shipped(), &as_of(), &before);
    assert!(readiness.blocks.is_empty());
}

#[test]
fn a_block_keeps_away_its_kind_or_family_and_onboarding_no_update_by_itself_c2_s13() {
    let kept = |kind, vendor| {
        let scopes = BlockScope::ALL.into_iter();
        let scopes: Vec<_> = scopes.filter(|scope| keeps_away(*scope, kind, vendor)).collect();
        scopes
    };
    assert_eq!(kept(ProductKind::Os, "Microsoft"), [BlockScope::Os]);
    assert_eq!(kept(ProductKind::Firmware, "Logitech"), [BlockScope::LogitechFirmware]);
    assert_eq!(kept(ProductKind::Firmware, "Neat"), []);
    assert_eq!(kept(ProductKind::Service, "Logitech"), []);
    assert!(
        judged(&room(vec![computer(&[])]), &Decisions::default())
            .blocks
            .is_empty()
    );
}
