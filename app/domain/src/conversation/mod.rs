//! What devices are told, and what their words mean (`docs/devices.md`).
//!
//! Pure functions over what was loaded and the instant. They load nothing and write nothing, and they decide nothing about rooms and
//! rollouts: that is the planner's. Where to start: [`offer::decide`].

pub mod feedback;
pub mod hear;
pub mod offer;
