//! The parts that pages are made of, one a file: markup and class names are those of the design, and nothing else.
//!
//! Components take the values of [`model`] and domain statuses. They hold no rules, no numbers of their own, no time and no `style`
//! attribute. What only one feature shows stands in that feature. Start with [`shell`] and [`show_resource`].

pub mod address;
pub mod change_feed;
pub mod data_table;
pub mod dialog;
pub mod empty_state;
pub mod error_view;
pub mod filters;
pub mod flash;
pub mod for_role;
pub mod geometry;
pub mod history_list;
pub mod icon;
pub mod import;
pub mod legend;
pub mod model;
pub mod page_header;
pub mod page_refresh;
pub mod pager;
pub mod post_form;
pub mod product_cell;
pub mod resource;
pub mod ring_badge;
pub mod ring_choice;
pub mod selection;
pub mod shell;
pub mod show_resource;
pub mod status_badge;
pub mod tab_title;
pub mod tabs;
pub mod time;
