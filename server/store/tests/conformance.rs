//! One list of behaviours, stamped for both engines. What a behaviour needs stands in `support`.
//!
//! `tools/postgres cargo nextest run -p store` gives them a Postgres; without one they fail.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::changes::{Changes, Placement, Stop, StopOf};
use domain::check::{check, forward};
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport, ReportRefusal};
use domain::conversation::{Fetched, Outcome, Report};
use domain::deployment::{DeploymentState, Failure, Force, Withdrawal};
use domain::ids::{ActionId, DeviceId, PersonId, RingId, RoomId, UpdateId};
use domain::install::InstallState;
use domain::reason::Reason;
use domain::ring::{Ring, RingDraft, RingKind, RingOrder, RingPlace, RingSequence};
use domain::rollout::{Rollout, RolloutState};
use domain::room::{Hold, RoomState};
use domain::settings::Settings;
use domain::ticket::{TicketSeverity, TicketState};
use domain::update::VersionStanding;
use domain::zone::Zone;
use sqlx::AssertSqlSafe;
use store::{
    AuditFacts, AuditFilter, Engine, NewSession, PersonRecord, RoomFilter, RoomListRecord, Store, StoreError,
    TicketFilter, TicketRecord, Tx, UpdateRoomFilter, UpdateRooms,
};
use support::Home;
use support::lab::{self, GENERAL, STAGING, UPDATE, at_night, date, instant, later, room, says};
use support::world::World;
use uuid::Uuid;

macro_rules! on_both_engines {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                super::$behaviour(Home::new(Engine::Sqlite).await).await;
            })+
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                super::$behaviour(Home::new(Engine::Postgres).await).await;
            })+
        }
    };
}

on_both_engines![
    the_organisation_and_its_rings_come_back_as_they_were_written,
    the_database_keeps_the_three_preconfigured_rings_r1,
    the_database_keeps_two_rings_from_one_order_r2,
    the_database_keeps_a_ring_of_each_kind_in_its_place_r1_r2,
    the_database_knows_names_without_regard_to_case_r4,
    a_ring_that_has_rooms_cannot_be_deleted_r11,
    people_their_sessions_and_their_links_come_back_a1_a2,
    the_audit_is_read_by_whom_what_and_when_and_page_by_page_a3,
    a_room_that_two_people_move_at_once_ends_in_exactly_one_ring_r3,
    rooms_and_tickets_are_counted_with_every_change_p8,
    rollouts_come_back_in_every_state_with_their_stages_r10,
    deployments_come_back_in_every_state_t1,
    installs_come_back_in_every_state,
    one_deployment_is_open_in_a_room_one_exists_for_room_and_update_one_install_is_open_on_a_device_s7,
    the_counts_of_a_ring_follow_every_change_of_its_deployments_t10,
    what_is_due_is_the_same_in_rows_and_in_memory_s14,
    rows_follow_the_planner_through_weeks_of_random_life_s14,
    a_ring_that_is_entered_has_the_same_candidates_in_rows_and_in_memory_s6,
    a_ring_that_is_half_filled_has_the_same_next_rooms_in_rows_and_in_memory_s6,
    what_does_not_fit_into_one_slice_comes_in_the_next_s14,
    rooms_that_wait_for_their_ring_are_those_that_it_will_place_s1_t10,
    a_mark_that_comes_between_reading_and_deleting_is_not_lost_s14,
    only_one_process_plans_at_a_time_g2,
    a_device_starts_reports_and_ends_and_hears_gone_afterwards,
    a_failure_ends_the_action_and_a_late_word_changes_nothing,
    a_report_about_an_action_that_is_not_the_devices_own_finds_nothing_a4,
    a_device_that_names_anothers_action_takes_nothing_of_its_report_away_a4,
    nothing_starts_outside_the_window_or_while_the_rollout_is_paused_w1_k3,
    what_runs_when_the_pause_comes_is_recorded_k3,
    a_device_that_shows_up_is_noted_once_w4,
    facts_are_merged_replaced_and_removed,
    facts_that_break_a_limit_change_nothing_g5,
    a_reported_version_reaches_the_components_and_the_planner_i5,
    a_token_speaks_for_one_device_until_it_is_revoked_a4,
    many_devices_report_at_once_and_every_report_is_kept_g3,
    a_start_that_races_with_a_pause_never_comes_after_it_k3,
    overlapping_writers_that_find_none_yet_make_one_g2,
    a_row_that_is_no_fact_is_named_by_table_and_row_g5,
    a_reason_that_another_program_wrote_is_its_sentence_t5,
    two_updates_that_enter_large_rings_at_once_keep_their_own_order_s6,
    pages_of_rooms_follow_each_other_forth_and_back_p8,
    the_rooms_of_an_update_stand_by_name_whatever_their_status_p3_p8,
    the_unhealthy_rooms_are_known_with_every_change_of_a_ticket_i4_p8,
    a_database_of_an_older_program_keeps_what_is_in_it_and_is_counted_g1,
    names_of_an_older_program_are_found_in_every_unicode_form_r4_g5,
    reasons_of_an_older_program_are_kept_as_they_were_written_g1_t5,
    migrating_twice_changes_nothing_g1,
    several_processes_migrate_at_once_g2,
    a_database_of_a_newer_program_is_refused_g5,
];

type Written<T = ()> = Result<T, StoreError>;

fn refused<T: std::fmt::Debug>(outcome: &Written<T>) -> bool {
    matches!(outcome, Err(StoreError::Constraint(..)))
}

// ---- The organisation and its rings

fn custom(number: u128, name: &str, order: i64) -> Ring {
    Ring {
        id: RingId(Uuid::from_u128(number)),
        kind: RingKind::Custom,
        name: name.to_owned(),
        description: "Early birds, été, 早".to_owned(),
        place: RingPlace::Between(RingOrder::try_from(order).expect("an order")),
        rollout_days: 3,
        test_days: 4,
    }
}

fn with(rings: &RingSequence, ring: Ring) -> RingSequence {
    RingSequence::new(rings.iter().cloned().chain([ring]).collect()).expect("rings")
}

async fn put_rings(store: &Store, rings: &RingSequence) -> Written {
    store::write!(store, tx => { tx.put_rings(rings).await })
}

async fn the_organisation_and_its_rings_come_back_as_they_were_written(home: Home) {
    let store = &home.store;
    assert!(store.read().await.unwrap().organisation().await.unwrap().is_none());
    let mut organisation = lab::organisation();
    organisation.zone = Zone::parse("America/St_Johns").unwrap();
    organisation.settings = Settings {
        poll_seconds: 77,
        window_minutes: 240,
        ..Settings::default()
    };
    let rings = with(&with(&lab::rings(), custom(9, "Pilots", 3)), custom(8, "Züge", 9));
    store::write!(store, tx => {
        tx.put_organisation(&organisation).await?;
        tx.put_rings(&rings).await
    })
    .unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.organisation().await.unwrap(), Some(organisation.clone()));
    assert_eq!(tx.rings().await.unwrap(), rings);
    drop(tx);

    // An edit, a ring that goes, and orders that change places.
    let rings = rings.without(RingId(Uuid::from_u128(8))).unwrap();
    let draft = RingDraft {
        name: "Pilot floors".to_owned(),
        description: String::new(),
        order: RingOrder::try_from(7).ok(),
        rollout_days: 1,
        test_days: 0,
    };
    let rings = rings.with_edited(RingId(Uuid::from_u128(9)), draft).unwrap();
    organisation.name = "Other".to_owned();
    store::write!(store, tx => {
        tx.put_organisation(&organisation).await?;
        tx.put_rings(&rings).await
    })
    .unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.organisation().await.unwrap(), Some(organisation));
    assert_eq!(tx.rings().await.unwrap(), rings);
    drop(tx);

    store::write!(store, tx => { tx.put_program_value("demo.clock", "1").await?; tx.put_program_value("demo.clock", "2").await }).unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.program_value("demo.clock").await.unwrap().as_deref(), Some("2"));
    assert_eq!(tx.program_value("other").await.unwrap(), None);
}

async fn the_database_keeps_the_three_preconfigured_rings_r1(home: Home) {
    put_rings(&home.store, &lab::rings()).await.unwrap();
    for ring in lab::rings().iter() {
        let said = home
            .raw(&format!("DELETE FROM rings WHERE id = {}", home.id(ring.id.0)))
            .await
            .unwrap_err();
        assert!(said.contains("a preconfigured ring cannot be deleted"), "{said}");
    }
    assert!(home.raw("DELETE FROM rings").await.is_err());
    assert_eq!(home.store.read().await.unwrap().rings().await.unwrap(), lab::rings());
    // Nor can one be turned into a custom ring first.
    let turned = format!(
        "UPDATE rings SET kind = 'custom', place = 4 WHERE id = {}",
        home.id(STAGING.0)
    );
    let said = home.raw(&turned).await;
    assert!(said.is_err(), "a preconfigured ring was made a custom one");
}

async fn the_database_keeps_two_rings_from_one_order_r2(home: Home) {
    put_rings(&home.store, &with(&lab::rings(), custom(9, "Pilots", 3)))
        .await
        .unwrap();
    let second = |place: i64| {
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, 'custom', 'Second', 'second', '', {place}, 1, 0)",
            home.id(Uuid::from_u128(10)),
        )
    };
    for taken in [3, 5] {
        assert!(home.raw(&second(taken)).await.is_err(), "order {taken} was given twice");
    }
    home.raw(&second(4)).await.unwrap();
}

async fn the_database_keeps_a_ring_of_each_kind_in_its_place_r1_r2(home: Home) {
    put_rings(&home.store, &lab::rings()).await.unwrap();
    let ring = |kind: &str, place: i64, days: i64| {
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, '{kind}', 'Another', 'another', '', {place}, {days}, 0)",
            home.id(Uuid::from_u128(10)),
        )
    };
    for (kind, place, days) in [
        ("custom", 0, 1),
        ("custom", 10, 1),
        ("custom", -1, 1),
        ("staging", 3, 1),
        ("general", 3, 1),
        ("executive", 3, 1),
        ("other", 3, 1),
        ("custom", 3, 0),
    ] {
        assert!(
            home.raw(&ring(kind, place, days)).await.is_err(),
            "{kind} at {place} with {days} days was accepted"
        );
    }
    home.raw(&ring("custom", 3, 1)).await.unwrap();
}

async fn the_database_knows_names_without_regard_to_case_r4(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    put_rings(store, &with(&lab::rings(), custom(9, "Grüße", 3)))
        .await
        .unwrap();
    // Past RingSequence, which refuses it too.
    for (name, key) in [
        ("GRÜSSE", domain::ring::name_key("GRÜSSE")),
        ("Grüße", domain::ring::name_key("Grüße")),
    ] {
        let same = key == domain::ring::name_key("Grüße");
        let added = home
            .raw(&format!(
                "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
                VALUES ({}, 'custom', '{name}', '{key}', '', 4, 1, 0)",
                home.id(Uuid::from_u128(10)),
            ))
            .await;
        assert!(!same || added.is_err(), "{name} was added beside Grüße");
        home.raw(&format!(
            "DELETE FROM rings WHERE id = {}",
            home.id(Uuid::from_u128(10))
        ))
        .await
        .unwrap();
    }
    assert_eq!(domain::ring::name_key(" PILOTS "), domain::ring::name_key("pilots"));

    // Rooms: at one site; sites: everywhere; devices: their ids are what they say, with regard to case.
    let twice = store::write!(store, tx => { tx.add_rooms(&[lab::a_room(7, "ROOM 0", GENERAL)]).await });
    assert!(refused(&twice), "{twice:?}");
    let site = store::NewSite {
        id: domain::ids::SiteId(Uuid::from_u128(51)),
        name: "HARBOUR".to_owned(),
        city: String::new(),
        country: String::new(),
        zone: Zone::utc(),
    };
    let twice = store::write!(store, tx => { tx.add_sites(std::slice::from_ref(&site)).await });
    assert!(refused(&twice), "{twice:?}");
    let twice = store::write!(store, tx => {
        tx.add_devices(&[store::NewDevice { controller: "device-0".to_owned(), ..lab::a_device(7, 1, room(0)) }]).await
    });
    assert!(refused(&twice), "{twice:?}");
    let named = store.read().await.unwrap().rooms_named(" rOOm 0 ").await.unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (named[0].id, named[0].site_name.as_str(), named[0].capacity),
        (room(0), "Harbour", 8)
    );
}

