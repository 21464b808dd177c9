//! The desk: makes the values that pages show from what the service knows. Server only.
//!
//! It formats, picks words, and filters, sorts and cuts lists into pages as the address asks. Statuses, dates and
//! reasons come from the domain and the service; there is no SQL. One file a feature; server functions call one method
//! each.

mod audit;
mod control;
mod estate;
mod home;
mod people;
pub(crate) mod rings;
mod rooms;
mod tickets;
mod updates;
mod words;

pub use rooms::room_filter;

use domain::access::{Act, Role};
use domain::zone;
use service::pages::Look;
use service::{Actor, Service, ServiceError};

use crate::error::AppError;
use crate::view::{DemoView, PersonView, PortfolioView, ProductRow, RingView, Said, SettingsView, ShellView};

/// What server functions work with: the service, and what pages say about the process around them.
#[derive(Clone)]
pub struct Desk {
    service: Service,
    demo_pace: Option<String>,
    viewer: Viewer,
}

/// Who looks at a page, and what came of the form they have just sent. The server puts it into the request.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// What came of it.
    pub said: Option<Said>,
    /// A one-time link or a token that was just made, to be shown this once.
    pub secret: Option<String>,
}

/// Rows of a page.
pub(crate) const PAGE: i64 = 50;

type Result<T> = std::result::Result<T, AppError>;

impl Desk {
    /// A desk before this service. `demo_pace`: what the demo's bar says of its clock.
    #[must_use]
    pub fn new(service: Service, demo_pace: Option<String>) -> Self {
        // Until somebody stands before it, nobody may anything but see.
        let nobody = Actor {
            role: Role::Helpdesk,
            ..Actor::system("Nobody")
        };
        let viewer = Viewer {
            actor: nobody,
            said: None,
            secret: None,
        };
        Self {
            service,
            demo_pace,
            viewer,
        }
    }

    /// The same desk with somebody before it.
    #[must_use]
    pub(crate) fn before(self, viewer: Viewer) -> Self {
        Self { viewer, ..self }
    }

    async fn look(&self) -> Result<Look> {
        self.look_for(Act::See).await
    }

    /// A look at something that not every role may see (A1).
    async fn look_for(&self, act: Act) -> Result<Look> {
        self.viewer.actor.may(act).map_err(told)?;
        self.service.look().await.map_err(told)
    }

    /// What every page shows around its content.
    ///
    /// # Errors
    /// The database fails.
    pub async fn shell(&self) -> Result<ShellView> {
        let look = self.look().await?;
        let zone = look.organisation.zone.clone();
        Ok(ShellView {
            today: words::today(look.now, &zone),
            clock: words::clock(look.now, &zone),
            city: zone.city(),
            tzdb: format!("Time zones: {}", zone::database_version()),
            demo: self.demo_pace.clone().map(|pace| DemoView { pace }),
            organisation: look.organisation.name,
            person: PersonView {
                name: self.viewer.actor.name.clone(),
                role: self.viewer.actor.role,
            },
            said: self.viewer.said.clone(),
        })
    }

