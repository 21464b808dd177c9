//! Tickets (K1, I1).

use chrono::{DateTime, Utc};
use domain::ids::{RoomId, TicketId, UpdateId};
use domain::ticket::{TicketChange, TicketEvent, TicketSeverity, TicketState};
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{containing, instant, micros, opt_instant, word};
use crate::tx::{Tx, each};

/// A ticket with its words.
#[derive(Clone, Debug)]
pub struct TicketRecord {
    /// Identity.
    pub id: TicketId,
    /// Number, as people say it.
    pub number: i64,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// How bad.
    pub severity: TicketSeverity,
    /// Category.
    pub category: String,
    /// Where it stands.
    pub state: TicketState,
    /// Its update.
    pub update: Option<UpdateId>,
    /// Opened by a person or a rule.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who looks after it.
    pub assignee: Option<String>,
    /// Names of its rooms, at most three, and how many there are.
    pub rooms: (Vec<String>, i64),
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

/// Who opens tickets of failed deployments.
const RULE: &str = "Nightshift";

type Row = (
    Uuid,
    i64,
    String,
    String,
    String,
    String,
    String,
    Option<Uuid>,
    String,
    i64,
    Option<i64>,
    Option<String>,
);

impl Tx {
    pub(crate) async fn apply_ticket(&mut self, change: &TicketChange, now: DateTime<Utc>) -> Result<()> {
        const FIND: &str = "SELECT id FROM tickets WHERE failure_room_id = $1 AND update_id = $2";
        const SET: &str = "UPDATE tickets SET state = $2, resolved_at = $3, changed_at = $4 WHERE id = $1";
        let found: Option<Uuid> = each!(self, c => sqlx::query_scalar(FIND).bind(change.room.0).bind(change.update.0).fetch_optional(c).await)?;
        match (&change.event, found) {
            (TicketEvent::Failed(what), None) => self.open_failure_ticket(change, "failed in", what, now).await,
            (TicketEvent::Crowded(what), None) => {
                self.open_failure_ticket(change, "finds no space in", what, now).await
            }
            (TicketEvent::Failed(what) | TicketEvent::Crowded(what), Some(id)) => {
                each!(self, c => sqlx::query(SET).bind(id).bind("needs_action").bind(None::<i64>).bind(micros(now)).execute(c).await.map(drop))?;
                self.add_ticket_event(TicketId(id), RULE, what, now).await
            }
            (TicketEvent::Cleared(what), Some(id)) => {
                each!(self, c => sqlx::query(SET).bind(id).bind("resolved").bind(Some(micros(now))).bind(micros(now)).execute(c).await.map(drop))?;
                self.add_ticket_event(TicketId(id), RULE, &format!("Resolved: {what}"), now)
                    .await
            }
            (TicketEvent::Cleared(_), None) => Ok(()),
        }
    }

    async fn open_failure_ticket(
        &mut self,
        change: &TicketChange,
        how: &str,
        what: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        const WORDS: &str = "SELECT r.name, u.title, u.version FROM rooms r, updates u WHERE r.id = $1 AND u.id = $2";
        let (room, title, version): (String, String, String) =
            each!(self, c => sqlx::query_as(WORDS).bind(change.room.0).bind(change.update.0).fetch_one(c).await)?;
        // The id follows from what makes the ticket unique, so that two writers can only ever make the same one.
        let id = TicketId(Uuid::from_u128(
            change.room.0.as_u128() ^ change.update.0.as_u128().rotate_left(64),
        ));
        let ticket = TicketRecord {
            id,
            number: 0,
            title: format!("{title} {version} {how} {room}"),
            description: what.to_owned(),
            severity: TicketSeverity::Warning,
            category: "Versioning".to_owned(),
            state: TicketState::NeedsAction,
            update: Some(change.update),
            opened_by: RULE.to_owned(),
            opened_at: now,
            resolved_at: None,
            assignee: None,
            rooms: (Vec::new(), 0),
        };
        self.add_ticket(&ticket, &[change.room], Some(change.room)).await?;
        self.add_ticket_event(id, RULE, what, now).await
    }