async fn people_their_sessions_and_their_links_come_back_a1_a2(home: Home) {
    let mut tx = home.store.begin().await.unwrap();
    assert!(!tx.has_people().await.unwrap());
    let mut ada = PersonRecord {
        id: PersonId(Uuid::from_u128(1)),
        name: "Ada".to_owned(),
        email: "Ada@example.com".to_owned(),
        role: Role::Admin,
        password: None,
        disabled_at: None,
    };
    assert!(tx.add_person(&ada, "ada@example.com", at_night()).await.unwrap());
    let twin = PersonRecord {
        id: PersonId(Uuid::from_u128(2)),
        ..ada.clone()
    };
    let added = tx.add_person(&twin, "ada@example.com", at_night()).await.unwrap();
    assert!(!added, "an address has one account");
    (ada.role, ada.password, ada.disabled_at) = (Role::Auditor, Some("hash".to_owned()), Some(later(1)));
    tx.put_person(&ada).await.unwrap();
    assert_eq!(tx.person(ada.id).await.unwrap().as_ref(), Some(&ada));
    assert_eq!(tx.person_with("ada@example.com").await.unwrap().as_ref(), Some(&ada));
    assert_eq!(tx.people().await.unwrap(), std::slice::from_ref(&ada));

    let session = |number: u8| NewSession {
        id: Uuid::from_u128(u128::from(number)),
        token_hash: [number; 32],
        person: ada.id,
        address: "192.0.2.7".to_owned(),
        agent: "a browser".to_owned(),
    };
    for number in 1..=3 {
        tx.add_session(&session(number), later(i64::from(number)))
            .await
            .unwrap();
    }
    tx.touch_session(Uuid::from_u128(1), later(9)).await.unwrap();
    tx.touch_session(Uuid::from_u128(1), later(5)).await.unwrap();
    let found = tx.session(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(
        (found.made_at, found.seen_at),
        (later(1), later(9)),
        "it is never used earlier than it was"
    );
    assert_eq!((found.person, found.agent.as_str()), (ada.clone(), "a browser"));
    let ids = async |tx: &mut Tx| {
        let sessions = tx.sessions_of(ada.id).await.unwrap();
        sessions
            .into_iter()
            .map(|session| session.id.as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut tx).await, [1, 3, 2], "those last used first");
    assert!(
        !tx.end_session(twin.id, Uuid::from_u128(2)).await.unwrap(),
        "somebody else's"
    );
    assert!(tx.end_session(ada.id, Uuid::from_u128(2)).await.unwrap());
    assert_eq!(tx.end_sessions_of(ada.id, Some(Uuid::from_u128(1))).await.unwrap(), 1);
    assert_eq!(ids(&mut tx).await, [1]);
    tx.forget_sessions(ada.id, later(9), later(0)).await.unwrap();
    assert_eq!(ids(&mut tx).await, [1], "it is neither");
    tx.forget_sessions(ada.id, later(10), later(0)).await.unwrap();
    assert_eq!(ids(&mut tx).await, [0_u128; 0], "it was used before that");

    for person in [None, Some(ada.id)] {
        tx.put_link(&[7; 32], person, later(60)).await.unwrap();
        assert_eq!(tx.link(&[7; 32], later(59)).await.unwrap(), Some(person));
        assert_eq!(tx.link(&[7; 32], later(60)).await.unwrap(), None, "its time is over");
        tx.put_link(&[8; 32], person, later(60)).await.unwrap();
        assert_eq!(tx.link(&[7; 32], later(0)).await.unwrap(), None, "there is a newer one");
        tx.delete_links_of(person).await.unwrap();
        assert_eq!(tx.link(&[8; 32], later(0)).await.unwrap(), None);
    }

    tx.commit().await.unwrap();
    let count = async |keys: &[(&str, i64)], slot| home.store.count_attempt(keys, slot).await.unwrap();
    assert!(count(&[("a", 2), ("b", 9)], 5).await);
    assert!(count(&[("a", 2)], 6).await, "two of two, in two slots");
    assert!(!count(&[("b", 9), ("a", 2)], 6).await, "and no third");
    assert!(
        !count(&[("b", 1)], 6).await,
        "what was refused is not counted, and what was stays"
    );
    assert!(count(&[("b", 2)], 6).await);
    home.store.uncount_attempt(&["a"], 6).await.unwrap();
    assert!(count(&[("a", 2)], 6).await, "a good one does not count");
    assert!(count(&[("a", 2)], 7).await, "the slot before the last is forgotten");
}

async fn the_audit_is_read_by_whom_what_and_when_and_page_by_page_a3(home: Home) {
    let mut tx = home.store.begin().await.unwrap();
    for number in 0..12 {
        let entry = store::AuditEntry {
            actor: ["Ada", "Bo", "Cy"][number % 3].to_owned(),
            address: "192.0.2.7".to_owned(),
            action: "test.made",
            object_kind: ["room", "ring"][number % 2],
            object_id: number.to_string(),
            summary: format!("entry {number}"),
            before: None,
            after: Some(serde_json::json!({ "number": number })),
        };
        // Three at each instant; the clock once went back.
        let minutes = if number == 11 {
            0
        } else {
            i64::try_from(number / 3).unwrap()
        };
        tx.add_audit(later(minutes), &entry).await.unwrap();
    }
    assert_eq!(tx.audit_actors().await.unwrap(), ["Ada", "Bo", "Cy"]);
    assert_eq!(tx.audit_kinds().await.unwrap(), ["ring", "room"]);
    let ids = async |tx: &mut Tx, filter: &AuditFilter, limit: i64| {
        let entries = tx.audit_page(filter, limit).await.unwrap();
        let ids = entries.iter().map(|entry| entry.object_id.parse::<u32>().unwrap());
        (
            ids.collect::<Vec<_>>(),
            entries.first().map(AuditFacts::position),
            entries.last().map(AuditFacts::position),
        )
    };
    let all = [10, 9, 8, 7, 6, 5, 4, 3, 11, 2, 1, 0];
    let everything = AuditFilter::default();
    assert_eq!(
        ids(&mut tx, &everything, 100).await.0,
        all,
        "by the instant, and then by the number"
    );
    let (first, _, end) = ids(&mut tx, &everything, 5).await;
    assert_eq!(first, all[..5]);
    let second = AuditFilter {
        older_than: end,
        ..AuditFilter::default()
    };
    let (second, start, end) = ids(&mut tx, &second, 5).await;
    assert_eq!(second, all[5..10]);
    assert_eq!(
        ids(
            &mut tx,
            &AuditFilter {
                older_than: end,
                ..AuditFilter::default()
            },
            5
        )
        .await
        .0,
        all[10..]
    );
    let back = AuditFilter {
        newer_than: start,
        ..AuditFilter::default()
    };
    assert_eq!(ids(&mut tx, &back, 5).await.0, all[..5], "the page before");
    let of = |actor: Option<&str>, kind: Option<&str>| AuditFilter {
        actor: actor.map(str::to_owned),
        object_kind: kind.map(str::to_owned),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&mut tx, &of(Some("Bo"), None), 100).await.0, [10, 7, 4, 1]);
    assert_eq!(ids(&mut tx, &of(None, Some("ring")), 100).await.0, [9, 7, 5, 3, 11, 1]);
    assert_eq!(ids(&mut tx, &of(Some("Bo"), Some("ring")), 100).await.0, [7, 1]);
    let span = AuditFilter {
        from: Some(later(1)),
        until: Some(later(3)),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&mut tx, &span, 100).await.0, [8, 7, 6, 5, 4, 3]);
}

async fn a_ring_that_has_rooms_cannot_be_deleted_r11(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let rings = with(&lab::rings(), custom(9, "Pilots", 3));
    let pilots = RingId(Uuid::from_u128(9));
    put_rings(store, &rings).await.unwrap();
    store::write!(store, tx => { tx.move_rooms(&[room(0)], STAGING, pilots).await }).unwrap();
    assert!(refused(&put_rings(store, &lab::rings()).await));
    assert_eq!(store.read().await.unwrap().rings().await.unwrap(), rings);
    let moved = store::write!(store, tx => {
        let moved = tx.move_all_rooms(pilots, GENERAL).await?;
        tx.put_rings(&lab::rings()).await?;
        Ok::<_, StoreError>(moved)
    });
    assert_eq!(moved.unwrap(), 1);
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert_eq!(fleet.rooms[&room(0)].ring, GENERAL);
    assert_eq!(fleet.rechecks, BTreeSet::from([room(0)]));
}

async fn a_room_that_two_people_move_at_once_ends_in_exactly_one_ring_r3(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let other = lab::EXECUTIVE;
    let move_to = |to: RingId| {
        let store = store.clone();
        tokio::spawn(async move { store::write!(store, tx => { tx.move_rooms(&[room(0)], STAGING, to).await }) })
    };
    for round in 0..40 {
        let (first, second) = (move_to(GENERAL), move_to(other));
        let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
        assert_eq!(first + second, 1, "round {round}");
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        assert_eq!(fleet.rooms[&room(0)].ring, if first == 1 { GENERAL } else { other });
        let back = store::write!(store, tx => { tx.move_rooms(&[room(0)], fleet.rooms[&room(0)].ring, STAGING).await });
        assert_eq!(back.unwrap(), 1);
    }
}

// ---- Facts come back as they were written

async fn rollouts_come_back_in_every_state_with_their_stages_r10(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let since = instant("2026-03-05T11:22:33.123456Z");
    let states = [
        RolloutState::Running,
        RolloutState::Paused {
            since,
            by: "Ärztin".to_owned(),
            reason: "It hums.".to_owned(),
            resumes_on: Some(date("2026-03-20")),
        },
        RolloutState::Deprecated {
            at: since,
            reason: Reason::Superseded {
                by: "Camera 3".to_owned(),
            },
        },
        RolloutState::Finished { at: since },
    ];
    for (state, number) in states.into_iter().zip(3_u32..) {
        let id = UpdateId(Uuid::from_u128(100 + u128::from(number)));
        let mut rollout = Rollout {
            next_at: Some(since),
            paused_days: 4,
            automatic_days: (number % 2 == 0).then_some(5),
            ..lab::a_rollout(id, state)
        };
        rollout.stages.push(lab::a_stage(GENERAL, "General", 5));
        store::write!(store, tx => {
            let version = Uuid::from_u128(200 + u128::from(number));
            tx.put_version(version, &lab::cam(), &number.to_string(), None).await?;
            tx.add_release(&lab::a_release(id, version, &number.to_string(), number)).await?;
            tx.add_rollout(&rollout, "Admin").await
        })
        .unwrap();
        assert_eq!(
            store.read().await.unwrap().rollout(id).await.unwrap(),
            Some(rollout.clone())
        );

        // A second time, with other numbers; a stage keeps the ring as it was entered.
        rollout.starts_on = date("2026-03-11");
        rollout.next_at = None;
        rollout.stages[1].rollout_ends = date("2026-03-20");
        rollout.stages[1].test_ends = date("2026-03-21");
        rollout.superseded_by.push(UPDATE);
        rollout.stages[1].placed = 3;
        store::write!(store, tx => { tx.put_rollout(&rollout).await }).unwrap();
        assert_eq!(store.read().await.unwrap().rollout(id).await.unwrap(), Some(rollout));
    }
    let mut tx = store.read().await.unwrap();
    let live = tx.live_rollouts().await.unwrap();
    let expected = [100_u128, 103, 104].map(|number| UpdateId(Uuid::from_u128(number)));
    assert_eq!(live, expected);
    assert_eq!(tx.all_rollouts().await.unwrap().len(), 5);
    assert_eq!(
        tx.published_at(UPDATE).await.unwrap(),
        Some((instant("2026-03-03T15:00:00Z"), "Admin".to_owned()))
    );
    drop(tx);
    let nobody = UpdateId(Uuid::from_u128(999));
    let missing = store::write!(store, tx => { tx.put_rollout(&lab::a_rollout(nobody, RolloutState::Running)).await });
    assert!(
        matches!(missing, Err(StoreError::Row { table: "rollouts", .. })),
        "{missing:?}"
    );
    let twice =
        store::write!(store, tx => { tx.add_rollout(&lab::a_rollout(UPDATE, RolloutState::Running), "Admin").await });
    assert!(refused(&twice), "{twice:?}");
}

fn every_deployment_state() -> Vec<DeploymentState> {
    let at = instant("2026-03-04T02:03:04.000005Z");
    let mut states = vec![
        DeploymentState::Waiting,
        DeploymentState::Open { started_at: None },
        DeploymentState::Open { started_at: Some(at) },
        DeploymentState::Completed { at },
    ];
    for failure in [
        Failure::Reported,
        Failure::Unreachable,
        Failure::Silent,
        Failure::Unconfirmed,
        Failure::Canceled,
        Failure::NoPath,
    ] {
        states.push(DeploymentState::Failed { at, failure });
    }
    for why in [Withdrawal::Deprecated, Withdrawal::Moved, Withdrawal::NotRequired] {
        states.push(DeploymentState::Withdrawn { at, why });
    }
    states
}

async fn deployments_come_back_in_every_state_t1(home: Home) {
    let store = &home.store;
    let states = every_deployment_state();
    lab::fill(store, states.len() as u128 + 2).await;
    for (state, number) in states.into_iter().zip(0_u128..) {
        let mut deployment = lab::a_deployment(number, room(number), state);
        deployment.next_at = Some(later(7));
        store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await })
            .unwrap();
        let stored = store
            .read()
            .await
            .unwrap()
            .deployment_of(room(number), UPDATE)
            .await
            .unwrap();
        assert_eq!(stored, Some(deployment.clone()));
        // Again with everything else changed.
        deployment.ring = GENERAL;
        deployment.night = date("2026-04-01");
        deployment.planned_night = None;
        deployment.attempt = 3;
        deployment.missed_windows = 1;
        deployment.crowded_windows = 2;
        deployment.catch_up = true;
        deployment.force = Some(if number % 2 == 0 {
            Force::Now
        } else {
            Force::WhenAvailable
        });
        deployment.from_version = None;
        deployment.reason = Reason::Stopped {
            why: "Another reason: \"quoted\", 'quoted'.".to_owned(),
        };
        deployment.next_at = None;
        store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await })
            .unwrap();
        let stored = store
            .read()
            .await
            .unwrap()
            .deployment_of(room(number), UPDATE)
            .await
            .unwrap();
        assert_eq!(stored, Some(deployment));
    }
    let mut tx = store.read().await.unwrap();
    assert_eq!(
        check(&tx.fleet().await.unwrap())
            .into_iter()
            .filter(|finding| finding.law == 'J')
            .count(),
        0
    );
    assert_eq!(tx.deployment_of(room(90), UPDATE).await.unwrap(), None);
    // What happened to them is kept, oldest last.
    let events = tx.events_of_room(room(0), 10).await.unwrap();
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event.state.as_str(), event.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("waiting", "Another reason: \"quoted\", 'quoted'."),
            ("waiting", "Night 1 of 2 in Staging.")
        ]
    );
}

