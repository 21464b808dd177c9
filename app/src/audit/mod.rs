//! Audit: what people and rules have done (SPEC P7).
//!
//! The page is in [`page`]; what it asks the server for is in [`api`].

mod api;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
pub mod present;

pub use page::AuditPage;
