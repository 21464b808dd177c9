//! Rooms in files: what stands in one, and whether it can become rooms (P0, G5).
//!
//! It must not write. Start with [`RoomsFile::read`] for the lines and [`CheckedRooms::of`] for what they would become; `estate` imports it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::clean::{CleanLine, CleanText, name_key};
use domain::freeze::check_date;
use domain::ids::{DeviceId, HoldId, ProductId, RoomId, SiteId};
use domain::ring::RingSequence;
use domain::room::{Block, Hold, RoomState};
use domain::update::ProductKind;
use domain::zone::Zone;
use serde::{Deserialize, Serialize};
use store::{NewDevice, NewRoom, SiteRecord};

use crate::Service;
use crate::control::{LONGEST_REASON, checked_reason};
use crate::error::{Result, ServiceError};
use crate::limits::{LARGEST_CAPACITY, LONGEST_NAME, LONGEST_VERSION, check_controller, check_optional, check_text};
use crate::rings::ring_named;

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
    pub id: Option<CleanLine>,
    /// Name.
    pub name: CleanLine,
    /// City.
    #[serde(default)]
    pub city: CleanLine,
    /// Country.
    #[serde(default)]
    pub country: CleanLine,
    /// IANA zone.
    pub zone: CleanLine,
}

/// A room in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct RoomLine {
    /// Where it stands in a file of lines, counted from 1; 0: the file has no lines.
    #[serde(skip)]
    pub line: u64,
    /// Name.
    pub name: CleanLine,
    /// Its site, by id or name.
    pub site: CleanLine,
    /// Building.
    #[serde(default)]
    pub building: CleanLine,
    /// Floor.
    #[serde(default)]
    pub floor: serde_json::Value,
    /// Seats.
    #[serde(default)]
    pub capacity: u32,
    /// Its own zone.
    #[serde(default)]
    pub zone: Option<CleanLine>,
    /// Its ring's name; General unless given (R3).
    #[serde(default)]
    pub ring: Option<CleanLine>,
    /// `managed` unless given, or `onboarding`.
    #[serde(default)]
    pub state: Option<CleanLine>,
    /// What is in it.
    #[serde(default)]
    pub devices: Vec<DeviceLine>,
    /// What is kept away from it.
    #[serde(default)]
    pub holds: Vec<HoldLine>,
    /// Failed readiness checks: kind of product, and the sentence.
    #[serde(default)]
    pub blocks: Vec<BlockLine>,
}

/// A device in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct DeviceLine {
    /// What it calls itself on the wire.
    pub id: String,
    /// bar, console, compute …
    #[serde(default)]
    pub role: CleanLine,
    /// Vendor.
    #[serde(default)]
    pub vendor: CleanLine,
    /// Model.
    pub model: CleanLine,
    /// Serial number.
    #[serde(default)]
    pub serial: CleanLine,
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
    pub owner: CleanLine,
    /// Why.
    pub reason: CleanText,
    /// First date.
    pub since: NaiveDate,
    /// Last date.
    pub until: NaiveDate,
}

/// A failed readiness check in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct BlockLine {
    /// The kind of product that it keeps away.
    pub kind: ProductKind,
    /// Why, in one sentence.
    pub why: CleanText,
}

/// A line that cannot become a room, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedLine {
    /// Where it stands: `line 3 (Mast)`, `room 2 (Mast)`.
    pub place: String,
    /// The field that breaks a limit.
    pub field: &'static str,
    /// How.
    pub problem: String,
}

impl From<RefusedLine> for ServiceError {
    fn from(refused: RefusedLine) -> Self {
        Self::invalid(refused.field, format!("{}: {}", refused.place, refused.problem))
    }
}

