//! Bad input gets one clear sentence that names the field and the limit, and changes nothing (SPEC G5; R2, R4, R8, S3, G1).

use std::fmt::Display;

use domain::ids::ProductId;
use domain::ring::RingOrder;
use domain::zone::Zone;
use serde_json::{Value, json};
use service::artifacts::Hashes;
use service::catalogue::Catalogue;
use service::{NewFile, RingFields, RoomsFile, Source};
use store::{Store, StoreError};
use testkit::{BAR, Database, Engine, House, actor, bar, both_engines, content};

both_engines!(
    a_database_of_a_newer_program_is_refused_g5,
    a_release_without_files_is_not_published_s3,
    files_with_other_hashes_names_or_addresses_are_refused_g5,
    rings_beyond_their_limits_are_refused_r2_r4_r8,
    a_rooms_file_with_one_bad_line_changes_nothing_g1_g5,
    one_bad_line_in_the_middle_of_a_hundred_thousand_rooms_is_named_and_nothing_changes_g5,
    a_catalogue_with_one_bad_line_changes_nothing_g1_g5,
    reasons_are_wanted_and_have_a_limit_k2_g5,
);

#[tokio::test]
async fn a_second_process_cannot_serve_from_one_sqlite_file_g5() {
    let database = Database::new(Engine::Sqlite).await;
    let first = database.open(true).await;
    let refused = Store::open(&database.address, true).await.err().expect("it is refused");
    let path = database.address.trim_start_matches("sqlite:");
    says(&refused, &[path, "another nightshift", "one process"]);
    // Looking at it is allowed, and serving again once the first has gone.
    Store::open(&database.address, false)
        .await
        .expect("it opens")
        .close()
        .await;
    first.close().await;
    drop(first);
    Store::open(&database.address, true)
        .await
        .expect("the lock went with its holder");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_g5() {
    for address in ["", "nightshift.db", "mysql://localhost/nightshift"] {
        let refused = Store::open(address, false).await.err().expect("it is refused");
        says(&refused, &["sqlite:", "postgres://"]);
    }
}

#[test]
fn a_zone_that_nobody_knows_is_refused_w1_g5() {
    for zone in ["Europe/Atlantis", "", "CET+1 or so", "../../etc/passwd"] {
        says(
            &Zone::parse(zone).expect_err(zone),
            &["time zone", "IANA", "Europe/London"],
        );
    }
}

async fn a_database_of_a_newer_program_is_refused_g5(engine: Engine) {
    let database = Database::new(engine).await;
    database.open(false).await.close().await;
    let checksum = if engine == Engine::Sqlite {
        "x'00'"
    } else {
        "decode('00', 'hex')"
    };
    let future = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99990101000000, 'future', TRUE, {checksum}, 0)"
    );
    database.execute(&future).await;
    let store = Store::open(&database.address, false).await.expect("it opens");
    let refused = store.migrate().await.expect_err("it is refused");
    assert!(matches!(refused, StoreError::Newer(99_990_101_000_000)), "{refused:?}");
    says(&refused, &["newer than this program", "99990101000000"]);
    store.close().await;
    database
        .execute("DELETE FROM _sqlx_migrations WHERE version = 99990101000000")
        .await;
    database.open(false).await.close().await;
}

