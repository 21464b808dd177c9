//! The demo as it stands after its first start: every status on screen is the one that its scenario names.

use std::collections::{BTreeMap, BTreeSet};

use domain::check::check;
use domain::conversation::Outcome;
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::ids::{RoomId, UpdateId};
use domain::readiness::{Check, CheckResult};
use domain::ticket::TicketCause;
use serde_json::Value;
use server::demo;
use service::devices::Credentials;
use service::read::PageOf;
use service::read::support::SupportFilter;
use service::{Actor, Artifacts, Service};
use store::Store;

const SCENARIO: &str = include_str!("../demo/scenario_demo.json");
const ESTATE: &str = include_str!("../demo/estate.json");

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the demo's files")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} of {value}"))
}

async fn open(folder: &std::path::Path) -> Service {
    let store = Store::open(&format!("sqlite:{}", folder.join("demo.db").display()), true)
        .await
        .expect("a database");
    store.migrate().await.expect("the migrations");
    let artifacts = Artifacts::open(&folder.join("artifacts")).expect("a folder");
    demo::open(store, artifacts, "http://127.0.0.1:8080".to_owned())
        .await
        .expect("the demo")
}

/// Updates of the scenario by their id there.
async fn updates(service: &Service) -> BTreeMap<String, UpdateId> {
    let mut tx = service.store().read().await.expect("a snapshot");
    let mut ids = BTreeMap::new();
    for update in list(&parse(SCENARIO), "updates") {
        let product = domain::ids::ProductId(text(update, "product").to_owned());
        let release = tx
            .release_of(&product, text(update, "version"))
            .await
            .expect("a query")
            .expect("a release");
        ids.insert(text(update, "id").to_owned(), release.release.id);
    }
    ids
}

/// Rooms of the estate by their id there.
async fn rooms(service: &Service) -> BTreeMap<String, RoomId> {
    let estate = parse(ESTATE);
    let sites: BTreeMap<&str, &str> = list(&estate, "sites")
        .iter()
        .map(|site| (text(site, "id"), text(site, "name")))
        .collect();
    let mut tx = service.store().read().await.expect("a snapshot");
    let mut ids = BTreeMap::new();
    for room in list(&estate, "rooms") {
        let named = tx.rooms_named(text(room, "name")).await.expect("a query");
        let here = named
            .into_iter()
            .find(|record| record.site_name == sites[text(room, "site")])
            .expect("a room");
        ids.insert(text(room, "id").to_owned(), here.id);
    }
    ids
}

