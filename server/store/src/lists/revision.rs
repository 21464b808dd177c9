//! How far the database has moved, for pages that are open (P9) and counts that are kept (P8).

use crate::error::Result;
use crate::tx::{Tx, each};

impl Tx {
    /// How far the tables have grown in which everything that pages show leaves a row: audit, history of deployments, history of tickets.
    /// It moves with every change, whichever process has made it.
    pub async fn database_revision(&mut self) -> Result<(i64, i64, i64)> {
        const SQL: &str =
            "SELECT (SELECT COALESCE(MAX(id), 0) FROM audit), (SELECT COALESCE(MAX(id), 0) FROM deployment_events),
            (SELECT COALESCE(MAX(id), 0) FROM ticket_events)";
        Ok(each!(self, c => sqlx::query_as(SQL).fetch_one(c).await)?)
    }

    /// How far facts have moved. None of them leaves a row in the tables of [`Self::database_revision`].
    pub async fn facts_revision(&mut self) -> Result<FactsRevision> {
        const SQL: &str = "SELECT (SELECT COALESCE(MAX(from_at), 0) FROM component_history), (SELECT COALESCE(MAX(since), 0) FROM checks),
            (SELECT COALESCE(MAX(first_contact_at), 0) FROM devices WHERE first_contact_at IS NOT NULL),
            (SELECT COALESCE(MAX(facts_changed_at), 0) FROM devices WHERE facts_changed_at IS NOT NULL)";
        Ok(each!(self, c => sqlx::query_as(SQL).fetch_one(c).await)?)
    }
}

/// When a device last reported a version that was new, when a check last came to something else, when a device was last in contact for the
/// first time, and when one last told other facts than before: microseconds.
pub type FactsRevision = (i64, i64, i64, i64);
