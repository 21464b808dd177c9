//! Rollouts on their way through the rings: entering, filling, finishing (S5, S6, T6).

use chrono::{DateTime, NaiveDate, Utc};

use crate::changes::{Changes, Placement, Recheck, Wake};
use crate::deployment::{Deployment, DeploymentState, FallBacks, Night};
use crate::event::{Event, Late, Subject};
use crate::fleet::{Candidate, DueRollout, Slice};
use crate::freeze::Freezes;
use crate::ids::{NewIds, RoomId, StageOf, UpdateId};
use crate::reason::{Delay, Frozen, Reason};
use crate::ring::RingSequence;
use crate::rollout::{PlannedStage, Rollout, RolloutState, Stage, days};
use crate::ticket::OPENED_BY_RULE;
use crate::time_text::Day;
use crate::update::Update;
use crate::window::Window;
use crate::zone::Zone;

impl Rollout {
    /// The ring that this rollout is filling, or the one it enters next; `None`: it has entered all.
    #[must_use]
    pub fn ring_to_fill(&self, rings: &RingSequence) -> Option<StageOf> {
        match self.stages.last() {
            Some(last) if last.placed < last.rooms => Some(last.ring),
            Some(_) | None => self.rings_ahead(rings).first().map(|ring| ring.ring),
        }
    }

    /// The ring that it has entered and that has rooms without their night.
    #[must_use]
    pub fn being_filled(&self) -> Option<&Stage> {
        self.stages.last().filter(|stage| stage.placed < stage.rooms)
    }

    /// Whether it enters its next ring at `now`. `zones`: those of the rooms of that ring.
    #[must_use]
    pub fn enters_by(
        &self,
        rings: &RingSequence,
        freezes: &Freezes,
        organisation: &Zone,
        zones: &[Zone],
        now: DateTime<Utc>,
    ) -> bool {
        if self.state != RolloutState::Running || self.being_filled().is_some() {
            return false;
        }
        let calendar = self.calendar_at(rings, freezes, organisation, now);
        let next = calendar.iter().find(|stage| !stage.entered);
        next.is_some_and(|next| begins(next.starts_on, zones, organisation).0 <= now)
    }

    /// [`Rollout::calendar`] as it stands at `now`.
    #[must_use]
    pub fn calendar_at(
        &self,
        rings: &RingSequence,
        freezes: &Freezes,
        organisation: &Zone,
        now: DateTime<Utc>,
    ) -> Vec<PlannedStage> {
        let pause = match &self.state {
            RolloutState::Paused { since, .. } => Some(organisation.date(*since)),
            RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        };
        self.calendar(rings, freezes, pause, organisation.date(now))
    }

    /// The organisation's date on which [`crate::status::ring`] judges this rollout: today; the date of its deprecation, for its
    /// rings stand still since then; or that on which its pause ends by itself, for which its calendar is made.
    #[must_use]
    pub fn status_date(&self, organisation: &Zone, now: DateTime<Utc>) -> NaiveDate {
        match self.state {
            RolloutState::Deprecated { at, .. } => organisation.date(at),
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => {
                self.continues_on(organisation.date(now))
            }
        }
    }
}

/// Takes a due rollout one step further. What more is due at the same instant follows in the next slice.
pub(super) fn advance(
    slice: &Slice,
    due: &DueRollout,
    now: DateTime<Utc>,
    ids: &mut dyn NewIds,
    changes: &mut Changes,
) {
    let Some(rollout) = slice.rollouts.get(&due.update) else {
        return;
    };
    // A newer one has deprecated it a moment ago.
    if changes.rollouts.iter().any(|planned| planned.update == due.update) {
        return;
    }
    let mut after = rollout.clone();
    match rollout.state {
        RolloutState::Running => Advance {
            slice,
            due,
            now,
            ids,
            changes,
        }
        .step(&mut after),
        RolloutState::Paused {
            resumes_on: Some(date), ..
        } => {
            let begins = slice.organisation.zone.start_of(date);
            if begins <= now {
                resume(slice, rollout, now, changes);
                return;
            }
            after.next_at = Some(begins);
        }
        // Such a pause is ended by a person; the other two are final.
        RolloutState::Paused { resumes_on: None, .. }
        | RolloutState::Deprecated { .. }
        | RolloutState::Finished { .. } => {
            after.next_at = None;
        }
    }
    if after != *rollout {
        changes.rollouts.push(after);
    }
}