async fn a_release_without_files_is_not_published_s3(engine: Engine) {
    let house = House::new(engine).await;
    let before = whole(&house).await;
    let refused = house
        .service
        .publish(&actor(), &bar(), "2.0", None)
        .await
        .expect_err("it has no file");
    says(&refused, &["files", "Rally Bar CollabOS 2.0"]);
    let refused = house
        .service
        .publish(&actor(), &bar(), "9.9", None)
        .await
        .expect_err("there is none");
    says(&refused, &["9.9", BAR]);
    let refused = house
        .service
        .publish(&actor(), &ProductId("nothing".to_owned()), "2.0", None)
        .await
        .expect_err("there is none");
    says(&refused, &["nothing"]);
    // One that does not fit into a window (S7).
    house
        .database
        .execute(&format!(
            "UPDATE updates SET expected_minutes = 301 WHERE product_id = '{BAR}' AND version = '3.0'"
        ))
        .await;
    let update = house.release(&bar(), "3.0").await;
    house
        .service
        .add_file(&actor(), update, file("a.swu", content("3.0")))
        .await
        .expect("a file");
    let refused = house
        .service
        .publish(&actor(), &bar(), "3.0", None)
        .await
        .expect_err("it does not fit");
    says(&refused, &["expected minutes", "300"]);
    assert_eq!(whole(&house).await.0, before.0, "no rollout came of it");
    // Published once.
    house.publish("2.0").await;
    let refused = house
        .service
        .publish(&actor(), &bar(), "2.0", None)
        .await
        .expect_err("twice");
    says(&refused, &["Rally Bar CollabOS 2.0", "published already"]);
}

async fn files_with_other_hashes_names_or_addresses_are_refused_g5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.release(&bar(), "2.0").await;
    let bytes = content("2.0");
    let right = Hashes::of(&bytes);
    let wrong = Hashes::of(b"something else").sha256;
    let outside = |hashes: Hashes, url: &str| NewFile {
        filename: "a.swu".to_owned(),
        source: Source::Outside {
            url: url.to_owned(),
            hashes,
        },
        expected_sha256: None,
    };
    let expecting = |sha256: &str| NewFile {
        expected_sha256: Some(sha256.to_owned()),
        ..file("a.swu", bytes.clone())
    };
    let good = "https://example.com/a.swu";
    let refused = [
        (
            expecting(&wrong),
            vec!["SHA-256", right.sha256.as_str(), wrong.as_str()],
        ),
        (expecting("abc"), vec!["SHA-256", "abc"]),
        (
            outside(
                Hashes {
                    sha256: "00".to_owned(),
                    ..right.clone()
                },
                good,
            ),
            vec!["SHA-256", "64"],
        ),
        (
            outside(
                Hashes {
                    sha1: right.sha1.to_uppercase(),
                    ..right.clone()
                },
                good,
            ),
            vec!["SHA-1", "40", "lower-case"],
        ),
        (
            outside(
                Hashes {
                    md5: "zz".repeat(16),
                    ..right.clone()
                },
                good,
            ),
            vec!["MD5", "32"],
        ),
        (
            outside(right.clone(), "ftp://example.com/a.swu"),
            vec!["URL", "https://"],
        ),
        (outside(right.clone(), "https://example.com/a b.swu"), vec!["URL"]),
        (file("", bytes.clone()), vec!["file name", "1 to 128"]),
        (file("../a.swu", bytes.clone()), vec!["file name", "1 to 128"]),
        (file("a b.swu", bytes.clone()), vec!["file name"]),
        (file(".hidden", bytes.clone()), vec!["file name", "'.'"]),
        (file(&"a".repeat(129), bytes.clone()), vec!["file name", "128"]),
    ];
    for (file, words) in refused {
        let refused = house
            .service
            .add_file(&actor(), update, file.clone())
            .await
            .expect_err("it is refused");
        says(&refused, &words);
    }
    assert_eq!(
        house.database.number("SELECT count(*) FROM artifacts").await,
        0,
        "nothing is kept"
    );
    house
        .service
        .add_file(&actor(), update, expecting(&right.sha256.to_uppercase()))
        .await
        .expect("the right hash, in any case");
    let refused = house
        .service
        .add_file(&actor(), update, file("a.swu", content("3.0")))
        .await
        .expect_err("twice");
    says(&refused, &["file name", "a.swu", "already"]);
    house
        .service
        .publish(&actor(), &bar(), "2.0", None)
        .await
        .expect("it is published");
    let refused = house
        .service
        .add_file(&actor(), update, file("b.swu", bytes.clone()))
        .await
        .expect_err("too late");
    says(&refused, &["published", "files stay"]);
    assert_eq!(house.database.number("SELECT count(*) FROM artifacts").await, 1);
}

