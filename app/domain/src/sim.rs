//! The simulator: a fleet, seeded devices and a clock, in memory. It runs months in milliseconds.
//!
//! It uses the planner, the offer decision and the devices' grammar as they are; what it adds is people and devices. After every
//! tick it plans again (law A), asks `check` for all other laws and `forward` for law H. Start with [`Simulation::run_until`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::check::{self, Finding};
use crate::deployment::{Deployment, DeploymentState, Force};
use crate::event::Subject;
use crate::fleet::Fleet;
use crate::freeze::{self, Freeze, Shift};
use crate::ids::{ActionId, DeploymentId, DeviceId, ProductId, RingId, RoomId, UpdateId};
use crate::install::{Execution, Feedback, Finished, Heard, Install, InstallState};
use crate::offer::{self, Asked, Offer, Presence};
use crate::planner::{self, NewIds, ReportLine};
use crate::reason::Reason;
use crate::ring::RingSequence;
use crate::rollout::{Rollout, RolloutState, days};
use crate::room::{Hold, Room};
use crate::status::{self, UpdateStatus};
use crate::update::Update;
use crate::when;
use crate::window::Window;

/// How a simulated device behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Minutes that an install takes.
    pub minutes: u32,
    /// So many attempts fail before one works.
    pub failures: u32,
    /// So many attempts start and then go silent.
    pub silences: u32,
    /// Minutes after which a silent device reports its success after all; `None`: never.
    pub late_minutes: Option<u32>,
    /// Spans in which it does not poll.
    pub absences: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// It reports the new version after an install.
    pub confirms: bool,
    /// Spans in which people are in the room, as its devices report (K5).
    pub busy: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// It answers a cancel by going on.
    pub refuses_cancel: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            minutes: 15,
            failures: 0,
            silences: 0,
            late_minutes: None,
            absences: Vec::new(),
            confirms: true,
            busy: Vec::new(),
            refuses_cancel: false,
        }
    }
}

impl Behaviour {
    /// Until when people are in the room; `None`: nobody is.
    fn busy_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let busy = self.busy.iter().find(|(from, until)| *from <= now && now < *until);
        busy.map(|(_, until)| *until)
    }
}

