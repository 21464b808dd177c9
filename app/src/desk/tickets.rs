//! Tickets in the words of their pages.

use chrono::{DateTime, Utc};
use domain::zone::Zone;
use service::store::TicketRecord;

use super::{Desk, PAGE, Result, failed, told, words};
use crate::error::AppError;
use crate::view::{HistoryRow, TicketRow, TicketView, TicketsQuery, TicketsView};

impl Desk {
    /// A page of tickets (P7).
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_tickets(&self, query: TicketsQuery) -> Result<TicketsView> {
        let mut look = self.look().await?;
        let zone = look.organisation.zone.clone();
        let found = look
            .tx
            .tickets(&query.q, &query.state, &query.severity, PAGE, words::offset(query.page))
            .await
            .map_err(failed)?;
        let total = look
            .tx
            .tickets_found(&query.q, &query.state, &query.severity)
            .await
            .map_err(failed)?;
        let rows: Vec<TicketRow> = found.iter().map(|ticket| row(ticket, &zone, look.now)).collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let kept = words::query(&[("q", &query.q), ("state", &query.state), ("severity", &query.severity)]);
        let pager = words::numbered(query.page, shown, total, "ticket", "tickets");
        let pager = words::with_filters(pager, &kept);
        Ok(TicketsView { rows, pager })
    }

    /// One ticket.
    ///
    /// # Errors
    /// There is no such ticket, or the database fails.
    pub async fn ticket(&self, number: i64) -> Result<TicketView> {
        let mut look = self.look().await?;
        let zone = look.organisation.zone.clone();
        let missing = || AppError::NotFound {
            what: "This ticket".to_owned(),
        };
        let ticket = look.tx.ticket(number).await.map_err(failed)?.ok_or_else(missing)?;
        let rooms = look.tx.rooms_of_ticket(ticket.id).await.map_err(failed)?;
        let events = look.tx.ticket_events(ticket.id).await.map_err(failed)?;
        let update = match ticket.update {
            Some(id) => look
                .planned(&[id])
                .await
                .map_err(told)?
                .remove(&id)
                .map(|update| (id, update.title())),
            None => None,
        };
        let history = events.into_iter().map(|event| HistoryRow {
            at: words::instant(event.at, &zone, look.now),
            about: String::new(),
            text: event.text,
            detail: event.actor,
            bad: false,
        });
        Ok(TicketView {
            row: row(&ticket, &zone, look.now),
            description: ticket.description,
            category: ticket.category,
            assignee: ticket.assignee,
            rooms,
            update,
            history: history.collect(),
        })
    }
}

pub(super) fn row(ticket: &TicketRecord, zone: &Zone, now: DateTime<Utc>) -> TicketRow {
    let (names, total) = &ticket.rooms;
    let rest = total - i64::try_from(names.len()).unwrap_or(0);
    let mut rooms = names.join(", ");
    if rest > 0 {
        rooms = format!("{rooms} and {rest} more");
    }
    TicketRow {
        number: ticket.number,
        title: ticket.title.clone(),
        rooms,
        severity: ticket.severity,
        state: ticket.state,
        opened_by: ticket.opened_by.clone(),
        opened: words::instant(ticket.opened_at, zone, now),
    }
}