async fn installs_come_back_in_every_state(home: Home) {
    let store = &home.store;
    let at = instant("2026-03-04T02:03:04.000005Z");
    let mut states = vec![
        InstallState::Planned,
        InstallState::Started {
            heard_at: at,
            silent_at: None,
            installed_chunks: false,
        },
        InstallState::Started {
            heard_at: at,
            silent_at: Some(at),
            installed_chunks: true,
        },
        InstallState::Withdrawn { at },
        InstallState::Canceled { at },
        InstallState::Installed { at, doubtful: false },
        InstallState::Completed { at },
        InstallState::Withdrawn { at },
    ];
    for failure in [
        Failure::Reported,
        Failure::Unreachable,
        Failure::Silent,
        Failure::Unconfirmed,
    ] {
        states.push(InstallState::Failed { at, failure });
    }
    lab::fill(store, states.len() as u128).await;
    for (state, number) in states.into_iter().zip(0_u128..) {
        let action = lab::open(store, number).await;
        let mut tx = store.read().await.unwrap();
        let planned = tx.installs_of(lab::deployment_id(number)).await.unwrap().remove(0);
        drop(tx);
        assert_eq!(
            planned,
            lab::an_install(number, lab::device(number)).with_action(action)
        );
        let install = domain::install::Install {
            state,
            shown_up_at: Some(at),
            started_at: Some(at),
            detail: "Erasing 100 %.".to_owned(),
            cancel_wanted: Some("Stopped by Admin: \"the board\" meets.".to_owned()),
            ..planned
        };
        store::write!(store, tx => { tx.put_installs(std::slice::from_ref(&install)).await }).unwrap();
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        assert_eq!(fleet.installs[&action], install);
    }
    let missing = domain::install::Install {
        action: ActionId(4_000),
        ..lab::an_install(0, lab::device(0)).with_action(ActionId(1))
    };
    let missing = store::write!(store, tx => { tx.put_installs(std::slice::from_ref(&missing)).await });
    assert!(
        matches!(missing, Err(StoreError::Row { table: "installs", .. })),
        "{missing:?}"
    );
}

async fn one_deployment_is_open_in_a_room_one_exists_for_room_and_update_one_install_is_open_on_a_device_s7(
    home: Home,
) {
    let store = &home.store;
    lab::fill(store, 2).await;
    lab::open(store, 0).await;
    // A second update in the same room: it may wait, but not be open.
    let other = UpdateId(Uuid::from_u128(101));
    store::write!(store, tx => {
        tx.put_version(Uuid::from_u128(203), &lab::cam(), "3", None).await?;
        tx.add_release(&lab::a_release(other, Uuid::from_u128(203), "3", 3)).await?;
        tx.add_rollout(&lab::a_rollout(other, RolloutState::Running), "Admin").await
    })
    .unwrap();
    let mut second = lab::a_deployment(8, room(0), DeploymentState::Waiting);
    second.update = other;
    store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&second), at_night()).await }).unwrap();
    second.state = DeploymentState::Open { started_at: None };
    let two_open = store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&second), at_night()).await });
    assert!(refused(&two_open), "{two_open:?}");
    // The same update a second time.
    let twice = lab::a_deployment(9, room(0), DeploymentState::Waiting);
    let twice = store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&twice), at_night()).await });
    assert!(refused(&twice), "{twice:?}");
    // A second install on the device, of whatever deployment.
    let install = domain::changes::NewInstall {
        deployment: second.id,
        update: other,
        ..lab::an_install(0, lab::device(0))
    };
    let two_installs = store::write!(store, tx => { tx.add_installs(std::slice::from_ref(&install)).await });
    assert!(refused(&two_installs), "{two_installs:?}");
    // What closes may make room for what opens in one write, in whatever order they are given.
    let first = lab::a_deployment(0, room(0), DeploymentState::Waiting);
    store::write!(store, tx => { tx.put_deployments(&[second.clone(), first.clone()], at_night()).await }).unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert_eq!(fleet.deployments[&second.id].state, second.state);
    assert!(
        check(&fleet)
            .iter()
            .all(|finding| finding.law != 'D' && finding.law != 'J'),
        "{:?}",
        check(&fleet)
    );
}

async fn the_counts_of_a_ring_follow_every_change_of_its_deployments_t10(home: Home) {
    let store = &home.store;
    lab::fill(store, 4).await;
    let mut dice = support::world::Dice::new(7);
    let states = every_deployment_state();
    let rings = [STAGING, GENERAL, lab::EXECUTIVE];
    for step in 0..60 {
        // Several at once, some of them new, from any state into any state, ring and kind.
        let mut batch = Vec::new();
        for number in 0..4_u128 {
            let mut deployment = lab::a_deployment(number, room(number), states[dice.below(states.len())].clone());
            deployment.ring = rings[dice.below(3)];
            deployment.catch_up = dice.below(4) == 0;
            if dice.below(2) == 0 {
                batch.push(deployment);
            }
        }
        store::write!(store, tx => { tx.put_deployments(&batch, at_night()).await }).unwrap();
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        let wrong: Vec<_> = check(&fleet).into_iter().filter(|finding| finding.law == 'J').collect();
        assert_eq!(wrong, [], "step {step}");
    }
    // A count that is made wrong is found.
    home.raw("UPDATE ring_counts SET completed = completed + 1")
        .await
        .unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert!(check(&fleet).iter().any(|finding| finding.law == 'J'));
}

// ---- The tick

/// `NIGHTSHIFT_WORLDS=200` for a long look.
fn worlds() -> u64 {
    std::env::var("NIGHTSHIFT_WORLDS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(5)
}

async fn what_is_due_is_the_same_in_rows_and_in_memory_s14(home: Home) {
    // Whole fleets, written at once at instants in the middle of their lives.
    let mut compared = 0;
    for seed in 100..100 + worlds() {
        let engine = home.engine;
        let mut world = World::new(seed);
        for days in 0..14 {
            world.act();
            world.sim.run_until(world.sim.now + TimeDelta::hours(31));
            if days % 5 != 4 {
                continue;
            }
            let home = Home::new(engine).await;
            world.tell_all(&home.store).await;
            // Today nothing is left to do; what comes is looked at from every instant at which something is due.
            for _ in 0..4 {
                world.act();
                world.tell(&home.store).await;
                let now = world
                    .sim
                    .fleet
                    .next_at(world.sim.now)
                    .unwrap_or(world.sim.now)
                    .max(world.sim.now);
                let mut tx = home.store.read().await.unwrap();
                let organisation = tx.organisation().await.unwrap().unwrap();
                let due = tx.due(&organisation, now, support::world::ALL).await.unwrap();
                let stored = tx.fleet().await.unwrap().slice(now);
                assert_eq!(
                    due.map(|due| support::world::Normal::of(&due.slice)),
                    stored.as_ref().map(support::world::Normal::of),
                    "seed {seed} at {now}"
                );
                compared += usize::from(stored.is_some());
            }
            world.compare(&home.store).await;
        }
    }
    assert!(compared > 30, "only {compared} slices had something in them");
}

async fn rows_follow_the_planner_through_weeks_of_random_life_s14(home: Home) {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 1..=worlds() {
        let own = Home::new(home.engine).await;
        let mut world = World::new(seed);
        world.publish();
        world.tell(&own.store).await;
        let ends = world.sim.now + TimeDelta::days(24);
        while world.sim.now < ends {
            world.step();
            if world.dice.below(12) == 0 {
                world.act();
            }
            let is_due = world
                .sim
                .fleet
                .next_at(world.sim.now)
                .is_some_and(|at| at <= world.sim.now);
            if !is_due && !world.has_news() {
                continue;
            }
            let before = world.sim.fleet.clone();
            world.tell(&own.store).await;
            world.tick(&own.store).await;
            world.compare(&own.store).await;
            assert_eq!(forward(&before, &world.sim.fleet), []);
        }
        for (word, number) in support::world::seen(&world.sim.fleet) {
            *seen.entry(word).or_insert(0) += number;
        }
    }
    assert!(
        seen["completed"] > 20 && seen["failed"] > 0 && seen["withdrawn"] > 0,
        "the weeks were too quiet: {seen:?}"
    );
}

/// Nine rooms of Staging: one has a deployment, one is blocked, one held; two withdrawn ones, of which one is held; the first
/// device of one does not need the update and the second does; the others need it.
async fn rooms_for_an_entry(store: &Store) {
    lab::fill(store, 9).await;
    let today = date("2026-03-04");
    store::write!(store, tx => {
        tx.put_deployments(&[lab::a_deployment(0, room(0), DeploymentState::Waiting)], at_night()).await?;
        let block = domain::room::Block { kind: domain::update::ProductKind::Firmware, why: "no".to_owned() };
        let hold = Hold { product: None, owner: "A".to_owned(), reason: "b".to_owned(), since: today, until: today };
        tx.put_block(room(3), &block).await?;
        tx.add_hold(domain::ids::HoldId(Uuid::from_u128(2)), room(4), &hold, instant("2026-03-03T12:00:00Z")).await?;
        for number in [5, 6] {
            let withdrawn = DeploymentState::Withdrawn { at: at_night(), why: Withdrawal::NotRequired };
            let mut deployment = lab::a_deployment(number, room(number), withdrawn);
            deployment.planned_night = None;
            deployment.attempt = 2;
            tx.put_deployments(&[deployment], at_night()).await?;
        }
        tx.add_hold(domain::ids::HoldId(Uuid::from_u128(3)), room(6), &hold, instant("2026-03-03T12:00:00Z")).await?;
        tx.put_components(&[(lab::device(8), lab::cam(), Some(lab::NEW))], at_night()).await?;
        tx.add_devices(&[lab::a_device(18, 1, room(8))]).await?;
        tx.put_components(&[(lab::device(18), lab::cam(), Some(lab::OLD))], at_night()).await
    })
    .unwrap();
}

/// The one due rollout in rows, the same as in memory.
async fn due_alike(store: &Store) -> domain::fleet::DueRollout {
    let mut tx = store.read().await.unwrap();
    let due = tx
        .due(&lab::organisation(), at_night(), support::world::ALL)
        .await
        .unwrap()
        .unwrap();
    let in_memory = tx.fleet().await.unwrap().slice(at_night()).unwrap();
    assert_eq!(
        support::world::Normal::of(&due.slice),
        support::world::Normal::of(&in_memory)
    );
    due.slice.due[0].clone()
}

async fn a_ring_that_is_entered_has_the_same_candidates_in_rows_and_in_memory_s6(home: Home) {
    let store = &home.store;
    rooms_for_an_entry(store).await;
    store::write!(store, tx => {
        // Staging is over today, and General comes next.
        for number in 0..9 {
            assert_eq!(tx.move_rooms(&[room(number)], STAGING, GENERAL).await?, 1);
        }
        let mut rollout = lab::a_rollout(UPDATE, RolloutState::Running);
        rollout.stages[0].placed = rollout.stages[0].rooms;
        rollout.stages[0].rollout_ends = date("2026-03-04");
        rollout.stages[0].test_ends = date("2026-03-04");
        rollout.next_at = Some(at_night());
        tx.put_rollout(&rollout).await
    })
    .unwrap();
    let due = due_alike(store).await;
    let rooms: Vec<RoomId> = due.candidates.iter().map(|candidate| candidate.room).collect();
    assert_eq!(rooms, [room(1), room(2), room(5), room(7), room(8)]);
    assert_eq!(due.candidates[2].withdrawn, Some((lab::deployment_id(5), 2)));
    assert_eq!(due.placement_batch, None);
}

async fn a_ring_that_is_half_filled_has_the_same_next_rooms_in_rows_and_in_memory_s6(home: Home) {
    let store = &home.store;
    rooms_for_an_entry(store).await;
    // Since the ring was entered one was blocked, one was held and one has got a deployment.
    let order = [3, 7, 4, 0, 5, 1, 2];
    let placements = (0..).zip(order).map(|(position, number)| Placement {
        update: UPDATE,
        position,
        room: room(number),
    });
    let plan = Changes {
        placements: placements.collect(),
        ..Changes::default()
    };
    store::write!(store, tx => {
        let mut rollout = lab::a_rollout(UPDATE, RolloutState::Running);
        rollout.stages[0].rooms = 7;
        rollout.stages[0].placed = 2;
        rollout.next_at = Some(at_night());
        tx.put_rollout(&rollout).await?;
        tx.apply(&plan, &[], at_night()).await
    })
    .unwrap();
    let placement_batch = due_alike(store).await.placement_batch.expect("it is being filled");
    assert_eq!(placement_batch.taken, 5);
    let next: Vec<(u32, RoomId)> = placement_batch
        .rooms
        .iter()
        .map(|(position, of)| (*position, of.room))
        .collect();
    assert_eq!(next, [(1, room(7)), (4, room(5))]);
    let plan = Changes {
        fully_placed: vec![UPDATE],
        ..Changes::default()
    };
    store::write!(store, tx => { tx.apply(&plan, &[], at_night()).await }).unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert!(fleet.placements.is_empty());
}

async fn what_does_not_fit_into_one_slice_comes_in_the_next_s14(home: Home) {
    let store = &home.store;
    lab::fill(store, 25).await;
    store::write!(store, tx => {
        for number in 0..25 {
            tx.recheck(room(number)).await?;
        }
        Ok::<_, StoreError>(())
    })
    .unwrap();
    let limits = store::Limits { rollouts: 1, rooms: 10 };
    for expected in [10, 10, 5] {
        let seen = store::write!(store, tx => {
            let due = tx.due(&lab::organisation(), at_night(), limits).await?.expect("rechecks");
            let rechecked_rooms = due.slice.rooms.iter().map(|due| due.room.id).collect();
            let plan = Changes { rechecked_rooms, ..Changes::default() };
            tx.apply(&plan, &due.rechecks, at_night()).await?;
            Ok::<_, StoreError>(due.slice.rooms.len())
        });
        assert_eq!(seen.unwrap(), expected);
    }
    assert!(
        store
            .read()
            .await
            .unwrap()
            .due(&lab::organisation(), at_night(), limits)
            .await
            .unwrap()
            .is_none()
    );
}

async fn rooms_that_wait_for_their_ring_are_those_that_it_will_place_s1_t10(home: Home) {
    let mut waited = 0;
    for seed in 200..200 + worlds() * 4 {
        let own = Home::new(home.engine).await;
        let mut world = World::new(seed);
        world.publish();
        world.tell(&own.store).await;
        let fleet = &world.sim.fleet;
        let mut tx = own.store.read().await.unwrap();
        let today = fleet.organisation.zone.date(world.sim.now);
        let mut expected: BTreeMap<UpdateId, BTreeMap<RingId, i64>> = BTreeMap::new();
        for update in fleet.updates.values() {
            let waiting = expected.entry(update.id).or_default();
            for room in fleet
                .rooms
                .values()
                .filter(|room| update.exclusion(room, today).is_none())
            {
                *waiting.entry(room.ring).or_insert(0) += 1;
            }
            waited += waiting.len();
            let alone = tx.waiting_by_ring(&[update.id], today).await.unwrap();
            assert_eq!(alone.get(&update.id), Some(&*waiting), "seed {seed}");
        }
        let updates: Vec<UpdateId> = fleet.updates.keys().copied().collect();
        assert_eq!(
            tx.waiting_by_ring(&updates, today).await.unwrap(),
            expected,
            "seed {seed}"
        );
    }
    assert!(waited > 10);
}

async fn a_mark_that_comes_between_reading_and_deleting_is_not_lost_s14(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let action = lab::open(store, 0).await;
    store::write!(store, tx => { tx.recheck(room(0)).await }).unwrap();
    let mut reading = store.read().await.unwrap();
    let due = reading
        .due(&lab::organisation(), at_night(), support::world::ALL)
        .await
        .unwrap()
        .unwrap();
    drop(reading);
    assert_eq!(due.rechecks.len(), 1);
    // The device of the same room starts meanwhile, and another room's facts change.
    let report = Report::Feedback {
        device: lab::device(0),
        action,
        feedback: says(Execution::Proceeding, Finished::None),
        window_aware: false,
    };
    assert_eq!(store.report(report, at_night()).await.unwrap(), Outcome::Changed);
    store::write!(store, tx => { tx.recheck(room(1)).await }).unwrap();
    let plan = Changes {
        rechecked_rooms: vec![room(0), room(1)],
        ..Changes::default()
    };
    store::write!(store, tx => { tx.apply(&plan, &due.rechecks, at_night()).await }).unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.fleet().await.unwrap().rechecks, BTreeSet::from([room(0), room(1)]));
    assert_eq!(tx.next_due(at_night()).await.unwrap(), Some(at_night()));
    let due = tx
        .due(&lab::organisation(), at_night(), support::world::ALL)
        .await
        .unwrap()
        .unwrap();
    drop(tx);
    // A recheck that the plan has not done stays as well.
    let half = Changes {
        rechecked_rooms: vec![room(1)],
        ..Changes::default()
    };
    store::write!(store, tx => { tx.apply(&half, &due.rechecks, at_night()).await }).unwrap();
    assert_eq!(
        store.read().await.unwrap().fleet().await.unwrap().rechecks,
        BTreeSet::from([room(0)])
    );
}

