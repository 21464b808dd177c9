//! Sites, rooms, what is in them, and what keeps updates away from them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::clean::name_key;
use domain::ids::{DeviceId, HoldId, ProductId, RingId, RoomId, SiteId, UpdateId};
use domain::room::{Block, Component, Device, Hold, Room, RoomState};
use domain::update::ProductKind;
use domain::zone::Zone;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::read::{RoomFilter, filter_rooms};
use crate::rows::{micros, word};
use crate::search::SearchedList;
use crate::tx::{Tx, each};

/// A site to add.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Identity.
    pub id: SiteId,
    /// Name, unique without regard to case.
    pub name: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// Its rooms' zone, unless they have their own.
    pub zone: Zone,
}

/// Which ring a room is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRing {
    /// The room.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its ring.
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

/// A site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRecord {
    /// Identity.
    pub id: SiteId,
    /// Name.
    pub name: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// Its zone.
    pub zone: Zone,
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
    /// Building.
    pub building: String,
    /// Floor, as people call it.
    pub floor: String,
    /// Seats.
    pub capacity: u32,
    /// Its own zone or its site's.
    pub zone: Zone,
    /// Whether the zone is its own.
    pub zone_is_own: bool,
    /// Its ring.
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
}

/// A room with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRecord {
    /// Identity.
    pub id: RoomId,
    /// Name.
    pub name: String,
    /// Site.
    pub site: SiteId,
    /// Site's name.
    pub site_name: String,
    /// Building.
    pub building: String,
    /// Floor.
    pub floor: String,
    /// Seats.
    pub capacity: u32,
    /// Zone.
    pub zone: Zone,
    /// Whether the zone is its own, or its site's.
    pub zone_is_own: bool,
    /// Ring.
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
    /// Its room.
    pub room: RoomId,
    /// Its place among the room's devices.
    pub position: u32,
    /// bar, console, compute, camera, panel …
    pub role: String,
    /// Vendor.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
}

const BATCH: usize = 500;

impl Tx {
    /// Adds sites.
    ///
    /// # Errors
    /// The database fails, or a name is taken.
    pub async fn add_sites(&mut self, sites: &[NewSite]) -> Result<()> {
        const SQL: &str = "INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ($1, $2, $3, $4, $5, $6)";
        for site in sites {
            each!(self, c => sqlx::query(SQL)
                .bind(site.id.0)
                .bind(&site.name)
                .bind(name_key(&site.name))
                .bind(&site.city)
                .bind(&site.country)
                .bind(site.zone.name())
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// All sites by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sites(&mut self) -> Result<Vec<SiteRecord>> {
        const SQL: &str = "SELECT id, name, city, country, zone FROM sites ORDER BY name_key";
        type Row = (Uuid, String, String, String, String);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, name, city, country, zone)| {
                Ok(SiteRecord {
                    id: SiteId(id),
                    name,
                    city,
                    country,
                    zone: zone_of("sites", id, &zone)?,
                })
            })
            .collect()
    }

    /// Adds rooms, many at a time.
    ///
    /// # Errors
    /// The database fails, or a name is taken at its site.
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
    /// The database fails, or a controller id is taken.
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

