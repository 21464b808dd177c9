//! Readiness at the service (C1–C8): checks follow from reports, blocks from checks, and a new room is managed when nothing is missing.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::ids::RoomId;
use domain::readiness::{Check, CheckResult};
use domain::room::RoomState;
use domain::ticket::TicketStatus;
use service::RoomsFile;
use service::read::PageOf;
use service::read::readiness::{CheckItem, ReadinessFilter, WantedResults};
use service::read::tickets::{TicketFilter, WhichTickets};
use service::read::{NumberedPage, Wanted};
use testkit::{Estate, actor, both_engines, catalogue, date, facts, instant, problem};

mod onboarding;
mod software;

both_engines![
    checks_follow_from_reports_and_grow_old_c1_c5_c7,
    a_block_of_a_kind_ends_by_a_fresh_report_and_never_by_age_c2_s13,
    a_waiver_ends_with_its_last_day_in_the_rooms_zone_c1,
    a_base_image_that_fails_opens_a_ticket_that_resolves_itself_c2,
    a_device_by_logitech_that_has_told_nothing_counts_as_one_c1a,
    what_a_check_keeps_away_is_said_c2,
    rooms_are_found_by_what_their_checks_came_to_c8,
    a_profile_of_the_organisations_own_is_gone_by_c6,
    a_signal_that_stays_bad_opens_a_ticket_that_resolves_itself_i4,
    a_dry_run_says_what_checks_would_lead_to_and_writes_nothing_g1_c2_c3_c4,
];

async fn windows(estate: &Estate) {
    let (by, windows) = (actor(), catalogue::windows());
    estate.service.import_catalogue(&by, &windows).await.unwrap();
}

/// A room at the harbour with one computer of the same name.
async fn computer(estate: &Estate, name: &str) -> RoomId {
    let room = serde_json::json!({ "sites": [{ "name": "Harbour", "zone": "Europe/Berlin" }], "rooms": [{ "name": name, "site": "Harbour", "ring": "Staging",
        "devices": [{ "id": name, "model": "B1", "installed": { "app": "10" } }] }] });
    let file = RoomsFile::parse(&room.to_string()).unwrap();
    estate.service.import_rooms(&actor(), &file).await.unwrap().ids[0]
}

/// One that is managed.
async fn managed(estate: &Estate, name: &str) -> RoomId {
    let room = computer(estate, name).await;
    facts::manage(&estate.service, &[room]).await;
    room
}

async fn checks(estate: &Estate, room: RoomId) -> BTreeMap<Check, CheckItem> {
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let readiness = snapshot.readiness_of(room).await.unwrap();
    readiness.checks.into_iter().map(|item| (item.check, item)).collect()
}

async fn result(estate: &Estate, room: RoomId, check: Check) -> CheckResult {
    checks(estate, room).await[&check].result
}

/// What the database has, by which rooms are found.
async fn stored(estate: &Estate, room: RoomId, check: Check) -> CheckResult {
    estate.fleet().await.checks[&room].results[&check]
}

async fn state(estate: &Estate, room: RoomId) -> RoomState {
    estate.fleet().await.rooms[&room].state
}

async fn blocks(estate: &Estate, room: RoomId) -> Vec<String> {
    let fleet = estate.fleet().await;
    let blocks = fleet.rooms[&room].blocks.iter();
    blocks
        .map(|block| format!("{}: {}", block.scope.as_str(), block.why))
        .collect()
}

