//! Makes the values that pages show from what the service knows. Server only.
//!
//! It formats, picks words, and filters, sorts and cuts lists into pages as the address asks. Statuses, dates and
//! reasons come from the domain and the service; there is no SQL. One file a feature; server functions call one method
//! each.

mod audit;
mod control;
mod estate;
mod formats;
mod home;
mod people;
mod pictures;
mod portfolio;
pub(crate) mod rings;
mod rooms;
mod search;
mod settings;
mod tickets;
mod update_rooms;
mod updates;

pub use rooms::room_filter;
pub use updates::EXPORTED;

use domain::access::{Act, Role};
use domain::zone;
use service::pages::ReadSnapshot;
use service::{Actor, Service, ServiceError};

use crate::error::AppError;
use crate::model::{DemoView, FlashMessage, PersonView, RingView, ShellView};

/// What server functions work with: the service, and what pages say about the process around them.
#[derive(Clone)]
pub struct Presenter {
    service: Service,
    demo_clock: Option<String>,
    viewer: Viewer,
}

/// Who looks at a page, and what came of the form they have just sent. The server puts it into the request.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// What came of it.
    pub flash: Option<FlashMessage>,
    /// A one-time link or a token that was just made, to be shown this once.
    pub secret: Option<String>,
}

/// Rows of a page.
pub(crate) const PAGE: i64 = 50;

type Result<T> = std::result::Result<T, AppError>;

impl Presenter {
    /// A presenter of what this service knows. `demo_clock`: what the demo's bar says of its clock.
    #[must_use]
    pub fn new(service: Service, demo_clock: Option<String>) -> Self {
        // Until it is for somebody, nobody may do anything but see.
        let nobody = Actor {
            role: Role::Helpdesk,
            ..Actor::system("Nobody")
        };
        let viewer = Viewer {
            actor: nobody,
            flash: None,
            secret: None,
        };
        Self {
            service,
            demo_clock,
            viewer,
        }
    }

    /// The same, for somebody who looks.
    #[must_use]
    pub fn for_viewer(self, viewer: Viewer) -> Self {
        Self { viewer, ..self }
    }

    async fn snapshot(&self) -> Result<ReadSnapshot> {
        self.snapshot_for(Act::See).await
    }

    /// A snapshot of something that not every role may see (A1).
    async fn snapshot_for(&self, act: Act) -> Result<ReadSnapshot> {
        self.viewer.actor.may(act).map_err(service_error)?;
        self.service.read_snapshot().await.map_err(service_error)
    }

    /// What every page shows around its content.
    ///
    /// # Errors
    /// The database fails.
    pub async fn shell(&self) -> Result<ShellView> {
        let snapshot = self.snapshot().await?;
        let zone = snapshot.organisation.zone.clone();
        Ok(ShellView {
            today: formats::today(snapshot.now, &zone),
            clock: formats::clock(snapshot.now, &zone),
            city: zone.city(),
            tzdb: format!("Time zones: {}", zone::database_version()),
            demo: self.demo_clock.clone().map(|clock| DemoView { clock }),
            organisation: snapshot.organisation.name,
            person: PersonView {
                name: self.viewer.actor.name.clone(),
                role: self.viewer.actor.role,
            },
            flash: self.viewer.flash.clone(),
        })
    }
}

pub(crate) fn ring_view(snapshot: &ReadSnapshot, id: domain::ids::RingId) -> RingView {
    match snapshot.rings.get(id) {
        Some(ring) => RingView {
            name: ring.name.clone(),
            badge: ring.place.badge(),
            scale: ring.place.scale(),
        },
        // A ring with rooms is never deleted; what it was called in a rollout is that rollout's to say.
        None => RingView {
            name: "Deleted ring".to_owned(),
            badge: "–".to_owned(),
            scale: 5,
        },
    }
}

/// A service's answer in the words of the wire; faults of ours are logged once, here.
pub(crate) fn service_error(error: ServiceError) -> AppError {
    match error {
        ServiceError::Invalid { field, problem } => AppError::Invalid {
            field: field.to_owned(),
            problem,
        },
        ServiceError::NotFound { what } => AppError::NotFound { what },
        ServiceError::Conflict { problem } => AppError::Conflict { problem },
        ServiceError::Forbidden { problem } => AppError::Forbidden { problem },
        ServiceError::Store(error) => store_error(error),
        error @ (ServiceError::Artifacts(_) | ServiceError::Random(_) | ServiceError::Hashing) => {
            internal_error(&error)
        }
    }
}

pub(crate) fn store_error(error: service::store::StoreError) -> AppError {
    match error {
        service::store::StoreError::Unavailable(_) | service::store::StoreError::Conflict(_) => AppError::Unavailable,
        other => internal_error(&other),
    }
}

fn internal_error(error: &(dyn std::error::Error + 'static)) -> AppError {
    let fault_id = formats::fault_id();
    service::log_fault(&fault_id, error);
    AppError::Internal { fault_id }
}
