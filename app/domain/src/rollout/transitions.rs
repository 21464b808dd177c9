//! How a rollout goes from one state to the next, whoever decides it: a person, or the planner because an instant has come.
//!
//! Each takes the time and gives the rollout in its new state, or `None` where there is nothing to change. Who may decide it, and what
//! else follows, stands in `commands` and in the planner.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Rollout, RolloutState, start_date};
use crate::freeze::{Freezes, Shift};
use crate::ids::{StageOf, UpdateId};
use crate::reason::Reason;
use crate::ring::RingSequence;
use crate::settings::{Mode, Organisation};
use crate::update::{Severity, Update};
use crate::zone::Zone;

impl Rollout {
    /// A new rollout of `update` (S3, S4).
    #[must_use]
    pub fn publish(organisation: &Organisation, update: &Update, now: DateTime<Utc>) -> Self {
        let published_on = organisation.zone.date(now);
        let at_midnight = organisation.zone.start_of(published_on) == now;
        let starts_on = start_date(
            update.severity,
            published_on,
            at_midnight,
            organisation.settings.start_weekday,
        );
        Self {
            update: update.id,
            published_at: now,
            starts_on,
            state: RolloutState::Running,
            stages: Vec::new(),
            paused_days: 0,
            automatic_days: match organisation.settings.mode {
                Mode::RingValidated => None,
                Mode::Automatic => Some(organisation.settings.automatic_days),
            },
            superseded_by: Vec::new(),
            counts: BTreeMap::new(),
            next_at: Some(now),
            first_test_over: false,
            halt_rule: None,
            halt: None,
        }
    }

    /// This rollout when a newer update is published that takes its place (S9); `None`: it stays as it is.
    ///
    /// It ends at once, unless the starvation guard is on, the newer one is not critical, and this one has finished its Staging test:
    /// then it continues in each ring until the newer one enters that ring.
    #[must_use]
    pub fn supersede(
        &self,
        newer: &Update,
        organisation: &Organisation,
        rings: &RingSequence,
        freezes: &Freezes,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        if !self.is_live() {
            return None;
        }
        let calendar = self.calendar_at(rings, freezes, &organisation.zone, now);
        let today = organisation.zone.date(now);
        let first = calendar.first().filter(|stage| stage.entered);
        let has_finished_test = first.is_some_and(|stage| stage.test_ends <= today);
        let continues =
            organisation.settings.starvation_guard && newer.severity != Severity::Critical && has_finished_test;
        let mut superseded = self.clone();
        superseded.superseded_by.push(newer.id);
        if !continues {
            let reason = Reason::Superseded { by: newer.title() };
            superseded = superseded.deprecate(reason, now);
        }
        Some(superseded)
    }

    /// This rollout deprecated: nothing more starts of it (T8).
    #[must_use]
    pub fn deprecate(&self, reason: Reason, now: DateTime<Utc>) -> Self {
        Self {
            state: RolloutState::Deprecated { at: now, reason },
            next_at: None,
            halt: None,
            ..self.clone()
        }
    }

    /// This rollout when its release is recalled (S10); `None`: it is deprecated already.
    #[must_use]
    pub fn recall(&self, why: &str, now: DateTime<Utc>) -> Option<Self> {
        let is_deprecated = matches!(self.state, RolloutState::Deprecated { .. });
        (!is_deprecated).then(|| self.deprecate(Reason::recalled(why), now))
    }

    /// This rollout paused, whoever pauses it (K3): it is looked at when the pause ends by itself. `zone`: the organisation's.
    #[must_use]
    pub fn pause(&self, pause: RolloutState, zone: &Zone) -> Self {
        let mut paused = self.clone();
        paused.state = pause;
        paused.next_at = paused.resumes_on().map(|date| zone.start_of(date));
        paused
    }

    /// This rollout going on after its pause, whoever ends it, and how its dates move: from the date of the pause to that of the resume
    /// in the organisation's `zone` (K3). `None`: it is not paused.
    #[must_use]
    pub fn resume(
        &self,
        rings: &RingSequence,
        freezes: &Freezes,
        zone: &Zone,
        now: DateTime<Utc>,
    ) -> Option<(Self, Shift)> {
        let RolloutState::Paused { since, .. } = self.state else {
            return None;
        };
        let from = zone.date(since);
        let shift = Shift {
            from,
            to: zone.date(now).max(from),
            before: freezes.clone(),
            after: freezes.clone(),
        };
        let mut resumed = self.resumed(rings, &shift);
        resumed.next_at = Some(now);
        Some((resumed, shift))
    }

    /// A running rollout after rooms came to a ring or left it, or rings, zones or settings were changed: when its next ring begins
    /// depends on them (S5), so it is looked at now. `None`: nothing to look at.
    #[must_use]
    pub fn wake(&self, now: DateTime<Utc>) -> Option<Self> {
        let waits = self.state == RolloutState::Running && self.next_at.is_some_and(|at| at > now);
        waits.then(|| Self {
            next_at: Some(now),
            ..self.clone()
        })
    }

    /// The newer update that a superseded one gives way to in `ring`; `None`: it continues there, or nothing supersedes it (S9).
    #[must_use]
    pub fn superseded_in_ring<'r>(
        &self,
        rings: &RingSequence,
        ring: StageOf,
        rollout: impl Fn(UpdateId) -> Option<&'r Rollout>,
    ) -> Option<UpdateId> {
        let ring = ring.ring().and_then(|ring| rings.get(ring));
        self.superseded_by.iter().copied().find(|newer| {
            rollout(*newer).is_some_and(|newer| {
                let has_come = match ring {
                    Some(ring) => newer.has_reached(ring),
                    None => newer.has_entered_all(rings),
                };
                has_come && !matches!(newer.state, RolloutState::Deprecated { .. })
            })
        })
    }
}
