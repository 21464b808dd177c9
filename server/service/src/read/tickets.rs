//! Tickets as pages and programs read them (P7, I1–I4): the list, one of them, and what is known before an issue is recorded.
//!
//! Start with [`ReadSnapshot::ticket_page`]. People change tickets in `crate::tickets`.

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::Act;
use domain::ids::{RoomId, UpdateId};
use domain::reason::Reason;
use domain::ticket::{Suppression, TicketSeverity, TicketState, TicketStatus};
use serde::{Deserialize, Serialize};
use store::TicketRecord;

use super::search::searched;
use super::{HistoryEntry, Numbered, NumberedPage, ReadSnapshot, RoomName, Wanted};
use crate::Actor;
use crate::error::{Result, ServiceError};
use crate::estate_counts::TicketsFound;
use crate::tickets::{CATEGORIES, LONGEST_SUPPRESSION, assignees};

/// Which tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketFilter {
    /// Beginnings of words in the title, as somebody types them; empty: any.
    pub words: String,
    /// How they stand.
    pub which: WhichTickets,
    /// How bad.
    pub severity: Wanted<TicketSeverity>,
}

/// Tickets by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichTickets {
    /// Neither resolved nor suppressed.
    #[default]
    Open,
    /// Not resolved, and suppressed now (I3).
    Suppressed,
    /// These, suppressed or not.
    In(TicketStatus),
    All,
    /// A word of the address that means nothing: nothing matches.
    Nothing,
}

impl TicketFilter {
    /// As the store takes it; `None`: nothing matches.
    fn stored(&self, now: DateTime<Utc>) -> Option<store::TicketFilter> {
        let state = match self.which {
            WhichTickets::Open => "",
            WhichTickets::Suppressed => "suppressed",
            WhichTickets::In(status) => status.as_str(),
            WhichTickets::All => "all",
            WhichTickets::Nothing => return None,
        };
        let severity = match self.severity {
            Wanted::Any => "",
            Wanted::Only(severity) => severity.as_str(),
            Wanted::Nothing => return None,
        };
        Some(store::TicketFilter {
            words: searched(&self.words),
            state: state.to_owned(),
            severity: severity.to_owned(),
            now,
        })
    }
}

/// A ticket in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TicketItem {
    /// As people say it: 1001 for T-1001.
    pub number: i64,
    pub title: String,
    /// How bad.
    pub severity: TicketSeverity,
    /// Where it stands.
    pub status: TicketStatus,
    /// A person or a rule.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// The names of its first rooms: three at most.
    pub first_rooms: Vec<String>,
    /// How many rooms it has.
    pub rooms: i64,
}

impl TicketItem {
    fn of(record: &TicketRecord) -> Self {
        let (first_rooms, rooms) = record.rooms.clone();
        Self {
            number: record.number,
            title: record.title.clone(),
            severity: record.severity,
            status: record.state.status(),
            opened_by: record.opened_by.clone(),
            opened_at: record.opened_at,
            first_rooms,
            rooms,
        }
    }
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TicketDetail {
    /// As lists have it.
    pub ticket: TicketItem,
    /// What people see, and since when.
    pub description: String,
    /// What it is about: one of [`CATEGORIES`].
    pub category: String,
    /// Who looks after it.
    pub assignee: Option<String>,
    /// Its rooms, by name; 500 at most.
    pub rooms: Vec<RoomName>,
    pub update: Option<NamedUpdate>,
    /// Its history, newest first; 200 entries at most.
    pub history: Vec<HistoryEntry>,
    /// It opened by itself, and resolves itself (I3).
    pub is_automatic: bool,
    /// It keeps people from working.
    pub high_impact: bool,
    /// While it is nobody's concern.
    pub suppression: Option<Suppression>,
    /// Where it stands, with what is known of it.
    pub state: TicketState,
}

/// An update where it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedUpdate {
    /// Identity.
    pub id: UpdateId,
    /// `Teams Rooms app 5.2.115.0`.
    pub title: String,
}

/// What people who work on tickets choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TicketChoices {
    /// Whom a ticket can be given to, by name.
    pub assignees: Vec<String>,
    /// What it may be about, and what its cause may be.
    pub categories: Vec<&'static str>,
    /// The last day until which it can be suppressed.
    pub last_suppressed_day: NaiveDate,
}

/// What is known before somebody records an issue (I2, K2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssueFacts {
    /// What it may be about.
    pub categories: Vec<&'static str>,
    /// The update that it is about.
    pub update: Option<IssueUpdate>,
    /// Its rooms: the one that was asked for, else those in which the update has failed; 50 at most.
    pub rooms: Vec<RoomName>,
}

/// An update about which somebody records an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssueUpdate {
    pub update: NamedUpdate,
    /// The name of the ring that it has entered last; `None`: it has entered none.
    pub ring: Option<String>,
    /// Why it has failed in the first room; `None`: in none.
    pub first_failure: Option<Reason>,
}

/// Rooms that an issue names by itself.
const NAMED: i64 = 50;