async fn rings_beyond_their_limits_are_refused_r2_r4_r8(engine: Engine) {
    let house = House::new(engine).await;
    let service = &house.service;
    let before = whole(&house).await;
    let draft = |name: &str, order: i64, rollout_days: u32, test_days: u32| RingFields {
        name: name.into(),
        description: "".into(),
        order: RingOrder::try_from(order).ok(),
        rollout_days,
        test_days,
    };
    for order in [0, 10, -1, 300] {
        let refused = RingOrder::try_from(order).expect_err("no place for a ring");
        says(&refused, &["order", &order.to_string(), "1 to 9"]);
    }
    for order in ["", "one", "1.5"] {
        says(
            &order.parse::<RingOrder>().expect_err("no number"),
            &["order", "1 to 9"],
        );
    }
    // Staging 7, General 14, Executive 7: 28 of the 60 days are set.
    let drafts = [
        (draft("Early", 1, 30, 3), vec!["33 days", "32 of the 60"]),
        (draft("Early", 1, u32::MAX, u32::MAX), vec!["32 of the 60"]),
        (draft("Early", 0, 1, 1), vec!["order", "1 to 9"]),
        (draft("Early", 10, 1, 1), vec!["order", "1 to 9"]),
        (draft("Early", 5, 1, 1), vec!["order", "5", "General"]),
        (draft("GENERAL", 1, 1, 1), vec!["name", "General", "already"]),
        (draft(" general ", 1, 1, 1), vec!["name", "General", "already"]),
        (draft("", 1, 1, 1), vec!["name"]),
        (draft("   ", 1, 1, 1), vec!["name"]),
        (draft(&"r".repeat(61), 1, 1, 1), vec!["name", "61", "60"]),
        (draft("Early", 1, 0, 1), vec!["rollout duration", "at least 1 day"]),
        (
            RingFields {
                description: "d".repeat(501).into(),
                ..draft("Early", 1, 1, 1)
            },
            vec!["description", "501", "500"],
        ),
    ];
    for (draft, words) in drafts {
        let refused = service
            .add_ring(&actor(), draft.clone())
            .await
            .err()
            .unwrap_or_else(|| panic!("{draft:?} is taken"));
        says(&refused, &words);
    }
    let rings = service
        .store()
        .read()
        .await
        .expect("a read")
        .rings()
        .await
        .expect("rings");
    let refused = service
        .edit_ring(&actor(), rings.general().id, None, draft("General", 5, 40, 7))
        .await
        .expect_err("61 days");
    says(&refused, &["47 days", "46 of the 60"]);
    let refused = service
        .delete_ring(&actor(), rings.general().id, None)
        .await
        .expect_err("it stays");
    says(&refused, &["General", "preconfigured"]);
    assert_eq!(whole(&house).await, before, "nothing changed, not even the audit trail");
    // Sixty are allowed.
    service
        .add_ring(&actor(), draft("Early", 1, 30, 2))
        .await
        .expect("60 days");
}

async fn one_bad_line_in_the_middle_of_a_hundred_thousand_rooms_is_named_and_nothing_changes_g5(engine: Engine) {
    let house = House::new(engine).await;
    let before = whole(&house).await;
    let site = house.database.text("SELECT name FROM sites ORDER BY name").await;
    let mut csv = "site,name,floor,capacity\n".to_owned();
    for number in 1..=100_000 {
        let site = if number == 50_000 { "Atlantis" } else { site.as_str() };
        csv.push_str(&format!("{site},Room {number},{},8\n", number % 40));
    }
    let file = RoomsFile::parse(&csv).expect("every line has its columns");
    assert_eq!(file.rooms.len(), 100_000);
    let refused = house
        .service
        .import_rooms(&actor(), &file)
        .await
        .expect_err("a refusal");
    says(&refused, &["site", "line 50001 (Room 50000)", "Atlantis"]);
    assert_eq!(whole(&house).await, before);
}