async fn only_one_process_plans_at_a_time_g2(home: Home) {
    lab::fill(&home.store, 1).await;
    let mut first = home.store.begin().await.unwrap();
    assert!(first.try_tick_lock().await.unwrap());
    if home.engine == Engine::Postgres {
        let other = Store::open(&home.address, false).await.unwrap();
        let mut second = other.begin().await.unwrap();
        assert!(!second.try_tick_lock().await.unwrap());
        drop(second);
        other.close().await;
    }
    first.commit().await.unwrap();
    let mut next = home.store.begin().await.unwrap();
    assert!(next.try_tick_lock().await.unwrap());
}

// ---- What devices report

fn feedback(number: u128, action: ActionId, execution: Execution, finished: Finished) -> Report {
    Report::Feedback {
        device: lab::device(number),
        action,
        feedback: says(execution, finished),
        window_aware: false,
    }
}

async fn install(store: &Store, number: u128) -> domain::install::Install {
    store
        .read()
        .await
        .unwrap()
        .installs_of(lab::deployment_id(number))
        .await
        .unwrap()
        .remove(0)
}

async fn rechecks(store: &Store) -> usize {
    store.read().await.unwrap().fleet().await.unwrap().rechecks.len()
}

async fn clear_rechecks(home: &Home) {
    home.raw("DELETE FROM marks").await.unwrap();
}

async fn a_device_starts_reports_and_ends_and_hears_gone_afterwards(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    let fetched = || {
        Report::Fetched(Fetched {
            device: lab::device(0),
            action,
        })
    };
    assert_eq!(store.report(fetched(), later(0)).await.unwrap(), Outcome::Changed);
    assert_eq!(install(store, 0).await.started_at, Some(later(0)));
    assert_eq!(rechecks(store).await, 1);
    clear_rechecks(&home).await;
    // A second fetch and signs of life change nothing that the planner must see.
    assert_eq!(store.report(fetched(), later(1)).await.unwrap(), Outcome::Noted);
    for (minutes, execution) in [
        (2, Execution::Download),
        (3, Execution::Proceeding),
        (4, Execution::Resumed),
    ] {
        let said = store
            .report(feedback(0, action, execution, Finished::None), later(minutes))
            .await
            .unwrap();
        assert_eq!(said, Outcome::Noted, "{execution:?}");
    }
    assert_eq!(rechecks(store).await, 0);
    let running = install(store, 0).await;
    assert_eq!(
        running.state,
        InstallState::Started {
            heard_at: later(4),
            silent_at: None,
            installed_chunks: false
        }
    );
    assert_eq!(running.started_at, Some(later(0)));
    // Success; the inventory is asked for.
    home.raw("UPDATE devices SET facts_wanted = NOT TRUE").await.unwrap();
    let closed = || feedback(0, action, Execution::Closed, Finished::Success);
    assert_eq!(store.report(closed(), later(20)).await.unwrap(), Outcome::Changed);
    assert_eq!(rechecks(store).await, 1);
    assert!(
        store
            .read()
            .await
            .unwrap()
            .device_facts("device-0")
            .await
            .unwrap()
            .unwrap()
            .device
            .facts_wanted
    );
    let done = install(store, 0).await;
    assert_eq!(
        done.state,
        InstallState::Installed {
            at: later(20),
            doubtful: false
        }
    );
    // Whatever comes now is kept and changes nothing.
    for (execution, finished) in [
        (Execution::Closed, Finished::Success),
        (Execution::Closed, Finished::Failure),
        (Execution::Proceeding, Finished::None),
    ] {
        let said = store
            .report(feedback(0, action, execution, finished), later(30))
            .await
            .unwrap();
        assert_eq!(said, Outcome::Ended, "{execution:?}");
    }
    assert_eq!(store.report(fetched(), later(31)).await.unwrap(), Outcome::Noted);
    assert_eq!(install(store, 0).await, done);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports").await, 7);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports WHERE NOT counted").await, 3);
}

async fn a_failure_ends_the_action_and_a_late_word_changes_nothing(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    let long = Feedback {
        execution: Execution::Closed,
        finished: Finished::Failure,
        details: vec!["first".to_owned(), format!("no space\u{0} left {}", "x".repeat(5_000))],
    };
    let report = || Report::Feedback {
        device: lab::device(0),
        action,
        feedback: long.clone(),
        window_aware: false,
    };
    // Its first word may be its last; a NUL, which Postgres cannot keep, does no harm.
    assert_eq!(store.report(report(), later(0)).await.unwrap(), Outcome::Changed);
    let failed = install(store, 0).await;
    assert_eq!(
        failed.state,
        InstallState::Failed {
            at: later(0),
            failure: Failure::Reported
        }
    );
    assert!(failed.detail.starts_with("no space"), "{}", failed.detail);
    assert_eq!(store.report(report(), later(1)).await.unwrap(), Outcome::Ended);
    assert_eq!(
        store
            .report(feedback(0, action, Execution::Closed, Finished::Success), later(2))
            .await
            .unwrap(),
        Outcome::Ended
    );
    assert_eq!(install(store, 0).await, failed);
}

async fn a_report_about_an_action_that_is_not_the_devices_own_finds_nothing_a4(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let action = lab::open(store, 0).await;
    let before = install(store, 0).await;
    let nobody = DeviceId(Uuid::from_u128(9_999));
    let word = || says(Execution::Closed, Finished::Success);
    for (device, action) in [
        (lab::device(1), action),
        (nobody, action),
        (lab::device(0), ActionId(4_711)),
        (lab::device(0), ActionId(0)),
    ] {
        let said = store
            .report(
                Report::Feedback {
                    device,
                    action,
                    feedback: word(),
                    window_aware: false,
                },
                later(0),
            )
            .await
            .unwrap();
        assert_eq!(said, Outcome::NotFound, "{device} {action}");
        let said = store
            .report(Report::Fetched(Fetched { device, action }), later(0))
            .await
            .unwrap();
        assert_eq!(said, Outcome::NotFound, "{device} {action}");
    }
    let report = ConfigReport {
        mode: ConfigMode::Merge,
        data: BTreeMap::new(),
    };
    assert_eq!(
        store
            .report(Report::Config { device: nobody, report }, later(0))
            .await
            .unwrap(),
        Outcome::NotFound
    );
    assert_eq!(install(store, 0).await, before);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports").await, 0);
    assert_eq!(rechecks(store).await, 0);
}

async fn put_state(store: &Store, state: RolloutState) {
    let rollout = lab::a_rollout(UPDATE, state);
    store::write!(store, tx => { tx.put_rollout(&rollout).await }).unwrap();
}

async fn nothing_starts_outside_the_window_or_while_the_rollout_is_paused_w1_k3(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    let planned = install(store, 0).await;
    let (opens, closes) = planned.window.unwrap();
    let word = || feedback(0, action, Execution::Proceeding, Finished::None);
    let fetch = || {
        Report::Fetched(Fetched {
            device: lab::device(0),
            action,
        })
    };
    for at in [opens - TimeDelta::microseconds(1), closes, closes + TimeDelta::hours(1)] {
        assert_eq!(store.report(word(), at).await.unwrap(), Outcome::NotFound, "{at}");
        assert_ne!(store.report(fetch(), at).await.unwrap(), Outcome::Changed, "{at}");
    }
    let since = later(0);
    let barred = [
        RolloutState::Paused {
            since,
            by: "Admin".to_owned(),
            reason: "It hums.".to_owned(),
            resumes_on: Some(date("2026-03-20")),
        },
        RolloutState::Deprecated {
            at: since,
            reason: Reason::recalled("it hums"),
        },
    ];
    for state in barred {
        put_state(store, state).await;
        assert_eq!(store.report(word(), later(1)).await.unwrap(), Outcome::NotFound);
        assert_ne!(store.report(fetch(), later(1)).await.unwrap(), Outcome::Changed);
    }
    assert_eq!(install(store, 0).await, planned);
    put_state(store, RolloutState::Running).await;
    assert_eq!(store.report(word(), opens).await.unwrap(), Outcome::Changed);
    assert_eq!(install(store, 0).await.started_at, Some(opens));
}

async fn what_runs_when_the_pause_comes_is_recorded_k3(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    assert_eq!(
        store
            .report(feedback(0, action, Execution::Download, Finished::None), later(0))
            .await
            .unwrap(),
        Outcome::Changed
    );
    put_state(
        store,
        RolloutState::Paused {
            since: later(1),
            by: "Admin".to_owned(),
            reason: "It hums.".to_owned(),
            resumes_on: Some(date("2026-03-20")),
        },
    )
    .await;
    assert_eq!(
        store
            .report(feedback(0, action, Execution::Proceeding, Finished::None), later(2))
            .await
            .unwrap(),
        Outcome::Noted
    );
    let done = store
        .report(feedback(0, action, Execution::Closed, Finished::Success), later(3))
        .await
        .unwrap();
    assert_eq!(done, Outcome::Changed);
    assert_eq!(
        install(store, 0).await.state,
        InstallState::Installed {
            at: later(3),
            doubtful: false
        }
    );
}

async fn a_device_that_shows_up_is_noted_once_w4(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    for minutes in [3, 9] {
        assert_eq!(
            store.report(Report::ShowedUp { action }, later(minutes)).await.unwrap(),
            Outcome::Noted
        );
    }
    assert_eq!(install(store, 0).await.shown_up_at, Some(later(3)));
    assert_eq!(
        store
            .report(Report::ShowedUp { action: ActionId(999) }, later(3))
            .await
            .unwrap(),
        Outcome::Noted
    );
    assert_eq!(rechecks(store).await, 0);
}