/// Something that happened, for timelines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
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
    pub log: Vec<Happened>,
    /// Laws that were broken on the way; must stay empty.
    pub findings: Vec<Finding>,
    /// Every law is asked after every tick. Switched off, a year of a large fleet takes seconds; then ask
    /// [`Simulation::check_everything`] now and then.
    pub watched: bool,
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
            watched: true,
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
        let before = self.watched.then(|| self.fleet.clone());
        let mut ticked = false;
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
            self.fleet.apply(&plan);
            for update in &plan.resumed {
                self.resume(*update);
            }
            self.fleet.forget_marks(&plan.settled_rooms, self.now);
            for ReportLine { subject, event } in plan.report {
                self.log.push(Happened {
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
    fn new_nights(&self, plan: &planner::Plan) -> Vec<Happened> {
        let mut nights = Vec::new();
        let hours = self.fleet.organisation.settings.window();
        for deployment in plan
            .placed
            .iter()
            .chain(&plan.deployments)
            .filter(|deployment| deployment.state == DeploymentState::Waiting)
        {
            let before = self.fleet.deployments.get(&deployment.id);
            let is_new = before.is_none_or(|before| before.night != deployment.night || !before.is_unfinished());
            let Some(room) = self
                .fleet
                .rooms
                .get(&deployment.room)
                .filter(|_| is_new && deployment.force.is_none())
            else {
                continue;
            };
            let Some(window) = Window::on(&room.zone, deployment.night, hours) else {
                continue;
            };
            let subject = Some(Subject::Room(deployment.room, deployment.update));
            let said = plan.report.iter().any(|line| Some(line.subject) == subject);
            let reason = if said {
                String::new()
            } else {
                format!("{} ", deployment.reason.sentence())
            };
            let text = format!("{reason}Window: {}.", when::window(&window, &room.zone, self.now));
            nights.push(Happened {
                at: self.now,
                subject,
                text,
            });
        }
        nights.sort_by_key(|happened| happened.subject);
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
                self.log.push(Happened {
                    at: self.now,
                    subject: Some(Subject::Rollout(*id)),
                    text,
                });
            }
        }
    }

    /// Writes into the log what a person did.
    pub fn note(&mut self, text: String) {
        self.log.push(Happened {
            at: self.now,
            subject: None,
            text,
        });
    }

    /// Law A, asked as hard as possible: every rollout and every room is looked at once more.
    fn plan_everything_again(&mut self) {
        let mut all_due = self.fleet.clone();
        all_due.marked = all_due.rooms.keys().copied().collect();
        for rollout in all_due
            .rollouts
            .values_mut()
            .filter(|rollout| rollout.next_at.is_some())
        {
            rollout.next_at = Some(self.now);
        }
        let Some(slice) = all_due.slice(self.now) else { return };
        let mut again = planner::plan(&slice, self.now, &mut Counter(u128::MAX / 2));
        again.settled_rooms.clear();
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
                    install.window.map_or(self.now, |(opens, _)| opens.max(self.now)),
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
            DeviceEvent::Poll(action) => self.poll(action),
            DeviceEvent::Finish(action) => self.finish(action),
            DeviceEvent::ReportLate(action) => self.report(action, Finished::Success, "Reported late."),
            DeviceEvent::Stop(action) => self.stop(action),
        }
    }

    fn poll(&mut self, action: ActionId) {
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
        let asked = self.asked(&install, &behaviour);
        let (offer, showed_up) = (offer::decide(&asked, self.now), offer::shows_up(&asked, self.now));
        if showed_up {
            self.fleet.showed_up(action, self.now);
        }
        if offer != Offer::Install {
            let busy_until = behaviour.busy_until(self.now);
            let again = busy_until.unwrap_or(self.now + TimeDelta::minutes(30));
            self.schedule(again.min(self.now + TimeDelta::minutes(30)), DeviceEvent::Poll(action));
            return;
        }
        let install = self.fleet.installs.get(&action).cloned().unwrap_or(install);
        let feedback = Feedback {
            execution: Execution::Proceeding,
            finished: Finished::None,
            details: vec!["Installing.".to_owned()],
        };
        if let Heard::Changed(started) = install.hear(&feedback, true, self.now) {
            self.fleet.hear(started);
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
        let Some(install) = self.fleet.installs.get(&action).cloned() else {
            return;
        };
        let feedback = Feedback {
            execution: Execution::Closed,
            finished,
            details: vec![detail.to_owned()],
        };
        let Heard::Changed(closed) = install.hear(&feedback, true, self.now) else {
            return;
        };
        let (update, device) = (closed.update, closed.device);
        self.fleet.hear(closed);
        if finished == Finished::Success && self.behaviour(device).confirms {
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
        for room in self.fleet.rooms.values_mut() {
            let components = room
                .devices
                .iter_mut()
                .filter(|candidate| candidate.id == device)
                .flat_map(|device| &mut device.components);
            for component in components.filter(|component| component.product == *product) {
                component.version.clone_from(&version);
                self.fleet.marked.insert(room.id);
            }
        }
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
        if !hears || offer::decide(&self.asked(&install, &behaviour), self.now) != Offer::Cancel {
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
        if let Heard::Changed(answered) = install.hear_cancel(&feedback, self.now) {
            self.fleet.hear(answered);
        }
    }

    fn asked<'a>(&self, install: &'a Install, behaviour: &Behaviour) -> Asked<'a> {
        let deployment = self.fleet.deployments.get(&install.deployment);
        let rollout = deployment.and_then(|deployment| self.fleet.rollouts.get(&deployment.update));
        let release = self.fleet.updates.get(&install.update);
        // A room's devices report with every poll while a force waits for them.
        let free_at = behaviour.busy_until(self.now).is_none().then_some(self.now);
        Asked {
            install,
            rollout_may_start: rollout.is_some_and(Rollout::may_start_rooms)
                && release.is_some_and(|release| release.offerable),
            force: deployment.and_then(|deployment| deployment.force),
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

/// What people do.
impl Simulation {
    /// Publishes a release (S3, S4). `supersedes`: it takes the place of older ones (S9).
    pub fn publish(&mut self, update: Update, supersedes: bool) {
        let rollout = planner::publish(&self.fleet.organisation, &update, self.now);
        let older = self.fleet.rollouts.keys().filter(|older| {
            let facts = self.fleet.updates.get(older);
            supersedes && facts.is_some_and(|older| update.takes_the_place_of(older))
        });
        for older in older.copied().collect::<Vec<_>>() {
            let Some(before) = self.fleet.rollouts.get(&older) else {
                continue;
            };
            let fleet = &self.fleet;
            let after = planner::supersede(
                before,
                &update,
                &fleet.organisation,
                &fleet.rings,
                &fleet.freezes,
                self.now,
            );
            if let Some(after) = after {
                self.fleet.rollouts.insert(older, after);
                self.fleet.wake_deployments(older, self.now);
            }
        }
        self.fleet.rollouts.insert(update.id, rollout);
        self.fleet.updates.insert(update.id, update);
    }

    /// Pauses a rollout (K2, K3), until somebody resumes it or until a date of the organisation's.
    pub fn pause(&mut self, update: UpdateId, by: &str, reason: &str, resumes_on: Option<NaiveDate>) {
        let next_at = resumes_on.map(|date| self.fleet.organisation.zone.start_of(date));
        if let Some(rollout) = self
            .fleet
            .rollouts
            .get_mut(&update)
            .filter(|rollout| rollout.state == RolloutState::Running)
        {
            rollout.state = RolloutState::Paused {
                since: self.now,
                by: by.to_owned(),
                reason: reason.to_owned(),
                resumes_on,
            };
            rollout.next_at = next_at;
            self.fleet.wake_deployments(update, self.now);
        }
    }

    /// Resumes a rollout (K3): later dates move by the days between.
    pub fn resume(&mut self, update: UpdateId) {
        let zone = self.fleet.organisation.zone.clone();
        let Some(rollout) = self.fleet.rollouts.get_mut(&update) else {
            return;
        };
        let RolloutState::Paused { since, .. } = rollout.state else {
            return;
        };
        let freezes = self.fleet.freezes.clone();
        let pause = planner::resume(&zone, since, self.now, &freezes);
        *rollout = Rollout {
            next_at: Some(self.now),
            ..rollout.resumed(&self.fleet.rings, &pause)
        };
        self.shift_nights(update, &pause);
        self.fleet.wake_deployments(update, self.now);
        let Some(step) = self.fleet.updates.get(&update) else {
            return;
        };
        for waiting in planner::led_to_by(step, self.fleet.updates.values()) {
            self.fleet.wake_deployments(waiting, self.now);
        }
    }

    /// Moves the nights of a rollout with its dates.
    fn shift_nights(&mut self, update: UpdateId, shift: &Shift<'_>) {
        let Some(rollout) = self.fleet.rollouts.get(&update) else {
            return;
        };
        let of_update = self
            .fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == update);
        let deployments = of_update
            .filter_map(|deployment| planner::after_shift(deployment, rollout, shift))
            .collect();
        let plan = planner::Plan {
            deployments,
            ..planner::Plan::default()
        };
        let nights = self.new_nights(&plan);
        self.log.extend(nights);
        self.fleet.apply(&plan);
    }

    /// Recalls a release (S10): its rollout is deprecated, what still downloads is stopped, and it is no step any more.
    pub fn recall(&mut self, update: UpdateId, why: &str) {
        if let Some(facts) = self.fleet.updates.get_mut(&update) {
            facts.offerable = false;
        }
        if let Some(recalled) = self
            .fleet
            .rollouts
            .get(&update)
            .and_then(|rollout| planner::recall(rollout, why, self.now))
        {
            self.fleet.rollouts.insert(update, recalled);
        }
        self.fleet.wake_deployments(update, self.now);
        let of_release = self
            .fleet
            .installs
            .values()
            .filter(|install| install.update == update && install.is_open());
        for install in of_release.cloned().collect::<Vec<_>>() {
            self.wake_deployment(install.deployment);
            self.ask_to_stop(&install, Reason::recalled(why).sentence());
        }
    }

    /// An admin stops an update in a room (`DDI.md` 3). Only what still downloads stops: how many devices are asked.
    pub fn cancel(&mut self, update: UpdateId, room: RoomId, why: &str) -> usize {
        let Some(deployment) = self.fleet.deployment_of(room, update).map(|deployment| deployment.id) else {
            return 0;
        };
        let started = |install: &&Install| install.deployment == deployment && install.is_started();
        let started: Vec<Install> = self.fleet.installs.values().filter(started).cloned().collect();
        let asked = started.iter().map(|install| self.ask_to_stop(install, why.to_owned()));
        asked.collect::<Vec<_>>().into_iter().filter(|asked| *asked).count()
    }

    fn ask_to_stop(&mut self, install: &Install, why: String) -> bool {
        let asked = Install {
            cancel_wanted: Some(why),
            ..install.clone()
        };
        if !asked.is_to_be_canceled() {
            return false;
        }
        let action = asked.action;
        self.fleet.installs.insert(action, asked);
        // While it works, a device polls every half minute.
        self.schedule(self.now + TimeDelta::seconds(30), DeviceEvent::Stop(action));
        true
    }

    fn wake_deployment(&mut self, id: DeploymentId) {
        if let Some(deployment) = self.fleet.deployments.get_mut(&id)
            && deployment.is_unfinished()
        {
            deployment.next_at = Some(self.now);
        }
    }

    /// A freeze of the organisation or of a ring: the dates of every plan move (W6).
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn freeze_plans(&mut self, ring: Option<RingId>, freeze: Freeze) -> Result<(), String> {
        let rooms = self
            .fleet
            .rooms
            .values()
            .filter(|room| ring.is_none_or(|ring| room.ring == ring));
        let rooms: Vec<RoomId> = rooms.map(|room| room.id).collect();
        self.check_freeze(&rooms, &freeze)?;
        let before = self.fleet.freezes.clone();
        let of = match ring {
            None => &mut self.fleet.freezes.organisation,
            Some(ring) => self.fleet.freezes.rings.entry(ring).or_default(),
        };
        of.push(freeze);
        of.sort_by_key(|freeze| (freeze.from, freeze.id));
        let after = self.fleet.freezes.clone();
        let zone = self.fleet.organisation.zone.clone();
        let shift = planner::refreeze(&zone, self.now, &before, &after);
        let live = self.fleet.rollouts.values().filter(|rollout| rollout.is_live());
        for update in live.map(|rollout| rollout.update).collect::<Vec<_>>() {
            if let Some(rollout) = self.fleet.rollouts.get_mut(&update) {
                *rollout = rollout.refrozen(&shift);
            }
            self.shift_nights(update, &shift);
        }
        self.look_again();
        self.look_at_rooms(&rooms);
        Ok(())
    }

    /// A freeze of single rooms, or of a site: only those rooms move (W6).
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn freeze_rooms(&mut self, rooms: &[RoomId], freeze: &Freeze) -> Result<(), String> {
        self.check_freeze(rooms, freeze)?;
        for room in rooms {
            if let Some(room) = self.fleet.rooms.get_mut(room) {
                room.freezes.push(freeze.clone());
                room.freezes.sort_by_key(|freeze| (freeze.from, freeze.id));
            }
        }
        self.look_at_rooms(rooms);
        Ok(())
    }

    fn check_freeze(&self, rooms: &[RoomId], new: &Freeze) -> Result<(), String> {
        let today = self.fleet.organisation.zone.date(self.now);
        if new.from < today {
            return Err(format!("first date: {} has passed; it is {today}", new.from));
        }
        for room in rooms.iter().filter_map(|room| self.fleet.rooms.get(room)) {
            let of_ring = self.fleet.freezes.rings.get(&room.ring).into_iter().flatten();
            let all = self
                .fleet
                .freezes
                .organisation
                .iter()
                .chain(of_ring)
                .chain(&room.freezes);
            let others: Vec<_> = all.map(|freeze| (freeze.from, freeze.until)).collect();
            freeze::check(&others, new.from, new.until)?;
        }
        Ok(())
    }

    fn look_at_rooms(&mut self, rooms: &[RoomId]) {
        for deployment in self.fleet.deployments.values_mut() {
            if rooms.contains(&deployment.room) && deployment.is_unfinished() {
                deployment.next_at = Some(self.now);
            }
        }
    }

    /// Deprecates an update for whatever reason (T8).
    pub fn deprecate(&mut self, update: UpdateId, reason: &str) {
        let live_or_over = |rollout: &&mut Rollout| !matches!(rollout.state, RolloutState::Deprecated { .. });
        if let Some(rollout) = self.fleet.rollouts.get_mut(&update).filter(live_or_over) {
            rollout.state = RolloutState::Deprecated {
                at: self.now,
                reason: Reason::Written(reason.to_owned()),
            };
            rollout.next_at = None;
            self.fleet.wake_deployments(update, self.now);
        }
    }

    /// Retry all failed (K4): how many rooms went back into their next window.
    pub fn retry_all_failed(&mut self, update: UpdateId, by: &str) -> usize {
        let startable = self.fleet.rollouts.get(&update).is_some_and(Rollout::may_start_rooms);
        if !startable {
            return 0;
        }
        let settings = self.fleet.organisation.settings.clone();
        let retried: Vec<_> = self
            .fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == update)
            .filter_map(|deployment| {
                let room = self.fleet.rooms.get(&deployment.room)?;
                planner::retry(deployment, &room.zone, &settings, by, self.now)
            })
            .collect();
        let number = retried.len();
        for retry in &retried {
            let subject = Some(Subject::Room(retry.room, retry.update));
            self.log.push(Happened {
                at: self.now,
                subject,
                text: retry.reason.sentence(),
            });
        }
        self.put(retried);
        number
    }

    /// Forces an update in rooms (K5): how many rooms. The log says which were left out and why.
    pub fn force(&mut self, update: UpdateId, rooms: &[RoomId], how: Force, by: &str) -> usize {
        let (Some(update), Some(rollout)) = (
            self.fleet.updates.get(&update).cloned(),
            self.fleet.rollouts.get(&update).cloned(),
        ) else {
            return 0;
        };
        if !rollout.may_start_rooms() {
            return 0;
        }
        let (mut forced, mut left_out) = (Vec::new(), Vec::new());
        // A room that is named twice is forced once.
        let rooms: BTreeSet<&RoomId> = rooms.iter().collect();
        for room in rooms.into_iter().filter_map(|room| self.fleet.rooms.get(room)) {
            let existing = self.fleet.deployment_of(room.id, update.id);
            let freezes = &self.fleet.freezes;
            let newer = planner::gives_way_to(&self.fleet.rings, &rollout, room.ring, |newer| {
                self.fleet.rollouts.get(&newer)
            });
            let newer = newer
                .and_then(|newer| self.fleet.updates.get(&newer))
                .map(Update::title);
            match planner::force(
                &update,
                &rollout,
                room,
                freezes,
                newer.as_deref(),
                existing,
                how,
                by,
                self.now,
                &mut self.ids,
            ) {
                Ok(deployment) => forced.push(deployment),
                Err(why) => {
                    let year = room.zone.date(self.now).year();
                    let why = why.sentence(&update.product_name, |date| when::date(date, year));
                    left_out.push((room.id, format!("Left out of the force: {why}")));
                }
            }
        }
        let number = forced.len();
        for (room, text) in left_out {
            self.log.push(Happened {
                at: self.now,
                subject: Some(Subject::Room(room, update.id)),
                text,
            });
        }
        self.put(forced);
        number
    }

    /// Moves a room into another ring (R12–R14).
    pub fn move_room(&mut self, room: RoomId, ring: RingId) {
        if let Some(room) = self.fleet.rooms.get_mut(&room) {
            room.ring = ring;
            self.fleet.marked.insert(room.id);
        }
        self.look_again();
    }

    /// Keeps updates away from a room up to and including a date ★.
    pub fn hold(&mut self, room: RoomId, hold: Hold) {
        let Some(held) = self.fleet.rooms.get_mut(&room) else {
            return;
        };
        let begins = held.zone.start_of(hold.since);
        let ends = held.zone.start_of(hold.until + days(1));
        held.holds.push(hold);
        self.fleet.marked.insert(room);
        let ahead = [begins, ends].into_iter().filter(|at| *at > self.now);
        self.fleet.marked_at.extend(ahead.map(|at| (at, room)));
    }

    /// A room is added while rollouts are under way (R3, R14).
    pub fn add_room(&mut self, room: Room) {
        self.fleet.marked.insert(room.id);
        self.fleet.rooms.insert(room.id, room);
        self.look_again();
    }

    /// Other rings from now on (R10).
    pub fn set_rings(&mut self, rings: RingSequence) {
        let live: Vec<&Rollout> = self
            .fleet
            .rollouts
            .values()
            .filter(|rollout| rollout.is_live())
            .collect();
        let changed = planner::reached_otherwise(&self.fleet.rings, &rings, &live);
        let in_changed = self.fleet.rooms.values().filter(|room| changed.contains(&room.ring));
        self.fleet.marked.extend(in_changed.map(|room| room.id));
        self.fleet.rings = rings;
        self.look_again();
    }

    fn look_again(&mut self) {
        for rollout in self.fleet.rollouts.values_mut() {
            if let Some(again) = planner::look_again(rollout, self.now) {
                *rollout = again;
            }
        }
    }

    /// Writes deployments that a person has changed, with their counts.
    fn put(&mut self, deployments: Vec<Deployment>) {
        let plan = planner::Plan {
            deployments,
            ..planner::Plan::default()
        };
        self.fleet.apply(&plan);
    }
}