/// The columns of a file of lines, as an export writes them and an import takes them.
pub(crate) const COLUMNS: [&str; 15] = [
    "site", "name", "building", "floor", "capacity", "zone", "ring", "state", "device", "role", "vendor", "model",
    "serial", "product", "version",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CsvLine {
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
    state: Option<String>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    role: String,
    #[serde(default)]
    vendor: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    serial: String,
    #[serde(default)]
    product: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

impl RoomsFile {
    /// Reads rooms from JSON (starting with `{`) or lines of comma-separated values; semicolons and tabs do as well.
    ///
    /// Lines need the columns `site` and `name`, and may have those of an export: `building`, `floor`, `capacity`, `zone`, `ring`, `state`,
    /// `device`, `role`, `vendor`, `model`, `serial`, `product` and `version`. Lines of one room follow each other, each with another device
    /// or another product. Sites must be there already.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let (file, refused) = Self::read(text)?;
        match refused.into_iter().next() {
            Some(refused) => Err(refused.into()),
            None => Ok(file),
        }
    }

    /// [`RoomsFile::parse`], with every line that cannot be read instead of the first.
    ///
    /// # Errors
    /// It is no file of rooms at all.
    pub fn read(text: &str) -> Result<(Self, Vec<RefusedLine>)> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            let file = serde_json::from_str(text).map_err(|error| ServiceError::invalid("rooms", error.to_string()))?;
            return Ok((file, Vec::new()));
        }
        Self::from_csv(text)
    }

    fn from_csv(text: &str) -> Result<(Self, Vec<RefusedLine>)> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let unreadable = |error: &csv::Error| ServiceError::invalid("rooms", error.to_string());
        let columns = reader.headers().map_err(|error| unreadable(&error))?;
        // As the form calls them.
        let columns: csv::StringRecord = columns
            .iter()
            .map(|column| if column == "seats" { "capacity" } else { column })
            .collect();
        for needed in ["site", "name"] {
            if !columns.iter().any(|column| column == needed) {
                let problem = format!(
                    "there is no column {needed:?}; the first line names the columns: {}",
                    COLUMNS.join(", ")
                );
                return Err(ServiceError::invalid("rooms", problem));
            }
        }
        if let Some(unknown) = columns.iter().find(|column| !COLUMNS.contains(column)) {
            let problem = format!("there is no column {unknown:?}; it may have {}", COLUMNS.join(", "));
            return Err(ServiceError::invalid("rooms", problem));
        }
        let mut file = Self::default();
        let mut refused = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    refused.push(unread(line, "", "line", &error));
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            match record.deserialize::<CsvLine>(Some(&columns)) {
                Ok(row) => file.add_line(line, row).unwrap_or_else(|problem| refused.push(problem)),
                Err(error) => {
                    let name = columns
                        .iter()
                        .position(|column| column == "name")
                        .and_then(|at| record.get(at));
                    refused.push(unread(
                        line,
                        name.unwrap_or_default(),
                        column_of(&error, &columns),
                        &error,
                    ));
                }
            }
        }
        Ok((file, refused))
    }

    /// Adds a line: a room, or another device or product of the one before.
    fn add_line(&mut self, line: u64, row: CsvLine) -> std::result::Result<(), RefusedLine> {
        let refuse = |field: &'static str, problem: &str| RefusedLine {
            place: place(line, 0, &row.name),
            field,
            problem: problem.to_owned(),
        };
        match (&row.device, &row.model, &row.product) {
            (Some(_), None, _) => return Err(refuse("model", "a device needs a model")),
            (None, _, Some(_)) => return Err(refuse("device", "a product needs the device that it runs on")),
            (None, Some(_), None) => return Err(refuse("device", "a model needs a device")),
            (Some(_), Some(_), _) | (None, None, None) => {}
        }
        let continues = row.device.is_some()
            && self.rooms.last().is_some_and(|room| {
                !room.devices.is_empty()
                    && name_key(room.site.as_str()) == plain(&row.site)
                    && name_key(room.name.as_str()) == plain(&row.name)
            });
        if !continues {
            self.rooms.push(RoomLine {
                line,
                name: unquoted(row.name).into(),
                site: unquoted(row.site).into(),
                building: unquoted(row.building).into(),
                floor: serde_json::Value::String(unquoted(row.floor)),
                capacity: row.capacity.unwrap_or(0),
                zone: row.zone.map(CleanLine::from),
                ring: row.ring.map(|ring| unquoted(ring).into()),
                state: row.state.map(CleanLine::from),
                devices: Vec::new(),
                holds: Vec::new(),
                blocks: Vec::new(),
            });
        }
        let (Some(room), Some(id)) = (self.rooms.last_mut(), row.device) else {
            return Ok(());
        };
        if room.devices.last().is_none_or(|last| last.id != id) {
            room.devices.push(DeviceLine {
                id,
                role: unquoted(row.role).into(),
                vendor: unquoted(row.vendor).into(),
                model: unquoted(row.model.unwrap_or_default()).into(),
                serial: unquoted(row.serial).into(),
                last_seen: None,
                installed: BTreeMap::new(),
            });
        }
        if let (Some(device), Some(product)) = (room.devices.last_mut(), row.product) {
            device.installed.insert(product, row.version.map(unquoted));
        }
        Ok(())
    }
}

