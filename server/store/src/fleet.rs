//! All facts at once, for `nightshift check` and the tests that compare the store with the simulator. Not for the service.

use domain::fleet::{Fleet, RoomChecks};
use domain::ids::{RoomId, UpdateId};
use domain::ticket::{CauseTicket, FailureTicket, TicketCause, TicketSeverity, TicketStatus};
use uuid::Uuid;

use crate::deployments::{DEPLOYMENT_COLUMNS, DeploymentRow};
use crate::error::{Result, StoreError};
use crate::installs::{INSTALL_COLUMNS, InstallRow};
use crate::rows::{instant, small, word};
use crate::tx::{Tx, each};

impl Tx {
    /// Every fact in the database. Its cost is the size of the fleet.
    pub async fn fleet(&mut self) -> Result<Fleet> {
        const ROOMS: &str = "SELECT id FROM rooms ORDER BY id";
        const ACKNOWLEDGED: &str =
            "SELECT update_id FROM rollouts WHERE acknowledged_at IS NOT NULL ORDER BY update_id";
        const RECALLED: &str = "SELECT id FROM updates WHERE recalled ORDER BY id";
        const RECHECKS: &str = "SELECT DISTINCT room_id, due_at FROM marks ORDER BY due_at, room_id";
        const PLACEMENTS: &str = "SELECT update_id, position, room_id FROM placements ORDER BY update_id, position";
        let organisation = self.organisation().await?;
        let organisation = organisation.ok_or_else(|| StoreError::row("organisation", 1, "is missing"))?;
        let rings = self.rings().await?;
        let mut fleet = Fleet::new(organisation, rings);
        let ids = self.all_rollouts().await?;
        for batch in ids.chunks(200) {
            fleet.updates.extend(self.updates(batch).await?);
            fleet.rollouts.extend(self.rollouts(batch).await?);
        }
        let steps = self.steps_to(&fleet.updates).await?;
        fleet.updates.extend(self.updates(&steps).await?);
        fleet.freezes = self.freezes().await?;
        let acknowledged: Vec<Uuid> = each!(self, c => sqlx::query_scalar(ACKNOWLEDGED).fetch_all(c).await)?;
        fleet.acknowledged = acknowledged.into_iter().map(UpdateId).collect();
        let recalled: Vec<Uuid> = each!(self, c => sqlx::query_scalar(RECALLED).fetch_all(c).await)?;
        fleet.recalled = recalled.into_iter().map(UpdateId).collect();
        let rooms: Vec<Uuid> = each!(self, c => sqlx::query_scalar(ROOMS).fetch_all(c).await)?;
        let rooms: Vec<RoomId> = rooms.into_iter().map(RoomId).collect();
        fleet.rooms = self
            .rooms(&rooms)
            .await?
            .into_iter()
            .map(|room| (room.id, room))
            .collect();
        self.add_deployments(&mut fleet).await?;
        for ticket in self.failure_tickets().await? {
            fleet.tickets.insert((ticket.room, ticket.update), ticket);
        }
        self.add_halt_tickets(&mut fleet).await?;
        self.add_checks(&mut fleet).await?;
        let placements: Vec<(Uuid, i64, Uuid)> = each!(self, c => sqlx::query_as(PLACEMENTS).fetch_all(c).await)?;
        for (update, position, room) in placements {
            let position = small("placements", update, position)?;
            fleet.placements.insert((UpdateId(update), position), RoomId(room));
        }
        let rechecks: Vec<(Uuid, i64)> = each!(self, c => sqlx::query_as(RECHECKS).fetch_all(c).await)?;
        for (room, due_at) in rechecks {
            if due_at == 0 {
                fleet.rechecks.insert(RoomId(room));
            } else {
                fleet
                    .rechecks_at
                    .insert((instant("marks", room, due_at)?, RoomId(room)));
            }
        }
        Ok(fleet)
    }

