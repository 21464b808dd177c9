//! Readiness (C1–C8): the checks of a room on its own page, all rooms by what their checks came to, onboarding,
//! software, and the profile that checks go by.
//!
//! Start with [`list_page`]; the panel on a room's page is in [`room_panel`], what people decide in [`dialogs`]. What the pages ask the
//! server for is in [`api`].

mod api;
mod dialogs;
mod list_page;
pub mod model;
#[cfg(feature = "ssr")]
pub mod present;
mod profile_page;
pub mod room_panel;
mod software_page;

pub use dialogs::WaiveDialog;
pub use list_page::ReadinessPage;
pub use profile_page::ProfilePage;
pub use software_page::SoftwarePage;
