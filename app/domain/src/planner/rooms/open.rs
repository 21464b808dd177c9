//! Opening what is next in a room: one update at a time (S7), step by step (S8), inside its window (W1) or by force (K5).

use std::cmp::Reverse;

use chrono::TimeDelta;

use crate::changes::NewInstall;
use crate::deployment::{Deployment, DeploymentState, Failure, Night, Withdrawal};
use crate::ids::DeviceId;
use crate::install::InstallState;
use crate::path::{self, MissingStep};
use crate::planner::rooms::RoomCase;
use crate::reason::{Frozen, Reason};
use crate::rollout::RolloutState;
use crate::room::Device;
use crate::start_window::StartWindow;
use crate::ticket::{TicketChange, TicketEvent};
use crate::update::{Exclusion, Severity, Update};
use crate::window::Window;

pub(super) fn open_next(case: &mut RoomCase<'_>) {
    take_back_planned_of_forced(case);
    move_missed_nights(case);
    let open_one = case.deployments.iter().position(Deployment::is_open);
    if open_one.is_some_and(|index| !is_prepared_only(case, index)) {
        return;
    }
    let mut in_line: Vec<usize> = (0..case.deployments.len())
        .filter(|index| may_open(case, &case.deployments[*index]))
        .collect();
    in_line.sort_by_key(|index| order(case, &case.deployments[*index]));
    if let Some(prepared) = open_one {
        // Prepared an hour ago, and now something more urgent is due: what has not started gives way (S7).
        let goes_first =
            |index: &usize| order(case, &case.deployments[*index]) < order(case, &case.deployments[prepared]);
        in_line.retain(goes_first);
        if in_line.iter().all(|index| must_not_have(case, *index)) {
            return;
        }
        super::join::withdraw_planned(case, prepared);
        case.deployments[prepared].state = DeploymentState::Waiting;
        // Its turn comes again if there turns out to be no way to the others (S8).
        in_line.push(prepared);
    }
    for index in in_line {
        if open(case, index) {
            return;
        }
    }
}

/// Whether the open deployment's devices have all yet to start, on their first try tonight.
fn is_prepared_only(case: &RoomCase<'_>, index: usize) -> bool {
    let deployment = &case.deployments[index];
    let all_planned = case
        .latest_installs(deployment)
        .iter()
        .all(|install| install.state == InstallState::Planned);
    deployment.state == DeploymentState::Prepared && all_planned
}

fn must_not_have(case: &RoomCase<'_>, index: usize) -> bool {
    case.update(&case.deployments[index])
        .is_none_or(|update| update.exclusion(case.room, case.today()).is_some())
}

/// A force that came while the same update was open for tonight: its installs are made anew, without a window.
fn take_back_planned_of_forced(case: &mut RoomCase<'_>) {
    for index in 0..case.deployments.len() {
        let deployment = &case.deployments[index];
        if !deployment.is_forced() || deployment.state != DeploymentState::Waiting {
            continue;
        }
        let id = deployment.id;
        for install in case.installs.iter_mut().filter(|install| install.deployment == id) {
            if install.state == InstallState::Planned {
                install.state = InstallState::Withdrawn { at: case.now };
            }
        }
    }
}

/// A waiting room whose window has passed goes to the next one: another update had it, or the service was away.
fn move_missed_nights(case: &mut RoomCase<'_>) {
    for index in 0..case.deployments.len() {
        let deployment = &case.deployments[index];
        // What is forced waits for no window; but a device that is silent for good misses one after the other all the same.
        let silent = blocked_by_silence(case, deployment);
        let waits = deployment.state == DeploymentState::Waiting && (!deployment.is_forced() || silent);
        if !waits
            || case
                .rollout(deployment)
                .is_none_or(|rollout| !rollout.may_start_rooms())
        {
            continue;
        }
        let last = deployment.night.date();
        let next = case.next_window(last);
        if next.night == last {
            continue;
        }
        let night = case.day(last);
        let frozen = case.freeze_on(last).map(|freeze| Frozen::by(freeze, case.today()));
        let silent = frozen.is_none() && silent;
        let crowded = frozen.is_none() && !silent && window_was_full(case, deployment);
        let deployment = &mut case.deployments[index];
        deployment.night.move_to(next.night);
        deployment.reason = if let Some(frozen) = frozen {
            Reason::NightFrozen { night, frozen }
        } else if silent {
            Reason::DeviceSilent { night }
        } else if crowded {
            Reason::NoSpace { night }
        } else {
            Reason::WindowPassed { night }
        };
        if crowded {
            count_crowded(case, index);
        }
        if silent {
            // It has not shown up either (W4): otherwise one dead device would keep every later rollout from its end.
            case.deployments[index].missed_windows += 1;
            if case.deployments[index].missed_windows >= case.settings().unreachable_after_windows {
                super::lapse::fail_unreachable(case, index, last);
            }
        }
    }
}