    async fn add_deployments(&mut self, fleet: &mut Fleet) -> Result<()> {
        let rows: Vec<DeploymentRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(DEPLOYMENT_COLUMNS).push(" FROM deployments ORDER BY id");
            query.build_query_as().fetch_all(c).await
        })?;
        for row in rows {
            let deployment = row.into_domain()?;
            fleet.deployments.insert(deployment.id, deployment);
        }
        let rows: Vec<InstallRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(INSTALL_COLUMNS).push(" FROM installs ORDER BY action_id");
            query.build_query_as().fetch_all(c).await
        })?;
        for row in rows {
            let install = row.into_domain()?;
            fleet.installs.insert(install.action, install);
        }
        Ok(())
    }

    async fn add_halt_tickets(&mut self, fleet: &mut Fleet) -> Result<()> {
        const SQL: &str =
            "SELECT halted_update_id, state FROM tickets WHERE halted_update_id IS NOT NULL ORDER BY number";
        let tickets: Vec<(Uuid, String)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        for (update, state) in tickets {
            let state = word("tickets", update, &state, TicketStatus::from_word)?;
            fleet.halt_tickets.insert(UpdateId(update), state);
        }
        Ok(())
    }

    /// Checks that were made, what people have decided about them, and tickets of causes.
    async fn add_checks(&mut self, fleet: &mut Fleet) -> Result<()> {
        const ROOMS: &str = "SELECT id, confirmed_at, check_at FROM rooms r WHERE state <> 'retired' AND (confirmed_at IS NOT NULL
                OR EXISTS (SELECT 1 FROM checks c WHERE c.room_id = r.id) OR EXISTS (SELECT 1 FROM waivers w WHERE w.room_id = r.id))
            ORDER BY id";
        const TICKETS: &str =
            "SELECT cause_room_id, cause, severity, state FROM tickets WHERE cause IS NOT NULL ORDER BY number";
        let rooms: Vec<(Uuid, Option<i64>, i64)> = each!(self, c => sqlx::query_as(ROOMS).fetch_all(c).await)?;
        for batch in rooms.chunks(500) {
            let ids: Vec<RoomId> = batch.iter().map(|(id, ..)| RoomId(*id)).collect();
            let mut results = self.check_results(&ids).await?;
            let mut waivers = self.waivers_of(&ids).await?;
            let mut unreviewed = self.unreviewed_in(&ids).await?;
            for (id, confirmed_at, check_at) in batch {
                let results = results.remove(id).unwrap_or_default();
                let checks = RoomChecks {
                    results: results
                        .into_iter()
                        .map(|(check, (result, _))| (check, result))
                        .collect(),
                    waivers: waivers.remove(id).unwrap_or_default(),
                    unreviewed: unreviewed.remove(id).unwrap_or_default(),
                    is_confirmed: confirmed_at.is_some(),
                    next_at: Some(instant("rooms", id, *check_at)?),
                };
                fleet.checks.insert(RoomId(*id), checks);
            }
        }
        let reviewed = self.reviewed_software().await?;
        fleet.reviewed = reviewed.into_iter().map(|reviewed| reviewed.name).collect();
        let tickets: Vec<(Option<Uuid>, String, String, String)> =
            each!(self, c => sqlx::query_as(TICKETS).fetch_all(c).await)?;
        for (room, cause, severity, state) in tickets {
            let missing = || StoreError::row("tickets", &cause, "its room is missing");
            let room = RoomId(room.ok_or_else(missing)?);
            let ticket = CauseTicket {
                severity: word("tickets", &cause, &severity, TicketSeverity::from_word)?,
                state: word("tickets", &cause, &state, TicketStatus::from_word)?,
            };
            let known = word("tickets", &cause, &cause, TicketCause::from_word)?;
            fleet.cause_tickets.insert((room, known), ticket);
        }
        Ok(())
    }

    async fn failure_tickets(&mut self) -> Result<Vec<FailureTicket>> {
        const SQL: &str = "SELECT id, failure_room_id, update_id, state FROM tickets
            WHERE failure_room_id IS NOT NULL AND update_id IS NOT NULL ORDER BY number";
        let rows: Vec<(Uuid, Uuid, Uuid, String)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, room, update, state)| {
                let state = word("tickets", id, &state, TicketStatus::from_word)?;
                Ok(FailureTicket {
                    room: RoomId(room),
                    update: UpdateId(update),
                    state,
                    failures: Vec::new(),
                })
            })
            .collect()
    }
}
