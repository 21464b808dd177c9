//! The demo's files: sites, rings, rooms, releases, and 24 rollouts with what came of them. See `demo/README.md`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::access::Role;
use domain::clean::CleanLine;
use domain::deployment::{DeploymentState, Failure, Force, Withdrawal};
use domain::freeze::FreezeScope;
use domain::ids::{ProductId, RingId, RoomId};
use domain::reason::Reason;
use domain::ring::RingOrder;
use domain::rollout::RolloutState;
use domain::ticket::TicketSeverity;
use domain::time_text;
use domain::update::{ProductKind, Severity};
use serde::Deserialize;
use service::catalogue::Catalogue;
use service::{
    Actor, BlockLine, DeviceLine, HoldLine, NewFile, PastDeployment, PastRollout, PastTicket, RingFields, RoomLine,
    RoomsFile, Service, SiteLine, Source,
};

const PRODUCTS: &str = include_str!("../../demo/products.json");
const RELEASES: &str = include_str!("../../demo/releases.json");
const ESTATE: &str = include_str!("../../demo/estate.json");
const SCENARIO: &str = include_str!("../../demo/scenario_demo.json");

#[derive(Deserialize)]
struct Estate {
    as_of: DateTime<Utc>,
    sites: Vec<SiteLine>,
    rings: Vec<RingEntry>,
    rooms: Vec<RoomEntry>,
}

#[derive(Deserialize)]
struct RingEntry {
    id: String,
    name: String,
    default: bool,
    order: Option<i64>,
    rollout_days: u32,
    test_days: u32,
    description: String,
}