/// The date that its pause was given has come (K3): it goes on as if a person had resumed it.
fn resume(slice: &Slice, rollout: &Rollout, now: DateTime<Utc>, changes: &mut Changes) {
    let zone = &slice.organisation.zone;
    let Some((resumed, shift)) = rollout.resume(&slice.rings, &slice.freezes, zone, now) else {
        return;
    };
    changes.report_line(
        Subject::Rollout(rollout.update),
        Event::PauseOver { days: shift.days() },
    );
    changes.move_nights(&resumed, &shift);
    changes.note_resume(rollout, zone.date(now), OPENED_BY_RULE);
    let step = slice.updates.get(&rollout.update);
    let others = slice
        .updates
        .values()
        .filter(|other| step.is_some_and(|step| other.may_wait_for(step)));
    let woken = std::iter::once(rollout.update).chain(others.map(|other| other.id));
    changes.woken.extend(woken.map(|update| Wake::update(update, now)));
    changes.rollouts.push(resumed);
}

/// A running rollout that is due, with everything that a step of it needs.
struct Advance<'a> {
    slice: &'a Slice,
    due: &'a DueRollout,
    now: DateTime<Utc>,
    ids: &'a mut dyn NewIds,
    changes: &'a mut Changes,
}

impl Advance<'_> {
    /// One step: it fills the ring that it has entered, enters the next one, or finishes.
    fn step(&mut self, rollout: &mut Rollout) {
        let subject = Subject::Rollout(rollout.update);
        let (slice, due, now) = (self.slice, self.due, self.now);
        let organisation = &slice.organisation;
        if rollout.being_filled().is_some() {
            self.fill(rollout);
            return;
        }
        let calendar = rollout.calendar_at(&slice.rings, &slice.freezes, &organisation.zone, now);
        let today = organisation.zone.date(now);
        let first_test_ends = self.first_test(rollout);
        if let Some(next) = calendar.iter().find(|stage| !stage.entered) {
            let (begins, zone) = begins(next.starts_on, &due.zones, &organisation.zone);
            if now < begins {
                rollout.next_at = Some(first_test_ends.map_or(begins, |ends| ends.min(begins)));
                let (ring, starts) = (next.name.clone(), Day::new(next.starts_on, today));
                self.changes.report_line(subject, Event::RingAhead { ring, starts });
                return;
            }
            // README, "A ring entered late". A critical update may be published when its date is well on its way in the east.
            let late = zone.date(now) - zone.date(begins.max(rollout.published_at));
            self.enter(rollout, next, late.num_days());
            overtake(slice, rollout, now, self.changes);
            return;
        }
        let Some(last) = calendar.last() else { return };
        let ends = organisation.zone.start_of(last.test_ends);
        if now < ends {
            rollout.next_at = Some(first_test_ends.map_or(ends, |first| first.min(ends)));
            let (ring, ends) = (last.name.clone(), Day::new(last.test_ends - days(1), today));
            self.changes.report_line(subject, Event::LastRing { ring, ends });
            return;
        }
        self.finish(rollout);
    }

    /// Once the first ring has finished its test, rooms that are out of support need not wait for their ring (S11). When it will have;
    /// `None`: it has, or no ring is entered.
    fn first_test(&mut self, rollout: &mut Rollout) -> Option<DateTime<Utc>> {
        let zone = &self.slice.organisation.zone;
        let first = rollout.stages.first().filter(|_| !rollout.first_test_over)?;
        let ends = zone.start_of(first.test_ends);
        if self.now < ends {
            return Some(ends);
        }
        rollout.first_test_over = true;
        self.changes.rechecks.push(Recheck::OutOfSupport {
            update: rollout.update,
            on: zone.date(self.now),
        });
        None
    }

    /// The dates of all rings are over (T6).
    fn finish(&mut self, rollout: &mut Rollout) {
        let subject = Subject::Rollout(rollout.update);
        let slice = self.slice;
        // The rooms of this slice may end in the same plan; their end wakes the rollout once more.
        let unfinished = rollout.total_counts().unfinished();
        rollout.next_at = None;
        if unfinished > 0 {
            self.changes
                .report_line(subject, Event::Finishing { rooms: unfinished });
            return;
        }
        // One that was recalled since has taken its place nowhere.
        let stands = |newer: &&UpdateId| {
            let newer = slice.rollouts.get(newer);
            newer.is_some_and(|newer| !matches!(newer.state, RolloutState::Deprecated { .. }))
        };
        let newest = rollout.superseded_by.iter().rev().find(stands);
        let newest = newest.and_then(|newer| slice.updates.get(newer));
        if let (Some(newer), true) = (newest, rollout.total_counts().deprecated > 0) {
            // Some of its rooms were left to the newer one: it has not reached all of them, so it is not Completed (T7, S9).
            let reason = Reason::Superseded { by: newer.title() };
            self.changes.report_line(subject, Event::Deprecated(reason.clone()));
            rollout.state = RolloutState::Deprecated { at: self.now, reason };
            self.changes.rechecks.push(Recheck::Late(rollout.update));
            return;
        }
        rollout.state = RolloutState::Finished { at: self.now };
        self.changes.report_line(subject, Event::Finished);
    }

    /// Enters the next ring, `late` days after its date.
    fn enter(&mut self, rollout: &mut Rollout, next: &PlannedStage, late: i64) {
        let (slice, due, now) = (self.slice, self.due, self.now);
        let superseding = superseding_in_slice(slice, rollout, next.ring);
        let order = in_order(
            rollout.update,
            if superseding.is_some() { &[] } else { &due.candidates },
        );
        let rooms = u32::try_from(order.len()).unwrap_or(u32::MAX);
        let late_on = next.starts_on + days(u32::try_from(late).unwrap_or(0));
        let starts_on = slice.freezes.nth_free(next.ring, late_on, 0);
        rollout
            .stages
            .push(Stage::entered(next, starts_on, &slice.freezes, rooms, now));
        rollout.next_at = Some(now);
        let planned = Day::new(next.starts_on, slice.organisation.zone.date(now));
        let late = (late > 0).then_some(Late { days: late, planned });
        let ring = next.name.clone();
        let event = match superseding {
            Some(newer) => Event::RingPassed {
                ring,
                newer: newer.title(),
                late,
            },
            None => Event::RingEntered {
                ring,
                rooms,
                nights: next.rollout_days,
                late,
            },
        };
        self.changes.report_line(Subject::Rollout(rollout.update), event);
        let fits_in_one_plan = order.len() <= slice.batch;
        let positioned = (0..).zip(order);
        if fits_in_one_plan {
            self.place(rollout, rooms, positioned);
            wake_prerequisites(slice, rollout.update, now, self.changes);
        } else {
            self.changes
                .placements
                .extend(positioned.map(|(position, candidate)| Placement {
                    update: rollout.update,
                    position,
                    room: candidate.room,
                }));
        }
    }

    /// Gives the next rooms of a large ring their nights; the last batch completes the entry.
    fn fill(&mut self, rollout: &mut Rollout) {
        let (slice, due, now) = (self.slice, self.due, self.now);
        let (Some(stage), Some(placement_batch)) = (rollout.being_filled().cloned(), &due.placement_batch) else {
            return;
        };
        rollout.next_at = Some(now);
        if superseding_in_slice(slice, rollout, stage.ring).is_some() {
            // A newer update has come to the ring between two batches: the rooms that are left wait for that one.
            self.place(rollout, stage.rooms - stage.placed, std::iter::empty());
        } else {
            let next = placement_batch
                .rooms
                .iter()
                .map(|(position, candidate)| (*position, candidate));
            self.place(rollout, placement_batch.taken, next);
        }
        if rollout.being_filled().is_none() {
            self.changes.fully_placed.push(rollout.update);
            wake_prerequisites(slice, rollout.update, now, self.changes);
        }
    }

    /// Gives rooms of the ring that was entered last their nights by their positions; `taken` positions are dealt with.
    fn place<'c>(&mut self, rollout: &mut Rollout, taken: u32, positioned: impl Iterator<Item = (u32, &'c Candidate)>) {
        let slice = self.slice;
        let update = rollout.update;
        let Some(stage) = rollout.stages.last_mut() else { return };
        let number = u64::from(stage.rooms.max(1));
        for (position, candidate) in positioned {
            // Room k of n gets night floor(k·D/n) of the D rollout nights (S6).
            let index = u32::try_from(u64::from(position) * u64::from(stage.rollout_days) / number).unwrap_or(0);
            let assigned = slice.freezes.nth_free(stage.ring, stage.starts_on, index);
            let (window, delay) = self.first_night(candidate, assigned);
            let reason = Reason::Night {
                night: index + 1,
                nights: stage.rollout_days,
                ring: stage.name.clone(),
                delay,
            };
            let (id, attempt) = candidate.withdrawn.unwrap_or_else(|| (self.ids.deployment(), 1));
            let made = match candidate.withdrawn {
                Some(_) => &mut self.changes.deployments,
                None => &mut self.changes.placed,
            };
            made.push(Deployment {
                id,
                update,
                room: candidate.room,
                ring: stage.ring,
                night: Night::Planned {
                    date: window.night,
                    planned: assigned,
                },
                state: DeploymentState::Waiting,
                attempt,
                missed_windows: 0,
                offered_windows: 0,
                crowded_windows: 0,
                refusals: 0,
                last_failure: None,
                tolerated: false,
                fall_backs: FallBacks::default(),
                from_version: candidate.from_version.clone(),
                reason,
                next_at: Some(slice.organisation.settings.prepares_at(&window)),
            });
        }
        stage.placed += taken;
    }

    /// The window in which a room can follow its plan for the first time, and why that is not on the night that it was given.
    fn first_night(&self, candidate: &Candidate, assigned: NaiveDate) -> (Window, Option<Delay>) {
        let hours = self.slice.organisation.settings.window();
        let own = |date: NaiveDate| candidate.freezes.iter().find(|freeze| freeze.covers(date));
        let frozen = |date| own(date).or_else(|| self.slice.freezes.on(candidate.ring, date));
        let window = Window::next_free(&candidate.zone, assigned, self.now, hours, frozen);
        let delay = if window.night == assigned {
            None
        } else if let Some(freeze) = frozen(assigned) {
            Some(Delay::Frozen(Frozen::by(freeze, assigned)))
        } else if Window::on(&candidate.zone, assigned, hours).is_none() {
            let city = candidate.zone.city();
            Some(Delay::NoSuchDate { city })
        } else {
            Some(Delay::Over)
        };
        (window, delay)
    }
}

