//! Commands as people and scripts run them: what they print, how they end, and that those that look change nothing (G1, G6).

use std::process::Command;

use serde_json::Value;
use testkit::{Database, Engine, House, both_engines};

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");

both_engines![
    commands_that_look_leave_an_old_schema_and_an_empty_database_alone_g1,
    a_dry_run_says_what_a_tick_does_and_writes_nothing_g1,
    an_operator_lets_people_and_programs_in_and_out_a1_a2,
    zone_files_without_a_zone_of_a_site_are_refused_at_the_start_w3_g5,
];

/// Exit status, standard output, standard error.
fn nightshift(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(NIGHTSHIFT)
        .args(arguments)
        .env("RUST_LOG", "off")
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn json(arguments: &[&str]) -> Value {
    let (status, said, problem) = nightshift(arguments);
    assert_eq!(status, Some(0), "{problem}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// It ends with 2 and one sentence that has these words.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let (status, said, problem) = nightshift(arguments);
    assert_eq!((status, said.as_str()), (Some(2), ""), "{arguments:?}: {problem}");
    assert_eq!(problem.trim_end().lines().count(), 1, "{problem}");
    for word in words {
        assert!(problem.contains(word), "{word:?} is not in {problem:?}");
    }
}

#[test]
fn a_gateway_token_that_can_be_guessed_is_refused_at_the_start_a4_g5() {
    for (token, characters) in [("", "(0)"), ("x", "(1)"), (&"x".repeat(31), "(31)")] {
        let serve = ["serve", "--database", "sqlite::memory:", "--gateway-token", token];
        refused(&serve, &["NIGHTSHIFT_GATEWAY_TOKEN", characters, "32"]);
    }
    let spaces = [
        "serve",
        "--database",
        "sqlite::memory:",
        "--gateway-token",
        &" ".repeat(40),
    ];
    refused(&spaces, &["NIGHTSHIFT_GATEWAY_TOKEN", "without spaces"]);
}

#[test]
fn explain_window_gives_instants_or_null_and_names_what_is_wrong_g6() {
    let window = json(&[
        "explain",
        "window",
        "--zone",
        "Africa/Cairo",
        "--date",
        "2026-04-24",
        "--json",
    ]);
    assert_eq!(window["opens"], "2026-04-23T22:00:00Z");
    assert_eq!(
        (&window["closes"], &window["minutes"]),
        (&"2026-04-24T02:00:00Z".into(), &240.into())
    );
    let none = json(&[
        "explain",
        "window",
        "--zone",
        "Pacific/Apia",
        "--date",
        "2011-12-30",
        "--json",
    ]);
    assert!(none["opens"].is_null() && none["minutes"].is_null(), "{none}");
    refused(
        &["explain", "window", "--zone", "Mars/Olympus", "--date", "2026-04-24"],
        &["Mars/Olympus"],
    );
    refused(
        &["explain", "window", "--zone", "UTC", "--date", "tomorrow"],
        &["tomorrow", "YYYY-MM-DD"],
    );
    refused(
        &["explain", "window", "--zone", "UTC", "--date=+262142-12-31"],
        &["2999-12-31"],
    );
}

#[test]
fn explain_support_says_to_which_day_a_version_is_supported_l1_l2_l3_g6() {
    let catalogue = concat!(env!("CARGO_MANIFEST_DIR"), "/demo");
    let asked = |version: &'static str, more: &[&'static str]| {
        let product = "teams-rooms-app-windows";
        let mut arguments = vec!["explain", "support", "--catalogue", catalogue, "--product", product];
        arguments.extend(["--version", version, "--as-of", "2024-10-24", "--json"]);
        arguments.extend(more);
        json(&arguments)
    };
    // The third newer release came on 26 September.
    let explained = asked("5.0.305.0", &[]);
    assert_eq!(explained["supported"], false, "{explained}");
    assert_eq!(explained["supported_until"], "2024-09-25");
    assert_eq!(explained["newer_releases"], 3);
    // By lines there are two newer ones, 5.1 and 5.2: its age ends it.
    let by_lines = asked("5.0.305.0", &["--rule", "lines"]);
    assert_eq!(
        (&by_lines["supported"], &by_lines["newer_releases"]),
        (&true.into(), &3.into())
    );
    assert_eq!(by_lines["supported_until"], "2025-06-03");
    let newest = asked("5.2.115.0", &[]);
    assert_eq!(newest["supported"], true);
    assert!(newest["supported_until"].is_null(), "{newest}");
    assert!(newest["why"].is_string());
    let support = |arguments: &[&'static str]| {
        let mut all = vec![
            "explain",
            "support",
            "--catalogue",
            catalogue,
            "--product",
            "teams-rooms-app-windows",
        ];
        all.extend(arguments);
        all
    };
    refused(&support(&["--version", "9.9", "--as-of", "2024-10-24"]), &["9.9"]);
    refused(&support(&["--version", "5.2.115.0", "--as-of", "soon"]), &["soon"]);
    let rule = ["--version", "5.2.115.0", "--as-of", "2024-10-24", "--rule", "days"];
    refused(&support(&rule), &["days", "releases", "lines"]);
}

#[test]
fn explain_readiness_judges_a_room_by_what_its_devices_report_c1a_c2_g6() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.json");
    let path = file.to_str().expect("a path").to_owned();
    let write = |attributes: &str, rest: &str| {
        let text = format!(
            r#"{{"room":{{"windows":true,"logitech":true}},"attributes":{{{attributes}}},"reported_at":"2024-10-22T09:00:00Z",
                "as_of":"2024-10-24T09:00:00Z"{rest}}}"#
        );
        std::fs::write(&file, text).expect("a file");
    };
    let results = || {
        let explained = json(&["explain", "readiness", &path, "--json"]);
        let checks = explained["checks"].as_array().expect("checks").iter();
        let results: Vec<String> = checks
            .map(|check| format!("{} {}", check["check"], check["result"]).replace('"', ""))
            .collect();
        (results, explained["blocks"].clone())
    };
    // Told 48 hours ago to the second: it still counts.
    write(
        r#""device.vendor":"LENOVO","readiness.base_image_oem":"Lenovo","os.edition":"IoTEnterpriseS","readiness.logitech_sync":"absent",
            "readiness.os_updates":"wsus,gpo","readiness.store_updates":"user","readiness.antivirus":"not_excluded",
            "readiness.additional_software":"Zoom, Reader""#,
        r#","waivers":[{"check":"antivirus","until":"2024-10-24"}],"reviewed":["zoom","reader"]"#,
    );
    let (checks, blocks) = results();
    let expected = [
        "base_image pass",
        "os_edition fail",
        "logitech_sync fail",
        "os_updates fail",
        "store_updates warning",
        "antivirus waived",
        "additional_software pass",
        "change_management unknown",
    ];
    assert_eq!(checks, expected);
    assert_eq!(blocks, serde_json::json!(["onboarding", "os", "firmware:Logitech"]));
    write(r#""os.edition":"Enterprise""#, r#","remedy":["store_updates"]"#);
    refused(&["explain", "readiness", &path], &["remedy"]);
    write(r#""readiness.store_updates":"maybe""#, "");
    refused(&["explain", "readiness", &path], &["readiness.store_updates", "maybe"]);
}

#[test]
fn explain_readiness_keeps_to_the_last_second_the_last_day_and_the_last_name_c1a_c2_c7_g6() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.json");
    let path = file.to_str().expect("a path");
    let asked = |attributes: &str, as_of: &str, rest: &str| {
        let text = format!(
            r#"{{"room":{{"windows":true,"logitech":true}},"attributes":{{{attributes}}},"reported_at":"2024-10-22T09:00:00Z",
                "as_of":"{as_of}"{rest}}}"#
        );
        std::fs::write(&file, text).expect("a file");
        let explained = json(&["explain", "readiness", path, "--json"]);
        let checks = explained["checks"].as_array().expect("checks").iter();
        let result = |check: &Value| {
            let word = |key: &str| check[key].as_str().expect("a word").to_owned();
            (word("check"), word("result"))
        };
        let results: std::collections::BTreeMap<String, String> = checks.map(result).collect();
        (results, explained["blocks"].clone())
    };
    let last_second = "2024-10-24T09:00:00Z";
    for (check, attributes, as_of, rest, expected) in [
        (
            "os_updates",
            r#""readiness.os_updates":"wsus""#,
            last_second,
            "",
            "fail",
        ),
        (
            "os_updates",
            r#""readiness.os_updates":"wsus""#,
            "2024-10-24T09:00:01Z",
            "",
            "unknown",
        ),
        (
            "base_image",
            r#""device.vendor":"Hewlett-Packard","readiness.base_image_oem":"HP Poly""#,
            last_second,
            "",
            "pass",
        ),
        // A waiver runs by the date that is written, whatever the date is elsewhere.
        (
            "os_updates",
            r#""readiness.os_updates":"gpo""#,
            "2024-10-23T23:59:59-05:00",
            r#","waivers":[{"check":"os_updates","until":"2024-10-23"}]"#,
            "waived",
        ),
        (
            "os_updates",
            r#""readiness.os_updates":"gpo""#,
            "2024-10-24T00:00:00+05:00",
            r#","waivers":[{"check":"os_updates","until":"2024-10-23"}]"#,
            "fail",
        ),
        // A list of more than 128 characters goes on, and its last name counts as its first.
        (
            "additional_software",
            r#""readiness.additional_software":"A","readiness.additional_software.2":"B","readiness.additional_software.3":"C""#,
            last_second,
            r#","reviewed":["a","b"]"#,
            "warning",
        ),
        (
            "additional_software",
            r#""readiness.additional_software":"A","readiness.additional_software.2":"B","readiness.additional_software.3":"C""#,
            last_second,
            r#","reviewed":["a","b","c"]"#,
            "pass",
        ),
        (
            "store_updates",
            r#""readiness.store_updates":"off""#,
            last_second,
            r#","remedied":["store_updates"]"#,
            "fixed_by_service",
        ),
        (
            "store_updates",
            r#""readiness.store_updates":"on""#,
            last_second,
            r#","remedied":["store_updates"]"#,
            "warning",
        ),
    ] {
        let (results, _) = asked(attributes, as_of, rest);
        assert_eq!(results[check], expected, "{check}: {attributes} as of {as_of}{rest}");
    }
    // One report is judged without history: a fail that has grown old keeps no kind of update away, and onboarding waits.
    let fails = r#""readiness.os_updates":"wsus","readiness.logitech_sync":"absent""#;
    let blocks = |as_of| asked(fails, as_of, "").1;
    assert_eq!(
        blocks(last_second),
        serde_json::json!(["onboarding", "os", "firmware:Logitech"])
    );
    assert_eq!(blocks("2024-10-24T09:00:01Z"), serde_json::json!(["onboarding"]));
}

