//! Incidents: the list of tickets, and one ticket (SPEC P7, I1). Rooms and updates show their own tickets with the
//! parts here.
//!
//! Start with [`list_page`]; what the pages ask the server for is in [`api`].

mod api;
mod detail_page;
mod list_page;
pub mod model;
#[cfg(feature = "ssr")]
pub mod present;
mod record_dialog;
mod ticket_dialog;
mod ticket_list;

pub use detail_page::TicketPage;
pub use list_page::IncidentsPage;
pub use record_dialog::{RecordLink, record_dialog};
pub use ticket_list::{ticket_links, ticket_table};
