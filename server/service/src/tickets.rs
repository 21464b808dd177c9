//! Tickets of people (SPEC 7): recording an issue, working on it, resolving it; and suppressing one that opened by itself.
//!
//! Tickets of failed deployments are the planner's: they open and resolve themselves, and nobody here closes one (K1, I3).

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::Act;
use domain::clean::{CleanLine, CleanText, name_key};
use domain::ids::{RoomId, TicketId, UpdateId};
use domain::ticket::{TicketSeverity, TicketState};
use domain::time_text;
use serde_json::{Value, json};
use store::{AuditEntry, RoomRecord, TicketRecord, Tx};

use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::estate::check_text;
use crate::tick::organisation;
use crate::{Actor, Service};

/// What a ticket may be about (I1), and what its cause may have been (I3).
pub const CATEGORIES: [&str; 8] = [
    "Versioning",
    "Audio",
    "Video",
    "Network",
    "Peripherals",
    "Software",
    "Hardware",
    "Other",
];
/// Most characters of a title.
pub const LONGEST_TITLE: usize = 200;
/// Most characters of a description or a note.
pub const LONGEST_TEXT: usize = 4000;
/// Most rooms of a ticket.
pub const MOST_ROOMS: usize = 500;
/// Longest suppression, in days.
pub const LONGEST_SUPPRESSION: u64 = 366;

/// An issue as a person records it (I1, I2).
#[derive(Clone, Debug)]
pub struct Issue {
    /// Title.
    pub title: CleanLine,
    /// What people see, and since when.
    pub description: CleanText,
    /// How bad.
    pub severity: TicketSeverity,
    /// One of [`CATEGORIES`].
    pub category: String,
    /// Its rooms, one a line: `Elbe`, or `Elbe, Berlin` where two sites have one of that name.
    pub rooms: CleanText,
    /// Whether it keeps people from working.
    pub high_impact: bool,
    /// The update that it is about.
    pub update: Option<UpdateId>,
}

