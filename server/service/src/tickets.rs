//! Tickets of people (SPEC 7): recording an issue, working on it, resolving it; and suppressing one that opened by itself.
//!
//! Tickets of failed deployments are the planner's: they open and resolve themselves, and nobody here closes one (K1, I3).

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::Act;
use domain::clean::{CleanLine, CleanText, name_key};
use domain::ids::{RoomId, TicketId, UpdateId};
use domain::ticket::{Suppression, TicketSeverity, TicketState, TicketStatus};
use domain::time_text;
use domain::zone::Zone;
use serde_json::{Value, json};
use store::{AuditEntry, RoomRecord, TicketRecord, Tx};

use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::limits::check_text;
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

/// What a person may change of a recorded ticket.
#[derive(Clone, Debug)]
pub struct TicketDraft {
    pub title: CleanLine,
    /// What people see, and since when.
    pub description: CleanText,
    /// How bad.
    pub severity: TicketSeverity,
    /// Whether it keeps people from working.
    pub high_impact: bool,
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
                assignee: None,
                suppression: None,
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
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let text = checked_lines("note", &text)?;
            let ticket = known(tx, number).await?;
            let summary = format!("Wrote a note on T-{number}.");
            put(tx, actor, &ticket, &text, now).await?;
            let entry = entry(actor, "ticket.noted", number, summary)
                .with_before(facts(&ticket))
                .with_after(json!({ "note": text }));
            (vec![entry], ())
        })
    }

    /// Gives a ticket to somebody, by the name of their account; empty: to nobody.
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, or nobody of that name works on tickets.
    pub async fn assign_ticket(&self, actor: &Actor, number: i64, assignee: CleanLine) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let assignee = checked_assignee(tx, actor, &assignee).await?;
            let before = known(tx, number).await?;
            let after = TicketRecord {
                assignee,
                ..before.clone()
            };
            let whose = after.assignee.as_deref().unwrap_or("nobody");
            put(tx, actor, &after, &format!("Assigned to {whose}."), now).await?;
            let summary = format!("Assigned T-{number} to {whose}.");
            (vec![changed(actor, "ticket.assigned", &before, &after, summary)], ())
        })
    }

    /// Says whether somebody is looking into a ticket.
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, or it is resolved.
    pub async fn investigate_ticket(&self, actor: &Actor, number: i64, investigating: bool) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let before = known(tx, number).await?;
            if before.state.status() == TicketStatus::Resolved {
                return Err(ServiceError::conflict(format!("T-{number} is resolved")));
            }
            let state = if investigating {
                TicketState::Investigating
            } else {
                TicketState::NeedsAction
            };
            let label = state.status().label();
            let after = TicketRecord {
                state,
                ..before.clone()
            };
            put(tx, actor, &after, &format!("{label}."), now).await?;
            let summary = format!("T-{number}: {label}.");
            (
                vec![changed(actor, "ticket.state_changed", &before, &after, summary)],
                (),
            )
        })
    }

    /// Changes what a recorded ticket says (I1).
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, it opened by itself, or a field breaks its limit.
    pub async fn edit_ticket(&self, actor: &Actor, number: i64, draft: TicketDraft) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            check_text("title", &draft.title, LONGEST_TITLE)?;
            let description = checked_lines("description", &draft.description)?;
            let before = known(tx, number).await?;
            if before.is_automatic {
                return Err(ServiceError::conflict(format!(
                    "T-{number} was opened automatically; add a note to it instead"
                )));
            }
            let after = TicketRecord {
                title: draft.title.to_string(),
                description,
                severity: draft.severity,
                high_impact: draft.high_impact,
                ..before.clone()
            };
            put(tx, actor, &after, "Edited.", now).await?;
            let summary = format!("Edited T-{number}.");
            (vec![changed(actor, "ticket.edited", &before, &after, summary)], ())
        })
    }

    /// Resolves a recorded ticket with the category of its cause (I3).
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, it is resolved already, or it opened by itself.
    pub async fn resolve_ticket(&self, actor: &Actor, number: i64, category: &str, what: CleanText) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let category = checked_category(category)?;
            let what = checked_lines("note", &what)?;
            let before = known(tx, number).await?;
            if before.is_automatic {
                let problem = format!(
                    "T-{number} was opened automatically and is resolved when its cause is gone; suppress it instead"
                );
                return Err(ServiceError::conflict(problem));
            }
            if before.state.status() == TicketStatus::Resolved {
                return Err(ServiceError::conflict(format!("T-{number} is resolved already")));
            }
            let after = TicketRecord {
                state: TicketState::Resolved {
                    at: now,
                    category: Some(category.clone()),
                },
                ..before.clone()
            };
            put(tx, actor, &after, &format!("Resolved ({category}): {what}"), now).await?;
            let summary = format!("Resolved T-{number} ({category}).");
            (vec![changed(actor, "ticket.resolved", &before, &after, summary)], ())
        })
    }

    /// Lets an automatic ticket rest until the end of a day in the organisation's zone (I3).
    ///
    /// # Errors
    /// The actor may not, there is no such ticket, a person has recorded it, it is resolved, or the day breaks its limit.
    pub async fn suppress_ticket(&self, actor: &Actor, number: i64, until: NaiveDate, reason: CleanText) -> Result<()> {
        change_records!(self, actor, Act::WorkOnTickets, |tx, now| {
            let reason = crate::control::checked_reason(reason.clone())?;
            let ends = end_of_suppression(&organisation(tx).await?.zone, until, now)?;
            let before = known(tx, number).await?;
            if !before.is_automatic {
                return Err(ServiceError::conflict(format!(
                    "T-{number} was recorded by a person; resolve it instead"
                )));
            }
            if before.state.status() == TicketStatus::Resolved {
                return Err(ServiceError::conflict(format!("T-{number} is resolved")));
            }
            let until = time_text::dated(until);
            let event = format!("Suppressed until the end of {until}: {reason}");
            let summary = format!("Suppressed T-{number} until the end of {until}: {reason}");
            let after = TicketRecord {
                suppression: Some(Suppression { until: ends, reason }),
                ..before.clone()
            };
            put(tx, actor, &after, &event, now).await?;
            (vec![changed(actor, "ticket.suppressed", &before, &after, summary)], ())
        })
    }
}