/// Whether a device that the update is for has fallen silent in the middle of something (W5): its action stays open.
fn blocked_by_silence(case: &RoomCase<'_>, deployment: &Deployment) -> bool {
    let Some(update) = case.update(deployment) else {
        return false;
    };
    update.devices_in(case.room).any(|device| {
        case.installs.iter().any(|install| {
            let silent = matches!(install.state, InstallState::Started { silent_at: Some(_), .. });
            install.device == device.id && silent
        })
    })
}

/// Whether another update of the room ran in the window of this one's night: that is what left no space (S7), and not a service
/// that was away.
fn window_was_full(case: &RoomCase<'_>, deployment: &Deployment) -> bool {
    let Some(window) = Window::on(&case.room.zone, deployment.night.date(), case.settings().window()) else {
        return false;
    };
    let others = case
        .installs
        .iter()
        .filter(|install| install.deployment != deployment.id);
    others
        .filter_map(|install| install.started_at)
        .any(|started| window.contains(started))
}

/// A window in which the room was there and there was no space for the update (S7).
pub(super) fn count_crowded(case: &mut RoomCase<'_>, index: usize) {
    let limit = case.settings().crowded_after_windows;
    let deployment = &mut case.deployments[index];
    deployment.crowded_windows += 1;
    if deployment.crowded_windows == limit {
        case.tickets.push(TicketChange {
            room: deployment.room,
            update: deployment.update,
            event: TicketEvent::NoSpace { windows: limit },
        });
    }
}

/// What to install next on each device of the room that the update is for.
enum Steps<'s> {
    Ready(Vec<(DeviceId, &'s Update)>),
    /// A release that is needed first belongs to a rollout that is paused.
    Paused,
    Missing(MissingStep),
}

fn steps<'s>(case: &RoomCase<'s>, deployment: &Deployment, update: &'s Update) -> Steps<'s> {
    let is_paused = |step: &Update| {
        let rollout = case.slice.rollouts.get(&step.id).map(|rollout| &rollout.state);
        step.id != update.id && matches!(rollout, Some(RolloutState::Paused { .. }))
    };
    // A release that fits into no window leads nowhere (S7).
    let longest = case.settings().window_minutes;
    let releases = || case.releases().filter(move |step| step.expected_minutes <= longest);
    let mut ready = Vec::new();
    for device in devices_left(case, deployment, update).filter(|device| !is_busy(case, device.id)) {
        match path::next_step(update, device, releases().filter(|step| !is_paused(step))) {
            Ok(step) => ready.push((device.id, step)),
            Err(missing) => {
                return match path::next_step(update, device, releases()) {
                    Ok(_) => Steps::Paused,
                    Err(_) => Steps::Missing(missing),
                };
            }
        }
    }
    Steps::Ready(ready)
}

/// The devices of the room that need the update and have not been given it by this deployment. One that says nothing of its version
/// would seem to need it for ever.
pub(super) fn devices_left<'l>(
    case: &'l RoomCase<'_>,
    deployment: &'l Deployment,
    update: &'l Update,
) -> impl Iterator<Item = &'l Device> {
    let is_done = move |device: DeviceId| {
        case.installs.iter().any(|install| {
            let of = install.deployment == deployment.id && install.update == update.id && install.device == device;
            of && matches!(install.state, InstallState::Completed { .. })
        })
    };
    update.devices_in(case.room).filter(move |device| !is_done(device.id))
}

/// Whether the device has begun something that it has not closed: while its room is not open, it is silent (W5). A planned install is
/// in nobody's way: it is taken back when its deployment gives way.
fn is_busy(case: &RoomCase<'_>, device: DeviceId) -> bool {
    case.installs
        .iter()
        .any(|install| install.device == device && install.is_open() && install.state != InstallState::Planned)
}

