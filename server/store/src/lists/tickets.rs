//! The lists of tickets (P0, P7): all that match, those of a room, those of an update; and what stands on a ticket's page.

use chrono::{DateTime, Utc};
use domain::ids::{RoomId, TicketId, UpdateId};
use uuid::Uuid;

use crate::error::Result;
use crate::lists::search::SearchedList;
use crate::rows::{instant, micros};
use crate::tickets::{COLUMNS, Row, TicketRecord};
use crate::tx::{Tx, each};

/// Which tickets, as the list's address has it.
#[derive(Clone, Debug)]
pub struct TicketFilter {
    /// Beginnings of words in the title; empty: any.
    pub words: String,
    /// A state's word, `suppressed`, `all`; empty: what is neither resolved nor suppressed.
    pub state: String,
    /// A severity's word; empty: any.
    pub severity: String,
    /// Now: suppressions end.
    pub now: DateTime<Utc>,
}

/// What happened to a ticket.
#[derive(Clone, Debug)]
pub struct TicketEventRecord {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub text: String,
}

/// What needs action first, then the newest.
const BY_URGENCY: &str =
    " ORDER BY CASE t.state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END, t.number DESC";

macro_rules! filter_tickets {
    ($query:ident, $filter:ident, $words:ident) => {
        let now = micros($filter.now);
        match $filter.state.as_str() {
            "all" => $query.push("TRUE"),
            "" => $query
                .push("t.state <> 'resolved' AND (t.suppressed_until IS NULL OR t.suppressed_until <= ")
                .push_bind(now)
                .push(")"),
            "suppressed" => $query
                .push("t.state <> 'resolved' AND t.suppressed_until > ")
                .push_bind(now),
            state => $query.push("t.state = ").push_bind(state.to_owned()),
        };
        if !$filter.severity.is_empty() {
            $query.push(" AND t.severity = ").push_bind($filter.severity.clone());
        }
        if let Some((before, words, behind)) = &$words {
            $query.push(*before).push_bind(words.clone()).push(*behind);
        }
    };
}

impl Tx {
    /// A page of tickets, those that need action first, then the newest.
    pub async fn tickets(&mut self, filter: &TicketFilter, limit: i64, offset: i64) -> Result<Vec<TicketRecord>> {
        let words = self.word_filter(SearchedList::Tickets, &filter.words);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(" FROM tickets t WHERE ");
            filter_tickets!(query, filter, words);
            // Within one state urgency is the number alone, and an index has that order.
            query.push(match filter.state.as_str() {
                "all" | "" | "suppressed" => BY_URGENCY,
                _ => " ORDER BY t.number DESC",
            });
            query.push(" LIMIT ").push(limit).push(" OFFSET ").push_bind(offset);
            query.build_query_as().fetch_all(c).await
        })?;
        self.with_rooms(rows).await
    }

    /// How many tickets there are on all pages of [`Tx::tickets`].
    pub async fn tickets_found(&mut self, filter: &TicketFilter) -> Result<i64> {
        let words = self.word_filter(SearchedList::Tickets, &filter.words);
        if words.is_some() {
            return Ok(each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT COUNT(*) FROM tickets t WHERE ");
                filter_tickets!(query, filter, words);
                query.build_query_scalar().fetch_one(c).await
            })?);
        }
        // Read and not counted; what is suppressed is little, and ends with time.
        let suppressed: i64 = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT COUNT(*) FROM tickets t WHERE t.state <> 'resolved' AND t.suppressed_until > ");
            query.push_bind(micros(filter.now));
            if !filter.severity.is_empty() {
                query.push(" AND t.severity = ").push_bind(filter.severity.clone());
            }
            query.build_query_scalar().fetch_one(c).await
        })?;
        if filter.state == "suppressed" {
            return Ok(suppressed);
        }
        let counted: i64 = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT CAST(COALESCE(SUM(tickets), 0) AS BIGINT) FROM ticket_counts WHERE ");
            match filter.state.as_str() {
                "all" => query.push("TRUE"),
                "" => query.push("state <> 'resolved'"),
                state => query.push("state = ").push_bind(state.to_owned()),
            };
            if !filter.severity.is_empty() {
                query.push(" AND severity = ").push_bind(filter.severity.clone());
            }
            query.build_query_scalar().fetch_one(c).await
        })?;
        Ok(if filter.state.is_empty() {
            counted - suppressed
        } else {
            counted
        })
    }

    /// The tickets of a room, open ones first; 50 at most.
    pub async fn tickets_of_room(&mut self, room: RoomId) -> Result<Vec<TicketRecord>> {
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(" FROM ticket_rooms r JOIN tickets t ON t.id = r.ticket_id WHERE r.room_id = ");
            query.push_bind(room.0).push(BY_URGENCY).push(" LIMIT 50");
            query.build_query_as().fetch_all(c).await
        })?;
        self.with_rooms(rows).await
    }

    /// The tickets of an update, open ones first; 50 at most.
    pub async fn tickets_of_update(&mut self, update: UpdateId) -> Result<Vec<TicketRecord>> {
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(" FROM tickets t WHERE t.update_id = ").push_bind(update.0);
            query.push(BY_URGENCY).push(" LIMIT 50");
            query.build_query_as().fetch_all(c).await
        })?;
        self.with_rooms(rows).await
    }

    /// How many tickets are not resolved.
    pub async fn open_ticket_count(&mut self) -> Result<i64> {
        const SQL: &str =
            "SELECT CAST(COALESCE(SUM(tickets), 0) AS BIGINT) FROM ticket_counts WHERE state <> 'resolved'";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
    }

    /// The rooms of a ticket by name, with the names of their sites; 500 at most.
    pub async fn rooms_of_ticket(&mut self, ticket: TicketId) -> Result<Vec<(RoomId, String, String)>> {
        const SQL: &str = "SELECT r.id, r.name, s.name
            FROM ticket_rooms t JOIN rooms r ON r.id = t.room_id JOIN sites s ON s.id = r.site_id
            WHERE t.ticket_id = $1 ORDER BY r.name_key, r.id LIMIT 500";
        let rows: Vec<(Uuid, String, String)> =
            each!(self, c => sqlx::query_as(SQL).bind(ticket.0).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(id, name, site)| (RoomId(id), name, site))
            .collect())
    }

    /// What happened to a ticket, newest first.
    pub async fn ticket_events(&mut self, ticket: TicketId) -> Result<Vec<TicketEventRecord>> {
        const SQL: &str =
            "SELECT id, at, actor, text FROM ticket_events WHERE ticket_id = $1 ORDER BY id DESC LIMIT 200";
        let rows: Vec<(i64, i64, String, String)> =
            each!(self, c => sqlx::query_as(SQL).bind(ticket.0).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, at, actor, text)| {
                Ok(TicketEventRecord {
                    at: instant("ticket_events", id, at)?,
                    actor,
                    text,
                })
            })
            .collect()
    }
}
