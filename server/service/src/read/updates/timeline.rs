//! The rings of an update in dates, with their nights (P3).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::deployment::Progress;
use domain::freeze::Shift;
use domain::ids::{StageOf, UpdateId};
use domain::rollout::{PlannedStage, RolloutState};
use domain::status::{self, RingStatus, RoomStatus, RoomsByStatus};
use serde::Serialize;

use super::UpdateSummary;
use crate::error::Result;
use crate::estate_counts::RoomsByNight;
use crate::read::ReadSnapshot;

/// A ring of an update, in dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateStage {
    /// The ring and its dates.
    pub planned: PlannedStage,
    /// Its status (T2).
    pub status: RingStatus,
    /// Rooms with a deployment, by status, catch-ups aside.
    pub rooms: RoomsByStatus,
    /// Catch-ups of its rooms (S11).
    pub catch_ups: i64,
    /// Rooms that would get the update and have no deployment.
    pub ahead: i64,
    /// Its nights with rooms, in order; those of catch-ups aside.
    pub nights: Vec<UpdateNight>,
}

/// A night of a ring: the rooms whose night it is, as it was planned when the ring was entered. While the update is paused, rooms that wait
/// stand on the night that they have if it is resumed today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateNight {
    /// The date, in the rooms' zones.
    pub night: NaiveDate,
    /// Rooms with the update.
    pub completed: i64,
    /// Rooms in which it failed.
    pub failed: i64,
    /// Rooms in which it runs.
    pub in_progress: i64,
    /// Rooms that wait.
    pub scheduled: i64,
    /// Rooms wait for a window that opens within a day.
    pub tonight: bool,
}

/// What is known of an update's nights.
struct Nights {
    /// Ring, night as planned, what they have come to, rooms.
    rooms: Vec<(StageOf, NaiveDate, Progress, i64)>,
    /// Ring and night as planned of those that wait for a window of tonight.
    tonight: BTreeSet<(StageOf, NaiveDate)>,
    /// How a pause that still lasts moves what waits, if it ends today.
    resumed: Option<Shift>,
}

impl Nights {
    fn of(&self, ring: StageOf, rollout: &RolloutState) -> Vec<UpdateNight> {
        let mut nights: BTreeMap<NaiveDate, UpdateNight> = BTreeMap::new();
        for (_, planned, progress, rooms) in self.rooms.iter().filter(|(of, ..)| *of == ring) {
            let night = match &self.resumed {
                Some(resumed) if *progress == Progress::NotStarted => resumed.date(ring, *planned),
                Some(_) | None => *planned,
            };
            let counted = nights.entry(night).or_insert(UpdateNight {
                night,
                completed: 0,
                failed: 0,
                in_progress: 0,
                scheduled: 0,
                tonight: false,
            });
            match status::room(*progress, rollout) {
                RoomStatus::Completed => counted.completed += rooms,
                RoomStatus::Failed => counted.failed += rooms,
                RoomStatus::InProgress => counted.in_progress += rooms,
                RoomStatus::Scheduled | RoomStatus::Paused => counted.scheduled += rooms,
                // Nobody waits for what was deprecated.
                RoomStatus::Deprecated | RoomStatus::NotRequired => {}
            }
            counted.tonight |= self.tonight.contains(&(ring, *planned));
        }
        nights.into_values().collect()
    }
}

impl ReadSnapshot {
    /// The rings of an update in dates, with their nights.
    pub(super) async fn update_stages(&mut self, summary: &UpdateSummary) -> Result<Vec<UpdateStage>> {
        let rollout = &summary.rollout;
        let zone = self.organisation.zone.clone();
        let nights = Nights {
            rooms: self.rooms_by_night(summary.update.id).await?,
            tonight: self.nights_of_tonight(rollout).await?,
            resumed: match &rollout.state {
                RolloutState::Paused { since, .. } => {
                    let (since, today) = (zone.date(*since), zone.date(self.now));
                    Some(rollout.shift_by_pause(since, today, &self.freezes))
                }
                RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
            },
        };
        let status_date = rollout.status_date(&zone, self.now);
        let stages = summary.calendar.iter().map(|stage| {
            let counts = rollout.counts_of(stage.ring);
            UpdateStage {
                planned: stage.clone(),
                status: status::ring(rollout, stage, status_date),
                rooms: status::rooms(&counts, &rollout.state),
                catch_ups: counts.catch_up,
                ahead: summary.waiting.get(&stage.ring).copied().unwrap_or(0),
                nights: nights.of(stage.ring, &rollout.state),
            }
        });
        Ok(stages.collect())
    }

    /// [`store::Tx::rooms_by_night`]; of a large estate as it was a moment ago.
    async fn rooms_by_night(&mut self, update: UpdateId) -> Result<Vec<(StageOf, NaiveDate, Progress, i64)>> {
        self.estate_count(&RoomsByNight(update)).await
    }
}
