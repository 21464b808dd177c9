//! Rooms: the inventory, and one room with its four tabs (SPEC P0, P5).
//!
//! Start with [`room_page`]; [`room_list`] is shared by the inventory and by Updates → Rooms. What the pages ask the
//! server for is in [`api`].

mod api;
mod history_tab;
mod inventory_page;
pub mod room_list;
mod room_page;
mod tickets_tab;
mod updates_tab;

pub use history_tab::RoomHistoryPage;
pub use inventory_page::InventoryPage;
pub use room_page::RoomPage;
pub use tickets_tab::RoomTicketsPage;
pub use updates_tab::RoomUpdatesPage;
