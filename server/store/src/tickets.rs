//! Tickets (K1, I1).

use chrono::{DateTime, Utc};
use domain::ids::{RoomId, TicketId, UpdateId};
use domain::ticket::{
    CauseEvent, CauseTicketChange, OPENED_BY_RULE, Suppression, TicketChange, TicketEvent, TicketSeverity, TicketState,
    TicketStatus,
};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::rows::{ids_in, instant, micros, opt_instant, opt_micros, word};
use crate::tx::{Tx, each};

/// A ticket with its words.
#[derive(Clone, Debug)]
pub struct TicketRecord {
    /// Identity.
    pub id: TicketId,
    /// Number, as people say it.
    pub number: i64,
    pub title: String,
    pub description: String,
    /// How bad.
    pub severity: TicketSeverity,
    pub category: String,
    /// Where it stands.
    pub state: TicketState,
    /// Whether it keeps people from working.
    pub high_impact: bool,
    pub update: Option<UpdateId>,
    /// It opened by itself, and resolves itself (I3).
    pub is_automatic: bool,
    /// Opened by a person or a rule.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Who looks after it.
    pub assignee: Option<String>,
    /// While it is nobody's concern, or was the last time.
    pub suppression: Option<Suppression>,
    /// Names of its rooms, at most three, and how many there are.
    pub rooms: (Vec<String>, i64),
}

/// The columns of a ticket, of a table called `t`.
pub(crate) const COLUMNS: &str =
    "t.id, t.number, t.title, t.description, t.severity, t.category, t.state, t.high_impact, t.update_id, t.opened_by,
    t.opened_at, t.resolved_at, t.assignee, t.suppressed_until, t.suppressed_reason, t.resolution";

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: Uuid,
    number: i64,
    title: String,
    description: String,
    severity: String,
    category: String,
    state: String,
    high_impact: bool,
    update_id: Option<Uuid>,
    opened_by: String,
    opened_at: i64,
    resolved_at: Option<i64>,
    assignee: Option<String>,
    suppressed_until: Option<i64>,
    suppressed_reason: Option<String>,
    resolution: Option<String>,
}

impl Row {
    fn into_record(self, rooms: (Vec<String>, i64)) -> Result<TicketRecord> {
        let id = self.id;
        let resolved_at = opt_instant("tickets", id, self.resolved_at)?;
        let status = word("tickets", id, &self.state, TicketStatus::from_word)?;
        let state = match (status, resolved_at, self.resolution) {
            // A failure may open a ticket anew that was resolved with a cause. That cause was not the one of this failure.
            (TicketStatus::NeedsAction, None, _) => TicketState::NeedsAction,
            (TicketStatus::Investigating, None, _) => TicketState::Investigating,
            (TicketStatus::Resolved, Some(at), category) => TicketState::Resolved { at, category },
            (TicketStatus::Resolved, None, _) => {
                return Err(StoreError::row("tickets", id, "is resolved, and nobody knows when"));
            }
            (TicketStatus::NeedsAction | TicketStatus::Investigating, Some(_), _) => {
                return Err(StoreError::row("tickets", id, "is not resolved, but says when it was"));
            }
        };
        Ok(TicketRecord {
            id: TicketId(id),
            number: self.number,
            title: self.title,
            description: self.description,
            severity: word("tickets", id, &self.severity, TicketSeverity::from_word)?,
            category: self.category,
            state,
            high_impact: self.high_impact,
            update: self.update_id.map(UpdateId),
            is_automatic: self.opened_by == OPENED_BY_RULE,
            opened_by: self.opened_by,
            opened_at: instant("tickets", id, self.opened_at)?,
            assignee: self.assignee,
            suppression: opt_instant("tickets", id, self.suppressed_until)?.map(|until| Suppression {
                until,
                reason: self.suppressed_reason.unwrap_or_default(),
            }),
            rooms,
        })
    }
}

