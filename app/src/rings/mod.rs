//! Rings: the tab under Updates, the dialogs that change rings, and moving rooms between them (SPEC P6, R4–R12).
//!
//! Start with [`rings_tab`]; what would follow from a change is worked out in [`ring_plan`], by the same code in the browser as on the
//! server. What the pages ask the server for is in [`api`].

mod api;
mod budget;
mod budget_geometry;
pub mod model;
pub mod move_dialog;
#[cfg(feature = "ssr")]
mod present;
mod ring_dialog;
mod ring_plan;
mod rings_tab;

pub use rings_tab::RingsTab;
