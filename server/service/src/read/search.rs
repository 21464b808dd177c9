//! What somebody looks for.

use domain::clean::CleanLine;

/// What somebody looks for, as names are written (`domain::clean`), in small letters. Characters that no name has look for nothing.
#[must_use]
pub fn searched(typed: &str) -> String {
    let line = CleanLine::from(typed);
    let words = line.as_str().to_lowercase();
    words.replace(char::is_control, " ")
}
