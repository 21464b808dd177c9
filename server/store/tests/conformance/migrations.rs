//! Databases of older and of newer programs (G1).

use std::collections::BTreeSet;

use domain::deployment::Progress;
use domain::ids::{RoomId, UpdateId};
use domain::reason::Reason;
use domain::rollout::RolloutState;
use store::{Engine, RoomFilter, Store, StoreError, UpdateRoomFilter, UpdateRooms};
use testkit::{Home, both_engines, migrations};
use uuid::Uuid;

use crate::lab::{self, at_night};
use crate::lists::named_on_pages;

both_engines![
    a_database_of_an_older_program_keeps_what_is_in_it_and_is_counted_g1,
    names_of_an_older_program_are_found_in_every_unicode_form_r4_g5,
    reasons_of_an_older_program_are_kept_as_they_were_written_g1_t5,
    rooms_in_which_devices_were_come_from_the_audit_of_an_older_program_g1_l5,
    migrating_twice_changes_nothing_g1,
    several_processes_migrate_at_once_g2,
    a_database_of_a_newer_program_is_refused_g5,
];

async fn a_database_of_an_older_program_keeps_what_is_in_it_and_is_counted_g1(home: Home) {
    let home = Home::empty(home.engine).await;
    // As the program left it that knew neither the copies nor the counts of 0011.
    home.migrate_to(10).await;
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
        home.try_execute(&statement).await.unwrap();
    }

    home.store.migrate().await.unwrap();
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
    let failed = UpdateRoomFilter {
        update: UpdateId(Uuid::from_u128(40)),
        product: lab::cam(),
        which: UpdateRooms::At(vec![Progress::Failed]),
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
    let by_the_older = home.try_execute(&deployment(13)).await;
    match home.engine {
        Engine::Sqlite => assert!(
            by_the_older
                .unwrap_err()
                .contains("a deployment has the key of its room")
        ),
        Engine::Postgres => drop(by_the_older.unwrap()),
    }
    let mut tx = home.store.read().await.unwrap();
    assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
}

async fn names_of_an_older_program_are_found_in_every_unicode_form_r4_g5(home: Home) {
    let home = Home::empty(home.engine).await;
    home.migrate_to(11).await;
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
        home.try_execute(&statement).await.unwrap();
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
    home.try_execute(&room(16, "Quai d\u{2bc}Arle\u{300}s", 50))
        .await
        .unwrap();
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
    home.migrate_to(11).await;
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
        home.try_execute(&statement).await.unwrap();
    }
    for (table, columns) in TABLES {
        let copy = format!("CREATE TABLE {table}_before AS SELECT {columns} FROM {table}");
        home.try_execute(&copy).await.unwrap();
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

async fn rooms_in_which_devices_were_come_from_the_audit_of_an_older_program_g1_l5(home: Home) {
    let home = Home::empty(home.engine).await;
    // As the program left it that kept the room of today alone.
    home.migrate_to(20).await;
    let id = |number: u128| home.id(Uuid::from_u128(number));
    let room = |number: u128, state: &str| {
        format!(
            "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
            VALUES ({}, 'R{number}', 'r{number}', {}, '', '', 8, 'UTC', false, {}, '{state}')",
            id(number),
            id(50),
            id(1)
        )
    };
    let device = |number: u128, name: &str, room: u128, revoked_at: &str| {
        format!(
            "INSERT INTO devices (id, controller_id, room_id, position, role, vendor, model, serial, facts_wanted, attributes, revoked_at)
            VALUES ({}, '{name}', {}, 0, '', '', '', '', false, '{{}}', {revoked_at})",
            id(number),
            id(room)
        )
    };
    let moved = |at: i64, room: u128, summary: &str| {
        let room = Uuid::from_u128(room);
        format!(
            "INSERT INTO audit (at, actor, action, object_kind, object_id, summary)
            VALUES ({at}, 'Ada', 'device.moved', 'room', '{room}', '{summary}')"
        )
    };
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
        room(11, "managed"),
        room(12, "managed"),
        room(13, "retired"),
        device(21, "panel-7", 11, "NULL"),
        device(22, "panel-70", 12, "NULL"),
        device(23, "bar", 13, "900"),
        moved(300, 11, "The device panel-7 went to R12."),
        moved(500, 12, "The device panel-7 went to R11."),
        moved(600, 11, "The device sold-1 went to R12."),
    ] {
        home.try_execute(&statement).await.unwrap();
    }
    home.store.migrate().await.unwrap();
    let stays = "SELECT d.controller_id || ' ' || r.name || ' ' || s.from_at || ' ' || COALESCE(CAST(s.until_at AS TEXT), 'now')
        FROM device_rooms s JOIN devices d ON d.id = s.device_id JOIN rooms r ON r.id = s.room_id ORDER BY d.id, s.from_at";
    let expected = [
        "panel-7 R11 0 300",
        "panel-7 R12 300 500",
        "panel-7 R11 500 now",
        "panel-70 R12 0 now",
        "bar R13 0 900",
    ];
    assert_eq!(home.texts(stays).await, expected);
    // From then on each change is noted: a device goes to another room while it is revoked.
    for statement in [
        "UPDATE devices SET revoked_at = 1000 WHERE controller_id = 'panel-7'".to_owned(),
        format!(
            "UPDATE devices SET room_id = {} WHERE controller_id = 'panel-7'",
            id(12)
        ),
        "UPDATE devices SET revoked_at = NULL, enrolled_at = 1200 WHERE controller_id = 'panel-7'".to_owned(),
        "UPDATE devices SET enrolled_at = 1300 WHERE controller_id = 'panel-7'".to_owned(),
        device(24, "new", 11, "NULL"),
        device(25, "stored", 13, "NULL"),
    ] {
        home.try_execute(&statement).await.unwrap();
    }
    let expected = [
        "panel-7 R11 0 300",
        "panel-7 R12 300 500",
        "panel-7 R11 500 1000",
        "panel-7 R12 1200 now",
        "panel-70 R12 0 now",
        "bar R13 0 900",
        "new R11 0 now",
    ];
    assert_eq!(home.texts(stays).await, expected);
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
    home.try_execute(&format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', {}, {checksum}, 0)",
        home.yes()
    ))
    .await
    .unwrap();
    let refused = home.store.migrate().await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer(9999)), "{refused:?}");
    assert!(refused.to_string().contains("9999"), "{refused}");
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
