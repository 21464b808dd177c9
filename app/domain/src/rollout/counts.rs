//! How many of a rollout's deployments stand where.
//!
//! Counts are kept by differences, whoever writes deployments; nothing here counts rows. Start with [`Counts`].

use serde::{Deserialize, Serialize};

use crate::deployment::{Attempt, Bucket, Deployment, Progress};

/// Deployments of a ring by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// See [`Bucket::Scheduled`].
    pub scheduled: i64,
    /// See [`Bucket::InProgress`].
    pub in_progress: i64,
    /// See [`Bucket::Completed`].
    pub completed: i64,
    /// See [`Bucket::Failed`].
    pub failed: i64,
    /// See [`Bucket::Deprecated`].
    pub deprecated: i64,
    /// See [`Bucket::CatchUp`].
    pub catch_up: i64,
    /// Rooms in which it was tried, catch-ups and all (K7): see [`Attempt`].
    pub attempted: i64,
    /// Those of them that speak against it.
    pub failed_attempts: i64,
}

impl Counts {
    /// Counts a deployment in (1), or out again (-1).
    pub fn count(&mut self, deployment: &Deployment, by: i64) {
        if let Some(bucket) = deployment.bucket() {
            *self.of(bucket) += by;
        }
        if let Some(attempt) = deployment.attempted() {
            self.attempted += by;
            self.failed_attempts += if attempt == Attempt::Failed { by } else { 0 };
        }
    }

    /// The count of one bucket, to change it.
    pub fn of(&mut self, bucket: Bucket) -> &mut i64 {
        match bucket {
            Bucket::Scheduled => &mut self.scheduled,
            Bucket::InProgress => &mut self.in_progress,
            Bucket::Completed => &mut self.completed,
            Bucket::Failed => &mut self.failed,
            Bucket::Deprecated => &mut self.deprecated,
            Bucket::CatchUp => &mut self.catch_up,
        }
    }

    /// Deployments of this progress, catch-ups aside. Those that are not required any more stand in no count.
    #[must_use]
    pub fn at(&self, progress: Progress) -> i64 {
        match progress {
            Progress::NotStarted => self.scheduled,
            Progress::InProgress => self.in_progress,
            Progress::Completed => self.completed,
            Progress::Failed => self.failed,
            Progress::Deprecated => self.deprecated,
            Progress::NotRequired => 0,
        }
    }

    /// Adds another ring's counts.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            scheduled: self.scheduled + other.scheduled,
            in_progress: self.in_progress + other.in_progress,
            completed: self.completed + other.completed,
            failed: self.failed + other.failed,
            deprecated: self.deprecated + other.deprecated,
            catch_up: self.catch_up + other.catch_up,
            attempted: self.attempted + other.attempted,
            failed_attempts: self.failed_attempts + other.failed_attempts,
        }
    }

    /// Deployments that have not ended, catch-ups aside.
    #[must_use]
    pub fn unfinished(&self) -> i64 {
        self.scheduled + self.in_progress
    }

    /// All deployments, catch-ups aside.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.unfinished() + self.completed + self.failed + self.deprecated
    }
}
