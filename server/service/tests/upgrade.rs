//! A database of the version before readiness, with its rooms, brought up to date (C4, G1).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::fmt::Write as _;

use domain::readiness::{Check, CheckResult};
use domain::room::RoomState;
use domain::update::Severity;
use service::{Clock, ProcessConfig};
use testkit::{Database, Engine, Estate, actor, both_engines, catalogue, instant, service_on};
use uuid::Uuid;

both_engines![rooms_that_were_managed_before_facts_existed_stay_managed_and_scheduled_c4_g1];

/// The newest migration of the version before.
const BEFORE: i64 = 16;
const ROOMS: u128 = 1_000;

/// The rows that the version before had: managed rooms, each with a Windows computer that has told no fact, and blocks from a file.
fn rows_of_before(home: &Database) -> Vec<String> {
    let id = |number: u128| home.id(Uuid::from_u128(number));
    let mut statements = vec![
        "INSERT INTO organisation (id, name, zone, settings) VALUES (1, 'Example', 'UTC', '{}')".to_owned(),
        format!(
            "INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ({}, 'Harbour', 'harbour', '', '', 'UTC')",
            id(9)
        ),
    ];
    let rings = [
        ("staging", "Staging", 0),
        ("general", "General", 5),
        ("executive", "Executive", 10),
    ];
    for ((kind, name, place), number) in rings.into_iter().zip(1..) {
        statements.push(format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, '{kind}', '{name}', '{kind}', '', {place}, 1, 0)",
            id(number)
        ));
    }
    for (product, vendor, kind, version) in [("win", "Microsoft", "os", 2), ("app", "Example", "app", 3)] {
        statements.push(format!(
            "INSERT INTO products (id, vendor, name, kind, covered, by_release_date, expected_minutes)
            VALUES ('{product}', '{vendor}', '{product}', '{kind}', true, false, 10)"
        ));
        statements.push(format!(
            "INSERT INTO versions (id, product_id, text, released) VALUES ({}, '{product}', '10', '2025-01-01')",
            id(version << 100)
        ));
    }
    let (mut rooms, mut devices, mut components, mut blocks) =
        (String::new(), String::new(), String::new(), String::new());
    for number in 1..=ROOMS {
        let comma = if number == 1 { "" } else { ", " };
        let (room, device) = (id(number << 16), id(number << 32));
        let (win, app) = (id(2 << 100), id(3 << 100));
        let ring = id(1);
        let site = id(9);
        write!(
            rooms,
            "{comma}({room}, 'Room {number}', 'room {number}', {site}, '', '', 0, 'UTC', false, {ring}, 'managed')"
        )
        .unwrap();
        write!(
            devices,
            "{comma}({device}, 'nuc-{number}', {room}, 0, '', 'Example', 'B1', '', false, '{{}}')"
        )
        .unwrap();
        write!(
            components,
            "{comma}({device}, 'win', {win}, 0), ({device}, 'app', {app}, 0)"
        )
        .unwrap();
        write!(blocks, "{comma}({room}, 'app', 'The file says that it is not ready.')").unwrap();
    }
    statements.push(format!(
        "INSERT INTO rooms (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state) VALUES {rooms}"
    ));
    statements.push(format!(
        "INSERT INTO devices (id, controller_id, room_id, position, role, vendor, model, serial, facts_wanted, attributes) VALUES {devices}"
    ));
    statements.push(format!(
        "INSERT INTO components (device_id, product_id, version_id, reported_at) VALUES {components}"
    ));
    statements.push(format!("INSERT INTO blocks (room_id, kind, why) VALUES {blocks}"));
    statements
}

async fn rooms_that_were_managed_before_facts_existed_stay_managed_and_scheduled_c4_g1(engine: Engine) {
    let database = Database::new(engine).await;
    database.migrate_to(BEFORE).await;
    for statement in rows_of_before(&database) {
        database.execute(&statement).await;
    }
    let clock = Clock::driven(instant("2025-03-04T15:00:00Z"));
    let process = ProcessConfig {
        public_url: "http://localhost".to_owned(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: None,
        trusted_proxies: Vec::new(),
    };
    let service = service_on(database.open(false).await, &clock, database.folder.path(), process);
    let estate = Estate {
        service,
        clock,
        database,
    };
    estate.service.tick().await.unwrap();
    estate
        .service
        .import_catalogue(&actor(), &catalogue::bar_and_app())
        .await
        .unwrap();
    let update = estate.publish("app", "11", Some(Severity::Critical)).await;
    estate.at_and_tick("2025-03-05T00:00:00Z").await;
    let fleet = estate.fleet().await;
    let stays = |room: &domain::room::Room| room.state == RoomState::Managed && room.blocks.is_empty();
    assert_eq!(fleet.rooms.values().filter(|room| stays(room)).count(), 1_000);
    let deployments = fleet.deployments.values();
    let scheduled = deployments.filter(|deployment| deployment.update == update);
    assert_eq!(scheduled.count(), 1_000, "every room is scheduled as before");
    assert_eq!(fleet.checks.len(), 1_000);
    for checks in fleet.checks.values() {
        for (check, result) in &checks.results {
            let wanted = match check {
                Check::LogitechSync => CheckResult::NotApplicable,
                _ => CheckResult::Unknown,
            };
            assert_eq!(*result, wanted, "{check:?}");
        }
    }
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let room = *fleet.rooms.keys().next().unwrap();
    let readiness = snapshot.readiness_of(room).await.unwrap();
    assert_eq!(
        readiness.checks[0].why,
        "No device has reported readiness.base_image_oem."
    );
    let told = "Have the device report it. Devices in contact are asked once a night, and on Refresh.";
    assert_eq!(readiness.checks[0].guidance, told);
    drop(snapshot);
    estate.is_sound().await;
}