fn later(from: &str, by: TimeDelta) -> String {
    (instant(from) + by).to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

async fn checks_follow_from_reports_and_grow_old_c1_c5_c7(estate: Estate) {
    let room = managed(&estate, "nuc").await;
    estate.at_and_tick("2025-03-04T18:00:00Z").await;
    assert_eq!(
        stored(&estate, room, Check::OsUpdates).await,
        CheckResult::NotApplicable,
        "nobody knows that it is a Windows computer"
    );
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    estate.service.tick().await.unwrap();
    for check in domain::readiness::ALL_CHECKS {
        let wanted = if check == Check::LogitechSync {
            CheckResult::NotApplicable
        } else {
            CheckResult::Pass
        };
        assert_eq!(stored(&estate, room, check).await, wanted, "{check:?}");
    }
    let why = checks(&estate, room).await[&Check::StoreUpdates].why.clone();
    assert_eq!(
        why,
        "readiness.store_updates is off, reported Tue 4 Mar, 19:00 (Berlin)."
    );
    let exactly = later("2025-03-04T18:00:00Z", TimeDelta::hours(48));
    estate.at_and_tick(&exactly).await;
    assert_eq!(
        stored(&estate, room, Check::OsUpdates).await,
        CheckResult::Pass,
        "48 h exactly"
    );
    let over = later(
        "2025-03-04T18:00:00Z",
        TimeDelta::hours(48) + TimeDelta::microseconds(1),
    );
    let due = estate.service.next_due().await.unwrap();
    assert_eq!(due, Some(instant(&over)), "the service knows when they grow old");
    estate.at_and_tick(&over).await;
    assert_eq!(stored(&estate, room, Check::OsUpdates).await, CheckResult::Unknown);
    assert_eq!(result(&estate, room, Check::OsUpdates).await, CheckResult::Unknown);
    assert_eq!(
        state(&estate, room).await,
        RoomState::Managed,
        "an unknown only says so"
    );
    estate.is_sound().await;
}

async fn a_block_of_a_kind_ends_by_a_fresh_report_and_never_by_age_c2_s13(estate: Estate) {
    windows(&estate).await;
    let room = managed(&estate, "nuc").await;
    let installed = [
        ("component.1.product", "app"),
        ("component.1.version", "10"),
        ("component.2.product", "win"),
        ("component.2.version", "1"),
    ];
    facts::tell(&estate.service, "nuc", &installed).await;
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "nuc", &[("readiness.os_updates", "wsus")]).await;
    estate.service.tick().await.unwrap();
    let block = "os: OS updates: fail, because readiness.os_updates is wsus";
    assert_eq!(blocks(&estate, room).await, [block]);
    let update = estate
        .publish("win", "2", Some(domain::update::Severity::Critical))
        .await;
    estate.at_and_tick("2025-03-06T10:00:00Z").await;
    assert_eq!(estate.deployment(room, update).await, None, "it is kept away");
    let app = estate
        .publish("app", "11", Some(domain::update::Severity::Critical))
        .await;
    estate.at_and_tick("2025-03-07T23:30:00Z").await;
    assert!(
        estate.deployment(room, app).await.is_some(),
        "an app is no operating system"
    );
    estate.at_and_tick("2025-03-20T10:00:00Z").await;
    assert_eq!(
        result(&estate, room, Check::OsUpdates).await,
        CheckResult::Unknown,
        "it is old by now"
    );
    assert_eq!(blocks(&estate, room).await, [block], "and it still blocks");
    facts::tell(&estate.service, "nuc", &[("readiness.os_updates", "enabled")]).await;
    estate.service.tick().await.unwrap();
    assert_eq!(blocks(&estate, room).await, [""; 0]);
    estate.is_sound().await;
}

async fn a_waiver_ends_with_its_last_day_in_the_rooms_zone_c1(estate: Estate) {
    let room = managed(&estate, "nuc").await;
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "nuc", &[("readiness.os_updates", "blocked")]).await;
    estate.service.tick().await.unwrap();
    let waive = async |until: &str, why: &str| {
        estate
            .service
            .waive_check(&actor(), room, Check::OsUpdates, date(until), why.into())
            .await
    };
    assert_eq!(
        problem(waive("2025-03-03", "soon").await),
        "until: 2025-03-03 has passed; in the room it is 2025-03-04"
    );
    assert_eq!(
        problem(waive("2026-03-06", "soon").await),
        "until: at most 366 days ahead; that is 367"
    );
    assert!(problem(waive("2025-03-05", " ").await).starts_with("reason: "));
    waive("2025-03-05", "the network is rebuilt").await.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(stored(&estate, room, Check::OsUpdates).await, CheckResult::Waived);
    assert_eq!(blocks(&estate, room).await, [""; 0]);
    // Berlin's midnight is an hour before that of UTC.
    estate.at_and_tick("2025-03-05T22:59:59Z").await;
    assert_eq!(stored(&estate, room, Check::OsUpdates).await, CheckResult::Waived);
    estate.at_and_tick("2025-03-05T23:00:00Z").await;
    assert_eq!(stored(&estate, room, Check::OsUpdates).await, CheckResult::Fail);
    assert_eq!(blocks(&estate, room).await.len(), 1);
    let ended = estate.service.end_waiver(&actor(), room, Check::OsUpdates).await;
    assert_eq!(problem(ended), "no waiver of OS updates runs in nuc");
    estate.is_sound().await;
}

