//! What the lines of a file of rooms would become: each is checked by itself and against the others. Start with [`CheckedRooms::of`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::clean::{CleanLine, name_key};
use domain::freeze::check_date;
use domain::ids::{DeviceId, HoldId, ProductId, RingId, RoomId, SiteId};
use domain::ring::RingSequence;
use domain::room::{Hold, RoomState};
use domain::zone::Zone;
use store::{NewDevice, NewRoom, SiteRecord};

use super::{DeviceLine, HoldLine, RefusedLine, RoomLine, RoomsFile, floor, place};
use crate::Service;
use crate::control::checked_reason;
use crate::error::{Result, ServiceError};
use crate::limits::{LARGEST_CAPACITY, LONGEST_NAME, LONGEST_VERSION, check_controller, check_optional, check_text};
use crate::rings::ring_named;

/// What a file would become.
#[derive(Default)]
pub(crate) struct CheckedRooms {
    pub(crate) rooms: Vec<NewRoom>,
    pub(crate) devices: Vec<NewDevice>,
    pub(crate) installed: Vec<(DeviceId, ProductId, Option<String>)>,
    pub(crate) seen: Vec<(DeviceId, DateTime<Utc>)>,
    pub(crate) holds: Vec<(HoldId, RoomId, Hold)>,
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
        let own = checked_zone(line)?;
        let room = NewRoom {
            id: RoomId(service.new_id()?),
            name: line.name.to_string(),
            site: site.id,
            building: line.building.to_string(),
            floor: floor.into(),
            capacity: line.capacity,
            zone_is_own: own.is_some(),
            zone: own.unwrap_or_else(|| site.zone.clone()),
            ring: checked_ring(line, known.rings)?,
            state: checked_state(line)?,
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
        known.names.insert(key);
        known.controllers.extend(controllers);
        self.devices.extend(found.devices);
        self.installed.extend(found.installed);
        self.seen.extend(found.seen);
        self.holds.extend(found.holds);
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

/// A zone of its own, if the line names one.
fn checked_zone(line: &RoomLine) -> Result<Option<Zone>> {
    let own = line.zone.as_ref().filter(|zone| !zone.is_empty());
    let own = own.map(|zone| Zone::parse(zone.as_str())).transpose();
    own.map_err(|error| ServiceError::invalid("zone", error.to_string()))
}

fn checked_ring(line: &RoomLine, rings: &RingSequence) -> Result<RingId> {
    let Some(name) = line.ring.as_ref().filter(|ring| !ring.is_empty()) else {
        return Ok(rings.general().id);
    };
    check_optional("ring", name)?;
    let missing = || ServiceError::invalid("ring", format!("there is no ring named {:?}", name.as_str()));
    Ok(ring_named(rings, name).ok_or_else(missing)?.id)
}

/// Whatever a file says, a new room is onboarding until somebody has confirmed it here (C4, C8).
fn checked_state(line: &RoomLine) -> Result<RoomState> {
    let word = line.state.as_ref().map(CleanLine::as_str);
    let Some(word) = word.filter(|state| !state.is_empty()) else {
        return Ok(RoomState::Onboarding);
    };
    match RoomState::from_word(word) {
        Some(RoomState::Onboarding | RoomState::Managed) => Ok(RoomState::Onboarding),
        Some(RoomState::Retired) => Ok(RoomState::Retired),
        None => {
            let problem = format!("{word:?} is not onboarding, managed or retired");
            Err(ServiceError::invalid("state", problem))
        }
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
