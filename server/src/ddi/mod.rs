//! The device API: Eclipse hawkBit's Direct Device Integration API v1 (`docs/devices.md`).
//!
//! This module knows HTTP and JSON and nothing else: what a device is told and what follows from what it says is the service's.
//! Start with [`routes`].

mod artifacts;
mod conditions;
mod routes;
mod wire;

pub(crate) use routes::drop_stray_slashes;
pub use routes::routes;
pub use wire::{parse_config, parse_feedback};
