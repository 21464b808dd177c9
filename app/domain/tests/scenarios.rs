//! Every `tests/scenarios/*.scenario` is played; its timeline must be the `*.timeline` beside it, byte for byte.
//!
//! A timeline is the specification by example: read it against docs/spec.md before it is accepted. `NIGHTSHIFT_BLESS=1` writes what
//! the code says now.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("the folder of scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "scenario"));
    paths.sort();
    paths
}

/// The lines that differ, with the last common line before each.
fn diff(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let (mut old, mut new) = (0, 0);
    let mut text = String::new();
    while (old < expected.len() || new < found.len()) && text.lines().count() < 40 {
        if old < expected.len() && new < found.len() && expected[old] == found[new] {
            old += 1;
            new += 1;
            continue;
        }
        // The nearest place at which both go on alike.
        let (skip_old, skip_new) = (0..expected.len() - old + found.len() - new)
            .flat_map(|sum| (0..=sum).map(move |skip| (skip, sum - skip)))
            .find(|(a, b)| old + a < expected.len() && new + b < found.len() && expected[old + a] == found[new + b])
            .unwrap_or((expected.len() - old, found.len() - new));
        for line in &expected[old..old + skip_old] {
            writeln!(text, "  - {line}").expect("text");
        }
        for line in &found[new..new + skip_new] {
            writeln!(text, "  + {line}").expect("text");
        }
        (old, new) = (old + skip_old, new + skip_new);
    }
    text
}

#[test]
fn every_scenario_gives_its_timeline_s14() {
    let bless = std::env::var_os("NIGHTSHIFT_BLESS").is_some_and(|value| value == "1");
    let mut wrong = String::new();
    let paths = scenarios();
    for path in &paths {
        let name = path.file_name().expect("a name").to_string_lossy();
        let text = fs::read_to_string(path).expect("a readable scenario");
        let timeline = match domain::scenario::run(&text) {
            Ok(timeline) => timeline,
            Err(error) => {
                writeln!(wrong, "{name}: {error}").expect("text");
                continue;
            }
        };
        let beside = path.with_extension("timeline");
        if bless {
            fs::write(&beside, &timeline).expect("a writable timeline");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if expected != timeline {
            writeln!(wrong, "{name}:\n{}", diff(&expected, &timeline)).expect("text");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(paths.len() >= 64, "{} scenarios are too few", paths.len());
}

#[test]
fn every_timeline_ends_with_nothing_to_do_s14() {
    for path in scenarios() {
        let timeline = fs::read_to_string(path.with_extension("timeline")).expect("a timeline");
        assert!(
            timeline.ends_with("\nplan again: nothing to do\n"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_scenario_says_what_it_proves() {
    for path in scenarios() {
        let text = fs::read_to_string(&path).expect("a scenario");
        assert!(
            text.starts_with("# "),
            "{} does not begin with a comment",
            path.display()
        );
    }
}

#[test]
fn the_same_scenario_gives_the_same_timeline_s14() {
    let path = scenarios().into_iter().next().expect("a scenario");
    let text = fs::read_to_string(path).expect("a scenario");
    assert_eq!(domain::scenario::run(&text), domain::scenario::run(&text));
}

fn refusal(text: &str) -> String {
    domain::scenario::run(text).expect_err("a refusal").to_string()
}

#[test]
fn a_line_that_cannot_be_played_is_named_with_its_field_and_limit_g5() {
    let start = "zone Europe/London\nclock 2025-03-01 00:00\nsite X zone Europe/London\nproduct app kind app\n";
    let refused = |line: &str| refusal(&format!("{start}{line}"));
    assert_eq!(
        refused("rooms 0 in General at X named X with app 1"),
        "line 5: rooms: 0 is not a whole number from 1 to 2000"
    );
    assert_eq!(
        refused("clock 2025-03-30 01:30"),
        "line 5: clock: 2025-03-30 01:30 does not exist in Europe/London"
    );
    assert_eq!(
        refused("at 2025-02-01 00:00 publish app 2"),
        "line 5: at: times go forward; it is 2025-03-01 00:00 already"
    );
    assert_eq!(
        refused("ring Pilots order 10 rollout 1 test 0"),
        "line 5: order: 10 is not a place for a ring; choose a whole number from 1 to 9"
    );
    assert_eq!(
        refused("ring Pilots order 2 rollout 30 test 3"),
        "line 5: rollout and test period need 33 days; 32 of the 60 are left"
    );
    assert_eq!(
        refused("at 2025-03-04 00:00 publish app 2 minutes 301"),
        "line 5: expected minutes: 301 minutes do not fit into the window of 300 minutes"
    );
    assert_eq!(
        refused("site Y zone Mars/Olympus"),
        "line 5: zone: time zone \"Mars/Olympus\" is unknown; use an IANA name such as Europe/London"
    );
    assert_eq!(
        refused("room A in Nowhere at X with app 1"),
        "line 5: ring: there is no Nowhere"
    );
    assert_eq!(
        refused("room A in Staging at X"),
        "line 5: with: a room needs at least one product and its version"
    );
    assert_eq!(
        refused("fly"),
        "line 5: directive: fly is unknown; the directives are zone, clock, mode, guard, halt, ring, site, product, release, portfolio, rooms, room, device, at and until"
    );
    assert_eq!(
        refusal("zone UTC\n"),
        "line 1: until: a scenario ends with a line such as until 2025-05-01 00:00"
    );
}
