//! What one box finds, in the words of its page (P8).

use domain::ticket::TicketStatus;
use service::read::search::{FoundRoom, FoundTicket, FoundUpdate};

use crate::context::{RequestContext, Result};
use crate::search::model::{SearchHit, SearchView};

impl RequestContext {
    /// Rooms, updates and tickets by name or number.
    pub async fn search(&self, q: &str) -> Result<SearchView> {
        let mut snapshot = self.snapshot().await?;
        let found = snapshot.search(q, self.viewer.actor.role).await?;
        Ok(SearchView {
            rooms: found.rooms.into_iter().map(room).collect(),
            updates: found.updates.into_iter().map(update).collect(),
            tickets: found.tickets.into_iter().map(ticket).collect(),
        })
    }
}

fn room(found: FoundRoom) -> SearchHit {
    let parts = [found.site, found.building].into_iter();
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    SearchHit {
        href: format!("/rooms/{}", found.id),
        name: found.name,
        sub: parts.join(", "),
    }
}

fn update(found: FoundUpdate) -> SearchHit {
    let (href, sub) = if found.is_published {
        (format!("/updates/{}", found.id), "Update")
    } else {
        (format!("/portfolio/{}", found.product), "Release, not published")
    };
    SearchHit {
        href,
        name: found.title,
        sub: sub.to_owned(),
    }
}

fn ticket(found: FoundTicket) -> SearchHit {
    SearchHit {
        href: format!("/incidents/{}", found.number),
        name: format!("T-{} {}", found.number, found.title),
        sub: found.status.map_or("", TicketStatus::label).to_owned(),
    }
}
