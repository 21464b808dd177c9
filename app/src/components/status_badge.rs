//! Statuses, severities and health: an icon and a word, never colour alone.
//!
//! The words are the domain's; here is only which class and which icon go with them.

use domain::status::{RingStatus, RoomStatus, UpdateStatus};
use domain::ticket::{TicketSeverity, TicketStatus};
use domain::update::Severity;
use leptos::prelude::*;

use super::icon::Icon;
use super::resource::empty_view;
use domain::room::Health;

/// An update's status.
#[component]
pub fn UpdateStatusBadge(
    status: UpdateStatus,
    /// As a pill, in a page's head.
    #[prop(optional)]
    pill: bool,
) -> impl IntoView {
    let (class, icon) = status_class_and_icon(status);
    view! { <Badge class icon label=status.label() pill /> }
}

/// A room's status for one update.
#[component]
pub fn RoomStatusBadge(status: RoomStatus) -> impl IntoView {
    let (class, icon) = match status {
        RoomStatus::NotRequired => ("status--not-required", "s-not-required"),
        RoomStatus::Scheduled => ("status--scheduled", "s-scheduled"),
        RoomStatus::InProgress => ("status--running", "s-running"),
        RoomStatus::Completed => ("status--completed", "s-completed"),
        RoomStatus::Failed => ("status--failed", "s-failed"),
        RoomStatus::Paused => ("status--paused", "s-paused"),
        RoomStatus::Deprecated => ("status--deprecated", "s-deprecated"),
    };
    view! { <Badge class icon label=status.label() /> }
}

/// A ring's status in one rollout.
#[component]
pub fn RingStatusBadge(status: RingStatus) -> impl IntoView {
    let (class, icon) = match status {
        RingStatus::NotStarted => ("", "s-scheduled"),
        RingStatus::RollingOut | RingStatus::Testing => ("status--running", "s-running"),
        RingStatus::Completed => ("status--completed", "s-completed"),
        RingStatus::CompletedWithFailures => ("status--failures", "s-failures"),
        RingStatus::Paused => ("status--paused", "s-paused"),
        RingStatus::Deprecated => ("status--deprecated", "s-deprecated"),
    };
    view! { <Badge class icon label=status.label() /> }
}

/// A room's health.
#[component]
pub fn HealthBadge(
    health: Health,
    /// As a pill, in a page's head.
    #[prop(optional)]
    pill: bool,
) -> impl IntoView {
    let (class, icon) = match health {
        Health::Healthy => ("health--healthy", "h-healthy"),
        Health::Unhealthy => ("health--unhealthy", "h-unhealthy"),
        Health::Unmonitored => ("health--unmonitored", "h-unmonitored"),
        Health::Onboarding => ("health--onboarding", "h-onboarding"),
        Health::Suppressed => ("health--suppressed", "h-suppressed"),
    };
    view! { <Badge class icon label=health.label() pill /> }
}

/// A ticket's severity.
#[component]
pub fn TicketSeverityBadge(
    severity: TicketSeverity,
    /// As a pill, in a page's head.
    #[prop(optional)]
    pill: bool,
) -> impl IntoView {
    let (class, icon) = match severity {
        TicketSeverity::Critical => ("sev--critical", "sev-critical"),
        TicketSeverity::Important => ("sev--important", "sev-important"),
        TicketSeverity::Warning => ("sev--warning", "sev-warning"),
        TicketSeverity::Recommendation => ("sev--recommendation", "sev-recommendation"),
    };
    view! { <Badge class icon label=severity.label() pill /> }
}

/// Where a ticket stands.
#[component]
pub fn TicketStateBadge(state: TicketStatus) -> impl IntoView {
    let icon = match state {
        TicketStatus::NeedsAction => "flag",
        TicketStatus::Investigating => "search",
        TicketStatus::Resolved => "check",
    };
    view! { <Badge class="" icon label=state.label() /> }
}

/// An update's severity; a routine update has no mark.
#[component]
pub fn SeverityMark(severity: Severity) -> impl IntoView {
    match severity {
        Severity::Critical => {
            view! { <Badge class="sev--critical" icon="sev-critical" label=severity_label(severity) /> }.into_any()
        }
        Severity::Routine => empty_view(),
    }
}

/// The word of an update's severity.
#[must_use]
pub fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::Routine => "Routine",
    }
}

/// Class and icon of an update's status.
#[must_use]
pub fn status_class_and_icon(status: UpdateStatus) -> (&'static str, &'static str) {
    match status {
        UpdateStatus::Scheduled => ("status--scheduled", "s-scheduled"),
        UpdateStatus::InProgress => ("status--running", "s-running"),
        UpdateStatus::CompletedWithFailures => ("status--failures", "s-failures"),
        UpdateStatus::Completed => ("status--completed", "s-completed"),
        UpdateStatus::Deprecated => ("status--deprecated", "s-deprecated"),
        UpdateStatus::Paused => ("status--paused", "s-paused"),
        UpdateStatus::NotRequired => ("status--not-required", "s-not-required"),
    }
}

#[component]
fn Badge(class: &'static str, icon: &'static str, label: &'static str, #[prop(optional)] pill: bool) -> impl IntoView {
    let mut classes = vec!["status"];
    if !class.is_empty() {
        classes.push(class);
    }
    if pill {
        classes.push("status--pill");
    }
    view! {
        <span class=classes.join(" ")>
            <Icon name=icon />
            {label}
        </span>
    }
}
