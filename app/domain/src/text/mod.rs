//! Sentences of what the domain decides: the only place where reasons, refusals and events become text.
//!
//! Nothing reads a sentence back. Whoever wants to know looks at the value.

#[cfg(feature = "zones")]
mod event;
#[cfg(feature = "zones")]
mod force;
mod reason;
#[cfg(feature = "zones")]
pub mod refusal;
pub mod ring;
mod ticket;

/// `1 room`, `2 rooms`.
fn counted(number: impl Into<i64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}
