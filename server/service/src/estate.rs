//! The first start, and rooms from files: sites, rooms, devices and what is installed on them (G1).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Act;
use domain::freeze::check_date;
use domain::ids::{DeviceId, HoldId, ProductId, RingId, RoomId, SiteId};
use domain::ring::{RingSequence, name_key};
use domain::room::{Block, Hold, RoomState};
use domain::settings::{Organisation, Settings};
use domain::zone::Zone;
use serde::Deserialize;
use serde_json::json;
use store::{AuditEntry, NewDevice, NewRoom, NewSite, SiteRecord, Tx};

use crate::error::{Result, ServiceError};
use crate::{Actor, Service};

/// Rooms in a file.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RoomsFile {
    /// Sites that are not there yet are added; rooms name them.
    #[serde(default)]
    pub sites: Vec<SiteLine>,
    /// Rooms to add.
    pub rooms: Vec<RoomLine>,
}

/// A site in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct SiteLine {
    /// What rooms call it; its name unless given.
    #[serde(default)]
    pub id: Option<String>,
    /// Name.
    pub name: String,
    /// City.
    #[serde(default)]
    pub city: String,
    /// Country.
    #[serde(default)]
    pub country: String,
    /// IANA zone.
    pub zone: String,
}

/// A room in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct RoomLine {
    /// Name.
    pub name: String,
    /// Its site, by id or name.
    pub site: String,
    /// Building.
    #[serde(default)]
    pub building: String,
    /// Floor.
    #[serde(default)]
    pub floor: serde_json::Value,
    /// Seats.
    #[serde(default)]
    pub capacity: u32,
    /// Its own zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// Its ring's name; General unless given (R3).
    #[serde(default)]
    pub ring: Option<String>,
    /// `managed` unless given, or `onboarding`.
    #[serde(default)]
    pub state: Option<String>,
    /// What is in it.
    #[serde(default)]
    pub devices: Vec<DeviceLine>,
    /// What is kept away from it.
    #[serde(default)]
    pub holds: Vec<HoldLine>,
    /// Failed readiness checks: kind of product, and the sentence.
    #[serde(default)]
    pub blocks: Vec<Block>,
}

/// A device in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct DeviceLine {
    /// What it calls itself on the wire.
    pub id: String,
    /// bar, console, compute …
    #[serde(default)]
    pub role: String,
    /// Vendor.
    #[serde(default)]
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Serial number.
    #[serde(default)]
    pub serial: String,
    /// Its last contact elsewhere.
    #[serde(default)]
    pub last_seen: Option<DateTime<Utc>>,
    /// Product to version; null: the device does not say.
    #[serde(default)]
    pub installed: BTreeMap<String, ComponentLine>,
}

/// An installed version in a file.
pub type ComponentLine = Option<String>;

/// A hold in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct HoldLine {
    /// The product that is kept away; absent: every product.
    #[serde(default)]
    pub product: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// First date.
    pub since: NaiveDate,
    /// Last date.
    pub until: NaiveDate,
}

/// What an import added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Sites.
    pub sites: usize,
    /// Rooms.
    pub rooms: usize,
    /// Devices.
    pub devices: usize,
    /// The new rooms' ids, in the order of the file.
    pub ids: Vec<RoomId>,
}

