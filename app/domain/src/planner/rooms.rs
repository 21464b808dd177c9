//! A due room: what its devices said, windows that closed, rollouts it joins or leaves, and what is opened next.

pub(super) mod join;
mod lapse;
mod open;
pub(super) mod retry;
mod settle;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::NewIds;
use super::changes::{NewInstall, Plan, Subject};
use crate::deployment::{Deployment, DeploymentState, Failure};
use crate::fleet::{DueRoom, Slice};
use crate::install::{Install, InstallState};
use crate::rollout::{Rollout, RolloutState};
use crate::room::{Room, RoomState};
use crate::settings::Settings;
use crate::ticket::{TicketChange, TicketEvent};
use crate::update::Update;
use crate::when;
use crate::window::Window;

/// Looks at one room. `settles_mark`: what a mark asks for is dealt with now, not with the next slice.
pub(super) fn look(
    slice: &Slice,
    due: &DueRoom,
    settles_mark: bool,
    now: DateTime<Utc>,
    ids: &mut dyn NewIds,
    plan: &mut Plan,
) {
    let mut look = Look {
        slice,
        room: &due.room,
        now,
        deployments: due.deployments.clone(),
        installs: due.installs.clone(),
        new_installs: Vec::new(),
        tickets: Vec::new(),
    };
    settle::hear_devices(&mut look);
    lapse::withdraw_installs(&mut look);
    settle::conclude(&mut look);
    let settles_mark = due.marked && settles_mark;
    join::leave(&mut look, settles_mark);
    if settles_mark {
        join::join(&mut look, ids);
        plan.settled_rooms.push(due.room.id);
        wake_for_entry(slice, &due.room, now, plan);
    }
    open::open_next(&mut look);
    look.set_next_instants();
    look.write(due, plan);
}

/// When a room is prepared for a window: see [`Settings::prepare_minutes`].
pub(super) fn prepares_at(settings: &Settings, window: &Window) -> DateTime<Utc> {
    window.opens - TimeDelta::minutes(settings.prepare_minutes.into())
}

/// One room while it is looked at: its facts in their new state.
struct Look<'s> {
    slice: &'s Slice,
    room: &'s Room,
    now: DateTime<Utc>,
    deployments: Vec<Deployment>,
    installs: Vec<Install>,
    new_installs: Vec<NewInstall>,
    tickets: Vec<TicketChange>,
}

