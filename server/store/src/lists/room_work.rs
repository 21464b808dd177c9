//! What is going on in the rooms of a page: deployments, devices, tickets.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::deployment::{Force, Progress};
use domain::ids::RoomId;
use domain::status::{self, RoomStatus};
use uuid::Uuid;

use crate::error::Result;
use crate::rollouts::RolloutStateRow;
use crate::rows::{ids_in, micros, opt_instant, word};
use crate::tx::{Tx, each};

/// What is going on in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomWork {
    /// Deployments that wait, of updates that are not paused.
    pub scheduled: i64,
    /// Deployments that wait until their update is resumed (T1).
    pub paused: i64,
    /// Deployments that run.
    pub running: i64,
    /// Deployments that failed, of updates that are not deprecated.
    pub failed: i64,
    /// The nights of the scheduled ones, in order. A forced one waits for no night.
    pub nights: Vec<NaiveDate>,
    /// How the most urgent of the forced ones is forced (K5); `None`: none is.
    pub force: Option<Force>,
    pub devices: i64,
    pub models: Vec<String>,
    /// When those that ever were in contact were so last.
    pub contacts: Vec<DateTime<Utc>>,
    /// Open tickets that make the room unhealthy (I4).
    pub unhealthy: i64,
    /// Open tickets that would, if they were not suppressed (I3).
    pub suppressed: i64,
    pub open_tickets: i64,
}

#[derive(sqlx::FromRow)]
struct DeploymentWorkRow {
    room_id: Uuid,
    progress: String,
    night: NaiveDate,
    force: Option<String>,
    #[sqlx(flatten)]
    rollout: RolloutStateRow,
}

impl Tx {
    /// What is going on in these rooms at `now`.
    pub async fn work_in(&mut self, rooms: &[RoomId], now: DateTime<Utc>) -> Result<BTreeMap<RoomId, RoomWork>> {
        let mut work: BTreeMap<RoomId, RoomWork> = rooms.iter().map(|room| (*room, RoomWork::default())).collect();
        if !rooms.is_empty() {
            self.add_deployments_to(&mut work, rooms).await?;
            self.add_devices_to(&mut work, rooms).await?;
            self.add_tickets_to(&mut work, rooms, now).await?;
        }
        Ok(work)
    }

    async fn add_deployments_to(&mut self, work: &mut BTreeMap<RoomId, RoomWork>, rooms: &[RoomId]) -> Result<()> {
        let rows: Vec<DeploymentWorkRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, d.progress, d.night, d.force, r.update_id, r.state, r.state_since, r.state_by, r.state_reason, r.resumes_on,
                    r.state_reason_facts
                FROM deployments d JOIN rollouts r ON r.update_id = d.update_id
                WHERE (d.progress IN ('not_started', 'in_progress') OR (d.progress = 'failed' AND r.state <> 'deprecated')) AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY d.room_id, d.night");
            query.build_query_as().fetch_all(c).await
        })?;
        for row in rows {
            let room = row.room_id;
            let progress = word("deployments", room, &row.progress, Progress::from_word)?;
            let force = row.force.map(|how| word("deployments", room, &how, Force::from_word));
            let Some(work) = work.get_mut(&RoomId(room)) else {
                continue;
            };
            match status::room(progress, &row.rollout.into_domain()?) {
                RoomStatus::Failed => work.failed += 1,
                RoomStatus::InProgress => work.running += 1,
                RoomStatus::Paused => work.paused += 1,
                RoomStatus::Scheduled => {
                    work.scheduled += 1;
                    match force.transpose()? {
                        None => work.nights.push(row.night),
                        Some(Force::Now) => work.force = Some(Force::Now),
                        Some(Force::WhenAvailable) => work.force = work.force.or(Some(Force::WhenAvailable)),
                    }
                }
                RoomStatus::Completed | RoomStatus::Deprecated | RoomStatus::NotRequired => {}
            }
        }
        Ok(())
    }

    async fn add_devices_to(&mut self, work: &mut BTreeMap<RoomId, RoomWork>, rooms: &[RoomId]) -> Result<()> {
        let rows: Vec<(Uuid, String, Option<i64>)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, model, last_seen_at FROM devices WHERE revoked_at IS NULL AND room_id IN (");
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY room_id, position");
            query.build_query_as().fetch_all(c).await
        })?;
        for (room, model, last_seen_at) in rows {
            let Some(work) = work.get_mut(&RoomId(room)) else {
                continue;
            };
            work.devices += 1;
            work.models.push(model);
            work.contacts.extend(opt_instant("devices", room, last_seen_at)?);
        }
        Ok(())
    }

    async fn add_tickets_to(
        &mut self,
        work: &mut BTreeMap<RoomId, RoomWork>,
        rooms: &[RoomId],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let rows: Vec<(Uuid, i64, i64, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT tr.room_id, COUNT(*), SUM(CASE WHEN t.troubles THEN 1 ELSE 0 END),
                    SUM(CASE WHEN t.troubles AND t.suppressed_until > ",
            );
            query.push_bind(micros(now));
            query.push(
                " THEN 1 ELSE 0 END)
                FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
                WHERE t.state IN ('needs_action', 'investigating') AND tr.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" GROUP BY tr.room_id ORDER BY tr.room_id");
            query.build_query_as().fetch_all(c).await
        })?;
        for (room, open, troubling, suppressed) in rows {
            if let Some(work) = work.get_mut(&RoomId(room)) {
                work.open_tickets = open;
                work.unhealthy = troubling - suppressed;
                work.suppressed = suppressed;
            }
        }
        Ok(())
    }
}
