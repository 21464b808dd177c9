//! Rings (R16), and what people do to them and to the rooms in them (R1–R14).

use domain::access::Act;
use domain::ids::{RingId, RoomId};
use domain::ring::{Ring, RingKind, RingOrder};
use domain::rollout::RolloutState;
use domain::text;
use service::RingFields;

use service::RoomChoice;

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result, ring_view};
use crate::error::AppError;
use crate::formats;
use crate::rings::model::{MovePlan, RingPlan, RingRow, RingsView, RunningRollout};
use crate::rooms::model::RoomsQuery;
use crate::rooms::present::room_filter;

/// Rooms that a dialog names.
const NAMED: i64 = 12;
/// Where the pages of rings are.
const PAGE: &str = "/updates/rings";

impl RequestContext {
    /// The rings (R16).
    pub async fn list_rings(&self) -> Result<RingsView> {
        let mut snapshot = self.snapshot().await?;
        let list = snapshot.ring_list().await?;
        let rows = list.rings.into_iter().map(|item| RingRow {
            id: item.ring.id,
            ring: ring_view(&snapshot, item.ring.id),
            description: item.ring.description,
            preconfigured: item.ring.kind != RingKind::Custom,
            rooms: item.rooms,
            deferment: item.deferment_days,
            rollout_days: item.ring.rollout_days,
            test_days: item.ring.test_days,
            completion: item.completion_days,
            last_update: item
                .last_update
                .map(|at| formats::instant(at, &snapshot.organisation.zone, snapshot.now)),
        });
        Ok(RingsView {
            rows: rows.collect(),
            total: list.total_days,
            remaining: list.remaining_days,
            may_edit: self.viewer.actor.role.may(Act::EditRings),
        })
    }

    /// The rings, and the running rollouts whose dates they move (R10, K9): what the dialogs of rings work with.
    ///
    /// # Errors
    /// Whoever asks may not change rings.
    pub async fn ring_plan(&self) -> Result<RingPlan> {
        let mut snapshot = self.snapshot_for(Act::EditRings).await?;
        let rooms = snapshot.rooms_by_ring().await?;
        let live = snapshot.live_rollouts().await?.into_iter();
        let zone = &snapshot.organisation.zone;
        let running = live.map(|live| RunningRollout {
            title: live.title,
            paused_on: match &live.rollout.state {
                RolloutState::Paused { since, .. } => Some(zone.date(*since)),
                RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
            },
            rollout: live.rollout,
        });
        Ok(RingPlan {
            running: running.collect(),
            sequence: snapshot.rings.clone(),
            rooms,
            freezes: snapshot.freezes.clone(),
            today: zone.date(snapshot.now),
            city: zone.city(),
        })
    }

    /// Adds a ring (R2, R4, R8, R9).
    ///
    /// # Errors
    /// As [`service::Service::add_ring`].
    pub async fn add_ring(&self, fields: RingFields) -> Result<FormSuccess> {
        let name = fields.name.to_string();
        self.service.add_ring(&self.viewer.actor, fields).await?;
        Ok(done(format!("The ring {name} was added.")))
    }

    /// Edits a ring (R10).
    ///
    /// # Errors
    /// As [`service::Service::edit_ring`].
    pub async fn edit_ring(&self, id: RingId, seen: &str, fields: RingFields) -> Result<FormSuccess> {
        // A form of before that was kept, or none: nothing to compare with.
        let seen: Option<Ring> = serde_json::from_str(seen).ok();
        let name = fields.name.to_string();
        self.service
            .edit_ring(&self.viewer.actor, id, seen.as_ref(), fields)
            .await?;
        Ok(done(format!("The ring {name} was changed.")))
    }

    /// Deletes a ring (R11).
    ///
    /// # Errors
    /// As [`service::Service::delete_ring`].
    pub async fn delete_ring(&self, id: RingId, rooms_to: RingId) -> Result<FormSuccess> {
        let deleted = self.service.delete_ring(&self.viewer.actor, id, Some(rooms_to)).await;
        deleted?;
        Ok(done("The ring was deleted.".to_owned()))
    }

    /// What the dialog that moves rooms works with: of those that are named, or of all that match.
    ///
    /// # Errors
    /// Whoever asks may not move rooms.
    pub async fn move_plan(&self, rooms: Vec<RoomId>, matching: Option<RoomsQuery>) -> Result<MovePlan> {
        let rings = self.ring_plan().await?;
        let mut snapshot = self.snapshot().await?;
        let (number, named) = match matching {
            Some(query) => {
                let matching = snapshot.matching_rooms(&room_filter(&query), NAMED).await?;
                (matching.total, matching.first)
            }
            None => (
                i64::try_from(rooms.len()).unwrap_or(i64::MAX),
                rooms
                    .into_iter()
                    .take(usize::try_from(NAMED).unwrap_or(0))
                    .collect::<Vec<_>>(),
            ),
        };
        let names = snapshot.room_names(&named).await?;
        Ok(MovePlan {
            rings,
            number,
            names: names
                .into_iter()
                .map(|room| format!("{}, {}", room.name, room.site))
                .collect(),
        })
    }

    /// Moves rooms into a ring (R12–R14): those that are named, or all that match, of which so many were seen.
    ///
    /// # Errors
    /// As [`service::Service::move_rooms`].
    pub async fn move_rooms(
        &self,
        rooms: Vec<RoomId>,
        matching: Option<(RoomsQuery, i64)>,
        from: Option<RingId>,
        to: RingId,
    ) -> Result<FormSuccess> {
        let which = match matching {
            Some((query, seen)) => RoomChoice::Matching(room_filter(&query), seen),
            None => RoomChoice::Named(rooms),
        };
        let moved = self.service.move_rooms(&self.viewer.actor, &which, from, to).await?;
        let there = match moved.there_already {
            0 => String::new(),
            1 => " One was already in the ring.".to_owned(),
            some => format!(" {some} were already in the ring."),
        };
        let text = match moved.moved {
            1 => "The room was moved.".to_owned(),
            rooms => format!("{rooms} rooms were moved."),
        };
        Ok(FormSuccess::new(
            format!("{text}{there}"),
            format!("/updates/rooms?ring={to}"),
        ))
    }
}

fn done(text: String) -> FormSuccess {
    FormSuccess::new(text, PAGE)
}

/// A ring as a form has it; an empty order: none, as for the pinned ones.
pub(crate) fn fields(
    name: String,
    description: String,
    order: &str,
    rollout_days: u32,
    test_days: u32,
) -> Result<RingFields> {
    let order = match order.trim() {
        "" => None,
        order => Some(order.parse::<RingOrder>().map_err(|refusal| AppError::Invalid {
            field: "order".to_owned(),
            problem: text::ring::sentence(&refusal),
        })?),
    };
    Ok(RingFields {
        name: name.into(),
        description: description.into(),
        order,
        rollout_days,
        test_days,
    })
}