fn may_open(case: &RoomCase<'_>, deployment: &Deployment) -> bool {
    if deployment.state != DeploymentState::Waiting {
        return false;
    }
    let (Some(rollout), Some(update)) = (case.rollout(deployment), case.update(deployment)) else {
        return false;
    };
    let being_filled = rollout.being_filled().is_some();
    if !rollout.may_start_rooms() || (being_filled && !deployment.is_forced()) {
        return false;
    }
    // One silent device does not keep the others of its room from it.
    let mut left = devices_left(case, deployment, update).peekable();
    let a_device_is_free = left.peek().is_none() || left.any(|device| !is_busy(case, device.id));
    let minutes = match steps(case, deployment, update) {
        Steps::Ready(steps) => steps.iter().map(|(_, step)| step.expected_minutes).max().unwrap_or(0),
        Steps::Paused => return false,
        // It fails as soon as it would be opened.
        Steps::Missing(_) => update.expected_minutes,
    };
    a_device_is_free
        && match deployment.night {
            Night::Forced { .. } => case.freeze_on(case.today()).is_none(),
            Night::Planned { date, .. } | Night::NextWindow { date, .. } => {
                let window = case.next_window(date);
                // Prepared this evening, it could start in a hold that begins at midnight.
                let held_by_then = case.room.hold_on(&update.product, window.night).is_some();
                fits(case, minutes, &window) && (!held_by_then || window.night == case.today())
            }
        }
}

/// Whether the window is open, or about to, and the expected minutes still fit into what is left of it (S7).
fn fits(case: &RoomCase<'_>, minutes: u32, window: &Window) -> bool {
    let left = window.closes - case.now.max(window.opens);
    case.settings().prepares_at(window) <= case.now && left >= TimeDelta::minutes(minutes.into())
}

/// Forced ones first; then what another one needs first, then critical, then by kind, then the oldest release (S7).
fn order(case: &RoomCase<'_>, deployment: &Deployment) -> impl Ord + use<> {
    let update = case.update(deployment);
    let others = case.deployments.iter().filter(|other| other.is_unfinished());
    let is_needed = update.is_some_and(|update| {
        others
            .filter_map(|other| case.update(other))
            .any(|other| update.is_needed_for(other, case.room))
    });
    (
        Reverse(deployment.is_forced()),
        Reverse(is_needed),
        update.map_or(Severity::Routine, |update| update.severity),
        update.map(|update| update.kind),
        // One without a date comes after those that have one.
        update.is_none_or(|update| update.released.is_none()),
        update.and_then(|update| update.released),
        deployment.update,
    )
}

/// Makes the installs; `false`: the room does not need it any more, or must not have it.
fn open(case: &mut RoomCase<'_>, index: usize) -> bool {
    let deployment = &case.deployments[index];
    let Some(update) = case.update(deployment) else {
        return false;
    };
    if let Some(exclusion) = update.exclusion(case.room, case.today()) {
        let was_tried = deployment.attempt > 1 || super::join::was_partly_done(case, deployment);
        let is_on_it = matches!(exclusion, Exclusion::AlreadyOn { .. });
        let reason = case.not_required(exclusion, update);
        if was_tried && is_on_it {
            case.complete(index, reason);
        } else {
            super::join::withdraw(case, index, Withdrawal::NotRequired, reason);
        }
        return false;
    }
    let steps = match steps(case, deployment, update) {
        Steps::Ready(steps) if steps.is_empty() => {
            let reason = super::settle::confirmed(case, index);
            case.complete(index, reason);
            return false;
        }
        Steps::Ready(steps) => steps,
        Steps::Paused => return false,
        Steps::Missing(missing) => {
            case.fail(index, Failure::NoPath, Reason::NoPath(missing));
            return false;
        }
    };
    let window = match deployment.night {
        // What is forced may start at any time, but not in a freeze (K5, W6).
        Night::Forced { .. } => case.next_freeze().and_then(|begins| StartWindow::new(case.now, begins)),
        Night::Planned { date, .. } | Night::NextWindow { date, .. } => {
            Some(StartWindow::from(&case.next_window(date)))
        }
    };
    let new = steps.into_iter().map(|(device, step)| NewInstall {
        deployment: deployment.id,
        update: step.id,
        device,
        attempt: deployment.attempt,
        window,
    });
    let new: Vec<NewInstall> = new.collect();
    case.new_installs.extend(new);
    if case.deployments[index].is_forced() {
        if matches!(case.deployments[index].reason, Reason::ForcedAndFrozen(_)) {
            case.deployments[index].reason = Reason::FreezeOver;
        }
        // From here on it is the night whose window the device would miss by not showing up (W4).
        let next = case.next_window(case.deployments[index].night.date());
        case.deployments[index].night.move_to(next.night);
    }
    let started_at = case.started_at(&case.deployments[index]);
    case.deployments[index].state = DeploymentState::opened(started_at);
    if started_at.is_some() {
        case.deployments[index].reason = super::settle::partly_done(case, index);
    }
    true
}
