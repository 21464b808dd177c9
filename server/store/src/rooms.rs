//! Rooms, and what is in them: devices and their components. Start with [`Tx::rooms`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::clean::name_key;
use domain::ids::{DeviceId, ProductId, RingId, RoomId, SiteId, UpdateId};
use domain::room::{Component, Device, Room, RoomState, VersionSource};
use domain::zone::Zone;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{ids_in, micros, word, zone_of};
use crate::tx::{Tx, each};

/// Which ring a room is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRing {
    /// The room.
    pub id: RoomId,
    pub name: String,
    pub ring: RingId,
}

impl From<(Uuid, String, Uuid)> for RoomRing {
    fn from((id, name, ring): (Uuid, String, Uuid)) -> Self {
        Self {
            id: RoomId(id),
            name,
            ring: RingId(ring),
        }
    }
}

/// A room to add.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Identity.
    pub id: RoomId,
    /// Name, unique at its site without regard to case.
    pub name: String,
    /// Where.
    pub site: SiteId,
    pub building: String,
    /// Floor, as people call it.
    pub floor: String,
    /// Seats.
    pub capacity: u32,
    /// Its own zone or its site's.
    pub zone: Zone,
    /// Whether the zone is its own.
    pub zone_is_own: bool,
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
}

/// A room with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRecord {
    /// Identity.
    pub id: RoomId,
    pub name: String,
    pub site: SiteId,
    /// Site's name.
    pub site_name: String,
    pub building: String,
    pub floor: String,
    /// Seats.
    pub capacity: u32,
    pub zone: Zone,
    /// Whether the zone is its own, or its site's.
    pub zone_is_own: bool,
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
    /// Counts its changes by people.
    pub revision: i64,
}

/// A device to add.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Identity.
    pub id: DeviceId,
    /// What it calls itself on the wire: 1 to 64 of `A-Za-z0-9._-`.
    pub controller: String,
    pub room: RoomId,
    /// Its place among the room's devices.
    pub position: u32,
    /// bar, console, compute, camera, panel …
    pub role: String,
    pub vendor: String,
    pub model: String,
    /// Serial number.
    pub serial: String,
}

const BATCH: usize = 500;

