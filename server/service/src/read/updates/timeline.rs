//! The rings of an update in dates, with their nights (P3).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::freeze::Shift;
use domain::ids::{RingId, UpdateId};
use domain::rollout::{Counts, PlannedStage, RolloutState};
use domain::status::{self, RingStatus};
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
    /// Its deployments, counted.
    pub counts: Counts,
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
    /// Ring, night as planned, how they stand, rooms.
    rooms: Vec<(RingId, NaiveDate, String, i64)>,
    /// Ring and night as planned of those that wait for a window of tonight.
    tonight: BTreeSet<(RingId, NaiveDate)>,
    /// How a pause that still lasts moves what waits, if it ends today.
    resumed: Option<Shift>,
}

impl Nights {
    fn of(&self, ring: RingId) -> Vec<UpdateNight> {
        let mut nights: BTreeMap<NaiveDate, UpdateNight> = BTreeMap::new();
        for (_, planned, stands, rooms) in self.rooms.iter().filter(|(of, ..)| *of == ring) {
            let night = match &self.resumed {
                Some(resumed) if stands == "waiting" => resumed.date(ring, *planned),
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
            match stands.as_str() {
                "completed" => counted.completed += rooms,
                "failed" => counted.failed += rooms,
                "running" => counted.in_progress += rooms,
                // Nobody waits for what was deprecated.
                "withdrawn" => {}
                _ => counted.scheduled += rooms,
            }
            counted.tonight |= self.tonight.contains(&(ring, *planned));
        }
        nights.into_values().collect()
    }
}

impl ReadSnapshot {
    /// The rings of an update in dates, with their nights.
    ///
    /// # Errors
    /// The database fails.
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
        let stages = summary.calendar.iter().map(|stage| UpdateStage {
            planned: stage.clone(),
            status: status::ring(rollout, stage, status_date),
            counts: rollout.counts_of(stage.ring),
            ahead: summary.waiting.get(&stage.ring).copied().unwrap_or(0),
            nights: nights.of(stage.ring),
        });
        Ok(stages.collect())
    }

    /// [`store::Tx::rooms_by_night`]; of a large estate as it was a moment ago.
    async fn rooms_by_night(&mut self, update: UpdateId) -> Result<Vec<(RingId, NaiveDate, String, i64)>> {
        self.estate_count(&RoomsByNight(update)).await
    }
}