#[derive(Deserialize)]
struct RoomEntry {
    id: String,
    name: String,
    site: String,
    building: String,
    floor: serde_json::Value,
    capacity: u32,
    ring: String,
    state: String,
    online: bool,
    last_seen: Option<DateTime<Utc>>,
    devices: Vec<DeviceLine>,
    facts: Option<Facts>,
    expected_checks: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Facts {
    windows_update: Option<WindowsUpdate>,
}

#[derive(Deserialize)]
struct WindowsUpdate {
    enabled: bool,
    wsus_server: Option<String>,
    reachable: bool,
    managed_by: Option<String>,
}

#[derive(Deserialize)]
struct Scenario {
    updates: Vec<UpdateEntry>,
    tickets: Vec<TicketEntry>,
    holds: Vec<HoldEntry>,
    freezes: Vec<FreezeEntry>,
}

#[derive(Deserialize)]
struct UpdateEntry {
    id: String,
    product: String,
    version: String,
    title: String,
    critical: bool,
    published_at: DateTime<Utc>,
    start_date: NaiveDate,
    status: String,
    rings: Vec<StageEntry>,
    rooms: Vec<RoomOutcome>,
    paused_at: Option<DateTime<Utc>>,
    recalled_at: Option<DateTime<Utc>>,
    superseded_at: Option<DateTime<Utc>>,
    superseded_by: Option<String>,
    last_day_as_planned: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct StageEntry {
    ring: String,
    first_day: NaiveDate,
    status: String,
}

#[derive(Deserialize)]
struct RoomOutcome {
    room: String,
    ring: String,
    from: Option<String>,
    status: String,
    reason: Option<String>,
    night: Option<NaiveDate>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    last_attempt_at: Option<DateTime<Utc>>,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    missed_windows: u32,
    #[serde(default)]
    catch_up: bool,
    forced: Option<String>,
    error: Option<ErrorEntry>,
    path: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    code: String,
    text: String,
}

#[derive(Deserialize)]
struct TicketEntry {
    id: String,
    kind: String,
    category: Option<String>,
    severity: String,
    title: String,
    rooms: Vec<String>,
    update: Option<String>,
    opened_at: DateTime<Utc>,
    history: Vec<TicketHistory>,
}

#[derive(Deserialize)]
struct TicketHistory {
    at: DateTime<Utc>,
    by: String,
    text: String,
}

#[derive(Deserialize)]
struct HoldEntry {
    room: String,
    product: String,
    reason: String,
    owner: String,
    since: DateTime<Utc>,
    until: NaiveDate,
}

/// The scenario's only kind of freeze is that of a site.
#[derive(Deserialize)]
struct FreezeEntry {
    site: String,
    first_day: NaiveDate,
    last_day: NaiveDate,
    reason: String,
}

/// The instant at which the demo starts.
pub(super) fn as_of() -> Result<DateTime<Utc>> {
    Ok(estate()?.as_of)
}

/// Controller ids of the devices of rooms that are not online.
pub(super) fn offline() -> Result<Vec<String>> {
    let rooms = estate()?.rooms.into_iter().filter(|room| !room.online);
    Ok(rooms.flat_map(|room| room.devices).map(|device| device.id).collect())
}

fn estate() -> Result<Estate> {
    serde_json::from_str(ESTATE).context("the demo's estate")
}

/// Fills an empty database.
pub(super) async fn fill(service: &Service) -> Result<()> {
    let actor = Actor::system("Demo");
    let estate = estate()?;
    let scenario: Scenario = serde_json::from_str(SCENARIO).context("the demo's scenario")?;
    let mut catalogue = Catalogue::parse(PRODUCTS, RELEASES)?;
    leave_out_models(&mut catalogue, &estate, &scenario);
    service.import_catalogue(&actor, &catalogue).await?;
    let rings = add_rings(service, &actor, &estate.rings).await?;
    let rooms = add_rooms(service, &actor, &estate, &scenario).await?;
    add_files(service, &actor, &scenario).await?;
    let known = ImportedIds {
        rooms,
        rings,
        as_of: estate.as_of,
    };
    let rollouts = scenario
        .updates
        .iter()
        .map(|update| known.rollout(update, &scenario))
        .collect::<Result<Vec<_>>>()?;
    let tickets = scenario
        .tickets
        .iter()
        .map(|ticket| known.ticket(ticket, &scenario))
        .collect::<Result<Vec<_>>>()?;
    service.import_history(&actor, &rollouts, &tickets).await?;
    add_freezes(service, &actor, &estate, &scenario).await?;
    add_people(service, &actor).await
}

/// Colleagues. Nobody signs in to the demo, so the links with which they would choose a password are let go.
async fn add_people(service: &Service, actor: &Actor) -> Result<()> {
    for (name, email, role) in [
        ("Ines Moreau", "ines.moreau@example.com", Role::Admin),
        ("Tomasz Zielinski", "tomasz.zielinski@example.com", Role::Helpdesk),
        ("Grace Okafor", "grace.okafor@example.com", Role::Helpdesk),
        ("Lars Henriksen", "lars.henriksen@example.com", Role::Auditor),
    ] {
        service.add_person(actor, name.into(), email.into(), role).await?;
    }
    service
        .add_token(actor, "Audit archive".into(), Role::Auditor, 90)
        .await?;
    Ok(())
}

/// The scenario knows models for which a release is not: computers that cannot run Windows 11. The catalogue does not say so.
fn leave_out_models(catalogue: &mut Catalogue, estate: &Estate, scenario: &Scenario) {
    for update in &scenario.updates {
        let unfit: BTreeSet<&str> = update
            .rooms
            .iter()
            .filter(|room| room.reason.as_deref() == Some("not_applicable"))
            .map(|room| room.room.as_str())
            .collect();
        if unfit.is_empty() {
            continue;
        }
        let models_in = |fits: bool| {
            let rooms = estate
                .rooms
                .iter()
                .filter(|room| unfit.contains(room.id.as_str()) != fits);
            let devices = rooms
                .flat_map(|room| &room.devices)
                .filter(|device| device.installed.contains_key(&update.product));
            devices
                .map(|device| device.model.clone())
                .collect::<BTreeSet<CleanLine>>()
        };
        let unfit_models = models_in(false);
        let release = catalogue
            .releases
            .iter_mut()
            .find(|release| release.product == update.product && release.version.as_str() == update.version);
        if let Some(release) = release {
            release.applies_to_models = models_in(true)
                .into_iter()
                .filter(|model| !unfit_models.contains(model))
                .collect();
        }
    }
}

/// Ring ids by the names that the files use.
async fn add_rings(service: &Service, actor: &Actor, rings: &[RingEntry]) -> Result<BTreeMap<String, RingId>> {
    let there = service.store().read().await?.rings().await?;
    let mut ids = BTreeMap::new();
    for ring in rings {
        let fields = RingFields {
            name: ring.name.as_str().into(),
            description: ring.description.as_str().into(),
            order: ring.order.map(RingOrder::try_from).transpose()?,
            rollout_days: ring.rollout_days,
            test_days: ring.test_days,
        };
        let id = match there.named(&ring.name).filter(|_| ring.default) {
            Some(preconfigured) => {
                service.edit_ring(actor, preconfigured.id, None, fields).await?;
                preconfigured.id
            }
            None => service.add_ring(actor, fields).await?,
        };
        ids.insert(ring.id.clone(), id);
    }
    Ok(ids)
}

async fn add_rooms(
    service: &Service,
    actor: &Actor,
    estate: &Estate,
    scenario: &Scenario,
) -> Result<BTreeMap<String, RoomId>> {
    let names: BTreeMap<&str, &str> = estate
        .rings
        .iter()
        .map(|ring| (ring.id.as_str(), ring.name.as_str()))
        .collect();
    let rooms = estate.rooms.iter().map(|room| {
        let holds = scenario
            .holds
            .iter()
            .filter(|hold| hold.room == room.id)
            .map(|hold| HoldLine {
                product: Some(hold.product.clone()),
                owner: hold.owner.as_str().into(),
                reason: hold.reason.as_str().into(),
                since: hold.since.date_naive(),
                until: hold.until,
            });
        RoomLine {
            line: 0,
            name: room.name.as_str().into(),
            site: room.site.as_str().into(),
            building: room.building.as_str().into(),
            floor: room.floor.clone(),
            capacity: room.capacity,
            zone: None,
            ring: names.get(room.ring.as_str()).map(|name| CleanLine::from(*name)),
            state: Some(room.state.as_str().into()),
            devices: room
                .devices
                .iter()
                .map(|device| DeviceLine {
                    last_seen: room.last_seen,
                    ..device.clone()
                })
                .collect(),
            holds: holds.collect(),
            blocks: blocks(room),
        }
    });
    let file = RoomsFile {
        sites: estate.sites.clone(),
        rooms: rooms.collect(),
    };
    let report = service.import_rooms(actor, &file).await?;
    Ok(estate
        .rooms
        .iter()
        .map(|room| room.id.clone())
        .zip(report.ids)
        .collect())
}

/// A failed Windows update check keeps updates of kind os away (C2).
fn blocks(room: &RoomEntry) -> Vec<BlockLine> {
    if room.expected_checks.get("windows_updates").map(String::as_str) != Some("fail") {
        return Vec::new();
    }
    let facts = room.facts.as_ref().and_then(|facts| facts.windows_update.as_ref());
    let why = match facts {
        Some(update) if !update.enabled => "operating system updates are switched off".to_owned(),
        Some(update) if update.wsus_server.is_some() => "operating system updates are redirected to WSUS".to_owned(),
        Some(update) if !update.reachable => "the network blocks operating system updates".to_owned(),
        Some(WindowsUpdate {
            managed_by: Some(by), ..
        }) => format!("operating system updates are governed by {by}"),
        Some(_) | None => "operating system updates are not in our hands".to_owned(),
    };
    vec![BlockLine {
        kind: ProductKind::Os,
        why: why.into(),
    }]
}

/// Every published release has a file that devices really fetch; its content is made up here.
async fn add_files(service: &Service, actor: &Actor, scenario: &Scenario) -> Result<()> {
    let published = scenario.updates.iter().map(|update| (&update.product, &update.version));
    // Releases that no rollout has, but that a room needs on its way to one (S8).
    let steps = scenario.updates.iter().flat_map(|update| {
        let paths = update.rooms.iter().filter_map(|room| room.path.as_ref());
        paths.flatten().map(|version| (&update.product, version))
    });
    let all: BTreeSet<(&String, &String)> = published.chain(steps).collect();
    for (product, version) in all {
        let id = ProductId(product.clone());
        let release = service.store().read().await?.release_of(&id, version).await?;
        let release = release.with_context(|| format!("the catalogue has no {product} {version}"))?;
        let name: String = version
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .collect();
        let line = format!("{product} {version}: demo content, not the vendor's file.\n");
        let file = NewFile {
            filename: format!("{product}-{name}.swu"),
            source: Source::Bytes(line.repeat(64).into_bytes()),
            expected_sha256: None,
        };
        service.add_file(actor, release.release.id, file).await?;
    }
    Ok(())
}

async fn add_freezes(service: &Service, actor: &Actor, estate: &Estate, scenario: &Scenario) -> Result<()> {
    for freeze in &scenario.freezes {
        let site = estate
            .sites
            .iter()
            .find(|site| site.id.as_ref().map(CleanLine::as_str) == Some(freeze.site.as_str()));
        let name = &site
            .with_context(|| format!("the demo has no site {}", freeze.site))?
            .name;
        let id = service.store().read().await?.site_named(name.as_str(), None).await?;
        let id = id.with_context(|| format!("the demo's site {name} was not made"))?;
        let scope = FreezeScope::Site(id);
        service
            .freeze(
                actor,
                scope,
                freeze.first_day,
                freeze.last_day,
                freeze.reason.as_str().into(),
            )
            .await?;
    }
    Ok(())
}

struct ImportedIds {
    rooms: BTreeMap<String, RoomId>,
    rings: BTreeMap<String, RingId>,
    as_of: DateTime<Utc>,
}

impl ImportedIds {
    fn room(&self, id: &str) -> Result<RoomId> {
        self.rooms
            .get(id)
            .copied()
            .with_context(|| format!("the demo has no room {id}"))
    }