fn facts(mode: ConfigMode, data: &[(&str, Option<&str>)]) -> Report {
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
    let attributes = match home.engine {
        Engine::Sqlite => "attributes",
        Engine::Postgres => "attributes::text",
    };
    let sql = AssertSqlSafe(format!(
        "SELECT {attributes} FROM devices WHERE controller_id = 'device-0'"
    ));
    let text: String = match home.engine {
        Engine::Sqlite => sqlx::query_scalar(sql)
            .fetch_one(&mut home.sqlite().await)
            .await
            .unwrap(),
        Engine::Postgres => {
            let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&home.address)
                .await
                .unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
    };
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
    for (report, expected) in steps {
        assert_eq!(store.report(report, later(0)).await.unwrap(), Outcome::Noted);
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
        Outcome::Noted
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
    // What is known already is no news.
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

async fn a_device_that_names_anothers_action_takes_nothing_of_its_report_away_a4(home: Home) {
    let store = &home.store;
    lab::fill(store, 3).await;
    let (first, second) = (lab::open(store, 0).await, lab::open(store, 1).await);
    let closed =
        |number, action| store.report(feedback(number, action, Execution::Closed, Finished::Success), later(1));
    let moment = std::time::Duration::from_millis(100);
    // While the one writer is held, what comes piles up: the first report is a batch that waits, the others are the next batch.
    let holder = store.begin().await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.report(Report::ShowedUp { action: second }, later(0)).await }
    });
    tokio::time::sleep(moment).await;
    let ((), attacker, owner, other) = tokio::join!(
        async {
            tokio::time::sleep(moment).await;
            holder.roll_back().await.unwrap();
        },
        closed(2, first),
        closed(0, first),
        closed(1, second),
    );
    waiting.await.unwrap().unwrap();
    assert_eq!(attacker.unwrap(), Outcome::NotFound);
    assert_eq!(owner.unwrap(), Outcome::Changed);
    assert_eq!(other.unwrap(), Outcome::Changed);
    for number in 0..2 {
        let state = install(store, number).await.state;
        assert!(matches!(state, InstallState::Installed { .. }), "{number}: {state:?}");
    }
    assert_eq!(home.number("SELECT COUNT(*) FROM reports WHERE counted").await, 2);
}

async fn many_devices_report_at_once_and_every_report_is_kept_g3(home: Home) {
    const DEVICES: u128 = 60;
    let store = &home.store;
    lab::fill(store, DEVICES).await;
    let mut actions = Vec::new();
    for number in 0..DEVICES {
        actions.push(lab::open(store, number).await);
    }
    let mut tasks = Vec::new();
    for (number, action) in (0..DEVICES).zip(actions) {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            // The same word at once from two connections: one counts, the other finds it done.
            let word = || feedback(number, action, Execution::Closed, Finished::Success);
            let (first, second) = tokio::join!(store.report(word(), later(1)), store.report(word(), later(1)));
            let mut outcomes = [first.unwrap(), second.unwrap()];
            outcomes.sort_by_key(|outcome| *outcome == Outcome::Ended);
            assert_eq!(outcomes, [Outcome::Changed, Outcome::Ended]);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        home.number("SELECT COUNT(*) FROM installs WHERE state = 'installed'")
            .await,
        60
    );
    assert_eq!(home.number("SELECT COUNT(*) FROM reports WHERE counted").await, 60);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports").await, 120);
    assert_eq!(rechecks(store).await, 60);
}

/// A clock that never shows the same instant twice, as a machine's does.
#[derive(Clone)]
struct Ticking(Arc<AtomicI64>);

impl Ticking {
    fn now(&self) -> DateTime<Utc> {
        at_night() + TimeDelta::microseconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

async fn a_start_that_races_with_a_pause_never_comes_after_it_k3(home: Home) {
    const ROUNDS: u128 = 60;
    let store = &home.store;
    lab::fill(store, ROUNDS).await;
    let clock = Ticking(Arc::default());
    let mut started = 0;
    for round in 0..ROUNDS {
        put_state(store, RolloutState::Running).await;
        let action = lab::open(store, round).await;
        let device = {
            let (store, clock) = (store.clone(), clock.clone());
            tokio::spawn(async move {
                if round % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                let now = clock.now();
                let report = if round % 2 == 0 {
                    feedback(round, action, Execution::Proceeding, Finished::None)
                } else {
                    Report::Fetched(Fetched {
                        device: lab::device(round),
                        action,
                    })
                };
                store.report(report, now).await.unwrap()
            })
        };
        let person = {
            let (store, clock) = (store.clone(), clock.clone());
            tokio::spawn(async move {
                let written: Written = store::write!(store, tx => {
                    tx.lock_rollout(UPDATE).await?;
                    let since = clock.now();
                    let state = RolloutState::Paused { since, by: "Admin".to_owned(), reason: "It hums.".to_owned(), resumes_on: None };
                    tx.put_rollout(&lab::a_rollout(UPDATE, state)).await
                });
                written.unwrap();
            })
        };
        let outcome = device.await.unwrap();
        person.await.unwrap();
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        let broken: Vec<_> = check(&fleet).into_iter().filter(|finding| finding.law == 'E').collect();
        // Installs of earlier rounds started before earlier pauses, which are all before this one.
        assert_eq!(broken, [], "round {round}: {outcome:?}");
        assert_eq!(
            fleet.installs[&action].started_at.is_some(),
            outcome == Outcome::Changed,
            "round {round}"
        );
        started += usize::from(outcome == Outcome::Changed);
    }
    assert!(started > 0, "no device was ever faster");
}

// ---- The engine

async fn overlapping_writers_that_find_none_yet_make_one_g2(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    async fn none_yet_so_insert(tx: &mut Tx, name: &str) -> Written<bool> {
        if tx.audit_of("test", "one", 10).await?.is_empty() {
            let entry = store::AuditEntry {
                actor: name.to_owned(),
                address: String::new(),
                action: "test.made",
                object_kind: "test",
                object_id: "one".to_owned(),
                summary: String::new(),
                before: None,
                after: Some(serde_json::json!({ "by": name })),
            };
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            tx.add_audit(at_night(), &entry).await?;
            return Ok(true);
        }
        Ok(false)
    }
    let writer = |name: &'static str| {
        let store = store.clone();
        tokio::spawn(async move { store::write!(store, tx => { none_yet_so_insert(tx, name).await }) })
    };
    let writers = [writer("a"), writer("b"), writer("c")];
    let mut made = 0;
    for writer in writers {
        made += usize::from(writer.await.unwrap().unwrap());
    }
    assert_eq!(made, 1);
    let audit = store
        .read()
        .await
        .unwrap()
        .audit_page(&AuditFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(audit.len(), 1);
}

async fn a_row_that_is_no_fact_is_named_by_table_and_row_g5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    home.raw("UPDATE rooms SET zone = 'Mars/Olympus'").await.unwrap();
    let error = store.read().await.unwrap().fleet().await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("rooms") && said.contains(&room(0).to_string()) && said.contains("Mars/Olympus"),
        "{said}"
    );
    // Words that are none of ours do not come in at all.
    for sql in [
        "UPDATE rooms SET state = 'gone'",
        "UPDATE rollouts SET state = 'stopped'",
        "UPDATE updates SET severity = 'high'",
        "UPDATE rollouts SET state = 'paused'",
    ] {
        assert!(home.raw(sql).await.is_err(), "{sql}");
    }
}

async fn a_reason_that_another_program_wrote_is_its_sentence_t5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    lab::open(store, 0).await;
    let reason = async || {
        let mut tx = store.read().await.unwrap();
        tx.deployment_of(room(0), UPDATE).await.unwrap().unwrap().reason
    };
    let night = lab::a_deployment(0, room(0), DeploymentState::Waiting).reason;
    assert_eq!(reason().await, night, "its facts come back");
    let written = |sentence: &str| Reason::Written(sentence.to_owned());
    // A program before this one writes the sentence and leaves the facts as they are.
    home.raw("UPDATE deployments SET reason = 'As it was written.'")
        .await
        .unwrap();
    assert_eq!(reason().await, written("As it was written."));
    // A program after this one has reasons that nobody here knows.
    home.raw("UPDATE deployments SET reason_facts = '{\"code\":\"of_tomorrow\",\"facts\":{\"a\":1}}'")
        .await
        .unwrap();
    assert_eq!(reason().await, written("As it was written."));
    home.raw("UPDATE deployments SET reason_facts = NULL").await.unwrap();
    assert_eq!(reason().await, written("As it was written."));
}

async fn two_updates_that_enter_large_rings_at_once_keep_their_own_order_s6(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let (other, version) = (UpdateId(Uuid::from_u128(101)), Uuid::from_u128(203));
    let of = |update| {
        [0, 1].map(|position| Placement {
            update,
            position,
            room: room(u128::from(1 - position)),
        })
    };
    let placements = [of(UPDATE), of(other)].concat();
    let changes = Changes {
        placements: placements.clone(),
        ..Changes::default()
    };
    store::write!(store, tx => {
        tx.put_version(version, &lab::cam(), "3", Some(date("2026-03-01"))).await?;
        tx.add_release(&lab::a_release(other, version, "3", 3)).await?;
        tx.add_rollout(&lab::a_rollout(other, RolloutState::Running), "Admin").await?;
        tx.apply(&changes, &[], at_night()).await
    })
    .unwrap();
    let kept = store.read().await.unwrap().fleet().await.unwrap().placements;
    let expected = placements
        .iter()
        .map(|placement| ((placement.update, placement.position), placement.room));
    assert_eq!(kept, expected.collect());
}

async fn pages_of_rooms_follow_each_other_forth_and_back_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let names = ["Älv", "alpha", "Beta", "beta 2", "Éclair", "gamma", "Zürich", "Ω"];
    store::write!(store, tx => {
        let rooms: Vec<_> = names.iter().zip(10_u128..).map(|(name, number)| lab::a_room(number, name, GENERAL)).collect();
        tx.add_rooms(&rooms).await?;
        tx.add_rooms(&[store::NewRoom { state: RoomState::Retired, ..lab::a_room(30, "gone", GENERAL) }]).await
    })
    .unwrap();
    let mut tx = store.read().await.unwrap();
    let all = tx.room_page(&RoomFilter::default(), 100).await.unwrap();
    let found = tx.rooms_found(&RoomFilter::default()).await.unwrap();
    assert_eq!((all.len(), found), (9, 9));
    let mut forth = Vec::new();
    let mut after = None;
    loop {
        let filter = RoomFilter {
            after: after.clone(),
            ..RoomFilter::default()
        };
        let page = tx.room_page(&filter, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.name_key.clone(), last.id));
        forth.extend(page.into_iter().map(|room| room.id));
    }
    let ids: Vec<_> = all.iter().map(|room| room.id).collect();
    assert_eq!(forth, ids);
    let filter = RoomFilter {
        before: Some((all[5].name_key.clone(), all[5].id)),
        ..RoomFilter::default()
    };
    let back = tx.room_page(&filter, 3).await.unwrap();
    assert_eq!(back.iter().map(|room| room.id).collect::<Vec<_>>(), ids[2..5]);
    // Signs that mean something in a pattern are letters to people.
    // Marks on letters are as people type them, or leave them out.
    for (words, number) in [
        ("beta", 2),
        ("%", 0),
        ("zurich", 1),
        ("ZÜR", 1),
        ("eclair", 1),
        ("êcl", 1),
        ("al", 2),
        ("Zu\u{308}r", 1),
    ] {
        let filter = RoomFilter {
            words: words.to_owned(),
            ring: Some(GENERAL),
            ..RoomFilter::default()
        };
        let page = tx.room_page(&filter, 10).await.unwrap();
        assert_eq!(
            (page.len(), tx.rooms_found(&filter).await.unwrap()),
            (number, number as i64),
            "{words}"
        );
        let found = tx.find_rooms(&store::words_of(words), 10).await.unwrap();
        assert_eq!(found.len(), number, "the box finds what the list does: {words}");
    }
}

