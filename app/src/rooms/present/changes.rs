//! What people change in the estate: rooms, devices, sites, and files of rooms (P0, P5, R13).

use domain::access::Act;
use domain::deployment::DeploymentState;
use domain::ids::{RingId, RoomId, SiteId};
use domain::ring::Ring;
use domain::rollout::RolloutState;
use domain::room::{Room, RoomState};
use domain::status::NotRequired;
use domain::time_text;
use domain::zone;
use service::RoomChoice;
use service::read::ReadSnapshot;
use service::rooms::{DeviceDraft, LONGEST_NAME, RoomDraft, SiteDraft};
use uuid::Uuid;

use crate::components::model::{Choice, FormSuccess, OneTimeSecret};
use crate::context::{RequestContext, Result, ring_view};
use crate::error::AppError;
use crate::formats;
use crate::rooms::model::{ImportReview, ImportedRoom, RoomFields, RoomForm, SiteRow, SitesView};
use crate::rooms::present::local_time;

/// Lines that a review names.
const NAMED: usize = 100;

impl RequestContext {
    /// What the dialogs of a room start from; without a room, that of a new one. What `moves` into other rings would mean takes a look
    /// at every running rollout.
    ///
    /// # Errors
    /// Whoever asks may not change rooms, or there is no such room.
    pub async fn room_form(&self, id: Option<RoomId>, moves: bool) -> Result<RoomForm> {
        let mut snapshot = self.snapshot_for(Act::EditRooms).await?;
        let sites = snapshot.tx.sites().await?.into_iter();
        let sites = sites.map(|site| Choice {
            value: site.id.to_string(),
            label: format!("{} ({})", site.name, site.zone.name()),
        });
        let rings = snapshot.rings.iter().map(|ring| Choice {
            value: ring.id.to_string(),
            label: ring.name.clone(),
        });
        let form = RoomForm {
            state: RoomState::Onboarding.as_str().to_owned(),
            ring: snapshot.rings.general().id.to_string(),
            sites: sites.collect(),
            rings: rings.collect(),
            zones: zone::names(),
            longest_name: u32::try_from(LONGEST_NAME).unwrap_or(u32::MAX),
            ..RoomForm::default()
        };
        let Some(id) = id else { return Ok(form) };
        let missing = || AppError::NotFound {
            what: "This room".to_owned(),
        };
        let record = snapshot.tx.room_record(id).await?.ok_or_else(missing)?;
        let moves = if moves {
            let room = snapshot.rooms(&[id]).await?.remove(&id).ok_or_else(missing)?;
            what_moves_mean(&mut snapshot, &room).await?
        } else {
            Vec::new()
        };
        Ok(RoomForm {
            id: Some(id),
            name: record.name,
            site: record.site.to_string(),
            building: record.building,
            floor: record.floor,
            capacity: Some(record.capacity)
                .filter(|seats| *seats > 0)
                .map_or_else(String::new, |seats| seats.to_string()),
            zone: if record.zone_is_own {
                record.zone.name().to_owned()
            } else {
                String::new()
            },
            state: record.state.as_str().to_owned(),
            revision: record.revision,
            ring: record.ring.to_string(),
            moves,
            ..form
        })
    }

    /// Adds a room (R3).
    ///
    /// # Errors
    /// As [`service::Service::add_room`].
    pub async fn add_room(&self, fields: RoomFields, ring: &str) -> Result<FormSuccess> {
        let draft = room_draft(fields)?;
        let ring = ring.parse::<RingId>().ok();
        let id = self.service.add_room(&self.viewer.actor, &draft, ring).await?;
        Ok(FormSuccess::new(
            format!("The room {} was added.", draft.name),
            format!("/rooms/{id}"),
        ))
    }

    /// Edits a room.
    ///
    /// # Errors
    /// As [`service::Service::edit_room`].
    pub async fn edit_room(&self, id: RoomId, revision: i64, fields: RoomFields) -> Result<FormSuccess> {
        let draft = room_draft(fields)?;
        let edited = self.service.edit_room(&self.viewer.actor, id, revision, &draft).await;
        edited?;
        Ok(FormSuccess::new("The room was changed.", format!("/rooms/{id}")))
    }

    /// Retires a room.
    ///
    /// # Errors
    /// As [`service::Service::retire_room`].
    pub async fn retire_room(&self, id: RoomId, reason: &str) -> Result<FormSuccess> {
        self.service.retire_room(&self.viewer.actor, id, reason.into()).await?;
        Ok(FormSuccess::new(
            "The room was retired. It is under Rooms, with the filter Retired.",
            format!("/rooms/{id}"),
        ))
    }

    /// Brings a retired room back.
    ///
    /// # Errors
    /// As [`service::Service::bring_back_room`].
    pub async fn bring_back_room(&self, id: RoomId) -> Result<FormSuccess> {
        self.service.bring_back_room(&self.viewer.actor, id).await?;
        let text = "The room is back and onboarding. Its devices need new tokens.";
        Ok(FormSuccess::new(text, format!("/rooms/{id}")))
    }

