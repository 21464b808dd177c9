//! Short lists: their pages have numbers, and their filters want one value of a property or any.
//!
//! Lists that grow while people read them are in `page.rs`.

use serde::{Deserialize, Serialize};

/// Which page of a list whose pages have numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedPage {
    /// From 1; 0 is the first one, too.
    pub number: u32,
    /// Items of a page.
    pub limit: i64,
}

impl NumberedPage {
    /// Items before this page.
    #[must_use]
    pub fn offset(self) -> i64 {
        i64::from(self.number.max(1) - 1) * self.limit
    }
}

/// A page of a list whose pages have numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Numbered<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// Items on all pages.
    pub total: i64,
}

/// What a filter wants of one property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted<T> {
    /// Whatever it is.
    #[default]
    Any,
    /// This alone.
    Only(T),
    /// A word of the address that means nothing: nothing matches.
    Nothing,
}

impl<T: PartialEq> Wanted<T> {
    /// Whether it is wanted.
    #[must_use]
    pub fn takes(&self, value: &T) -> bool {
        match self {
            Self::Any => true,
            Self::Only(wanted) => wanted == value,
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_from_one() {
        let offset = |number| NumberedPage { number, limit: 50 }.offset();
        assert_eq!((offset(0), offset(1), offset(3)), (0, 0, 100));
    }

    #[test]
    fn a_value_that_nothing_has_matches_nothing() {
        assert!(Wanted::Any.takes(&1) && Wanted::Only(1).takes(&1));
        assert!(!Wanted::Only(2).takes(&1) && !Wanted::Nothing.takes(&1));
    }
}