/// The names on all pages of two rooms each; the pages that lead back are the same.
async fn named_on_pages(tx: &mut Tx, filter: &UpdateRoomFilter) -> Vec<String> {
    let mut pages: Vec<Vec<RoomListRecord>> = Vec::new();
    loop {
        let last = pages.last().and_then(|page| page.last());
        let next = UpdateRoomFilter {
            after: last.map(|room| (room.name_key.clone(), room.id)),
            ..filter.clone()
        };
        let page = tx.update_room_page(&next, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        pages.push(page);
    }
    for (page, next) in pages.iter().zip(pages.iter().skip(1)) {
        let back = UpdateRoomFilter {
            before: Some((next[0].name_key.clone(), next[0].id)),
            ..filter.clone()
        };
        let back = tx.update_room_page(&back, 2).await.unwrap();
        let ids = |page: &[RoomListRecord]| page.iter().map(|room| room.id).collect::<Vec<_>>();
        assert_eq!(ids(&back), ids(page));
    }
    pages.into_iter().flatten().map(|room| room.name).collect()
}

async fn the_rooms_of_an_update_stand_by_name_whatever_their_status_p3_p8(home: Home) {
    let store = &home.store;
    let states = every_deployment_state();
    let all = states.len() as u128 + 2;
    lab::fill(store, all).await;
    // The last states first, so that neither ids nor the order in which rows were written is that of the names.
    for (state, number) in states.into_iter().rev().zip(0_u128..) {
        let deployment = lab::a_deployment(number, room(number), state);
        store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await })
            .unwrap();
    }
    store::write!(store, tx => {
        let record = tx.room_record(room(8)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Retired, ..record }).await?;
        // One that stands in another ring for this update.
        let placed = tx.deployment_of(room(12), UPDATE).await?.unwrap();
        tx.put_deployments(&[domain::deployment::Deployment { ring: GENERAL, ..placed }], at_night()).await
    })
    .unwrap();
    let pages_in = async |which: UpdateRooms, ring: Option<RingId>| {
        let mut tx = store.read().await.unwrap();
        let mut ways = Vec::new();
        for few in [false, true] {
            let filter = UpdateRoomFilter {
                update: UPDATE,
                product: lab::cam(),
                which,
                ring,
                few,
                after: None,
                before: None,
            };
            let names = named_on_pages(&mut tx, &filter).await;
            let found = tx.update_rooms_found(&filter).await.unwrap();
            assert_eq!(usize::try_from(found).unwrap(), names.len(), "{which:?}");
            ways.push(names);
        }
        assert_eq!(ways[0], ways[1], "{which:?}: both ways lead to the same rooms");
        ways.remove(0)
    };
    let pages = async |which: UpdateRooms| pages_in(which, None).await;
    let everyone = [0, 1, 10, 11, 12, 13, 14, 2, 3, 4, 5, 6, 7, 9].map(|number| format!("Room {number}"));
    assert_eq!(pages(UpdateRooms::All).await, everyone);
    let expected = [
        (UpdateRooms::Scheduled, vec!["Room 11", "Room 12"]),
        (UpdateRooms::InProgress, vec!["Room 10"]),
        (UpdateRooms::Completed, vec!["Room 9"]),
        (
            UpdateRooms::Failed,
            // Room 8 was one, and is retired.
            vec!["Room 3", "Room 4", "Room 5", "Room 6", "Room 7"],
        ),
        (UpdateRooms::Deprecated, vec!["Room 2"]),
        (UpdateRooms::NotRequired, vec!["Room 0", "Room 1", "Room 13", "Room 14"]),
        (UpdateRooms::Nothing, vec![]),
    ];
    for (which, names) in expected {
        assert_eq!(pages(which).await, names, "{which:?}");
    }
    assert_eq!(pages_in(UpdateRooms::Scheduled, Some(STAGING)).await, ["Room 11"]);
    assert_eq!(pages_in(UpdateRooms::Scheduled, Some(GENERAL)).await, ["Room 12"]);
    let slices = async |after: Option<RoomId>| {
        let mut tx = store.read().await.unwrap();
        let failed = tx.failed_deployments(UPDATE, after, 2).await.unwrap();
        failed.into_iter().map(|deployment| deployment.room).collect::<Vec<_>>()
    };
    assert_eq!(slices(None).await, [room(3), room(4)]);
    assert_eq!(slices(Some(room(4))).await, [room(5), room(6)]);
    // A room that is renamed stands where its new name belongs.
    let rename = async |number: u128, name: &str| {
        let name = name.to_owned();
        let put = store::write!(store, tx => {
            let record = tx.room_record(room(number)).await?.unwrap();
            tx.put_room(&store::RoomRecord { name: name.clone(), ..record }).await
        });
        assert!(put.unwrap());
    };
    rename(11, "Zebra").await;
    rename(5, "Aula").await;
    assert_eq!(pages(UpdateRooms::Scheduled).await, ["Room 12", "Zebra"]);
    assert_eq!(
        pages(UpdateRooms::Failed).await,
        ["Aula", "Room 3", "Room 4", "Room 6", "Room 7"]
    );
    // So does a deployment that is written again.
    let again = lab::a_deployment(1, room(11), DeploymentState::Completed { at: at_night() });
    let placed = store
        .read()
        .await
        .unwrap()
        .deployment_of(room(11), UPDATE)
        .await
        .unwrap()
        .unwrap();
    let again = domain::deployment::Deployment { id: placed.id, ..again };
    store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&again), at_night()).await }).unwrap();
    assert_eq!(pages(UpdateRooms::Completed).await, ["Room 9", "Zebra"]);
    assert_eq!(
        store.read().await.unwrap().wrong_counts().await.unwrap(),
        Vec::<String>::new()
    );
}

async fn the_unhealthy_rooms_are_known_with_every_change_of_a_ticket_i4_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 4).await;
    let unhealthy = async || {
        let filter = RoomFilter {
            unhealthy_at: Some(at_night()),
            ..RoomFilter::default()
        };
        let mut tx = store.read().await.unwrap();
        let listed = tx.room_page(&filter, 10).await.unwrap();
        let matching = tx.matching_rooms(&filter, 10).await.unwrap();
        let lines = tx.estate_lines(&filter, 10).await.unwrap();
        let names: Vec<String> = listed.iter().map(|room| room.name.clone()).collect();
        assert_eq!(matching.into_iter().map(|room| room.name).collect::<Vec<_>>(), names);
        assert_eq!(lines.into_iter().map(|line| line.name).collect::<Vec<_>>(), names);
        assert_eq!(
            tx.rooms_found(&filter).await.unwrap(),
            i64::try_from(names.len()).unwrap()
        );
        assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
        // Each alone on its page.
        let mut after = None;
        for name in &names {
            let next = RoomFilter {
                after,
                ..filter.clone()
            };
            let page = tx.room_page(&next, 1).await.unwrap();
            assert_eq!(page[0].name, *name);
            after = Some((page[0].name_key.clone(), page[0].id));
        }
        names
    };
    let none: [&str; 0] = [];
    assert_eq!(unhealthy().await, none);
    let ticket = |number: i64, severity: TicketSeverity, by: &str| TicketRecord {
        id: domain::ids::TicketId(Uuid::from_u128(number.unsigned_abs().into())),
        number,
        title: "Echo".to_owned(),
        description: String::new(),
        severity,
        category: "Audio".to_owned(),
        state: TicketState::NeedsAction,
        high_impact: false,
        update: None,
        is_automatic: false,
        opened_by: by.to_owned(),
        opened_at: at_night(),
        resolved_at: None,
        assignee: None,
        suppressed_until: None,
        suppressed_reason: None,
        resolution: None,
        rooms: (Vec::new(), 0),
    };
    let people = ticket(7, TicketSeverity::Warning, "Ada");
    let rule = ticket(8, TicketSeverity::Warning, "Nightshift");
    store::write!(store, tx => {
        tx.add_ticket(&people, &[room(3), room(1)], None).await?;
        tx.add_ticket(&rule, &[room(1), room(0)], None).await
    })
    .unwrap();
    assert_eq!(
        unhealthy().await,
        ["Room 1", "Room 3"],
        "a rule's warning changes nothing"
    );
    let put = async |ticket: &TicketRecord| {
        store::write!(store, tx => { tx.put_ticket(ticket, at_night()).await }).unwrap();
    };
    let worse = TicketRecord {
        severity: TicketSeverity::Critical,
        ..rule.clone()
    };
    put(&worse).await;
    assert_eq!(unhealthy().await, ["Room 0", "Room 1", "Room 3"]);
    let suppressed = TicketRecord {
        suppressed_until: Some(later(1)),
        suppressed_reason: Some("It is exchanged.".to_owned()),
        ..people.clone()
    };
    put(&suppressed).await;
    assert_eq!(unhealthy().await, ["Room 0", "Room 1"], "one of two tickets of Room 1");
    put(&TicketRecord {
        suppressed_until: Some(at_night()),
        ..suppressed.clone()
    })
    .await;
    assert_eq!(unhealthy().await, ["Room 0", "Room 1", "Room 3"], "until that instant");
    put(&TicketRecord {
        state: TicketState::Resolved,
        resolved_at: Some(at_night()),
        ..worse
    })
    .await;
    assert_eq!(unhealthy().await, ["Room 1", "Room 3"]);
    let put = store::write!(store, tx => {
        let record = tx.room_record(room(1)).await?.unwrap();
        tx.put_room(&store::RoomRecord { name: "Zebra".to_owned(), ..record }).await
    });
    assert!(put.unwrap());
    assert_eq!(unhealthy().await, ["Room 3", "Zebra"]);
    let put = store::write!(store, tx => {
        let record = tx.room_record(room(3)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Onboarding, ..record }).await
    });
    assert!(put.unwrap());
    assert_eq!(unhealthy().await, ["Zebra"], "who does not take part is not unhealthy");
    home.raw("DELETE FROM ticket_rooms").await.unwrap();
    assert_eq!(unhealthy().await, none);
    // What does not fit is found.
    home.raw("UPDATE room_troubles SET tickets = 4 WHERE room_key = 'zebra'")
        .await
        .unwrap();
    let findings = store.read().await.unwrap().wrong_counts().await.unwrap();
    assert_eq!(
        findings,
        ["4 tickets that make \"Zebra\" unhealthy are counted, and there are 0"]
    );
}

async fn rooms_and_tickets_are_counted_with_every_change_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 6).await;
    let counted = async || {
        let mut tx = store.read().await.unwrap();
        let by_ring = tx.rooms_by_ring().await.unwrap();
        let of = |ring| by_ring.get(&ring).copied().unwrap_or(0);
        let retired = RoomFilter {
            retired: true,
            ..RoomFilter::default()
        };
        let (all, retired) = (tx.room_count().await.unwrap(), tx.rooms_found(&retired).await.unwrap());
        (of(STAGING), of(GENERAL), retired, all)
    };
    assert_eq!(counted().await, (6, 0, 0, 6));
    let moved = store::write!(store, tx => { tx.move_rooms(&[room(0), room(1)], STAGING, GENERAL).await });
    assert_eq!(moved.unwrap(), 2);
    assert_eq!(counted().await, (4, 2, 0, 6));
    let put = store::write!(store, tx => {
        let record = tx.room_record(room(1)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Retired, ..record }).await
    });
    assert!(put.unwrap());
    assert_eq!(counted().await, (4, 1, 1, 6));
    // What is rolled back is not counted.
    let mut tx = store.begin().await.unwrap();
    tx.move_rooms(&[room(2)], STAGING, GENERAL).await.unwrap();
    tx.roll_back().await.unwrap();
    assert_eq!(counted().await, (4, 1, 1, 6));
    // Tickets, as they open, change and are gone.
    let ticket = "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact, opened_by, opened_at, changed_at)
        SELECT id, 7, 'Echo', '', 'warning', 'Audio', 'needs_action', false, 'Ada', 0, 0 FROM sites LIMIT 1";
    let found = async |state: &str| {
        let filter = TicketFilter {
            words: String::new(),
            state: state.to_owned(),
            severity: String::new(),
            now: at_night(),
        };
        let mut tx = store.read().await.unwrap();
        (
            tx.tickets_found(&filter).await.unwrap(),
            tx.wrong_counts().await.unwrap(),
        )
    };
    for (statement, open, all) in [
        (ticket, 1, 1),
        ("UPDATE tickets SET severity = 'critical'", 1, 1),
        ("UPDATE tickets SET state = 'resolved', resolved_at = 1", 0, 1),
        ("DELETE FROM tickets", 0, 0),
    ] {
        home.raw(statement).await.unwrap();
        assert_eq!(found("").await, (open, Vec::new()), "{statement}");
        assert_eq!(found("all").await.0, all, "{statement}");
    }
    // What does not fit is found.
    home.raw("UPDATE room_counts SET rooms = rooms + 1 WHERE state = 'retired'")
        .await
        .unwrap();
    let (_, findings) = found("").await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with("2 retired rooms of ring"), "{findings:?}");
}

/// As the program left it of which this was the newest migration.
async fn migrate_to(number: i64, home: &Home) {
    let files = sqlx::migrate::Migrator::new(migrations(home.engine)).await.unwrap();
    match home.engine {
        Engine::Sqlite => files.run_to(number, &mut home.sqlite().await).await.unwrap(),
        Engine::Postgres => {
            let connection = <sqlx::PgConnection as sqlx::Connection>::connect(&home.address);
            files.run_to(number, &mut connection.await.unwrap()).await.unwrap();
        }
    }
}