/// What separates the columns of the first line most often.
fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: char| head.matches(separator).count();
    [(';', b';'), ('\t', b'\t')]
        .into_iter()
        .filter(|(separator, _)| count(*separator) > count(','))
        .max_by_key(|(separator, _)| count(*separator))
        .map_or(b',', |(_, byte)| byte)
}

fn unread(line: u64, name: &str, field: &'static str, error: &csv::Error) -> RefusedLine {
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} values, and the first line names {expected_len} columns")
        }
        csv::ErrorKind::Deserialize { err, .. } => match err.kind() {
            csv::DeserializeErrorKind::ParseInt(_) => "is not a whole number".to_owned(),
            other => other.to_string(),
        },
        _ => error.to_string(),
    };
    RefusedLine {
        place: place(line, 0, name),
        field,
        problem,
    }
}

/// The column in which a value is not what it should be.
fn column_of(error: &csv::Error, columns: &csv::StringRecord) -> &'static str {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else {
        return "line";
    };
    let name = err.field().and_then(|at| columns.get(usize::try_from(at).ok()?));
    COLUMNS
        .into_iter()
        .find(|column| Some(*column) == name)
        .unwrap_or("line")
}

/// Takes away the apostrophe with which exports keep spreadsheets from taking a name for a formula.
fn unquoted(text: String) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(crate::spreadsheet::FORMULAS) => rest.to_owned(),
        Some(_) | None => text,
    }
}

fn plain(text: &str) -> String {
    name_key(&unquoted(text.to_owned()))
}

/// Where a room stands: by its line where the file has lines, else by its number.
fn place(line: u64, number: usize, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    match (line, name.is_empty()) {
        (0, true) => format!("room {number}"),
        (0, false) => format!("room {number} ({name})"),
        (line, true) => format!("line {line}"),
        (line, false) => format!("line {line} ({name})"),
    }
}

/// What a file would become.
#[derive(Default)]
pub(crate) struct CheckedRooms {
    pub(crate) rooms: Vec<NewRoom>,
    pub(crate) devices: Vec<NewDevice>,
    pub(crate) installed: Vec<(DeviceId, ProductId, Option<String>)>,
    pub(crate) seen: Vec<(DeviceId, DateTime<Utc>)>,
    pub(crate) holds: Vec<(HoldId, RoomId, Hold)>,
    pub(crate) blocks: Vec<(RoomId, Block)>,
    /// Where each of the rooms stands in the file.
    pub(crate) places: Vec<String>,
    /// The lines that can become nothing.
    pub(crate) refused: Vec<RefusedLine>,
}

/// What stands in the file above a line, and what is there already.
struct ExistingNames<'a> {
    rings: &'a RingSequence,
    sites: &'a BTreeMap<String, SiteRecord>,
    names: BTreeSet<(SiteId, String)>,
    controllers: BTreeSet<String>,
}