#[test]
fn explain_halt_says_whether_the_rule_fires_and_on_what_evidence_k7_g6() {
    let explained = |file: &Value| {
        let path = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(path.path(), file.to_string()).expect("a file");
        json(&["explain", "halt", &path.path().to_string_lossy(), "--json"])
    };
    let ring = |name: &str, applicable: u32, attempted: u32, failed: u32| serde_json::json!({ "name": name, "applicable": applicable, "attempted": attempted, "failed": failed, "unreachable": 0, "unhealthy": 0 });
    let well = ring("Staging", 10, 10, 0);
    for (applicable, fires) in [(150, true), (151, false)] {
        let said = explained(&serde_json::json!({ "rings": [well, ring("General", applicable, 100, 3)] }));
        assert_eq!(said["fires"], fires, "{said}");
    }
    let said = explained(&serde_json::json!({ "rings": [well, ring("General", 100, 5, 1)] }));
    assert_eq!(
        said,
        serde_json::json!({ "fires": true, "ring": "General", "rule": "share",
            "evidence": "1 room failed in General, of 5 rooms in which it was tried. The limit is 20 percent." })
    );
    let said = explained(&serde_json::json!({ "rings": [well, ring("General", 100, 4, 1)] }));
    assert_eq!(
        said,
        serde_json::json!({ "fires": false, "ring": null, "rule": null, "evidence": null })
    );
    let said = explained(&serde_json::json!({ "rings": [ring("Staging", 0, 0, 0), ring("General", 100, 1, 1)] }));
    assert_eq!(
        (&said["ring"], &said["rule"]),
        (&"General".into(), &"first_ring".into())
    );
    // Null switches a part off; what is missing is the default.
    let off = serde_json::json!({ "first_ring_one": null, "attempted_percent": null });
    let said = explained(&serde_json::json!({ "rings": [ring("Staging", 10, 10, 2)], "settings": off }));
    assert_eq!(said["fires"], false);
    let said = explained(&serde_json::json!({ "rings": [ring("Staging", 10, 10, 3)], "settings": off }));
    assert_eq!(said["rule"], "rooms");
    for (file, words) in [
        (
            serde_json::json!({ "rings": [ring("Staging", 10, 1, 2)] }),
            "failed is 2 and attempted 1",
        ),
        (
            serde_json::json!({ "rings": [], "settings": { "failed_percent": 101 } }),
            "failed_percent is 101; it must be 1 to 100",
        ),
        (
            serde_json::json!({ "rings": [], "settings": { "failed_rooms": 0 } }),
            "failed_rooms is 0",
        ),
        (serde_json::json!({ "rings": [], "limits": {} }), "limits"),
    ] {
        let path = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(path.path(), file.to_string()).expect("a file");
        refused(&["explain", "halt", &path.path().to_string_lossy()], &[words]);
    }
}

