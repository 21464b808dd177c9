//! Nightshift's facts as rows, on SQLite and Postgres. The only crate with SQL.
//!
//! - [`Store`] opens a database and runs transactions: [`write!`] for people and the tick, [`Store::read`] for pages, and the typed
//!   device commands of [`Store::report`].
//! - Queries are methods of [`Tx`], each written once and compiled for both engines (`tx.rs`, `each!`). A file a noun has load, lock and
//!   put of it; `apply.rs` writes what the domain has decided; `tick/` reads what is due; `lists/` reads what pages list.
//! - What the engines do differently stands in `dialect.rs` and nowhere else.
//!
//! Nothing here decides: rules are the domain's, and those that have to stand in SQL too are in `rules_in_sql.rs`. A row that is no valid domain value is an error that names table, row and what.

mod announcements;
mod apply;
mod audit;
mod catalogue;
mod database;
mod deployments;
mod devices;
mod dialect;
mod edits;
mod error;
mod estate;
mod external_changes;
mod facts_wanted;
mod fleet;
mod freezes;
mod halts;
mod history;
mod holds;
mod installs;
mod kept_counts;
mod lists;
mod migrations;
mod names;
mod open;
mod organisation;
mod people;
mod placements;
mod portfolio;
mod readiness;
mod rechecks;
mod rollouts;
mod rooms;
mod rows;
mod rules_in_sql;
mod settings_changes;
mod sites;
mod software;
mod support;
mod tick;
mod tickets;
mod tokens;
mod tx;

pub use announcements::AnnouncementRecord;
pub use audit::{AuditEntry, AuditFacts, AuditFilter, AuditRecord, AuditText};
pub use catalogue::{ArtifactRecord, NewArtifact, NewRelease, ProductRecord, ReleaseRecord, VersionRecord};
pub use database::{Engine, Store};
pub use devices::{Caller, DeviceFacts, DeviceRecord, OpenInstall, ProgramSummary, SUPPORT_WORKED_OUT};
pub use error::{Result, StoreError};
pub use estate::UploadRecord;
pub use external_changes::ExternalChangeRecord;
pub use history::{DeploymentEvent, DeviceMessage, ForceRecord};
pub use lists::*;
pub use migrations::AppliedMigration;
pub use people::{NewSession, PersonRecord, SessionRecord};
pub use rooms::{NewDevice, NewRoom, RoomRecord, RoomRing};
pub use settings_changes::is_of_setting;
pub use sites::{NewSite, SiteRecord, ZoneInUse};
pub use software::{ReviewedSoftware, UnreviewedSoftware};
pub use support::{CountedRooms, FirstVersion, PastVersion, RoomVersion, SupportedProduct};
pub use tick::{DueSlice, Limits};
pub use tickets::TicketRecord;
pub use tokens::TokenRecord;
pub use tx::{Attempts, Retryable, TryResult, Tx};