#[tokio::test]
async fn the_demo_shows_what_its_scenario_names_t1_t3_t9_t10() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = open(folder.path()).await;
    let scenario = parse(SCENARIO);
    let (ids, rooms) = (updates(&service).await, rooms(&service).await);
    assert_eq!((ids.len(), rooms.len()), (24, 120));
    let mut snapshot = service.read_snapshot().await.expect("a snapshot");
    let mut wrong = Vec::new();

    // The lists: what is active, and with past ones all but those that concern nobody.
    let names: BTreeMap<UpdateId, &str> = ids.iter().map(|(name, id)| (*id, name.as_str())).collect();
    let expected = &scenario["expected_on_screen"];
    let nobody = text(expected, "nothing_to_do");
    for (past, expected) in [
        (
            false,
            list(expected, "active")
                .iter()
                .filter_map(Value::as_str)
                .collect::<BTreeSet<_>>(),
        ),
        (
            true,
            ids.keys().map(String::as_str).filter(|id| *id != nobody).collect(),
        ),
    ] {
        let shown = snapshot.updates(past).await.expect("updates");
        assert_eq!(
            shown
                .iter()
                .map(|summary| names[&summary.update.id])
                .collect::<BTreeSet<_>>(),
            expected,
            "past: {past}"
        );
    }

    for update in list(&scenario, "updates") {
        let name = text(update, "id");
        let summary = snapshot.update(ids[name]).await.expect("an update");
        if summary.status.label() != text(update, "status") {
            wrong.push(format!(
                "{name} is {}, not {}",
                summary.status.label(),
                text(update, "status")
            ));
        }
        // Counts.
        let counted = |key: &str| update["counts"][key].as_i64().unwrap_or(0);
        let expected = [
            counted("completed"),
            counted("failed"),
            counted("in_progress"),
            counted("scheduled") + counted("paused"),
            counted("deprecated"),
            counted("catch_up"),
        ];
        let counts = summary.counts;
        let shown = [
            counts.completed,
            counts.failed,
            counts.in_progress,
            counts.scheduled,
            counts.deprecated,
            counts.catch_up,
        ];
        if shown != expected {
            wrong.push(format!("{name} counts {shown:?}, not {expected:?}"));
        }
        let waiting: i64 = summary.waiting.values().sum();
        if summary.rollout.is_live() && waiting != counted("waiting_for_ring") {
            let expected = counted("waiting_for_ring");
            wrong.push(format!("{name} has {waiting} rooms in rings ahead, not {expected}"));
        }
        // Rooms.
        let facts = snapshot
            .updates_for_planning(&[ids[name]])
            .await
            .expect("facts")
            .remove(&ids[name])
            .expect("an update");
        for row in list(update, "rooms") {
            let room_name = text(row, "room");
            let room = snapshot
                .rooms(&[rooms[room_name]])
                .await
                .expect("rooms")
                .remove(&rooms[room_name])
                .expect("a room");
            let by_room = snapshot
                .update_in_rooms(&facts, &summary.rollout, std::iter::once(&room))
                .await;
            let mut by_room = by_room.expect("statuses");
            let in_room = by_room.remove(&room.id).expect("a status");
            let (status, why) = (in_room.status.label(), in_room.why.as_str());
            if status != text(row, "status") {
                wrong.push(format!(
                    "{name} in {room_name} is {status} ({why}), not {}",
                    text(row, "status")
                ));
            }
            if why.is_empty() {
                wrong.push(format!("{name} in {room_name} has no reason (T5)"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_demo_begins_at_rest_and_a_restart_goes_on_where_it_was_g1() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = open(folder.path()).await;
    assert_eq!(
        service.clock().now(),
        "2024-10-24T09:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .expect("an instant")
    );
    let fleet = async |service: &Service| {
        service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .fleet()
            .await
            .expect("the fleet")
    };
    let before = fleet(&service).await;
    assert_eq!(check(&before), []);
    let plan = service.plan().await.expect("a plan");
    assert!(!plan.writes && plan.lines.is_empty(), "{:?}", plan.lines);
    let tickets = service
        .store()
        .read()
        .await
        .expect("a snapshot")
        .open_ticket_count()
        .await
        .expect("a count");
    // Those of the scenario, of which the product opens one by itself, and one for each room with an app that is out of support (L4).
    let is_of_support = |cause: &TicketCause| matches!(cause, TicketCause::Support(_));
    let of_support = before.cause_tickets.keys().filter(|(_, cause)| is_of_support(cause));
    let of_support = of_support.count();
    assert!(of_support > 0);
    assert_eq!(
        usize::try_from(tickets).expect("a number"),
        list(&parse(SCENARIO), "tickets").len() + of_support
    );
    service.store().close().await;
    drop(service);
    let again = open(folder.path()).await;
    assert_eq!(fleet(&again).await, before);
}

/// In how many rooms the app had each version at an instant, as the scenario tells it: what rollouts brought, and what they had found when
/// they were published.
fn app_versions(at: &str) -> BTreeMap<String, i64> {
    const APP: &str = "teams-rooms-app-windows";
    let scenario = parse(SCENARIO);
    let updates: Vec<&Value> = list(&scenario, "updates").iter().collect();
    let rows = updates.iter().filter(|update| text(update, "product") == APP);
    let rows = rows.flat_map(|update| list(update, "rooms").iter().map(move |room| (*update, room)));
    let mut rooms: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (update, room) in rows.filter(|(_, room)| text(room, "status") != "Not required") {
        let of_room = rooms.entry(text(room, "room")).or_default();
        if let Some(completed_at) = room["completed_at"].as_str() {
            of_room.insert(completed_at, text(update, "version"));
        }
        let found = text(room, "from");
        // The first rollouts of the app found what no rollout had brought.
        if room["catch_up"] != true
            && !updates
                .iter()
                .any(|other| text(other, "product") == APP && text(other, "version") == found)
        {
            of_room.insert(text(update, "published_at"), found);
        }
    }
    let mut versions = BTreeMap::new();
    for of_room in rooms.values() {
        if let Some((_, version)) = of_room.range(..=at).next_back() {
            *versions.entry((*version).to_owned()).or_default() += 1;
        }
    }
    versions
}

#[tokio::test]
async fn a_past_day_of_the_demo_counts_what_its_rollouts_had_brought_by_then_l5() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = open(folder.path()).await;
    let mut snapshot = service.read_snapshot().await.expect("a snapshot");
    let mut different = BTreeSet::new();
    // The end of each day in London.
    for (day, end) in [
        ("2024-05-20", "2024-05-20T23:00:00Z"),
        ("2024-08-20", "2024-08-20T23:00:00Z"),
        ("2024-09-20", "2024-09-20T23:00:00Z"),
        ("2024-10-10", "2024-10-10T23:00:00Z"),
    ] {
        let filter = SupportFilter {
            date: Some(day.parse().expect("a day")),
            product: Some("teams-rooms-app-windows".to_owned()),
            group: None,
            version: None,
        };
        let page = snapshot
            .support_page(&filter, &PageOf::First, 200)
            .await
            .expect("a page");
        let mut of_app = page
            .products
            .iter()
            .filter(|product| product.id.0 == "teams-rooms-app-windows");
        let of_app = of_app.next().expect("the app");
        let versions = of_app.versions.iter();
        let versions: BTreeMap<String, i64> = versions
            .map(|item| (item.version.clone().expect("a version"), item.rooms))
            .collect();
        assert_eq!(versions, app_versions(end), "{day}");
        assert_eq!(page.total, versions.values().sum::<i64>(), "{day}");
        different.insert(versions);
    }
    assert_eq!(different.len(), 4, "{different:?}");
    assert!(different.contains(&BTreeMap::new()), "before the first rollout");
}

/// What the catalogue expects of each room, in the words of the product.
fn expected_checks() -> BTreeMap<String, BTreeMap<String, String>> {
    let estate = parse(ESTATE);
    let windows = list(&estate, "rooms")
        .iter()
        .filter(|room| text(room, "platform") == "windows");
    let expected = windows.map(|room| {
        let id = text(room, "id").to_owned();
        let checks = room["expected_checks"].as_object().expect("checks").iter();
        let checks = checks.map(|(check, result)| {
            let check = if check == "windows_updates" {
                "os_updates"
            } else {
                check
            };
            let result = result.as_str().expect("a result");
            // The exceptions that the catalogue's README names.
            let result = match (id.as_str(), check, result) {
                ("sao-8-03", "logitech_sync", _) | ("ktm-1-02", "logitech_sync", _) => "not_applicable",
                ("sao-8-03", _, _) => "unknown",
                _ => result,
            };
            (check.to_owned(), result.to_owned())
        });
        (id.clone(), checks.collect())
    });
    expected.collect()
}

/// Does what a device's agent does with a setting: it looks whether something is wanted, does it, and tells its facts.
async fn turns_store_updates_off(service: &Service, controller: &str) {
    let token = service
        .enrol_device(&Actor::system("Demo"), controller)
        .await
        .expect("a token");
    let speaks = Credentials::Target(token);
    let caller = service.device(controller, &speaks).await.expect("an answer");
    let caller = caller.expect("it may speak");
    let action = service.poll(&caller).await.expect("an answer").action;
    let action = action.expect("something is wanted");
    let work = service.work(&caller, action).await.expect("an answer").expect("work");
    assert_eq!(work.part, "settings");
    let done = Feedback {
        execution: Execution::Closed,
        finished: Finished::Success,
        details: Vec::new(),
    };
    let heard = service.feedback(&caller, action, done).await.expect("an answer");
    assert_eq!(heard, Outcome::Noted);
    let told = ConfigReport {
        mode: ConfigMode::Merge,
        data: [("readiness.store_updates".to_owned(), Some("off".to_owned()))].into(),
    };
    service.config(caller.id, told).await.expect("an answer");
}

#[tokio::test]
async fn the_windows_rooms_of_the_demo_come_out_as_its_catalogue_expects_c1_c1a_c3_c7() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = open(folder.path()).await;
    let rooms = rooms(&service).await;
    let expected = expected_checks();
    assert_eq!(expected.len(), 66);
    // Three rooms report `on`, and `off` after the remedy.
    let remedied = expected.iter();
    let remedied = remedied.filter(|(_, checks)| checks["store_updates"] == "fixed_by_service");
    let mut snapshot = service.read_snapshot().await.expect("a snapshot");
    let mut agents = Vec::new();
    for (id, _) in remedied {
        let readiness = snapshot.readiness_of(rooms[id]).await.expect("its checks");
        let mut checks = readiness.checks.into_iter();
        let check = checks.find(|item| item.check == Check::StoreUpdates).expect("a check");
        assert_eq!(check.result, CheckResult::Warning, "{id}");
        agents.push(check.reported_by);
    }
    drop(snapshot);
    assert_eq!(agents.len(), 3);
    for controller in agents {
        turns_store_updates_off(&service, &controller).await;
    }
    service.tick().await.expect("a tick");
    let mut snapshot = service.read_snapshot().await.expect("a snapshot");
    let mut seen = BTreeSet::new();
    for (id, wanted) in expected {
        let readiness = snapshot.readiness_of(rooms[&id]).await.expect("its checks");
        let results = readiness.checks.iter();
        let results: BTreeMap<String, String> = results
            .map(|item| (item.check.as_str().to_owned(), item.result.as_str().to_owned()))
            .collect();
        assert_eq!(results, wanted, "{id}");
        seen.extend(results.into_values());
    }
    let all = [
        "fail",
        "fixed_by_service",
        "not_applicable",
        "pass",
        "unknown",
        "waived",
        "warning",
    ];
    assert_eq!(seen, all.map(str::to_owned).into());
    let mut tx = service.store().read().await.expect("a snapshot");
    let fleet = tx.fleet().await.expect("the fleet");
    let onboarding = |id: &&String| fleet.rooms[&rooms[*id]].state == domain::room::RoomState::Onboarding;
    let onboarding: Vec<&String> = rooms.keys().filter(onboarding).collect();
    assert_eq!(
        onboarding,
        ["ktm-1-02", "nyc-14-01", "ppg-1-04", "sao-8-05", "sea-2-05"]
    );
}
