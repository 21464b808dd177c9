//! The column `deployments.progress`: a database of the program before gets it, a large one too; rows that contradict themselves are mended,
//! nothing else changes, and that program may still write beside this one on Postgres (G1, G2, T1).

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::deployment::{DeploymentState, Failure, Force, Night, Progress, Withdrawal};
use domain::ids::{RoomId, UpdateId};
use store::Engine;
use testkit::{Home, both_engines, date};
use uuid::Uuid;

both_engines![
    a_hundred_thousand_rooms_of_the_program_before_get_their_progress_and_lose_nothing_g1_t1,
    rows_that_contradict_themselves_are_mended_and_can_be_read_g1,
    the_program_before_may_write_deployments_beside_this_one_on_postgres_g2,
];

/// The newest migration of the program before.
const BEFORE: i64 = 13;
/// Two updates, of which the second is over.
const UPDATES: [u128; 2] = [41, 42];

/// As the program before left it, with its columns of deployments.
async fn database_of_the_program_before(home: &Home, rooms: u32) {
    home.migrate_to(BEFORE).await;
    let id = |number: u128| home.id(Uuid::from_u128(number));
    let new_id = match home.engine {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let mut statements = vec![
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, 'general', 'General', 'general', '', 5, 1, 0)",
            id(1)
        ),
        format!(
            "INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ({}, 'Harbour', 'harbour', '', '', 'UTC')",
            id(50)
        ),
        format!(
            "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rooms})
            SELECT {new_id}, 'Room ' || i, 'room ' || i, {}, '', '', 8, 'UTC', false, {}, 'managed' FROM n",
            id(50),
            id(1)
        ),
        "INSERT INTO products (id, vendor, name, kind, covered, by_release_date, expected_minutes)
        VALUES ('cam', 'Example', 'Camera', 'firmware', true, false, 20)"
            .to_owned(),
    ];
    for number in UPDATES {
        statements.extend([
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
            format!(
                "INSERT INTO rollouts (update_id, published_at, published_by, starts_on, state, state_since, paused_days)
                VALUES ({}, 0, 'Admin', '2026-03-02', {}, 0)",
                id(number),
                if number == UPDATES[0] { "'running', NULL" } else { "'finished', 7" }
            ),
            deployments(home, number, new_id),
        ]);
    }
    for statement in statements {
        home.try_execute(&statement).await.unwrap();
    }
}

/// A deployment in each room. Those of the update that is over have ended.
fn deployments(home: &Home, update: u128, new_id: &str) -> String {
    let state = if update == UPDATES[0] {
        "CASE r.place WHEN 0 THEN 'open' WHEN 1 THEN 'open' WHEN 2 THEN 'completed' WHEN 3 THEN 'failed'
            WHEN 4 THEN 'withdrawn' WHEN 5 THEN 'withdrawn' WHEN 6 THEN 'withdrawn' ELSE 'waiting' END"
    } else {
        "CASE r.place WHEN 0 THEN 'failed' ELSE 'completed' END"
    };
    format!(
        "INSERT INTO deployments (id, update_id, room_id, room_key, ring_id, night, state, started_at, ended_at, failure, withdrawal, attempt,
            missed_windows, crowded_windows, catch_up, reason, next_at)
        SELECT {new_id}, {}, x.id, x.name_key, x.ring_id, '2026-03-04', x.state,
            CASE WHEN x.state = 'open' AND x.place = 1 THEN 5 END,
            CASE WHEN x.state IN ('completed', 'failed', 'withdrawn') THEN 7 END,
            CASE WHEN x.state = 'failed' THEN 'reported' END,
            CASE WHEN x.state <> 'withdrawn' THEN NULL WHEN x.place = 4 THEN 'deprecated' WHEN x.place = 5 THEN 'moved' ELSE 'not_required' END,
            1, 0, 0, false, 'Night 1 of 1 in General.', CASE WHEN x.state = 'waiting' THEN 9 END
        FROM (SELECT r.id, r.name_key, r.ring_id, r.place, {state} AS state
            FROM (SELECT id, name_key, ring_id, CAST(substr(name, 6) AS INTEGER) % 10 AS place FROM rooms) AS r) AS x",
        home.id(Uuid::from_u128(update))
    )
}

