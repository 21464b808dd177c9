//! One box that finds rooms, updates and tickets by name or number, and the keyboard shortcuts (SPEC P8, P10).
//!
//! The box stands in the top bar ([`SearchBar`]); what it found is [`SearchPage`]; [`shortcuts`] listens to the keyboard. What the page
//! asks the server for is in [`api`].

mod api;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
mod present;
pub mod shortcuts;

pub use page::{SearchBar, SearchPage};