async fn a_rooms_file_with_one_bad_line_changes_nothing_g1_g5(engine: Engine) {
    let house = House::new(engine).await;
    let before = whole(&house).await;
    let with = |room: Value| json!({ "sites": [{ "name": "Paris", "zone": "Europe/Paris" }], "rooms": [{ "name": "Good", "site": "Paris" }, room] });
    let long = "n".repeat(101);
    let device = |id: &str| json!({ "name": "Bad", "site": "Paris", "devices": [{ "id": id, "model": "m" }] });
    let lines = [
        (
            with(json!({ "name": "Bad", "site": "Atlantis" })),
            vec!["site", "room 2 (Bad)", "Atlantis"],
        ),
        (
            with(json!({ "name": "Bad", "site": "Paris", "zone": "Mars/Base" })),
            vec!["zone", "room 2 (Bad)", "Mars/Base"],
        ),
        (
            with(json!({ "name": "Bad", "site": "Paris", "ring": "Inner" })),
            vec!["ring", "room 2 (Bad)", "Inner"],
        ),
        (
            with(json!({ "name": "Bad", "site": "Paris", "state": "asleep" })),
            vec!["state", "room 2 (Bad)", "asleep", "managed"],
        ),
        (
            with(json!({ "name": "good", "site": "paris" })),
            vec!["name", "room 2 (good)", "twice"],
        ),
        (with(json!({ "name": " ", "site": "Paris" })), vec!["name", "missing"]),
        (
            with(json!({ "name": long, "site": "Paris" })),
            vec!["name", "101", "100"],
        ),
        (
            with(device("bar 7")),
            vec!["device", "room 2 (Bad)", "bar 7", "1 to 64"],
        ),
        (with(device(&"d".repeat(65))), vec!["device", "1 to 64"]),
        (with(device("lab-1")), vec!["device", "already"]),
        (
            with(
                json!({ "name": "Bad", "site": "Paris", "devices": [{ "id": "x", "model": "m" }, { "id": "x", "model": "m" }] }),
            ),
            vec!["device", "room 2 (Bad)", "twice"],
        ),
        (
            with(
                json!({ "name": "Bad", "site": "Paris", "devices": [{ "id": "x", "model": "m", "installed": { "No Such": "1" } }] }),
            ),
            vec!["product", "room 2 (Bad)", "No Such", "a-z"],
        ),
        (
            with(json!({ "name": "Lab", "site": "London" })),
            vec!["name", "already"],
        ),
        (
            json!({ "sites": [{ "name": "Nowhere", "zone": "Mars/Base" }], "rooms": [] }),
            vec!["zone", "Nowhere", "Mars/Base"],
        ),
    ];
    for (file, words) in lines {
        let file = RoomsFile::parse(&file.to_string()).expect("it can be read");
        let refused = house
            .service
            .import_rooms(&actor(), &file)
            .await
            .err()
            .unwrap_or_else(|| panic!("{words:?} is taken"));
        says(&refused, &words);
        assert_eq!(whole(&house).await, before, "{words:?}: all or nothing");
    }
    let csv = RoomsFile::parse("site,name,ring\nLondon,One,General\nLondon,Two,Inner\n").expect("it can be read");
    let refused = house
        .service
        .import_rooms(&actor(), &csv)
        .await
        .expect_err("one bad line");
    says(&refused, &["ring", "line 3 (Two)", "Inner"]);
    for (text, words) in [
        ("{\"rooms\": [{\"name\": 7}]}", vec!["rooms"]),
        ("{\"rooms\": [{\"name\": \"A\", \"site\"", vec!["rooms"]),
        (
            "site,name,capacity\nLondon,One,many\n",
            vec!["capacity", "line 2 (One)", "whole number"],
        ),
        ("site\nLondon\n", vec!["rooms", "name"]),
    ] {
        says(&RoomsFile::parse(text).expect_err(text), &words);
    }
    assert_eq!(whole(&house).await, before);
}

