//! Tickets in the words of their pages.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use domain::access::Act;
use domain::ids::UpdateId;
use domain::ticket::{Suppression, TicketSeverity, TicketStatus};
use domain::time_text;
use domain::zone::Zone;
use service::read::ReadSnapshot;
use service::read::tickets::{IssueUpdate, TicketFilter, TicketItem, WhichTickets};
use service::tickets::{Issue, TicketDraft};

use crate::components::model::{FormSuccess, HistoryRow};
use crate::context::{RequestContext, Result};
use crate::formats;
use crate::tickets::model::{IssueAbout, IssueDraft, TicketChoices, TicketRow, TicketView, TicketsQuery, TicketsView};

impl RequestContext {
    /// A page of tickets (P7).
    pub async fn list_tickets(&self, query: TicketsQuery) -> Result<TicketsView> {
        let mut snapshot = self.snapshot().await?;
        let filter = TicketFilter {
            words: query.q.clone(),
            which: which_tickets(&query.state),
            severity: formats::wanted(&query.severity, TicketSeverity::from_word),
        };
        let asked = formats::numbered_page(query.page);
        let found = snapshot.ticket_page(&filter, asked).await?;
        let zone = &snapshot.organisation.zone;
        let rows = found.items.iter();
        let rows: Vec<TicketRow> = rows.map(|ticket| row(ticket, zone, snapshot.now)).collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let kept = formats::query(&[("q", &query.q), ("state", &query.state), ("severity", &query.severity)]);
        let pager = formats::numbered(query.page, shown, found.total, "ticket", "tickets");
        let pager = formats::with_filters(pager, &kept);
        Ok(TicketsView { rows, pager })
    }

    /// One ticket.
    ///
    /// # Errors
    /// There is no such ticket.
    pub async fn ticket(&self, number: i64) -> Result<TicketView> {
        let mut snapshot = self.snapshot().await?;
        let ticket = snapshot.ticket(number).await?;
        let choices = self.ticket_choices(&mut snapshot).await?;
        let (zone, now) = (&snapshot.organisation.zone, snapshot.now);
        let history = ticket.history.into_iter().map(|entry| HistoryRow {
            at: formats::instant(entry.at, zone, now),
            about: String::new(),
            text: entry.text,
            detail: entry.actor,
            bad: false,
        });
        let rooms = ticket.rooms.into_iter();
        Ok(TicketView {
            row: row(&ticket.ticket, zone, now),
            description: ticket.description,
            category: ticket.category,
            assignee: ticket.assignee,
            rooms: rooms.map(|room| (room.id, room.name, room.site)).collect(),
            update: ticket.update.map(|update| (update.id, update.title)),
            history: history.collect(),
            is_automatic: ticket.is_automatic,
            high_impact: ticket.high_impact,
            suppressed: ticket
                .suppression
                .map(|suppression| suppressed(&suppression, zone, now)),
            resolution: ticket.state.resolution().map(str::to_owned),
            choices,
        })
    }

    async fn ticket_choices(&self, snapshot: &mut ReadSnapshot) -> Result<Option<TicketChoices>> {
        if !self.viewer.actor.role.may(Act::WorkOnTickets) {
            return Ok(None);
        }
        let choices = snapshot.ticket_choices(&self.viewer.actor).await?;
        Ok(Some(TicketChoices {
            assignees: choices.assignees,
            categories: choices.categories.into_iter().map(str::to_owned).collect(),
            last_day: choices.last_suppressed_day.to_string(),
        }))
    }

    /// The form of an issue about a room or an update, filled in as far as that is known (I2, K2).
    ///
    /// # Errors
    /// Whoever asks may not record one, or what it is about is not there.
    pub async fn issue_draft(&self, about: IssueAbout) -> Result<IssueDraft> {
        let mut snapshot = self.snapshot_for(Act::WorkOnTickets).await?;
        let (room, update) = (about.room.parse().ok(), about.update.parse().ok());
        let facts = snapshot.issue_facts(room, update).await?;
        let title = facts.update.as_ref().map(|update| issue_title(update, about.paused));
        let failure = facts.update.as_ref().and_then(|update| update.first_failure.as_ref());
        let description = failure.map(|failure| format!("In the first of the rooms: {}", failure.sentence()));
        let lines = facts.rooms.iter();
        let lines: Vec<String> = lines.map(|room| format!("{}, {}", room.name, room.site)).collect();
        Ok(IssueDraft {
            title: title.unwrap_or_default(),
            description: description.unwrap_or_default(),
            rooms: lines.join("\n"),
            update: facts.update.map(|about| (about.update.id, about.update.title)),
            categories: facts.categories.into_iter().map(str::to_owned).collect(),
            paused: about.paused,
        })
    }

    /// Records an issue (I2).
    ///
    /// # Errors
    /// As [`service::Service::record_issue`].
    pub async fn record_issue(&self, issue: Issue) -> Result<FormSuccess> {
        let number = self.service.record_issue(&self.viewer.actor, &issue).await?;
        Ok(FormSuccess::new(
            format!("T-{number} was recorded; its rooms are unhealthy while it is open."),
            format!("/incidents/{number}"),
        ))
    }