    /// Puts what devices have installed: (device, product, version's row or unknown).
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_components(
        &mut self,
        components: &[(DeviceId, ProductId, Option<Uuid>)],
        at: DateTime<Utc>,
    ) -> Result<()> {
        for batch in components.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO components (device_id, product_id, version_id, reported_at) ");
                query.push_values(batch, |mut row, (device, product, version)| {
                    row.push_bind(device.0).push_bind(product.0.clone()).push_bind(*version).push_bind(micros(at));
                });
                query.push(" ON CONFLICT (device_id, product_id) DO UPDATE
                    SET version_id = excluded.version_id, reported_at = excluded.reported_at");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Keeps updates of a product (or all) away from a room ★.
    ///
    /// # Errors
    /// The database fails.
    pub async fn add_hold(&mut self, id: HoldId, room: RoomId, hold: &Hold, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "INSERT INTO holds (id, room_id, product_id, owner, reason, since, until)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        each!(self, c => sqlx::query(SQL)
            .bind(id.0)
            .bind(room.0)
            .bind(hold.product.as_ref().map(|product| product.0.clone()))
            .bind(&hold.owner)
            .bind(&hold.reason)
            .bind(hold.since)
            .bind(hold.until)
            .execute(c)
            .await
            .map(drop))?;
        // When it begins and when it has ended, the room's facts change by themselves (S11).
        const ZONE: &str = "SELECT zone FROM rooms WHERE id = $1";
        const RECHECK: &str = "INSERT INTO marks (room_id, due_at) VALUES ($1, $2)";
        let zone: String = each!(self, c => sqlx::query_scalar(ZONE).bind(room.0).fetch_one(c).await)?;
        let zone = zone_of("rooms", room, &zone)?;
        let (begins, ends) = (
            zone.start_of(hold.since),
            zone.start_of(hold.until + chrono::Days::new(1)),
        );
        for at in [begins, ends].into_iter().filter(|at| *at > now) {
            each!(self, c => sqlx::query(RECHECK).bind(room.0).bind(micros(at)).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Has the planner recheck every room of a ring.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recheck_ring(&mut self, ring: RingId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at) SELECT id, 0 FROM rooms WHERE ring_id = $1";
        each!(self, c => sqlx::query(SQL).bind(ring.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Has the planner recheck every room of a site.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recheck_site(&mut self, site: SiteId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at) SELECT id, 0 FROM rooms WHERE site_id = $1";
        each!(self, c => sqlx::query(SQL).bind(site.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The name of a site; `None`: there is none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn site_name(&mut self, site: SiteId) -> Result<Option<String>> {
        const SQL: &str = "SELECT name FROM sites WHERE id = $1";
        Ok(each!(self, c => sqlx::query_scalar(SQL).bind(site.0).fetch_optional(c).await)?)
    }

    /// The site of a name, without regard to case or Unicode form, other than this one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn site_named(&mut self, name: &str, other_than: Option<SiteId>) -> Result<Option<SiteId>> {
        const SQL: &str =
            "SELECT id FROM sites WHERE (name_key = $1 OR clean_key = $1) AND id <> $2 ORDER BY id LIMIT 1";
        let id: Option<Uuid> = each!(self, c => sqlx::query_scalar(SQL)
            .bind(name_key(name))
            .bind(other_than.map_or(Uuid::nil(), |site| site.0))
            .fetch_optional(c)
            .await)?;
        Ok(id.map(SiteId))
    }

    /// Rooms in which a device has the version of a release (S10).
    ///
    /// # Errors
    /// The database fails.
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
    ///
    /// # Errors
    /// The database fails.
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

    /// Rooms in which an update is being installed, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn running_rooms(&mut self, update: UpdateId, limit: i64) -> Result<Vec<(RoomId, String)>> {
        const SQL: &str = "SELECT r.id, r.name FROM deployments x JOIN rooms r ON r.id = x.room_id
            WHERE x.update_id = $1 AND x.state = 'open' AND x.started_at IS NOT NULL ORDER BY r.name_key, r.id LIMIT $2";
        let rows: Vec<(Uuid, String)> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(limit).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(id, name)| (RoomId(id), name)).collect())
    }

    /// Rooms that an update would change if it were forced: below it, and neither done nor on their way (K5). Some of them are left out for
    /// reasons that only the planner knows.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_to_force(&mut self, update: UpdateId) -> Result<Vec<RoomId>> {
        const SQL: &str = "SELECT DISTINCT d.room_id
            FROM updates u
            JOIN components c ON c.product_id = u.product_id
            JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
            LEFT JOIN standings s ON s.update_id = u.id AND s.version_id = c.version_id
            WHERE u.id = $1
                AND (s.standing IN ('below', 'needs_first') OR (c.version_id IS NULL AND u.applies_to_unknown))
                AND NOT EXISTS (SELECT 1 FROM deployments x WHERE x.room_id = d.room_id AND x.update_id = u.id
                    AND (x.state = 'completed' OR (x.state = 'open' AND x.started_at IS NOT NULL)))
            ORDER BY d.room_id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).bind(update.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(RoomId).collect())
    }

    /// Notes a failed readiness check that keeps updates of a kind away from a room.
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_block(&mut self, room: RoomId, block: &Block) -> Result<()> {
        const SQL: &str = "INSERT INTO blocks (room_id, kind, why) VALUES ($1, $2, $3)
            ON CONFLICT (room_id, kind) DO UPDATE SET why = excluded.why";
        each!(self, c => sqlx::query(SQL).bind(room.0).bind(block.kind.as_str()).bind(&block.why).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A room with its words.
    ///
    /// # Errors
    /// The database fails.
    pub async fn room_record(&mut self, id: RoomId) -> Result<Option<RoomRecord>> {
        const SQL: &str =
            "SELECT r.id, r.name, r.site_id, s.name, r.building, r.floor, r.capacity, r.zone, r.zone_is_own, r.ring_id, r.state, r.revision
            FROM rooms r JOIN sites s ON s.id = r.site_id WHERE r.id = $1";
        let row: Option<RoomRow> = each!(self, c => sqlx::query_as(SQL).bind(id.0).fetch_optional(c).await)?;
        row.map(room_record).transpose()
    }

    /// The rooms of this name (without regard to case), at most 20. One that was written in another Unicode form counts where no other room
    /// of its site has the name.
    ///
    /// # Errors
    /// The database fails.
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
    ///
    /// # Errors
    /// The database fails.
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

    /// Which ring the rooms are in that match, the first `limit` by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn matching_rooms(&mut self, filter: &RoomFilter, limit: i64) -> Result<Vec<RoomRing>> {
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let (key, id) = filter.order();
        let rows: Vec<(Uuid, String, Uuid)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT r.id, r.name, r.ring_id");
            query.push(filter.rooms());
            filter_rooms!(query, filter, words);
            query.push(format_args!(" ORDER BY {key}, {id} LIMIT ")).push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?;
        Ok(rows.into_iter().map(RoomRing::from).collect())
    }

    /// Puts rooms into a ring, if they are still where the caller saw them (R3); how many were.
    ///
    /// # Errors
    /// The database fails.
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
    ///
    /// # Errors
    /// The database fails.
    pub async fn move_all_rooms(&mut self, from: RingId, to: RingId) -> Result<u64> {
        const MOVE: &str = "UPDATE rooms SET ring_id = $2, revision = revision + 1 WHERE ring_id = $1";
        self.recheck_ring(from).await?;
        Ok(
            each!(self, c => sqlx::query(MOVE).bind(from.0).bind(to.0).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }

    /// Has the planner recheck a room with the next tick, because its facts have changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recheck(&mut self, room: RoomId) -> Result<()> {
        const SQL: &str = "INSERT INTO marks (room_id, due_at) VALUES ($1, 0)";
        each!(self, c => sqlx::query(SQL).bind(room.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// [`Tx::recheck`] for many rooms.
    ///
    /// # Errors
    /// The database fails, or there is no such room.
    pub async fn recheck_all(&mut self, rooms: impl Iterator<Item = RoomId>) -> Result<()> {
        let rooms: Vec<RoomId> = rooms.collect();
        for batch in rooms.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO marks (room_id, due_at) ");
                query.push_values(batch, |mut row, room| {
                    row.push_bind(room.0).push_bind(0_i64);
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Rooms for planning, with everything in them, in the order of their ids.
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
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
            });
        }
        Ok(rooms)
    }

    async fn devices_in(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Device>>> {
        type Row = (Uuid, Uuid, String, Option<String>, Option<String>);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, d.id, d.model, c.product_id, v.text
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
        for (room, id, model, product, version) in rows {
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
                });
            }
        }
        Ok(by_room)
    }

    async fn holds_on(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Hold>>> {
        type Row = (Uuid, Option<String>, String, String, NaiveDate, NaiveDate);
        let rows: Vec<Row> = each!(self, c => {
            let mut query =
                sqlx::QueryBuilder::new("SELECT room_id, product_id, owner, reason, since, until FROM holds WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, since, id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Hold>> = BTreeMap::new();
        for (room, product, owner, reason, since, until) in rows {
            by_room.entry(room).or_default().push(Hold {
                product: product.map(ProductId),
                owner,
                reason,
                since,
                until,
            });
        }
        Ok(by_room)
    }

    async fn blocks_on(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Block>>> {
        let rows: Vec<(Uuid, String, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, kind, why FROM blocks WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, kind");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Block>> = BTreeMap::new();
        for (room, kind, why) in rows {
            let kind = word("blocks", room, &kind, ProductKind::from_word)?;
            by_room.entry(room).or_default().push(Block { kind, why });
        }
        Ok(by_room)
    }

    /// Counts and copies that are kept and are not those of the rows, in words: `nightshift check` finds none.
    ///
    /// # Errors
    /// The database fails.
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
        const KEYS: &str = "SELECT r.name, r.name_key, k.room_key, k.what
            FROM (SELECT room_id, room_key, 'deployments' AS what FROM deployments
                UNION ALL SELECT room_id, room_key, 'tickets' AS what FROM room_troubles) AS k
            JOIN rooms r ON r.id = k.room_id
            WHERE r.name_key <> k.room_key ORDER BY r.id, k.what";
        let rooms: Vec<(Uuid, Uuid, String, i64, i64)> = each!(self, c => sqlx::query_as(ROOMS).fetch_all(c).await)?;
        let tickets: Vec<(String, String, i64, i64)> = each!(self, c => sqlx::query_as(TICKETS).fetch_all(c).await)?;
        let unhealthy: Vec<(String, i64, i64)> = each!(self, c => sqlx::query_as(UNHEALTHY_COUNTS).fetch_all(c).await)?;
        let keys: Vec<(String, String, String, String)> = each!(self, c => sqlx::query_as(KEYS).fetch_all(c).await)?;
        let rooms = rooms.into_iter().map(|(ring, site, state, kept, found)| {
            format!("{kept} {state} rooms of ring {ring} at site {site} are counted, and there are {found}")
        });
        let tickets = tickets.into_iter().map(|(state, severity, kept, found)| {
            format!("{kept} {severity} tickets that are {state} are counted, and there are {found}")
        });
        let unhealthy = unhealthy.into_iter().map(|(room, kept, found)| {
            format!("{kept} tickets that make {room:?} unhealthy are counted, and there are {found}")
        });
        let keys = keys.into_iter().map(|(room, key, kept, what)| {
            format!("the {what} of {room:?} stand in lists as {kept:?}, and the room as {key:?}")
        });
        Ok(rooms.chain(tickets).chain(unhealthy).chain(keys).collect())
    }

    /// How many rooms there are.
    ///
    /// # Errors
    /// The database fails.
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

pub(crate) fn zone_of(table: &'static str, row: impl ToString, name: &str) -> Result<Zone> {
    Zone::parse(name).map_err(|error| StoreError::row(table, row, error.to_string()))
}

/// As [`ids_in`], for texts.
pub(crate) fn texts_in<'t, DB>(query: &mut sqlx::QueryBuilder<DB>, texts: impl Iterator<Item = &'t str>)
where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let mut separated = query.separated(", ");
    for text in texts {
        separated.push_bind(text.to_owned());
    }
    separated.push_unseparated(")");
}

/// `$1, $2, …)`: closes the parenthesis.
pub(crate) fn ids_in<DB>(query: &mut sqlx::QueryBuilder<DB>, ids: impl Iterator<Item = Uuid>)
where
    DB: sqlx::Database,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let mut separated = query.separated(", ");
    for id in ids {
        separated.push_bind(id);
    }
    separated.push_unseparated(")");
}