impl ReadSnapshot {
    /// A page of tickets, those that need action first, then the newest (P7).
    pub async fn ticket_page(&mut self, filter: &TicketFilter, page: NumberedPage) -> Result<Numbered<TicketItem>> {
        let Some(filter) = filter.stored(self.now) else {
            return Ok(Numbered {
                items: Vec::new(),
                total: 0,
            });
        };
        let found = self.tx.tickets(&filter, page.limit, page.offset()).await?;
        Ok(Numbered {
            items: found.iter().map(TicketItem::of).collect(),
            total: self.tickets_found(&filter).await?,
        })
    }

    /// The tickets of an update, open ones first; 50 at most.
    pub async fn tickets_of_update(&mut self, update: UpdateId) -> Result<Vec<TicketItem>> {
        let found = self.tx.tickets_of_update(update).await?;
        Ok(found.iter().map(TicketItem::of).collect())
    }

    /// The tickets of a room, open ones first; 50 at most.
    pub async fn tickets_of_room(&mut self, room: RoomId) -> Result<Vec<TicketItem>> {
        let found = self.tx.tickets_of_room(room).await?;
        Ok(found.iter().map(TicketItem::of).collect())
    }

    /// One ticket.
    ///
    /// # Errors
    /// There is no such ticket.
    pub async fn ticket(&mut self, number: i64) -> Result<TicketDetail> {
        let missing = || ServiceError::not_found("This ticket");
        let record = self.tx.ticket(number).await?.ok_or_else(missing)?;
        let rooms = self.tx.rooms_of_ticket(record.id).await?.into_iter();
        let events = self.tx.ticket_events(record.id).await?.into_iter();
        let update = match record.update {
            Some(id) => self.updates_for_planning(&[id]).await?.remove(&id),
            None => None,
        };
        let history = events.map(|event| HistoryEntry {
            at: event.at,
            actor: event.actor,
            text: event.text,
        });
        let ticket = TicketItem::of(&record);
        let suppression = record.suppression.filter(|suppression| suppression.until > self.now);
        Ok(TicketDetail {
            ticket,
            description: record.description,
            category: record.category,
            assignee: record.assignee,
            rooms: rooms.map(|(id, name, site)| RoomName { id, name, site }).collect(),
            update: update.map(|update| NamedUpdate {
                id: update.id,
                title: update.title(),
            }),
            history: history.collect(),
            is_automatic: record.is_automatic,
            high_impact: record.high_impact,
            suppression,
            state: record.state,
        })
    }

    /// What somebody who works on tickets chooses from.
    ///
    /// # Errors
    /// The actor may not work on tickets.
    pub async fn ticket_choices(&mut self, actor: &Actor) -> Result<TicketChoices> {
        actor.may(Act::WorkOnTickets)?;
        Ok(TicketChoices {
            assignees: assignees(&mut self.tx, actor).await?,
            categories: CATEGORIES.to_vec(),
            last_suppressed_day: self.organisation.zone.date(self.now) + Days::new(LONGEST_SUPPRESSION),
        })
    }

    /// What is known before somebody records an issue about a room or an update (I2, K2).
    ///
    /// # Errors
    /// The update was not published.
    pub async fn issue_facts(&mut self, room: Option<RoomId>, update: Option<UpdateId>) -> Result<IssueFacts> {
        let mut rooms: Vec<RoomId> = room.into_iter().collect();
        let update = match update {
            Some(id) => {
                let summary = self.update(id).await?;
                let failed = self.tx.failed_deployments(id, None, NAMED).await?;
                if rooms.is_empty() {
                    rooms = failed.iter().map(|deployment| deployment.room).collect();
                }
                Some(IssueUpdate {
                    update: NamedUpdate {
                        id,
                        title: summary.update.title(),
                    },
                    ring: summary.rollout.stages.last().map(|stage| stage.name.clone()),
                    first_failure: failed.into_iter().next().map(|deployment| deployment.reason),
                })
            }
            None => None,
        };
        Ok(IssueFacts {
            categories: CATEGORIES.to_vec(),
            update,
            rooms: self.room_names(&rooms).await?,
        })
    }

    /// [`store::Tx::tickets_found`]; with words, of a large estate as it was a moment ago.
    async fn tickets_found(&mut self, filter: &store::TicketFilter) -> Result<i64> {
        if filter.words.trim().is_empty() {
            return Ok(self.tx.tickets_found(filter).await?);
        }
        self.estate_count(&TicketsFound(filter.clone())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_for_what_nothing_has_asks_no_database() {
        let now = DateTime::UNIX_EPOCH;
        let nothing = [
            TicketFilter {
                which: WhichTickets::Nothing,
                ..TicketFilter::default()
            },
            TicketFilter {
                severity: Wanted::Nothing,
                ..TicketFilter::default()
            },
        ];
        assert!(nothing.iter().all(|filter| filter.stored(now).is_none()));
        let all = TicketFilter::default().stored(now).expect("a filter");
        assert_eq!((all.state.as_str(), all.severity.as_str()), ("", ""));
    }
}
