//! What follows for a room when its checks are made (C2–C5, L4, I4), for whoever asks before it does.

use crate::changes::{Changes, SettingEvent};
use crate::readiness::decide::RoomToCheck;
use crate::room::Block;
use crate::ticket::{CauseEvent, CauseTicketChange};

impl RoomToCheck {
    /// What [`crate::readiness::decide::decide`] makes of this room, in sentences: whether it becomes Managed, what is blocked and what is not
    /// any more, tickets, and settings. Results alone, of which nothing follows, are not named.
    #[must_use]
    pub fn what_follows(&self, changes: &Changes) -> Vec<String> {
        let mut sentences = Vec::new();
        for checked in &changes.checked_rooms {
            if checked.becomes_managed {
                sentences.push("Becomes Managed: nothing keeps it in onboarding any more.".to_owned());
            }
            sentences.extend(checked.blocks.iter().flat_map(|blocks| self.blocks_in_words(blocks)));
        }
        let tickets = changes.cause_tickets.iter();
        sentences.extend(tickets.map(|change| self.ticket_in_words(change)));
        let settings = changes.settings.iter();
        sentences.extend(settings.map(|setting| in_words(setting.event).to_owned()));
        sentences
    }

    fn blocks_in_words(&self, after: &[Block]) -> Vec<String> {
        let is_among = |blocks: &[Block], block: &Block| blocks.iter().any(|other| other.scope == block.scope);
        let begin = after.iter().filter(|block| !is_among(&self.blocks, block));
        let begin = begin.map(|block| {
            format!(
                "{} updates are blocked from now on. {}.",
                block.scope.label(),
                block.why
            )
        });
        let end = self.blocks.iter().filter(|block| !is_among(after, block));
        let end = end.map(|block| format!("{} updates are not blocked any more.", block.scope.label()));
        begin.chain(end).collect()
    }

    fn ticket_in_words(&self, change: &CauseTicketChange) -> String {
        match &change.event {
            CauseEvent::Found { severity, title, .. } if self.tickets.contains_key(&change.cause) => {
                format!("A ticket becomes {}: {title}.", severity.label())
            }
            CauseEvent::Found { severity, title, .. } => {
                format!("A ticket is opened, {}: {title}.", severity.label())
            }
            CauseEvent::Gone { what } => format!("A ticket is resolved. {what}"),
        }
    }
}

fn in_words(event: SettingEvent) -> &'static str {
    match event {
        SettingEvent::Wanted => "A device is asked to turn its store updates off.",
        SettingEvent::Done => "A device has turned its store updates off.",
        SettingEvent::Withdrawn => "A device is not asked any more to turn its store updates off.",
        SettingEvent::Failed => "A device was asked to turn its store updates off, and they are still on.",
    }
}
