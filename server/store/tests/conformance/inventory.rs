//! What devices say about themselves, and the tokens with which they speak.

use std::collections::BTreeMap;

use domain::conversation::inventory::{ConfigMode, ConfigReport, ReportRefusal};
use domain::conversation::{Outcome, Report};
use domain::update::VersionStanding;
use testkit::{Home, both_engines, instant};

use crate::lab::{self, UPDATE, later, room};
use crate::{rechecks, refused};

both_engines![
    facts_are_merged_replaced_and_removed,
    facts_that_break_a_limit_change_nothing_g5,
    a_reported_version_reaches_the_components_and_the_planner_i5,
    a_token_speaks_for_one_device_until_it_is_revoked_a4,
];

pub fn facts(mode: ConfigMode, data: &[(&str, Option<&str>)]) -> Report {
    let data = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)))
        .collect();
    Report::Config {
        device: lab::device(0),
        report: ConfigReport { mode, data },
    }
}

async fn attributes(home: &Home) -> String {
    let query = "SELECT cast(attributes AS text) FROM devices WHERE controller_id = 'device-0'";
    let text = home.text(query).await;
    let known: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    known
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(" ")
}

async fn facts_are_merged_replaced_and_removed(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    // The room is checked after a first report, and after one that replaces everything: it may have taken a fact away (C5).
    let steps: [(Report, &str); 5] = [
        (
            facts(ConfigMode::Merge, &[("a", Some("1")), ("b", Some("2"))]),
            "a=1 b=2",
        ),
        (
            facts(ConfigMode::Merge, &[("b", Some("3")), ("a", None), ("c", Some(""))]),
            "b=3 c=",
        ),
        (
            facts(ConfigMode::Remove, &[("c", Some("whatever")), ("z", None)]),
            "b=3",
        ),
        (facts(ConfigMode::Replace, &[("d", Some("n\u{0}ul"))]), "d=nul"),
        (facts(ConfigMode::Merge, &[]), "d=nul"),
    ];
    for (place, (report, expected)) in steps.into_iter().enumerate() {
        let replaces = matches!(&report, Report::Config { report, .. } if report.mode == ConfigMode::Replace);
        let outcome = if replaces || place == 0 {
            Outcome::Changed
        } else {
            Outcome::Noted
        };
        assert_eq!(store.report(report, later(0)).await.unwrap(), outcome);
        assert_eq!(attributes(&home).await, expected);
    }
    let device = |facts: Option<store::DeviceFacts>| facts.unwrap().device;
    let told = device(store.read().await.unwrap().device_facts("device-0").await.unwrap());
    assert!(!told.facts_wanted && !told.window_aware);
    assert_eq!(told.last_seen_at, Some(later(0)));
    // What the room says of itself (K5).
    let report = facts(
        ConfigMode::Merge,
        &[
            ("room.state", Some("FREE")),
            ("room.busy_until", Some("2026-03-04T02:30:00+01:00")),
            ("ddi.window", Some("aware")),
        ],
    );
    store.report(report, later(5)).await.unwrap();
    let told = device(store.read().await.unwrap().device_facts("device-0").await.unwrap());
    assert!(told.window_aware);
    assert_eq!(told.presence.free_at, Some(later(5)));
    assert_eq!(told.presence.busy_until, Some(instant("2026-03-04T01:30:00Z")));
}

async fn facts_that_break_a_limit_change_nothing_g5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    store
        .report(facts(ConfigMode::Merge, &[("a", Some("1"))]), later(0))
        .await
        .unwrap();
    let (longest, too_long) = ("é".repeat(128), "é".repeat(129));
    for (key, value) in [(too_long.as_str(), "x"), ("x", too_long.as_str())] {
        let said = store
            .report(
                facts(ConfigMode::Merge, &[("b", Some("2")), (key, Some(value))]),
                later(1),
            )
            .await
            .unwrap();
        assert!(
            matches!(said, Outcome::Refused(ReportRefusal::TooLong { .. })),
            "{said:?}"
        );
    }
    let many: Vec<(String, String)> = (0..100)
        .map(|number| (format!("k{number:03}"), "v".to_owned()))
        .collect();
    let many: Vec<(&str, Option<&str>)> = many
        .iter()
        .map(|(key, value)| (key.as_str(), Some(value.as_str())))
        .collect();
    let said = store.report(facts(ConfigMode::Merge, &many), later(2)).await.unwrap();
    assert_eq!(
        said,
        Outcome::Refused(ReportRefusal::TooMany {
            attribute: "k099".to_owned()
        })
    );
    assert_eq!(attributes(&home).await, "a=1");
    assert_eq!(
        store
            .report(facts(ConfigMode::Merge, &many[..99]), later(3))
            .await
            .unwrap(),
        Outcome::Noted
    );
    assert_eq!(
        store
            .report(facts(ConfigMode::Replace, &[(&longest, Some(&longest))]), later(4))
            .await
            .unwrap(),
        Outcome::Changed
    );
    assert_eq!(attributes(&home).await, format!("{longest}={longest}"));
}

