//! Rooms: the inventory, and one room with its four tabs (SPEC P0, P5).
//!
//! Start with [`room_page`]; its dialogs are in [`room_dialogs`], and [`room_list`] is shared by the inventory and by Updates → Rooms. What the pages ask the
//! server for is in [`api`].

mod api;
mod history_tab;
mod import_page;
mod inventory_page;
pub mod model;
#[cfg(feature = "ssr")]
pub mod present;
mod room_dialogs;
pub mod room_list;
mod room_page;
mod sites_page;
mod tickets_tab;
mod updates_tab;

pub use history_tab::RoomHistoryPage;
pub use import_page::ImportPage;
pub use inventory_page::InventoryPage;
pub use room_page::RoomPage;
pub use sites_page::SitesPage;
pub use tickets_tab::RoomTicketsPage;
pub use updates_tab::RoomUpdatesPage;
