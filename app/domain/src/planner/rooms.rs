//! A due room: what its devices said, windows that closed, rollouts it joins or leaves, and what is opened next.

pub(super) mod join;
mod lapse;
mod open;
pub(super) mod settle;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::rings;
use crate::changes::{Changes, NewInstall};
use crate::deployment::{Deployment, DeploymentState, Failure};
use crate::event::{Event, Subject, TakenBack};
use crate::fleet::{DueRoom, Slice};
use crate::freeze::Freeze;
use crate::ids::{NewIds, StageOf};
use crate::install::{Install, InstallState};
use crate::reason::Reason;
use crate::rollout::{Rollout, RolloutState};
use crate::room::{Room, RoomState};
use crate::settings::Settings;
use crate::start_window::StartWindow;
use crate::status::NotRequired;
use crate::ticket::{TicketChange, TicketEvent};
use crate::time_text::{Day, Night};
use crate::update::{Exclusion, Update};
use crate::window::Window;

/// Plans one room. `is_recheck`: a recheck is done now, not with the next slice.
pub(super) fn plan_room(
    slice: &Slice,
    due: &DueRoom,
    is_recheck: bool,
    now: DateTime<Utc>,
    ids: &mut dyn NewIds,
    changes: &mut Changes,
) {
    let mut case = RoomCase {
        slice,
        room: &due.room,
        now,
        deployments: due.deployments.clone(),
        installs: due.installs.clone(),
        new_installs: Vec::new(),
        tickets: Vec::new(),
    };
    settle::settle_installs(&mut case);
    lapse::withdraw_installs(&mut case);
    settle::conclude(&mut case);
    let is_recheck = due.recheck && is_recheck;
    join::leave(&mut case, is_recheck);
    if is_recheck {
        join::join(&mut case, ids);
        changes.rechecked_rooms.push(due.room.id);
        wake_for_entry(slice, &due.room, now, changes);
    }
    open::open_next(&mut case);
    case.set_next_instants();
    case.write(due, changes);
}

/// One room while it is planned: its facts in their new state.
struct RoomCase<'s> {
    slice: &'s Slice,
    room: &'s Room,
    now: DateTime<Utc>,
    deployments: Vec<Deployment>,
    installs: Vec<Install>,
    new_installs: Vec<NewInstall>,
    tickets: Vec<TicketChange>,
}

