//! Which step is missing on the way to an update, in words (S8).

use crate::path::MissingStep;

impl MissingStep {
    /// The reason in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { minimum, version } = self;
        format!(
            "{version} cannot be reached: it needs {minimum} first, and no release from {minimum} on can be installed."
        )
    }
}
