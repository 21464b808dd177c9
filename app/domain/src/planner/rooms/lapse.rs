//! Windows that closed before the start (W4), and rollouts that were deprecated or superseded under a room (T8, S9).

use super::case::RoomCase;
use super::reasons;
use crate::deployment::{Deployment, Failure, Force, Withdrawal};
use crate::device_refusal::DeviceRefusal;
use crate::ids::{ActionId, UpdateId};
use crate::install::{Install, InstallState};
use crate::reason::{Frozen, Reason};
use crate::start_window::StartWindow;

/// Takes planned installs back whose window has closed, and everything unstarted of a deprecated rollout. What is unstarted of
/// a paused one goes back to waiting, so that it keeps no other update from tonight's window.
pub(super) fn withdraw_installs(case: &mut RoomCase<'_>) {
    for update in case.updates() {
        let Some(deployment) = case.deployment(update).filter(|deployment| deployment.is_unfinished()) else {
            continue;
        };
        let has_started = deployment.has_started();
        let gives_up = reasons::to_give_up(case, update);
        let planned = case
            .installs_of(update)
            .filter(|install| install.state == InstallState::Planned);
        let void = planned.filter(|install| gives_up.is_some() || is_void(case, deployment, install));
        let void: Vec<ActionId> = void.map(|install| install.action).collect();
        for action in void {
            case.withdraw_install(action);
        }
        // A device may have started a moment ago: its install knows, the deployment has not heard of it yet.
        let runs = case.installs_of(update).any(Install::is_running);
        match gives_up {
            Some(reason) if !runs && !has_started => case.withdraw(update, Withdrawal::Deprecated, reason),
            Some(_) | None => count_missed_force(case, update),
        }
    }
}

/// Whether a planned install must not start as it was made.
fn is_void(case: &RoomCase<'_>, deployment: &Deployment, install: &Install) -> bool {
    let night = deployment.night.date();
    let window_closed = install.window.is_some_and(|window| window.has_closed(case.now()));
    // Prepared for hours, or in a zone, that are others now: the night stays, and is prepared anew.
    let window_today = case.window_on(night).as_ref().map(StartWindow::from);
    let window_moved = !deployment.is_forced() && install.window != window_today;
    // A freeze that was made, or changed, when the room was prepared already. What is forced may start up to the next one.
    let frozen = if deployment.is_forced() {
        let closes = install.window.map(|window| window.closes());
        case.freeze_on(case.today()).is_some() || closes != case.next_freeze()
    } else {
        case.freeze_on(night).is_some()
    };
    // A step that was recalled, or lost its file: another way is looked for (S8, S10).
    let is_step = install.update != deployment.update;
    let no_step = is_step && case.release(install.update).is_some_and(|step| !step.offerable);
    window_closed || window_moved || frozen || no_step || case.is_paused(deployment.update)
}

/// A forced deployment has no window to miss; whether its device ever shows up is counted by the room's windows all the same.
fn count_missed_force(case: &mut RoomCase<'_>, update: UpdateId) {
    let Some(deployment) = case.deployment(update) else {
        return;
    };
    if !deployment.is_forced() || !deployment.is_open() || case.is_paused(update) {
        return;
    }
    let last = deployment.night.date();
    let next = case.next_window(last);
    let installs = case.latest_installs(update);
    if next.night == last || installs.iter().any(|install| install.is_running()) {
        return;
    }
    let planned = installs.iter().filter(|install| install.state == InstallState::Planned);
    let somebody_is_away = planned.clone().any(|install| install.shown_up_at.is_none());
    // What waits for a free room was kept back by the people in it.
    let offered =
        deployment.night.force() == Some(Force::Now) && planned.clone().any(|install| install.shown_up_at.is_some());
    case.move_to(update, next.night);
    case.forget_who_showed_up(update);
    if !somebody_is_away && !offered {
        return;
    }
    case.count_missed_window(update, offered);
    if case.has_missed_too_often(update) {
        case.withdraw_planned(update);
        case.fail_missed(update, last);
    }
}