    /// Assigns a ring to a room (R13): the same call as any other move. It leads back to the tab on which that was asked.
    ///
    /// # Errors
    /// As [`service::Service::move_rooms`].
    pub async fn assign_ring(&self, id: RoomId, from: RingId, to: RingId, tab: &str) -> Result<FormSuccess> {
        let which = RoomChoice::Named(vec![id]);
        let moved = self
            .service
            .move_rooms(&self.viewer.actor, &which, Some(from), to)
            .await;
        moved?;
        let snapshot = self.snapshot().await?;
        let ring = snapshot
            .rings
            .get(to)
            .map_or_else(String::new, |ring| ring.name.clone());
        let tab = ["/updates", "/tickets", "/history"]
            .into_iter()
            .find(|known| *known == tab);
        let to = format!("/rooms/{id}{}", tab.unwrap_or_default());
        Ok(FormSuccess::new(format!("The room is in {ring} now."), to))
    }

    /// Adds a device to a room; its token is shown this once (A4).
    ///
    /// # Errors
    /// As [`service::Service::add_device`].
    pub async fn add_device(&self, room: RoomId, draft: DeviceDraft) -> Result<FormSuccess> {
        let token = self.service.add_device(&self.viewer.actor, room, &draft).await?;
        Ok(self.with_token(
            format!("The device {} was added.", draft.controller.trim()),
            room,
            draft.controller.trim(),
            token,
        ))
    }

    /// Hands out a new token for a device (A4).
    ///
    /// # Errors
    /// As [`service::Service::enrol_device`].
    pub async fn renew_device(&self, room: RoomId, controller: &str) -> Result<FormSuccess> {
        let token = self.service.enrol_device(&self.viewer.actor, controller).await?;
        Ok(self.with_token(
            format!("{controller} has a new token; the old one has stopped working."),
            room,
            controller,
            token,
        ))
    }

    fn with_token(&self, text: String, room: RoomId, controller: &str, token: String) -> FormSuccess {
        let address = &self.service.process_config().public_url;
        FormSuccess {
            text,
            to: format!("/rooms/{room}"),
            one_time_secret: Some(OneTimeSecret {
                why: format!(
                    "Give this token to the agent of {controller} now; it is not shown again. The agent checks in at {address}."
                ),
                secret: token,
            }),
        }
    }

    /// Takes a device's token away.
    ///
    /// # Errors
    /// As [`service::Service::revoke_device`].
    pub async fn revoke_device(&self, room: RoomId, controller: &str) -> Result<FormSuccess> {
        self.service.revoke_device(&self.viewer.actor, controller).await?;
        Ok(FormSuccess::new(
            format!("{controller} was revoked: it may not check in any more."),
            format!("/rooms/{room}"),
        ))
    }

    /// The sites.
    ///
    /// # Errors
    /// Whoever asks may not see them.
    pub async fn sites(&self) -> Result<SitesView> {
        let snapshot = self.snapshot().await?;
        let sites = self.service.sites(&self.viewer.actor).await?;
        let rows = sites.into_iter().map(|(site, rooms)| SiteRow {
            id: site.id.to_string(),
            local_time: local_time(&site.zone, snapshot.now),
            zone: site.zone.name().to_owned(),
            name: site.name,
            city: site.city,
            country: site.country,
            rooms,
        });
        let may_change = self.viewer.actor.role.may(Act::EditRooms);
        Ok(SitesView {
            rows: rows.collect(),
            zones: if may_change { zone::names() } else { Vec::new() },
            may_change,
        })
    }

    /// Adds a site.
    ///
    /// # Errors
    /// As [`service::Service::add_site`].
    pub async fn add_site(&self, draft: SiteDraft) -> Result<FormSuccess> {
        self.service.add_site(&self.viewer.actor, &draft).await?;
        Ok(FormSuccess::new(
            format!("The site {} was added.", draft.name),
            "/rooms/sites",
        ))
    }

    /// Edits a site.
    ///
    /// # Errors
    /// As [`service::Service::edit_site`].
    pub async fn edit_site(&self, id: SiteId, draft: SiteDraft) -> Result<FormSuccess> {
        self.service.edit_site(&self.viewer.actor, id, &draft).await?;
        Ok(FormSuccess::new(
            format!("The site {} was changed.", draft.name),
            "/rooms/sites",
        ))
    }

