//! Versions that changed in a room and that Nightshift did not bring (I5): noted with the room, and added to its open tickets.
//!
//! Whether a change is one of them is the domain's to say ([`VersionChange::is_external`]). Start with
//! [`Tx::external_changes_of`].

use chrono::{DateTime, Utc};
use domain::conversation::inventory::VersionChange;
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::ticket::OPENED_BY_RULE;

use crate::error::Result;
use crate::rows::{instant, micros};
use crate::tx::{Tx, each};

/// So many are kept of a device, the newest: one that tells another version with every report must not fill the disk.
const MOST_OF_DEVICE: i64 = 100;
/// A ticket takes no more notes of this kind once it has so many events.
const MOST_TICKET_EVENTS: i64 = 500;

/// A version that changed in a room, and that Nightshift did not bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalChangeRecord {
    pub at: DateTime<Utc>,
    /// What the device calls itself.
    pub device: String,
    /// The product's name.
    pub product_name: String,
    pub change: VersionChange,
}

impl Tx {
    /// Writes those of a device's changes that Nightshift did not bring.
    pub(crate) async fn note_external_changes(
        &mut self,
        room: RoomId,
        device: DeviceId,
        changes: &[VersionChange],
        at: DateTime<Utc>,
    ) -> Result<()> {
        for change in changes {
            let given = self.given_last(device, &change.product).await?;
            if change.is_external(given.as_deref()) {
                self.note_external_change(room, device, change, at).await?;
            }
        }
        Ok(())
    }

    /// The version of a product that Nightshift has given a device last, if the device may have taken it.
    async fn given_last(&mut self, device: DeviceId, product: &ProductId) -> Result<Option<String>> {
        const SQL: &str = "SELECT u.version FROM installs i JOIN updates u ON u.id = i.update_id
            WHERE i.device_id = $1 AND u.product_id = $2 AND i.state NOT IN ('withdrawn', 'canceled')
            ORDER BY i.action_id DESC LIMIT 1";
        let version =
            each!(self, c => sqlx::query_scalar(SQL).bind(device.0).bind(&product.0).fetch_optional(c).await)?;
        Ok(version)
    }

    async fn note_external_change(
        &mut self,
        room: RoomId,
        device: DeviceId,
        change: &VersionChange,
        at: DateTime<Utc>,
    ) -> Result<()> {
        const NOTE: &str =
            "INSERT INTO external_changes (room_id, device_id, product_id, at, version_before, version_after)
            VALUES ($1, $2, $3, $4, $5, $6)";
        const PRUNE: &str = "DELETE FROM external_changes WHERE device_id = $1 AND id <= (
            SELECT x.id FROM external_changes x WHERE x.device_id = $1 ORDER BY x.id DESC LIMIT 1 OFFSET $2)";
        const TICKETS: &str = "INSERT INTO ticket_events (ticket_id, at, actor, text)
            SELECT t.id, $2, $3, $4 FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
            WHERE tr.room_id = $1 AND t.state <> 'resolved'
                AND (SELECT COUNT(*) FROM ticket_events e WHERE e.ticket_id = t.id) < $5";
        const NAME: &str = "SELECT name FROM products WHERE id = $1";
        each!(self, c => sqlx::query(NOTE)
            .bind(room.0)
            .bind(device.0)
            .bind(&change.product.0)
            .bind(micros(at))
            .bind(&change.before)
            .bind(&change.after)
            .execute(c)
            .await
            .map(drop))?;
        each!(self, c => sqlx::query(PRUNE).bind(device.0).bind(MOST_OF_DEVICE).execute(c).await.map(drop))?;
        let name: Option<String> =
            each!(self, c => sqlx::query_scalar(NAME).bind(&change.product.0).fetch_optional(c).await)?;
        let text = change.sentence(name.as_deref().unwrap_or(&change.product.0));
        each!(self, c => sqlx::query(TICKETS)
            .bind(room.0)
            .bind(micros(at))
            .bind(OPENED_BY_RULE)
            .bind(&text)
            .bind(MOST_TICKET_EVENTS)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The last external changes of a room, the newest first.
    pub async fn external_changes_of(&mut self, room: RoomId, limit: i64) -> Result<Vec<ExternalChangeRecord>> {
        type Row = (i64, i64, String, String, String, String, Option<String>);
        const SQL: &str = "SELECT x.id, x.at, d.controller_id, p.name, p.id, x.version_before, x.version_after
            FROM external_changes x JOIN devices d ON d.id = x.device_id JOIN products p ON p.id = x.product_id
            WHERE x.room_id = $1 ORDER BY x.id DESC LIMIT $2";
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(room.0).bind(limit).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, at, device, product_name, product, before, after)| {
                Ok(ExternalChangeRecord {
                    at: instant("external_changes", id, at)?,
                    device,
                    product_name,
                    change: VersionChange {
                        product: ProductId(product),
                        before,
                        after,
                    },
                })
            })
            .collect()
    }
}