impl Tx {
    pub(crate) async fn apply_ticket(&mut self, change: &TicketChange, now: DateTime<Utc>) -> Result<()> {
        const FIND: &str = "SELECT id FROM tickets WHERE failure_room_id = $1 AND update_id = $2";
        const SET: &str = "UPDATE tickets SET state = $2, resolved_at = $3, changed_at = $4 WHERE id = $1";
        let found: Option<Uuid> = each!(self, c => sqlx::query_scalar(FIND).bind(change.room.0).bind(change.update.0).fetch_optional(c).await)?;
        let what = change.event.sentence();
        match (&change.event, found) {
            (TicketEvent::Failed { .. }, None) => self.open_failure_ticket(change, "failed in", &what, now).await,
            (TicketEvent::NoSpace { .. }, None) => {
                self.open_failure_ticket(change, "finds no space in", &what, now).await
            }
            (TicketEvent::Failed { .. } | TicketEvent::NoSpace { .. }, Some(id)) => {
                each!(self, c => sqlx::query(SET).bind(id).bind("needs_action").bind(None::<i64>).bind(micros(now)).execute(c).await.map(drop))?;
                self.add_ticket_event(TicketId(id), OPENED_BY_RULE, &what, now).await
            }
            (TicketEvent::Cleared(_), Some(id)) => {
                each!(self, c => sqlx::query(SET).bind(id).bind("resolved").bind(Some(micros(now))).bind(micros(now)).execute(c).await.map(drop))?;
                self.add_ticket_event(TicketId(id), OPENED_BY_RULE, &format!("Resolved: {what}"), now)
                    .await
            }
            (TicketEvent::Cleared(_), None) => Ok(()),
        }
    }

    /// Opens the ticket of a cause, changes how bad it is, or resolves it.
    pub(crate) async fn apply_cause_ticket(&mut self, change: &CauseTicketChange, now: DateTime<Utc>) -> Result<()> {
        const FIND: &str = "SELECT id, state, severity FROM tickets WHERE cause_room_id = $1 AND cause = $2";
        const OPEN: &str = "UPDATE tickets SET state = 'needs_action', severity = $2, title = $3, description = $4, resolved_at = NULL,
            changed_at = $5 WHERE id = $1";
        const SEVERITY: &str = "UPDATE tickets SET severity = $2, changed_at = $3 WHERE id = $1";
        const RESOLVE: &str = "UPDATE tickets SET state = 'resolved', resolved_at = $2, changed_at = $2 WHERE id = $1 AND state <> 'resolved'";
        let cause = change.cause.word();
        let found: Option<(Uuid, String, String)> =
            each!(self, c => sqlx::query_as(FIND).bind(change.room.0).bind(&cause).fetch_optional(c).await)?;
        match (&change.event, found) {
            (CauseEvent::Found { severity, title, what }, None) => {
                self.open_cause_ticket(change, (*severity, title, what), now).await
            }
            (CauseEvent::Found { severity, title, what }, Some((id, state, _))) if state == "resolved" => {
                each!(self, c => sqlx::query(OPEN)
                    .bind(id)
                    .bind(severity.as_str())
                    .bind(title)
                    .bind(what)
                    .bind(micros(now))
                    .execute(c)
                    .await
                    .map(drop))?;
                self.add_ticket_event(TicketId(id), OPENED_BY_RULE, what, now).await
            }
            (CauseEvent::Found { severity, what, .. }, Some((id, _, before))) => {
                if before == severity.as_str() {
                    return Ok(());
                }
                each!(self, c => sqlx::query(SEVERITY).bind(id).bind(severity.as_str()).bind(micros(now)).execute(c).await.map(drop))?;
                let text = format!("{} from now on: {what}", severity.label());
                self.add_ticket_event(TicketId(id), OPENED_BY_RULE, &text, now).await
            }
            (CauseEvent::Gone { what }, Some((id, state, _))) if state != "resolved" => {
                each!(self, c => sqlx::query(RESOLVE).bind(id).bind(micros(now)).execute(c).await.map(drop))?;
                self.add_ticket_event(TicketId(id), OPENED_BY_RULE, &format!("Resolved: {what}"), now)
                    .await
            }
            (CauseEvent::Gone { .. }, Some(_) | None) => Ok(()),
        }
    }

