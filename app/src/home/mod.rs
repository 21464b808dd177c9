//! Home: what needs attention, what happens tonight, when each ring last received an update, how rooms are (SPEC P1).
//!
//! The page is in [`page`]; what it asks the server for is in [`api`].

mod api;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
mod present;

pub use page::HomePage;
