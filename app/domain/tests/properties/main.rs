//! Random fleets, edits, failures and clock jumps through the simulator: whatever happens, every law of the planner's README
//! holds after every tick. And the rings' 60 days (R8, R9), the order of versions (S2), how long they are supported (L1–L3), and every check
//! that is made of rooms (C1–C8).
//!
//! A failure shrinks to a short list of steps. What was found so stands in `found` as an example of its own.

mod found;
mod happenings;
mod judged;
mod lifecycle;
mod plan;
mod readiness;
mod rings;
mod versions;
mod world;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use plan::{ZONES, a_room, a_step, ring_days};
use world::{COMMANDS, accepted_commands, live};

/// `NIGHTSHIFT_FLEETS=5000` for a long look.
fn fleets() -> u32 {
    std::env::var("NIGHTSHIFT_FLEETS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(200)
}

#[test]
fn whatever_happens_no_law_is_broken_and_everything_comes_to_rest_s14() {
    let config = ProptestConfig {
        cases: fleets(),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rooms = proptest::collection::vec(a_room(), 1..8);
    let steps = proptest::collection::vec(a_step(), 1..24);
    let life = (0..ZONES.len(), ring_days(), rooms, steps);
    let lived = TestRunner::new(config).run(&life, |(zone, days, rooms, steps)| {
        live(zone, &days, &rooms, &steps);
        Ok(())
    });
    lived.unwrap_or_else(|broken| panic!("{broken}"));
    let accepted = accepted_commands();
    let refused: Vec<&str> = COMMANDS
        .into_iter()
        .filter(|command| !accepted.contains(command))
        .collect();
    assert_eq!(refused, [""; 0], "commands that were never accepted");
}
