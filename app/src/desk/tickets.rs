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
        let offset = words::offset(query.page);
        let found = look
            .tx
            .tickets(&query.q, &query.state, &query.severity, PAGE + 1, offset)
            .await
            .map_err(failed)?;
        let page = usize::try_from(PAGE).unwrap_or(50);
        let more = found.len() > page;
        let rows: Vec<TicketRow> = found
            .iter()
            .take(page)
            .map(|ticket| row(ticket, &zone, look.now))
            .collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let kept = words::query(&[("q", &query.q), ("state", &query.state), ("severity", &query.severity)]);
        let with = |page: u32| {
            if kept.is_empty() {
                format!("page={page}")
            } else {
                format!("{kept}&page={page}")
            }
        };
        let text = if offset == 0 && !more {
            words::count(shown, "incident", "incidents")
        } else {
            format!("{}–{} of the incidents", offset + 1, offset + shown)
        };
        let number = query.page.max(1);
        let pager = crate::view::Pager {
            text,
            previous: (number > 1).then(|| with(number - 1)),
            next: more.then(|| with(number + 1)),
        };
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
            what: "This incident".to_owned(),
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
