//! Tickets in the words of their pages.

use chrono::{DateTime, Datelike, Days, TimeDelta, Utc};
use domain::access::Act;
use domain::ids::{RoomId, UpdateId};
use domain::ticket::TicketSeverity;
use domain::time_text;
use domain::update::titled;
use domain::zone::Zone;
use service::read::ReadSnapshot;
use service::store::{TicketFilter, TicketRecord};
use service::tickets::{CATEGORIES, Issue, LONGEST_SUPPRESSION};

use crate::components::model::{FormSuccess, HistoryRow};
use crate::context::{PAGE, RequestContext, Result};
use crate::error::AppError;
use crate::formats;
use crate::tickets::model::{IssueAbout, IssueDraft, TicketChoices, TicketRow, TicketView, TicketsQuery, TicketsView};

/// Rooms that an issue names by itself.
const NAMED: i64 = 50;

impl RequestContext {
    /// A page of tickets (P7).
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_tickets(&self, query: TicketsQuery) -> Result<TicketsView> {
        let mut snapshot = self.snapshot().await?;
        let zone = snapshot.organisation.zone.clone();
        let filter = TicketFilter {
            words: formats::searched(&query.q),
            state: query.state.clone(),
            severity: query.severity.clone(),
            now: snapshot.now,
        };
        let found = snapshot.tx.tickets(&filter, PAGE, formats::offset(query.page));
        let found = found.await?;
        let total = snapshot.tickets_found(&filter).await?;
        let rows: Vec<TicketRow> = found.iter().map(|ticket| row(ticket, &zone, snapshot.now)).collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        let kept = formats::query(&[("q", &query.q), ("state", &query.state), ("severity", &query.severity)]);
        let pager = formats::numbered(query.page, shown, total, "ticket", "tickets");
        let pager = formats::with_filters(pager, &kept);
        Ok(TicketsView { rows, pager })
    }

    /// One ticket.
    ///
    /// # Errors
    /// There is no such ticket, or the database fails.
    pub async fn ticket(&self, number: i64) -> Result<TicketView> {
        let mut snapshot = self.snapshot().await?;
        let zone = snapshot.organisation.zone.clone();
        let missing = || AppError::NotFound {
            what: "This ticket".to_owned(),
        };
        let ticket = snapshot.tx.ticket(number).await?.ok_or_else(missing)?;
        let rooms = snapshot.tx.rooms_of_ticket(ticket.id).await?;
        let events = snapshot.tx.ticket_events(ticket.id).await?;
        let update = match ticket.update {
            Some(id) => snapshot
                .updates_for_planning(&[id])
                .await?
                .remove(&id)
                .map(|update| (id, update.title())),
            None => None,
        };
        let history = events.into_iter().map(|event| HistoryRow {
            at: formats::instant(event.at, &zone, snapshot.now),
            about: String::new(),
            text: event.text,
            detail: event.actor,
            bad: false,
        });
        let suppressed = suppressed(&ticket, &zone, snapshot.now);
        Ok(TicketView {
            row: row(&ticket, &zone, snapshot.now),
            description: ticket.description,
            category: ticket.category,
            assignee: ticket.assignee,
            rooms,
            update,
            history: history.collect(),
            is_automatic: ticket.is_automatic,
            high_impact: ticket.high_impact,
            suppressed,
            resolution: ticket.state.resolution().map(str::to_owned),
            choices: self.ticket_choices(&snapshot).await?,
        })
    }

    async fn ticket_choices(&self, snapshot: &ReadSnapshot) -> Result<Option<TicketChoices>> {
        if !self.viewer.actor.role.may(Act::WorkOnTickets) {
            return Ok(None);
        }
        let last = snapshot.organisation.zone.date(snapshot.now) + Days::new(LONGEST_SUPPRESSION);
        Ok(Some(TicketChoices {
            assignees: self.service.assignees(&self.viewer.actor).await?,
            categories: CATEGORIES.map(str::to_owned).to_vec(),
            last_day: last.to_string(),
        }))
    }

    /// The form of an issue about a room or an update, filled in as far as that is known (I2, K2).
    ///
    /// # Errors
    /// Whoever asks may not record one, or what it is about is not there.
    pub async fn issue_draft(&self, about: IssueAbout) -> Result<IssueDraft> {
        let mut snapshot = self.snapshot_for(Act::WorkOnTickets).await?;
        let mut draft = IssueDraft {
            title: String::new(),
            description: String::new(),
            rooms: String::new(),
            update: None,
            categories: CATEGORIES.map(str::to_owned).to_vec(),
            paused: about.paused,
        };
        let mut rooms: Vec<RoomId> = about.room.parse().into_iter().collect();
        if let Ok(update) = about.update.parse::<UpdateId>() {
            let summary = snapshot.update(update).await?;
            let title = titled(&summary.record.title, &summary.record.version);
            let ring = summary.rollout.stages.last().map(|stage| stage.name.clone());
            draft.title = match (about.paused, ring) {
                (true, Some(ring)) => format!("{title} paused in {ring}"),
                (true, None) => format!("{title} paused"),
                (false, _) => format!("Trouble with {title}"),
            };
            let failed = snapshot.tx.failed_deployments(update, None, NAMED).await?;
            draft.description = failed
                .first()
                .map(|first| format!("In the first of the rooms: {}", first.reason.sentence()))
                .unwrap_or_default();
            if rooms.is_empty() {
                rooms = failed.into_iter().map(|deployment| deployment.room).collect();
            }
            draft.update = Some((update, title));
        }
        let named = snapshot.tx.room_names(&rooms).await?;
        let lines: Vec<String> = named
            .into_iter()
            .map(|(_, name, site)| format!("{name}, {site}"))
            .collect();
        draft.rooms = lines.join("\n");
        Ok(draft)
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
        let edited = self.service.edit_ticket(
            &self.viewer.actor,
            number,
            title.into(),
            description.into(),
            severity,
            high_impact,
        );
        edited.await?;
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

/// While it is.
fn suppressed(ticket: &TicketRecord, zone: &Zone, now: DateTime<Utc>) -> Option<String> {
    let until = ticket.suppressed_until.filter(|until| *until > now)?;
    let last = zone.date(until - TimeDelta::seconds(1));
    let reason = ticket.suppressed_reason.as_deref().unwrap_or_default();
    let day = time_text::date(last, zone.date(now).year());
    Some(format!("Suppressed until the end of {day}: {reason}"))
}

pub(crate) fn row(ticket: &TicketRecord, zone: &Zone, now: DateTime<Utc>) -> TicketRow {
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
        state: ticket.state.status(),
        opened_by: ticket.opened_by.clone(),
        opened: formats::instant(ticket.opened_at, zone, now),
    }
}
