//! The simulator: a fleet, seeded devices and a clock, in memory. It runs months in milliseconds.
//!
//! It uses the planner and the conversation with devices as they are; what it adds is people and devices. After every
//! tick it plans again (law A), asks `check` for all other laws and `forward` for law H. Start with [`Simulation::run_until`].

mod behaviour;
mod by_hand;
mod checks;
mod freezes;
mod people;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::changes::{Changes, ReportLine};
use crate::check::{self, Finding};
use crate::conversation::OfferFacts;
use crate::conversation::feedback::{Execution, Feedback, Finished};
use crate::conversation::hear::{self, Words};
use crate::conversation::inventory::{self, Components, KnownDevice};
use crate::conversation::offer::{self, Offer};
use crate::conversation::presence::Presence;
use crate::deployment::{Deployment, DeploymentState};
use crate::event::Subject;
use crate::fleet::Fleet;
use crate::ids::{ActionId, DeploymentId, DeviceId, NewIds, ProductId, UpdateId};
use crate::install::{Install, InstallState};
use crate::planner;
use crate::rollout::Rollout;
use crate::status::{self, UpdateStatus};
use crate::time_text;
use crate::window::Window;

pub use behaviour::Behaviour;
pub use checks::SimulatedFacts;

/// Something that happened, for timelines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// To what, where it was the planner.
    pub subject: Option<Subject>,
    /// What.
    pub text: String,
}

/// A fleet in time.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The facts.
    pub fleet: Fleet,
    /// The clock.
    pub now: DateTime<Utc>,
    /// How devices behave; a device that is missing here behaves well.
    pub behaviours: BTreeMap<DeviceId, Behaviour>,
    /// What has happened.
    pub log: Vec<LogEntry>,
    /// Laws that were broken on the way; must stay empty.
    pub findings: Vec<Finding>,
    /// Every law is asked after every tick. Switched off, a year of a large fleet takes seconds; then ask
    /// [`Simulation::check_everything`] now and then.
    pub checks_laws: bool,
    /// What devices have told, and what checks go by.
    pub facts: SimulatedFacts,
    events: BTreeMap<(DateTime<Utc>, u64), DeviceEvent>,
    next_event: u64,
    ids: Counter,
    statuses: BTreeMap<UpdateId, UpdateStatus>,
}

#[derive(Clone, Copy, Debug)]
enum DeviceEvent {
    Poll(ActionId),
    Finish(ActionId),
    ReportLate(ActionId),
    /// It polls and is told to stop.
    Stop(ActionId),
}

/// Ids 1, 2, 3 …: the same for the same run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter(pub u128);

impl NewIds for Counter {
    fn deployment(&mut self) -> DeploymentId {
        self.0 += 1;
        DeploymentId(Uuid::from_u128(self.0))
    }
}

impl Simulation {
    /// A simulation that starts at `now`.
    #[must_use]
    pub fn new(fleet: Fleet, now: DateTime<Utc>) -> Self {
        Self {
            fleet,
            now,
            behaviours: BTreeMap::new(),
            log: Vec::new(),
            findings: Vec::new(),
            checks_laws: true,
            facts: SimulatedFacts::default(),
            events: BTreeMap::new(),
            next_event: 0,
            ids: Counter::default(),
            statuses: BTreeMap::new(),
        }
    }

