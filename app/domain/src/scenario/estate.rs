//! The estate of a scenario: rings, rooms and devices, and how devices behave.
//!
//! What follows from a change is the simulation's to say.

use std::collections::BTreeMap;

use super::Script;
use super::reader::{LineProblem, LineResult, TokenReader};
use crate::ids::{DeviceId, RingId, RoomId};
use crate::ring::{RingDraft, RingOrder, RingPlace};
use crate::room::{Component, Device, Room, RoomState, VersionSource};
use crate::sim::Behaviour;

/// The most rooms that a scenario may have.
const MOST_ROOMS: u32 = 2_000;

impl Script {
    pub(super) fn ring_named(&self, reader: &mut TokenReader) -> LineResult<RingId> {
        let name = reader.word("ring")?;
        self.sim
            .fleet
            .rings
            .named(&name)
            .map(|ring| ring.id)
            .ok_or_else(|| LineProblem::no_such("ring", &name))
    }

    /// A ring that is added, or edited.
    pub(super) fn ring(&mut self, reader: &mut TokenReader) -> LineResult {
        let name = reader.word("name")?;
        let old = self.sim.fleet.rings.named(&name).cloned();
        let order = if reader.take_if("order") {
            Some(reader.word("order")?.parse::<RingOrder>()?)
        } else {
            None
        };
        reader.expect("rollout")?;
        let rollout_days = reader.number("rollout duration", 0, u32::MAX)?;
        reader.expect("test")?;
        let test_days = reader.number("test period", 0, u32::MAX)?;
        let order = order.or_else(|| match old.as_ref()?.place {
            RingPlace::Between(order) => Some(order),
            RingPlace::Staging | RingPlace::Executive => None,
        });
        let draft = RingDraft {
            name: name.clone(),
            description: String::new(),
            order,
            rollout_days,
            test_days,
        };
        let rings = match &old {
            Some(old) => self.sim.fleet.rings.with_edited(old.id, draft),
            None => {
                let id = RingId(self.id());
                self.sim.fleet.rings.with_added(id, draft)
            }
        };
        self.sim.set_rings(&rings?)?;
        if self.started {
            self.sim
                .note(format!("Ring {name}: rollout {rollout_days}, test {test_days}."));
        }
        Ok(())
    }

    pub(super) fn add_rooms(&mut self, reader: &mut TokenReader) -> LineResult {
        let most = MOST_ROOMS - u32::try_from(self.rooms.len()).unwrap_or(MOST_ROOMS);
        let number = reader.number("rooms", 1, most)?;
        let start = reader.next;
        for index in 1..=number {
            reader.next = start;
            let room = self.room_in(reader, &mut |reader| {
                reader.expect("named")?;
                Ok(format!("{}-{index}", reader.word("name")?))
            })?;
            self.sim.fleet.rooms.insert(room.id, room);
        }
        Ok(())
    }

    pub(super) fn room(&mut self, reader: &mut TokenReader) -> LineResult<Room> {
        let name = reader.word("name")?;
        self.room_in(reader, &mut |_| Ok(name.clone()))
    }

    fn room_in(
        &mut self,
        reader: &mut TokenReader,
        name: &mut dyn FnMut(&mut TokenReader) -> LineResult<String>,
    ) -> LineResult<Room> {
        reader.expect("in")?;
        let ring = self.ring_named(reader)?;
        reader.expect("at")?;
        let site = reader.word("site")?;
        let zone = self.sites.get(&site).cloned().ok_or_else(|| {
            LineProblem::of(
                "site",
                format_args!("there is no {site}; a line site {site} zone Europe/London creates it"),
            )
        })?;
        let name = name(reader)?;
        let model = if reader.take_if("model") {
            reader.word("model")?
        } else {
            "M".to_owned()
        };
        let devices = if reader.take_if("devices") {
            reader.number("devices", 1, 20)?
        } else {
            1
        };
        let state = if reader.take_if("onboarding") {
            RoomState::Onboarding
        } else {
            RoomState::Managed
        };
        let components = self.components(reader)?;
        let id = RoomId(self.id());
        self.sites_of.insert(id, site);
        if self.rooms.insert(name.clone(), id).is_some() {
            return Err(LineProblem::of("name", format_args!("there is a room {name} already")));
        }
        let devices = (0..devices)
            .map(|_| Device {
                id: DeviceId(self.id()),
                model: model.clone(),
                components: components.clone(),
            })
            .collect();
        Ok(Room {
            id,
            name,
            zone,
            ring,
            state,
            blocks: Vec::new(),
            holds: Vec::new(),
            supported_until: BTreeMap::new(),
            freezes: Vec::new(),
            devices,
        })
    }

