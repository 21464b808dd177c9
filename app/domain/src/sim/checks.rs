//! Readiness in a simulated fleet: what devices tell, what people decide about checks, and the checks themselves (C1–C5).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{LogEntry, Simulation};
use crate::changes::{Changes, SettingChange, SettingEvent};
use crate::commands::readiness::{RoomToDecide, confirm_onboarding, end_review, end_waiver, review, waive};
use crate::conversation::inventory::{self, ConfigMode, ConfigReport, KnownDevice, ReportRefusal};
use crate::ids::{DeviceId, ProductId, RoomId};
use crate::product::ProductKind;
use crate::readiness::checked::CheckedRoom;
use crate::readiness::decide::{BadSignal, RoomToCheck, Rules, VersionInRoom, decide};
use crate::readiness::facts::Facts;
use crate::readiness::profile::Profile;
use crate::readiness::{Check, OpenSetting, ReportingDevice, STALE_AFTER, Waiver};
use crate::refusal::Refusal;
use crate::room::{Component, Room};
use crate::signal::Signal;
use crate::ticket::{CauseEvent, TicketCause, TicketSeverity, TicketStatus};

/// What the checks of a simulated fleet go by, beside its rooms.
#[derive(Clone, Debug, Default)]
pub struct SimulatedFacts {
    /// What each device has told, and when.
    told: BTreeMap<DeviceId, Told>,
    /// Vendor and kind of each product.
    pub products: BTreeMap<ProductId, (String, ProductKind)>,
    /// Since when signals are bad.
    bad_since: BTreeMap<DeviceId, BTreeMap<Signal, DateTime<Utc>>>,
    /// The last supported day of versions, as far as an end is known.
    supported_until: BTreeMap<(ProductId, String), NaiveDate>,
    /// What devices are asked to change.
    settings: BTreeMap<DeviceId, Setting>,
    profile: Profile,
}

/// How the one setting that Nightshift changes from afar stands with a device (C3).
#[derive(Clone, Copy, Debug, Default)]
struct Setting {
    open: Option<OpenSetting>,
    failures: u32,
    off_since: Option<DateTime<Utc>>,
}

impl Setting {
    fn apply(&mut self, event: SettingEvent, now: DateTime<Utc>) {
        match event {
            SettingEvent::Wanted => {
                self.open = Some(self.open.unwrap_or(OpenSetting { told_at: None }));
            }
            SettingEvent::Done => {
                *self = Self {
                    off_since: Some(now),
                    ..Self::default()
                };
            }
            SettingEvent::Failed => {
                self.open = None;
                self.failures += 1;
            }
            SettingEvent::Withdrawn => self.open = None,
        }
    }
}

/// What a device has told: its attributes, and when it told each.
#[derive(Clone, Debug, Default)]
struct Told {
    attributes: BTreeMap<String, String>,
    told_at: BTreeMap<String, DateTime<Utc>>,
}

impl Simulation {
    /// A device reports facts. Its checks are made with the next tick.
    ///
    /// # Errors
    /// The report breaks a limit; nothing of it counts.
    pub fn tell(&mut self, device: DeviceId, data: BTreeMap<String, Option<String>>) -> Result<(), ReportRefusal> {
        let Told { attributes, told_at } = self.facts.told.get(&device).cloned().unwrap_or_default();
        let known = KnownDevice {
            attributes,
            told_at,
            bad_since: self.facts.bad_since.get(&device).cloned().unwrap_or_default(),
            ..KnownDevice::default()
        };
        let mode = ConfigMode::Merge;
        let taken = inventory::take(known, &ConfigReport { mode, data }, self.now)?;
        self.facts.bad_since.insert(device, taken.bad_since);
        let (attributes, told_at) = (taken.attributes, taken.told_at);
        self.facts.told.insert(device, Told { attributes, told_at });
        self.check_room_of(device);
        Ok(())
    }

    /// Somebody answers for a check of a room (C1).
    ///
    /// # Errors
    /// The room is gone, or the date is no good.
    pub fn waive(&mut self, room: RoomId, waiver: Waiver) -> Result<(), Refusal> {
        let changes = waive(&self.room_to_decide(room)?, waiver, self.now)?;
        self.write(&changes);
        Ok(())
    }

    /// Somebody ends a waiver before its date.
    ///
    /// # Errors
    /// The room is gone, or the check is not waived.
    pub fn end_waiver(&mut self, room: RoomId, check: Check) -> Result<(), Refusal> {
        let waivers = self.fleet.checks.get(&room).map(|checks| checks.waivers.clone());
        let changes = end_waiver(&self.room_to_decide(room)?, &waivers.unwrap_or_default(), check)?;
        self.write(&changes);
        Ok(())
    }

