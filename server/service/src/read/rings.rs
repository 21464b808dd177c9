//! Rings as pages and programs read them (R16), and what a change of the rings would move (R9, R10, K9).
//!
//! Start with [`ReadSnapshot::ring_list`]. People change rings in `crate::rings`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::RingId;
use domain::ring::Ring;
use domain::rollout::Rollout;
use serde::Serialize;

use super::ReadSnapshot;
use crate::error::Result;

/// A ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingItem {
    /// Its name, its place and its days.
    pub ring: Ring,
    /// Rooms in it.
    pub rooms: i64,
    /// Days before its first night (R6).
    pub deferment_days: u32,
    /// Days of its rollout and its test period (R5).
    pub completion_days: u32,
    /// When it last received an update.
    pub last_update: Option<DateTime<Utc>>,
}

/// The rings in rollout order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingList {
    pub rings: Vec<RingItem>,
    /// Days of all of them (R7).
    pub total_days: u32,
    /// Days that are left of the 60 (R8).
    pub remaining_days: u32,
}

/// A rollout that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiveRollout {
    /// The title of its update.
    pub title: String,
    pub rollout: Rollout,
}

impl ReadSnapshot {
    /// The rings (R16).
    pub async fn ring_list(&mut self) -> Result<RingList> {
        let rooms = self.rooms_by_ring().await?;
        let mut items = Vec::with_capacity(self.rings.count());
        for ring in self.rings.iter() {
            items.push(RingItem {
                rooms: rooms.get(&ring.id).copied().unwrap_or(0),
                deferment_days: self.rings.deferment_days(ring.id),
                completion_days: ring.completion_days(),
                last_update: self.tx.last_completed_in(ring.id).await?,
                ring: ring.clone(),
            });
        }
        Ok(RingList {
            rings: items,
            total_days: self.rings.total_days(),
            remaining_days: self.rings.remaining_days(None),
        })
    }

    /// Rooms in each ring; one without rooms may be missing.
    pub async fn rooms_by_ring(&mut self) -> Result<BTreeMap<RingId, i64>> {
        Ok(self.tx.rooms_by_ring().await?)
    }

    /// The rollouts that are on their way, in the order in which they begin.
    pub async fn live_rollouts(&mut self) -> Result<Vec<LiveRollout>> {
        let live = self.tx.live_rollouts().await?;
        let mut updates = self.updates_for_planning(&live).await?;
        let rollouts = self.tx.rollouts(&live).await?.into_values();
        let mut running: Vec<LiveRollout> = rollouts
            .map(|rollout| LiveRollout {
                title: updates
                    .remove(&rollout.update)
                    .map_or_else(String::new, |update| update.title()),
                rollout,
            })
            .collect();
        running.sort_by(|a, b| (a.rollout.starts_on, &a.title).cmp(&(b.rollout.starts_on, &b.title)));
        Ok(running)
    }
}
