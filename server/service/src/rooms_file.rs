//! Rooms in files: what stands in one, and whether it can become rooms (P0, G5).
//!
//! It must not write. Start with [`RoomsFile::read`] for the lines and [`CheckedRooms::of`] for what they would become; `estate` imports it.

mod checked;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::clean::{CleanLine, CleanText, name_key};
use serde::{Deserialize, Serialize};

use crate::error::{Result, ServiceError};
use crate::limits::LONGEST_NAME;

pub(crate) use checked::CheckedRooms;

/// Rooms in a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomsFile {
    /// Sites that are not there yet are added; rooms name them.
    #[serde(default)]
    pub sites: Vec<SiteLine>,
    /// Rooms to add.
    pub rooms: Vec<RoomLine>,
}

/// A site in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteLine {
    /// What rooms call it; its name unless given.
    #[serde(default)]
    pub id: Option<CleanLine>,
    pub name: CleanLine,
    #[serde(default)]
    pub city: CleanLine,
    #[serde(default)]
    pub country: CleanLine,
    /// IANA zone.
    pub zone: CleanLine,
}

/// A room in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomLine {
    /// Where it stands in a file of lines, counted from 1; 0: the file has no lines.
    #[serde(skip)]
    pub line: u64,
    pub name: CleanLine,
    /// Its site, by id or name.
    pub site: CleanLine,
    #[serde(default)]
    pub building: CleanLine,
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
    /// `onboarding`, `managed` or `retired`. One that is managed elsewhere is onboarding here until somebody has confirmed it (C4).
    #[serde(default)]
    pub state: Option<CleanLine>,
    /// What is in it.
    #[serde(default)]
    pub devices: Vec<DeviceLine>,
    /// What is kept away from it.
    #[serde(default)]
    pub holds: Vec<HoldLine>,
}

/// A device in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceLine {
    /// What it calls itself on the wire.
    pub id: String,
    /// bar, console, compute …
    #[serde(default)]
    pub role: CleanLine,
    #[serde(default)]
    pub vendor: CleanLine,
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
#[serde(deny_unknown_fields)]
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