/// When `date` begins for a ring: in the easternmost zone of its rooms, or in the organisation's where it has none (S5).
fn begins<'z>(date: NaiveDate, zones: &'z [Zone], organisation: &'z Zone) -> (DateTime<Utc>, &'z Zone) {
    let easternmost = zones.iter().map(|zone| (zone.start_of(date), zone)).min();
    easternmost.unwrap_or_else(|| (organisation.start_of(date), organisation))
}

/// The newer update that has taken `ring` over from a superseded one (S9, the starvation guard), if any has.
pub(super) fn superseding_in_slice<'s>(slice: &'s Slice, older: &Rollout, ring: StageOf) -> Option<&'s Update> {
    let newer = older.superseded_in_ring(&slice.rings, ring, |newer| slice.rollouts.get(&newer))?;
    slice.updates.get(&newer)
}

/// `newer` has just entered a ring: the updates that it supersedes give way in it, and are deprecated once it has entered the
/// last one (S9).
fn overtake(slice: &Slice, newer: &Rollout, now: DateTime<Utc>, changes: &mut Changes) {
    let title = slice.updates.get(&newer.update).map_or_else(String::new, Update::title);
    let superseded = slice.rollouts.values().filter(|older| {
        let gives_way = older.superseded_by.contains(&newer.update);
        gives_way && !matches!(older.state, RolloutState::Deprecated { .. })
    });
    for older in superseded {
        // A finished one is through all rings; what it still has open is retries and catch-ups.
        if older.is_live() && newer.has_entered_all(&slice.rings) {
            let reason = Reason::Superseded { by: title.clone() };
            changes.change_rollout(older, |older| *older = older.deprecate(reason.clone(), now));
            changes.note_end(older, OPENED_BY_RULE, now);
            changes.report_line(Subject::Rollout(older.update), Event::Deprecated(reason));
        }
        changes.woken.push(Wake::update(older.update, now));
    }
}