impl Service {
    /// Records an issue; its rooms are unhealthy while it is open (I2). Gives its number.
    ///
    /// # Errors
    /// The actor may not, or a field breaks its limit or names nothing.
    pub async fn record_issue(&self, actor: &Actor, issue: &Issue) -> Result<i64> {
        let id = TicketId(self.new_id()?);
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            check_text("title", &issue.title, LONGEST_TITLE)?;
            let description = checked_lines("description", &issue.description)?;
            let category = checked_category(&issue.category)?;
            let rooms = named_rooms(tx, &issue.rooms).await?;
            if let Some(update) = issue.update {
                check_update(tx, update).await?;
            }
            let ticket = TicketRecord {
                id,
                number: 0,
                title: issue.title.to_string(),
                description,
                severity: issue.severity,
                category,
                state: TicketState::NeedsAction,
                high_impact: issue.high_impact,
                update: issue.update,
                is_automatic: false,
                opened_by: actor.name.clone(),
                opened_at: now,
                resolved_at: None,
                assignee: None,
                suppressed_until: None,
                suppressed_reason: None,
                resolution: None,
                rooms: (Vec::new(), 0),
            };
            let number = tx.add_ticket(&ticket, &rooms, None).await?;
            tx.add_ticket_event(id, &actor.name, "Recorded.", now).await?;
            let summary = format!("Recorded T-{number}: {}", ticket.title);
            let entry = entry(actor, "ticket.recorded", number, summary).with_after(facts(&ticket));
            (vec![entry], number)
        })
    }

    /// Notes that somebody has decided against recording an issue for a pause, and why (K2).
    ///
    /// # Errors
    /// The actor may not, there is no such update, or the reason is missing or too long.
    pub async fn leave_issue_out(&self, actor: &Actor, update: UpdateId, reason: CleanText) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let reason = crate::control::checked_reason(reason.clone())?;
            check_update(tx, update).await?;
            let title = crate::rings::title(tx, update).await?;
            let summary = format!("Recorded no issue about {title}: {reason}");
            let entry = actor.entry("issue.left_out", "update", update, summary);
            (vec![entry.with_after(json!({ "reason": reason }))], ())
        })
    }

    /// Adds a note to a ticket.
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, or the note is empty or too long.
    pub async fn add_note(&self, actor: &Actor, number: i64, text: CleanText) -> Result<()> {
        let text = checked_lines("note", &text)?;
        let event = text.clone();
        let change = move |_: &mut TicketRecord, _| Ok((event.clone(), format!("Wrote a note on T-{number}.")));
        self.change_ticket(actor, number, "ticket.noted", Some(json!({ "note": text })), change)
            .await
    }

    /// Gives a ticket to somebody, by the name of their account; empty: to nobody.
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, or nobody of that name works on tickets.
    pub async fn assign_ticket(&self, actor: &Actor, number: i64, assignee: CleanLine) -> Result<()> {
        let mut assignees = self.assignees(actor).await?;
        // As the account has the name, which may be in another Unicode form.
        assignees.retain(|name| name == assignee.as_str() || CleanLine::from(name.as_str()) == assignee);
        let exactly = assignees
            .iter()
            .find(|name| *name == assignee.as_str())
            .or(assignees.first());
        let Some(assignee) = exactly.cloned().or(assignee.is_empty().then(String::new)) else {
            let problem = format!("nobody of the name {:?} works on tickets", assignee.as_str());
            return Err(ServiceError::invalid("assignee", problem));
        };
        let change = move |ticket: &mut TicketRecord, _| {
            ticket.assignee = Some(assignee.clone()).filter(|name| !name.is_empty());
            let whose = ticket.assignee.clone().unwrap_or_else(|| "nobody".to_owned());
            Ok((
                format!("Assigned to {whose}."),
                format!("Assigned T-{number} to {whose}."),
            ))
        };
        self.change_ticket(actor, number, "ticket.assigned", None, change).await
    }

    /// Names of those to whom tickets can be given, and of whoever asks.
    ///
    /// # Errors
    /// The database fails.
    pub async fn assignees(&self, actor: &Actor) -> Result<Vec<String>> {
        actor.may(Act::WorkOnTickets)?;
        let people = self.store.read().await?.people().await?;
        let may = people
            .into_iter()
            .filter(|person| person.disabled_at.is_none() && person.role.may(Act::WorkOnTickets));
        let mut names: Vec<String> = may.map(|person| person.name).chain([actor.name.clone()]).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Says whether somebody is looking into a ticket.
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, or it is resolved.
    pub async fn investigate_ticket(&self, actor: &Actor, number: i64, investigating: bool) -> Result<()> {
        let change = move |ticket: &mut TicketRecord, _| {
            if ticket.state == TicketState::Resolved {
                return Err(ServiceError::conflict(format!("T-{number} is resolved")));
            }
            ticket.state = if investigating {
                TicketState::Investigating
            } else {
                TicketState::NeedsAction
            };
            let label = ticket.state.label();
            Ok((format!("{label}."), format!("T-{number}: {label}.")))
        };
        self.change_ticket(actor, number, "ticket.state_changed", None, change)
            .await
    }

    /// Changes what a recorded ticket says (I1).
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, it opened by itself, or a field breaks its limit.
    pub async fn edit_ticket(
        &self,
        actor: &Actor,
        number: i64,
        title: CleanLine,
        description: CleanText,
        severity: TicketSeverity,
        high_impact: bool,
    ) -> Result<()> {
        check_text("title", &title, LONGEST_TITLE)?;
        let (title, description) = (title.to_string(), checked_lines("description", &description)?);
        let change = move |ticket: &mut TicketRecord, _| {
            if ticket.is_automatic {
                return Err(ServiceError::conflict(format!(
                    "T-{number} was opened automatically; add a note to it instead"
                )));
            }
            ticket.title.clone_from(&title);
            ticket.description.clone_from(&description);
            (ticket.severity, ticket.high_impact) = (severity, high_impact);
            Ok(("Edited.".to_owned(), format!("Edited T-{number}.")))
        };
        self.change_ticket(actor, number, "ticket.edited", None, change).await
    }

    /// Resolves a recorded ticket with the category of its cause (I3).
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, it is resolved already, or it opened by itself.
    pub async fn resolve_ticket(&self, actor: &Actor, number: i64, category: &str, what: CleanText) -> Result<()> {
        let category = checked_category(category)?;
        let what = checked_lines("note", &what)?;
        let change = move |ticket: &mut TicketRecord, now: DateTime<Utc>| {
            if ticket.is_automatic {
                let problem = format!(
                    "T-{number} was opened automatically and is resolved when its cause is gone; suppress it instead"
                );
                return Err(ServiceError::conflict(problem));
            }
            if ticket.state == TicketState::Resolved {
                return Err(ServiceError::conflict(format!("T-{number} is resolved already")));
            }
            ticket.state = TicketState::Resolved;
            ticket.resolved_at = Some(now);
            ticket.resolution = Some(category.clone());
            Ok((
                format!("Resolved ({category}): {what}"),
                format!("Resolved T-{number} ({category})."),
            ))
        };
        self.change_ticket(actor, number, "ticket.resolved", None, change).await
    }

    /// Lets an automatic ticket rest until the end of a day in the organisation's zone (I3).
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, a person has recorded it, it is resolved, or the day breaks its limit.
    pub async fn suppress_ticket(&self, actor: &Actor, number: i64, until: NaiveDate, reason: CleanText) -> Result<()> {
        let reason = crate::control::checked_reason(reason)?;
        let zone = organisation(&mut self.store.read().await?).await?.zone;
        let today = zone.date(self.clock.now());
        let last = today + Days::new(LONGEST_SUPPRESSION);
        if until < today || until > last {
            return Err(ServiceError::invalid(
                "until",
                format!(
                    "{} is not between {} and {}",
                    time_text::dated(until),
                    time_text::dated(today),
                    time_text::dated(last)
                ),
            ));
        }
        let ends: DateTime<Utc> = zone.start_of(until + Days::new(1));
        let change = move |ticket: &mut TicketRecord, _| {
            if !ticket.is_automatic {
                return Err(ServiceError::conflict(format!(
                    "T-{number} was recorded by a person; resolve it instead"
                )));
            }
            if ticket.state == TicketState::Resolved {
                return Err(ServiceError::conflict(format!("T-{number} is resolved")));
            }
            ticket.suppressed_until = Some(ends);
            ticket.suppressed_reason = Some(reason.clone());
            let text = format!("Suppressed until the end of {}: {reason}", time_text::dated(until));
            Ok((
                text,
                format!(
                    "Suppressed T-{number} until the end of {}: {reason}",
                    time_text::dated(until)
                ),
            ))
        };
        self.change_ticket(actor, number, "ticket.suppressed", None, change)
            .await
    }

    /// One change of one ticket: the ticket, an event in its history, an entry in the audit. `change` gives the words of both.
    async fn change_ticket(
        &self,
        actor: &Actor,
        number: i64,
        action: &'static str,
        after: Option<Value>,
        change: impl Fn(&mut TicketRecord, DateTime<Utc>) -> Result<(String, String)>,
    ) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let before = tx.ticket(number).await?;
            let before = before.ok_or_else(|| ServiceError::not_found(format!("T-{number}")))?;
            let mut changed = before.clone();
            let (event, summary) = change(&mut changed, now)?;
            tx.put_ticket(&changed, now).await?;
            tx.add_ticket_event(changed.id, &actor.name, &event, now).await?;
            let entry = entry(actor, action, number, summary)
                .with_before(facts(&before))
                .with_after(after.clone().unwrap_or_else(|| facts(&changed)));
            (vec![entry], ())
        })
    }
}

