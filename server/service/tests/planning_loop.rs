//! The loop that plans by timer and by wake-up says how long ago a round ended: `/readyz` goes by that (G4).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::time::Duration;

use testkit::{Estate, both_engines};
use tokio_util::sync::CancellationToken;

both_engines![planning_says_how_long_ago_a_round_ended_while_it_runs_and_nothing_else_does_g4];

async fn planning_says_how_long_ago_a_round_ended_while_it_runs_and_nothing_else_does_g4(estate: Estate) {
    let service = &estate.service;
    let since_a_round = || service.activity().now().without_a_round;
    service.tick().await.unwrap();
    assert_eq!(since_a_round(), None, "whoever ticks by hand knows when");
    let stop = CancellationToken::new();
    let planning = tokio::spawn({
        let (service, stop) = (service.clone(), stop.clone());
        async move { service.run_ticks(stop).await }
    });
    // With nothing due it waits for half a minute.
    let moment = Duration::from_millis(300);
    let patience = async |reached: &dyn Fn() -> bool| {
        for _ in 0..1_000 {
            if reached() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not within ten seconds: {:?}", since_a_round());
    };
    patience(&|| since_a_round().is_some_and(|time| time > moment)).await;
    service.wake();
    patience(&|| since_a_round().is_some_and(|time| time < moment)).await;
    stop.cancel();
    planning.await.unwrap();
    assert_eq!(since_a_round(), None, "no more rounds are expected");
}
