//! Portfolio: the products that Nightshift knows and what is newest of each (SPEC P7).
//!
//! The page is in [`page`]; what it asks the server for is in [`api`].

mod api;
mod page;

pub use page::PortfolioPage;
