//! The rooms by what their health follows from (I4).

use chrono::{DateTime, Utc};
use domain::room::{HealthImpact, RoomState};

use crate::error::Result;
use crate::rows::{micros, word};
use crate::tx::{Tx, each};

impl Tx {
    /// Rooms by what their health follows from at `now` (I4): (state, how tickets trouble them, whether a device was in
    /// contact after `contact_after`, rooms).
    pub async fn rooms_by_health_facts(
        &mut self,
        now: DateTime<Utc>,
        contact_after: DateTime<Utc>,
    ) -> Result<Vec<(RoomState, HealthImpact, bool, i64)>> {
        const SQL: &str = "SELECT state, open, suppressed, in_contact, COUNT(*)
            FROM (SELECT r.state,
                    r.id IN (SELECT tr.room_id
                        FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
                        WHERE t.state IN ('needs_action', 'investigating') AND t.troubles
                            AND (t.suppressed_until IS NULL OR t.suppressed_until <= $2)) AS open,
                    r.id IN (SELECT tr.room_id
                        FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
                        WHERE t.state IN ('needs_action', 'investigating') AND t.troubles AND t.suppressed_until > $2) AS suppressed,
                    EXISTS (SELECT 1
                        FROM devices d
                        WHERE d.room_id = r.id AND d.revoked_at IS NULL AND d.last_seen_at > $1) AS in_contact
                FROM rooms r
                WHERE r.state <> 'retired') AS x
            GROUP BY state, open, suppressed, in_contact
            ORDER BY state, open, suppressed, in_contact";
        let rows: Vec<(String, bool, bool, bool, i64)> =
            each!(self, c => sqlx::query_as(SQL).bind(micros(contact_after)).bind(micros(now)).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(state, open, suppressed, in_contact, rooms)| {
                let state = word("rooms", "by condition", &state, RoomState::from_word)?;
                let impact = HealthImpact::of(open.into(), suppressed.into());
                Ok((state, impact, in_contact, rooms))
            })
            .collect()
    }
}