async fn check_update(tx: &mut Tx, update: UpdateId) -> Result<()> {
    let release = tx.release(update).await?;
    release.map(drop).ok_or_else(|| ServiceError::not_found("This update"))
}

/// The rooms of these lines; each line names one.
async fn named_rooms(tx: &mut Tx, lines: &CleanText) -> Result<Vec<RoomId>> {
    let mut found: Vec<RoomId> = Vec::new();
    for line in lines.as_str().lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, site) = match line.rsplit_once(", ") {
            Some((name, site)) => (name, Some(site)),
            None => (line, None),
        };
        let mut rooms = tx.rooms_named(name).await?;
        let whole = if rooms.is_empty() {
            tx.rooms_named(line).await?
        } else {
            Vec::new()
        };
        rooms.extend(whole);
        if let (Some(site), true) = (site, rooms.len() > 1) {
            rooms.retain(|room: &RoomRecord| name_key(&room.site_name) == name_key(site));
        }
        match rooms.as_slice() {
            [room] => {
                if !found.contains(&room.id) {
                    found.push(room.id);
                }
            }
            [] => return Err(ServiceError::invalid("rooms", format!("there is no room {line:?}"))),
            several => {
                let problem = format!(
                    "{} rooms are called {name:?}; write the site behind it: {name}, {}",
                    several.len(),
                    several[0].site_name
                );
                return Err(ServiceError::invalid("rooms", problem));
            }
        }
    }
    match found.len() {
        0 => Err(ServiceError::invalid("rooms", "name at least one room, one a line")),
        number if number > MOST_ROOMS => Err(ServiceError::invalid(
            "rooms",
            format!("{number} rooms are too many; at most {MOST_ROOMS}"),
        )),
        _ => Ok(found),
    }
}

fn checked_category(category: &str) -> Result<String> {
    if CATEGORIES.contains(&category) {
        Ok(category.to_owned())
    } else if category.is_empty() {
        Err(ServiceError::invalid("category", "choose one".to_owned()))
    } else {
        Err(ServiceError::invalid(
            "category",
            format!("{category:?} is unknown; choose one of {}", CATEGORIES.join(", ")),
        ))
    }
}

/// Text of several lines.
pub(crate) fn checked_lines(field: &'static str, text: &CleanText) -> Result<String> {
    if !text.can_be_shown() {
        return Err(ServiceError::invalid(field, "has characters that cannot be shown"));
    }
    match text.length() {
        0 => Err(ServiceError::invalid(field, "is missing")),
        length if length > LONGEST_TEXT => Err(ServiceError::invalid(
            field,
            format!("{length} characters are too many; at most {LONGEST_TEXT}"),
        )),
        _ => Ok(text.to_string()),
    }
}

fn facts(ticket: &TicketRecord) -> Value {
    json!({
        "title": ticket.title,
        "severity": ticket.severity,
        "state": ticket.state,
        "high_impact": ticket.high_impact,
        "assignee": ticket.assignee,
        "suppressed_until": ticket.suppressed_until,
        "resolution": ticket.resolution,
    })
}

fn entry(actor: &Actor, action: &'static str, number: i64, summary: String) -> AuditEntry {
    actor.entry(action, "ticket", number, summary)
}
