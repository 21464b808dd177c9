//! What people do to single rooms, their devices and their sites (P0, P5, R3, A4).
//!
//! Which ring a room is in is changed by [`Service::move_rooms`] alone. Files come in through `estate`; they go out through `read::rooms`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::changes::TakeBack;
use domain::clean::{CleanLine, CleanText, name_key};
use domain::freeze::FreezeScope;
use domain::ids::{DeviceId, RingId, RoomId, SiteId};
use domain::room::RoomState;
use domain::zone::Zone;
use serde::Serialize;
use serde_json::{Value, json};
use store::{AuditEntry, NewDevice, NewRoom, NewSite, RoomRecord, SiteRecord, Tx};
use uuid::Uuid;

use crate::change::change_records;
use crate::control::checked_reason;
use crate::devices::{new_token, token_hash};
use crate::error::{Result, ServiceError};
use crate::estate::{ImportReport, check_may_move};
use crate::limits::{check_controller, check_optional, check_text};
use crate::rooms_file::{CheckedRooms, RefusedLine, RoomsFile};
use crate::uploads::pending_upload;
use crate::{Actor, Service};

pub use crate::limits::{LARGEST_CAPACITY, LONGEST_NAME};

/// A room as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomDraft {
    /// Name, unique at its site without regard to case.
    pub name: CleanLine,
    /// Where.
    pub site: SiteId,
    /// Building; may be empty.
    pub building: CleanLine,
    /// Floor, as people call it; may be empty.
    pub floor: CleanLine,
    /// Seats; 0: nobody has counted them.
    pub capacity: u32,
    /// Its own IANA zone; empty: its site's.
    pub zone: CleanLine,
}

/// A device as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDraft {
    /// What it calls itself on the wire.
    pub controller: String,
    /// bar, console, compute …
    pub role: CleanLine,
    /// Vendor; may be empty.
    pub vendor: CleanLine,
    /// Model: updates say which they are for.
    pub model: CleanLine,
    /// Serial number; may be empty.
    pub serial: CleanLine,
}

/// A site as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDraft {
    /// Name, unique without regard to case.
    pub name: CleanLine,
    /// City; may be empty.
    pub city: CleanLine,
    /// Country; may be empty.
    pub country: CleanLine,
    /// IANA zone.
    pub zone: CleanLine,
}

/// What a file would become, before it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Where the file came from.
    pub name: String,
    /// Sites that it adds.
    pub sites: usize,
    /// Rooms that it adds.
    pub rooms: usize,
    /// Devices that it adds.
    pub devices: usize,
    /// Every line that can become nothing, in the order of the file. With one of them, nothing is imported.
    pub refused: Vec<RefusedLine>,
    /// The first of the good ones: where it stands, name, site's name, ring, number of devices.
    pub first: Vec<ReviewRoom>,
}

/// A room that a file would add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewRoom {
    /// `line 3 (Mast)`.
    pub place: String,
    pub name: String,
    pub site: String,
    pub zone: Zone,
    pub ring: RingId,
    pub devices: usize,
    /// Devices that were in other rooms, each in a sentence.
    pub moved: Vec<String>,
}

/// Rooms that a review names.
const REVIEWED: usize = 20;

