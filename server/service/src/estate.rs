//! The first start, and rooms from files: sites, rooms, devices and what is installed on them (G1).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::clean::{CleanLine, name_key};
use domain::ids::{DeviceId, ProductId, RingId, RoomId, SiteId};
use domain::ring::{self, RingSequence};
use domain::room::VersionSource;
use domain::settings::{Organisation, Settings};
use domain::text::counted;
use domain::zone::Zone;
use serde_json::json;
use store::{AuditEntry, DeviceFacts, NewDevice, NewSite, SiteRecord, Tx};
use uuid::Uuid;

use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::limits::{LONGEST_NAME, check_optional, check_text};
use crate::rooms_file::{CheckedRooms, RoomsFile};
use crate::{Actor, Service};

/// What an import added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub sites: usize,
    pub rooms: usize,
    pub devices: usize,
    /// The new rooms' ids, in the order of the file.
    pub ids: Vec<RoomId>,
}

impl Service {
    /// Makes the organisation and its three rings, if this is the first start (R1); `false`: they were there.
    pub async fn first_start(&self, name: CleanLine, zone: Zone, settings: Settings) -> Result<bool> {
        let ids = [RingId(self.new_id()?), RingId(self.new_id()?), RingId(self.new_id()?)];
        let now = self.clock.now();
        store::write!(self.store, tx => {
            if tx.organisation().await?.is_some() {
                return Ok::<_, ServiceError>(false);
            }
            let organisation = Organisation { name: name.to_string(), zone: zone.clone(), settings: settings.clone() };
            tx.put_organisation(&organisation).await?;
            tx.put_rings(&RingSequence::preconfigured(ids[0], ids[1], ids[2])).await?;
            tx.add_audit(now, &AuditEntry {
                actor: Actor::operator().name,
                address: String::new(),
                action: "organisation.made",
                object_kind: "organisation",
                object_id: String::new(),
                summary: format!("Made the organisation {name} in {zone}, with its three rings."),
                before: None,
                after: serde_json::to_value(&organisation).ok(),
            }).await?;
            Ok(true)
        })
    }

    /// Whether every zone of the estate is in the zone database of this process. One that is not would stop the planner and every list with
    /// that room in it (W3). To be asked once at each start.
    ///
    /// # Errors
    /// Names the zone, and a site and a room that have it.
    pub async fn check_zones(&self) -> Result<()> {
        for used in self.store.read().await?.zones_in_use().await? {
            if Zone::parse(&used.zone).is_ok() {
                continue;
            }
            let whose = match used.room {
                Some(room) => format!("room {room} in {}", used.site),
                None => format!("site {}", used.site),
            };
            let problem = format!(
                "{:?}, the zone of {whose}, is not in the zone database; start with newer zone files, or without --zoneinfo",
                used.zone
            );
            return Err(ServiceError::invalid("zone", problem));
        }
        Ok(())
    }

