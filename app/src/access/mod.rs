//! Who is here: signing in, the own account, and who has one (A1, A2).
//!
//! Documents that must work for nobody (sign-in, one-time links) are written by the server alone, without scripts. Forms post to plain
//! routes, for they set cookies; the server crate has those.

mod account_page;
mod api;
#[cfg(feature = "ssr")]
pub mod documents;
pub mod model;
mod people_page;
mod person_page;
#[cfg(feature = "ssr")]
mod present;
mod sessions;
mod tokens_page;

pub use account_page::AccountPage;
pub use people_page::PeoplePage;
pub use person_page::PersonPage;
pub use tokens_page::TokensPage;