impl Service {
    /// Adds a room; without a ring it belongs to General (R3).
    ///
    /// # Errors
    /// Names the field and the limit.
    pub async fn add_room(&self, actor: &Actor, draft: &RoomDraft, ring: Option<RingId>) -> Result<RoomId> {
        let id = RoomId(self.new_id()?);
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let room = checked(tx, draft, None).await?;
            let rings = tx.rings().await?;
            let ring = match ring {
                None => rings.general(),
                Some(ring) => rings
                    .get(ring)
                    .ok_or_else(|| ServiceError::invalid("ring", "there is no such ring"))?,
            };
            let summary = format!("Added the room {} at {}, in {}.", room.name, room.site_name, ring.name);
            let mut after = facts(&room);
            after["ring"] = ring.name.clone().into();
            tx.add_rooms(&[NewRoom {
                id,
                name: room.name,
                site: room.site,
                building: room.building,
                floor: room.floor,
                capacity: room.capacity,
                zone: room.zone,
                zone_is_own: room.zone_is_own,
                ring: ring.id,
                state: room.state,
            }])
            .await?;
            tx.recheck(id).await?;
            tx.wake_rollouts(now).await?;
            let entry = actor.entry("room.added", "room", id, summary).with_after(after);
            (vec![entry], id)
        })
    }

    /// Edits a room as it was when its `revision` was read. A new zone moves its windows.
    ///
    /// # Errors
    /// Names the field and the limit; there is no such room; somebody has changed it meanwhile.
    pub async fn edit_room(&self, actor: &Actor, id: RoomId, revision: i64, draft: &RoomDraft) -> Result<()> {
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let before = known(tx, id).await?;
            refuse_retired(&before)?;
            let after = RoomRecord {
                id,
                ring: before.ring,
                revision,
                ..checked(tx, draft, Some(&before)).await?
            };
            put(tx, &before, &after, now).await?;
            let summary = format!("Edited the room {}.", after.name);
            (vec![entry(actor, "room.edited", &before, &after, summary)], ())
        })
    }

    /// Retires a room: nothing is planned for it any more, and its devices' tokens count no more.
    ///
    /// # Errors
    /// There is no such room, it is retired already, an install is running in it, or the reason is missing.
    pub async fn retire_room(&self, actor: &Actor, id: RoomId, reason: CleanText) -> Result<()> {
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let reason = checked_reason(reason.clone())?;
            let before = known(tx, id).await?;
            if before.state == RoomState::Retired {
                return Err(ServiceError::conflict(format!("{} is retired already", before.name)));
            }
            if tx.has_running(id).await? {
                let name = &before.name;
                let problem = format!("an install is running in {name}; retire the room when it has ended");
                return Err(ServiceError::conflict(problem));
            }
            tx.take_back(&prepared_in(id, now)).await?;
            let mut revoked = 0;
            for device in tx.device_details(id).await? {
                revoked += i64::from(tx.revoke_device(&device.controller, now).await?);
            }
            let devices = match revoked {
                0 => String::new(),
                1 => " Its device can no longer check in.".to_owned(),
                devices => format!(" Its {devices} devices can no longer check in."),
            };
            let mut after = before.clone();
            after.state = RoomState::Retired;
            put(tx, &before, &after, now).await?;
            let ends = reason.ends_with(['.', '!', '?']) || devices.is_empty();
            let stop = if ends { "" } else { "." };
            let summary = format!("Retired the room {}: {reason}{stop}{devices}", before.name);
            (vec![entry(actor, "room.retired", &before, &after, summary)], ())
        })
    }

    /// Brings a retired room back, as one that is onboarding (C4). Its devices need new tokens.
    ///
    /// # Errors
    /// There is no such room, or it is not retired.
    pub async fn bring_back_room(&self, actor: &Actor, id: RoomId) -> Result<()> {
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let before = known(tx, id).await?;
            if before.state != RoomState::Retired {
                return Err(ServiceError::conflict(format!("{} is not retired", before.name)));
            }
            let mut after = before.clone();
            after.state = RoomState::Onboarding;
            put(tx, &before, &after, now).await?;
            let summary = format!("Brought the room {} back.", before.name);
            (vec![entry(actor, "room.brought_back", &before, &after, summary)], ())
        })
    }

    /// Adds a device to a room and hands out its token (A4), which is shown this once. One that was revoked, by itself or with its room, may
    /// come to another room; what it had and said before is forgotten.
    ///
    /// # Errors
    /// Names the field and the limit; there is no such room; the device is another room's.
    pub async fn add_device(&self, actor: &Actor, room: RoomId, draft: &DeviceDraft) -> Result<String> {
        let (id, token) = (DeviceId(self.new_id()?), new_token()?);
        change_records!(self, actor, Act::ManageDevices, |tx, now| {
            let controller = draft.checked_controller()?;
            let record = known(tx, room).await?;
            refuse_retired(&record)?;
            let device = NewDevice {
                id,
                controller: controller.to_owned(),
                room,
                position: tx.next_position(room).await?,
                role: draft.role.to_string(),
                vendor: draft.vendor.to_string(),
                model: draft.model.to_string(),
                serial: draft.serial.to_string(),
            };
            let (model, name) = (&draft.model, &record.name);
            let mut entries = Vec::new();
            let came_from = match tx.device_facts(controller).await? {
                None => {
                    tx.add_devices(&[device]).await?;
                    String::new()
                }
                Some(facts) => {
                    let other = known(tx, facts.device.room).await?;
                    check_may_move(&facts, &other.name)?;
                    tx.move_device(facts.device.id, &device, now).await?;
                    tx.recheck(other.id).await?;
                    let summary = format!("The device {controller} went to {name}.");
                    entries.push(actor.entry("device.moved", "room", other.id, summary));
                    format!(" It was a device of {}.", other.name)
                }
            };
            tx.enrol_device(controller, &token_hash(&token), now).await?;
            tx.recheck(room).await?;
            let summary = format!("Added the device {controller} ({model}) to {name}, with a token.{came_from}");
            let entry = actor.entry("device.added", "room", room, summary).with_after(json!({
                "device": controller, "role": draft.role, "vendor": draft.vendor, "model": draft.model,
                "serial": draft.serial,
            }));
            entries.push(entry);
            (entries, token.clone())
        })
    }

    /// Adds a site.
    ///
    /// # Errors
    /// Names the field and the limit.
    pub async fn add_site(&self, actor: &Actor, draft: &SiteDraft) -> Result<SiteId> {
        let id = SiteId(self.new_id()?);
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let site = checked_site(tx, id, draft, None).await?;
            let summary = format!("Added the site {} in {}.", site.name, site.zone);
            let after = site_facts(&site);
            tx.add_sites(&[NewSite {
                id,
                name: site.name,
                city: site.city,
                country: site.country,
                zone: site.zone,
            }])
            .await?;
            let entry = actor.entry("site.added", "site", id, summary).with_after(after);
            (vec![entry], id)
        })
    }

    /// Edits a site. A new zone moves the windows of its rooms that have none of their own.
    ///
    /// # Errors
    /// Names the field and the limit; there is no such site.
    pub async fn edit_site(&self, actor: &Actor, id: SiteId, draft: &SiteDraft) -> Result<()> {
        change_records!(self, actor, Act::EditRooms, |tx, now| {
            let before = tx.sites().await?.into_iter().find(|site| site.id == id);
            let before = before.ok_or_else(|| ServiceError::not_found("This site"))?;
            let after = checked_site(tx, id, draft, Some(&before)).await?;
            tx.put_site(&after).await?;
            if before.zone != after.zone {
                tx.take_back_in_zone_of(id, now).await?;
                tx.recheck_site(id).await?;
                tx.wake_rollouts(now).await?;
            }
            let summary = format!("Edited the site {}.", after.name);
            let entry = actor.entry("site.edited", "site", id, summary);
            let entry = entry.with_before(site_facts(&before)).with_after(site_facts(&after));
            (vec![entry], ())
        })
    }

    /// Keeps a file of rooms until somebody has looked at what it would become.
    ///
    /// # Errors
    /// It is no file of rooms at all.
    pub async fn upload_rooms(&self, actor: &Actor, name: &str, text: &str) -> Result<Uuid> {
        actor.may(Act::EditRooms)?;
        RoomsFile::read(text)?;
        self.keep_upload(actor, "rooms", name, text.to_owned()).await
    }

    /// What a file that was sent would become. Nothing is changed.
    ///
    /// # Errors
    /// There is no such file any more.
    pub async fn review_rooms(&self, actor: &Actor, upload: Uuid) -> Result<Review> {
        actor.may(Act::EditRooms)?;
        let mut tx = self.store.begin().await?;
        let review = self.review(&mut tx, upload).await;
        // Its sites were added to look the rooms up; nothing of that stays.
        tx.roll_back().await?;
        review
    }

    async fn review(&self, tx: &mut Tx, upload: Uuid) -> Result<Review> {
        let upload = pending_upload(tx, upload, "rooms").await?;
        let (file, mut refused) = RoomsFile::read(&upload.text)?;
        let mut report = ImportReport::default();
        let sites = self.add_missing_sites(tx, &file, &mut report).await?;
        let checked = CheckedRooms::of(self, &file, &tx.rings().await?, &sites)?;
        refused.extend(checked.refused);
        let keys: Vec<String> = checked.rooms.iter().map(|room| name_key(&room.name)).collect();
        let mut taken_names = tx.rooms_by_name_key(&keys).await?;
        taken_names.extend(tx.rooms_in_other_forms().await?);
        let controllers: Vec<String> = checked.devices.iter().map(|device| device.controller.clone()).collect();
        let taken_devices = tx.devices_by_controller(&controllers).await?;
        let site_names: BTreeMap<SiteId, &str> = sites.values().map(|site| (site.id, site.name.as_str())).collect();
        let mut devices: BTreeMap<RoomId, Vec<&str>> = BTreeMap::new();
        for device in &checked.devices {
            devices.entry(device.room).or_default().push(&device.controller);
        }
        let (mut rooms, mut found, mut first) = (0, 0, Vec::new());
        for (room, place) in checked.rooms.iter().zip(&checked.places) {
            let own = devices.get(&room.id).map_or(&[][..], Vec::as_slice);
            let site = site_names.get(&room.site).copied().unwrap_or_default();
            // A file of rooms that are all there, such as an export, looks no device up.
            let (moved, problem) = if taken_names.contains_key(&(name_key(&room.name), room.site)) {
                let why = format!("{site} has a room of this name already");
                (Vec::new(), Some(("name", why)))
            } else {
                let (moved, stays) = self.moves_of(tx, own, &taken_devices).await?;
                (moved, stays.map(|why| ("device", why)))
            };
            if let Some((field, problem)) = problem {
                refused.push(RefusedLine {
                    place: place.clone(),
                    field,
                    problem,
                });
                continue;
            }
            (rooms, found) = (rooms + 1, found + own.len());
            if first.len() < REVIEWED {
                first.push(ReviewRoom {
                    place: place.clone(),
                    name: room.name.clone(),
                    site: site.to_owned(),
                    zone: room.zone.clone(),
                    ring: room.ring,
                    devices: own.len(),
                    moved,
                });
            }
        }
        Ok(Review {
            name: upload.name,
            sites: report.sites,
            rooms,
            devices: found,
            refused,
            first,
        })
    }

    /// Imports a file that was looked at before: all of it or nothing.
    ///
    /// # Errors
    /// There is no such file any more; names the line, the field and the limit.
    pub async fn import_upload(&self, actor: &Actor, upload: Uuid) -> Result<ImportReport> {
        actor.may(Act::EditRooms)?;
        let text = pending_upload(&mut self.store.read().await?, upload, "rooms")
            .await?
            .text;
        let report = self.import_rooms(actor, &RoomsFile::parse(&text)?).await?;
        self.forget_upload(upload).await?;
        Ok(report)
    }
}

