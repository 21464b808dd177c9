//! Updates as pages, files and programs read them: the list (T9, T10), and one of them (P3).
//!
//! It must hold no words for the screen, and decide nothing: statuses and dates are the domain's. Start with [`UpdateSummary`]. Its rooms
//! are in [`rooms`], its rings in dates in [`timeline`], what may be done with it in [`controls`].

pub mod controls;
pub mod rooms;
pub mod timeline;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::{ProductId, RingId, StageOf, UpdateId};
use domain::rollout::{Counts, PlannedStage, Rollout, RolloutState};
use domain::status::{self, UpdateStatus};
use domain::update::{ProductKind, Severity, titled};
use serde::{Deserialize, Serialize};
use store::PublishedRecord;

use self::controls::UpdateControl;
use self::rooms::UpdateRoomCounts;
use self::timeline::UpdateStage;
use super::portfolio::{ReleaseFile, ReleaseSummary};
use super::search::searched;
use super::tickets::TicketItem;
use super::{HistoryEntry, NumberedPage, ReadSnapshot, Wanted};
use crate::error::{Result, ServiceError};
use crate::estate_counts::WaitingByRing;

/// What a published update is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedUpdate {
    /// Identity.
    pub id: UpdateId,
    /// The name of its product, as the release says it.
    pub product_name: String,
    /// Version, as the vendor writes it.
    pub version: String,
    pub vendor: String,
    pub product: ProductId,
    /// Kind of product.
    pub kind: ProductKind,
    /// How urgent.
    pub severity: Severity,
    /// An admin has seen its failures (T9).
    pub acknowledged: bool,
}

impl PublishedUpdate {
    /// `Teams Rooms app 5.2.115.0`.
    #[must_use]
    pub fn title(&self) -> String {
        titled(&self.product_name, &self.version)
    }

    fn of(record: PublishedRecord) -> Self {
        Self {
            id: record.id,
            product_name: record.title,
            version: record.version,
            vendor: record.vendor,
            product: record.product,
            kind: record.kind,
            severity: record.severity,
            acknowledged: record.acknowledged,
        }
    }
}

/// An update with what follows from its facts.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateSummary {
    /// What it is.
    pub update: PublishedUpdate,
    pub rollout: Rollout,
    /// Its status (T3).
    pub status: UpdateStatus,
    /// Its rings in dates.
    pub calendar: Vec<PlannedStage>,
    /// The first night, with what freezes do to it.
    pub starts_on: NaiveDate,
    /// The last day, as it is projected now; of a deprecated update the day on which that was stopped.
    pub ends_on: NaiveDate,
    /// Where it is among its days, while it is in progress or paused.
    pub plan_day: Option<PlanDay>,
    /// Rooms that would get it and have no deployment, by the ring in whose plan they stand ([`Rollout::ring_of`]).
    pub waiting: BTreeMap<StageOf, i64>,
    /// Its deployments, counted.
    pub counts: Counts,
}

impl UpdateSummary {
    /// All rooms that would get it and have no deployment.
    #[must_use]
    pub fn ahead(&self) -> i64 {
        self.waiting.values().sum()
    }

    /// All rooms that it concerns: with a deployment, and waiting for their ring.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.counts.total() + self.ahead()
    }

    /// Whether the rollout was deprecated before it came to this ring of its calendar (T8). Which of the ring's rooms need the update does
    /// not matter any more.
    #[must_use]
    pub fn was_not_reached(&self, stage: &PlannedStage) -> bool {
        match self.rollout.state {
            RolloutState::Deprecated { .. } => !stage.entered,
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => false,
        }
    }
}

/// A day of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanDay {
    /// From 1; pauses and frozen dates do not count.
    pub day: u32,
    /// All days of the plan.
    pub of: u32,
}

