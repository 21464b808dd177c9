//! What the plan's report says of a room: for each deployment that has changed, what was decided, or why it waits again.

use super::case::RoomCase;
use crate::changes::Changes;
use crate::deployment::{Deployment, DeploymentState};
use crate::event::{Event, Subject, TakenBack};
use crate::start_window::StartWindow;
use crate::time_text::Night;
use crate::window::Window;

pub(super) fn report(case: &RoomCase<'_>, changes: &mut Changes) {
    for (before, after) in case.changed_deployments() {
        report_one(case, before, after, changes);
    }
}

fn report_one(case: &RoomCase<'_>, before: Option<&Deployment>, after: &Deployment, changes: &mut Changes) {
    let subject = Subject::Room(after.room, after.update);
    let same_reason = before.is_some_and(|before| !after.reason.differs_from(&before.reason));
    let same_state = before.is_none_or(|before| before.state == after.state);
    let taken_back = after.state == DeploymentState::Waiting && before.is_some_and(Deployment::is_open);
    let prepared_for = prepared_for(case, after);
    if taken_back && same_reason {
        changes.report_line(subject, Event::TakenBack(why_taken_back(case, after)));
    } else if !same_reason || (prepared_for.is_none() && !same_state) {
        changes.report_line(subject, Event::Stands(after.reason.clone()));
    }
    if let Some(window) = prepared_for {
        changes.report_line(
            subject,
            Event::Prepared(Night::new(&window, &case.room().zone, case.now())),
        );
    }
}

/// The window for which this plan has made installs. What is forced is prepared for none.
fn prepared_for(case: &RoomCase<'_>, deployment: &Deployment) -> Option<Window> {
    if deployment.is_forced() {
        return None;
    }
    let window = case.new_installs_of(deployment.update).next()?.window?;
    Some(Window {
        night: deployment.night.date(),
        opens: window.opens(),
        closes: window.closes(),
    })
}

/// Why what was prepared in a room waits again, although nothing else about it has changed.
fn why_taken_back(case: &RoomCase<'_>, deployment: &Deployment) -> TakenBack {
    let rollout = case.rollout(deployment.update);
    let window = case.window_on(deployment.night.date());
    let windows = case.installs_of(deployment.update).filter_map(|install| install.window);
    let was_for = windows.max();
    if rollout.is_some_and(|rollout| !rollout.may_start_rooms()) {
        TakenBack::Paused
    } else if was_for.is_some() && was_for != window.as_ref().map(StartWindow::from) {
        TakenBack::OtherHours
    } else {
        TakenBack::AnotherFirst
    }
}