impl<'s> RoomCase<'s> {
    fn settings(&self) -> &'s Settings {
        &self.slice.organisation.settings
    }

    fn rollout(&self, deployment: &Deployment) -> Option<&'s Rollout> {
        self.slice.rollouts.get(&deployment.update)
    }

    fn update(&self, deployment: &Deployment) -> Option<&'s Update> {
        self.slice.updates.get(&deployment.update)
    }

    fn is_paused(&self, deployment: &Deployment) -> bool {
        self.rollout(deployment)
            .is_some_and(|rollout| matches!(rollout.state, RolloutState::Paused { .. }))
    }

    /// Today in the room.
    fn today(&self) -> NaiveDate {
        self.room.zone.date(self.now)
    }

    /// The first window from `night` on that has not closed and is not frozen.
    fn next_window(&self, night: NaiveDate) -> Window {
        let frozen = |date| self.freeze_on(date);
        Window::next_free(&self.room.zone, night, self.now, self.settings().window(), frozen)
    }

    /// The window of a deployment's night, by the hours and the zone of today.
    fn window_of(&self, deployment: &Deployment) -> Option<StartWindow> {
        let window = Window::on(&self.room.zone, deployment.night.date(), self.settings().window())?;
        Some(StartWindow::from(&window))
    }

    /// The freeze in which nothing starts in this room on `date` (W6).
    fn freeze_on(&self, date: NaiveDate) -> Option<&Freeze> {
        self.room.freeze_on(&self.slice.freezes, date)
    }

    /// The instant at which the next freeze of this room begins, if one is known.
    fn next_freeze(&self) -> Option<DateTime<Utc>> {
        let freezes = &self.slice.freezes;
        let of_ring = freezes.rings.get(&self.room.ring).into_iter().flatten();
        let all = freezes.organisation.iter().chain(of_ring).chain(&self.room.freezes);
        let begins = all.map(|freeze| self.room.zone.start_of(freeze.from));
        begins.filter(|begins| *begins > self.now).min()
    }

    /// The newer update that has taken this room's ring over from a superseded one (S9).
    fn superseding_update(&self, deployment: &Deployment) -> Option<&'s Update> {
        let rollout = self.rollout(deployment)?;
        rings::superseding_in_slice(self.slice, rollout, StageOf::Ring(self.room.ring))
    }

    /// Releases that may be steps on a way (S8).
    fn releases(&self) -> impl Iterator<Item = &'s Update> {
        self.slice.updates.values()
    }

    /// Why the room does not need an update, or must not have it.
    fn not_required(&self, exclusion: Exclusion, update: &Update) -> Reason {
        Reason::NotRequired {
            why: NotRequired::Excluded(exclusion),
            product: update.product_name.clone(),
            on: self.today(),
        }
    }

    /// A date as somebody in the room reads it today.
    fn day(&self, date: NaiveDate) -> Day {
        Day::new(date, self.today())
    }

    /// The last install of the current attempt on each device.
    fn latest_installs(&self, deployment: &Deployment) -> Vec<&Install> {
        let of = |install: &&Install| install.deployment == deployment.id && install.attempt == deployment.attempt;
        let is_last = |install: &&Install| {
            !self
                .installs
                .iter()
                .any(|later| of(&later) && later.device == install.device && later.action > install.action)
        };
        self.installs.iter().filter(of).filter(is_last).collect()
    }

    /// When the first device started in the current attempt.
    fn started_at(&self, deployment: &Deployment) -> Option<DateTime<Utc>> {
        let of = |install: &&Install| install.deployment == deployment.id && install.attempt == deployment.attempt;
        self.installs
            .iter()
            .filter(of)
            .filter_map(|install| install.started_at)
            .min()
    }

    /// Installs that the device may still talk about, of whatever attempt.
    fn open_installs(&self, deployment: &Deployment) -> impl Iterator<Item = &Install> {
        self.installs
            .iter()
            .filter(|install| install.deployment == deployment.id && install.is_open())
    }

    fn fail(&mut self, index: usize, failure: Failure, reason: Reason) {
        let (now, room) = (self.now, self.room.id);
        let deployment = &mut self.deployments[index];
        self.tickets.push(TicketChange {
            room,
            update: deployment.update,
            event: TicketEvent::Failed {
                attempt: deployment.attempt,
                reason: reason.clone(),
            },
        });
        deployment.state = DeploymentState::Failed { at: now, failure };
        deployment.reason = reason;
    }

    fn complete(&mut self, index: usize, reason: Reason) {
        let (now, room) = (self.now, self.room.id);
        let deployment = &mut self.deployments[index];
        // Also on a first attempt: the deployment may have failed, been withdrawn and been made anew, with its ticket still open.
        self.tickets.push(TicketChange {
            room,
            update: deployment.update,
            event: TicketEvent::Cleared(reason.clone()),
        });
        deployment.state = DeploymentState::Completed { at: now };
        deployment.reason = reason;
    }

    fn set_next_instants(&mut self) {
        for index in 0..self.deployments.len() {
            self.deployments[index].next_at = self.next_instant(&self.deployments[index]);
        }
    }

    /// When this deployment must be looked at again if nothing happens.
    fn next_instant(&self, deployment: &Deployment) -> Option<DateTime<Utc>> {
        let devices = self
            .open_installs(deployment)
            .filter_map(|install| self.next_of_install(deployment, install));
        let own = match deployment.state {
            DeploymentState::Waiting => self.next_of_waiting(deployment),
            DeploymentState::Prepared | DeploymentState::Started { .. } => {
                let new = self
                    .new_installs
                    .iter()
                    .filter(|install| install.deployment == deployment.id);
                new.map(|install| self.next_of_planned(deployment, install.window))
                    .min()
            }
            DeploymentState::Completed { .. } | DeploymentState::Failed { .. } | DeploymentState::Withdrawn { .. } => {
                None
            }
        };
        devices.chain(own).min()
    }

    fn next_of_waiting(&self, deployment: &Deployment) -> Option<DateTime<Utc>> {
        let rollout = self.rollout(deployment)?;
        if !rollout.may_start_rooms() {
            return None;
        }
        if rollout.being_filled().is_some() && !deployment.is_forced() {
            // Offers begin after the last room has its night: this one stays due until then.
            return Some(deployment.next_at.map_or(self.now, |at| at.min(self.now)));
        }
        let window = self.next_window(deployment.night.date());
        let prepares = self.settings().prepares_at(&window);
        // A force waits for another update, or for the end of a freeze; both are over at the latest when a window opens.
        let waits_for = if deployment.is_forced() { window.opens } else { prepares };
        Some(if self.now < waits_for { waits_for } else { window.closes })
    }

    fn next_of_install(&self, deployment: &Deployment, install: &Install) -> Option<DateTime<Utc>> {
        match install.state {
            InstallState::Planned => match install.window {
                Some(_) => Some(self.next_of_planned(deployment, install.window)),
                None if self.is_paused(deployment) => None,
                None => Some(self.next_of_planned(deployment, None)),
            },
            InstallState::Started { .. } => {
                // Of what is installed: on a way to the update that is a step (S8).
                let release = self.slice.updates.get(&install.update);
                let minutes = release.map_or(0, |release| release.expected_minutes);
                install.silent_from(self.settings(), minutes)
            }
            InstallState::Installed { at, .. } => Some(at + self.grace()),
            InstallState::Completed { .. }
            | InstallState::Failed { .. }
            | InstallState::Withdrawn { .. }
            | InstallState::Canceled { .. } => None,
        }
    }

    /// A window closes. A forced install may start at any time before a freeze; whether its device shows up is counted by the
    /// room's windows all the same.
    fn next_of_planned(&self, deployment: &Deployment, window: Option<StartWindow>) -> DateTime<Utc> {
        let of_room = || self.next_window(deployment.night.date()).closes;
        match window.map(|window| window.closes()) {
            Some(closes) if deployment.is_forced() => closes.min(of_room()),
            Some(closes) => closes,
            None => of_room(),
        }
    }

    fn grace(&self) -> TimeDelta {
        TimeDelta::hours(self.settings().confirm_within_hours.into())
    }

    /// Puts what has changed into the plan.
    fn write(self, due: &DueRoom, changes: &mut Changes) {
        for install in self.installs {
            if due.installs.iter().all(|before| *before != install) {
                changes.installs.push(install);
            }
        }
        for deployment in self.deployments {
            let before = due.deployments.iter().find(|before| before.id == deployment.id);
            if before == Some(&deployment) {
                continue;
            }
            let subject = Subject::Room(deployment.room, deployment.update);
            let same_reason = before.is_some_and(|before| !deployment.reason.differs_from(&before.reason));
            let taken_back = deployment.state == DeploymentState::Waiting && before.is_some_and(Deployment::is_open);
            let prepared_for = self
                .new_installs
                .iter()
                .find(|install| install.deployment == deployment.id && !deployment.is_forced())
                .and_then(|install| install.window);
            if taken_back && same_reason {
                let why = why_taken_back(self.slice, due, &deployment);
                changes.report_line(subject, Event::TakenBack(why));
            } else if !same_reason
                || (prepared_for.is_none() && before.is_some_and(|before| before.state != deployment.state))
            {
                changes.report_line(subject, Event::Stands(deployment.reason.clone()));
            }
            if let Some(prepared_for) = prepared_for {
                let window = Window {
                    night: deployment.night.date(),
                    opens: prepared_for.opens(),
                    closes: prepared_for.closes(),
                };
                changes.report_line(subject, Event::Prepared(Night::new(&window, &self.room.zone, self.now)));
            }
            // Whether a rollout is through depends on what is left, catch-ups aside (T6).
            let has_ended = !deployment.is_unfinished() && before.is_none_or(Deployment::is_unfinished);
            if has_ended || before.is_some_and(|before| deployment.is_catch_up() && !before.is_catch_up()) {
                wake_finishing_rollout(self.slice, &deployment, self.now, changes);
            }
            changes.deployments.push(deployment);
        }
        changes.new_installs.extend(self.new_installs);
        changes.tickets.extend(self.tickets);
    }
}