/// One update, with all but its rooms (P3).
#[derive(Clone, Debug, Serialize)]
pub struct UpdateDetail {
    /// The update and its status.
    pub summary: UpdateSummary,
    /// What its release says.
    pub release: ReleaseSummary,
    /// Who published it. When: [`Rollout::published_at`].
    pub published_by: String,
    pub files: Vec<ReleaseFile>,
    /// Its rings in dates, with their nights.
    pub stages: Vec<UpdateStage>,
    /// How many rooms have which status.
    pub rooms: UpdateRoomCounts,
    /// Its tickets, open ones first; 50 at most.
    pub tickets: Vec<TicketItem>,
    /// Its history, newest first; 100 entries at most.
    pub history: Vec<HistoryEntry>,
    /// What may be done with it now, by whoever may control updates.
    pub controls: Vec<UpdateControl>,
}

/// Which updates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateFilter {
    /// A part of the title or of the vendor's name, as somebody types it; empty: any.
    pub words: String,
    pub status: Wanted<UpdateStatus>,
    pub severity: Wanted<Severity>,
    /// A kind of product.
    pub kind: Wanted<ProductKind>,
    /// A vendor, by its name.
    pub vendor: Option<String>,
    /// Also those that concern nobody any more (T9).
    pub past: bool,
}

impl UpdateFilter {
    /// `words`: [`UpdateFilter::words`], [`searched`].
    fn takes(&self, words: &str, summary: &UpdateSummary) -> bool {
        let update = &summary.update;
        (words.is_empty()
            || update.title().to_lowercase().contains(words)
            || update.vendor.to_lowercase().contains(words))
            && self.status.takes(&summary.status)
            && self.severity.takes(&update.severity)
            && self.kind.takes(&update.kind)
            && self.vendor.as_ref().is_none_or(|vendor| *vendor == update.vendor)
    }
}

/// By what a list of updates is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateSort {
    /// What needs people first, then what runs, then what comes, then what is over; the newest first in each.
    #[default]
    Urgency,
    /// Title.
    Name,
    Status,
    Severity,
    /// The date of the first ring's first night.
    Starts,
    /// The last date, as it is projected now.
    Ends,
}

/// The order of a list of updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateOrder {
    /// By what.
    pub by: UpdateSort,
    /// The other way round.
    pub reversed: bool,
}

impl UpdateOrder {
    fn sort(self, updates: &mut [UpdateSummary]) {
        let ends = |summary: &UpdateSummary| summary.calendar.last().map(|stage| stage.test_ends);
        match self.by {
            UpdateSort::Urgency => {
                updates.sort_by_key(|summary| (urgency(summary.status), Reverse(summary.rollout.starts_on)));
            }
            UpdateSort::Name => updates.sort_by_key(|summary| summary.update.title().to_lowercase()),
            UpdateSort::Status => updates.sort_by_key(|summary| summary.status),
            UpdateSort::Severity => updates.sort_by_key(|summary| summary.update.severity),
            UpdateSort::Starts => updates.sort_by_key(|summary| summary.rollout.starts_on),
            UpdateSort::Ends => updates.sort_by_key(ends),
        }
        if self.reversed {
            updates.reverse();
        }
    }
}

fn urgency(status: UpdateStatus) -> u8 {
    match status {
        UpdateStatus::Paused => 0,
        UpdateStatus::CompletedWithFailures => 1,
        UpdateStatus::InProgress => 2,
        UpdateStatus::Scheduled => 3,
        UpdateStatus::Completed => 4,
        UpdateStatus::Deprecated => 5,
        UpdateStatus::NotRequired => 6,
    }
}

/// A page of the list of updates.
#[derive(Clone, Debug, Serialize)]
pub struct UpdatePage {
    /// The updates of this page.
    pub updates: Vec<UpdateSummary>,
    /// Updates on all pages.
    pub total: i64,
    /// The vendors of all updates, whatever the filter says.
    pub vendors: Vec<String>,
}

/// Updates that are asked about at once.
const BATCH: usize = 500;
/// Entries of an update's history.
const MOST_HISTORY: i64 = 100;

fn status_of(rollout: &Rollout, waiting: &BTreeMap<StageOf, i64>) -> UpdateStatus {
    status::update(rollout, waiting.values().any(|rooms| *rooms > 0))
}