async fn a_database_of_an_older_program_keeps_what_is_in_it_and_is_counted_g1(home: Home) {
    let home = Home::empty(home.engine).await;
    // As the program left it that knew neither the copies nor the counts of 0011.
    migrate_to(10, &home).await;
    let id = |number: u128| home.id(Uuid::from_u128(number));
    let room = |number: u128, name: &str| {
        format!(
            "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
            VALUES ({}, '{name}', '{}', {}, '', '', 8, 'UTC', false, {}, 'managed')",
            id(number),
            name.to_lowercase(),
            id(50),
            id(1)
        )
    };
    let deployment = |number: u128| {
        format!(
            "INSERT INTO deployments (id, update_id, room_id, ring_id, night, state, ended_at, failure, attempt, missed_windows, crowded_windows,
                catch_up, reason)
            VALUES ({}, {}, {}, {}, '2026-03-04', 'failed', 7, 'reported', 1, 0, 0, false, 'It failed.')",
            id(number + 100),
            id(40),
            id(number),
            id(1)
        )
    };
    let ticket = |number: u128, by: &str, state: &str, resolved_at: &str| {
        format!(
            "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact, opened_by, opened_at, changed_at,
                resolved_at)
            VALUES ({}, {number}, 'Echo', '', 'warning', 'Audio', '{state}', false, '{by}', 0, 0, {resolved_at})",
            id(number)
        )
    };
    let about = |ticket: u128, room: u128| {
        format!(
            "INSERT INTO ticket_rooms (ticket_id, room_id) VALUES ({}, {})",
            id(ticket),
            id(room)
        )
    };
    for statement in [
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, 'general', 'General', 'general', '', 5, 1, 0)",
            id(1)
        ),
        format!("INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ({}, 'Harbour', 'harbour', '', '', 'UTC')", id(50)),
        room(11, "Beta"),
        room(12, "Alpha"),
        room(13, "Zürich"),
        "INSERT INTO products (id, vendor, name, kind, covered, by_release_date, expected_minutes)
            VALUES ('cam', 'Example', 'Camera', 'firmware', true, false, 20)"
            .to_owned(),
        format!("INSERT INTO versions (id, product_id, text) VALUES ({}, 'cam', '2')", id(41)),
        format!(
            "INSERT INTO updates (id, product_id, version_id, version, title, severity, models, applies_to_unknown, supersedes, expected_minutes,
                known_issues, recalled, position)
            VALUES ({}, 'cam', {}, '2', 'Camera', 'routine', '[]', false, true, 20, '[]', false, 1)",
            id(40),
            id(41)
        ),
        format!(
            "INSERT INTO rollouts (update_id, published_at, published_by, starts_on, state, paused_days)
            VALUES ({}, 0, 'Admin', '2026-03-02', 'running', 0)",
            id(40)
        ),
        deployment(11),
        deployment(12),
        ticket(1001, "Ada", "needs_action", "NULL"),
        ticket(1002, "Ada", "resolved", "7"),
        ticket(1003, "Nightshift", "needs_action", "NULL"),
        ticket(1004, "Bo", "investigating", "NULL"),
        about(1001, 11),
        about(1001, 13),
        about(1002, 12),
        about(1003, 12),
        about(1004, 11),
    ] {
        home.raw(&statement).await.unwrap();
    }

    home.store.migrate().await.unwrap();
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
    let failed = UpdateRoomFilter {
        update: UpdateId(Uuid::from_u128(40)),
        product: lab::cam(),
        which: UpdateRooms::Failed,
        ring: None,
        few: false,
        after: None,
        before: None,
    };
    assert_eq!(named_on_pages(&mut tx, &failed).await, ["Alpha", "Beta"]);
    let unhealthy = RoomFilter {
        unhealthy_at: Some(at_night()),
        ..RoomFilter::default()
    };
    let listed = tx.room_page(&unhealthy, 10).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|room| room.name.as_str()).collect();
    assert_eq!(names, ["Beta", "Zürich"]);
    let words = store::words_of("zurich");
    assert_eq!(tx.find_rooms(&words, 10).await.unwrap().len(), 1);
    drop(tx);
    // Beside this program the older one may still be alive on Postgres (G2); on SQLite there is one process.
    let by_the_older = home.raw(&deployment(13)).await;
    match home.engine {
        Engine::Sqlite => assert!(
            by_the_older
                .unwrap_err()
                .contains("a deployment has the key of its room")
        ),
        Engine::Postgres => by_the_older.unwrap(),
    }
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
}

async fn names_of_an_older_program_are_found_in_every_unicode_form_r4_g5(home: Home) {
    let home = Home::empty(home.engine).await;
    migrate_to(11, &home).await;
    let id = |number: u128| home.id(Uuid::from_u128(number));
    let key = domain::ring::name_key;
    let ring = |number: u128, kind: &str, name: &str, place: u128| {
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, '{kind}', '{name}', '{}', '', {place}, 1, 0)",
            id(number),
            key(name)
        )
    };
    let site = |number: u128, name: &str| {
        format!(
            "INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ({}, '{name}', '{}', '', '', 'UTC')",
            id(number),
            key(name)
        )
    };
    let room = |number: u128, name: &str, site: u128| {
        format!(
            "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
            VALUES ({}, '{name}', '{}', {}, '', '', 8, 'UTC', false, {}, 'managed')",
            id(number),
            key(name),
            id(site),
            id(2)
        )
    };
    let person = |number: u128, email: &str| {
        format!(
            "INSERT INTO people (id, name, email, email_key, role, made_at) VALUES ({}, 'Zoe', '{email}', '{}', 'auditor', 0)",
            id(number),
            key(email)
        )
    };
    for statement in [
        ring(1, "staging", "Staging", 0),
        ring(2, "general", "General", 5),
        ring(3, "executive", "Executive", 10),
        ring(4, "custom", "Pilóts", 2),
        ring(5, "custom", "Pilo\u{301}ts", 3),
        site(50, "Zürich"),
        site(51, "Zu\u{308}rich"),
        site(52, "Malmo\u{308}"),
        // Two of one site that fall together; one that stands alone; one at another site; one of a character that nobody sees.
        room(10, "Café", 50),
        room(11, "Cafe\u{301}", 50),
        room(12, "E\u{301}cole", 50),
        room(13, "Cafe\u{301}", 52),
        room(14, "Lab", 52),
        room(15, "La\u{200b}b", 52),
        person(60, "zoe\u{308}@example.com"),
    ] {
        home.raw(&statement).await.unwrap();
    }

    home.store.migrate().await.unwrap();
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(tx.rings().await.unwrap().count(), 5, "nothing is merged");
    let names: BTreeSet<String> = tx.sites().await.unwrap().into_iter().map(|site| site.name).collect();
    assert_eq!(
        names,
        ["Zürich", "Zu\u{308}rich", "Malmo\u{308}"].map(str::to_owned).into()
    );
    let at = |number: u128| domain::ids::SiteId(Uuid::from_u128(number));
    let called = |number: u128| Some(RoomId(Uuid::from_u128(number)));
    assert_eq!(tx.site_named("Malmö", None).await.unwrap(), Some(at(52)));
    assert_eq!(tx.site_named("zürich", Some(at(50))).await.unwrap(), Some(at(51)));
    for name in ["École", "e\u{301}cole"] {
        assert_eq!(tx.room_at(at(50), name, None).await.unwrap(), called(12));
    }
    assert_eq!(tx.room_at(at(50), "CAFÉ", called(10)).await.unwrap(), called(11));
    assert_eq!(tx.room_at(at(50), "CAFÉ", called(11)).await.unwrap(), called(10));
    // Of two at one site the one in the usual form has the name; the one at another site has it as well.
    let named = tx.rooms_named("Cafe\u{301}").await.unwrap();
    let named: Vec<_> = named.into_iter().map(|room| Some(room.id)).collect();
    assert_eq!(named, [called(10), called(13)]);
    let others = tx.rooms_in_other_forms().await.unwrap();
    assert_eq!(others.get(&("école".to_owned(), at(50))).copied(), called(12));
    let zoe = tx.person_with("zoë@example.com").await.unwrap().expect("an account");
    assert_eq!(zoe.email, "zoe\u{308}@example.com");
    let lines = tx.names_that_fall_together().await.unwrap();
    let is_told = |words: &[&str]| lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(is_told(&["2 sites", "\"Zürich\"", "\"Zu\\u{308}rich\""]), "{lines:?}");
    assert!(is_told(&["2 rings", "\"Pilóts\"", "\"Pilo\\u{301}ts\""]), "{lines:?}");
    assert!(
        is_told(&["2 rooms at \"Zürich\"", "\"Café\"", "\"Cafe\\u{301}\""]),
        "{lines:?}"
    );
    assert!(is_told(&["2 rooms at", "\"Lab\"", "\"La\\u{200b}b\""]), "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
    // Whatever else of a room is changed, its name and its place in the order stay; a new name has a clean key.
    let mut second = tx
        .room_record(RoomId(Uuid::from_u128(11)))
        .await
        .unwrap()
        .expect("a room");
    drop(tx);
    second.floor = "2".to_owned();
    let after = store::write!(home.store, tx => { tx.put_room(&second).await });
    assert!(after.unwrap());
    let rings = home.store.read().await.unwrap().rings().await.unwrap();
    store::write!(home.store, tx => { tx.put_rings(&rings).await }).unwrap();
    let lines_after = home
        .store
        .read()
        .await
        .unwrap()
        .names_that_fall_together()
        .await
        .unwrap();
    assert_eq!(lines_after, lines);
    second.revision += 1;
    second.name = "Cafe\u{301} 2".to_owned();
    let after = store::write!(home.store, tx => { tx.put_room(&second).await });
    assert!(after.unwrap());
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(tx.room_at(at(50), "café 2", None).await.unwrap(), called(11));
    assert_eq!(tx.names_that_fall_together().await.unwrap().len(), 3);
    assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
    drop(tx);
    // What a program before this one writes beside it is found when the next one starts.
    home.raw(&room(16, "Quai d\u{2bc}Arle\u{300}s", 50)).await.unwrap();
    home.store.migrate().await.unwrap();
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(
        tx.room_at(at(50), "quai d\u{2bc}arlès", None).await.unwrap(),
        called(16)
    );
}

async fn reasons_of_an_older_program_are_kept_as_they_were_written_g1_t5(home: Home) {
    // Every column that these tables had before, and that a migration from 0012 on may not touch.
    const TABLES: [(&str, &str); 3] = [
        (
            "deployments",
            "id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at, failure, withdrawal, attempt, missed_windows,
            crowded_windows, catch_up, force, from_version, reason, next_at, room_key",
        ),
        (
            "rollouts",
            "update_id, published_at, published_by, starts_on, state, state_since, state_by, state_reason, paused_days, automatic_days, next_at,
            acknowledged_at, acknowledged_by, revision, resumes_on",
        ),
        (
            "rooms",
            "id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state, revision",
        ),
    ];
    const WAITS: &str = "Night 1 of 1 in General.";
    const FAILED: &str = "The device reported a failure: no space left.";
    const OVER: &str = "Camera 3 supersedes it.";
    let home = Home::empty(home.engine).await;
    migrate_to(11, &home).await;
    let id = |number: u128| home.id(Uuid::from_u128(number));
    let release = |number: u128| {
        [
            format!(
                "INSERT INTO versions (id, product_id, text) VALUES ({}, 'cam', '{number}')",
                id(number + 100)
            ),
            format!(
                "INSERT INTO updates (id, product_id, version_id, version, title, severity, models, applies_to_unknown, supersedes,
                    expected_minutes, known_issues, recalled, position)
                VALUES ({}, 'cam', {}, '{number}', 'Camera', 'routine', '[]', false, true, 20, '[]', false, {number})",
                id(number),
                id(number + 100)
            ),
        ]
    };
    let room = |number: u128| {
        format!(
            "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
            VALUES ({}, 'Room {number}', 'room {number}', {}, '', '', 8, 'UTC', false, {}, 'managed')",
            id(number),
            id(50),
            id(1)
        )
    };
    let deployment = |room: u128, state: &str, reason: &str| {
        format!(
            "INSERT INTO deployments (id, update_id, room_id, room_key, ring_id, night, state, ended_at, failure, attempt, missed_windows,
                crowded_windows, catch_up, reason)
            VALUES ({}, {}, {}, 'room {room}', {}, '2026-03-04', {state}, 1, 0, 0, false, '{reason}')",
            id(room + 100),
            id(41),
            id(room),
            id(1)
        )
    };
    let rollout = |update: u128, state: &str| {
        format!(
            "INSERT INTO rollouts (update_id, published_at, published_by, starts_on, state, state_since, state_reason, paused_days)
            VALUES ({}, 0, 'Admin', '2026-03-02', {state}, 0)",
            id(update)
        )
    };
    let [version_40, release_40] = release(40);
    let [version_41, release_41] = release(41);
    for statement in [
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, 'general', 'General', 'general', '', 5, 1, 0)",
            id(1)
        ),
        format!(
            "INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ({}, 'Harbour', 'harbour', '', '', 'UTC')",
            id(50)
        ),
        room(11),
        room(12),
        "INSERT INTO products (id, vendor, name, kind, covered, by_release_date, expected_minutes)
            VALUES ('cam', 'Example', 'Camera', 'firmware', true, false, 20)"
            .to_owned(),
        version_40,
        release_40,
        version_41,
        release_41,
        rollout(40, &format!("'deprecated', 7, '{OVER}'")),
        rollout(41, "'running', NULL, NULL"),
        deployment(11, "'waiting', NULL, NULL", WAITS),
        deployment(12, "'failed', 7, 'reported'", FAILED),
    ] {
        home.raw(&statement).await.unwrap();
    }
    for (table, columns) in TABLES {
        let copy = format!("CREATE TABLE {table}_before AS SELECT {columns} FROM {table}");
        home.raw(&copy).await.unwrap();
    }

    let applied = home.store.migrate().await.unwrap();
    assert_eq!(
        applied.iter().map(|migration| migration.version).min(),
        Some(12),
        "{applied:?}"
    );
    assert_eq!(
        home.store.migrate().await.unwrap(),
        [],
        "the second time there is nothing to do"
    );
    for (table, columns) in TABLES {
        for (one, other) in [("", "_before"), ("_before", "")] {
            let differ = format!(
                "SELECT COUNT(*) FROM (SELECT {columns} FROM {table}{one} EXCEPT SELECT {columns} FROM {table}{other}) d"
            );
            assert_eq!(home.number(&differ).await, 0, "{table}{one}");
        }
    }
    let mut tx = home.store.read().await.unwrap();
    let written = |sentence: &str| Reason::Written(sentence.to_owned());
    let update = |number: u128| UpdateId(Uuid::from_u128(number));
    for (room, sentence) in [(11, WAITS), (12, FAILED)] {
        let room = RoomId(Uuid::from_u128(room));
        let deployment = tx.deployment_of(room, update(41)).await.unwrap().unwrap();
        assert_eq!(deployment.reason, written(sentence));
    }
    let deprecated = tx.rollout(update(40)).await.unwrap().unwrap().state;
    assert!(
        matches!(&deprecated, RolloutState::Deprecated { reason, .. } if *reason == written(OVER)),
        "{deprecated:?}"
    );
    assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
}

async fn migrating_twice_changes_nothing_g1(home: Home) {
    lab::fill(&home.store, 1).await;
    let before = home.store.read().await.unwrap().fleet().await.unwrap();
    home.store.migrate().await.unwrap();
    assert_eq!(home.store.read().await.unwrap().fleet().await.unwrap(), before);
    let files = migration_names(home.engine).len();
    assert_eq!(
        usize::try_from(home.number("SELECT COUNT(*) FROM _sqlx_migrations").await).unwrap(),
        files
    );
}