    /// Adds rooms from a file. All or nothing.
    ///
    /// # Errors
    /// Names the room, the field and the limit; nothing is changed then.
    pub async fn import_rooms(&self, actor: &Actor, file: &RoomsFile) -> Result<ImportReport> {
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let rings = tx.rings().await?;
            let mut report = ImportReport::default();
            let sites = self.add_missing_sites(tx, file, &mut report).await?;
            let mut plan = CheckedRooms::of(self, file, &rings, &sites)?.all_or_refuse()?;
            let others = tx.rooms_in_other_forms().await?;
            let mut names = plan.rooms.iter().map(|room| (name_key(&room.name), room.site));
            if names.any(|name| others.contains_key(&name)) {
                return Err(ServiceError::invalid("name", THERE_ALREADY));
            }
            tx.add_rooms(&plan.rooms).await.map_err(|error| taken(error, "name"))?;
            report.devices = plan.devices.len();
            let mut entries = self.move_known_devices(tx, actor, &mut plan, now).await?;
            tx.add_devices(&plan.devices)
                .await
                .map_err(|error| taken(error, "device"))?;
            let components = known_components(tx, &plan.installed).await?;
            tx.put_components(&components, VersionSource::Imported, now).await?;
            tx.put_last_seen(&plan.seen).await?;
            for (id, room, hold) in &plan.holds {
                if let Some(product) = &hold.product
                    && tx.product(product).await?.is_none()
                {
                    let problem = format!("a hold names {product}, which the portfolio does not have");
                    return Err(ServiceError::invalid("product", problem));
                }
                tx.add_hold(*id, *room, hold, now).await?;
            }
            tx.recheck_all(plan.rooms.iter().map(|room| room.id)).await?;
            tx.wake_rollouts(now).await?;
            report.rooms = plan.rooms.len();
            report.ids = plan.rooms.iter().map(|room| room.id).collect();
            let summary = format!(
                "Imported {} with {}.",
                counted(report.rooms, "room"),
                counted(report.devices, "device")
            );
            let entry = actor
                .entry("rooms.imported", "rooms", "", summary)
                .with_after(json!({ "sites": report.sites, "rooms": report.rooms, "devices": report.devices }));
            entries.push(entry);
            (entries, report)
        })
    }

    /// Of the devices of a room in a file those that are known already: which of them would move, in sentences, and why the first of the
    /// others may not (A4). `known`: devices with the names of their rooms.
    pub(crate) async fn moves_of(
        &self,
        tx: &mut Tx,
        devices: &[&str],
        known: &BTreeMap<String, String>,
    ) -> Result<(Vec<String>, Option<String>)> {
        let (mut moved, mut stays) = (Vec::new(), None);
        for device in devices {
            let Some(other) = known.get(*device) else { continue };
            let Some(facts) = tx.device_facts(device).await? else {
                continue;
            };
            match check_may_move(&facts, other) {
                Ok(()) => moved.push(format!("{device} comes from {other}")),
                Err(ServiceError::Invalid { problem, .. } | ServiceError::Conflict { problem }) => {
                    stays = stays.or(Some(problem));
                }
                Err(other) => return Err(other),
            }
        }
        Ok((moved, stays))
    }

    /// Moves the devices of a file that are known already, and were revoked where they are, and takes them out of those that are to be
    /// added (A4). The histories of both rooms say so.
    async fn move_known_devices(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        plan: &mut CheckedRooms,
        now: DateTime<Utc>,
    ) -> Result<Vec<AuditEntry>> {
        let controllers: Vec<String> = plan.devices.iter().map(|device| device.controller.clone()).collect();
        let known = tx.devices_by_controller(&controllers).await?;
        let (moved, new): (Vec<NewDevice>, Vec<NewDevice>) = std::mem::take(&mut plan.devices)
            .into_iter()
            .partition(|device| known.contains_key(&device.controller));
        plan.devices = new;
        let names: BTreeMap<RoomId, &str> = plan.rooms.iter().map(|room| (room.id, room.name.as_str())).collect();
        let (mut entries, mut ids) = (Vec::new(), BTreeMap::new());
        for device in moved {
            let controller = &device.controller;
            let Some(facts) = tx.device_facts(controller).await? else {
                continue;
            };
            let (id, from) = (facts.device.id, facts.device.room);
            let other = known.get(controller).map_or("", String::as_str);
            check_may_move(&facts, other)?;
            tx.move_device(id, &device, now).await?;
            tx.recheck(from).await?;
            ids.insert(device.id, id);
            let to = names.get(&device.room).copied().unwrap_or_default();
            let went = format!("The device {controller} went to {to}.");
            let came = format!("The device {controller} came from {other}.");
            entries.push(actor.entry("device.moved", "room", from, went));
            entries.push(actor.entry("device.moved", "room", device.room, came));
        }
        let installed = plan.installed.iter_mut().map(|(of, ..)| of);
        for of in installed.chain(plan.seen.iter_mut().map(|(of, _)| of)) {
            if let Some(id) = ids.get(of) {
                *of = *id;
            }
        }
        Ok(entries)
    }

    pub(crate) async fn add_missing_sites(
        &self,
        tx: &mut Tx,
        file: &RoomsFile,
        report: &mut ImportReport,
    ) -> Result<BTreeMap<String, SiteRecord>> {
        let mut by_name: BTreeMap<String, SiteRecord> = BTreeMap::new();
        for site in tx.sites().await? {
            let key = name_key(&site.name);
            // Of sites whose names fall together the one that is written in the usual form has the name.
            if !by_name.contains_key(&key) || ring::name_key(&site.name) == key {
                by_name.insert(key, site);
            }
        }
        let mut aliases = Vec::new();
        for line in &file.sites {
            let key = name_key(line.name.as_str());
            check_text("site", &line.name, LONGEST_NAME)?;
            check_optional("city", &line.city)?;
            check_optional("country", &line.country)?;
            if !by_name.contains_key(&key) {
                let zone = Zone::parse(line.zone.as_str())
                    .map_err(|error| ServiceError::invalid("zone", format!("site {}: {error}", line.name)))?;
                let site = NewSite {
                    id: SiteId(self.new_id()?),
                    name: line.name.to_string(),
                    city: line.city.to_string(),
                    country: line.country.to_string(),
                    zone,
                };
                tx.add_sites(std::slice::from_ref(&site)).await?;
                report.sites += 1;
                by_name.insert(
                    key.clone(),
                    SiteRecord {
                        id: site.id,
                        name: site.name,
                        city: site.city,
                        country: site.country,
                        zone: site.zone,
                    },
                );
            }
            if let (Some(id), Some(site)) = (&line.id, by_name.get(&key)) {
                aliases.push((name_key(id.as_str()), site.clone()));
            }
        }
        for (alias, site) in aliases {
            by_name.entry(alias).or_insert(site);
        }
        Ok(by_name)
    }
}

