//! What holds for every room, whatever it reports.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::ids::DeviceId;
use domain::readiness::profile::Profile;
use domain::readiness::{ALL_CHECKS, BlockScope, Check, CheckResult, Decisions, ReportingDevice, assess};
use proptest::prelude::*;
use uuid::Uuid;

use crate::room::{as_of, computer_at, judged, now, result, room, waiver};

const VALUES: [(&str, &[&str]); 8] = [
    ("readiness.base_image_oem", &["", "Lenovo", "LENOVO", "generic", "HP"]),
    ("os.edition", &["", "Enterprise", "EnterpriseS", "Professional"]),
    ("readiness.logitech_sync", &["", "running", "stopped", "absent"]),
    (
        "readiness.os_updates",
        &["", "enabled", "nightshift", "wsus, blocked", "enabled, gpo"],
    ),
    ("readiness.store_updates", &["", "on", "off", "user"]),
    (
        "readiness.antivirus",
        &["", "none", "excluded", "not_excluded", "unknown"],
    ),
    ("readiness.additional_software", &["", "none", "a", "a, b"]),
    ("readiness.other_change_management", &["", "none", "a", "b"]),
];

fn a_computer() -> impl Strategy<Value = ReportingDevice> {
    let picks = proptest::collection::vec(any::<proptest::sample::Index>(), VALUES.len());
    let hours = prop_oneof![Just(None), (0_i64..100).prop_map(Some)];
    (picks, hours, any::<bool>(), 0_u128..5).prop_map(|(picks, hours, remedied, id)| {
        let values = VALUES.iter().zip(picks);
        let changes: Vec<(&str, &str)> = values.map(|((key, words), pick)| (*key, *pick.get(words))).collect();
        let reported_at = hours.map(|hours| now() - TimeDelta::hours(hours));
        ReportingDevice {
            id: Some(DeviceId(Uuid::from_u128(id))),
            store_updates_off_since: remedied.then(now),
            ..computer_at(&changes, reported_at)
        }
    })
}

fn a_check() -> impl Strategy<Value = Check> {
    proptest::sample::select(ALL_CHECKS.to_vec())
}

fn decided(waived: &[Check]) -> Decisions {
    Decisions {
        waivers: waived.iter().map(|check| waiver(*check, "2024-10-24")).collect(),
        reviewed: vec!["a".to_owned()],
    }
}

fn some_scopes() -> impl Strategy<Value = BTreeSet<BlockScope>> {
    proptest::sample::subsequence(BlockScope::ALL.to_vec(), 0..=3).prop_map(|scopes| scopes.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_waiver_makes_no_result_worse_and_no_block_more_c1a_c2(
        computers in proptest::collection::vec(a_computer(), 0..4),
        waived in proptest::collection::vec(a_check(), 0..4),
        more in a_check(),
        before in some_scopes(),
    ) {
        let room = room(computers);
        let assessed = |waived: &[Check]| assess(&room, &decided(waived), &Profile::shipped(), &as_of(), &before);
        let without = assessed(&waived);
        let with = assessed(&[&waived[..], &[more]].concat());
        for check in ALL_CHECKS {
            prop_assert!(result(&with, check) >= result(&without, check));
        }
        prop_assert!(with.blocks.is_subset(&without.blocks));
    }

    #[test]
    fn the_order_of_devices_does_not_matter_c1a(
        (computers, shuffled) in proptest::collection::vec(a_computer(), 0..5)
            .prop_flat_map(|computers| (Just(computers.clone()), Just(computers).prop_shuffle())),
    ) {
        prop_assert_eq!(judged(&room(computers), &decided(&[])), judged(&room(shuffled), &decided(&[])));
    }

    #[test]
    fn every_block_follows_from_its_check_or_was_there_before_c2(
        computers in proptest::collection::vec(a_computer(), 0..4),
        waived in proptest::collection::vec(a_check(), 0..3),
        before in some_scopes(),
    ) {
        let readiness = assess(&room(computers), &decided(&waived), &Profile::shipped(), &as_of(), &before);
        let of = |check| result(&readiness, check);
        for scope in &readiness.blocks {
            let stays = |result| result == CheckResult::Unknown && before.contains(scope);
            let allowed = match scope {
                BlockScope::Onboarding => [Check::BaseImage, Check::OsEdition]
                    .iter()
                    .any(|check| matches!(of(*check), CheckResult::Fail | CheckResult::Unknown)),
                BlockScope::Os => of(Check::OsUpdates) == CheckResult::Fail || stays(of(Check::OsUpdates)),
                BlockScope::LogitechFirmware => {
                    of(Check::LogitechSync) == CheckResult::Fail || stays(of(Check::LogitechSync))
                }
            };
            prop_assert!(allowed, "{scope:?}");
        }
    }
}