async fn a_catalogue_with_one_bad_line_changes_nothing_g1_g5(engine: Engine) {
    let house = House::new(engine).await;
    let before = whole(&house).await;
    let product = |id: &str, kind: &str, minutes: u32| json!({ "id": id, "vendor": "V", "name": "N", "kind": kind, "expected_minutes": minutes });
    let release = |product: &str, version: &str| json!({ "product": product, "version": version, "rank": 1 });
    let good = || product("good", "app", 10);
    let files = [
        (
            json!([good(), product("bad", "gadget", 10)]),
            json!([]),
            vec!["kind", "bad", "gadget", "firmware"],
        ),
        (
            json!([good(), product("Not Good", "app", 10)]),
            json!([]),
            vec!["product", "Not Good", "1 to 80"],
        ),
        (
            json!([good(), product("bad", "app", 0)]),
            json!([]),
            vec!["expected minutes", "bad", "1 and 1440"],
        ),
        (
            json!([good(), product("bad", "app", 1441)]),
            json!([]),
            vec!["expected minutes", "1441", "1 and 1440"],
        ),
        (
            json!([good()]),
            json!([release("good", "1.0"), release("other", "1.0")]),
            vec!["product", "other"],
        ),
        (
            json!([good()]),
            json!([release("good", "1.0"), release("good", " ")]),
            vec!["version", "good", "128"],
        ),
        (
            json!([good()]),
            json!([release("good", &"1".repeat(129))]),
            vec!["version", "good", "128"],
        ),
    ];
    for (products, releases, words) in files {
        let catalogue = Catalogue::parse(&products.to_string(), &releases.to_string()).expect("it can be read");
        let refused = house
            .service
            .import_catalogue(&actor(), &catalogue)
            .await
            .err()
            .unwrap_or_else(|| panic!("{words:?} is taken"));
        says(&refused, &words);
        assert_eq!(whole(&house).await, before, "{words:?}: all or nothing");
    }
    says(
        &Catalogue::parse("[{}]", "[]").expect_err("no product"),
        &["catalogue", "products"],
    );
    says(
        &Catalogue::parse("[]", "{").expect_err("no list"),
        &["catalogue", "releases"],
    );
}

async fn reasons_are_wanted_and_have_a_limit_k2_g5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    let before = whole(&house).await;
    for reason in ["", "  \n "] {
        says(
            &house
                .service
                .pause(&actor(), update, reason.into(), None)
                .await
                .expect_err("no reason"),
            &["reason"],
        );
    }
    let long = "r".repeat(501);
    says(
        &house
            .service
            .pause(&actor(), update, long.as_str().into(), None)
            .await
            .expect_err("too long"),
        &["reason", "501", "500"],
    );
    says(
        &house
            .service
            .resume(&actor(), update, "go".into())
            .await
            .expect_err("it runs"),
        &["Rally Bar CollabOS 2.0", "not paused"],
    );
    assert_eq!(whole(&house).await, before);
    house.pause(update).await;
    says(
        &house
            .service
            .pause(&actor(), update, "again".into(), None)
            .await
            .expect_err("twice"),
        &["paused already", "Admin"],
    );
    let room = house.room("Lab").await.id;
    says(
        &house
            .service
            .force(
                &actor(),
                update,
                &service::RoomScope::Rooms(vec![room]),
                domain::deployment::Force::Now,
                "now".into(),
            )
            .await
            .expect_err("K5"),
        &["paused", "resume"],
    );
    says(
        &house.service.retry_all_failed(&actor(), update).await.expect_err("K4"),
        &["paused", "resume"],
    );
}

/// One sentence for people, with these words in it.
#[track_caller]
fn says(refused: &impl Display, words: &[&str]) {
    let text = refused.to_string();
    assert!(
        !text.is_empty() && text.len() < 500 && !text.contains('\n'),
        "one sentence: {text}"
    );
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

fn file(name: &str, bytes: Vec<u8>) -> NewFile {
    NewFile {
        filename: name.to_owned(),
        source: Source::Bytes(bytes),
        expected_sha256: None,
    }
}

/// All facts, and how much stands beside them.
async fn whole(house: &House) -> (domain::fleet::Fleet, Vec<i64>) {
    let mut counts = Vec::new();
    for table in [
        "sites",
        "rooms",
        "devices",
        "components",
        "products",
        "versions",
        "updates",
        "rings",
        "audit",
    ] {
        counts.push(house.database.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    (house.fleet().await, counts)
}