impl CheckedRooms {
    /// Checks every room of a file by itself and against the others. Whether its names are taken already is the database's to say.
    ///
    /// # Errors
    /// No randomness for ids.
    pub(crate) fn of(
        service: &Service,
        file: &RoomsFile,
        rings: &RingSequence,
        sites: &BTreeMap<String, SiteRecord>,
    ) -> Result<Self> {
        let mut checked = Self::default();
        let mut known = ExistingNames {
            rings,
            sites,
            names: BTreeSet::new(),
            controllers: BTreeSet::new(),
        };
        for (line, number) in file.rooms.iter().zip(1..) {
            let place = place(line.line, number, line.name.as_str());
            match checked.add(service, line, &mut known) {
                Ok(()) => checked.places.push(place),
                Err(ServiceError::Invalid { field, problem }) => {
                    checked.refused.push(RefusedLine { place, field, problem });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(checked)
    }

    /// What is good of it; the first line that is not refuses the file.
    pub(crate) fn all_or_refuse(self) -> Result<Self> {
        match self.refused.first() {
            Some(refused) => Err(refused.clone().into()),
            None => Ok(self),
        }
    }

    fn add(&mut self, service: &Service, line: &RoomLine, known: &mut ExistingNames) -> Result<()> {
        check_text("name", &line.name, LONGEST_NAME)?;
        let floor = floor(&line.floor);
        check_optional("building", &line.building)?;
        check_optional("floor", &floor)?;
        if line.capacity > LARGEST_CAPACITY {
            return Err(ServiceError::invalid(
                "capacity",
                format!("{} is more than {LARGEST_CAPACITY}", line.capacity),
            ));
        }
        check_optional("site", &line.site)?;
        let missing = || ServiceError::invalid("site", format!("there is no site named {:?}", line.site.as_str()));
        let site = known.sites.get(&name_key(line.site.as_str())).ok_or_else(missing)?;
        let key = (site.id, name_key(line.name.as_str()));
        if known.names.contains(&key) {
            return Err(ServiceError::invalid(
                "name",
                format!("appears twice in this file for {}", site.name),
            ));
        }
        let own = line
            .zone
            .as_ref()
            .filter(|zone| !zone.is_empty())
            .map(|zone| Zone::parse(zone.as_str()))
            .transpose();
        let own = own.map_err(|error| ServiceError::invalid("zone", error.to_string()))?;
        let ring = match line.ring.as_ref().filter(|ring| !ring.is_empty()) {
            None => known.rings.general(),
            Some(name) => {
                check_optional("ring", name)?;
                let missing = || ServiceError::invalid("ring", format!("there is no ring named {:?}", name.as_str()));
                ring_named(known.rings, name).ok_or_else(missing)?
            }
        };
        let state = match line
            .state
            .as_ref()
            .map(CleanLine::as_str)
            .filter(|state| !state.is_empty())
        {
            None => RoomState::Managed,
            Some(word) => RoomState::from_word(word).ok_or_else(|| {
                ServiceError::invalid("state", format!("{word:?} is not onboarding, managed or retired"))
            })?,
        };
        let room = NewRoom {
            id: RoomId(service.new_id()?),
            name: line.name.to_string(),
            site: site.id,
            building: line.building.to_string(),
            floor: floor.into(),
            capacity: line.capacity,
            zone_is_own: own.is_some(),
            zone: own.unwrap_or_else(|| site.zone.clone()),
            ring: ring.id,
            state,
        };
        // Nothing of a line that is refused may stay.
        let mut found = Self::default();
        let mut controllers = BTreeSet::new();
        for (device, position) in line.devices.iter().zip(0..) {
            check_controller(&device.id).map_err(|problem| ServiceError::invalid("device", problem))?;
            if known.controllers.contains(&device.id) || !controllers.insert(device.id.clone()) {
                return Err(ServiceError::invalid(
                    "device",
                    format!("{} appears twice in this file", device.id),
                ));
            }
            found.add_device(DeviceId(service.new_id()?), room.id, position, device)?;
        }
        for hold in &line.holds {
            found
                .holds
                .push((HoldId(service.new_id()?), room.id, checked_hold(hold)?));
        }
        let blocks = line.blocks.iter().map(checked_block).collect::<Result<Vec<Block>>>()?;
        known.names.insert(key);
        known.controllers.extend(controllers);
        self.devices.extend(found.devices);
        self.installed.extend(found.installed);
        self.seen.extend(found.seen);
        self.holds.extend(found.holds);
        self.blocks.extend(blocks.into_iter().map(|block| (room.id, block)));
        self.rooms.push(room);
        Ok(())
    }

    fn add_device(&mut self, id: DeviceId, room: RoomId, position: u32, device: &DeviceLine) -> Result<()> {
        check_optional("model", &device.model)?;
        check_optional("role", &device.role)?;
        check_optional("vendor", &device.vendor)?;
        check_optional("serial", &device.serial)?;
        for (product, version) in &device.installed {
            if let Some(version) = version {
                check_version(version)?;
            }
            let product =
                ProductId::parse(product).map_err(|error| ServiceError::invalid("product", error.to_string()))?;
            self.installed.push((id, product, version.clone()));
        }
        self.seen.extend(device.last_seen.map(|at| (id, at)));
        self.devices.push(NewDevice {
            id,
            controller: device.id.clone(),
            room,
            position,
            role: device.role.to_string(),
            vendor: device.vendor.to_string(),
            model: device.model.to_string(),
            serial: device.serial.to_string(),
        });
        Ok(())
    }
}

fn checked_hold(hold: &HoldLine) -> Result<Hold> {
    for (field, is_empty) in [("owner", hold.owner.is_empty()), ("reason", hold.reason.is_empty())] {
        if is_empty {
            return Err(ServiceError::invalid(field, "a hold says who answers for it and why"));
        }
    }
    check_text("owner", &hold.owner, LONGEST_NAME)?;
    let reason = checked_reason(hold.reason.clone())?;
    for (field, date) in [("since", hold.since), ("until", hold.until)] {
        check_date(date).map_err(|error| ServiceError::invalid(field, error.to_string()))?;
    }
    if hold.until < hold.since {
        let problem = format!("{} is before the first date {}", hold.until, hold.since);
        return Err(ServiceError::invalid("until", problem));
    }
    let product = hold.product.as_deref().map(ProductId::parse).transpose();
    Ok(Hold {
        product: product.map_err(|error| ServiceError::invalid("product", error.to_string()))?,
        owner: hold.owner.to_string(),
        reason,
        since: hold.since,
        until: hold.until,
    })
}

fn checked_block(block: &BlockLine) -> Result<Block> {
    if !block.why.can_be_shown() {
        return Err(ServiceError::invalid("blocks", "has characters that cannot be shown"));
    }
    if block.why.length() > LONGEST_REASON {
        let problem = format!(
            "{} characters are too many; at most {LONGEST_REASON}",
            block.why.length()
        );
        return Err(ServiceError::invalid("blocks", problem));
    }
    Ok(Block {
        kind: block.kind,
        why: block.why.to_string(),
    })
}

/// A version as a device says it: it is compared with what devices say, and so it stays as it is.
fn check_version(version: &str) -> Result<()> {
    if version.contains(char::is_control) {
        return Err(ServiceError::invalid("version", "has characters that cannot be shown"));
    }
    match version.chars().count() {
        length if length > LONGEST_VERSION => Err(ServiceError::invalid(
            "version",
            format!("{length} characters are too many; at most {LONGEST_VERSION}"),
        )),
        _ => Ok(()),
    }
}

fn floor(value: &serde_json::Value) -> CleanLine {
    match value {
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Number(number) => number.to_string().into(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => CleanLine::default(),
    }
}
