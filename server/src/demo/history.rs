//! The demo's past: rollouts with what came of them, and tickets, as the service imports them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, Utc};
use domain::deployment::{DeploymentState, Failure, Force, Withdrawal};
use domain::ids::{ProductId, RingId, RoomId};
use domain::reason::Reason;
use domain::rollout::RolloutState;
use domain::ticket::TicketSeverity;
use domain::time_text;
use domain::update::Severity;
use service::{PastDeployment, PastRollout, PastTicket};

use super::files::{RoomOutcome, Scenario, TicketEntry, UpdateEntry};

/// What the files' ids have become.
pub(super) struct ImportedIds {
    pub(super) rooms: BTreeMap<String, RoomId>,
    pub(super) rings: BTreeMap<String, RingId>,
    pub(super) as_of: DateTime<Utc>,
}

impl ImportedIds {
    fn room(&self, id: &str) -> Result<RoomId> {
        self.rooms
            .get(id)
            .copied()
            .with_context(|| format!("the demo has no room {id}"))
    }

    fn ring(&self, id: &str) -> Result<RingId> {
        self.rings
            .get(id)
            .copied()
            .with_context(|| format!("the demo has no ring {id}"))
    }

    pub(super) fn rollout(&self, update: &UpdateEntry, scenario: &Scenario) -> Result<PastRollout> {
        let mut entered = Vec::new();
        for stage in update.rings.iter().filter(|stage| stage.status != "Not started") {
            entered.push((self.ring(&stage.ring)?, stage.first_day));
        }
        // A rollout that concerns nobody has entered the rings whose day has come all the same.
        if entered.is_empty() {
            for stage in update
                .rings
                .iter()
                .filter(|stage| stage.first_day <= self.as_of.date_naive())
            {
                entered.push((self.ring(&stage.ring)?, stage.first_day));
            }
        }
        let rooms = update
            .rooms
            .iter()
            .filter_map(|room| self.deployment(update, room).transpose())
            .collect::<Result<Vec<_>>>()?;
        Ok(PastRollout {
            product: ProductId(update.product.clone()),
            version: update.version.clone(),
            severity: if update.critical {
                Severity::Critical
            } else {
                Severity::Routine
            },
            title: update.title.clone(),
            published_at: update.published_at,
            published_by: "Update manager".to_owned(),
            starts_on: update.start_date,
            state: state(update, scenario)?,
            entered,
            rooms,
        })
    }

    fn deployment(&self, update: &UpdateEntry, room: &RoomOutcome) -> Result<Option<PastDeployment>> {
        let last = room.completed_at.or(room.last_attempt_at).or(room.started_at);
        let at = if room.status == "Deprecated" {
            update.superseded_at.or(update.recalled_at).or(last)
        } else {
            last
        };
        let at = at.unwrap_or(update.published_at);
        let Some((state, reason)) = outcome(update, room, at)? else {
            return Ok(None);
        };
        Ok(Some(PastDeployment {
            room: self.room(&room.room)?,
            ring: self.ring(&room.ring)?,
            night: room.night,
            state,
            at,
            attempt: room.attempt.unwrap_or(1).max(1),
            missed_windows: room.missed_windows,
            catch_up: room.catch_up,
            force: room
                .forced
                .as_deref()
                .map(|mode| Force::from_word(mode).unwrap_or(Force::Now)),
            from_version: room.from.clone(),
            reason,
        }))
    }

    pub(super) fn ticket(&self, ticket: &TicketEntry, scenario: &Scenario) -> Result<PastTicket> {
        let update = ticket
            .update
            .as_ref()
            .and_then(|id| scenario.updates.iter().find(|update| update.id == *id));
        let severity = TicketSeverity::from_word(&ticket.severity.to_lowercase()).context("a ticket's severity")?;
        let system = ticket.kind == "system";
        Ok(PastTicket {
            number: ticket.id.trim_start_matches("T-").parse()?,
            title: ticket.title.clone(),
            severity,
            category: ticket.category.clone().unwrap_or_else(|| "Other".to_owned()),
            rooms: ticket.rooms.iter().map(|room| self.room(room)).collect::<Result<_>>()?,
            update: update.map(|update| (ProductId(update.product.clone()), update.version.clone())),
            of_failure: system && update.is_some(),
            opened_by: if system {
                "Nightshift".to_owned()
            } else {
                "Update manager".to_owned()
            },
            opened_at: ticket.opened_at,
            events: ticket
                .history
                .iter()
                .map(|event| (event.at, capital(&event.by), capital(&event.text)))
                .collect(),
        })
    }
}

