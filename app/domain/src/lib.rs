//! The rules of Nightshift: rings, windows, versions, planning, the device conversation, statuses.
//!
//! This crate decides; it never acts. It has no I/O, no async, no clock and no randomness: whoever calls it brings the facts and
//! the instant, and gets back rows to write. That is what lets the same code run in the server, in the simulator, in a dry run
//! and, as far as zone rules are not needed, in the browser.
//!
//! Where to start: [`planner::plan`] is the heart; its README states the laws by letter. [`ring`] and [`window`] are the two
//! rules that everything else rests on. [`conversation::offer::decide`] is what a device is told.

pub mod access;
#[cfg(feature = "zones")]
pub mod changes;
#[cfg(feature = "zones")]
pub mod check;
#[cfg(feature = "names")]
pub mod clean;
#[cfg(feature = "zones")]
pub mod commands;
#[cfg(feature = "zones")]
pub mod conversation;
pub mod deployment;
pub mod device_refusal;
#[cfg(feature = "zones")]
pub mod event;
#[cfg(feature = "zones")]
pub mod fleet;
pub mod force;
pub mod freeze;
pub mod halt;
pub mod ids;
pub mod install;
pub mod lifecycle;
pub mod path;
#[cfg(feature = "zones")]
pub mod planner;
pub mod product;
pub mod readiness;
pub mod reason;
pub mod refusal;
pub mod ring;
pub mod rollout;
pub mod room;
#[cfg(feature = "zones")]
pub mod scenario;
pub mod settings;
pub mod signal;
#[cfg(feature = "zones")]
pub mod sim;
pub mod start_window;
pub mod status;
pub mod text;
pub mod ticket;
pub mod time_text;
pub mod update;
pub mod version;
#[cfg(feature = "zones")]
pub mod window;
pub mod zone;