    /// What a file that was sent would become (P0); nothing, where none was.
    ///
    /// # Errors
    /// As [`service::Service::review_rooms`].
    pub async fn review_rooms(&self, upload: Option<Uuid>) -> Result<Option<ImportReview>> {
        let snapshot = self.snapshot_for(Act::EditRooms).await?;
        let Some(upload) = upload else { return Ok(None) };
        let review = self.service.review_rooms(&self.viewer.actor, upload).await?;
        let refused_lines = i64::try_from(review.refused.len()).unwrap_or(i64::MAX);
        let refused = review.refused.into_iter().take(NAMED);
        let rooms = review.first.into_iter().map(|room| ImportedRoom {
            place: room.place,
            name: room.name,
            site: format!("{}, {}", room.site, room.zone.name()),
            ring: ring_view(&snapshot, room.ring),
            devices: i64::try_from(room.devices).unwrap_or(i64::MAX),
        });
        Ok(Some(ImportReview {
            name: review.name,
            adds: counted(review.sites, review.rooms, review.devices),
            refused_lines,
            refused: refused
                .map(|line| (line.place, line.field.to_owned(), line.problem))
                .collect(),
            rooms: rooms.collect(),
        }))
    }

    /// Imports a file that was looked at.
    ///
    /// # Errors
    /// As [`service::Service::import_upload`].
    pub async fn import_rooms(&self, upload: Uuid) -> Result<FormSuccess> {
        let report = self.service.import_upload(&self.viewer.actor, upload).await?;
        let added = counted(report.sites, report.rooms, report.devices);
        Ok(FormSuccess::new(format!("Imported: {added}."), "/rooms"))
    }
}

/// `2 sites, 14 rooms, 30 devices`.
fn counted(sites: usize, rooms: usize, devices: usize) -> String {
    let count =
        |number: usize, one: &str, many: &str| formats::count(i64::try_from(number).unwrap_or(i64::MAX), one, many);
    let mut parts = vec![count(rooms, "room", "rooms"), count(devices, "device", "devices")];
    if sites > 0 {
        parts.insert(0, count(sites, "site", "sites"));
    }
    parts.join(", ")
}

/// What a move into each of the rings would mean for the updates that the room has still to get (R14, K9).
async fn what_moves_mean(snapshot: &mut ReadSnapshot, room: &Room) -> Result<Vec<(String, Vec<String>)>> {
    let live = snapshot.tx.live_rollouts().await?;
    let updates = snapshot.updates_for_planning(&live).await?;
    let rollouts = snapshot.tx.rollouts(&live).await?;
    let mut waiting = Vec::new();
    for (id, update) in &updates {
        let Some(rollout) = rollouts.get(id) else { continue };
        if update.devices_in(room).next().is_none() {
            continue;
        }
        let deployment = snapshot.tx.deployment_of(room.id, *id).await?;
        let has_still_to_start = deployment.as_ref().is_none_or(|deployment| {
            matches!(
                deployment.state,
                DeploymentState::Waiting | DeploymentState::Withdrawn { .. }
            )
        });
        if has_still_to_start {
            let kept_out = update.exclusion(room, room.zone.date(snapshot.now));
            waiting.push((update, rollout, kept_out));
        }
    }
    let year = formats::year(snapshot);
    let next = snapshot.next_window(room, room.zone.date(snapshot.now));
    let next = time_text::window(&next, &room.zone, snapshot.now);
    let meaning = |ring: &Ring| {
        let sentences = waiting.iter().map(|(update, rollout, kept_out)| {
            let title = update.title();
            if let Some(kept_out) = kept_out {
                let why = NotRequired::Excluded(kept_out.clone());
                return format!(
                    "{title}: not in this room. {}",
                    why.sentence(&update.product_name, |date| time_text::date(date, year))
                );
            }
            let paused = match rollout.state {
                RolloutState::Paused { .. } => " It is paused: this applies once it is resumed.",
                RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => "",
            };
            if rollout.has_reached(ring) {
                return format!("{title}: caught up in the next window, {next}.{paused}");
            }
            let calendar = rollout.calendar_at(
                &snapshot.rings,
                &snapshot.freezes,
                &snapshot.organisation.zone,
                snapshot.now,
            );
            let stage = calendar.iter().find(|stage| stage.ring == rollout.ring_of(ring.id));
            match stage {
                Some(stage) => format!(
                    "{title}: with the ring, {}.{paused}",
                    formats::span(stage.starts_on, stage.rollout_ends, year)
                ),
                None => format!("{title} does not reach this ring.{paused}"),
            }
        });
        (ring.id.to_string(), sentences.collect())
    };
    Ok(snapshot.rings.iter().map(meaning).collect())
}

fn room_draft(fields: RoomFields) -> Result<RoomDraft> {
    let invalid = |field: &str, problem: &str| AppError::Invalid {
        field: field.to_owned(),
        problem: problem.to_owned(),
    };
    let capacity = match fields.capacity.trim() {
        "" => 0,
        seats => seats
            .parse()
            .map_err(|_| invalid("capacity", "write a whole number of seats, or leave it empty"))?,
    };
    let site = fields
        .site
        .parse()
        .map_err(|_| invalid("site", "choose the room’s site"))?;
    let state = RoomState::from_word(&fields.state).ok_or_else(|| invalid("state", "onboarding or managed"))?;
    Ok(RoomDraft {
        name: fields.name.into(),
        site,
        building: fields.building.into(),
        floor: fields.floor.into(),
        capacity,
        zone: fields.zone.into(),
        state,
    })
}