    /// Somebody marks a name of software as reviewed, for all rooms (C1).
    ///
    /// # Errors
    /// It is reviewed already.
    pub fn review(&mut self, name: &str, by: &str) -> Result<(), Refusal> {
        let changes = review(name, self.fleet.reviewed.contains(name), by, self.now)?;
        self.write(&changes);
        self.check_all_soon();
        Ok(())
    }

    /// A name of software counts as not reviewed again.
    ///
    /// # Errors
    /// Nobody has reviewed it.
    pub fn end_review(&mut self, name: &str) -> Result<(), Refusal> {
        let changes = end_review(name, self.fleet.reviewed.contains(name))?;
        self.write(&changes);
        self.check_all_soon();
        Ok(())
    }

    /// A device says that it has changed the setting that it was asked to change, or that it cannot (C3). `false`: nothing was asked of it.
    pub fn answer_setting(&mut self, device: DeviceId, is_done: bool) -> bool {
        let now = self.now;
        let Some(setting) = self.facts.settings.get_mut(&device) else {
            return false;
        };
        let Some(open) = &mut setting.open else { return false };
        if is_done {
            // Its facts have the last word.
            open.told_at = Some(now);
        } else {
            setting.apply(SettingEvent::Failed, now);
            self.check_room_of(device);
        }
        true
    }

    /// Somebody confirms that a room's change management has moved here (C4).
    ///
    /// # Errors
    /// The room is not onboarding, or is confirmed.
    pub fn confirm_onboarding(&mut self, room: RoomId, by: &str) -> Result<(), Refusal> {
        let is_confirmed = self.fleet.checks.get(&room).is_some_and(|checks| checks.is_confirmed);
        let changes = confirm_onboarding(&self.room_to_decide(room)?, is_confirmed, by, self.now)?;
        self.write(&changes);
        Ok(())
    }

    fn room_to_decide(&self, room: RoomId) -> Result<RoomToDecide, Refusal> {
        let room = self.fleet.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?;
        Ok(RoomToDecide {
            room: room.id,
            name: room.name.clone(),
            state: room.state,
            today: room.zone.date(self.now),
        })
    }

    fn check_soon(&mut self, room: RoomId) {
        self.fleet.checks.entry(room).or_default().next_at = Some(self.now);
    }

    fn check_room_of(&mut self, device: DeviceId) {
        let of = |room: &&Room| room.devices.iter().any(|other| other.id == device);
        if let Some(room) = self.fleet.rooms.values().find(of).map(|room| room.id) {
            self.check_soon(room);
        }
    }

    fn check_all_soon(&mut self) {
        for checks in self.fleet.checks.values_mut() {
            checks.next_at = Some(self.now);
        }
    }

    fn checks_of(&self, room: &RoomToCheck) -> Changes {
        let reviewed: Vec<String> = self.fleet.reviewed.iter().cloned().collect();
        let rules = Rules {
            profile: &self.facts.profile,
            reviewed: &reviewed,
            stale_after: STALE_AFTER,
            bad_signal_after: self.fleet.organisation.settings.bad_signal_after(),
        };
        decide(room, &rules, self.now)
    }

    fn apply_settings(&mut self, changes: &[SettingChange]) {
        for change in changes {
            let setting = self.facts.settings.entry(change.device).or_default();
            setting.apply(change.event, self.now);
        }
    }

    /// Makes the checks that are due, before the planner looks at what follows from them.
    pub(super) fn check_rooms(&mut self) {
        let checks = self.fleet.checks.iter();
        let due: Vec<RoomId> = checks
            .filter(|(_, checks)| checks.next_at.is_some_and(|at| at <= self.now))
            .map(|(room, _)| *room)
            .collect();
        for room in due {
            let Some(room) = self.room_to_check(room) else { continue };
            let changes = self.checks_of(&room);
            for checked in &changes.checked_rooms {
                self.note_checks(&room.name, checked);
            }
            for change in &changes.cause_tickets {
                let text = match &change.event {
                    CauseEvent::Found { severity, title, .. } => format!("{} ticket: {title}.", severity.label()),
                    CauseEvent::Gone { what } => format!("{}: a ticket is resolved. {what}", room.name),
                };
                self.note(text);
            }
            self.apply_settings(&changes.settings);
            self.write(&changes);
        }
    }

    /// What is new with a room's checks stands in the log.
    fn note_checks(&mut self, room: &str, checked: &CheckedRoom) {
        let results = checked.changed.iter();
        let results: Vec<String> = results
            .filter_map(|(check, result)| Some(format!("{} {}", check.as_str(), (*result)?.as_str())))
            .collect();
        let mut text = Vec::new();
        if !results.is_empty() {
            text.push(format!("checks {}", results.join(", ")));
        }
        if let Some(blocks) = &checked.blocks {
            let scopes: Vec<&str> = blocks.iter().map(|block| block.scope.as_str()).collect();
            let nothing = scopes.is_empty().then_some("nothing");
            text.push(format!(
                "blocked {}",
                nothing.map_or_else(|| scopes.join(", "), str::to_owned)
            ));
        }
        if checked.becomes_managed {
            text.push("managed from now on".to_owned());
        }
        if !text.is_empty() {
            self.log.push(LogEntry {
                at: self.now,
                subject: None,
                text: format!("{room}: {}.", text.join("; ")),
            });
        }
    }