/// No device of the deployment runs, none has failed, and not all are done: what is left waits for another window.
pub(super) fn back_to_waiting(case: &mut RoomCase<'_>, update: UpdateId) {
    if let Some(reason) = reasons::to_give_up(case, update) {
        give_up(case, update, reason);
        return;
    }
    let Some(deployment) = case.deployment(update) else {
        return;
    };
    let (night, is_forced) = (deployment.night.date(), deployment.is_forced());
    let had_started = deployment.has_started();
    if case.is_paused(update) {
        if had_started {
            case.wait_because(update, Reason::PausedHalfway);
        } else {
            case.wait(update);
        }
        return;
    }
    if let Some(version) = recalled_step(case, update) {
        case.wait_because(update, Reason::StepRecalled { version });
        return;
    }
    let relevant = if is_forced { case.today() } else { night };
    if let Some(frozen) = case.freeze_on(relevant).map(|freeze| Frozen::by(freeze, case.today())) {
        let next = if is_forced {
            night
        } else {
            case.next_window(night).night
        };
        case.wait_for(update, next, Reason::ForcedAndFrozen(frozen));
        return;
    }
    let installs = case.latest_installs(update);
    let is_withdrawn = |install: &&Install| matches!(install.state, InstallState::Withdrawn { .. });
    let taken_back = installs.iter().any(is_withdrawn) && !installs.iter().any(|install| install.missed_its_window());
    if had_started && taken_back {
        case.wait_because(update, reasons::partly_done(case, update));
    } else if is_forced || taken_back {
        // What was taken back before its window was over has missed nothing (W4): its night stays.
        case.wait(update);
    } else {
        to_next_window(case, update);
    }
}

/// A device did not take it, for reasons of its own: the room waits for its next window, and has failed only when that has happened too
/// often (S17). What was forced is not forced any more: it would be refused again at once.
pub(super) fn refused(case: &mut RoomCase<'_>, update: UpdateId, why: DeviceRefusal) {
    let most = case.settings().refused_windows;
    let refusals = case.count_refusal(update);
    if refusals > most {
        let reason = Reason::RefusedOften { times: refusals, why };
        case.fail(update, Failure::Refused, reason);
    } else {
        case.wait_for_a_window(update, Reason::Refused { why });
    }
}

/// Nothing more of the update starts in the room.
fn give_up(case: &mut RoomCase<'_>, update: UpdateId, reason: Reason) {
    let is_done =
        |install: &&Install| matches!(install.state, InstallState::Completed { .. }) && install.update == update;
    if case.latest_installs(update).iter().any(is_done) {
        // Some device of the room has it, another was never reached and never will be.
        case.complete(update, Reason::PartlyInstalled(Box::new(reason)));
    } else {
        case.withdraw(update, Withdrawal::Deprecated, reason);
    }
}

/// The version of a release that is a step and was recalled under the deployment (S8, S10): another way is looked for, in the same night
/// if it fits.
fn recalled_step(case: &RoomCase<'_>, update: UpdateId) -> Option<String> {
    let mut steps = case.latest_installs(update).into_iter().filter_map(|install| {
        let is_void = matches!(
            install.state,
            InstallState::Withdrawn { .. } | InstallState::Canceled { .. }
        );
        let step = case.release(install.update)?;
        (is_void && install.update != update && !step.offerable).then_some(step)
    });
    steps.next().map(|step| step.version.clone())
}

/// The window is over: the next one follows, or the room has missed too many (W4).
fn to_next_window(case: &mut RoomCase<'_>, update: UpdateId) {
    let Some(night) = case.deployment(update).map(|deployment| deployment.night.date()) else {
        return;
    };
    let installs = case.latest_installs(update);
    let missed = installs.iter().filter(|install| install.missed_its_window());
    let somebody_is_away = missed.clone().any(|install| install.shown_up_at.is_none());
    let offered = missed.clone().any(|install| was_offered(case, install));
    let day = case.day(night);
    if !somebody_is_away && !offered {
        case.wait_for_next_night(update, Reason::CameLate { night: day });
        case.count_crowded_window(update);
        return;
    }
    case.count_missed_window(update, offered);
    if case.has_missed_too_often(update) {
        case.fail_missed(update, night);
    } else if somebody_is_away {
        case.wait_for_next_night(update, Reason::NoContact { night: day });
    } else {
        case.wait_for_next_night(update, Reason::NotStarted { night: day });
    }
}

/// Whether the device came when it could still be offered the update (W4); one that came later found no space (S7).
fn was_offered(case: &RoomCase<'_>, install: &Install) -> bool {
    let (Some(at), Some(window)) = (install.shown_up_at, install.window) else {
        return false;
    };
    let release = case.release(install.update);
    release.is_some_and(|release| window.still_fits(at, release.expected_minutes))
}
