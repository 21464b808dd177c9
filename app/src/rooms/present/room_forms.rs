//! What people change about a room, and what its dialogs start from (P0, R13).

use domain::access::Act;
use domain::ids::{RingId, RoomId};
use domain::status::NotRequired;
use domain::time_text;
use domain::zone::{self, Zone};
use service::RoomChoice;
use service::read::ReadSnapshot;
use service::read::rooms::{AfterMove, EditableRoom, RingMove, UpdateAfterMove};
use service::rooms::{LONGEST_NAME, RoomDraft};

use super::ring_choices;
use crate::components::model::{Choice, FormSuccess};
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::formats;
use crate::rooms::model::{RoomFields, RoomForm};

impl RequestContext {
    /// What the dialogs of a room start from; without a room, that of a new one. What `moves` into other rings would mean takes a look
    /// at every running rollout.
    ///
    /// # Errors
    /// Whoever asks may not change rooms, or there is no such room.
    pub async fn room_form(&self, id: Option<RoomId>, moves: bool) -> Result<RoomForm> {
        let mut snapshot = self.snapshot_for(Act::EditRooms).await?;
        let sites = snapshot.sites().await?.into_iter();
        let sites = sites.map(|site| Choice {
            value: site.id.to_string(),
            label: format!("{} ({})", site.name, site.zone.name()),
        });
        let form = RoomForm {
            ring: snapshot.rings.general().id.to_string(),
            sites: sites.collect(),
            rings: ring_choices(&snapshot),
            zones: zone::names(),
            longest_name: u32::try_from(LONGEST_NAME).unwrap_or(u32::MAX),
            ..RoomForm::default()
        };
        let Some(id) = id else { return Ok(form) };
        let room = snapshot.room_to_edit(id).await?;
        let moves = if moves {
            let moves = snapshot.moves_of_room(id).await?.into_iter();
            moves.map(|ring| move_view(&snapshot, &room.zone, ring)).collect()
        } else {
            Vec::new()
        };
        Ok(RoomForm {
            moves,
            ..filled(form, room)
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
}

/// The form of a room that is there.
fn filled(form: RoomForm, room: EditableRoom) -> RoomForm {
    RoomForm {
        id: Some(room.id),
        name: room.name,
        site: room.site.to_string(),
        building: room.building,
        floor: room.floor,
        capacity: Some(room.capacity)
            .filter(|seats| *seats > 0)
            .map_or_else(String::new, |seats| seats.to_string()),
        zone: if room.zone_is_own {
            room.zone.name().to_owned()
        } else {
            String::new()
        },
        revision: room.revision,
        ring: room.ring.to_string(),
        ..form
    }
}

/// What a move into a ring would mean: its id, and a sentence for each update. `zone`: the room's.
fn move_view(snapshot: &ReadSnapshot, zone: &Zone, ring: RingMove) -> (String, Vec<String>) {
    let sentences = ring.updates.iter().map(|update| after_move(snapshot, zone, update));
    (ring.ring.to_string(), sentences.collect())
}

fn after_move(snapshot: &ReadSnapshot, zone: &Zone, update: &UpdateAfterMove) -> String {
    let (title, year) = (&update.title, formats::year(snapshot));
    let paused = if update.is_paused {
        " It is paused: this applies once it is resumed."
    } else {
        ""
    };
    match &update.outcome {
        AfterMove::KeptOut { exclusion } => {
            let why = NotRequired::Excluded(exclusion.clone());
            let why = why.sentence(&update.product_name, |date| time_text::date(date, year));
            format!("{title}: not in this room. {why}")
        }
        AfterMove::CaughtUp { window } => {
            let next = time_text::window(window, zone, snapshot.now);
            format!("{title}: caught up in the next window, {next}.{paused}")
        }
        AfterMove::WithRing { stage } => {
            let span = formats::span(stage.starts_on, stage.rollout_ends, year);
            format!("{title}: with the ring, {span}.{paused}")
        }
        AfterMove::NotReached => format!("{title} does not reach this ring.{paused}"),
    }
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
    Ok(RoomDraft {
        name: fields.name.into(),
        site,
        building: fields.building.into(),
        floor: fields.floor.into(),
        capacity,
        zone: fields.zone.into(),
    })
}
