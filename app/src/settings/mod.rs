//! Settings: what the organisation has set (SPEC S3, S12, W1), and its freezes (W6).
//!
//! The page is in [`page`], freezes are in [`freezes_page`]; what they ask the server for is in [`api`].

mod api;
mod freezes_page;
mod page;

pub use freezes_page::FreezesPage;
pub use page::SettingsPage;
