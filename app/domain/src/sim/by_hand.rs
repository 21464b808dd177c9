//! Devices that somebody else moves: a test lets the same device poll and speak here and at the service.

use super::{Behaviour, Simulation};
use crate::conversation::OfferFacts;
use crate::conversation::feedback::Feedback;
use crate::conversation::hear::Words;
use crate::conversation::offer::{self, Offer};
use crate::conversation::presence::Presence;
use crate::ids::DeviceId;

impl Simulation {
    /// The device polls: what it is told. `presence`: what the devices of its room last said of people in it.
    pub fn poll(&mut self, device: DeviceId, presence: Presence) -> Offer {
        let Some(install) = self.fleet.open_install(device).cloned() else {
            return Offer::Nothing;
        };
        let facts = OfferFacts {
            presence,
            ..self.offer_facts(&install, &Behaviour::default())
        };
        let answer = offer::decide(&facts, self.now);
        if answer.shows_up {
            self.fleet.showed_up(install.action, self.now);
        }
        answer.offer
    }

    /// The device says something about what it installs.
    pub fn report_feedback(&mut self, device: DeviceId, feedback: &Feedback) {
        self.hear_open(device, Words::Feedback(feedback));
    }

    /// The device was told to stop, and answers.
    pub fn answer_cancel(&mut self, device: DeviceId, feedback: &Feedback) {
        self.hear_open(device, Words::CancelFeedback(feedback));
    }

    fn hear_open(&mut self, device: DeviceId, words: Words<'_>) {
        if let Some(action) = self.fleet.open_install(device).map(|install| install.action) {
            self.hear(action, words);
        }
    }
}