async fn known(tx: &mut Tx, number: i64) -> Result<TicketRecord> {
    let ticket = tx.ticket(number).await?;
    ticket.ok_or_else(|| ServiceError::not_found(format!("T-{number}")))
}

/// Writes a ticket, and an event in its history.
async fn put(tx: &mut Tx, actor: &Actor, ticket: &TicketRecord, event: &str, now: DateTime<Utc>) -> Result<()> {
    tx.put_ticket(ticket, now).await?;
    tx.add_ticket_event(ticket.id, &actor.name, event, now).await?;
    Ok(())
}

/// An entry about a ticket that has changed.
fn changed(
    actor: &Actor,
    action: &'static str,
    before: &TicketRecord,
    after: &TicketRecord,
    summary: String,
) -> AuditEntry {
    entry(actor, action, before.number, summary)
        .with_before(facts(before))
        .with_after(facts(after))
}

/// Names of those to whom tickets can be given, and of whoever asks.
pub(crate) async fn assignees(tx: &mut Tx, actor: &Actor) -> Result<Vec<String>> {
    let people = tx.people().await?;
    let may = people
        .into_iter()
        .filter(|person| person.disabled_at.is_none() && person.role.may(Act::WorkOnTickets));
    let mut names: Vec<String> = may.map(|person| person.name).chain([actor.name.clone()]).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The name as the account has it, which may be in another Unicode form; `None`: nobody.
async fn checked_assignee(tx: &mut Tx, actor: &Actor, given: &CleanLine) -> Result<Option<String>> {
    let mut names = assignees(tx, actor).await?;
    names.retain(|name| name == given.as_str() || CleanLine::from(name.as_str()) == *given);
    let exactly = names.iter().find(|name| *name == given.as_str()).or(names.first());
    if exactly.is_none() && !given.is_empty() {
        let problem = format!("nobody of the name {:?} works on tickets", given.as_str());
        return Err(ServiceError::invalid("assignee", problem));
    }
    Ok(exactly.filter(|name| !name.is_empty()).cloned())
}

/// The instant at which a suppression until this day is over.
fn end_of_suppression(zone: &Zone, until: NaiveDate, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let today = zone.date(now);
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
    Ok(zone.start_of(until + Days::new(1)))
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
        if rooms.is_empty() {
            // The comma belongs to the name.
            rooms = tx.rooms_named(line).await?;
        }
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
        "state": ticket.state.status(),
        "high_impact": ticket.high_impact,
        "assignee": ticket.assignee,
        "suppressed_until": ticket.suppression.as_ref().map(|suppression| suppression.until),
        "resolution": ticket.state.resolution(),
    })
}

fn entry(actor: &Actor, action: &'static str, number: i64, summary: String) -> AuditEntry {
    actor.entry(action, "ticket", number, summary)
}