    /// The portfolio.
    ///
    /// # Errors
    /// The database fails.
    pub async fn portfolio(&self, page: u32) -> Result<PortfolioView> {
        let mut look = self.look_for(Act::SeePortfolio).await?;
        let offset = words::offset(page);
        let (records, total) = look.tx.portfolio_page(PAGE, offset).await.map_err(failed)?;
        let year = words::year(&look);
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            let rooms = if record.devices == 0 {
                0
            } else {
                look.tx.rooms_with(&record.id).await.map_err(failed)?
            };
            let published = match record.published {
                Some(update) => Some((update, look.update(update).await.map_err(told)?.status)),
                None => None,
            };
            rows.push(ProductRow {
                name: record.name,
                vendor: record.vendor,
                kind: record.kind,
                released: record
                    .newest
                    .as_ref()
                    .and_then(|(_, day)| *day)
                    .map(|day| words::day(day, year)),
                newest: record.newest.map(|(version, _)| version),
                releases: record.releases,
                rooms,
                published,
            });
        }
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        Ok(PortfolioView {
            rows,
            pager: words::numbered(page, shown, total, "product", "products"),
        })
    }

    /// Settings.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settings(&self) -> Result<SettingsView> {
        let look = self.look_for(Act::SeeSettings).await?;
        let settings = &look.organisation.settings;
        let row = |name: &str, value: String, meaning: &str| (name.to_owned(), value, meaning.to_owned());
        let closes = settings.window_opens + chrono::TimeDelta::minutes(settings.window_minutes.into());
        let organisation = vec![
            row("Name", look.organisation.name.clone(), "As the top bar shows it."),
            row(
                "Time zone",
                look.organisation.zone.name().to_owned(),
                "Days of a rollout are days in this zone.",
            ),
            row(
                "Time zone rules",
                zone::database_version(),
                "The release of the zone database in use.",
            ),
        ];
        let rollouts = vec![
            row(
                "Start day",
                settings.start_weekday.to_string(),
                "Routine updates start on this day; critical ones at once.",
            ),
            row(
                "Window",
                format!("{}–{}", settings.window_opens.format("%H:%M"), closes.format("%H:%M")),
                "On the clock of each room. Nothing starts outside it but a force.",
            ),
            row(
                "Unreachable after",
                words::count(settings.unreachable_after_windows, "window", "windows"),
                "Windows in which a device never showed up.",
            ),
            row(
                "Silent after",
                format!(
                    "{} × the expected minutes, at least {}",
                    settings.silent_factor,
                    words::count(settings.silent_least_minutes, "minute", "minutes")
                ),
                "Without a report from a device that has started.",
            ),
            row(
                "Confirmation",
                format!(
                    "within {}",
                    words::count(settings.confirm_within_hours, "hour", "hours")
                ),
                "Until a device's inventory must show the new version.",
            ),
        ];
        let devices = vec![
            row(
                "Polling",
                format!("every {}", words::count(settings.poll_seconds, "second", "seconds")),
                "Of an idle device.",
            ),
            row(
                "Preparation",
                words::count(settings.prepare_minutes, "minute", "minutes"),
                "Before a window, devices are asked for their facts.",
            ),
        ];
        let groups = vec![
            ("Organisation".to_owned(), organisation),
            ("Rollouts".to_owned(), rollouts),
            ("Devices".to_owned(), devices),
        ];
        Ok(SettingsView { groups })
    }
}

pub(crate) fn ring_view(look: &Look, id: domain::ids::RingId) -> RingView {
    match look.rings.get(id) {
        Some(ring) => RingView {
            id,
            name: ring.name.clone(),
            badge: ring.place.badge(),
            scale: ring.place.scale(),
        },
        // A ring with rooms is never deleted; what it was called in a rollout is that rollout's to say.
        None => RingView {
            id,
            name: "Deleted ring".to_owned(),
            badge: "–".to_owned(),
            scale: 5,
        },
    }
}

/// A service's answer in the words of the wire; faults of ours are logged once, here.
pub(crate) fn told(error: ServiceError) -> AppError {
    match error {
        ServiceError::Invalid { field, problem } => AppError::Invalid {
            field: field.to_owned(),
            problem,
        },
        ServiceError::NotFound { what } => AppError::NotFound { what },
        ServiceError::Conflict { problem } => AppError::Conflict { problem },
        ServiceError::Forbidden { problem } => AppError::Forbidden { problem },
        ServiceError::Store(error) => failed(error),
        error @ (ServiceError::Artifacts(_) | ServiceError::Random(_) | ServiceError::Hashing) => fault(&error),
    }
}

pub(crate) fn failed(error: service::store::StoreError) -> AppError {
    match error {
        service::store::StoreError::Unavailable(_) | service::store::StoreError::Again(_) => AppError::Unavailable,
        other => fault(&other),
    }
}

fn fault(error: &(dyn std::error::Error + 'static)) -> AppError {
    let number = words::fault();
    service::log_incident(&number, error);
    AppError::Internal { incident: number }
}
