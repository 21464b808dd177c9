//! What one box finds (P8).

use domain::access::Act;
use domain::ticket::TicketStatus;
use domain::update::titled;
use service::read::ReadSnapshot;
use service::store::FoundTicket;
use service::store::words_of;

use crate::context::{RequestContext, Result};
use crate::formats;
use crate::search::model::{SearchHit, SearchView};

/// How many of each sort are shown.
const SHOWN: usize = 20;
/// How many are looked at to show the best of them.
const LOOKED_AT: i64 = 200;

impl RequestContext {
    /// Rooms, updates and tickets by name or number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn search(&self, q: &str) -> Result<SearchView> {
        let mut snapshot = self.snapshot().await?;
        let words = words_of(&formats::searched(q));
        let rooms = snapshot.tx.find_rooms(&words, LOOKED_AT).await?;
        let rooms = rooms.into_iter().map(|room| SearchHit {
            href: format!("/rooms/{}", room.id()),
            sub: [room.site.as_str(), room.building.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
            name: room.name,
        });
        let may_see_portfolio = self.viewer.actor.role.may(Act::SeePortfolio);
        let updates = snapshot.tx.find_updates(&words, LOOKED_AT).await?;
        let updates = updates
            .into_iter()
            .filter(|update| update.published || may_see_portfolio)
            .map(|update| {
                let (href, sub) = if update.published {
                    (format!("/updates/{}", update.id()), "Update")
                } else {
                    (format!("/portfolio/{}", update.product_id), "Release, not published")
                };
                SearchHit {
                    href,
                    sub: sub.to_owned(),
                    name: titled(&update.title, &update.version),
                }
            });
        let tickets = tickets(&mut snapshot, q, &words).await?;
        let tickets = tickets.into_iter().map(|ticket| SearchHit {
            href: format!("/incidents/{}", ticket.number),
            sub: TicketStatus::from_word(&ticket.state)
                .map_or("", TicketStatus::label)
                .to_owned(),
            name: format!("T-{} {}", ticket.number, ticket.title),
        });
        Ok(SearchView {
            rooms: best(rooms.collect(), q),
            updates: best(updates.collect(), q),
            tickets: best(tickets.collect(), q),
        })
    }
}

/// By words, and by number as people say it: `T-1004`, `1004`.
async fn tickets(snapshot: &mut ReadSnapshot, q: &str, words: &[String]) -> Result<Vec<FoundTicket>> {
    let mut found = snapshot.tx.find_tickets(words, LOOKED_AT).await?;
    let digits = q.trim().trim_start_matches(['T', 't', '#']).trim_start_matches('-');
    if let Ok(number) = digits.parse::<i64>()
        && found.iter().all(|ticket| ticket.number != number)
        && let Some(ticket) = snapshot.tx.ticket(number).await?
    {
        found.push(FoundTicket {
            number,
            title: ticket.title,
            state: ticket.state.status().as_str().to_owned(),
        });
    }
    Ok(found)
}

/// What is called exactly that comes first, then what begins with it, then the rest by name.
fn best(mut found: Vec<SearchHit>, q: &str) -> Vec<SearchHit> {
    let q = formats::searched(q);
    found.sort_by_cached_key(|found| {
        let name = formats::searched(&found.name);
        (name != q, !name.starts_with(&q), name)
    });
    found.truncate(SHOWN);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_exactly_that_comes_first_p8() {
        let found = ["Alba", "Al", "Old Al", "Alder"].map(|name| SearchHit {
            href: String::new(),
            name: name.to_owned(),
            sub: String::new(),
        });
        let names: Vec<String> = best(found.to_vec(), " AL ")
            .into_iter()
            .map(|found| found.name)
            .collect();
        assert_eq!(names, ["Al", "Alba", "Alder", "Old Al"]);
    }
}