    /// What the devices of a room report.
    fn components(&mut self, reader: &mut TokenReader) -> LineResult<Vec<Component>> {
        let mut components = Vec::new();
        while reader.take_if("with") {
            let (product, version) = (self.product_id(reader)?, reader.word("version")?);
            let version = Some(version).filter(|version| version != "unknown");
            if let Some(version) = &version {
                self.add_version(&product, version);
            }
            components.push(Component {
                product,
                version,
                source: VersionSource::Reported,
            });
        }
        if components.is_empty() {
            return Err(LineProblem::of(
                "with",
                "a room needs at least one product and its version",
            ));
        }
        Ok(components)
    }

    pub(super) fn room_named(&self, reader: &mut TokenReader) -> LineResult<RoomId> {
        let name = reader.word("room")?;
        self.find_room(&name)
    }

    pub(super) fn find_room(&self, name: &str) -> LineResult<RoomId> {
        self.rooms
            .get(name)
            .copied()
            .ok_or_else(|| LineProblem::no_such("room", name))
    }

    pub(super) fn devices_of(&self, room: RoomId) -> Vec<DeviceId> {
        self.sim
            .fleet
            .rooms
            .get(&room)
            .map_or_else(Vec::new, |room| room.devices.iter().map(|device| device.id).collect())
    }

    /// How the devices of a room behave.
    pub(super) fn device(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        let mut devices = self.devices_of(room);
        if reader.take_if("number") {
            let most = u32::try_from(devices.len()).unwrap_or(u32::MAX);
            let number = reader.number("number", 1, most)?;
            devices = devices.into_iter().skip(number as usize - 1).take(1).collect();
        }
        let what = reader.word("behaviour")?;
        let mut change: Box<dyn FnMut(&mut Behaviour)> = match what.as_str() {
            "fails" => {
                let failures = reader.number("fails", 0, 1_000)?;
                Box::new(move |behaviour| behaviour.failures = failures)
            }
            "refuses" => {
                let refusals = reader.number("refuses", 0, 1_000)?;
                Box::new(move |behaviour| behaviour.refusals = refusals)
            }
            "silent" => {
                let silences = reader.number("silent", 0, 1_000)?;
                let late_minutes = if reader.take_if("late") {
                    Some(reader.number("late", 1, 100_000)?)
                } else {
                    None
                };
                Box::new(move |behaviour| (behaviour.silences, behaviour.late_minutes) = (silences, late_minutes))
            }
            "minutes" => {
                let minutes = reader.number("minutes", 1, 100_000)?;
                Box::new(move |behaviour| behaviour.minutes = minutes)
            }
            "absent" => {
                let zone = self.organisation_zone();
                let (from, until) = (reader.date("absent from")?, reader.date("absent until")?);
                if until <= from {
                    return Err(LineProblem::of(
                        "absent until",
                        format_args!("{until} must be after {from}"),
                    ));
                }
                Box::new(move |behaviour| behaviour.absences.push((zone.start_of(from), zone.start_of(until))))
            }
            "unconfirmed" => Box::new(|behaviour| behaviour.confirms = false),
            "refuses-cancel" => Box::new(|behaviour| behaviour.refuses_cancel = true),
            "busy" => {
                let zone = self.organisation_zone();
                let (from, until) = (
                    reader.instant("busy from", &zone)?,
                    reader.instant("busy until", &zone)?,
                );
                Box::new(move |behaviour| behaviour.busy.push((from, until)))
            }
            unknown => {
                let behaviours = "use fails, refuses, silent, minutes, absent, busy, unconfirmed or refuses-cancel";
                return Err(LineProblem::none_of("behaviour", unknown, behaviours));
            }
        };
        for device in devices {
            change(self.sim.behaviours.entry(device).or_default());
        }
        Ok(())
    }

    pub(super) fn room_name(&self, room: RoomId) -> &str {
        self.sim.fleet.rooms.get(&room).map_or("", |room| &room.name)
    }

    pub(super) fn ring_name(&self, ring: RingId) -> &str {
        self.sim.fleet.rings.get(ring).map_or("", |ring| &ring.name)
    }
}
