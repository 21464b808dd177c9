//! Where things lie in the pictures of an update: the compact track and the dated timeline.
//!
//! Plain functions from the page's values to percentages, without Leptos, so that tests can call them. Nothing here knows colours or words.

pub(super) mod timeline;
pub(super) mod track;
