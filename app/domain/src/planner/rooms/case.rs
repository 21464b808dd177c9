//! One room while it is planned: what is known of it, and each change that a step may make to it.
//!
//! The steps decide when a change is due; nothing here does. A deployment goes by its update, because a room has one for each (law D).
//! Start with [`RoomCase`]; the changes begin with [`RoomCase::complete`].

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::changes::{BelievedVersion, Changes, NewInstall};
use crate::deployment::{Deployment, DeploymentState, Failure, Night, Withdrawal};
use crate::fleet::{DueRoom, Slice};
use crate::freeze::Freeze;
use crate::ids::{ActionId, DeviceId, ProductId, StageOf, UpdateId};
use crate::install::{Install, InstallState};
use crate::planner::rings;
use crate::reason::Reason;
use crate::ring::Ring;
use crate::rollout::{Rollout, RolloutState, days};
use crate::room::{Device, Room};
use crate::settings::Settings;
use crate::start_window::StartWindow;
use crate::ticket::{TicketChange, TicketEvent};
use crate::time_text::{Day, Moment};
use crate::update::Update;
use crate::window::Window;

/// A room with its deployments and installs, as the steps so far have left them.
pub(super) struct RoomCase<'s> {
    slice: &'s Slice,
    /// The room as it was before the first step.
    due: &'s DueRoom,
    now: DateTime<Utc>,
    /// In the order of the slice; what joins comes last.
    deployments: Vec<Deployment>,
    installs: Vec<Install>,
    new_installs: Vec<NewInstall>,
    believed: Vec<BelievedVersion>,
    tickets: Vec<TicketChange>,
}

/// The room and what concerns it.
impl<'s> RoomCase<'s> {
    pub(super) fn new(slice: &'s Slice, due: &'s DueRoom, now: DateTime<Utc>) -> Self {
        Self {
            slice,
            due,
            now,
            deployments: due.deployments.clone(),
            installs: due.installs.clone(),
            new_installs: Vec::new(),
            believed: Vec::new(),
            tickets: Vec::new(),
        }
    }

    pub(super) fn slice(&self) -> &'s Slice {
        self.slice
    }

    pub(super) fn settings(&self) -> &'s Settings {
        &self.slice.organisation.settings
    }

    pub(super) fn room(&self) -> &'s Room {
        &self.due.room
    }

    pub(super) fn ring(&self) -> Option<&'s Ring> {
        self.slice.rings.get(self.room().ring)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Today in the room.
    pub(super) fn today(&self) -> NaiveDate {
        self.room().zone.date(self.now)
    }

    /// A date as somebody in the room reads it today.
    pub(super) fn day(&self, date: NaiveDate) -> Day {
        Day::new(date, self.today())
    }

    /// An instant as somebody in the room reads it now.
    pub(super) fn moment(&self, at: DateTime<Utc>) -> Moment {
        Moment::new(at, &self.room().zone, self.now)
    }

    /// The first window from `night` on that has not closed and is not frozen.
    pub(super) fn next_window(&self, night: NaiveDate) -> Window {
        let frozen = |date| self.freeze_on(date);
        Window::next_free(&self.room().zone, night, self.now, self.settings().window(), frozen)
    }

    /// The window of a night, by the hours and the zone of today; `None`: the room has no such date.
    pub(super) fn window_on(&self, night: NaiveDate) -> Option<Window> {
        Window::on(&self.room().zone, night, self.settings().window())
    }

    /// Whether what the room has of a product is out of support today (L1).
    pub(super) fn is_out_of_support(&self, product: &ProductId) -> bool {
        self.room().is_out_of_support(product, self.today())
    }

    /// The freeze in which nothing starts in this room on `date` (W6).
    pub(super) fn freeze_on(&self, date: NaiveDate) -> Option<&'s Freeze> {
        self.room().freeze_on(&self.slice.freezes, date)
    }

    /// The instant at which the next freeze of this room begins, if one is known.
    pub(super) fn next_freeze(&self) -> Option<DateTime<Utc>> {
        let freezes = &self.slice.freezes;
        let of_ring = freezes.rings.get(&self.room().ring).into_iter().flatten();
        let all = freezes.organisation.iter().chain(of_ring).chain(&self.room().freezes);
        let begins = all.map(|freeze| self.room().zone.start_of(freeze.from));
        begins.filter(|begins| *begins > self.now).min()
    }

    pub(super) fn rollout(&self, update: UpdateId) -> Option<&'s Rollout> {
        self.slice.rollouts.get(&update)
    }

    pub(super) fn is_paused(&self, update: UpdateId) -> bool {
        self.rollout(update)
            .is_some_and(|rollout| matches!(rollout.state, RolloutState::Paused { .. }))
    }

    /// The newer update that has taken this room's ring over from a superseded one (S9).
    pub(super) fn superseding_update(&self, superseded: UpdateId) -> Option<&'s Update> {
        let rollout = self.rollout(superseded)?;
        rings::superseding_in_slice(self.slice, rollout, StageOf::Ring(self.room().ring))
    }

    pub(super) fn release(&self, update: UpdateId) -> Option<&'s Update> {
        self.slice.updates.get(&update)
    }

    /// Releases that may be steps on a way (S8).
    pub(super) fn releases(&self) -> impl Iterator<Item = &'s Update> {
        self.slice.updates.values()
    }

    /// Empty for a release that the slice does not have.
    pub(super) fn version(&self, update: UpdateId) -> String {
        self.release(update)
            .map_or_else(String::new, |release| release.version.clone())
    }
}

