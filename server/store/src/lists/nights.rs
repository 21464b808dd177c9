//! The nights of an update's rooms, for its timeline (P3), and the rooms that wait for tonight (P1).

use chrono::NaiveDate;
use domain::deployment::Progress;
use domain::ids::{RingId, RoomId, SiteId, StageOf, UpdateId};
use domain::zone::Zone;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{stage_of, word, zone_of};
use crate::rules_in_sql::is_scheduled;
use crate::tx::{Tx, each};

/// Rooms that wait for the same night and whose windows are the same: in one zone, under the same freezes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRooms {
    pub site: SiteId,
    pub site_name: String,
    pub zone: Zone,
    pub ring: RingId,
    /// A room with freezes of its own stands alone.
    pub own: Option<RoomId>,
    pub night: NaiveDate,
    /// How many they are.
    pub rooms: i64,
}

impl Tx {
    /// Deployments of an update by ring, night and progress, catch-ups aside: (ring, night, progress, rooms). The night is the one that its
    /// ring's entry fixed, where it did.
    pub async fn rooms_by_night(&mut self, update: UpdateId) -> Result<Vec<(StageOf, NaiveDate, Progress, i64)>> {
        const SQL: &str = "SELECT ring_id, COALESCE(planned_night, night) AS planned, progress, COUNT(*)
            FROM deployments
            WHERE update_id = $1 AND NOT catch_up AND progress <> 'not_required'
            GROUP BY ring_id, COALESCE(planned_night, night), progress
            ORDER BY ring_id, COALESCE(planned_night, night), progress";
        let rows: Vec<(Uuid, NaiveDate, String, i64)> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(ring, night, progress, rooms)| {
                let progress = word("deployments", "by night", &progress, Progress::from_word)?;
                Ok((stage_of(ring), night, progress, rooms))
            })
            .collect()
    }

    /// Rooms of an update that wait for a night until `until`, as in [`Tx::rooms_by_night`]: (ring, night as planned,
    /// rooms with the night as it is). What is forced waits for none (K5).
    ///
    /// # Errors
    /// A zone is none.
    pub async fn waiting_rooms_of(
        &mut self,
        update: UpdateId,
        until: NaiveDate,
    ) -> Result<Vec<(StageOf, NaiveDate, WaitingRooms)>> {
        const SQL: &str = "SELECT site_id, site, zone, ring_id, own, night, COUNT(*), stage, planned
            FROM (SELECT r.site_id, s.name AS site, r.zone, r.ring_id, d.night, d.ring_id AS stage,
                    COALESCE(d.planned_night, d.night) AS planned,
                    CASE WHEN EXISTS (SELECT 1 FROM freezes f WHERE f.room_id = r.id) THEN r.id END AS own
                FROM deployments d
                JOIN rooms r ON r.id = d.room_id
                JOIN sites s ON s.id = r.site_id
                WHERE d.update_id = $1 AND d.progress = 'not_started' AND NOT d.catch_up AND d.force IS NULL AND d.night <= $2) AS x
            GROUP BY site_id, site, zone, ring_id, own, night, stage, planned
            ORDER BY stage, planned, site, night, zone, ring_id, own";
        type Row = (
            Uuid,
            String,
            String,
            Uuid,
            Option<Uuid>,
            NaiveDate,
            i64,
            Uuid,
            NaiveDate,
        );
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(until).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(site, name, zone, ring, own, night, rooms, stage, planned)| {
                let waiting = waiting_rooms((site, name, zone, ring, own, night, rooms))?;
                Ok((stage_of(stage), planned, waiting))
            })
            .collect()
    }

    /// Rooms that wait for a night until `until`, each with the first one and once. What is forced waits for none (K5),
    /// what is paused for nothing.
    ///
    /// # Errors
    /// A zone is none.
    pub async fn waiting_rooms(&mut self, until: NaiveDate) -> Result<Vec<WaitingRooms>> {
        const SQL: &str = concat!(
            "SELECT site_id, site, zone, ring_id, own, night, COUNT(*)
            FROM (SELECT r.site_id, s.name AS site, r.zone, r.ring_id, w.night,
                    CASE WHEN EXISTS (SELECT 1 FROM freezes f WHERE f.room_id = r.id) THEN r.id END AS own
                FROM (SELECT d.room_id, MIN(d.night) AS night
                    FROM deployments d
                    JOIN rollouts o ON o.update_id = d.update_id
                    WHERE d.next_at IS NOT NULL AND d.night <= $1 AND d.force IS NULL AND ",
            is_scheduled!(),
            "
                    GROUP BY d.room_id) AS w
                JOIN rooms r ON r.id = w.room_id
                JOIN sites s ON s.id = r.site_id) AS x
            GROUP BY site_id, site, zone, ring_id, own, night
            ORDER BY site, night, zone, ring_id, own"
        );
        let rows: Vec<WaitingRow> = each!(self, c => sqlx::query_as(SQL).bind(until).fetch_all(c).await)?;
        rows.into_iter().map(waiting_rooms).collect()
    }
}

type WaitingRow = (Uuid, String, String, Uuid, Option<Uuid>, NaiveDate, i64);

fn waiting_rooms(row: WaitingRow) -> Result<WaitingRooms> {
    let (site, site_name, zone, ring, own, night, rooms) = row;
    Ok(WaitingRooms {
        site: SiteId(site),
        site_name,
        zone: zone_of("rooms of site", site, &zone)?,
        ring: RingId(ring),
        own: own.map(RoomId),
        night,
        rooms,
    })
}