/// What is installed on devices, by the rows of versions. Products that the portfolio does not know are left out; the device reports
/// them again.
async fn known_components(
    tx: &mut Tx,
    installed: &[(DeviceId, ProductId, Option<String>)],
) -> Result<Vec<(DeviceId, ProductId, Option<Uuid>)>> {
    let mut components = Vec::with_capacity(installed.len());
    let (mut products, mut versions) = (BTreeMap::new(), BTreeMap::new());
    for (device, product, version) in installed {
        if !products.contains_key(product) {
            let record = tx.product(product).await?;
            products.insert(product, record);
        }
        let Some(Some(record)) = products.get(product) else {
            continue;
        };
        let row = match version {
            None => None,
            Some(text) => match versions.get(&(product, text)) {
                Some(known) => Some(*known),
                None => {
                    let row = tx.known_version(record, text).await?;
                    versions.insert((product, text), row);
                    Some(row)
                }
            },
        };
        components.push((*device, product.clone(), row));
    }
    Ok(components)
}

const THERE_ALREADY: &str = "one in this file is there already; names are unique at a site and device ids everywhere";

pub(crate) fn taken(error: store::StoreError, field: &'static str) -> ServiceError {
    match error {
        store::StoreError::Constraint(..) => ServiceError::invalid(field, THERE_ALREADY),
        other => other.into(),
    }
}

/// Whether a device that is known may be added to another room. `other`: the name of the room that it is in.
pub(crate) fn check_may_move(facts: &DeviceFacts, other: &str) -> Result<()> {
    let controller = &facts.device.controller;
    if !facts.device.revoked {
        let problem = format!("{controller} is a device of {other} already; revoke it there first");
        return Err(ServiceError::invalid("device", problem));
    }
    if facts.open_install.is_some() {
        let problem = format!("{controller} has an install in {other} that has not ended; add it when it has");
        return Err(ServiceError::conflict(problem));
    }
    Ok(())
}