    fn ring(&self, id: &str) -> Result<RingId> {
        self.rings
            .get(id)
            .copied()
            .with_context(|| format!("the demo has no ring {id}"))
    }

    fn rollout(&self, update: &UpdateEntry, scenario: &Scenario) -> Result<PastRollout> {
        let mut entered = Vec::new();
        for stage in update.rings.iter().filter(|stage| stage.status != "Not started") {
            entered.push((self.ring(&stage.ring)?, stage.first_day));
        }
        // A rollout that concerns nobody has entered the rings whose day has come all the same.
        if entered.is_empty() {
            for stage in update
                .rings
                .iter()
                .filter(|stage| stage.first_day <= self.as_of.date_naive())
            {
                entered.push((self.ring(&stage.ring)?, stage.first_day));
            }
        }
        let rooms = update
            .rooms
            .iter()
            .filter_map(|room| self.deployment(update, room).transpose())
            .collect::<Result<Vec<_>>>()?;
        Ok(PastRollout {
            product: ProductId(update.product.clone()),
            version: update.version.clone(),
            severity: if update.critical {
                Severity::Critical
            } else {
                Severity::Routine
            },
            title: update.title.clone(),
            published_at: update.published_at,
            published_by: "Update manager".to_owned(),
            starts_on: update.start_date,
            state: state(update, scenario)?,
            entered,
            rooms,
        })
    }