/// The deployments and installs of the room.
impl<'s> RoomCase<'s> {
    /// Of which the room has deployments, in the order in which each step goes through them.
    pub(super) fn updates(&self) -> Vec<UpdateId> {
        self.deployments.iter().map(|deployment| deployment.update).collect()
    }

    pub(super) fn deployment(&self, update: UpdateId) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.update == update)
    }

    /// There is at most one (law D).
    pub(super) fn open_deployment(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.is_open())
    }

    pub(super) fn unfinished_deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.iter().filter(|deployment| deployment.is_unfinished())
    }

    /// Deployments that are not as they were before the first step, with what they were; `None`: it is new.
    pub(super) fn changed_deployments(&self) -> impl Iterator<Item = (Option<&'s Deployment>, &Deployment)> {
        let before = &self.due.deployments;
        self.deployments
            .iter()
            .map(|after| (before.iter().find(|before| before.id == after.id), after))
            .filter(|(before, after)| *before != Some(*after))
    }

    pub(super) fn installs(&self) -> &[Install] {
        &self.installs
    }

    /// Those of a deployment, of whatever attempt.
    pub(super) fn installs_of(&self, update: UpdateId) -> impl Iterator<Item = &Install> {
        let deployment = self.deployment(update).map(|deployment| deployment.id);
        let is_of = move |install: &&Install| Some(install.deployment) == deployment;
        self.installs.iter().filter(is_of)
    }

    /// Those of a deployment's current attempt.
    pub(super) fn installs_of_attempt(&self, update: UpdateId) -> impl Iterator<Item = &Install> {
        let attempt = self.deployment(update).map(|deployment| deployment.attempt);
        let is_of = move |install: &&Install| Some(install.attempt) == attempt;
        self.installs_of(update).filter(is_of)
    }

    /// The last install of the current attempt on each device.
    pub(super) fn latest_installs(&self, update: UpdateId) -> Vec<&Install> {
        let is_last = |install: &&Install| {
            !self
                .installs_of_attempt(update)
                .any(|later| later.device == install.device && later.action > install.action)
        };
        self.installs_of_attempt(update).filter(is_last).collect()
    }

    /// When the first device started in the current attempt; one that did not take it never did (S17).
    pub(super) fn started_at(&self, update: UpdateId) -> Option<DateTime<Utc>> {
        self.installs_of_attempt(update)
            .filter(|install| install.refusal().is_none())
            .filter_map(|install| install.started_at)
            .min()
    }

    /// In an earlier attempt, on a device that did not take it, or on one that is done.
    pub(super) fn was_tried(&self, update: UpdateId) -> bool {
        let is_retry = self
            .deployment(update)
            .is_some_and(|deployment| deployment.attempt > 1 || deployment.refusals > 0);
        let is_done = |install: &Install| matches!(install.state, InstallState::Completed { .. });
        is_retry || self.installs_of(update).any(is_done)
    }

    /// The devices of the room that need the update and have not been given it by its deployment. One that says nothing of its version
    /// would seem to need it for ever.
    pub(super) fn devices_left(&self, update: UpdateId) -> Vec<&'s Device> {
        let Some(release) = self.release(update) else {
            return Vec::new();
        };
        // What was installed before the room fell back counts no more (S16).
        let lost_at = self
            .deployment(update)
            .and_then(|deployment| deployment.fall_backs.at.last());
        let is_done = |device: &Device| {
            self.installs_of(update).any(|install| {
                let of = install.update == update && install.device == device.id;
                let stays = |at| lost_at.is_none_or(|lost_at| at > *lost_at);
                of && matches!(install.state, InstallState::Completed { at } if stays(at))
            })
        };
        let needing = release.devices_in(self.room());
        needing.filter(|device| !is_done(device)).collect()
    }

    /// From when on an install has failed that no inventory confirms (`docs/devices.md` 2.13). `installed_at`: when the device said
    /// that it was done.
    pub(super) fn unconfirmed_from(&self, installed_at: DateTime<Utc>) -> DateTime<Utc> {
        installed_at + TimeDelta::hours(self.settings().confirm_within_hours.into())
    }

    /// Whether its devices have missed as many windows as the settings allow (W4).
    pub(super) fn has_missed_too_often(&self, update: UpdateId) -> bool {
        self.deployment(update)
            .is_some_and(|deployment| deployment.missed_windows >= self.settings().unreachable_after_windows)
    }

    /// Whether this plan sets a device's version to the release's.
    pub(super) fn is_believed(&self, device: DeviceId, update: UpdateId) -> bool {
        let mut believed = self.believed.iter();
        believed.any(|believed| believed.device == device && believed.update == update)
    }

    /// Those that this plan makes for a deployment.
    pub(super) fn new_installs_of(&self, update: UpdateId) -> impl Iterator<Item = &NewInstall> {
        let deployment = self.deployment(update).map(|deployment| deployment.id);
        let is_of = move |install: &&NewInstall| Some(install.deployment) == deployment;
        self.new_installs.iter().filter(is_of)
    }
}

