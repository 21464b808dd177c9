//! Devices that somebody else moves: a test lets the same device poll and speak here and at the service.

use super::{Behaviour, Simulation};
use crate::conversation::feedback::Feedback;
use crate::conversation::hear::FeedbackEffect;
use crate::conversation::offer::{self, Offer, OfferFacts, Presence};
use crate::ids::DeviceId;
use crate::install::Install;

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
        let (offer, shows_up) = (offer::decide(&facts, self.now), offer::shows_up(&facts, self.now));
        if shows_up {
            self.fleet.showed_up(install.action, self.now);
        }
        offer
    }

    /// The device says something about what it installs, which it was offered.
    pub fn report_feedback(&mut self, device: DeviceId, feedback: &Feedback) {
        let now = self.now;
        self.apply_feedback(device, |install| install.hear(feedback, true, now));
    }

    /// The device was told to stop, and answers.
    pub fn answer_cancel(&mut self, device: DeviceId, feedback: &Feedback) {
        let now = self.now;
        self.apply_feedback(device, |install| install.hear_cancel(feedback, now));
    }

    fn apply_feedback(&mut self, device: DeviceId, heard: impl FnOnce(&Install) -> FeedbackEffect) {
        if let Some(FeedbackEffect::Changed(changed)) = self.fleet.open_install(device).map(heard) {
            self.fleet.hear(changed);
        }
    }
}
