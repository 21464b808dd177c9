//! What one box finds (P8): rooms, updates and tickets, by name or number.

use domain::access::{Act, Role};
use domain::clean::CleanLine;
use domain::ids::{ProductId, RoomId, UpdateId};
use domain::ticket::TicketStatus;
use domain::update::titled;
use serde::Serialize;
use store::words_of;

use super::ReadSnapshot;
use crate::error::Result;

/// How many of each sort are given.
const GIVEN: usize = 20;
/// How many are looked at to give the best of them.
const LOOKED_AT: i64 = 200;

/// What was found, the best of each sort first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Rooms; retired ones too.
    pub rooms: Vec<FoundRoom>,
    /// Updates, and releases for whoever may see the portfolio.
    pub updates: Vec<FoundUpdate>,
    pub tickets: Vec<FoundTicket>,
}

/// A room that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundRoom {
    /// Identity.
    pub id: RoomId,
    /// Unique at its site.
    pub name: String,
    /// The site's name.
    pub site: String,
    /// May be empty.
    pub building: String,
}

/// A release that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundUpdate {
    /// Identity.
    pub id: UpdateId,
    /// Product and version.
    pub title: String,
    pub product: ProductId,
    /// It is an update: it has a rollout.
    pub is_published: bool,
}

/// A ticket that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundTicket {
    /// Number, as people say it.
    pub number: i64,
    pub title: String,
    /// Where it stands; `None`: an older word.
    pub status: Option<TicketStatus>,
}

impl From<store::FoundTicket> for FoundTicket {
    fn from(found: store::FoundTicket) -> Self {
        Self {
            number: found.number,
            title: found.title,
            status: TicketStatus::from_word(&found.state),
        }
    }
}

impl ReadSnapshot {
    /// Rooms, updates and tickets by the beginnings of their words, or by a ticket's number, as far as somebody in this role may see
    /// them.
    pub async fn search(&mut self, typed: &str, role: Role) -> Result<Found> {
        let words = words_of(&searched(typed));
        let rooms = self.tx.find_rooms(&words, LOOKED_AT).await?;
        let rooms = rooms.into_iter().map(|room| FoundRoom {
            id: room.id(),
            name: room.name,
            site: room.site,
            building: room.building,
        });
        let may_see_portfolio = role.may(Act::SeePortfolio);
        let updates = self.tx.find_updates(&words, LOOKED_AT).await?.into_iter();
        let updates = updates.filter(|update| update.published || may_see_portfolio);
        let updates = updates.map(|update| FoundUpdate {
            id: update.id(),
            title: titled(&update.title, &update.version),
            is_published: update.published,
            product: ProductId(update.product_id),
        });
        let tickets = self.found_tickets(typed, &words).await?;
        Ok(Found {
            rooms: best(rooms.collect(), typed, |room| room.name.clone()),
            updates: best(updates.collect(), typed, |update| update.title.clone()),
            tickets: best(tickets, typed, |ticket| format!("T-{} {}", ticket.number, ticket.title)),
        })
    }

    /// By words, and by number as people say it: `T-1004`, `1004`.
    async fn found_tickets(&mut self, typed: &str, words: &[String]) -> Result<Vec<FoundTicket>> {
        let found = self.tx.find_tickets(words, LOOKED_AT).await?;
        let mut found: Vec<FoundTicket> = found.into_iter().map(FoundTicket::from).collect();
        let digits = typed.trim().trim_start_matches(['T', 't', '#']).trim_start_matches('-');
        if let Ok(number) = digits.parse::<i64>()
            && found.iter().all(|ticket| ticket.number != number)
            && let Some(ticket) = self.tx.ticket(number).await?
        {
            found.push(FoundTicket {
                number,
                title: ticket.title,
                status: Some(ticket.state.status()),
            });
        }
        Ok(found)
    }
}

/// What somebody looks for, as names are written (`domain::clean`), in small letters. Characters that no name has look for nothing.
#[must_use]
pub fn searched(typed: &str) -> String {
    let line = CleanLine::from(typed);
    let words = line.as_str().to_lowercase();
    words.replace(char::is_control, " ")
}

/// What is called exactly that comes first, then what begins with it, then the rest by name.
fn best<T>(mut found: Vec<T>, typed: &str, name: impl Fn(&T) -> String) -> Vec<T> {
    let typed = searched(typed);
    found.sort_by_cached_key(|found| {
        let name = searched(&name(found));
        (name != typed, !name.starts_with(&typed), name)
    });
    found.truncate(GIVEN);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_exactly_that_comes_first_p8() {
        let found = ["Alba", "Al", "Old Al", "Alder"].map(str::to_owned);
        let names = best(found.to_vec(), " AL ", Clone::clone);
        assert_eq!(names, ["Al", "Alba", "Alder", "Old Al"]);
    }
}
