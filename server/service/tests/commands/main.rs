//! Every command that people have is given to the service, on each engine, and to the simulator: after each the two have the same
//! fleet, and refuse with the same sentence (docs/architecture.md, "Tests"). A rule that one of them tells in its own way stands out here.
//!
//! `scripts.rs` has the commands and their times, `service_and_simulator.rs` gives them and lets time pass, `comparison.rs` compares.

mod comparison;
mod scripts;
mod service_and_simulator;
mod simulator;
mod steps;
mod test_devices;

use std::collections::BTreeMap;

use service_and_simulator::ServiceAndSimulator;
use steps::{Ends, Step};
use testkit::{Engine, both_engines};

async fn play(engine: Engine, script: &[Step]) {
    let mut pair = ServiceAndSimulator::new(engine).await;
    for step in script {
        pair.play(step).await;
    }
    pair.estate.is_sound().await;
}

macro_rules! scripts {
    ($($script:ident => $test:ident),+ $(,)?) => {
        $(async fn $test(engine: Engine) {
            play(engine, &scripts::$script()).await;
        })+

        both_engines![$($test),+];

        fn all_scripts() -> Vec<Vec<Step>> {
            vec![$(scripts::$script()),+]
        }
    };
}

scripts![
    pauses_and_retries => a_simulated_pause_and_retry_is_that_of_the_service_k2_k3_k4,
    freezes_moves_and_rings => simulated_freezes_moves_and_rings_are_those_of_the_service_w6_r10_r11_r12,
    forces_and_cancels => a_simulated_force_and_cancel_is_that_of_the_service_k5_w10,
    newer_releases => a_simulated_newer_release_and_recall_is_that_of_the_service_s9_s10,
    evenings_and_steps => simulated_settings_in_the_evening_and_paused_steps_are_those_of_the_service_w1_s8,
    zones_at_night => simulated_zones_that_change_at_night_are_those_of_the_service_w2_w4,
    late_states => what_is_over_in_the_simulator_is_over_at_the_service_t7_t8_t9,
];

#[test]
fn every_command_is_given_with_success_and_is_refused_k2_k3_k4_k5_s9_s10_w6() {
    let mut given: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for step in all_scripts().iter().flatten() {
        if let Step::Give { command, ends, .. } = step {
            let name = format!("{command:?}");
            let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
            let (done, refused) = given.entry(name).or_default();
            match ends {
                Ends::Well => *done += 1,
                Ends::Refused => *refused += 1,
            }
        }
    }
    assert_eq!(given.len(), 20, "{given:?}");
    for (name, (done, refused)) in given {
        // What a file with a held room may be refused for is no rule of the simulator's.
        assert!(
            done > 0 && (refused > 0 || name == "AddHeldRoom"),
            "{name}: {done} done, {refused} refused"
        );
    }
}