    /// Adds a ticket; it gets the next number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn add_ticket(
        &mut self,
        ticket: &TicketRecord,
        rooms: &[RoomId],
        failure_room: Option<RoomId>,
    ) -> Result<i64> {
        const NUMBER: &str = "SELECT COALESCE(MAX(number), 1000) + 1 FROM tickets";
        const SQL: &str = "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact,
                update_id, failure_room_id, opened_by, opened_at, changed_at, resolved_at, assignee)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)";
        const ROOM: &str = "INSERT INTO ticket_rooms (ticket_id, room_id) VALUES ($1, $2)";
        let next: i64 = each!(self, c => sqlx::query_scalar(NUMBER).fetch_one(c).await)?;
        let number = if ticket.number > 0 { ticket.number } else { next };
        each!(self, c => sqlx::query(SQL)
            .bind(ticket.id.0)
            .bind(number)
            .bind(&ticket.title)
            .bind(&ticket.description)
            .bind(ticket.severity.as_str())
            .bind(&ticket.category)
            .bind(ticket.state.as_str())
            .bind(false)
            .bind(ticket.update.map(|update| update.0))
            .bind(failure_room.map(|room| room.0))
            .bind(&ticket.opened_by)
            .bind(micros(ticket.opened_at))
            .bind(ticket.resolved_at.map(micros))
            .bind(ticket.assignee.as_deref())
            .execute(c)
            .await
            .map(drop))?;
        for room in rooms {
            each!(self, c => sqlx::query(ROOM).bind(ticket.id.0).bind(room.0).execute(c).await.map(drop))?;
        }
        Ok(number)
    }

    /// Adds an event to a ticket's history.
    ///
    /// # Errors
    /// The database fails.
    pub async fn add_ticket_event(
        &mut self,
        ticket: TicketId,
        actor: &str,
        text: &str,
        at: DateTime<Utc>,
    ) -> Result<()> {
        const SQL: &str = "INSERT INTO ticket_events (ticket_id, at, actor, text) VALUES ($1, $2, $3, $4)";
        each!(self, c => sqlx::query(SQL).bind(ticket.0).bind(micros(at)).bind(actor).bind(text).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A ticket by its number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ticket(&mut self, number: i64) -> Result<Option<TicketRecord>> {
        const SQL: &str =
            "SELECT id, number, title, description, severity, category, state, update_id, opened_by, opened_at,
                resolved_at, assignee FROM tickets WHERE number = $1";
        let row: Option<Row> = each!(self, c => sqlx::query_as(SQL).bind(number).fetch_optional(c).await)?;
        match row {
            Some(row) => Ok(self.with_rooms(vec![row]).await?.pop()),
            None => Ok(None),
        }
    }

    /// A page of tickets, those that need action first, then the newest.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tickets(
        &mut self,
        words: &str,
        state: &str,
        severity: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<TicketRecord>> {
        const SQL: &str =
            "SELECT id, number, title, description, severity, category, state, update_id, opened_by, opened_at,
                resolved_at, assignee
            FROM tickets
            WHERE ($1 = '' OR LOWER(title) LIKE $1 ESCAPE '\\')
                AND ($2 = 'all' OR ($2 = '' AND state <> 'resolved') OR state = $2)
                AND ($3 = '' OR severity = $3)
            ORDER BY CASE state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END, number DESC
            LIMIT $4 OFFSET $5";
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL)
            .bind(title_pattern(words))
            .bind(state)
            .bind(severity)
            .bind(limit)
            .bind(offset)
            .fetch_all(c)
            .await)?;
        self.with_rooms(rows).await
    }

    /// How many tickets there are on all pages of [`Tx::tickets`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn tickets_found(&mut self, words: &str, state: &str, severity: &str) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*)
            FROM tickets
            WHERE ($1 = '' OR LOWER(title) LIKE $1 ESCAPE '\\')
                AND ($2 = 'all' OR ($2 = '' AND state <> 'resolved') OR state = $2)
                AND ($3 = '' OR severity = $3)";
        Ok(each!(self, c => sqlx::query_scalar(SQL)
            .bind(title_pattern(words))
            .bind(state)
            .bind(severity)
            .fetch_one(c)
            .await)?)
    }

    /// The tickets of a room, open ones first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tickets_of_room(&mut self, room: RoomId) -> Result<Vec<TicketRecord>> {
        const SQL: &str = "SELECT t.id, t.number, t.title, t.description, t.severity, t.category, t.state, t.update_id,
                t.opened_by, t.opened_at, t.resolved_at, t.assignee
            FROM ticket_rooms r JOIN tickets t ON t.id = r.ticket_id WHERE r.room_id = $1
            ORDER BY CASE t.state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END, t.number DESC LIMIT 200";
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(room.0).fetch_all(c).await)?;
        self.with_rooms(rows).await
    }

    /// The tickets of an update, open ones first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tickets_of_update(&mut self, update: UpdateId) -> Result<Vec<TicketRecord>> {
        const SQL: &str = "SELECT id, number, title, description, severity, category, state, update_id, opened_by, opened_at,
                resolved_at, assignee
            FROM tickets WHERE update_id = $1
            ORDER BY CASE state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END, number DESC LIMIT 200";
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        self.with_rooms(rows).await
    }

    /// How many tickets are not resolved.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_ticket_count(&mut self) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM tickets WHERE state IN ('needs_action', 'investigating')";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
    }

    /// The rooms of a ticket.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_of_ticket(&mut self, ticket: TicketId) -> Result<Vec<(RoomId, String)>> {
        const SQL: &str = "SELECT r.id, r.name FROM ticket_rooms t JOIN rooms r ON r.id = t.room_id
            WHERE t.ticket_id = $1 ORDER BY r.name_key, r.id LIMIT 500";
        let rows: Vec<(Uuid, String)> = each!(self, c => sqlx::query_as(SQL).bind(ticket.0).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(id, name)| (RoomId(id), name)).collect())
    }

    /// What happened to a ticket, newest first.
    ///
    /// # Errors
    /// The database fails.
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

    async fn with_rooms(&mut self, rows: Vec<Row>) -> Result<Vec<TicketRecord>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<(Uuid, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT t.ticket_id, r.name FROM ticket_rooms t JOIN rooms r ON r.id = t.room_id WHERE t.ticket_id IN (",
            );
            crate::rooms::ids_in(&mut query, rows.iter().map(|row| row.0));
            query.push(" ORDER BY t.ticket_id, r.name_key");
            query.build_query_as().fetch_all(c).await
        })?;
        rows.into_iter()
            .map(
                |(
                    id,
                    number,
                    title,
                    description,
                    severity,
                    category,
                    state,
                    update,
                    opened_by,
                    opened_at,
                    resolved_at,
                    assignee,
                )| {
                    let of: Vec<&String> = names
                        .iter()
                        .filter(|(ticket, _)| *ticket == id)
                        .map(|(_, name)| name)
                        .collect();
                    let count = i64::try_from(of.len()).unwrap_or(i64::MAX);
                    Ok(TicketRecord {
                        id: TicketId(id),
                        number,
                        title,
                        description,
                        severity: word("tickets", id, &severity, TicketSeverity::from_word)?,
                        category,
                        state: word("tickets", id, &state, TicketState::from_word)?,
                        update: update.map(UpdateId),
                        opened_by,
                        opened_at: instant("tickets", id, opened_at)?,
                        resolved_at: opt_instant("tickets", id, resolved_at)?,
                        assignee,
                        rooms: (of.into_iter().take(3).cloned().collect(), count),
                    })
                },
            )
            .collect()
    }
}

/// The pattern of words in a title; empty: all titles.
fn title_pattern(words: &str) -> String {
    let words = words.trim();
    if words.is_empty() {
        String::new()
    } else {
        containing(&words.to_lowercase())
    }
}