    fn deployment(&self, update: &UpdateEntry, room: &RoomOutcome) -> Result<Option<PastDeployment>> {
        let mut at = room
            .completed_at
            .or(room.last_attempt_at)
            .or(room.started_at)
            .unwrap_or(update.published_at);
        // As the planner's own sentences have it.
        let night = room
            .night
            .map(|night| time_text::date(night, night.year()))
            .unwrap_or_default();
        let (state, reason) = match room.status.as_str() {
            "Completed" => (
                DeploymentState::Completed { at },
                format!("Confirmed {}.", update.version),
            ),
            "Failed" => {
                let unreachable = room.error.as_ref().is_some_and(|error| error.code == "unreachable");
                let failure = if unreachable {
                    Failure::Unreachable
                } else {
                    Failure::Reported
                };
                let text = room.error.as_ref().map_or("", |error| &error.text);
                let reason = if unreachable {
                    "Unreachable: no contact in 2 windows.".to_owned()
                } else {
                    format!("The device reported: {text}")
                };
                (DeploymentState::Failed { at, failure }, reason)
            }
            "In progress" => {
                let at = room.started_at.unwrap_or(at);
                (
                    DeploymentState::Started { at },
                    format!("Installing {}.", update.version),
                )
            }
            "Scheduled" if room.missed_windows > 0 => (
                DeploymentState::Waiting,
                format!("No contact in the window of {night}; waits for the next one."),
            ),
            "Scheduled" if room.catch_up => (
                DeploymentState::Waiting,
                "Catch-up: joined the rollout after it had reached its ring.".to_owned(),
            ),
            "Scheduled" | "Paused" => (DeploymentState::Waiting, format!("Its night is {night}.")),
            "Deprecated" => {
                at = update.superseded_at.or(update.recalled_at).unwrap_or(at);
                (
                    DeploymentState::Withdrawn {
                        at,
                        why: Withdrawal::Deprecated,
                    },
                    "Withdrawn before its night.".to_owned(),
                )
            }
            "Not required" => return Ok(None),
            other => anyhow::bail!("the demo has a room with status {other:?}"),
        };
        Ok(Some(PastDeployment {
            room: self.room(&room.room)?,
            ring: self.ring(&room.ring)?,
            night: room.night,
            state,
            at,
            attempt: room.attempt.unwrap_or(1).max(1),
            missed_windows: room.missed_windows,
            catch_up: room.catch_up,
            force: room
                .forced
                .as_deref()
                .map(|mode| Force::from_word(mode).unwrap_or(Force::Now)),
            from_version: room.from.clone(),
            reason,
        }))
    }