impl RoomsFile {
    /// Reads rooms from JSON (starting with `{`) or CSV.
    ///
    /// CSV needs the columns `site` and `name`, and may have `building`, `floor`, `capacity`, `zone`, `ring`, `device`, `model`,
    /// `product` and `version`; sites must be there already.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|error| ServiceError::invalid("rooms", error.to_string()));
        }
        Self::from_csv(text)
    }

    fn from_csv(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            site: String,
            name: String,
            #[serde(default)]
            building: String,
            #[serde(default)]
            floor: String,
            #[serde(default)]
            capacity: Option<u32>,
            #[serde(default)]
            zone: Option<String>,
            #[serde(default)]
            ring: Option<String>,
            #[serde(default)]
            device: Option<String>,
            #[serde(default)]
            model: Option<String>,
            #[serde(default)]
            product: Option<String>,
            #[serde(default)]
            version: Option<String>,
        }
        let head = text.lines().next().unwrap_or_default();
        let delimiter = if head.matches(';').count() > head.matches(',').count() {
            b';'
        } else {
            b','
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut rooms = Vec::new();
        for line in reader.deserialize::<Line>() {
            let line = line.map_err(|error| ServiceError::invalid("rooms", error.to_string()))?;
            let at =
                |problem: &str| ServiceError::invalid("device", format!("{} at {}: {problem}", line.name, line.site));
            match (&line.device, &line.model, &line.product) {
                (Some(_), None, _) => return Err(at("a device needs a model")),
                (None, _, Some(_)) => return Err(at("a product needs the device that it runs on")),
                (None, Some(_), None) => return Err(at("a model needs a device")),
                (Some(_), Some(_), _) | (None, None, None) => {}
            }
            let installed = line
                .product
                .into_iter()
                .map(|product| (product, line.version.clone()))
                .collect();
            let devices = line.device.into_iter().map(|id| DeviceLine {
                id,
                role: String::new(),
                vendor: String::new(),
                model: line.model.clone().unwrap_or_default(),
                serial: String::new(),
                last_seen: None,
                installed: BTreeMap::clone(&installed),
            });
            rooms.push(RoomLine {
                name: line.name,
                site: line.site,
                building: line.building,
                floor: serde_json::Value::String(line.floor),
                capacity: line.capacity.unwrap_or(0),
                zone: line.zone,
                ring: line.ring,
                state: None,
                devices: devices.collect(),
                holds: Vec::new(),
                blocks: Vec::new(),
            });
        }
        Ok(Self {
            sites: Vec::new(),
            rooms,
        })
    }
}

