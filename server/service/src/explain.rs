//! Why a room gets an update, or does not (G6, T5).

use chrono::{DateTime, Datelike, Utc};
use domain::deployment::DeploymentState;
use domain::freeze::Freezes;
use domain::ids::RoomId;
use domain::rollout::{PlannedStage, Rollout, RolloutState};
use domain::room::Room;
use domain::settings::Organisation;
use domain::status::{self, RoomStatus};
use domain::update::Update;
use domain::when;
use domain::window::Window;
use serde::Serialize;
use uuid::Uuid;

use crate::Service;
use crate::error::{Result, ServiceError};
use crate::tick::organisation;

/// Every applicable update of a room, with status and reason.
#[derive(Clone, Debug, Serialize)]
pub struct RoomExplanation {
    /// Its name.
    pub room: String,
    /// Its site.
    pub site: String,
    /// Its ring.
    pub ring: String,
    /// Its zone.
    pub zone: String,
    /// Updates of products that it has.
    pub updates: Vec<UpdateExplanation>,
}

/// One update in a room.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateExplanation {
    /// Product and version.
    pub update: String,
    /// Status in the room (T1).
    pub status: String,
    /// Why, in one sentence.
    pub why: String,
    /// The window that it waits for, as text; null: it waits for none.
    pub next_window: Option<String>,
}

impl Service {
    /// Explains a room by its id or its name.
    ///
    /// # Errors
    /// There is no such room, or there are several.
    pub async fn explain_room(&self, which: &str) -> Result<RoomExplanation> {
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        let organisation = organisation(&mut tx).await?;
        let by_id = match which.parse::<Uuid>() {
            Ok(id) => tx.room_record(RoomId(id)).await?,
            Err(_) => None,
        };
        let record = match by_id {
            Some(record) => record,
            None => {
                let mut named = tx.rooms_named(which).await?;
                match (named.pop(), named.is_empty()) {
                    (None, _) => return Err(ServiceError::not_found(format!("Room {which:?}"))),
                    (Some(_), false) => {
                        return Err(ServiceError::conflict(format!(
                            "several rooms are named {which:?}; name one by its id"
                        )));
                    }
                    (Some(record), true) => record,
                }
            }
        };
        let rings = tx.rings().await?;
        let freezes = tx.freezes().await?;
        let ids = tx.all_rollouts().await?;
        let updates = tx.updates(&ids).await?;
        let rollouts = tx.rollouts(&ids).await?;
        let room = tx
            .rooms(&[record.id])
            .await?
            .pop()
            .ok_or_else(|| ServiceError::not_found(format!("Room {which:?}")))?;
        let mut explained = Vec::new();
        for update in updates.values() {
            let Some(rollout) = rollouts.get(&update.id) else {
                continue;
            };
            let has_product = room
                .devices
                .iter()
                .any(|device| device.component(&update.product).is_some());
            let deployment = tx.deployment_of(room.id, update.id).await?;
            if !has_product && deployment.is_none() {
                continue;
            }
            let calendar = rollout.calendar_at(&rings, &freezes, &organisation.zone, now);
            let plan = Plan {
                organisation: &organisation,
                freezes: &freezes,
                calendar: &calendar,
            };
            let standing = stand(&plan, update, rollout, &room, deployment.as_ref(), now);
            explained.push(UpdateExplanation {
                update: update.title(),
                status: standing.status.label().to_owned(),
                why: standing.why,
                next_window: standing.window.map(|window| when::window(&window, &room.zone, now)),
            });
        }
        Ok(RoomExplanation {
            room: record.name,
            site: record.site_name,
            ring: rings.get(record.ring).map_or(String::new(), |ring| ring.name.clone()),
            zone: record.zone.name().to_owned(),
            updates: explained,
        })
    }
}

/// How a room stands to an update: what every page shows of the two.
pub(crate) struct RoomStanding {
    pub(crate) status: RoomStatus,
    pub(crate) why: String,
    pub(crate) window: Option<Window>,
}

/// What a room's standing to an update is read from.
pub(crate) struct Plan<'p> {
    pub(crate) organisation: &'p Organisation,
    pub(crate) freezes: &'p Freezes,
    pub(crate) calendar: &'p [PlannedStage],
}

pub(crate) fn stand(
    plan: &Plan<'_>,
    update: &Update,
    rollout: &Rollout,
    room: &Room,
    deployment: Option<&domain::deployment::Deployment>,
    now: DateTime<Utc>,
) -> RoomStanding {
    let this_year = room.zone.date(now).year();
    let write_date = |date| when::date(date, this_year);
    let hours = plan.organisation.settings.window();
    if let Some(deployment) = deployment {
        let status = status::room(deployment, rollout);
        if status != RoomStatus::NotRequired {
            let waits = matches!(
                deployment.state,
                DeploymentState::Waiting | DeploymentState::Open { started_at: None }
            );
            let window = (waits && status == RoomStatus::Scheduled && deployment.force.is_none()).then(|| {
                Window::next_free(&room.zone, deployment.night, now, hours, |date| {
                    room.frozen(plan.freezes, date)
                })
            });
            let why = match &rollout.state {
                RolloutState::Paused { by, reason, .. } if status == RoomStatus::Paused => {
                    format!("Paused by {by}: {reason}")
                }
                RolloutState::Deprecated { reason, .. } if status == RoomStatus::Deprecated => reason.clone(),
                RolloutState::Paused { .. }
                | RolloutState::Deprecated { .. }
                | RolloutState::Running
                | RolloutState::Finished { .. } => deployment.reason.clone(),
            };
            return RoomStanding { status, why, window };
        }
    }
    let why = match &rollout.state {
        RolloutState::Deprecated { reason, .. } if update.exclusion(room, room.zone.date(now)).is_none() => {
            reason.clone()
        }
        RolloutState::Deprecated { .. }
        | RolloutState::Running
        | RolloutState::Paused { .. }
        | RolloutState::Finished { .. } => {
            let reason = status::not_required(rollout, update, room, plan.calendar, room.zone.date(now));
            reason.sentence(&update.product_name, write_date)
        }
    };
    RoomStanding {
        status: RoomStatus::NotRequired,
        why,
        window: None,
    }
}
