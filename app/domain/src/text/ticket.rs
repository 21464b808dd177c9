//! What stands in tickets (K1, S7).

use crate::text::counted;
use crate::ticket::TicketEvent;

impl TicketEvent {
    /// What the ticket's history says of it.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Failed { attempt, reason } => format!("Attempt {attempt}: {}", reason.sentence()),
            Self::NoSpace { windows } => format!("Did not fit into {}.", counted(*windows, "window")),
            Self::Cleared(reason) => reason.sentence(),
        }
    }
}
