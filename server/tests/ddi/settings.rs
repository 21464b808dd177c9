//! Settings that a device is asked to change (C3), and the word for a chunk that a product may have of its own.

use serde_json::{Value, json};
use service::catalogue::Catalogue;
use testkit::{Engine, House, actor, both_engines};

use crate::{DEVICE, ROOM, download_link};

both_engines![
    store_updates_are_turned_off_by_a_settings_chunk_and_facts_have_the_last_word_c3,
    a_setting_that_cannot_be_changed_twice_is_a_ticket_c3,
    a_setting_that_people_want_as_it_is_stays_so_c3,
    a_copy_of_an_older_day_gives_no_number_of_a_setting_again_ddi_2_5_c3,
    a_setting_waits_for_an_install_and_for_a_freeze_c3,
    a_product_may_have_a_word_of_its_own_for_its_chunk_ddi_3,
];

fn told(store_updates: &str) -> Value {
    json!({ "data": { "os.name": "Windows 11", "agent.version": "1.0", "readiness.store_updates": store_updates } })
}

async fn result(house: &House) -> String {
    let mut snapshot = house.service.read_snapshot().await.expect("a snapshot");
    let room = house.room(ROOM).await.id;
    let readiness = snapshot.readiness_of(room).await.expect("its checks");
    let mut checks = readiness.checks.into_iter();
    let check = checks.find(|item| item.check == domain::readiness::Check::StoreUpdates);
    check.expect("a check").result.as_str().to_owned()
}

async fn store_updates_are_turned_off_by_a_settings_chunk_and_facts_have_the_last_word_c3(engine: Engine) {
    let house = House::new(engine).await;
    let without_agent = json!({ "data": { "os.name": "Windows 11", "readiness.store_updates": "on" } });
    assert_eq!(house.config(DEVICE, &without_agent).await.status, 200);
    assert_eq!(house.offered(DEVICE).await, None, "it tells no agent");
    assert_eq!(house.config(DEVICE, &told("user")).await.status, 200);
    assert_eq!(result(&house).await, "warning");
    let sleep = house.poll(DEVICE).await["config"]["polling"]["sleep"].clone();
    assert_eq!(sleep, "00:00:30", "it is heard soon");
    let action = house.action(DEVICE).await;
    assert!(
        action.parse::<i32>().expect("a number") >= 1 << 30,
        "no install has such a number"
    );
    let work = house.get(DEVICE, &format!("/deploymentBase/{action}")).await.json();
    let chunk = &work["deployment"]["chunks"][0];
    assert_eq!(chunk["part"], "settings");
    let file = house.get(DEVICE, &download_link(&work)).await;
    assert_eq!(file.status, 200);
    let wanted = json!({ "settings": [{ "name": "store_updates", "value": "off" }] });
    assert_eq!(serde_json::from_slice::<Value>(&file.body).expect("JSON"), wanted);
    assert_eq!(house.say(DEVICE, &action, "proceeding", "none", &[]).await, 200);
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &["Done."]).await, 200);
    assert_eq!(result(&house).await, "warning", "only facts say that it is so");
    house.later(1).await;
    assert_eq!(house.config(DEVICE, &told("off")).await.status, 200);
    assert_eq!(result(&house).await, "fixed_by_service");
    assert_eq!(house.offered(DEVICE).await, None);
    assert_eq!(
        house.say(DEVICE, &action, "closed", "success", &[]).await,
        410,
        "it is over"
    );
    let other = house.feedback(
        "board-1",
        &action,
        b"{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"failure\"}}}".to_vec(),
    );
    assert!([401, 404].contains(&other.await.status), "another device's");
    let (mut days, mut results) = (0, Vec::new());
    while days < 32 {
        days += 16;
        house.later(16 * 24 * 60).await;
        house.config(DEVICE, &told("off")).await;
        results.push(result(&house).await);
    }
    assert_eq!(results, ["fixed_by_service", "pass"], "for 30 days");
}

async fn tickets(house: &House) -> Vec<String> {
    let tickets = house
        .service
        .read_snapshot()
        .await
        .expect("a snapshot")
        .ticket_page(
            &service::read::tickets::TicketFilter::default(),
            service::read::NumberedPage { number: 1, limit: 50 },
        )
        .await;
    let tickets = tickets.expect("tickets").items.into_iter();
    tickets.map(|ticket| ticket.title).collect()
}

async fn a_setting_that_cannot_be_changed_twice_is_a_ticket_c3(engine: Engine) {
    let house = House::new(engine).await;
    house.config(DEVICE, &told("on")).await;
    let first = house.action(DEVICE).await;
    assert_eq!(
        house
            .say(DEVICE, &first, "closed", "failure", &["Access denied."])
            .await,
        200
    );
    assert_eq!(tickets(&house).await, [""; 0]);
    let second = house.action(DEVICE).await;
    assert_ne!(first, second);
    // It says that it has done it, and its facts say otherwise.
    assert_eq!(house.say(DEVICE, &second, "closed", "success", &[]).await, 200);
    house.later(1).await;
    house.config(DEVICE, &told("on")).await;
    house.tick().await;
    assert_eq!(house.offered(DEVICE).await, None, "it is left to people");
    let title = format!("Store updates could not be turned off in {ROOM}");
    assert_eq!(tickets(&house).await, [title]);
    let said = house
        .database
        .text("SELECT text FROM ticket_events ORDER BY id LIMIT 1")
        .await;
    assert!(said.contains("It said: Access denied."), "{said}");
    house.config(DEVICE, &told("off")).await;
    assert_eq!(tickets(&house).await, [""; 0]);
}