/// Whatever is prepared in a room.
fn prepared_in(room: RoomId, at: DateTime<Utc>) -> TakeBack {
    TakeBack {
        scope: FreezeScope::Room(room),
        nights: None,
        at,
    }
}

/// Writes a room that has changed, and has the planner look at it.
async fn put(tx: &mut Tx, before: &RoomRecord, after: &RoomRecord, now: DateTime<Utc>) -> Result<()> {
    if !tx.put_room(after).await? {
        let problem = format!(
            "{} was changed by somebody else meanwhile; look at it again",
            before.name
        );
        return Err(ServiceError::conflict(problem));
    }
    if before.zone != after.zone {
        // What is prepared for a window of the old zone is prepared anew.
        tx.take_back(&prepared_in(after.id, now)).await?;
    }
    tx.recheck(after.id).await?;
    tx.wake_rollouts(now).await?;
    Ok(())
}

/// An entry about a room that has changed.
fn entry(actor: &Actor, action: &'static str, before: &RoomRecord, after: &RoomRecord, summary: String) -> AuditEntry {
    let entry = actor.entry(action, "room", after.id, summary);
    entry.with_before(facts(before)).with_after(facts(after))
}

fn refuse_retired(room: &RoomRecord) -> Result<()> {
    if room.state == RoomState::Retired {
        let problem = format!("{} is retired; bring it back first", room.name);
        return Err(ServiceError::conflict(problem));
    }
    Ok(())
}

