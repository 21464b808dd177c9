//! What one box finds (P8).

use serde::{Deserialize, Serialize};

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// Where it is.
    pub href: String,
    /// What it is called.
    pub name: String,
    /// What helps to tell it from others.
    pub sub: String,
}

/// What was found, the best of each sort first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchView {
    pub rooms: Vec<SearchHit>,
    /// Updates, and releases for whoever may see the portfolio.
    pub updates: Vec<SearchHit>,
    pub tickets: Vec<SearchHit>,
}
