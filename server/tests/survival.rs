//! What goes wrong around the program: it is told to stop, the disk is full, the database is locked, away or old (G3). Nothing
//! acknowledged is lost, and when the fault is gone, work goes on without a restart.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use testkit::program::{Program, arguments, free_port};
use testkit::visitor::Visitor;
use testkit::wire::Wire;
use testkit::{Database, Dice, Engine, House, Options, action_in, both_engines, client, instant, link, rooms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");

both_engines![
    told_to_stop_it_ends_what_it_has_begun_in_time_g3,
    an_older_database_is_brought_up_to_date_at_the_start_g1,
    a_log_that_cannot_be_written_stops_neither_planning_nor_the_stop_g3_g4,
];

const DEVICE: &str = "lab-1";

/// A house whose device has begun its install, stopped; its admin's browser and the action.
async fn stopped_in_the_middle(engine: Engine) -> (House, Visitor, String) {
    let mut house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let admin = house.admin().await;
    let action = house.start(DEVICE).await;
    house.stop().await;
    house.service.store().close().await;
    (house, admin, action)
}

/// A feedback as raw HTTP, so that it can be sent piece by piece.
fn raw_feedback(house: &House, action: &str, text: &str) -> (String, String) {
    let body = json!({ "status": { "execution": "proceeding", "details": [text], "result": { "finished": "none" } } })
        .to_string();
    let head = format!(
        "POST /DEFAULT/controller/v1/{DEVICE}/deploymentBase/{action}/feedback HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        house.token(DEVICE),
        body.len()
    );
    (head, body)
}

async fn told_to_stop_it_ends_what_it_has_begun_in_time_g3(engine: Engine) {
    let (house, _, action) = stopped_in_the_middle(engine).await;
    let database = house.database.copy().await;
    let artifacts = house.database.folder.path().join("artifacts");
    let port = free_port();
    let program = Program::start(NIGHTSHIFT, &database.address, &artifacts, port, house.now()).await;
    let connect = || TcpStream::connect(("127.0.0.1", port));
    // One device is in the middle of its report, another one has sent half a request and says no more.
    let (head, body) = raw_feedback(&house, &action, "begun before the stop");
    let mut begun = connect().await.expect("a connection");
    begun.write_all(head.as_bytes()).await.expect("sent");
    let mut stuck = connect().await.expect("a connection");
    stuck.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ended = tokio::spawn(program.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    begun.write_all(body.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    begun.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let ended = tokio::time::timeout(Duration::from_secs(10), ended)
        .await
        .expect("at most 10 seconds");
    assert_eq!(ended.expect("a status").code(), Some(0));
    let kept = database.texts("SELECT detail FROM reports").await;
    assert!(kept.contains(&"begun before the stop".to_owned()), "{kept:?}");
    assert!(connect().await.is_err(), "nobody listens any more");
}

async fn an_older_database_is_brought_up_to_date_at_the_start_g1(engine: Engine) {
    let older = Database::new(engine).await;
    older.migrate_to(1).await;
    let migrations = || older.number("SELECT COUNT(*) FROM _sqlx_migrations");
    assert_eq!(migrations().await, 1, "what the first release left behind");
    let program = Program::start(
        NIGHTSHIFT,
        &older.address,
        older.folder.path(),
        free_port(),
        testkit::monday(),
    )
    .await;
    assert_eq!(program.stop().await.code(), Some(0));
    assert!(migrations().await > 1);
}

async fn a_log_that_cannot_be_written_stops_neither_planning_nor_the_stop_g3_g4(engine: Engine) {
    let full_disk = || Stdio::from(std::fs::File::create("/dev/full").expect("Linux has one"));
    for (what, log) in [("a full disk", full_disk()), ("a reader that is gone", Stdio::piped())] {
        let (house, _, action) = stopped_in_the_middle(engine).await;
        let database = house.database.copy().await;
        let artifacts = house.database.folder.path().join("artifacts");
        let port = free_port();
        let mut program = Program::logging_to(log, NIGHTSHIFT, &database.address, &artifacts, port, house.now()).await;
        let base = format!("http://127.0.0.1:{port}");
        // A line each: what the planner decides, and a form that another site has sent.
        for day in [8, 16, 24] {
            program.tick_at(house.now() + TimeDelta::days(day)).await;
        }
        let form = client()
            .post(format!("{base}/sign-in"))
            .header("Origin", "https://evil.example");
        assert_eq!(form.send().await.expect("an answer").status().as_u16(), 403, "{what}");
        let ready = client().get(format!("{base}/readyz")).send().await.expect("an answer");
        assert_eq!(ready.status().as_u16(), 200, "{what}");
        let entered = database.number("SELECT COUNT(*) FROM stages").await;
        assert!(entered > 1, "{what}: planning goes on");
        let ended = tokio::time::timeout(Duration::from_secs(10), program.stop()).await;
        assert_eq!(ended.expect("at most 10 seconds").code(), Some(0), "{what}, {action}");
    }
}

/// A folder of the size of a small disk, which only the process that is started there sees.
async fn start_on_a_small_disk(house: &House, folder: &Path, port: u16) -> Program {
    let disk = folder.display();
    let database = format!("sqlite:{disk}/nightshift.db");
    let original = house.database.path();
    let artifacts = house.database.folder.path().join("artifacts");
    let serve = arguments(&database, &artifacts, port).join(" ");
    let script = format!(
        "mount -t tmpfs -o size=8m tmpfs {disk} && cp {original} {disk}/nightshift.db && exec {NIGHTSHIFT} {serve}"
    );
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !is_root {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-c", &script]);
    Program::listening(command, house.now()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_nothing_is_acknowledged_that_is_not_kept_and_room_brings_it_back_g3() {
    let (mut house, admin, action) = stopped_in_the_middle(Engine::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut program = start_on_a_small_disk(&house, folder.path(), port).await;
    house.base = format!("http://127.0.0.1:{port}");
    // The disk as the process sees it.
    let disk = format!("/proc/{}/root{}", program.pid(), folder.path().display());
    let ballast = format!("{disk}/ballast");
    let mut file = std::fs::File::create(&ballast).expect("a file");
    let full = std::io::copy(&mut std::io::repeat(1), &mut file).expect_err("the disk has an end");
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    drop(file);

    let say = async |number: u32| {
        let text = format!("word {number} {}", "x".repeat(1500));
        let body =
            json!({ "status": { "execution": "proceeding", "details": [text], "result": { "finished": "none" } } });
        let answer = house.feedback(DEVICE, &action, body.to_string().into_bytes()).await;
        (text, answer)
    };
    let mut acknowledged = Vec::new();
    // What the log of the database has room for may still be taken.
    let mut refused = 0;
    for number in 0..200 {
        let (text, answer) = say(number).await;
        match answer.status {
            200 => acknowledged.push(text),
            _ => {
                let message = answer.error(503);
                assert!(message.contains("the device will ask again"), "{message}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused} of 200 were refused");
    assert!(house.offered(DEVICE).await.is_some(), "what needs no room goes on");
    assert_eq!(admin.at(&house.base).get("/updates").await.status, 200);

    std::fs::remove_file(&ballast).expect("room");
    let (text, answer) = say(1000).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    acknowledged.push(text);
    program.tick_at(house.now()).await;
    let copy = folder.path().join("copy.db");
    for part in ["", "-wal"] {
        let to = format!("{}{part}", copy.display());
        std::fs::copy(format!("{disk}/nightshift.db{part}"), to).expect("a copy");
    }
    let copy = Database {
        engine: Engine::Sqlite,
        address: format!("sqlite:{}", copy.display()),
        folder,
    };
    let kept: BTreeSet<String> = copy.texts("SELECT detail FROM reports").await.into_iter().collect();
    for text in &acknowledged {
        assert!(kept.contains(text), "{text} was acknowledged and is lost");
    }
    let words = kept.iter().filter(|text| text.starts_with("word")).count();
    assert_eq!(words, acknowledged.len(), "what was refused is not there");
    assert_eq!(program.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_costs_reports_their_answer_and_nothing_else_g3() {
    let house = House::new(Engine::Sqlite).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let mut other = house.database.sqlite().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .expect("the lock");
    let body = || {
        json!({ "status": { "execution": "closed", "result": { "finished": "success" } } })
            .to_string()
            .into_bytes()
    };
    let refused = house.feedback(DEVICE, &action, body()).await;
    assert!(refused.error(503).contains("the device will ask again"), "{refused:?}");
    assert_eq!(
        house.offered(DEVICE).await.map(|href| action_in(&href)),
        Some(action.clone()),
        "polls go on"
    );
    assert!(
        house.service.tick().await.is_err(),
        "the tick says so and is tried again"
    );
    sqlx::query("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("the lock is gone");
    assert_eq!(house.feedback(DEVICE, &action, body()).await.status, 200);
    house.tick().await;
    house.report_version(DEVICE, "2.0").await;
    assert_eq!(domain::check::check(&house.fleet().await), Vec::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lost_postgres_costs_answers_and_no_facts_and_its_return_needs_no_restart_g3() {
    const ROOMS: usize = 8;
    const CUTS: u32 = 25;
    let mut database = Database::new(Engine::Postgres).await;
    let direct = database.address.clone();
    let wire = Wire::to(&mut database).await;
    let names: Vec<String> = (1..=ROOMS).map(|number| format!("lab-{number}")).collect();
    let estate: Vec<(&str, &str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "Staging", name.as_str()))
        .collect();
    let house = House::on(
        database,
        Options {
            rooms: rooms(&estate),
            ..Options::default()
        },
    )
    .await;
    house.publish("2.0").await;
    // Those that did not come in the first night of Staging have the second one.
    house.at(instant("2025-03-05T00:10:00Z")).await;
    house.at(instant("2025-03-06T00:10:00Z")).await;
    let mut actions = Vec::new();
    for name in &names {
        if let Some(href) = house.offered(name).await {
            let action = action_in(&href);
            assert_eq!(
                house.say(name, &action, "proceeding", "none", &["Downloading."]).await,
                200
            );
            actions.push((name.clone(), action));
        }
    }
    assert!(actions.len() >= ROOMS / 2, "{actions:?}");

    let mut dice = Dice::new(7);
    let (mut acknowledged, mut refused) = (BTreeSet::new(), 0);
    for cut in 0..CUTS {
        let say = async |device: &str, action: &str| {
            let text = format!("{device} before cut {cut}");
            let status = json!({ "execution": "proceeding", "details": [text], "result": { "finished": "none" } });
            let answer = house
                .feedback(device, action, json!({ "status": status }).to_string().into_bytes())
                .await;
            if answer.status != 200 {
                answer.error(503);
            }
            (answer.status == 200).then_some(text)
        };
        let delay = Duration::from_micros(u64::try_from(dice.below(8_000)).expect("a number"));
        let cutting = async {
            tokio::time::sleep(delay).await;
            wire.cut();
        };
        let words = futures::future::join_all(actions.iter().map(|(device, action)| say(device, action)));
        let (words, ()) = tokio::join!(words, cutting);
        refused += words.iter().filter(|word| word.is_none()).count();
        acknowledged.extend(words.into_iter().flatten());
        if cut == 0 {
            let ready = client()
                .get(format!("{}/readyz", house.base))
                .send()
                .await
                .expect("an answer");
            assert_eq!(ready.status().as_u16(), 503, "it says that it is not ready");
            let live = client()
                .get(format!("{}/livez", house.base))
                .send()
                .await
                .expect("an answer");
            assert_eq!(live.status().as_u16(), 200);
            assert!(
                house.service.tick().await.is_err(),
                "the tick says so and is tried again"
            );
        }
        wire.mend();
        for (device, action) in &actions {
            let word = say(device, action).await;
            acknowledged.extend(Some(word.expect("it is back")));
        }
        house.tick().await;
    }
    assert!(refused > 20, "{refused} reports met a cut wire");
    let kept: BTreeSet<String> = Database {
        engine: Engine::Postgres,
        address: direct,
        folder: tempfile::tempdir().expect("a folder"),
    }
    .texts("SELECT detail FROM reports")
    .await
    .into_iter()
    .collect();
    for word in &acknowledged {
        assert!(kept.contains(word), "{word:?} was acknowledged and is lost");
    }
    for (device, action) in &actions {
        assert_eq!(
            house.say(device, action, "closed", "success", &["Installed."]).await,
            200
        );
        house.report_version(device, "2.0").await;
        assert!(link(&house.poll(device).await, "deploymentBase").is_none());
    }
    assert_eq!(domain::check::check(&house.fleet().await), Vec::new());
}