/// Why what was prepared in a room waits again, although nothing else about it has changed.
fn why_taken_back(slice: &Slice, due: &DueRoom, deployment: &Deployment) -> TakenBack {
    let rollout = slice.rollouts.get(&deployment.update);
    let hours = slice.organisation.settings.window();
    let window = Window::on(&due.room.zone, deployment.night.date(), hours);
    let of = |install: &&Install| install.deployment == deployment.id;
    let windows = due.installs.iter().filter(of).filter_map(|install| install.window);
    let was_for = windows.max();
    if rollout.is_some_and(|rollout| !rollout.may_start_rooms()) {
        TakenBack::Paused
    } else if was_for.is_some() && was_for != window.as_ref().map(StartWindow::from) {
        TakenBack::OtherHours
    } else {
        TakenBack::AnotherFirst
    }
}

/// The room may have come to the ring that a rollout enters next, from so far east that the ring's date begins earlier (S5).
fn wake_for_entry(slice: &Slice, room: &Room, now: DateTime<Utc>, changes: &mut Changes) {
    if room.state == RoomState::Retired {
        return;
    }
    for rollout in slice
        .rollouts
        .values()
        .filter(|rollout| rollout.state == RolloutState::Running)
    {
        let Some(at) = rollout.next_at.filter(|at| *at > now) else {
            continue;
        };
        let calendar = rollout.calendar_at(&slice.rings, &slice.freezes, &slice.organisation.zone, now);
        let ring = rollout.ring_of(room.ring);
        let Some(next) = calendar.iter().find(|stage| !stage.entered && stage.ring == ring) else {
            continue;
        };
        let is_next = rollout.ring_to_fill(&slice.rings) == Some(next.ring);
        let begins = room.zone.start_of(next.starts_on).max(now);
        if is_next && begins < at && changes.rollouts.iter().all(|planned| planned.update != rollout.update) {
            changes.rollouts.push(Rollout {
                next_at: Some(begins),
                ..rollout.clone()
            });
        }
    }
}

/// A deployment has ended: its rollout may be waiting for that to finish (T6).
fn wake_finishing_rollout(slice: &Slice, deployment: &Deployment, now: DateTime<Utc>, changes: &mut Changes) {
    let Some(rollout) = slice.rollouts.get(&deployment.update) else {
        return;
    };
    if !matches!(rollout.state, RolloutState::Running) {
        return;
    }
    let planned = changes
        .rollouts
        .iter_mut()
        .find(|planned| planned.update == rollout.update);
    match planned {
        Some(planned) if planned.next_at.is_none() && planned.state == RolloutState::Running => {
            planned.next_at = Some(now);
        }
        Some(_) => {}
        None if rollout.next_at.is_none() => changes.rollouts.push(Rollout {
            next_at: Some(now),
            ..rollout.clone()
        }),
        None => {}
    }
}