    /// Versions whose support is known to end.
    fn versions_in(&self, room: &Room) -> Vec<VersionInRoom> {
        let components = room.devices.iter().flat_map(|device| &device.components);
        let version = |component: &Component| {
            let version = component.version.clone()?;
            let known = self
                .facts
                .supported_until
                .get(&(component.product.clone(), version.clone()));
            Some(VersionInRoom {
                product: component.product.clone(),
                name: component.product.to_string(),
                version,
                supported_until: *known?,
            })
        };
        components.filter_map(version).collect()
    }

    fn bad_signals_in(&self, room: &Room) -> Vec<BadSignal> {
        let bad = room.devices.iter().flat_map(|device| {
            let bad = self.facts.bad_since.get(&device.id).into_iter().flatten();
            bad.map(|(signal, since)| BadSignal {
                device: device.id,
                controller: device.id.to_string(),
                signal: *signal,
                words: String::new(),
                since: *since,
            })
        });
        bad.collect()
    }

    fn open_causes(&self, room: RoomId) -> BTreeMap<TicketCause, TicketSeverity> {
        let of_room = self.fleet.cause_tickets.iter().filter(|((of, _), _)| *of == room);
        let open = of_room.filter(|(_, ticket)| ticket.state != TicketStatus::Resolved);
        open.map(|((_, cause), ticket)| (cause.clone(), ticket.severity))
            .collect()
    }

    /// A version of a product is supported until a day (L1): rooms that have it are checked.
    pub fn set_support(&mut self, product: &ProductId, version: &str, last_day: NaiveDate) {
        let key = (product.clone(), version.to_owned());
        self.facts.supported_until.insert(key, last_day);
        let rooms: Vec<RoomId> = self.fleet.rooms.keys().copied().collect();
        for room in rooms {
            self.note_support(room);
        }
    }

    /// What the planner knows of the support of what a room has.
    pub(super) fn note_support(&mut self, id: RoomId) {
        let Some(room) = self.fleet.rooms.get(&id) else { return };
        let mut until: BTreeMap<ProductId, NaiveDate> = BTreeMap::new();
        for version in self.versions_in(room) {
            let first = until.entry(version.product).or_insert(version.supported_until);
            *first = version.supported_until.min(*first);
        }
        let is_new = self
            .fleet
            .rooms
            .get(&id)
            .is_some_and(|room| room.supported_until != until);
        if let Some(room) = self.fleet.rooms.get_mut(&id).filter(|_| is_new) {
            room.supported_until = until;
            self.check_soon(id);
        }
    }

    /// What the checks of a room go by; `None`: there is no such room.
    #[must_use]
    pub fn room_to_check(&self, id: RoomId) -> Option<RoomToCheck> {
        let room = self.fleet.rooms.get(&id)?;
        let checks = self.fleet.checks.get(&id).cloned().unwrap_or_default();
        let devices = room.devices.iter().map(|device| {
            let told = self.facts.told.get(&device.id);
            let read = told.map(|told| Facts::readable(told.attributes.clone(), |key| told.told_at.get(key).copied()));
            let products = device.components.iter();
            let products = products.filter_map(|component| self.facts.products.get(&component.product).cloned());
            let setting = self.facts.settings.get(&device.id).copied().unwrap_or_default();
            ReportingDevice {
                id: Some(device.id),
                facts: read.unwrap_or_default(),
                has_reported: told.is_some_and(|told| !told.attributes.is_empty()),
                products: products.collect(),
                has_agent: told.is_some_and(|told| told.attributes.contains_key("agent.version")),
                setting: setting.open,
                setting_failures: setting.failures,
                // Simulated devices have no words of their own.
                controller: String::new(),
                setting_said: String::new(),
                vendor: String::new(),
                store_updates_off_since: setting.off_since,
            }
        });
        Some(RoomToCheck {
            room: id,
            name: room.name.clone(),
            state: room.state,
            zone: room.zone.clone(),
            devices: devices.collect(),
            waivers: checks.waivers,
            is_confirmed: checks.is_confirmed,
            results: checks.results,
            blocks: room.blocks.clone(),
            versions: self.versions_in(room),
            bad_signals: self.bad_signals_in(room),
            tickets: self.open_causes(id),
            unreviewed: checks.unreviewed,
        })
    }
}
