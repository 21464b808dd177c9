//! Counts and copies that the database keeps for the lists, compared with the rows that they are made of.

use uuid::Uuid;

use crate::error::Result;
use crate::tx::{Tx, each};

impl Tx {
    /// Counts and copies that are kept and are not those of the rows, in words: `nightshift check` finds none.
    pub async fn wrong_counts(&mut self) -> Result<Vec<String>> {
        const ROOMS: &str = "SELECT k.ring_id, k.site_id, k.state, CAST(SUM(k.kept) AS BIGINT), CAST(SUM(k.found) AS BIGINT)
            FROM (SELECT ring_id, site_id, state, rooms AS kept, 0 AS found FROM room_counts
                UNION ALL SELECT ring_id, site_id, state, 0 AS kept, COUNT(*) AS found FROM rooms GROUP BY ring_id, site_id, state) AS k
            GROUP BY k.ring_id, k.site_id, k.state HAVING SUM(k.kept) <> SUM(k.found) ORDER BY k.ring_id, k.site_id, k.state";
        const TICKETS: &str = "SELECT k.state, k.severity, CAST(SUM(k.kept) AS BIGINT), CAST(SUM(k.found) AS BIGINT)
            FROM (SELECT state, severity, tickets AS kept, 0 AS found FROM ticket_counts
                UNION ALL SELECT state, severity, 0 AS kept, COUNT(*) AS found FROM tickets GROUP BY state, severity) AS k
            GROUP BY k.state, k.severity HAVING SUM(k.kept) <> SUM(k.found) ORDER BY k.state, k.severity";
        const UNHEALTHY_COUNTS: &str = "SELECT r.name, CAST(SUM(k.kept) AS BIGINT), CAST(SUM(k.found) AS BIGINT)
            FROM (SELECT room_id, tickets AS kept, 0 AS found FROM room_troubles
                UNION ALL SELECT tr.room_id, 0 AS kept, COUNT(*) AS found
                FROM tickets t JOIN ticket_rooms tr ON tr.ticket_id = t.id WHERE t.troubles GROUP BY tr.room_id) AS k
            JOIN rooms r ON r.id = k.room_id
            GROUP BY r.id, r.name HAVING SUM(k.kept) <> SUM(k.found) ORDER BY r.id";
        const CHECKS: &str = "SELECT k.check_name, k.result, CAST(SUM(k.kept) AS BIGINT), CAST(SUM(k.found) AS BIGINT)
            FROM (SELECT check_name, result, rooms AS kept, 0 AS found FROM check_counts
                UNION ALL SELECT check_name, result, 0 AS kept, COUNT(*) AS found FROM checks GROUP BY check_name, result) AS k
            GROUP BY k.check_name, k.result HAVING SUM(k.kept) <> SUM(k.found) ORDER BY k.check_name, k.result";
        const SOFTWARE: &str = "SELECT k.name_key, CAST(SUM(k.kept) AS BIGINT), CAST(SUM(k.found) AS BIGINT)
            FROM (SELECT name_key, rooms AS kept, 0 AS found FROM unreviewed_counts
                UNION ALL SELECT name_key, 0 AS kept, COUNT(*) AS found FROM unreviewed_software GROUP BY name_key) AS k
            GROUP BY k.name_key HAVING SUM(k.kept) <> SUM(k.found) ORDER BY k.name_key";
        let software: Vec<(String, i64, i64)> = each!(self, c => sqlx::query_as(SOFTWARE).fetch_all(c).await)?;
        let software = software.into_iter().map(|(name, kept, found)| {
            format!("{kept} rooms with the software {name:?} are counted, and there are {found}")
        });
        let checks: Vec<(String, String, i64, i64)> = each!(self, c => sqlx::query_as(CHECKS).fetch_all(c).await)?;
        let checks = checks.into_iter().map(|(check, result, kept, found)| {
            format!("{kept} rooms whose check {check} is {result} are counted, and there are {found}")
        });
        let rooms: Vec<(Uuid, Uuid, String, i64, i64)> = each!(self, c => sqlx::query_as(ROOMS).fetch_all(c).await)?;
        let tickets: Vec<(String, String, i64, i64)> = each!(self, c => sqlx::query_as(TICKETS).fetch_all(c).await)?;
        let unhealthy: Vec<(String, i64, i64)> = each!(self, c => sqlx::query_as(UNHEALTHY_COUNTS).fetch_all(c).await)?;
        let rooms = rooms.into_iter().map(|(ring, site, state, kept, found)| {
            format!("{kept} {state} rooms of ring {ring} at site {site} are counted, and there are {found}")
        });
        let tickets = tickets.into_iter().map(|(state, severity, kept, found)| {
            format!("{kept} {severity} tickets that are {state} are counted, and there are {found}")
        });
        let unhealthy = unhealthy.into_iter().map(|(room, kept, found)| {
            format!("{kept} tickets that make {room:?} unhealthy are counted, and there are {found}")
        });
        Ok(rooms
            .chain(tickets)
            .chain(unhealthy)
            .chain(checks)
            .chain(software)
            .chain(self.wrong_keys().await?)
            .collect())
    }

    /// Copies of rooms' keys that are not those of their rooms.
    async fn wrong_keys(&mut self) -> Result<Vec<String>> {
        const KEYS: &str = "SELECT r.name, r.name_key, k.room_key, k.what
            FROM (SELECT room_id, room_key, 'deployments' AS what FROM deployments
                UNION ALL SELECT room_id, room_key, 'tickets' AS what FROM room_troubles
                UNION ALL SELECT room_id, room_key, 'checks' AS what FROM checks
                UNION ALL SELECT room_id, room_key, 'software' AS what FROM unreviewed_software
                UNION ALL SELECT d.room_id, COALESCE(CASE WHEN c.room_id = d.room_id THEN c.room_key END, ''), 'components' AS what
                    FROM components c JOIN devices d ON d.id = c.device_id WHERE d.revoked_at IS NULL) AS k
            JOIN rooms r ON r.id = k.room_id
            WHERE r.name_key <> k.room_key ORDER BY r.id, k.what";
        const REVOKED: &str = "SELECT d.controller_id FROM components c JOIN devices d ON d.id = c.device_id
            WHERE d.revoked_at IS NOT NULL AND c.room_key IS NOT NULL GROUP BY d.controller_id ORDER BY d.controller_id";
        let keys: Vec<(String, String, String, String)> = each!(self, c => sqlx::query_as(KEYS).fetch_all(c).await)?;
        let revoked: Vec<String> = each!(self, c => sqlx::query_scalar(REVOKED).fetch_all(c).await)?;
        let revoked = revoked.into_iter();
        let revoked =
            revoked.map(|device| format!("the components of {device:?} stand in lists of rooms, and it is revoked"));
        let keys = keys.into_iter().map(|(room, key, kept, what)| {
            format!("the {what} of {room:?} stand in lists as {kept:?}, and the room as {key:?}")
        });
        Ok(keys.chain(revoked).collect())
    }
}
