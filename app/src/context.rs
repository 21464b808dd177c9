//! What server functions work with: the service, and who asks. Server only.
//!
//! The server puts a [`RequestContext`] into every request; [`current`] gives it to a server function, which calls one method of it. The
//! methods stand beside the features, in their `present.rs`: they format, pick words, and turn the words of an address into filters.
//! Statuses, dates and reasons come from the domain and the service; there is no SQL.

use domain::access::{Act, Role};
use domain::ids::RingId;
use domain::zone;
use leptos::prelude::use_context;
use service::read::ReadSnapshot;
use service::{Actor, Service};

use crate::components::model::{DemoView, FlashMessage, PersonView, RingView, ShellView};
use crate::error::AppError;
use crate::formats;

/// What server functions work with: the service, and what pages say about the process around them.
#[derive(Clone)]
pub struct RequestContext {
    pub(crate) service: Service,
    demo_clock: Option<String>,
    pub(crate) viewer: Viewer,
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

pub(crate) type Result<T> = std::result::Result<T, AppError>;

impl RequestContext {
    /// A context of this service. `demo_clock`: what the demo's bar says of its clock.
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

    pub(crate) async fn snapshot(&self) -> Result<ReadSnapshot> {
        self.snapshot_for(Act::See).await
    }

    /// A snapshot of something that not every role may see (A1).
    pub(crate) async fn snapshot_for(&self, act: Act) -> Result<ReadSnapshot> {
        self.viewer.actor.may(act)?;
        Ok(self.service.read_snapshot().await?)
    }

    /// What every page shows around its content.
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

/// The context that the server put into this request, for whoever it found there.
pub(crate) fn current() -> Result<RequestContext> {
    let context = use_context::<RequestContext>().ok_or(AppError::Unavailable)?;
    let request = use_context::<axum::http::request::Parts>().ok_or(AppError::Unavailable)?;
    let viewer = request.extensions.get::<Viewer>().ok_or(AppError::SignedOut)?;
    Ok(context.for_viewer(viewer.clone()))
}

/// A ring where it is named.
pub(crate) fn ring_view(snapshot: &ReadSnapshot, id: RingId) -> RingView {
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