    async fn open_cause_ticket(
        &mut self,
        change: &CauseTicketChange,
        (severity, title, what): (TicketSeverity, &str, &str),
        now: DateTime<Utc>,
    ) -> Result<()> {
        const CAUSE: &str = "UPDATE tickets SET cause_room_id = $2, cause = $3 WHERE id = $1";
        let cause = change.cause.word();
        // The id follows from what makes the ticket unique, so that two writers can only ever make the same one.
        let id = TicketId(Uuid::new_v5(&change.room.0, cause.as_bytes()));
        let ticket = TicketRecord {
            id,
            number: 0,
            title: title.to_owned(),
            description: what.to_owned(),
            severity,
            category: change.cause.category().to_owned(),
            state: TicketState::NeedsAction,
            high_impact: false,
            update: None,
            is_automatic: true,
            suppression: None,
            opened_by: OPENED_BY_RULE.to_owned(),
            opened_at: now,
            assignee: None,
            rooms: (Vec::new(), 0),
        };
        self.add_ticket(&ticket, &[change.room], None).await?;
        each!(self, c => sqlx::query(CAUSE).bind(id.0).bind(change.room.0).bind(&cause).execute(c).await.map(drop))?;
        self.add_ticket_event(id, OPENED_BY_RULE, what, now).await
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
            high_impact: false,
            update: Some(change.update),
            is_automatic: true,
            suppression: None,
            opened_by: OPENED_BY_RULE.to_owned(),
            opened_at: now,
            assignee: None,
            rooms: (Vec::new(), 0),
        };
        self.add_ticket(&ticket, &[change.room], Some(change.room)).await?;
        self.add_ticket_event(id, OPENED_BY_RULE, what, now).await
    }

    /// Adds a ticket; it gets the next number.
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
            .bind(ticket.state.status().as_str())
            .bind(ticket.high_impact)
            .bind(ticket.update.map(|update| update.0))
            .bind(failure_room.map(|room| room.0))
            .bind(&ticket.opened_by)
            .bind(micros(ticket.opened_at))
            .bind(opt_micros(ticket.state.resolved_at()))
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
    pub async fn ticket(&mut self, number: i64) -> Result<Option<TicketRecord>> {
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(" FROM tickets t WHERE t.number = ").push_bind(number);
            query.build_query_as().fetch_all(c).await
        })?;
        Ok(self.with_rooms(rows).await?.pop())
    }

    /// Writes what people change of a ticket: title, description, severity, state, high impact, assignee, suppression, resolution.
    pub async fn put_ticket(&mut self, ticket: &TicketRecord, at: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "UPDATE tickets SET title = $2, description = $3, severity = $4, state = $5, high_impact = $6,
                assignee = $7, suppressed_until = $8, suppressed_reason = $9, resolved_at = $10, resolution = $11, changed_at = $12
            WHERE id = $1";
        each!(self, c => sqlx::query(SQL)
            .bind(ticket.id.0)
            .bind(&ticket.title)
            .bind(&ticket.description)
            .bind(ticket.severity.as_str())
            .bind(ticket.state.status().as_str())
            .bind(ticket.high_impact)
            .bind(ticket.assignee.as_deref())
            .bind(opt_micros(ticket.suppression.as_ref().map(|suppression| suppression.until)))
            .bind(ticket.suppression.as_ref().map(|suppression| suppression.reason.as_str()))
            .bind(opt_micros(ticket.state.resolved_at()))
            .bind(ticket.state.resolution())
            .bind(micros(at))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    pub(crate) async fn with_rooms(&mut self, rows: Vec<Row>) -> Result<Vec<TicketRecord>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<(Uuid, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT t.ticket_id, r.name FROM ticket_rooms t JOIN rooms r ON r.id = t.room_id WHERE t.ticket_id IN (",
            );
            ids_in(&mut query, rows.iter().map(|row| row.id));
            query.push(" ORDER BY t.ticket_id, r.name_key");
            query.build_query_as().fetch_all(c).await
        })?;
        rows.into_iter()
            .map(|row| {
                let of: Vec<&String> = names
                    .iter()
                    .filter(|(ticket, _)| *ticket == row.id)
                    .map(|(_, name)| name)
                    .collect();
                let count = i64::try_from(of.len()).unwrap_or(i64::MAX);
                row.into_record((of.into_iter().take(3).cloned().collect(), count))
            })
            .collect()
    }
}