/// How a room's deployment stands, and why, in the planner's own sentences. `None`: the room does not need it.
fn outcome(update: &UpdateEntry, room: &RoomOutcome, at: DateTime<Utc>) -> Result<Option<(DeploymentState, String)>> {
    let night = room
        .night
        .map(|night| time_text::date(night, night.year()))
        .unwrap_or_default();
    Ok(Some(match room.status.as_str() {
        "Completed" => (
            DeploymentState::Completed { at },
            format!("Confirmed {}.", update.version),
        ),
        "Failed" => failed(room, at),
        "In progress" => {
            let at = room.started_at.unwrap_or(at);
            (
                DeploymentState::Started { at },
                format!("Installing {}.", update.version),
            )
        }
        "Scheduled" if room.missed_windows > 0 => (
            DeploymentState::Waiting,
            format!("No contact in the window of {night}; waits for the next one."),
        ),
        "Scheduled" if room.catch_up => (
            DeploymentState::Waiting,
            "Catch-up: joined the rollout after it had reached its ring.".to_owned(),
        ),
        "Scheduled" | "Paused" => (DeploymentState::Waiting, format!("Its night is {night}.")),
        "Deprecated" => {
            let why = Withdrawal::Deprecated;
            (
                DeploymentState::Withdrawn { at, why },
                "Withdrawn before its night.".to_owned(),
            )
        }
        "Not required" => return Ok(None),
        other => anyhow::bail!("the demo has a room with status {other:?}"),
    }))
}

fn failed(room: &RoomOutcome, at: DateTime<Utc>) -> (DeploymentState, String) {
    let error = room.error.as_ref();
    let (failure, reason) = if error.is_some_and(|error| error.code == "unreachable") {
        (Failure::Unreachable, "Unreachable: no contact in 2 windows.".to_owned())
    } else {
        let text = error.map_or("", |error| &error.text);
        (Failure::Reported, format!("The device reported: {text}"))
    };
    (DeploymentState::Failed { at, failure }, reason)
}

fn state(update: &UpdateEntry, scenario: &Scenario) -> Result<RolloutState> {
    let end = update
        .last_day_as_planned
        .and_then(|day| day.succ_opt())
        .map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    Ok(match update.status.as_str() {
        "Completed" | "Completed with failures" => RolloutState::Finished {
            at: end.context("a finished rollout's last day")?,
        },
        "Paused" => RolloutState::Paused {
            since: update.paused_at.context("a paused rollout's instant")?,
            by: "Update manager".to_owned(),
            reason: "Far end hears an echo after the update.".to_owned(),
            resumes_on: None,
        },
        "Deprecated" => match (update.recalled_at, update.superseded_at) {
            (Some(at), _) => RolloutState::Deprecated {
                at,
                reason: Reason::Written("Recalled by its vendor.".to_owned()),
            },
            (None, at) => {
                let newer = scenario
                    .updates
                    .iter()
                    .find(|newer| Some(&newer.id) == update.superseded_by.as_ref());
                let newer = newer.map_or_else(String::new, |newer| format!("{} {}", newer.title, newer.version));
                RolloutState::Deprecated {
                    at: at.context("a deprecated rollout's instant")?,
                    reason: Reason::Superseded { by: newer },
                }
            }
        },
        "In progress" | "Scheduled" | "Not required" => RolloutState::Running,
        other => anyhow::bail!("the demo has an update with status {other:?}"),
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + chars.as_str()
    })
}
