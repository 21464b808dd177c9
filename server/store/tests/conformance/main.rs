//! One list of behaviours, stamped for both engines: a file a noun. `lab.rs` has the smallest estate in which something can be installed,
//! `world` has random fleets; what other crates' tests need as well stands in `testkit`.
//!
//! `tools/postgres cargo nextest run -p store` gives them a Postgres; without one they fail.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

mod engines;
mod inventory;
mod lab;
mod lists;
mod migrations;
mod people;
mod planning;
mod plans;
mod progress;
mod reports;
mod rings;
mod rollouts;
mod rules;
mod world;

use store::{Store, StoreError};

type Written<T = ()> = Result<T, StoreError>;

fn refused<T: std::fmt::Debug>(outcome: &Written<T>) -> bool {
    matches!(outcome, Err(StoreError::Constraint(..)))
}

async fn rechecks(store: &Store) -> usize {
    store.read().await.unwrap().fleet().await.unwrap().rechecks.len()
}
