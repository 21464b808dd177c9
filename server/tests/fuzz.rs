//! Bodies and files that nobody would write: nothing panics, and the device API has no answer above 499 for them (G5).
//!
//! Each seed in `corpus/` is read as it is, and then again and again with parts of it cut out, doubled, exchanged or overwritten.
//! What once failed is put into the corpus and stays there. `NIGHTSHIFT_FUZZ=10000000` for a long look.

use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::Request;

use domain::version::{Version, VersionScheme, compare};
use reqwest::Method;
use server::ddi::{parse_config, parse_feedback};
use server::router::{ServerConfig, router};
use service::RoomsFile;
use service::catalogue::Catalogue;
use testkit::{Dice, Engine, House, both_engines, link};
use tower::ServiceExt;

both_engines!(the_device_api_answers_nonsense_with_an_error_of_the_sender_g5);

const DEVICE: &str = "lab-1";

/// What such readers stumble over.
const PIECES: [&[u8]; 14] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[[[[[[[[",
    b"null",
    b"\"execution\"",
    b"\"finished\":",
    b"1e999",
    b"-0",
    b"\0",
    b"\xff",
    b"\\ud800",
    b"\n",
];

fn seeds(kind: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).expect("a seed"))
        .collect()
}

/// One seed, changed in up to five places.
fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut body = seeds[dice.below(seeds.len())].clone();
    for _ in 0..dice.below(6) {
        let span = dice.span(body.len());
        match dice.below(5) {
            0 => drop(body.drain(span)),
            1 => {
                let twice = body[span.clone()].to_vec();
                body.splice(span.start..span.start, twice);
            }
            2 => drop(body.splice(span, PIECES[dice.below(PIECES.len())].iter().copied())),
            3 => {
                for at in span {
                    body[at] = u8::try_from(dice.below(256)).expect("a byte");
                }
            }
            _ => {
                let other = &seeds[dice.below(seeds.len())];
                let part = other[dice.span(other.len())].to_vec();
                body.splice(span, part);
            }
        }
    }
    body
}

/// How many bodies of each kind.
fn bodies() -> usize {
    std::env::var("NIGHTSHIFT_FUZZ")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(20_000)
}

/// Reads every seed and many changed ones; gives how many were taken for good.
fn read_all(kind: &str, seed: u64, number: usize, mut read: impl FnMut(&[u8]) -> bool) -> usize {
    let seeds = seeds(kind);
    let mut dice = Dice::new(seed);
    let mut good = seeds.iter().filter(|seed| read(seed)).count();
    assert!(good > 0, "no seed of {kind} is good");
    for _ in 0..number {
        good += usize::from(read(&changed(&seeds, &mut dice)));
    }
    good
}

/// Every body is taken, or refused in one sentence.
fn reads_or_refuses<T>(kind: &str, seed: u64, parse: impl Fn(&[u8]) -> Result<T, String>) {
    let good = read_all(kind, seed, bodies(), |body| match parse(body) {
        Ok(_) => true,
        Err(problem) => {
            assert!(!problem.is_empty() && problem.len() < 300, "{problem}");
            false
        }
    });
    assert!(good < bodies(), "some of it is nonsense");
}

#[test]
fn no_feedback_makes_its_reader_panic_g5() {
    reads_or_refuses("feedback", 1, parse_feedback);
}

#[test]
fn no_report_of_facts_makes_its_reader_panic_g5() {
    reads_or_refuses("config", 2, parse_config);
}

#[test]
fn no_file_makes_an_import_panic_g5() {
    let number = bodies() / 10;
    read_all("rooms", 3, number, |body| {
        RoomsFile::parse(&String::from_utf8_lossy(body)).is_ok()
    });
    let releases = String::from_utf8(seeds("releases").remove(0)).expect("a seed");
    let products = String::from_utf8(seeds("products").remove(0)).expect("a seed");
    read_all("products", 4, number, |body| {
        Catalogue::parse(&String::from_utf8_lossy(body), &releases).is_ok()
    });
    read_all("releases", 5, number, |body| {
        Catalogue::parse(&products, &String::from_utf8_lossy(body)).is_ok()
    });
}

#[test]
fn no_version_makes_the_order_panic_s2() {
    let alphabet = [
        "1",
        "0",
        "9",
        "99999999999999999999",
        ".",
        "-",
        "_",
        " ",
        "v",
        "V",
        "RoomOS",
        "ß",
        "\u{130}",
        "\u{300}",
        "",
        "\0",
    ];
    let mut dice = Dice::new(6);
    let word = |dice: &mut Dice| -> String {
        (0..dice.below(9))
            .map(|_| alphabet[dice.below(alphabet.len())])
            .collect()
    };
    for _ in 0..bodies() {
        let (a, b, prefix) = (word(&mut dice), word(&mut dice), word(&mut dice));
        let scheme = VersionScheme {
            by_release_date: dice.below(2) == 0,
            optional_prefix: (dice.below(2) == 0).then_some(prefix),
        };
        let order = |a: &str, b: &str| compare(&scheme, Version::undated(a), Version::undated(b)).order;
        assert_eq!(
            order(&a, &b),
            order(&b, &a).map(std::cmp::Ordering::reverse),
            "{a:?} {b:?}"
        );
    }
}

/// How many bodies go through the router: all of them in a long look, a few in every test run.
fn sent_bodies() -> usize {
    if std::env::var_os("NIGHTSHIFT_FUZZ").is_some() {
        bodies()
    } else {
        bodies() / 40
    }
}

async fn the_device_api_answers_nonsense_with_an_error_of_the_sender_g5(engine: Engine) {
    const AT_ONCE: usize = 32;
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let (feedback, config) = (seeds("feedback"), seeds("config"));
    // The router itself, without a socket: a body costs little, so that there can be many.
    let router = router(house.service.clone(), ServerConfig::default());
    let (next, action) = (AtomicUsize::new(0), AtomicI32::new(1));
    let (number, refused) = (sent_bodies(), AtomicUsize::new(0));
    let one_after_the_other = async |seed: u64| {
        let mut dice = Dice::new(seed);
        loop {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= number {
                return;
            }
            if round.is_multiple_of(200) {
                // Life goes on: what was closed is planned anew.
                house.service.tick().await.expect("a tick");
                let open = house.open_install(DEVICE).await;
                action.store(open.map_or(1, |install| install.action.0), Ordering::Relaxed);
            }
            let action = action.load(Ordering::Relaxed);
            let (method, path, body) = match round % 3 {
                0 => (Method::PUT, "/configData".to_owned(), changed(&config, &mut dice)),
                1 => (
                    Method::POST,
                    format!("/deploymentBase/{action}/feedback"),
                    changed(&feedback, &mut dice),
                ),
                _ => (
                    Method::POST,
                    format!("/cancelAction/{action}/feedback"),
                    changed(&feedback, &mut dice),
                ),
            };
            let request = Request::builder()
                .method(method)
                .uri(format!("/DEFAULT/controller/v1/{DEVICE}{path}"))
                .header("authorization", house.token(DEVICE))
                .header("content-type", "application/json")
                .body(Body::from(body.clone()))
                .expect("a request");
            let answer = router.clone().oneshot(request).await.expect("an answer");
            let status = answer.status().as_u16();
            let text = String::from_utf8_lossy(&body);
            assert!([200, 400, 404, 410].contains(&status), "{status} for {text:?}");
            if status == 400 {
                refused.fetch_add(1, Ordering::Relaxed);
                let said = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
                let said: serde_json::Value = serde_json::from_slice(&said).expect("JSON");
                assert!(
                    said["message"].as_str().is_some_and(|message| !message.is_empty()),
                    "{text:?}"
                );
            }
        }
    };
    futures::future::join_all((0..AT_ONCE).map(|seed| one_after_the_other(seed as u64 + 7))).await;
    let refused = refused.into_inner();
    println!("{engine:?}: {number} bodies, {refused} refused");
    assert!(refused > 0 && refused < number, "{refused} of {number} refused");
    house.tick().await;
    assert!(
        link(&house.poll(DEVICE).await, "cancelAction").is_none(),
        "the server is well"
    );
    assert_eq!(domain::check::check(&house.fleet().await), Vec::new());
}
