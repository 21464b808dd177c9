//! Support (L1–L5): rooms by how long what they have is supported, today or on a past day.
//!
//! Start with [`SupportPage`]. What the page asks the server for is in [`api`].

mod api;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
pub mod present;

pub use page::SupportPage;