impl ReadSnapshot {
    /// Published updates with their statuses. `past`: also those that concern nobody any more (T9).
    pub async fn updates(&mut self, past: bool) -> Result<Vec<UpdateSummary>> {
        let records = self.tx.published(!past).await?;
        let ids: Vec<UpdateId> = records.iter().map(|record| record.id).collect();
        let mut rollouts = BTreeMap::new();
        for batch in ids.chunks(BATCH) {
            rollouts.extend(self.tx.rollouts(batch).await?);
        }
        let mut ahead = self.waiting_by_ring(rollouts.values()).await?;
        let mut summaries = Vec::with_capacity(records.len());
        for record in records {
            let Some(rollout) = rollouts.remove(&record.id) else {
                continue;
            };
            let ahead = ahead.remove(&record.id).unwrap_or_default();
            let summary = self.summary(PublishedUpdate::of(record), rollout, ahead);
            let stays_in_portfolio = summary.status == UpdateStatus::NotRequired;
            let shown = past || summary.status.is_active(summary.update.acknowledged);
            if shown && !stays_in_portfolio {
                summaries.push(summary);
            }
        }
        Ok(summaries)
    }

    /// A page of the list of updates (T9, T10).
    pub async fn update_page(
        &mut self,
        filter: &UpdateFilter,
        order: UpdateOrder,
        page: NumberedPage,
    ) -> Result<UpdatePage> {
        let all = self.updates(filter.past).await?;
        let mut vendors: Vec<String> = all.iter().map(|summary| summary.update.vendor.clone()).collect();
        vendors.sort();
        vendors.dedup();
        let words = searched(&filter.words);
        let found = all.into_iter().filter(|summary| filter.takes(&words, summary));
        let mut found: Vec<UpdateSummary> = found.collect();
        order.sort(&mut found);
        let total = i64::try_from(found.len()).unwrap_or(0);
        let first = usize::try_from(page.offset()).unwrap_or(0);
        let limit = usize::try_from(page.limit).unwrap_or(0);
        Ok(UpdatePage {
            updates: found.into_iter().skip(first).take(limit).collect(),
            total,
            vendors,
        })
    }

    /// One update with its status.
    ///
    /// # Errors
    /// It was not published.
    pub async fn update(&mut self, id: UpdateId) -> Result<UpdateSummary> {
        Ok(self.update_with_release(id).await?.0)
    }

    /// One update with all but its rooms (P3).
    ///
    /// # Errors
    /// It was not published.
    pub async fn update_detail(&mut self, id: UpdateId) -> Result<UpdateDetail> {
        let (summary, release) = self.update_with_release(id).await?;
        let published = self.tx.published_at(id).await?;
        Ok(UpdateDetail {
            release,
            published_by: published.map_or_else(String::new, |(_, by)| by),
            files: self.release_files(id).await?,
            stages: self.update_stages(&summary).await?,
            rooms: self.update_room_counts(&summary).await?,
            tickets: self.tickets_of_update(id).await?,
            history: self.history_of("update", &id.to_string(), MOST_HISTORY).await?,
            controls: self.possible_controls(&summary),
            summary,
        })
    }

    async fn update_with_release(&mut self, id: UpdateId) -> Result<(UpdateSummary, ReleaseSummary)> {
        let missing = || ServiceError::not_found("This update");
        let release = self.tx.release(id).await?.ok_or_else(missing)?;
        let release = ReleaseSummary::of(release);
        let rollout = self.tx.rollout(id).await?.ok_or_else(missing)?;
        let update = PublishedUpdate {
            id,
            product_name: release.product_name.clone(),
            version: release.version.clone(),
            vendor: release.vendor.clone(),
            product: release.product.clone(),
            kind: release.kind,
            severity: release.severity,
            acknowledged: self.tx.is_acknowledged(id).await?,
        };
        let mut ahead = self.waiting_by_ring(std::iter::once(&rollout)).await?;
        let ahead = ahead.remove(&id).unwrap_or_default();
        Ok((self.summary(update, rollout, ahead), release))
    }