    /// Lets time pass: devices act and the planner ticks whenever something is due, and once more at `end`.
    pub fn run_until(&mut self, end: DateTime<Utc>) {
        loop {
            self.tick();
            // A planner that does not come to rest would keep the clock where it is for ever.
            if !self.findings.is_empty() {
                break;
            }
            let due = self.fleet.next_at(self.now).map(|at| at.max(self.now));
            let event = self.events.keys().next().map(|(at, _)| *at);
            let Some(next) = due.into_iter().chain(event).min().filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.events.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let event = entry.remove();
                self.act(event);
            }
        }
        self.now = self.now.max(end);
    }

    /// Moves the clock without letting anything happen in between, as when the service was away.
    pub fn jump_to(&mut self, instant: DateTime<Utc>) {
        self.now = self.now.max(instant);
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let event = entry.remove();
            self.act(event);
        }
    }

    /// Plans until nothing is due, as the server's tick does, and checks every law.
    pub fn tick(&mut self) {
        let before = self.checks_laws.then(|| self.fleet.clone());
        let mut ticked = false;
        self.check_rooms();
        for round in 0.. {
            let Some(slice) = self.fleet.slice(self.now) else { break };
            ticked = true;
            let plan = planner::plan(&slice, self.now, &mut self.ids);
            let nights = self.new_nights(&plan);
            if round > 200 {
                self.findings.push(Finding {
                    law: 'A',
                    what: format!("the planner does not come to rest at {}: {plan:?}", self.now),
                });
                break;
            }
            self.write(&plan);
            self.fleet.forget_rechecks(&plan.rechecked_rooms, self.now);
            for ReportLine { subject, event } in plan.report {
                self.log.push(LogEntry {
                    at: self.now,
                    subject: Some(subject),
                    text: event.sentence(),
                });
            }
            self.log.extend(nights);
        }
        self.note_statuses();
        if !ticked {
            return;
        }
        if let Some(before) = before {
            self.check_everything(&before);
        }
        self.wake_devices();
    }

    /// Asks for every law: also law A, and law H against how things stood `before`.
    pub fn check_everything(&mut self, before: &Fleet) {
        self.plan_everything_again();
        self.findings.extend(check::check(&self.fleet));
        self.findings.extend(check::forward(before, &self.fleet));
    }

    /// Nights that a plan fixes or moves, with their windows: too many for the planner's own report, wanted in a timeline.
    fn new_nights(&self, plan: &Changes) -> Vec<LogEntry> {
        let mut nights = Vec::new();
        let hours = self.fleet.organisation.settings.window();
        for deployment in plan
            .placed
            .iter()
            .chain(&plan.deployments)
            .filter(|deployment| deployment.state == DeploymentState::Waiting)
        {
            let before = self.fleet.deployments.get(&deployment.id);
            let is_new =
                before.is_none_or(|before| before.night.date() != deployment.night.date() || !before.is_unfinished());
            let Some(room) = self
                .fleet
                .rooms
                .get(&deployment.room)
                .filter(|_| is_new && !deployment.is_forced())
            else {
                continue;
            };
            let Some(window) = Window::on(&room.zone, deployment.night.date(), hours) else {
                continue;
            };
            let subject = Some(Subject::Room(deployment.room, deployment.update));
            let said = plan.report.iter().any(|line| Some(line.subject) == subject);
            let reason = if said {
                String::new()
            } else {
                format!("{} ", deployment.reason.sentence())
            };
            let text = format!("{reason}Window: {}.", time_text::window(&window, &room.zone, self.now));
            nights.push(LogEntry {
                at: self.now,
                subject,
                text,
            });
        }
        nights.sort_by_key(|entry| entry.subject);
        nights
    }

    /// Notes which updates have another status than when this was last called. A tick does it by itself.
    pub fn note_statuses(&mut self) {
        for (id, rollout) in &self.fleet.rollouts {
            let applies = self
                .fleet
                .updates
                .get(id)
                .is_some_and(|update| self.fleet.applies_to_a_room(update, self.now));
            let status = status::update(rollout, applies);
            if self.statuses.insert(*id, status) != Some(status) {
                let text = format!("Status: {}.", status.label());
                self.log.push(LogEntry {
                    at: self.now,
                    subject: Some(Subject::Rollout(*id)),
                    text,
                });
            }
        }
    }

    /// Writes into the log what a person did.
    pub fn note(&mut self, text: String) {
        self.log.push(LogEntry {
            at: self.now,
            subject: None,
            text,
        });
    }

    /// Law A, asked as hard as possible: every rollout and every room is looked at once more.
    fn plan_everything_again(&mut self) {
        let mut all_due = self.fleet.clone();
        all_due.rechecks = all_due.rooms.keys().copied().collect();
        for rollout in all_due
            .rollouts
            .values_mut()
            .filter(|rollout| rollout.next_at.is_some())
        {
            rollout.next_at = Some(self.now);
        }
        let Some(slice) = all_due.slice(self.now) else { return };
        let mut again = planner::plan(&slice, self.now, &mut Counter(u128::MAX / 2));
        again.rechecked_rooms.clear();
        // To be looked at a little early does no harm: a room that has left the ring ahead may leave such an instant behind.
        again.rollouts.retain(|rollout| {
            let known = self.fleet.rollouts.get(&rollout.update);
            known.is_none_or(|known| {
                Rollout {
                    next_at: known.next_at,
                    ..rollout.clone()
                } != *known
                    || rollout.next_at < known.next_at
            })
        });
        // A room that runs is no different: a sign of life moves its deadline, and no room is rechecked for it.
        again.deployments.retain(|deployment| {
            let known = self.fleet.deployments.get(&deployment.id);
            known.is_none_or(|known| {
                let next_at = known.next_at;
                let is_only_later = matches!(known.state, DeploymentState::Prepared | DeploymentState::Started { .. })
                    && next_at.is_some_and(|before| deployment.next_at.is_some_and(|after| before < after))
                    && Deployment {
                        next_at,
                        ..deployment.clone()
                    } == *known;
                !is_only_later
            })
        });
        if !again.is_empty() {
            let what = again
                .report
                .iter()
                .map(|line| line.event.sentence())
                .collect::<Vec<_>>()
                .join(" ");
            let ids = again.deployments.iter().map(|deployment| deployment.id);
            let before: Vec<&Deployment> = ids.filter_map(|id| self.fleet.deployments.get(&id)).collect();
            self.findings.push(Finding {
                law: 'A',
                what: format!(
                    "at {} planning again would change something: {what} {again:?} before: {before:?}",
                    self.now
                ),
            });
        }
    }

    /// Whether planning right now would write nothing.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.fleet.slice(self.now).is_none()
    }

    fn wake_devices(&mut self) {
        let planned = self
            .fleet
            .installs
            .values()
            .filter(|install| install.state == InstallState::Planned);
        let unscheduled: Vec<(ActionId, DateTime<Utc>)> = planned
            .filter(|install| {
                !self
                    .events
                    .values()
                    .any(|event| matches!(event, DeviceEvent::Poll(action) if *action == install.action))
            })
            .map(|install| {
                (
                    install.action,
                    install.window.map_or(self.now, |window| window.opens().max(self.now)),
                )
            })
            .collect();
        for (action, at) in unscheduled {
            // Up to five minutes after the window has opened, different for each, the same every time.
            let seconds = i64::from(action.0).wrapping_mul(97) % 300;
            self.schedule(at + TimeDelta::seconds(seconds), DeviceEvent::Poll(action));
        }
    }

    fn schedule(&mut self, at: DateTime<Utc>, event: DeviceEvent) {
        self.next_event += 1;
        self.events.insert((at, self.next_event), event);
    }

    fn act(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Poll(action) => self.poll_by_schedule(action),
            DeviceEvent::Finish(action) => self.finish(action),
            DeviceEvent::ReportLate(action) => self.report(action, Finished::Success, "Reported late."),
            DeviceEvent::Stop(action) => self.stop(action),
        }
    }

    fn poll_by_schedule(&mut self, action: ActionId) {
        let Some(install) = self.fleet.installs.get(&action).cloned() else {
            return;
        };
        if install.state != InstallState::Planned {
            return;
        }
        let behaviour = self.behaviour(install.device);
        if let Some((_, back)) = behaviour
            .absences
            .iter()
            .find(|(from, until)| *from <= self.now && self.now < *until)
        {
            self.schedule(*back, DeviceEvent::Poll(action));
            return;
        }
        let answer = offer::decide(&self.offer_facts(&install, &behaviour), self.now);
        if answer.shows_up {
            self.fleet.showed_up(action, self.now);
        }
        if answer.offer != Offer::Install {
            let busy_until = behaviour.busy_until(self.now);
            let again = busy_until.unwrap_or(self.now + TimeDelta::minutes(30));
            self.schedule(again.min(self.now + TimeDelta::minutes(30)), DeviceEvent::Poll(action));
            return;
        }
        if behaviour.refusals > 0 {
            let mut behaviour = behaviour;
            behaviour.refusals -= 1;
            self.behaviours.insert(install.device, behaviour);
            self.report(action, Finished::Failure, "refused:busy");
            return;
        }
        let feedback = Feedback {
            execution: Execution::Proceeding,
            finished: Finished::None,
            details: vec!["Installing.".to_owned()],
        };
        if self.hear(action, Words::Feedback(&feedback)) {
            self.schedule(
                self.now + TimeDelta::minutes(behaviour.minutes.into()),
                DeviceEvent::Finish(action),
            );
        }
    }

    fn finish(&mut self, action: ActionId) {
        let Some(install) = self.fleet.installs.get(&action) else {
            return;
        };
        let device = install.device;
        let mut behaviour = self.behaviour(device);
        if behaviour.failures > 0 {
            behaviour.failures -= 1;
            self.behaviours.insert(device, behaviour);
            self.report(action, Finished::Failure, "not enough space on the disk");
        } else if behaviour.silences > 0 {
            behaviour.silences -= 1;
            if let Some(minutes) = behaviour.late_minutes {
                self.schedule(
                    self.now + TimeDelta::minutes(minutes.into()),
                    DeviceEvent::ReportLate(action),
                );
            }
            self.behaviours.insert(device, behaviour);
        } else {
            self.report(action, Finished::Success, "Installed.");
        }
    }

    fn report(&mut self, action: ActionId, finished: Finished, detail: &str) {
        let Some(install) = self.fleet.installs.get(&action) else {
            return;
        };
        let (update, device) = (install.update, install.device);
        let feedback = Feedback {
            execution: Execution::Closed,
            finished,
            details: vec![detail.to_owned()],
        };
        let changed = self.hear(action, Words::Feedback(&feedback));
        if changed && finished == Finished::Success && self.behaviour(device).confirms {
            let version = self.fleet.updates.get(&update).map(|update| update.version.clone());
            self.report_version(device, update, version);
        }
    }

    /// The device's inventory says that it has this version of the update's product.
    pub fn report_version(&mut self, device: DeviceId, update: UpdateId, version: Option<String>) {
        if let Some(product) = self.fleet.updates.get(&update).map(|update| update.product.clone()) {
            self.report_component(device, &product, version);
        }
    }

    /// The device's inventory says that it has this version of a product: also one that Nightshift did not deploy (I5).
    pub fn report_component(&mut self, device: DeviceId, product: &ProductId, version: Option<String>) {
        let mut in_room = None;
        for room in self.fleet.rooms.values_mut() {
            let Some(device) = room.devices.iter_mut().find(|candidate| candidate.id == device) else {
                continue;
            };
            let components = device.components.iter();
            let known: Components = components
                .map(|known| (known.product.clone(), known.version.clone()))
                .collect();
            let mut reported = known.clone();
            if let Some(reported) = reported.get_mut(product) {
                reported.clone_from(&version);
            }
            let known = KnownDevice {
                components: known,
                ..KnownDevice::default()
            };
            // A report that breaks a limit changes nothing.
            let Ok(taken) = inventory::take(known, &inventory::report_of(&reported), self.now) else {
                continue;
            };
            if taken.rechecks_room() {
                self.fleet.rechecks.insert(room.id);
            }
            taken.write_to(&mut device.components);
            in_room = Some(room.id);
        }
        if let Some(room) = in_room {
            self.note_support(room);
        }
    }

    /// The device says something about its action: what follows is written as the store writes it. `false`: its install stands as before.
    fn hear(&mut self, action: ActionId, words: Words<'_>) -> bool {
        let Some(install) = self.fleet.installs.get(&action) else {
            return false;
        };
        let heard = hear::hear(
            &self.offer_facts(install, &self.behaviour(install.device)),
            words,
            self.now,
        );
        let rechecks_room = heard.rechecks_room();
        let Some(changed) = heard.install else { return false };
        if rechecks_room {
            self.fleet.hear(changed);
        } else {
            self.fleet.installs.insert(action, changed);
        }
        true
    }

    fn behaviour(&self, device: DeviceId) -> Behaviour {
        self.behaviours.get(&device).cloned().unwrap_or_default()
    }

    /// It polls, is told to stop, and answers.
    fn stop(&mut self, action: ActionId) {
        let Some(install) = self.fleet.installs.get(&action).cloned() else {
            return;
        };
        let behaviour = self.behaviour(install.device);
        // A device that has gone silent hears nothing either.
        let hears = behaviour.silences == 0;
        if !hears || offer::decide(&self.offer_facts(&install, &behaviour), self.now).offer != Offer::Cancel {
            return;
        }
        let feedback = Feedback {
            execution: if behaviour.refuses_cancel {
                Execution::Rejected
            } else {
                Execution::Canceled
            },
            finished: Finished::None,
            details: Vec::new(),
        };
        self.hear(action, Words::CancelFeedback(&feedback));
    }

    fn offer_facts<'a>(&self, install: &'a Install, behaviour: &Behaviour) -> OfferFacts<'a> {
        let deployment = self.fleet.deployments.get(&install.deployment);
        let rollout = deployment.and_then(|deployment| self.fleet.rollouts.get(&deployment.update));
        let release = self.fleet.updates.get(&install.update);
        // A room's devices report with every poll while a force waits for them.
        let free_at = behaviour.busy_until(self.now).is_none().then_some(self.now);
        OfferFacts {
            install,
            rollout_may_start: rollout.is_some_and(Rollout::may_start_rooms)
                && release.is_some_and(|release| release.offerable),
            force: deployment.and_then(|deployment| deployment.night.force()),
            expected_minutes: self
                .fleet
                .updates
                .get(&install.update)
                .map_or(0, |update| update.expected_minutes),
            presence: Presence {
                free_at,
                busy_at: None,
                busy_until: None,
            },
            window_aware: false,
        }
    }
}
