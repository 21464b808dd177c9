//! Pages of lists that grow while people read them: a page begins behind a row, and not at a number.

use serde::{Deserialize, Serialize};

/// Which page of a list. `C` says where a row stands in the list's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageOf<C> {
    /// The first one.
    #[default]
    First,
    /// The one that starts after this row.
    After(C),
    /// The one that ends before this row.
    Before(C),
}

impl<C> PageOf<C> {
    /// The row after which the page starts.
    pub(crate) fn after(&self) -> Option<&C> {
        match self {
            Self::After(row) => Some(row),
            Self::First | Self::Before(_) => None,
        }
    }

    /// The row before which the page ends.
    pub(crate) fn before(&self) -> Option<&C> {
        match self {
            Self::Before(row) => Some(row),
            Self::First | Self::After(_) => None,
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T, C> {
    /// In the list's order.
    pub items: Vec<T>,
    /// The page before this one is [`PageOf::Before`] it; `None`: this is the first.
    pub previous: Option<C>,
    /// The page after this one is [`PageOf::After`] it; `None`: this is the last.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// The page that was asked for. `rows` has one row more than `limit` where there are more.
    pub(crate) fn cut(mut rows: Vec<T>, asked: &PageOf<C>, limit: i64, cursor: impl Fn(&T) -> C) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let backwards = asked.before().is_some();
        if more && backwards {
            rows.remove(0);
        }
        rows.truncate(limit);
        let has_previous = match asked {
            PageOf::First => false,
            PageOf::After(_) => true,
            PageOf::Before(_) => more,
        };
        let has_next = backwards || more;
        Self {
            previous: rows.first().filter(|_| has_previous).map(&cursor),
            next: rows.last().filter(|_| has_next).map(&cursor),
            items: rows,
        }
    }

    /// The same page of what is made of its rows.
    pub(crate) fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U, C> {
        Page {
            items: self.items.into_iter().map(make).collect(),
            previous: self.previous,
            next: self.next,
        }
    }
}
