//! Settings: how Nightshift is set up, to read (SPEC P7).
//!
//! The page is in [`page`]; what it asks the server for is in [`api`].

mod api;
mod page;

pub use page::SettingsPage;