impl Service {
    /// Makes the organisation and its three rings, if this is the first start (R1); `false`: they were there.
    ///
    /// # Errors
    /// The database fails.
    pub async fn first_start(&self, name: &str, zone: Zone, settings: Settings) -> Result<bool> {
        let ids = [RingId(self.new_id()?), RingId(self.new_id()?), RingId(self.new_id()?)];
        let now = self.clock.now();
        store::write!(self.store, tx => {
            if tx.organisation().await?.is_some() {
                return Ok::<_, ServiceError>(false);
            }
            let organisation = Organisation { name: name.to_owned(), zone: zone.clone(), settings: settings.clone() };
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

    /// Adds rooms from a file. All or nothing.
    ///
    /// # Errors
    /// Names the room, the field and the limit; nothing is changed then.
    pub async fn import_rooms(&self, actor: &Actor, file: &RoomsFile) -> Result<ImportReport> {
        actor.may(Act::EditRooms)?;
        let now = self.clock.now();
        let report = store::write!(self.store, tx => {
            let rings = tx.rings().await?;
            let mut report = ImportReport::default();
            let sites = self.add_missing_sites(tx, file, &mut report).await?;
            let plan = self.checked_rooms(file, &rings, &sites)?;
            tx.add_rooms(&plan.rooms).await.map_err(|error| taken(error, "name"))?;
            tx.add_devices(&plan.devices).await.map_err(|error| taken(error, "device"))?;
            let mut components = Vec::with_capacity(plan.installed.len());
            let (mut products, mut versions) = (BTreeMap::new(), BTreeMap::new());
            for (device, product, version) in &plan.installed {
                // Products that the portfolio does not know are left out; the device reports them again.
                if !products.contains_key(product) {
                    let record = tx.product(product).await?;
                    products.insert(product, record);
                }
                let Some(Some(record)) = products.get(product) else { continue };
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
            tx.put_components(&components, now).await?;
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
            for (room, block) in &plan.blocks {
                tx.put_block(*room, block).await?;
            }
            tx.mark_all(plan.rooms.iter().map(|room| room.id)).await?;
            tx.wake_rollouts(now).await?;
            report.rooms = plan.rooms.len();
            report.ids = plan.rooms.iter().map(|room| room.id).collect();
            report.devices = plan.devices.len();
            let summary = format!("Imported {} rooms with {} devices.", report.rooms, report.devices);
            let entry = actor.entry("rooms.imported", "rooms", "", summary)
                .with_after(json!({ "sites": report.sites, "rooms": report.rooms, "devices": report.devices }));
            tx.add_audit(now, &entry).await?;
            Ok::<_, ServiceError>(report)
        })?;
        self.wake();
        Ok(report)
    }

    async fn add_missing_sites(
        &self,
        tx: &mut Tx,
        file: &RoomsFile,
        report: &mut ImportReport,
    ) -> Result<BTreeMap<String, SiteRecord>> {
        let mut by_name: BTreeMap<String, SiteRecord> = tx
            .sites()
            .await?
            .into_iter()
            .map(|site| (name_key(&site.name), site))
            .collect();
        let mut aliases = Vec::new();
        for line in &file.sites {
            let key = name_key(&line.name);
            check_text("site", &line.name, 100)?;
            if !by_name.contains_key(&key) {
                let zone = Zone::parse(&line.zone)
                    .map_err(|error| ServiceError::invalid("zone", format!("site {}: {error}", line.name)))?;
                let site = NewSite {
                    id: SiteId(self.new_id()?),
                    name: line.name.trim().to_owned(),
                    city: line.city.clone(),
                    country: line.country.clone(),
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
                        zone: site.zone,
                    },
                );
            }
            if let (Some(id), Some(site)) = (&line.id, by_name.get(&key)) {
                aliases.push((name_key(id), site.clone()));
            }
        }
        for (alias, site) in aliases {
            by_name.entry(alias).or_insert(site);
        }
        Ok(by_name)
    }

    fn checked_rooms(
        &self,
        file: &RoomsFile,
        rings: &RingSequence,
        sites: &BTreeMap<String, SiteRecord>,
    ) -> Result<Checked> {
        let mut checked = Checked::default();
        let mut names: BTreeSet<(SiteId, String)> = BTreeSet::new();
        let mut controllers: BTreeSet<&str> = BTreeSet::new();
        for (line, number) in file.rooms.iter().zip(1..) {
            let at = |problem: String| format!("room {number} ({}): {problem}", line.name);
            check_text("name", &line.name, 100).map_err(|error| match error {
                ServiceError::Invalid { field, problem } => ServiceError::invalid(field, at(problem)),
                other => other,
            })?;
            let site = sites
                .get(&name_key(&line.site))
                .ok_or_else(|| ServiceError::invalid("site", at(format!("there is no site named {:?}", line.site))))?;
            if !names.insert((site.id, name_key(&line.name))) {
                return Err(ServiceError::invalid(
                    "name",
                    at(format!("stands twice in this file for {}", site.name)),
                ));
            }
            let own = line
                .zone
                .as_deref()
                .filter(|zone| !zone.is_empty())
                .map(Zone::parse)
                .transpose();
            let own = own.map_err(|error| ServiceError::invalid("zone", at(error.to_string())))?;
            let ring = match line.ring.as_deref().filter(|ring| !ring.is_empty()) {
                None => rings.general(),
                Some(name) => rings
                    .named(name)
                    .ok_or_else(|| ServiceError::invalid("ring", at(format!("there is no ring named {name:?}"))))?,
            };
            let state = match line.state.as_deref() {
                None => RoomState::Managed,
                Some(word) => RoomState::from_word(word).ok_or_else(|| {
                    ServiceError::invalid("state", at(format!("{word:?} is not onboarding, managed or retired")))
                })?,
            };
            let room = NewRoom {
                id: RoomId(self.new_id()?),
                name: line.name.trim().to_owned(),
                site: site.id,
                building: line.building.clone(),
                floor: floor(&line.floor),
                capacity: line.capacity,
                zone_is_own: own.is_some(),
                zone: own.unwrap_or_else(|| site.zone.clone()),
                ring: ring.id,
                state,
            };
            for (device, position) in line.devices.iter().zip(0..) {
                check_controller(&device.id).map_err(|problem| ServiceError::invalid("device", at(problem)))?;
                if !controllers.insert(&device.id) {
                    return Err(ServiceError::invalid(
                        "device",
                        at(format!("{} stands twice in this file", device.id)),
                    ));
                }
                let id = DeviceId(self.new_id()?);
                checked.devices.push(NewDevice {
                    id,
                    controller: device.id.clone(),
                    room: room.id,
                    position,
                    role: device.role.clone(),
                    vendor: device.vendor.clone(),
                    model: device.model.clone(),
                    serial: device.serial.clone(),
                });
                checked.seen.extend(device.last_seen.map(|at| (id, at)));
                for (product, version) in &device.installed {
                    let product =
                        ProductId::parse(product).map_err(|problem| ServiceError::invalid("product", at(problem)))?;
                    checked.installed.push((id, product, version.clone()));
                }
            }
            for hold in &line.holds {
                check_hold(hold).map_err(|(field, problem)| ServiceError::invalid(field, at(problem)))?;
                let product = hold.product.as_deref().map(ProductId::parse).transpose();
                let hold = Hold {
                    product: product.map_err(|problem| ServiceError::invalid("product", at(problem)))?,
                    owner: hold.owner.clone(),
                    reason: hold.reason.clone(),
                    since: hold.since,
                    until: hold.until,
                };
                checked.holds.push((HoldId(self.new_id()?), room.id, hold));
            }
            checked
                .blocks
                .extend(line.blocks.iter().map(|block| (room.id, block.clone())));
            checked.rooms.push(room);
        }
        Ok(checked)
    }
}

#[derive(Default)]
struct Checked {
    rooms: Vec<NewRoom>,
    devices: Vec<NewDevice>,
    installed: Vec<(DeviceId, ProductId, Option<String>)>,
    seen: Vec<(DeviceId, DateTime<Utc>)>,
    holds: Vec<(HoldId, RoomId, Hold)>,
    blocks: Vec<(RoomId, Block)>,
}

fn check_hold(hold: &HoldLine) -> std::result::Result<(), (&'static str, String)> {
    for (field, text) in [("owner", &hold.owner), ("reason", &hold.reason)] {
        if text.trim().is_empty() {
            return Err((field, "a hold says who answers for it and why".to_owned()));
        }
    }
    for (field, date) in [("since", hold.since), ("until", hold.until)] {
        check_date(date).map_err(|problem| (field, problem))?;
    }
    if hold.until < hold.since {
        return Err((
            "until",
            format!("{} is before the first date {}", hold.until, hold.since),
        ));
    }
    Ok(())
}

fn taken(error: store::StoreError, field: &'static str) -> ServiceError {
    match error {
        store::StoreError::Constraint(..) => ServiceError::invalid(
            field,
            "one in this file is there already; names are unique at a site and device ids everywhere",
        ),
        other => other.into(),
    }
}

pub(crate) fn check_text(field: &'static str, text: &str, longest: usize) -> Result<()> {
    if text.contains(char::is_control) {
        return Err(ServiceError::invalid(field, "has characters that cannot be shown"));
    }
    match text.trim().chars().count() {
        0 => Err(ServiceError::invalid(field, "is missing")),
        length if length > longest => Err(ServiceError::invalid(
            field,
            format!("{length} characters are too many; at most {longest}"),
        )),
        _ => Ok(()),
    }
}

/// What DDI clients may call themselves (`DDI.md` 1).
///
/// # Errors
/// Says which limit the text breaks.
pub fn check_controller(id: &str) -> std::result::Result<(), String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
        Ok(())
    } else {
        Err(format!(
            "device id {id:?} must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"
        ))
    }
}

fn floor(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => String::new(),
    }
}
