//! Sentences of the halt rule (K7).

use crate::halt::{Halt, HaltCause};
use crate::text::counted;

impl Halt {
    /// Why the rollout was paused, in one sentence with its evidence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let ring = &self.ring;
        let against = ring.against();
        let bad = self.rooms_against();
        match self.cause {
            HaltCause::FirstRing => format!(
                "{bad} in {}. That is the first ring with rooms that need it, where one is enough.",
                ring.name
            ),
            HaltCause::Rooms => {
                let rooms = self.rule.failed_rooms.map(|rooms| counted(rooms, "room"));
                let percent = self.rule.failed_percent.map(|percent| format!("{percent} percent"));
                let limit: Vec<String> = rooms.into_iter().chain(percent).collect();
                format!(
                    "{bad} in {}, of {} that need it. The limit is {}.",
                    ring.name,
                    counted(ring.applicable, "room"),
                    limit.join(" and ")
                )
            }
            HaltCause::Share => format!(
                "{bad} in {}, of {} in which it was tried. The limit is {} percent.",
                ring.name,
                counted(ring.attempted.max(against), "room"),
                self.rule.attempted_percent.unwrap_or_default()
            ),
        }
    }

    /// `3 rooms failed and 1 room was unhealthy after it`.
    fn rooms_against(&self) -> String {
        let ring = &self.ring;
        let failed = (ring.failed > 0).then(|| format!("{} failed", counted(ring.failed, "room")));
        let was = if ring.unhealthy == 1 { "was" } else { "were" };
        let unhealthy =
            (ring.unhealthy > 0).then(|| format!("{} {was} unhealthy after it", counted(ring.unhealthy, "room")));
        let parts: Vec<String> = failed.into_iter().chain(unhealthy).collect();
        parts.join(" and ")
    }
}
