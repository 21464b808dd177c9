//! Opening what is next in a room: one update at a time (S7), step by step (S8), inside its window (W1) or by force (K5).

use std::cmp::Reverse;

use super::case::RoomCase;
use super::reasons;
use crate::deployment::{Deployment, DeploymentState, Failure, Night, Withdrawal};
use crate::ids::{DeviceId, UpdateId};
use crate::install::InstallState;
use crate::path::{self, MissingStep};
use crate::reason::{Frozen, Reason};
use crate::rollout::Rollout;
use crate::start_window::StartWindow;
use crate::update::{Exclusion, Severity, Update};
use crate::window::Window;

pub(super) fn open_next(case: &mut RoomCase<'_>) {
    take_back_planned_of_forced(case);
    for update in case.updates() {
        move_missed_night(case, update);
    }
    let open_one = case.open_deployment().map(|deployment| deployment.update);
    if open_one.is_some_and(|update| !is_prepared_only(case, update)) {
        return;
    }
    let mut in_line = case.updates();
    in_line.retain(|update| may_open(case, *update));
    in_line.sort_by_key(|update| order(case, *update));
    if let Some(prepared) = open_one {
        // Prepared an hour ago, and now something more urgent is due: what has not started gives way (S7).
        in_line.retain(|update| order(case, *update) < order(case, prepared));
        if in_line.iter().all(|update| must_not_have(case, *update)) {
            return;
        }
        case.withdraw_planned(prepared);
        case.wait(prepared);
        // Its turn comes again if there turns out to be no way to the others (S8).
        in_line.push(prepared);
    }
    for update in in_line {
        if open(case, update) {
            return;
        }
    }
}

/// Whether the open deployment's devices have all yet to start, on their first try tonight.
fn is_prepared_only(case: &RoomCase<'_>, update: UpdateId) -> bool {
    let is_prepared = |deployment: &Deployment| deployment.state == DeploymentState::Prepared;
    let all_planned = case
        .latest_installs(update)
        .iter()
        .all(|install| install.state == InstallState::Planned);
    case.deployment(update).is_some_and(is_prepared) && all_planned
}

fn must_not_have(case: &RoomCase<'_>, update: UpdateId) -> bool {
    case.release(update)
        .is_none_or(|release| release.exclusion(case.room(), case.today()).is_some())
}

/// A force that came while the same update was open for tonight: its installs are made anew, without a window.
fn take_back_planned_of_forced(case: &mut RoomCase<'_>) {
    for update in case.updates() {
        let waits_forced =
            |deployment: &Deployment| deployment.is_forced() && deployment.state == DeploymentState::Waiting;
        if case.deployment(update).is_some_and(waits_forced) {
            case.withdraw_planned(update);
        }
    }
}

/// A waiting room whose window has passed goes to the next one: another update had it, or the service was away.
fn move_missed_night(case: &mut RoomCase<'_>, update: UpdateId) {
    let Some(deployment) = case.deployment(update) else {
        return;
    };
    // What is forced waits for no window; but a device that is silent for good misses one after the other all the same.
    let silent = blocked_by_silence(case, update);
    let waits = deployment.state == DeploymentState::Waiting && (!deployment.is_forced() || silent);
    let may_start = case.rollout(update).is_some_and(Rollout::may_start_rooms);
    if !waits || !may_start {
        return;
    }
    let last = deployment.night.date();
    let next = case.next_window(last);
    if next.night == last {
        return;
    }
    let night = case.day(last);
    let frozen = case.freeze_on(last).map(|freeze| Frozen::by(freeze, case.today()));
    let silent = frozen.is_none() && silent;
    let crowded = frozen.is_none() && !silent && window_was_full(case, deployment);
    let reason = if let Some(frozen) = frozen {
        Reason::NightFrozen { night, frozen }
    } else if silent {
        Reason::DeviceSilent { night }
    } else if crowded {
        Reason::NoSpace { night }
    } else {
        Reason::WindowPassed { night }
    };
    case.wait_for(update, next.night, reason);
    if crowded {
        case.count_crowded_window(update);
    }
    if silent {
        // It has not shown up either (W4): otherwise one dead device would keep every later rollout from its end.
        case.count_missed_window(update, false);
        if case.has_missed_too_often(update) {
            case.fail_missed(update, last);
        }
    }
}

