//! The devices of a room, and those of the whole estate for the command line.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::update::ProductKind;
use sqlx::types::Json;
use uuid::Uuid;

use crate::devices::told_at_of;
use crate::error::Result;
use crate::rows::{opt_instant, word};
use crate::tx::{Tx, each};

/// A device on a room's page.
#[derive(Clone, Debug)]
pub struct DeviceDetail {
    /// Identity.
    pub id: DeviceId,
    /// What it calls itself.
    pub controller: String,
    /// bar, console …
    pub role: String,
    pub vendor: String,
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Last contact.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// What it has reported by now.
    pub attributes: BTreeMap<String, String>,
    /// When it told each of them; one that is missing was told before times were kept.
    pub told_at: BTreeMap<String, DateTime<Utc>>,
    pub components: Vec<ComponentDetail>,
}

/// A device in a list.
#[derive(Clone, Debug)]
pub struct DeviceLineRecord {
    /// What it calls itself.
    pub controller: String,
    /// Its room's name.
    pub room: String,
    pub model: String,
    /// `enrolled`, `not enrolled` or `revoked`.
    pub state: &'static str,
}

/// A product on a device.
#[derive(Clone, Debug)]
pub struct ComponentDetail {
    pub product: ProductId,
    /// The product's name.
    pub name: String,
    pub kind: ProductKind,
    /// Where it is known.
    pub version: Option<String>,
    /// Of the component; may be empty.
    pub serial: String,
}

/// A device with one of its components, or with none.
#[derive(sqlx::FromRow)]
struct DeviceRow {
    id: Uuid,
    controller_id: String,
    role: String,
    vendor: String,
    model: String,
    serial: String,
    last_seen_at: Option<i64>,
    attributes: Json<BTreeMap<String, String>>,
    told_at: Json<BTreeMap<String, i64>>,
    product_id: Option<String>,
    product_name: Option<String>,
    kind: Option<String>,
    version: Option<String>,
    component_serial: Option<String>,
}

impl DeviceRow {
    /// Takes the component out of the row.
    fn component(&mut self) -> Result<Option<ComponentDetail>> {
        let (Some(product), Some(name), Some(kind)) =
            (self.product_id.take(), self.product_name.take(), self.kind.take())
        else {
            return Ok(None);
        };
        let kind = word("products", &product, &kind, ProductKind::from_word)?;
        Ok(Some(ComponentDetail {
            product: ProductId(product),
            name,
            kind,
            version: self.version.take(),
            serial: self.component_serial.take().unwrap_or_default(),
        }))
    }

    fn into_detail(self) -> Result<DeviceDetail> {
        Ok(DeviceDetail {
            id: DeviceId(self.id),
            controller: self.controller_id,
            role: self.role,
            vendor: self.vendor,
            model: self.model,
            serial: self.serial,
            last_seen_at: opt_instant("devices", self.id, self.last_seen_at)?,
            attributes: self.attributes.0,
            told_at: told_at_of(self.id, self.told_at.0)?,
            components: Vec::new(),
        })
    }
}

impl Tx {
    /// A room's devices with their components.
    pub async fn device_details(&mut self, room: RoomId) -> Result<Vec<DeviceDetail>> {
        const SQL: &str = "SELECT d.id, d.controller_id, d.role, d.vendor, d.model, d.serial, d.last_seen_at, d.attributes, d.told_at,
                c.product_id, p.name AS product_name, p.kind, v.text AS version, c.serial AS component_serial
            FROM devices d
            LEFT JOIN components c ON c.device_id = d.id
            LEFT JOIN products p ON p.id = c.product_id
            LEFT JOIN versions v ON v.id = c.version_id
            WHERE d.room_id = $1 AND d.revoked_at IS NULL
            ORDER BY d.position, d.id, p.name";
        let rows: Vec<DeviceRow> = each!(self, c => sqlx::query_as(SQL).bind(room.0).fetch_all(c).await)?;
        let mut devices: Vec<DeviceDetail> = Vec::new();
        for mut row in rows {
            let component = row.component()?;
            if devices.last().is_none_or(|last| last.id.0 != row.id) {
                devices.push(row.into_detail()?);
            }
            if let Some(device) = devices.last_mut() {
                device.components.extend(component);
            }
        }
        Ok(devices)
    }

    /// Devices by what they call themselves, after one of them.
    pub async fn devices_after(&mut self, after: &str, limit: i64) -> Result<Vec<DeviceLineRecord>> {
        const SQL: &str = "SELECT d.controller_id, r.name, d.model, d.enrolled_at, d.revoked_at FROM devices d JOIN rooms r ON r.id = d.room_id
            WHERE d.controller_id > $1 ORDER BY d.controller_id LIMIT $2";
        type Row = (String, String, String, Option<i64>, Option<i64>);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(controller, room, model, enrolled, revoked)| {
                let state = match (enrolled, revoked) {
                    (_, Some(_)) => "revoked",
                    (Some(_), None) => "enrolled",
                    (None, None) => "not enrolled",
                };
                DeviceLineRecord {
                    controller,
                    room,
                    model,
                    state,
                }
            })
            .collect())
    }
}
