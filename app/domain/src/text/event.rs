//! Sentences of events.

use crate::event::{Event, Late, TakenBack};
use crate::text::counted;

impl Event {
    /// The event in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::PauseOver { .. } => "Its pause is over.".to_owned(),
            Self::RingAhead { ring, starts } => format!("{ring} starts {starts}."),
            Self::RingEntered {
                ring,
                rooms,
                nights,
                late,
            } => {
                let (rooms, nights) = (counted(*rooms, "room"), counted(*nights, "night"));
                format!("Enters {ring}{}: {rooms} in {nights}.", because_late(late.as_ref()))
            }
            Self::RingPassed { ring, newer, late } => {
                format!(
                    "Passes {ring}{}: its rooms wait for {newer}.",
                    because_late(late.as_ref())
                )
            }
            Self::LastRing { ring, ends } => format!("{ring} is over after {ends}."),
            Self::Finishing { rooms } => format!("Finishing: waits for {}.", counted(*rooms, "room")),
            Self::Halted(halt) => format!("Halted by rule: {}", halt.sentence()),
            Self::Finished => "Through all rings.".to_owned(),
            Self::Deprecated(reason) | Self::Stands(reason) => reason.sentence(),
            Self::TakenBack(TakenBack::Paused) => "Taken back: the update is paused.".to_owned(),
            Self::TakenBack(TakenBack::OtherHours) => "Taken back: the hours of its window have changed.".to_owned(),
            Self::TakenBack(TakenBack::AnotherFirst) => "Taken back: another update goes first.".to_owned(),
            Self::Prepared(night) => format!("Prepared for {night}."),
        }
    }
}

fn because_late(late: Option<&Late>) -> String {
    late.map_or_else(String::new, |Late { days, planned }| {
        let days = counted(*days, "day");
        format!(", {days} after {planned}, because the service was away")
    })
}