/// Whether a device that the update is for has fallen silent in the middle of something (W5): its action stays open.
fn blocked_by_silence(case: &RoomCase<'_>, update: UpdateId) -> bool {
    let Some(release) = case.release(update) else {
        return false;
    };
    release.devices_in(case.room()).any(|device| {
        case.installs().iter().any(|install| {
            let silent = matches!(install.state, InstallState::Started { silent_at: Some(_), .. });
            install.device == device.id && silent
        })
    })
}

/// Whether another update of the room ran in the window of this one's night: that is what left no space (S7), and not a service
/// that was away.
fn window_was_full(case: &RoomCase<'_>, deployment: &Deployment) -> bool {
    let Some(window) = case.window_on(deployment.night.date()) else {
        return false;
    };
    let installs = case.installs().iter();
    let others = installs.filter(|install| install.deployment != deployment.id);
    others
        .filter_map(|install| install.started_at)
        .any(|started| window.contains(started))
}

/// What to install next on each device of the room that the update is for.
enum Steps<'s> {
    Ready(Vec<(DeviceId, &'s Update)>),
    /// A release that is needed first belongs to a rollout that is paused.
    Paused,
    Missing(MissingStep),
}

fn steps<'s>(case: &RoomCase<'s>, target: &'s Update) -> Steps<'s> {
    let is_paused = |step: &Update| step.id != target.id && case.is_paused(step.id);
    // A release that fits into no window leads nowhere (S7).
    let longest = case.settings().window_minutes;
    let releases = || case.releases().filter(move |step| step.expected_minutes <= longest);
    let mut ready = Vec::new();
    for device in case.devices_left(target.id) {
        if is_busy(case, device.id) {
            continue;
        }
        match path::next_step(target, device, releases().filter(|step| !is_paused(step))) {
            Ok(step) => ready.push((device.id, step)),
            Err(missing) => {
                return match path::next_step(target, device, releases()) {
                    Ok(_) => Steps::Paused,
                    Err(_) => Steps::Missing(missing),
                };
            }
        }
    }
    Steps::Ready(ready)
}

/// Whether the device has begun something that it has not closed: while its room is not open, it is silent (W5). A planned install is
/// in nobody's way: it is taken back when its deployment gives way.
fn is_busy(case: &RoomCase<'_>, device: DeviceId) -> bool {
    case.installs()
        .iter()
        .any(|install| install.device == device && install.is_open() && install.state != InstallState::Planned)
}

fn may_open(case: &RoomCase<'_>, update: UpdateId) -> bool {
    let waiting = |deployment: &&Deployment| deployment.state == DeploymentState::Waiting;
    let Some(deployment) = case.deployment(update).filter(waiting) else {
        return false;
    };
    let (Some(rollout), Some(release)) = (case.rollout(update), case.release(update)) else {
        return false;
    };
    let being_filled = rollout.being_filled().is_some();
    if !rollout.may_start_rooms() || (being_filled && !deployment.is_forced()) {
        return false;
    }
    // One silent device does not keep the others of its room from it.
    let left = case.devices_left(update);
    let a_device_is_free = left.is_empty() || left.iter().any(|device| !is_busy(case, device.id));
    let minutes = match steps(case, release) {
        Steps::Ready(steps) => steps.iter().map(|(_, step)| step.expected_minutes).max().unwrap_or(0),
        Steps::Paused => return false,
        // It fails as soon as it would be opened.
        Steps::Missing(_) => release.expected_minutes,
    };
    a_device_is_free
        && match deployment.night {
            Night::Forced { .. } => case.freeze_on(case.today()).is_none(),
            Night::Planned { date, .. } | Night::NextWindow { date, .. } => {
                let window = case.next_window(date);
                // Prepared this evening, it could start in a hold that begins at midnight.
                let held_by_then = case.room().hold_on(&release.product, window.night).is_some();
                fits(case, minutes, &window) && (!held_by_then || window.night == case.today())
            }
        }
}

/// Whether the window is open, or about to, and the expected minutes still fit into what is left of it (S7).
fn fits(case: &RoomCase<'_>, minutes: u32, window: &Window) -> bool {
    let from = case.now().max(window.opens);
    case.settings().prepares_at(window) <= case.now() && StartWindow::from(window).still_fits(from, minutes)
}

/// Forced ones first; then what another one needs first, then critical, then what is out of support, then by kind, then the oldest release
/// (S7).
fn order(case: &RoomCase<'_>, update: UpdateId) -> impl Ord + use<> {
    let release = case.release(update);
    let is_needed = release.is_some_and(|release| {
        case.unfinished_deployments()
            .filter_map(|other| case.release(other.update))
            .any(|other| release.is_needed_for(other, case.room()))
    });
    (
        Reverse(case.deployment(update).is_some_and(Deployment::is_forced)),
        Reverse(is_needed),
        release.map_or(Severity::Routine, |release| release.severity),
        Reverse(release.is_some_and(|release| case.room().is_out_of_support(&release.product, case.today()))),
        release.map(|release| release.kind),
        // One without a date comes after those that have one.
        release.is_none_or(|release| release.released.is_none()),
        release.and_then(|release| release.released),
        update,
    )
}

/// Makes the installs; `false`: the room does not need it any more, or must not have it.
fn open(case: &mut RoomCase<'_>, update: UpdateId) -> bool {
    let (Some(deployment), Some(release)) = (case.deployment(update), case.release(update)) else {
        return false;
    };
    if let Some(exclusion) = release.exclusion(case.room(), case.today()) {
        let is_on_it = matches!(exclusion, Exclusion::AlreadyOn { .. });
        let reason = reasons::not_required(case, exclusion, release);
        if is_on_it && case.was_tried(update) {
            case.complete(update, reason);
        } else {
            case.withdraw(update, Withdrawal::NotRequired, reason);
        }
        return false;
    }
    let steps = match steps(case, release) {
        Steps::Ready(steps) if steps.is_empty() => {
            case.complete(update, reasons::confirmed(case, update));
            return false;
        }
        Steps::Ready(steps) => steps,
        Steps::Paused => return false,
        Steps::Missing(missing) => {
            case.fail(update, Failure::NoPath, Reason::NoPath(missing));
            return false;
        }
    };
    let window = start_window(case, deployment);
    let reason = reason_when_opened(case, deployment);
    if deployment.is_forced() {
        // From here on it is the night whose window the device would miss by not showing up (W4).
        let next = case.next_window(deployment.night.date());
        case.move_to(update, next.night);
    }
    let installs = steps.into_iter().map(|(device, step)| (device, step.id));
    case.open(update, installs.collect(), window, reason);
    true
}

/// When its devices may start; `None`: at any time.
fn start_window(case: &RoomCase<'_>, deployment: &Deployment) -> Option<StartWindow> {
    match deployment.night {
        // What is forced may start at any time, but not in a freeze (K5, W6).
        Night::Forced { .. } => case
            .next_freeze()
            .and_then(|begins| StartWindow::new(case.now(), begins)),
        Night::Planned { date, .. } | Night::NextWindow { date, .. } => {
            Some(StartWindow::from(&case.next_window(date)))
        }
    }
}

fn reason_when_opened(case: &RoomCase<'_>, deployment: &Deployment) -> Reason {
    if case.started_at(deployment.update).is_some() {
        reasons::partly_done(case, deployment.update)
    } else if deployment.is_forced() && matches!(deployment.reason, Reason::ForcedAndFrozen(_)) {
        Reason::FreezeOver
    } else {
        deployment.reason.clone()
    }
}