/// What a step may change. Whatever makes a deployment stand elsewhere says why (law L).
impl RoomCase<'_> {
    pub(super) fn complete(&mut self, update: UpdateId, reason: Reason) {
        // Also on a first attempt: the deployment may have failed, been withdrawn and been made anew, with its ticket still open.
        self.change_ticket(update, TicketEvent::Cleared(reason.clone()));
        self.edit(update, |deployment| deployment.last_failure = None);
        self.stand(update, DeploymentState::Completed { at: self.now }, reason);
    }

    pub(super) fn fail(&mut self, update: UpdateId, failure: Failure, reason: Reason) {
        let Some(attempt) = self.deployment(update).map(|deployment| deployment.attempt) else {
            return;
        };
        let event = TicketEvent::Failed {
            attempt,
            reason: reason.clone(),
        };
        self.change_ticket(update, event);
        self.edit(update, |deployment| deployment.last_failure = None);
        self.stand(update, DeploymentState::Failed { at: self.now, failure }, reason);
    }

    /// It was never offered, or its devices do not take it. `last`: the night of the last window that they have missed (W4).
    pub(super) fn fail_missed(&mut self, update: UpdateId, last: NaiveDate) {
        let last = self.day(last);
        let Some(deployment) = self.deployment(update) else {
            return;
        };
        let (windows, offered) = (deployment.missed_windows, deployment.offered_windows);
        let (failure, reason) = if offered == 0 {
            let last = Some(last);
            (Failure::Unreachable, Reason::Unreachable { windows, last })
        } else {
            let reason = Reason::NeverStarted { windows, offered, last };
            (Failure::NotStarted, reason)
        };
        self.fail(update, failure, reason);
    }

    pub(super) fn withdraw(&mut self, update: UpdateId, why: Withdrawal, reason: Reason) {
        self.withdraw_planned(update);
        let Some(deployment) = self.deployment(update) else {
            return;
        };
        // A device may have started it, failed, and come back (W5).
        let was_started = self.installs_of(update).any(|install| install.started_at.is_some());
        if deployment.attempt > 1 || deployment.crowded_windows > 0 || was_started {
            // Nothing more is tried here, so that there is nothing left to look at (I3).
            self.change_ticket(update, TicketEvent::Cleared(reason.clone()));
        }
        self.stand(update, DeploymentState::Withdrawn { at: self.now, why }, reason);
    }

    /// The installs of a deployment that no device has started.
    pub(super) fn withdraw_planned(&mut self, update: UpdateId) {
        let at = self.now;
        self.edit_planned(update, |install| install.state = InstallState::Withdrawn { at });
    }

    pub(super) fn withdraw_install(&mut self, action: ActionId) {
        self.settle_install(action, InstallState::Withdrawn { at: self.now });
    }

    pub(super) fn settle_install(&mut self, action: ActionId, state: InstallState) {
        if let Some(install) = self.installs.iter_mut().find(|install| install.action == action) {
            install.state = state;
        }
    }

    /// The device has the release's version, by its word alone.
    pub(super) fn believe(&mut self, device: DeviceId, update: UpdateId) {
        let room = self.room().id;
        self.believed.push(BelievedVersion { room, device, update });
    }

    /// Back to waiting, for the same night and with the same reason.
    pub(super) fn wait(&mut self, update: UpdateId) {
        self.edit(update, |deployment| deployment.state = DeploymentState::Waiting);
    }

    /// Back to waiting, for the same night.
    pub(super) fn wait_because(&mut self, update: UpdateId, reason: Reason) {
        self.stand(update, DeploymentState::Waiting, reason);
    }

    pub(super) fn wait_for(&mut self, update: UpdateId, night: NaiveDate, reason: Reason) {
        self.move_to(update, night);
        self.stand(update, DeploymentState::Waiting, reason);
    }

    /// For the first night after its own that is not frozen.
    pub(super) fn wait_for_next_night(&mut self, update: UpdateId, reason: Reason) {
        if let Some(deployment) = self.deployment(update) {
            let next = self.next_window(deployment.night.date() + days(1));
            self.wait_for(update, next.night, reason);
        }
    }

    /// Another night; it stands where it stands.
    pub(super) fn move_to(&mut self, update: UpdateId, night: NaiveDate) {
        self.edit(update, |deployment| deployment.night.move_to(night));
    }

    /// Makes its installs: a release for each device, which may be a step on the way (S8).
    pub(super) fn open(
        &mut self,
        update: UpdateId,
        releases: Vec<(DeviceId, UpdateId)>,
        window: Option<StartWindow>,
        reason: Reason,
    ) {
        let Some(deployment) = self.deployment(update) else {
            return;
        };
        let (deployment, attempt) = (deployment.id, deployment.attempt);
        let new = releases.into_iter().map(|(device, release)| NewInstall {
            deployment,
            update: release,
            device,
            attempt,
            window,
        });
        self.new_installs.extend(new);
        let state = DeploymentState::opened(self.started_at(update));
        self.stand(update, state, reason);
    }

    /// A device did not take it (S17): how often that has happened now.
    pub(super) fn count_refusal(&mut self, update: UpdateId) -> u32 {
        self.edit(update, |deployment| deployment.refusals += 1);
        self.deployment(update).map_or(0, |deployment| deployment.refusals)
    }

    /// For the first window after its own night, or after today where it was forced; forced no more.
    pub(super) fn wait_for_a_window(&mut self, update: UpdateId, reason: Reason) {
        let after = self.deployment(update).map(|deployment| match deployment.night {
            Night::Planned { date, .. } | Night::NextWindow { date, .. } => date,
            Night::Forced { .. } => self.today(),
        });
        let Some(after) = after else { return };
        let next = self.next_window(after + days(1)).night;
        self.edit(update, |deployment| deployment.night = deployment.night.of_retry(next));
        self.stand(update, DeploymentState::Waiting, reason);
    }

    /// Its devices have lost it (S16). `is_over`: its rollout is finished, and its counts stay.
    pub(super) fn note_fall_back(&mut self, update: UpdateId, is_over: bool) {
        let (now, days) = (self.now, self.settings().fall_back_days);
        let since = now - TimeDelta::days(days.into());
        let planned = self
            .deployment(update)
            .is_some_and(|deployment| !deployment.is_catch_up());
        self.edit(update, |deployment| {
            deployment.fall_backs.at.retain(|at| *at > since);
            deployment.fall_backs.at.push(now);
            deployment.fall_backs.stays_counted |= is_over && planned;
        });
    }

    /// How often its devices have lost it lately.
    pub(super) fn fall_backs(&self, update: UpdateId) -> u32 {
        let times = self
            .deployment(update)
            .map_or(0, |deployment| deployment.fall_backs.at.len());
        u32::try_from(times).unwrap_or(u32::MAX)
    }

    /// It waits for the next window, as a new attempt and a catch-up.
    pub(super) fn start_over(&mut self, update: UpdateId, reason: Reason) {
        let (now, night) = (self.now, self.next_window(self.today()).night);
        self.edit(update, |deployment| {
            deployment.attempt += 1;
            deployment.refusals = 0;
            deployment.last_failure = None;
            deployment.missed_windows = 0;
            deployment.offered_windows = 0;
            deployment.crowded_windows = 0;
            deployment.night = Night::NextWindow {
                date: night,
                catch_up: true,
            };
            deployment.next_at = Some(now);
        });
        self.stand(update, DeploymentState::Waiting, reason);
    }

    /// It had failed, and a device runs after all.
    pub(super) fn reopen(&mut self, update: UpdateId) {
        let state = DeploymentState::opened(self.started_at(update));
        self.edit(update, |deployment| deployment.state = state);
    }

    /// `at`: when the first device started.
    pub(super) fn start(&mut self, update: UpdateId, at: DateTime<Utc>, reason: Reason) {
        self.stand(update, DeploymentState::Started { at }, reason);
    }

    /// It has a night of its own from now on, and stands in the counts of `ring` (R14).
    pub(super) fn catch_up(&mut self, update: UpdateId, ring: StageOf, night: NaiveDate, reason: Reason) {
        self.edit(update, |deployment| {
            deployment.night = Night::NextWindow {
                date: night,
                catch_up: true,
            };
            deployment.ring = ring;
            deployment.reason = reason;
        });
    }

    /// In the place of the room's withdrawn deployment of the same update, if there is one.
    pub(super) fn join(&mut self, joined: Deployment) {
        let withdrawn = self.deployments.iter_mut().find(|old| old.update == joined.update);
        match withdrawn {
            Some(withdrawn) => *withdrawn = joined,
            None => self.deployments.push(joined),
        }
    }

    /// A window in which nothing but its devices kept it from starting (W4). `offered`: to one of them.
    pub(super) fn count_missed_window(&mut self, update: UpdateId, offered: bool) {
        self.edit(update, |deployment| {
            deployment.missed_windows += 1;
            deployment.offered_windows += u32::from(offered);
        });
    }

    /// A window in which the room was there and there was no space for the update (S7).
    pub(super) fn count_crowded_window(&mut self, update: UpdateId) {
        let windows = self.settings().crowded_after_windows;
        self.edit(update, |deployment| deployment.crowded_windows += 1);
        let crowded = self.deployment(update).map(|deployment| deployment.crowded_windows);
        if crowded == Some(windows) {
            self.change_ticket(update, TicketEvent::NoSpace { windows });
        }
    }

    /// Each window counts by itself (W4): a device that came once and never again is away.
    pub(super) fn forget_who_showed_up(&mut self, update: UpdateId) {
        self.edit_planned(update, |install| install.shown_up_at = None);
    }

    /// `None`: when something happens.
    pub(super) fn look_again_at(&mut self, update: UpdateId, at: Option<DateTime<Utc>>) {
        self.edit(update, |deployment| deployment.next_at = at);
    }

    /// Puts what has changed into the plan.
    pub(super) fn write(self, changes: &mut Changes) {
        let before = self.due;
        let installs = self.installs.into_iter();
        let deployments = self.deployments.into_iter();
        changes
            .installs
            .extend(installs.filter(|install| !before.installs.contains(install)));
        changes
            .deployments
            .extend(deployments.filter(|deployment| !before.deployments.contains(deployment)));
        changes.new_installs.extend(self.new_installs);
        changes.believed.extend(self.believed);
        changes.tickets.extend(self.tickets);
    }

    fn stand(&mut self, update: UpdateId, state: DeploymentState, reason: Reason) {
        self.edit(update, |deployment| {
            deployment.state = state;
            deployment.reason = reason;
        });
    }

    fn edit(&mut self, update: UpdateId, edit: impl FnOnce(&mut Deployment)) {
        let deployment = self
            .deployments
            .iter_mut()
            .find(|deployment| deployment.update == update);
        if let Some(deployment) = deployment {
            edit(deployment);
        }
    }

    fn edit_planned(&mut self, update: UpdateId, edit: impl Fn(&mut Install)) {
        let Some(deployment) = self.deployment(update).map(|deployment| deployment.id) else {
            return;
        };
        let of = self
            .installs
            .iter_mut()
            .filter(|install| install.deployment == deployment);
        of.filter(|install| install.state == InstallState::Planned)
            .for_each(edit);
    }

    fn change_ticket(&mut self, update: UpdateId, event: TicketEvent) {
        let room = self.room().id;
        self.tickets.push(TicketChange { room, update, event });
    }
}
