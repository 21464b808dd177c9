//! Sentences of versions that changed (I5).

use crate::conversation::inventory::VersionChange;

impl VersionChange {
    /// What happened, in one sentence. `product`: its name.
    #[must_use]
    pub fn sentence(&self, product: &str) -> String {
        let before = &self.before;
        match &self.after {
            Some(after) => {
                format!("External change: {product} went from {before} to {after}, and Nightshift did not install it.")
            }
            None => format!("External change: {product} {before} is gone, and Nightshift did not remove it."),
        }
    }
}