async fn a_hundred_thousand_rooms_of_the_program_before_get_their_progress_and_lose_nothing_g1_t1(home: Home) {
    let home = Home::empty(home.engine).await;
    const ROOMS: u32 = 100_000;
    const COLUMNS: &str = "id, update_id, room_id, ring_id, night, planned_night, state, started_at, ended_at, failure, withdrawal, attempt,
        missed_windows, crowded_windows, catch_up, force, from_version, reason, next_at, room_key, reason_facts";
    database_of_the_program_before(&home, ROOMS).await;
    home.try_execute(&format!(
        "CREATE TABLE deployments_before AS SELECT {COLUMNS} FROM deployments"
    ))
    .await
    .unwrap();

    #[expect(
        clippy::disallowed_methods,
        reason = "how long the migration takes is what is asked here"
    )]
    let begun = std::time::Instant::now();
    let applied = home.store.migrate().await.unwrap();
    let took = begun.elapsed();
    println!(
        "{:?}: {} deployments in {ROOMS} rooms: {took:.1?}",
        home.engine,
        2 * ROOMS
    );
    let of_progress = applied
        .iter()
        .find(|migration| migration.version == BEFORE + 1)
        .unwrap();
    assert!(
        of_progress
            .to_string()
            .starts_with("Migration 0014, progress: Each deployment notes"),
        "{of_progress}"
    );
    assert!(took.as_secs() < 60, "{took:?}");
    assert_eq!(home.store.migrate().await.unwrap(), []);

    for (one, other) in [
        ("deployments", "deployments_before"),
        ("deployments_before", "deployments"),
    ] {
        let differ =
            format!("SELECT COUNT(*) FROM (SELECT {COLUMNS} FROM {one} EXCEPT SELECT {COLUMNS} FROM {other}) d");
        assert_eq!(home.number(&differ).await, 0, "{one}");
    }
    let at = DateTime::from_timestamp_micros(7).unwrap();
    let tenth = i64::from(ROOMS / 10);
    let withdrawn = |why| DeploymentState::Withdrawn { at, why };
    // By the rooms' last digit.
    let states = [
        DeploymentState::Prepared,
        DeploymentState::Started { at },
        DeploymentState::Completed { at },
        DeploymentState::Failed {
            at,
            failure: Failure::Reported,
        },
        withdrawn(Withdrawal::Deprecated),
        withdrawn(Withdrawal::Moved),
        withdrawn(Withdrawal::NotRequired),
        DeploymentState::Waiting,
        DeploymentState::Waiting,
        DeploymentState::Waiting,
    ];
    let mut expected: BTreeMap<Progress, i64> = BTreeMap::new();
    for state in states {
        *expected.entry(state.progress()).or_default() += tenth;
    }
    let mut tx = home.store.read().await.unwrap();
    let update = |number: u128| UpdateId(Uuid::from_u128(number));
    assert_eq!(tx.rooms_by_progress(update(UPDATES[0])).await.unwrap(), expected);
    let over = BTreeMap::from([(Progress::Completed, 9 * tenth), (Progress::Failed, tenth)]);
    assert_eq!(tx.rooms_by_progress(update(UPDATES[1])).await.unwrap(), over);
}