async fn tickets(estate: &Estate) -> Vec<(String, TicketStatus)> {
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let filter = TicketFilter {
        which: WhichTickets::All,
        ..TicketFilter::default()
    };
    let page = NumberedPage { number: 1, limit: 50 };
    let found = snapshot.ticket_page(&filter, page).await.unwrap();
    let found = found.items.into_iter();
    found.map(|ticket| (ticket.title, ticket.status)).collect()
}

async fn a_base_image_that_fails_opens_a_ticket_that_resolves_itself_c2(estate: Estate) {
    let room = managed(&estate, "nuc").await;
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    estate.service.tick().await.unwrap();
    assert_eq!(tickets(&estate).await, []);
    let title = || "nuc needs a visit: base image".to_owned();
    facts::tell(&estate.service, "nuc", &[("readiness.base_image_oem", "generic")]).await;
    estate.service.tick().await.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(tickets(&estate).await, [(title(), TicketStatus::NeedsAction)]);
    assert_eq!(
        state(&estate, room).await,
        RoomState::Managed,
        "it stays Managed and scheduled"
    );
    // Old facts tell nobody that the image is another one.
    estate.at_and_tick("2025-03-10T10:00:00Z").await;
    assert_eq!(result(&estate, room, Check::BaseImage).await, CheckResult::Unknown);
    assert_eq!(tickets(&estate).await, [(title(), TicketStatus::NeedsAction)]);
    let (by, until) = (actor(), date("2025-03-31"));
    let waived = estate
        .service
        .waive_check(&by, room, Check::BaseImage, until, "a visit is booked".into());
    waived.await.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(tickets(&estate).await, [(title(), TicketStatus::Resolved)]);
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    estate.at_and_tick("2025-04-01T10:00:00Z").await;
    assert_eq!(tickets(&estate).await, [(title(), TicketStatus::Resolved)]);
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "nuc", &[("readiness.base_image_oem", "Dell")]).await;
    estate.service.tick().await.unwrap();
    assert_eq!(result(&estate, room, Check::BaseImage).await, CheckResult::Fail);
    assert_eq!(
        tickets(&estate).await,
        [(title(), TicketStatus::NeedsAction)],
        "one ticket, opened anew"
    );
    estate.is_sound().await;
}

async fn a_device_by_logitech_that_has_told_nothing_counts_as_one_c1a(estate: Estate) {
    let room = serde_json::json!({ "sites": [{ "name": "Harbour", "zone": "UTC" }], "rooms": [{ "name": "Kai", "site": "Harbour",
        "ring": "Staging", "devices": [{ "id": "nuc", "model": "B1" }, { "id": "tap", "vendor": "Logitech Inc.", "model": "Tap" }] }] });
    let file = RoomsFile::parse(&room.to_string()).unwrap();
    let room = estate.service.import_rooms(&actor(), &file).await.unwrap().ids[0];
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "nuc", &[("readiness.logitech_sync", "stopped")]).await;
    assert_eq!(result(&estate, room, Check::LogitechSync).await, CheckResult::Fail);
}

async fn what_a_check_keeps_away_is_said_c2(estate: Estate) {
    let room = managed(&estate, "nuc").await;
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    let bad = [("readiness.os_updates", "wsus"), ("os.edition", "Professional")];
    facts::tell(&estate.service, "nuc", &bad).await;
    let found = checks(&estate, room).await;
    assert_eq!(
        found[&Check::OsUpdates].consequence,
        "It keeps updates of the operating system away until a report passes or an admin waives it."
    );
    assert_eq!(
        found[&Check::OsEdition].consequence,
        "It keeps no update away.",
        "the room is managed already"
    );
    let new = computer(&estate, "new").await;
    facts::tell(&estate.service, "new", &facts::FINE).await;
    facts::tell(&estate.service, "new", &[("os.edition", "Professional")]).await;
    let found = checks(&estate, new).await;
    assert_eq!(
        found[&Check::OsEdition].consequence,
        "It keeps the room in onboarding until a report passes or an admin waives it."
    );
}

