//! Nightshift's use cases and the tick: no SQL, no HTTP, no HTML.
//!
//! [`Service`] is what everything else calls: pages through server functions, devices through the DDI routes, the command line
//! directly. Each change is one transaction with one audit entry that names its actor; each ends by waking the tick. Rules are
//! the domain's; this crate brings facts and rules together.
//!
//! Where to start: [`Service::tick`] for what happens by itself, `control.rs` and `force_and_retry.rs` for what people do to a rollout, `devices.rs` for
//! what devices say.

pub mod activity;
pub mod announcements;
pub mod artifacts;
mod audit;
pub mod catalogue;
mod catalogue_keys;
mod change;
pub mod change_feed;
pub mod clock;
mod clock_jump;
mod control;
pub mod devices;
mod error;
mod estate;
mod estate_counts;
mod explain;
mod facts_wanted;
mod force_and_retry;
mod freezes;
mod gateway;
mod history;
mod ids;
mod limits;
mod passwords;
pub mod people;
mod plan_facts;
mod portfolio;
mod programs;
pub mod read;
pub mod readiness;
mod refused_devices;
pub mod releases;
pub mod remedies;
mod rings;
pub mod rooms;
pub mod rooms_file;
pub mod settings;
pub mod spreadsheet;
mod support;
mod tick;
pub mod tickets;
pub mod tokens;
mod uploads;

use std::sync::{Arc, RwLock};

use domain::access::{Act, Role};
use domain::ids::PersonId;
use domain::settings::Settings;
use store::{AuditEntry, Store};
use tokio::sync::Notify;
use uuid::Uuid;

pub use artifacts::Artifacts;
pub use clock::Clock;
pub use control::{PausePlan, ResumePlan, ResumedPlan};
pub use domain::clean::{CleanLine, CleanText};
pub use domain::commands::force::ForceOutcome;
pub use error::{Result, ServiceError};
pub use estate::ImportReport;
pub use explain::{RoomExplanation, UpdateExplanation};
pub use force_and_retry::{ForcePlan, ForcedRoom, LeftOutRoom, RetriedRoom, RetryOutcome, RetryPlan, RoomScope};
pub use gateway::{GatewayToken, GatewayTokenError, SHORTEST_GATEWAY_TOKEN};
pub use history::{PastDeployment, PastRollout, PastTicket};
pub use passwords::{LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub use portfolio::{NewFile, PublishOutcome, RecallOutcome, Source};
pub use rings::{MOST_MOVED, MoveOutcome, RingFields, RoomChoice};
pub use rooms_file::{ComponentLine, DeviceLine, HoldLine, RoomLine, RoomsFile, SiteLine};
pub use tick::{DryChecks, DryRun, MOST_NAMED, TickReport};

/// Everything Nightshift can do. Clones share one database and one clock.
#[derive(Clone)]
pub struct Service {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) artifacts: Artifacts,
    pub(crate) wake: Arc<Notify>,
    pub(crate) last_contacts: Arc<devices::LastContacts>,
    pub(crate) polling_settings: Arc<RwLock<Option<Arc<Settings>>>>,
    pub(crate) activity: Arc<activity::Activity>,
    pub(crate) next_look: Arc<facts_wanted::NextLook>,
    pub(crate) refused_devices: Arc<refused_devices::RefusedDevices>,
    pub(crate) estate_counts: estate_counts::EstateCounts,
    pub(crate) process_config: Arc<ProcessConfig>,
}

/// How this process was started, as far as use cases need to know it.
#[derive(Clone, Debug)]
pub struct ProcessConfig {
    /// Where devices reach this server, without a slash at the end: `https://nightshift.example`.
    pub public_url: String,
    /// The organisation's name on the wire (`docs/devices.md` 1); matched without regard to case, written in upper case.
    pub tenant: String,
    /// A token that enrols and acts for any device; `None`: switched off.
    pub gateway_token: Option<GatewayToken>,
    /// Proxies whose word about the client's address counts.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

/// Who does something: a person, the command line, or a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// As the audit names them.
    pub name: String,
    /// What they may do (A1).
    pub role: Role,
    /// From where: an address; empty for the program itself.
    pub address: String,
    /// Their account and session, of a person who is signed in.
    pub account: Option<ActorAccount>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorAccount {
    /// Whose account.
    pub person: PersonId,
    /// The session, by its identity and not by its token.
    pub session: Uuid,
    /// The name at sign-in.
    pub email: String,
}

impl Actor {
    /// Whoever runs the program.
    #[must_use]
    pub fn operator() -> Self {
        Self::system("Operator (command line)")
    }

    /// The program itself, or somebody who acts through it without an account.
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            role: Role::Admin,
            address: String::new(),
            account: None,
        }
    }

    /// As the audit names them: two people may have one name, but not one e-mail address (A3).
    #[must_use]
    pub fn signature(&self) -> String {
        match &self.account {
            Some(account) => format!("{} ({})", self.name, account.email),
            None => self.name.clone(),
        }
    }

    /// What they did to one object, in one sentence; [`AuditEntry::with_before`] and [`AuditEntry::with_after`] add the facts.
    #[must_use]
    pub fn entry(
        &self,
        action: &'static str,
        object_kind: &'static str,
        object_id: impl ToString,
        summary: String,
    ) -> AuditEntry {
        AuditEntry {
            actor: self.signature(),
            address: self.address.clone(),
            action,
            object_kind,
            object_id: object_id.to_string(),
            summary,
            before: None,
            after: None,
        }
    }

    /// Whether they may do this.
    ///
    /// # Errors
    /// They may not; one sentence says so.
    pub fn may(&self, act: Act) -> Result<()> {
        if self.role.may(act) {
            Ok(())
        } else {
            let problem = format!("{} may not {}", self.role.label(), act.words());
            Err(ServiceError::Forbidden { problem })
        }
    }
}

impl Service {
    /// Brings the parts together. The database must be migrated.
    #[must_use]
    pub fn new(store: Store, clock: Clock, artifacts: Artifacts, process_config: ProcessConfig) -> Self {
        Self {
            estate_counts: estate_counts::EstateCounts::new(store.clone(), clock.clone()),
            store,
            clock,
            artifacts,
            wake: Arc::new(Notify::new()),
            last_contacts: Arc::default(),
            polling_settings: Arc::default(),
            activity: Arc::default(),
            next_look: Arc::default(),
            refused_devices: Arc::default(),
            process_config: Arc::new(process_config),
        }
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The database, for `nightshift check` and tests.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What this process has done so far.
    #[must_use]
    pub fn activity(&self) -> &activity::Activity {
        &self.activity
    }

    /// How this process was started.
    #[must_use]
    pub fn process_config(&self) -> &ProcessConfig {
        &self.process_config
    }

    /// Asks the database the smallest question.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn is_reachable(&self) -> Result<()> {
        self.store.read().await?.organisation().await?;
        Ok(())
    }

    /// Has the tick look for work now. It carries no data; a wake-up too many does no harm.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Logs a fault of ours once, with its chain, under the fault id that people see.
pub fn log_fault(fault_id: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::error!(fault_id, error, "a request failed");
}
