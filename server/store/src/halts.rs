//! Rollouts that were paused by rule (K7): their tickets, and the failed rooms that fire no halt again.

use chrono::{DateTime, Utc};
use domain::changes::HaltTicket;
use domain::deployment::Failure;
use domain::halt::Halt;
use domain::ids::{RoomId, TicketId, UpdateId};
use domain::ticket::{OPENED_BY_RULE, TicketSeverity, TicketState};
use domain::update::titled;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{micros, texts_in};
use crate::tickets::TicketRecord;
use crate::tx::{Tx, each};

/// So many failed rooms stand on the ticket, the first by name; all of them are on the update's page.
const MOST_ROOMS: i64 = 200;

/// What the halt rule counts as failed, in rows.
fn counted_failures() -> impl Iterator<Item = &'static str> {
    let counted = Failure::ALL.into_iter().filter(|failure| failure.speaks_against());
    counted.map(Failure::as_str)
}

impl Tx {
    /// Opens the ticket of a halt, or resolves it.
    pub(crate) async fn apply_halt_ticket(&mut self, change: &HaltTicket, now: DateTime<Utc>) -> Result<()> {
        const FIND: &str = "SELECT id FROM tickets WHERE halted_update_id = $1";
        const RESOLVE: &str = "UPDATE tickets SET state = 'resolved', resolved_at = $2, changed_at = $2 WHERE id = $1 AND state <> 'resolved'";
        let (HaltTicket::Opened { update, .. } | HaltTicket::Cleared { update, .. }) = change;
        let found: Option<Uuid> = each!(self, c => sqlx::query_scalar(FIND).bind(update.0).fetch_optional(c).await)?;
        match (change, found.map(TicketId)) {
            (HaltTicket::Opened { update, halt }, None) => self.open_halt_ticket(*update, halt, now).await,
            (HaltTicket::Opened { halt, .. }, Some(id)) => self.open_halt_ticket_again(id, halt, now).await,
            (HaltTicket::Cleared { by, .. }, Some(id)) => {
                each!(self, c => sqlx::query(RESOLVE).bind(id.0).bind(micros(now)).execute(c).await.map(drop))?;
                self.add_ticket_event(id, by, "Resolved: the rollout is not paused by rule any more.", now)
                    .await
            }
            (HaltTicket::Cleared { .. }, None) => Ok(()),
        }
    }

    async fn open_halt_ticket(&mut self, update: UpdateId, halt: &Halt, now: DateTime<Utc>) -> Result<()> {
        const TITLE: &str =
            "SELECT p.name, u.version FROM updates u JOIN products p ON p.id = u.product_id WHERE u.id = $1";
        const OF: &str = "UPDATE tickets SET halted_update_id = $2 WHERE id = $1";
        let named: Option<(String, String)> =
            each!(self, c => sqlx::query_as(TITLE).bind(update.0).fetch_optional(c).await)?;
        let title = named.map_or_else(
            || "An update".to_owned(),
            |(product, version)| titled(&product, &version),
        );
        let what = halt.sentence();
        // The id follows from what makes the ticket unique, so that two writers can only ever make the same one.
        let id = TicketId(Uuid::new_v5(&update.0, b"halt"));
        let ticket = TicketRecord {
            id,
            number: 0,
            title: format!("{title} was halted by rule"),
            description: what.clone(),
            severity: TicketSeverity::Critical,
            category: "Updates".to_owned(),
            state: TicketState::NeedsAction,
            high_impact: true,
            update: Some(update),
            is_automatic: true,
            suppression: None,
            opened_by: OPENED_BY_RULE.to_owned(),
            opened_at: now,
            assignee: None,
            rooms: (Vec::new(), 0),
        };
        let rooms = self.rooms_that_failed(update).await?;
        self.add_ticket(&ticket, &rooms, None).await?;
        each!(self, c => sqlx::query(OF).bind(id.0).bind(update.0).execute(c).await.map(drop))?;
        self.add_ticket_event(id, OPENED_BY_RULE, &what, now).await
    }

    async fn open_halt_ticket_again(&mut self, id: TicketId, halt: &Halt, now: DateTime<Utc>) -> Result<()> {
        const OPEN: &str = "UPDATE tickets SET state = 'needs_action', description = $2, resolved_at = NULL, changed_at = $3 WHERE id = $1";
        let what = halt.sentence();
        each!(self, c => sqlx::query(OPEN).bind(id.0).bind(&what).bind(micros(now)).execute(c).await.map(drop))?;
        self.add_ticket_event(id, OPENED_BY_RULE, &what, now).await
    }

    async fn rooms_that_failed(&mut self, update: UpdateId) -> Result<Vec<RoomId>> {
        let rooms: Vec<Uuid> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id FROM deployments WHERE progress = 'failed' AND failure IN (");
            texts_in(&mut query, counted_failures());
            query.push(" AND update_id = ").push_bind(update.0);
            query.push(" ORDER BY room_key, room_id LIMIT ").push_bind(MOST_ROOMS);
            query.build_query_scalar().fetch_all(c).await
        })?;
        Ok(rooms.into_iter().map(RoomId).collect())
    }

    /// Whatever has failed under an update fires no halt again.
    pub(crate) async fn tolerate_failed(&mut self, update: UpdateId) -> Result<()> {
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("UPDATE deployments SET tolerated = ");
            query.push_bind(true).push(" WHERE update_id = ").push_bind(update.0);
            query.push(" AND ((progress = 'failed' AND failure IN (");
            texts_in(&mut query, counted_failures());
            query.push(") OR (progress IN ('not_started', 'in_progress') AND last_failure IN (");
            texts_in(&mut query, counted_failures());
            query.push("))");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }
}
