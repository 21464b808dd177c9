//! What people and files may write into a field: how long, which characters, how large (G5).
//!
//! Forms, rooms files and catalogue files keep the same limits. A limit that belongs to one use case stands there.

use domain::clean::CleanLine;

use crate::error::{Result, ServiceError};

/// Characters of a room's name, and of a site's.
pub const LONGEST_NAME: usize = 100;
/// Seats of a room.
pub const LARGEST_CAPACITY: u32 = 10_000;
/// Characters of a version.
pub const LONGEST_VERSION: usize = 128;
/// Characters of a known issue.
pub const LONGEST_ISSUE: usize = 500;

pub(crate) fn check_text(field: &'static str, text: &CleanLine, longest: usize) -> Result<()> {
    if !text.can_be_shown() {
        return Err(ServiceError::invalid(field, "has characters that cannot be shown"));
    }
    match text.length() {
        0 => Err(ServiceError::invalid(field, "is missing")),
        length if length > longest => Err(ServiceError::invalid(
            field,
            format!("{length} characters are too many; at most {longest}"),
        )),
        _ => Ok(()),
    }
}

/// Words that may be missing, at most as long as a name.
pub(crate) fn check_optional(field: &'static str, text: &CleanLine) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    check_text(field, text, LONGEST_NAME)
}

/// What DDI clients may call themselves (`docs/devices.md` 1).
///
/// # Errors
/// Says which limit the text breaks.
pub fn check_controller(id: &str) -> std::result::Result<(), String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
        Ok(())
    } else {
        Err(format!(
            "device id {id:?} must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"
        ))
    }
}