    /// The statuses of published updates.
    pub async fn statuses(&mut self, ids: &[UpdateId]) -> Result<BTreeMap<UpdateId, UpdateStatus>> {
        let rollouts = self.tx.rollouts(ids).await?;
        let mut ahead = self.waiting_by_ring(rollouts.values()).await?;
        let statuses = rollouts.into_iter().map(|(id, rollout)| {
            let waiting = self.waiting(&rollout, ahead.remove(&id).unwrap_or_default());
            (id, status_of(&rollout, &waiting))
        });
        Ok(statuses.collect())
    }

    /// [`store::Tx::waiting_by_ring`] for what is on its way; of a large estate as it was a moment ago.
    async fn waiting_by_ring(
        &mut self,
        rollouts: impl Iterator<Item = &Rollout>,
    ) -> Result<BTreeMap<UpdateId, BTreeMap<RingId, i64>>> {
        // What is over waits for nobody.
        let on_its_way = rollouts.filter_map(|rollout| match rollout.state {
            RolloutState::Running | RolloutState::Paused { .. } => Some(rollout.update),
            RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        });
        let on_its_way: Vec<UpdateId> = on_its_way.collect();
        let today = self.organisation.zone.date(self.now);
        let mut ahead = BTreeMap::new();
        if self.database_of_large_estate().await?.is_some() {
            for update in on_its_way {
                ahead.insert(update, self.estate_count(&WaitingByRing(update, today)).await?);
            }
        } else {
            for batch in on_its_way.chunks(BATCH) {
                ahead.extend(self.tx.waiting_by_ring(batch, today).await?);
            }
        }
        Ok(ahead)
    }

    /// Of the rooms in each ring that would get it those whose ring is still ahead, by the ring in whose plan they stand.
    fn waiting(&self, rollout: &Rollout, ahead: BTreeMap<RingId, i64>) -> BTreeMap<StageOf, i64> {
        let mut waiting = BTreeMap::new();
        for (ring, rooms) in ahead {
            let reached = self.rings.get(ring).is_some_and(|ring| rollout.has_reached(ring));
            if !reached {
                *waiting.entry(rollout.ring_of(ring)).or_insert(0) += rooms;
            }
        }
        waiting
    }

    fn summary(&self, update: PublishedUpdate, rollout: Rollout, ahead: BTreeMap<RingId, i64>) -> UpdateSummary {
        let zone = &self.organisation.zone;
        let waiting = self.waiting(&rollout, ahead);
        let status = status_of(&rollout, &waiting);
        let calendar = self.calendar_of(&rollout);
        let projected = calendar.last().and_then(|stage| stage.test_ends.pred_opt());
        UpdateSummary {
            status,
            starts_on: calendar.first().map_or(rollout.starts_on, |stage| stage.starts_on),
            ends_on: match &rollout.state {
                // What was stopped has no days ahead.
                RolloutState::Deprecated { at, .. } => zone.date(*at),
                RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => {
                    projected.unwrap_or(rollout.starts_on)
                }
            },
            plan_day: self.plan_day(&rollout, &calendar, status),
            counts: rollout.total_counts(),
            update,
            rollout,
            calendar,
            waiting,
        }
    }

    fn plan_day(&self, rollout: &Rollout, calendar: &[PlannedStage], status: UpdateStatus) -> Option<PlanDay> {
        match status {
            UpdateStatus::InProgress | UpdateStatus::Paused => {}
            UpdateStatus::Scheduled
            | UpdateStatus::CompletedWithFailures
            | UpdateStatus::Completed
            | UpdateStatus::Deprecated
            | UpdateStatus::NotRequired => return None,
        }
        let status_date = rollout.status_date(&self.organisation.zone, self.now);
        let (day, of) = rollout.plan_day(calendar, &self.freezes, status_date)?;
        Some(PlanDay { day, of })
    }
}
