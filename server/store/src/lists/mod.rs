//! What pages, exports and the command line list: a file a list.
//!
//! Each gives records with what stands on a line. A page of rooms is found by its first or last row (keyset paging), and costs what is on
//! it: the order and the choice of a list come from one index, and `server/tests/plans.rs` reads the plans with 100,000 rooms. Lists that
//! people read page by page with numbers (tickets, releases) have an offset.
//!
//! It must not write, lock or decide. What a room's status is, `domain::status` says; a list asks for the progress that a row tells by
//! itself. A rule that chooses among many rooms stands in `rules_in_sql.rs`.
//!
//! Start with `rooms.rs`. A new list is a new file here: a record, a filter, a page of it, and how many rows all pages have.

mod devices;
mod estate_lines;
mod health;
mod nights;
mod portfolio;
mod revision;
mod rings;
mod room_versions;
mod room_work;
mod rooms;
mod search;
mod tickets;
mod update_rooms;
mod updates;

pub use devices::{DeviceDetail, DeviceLineRecord};
pub use estate_lines::EstateLine;
pub use nights::WaitingRooms;
pub use portfolio::{PortfolioRecord, ReleaseLineRecord};
pub use revision::FactsRevision;
pub(crate) use room_versions::push_then;
pub use room_versions::{VersionFilter, VersionSet};
pub use room_work::RoomWork;
pub use rooms::{CheckFilter, LookedUpBy, RoomFilter, RoomListRecord, SoftwareFilter};
pub use search::{FoundRoom, FoundTicket, FoundUpdate, words_of};
pub use tickets::{TicketEventRecord, TicketFilter};
pub use update_rooms::{UpdateRoomFilter, UpdateRooms};
pub use updates::PublishedRecord;