/// What an update needs first goes first from now on in the rooms that it has come to (S7, S8): what is prepared there may have to give
/// way.
fn wake_prerequisites(slice: &Slice, update: UpdateId, now: DateTime<Utc>, changes: &mut Changes) {
    let Some(newcomer) = slice
        .updates
        .get(&update)
        .filter(|update| update.minimum_version.is_some())
    else {
        return;
    };
    let steps = slice.updates.values().filter(|step| newcomer.may_need(step));
    let wait = steps.filter(|step| slice.rollouts.get(&step.id).is_some_and(Rollout::may_start_rooms));
    changes.woken.extend(wait.map(|step| Wake::update(step.id, now)));
}

/// The rooms of a ring in the order of their nights (S6): by position among the rooms of the same model, so that the first
/// night meets the most different models; then by the hash of update and room.
fn in_order(update: UpdateId, candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut by_model: Vec<(&str, u64, &Candidate)> = candidates
        .iter()
        .map(|candidate| (candidate.model.as_str(), hash(update, candidate.room), candidate))
        .collect();
    by_model.sort_by_key(|(model, hash, candidate)| (*model, *hash, candidate.room));
    let mut positioned = Vec::with_capacity(by_model.len());
    let mut position = 0_usize;
    for (index, (model, hash, candidate)) in by_model.iter().enumerate() {
        position = if index > 0 && by_model[index - 1].0 == *model {
            position + 1
        } else {
            0
        };
        positioned.push((position, *hash, *candidate));
    }
    positioned.sort_by_key(|(position, hash, candidate)| (*position, *hash, candidate.room));
    positioned.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// A number that is the same for the same update and room on every machine and in every release of this program: FNV-1a over
/// both ids, mixed once more so that ids made one after the other scatter.
pub(crate) fn hash(update: UpdateId, room: RoomId) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in update.0.as_bytes().iter().chain(room.0.as_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