async fn a_setting_that_people_want_as_it_is_stays_so_c3(engine: Engine) {
    let house = House::new(engine).await;
    house.config(DEVICE, &told("on")).await;
    house.action(DEVICE).await;
    let room = house.room(ROOM).await.id;
    let check = domain::readiness::Check::StoreUpdates;
    let by = actor();
    let until = house.now().date_naive() + chrono::TimeDelta::days(3);
    let waived = house
        .service
        .waive_check(&by, room, check, until, "A kiosk app needs them.".into());
    waived.await.expect("a waiver");
    house.tick().await;
    assert_eq!(house.offered(DEVICE).await, None, "somebody answers for it");
    house.service.end_waiver(&actor(), room, check).await.expect("it ends");
    house.tick().await;
    house.action(DEVICE).await;
    let without = r#"{ "checks": ["base_image", "os_edition"] }"#;
    house.service.set_profile(&actor(), without).await.expect("a profile");
    house.tick().await;
    assert_eq!(house.offered(DEVICE).await, None, "the profile leaves the check out");
}

async fn a_copy_of_an_older_day_gives_no_number_of_a_setting_again_ddi_2_5_c3(engine: Engine) {
    let house = House::new(engine).await;
    house.service.skip_given_action_numbers().await.expect("a start");
    house.config(DEVICE, &told("on")).await;
    let action = house.action(DEVICE).await;
    // What a copy of the evening before knows.
    let set_back = match engine {
        Engine::Sqlite => "UPDATE sqlite_sequence SET seq = 1073741830 WHERE name = 'setting_changes'",
        Engine::Postgres => "SELECT setval(pg_get_serial_sequence('setting_changes', 'action_id'), 1073741830)",
    };
    for statement in [
        "UPDATE devices SET setting_action_id = NULL",
        "DELETE FROM setting_changes",
        set_back,
    ] {
        house.database.execute(statement).await;
    }
    house.later(10).await;
    house.service.skip_given_action_numbers().await.expect("a start");
    house.config(DEVICE, &told("on")).await;
    let again = house.action(DEVICE).await;
    let number = |action: &str| action.parse::<i32>().expect("a number");
    assert!(number(&again) > number(&action), "{again} after {action}");
    assert_eq!(house.say(DEVICE, &action, "closed", "success", &[]).await, 404);
}

async fn a_setting_waits_for_an_install_and_for_a_freeze_c3(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let install = house.start(DEVICE).await;
    house.config(DEVICE, &told("on")).await;
    assert_eq!(house.action(DEVICE).await, install, "one thing at a time");
    house.cancel(update, DEVICE).await;
    assert_eq!(house.answer_cancel(DEVICE, &install, "canceled", "none").await, 200);
    house.config(DEVICE, &told("on")).await;
    let action = house.action(DEVICE).await;
    let today = house.now().date_naive();
    let scope = domain::freeze::FreezeScope::Organisation;
    let frozen = house
        .service
        .freeze(&actor(), scope, today, today, "a fair".into())
        .await;
    frozen.expect("a freeze");
    assert_eq!(house.offered(DEVICE).await, None, "nothing starts inside a freeze");
    assert_eq!(
        house.get(DEVICE, &format!("/deploymentBase/{action}")).await.status,
        404
    );
    house.later(24 * 60).await;
    assert_eq!(house.action(DEVICE).await, action);
}

async fn a_product_may_have_a_word_of_its_own_for_its_chunk_ddi_3(engine: Engine) {
    let house = House::new(engine).await;
    let product = |part: &str| {
        let product = json!([{ "id": testkit::BAR, "vendor": "Logitech", "name": "Rally Bar CollabOS", "kind": "firmware",
            "covered": true, "expected_minutes": 20, "chunk_part": part }]);
        Catalogue::parse(&product.to_string(), "[]").expect("a catalogue")
    };
    let refused = house.service.import_catalogue(&actor(), &product("b App")).await;
    let refused = refused.expect_err("a refusal").to_string();
    assert!(
        refused.starts_with("chunk part: ") && refused.contains("1 to 32"),
        "{refused}"
    );
    house
        .service
        .import_catalogue(&actor(), &product("bApp"))
        .await
        .expect("an import");
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.action(DEVICE).await;
    let work = house.get(DEVICE, &format!("/deploymentBase/{action}")).await.json();
    assert_eq!(work["deployment"]["chunks"][0]["part"], "bApp");
}
