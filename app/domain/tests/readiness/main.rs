//! Readiness (C1–C8): each check with each value, ages, waivers, several computers, blocks, and the rooms of the demo.

mod blocks;
mod checks;
mod demo;
mod facts;
mod laws;
mod room;