#[test]
fn explain_rings_adds_up_or_refuses_with_both_numbers_r8_r9_g6() {
    let folder = tempfile::tempdir().expect("a folder");
    let rings = |general: &str| {
        let file = folder.path().join("rings.json");
        let text = format!(
            r#"{{"rings":[{{"name":"Executive","order":null,"rollout_days":5,"test_days":2}},
                {{"name":"Staging","order":null,"rollout_days":2,"test_days":5}},
                {{"name":"General","order":5,{general}}}]}}"#
        );
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("a path").to_owned()
    };
    let file = rings(r#""rollout_days":10,"test_days":4"#);
    let explained = json(&["explain", "rings", &file, "--json"]);
    assert_eq!((&explained["total"], &explained["remaining"]), (&28.into(), &32.into()));
    assert_eq!(explained["rings"][2]["name"], "Executive");
    for (days, words) in [
        (r#""rollout_days":42,"test_days":5"#, ["need 7 days", "6 of the 60"]),
        (
            r#""rollout_days":4294967295,"test_days":3"#,
            ["4294967295", "60 are left"],
        ),
        (
            r#""rollout_days":4294967295,"test_days":2"#,
            ["4294967295", "60 are left"],
        ),
        (r#""rollout_days":1.5,"test_days":2"#, ["rollout_days", "whole number"]),
        (r#""rollout_days":-1,"test_days":2"#, ["rollout_days", "-1"]),
        (
            r#""rollout_days":1,"test_days":"2""#,
            ["rings.json", "is not a file of rings"],
        ),
    ] {
        refused(&["explain", "rings", &rings(days)], &words);
    }
}

#[test]
fn addresses_that_are_none_are_refused_without_a_word_of_their_password_g5() {
    for address in ["sqlite:", "sqlite::memory:"] {
        refused(&["migrate", "--database", address], &["sqlite:PATH"]);
    }
    let (status, _, problem) = nightshift(&["check", "--database", "postgre://me:secret@localhost/x"]);
    assert_eq!(status, Some(2));
    assert!(
        problem.contains("must start with") && !problem.contains("secret"),
        "{problem}"
    );
    let output = Command::new(NIGHTSHIFT)
        .args(["serve", "--help"])
        .env("NIGHTSHIFT_DATABASE", "postgres://me:secret@localhost/x")
        .output()
        .expect("it runs");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret"));
}

#[test]
fn a_listener_on_every_address_needs_to_be_told_how_devices_reach_it_g5() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite:{}", folder.path().join("facts.db").display());
    let artifacts = folder.path().join("artifacts");
    let artifacts = artifacts.to_str().expect("a path");
    refused(
        &[
            "serve",
            "--database",
            &database,
            "--artifacts",
            artifacts,
            "--listen",
            "0.0.0.0:0",
        ],
        &["public-url"],
    );
}

async fn commands_that_look_leave_an_old_schema_and_an_empty_database_alone_g1(engine: Engine) {
    let old = Database::new(engine).await;
    old.migrate_to(1).await;
    let address = old.address.as_str();
    for command in [
        vec!["check"],
        vec!["plan"],
        vec!["device", "list"],
        vec!["explain", "room", "Lab"],
    ] {
        let arguments: Vec<&str> = command.into_iter().chain(["--database", address]).collect();
        refused(&arguments, &["nightshift migrate"]);
    }
    assert_eq!(old.number("SELECT COUNT(*) FROM _sqlx_migrations").await, 1);
    assert_eq!(old.number("SELECT COUNT(*) FROM organisation").await, 0);
    // Migrated and never served: nobody has said whose it is, and a look does not decide it.
    let migrate = || {
        let (status, output, problem) = nightshift(&["migrate", "--database", address]);
        assert_eq!(status, Some(0), "{problem}");
        output
    };
    let output = migrate();
    let lines: Vec<&str> = output.lines().collect();
    // The first one was there.
    assert!(lines[0].starts_with("Migration 0002, growth."), "{output}");
    let names = "Migration 0012, names: Names in another Unicode form get a second key";
    assert!(lines[10].starts_with(names), "{output}");
    assert_eq!(lines.last(), Some(&"The database is up to date."));
    assert_eq!(
        migrate(),
        "The database is up to date.\n",
        "the second time there is nothing to do"
    );
    refused(&["plan", "--database", address], &["nightshift serve"]);
    assert_eq!(old.number("SELECT COUNT(*) FROM organisation").await, 0);
}

async fn a_dry_run_says_what_a_tick_does_and_writes_nothing_g1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let fleet = house.fleet().await;
    let due = fleet.rollouts.values().filter_map(|rollout| rollout.next_at).min();
    house.service.clock().advance_to(due.expect("the rollout is due"));
    let before = house.fleet().await;
    let dry = house.service.plan().await.expect("a dry run");
    assert!(dry.writes);
    assert_eq!(house.fleet().await, before, "nothing is written");
    let said: Vec<&str> = dry.lines.iter().map(|(_, text)| text.as_str()).collect();
    assert!(said.iter().any(|text| text.starts_with("Enters Staging")), "{said:?}");
    let report = house.service.tick().await.expect("a tick");
    let told: Vec<String> = report.lines.iter().map(|line| line.event.sentence()).collect();
    assert_eq!(told, said, "all rounds of the tick are in it");
}

async fn an_operator_lets_people_and_programs_in_and_out_a1_a2(engine: Engine) {
    let mut house = House::new(engine).await;
    house.admin().await;
    house.stop().await;
    house.service.store().close().await;
    // Another process may have the file of the house open for writing, but not this copy.
    let database = house.database.copy().await;
    let said = |command: &[&str]| {
        let arguments: Vec<&str> = command
            .iter()
            .copied()
            .chain(["--database", &database.address])
            .collect();
        let (status, said, problem) = nightshift(&arguments);
        assert_eq!(status, Some(0), "{problem}");
        said
    };
    let bo = ["bo@example.com"];
    let link = said(&[
        "user",
        "add",
        "Bo",
        bo[0],
        "--role",
        "helpdesk",
        "--public-url",
        "https://n.example/",
    ]);
    assert!(link.starts_with("https://n.example/password/"), "{link}");
    let listed = said(&["user", "list"]);
    assert!(
        listed.contains("bo@example.com\tBo\thelpdesk\tno password yet"),
        "{listed}"
    );
    assert_eq!(
        said(&["user", "disable", bo[0]]),
        "bo@example.com may not sign in any more.\n"
    );
    assert!(said(&["user", "list"]).contains("\thelpdesk\tdisabled"));
    let again = said(&["user", "reset", bo[0]]);
    assert!(
        again.starts_with("/password/") && again.trim_end() != link.trim_end(),
        "{again}"
    );
    let only = ["user", "disable", testkit::ADMIN, "--database", &database.address];
    refused(&only, &["is the only admin"]);
    let (status, _, problem) = nightshift(&["user", "add", "Bo", bo[0], "--role", "king"]);
    assert!(
        status == Some(2) && problem.contains("is not admin, helpdesk or auditor"),
        "{problem}"
    );

    let secret = said(&["token", "add", "Archive", "--role", "auditor", "--days", "30"]);
    assert!(secret.starts_with("nightshift_"), "{secret}");
    let listed = said(&["token", "list"]);
    assert!(
        listed.starts_with("Archive\tauditor\texpires 2") && listed.ends_with("\tnever used\n"),
        "{listed}"
    );
    assert!(!listed.contains(secret.trim_end()));
    refused(
        &["token", "revoke", "Other", "--database", &database.address],
        &["there is no token Other"],
    );
    assert_eq!(
        said(&["token", "revoke", "Archive"]),
        "The token Archive was revoked.\n"
    );
    assert_eq!(said(&["token", "list"]), "");
    let by = database
        .texts("SELECT DISTINCT actor FROM audit WHERE object_kind = 'token'")
        .await;
    assert_eq!(by, ["Operator (command line)"]);
}

async fn zone_files_without_a_zone_of_a_site_are_refused_at_the_start_w3_g5(engine: Engine) {
    let mut house = House::new(engine).await;
    house.database.execute("UPDATE sites SET zone = 'Europe/Paris'").await;
    house.stop().await;
    house.service.store().close().await;
    let database = house.database.copy().await;
    let folder = tempfile::tempdir().expect("a folder");
    let artifacts = folder.path().join("artifacts");
    std::fs::create_dir_all(folder.path().join("zones/Europe")).expect("a folder");
    // A compiled zone without changes: the head, its counts, one kind of time at no offset, and what that is called (RFC 8536).
    let head = [
        b"TZif".as_slice(),
        &[0; 16 + 16],
        &[0, 0, 0, 1, 0, 0, 0, 4],
        &[0; 6],
        b"UTC\0",
    ]
    .concat();
    std::fs::write(folder.path().join("zones/Europe/London"), head).expect("a file");
    let (zones, artifacts) = (folder.path().join("zones"), artifacts.to_string_lossy().into_owned());
    let zones = zones.to_string_lossy().into_owned();
    let serve = [
        "serve",
        "--database",
        &database.address,
        "--artifacts",
        &artifacts,
        "--listen",
        "127.0.0.1:0",
        "--zone",
        "Europe/London",
    ];
    let with_files: Vec<&str> = ["--zoneinfo", &zones].into_iter().chain(serve).collect();
    refused(
        &with_files,
        &["\"Europe/Paris\"", "the zone of site London", "newer zone files"],
    );
}
