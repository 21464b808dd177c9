//! The rooms with everything in them, as an import takes them (P0).
//!
//! Each part is a query of its own: nobody waits for a long export, and nothing is held in memory. [`Service::all_rooms`] has the
//! rooms, [`Service::export_rooms`] makes a file of them.

use std::pin::Pin;

use domain::access::Act;
use domain::ids::{ProductId, RoomId};
use futures::{Stream, TryStreamExt};
use serde::Serialize;
use store::EstateLine;

use super::{RoomCursor, RoomFilter};
use crate::error::Result;
use crate::read::PageOf;
use crate::rooms_file::COLUMNS;
use crate::spreadsheet::{self, CsvStream};
use crate::{Actor, Service};

/// Rooms that are read at once.
const BATCH: i64 = 500;

/// A room with everything in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedRoom {
    /// Identity; an import gives new ones.
    pub id: RoomId,
    /// The site's name.
    pub site: String,
    /// Unique at its site.
    pub name: String,
    /// May be empty.
    pub building: String,
    /// As people call it; may be empty.
    pub floor: String,
    /// Seats; 0: nobody has counted them.
    pub capacity: i64,
    /// Its own IANA zone; `None`: it has its site's.
    pub zone: Option<String>,
    /// Its ring's name.
    pub ring: String,
    /// `onboarding`, `managed`, `retired`.
    pub state: String,
    /// What is in it.
    pub devices: Vec<ExportedDevice>,
}

/// A device with everything on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedDevice {
    /// What it calls itself on the wire.
    pub id: String,
    /// `bar`, `console`, `compute` …
    pub role: String,
    /// May be empty.
    pub vendor: String,
    /// As its vendor calls it.
    pub model: String,
    /// May be empty.
    pub serial: String,
    /// What it reports about itself.
    pub installed: Vec<ExportedComponent>,
}

/// A product on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedComponent {
    pub product: ProductId,
    /// `None`: the device reports none.
    pub version: Option<String>,
}

/// Some rooms after the other, as they are read.
type RoomsStream = Pin<Box<dyn Stream<Item = Result<Vec<ExportedRoom>>> + Send>>;

impl Service {
    /// The rooms with everything in them, some at a time, from behind the room `after` on.
    ///
    /// # Errors
    /// Whoever asks may not see rooms.
    pub fn all_rooms(&self, actor: &Actor, filter: &RoomFilter, after: Option<RoomCursor>) -> Result<RoomsStream> {
        actor.may(Act::See)?;
        let rest = after.map_or(PageOf::First, PageOf::After);
        let stored = filter.stored(&rest, self.clock.now());
        let service = self.clone();
        Ok(spreadsheet::by_page(stored, move |filter| {
            let service = service.clone();
            async move {
                let lines = service.store.read().await?.estate_lines(&filter, BATCH).await?;
                let last = lines.last().map(|last| (last.name_key.clone(), RoomId(last.room)));
                let rooms = in_rooms(lines);
                let is_full = i64::try_from(rooms.len()).is_ok_and(|rooms| rooms == BATCH);
                let rest = last.filter(|_| is_full).map(|last| store::RoomFilter {
                    after: Some(last),
                    ..filter
                });
                Ok((rooms, rest))
            }
        }))
    }

    /// The rooms as a comma-separated file with everything in them, in the shape that an import takes (P0).
    ///
    /// # Errors
    /// Whoever asks may not see rooms.
    pub fn export_rooms(&self, actor: &Actor, filter: &RoomFilter, after: Option<RoomCursor>) -> Result<CsvStream> {
        let rooms = self.all_rooms(actor, filter, after)?;
        let rows = rooms.map_ok(|rooms| rooms.iter().flat_map(rows_of).collect());
        Ok(spreadsheet::file(&COLUMNS, rows))
    }
}

/// The lines of a room follow each other, and so do those of a device.
fn in_rooms(lines: Vec<EstateLine>) -> Vec<ExportedRoom> {
    let mut rooms: Vec<ExportedRoom> = Vec::new();
    for line in lines {
        let id = RoomId(line.room);
        if rooms.last().is_none_or(|last| last.id != id) {
            rooms.push(ExportedRoom {
                id,
                site: line.site,
                name: line.name,
                building: line.building,
                floor: line.floor,
                capacity: line.capacity,
                zone: line.zone,
                ring: line.ring,
                state: line.state,
                devices: Vec::new(),
            });
        }
        let (Some(room), Some(controller)) = (rooms.last_mut(), line.device) else {
            continue;
        };
        if room.devices.last().is_none_or(|last| last.id != controller) {
            room.devices.push(ExportedDevice {
                id: controller,
                role: line.role.unwrap_or_default(),
                vendor: line.vendor.unwrap_or_default(),
                model: line.model.unwrap_or_default(),
                serial: line.serial.unwrap_or_default(),
                installed: Vec::new(),
            });
        }
        if let (Some(device), Some(product)) = (room.devices.last_mut(), line.product) {
            device.installed.push(ExportedComponent {
                product: ProductId(product),
                version: line.version,
            });
        }
    }
    rooms
}

/// A line for each product on each device; one for a device without products, and for a room without devices.
fn rows_of(room: &ExportedRoom) -> Vec<Vec<String>> {
    let row = |device: Option<&ExportedDevice>, component: Option<&ExportedComponent>| {
        let of_device = |text: fn(&ExportedDevice) -> &String| device.map(text).cloned().unwrap_or_default();
        vec![
            room.site.clone(),
            room.name.clone(),
            room.building.clone(),
            room.floor.clone(),
            match room.capacity {
                0 => String::new(),
                seats => seats.to_string(),
            },
            room.zone.clone().unwrap_or_default(),
            room.ring.clone(),
            room.state.clone(),
            of_device(|device| &device.id),
            of_device(|device| &device.role),
            of_device(|device| &device.vendor),
            of_device(|device| &device.model),
            of_device(|device| &device.serial),
            component.map_or_else(String::new, |component| component.product.to_string()),
            component
                .and_then(|component| component.version.clone())
                .unwrap_or_default(),
        ]
    };
    if room.devices.is_empty() {
        return vec![row(None, None)];
    }
    let mut rows = Vec::new();
    for device in &room.devices {
        if device.installed.is_empty() {
            rows.push(row(Some(device), None));
        }
        let installed = device.installed.iter();
        rows.extend(installed.map(|component| row(Some(device), Some(component))));
    }
    rows
}
