//! Freezes: spans of dates in which nothing starts (SPEC W6).
//!
//! The page is in [`page`]; what it asks the server for is in [`api`].

mod api;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
mod present;

pub use page::FreezesPage;