async fn several_processes_migrate_at_once_g2(home: Home) {
    let home = Home::empty(home.engine).await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let address = home.address.clone();
        tasks.push(tokio::spawn(async move {
            let store = Store::open(&address, false).await.unwrap();
            store.migrate().await
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    lab::fill(&home.store, 1).await;
}

async fn a_database_of_a_newer_program_is_refused_g5(home: Home) {
    let checksum = match home.engine {
        Engine::Sqlite => "X'00'",
        Engine::Postgres => "'\\x00'",
    };
    home.raw(&format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', {}, {checksum}, 0)",
        home.yes()
    ))
    .await
    .unwrap();
    let refused = home.store.migrate().await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer(9999)), "{refused:?}");
    assert!(refused.to_string().contains("9999"), "{refused}");
}

fn migrations(engine: Engine) -> std::path::PathBuf {
    let folder = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../migrations")
        .join(folder)
}

fn migration_names(engine: Engine) -> BTreeSet<String> {
    let files = std::fs::read_dir(migrations(engine)).expect("a folder");
    files
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .collect()
}

#[test]
fn both_folders_have_the_same_migrations_g1() {
    let names = migration_names(Engine::Sqlite);
    assert_eq!(names, migration_names(Engine::Postgres));
    assert!(!names.is_empty());
    for (name, number) in names.iter().zip(1..) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name} is out of order");
    }
}

/// Table, column, whether it may be empty.
type Columns = BTreeSet<(String, String, bool)>;

#[tokio::test]
async fn both_engines_have_the_same_tables_columns_and_indexes_g1() {
    const SQLITE: &str = "SELECT t.name, c.name, c.\"notnull\" = 0 AND c.pk = 0
        FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations' AND t.name NOT GLOB '*_words*' ORDER BY 1, 2";
    // Words are found in tables of their own here, and by indexes there; they have the same names.
    const SQLITE_WORDS: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '*_words' ORDER BY 1";
    const POSTGRES: &str = "SELECT table_name::text, column_name::text, is_nullable = 'YES'
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY 1, 2";
    const SQLITE_INDEXES: &str = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    // Those that constraints make by themselves have names of the engine's own.
    const POSTGRES_INDEXES: &str = "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname NOT LIKE '\\_sqlx%'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')) ORDER BY 1";
    let (sqlite, postgres) = (Home::new(Engine::Sqlite).await, Home::new(Engine::Postgres).await);
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&postgres.address)
        .await
        .unwrap();
    let ours: Vec<(String, String, bool)> = sqlx::query_as(SQLITE)
        .fetch_all(&mut sqlite.sqlite().await)
        .await
        .unwrap();
    let theirs: Vec<(String, String, bool)> = sqlx::query_as(POSTGRES).fetch_all(&mut connection).await.unwrap();
    assert!(ours.len() > 100, "{ours:?}");
    assert_eq!(
        ours.into_iter().collect::<Columns>(),
        theirs.into_iter().collect::<Columns>()
    );
    let ours: Vec<String> = sqlx::query_scalar(SQLITE_INDEXES)
        .fetch_all(&mut sqlite.sqlite().await)
        .await
        .unwrap();
    let theirs: Vec<String> = sqlx::query_scalar(POSTGRES_INDEXES)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let words: Vec<String> = sqlx::query_scalar(SQLITE_WORDS)
        .fetch_all(&mut sqlite.sqlite().await)
        .await
        .unwrap();
    assert!(!words.is_empty());
    assert_eq!(
        ours.into_iter().chain(words).collect::<BTreeSet<_>>(),
        theirs.into_iter().collect::<BTreeSet<_>>()
    );
}

#[tokio::test]
async fn a_second_process_cannot_serve_from_the_same_file_g2() {
    let home = Home::empty(Engine::Sqlite).await;
    let first = Store::open(&home.address, true).await.unwrap();
    let second = Store::open(&home.address, true).await;
    assert!(matches!(second, Err(StoreError::InUse(_))));
    drop(first);
    Store::open("mysql://somewhere", false).await.map(drop).unwrap_err();
}

/// The lines of a plan that read a large table from end to end.
async fn full_scans(home: &Home, statement: &str) -> Vec<String> {
    const LARGE: [&str; 6] = ["deployments", "rooms", "devices", "installs", "components", "rollouts"];
    let words: Vec<&str> = statement
        .split(|c: char| c.is_whitespace() || c == ',' || c == '(')
        .filter(|word| !word.is_empty())
        .collect();
    let mut names: BTreeSet<String> = LARGE.iter().map(|table| (*table).to_owned()).collect();
    for pair in words.windows(2) {
        if LARGE.contains(&pair[0]) {
            names.insert(pair[1].to_owned());
        }
    }
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(&mut home.sqlite().await)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    let scans = plan.into_iter().map(|(.., line)| line).filter(|line| {
        let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        scanned.is_some_and(|name| names.contains(name))
    });
    scans.collect()
}

#[tokio::test]
async fn pages_of_rooms_are_in_the_order_of_an_index_p8() {
    let home = Home::new(Engine::Sqlite).await;
    let store = &home.store;
    lab::fill(store, 2).await;
    let heard = support::statements::Statements::default();
    tracing::subscriber::set_global_default(heard.clone()).unwrap();
    let mut tx = store.read().await.unwrap();
    let place = Some(("room 1".to_owned(), room(1)));
    for (after, before) in [(None, None), (place.clone(), None), (None, place)] {
        for unhealthy_at in [None, Some(at_night())] {
            let filter = RoomFilter {
                unhealthy_at,
                after: after.clone(),
                before: before.clone(),
                ..RoomFilter::default()
            };
            tx.room_page(&filter, 50).await.unwrap();
        }
        for which in [
            UpdateRooms::All,
            UpdateRooms::Scheduled,
            UpdateRooms::InProgress,
            UpdateRooms::Completed,
            UpdateRooms::Failed,
            UpdateRooms::Deprecated,
        ] {
            let filter = UpdateRoomFilter {
                update: UPDATE,
                product: lab::cam(),
                which,
                ring: None,
                few: false,
                after: after.clone(),
                before: before.clone(),
            };
            tx.update_room_page(&filter, 50).await.unwrap();
        }
    }
    tx.failed_deployments(UPDATE, None, 50).await.unwrap();
    tx.tickets_of_update(UPDATE).await.unwrap();
    let statements: Vec<String> = heard.take().into_iter().filter(|sql| sql.contains(" LIMIT ")).collect();
    assert!(statements.len() > 20, "only {} statements were heard", statements.len());
    for statement in statements {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .fetch_all(&mut home.sqlite().await)
                .await
                .unwrap();
        let sorted = plan
            .iter()
            .filter(|(.., line)| line.starts_with("USE TEMP B-TREE"))
            .count();
        // Two parts, each of a page, are put in order once more before they are merged.
        let parts = if statement.contains(" UNION ALL ") { 2 } else { 0 };
        assert_eq!(sorted, parts, "{plan:?}: {statement}");
    }
}

#[tokio::test]
async fn every_hot_query_starts_from_an_index_p8() {
    let home = Home::new(Engine::Sqlite).await;
    let store = &home.store;
    lab::fill(store, 6).await;
    let action = lab::open(store, 0).await;
    let waiting = domain::deployment::Deployment {
        next_at: Some(at_night()),
        ..lab::a_deployment(1, room(1), DeploymentState::Waiting)
    };
    store::write!(store, tx => {
        tx.put_deployments(std::slice::from_ref(&waiting), at_night()).await?;
        // A ring that is being filled.
        tx.put_rollout(&Rollout { next_at: Some(at_night()), ..lab::a_rollout(UPDATE, RolloutState::Running) }).await?;
        let next = Placement { update: UPDATE, position: 0, room: room(3) };
        tx.apply(&Changes { placements: vec![next], ..Changes::default() }, &[], at_night()).await?;
        tx.recheck(room(2)).await
    })
    .unwrap();
    let heard = support::statements::Statements::default();
    tracing::subscriber::set_global_default(heard.clone()).unwrap();

    // The tick, when nothing is due and when something is.
    let mut tx = store.read().await.unwrap();
    tx.next_due(at_night()).await.unwrap();
    let due = tx
        .due(&lab::organisation(), at_night(), support::world::ALL)
        .await
        .unwrap()
        .unwrap();
    let placement_batch = due.slice.due[0].placement_batch.as_ref().unwrap();
    assert!(placement_batch.rooms.len() == 1 && due.slice.rooms.len() == 2);
    // A poll, and what devices say.
    tx.device_facts("device-0").await.unwrap();
    tx.device_facts_of_action(lab::device(0), action).await.unwrap();
    drop(tx);
    store.report(Report::ShowedUp { action }, at_night()).await.unwrap();
    store
        .report(feedback(0, action, Execution::Closed, Finished::Success), at_night())
        .await
        .unwrap();
    store
        .report(
            facts(
                ConfigMode::Merge,
                &[("component.1.product", Some("cam")), ("component.1.version", Some("2"))],
            ),
            at_night(),
        )
        .await
        .unwrap();
    let (mut deployments, mut installs) = (0, 0);
    loop {
        let mut tx = store.begin().await.unwrap();
        let Some(due) = tx
            .due(&lab::organisation(), at_night(), support::world::ALL)
            .await
            .unwrap()
        else {
            break;
        };
        let plan = domain::planner::plan(&due.slice, at_night(), &mut domain::sim::Counter(7));
        tx.apply(&plan, &due.rechecks, at_night()).await.unwrap();
        tx.commit().await.unwrap();
        (deployments, installs) = (deployments + plan.deployments.len(), installs + plan.new_installs.len());
    }
    assert!(deployments > 0 && installs > 0);
    // A ring that is entered, and a recall.
    let mut tx = store.begin().await.unwrap();
    let mut rollout = lab::a_rollout(UPDATE, RolloutState::Running);
    rollout.stages[0].placed = rollout.stages[0].rooms;
    (rollout.stages[0].rollout_ends, rollout.stages[0].test_ends) = (date("2026-03-04"), date("2026-03-04"));
    rollout.next_at = Some(at_night());
    tx.put_rollout(&rollout).await.unwrap();
    assert_eq!(tx.move_rooms(&[room(5)], STAGING, GENERAL).await.unwrap(), 1);
    let due = tx
        .due(&lab::organisation(), at_night(), support::world::ALL)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(due.slice.due[0].candidates.len(), 1);
    let recalled = Changes {
        stops: vec![Stop {
            of: StopOf::Release(UPDATE),
            why: "Recalled: it hums.".to_owned(),
            at: at_night(),
        }],
        ..Changes::default()
    };
    tx.apply(&recalled, &[], at_night()).await.unwrap();
    tx.commit().await.unwrap();
    // Pages.
    let mut tx = store.read().await.unwrap();
    let first = (String::from("room 1"), room(1));
    for filter in [
        RoomFilter::default(),
        RoomFilter {
            after: Some(first.clone()),
            ..RoomFilter::default()
        },
        RoomFilter {
            before: Some(first.clone()),
            ..RoomFilter::default()
        },
        RoomFilter {
            ring: Some(STAGING),
            after: Some(first.clone()),
            ..RoomFilter::default()
        },
    ] {
        tx.room_page(&filter, 50).await.unwrap();
    }
    tx.work_in(&[room(0), room(1)], at_night()).await.unwrap();
    tx.deployment_of(room(0), UPDATE).await.unwrap();
    tx.failed_deployments(UPDATE, None, 100).await.unwrap();
    tx.rooms_by_status(UPDATE).await.unwrap();
    tx.events_of_room(room(0), 10).await.unwrap();
    tx.events_of_update(UPDATE, 10).await.unwrap();
    tx.device_details(room(0)).await.unwrap();
    tx.last_completed_in(STAGING).await.unwrap();
    // Who is there, and the audit's chain.
    tx.session(&[0; 32]).await.unwrap();
    tx.person_with("ada@example.com").await.unwrap();
    tx.sessions_of(PersonId(Uuid::nil())).await.unwrap();
    tx.link(&[0; 32], at_night()).await.unwrap();
    tx.last_sealed().await.unwrap();
    tx.unsealed(10).await.unwrap();
    tx.chain(0, 10).await.unwrap();
    tx.audit_actors().await.unwrap();
    tx.audit_kinds().await.unwrap();
    let ada = Some("Ada".to_owned());
    for actor in [None, ada] {
        for object_kind in [None, Some("room".to_owned())] {
            let filter = AuditFilter {
                actor: actor.clone(),
                object_kind,
                older_than: Some((1, 1)),
                ..AuditFilter::default()
            };
            tx.audit_page(&filter, 10).await.unwrap();
        }
    }
    drop(tx);

    let statements = heard.take();
    let explained: Vec<&String> = statements
        .iter()
        .filter(|sql| {
            ["SELECT", "UPDATE", "DELETE", "INSERT"]
                .iter()
                .any(|verb| sql.starts_with(verb))
        })
        .collect();
    assert!(explained.len() > 30, "only {} statements were heard", explained.len());
    let mut wrong = Vec::new();
    for statement in explained {
        let scans = full_scans(&home, statement).await;
        // In the order of an index, as far as the page is long.
        let pages = statement.contains(" LIMIT ") && scans.iter().all(|line| line.contains("USING INDEX rooms_order"));
        if !scans.is_empty() && !pages {
            wrong.push(format!("{scans:?}: {statement}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