async fn a_reported_version_reaches_the_components_and_the_planner_i5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let says = |version: &'static str| {
        facts(
            ConfigMode::Merge,
            &[
                ("component.1.product", Some("cam")),
                ("component.1.version", Some(version)),
            ],
        )
    };
    let installed = async || {
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        fleet.rooms[&room(0)].devices[0].components[0].version.clone()
    };
    // What is known already is no news, but for the checks of the room: it is the first report (C4, C5).
    assert_eq!(store.report(says("1"), later(0)).await.unwrap(), Outcome::Changed);
    assert_eq!(store.report(says("1"), later(0)).await.unwrap(), Outcome::Noted);
    assert_eq!(rechecks(store).await, 0);
    assert_eq!(store.report(says("2"), later(1)).await.unwrap(), Outcome::Changed);
    assert_eq!(installed().await.as_deref(), Some("2"));
    assert_eq!(rechecks(store).await, 1);
    assert_eq!(store.report(says("2"), later(2)).await.unwrap(), Outcome::Noted);
    // A version that nobody has seen before gets its standing to what is published (S1, S2).
    for (version, standing) in [
        ("1.5", VersionStanding::Below),
        ("2.0.1", VersionStanding::Current),
        ("nightly", VersionStanding::Unordered),
    ] {
        assert_eq!(
            store.report(says(version), later(3)).await.unwrap(),
            Outcome::Changed,
            "{version}"
        );
        assert_eq!(installed().await.as_deref(), Some(version));
        let updates = store.read().await.unwrap().updates(&[UPDATE]).await.unwrap();
        assert_eq!(updates[&UPDATE].standings.get(version), Some(&standing), "{version}");
    }
    // `sw_version` is the only component's.
    let plain = facts(ConfigMode::Replace, &[("sw_version", Some("1"))]);
    assert_eq!(store.report(plain, later(4)).await.unwrap(), Outcome::Changed);
    assert_eq!(installed().await.as_deref(), Some("1"));
    assert_eq!(store.report(says("2"), later(5)).await.unwrap(), Outcome::Changed);
    // Products that the portfolio does not know stay attributes, and what was named before and is not any more is gone.
    let unknown = facts(
        ConfigMode::Replace,
        &[
            ("component.1.product", Some("toaster")),
            ("component.1.version", Some("9")),
        ],
    );
    assert_eq!(store.report(unknown, later(6)).await.unwrap(), Outcome::Changed);
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert!(fleet.rooms[&room(0)].devices[0].components.is_empty());
}

async fn a_token_speaks_for_one_device_until_it_is_revoked_a4(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let token = [7_u8; 32];
    let enrolled = store::write!(store, tx => { tx.enrol_device("device-0", &token, later(0)).await });
    assert!(enrolled.unwrap());
    let nobody = store::write!(store, tx => { tx.enrol_device("device-9", &[8; 32], later(0)).await });
    assert!(!nobody.unwrap());
    let shared = store::write!(store, tx => { tx.enrol_device("device-1", &token, later(0)).await });
    assert!(refused(&shared), "{shared:?}");
    let known = async || {
        store
            .read()
            .await
            .unwrap()
            .device_facts("device-0")
            .await
            .unwrap()
            .unwrap()
            .device
    };
    assert_eq!(known().await.token_hash.as_deref(), Some(token.as_slice()));
    assert!(
        store
            .read()
            .await
            .unwrap()
            .device_facts("DEVICE-0")
            .await
            .unwrap()
            .is_none()
    );
    let revoke = async || store::write!(store, tx => { tx.revoke_device("device-0", later(1)).await });
    assert!(revoke().await.unwrap());
    assert!(!revoke().await.unwrap());
    let device = known().await;
    assert!(device.revoked && device.token_hash.is_none());
    assert_eq!(
        store.read().await.unwrap().fleet().await.unwrap().rooms[&room(0)].devices,
        []
    );
    store::write!(store, tx => { tx.enrol_device("device-0", &[9; 32], later(2)).await }).unwrap();
    assert!(!known().await.revoked);
}