impl Tx {
    /// Adds rooms, many at a time.
    ///
    /// # Errors
    /// A name is taken at its site.
    pub async fn add_rooms(&mut self, rooms: &[NewRoom]) -> Result<()> {
        const SQL: &str = "INSERT INTO rooms
            (id, name, name_key, site_id, building, floor, capacity, zone, zone_is_own, ring_id, state) ";
        for batch in rooms.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(SQL);
                query.push_values(batch, |mut row, room| {
                    row.push_bind(room.id.0)
                        .push_bind(room.name.clone())
                        .push_bind(name_key(&room.name))
                        .push_bind(room.site.0)
                        .push_bind(room.building.clone())
                        .push_bind(room.floor.clone())
                        .push_bind(i64::from(room.capacity))
                        .push_bind(room.zone.name().to_owned())
                        .push_bind(room.zone_is_own)
                        .push_bind(room.ring.0)
                        .push_bind(room.state.as_str());
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Adds devices, many at a time.
    ///
    /// # Errors
    /// A controller id is taken.
    pub async fn add_devices(&mut self, devices: &[NewDevice]) -> Result<()> {
        const SQL: &str = "INSERT INTO devices
            (id, controller_id, room_id, position, role, vendor, model, serial, facts_wanted, attributes) ";
        for batch in devices.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(SQL);
                query.push_values(batch, |mut row, device| {
                    row.push_bind(device.id.0)
                        .push_bind(device.controller.clone())
                        .push_bind(device.room.0)
                        .push_bind(i64::from(device.position))
                        .push_bind(device.role.clone())
                        .push_bind(device.vendor.clone())
                        .push_bind(device.model.clone())
                        .push_bind(device.serial.clone())
                        .push_bind(true)
                        .push_bind(Json(serde_json::json!({})));
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Puts what devices have installed: (device, product, version's row or unknown). `source`: who says so.
    pub async fn put_components(
        &mut self,
        components: &[(DeviceId, ProductId, Option<Uuid>)],
        source: VersionSource,
        at: DateTime<Utc>,
    ) -> Result<()> {
        for batch in components.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO components (device_id, product_id, version_id, reported_at, is_reported) ");
                query.push_values(batch, |mut row, (device, product, version)| {
                    row.push_bind(device.0)
                        .push_bind(product.0.clone())
                        .push_bind(*version)
                        .push_bind(micros(at))
                        .push_bind(source == VersionSource::Reported);
                });
                query.push(" ON CONFLICT (device_id, product_id) DO UPDATE
                    SET version_id = excluded.version_id, reported_at = excluded.reported_at, is_reported = excluded.is_reported");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Rooms in which a device has the version of a release (S10).
    pub async fn rooms_running(&mut self, release: UpdateId) -> Result<Vec<RoomId>> {
        const SQL: &str = "SELECT DISTINCT d.room_id
            FROM updates u
            JOIN components c ON c.product_id = u.product_id AND c.version_id = u.version_id
            JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
            WHERE u.id = $1 ORDER BY d.room_id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).bind(release.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(RoomId).collect())
    }

    /// Names and sites of rooms, by name.
    pub async fn room_names(&mut self, ids: &[RoomId]) -> Result<Vec<(RoomId, String, String)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(Uuid, String, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT r.id, r.name, s.name FROM rooms r JOIN sites s ON s.id = r.site_id WHERE r.id IN (");
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY r.name_key, r.id");
            query.build_query_as().fetch_all(c).await
        })?;
        Ok(rows
            .into_iter()
            .map(|(id, name, site)| (RoomId(id), name, site))
            .collect())
    }

    /// A room with its words.
    pub async fn room_record(&mut self, id: RoomId) -> Result<Option<RoomRecord>> {
        const SQL: &str =
            "SELECT r.id, r.name, r.site_id, s.name, r.building, r.floor, r.capacity, r.zone, r.zone_is_own, r.ring_id, r.state, r.revision
            FROM rooms r JOIN sites s ON s.id = r.site_id WHERE r.id = $1";
        let row: Option<RoomRow> = each!(self, c => sqlx::query_as(SQL).bind(id.0).fetch_optional(c).await)?;
        row.map(room_record).transpose()
    }

    /// The rooms of this name (without regard to case), at most 20. One that was written in another Unicode form counts where no other room
    /// of its site has the name.
    pub async fn rooms_named(&mut self, name: &str) -> Result<Vec<RoomRecord>> {
        const SQL: &str =
            "SELECT r.id, r.name, r.site_id, s.name, r.building, r.floor, r.capacity, r.zone, r.zone_is_own, r.ring_id, r.state, r.revision
            FROM rooms r JOIN sites s ON s.id = r.site_id
            WHERE r.name_key = $1 OR (r.clean_key = $1
                AND NOT EXISTS (SELECT 1 FROM rooms o WHERE o.name_key = $1 AND o.site_id = r.site_id))
            ORDER BY r.id LIMIT 20";
        let rows: Vec<RoomRow> = each!(self, c => sqlx::query_as(SQL).bind(name_key(name)).fetch_all(c).await)?;
        rows.into_iter().map(room_record).collect()
    }

    /// Which ring these rooms are in; those that are not there are left out.
    pub async fn room_rings(&mut self, ids: &[RoomId]) -> Result<Vec<RoomRing>> {
        let mut places = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let rows: Vec<(Uuid, String, Uuid)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT id, name, ring_id FROM rooms WHERE id IN (");
                ids_in(&mut query, batch.iter().map(|id| id.0));
                query.push(" ORDER BY name_key, id");
                query.build_query_as().fetch_all(c).await
            })?;
            places.extend(rows.into_iter().map(RoomRing::from));
        }
        Ok(places)
    }

    /// Puts rooms into a ring, if they are still where the caller saw them (R3); how many were.
    pub async fn move_rooms(&mut self, rooms: &[RoomId], from: RingId, to: RingId) -> Result<u64> {
        let mut moved = 0;
        for batch in rooms.chunks(BATCH) {
            moved += each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("UPDATE rooms SET revision = revision + 1, ring_id = ");
                query.push_bind(to.0).push(" WHERE ring_id = ").push_bind(from.0).push(" AND id IN (");
                ids_in(&mut query, batch.iter().map(|id| id.0));
                query.build().execute(c).await.map(|done| done.rows_affected())
            })?;
        }
        Ok(moved)
    }

    /// Puts all rooms of a ring into another and has the planner look at them; how many there were.
    pub async fn move_all_rooms(&mut self, from: RingId, to: RingId) -> Result<u64> {
        const MOVE: &str = "UPDATE rooms SET ring_id = $2, revision = revision + 1 WHERE ring_id = $1";
        self.recheck_ring(from).await?;
        Ok(
            each!(self, c => sqlx::query(MOVE).bind(from.0).bind(to.0).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }

    /// Rooms for planning, with everything in them, in the order of their ids.
    pub async fn rooms(&mut self, ids: &[RoomId]) -> Result<Vec<Room>> {
        let mut rooms = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            rooms.extend(self.rooms_batch(batch).await?);
        }
        Ok(rooms)
    }

    async fn rooms_batch(&mut self, ids: &[RoomId]) -> Result<Vec<Room>> {
        type Row = (Uuid, String, String, Uuid, String);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT id, name, zone, ring_id, state FROM rooms WHERE id IN (");
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut devices = self.devices_in(ids).await?;
        let mut holds = self.holds_on(ids).await?;
        let mut freezes = self.freezes_on(ids).await?;
        let mut blocks = self.blocks_on(ids).await?;
        let mut support = self.support_in(ids).await?;
        let mut rooms = Vec::with_capacity(rows.len());
        for (id, name, zone, ring, state) in rows {
            rooms.push(Room {
                id: RoomId(id),
                name,
                zone: zone_of("rooms", id, &zone)?,
                ring: RingId(ring),
                state: word("rooms", id, &state, RoomState::from_word)?,
                blocks: blocks.remove(&id).unwrap_or_default(),
                holds: holds.remove(&id).unwrap_or_default(),
                freezes: freezes.remove(&id).unwrap_or_default(),
                devices: devices.remove(&id).unwrap_or_default(),
                supported_until: support.remove(&id).unwrap_or_default(),
            });
        }
        Ok(rooms)
    }

    /// The last supported day of what rooms have, by product: of several devices the first that ends (L1).
    async fn support_in(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, BTreeMap<ProductId, NaiveDate>>> {
        let rows: Vec<(Uuid, String, NaiveDate)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, c.product_id, MIN(v.supported_until) FROM devices d
                JOIN components c ON c.device_id = d.id JOIN versions v ON v.id = c.version_id
                WHERE d.revoked_at IS NULL AND v.supported_until IS NOT NULL AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" GROUP BY d.room_id, c.product_id ORDER BY d.room_id, c.product_id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, BTreeMap<ProductId, NaiveDate>> = BTreeMap::new();
        for (room, product, until) in rows {
            by_room.entry(room).or_default().insert(ProductId(product), until);
        }
        Ok(by_room)
    }

    async fn devices_in(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Device>>> {
        type Row = (Uuid, Uuid, String, Option<String>, Option<String>, Option<bool>);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, d.id, d.model, c.product_id, v.text, c.is_reported
                FROM devices d
                LEFT JOIN components c ON c.device_id = d.id
                LEFT JOIN versions v ON v.id = c.version_id
                WHERE d.revoked_at IS NULL AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY d.room_id, d.position, d.id, c.product_id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Device>> = BTreeMap::new();
        for (room, id, model, product, version, is_reported) in rows {
            let devices = by_room.entry(room).or_default();
            if devices.last().is_none_or(|last| last.id.0 != id) {
                devices.push(Device {
                    id: DeviceId(id),
                    model,
                    components: Vec::new(),
                });
            }
            if let (Some(device), Some(product)) = (devices.last_mut(), product) {
                device.components.push(Component {
                    product: ProductId(product),
                    version,
                    source: if is_reported == Some(false) {
                        VersionSource::Imported
                    } else {
                        VersionSource::Reported
                    },
                });
            }
        }
        Ok(by_room)
    }

    /// How many rooms there are.
    pub async fn room_count(&mut self) -> Result<i64> {
        const SQL: &str = "SELECT CAST(COALESCE(SUM(rooms), 0) AS BIGINT) FROM room_counts";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
    }
}

type RoomRow = (
    Uuid,
    String,
    Uuid,
    String,
    String,
    String,
    i64,
    String,
    bool,
    Uuid,
    String,
    i64,
);

fn room_record(row: RoomRow) -> Result<RoomRecord> {
    let (id, name, site, site_name, building, floor, capacity, zone, zone_is_own, ring, state, revision) = row;
    Ok(RoomRecord {
        id: RoomId(id),
        name,
        site: SiteId(site),
        site_name,
        building,
        floor,
        capacity: crate::rows::small("rooms", id, capacity)?,
        zone: zone_of("rooms", id, &zone)?,
        zone_is_own,
        ring: RingId(ring),
        state: word("rooms", id, &state, RoomState::from_word)?,
        revision,
    })
}
