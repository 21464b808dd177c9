//! The printed timeline of a scenario: what happened, then where every rollout and room stands.
//!
//! It prints what facts and statuses say, and decides nothing. Start with `Script::print`.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::Script;
use crate::deployment::Deployment;
use crate::event::Subject;
use crate::rollout::{PlannedStage, Rollout, days};
use crate::room::Room;
use crate::status::{self, RoomStatus};
use crate::ticket::TicketStatus;
use crate::time_text;
use crate::update::Update;

impl Script {
    /// The printed timeline.
    pub(super) fn print(&self) -> String {
        let mut out = String::new();
        let organisation = self.organisation_zone();
        let rooms = self.sim.fleet.rooms.values();
        let widest = rooms
            .map(|room| room.zone.city().chars().count())
            .chain([organisation.city().chars().count()])
            .max()
            .unwrap_or(0);
        for entry in &self.sim.log {
            let (zone, about) = match entry.subject {
                None => (&organisation, String::new()),
                Some(Subject::Rollout(update)) => (&organisation, format!("{}: ", self.title(update))),
                Some(Subject::Room(room, update)) => {
                    let zone = self.sim.fleet.rooms.get(&room).map_or(&organisation, |room| &room.zone);
                    (zone, format!("{}, {}: ", self.room_name(room), self.title(update)))
                }
            };
            let wall = zone.local(entry.at).wall.format("%a %Y-%m-%d %H:%M:%S");
            // Formatting into a string cannot fail.
            let _ = writeln!(out, "{wall} {:widest$}  {about}{}", zone.city(), entry.text);
        }
        let now = organisation.local(self.sim.now).wall.format("%a %Y-%m-%d %H:%M:%S");
        let _ = writeln!(out, "{now} {:widest$}  The end.", organisation.city());
        for (update, rollout) in &self.sim.fleet.rollouts {
            if let Some(update) = self.sim.fleet.updates.get(update) {
                self.print_rollout(&mut out, update, rollout);
            }
        }
        self.print_tickets(&mut out);
        self.print_findings(&mut out);
        out
    }

    fn print_rollout(&self, out: &mut String, update: &Update, rollout: &Rollout) {
        let fleet = &self.sim.fleet;
        let zone = &fleet.organisation.zone;
        let status = status::update(rollout, fleet.applies_to_a_room(update, self.sim.now));
        let superseded = if rollout.is_being_superseded() {
            ", being superseded"
        } else {
            ""
        };
        let _ = writeln!(out, "\n{}: {}{superseded}", update.title(), status.label());
        let calendar = rollout.calendar_at(&fleet.rings, &fleet.freezes, zone, self.sim.now);
        let width = calendar
            .iter()
            .map(|stage| stage.name.chars().count())
            .max()
            .unwrap_or(0);
        for stage in &calendar {
            let ring = status::ring(rollout, stage, rollout.status_date(zone, self.sim.now)).label();
            let counts = rollout.counts_of(stage.ring);
            let (done, failed, waiting) = status::done_failed_waiting(counts);
            let others = [(counts.deprecated, "deprecated"), (counts.catch_up, "catch-up")];
            let others: String = others
                .iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, what)| format!(", {number} {what}"))
                .collect();
            let _ = writeln!(
                out,
                "  {:width$}  {}  {ring}: {done} done, {failed} failed, {waiting} waiting{others}",
                stage.name,
                dates(stage)
            );
        }
        let width = fleet
            .rooms
            .values()
            .map(|room| room.name.chars().count())
            .max()
            .unwrap_or(0);
        for room in fleet.rooms.values() {
            let (status, reason) = self.room_status(update, rollout, room, &calendar);
            let deployment = fleet
                .deployment_of(room.id, update.id)
                .filter(|_| status != RoomStatus::NotRequired);
            let labels = deployment.map_or_else(String::new, labels);
            let _ = writeln!(out, "  {:width$}  {}{labels}: {reason}", room.name, status.label());
        }
    }

    fn room_status(
        &self,
        update: &Update,
        rollout: &Rollout,
        room: &Room,
        calendar: &[PlannedStage],
    ) -> (RoomStatus, String) {
        let deployment = self.sim.fleet.deployment_of(room.id, update.id);
        let status = deployment.map_or(RoomStatus::NotRequired, |deployment| {
            status::room(deployment.progress(), &rollout.state)
        });
        match deployment {
            Some(deployment) if status != RoomStatus::NotRequired => (status, deployment.reason.sentence()),
            Some(_) | None => {
                let today = room.zone.date(self.sim.now);
                let why = status::not_required(rollout, update, room, calendar, today);
                let year = chrono::Datelike::year(&today);
                (
                    RoomStatus::NotRequired,
                    why.sentence(&update.product_name, |date| time_text::date(date, year)),
                )
            }
        }
    }

    fn print_tickets(&self, out: &mut String) {
        let open = self
            .sim
            .fleet
            .tickets
            .values()
            .filter(|ticket| ticket.state != TicketStatus::Resolved);
        let lines: Vec<String> = open
            .map(|ticket| {
                format!(
                    "  {}, {}: {}\n",
                    self.room_name(ticket.room),
                    self.title(ticket.update),
                    ticket.failures.join(" ")
                )
            })
            .collect();
        let _ = writeln!(out, "\nOpen tickets: {}", lines.len());
        out.push_str(&lines.concat());
    }

    fn print_findings(&self, out: &mut String) {
        out.push('\n');
        for finding in &self.sim.findings {
            let _ = writeln!(out, "{finding}");
        }
        if self.sim.findings.is_empty() {
            out.push_str(if self.sim.is_at_rest() {
                "plan again: nothing to do\n"
            } else {
                "plan again: there is more to do\n"
            });
        }
    }
}

fn dates(stage: &PlannedStage) -> String {
    let last = |ends: NaiveDate| ends - days(1);
    let test = if stage.test_ends > stage.rollout_ends {
        format!(", test to {}", last(stage.test_ends))
    } else {
        String::new()
    };
    format!("{} to {}{test}", stage.starts_on, last(stage.rollout_ends))
}

fn labels(deployment: &Deployment) -> String {
    let mut labels = Vec::new();
    if deployment.is_catch_up() {
        labels.push("catch-up".to_owned());
    }
    if deployment.is_forced() {
        labels.push("forced".to_owned());
    }
    if deployment.attempt > 1 {
        labels.push(format!("attempt {}", deployment.attempt));
    }
    if labels.is_empty() {
        String::new()
    } else {
        format!(" ({})", labels.join(", "))
    }
}