impl DeviceDraft {
    /// What the device calls itself, if all fields keep their limits.
    fn checked_controller(&self) -> Result<&str> {
        let controller = self.controller.trim();
        check_controller(controller).map_err(|problem| ServiceError::invalid("device", problem))?;
        check_text("model", &self.model, LONGEST_NAME)?;
        check_optional("role", &self.role)?;
        check_optional("vendor", &self.vendor)?;
        check_optional("serial", &self.serial)?;
        Ok(controller)
    }
}

async fn known(tx: &mut Tx, id: RoomId) -> Result<RoomRecord> {
    tx.room_record(id)
        .await?
        .ok_or_else(|| ServiceError::not_found("This room"))
}

/// A room as it is typed, in the ring of nobody yet. `own`: the room as it was, where it is edited.
async fn checked(tx: &mut Tx, draft: &RoomDraft, own: Option<&RoomRecord>) -> Result<RoomRecord> {
    check_text("name", &draft.name, LONGEST_NAME)?;
    check_optional("building", &draft.building)?;
    check_optional("floor", &draft.floor)?;
    if draft.capacity > LARGEST_CAPACITY {
        return Err(ServiceError::invalid(
            "capacity",
            format!("{} is more than {LARGEST_CAPACITY}", draft.capacity),
        ));
    }
    let sites = tx.sites().await?;
    let site = sites.into_iter().find(|site| site.id == draft.site);
    let site = site.ok_or_else(|| ServiceError::invalid("site", "there is no such site"))?;
    let name = spelled(own.map(|own| own.name.as_str()), &draft.name);
    let is_there = own.is_some_and(|own| own.name == name && own.site == site.id);
    if !is_there && tx.room_at(site.id, &name, own.map(|own| own.id)).await?.is_some() {
        return Err(ServiceError::invalid(
            "name",
            format!("{} has a room named {name} already", site.name),
        ));
    }
    let zone = match draft.zone.as_str() {
        "" => None,
        zone => Some(Zone::parse(zone).map_err(|error| ServiceError::invalid("zone", error.to_string()))?),
    };
    Ok(RoomRecord {
        id: own.map_or(RoomId(Uuid::nil()), |own| own.id),
        name,
        site: site.id,
        site_name: site.name,
        building: draft.building.to_string(),
        floor: draft.floor.to_string(),
        capacity: draft.capacity,
        zone_is_own: zone.is_some(),
        zone: zone.unwrap_or(site.zone),
        ring: RingId(Uuid::nil()),
        // A new room is onboarding (C4); how it goes on is not for its form to say.
        state: own.map_or(RoomState::Onboarding, |own| own.state),
        revision: 0,
    })
}