    /// Leaves the issue of a pause out (K2).
    ///
    /// # Errors
    /// As [`service::Service::leave_issue_out`].
    pub async fn leave_issue_out(&self, update: UpdateId, reason: &str) -> Result<FormSuccess> {
        let left_out = self
            .service
            .leave_issue_out(&self.viewer.actor, update, reason.into())
            .await;
        left_out?;
        Ok(FormSuccess::new(
            "No issue was recorded; your reason is in the audit.",
            format!("/updates/{update}"),
        ))
    }

    /// Adds a note.
    ///
    /// # Errors
    /// As [`service::Service::add_note`].
    pub async fn add_note(&self, number: i64, text: &str) -> Result<FormSuccess> {
        self.service.add_note(&self.viewer.actor, number, text.into()).await?;
        done(number, "The note was added.")
    }

    /// Gives a ticket to somebody.
    ///
    /// # Errors
    /// As [`service::Service::assign_ticket`].
    pub async fn assign_ticket(&self, number: i64, assignee: &str) -> Result<FormSuccess> {
        let assigned = self
            .service
            .assign_ticket(&self.viewer.actor, number, assignee.into())
            .await;
        assigned?;
        done(number, "The ticket was assigned.")
    }

    /// Says whether somebody is looking into it.
    ///
    /// # Errors
    /// As [`service::Service::investigate_ticket`].
    pub async fn investigate_ticket(&self, number: i64, investigating: bool) -> Result<FormSuccess> {
        let changed = self
            .service
            .investigate_ticket(&self.viewer.actor, number, investigating);
        changed.await?;
        done(
            number,
            if investigating {
                "Somebody is looking into it now."
            } else {
                "It needs action again."
            },
        )
    }

    /// Changes what a ticket says.
    ///
    /// # Errors
    /// As [`service::Service::edit_ticket`].
    pub async fn edit_ticket(
        &self,
        number: i64,
        title: &str,
        description: &str,
        severity: TicketSeverity,
        high_impact: bool,
    ) -> Result<FormSuccess> {
        let draft = TicketDraft {
            title: title.into(),
            description: description.into(),
            severity,
            high_impact,
        };
        self.service.edit_ticket(&self.viewer.actor, number, draft).await?;
        done(number, "The ticket was changed.")
    }

    /// Resolves a ticket (I3).
    ///
    /// # Errors
    /// As [`service::Service::resolve_ticket`].
    pub async fn resolve_ticket(&self, number: i64, category: &str, note: &str) -> Result<FormSuccess> {
        let resolved = self
            .service
            .resolve_ticket(&self.viewer.actor, number, category, note.into());
        resolved.await?;
        done(number, "The ticket was resolved.")
    }

    /// Lets an automatic ticket rest (I3).
    ///
    /// # Errors
    /// The day is none, or as [`service::Service::suppress_ticket`].
    pub async fn suppress_ticket(&self, number: i64, until: &str, reason: &str) -> Result<FormSuccess> {
        let until = formats::parsed_day("until", until)?;
        let suppressed = self
            .service
            .suppress_ticket(&self.viewer.actor, number, until, reason.into());
        suppressed.await?;
        done(number, "The ticket was suppressed.")
    }
}

fn done(number: i64, text: &str) -> Result<FormSuccess> {
    Ok(FormSuccess::new(text, format!("/incidents/{number}")))
}

/// The tickets that a state in the address asks for.
fn which_tickets(state: &str) -> WhichTickets {
    match state {
        "" => WhichTickets::Open,
        "all" => WhichTickets::All,
        "suppressed" => WhichTickets::Suppressed,
        state => TicketStatus::from_word(state).map_or(WhichTickets::Nothing, WhichTickets::In),
    }
}

fn issue_title(about: &IssueUpdate, paused: bool) -> String {
    let title = &about.update.title;
    match (paused, &about.ring) {
        (true, Some(ring)) => format!("{title} paused in {ring}"),
        (true, None) => format!("{title} paused"),
        (false, _) => format!("Trouble with {title}"),
    }
}

fn suppressed(suppression: &Suppression, zone: &Zone, now: DateTime<Utc>) -> String {
    let last = zone.date(suppression.until - TimeDelta::seconds(1));
    let day = time_text::date(last, zone.date(now).year());
    format!("Suppressed until the end of {day}: {}", suppression.reason)
}

pub(crate) fn row(ticket: &TicketItem, zone: &Zone, now: DateTime<Utc>) -> TicketRow {
    let rest = ticket.rooms - i64::try_from(ticket.first_rooms.len()).unwrap_or(0);
    let mut rooms = ticket.first_rooms.join(", ");
    if rest > 0 {
        rooms = format!("{rooms} and {rest} more");
    }
    TicketRow {
        number: ticket.number,
        title: ticket.title.clone(),
        rooms,
        severity: ticket.severity,
        state: ticket.status,
        opened_by: ticket.opened_by.clone(),
        opened: formats::instant(ticket.opened_at, zone, now),
    }
}