async fn rooms_are_found_by_what_their_checks_came_to_c8(estate: Estate) {
    let found = async |filter: &ReadinessFilter| {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let list = snapshot.readiness_page(filter, &PageOf::First, 50).await.unwrap();
        let names = list.rooms.items.into_iter().map(|room| room.name);
        let names: Vec<String> = names.collect();
        assert_eq!(i64::try_from(names.len()).unwrap(), list.total);
        (names, list.counts, list.onboarding)
    };
    for (name, changes) in [
        ("Fails", [("readiness.os_updates", "gpo")]),
        ("Warns", [("readiness.antivirus", "not_excluded")]),
        ("Passes", [("readiness.antivirus", "none")]),
    ] {
        managed(&estate, name).await;
        facts::tell(&estate.service, name, &facts::FINE).await;
        facts::tell(&estate.service, name, &changes).await;
    }
    let new = computer(&estate, "New").await;
    estate.service.tick().await.unwrap();
    let (names, counts, onboarding) = found(&ReadinessFilter::default()).await;
    assert_eq!((names, onboarding), (vec!["Fails".to_owned(), "Warns".to_owned()], 1));
    assert_eq!(counts[&Check::OsUpdates][&CheckResult::Fail], 1);
    assert_eq!(counts[&Check::OsUpdates][&CheckResult::Pass], 2);
    let of = |check, result| ReadinessFilter {
        check: Wanted::Only(check),
        results: WantedResults::Only(result),
        ..ReadinessFilter::default()
    };
    assert_eq!(found(&of(Check::OsUpdates, CheckResult::Fail)).await.0, ["Fails"]);
    assert_eq!(
        found(&of(Check::Antivirus, CheckResult::NotApplicable)).await.0,
        ["New", "Passes"]
    );
    let onboarding = ReadinessFilter {
        onboarding: true,
        results: WantedResults::All,
        ..ReadinessFilter::default()
    };
    assert_eq!(found(&onboarding).await.0, ["New"]);
    let words = ReadinessFilter {
        words: "war".to_owned(),
        ..ReadinessFilter::default()
    };
    assert_eq!(found(&words).await.0, ["Warns"]);
    // A retired room has no checks.
    estate.service.retire_room(&actor(), new, "sold".into()).await.unwrap();
    assert_eq!(
        found(&of(Check::Antivirus, CheckResult::NotApplicable)).await.0,
        ["Passes"]
    );
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_profile_of_the_organisations_own_is_gone_by_c6(estate: Estate) {
    let room = managed(&estate, "nuc").await;
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "nuc", &[("os.edition", "Professional")]).await;
    estate.service.tick().await.unwrap();
    assert_eq!(stored(&estate, room, Check::OsEdition).await, CheckResult::Fail);
    let own = r#"{ "checks": ["os_edition"], "editions": ["Professional"] }"#;
    estate.service.set_profile(&actor(), own).await.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(stored(&estate, room, Check::OsEdition).await, CheckResult::Pass);
    assert_eq!(
        estate.fleet().await.checks[&room].results.len(),
        1,
        "the others are not made any more"
    );
    let refused = problem(
        estate
            .service
            .set_profile(&actor(), r#"{ "checks": ["weather"] }"#)
            .await,
    );
    assert!(refused.starts_with("profile: unknown variant `weather`"), "{refused}");
    let refused = problem(estate.service.set_profile(&actor(), r#"{ "chekcs": [] }"#).await);
    assert!(refused.starts_with("profile: unknown field `chekcs`"), "{refused}");
    for (text, problem_of) in [
        ("hello", "profile: this is not JSON: "),
        ("[]", "profile: it must be an object in braces"),
        (r#"{ "checks": [] }"#, "profile: checks must not be empty"),
        (
            r#"{ "fixed_by_service_days": 4294967295 }"#,
            "profile: fixed_by_service_days is 4294967295: at most 365",
        ),
    ] {
        let refused = problem(estate.service.set_profile(&actor(), text).await);
        assert!(refused.starts_with(problem_of), "{refused}");
    }
    estate.service.set_profile(&actor(), "").await.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(stored(&estate, room, Check::OsEdition).await, CheckResult::Fail);
    estate.is_sound().await;
}

async fn a_signal_that_stays_bad_opens_a_ticket_that_resolves_itself_i4(estate: Estate) {
    managed(&estate, "nuc").await;
    estate.at("2025-03-04T18:00:00Z");
    facts::tell(&estate.service, "nuc", &[("signal.camera", "bad: no picture")]).await;
    estate.service.tick().await.unwrap();
    assert_eq!(tickets(&estate).await, [], "it may pass");
    estate.at("2025-03-04T18:05:00Z");
    facts::tell(&estate.service, "nuc", &[("signal.camera", "bad: no picture")]).await;
    estate.at_and_tick("2025-03-04T18:09:59Z").await;
    assert_eq!(tickets(&estate).await, []);
    let due = estate.service.next_due().await.unwrap();
    assert_eq!(
        due,
        Some(instant("2025-03-04T18:10:00Z")),
        "saying it again starts nothing anew"
    );
    estate.at_and_tick("2025-03-04T18:10:00Z").await;
    let title = || "Camera does not work in nuc".to_owned();
    assert_eq!(tickets(&estate).await, [(title(), TicketStatus::NeedsAction)]);
    facts::tell(&estate.service, "nuc", &[("signal.camera", "warn: dim")]).await;
    estate.service.tick().await.unwrap();
    assert_eq!(tickets(&estate).await, [(title(), TicketStatus::Resolved)]);
    estate.is_sound().await;
}

async fn a_dry_run_says_what_checks_would_lead_to_and_writes_nothing_g1_c2_c3_c4(estate: Estate) {
    let new = computer(&estate, "nuc").await;
    managed(&estate, "pc").await;
    estate.service.tick().await.unwrap();
    estate.service.confirm_onboarding(&actor(), &[new]).await.unwrap();
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "pc", &facts::FINE).await;
    let bad = [
        ("readiness.base_image_oem", "generic"),
        ("readiness.os_updates", "wsus"),
    ];
    facts::tell(&estate.service, "pc", &bad).await;
    let before = estate.fleet().await;
    let dry = async || estate.service.plan().await.unwrap();
    let line = |room: &str, sentence: &str| (room.to_owned(), sentence.to_owned());
    let planned = dry().await;
    assert!(planned.writes);
    assert_eq!((planned.checks.rooms, planned.checks.more), (2, 0));
    let mut lines = planned.checks.lines;
    lines.sort();
    let os_updates = "Operating system updates are blocked from now on. \
        OS updates: fail, because readiness.os_updates is wsus.";
    let expected = [
        line("nuc", "Becomes Managed: nothing keeps it in onboarding any more."),
        line("pc", "A ticket is opened, Important: pc needs a visit: base image."),
        line("pc", os_updates),
    ];
    assert_eq!(lines, expected);
    assert_eq!(estate.fleet().await, before, "nothing is written");

    estate.service.tick().await.unwrap();
    assert_eq!(state(&estate, new).await, RoomState::Managed, "as it was said");
    assert_eq!(dry().await.checks.rooms, 0);
    facts::tell(&estate.service, "pc", &facts::FINE).await;
    let agent = [("agent.version", "1.0"), ("readiness.store_updates", "on")];
    facts::tell(&estate.service, "pc", &agent).await;
    let lines: Vec<String> = dry()
        .await
        .checks
        .lines
        .into_iter()
        .map(|(_, sentence)| sentence)
        .collect();
    assert_eq!(lines[0], "Operating system updates are not blocked any more.");
    assert!(
        lines[1].starts_with("A ticket is resolved. Base image: pass, because "),
        "{lines:?}"
    );
    assert_eq!(lines[2], "A device is asked to turn its store updates off.");
    assert_eq!(lines.len(), 3);
}
