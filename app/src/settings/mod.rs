//! Settings: what the organisation has set (SPEC S3, S12, W1).
//!
//! The page is in [`page`]; what it asks the server for is in [`api`].

mod api;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
mod present;

pub use page::SettingsPage;