    fn ticket(&self, ticket: &TicketEntry, scenario: &Scenario) -> Result<PastTicket> {
        let update = ticket
            .update
            .as_ref()
            .and_then(|id| scenario.updates.iter().find(|update| update.id == *id));
        let severity = TicketSeverity::from_word(&ticket.severity.to_lowercase()).context("a ticket's severity")?;
        let system = ticket.kind == "system";
        Ok(PastTicket {
            number: ticket.id.trim_start_matches("T-").parse()?,
            title: ticket.title.clone(),
            severity,
            category: ticket.category.clone().unwrap_or_else(|| "Other".to_owned()),
            rooms: ticket.rooms.iter().map(|room| self.room(room)).collect::<Result<_>>()?,
            update: update.map(|update| (ProductId(update.product.clone()), update.version.clone())),
            of_failure: system && update.is_some(),
            opened_by: if system {
                "Nightshift".to_owned()
            } else {
                "Update manager".to_owned()
            },
            opened_at: ticket.opened_at,
            events: ticket
                .history
                .iter()
                .map(|event| (event.at, capital(&event.by), capital(&event.text)))
                .collect(),
        })
    }
}

fn state(update: &UpdateEntry, scenario: &Scenario) -> Result<RolloutState> {
    let end = update
        .last_day_as_planned
        .and_then(|day| day.succ_opt())
        .map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    Ok(match update.status.as_str() {
        "Completed" | "Completed with failures" => RolloutState::Finished {
            at: end.context("a finished rollout's last day")?,
        },
        "Paused" => RolloutState::Paused {
            since: update.paused_at.context("a paused rollout's instant")?,
            by: "Update manager".to_owned(),
            reason: "Far end hears an echo after the update.".to_owned(),
            resumes_on: None,
        },
        "Deprecated" => match (update.recalled_at, update.superseded_at) {
            (Some(at), _) => RolloutState::Deprecated {
                at,
                reason: Reason::Written("Recalled by its vendor.".to_owned()),
            },
            (None, at) => {
                let newer = scenario
                    .updates
                    .iter()
                    .find(|newer| Some(&newer.id) == update.superseded_by.as_ref());
                let newer = newer.map_or_else(String::new, |newer| format!("{} {}", newer.title, newer.version));
                RolloutState::Deprecated {
                    at: at.context("a deprecated rollout's instant")?,
                    reason: Reason::Superseded { by: newer },
                }
            }
        },
        "In progress" | "Scheduled" | "Not required" => RolloutState::Running,
        other => anyhow::bail!("the demo has an update with status {other:?}"),
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + chars.as_str()
    })
}
