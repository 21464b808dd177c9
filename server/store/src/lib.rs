//! Nightshift's facts as rows, on SQLite and Postgres. The only crate with SQL.
//!
//! - [`Store`] opens a database and runs transactions: [`write!`] for people and the tick, [`Store::read`] for pages, and the typed
//!   device commands of [`Store::report`].
//! - Queries are methods of [`Tx`], grouped by noun, each written once and compiled for both engines (`tx.rs`, `each!`).
//! - What the engines do differently stands in `dialect.rs` and nowhere else.
//!
//! Nothing here decides: rules are the domain's. A row that is no valid domain value is an error that names table, row and what.

mod announcements;
mod audit;
mod catalogue;
mod deployments;
mod devices;
mod dialect;
mod error;
mod estate;
mod fleet;
mod freezes;
mod migrations;
mod names;
mod open;
mod organisation;
mod people;
mod planning;
mod portfolio;
mod read;
mod rollouts;
mod rooms;
mod rows;
mod search;
mod tickets;
mod tokens;
mod tx;

pub use announcements::AnnouncementRecord;
pub use audit::{AuditEntry, AuditFacts, AuditFilter, AuditRecord, AuditText};
pub use catalogue::{ArtifactRecord, NewArtifact, NewRelease, ProductRecord, ReleaseRecord, VersionRecord};
pub use deployments::{DeploymentEvent, ForceRecord};
pub use devices::{Caller, DeviceFacts, DeviceRecord, OpenInstall};
pub use error::{Result, StoreError};
pub use estate::{EstateLine, UploadRecord};
pub use migrations::AppliedMigration;
pub use open::{Engine, Store};
pub use people::{NewSession, PersonRecord, SessionRecord};
pub use planning::{DueSlice, Limits};
pub use portfolio::ReleaseLineRecord;
pub use read::*;
pub use rooms::{NewDevice, NewRoom, NewSite, RoomRecord, RoomRing, SiteRecord};
pub use search::{FoundRoom, FoundTicket, FoundUpdate, words_of};
pub use tickets::{TicketEventRecord, TicketFilter, TicketRecord};
pub use tokens::TokenRecord;
pub use tx::{Attempts, Retryable, TryResult, Tx};
