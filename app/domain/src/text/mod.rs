//! Sentences of what the domain decides: the only place where reasons, refusals and events become text.
//!
//! Nothing reads a sentence back. Whoever wants to know looks at the value.

#[cfg(feature = "zones")]
mod checks;
#[cfg(feature = "zones")]
mod event;
#[cfg(feature = "zones")]
mod force;
mod halt;
mod lifecycle;
mod path;
mod readiness;
mod reason;
#[cfg(feature = "zones")]
pub mod refusal;
pub mod ring;
mod status;
mod ticket;
#[cfg(feature = "zones")]
mod version_change;

use std::fmt;

/// `1 room`, `2 rooms`.
#[must_use]
pub fn counted<N: From<u8> + PartialEq + fmt::Display>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
