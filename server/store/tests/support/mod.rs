//! What only the store's tests need; the rest stands in `testkit`.

pub mod lab;
pub mod world;
