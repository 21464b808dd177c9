//! Why a room gets an update, or does not (G6, T5).

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use domain::clean::CleanLine;
use domain::deployment::{Deployment, Force, Night};
use domain::freeze::Freezes;
use domain::ids::RoomId;
use domain::rollout::{PlannedStage, Rollout, RolloutState};
use domain::room::Room;
use domain::settings::Organisation;
use domain::status::{self, RoomStatus};
use domain::time_text;
use domain::update::Update;
use domain::window::Window;
use domain::zone::Zone;
use serde::Serialize;
use store::{RoomRecord, Tx};
use uuid::Uuid;

use crate::Service;
use crate::error::{Result, ServiceError};
use crate::tick::organisation;

/// Every applicable update of a room, with status and reason.
#[derive(Clone, Debug, Serialize)]
pub struct RoomExplanation {
    /// Its name.
    pub room: String,
    pub site: String,
    pub ring: String,
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
    pub async fn explain_room(&self, which: &CleanLine) -> Result<RoomExplanation> {
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        let organisation = organisation(&mut tx).await?;
        let record = room_by_id_or_name(&mut tx, which.as_str()).await?;
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
            let facts = StatusFacts {
                organisation: &organisation,
                freezes: &freezes,
                calendar: &calendar,
            };
            let in_room = status_in_room(&facts, update, rollout, &room, deployment.as_ref(), now);
            explained.push(UpdateExplanation {
                update: update.title(),
                status: in_room.status.label().to_owned(),
                why: in_room.why,
                next_window: in_room
                    .start
                    .and_then(|start| Some(time_text::window(start.window()?, &room.zone, now))),
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

async fn room_by_id_or_name(tx: &mut Tx, which: &str) -> Result<RoomRecord> {
    if let Ok(id) = which.parse::<Uuid>()
        && let Some(record) = tx.room_record(RoomId(id)).await?
    {
        return Ok(record);
    }
    let mut named = tx.rooms_named(which).await?;
    match (named.pop(), named.is_empty()) {
        (None, _) => Err(ServiceError::not_found(format!("Room {which:?}"))),
        (Some(record), true) => Ok(record),
        (Some(_), false) => Err(ServiceError::conflict(format!(
            "several rooms are named {which:?}; name one by its id"
        ))),
    }
}

/// When an update starts in a room, as far as that can be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedStart {
    /// In this window.
    Window(Window),
    /// It is forced and waits for no window (K5).
    Forced(Force),
    /// It is forced, and nothing starts in the room before this date (W6).
    AfterFreeze(NaiveDate),
    /// Once its update is resumed (K3).
    AfterResume,
    /// It has started.
    Running,
    /// It has failed and starts again when somebody retries it (K4).
    AfterRetry,
}

/// When what is forced starts (K5).
#[must_use]
pub fn forced_words(force: Force) -> &'static str {
    match force {
        Force::Now => "As soon as it polls",
        Force::WhenAvailable => "When the room is free",
    }
}

impl ExpectedStart {
    /// The window in which it starts, where it is known.
    fn window(&self) -> Option<&Window> {
        match self {
            Self::Window(window) => Some(window),
            Self::Forced(_) | Self::AfterFreeze(_) | Self::AfterResume | Self::Running | Self::AfterRetry => None,
        }
    }

    /// In words: `Wed 25 Nov, 00:00–05:00 (Berlin)`, `Only after a retry`. `zone`: the room's.
    #[must_use]
    pub fn words(&self, zone: &Zone, now: DateTime<Utc>) -> String {
        match self {
            Self::Window(window) => time_text::window(window, zone, now),
            Self::Forced(force) => forced_words(*force).to_owned(),
            Self::AfterFreeze(date) => {
                let this_year = zone.date(now).year();
                format!("After the freeze, on {}", time_text::date(*date, this_year))
            }
            Self::AfterResume => "After the resume".to_owned(),
            Self::Running => "Running".to_owned(),
            Self::AfterRetry => "Only after a retry".to_owned(),
        }
    }
}

/// The status of an update in a room: what every page shows of the two.
pub(crate) struct StatusInRoom {
    pub(crate) status: RoomStatus,
    pub(crate) why: String,
    pub(crate) start: Option<ExpectedStart>,
}

/// What the status of an update in a room follows from.
pub(crate) struct StatusFacts<'p> {
    pub(crate) organisation: &'p Organisation,
    pub(crate) freezes: &'p Freezes,
    pub(crate) calendar: &'p [PlannedStage],
}

pub(crate) fn status_in_room(
    facts: &StatusFacts<'_>,
    update: &Update,
    rollout: &Rollout,
    room: &Room,
    deployment: Option<&Deployment>,
    now: DateTime<Utc>,
) -> StatusInRoom {
    let this_year = room.zone.date(now).year();
    let write_date = |date| time_text::date(date, this_year);
    if let Some(deployment) = deployment {
        let status = status::room(deployment.progress(), &rollout.state);
        if status != RoomStatus::NotRequired {
            let start = start(facts, rollout, room, deployment, status, now);
            let why = match &rollout.state {
                RolloutState::Paused { by, reason, .. } if status == RoomStatus::Paused => {
                    format!("Paused by {by}: {reason}")
                }
                RolloutState::Deprecated { reason, .. } if status == RoomStatus::Deprecated => reason.sentence(),
                RolloutState::Paused { .. }
                | RolloutState::Deprecated { .. }
                | RolloutState::Running
                | RolloutState::Finished { .. } => deployment.reason.sentence(),
            };
            return StatusInRoom { status, why, start };
        }
    }
    let why = match &rollout.state {
        RolloutState::Deprecated { reason, .. } if update.exclusion(room, room.zone.date(now)).is_none() => {
            reason.sentence()
        }
        RolloutState::Deprecated { .. }
        | RolloutState::Running
        | RolloutState::Paused { .. }
        | RolloutState::Finished { .. } => {
            let reason = status::not_required(rollout, update, room, facts.calendar, room.zone.date(now));
            reason.sentence(&update.product_name, write_date)
        }
    };
    StatusInRoom {
        status: RoomStatus::NotRequired,
        why,
        start: None,
    }
}

/// When the deployment, which has this status, starts; `None`: it is over.
fn start(
    facts: &StatusFacts<'_>,
    rollout: &Rollout,
    room: &Room,
    deployment: &Deployment,
    status: RoomStatus,
    now: DateTime<Utc>,
) -> Option<ExpectedStart> {
    match status {
        RoomStatus::Scheduled => Some(match deployment.night {
            Night::Planned { date, .. } | Night::NextWindow { date, .. } => {
                ExpectedStart::Window(next_window(facts.organisation, facts.freezes, room, date, now))
            }
            Night::Forced { how: force, .. } => match freeze_ends_on(facts, room, now) {
                Some(date) => ExpectedStart::AfterFreeze(date),
                None => ExpectedStart::Forced(force),
            },
        }),
        RoomStatus::InProgress => Some(ExpectedStart::Running),
        RoomStatus::Paused => Some(ExpectedStart::AfterResume),
        RoomStatus::Failed => match rollout.state {
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => {
                Some(ExpectedStart::AfterRetry)
            }
            RolloutState::Deprecated { .. } => None,
        },
        RoomStatus::NotRequired | RoomStatus::Completed | RoomStatus::Deprecated => None,
    }
}

/// The window in which a deployment of that night starts, which waits in the room and is not forced (W6).
pub(crate) fn next_window(
    organisation: &Organisation,
    freezes: &Freezes,
    room: &Room,
    night: NaiveDate,
    now: DateTime<Utc>,
) -> Window {
    let hours = organisation.settings.window();
    Window::next_free(&room.zone, night, now, hours, |date| room.freeze_on(freezes, date))
}

/// The first date on which something may start in a room that is frozen today; `None`: it is not.
fn freeze_ends_on(facts: &StatusFacts<'_>, room: &Room, now: DateTime<Utc>) -> Option<NaiveDate> {
    let today = room.zone.date(now);
    let mut date = today;
    while let Some(freeze) = room.freeze_on(facts.freezes, date) {
        date = freeze.until + Days::new(1);
    }
    (date > today).then_some(date)
}