/// No program wrote such rows. One that a hand wrote would stop every round of the planner that reads it.
async fn rows_that_contradict_themselves_are_mended_and_can_be_read_g1(home: Home) {
    let home = Home::empty(home.engine).await;
    database_of_the_program_before(&home, 10).await;
    let (update, device) = (home.id(Uuid::from_u128(UPDATES[0])), home.id(Uuid::from_u128(60)));
    for statement in [
        format!(
            "UPDATE deployments SET planned_night = night, force = 'now' WHERE update_id = {update} AND room_key = 'room 7'"
        ),
        format!(
            "UPDATE deployments SET planned_night = night, catch_up = true WHERE update_id = {update} AND room_key = 'room 8'"
        ),
        format!("UPDATE deployments SET planned_night = night WHERE update_id = {update} AND room_key = 'room 9'"),
        format!(
            "INSERT INTO devices (id, controller_id, room_id, position, role, vendor, model, serial, facts_wanted, attributes)
            SELECT {device}, 'one', id, 0, '', '', '', '', false, '{{}}' FROM rooms WHERE name_key = 'room 7'",
        ),
        format!(
            "INSERT INTO installs (deployment_id, update_id, device_id, attempt, window_opens, window_closes, state, installed_chunks, doubtful, detail)
            SELECT id, update_id, {device}, 1, 9, 5, 'planned', false, false, '' FROM deployments
            WHERE update_id = {update} AND room_key = 'room 7'",
        ),
    ] {
        home.execute(&statement).await;
    }
    home.store.migrate().await.unwrap();
    let night = date("2026-03-04");
    let mut tx = home.store.read().await.unwrap();
    let names = ["room 7", "room 8", "room 9"].map(str::to_owned);
    let rooms = tx.rooms_by_name_key(&names).await.unwrap();
    let (mut nights, mut windows) = (BTreeMap::new(), Vec::new());
    for ((name, _), room) in rooms {
        let update = UpdateId(Uuid::from_u128(UPDATES[0]));
        let deployment = tx.deployment_of(room, update).await.unwrap().unwrap();
        let installs = tx.installs_of(deployment.id).await.unwrap();
        windows.extend(installs.into_iter().map(|install| install.window));
        nights.insert(name, deployment.night);
    }
    let forced = Night::Forced {
        date: night,
        how: Force::Now,
        catch_up: false,
    };
    assert_eq!(nights["room 7"], forced);
    let catch_up = Night::NextWindow {
        date: night,
        catch_up: true,
    };
    assert_eq!(nights["room 8"], catch_up);
    let planned = Night::Planned {
        date: night,
        planned: night,
    };
    assert_eq!(nights["room 9"], planned, "what contradicts nothing stays");
    assert_eq!(windows, [None], "a window that closes before it opens is none");
}

async fn the_program_before_may_write_deployments_beside_this_one_on_postgres_g2(home: Home) {
    let home = Home::empty(home.engine).await;
    database_of_the_program_before(&home, 10).await;
    home.store.migrate().await.unwrap();
    let room = home.id(Uuid::from_u128(11));
    home.try_execute(&format!(
        "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state)
        VALUES ({room}, 'Room 11', 'room 11', {}, '', '', 8, 'UTC', false, {}, 'managed')",
        home.id(Uuid::from_u128(50)),
        home.id(Uuid::from_u128(1))
    ))
    .await
    .unwrap();
    let added = home
        .try_execute(&format!(
            "INSERT INTO deployments (id, update_id, room_id, room_key, ring_id, night, state, attempt, missed_windows, crowded_windows, catch_up,
                reason)
            VALUES ({}, {}, {room}, 'room 11', {}, '2026-03-04', 'waiting', 1, 0, 0, false, 'Night 1 of 1 in General.')",
            home.id(Uuid::from_u128(111)),
            home.id(Uuid::from_u128(UPDATES[0])),
            home.id(Uuid::from_u128(1))
        ))
        .await;
    if home.engine == Engine::Sqlite {
        // One process has the file.
        assert!(added.unwrap_err().contains("a deployment has its progress"));
        return;
    }
    added.unwrap();
    let progress = async || {
        let mut tx = home.store.read().await.unwrap();
        let deployment = tx
            .deployment_of(RoomId(Uuid::from_u128(11)), UpdateId(Uuid::from_u128(UPDATES[0])))
            .await;
        let says = deployment.unwrap().unwrap().progress();
        let noted = format!(
            "SELECT COUNT(*) FROM deployments WHERE room_id = {room} AND progress = '{}'",
            says.as_str()
        );
        assert_eq!(home.number(&noted).await, 1, "{says:?}");
        says
    };
    assert_eq!(progress().await, Progress::NotStarted);
    for (change, expected) in [
        ("state = 'open'", Progress::NotStarted),
        ("started_at = 5", Progress::InProgress),
        ("state = 'failed', failure = 'reported', ended_at = 7", Progress::Failed),
        (
            "state = 'withdrawn', failure = NULL, withdrawal = 'moved'",
            Progress::NotRequired,
        ),
        ("withdrawal = 'deprecated'", Progress::Deprecated),
    ] {
        let change = format!("UPDATE deployments SET {change} WHERE room_id = {room}");
        home.try_execute(&change).await.unwrap();
        assert_eq!(progress().await, expected, "{change}");
    }
    // Nobody writes another one than the row says.
    let wrong = format!("UPDATE deployments SET progress = 'completed' WHERE room_id = {room}");
    assert!(
        home.try_execute(&wrong)
            .await
            .unwrap_err()
            .contains("deployments_progress")
    );
}
