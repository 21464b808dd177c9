//! Fills the demo's database from its files: sites, rings, rooms, releases, and 24 rollouts with what came of them. See
//! `demo/README.md`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::clean::CleanLine;
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::{Outcome, Report};
use domain::freeze::FreezeScope;
use domain::ids::{ProductId, RingId, RoomId};
use domain::readiness::Check;
use domain::ring::RingOrder;
use service::catalogue::Catalogue;
use service::{Actor, DeviceLine, HoldLine, NewFile, RingFields, RoomLine, RoomsFile, Service, Source};

use super::facts::{self, Attributes};
use super::files::{self, Estate, RingEntry, RoomEntry, Scenario};
use super::history::ImportedIds;

/// The instant at which the demo starts.
pub(super) fn as_of() -> Result<DateTime<Utc>> {
    Ok(files::estate()?.as_of)
}

/// Controller ids of the devices of rooms that are not online.
pub(super) fn offline() -> Result<Vec<String>> {
    let rooms = files::estate()?.rooms.into_iter().filter(|room| !room.online);
    Ok(rooms.flat_map(|room| room.devices).map(|device| device.id).collect())
}

/// Fills an empty database.
pub(super) async fn fill(service: &Service, back_then: impl Fn(DateTime<Utc>) -> Service) -> Result<()> {
    let actor = Actor::system("Demo");
    let estate = files::estate()?;
    let scenario = files::scenario()?;
    let mut catalogue = files::catalogue()?;
    leave_out_models(&mut catalogue, &estate, &scenario);
    service.import_catalogue(&actor, &catalogue).await?;
    let rings = add_rings(service, &actor, &estate.rings).await?;
    let rooms = add_rooms(service, &actor, &estate, &scenario).await?;
    add_files(service, &actor, &scenario).await?;
    let known = ImportedIds {
        rooms: rooms.clone(),
        rings,
        as_of: estate.as_of,
    };
    let rollouts = scenario
        .updates
        .iter()
        .map(|update| known.rollout(update, &scenario))
        .collect::<Result<Vec<_>>>()?;
    // The ticket of a base image opens by itself, from what the room's computer reports.
    let tickets = scenario
        .tickets
        .iter()
        .filter(|ticket| !ticket.title.starts_with("Base image"));
    let tickets = tickets
        .map(|ticket| known.ticket(ticket, &scenario))
        .collect::<Result<Vec<_>>>()?;
    service.import_history(&actor, &rollouts, &tickets).await?;
    decide_readiness(service, &estate, &rooms, back_then).await?;
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

/// A device reports what it reported then.
async fn report(service: &Service, controller: &str, at: DateTime<Utc>, attributes: &Attributes) -> Result<()> {
    let facts = service.store().read().await?.device_facts(controller).await?;
    let facts = facts.with_context(|| format!("the demo's device {controller} was not made"))?;
    let data = attributes.iter();
    let report = Report::Config {
        device: facts.device.id,
        report: ConfigReport {
            mode: ConfigMode::Merge,
            data: data.map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
        },
    };
    let outcome = service.store().report(report, at).await?;
    anyhow::ensure!(
        !matches!(outcome, Outcome::Refused(_) | Outcome::NotFound),
        "what {controller} reports is refused: {outcome:?}"
    );
    Ok(())
}

/// What devices have reported, and when, by their controller ids. A device without a contact has reported nothing.
pub(super) fn told_at_last_contact(estate: &Estate) -> BTreeMap<String, (DateTime<Utc>, Attributes)> {
    let reviewed = facts::reviewed_names(estate);
    let mut told = BTreeMap::new();
    for room in &estate.rooms {
        let Some(last_seen) = room.last_seen else { continue };
        let reported_at = room.facts.as_ref().and_then(|facts| facts.reported_at);
        let at = reported_at.map_or(last_seen, |at| at.min(last_seen));
        for device in &room.devices {
            let mut attributes = Attributes::new();
            if device.role.as_str() == COMPUTER {
                attributes = facts::attributes(room, &reviewed);
            }
            let installed = device
                .installed
                .iter()
                .filter_map(|(product, version)| Some((product, version.as_ref()?)));
            for ((product, version), number) in installed.zip(1..) {
                attributes.insert(format!("component.{number}.product"), product.clone());
                attributes.insert(format!("component.{number}.version"), version.clone());
            }
            told.insert(device.id.clone(), (at, attributes));
        }
    }
    told
}

/// The role of a room's computer.
const COMPUTER: &str = "compute";

/// What devices have reported, and what admins have decided: reviewed software, a waiver, and that change management has moved here.
///
/// Each room was confirmed when it had just reported: `back_then` is the service at that instant.
async fn decide_readiness(
    service: &Service,
    estate: &Estate,
    rooms: &BTreeMap<String, RoomId>,
    back_then: impl Fn(DateTime<Utc>) -> Service,
) -> Result<()> {
    let actor = Actor::system("Demo");
    for name in facts::reviewed_names(estate) {
        service.review_software(&actor, name.as_str().into()).await?;
    }
    let room_of = |room: &RoomEntry| {
        let id = rooms.get(&room.id).copied();
        id.with_context(|| format!("the demo's room {} was not made", room.name))
    };
    for room in &estate.rooms {
        let waiver = room.facts.as_ref().and_then(|facts| facts.base_image_waiver.as_ref());
        if let Some(waiver) = waiver {
            let by = Actor::system(&waiver.by);
            service
                .waive_check(
                    &by,
                    room_of(room)?,
                    Check::BaseImage,
                    waiver.until,
                    waiver.reason.as_str().into(),
                )
                .await?;
        }
    }
    let told = told_at_last_contact(estate);
    // In the order in which it happened.
    let mut moments: BTreeMap<DateTime<Utc>, (Vec<&String>, Vec<RoomId>)> = BTreeMap::new();
    for (controller, (at, _)) in &told {
        moments.entry(*at).or_default().0.push(controller);
    }
    for room in estate.rooms.iter().filter(|room| room.state == "managed") {
        let last = room.devices.iter().filter_map(|device| told.get(&device.id));
        let last = last.map(|(at, _)| *at).max();
        moments
            .entry(last.unwrap_or(estate.as_of))
            .or_default()
            .1
            .push(room_of(room)?);
    }
    for (at, (controllers, rooms)) in moments {
        for controller in controllers {
            if let Some((_, attributes)) = told.get(controller) {
                report(service, controller, at, attributes).await?;
            }
        }
        if !rooms.is_empty() {
            back_then(at).confirm_onboarding(&actor, &rooms).await?;
        }
    }
    Ok(())
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
