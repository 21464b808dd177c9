//! Portfolio: the products that Nightshift knows, their releases, and publishing them (SPEC P7, S3, S9, S10).
//!
//! Start with [`page`], the list, and [`product_page`], one product; what happens to a release is in [`release_dialogs`], and a catalogue
//! comes in through [`import_page`]. What they ask the server for is in [`api`].

mod api;
mod import_page;
pub mod model;
mod page;
#[cfg(feature = "ssr")]
mod present;
mod product_page;
mod release_dialogs;

pub use import_page::CataloguePage;
pub use page::PortfolioPage;
pub use product_page::ProductPage;