impl<'s> Look<'s> {
    fn settings(&self) -> &'s Settings {
        &self.slice.organisation.settings
    }

    fn rollout(&self, deployment: &Deployment) -> Option<&'s Rollout> {
        self.slice.rollouts.get(&deployment.update)
    }

    fn update(&self, deployment: &Deployment) -> Option<&'s Update> {
        self.slice.updates.get(&deployment.update)
    }

    fn is_deprecated(&self, deployment: &Deployment) -> bool {
        self.rollout(deployment)
            .is_some_and(|rollout| matches!(rollout.state, RolloutState::Deprecated { .. }))
    }

    fn is_paused(&self, deployment: &Deployment) -> bool {
        self.rollout(deployment)
            .is_some_and(|rollout| matches!(rollout.state, RolloutState::Paused { .. }))
    }

    /// Today in the room.
    fn today(&self) -> NaiveDate {
        self.room.zone.date(self.now)
    }

    /// The first window from `night` on that has not closed.
    fn next_window(&self, night: NaiveDate) -> Window {
        Window::next(&self.room.zone, night, self.now, self.settings().window())
    }

    fn write_date(&self, date: NaiveDate) -> String {
        when::date(date, self.today().year())
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

    /// Installs that the device may still talk about, of whatever attempt.
    fn open_installs(&self, deployment: &Deployment) -> impl Iterator<Item = &Install> {
        self.installs
            .iter()
            .filter(|install| install.deployment == deployment.id && install.is_open())
    }

    fn fail(&mut self, index: usize, failure: Failure, sentence: String) {
        let (now, room) = (self.now, self.room.id);
        let deployment = &mut self.deployments[index];
        let text = format!("Attempt {}: {sentence}", deployment.attempt);
        self.tickets.push(TicketChange {
            room,
            update: deployment.update,
            event: TicketEvent::Failed(text),
        });
        deployment.state = DeploymentState::Failed { at: now, failure };
        deployment.reason = sentence;
    }

    fn complete(&mut self, index: usize, sentence: String) {
        let (now, room) = (self.now, self.room.id);
        let deployment = &mut self.deployments[index];
        // Also on a first attempt: the deployment may have failed, been withdrawn and been made anew, with its ticket still open.
        self.tickets.push(TicketChange {
            room,
            update: deployment.update,
            event: TicketEvent::Cleared(sentence.clone()),
        });
        deployment.state = DeploymentState::Completed { at: now };
        deployment.reason = sentence;
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
            DeploymentState::Open { .. } => {
                let new = self
                    .new_installs
                    .iter()
                    .filter(|install| install.deployment == deployment.id);
                new.map(|install| {
                    install
                        .window
                        .map_or_else(|| self.next_window(deployment.night).closes, |(_, closes)| closes)
                })
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
        let window = self.next_window(deployment.night);
        let prepares = prepares_at(self.settings(), &window);
        Some(if self.now < prepares { prepares } else { window.closes })
    }

    fn next_of_install(&self, deployment: &Deployment, install: &Install) -> Option<DateTime<Utc>> {
        match install.state {
            InstallState::Planned => match install.window {
                Some((_, closes)) => Some(closes),
                // A forced one may start at any time; whether the device shows up is counted by windows all the same.
                None if install.shown_up_at.is_none() && !self.is_paused(deployment) => {
                    Some(self.next_window(deployment.night).closes)
                }
                None => None,
            },
            InstallState::Started { .. } => {
                let minutes = self.update(deployment).map_or(0, |update| update.expected_minutes);
                install.silent_from(self.settings(), minutes)
            }
            InstallState::Installed { at, .. } => Some(at + self.grace()),
            InstallState::Completed { .. } | InstallState::Failed { .. } | InstallState::Withdrawn { .. } => None,
        }
    }

    fn grace(&self) -> TimeDelta {
        TimeDelta::hours(self.settings().confirm_within_hours.into())
    }

    /// Puts what has changed into the plan.
    fn write(self, due: &DueRoom, plan: &mut Plan) {
        for install in self.installs {
            if due.installs.iter().all(|before| *before != install) {
                plan.installs.push(install);
            }
        }
        for deployment in self.deployments {
            let before = due.deployments.iter().find(|before| before.id == deployment.id);
            if before == Some(&deployment) {
                continue;
            }
            let subject = Subject::Room(deployment.room, deployment.update);
            let same_reason = before.is_some_and(|before| before.reason == deployment.reason);
            let taken_back = deployment.state == DeploymentState::Waiting && before.is_some_and(Deployment::is_open);
            let prepared_for = self
                .new_installs
                .iter()
                .find(|install| install.deployment == deployment.id)
                .and_then(|install| install.window);
            if taken_back && same_reason {
                let paused = self
                    .slice
                    .rollouts
                    .get(&deployment.update)
                    .is_some_and(|rollout| !rollout.may_start_rooms());
                plan.say(
                    subject,
                    if paused {
                        "Taken back: the update is paused."
                    } else {
                        "Taken back: another update goes first."
                    },
                );
            } else if !same_reason
                || (prepared_for.is_none() && before.is_some_and(|before| before.state != deployment.state))
            {
                plan.say(subject, deployment.reason.clone());
            }
            if let Some((opens, closes)) = prepared_for {
                let window = Window {
                    night: deployment.night,
                    opens,
                    closes,
                };
                plan.say(
                    subject,
                    format!("Prepared for {}.", when::window(&window, &self.room.zone, self.now)),
                );
            }
            if !deployment.is_unfinished() && before.is_none_or(Deployment::is_unfinished) {
                wake(self.slice, &deployment, self.now, plan);
            }
            plan.deployments.push(deployment);
        }
        plan.new_installs.extend(self.new_installs);
        plan.tickets.extend(self.tickets);
    }
}

/// The room may have come to the ring that a rollout enters next, from so far east that the ring's date begins earlier (S5).
fn wake_for_entry(slice: &Slice, room: &Room, now: DateTime<Utc>, plan: &mut Plan) {
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
        let calendar = rollout.calendar_at(&slice.rings, &slice.organisation.zone, now);
        let Some(next) = calendar.iter().find(|stage| !stage.entered && stage.ring == room.ring) else {
            continue;
        };
        let is_next = rollout.ring_to_fill(&slice.rings) == Some(next.ring);
        let begins = room.zone.start_of(next.starts_on).max(now);
        if is_next && begins < at && plan.rollouts.iter().all(|planned| planned.update != rollout.update) {
            plan.rollouts.push(Rollout {
                next_at: Some(begins),
                ..rollout.clone()
            });
        }
    }
}

/// A deployment has ended: its rollout may be waiting for that to finish (T6).
fn wake(slice: &Slice, deployment: &Deployment, now: DateTime<Utc>, plan: &mut Plan) {
    let Some(rollout) = slice.rollouts.get(&deployment.update) else {
        return;
    };
    if !matches!(rollout.state, RolloutState::Running) {
        return;
    }
    let planned = plan
        .rollouts
        .iter_mut()
        .find(|planned| planned.update == rollout.update);
    match planned {
        Some(planned) if planned.next_at.is_none() && planned.state == RolloutState::Running => {
            planned.next_at = Some(now);
        }
        Some(_) => {}
        None if rollout.next_at.is_none() => plan.rollouts.push(Rollout {
            next_at: Some(now),
            ..rollout.clone()
        }),
        None => {}
    }
}