/// A name as it is typed; as it stands already, where it is the same in another Unicode form.
fn spelled(before: Option<&str>, typed: &CleanLine) -> String {
    match before {
        Some(before) if CleanLine::from(before) == *typed => before.to_owned(),
        Some(_) | None => typed.to_string(),
    }
}

/// A site as it is typed. `own`: the site as it was, where it is edited.
async fn checked_site(tx: &mut Tx, id: SiteId, draft: &SiteDraft, own: Option<&SiteRecord>) -> Result<SiteRecord> {
    check_text("name", &draft.name, LONGEST_NAME)?;
    check_optional("city", &draft.city)?;
    check_optional("country", &draft.country)?;
    let name = spelled(own.map(|own| own.name.as_str()), &draft.name);
    let is_there = own.is_some_and(|own| own.name == name);
    if !is_there && tx.site_named(&name, Some(id)).await?.is_some() {
        return Err(ServiceError::invalid(
            "name",
            format!("there is a site named {name} already"),
        ));
    }
    let zone = Zone::parse(draft.zone.as_str()).map_err(|error| ServiceError::invalid("zone", error.to_string()))?;
    Ok(SiteRecord {
        id,
        name,
        city: draft.city.to_string(),
        country: draft.country.to_string(),
        zone,
    })
}

fn facts(room: &RoomRecord) -> Value {
    json!({
        "name": room.name, "site": room.site_name, "building": room.building, "floor": room.floor, "capacity": room.capacity,
        "zone": room.zone.name(), "zone is its own": room.zone_is_own, "state": room.state.as_str(),
    })
}

fn site_facts(site: &SiteRecord) -> Value {
    json!({ "name": site.name, "city": site.city, "country": site.country, "zone": site.zone.name() })
}
