//! Readiness: which rooms are to be checked, what their checks go by, and what they came to (C1–C8).
//!
//! Loaded and written only; what follows is `domain::readiness::decide`'s. Start with [`Tx::rooms_to_check`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::changes::ReadinessEdit;
use domain::clean::name_key;
use domain::conversation::programs::with_additional_software;
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::readiness::checked::CheckedRoom;
use domain::readiness::decide::{BadSignal, RoomToCheck, VersionInRoom};
use domain::readiness::facts::Facts;
use domain::readiness::profile::Profile;
use domain::readiness::verdict::Given;
use domain::readiness::{Check, CheckResult, OpenSetting, ReportingDevice, Waiver};
use domain::room::RoomState;
use domain::signal::{self, Signal};
use domain::ticket::{TicketCause, TicketSeverity};
use domain::update::ProductKind;
use sqlx::types::Json;
use uuid::Uuid;

use crate::devices::{bad_since_of, told_at_of};
use crate::error::{Result, StoreError};
use crate::rows::{ids_in, instant, micros, opt_instant, small, texts_in, word, zone_of};
use crate::tx::{Inner, Tx, each};

/// The devices of rooms.
type ReportingDevices = BTreeMap<Uuid, Vec<ReportingDevice>>;
/// What does not work in rooms.
type BadSignals = BTreeMap<Uuid, Vec<BadSignal>>;

/// A device: its room, id and maker, what it told and when, since when signals are bad, what it calls itself, since when its store updates are
/// off, how often turning them off has failed and with which words, by which action it is asked to, and when it said that this was done.
type DeviceRow = (
    Uuid,
    Uuid,
    String,
    Json<BTreeMap<String, String>>,
    Json<BTreeMap<String, i64>>,
    Json<BTreeMap<Signal, i64>>,
    String,
    Option<i64>,
    i64,
    String,
    Option<i32>,
    Option<i64>,
);

/// Rows in one statement.
const BATCH: usize = 500;
/// The word that stands for the worst of all checks.
const WORST: &str = "worst";

impl Tx {
    /// Rooms whose checks are due, at most `limit`, kept from other writers until this transaction ends.
    pub async fn rooms_to_check(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<RoomId>> {
        // Of those that are due at one instant the index has the order of their rows: neighbours are read and written together.
        const SQL: &str = "SELECT id FROM rooms WHERE state <> 'retired' AND check_at <= $1 ORDER BY check_at LIMIT $2";
        // A report that comes meanwhile waits, and has its room checked once more.
        const LOCKED: &str = "SELECT id FROM rooms WHERE state <> 'retired' AND check_at <= $1
            ORDER BY check_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED";
        let ids: Vec<Uuid> = match &mut self.inner {
            Inner::Sqlite(tx) => {
                sqlx::query_scalar(SQL)
                    .bind(micros(now))
                    .bind(limit)
                    .fetch_all(&mut **tx)
                    .await?
            }
            Inner::Postgres(tx) => {
                sqlx::query_scalar(LOCKED)
                    .bind(micros(now))
                    .bind(limit)
                    .fetch_all(&mut **tx)
                    .await?
            }
        };
        Ok(ids.into_iter().map(RoomId).collect())
    }

    /// Keeps rooms whose checks are about to be made from other writers until this transaction ends: a report that comes meanwhile waits,
    /// and has its room checked once more.
    pub async fn lock_rooms_to_check(&mut self, rooms: &[RoomId]) -> Result<()> {
        if let Inner::Postgres(tx) = &mut self.inner {
            let mut query = sqlx::QueryBuilder::new("SELECT 1 FROM rooms WHERE id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY id FOR NO KEY UPDATE");
            query.build().fetch_all(&mut **tx).await?;
        }
        Ok(())
    }

    /// When the next room's checks are due.
    pub(crate) async fn next_check(&mut self) -> Result<Option<i64>> {
        const SQL: &str = "SELECT MIN(check_at) FROM rooms WHERE state <> 'retired'";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
    }

    /// Rooms with all that their checks go by, in the order of their ids.
    pub async fn checked_facts(&mut self, ids: &[RoomId]) -> Result<Vec<RoomToCheck>> {
        let mut rooms = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            rooms.extend(self.checked_facts_batch(batch).await?);
        }
        Ok(rooms)
    }

    async fn checked_facts_batch(&mut self, ids: &[RoomId]) -> Result<Vec<RoomToCheck>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        type Row = (Uuid, String, String, String, Option<i64>);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT id, name, zone, state, confirmed_at FROM rooms WHERE id IN (");
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY id");
            query.build_query_as().fetch_all(c).await
        })?;
        let (mut devices, mut bad_signals) = self.reporting_devices(ids).await?;
        let mut waivers = self.waivers_of(ids).await?;
        let mut results = self.check_results(ids).await?;
        let mut blocks = self.blocks_on(ids).await?;
        let mut versions = self.supported_versions(ids).await?;
        let mut tickets = self.cause_tickets_of(ids).await?;
        let mut unreviewed = self.unreviewed_in(ids).await?;
        let mut rooms = Vec::with_capacity(rows.len());
        for (id, name, zone, state, confirmed_at) in rows {
            let results = results.remove(&id).unwrap_or_default();
            rooms.push(RoomToCheck {
                room: RoomId(id),
                name,
                state: word("rooms", id, &state, RoomState::from_word)?,
                zone: zone_of("rooms", id, &zone)?,
                devices: devices.remove(&id).unwrap_or_default(),
                waivers: waivers.remove(&id).unwrap_or_default(),
                is_confirmed: confirmed_at.is_some(),
                results: results
                    .into_iter()
                    .map(|(check, (result, _))| (check, result))
                    .collect(),
                blocks: blocks.remove(&id).unwrap_or_default(),
                versions: versions.remove(&id).unwrap_or_default(),
                bad_signals: bad_signals.remove(&id).unwrap_or_default(),
                tickets: tickets.remove(&id).unwrap_or_default(),
                unreviewed: unreviewed.remove(&id).unwrap_or_default(),
            });
        }
        Ok(rooms)
    }

    /// Versions with a known end of support (L1).
    async fn supported_versions(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<VersionInRoom>>> {
        let rows: Vec<(Uuid, String, String, String, NaiveDate)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, p.id, p.name, v.text, v.supported_until FROM devices d
                JOIN components c ON c.device_id = d.id JOIN products p ON p.id = c.product_id JOIN versions v ON v.id = c.version_id
                WHERE d.revoked_at IS NULL AND p.has_support_policy AND v.supported_until IS NOT NULL AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY d.room_id, p.id, v.text");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<VersionInRoom>> = BTreeMap::new();
        for (room, product, name, version, supported_until) in rows {
            by_room.entry(room).or_default().push(VersionInRoom {
                product: ProductId(product),
                name,
                version,
                supported_until,
            });
        }
        Ok(by_room)
    }

    /// Open tickets that something else than a failed update has opened.
    async fn cause_tickets_of(
        &mut self,
        rooms: &[RoomId],
    ) -> Result<BTreeMap<Uuid, BTreeMap<TicketCause, TicketSeverity>>> {
        let rows: Vec<(Uuid, String, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT cause_room_id, cause, severity FROM tickets WHERE cause IS NOT NULL AND state <> 'resolved' AND cause_room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY cause_room_id, cause");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, BTreeMap<TicketCause, TicketSeverity>> = BTreeMap::new();
        for (room, cause, severity) in rows {
            let severity = word("tickets", &cause, &severity, TicketSeverity::from_word)?;
            let cause = word("tickets", &cause, &cause, TicketCause::from_word)?;
            by_room.entry(room).or_default().insert(cause, severity);
        }
        Ok(by_room)
    }

    async fn device_rows(&mut self, rooms: &[RoomId]) -> Result<Vec<DeviceRow>> {
        Ok(each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, d.id, d.vendor, d.attributes, d.told_at, d.bad_since, d.controller_id, d.store_updates_off_since, d.setting_failures,
                    d.setting_said, d.setting_action_id, s.told_at
                FROM devices d LEFT JOIN setting_changes s ON s.action_id = d.setting_action_id
                WHERE d.revoked_at IS NULL AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY d.room_id, d.position, d.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    async fn reporting_devices(&mut self, rooms: &[RoomId]) -> Result<(ReportingDevices, BadSignals)> {
        let rows = self.device_rows(rooms).await?;
        let mut products = self.products_by_device(rooms).await?;
        let devices: Vec<Uuid> = rows.iter().map(|(_, device, ..)| *device).collect();
        let lists = self.program_lists_of(&devices).await?;
        let (mut by_room, mut bad) = (ReportingDevices::new(), BadSignals::new());
        for (
            room,
            id,
            vendor,
            attributes,
            told_at,
            bad_since,
            controller,
            off_since,
            failures,
            setting_said,
            setting,
            setting_told_at,
        ) in rows
        {
            let told_at = told_at_of(id, told_at.0)?;
            let (has_reported, has_agent) = (!attributes.is_empty(), attributes.contains_key("agent.version"));
            for (signal, since) in bad_since_of(id, bad_since.0)? {
                let value = attributes.get(&format!("signal.{}", signal.as_str()));
                bad.entry(room).or_default().push(BadSignal {
                    device: DeviceId(id),
                    controller: controller.clone(),
                    signal,
                    words: signal::words(value.map_or("", String::as_str)).to_owned(),
                    since,
                });
            }
            let facts = Facts::readable(attributes.0, |attribute| told_at.get(attribute).copied());
            let facts = match lists.get(&id) {
                Some(list) => with_additional_software(facts, list),
                None => facts,
            };
            by_room.entry(room).or_default().push(ReportingDevice {
                id: Some(DeviceId(id)),
                controller,
                vendor,
                has_reported,
                has_agent,
                setting: match setting {
                    Some(_) => Some(OpenSetting {
                        told_at: opt_instant("devices", id, setting_told_at)?,
                    }),
                    None => None,
                },
                setting_said,
                setting_failures: small("devices", id, failures)?,
                facts,
                products: products.remove(&id).unwrap_or_default(),
                store_updates_off_since: opt_instant("devices", id, off_since)?,
            });
        }
        Ok((by_room, bad))
    }

    /// Vendor and kind of the products that the devices of rooms have.
    async fn products_by_device(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<(String, ProductKind)>>> {
        let products: Vec<(Uuid, String, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.id, p.vendor, p.kind FROM devices d JOIN components c ON c.device_id = d.id JOIN products p ON p.id = c.product_id
                WHERE d.revoked_at IS NULL AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY d.id, p.id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_device: BTreeMap<Uuid, Vec<(String, ProductKind)>> = BTreeMap::new();
        for (device, vendor, kind) in products {
            let kind = word("products", device, &kind, ProductKind::from_word)?;
            by_device.entry(device).or_default().push((vendor, kind));
        }
        Ok(by_device)
    }

    pub(crate) async fn waivers_of(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Waiver>>> {
        type Row = (Uuid, String, NaiveDate, String, String);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, check_name, until, given_by, reason FROM waivers WHERE room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, check_name");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Waiver>> = BTreeMap::new();
        for (room, check, until, by, why) in rows {
            by_room.entry(room).or_default().push(Waiver {
                check: word("waivers", room, &check, Check::from_word)?,
                until,
                given: Some(Given { by, why }),
            });
        }
        Ok(by_room)
    }

    /// What the checks of rooms came to last, and since when it is so.
    pub async fn check_results(
        &mut self,
        rooms: &[RoomId],
    ) -> Result<BTreeMap<Uuid, BTreeMap<Check, (CheckResult, DateTime<Utc>)>>> {
        let mut by_room: BTreeMap<Uuid, BTreeMap<Check, (CheckResult, DateTime<Utc>)>> = BTreeMap::new();
        if rooms.is_empty() {
            return Ok(by_room);
        }
        let rows: Vec<(Uuid, String, String, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, check_name, result, since FROM checks WHERE check_name <> 'worst' AND room_id IN (");
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY room_id, check_name");
            query.build_query_as().fetch_all(c).await
        })?;
        for (room, check, result, since) in rows {
            let check = word("checks", room, &check, Check::from_word)?;
            let result = word("checks", room, &result, CheckResult::from_word)?;
            let since = instant("checks", room, since)?;
            by_room.entry(room).or_default().insert(check, (result, since));
        }
        Ok(by_room)
    }

    /// Writes how the checks of rooms have changed.
    pub(crate) async fn put_checked_rooms(&mut self, rooms: &[CheckedRoom]) -> Result<()> {
        for batch in rooms.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("UPDATE rooms SET check_at = checked.column2 FROM (");
                query.push_values(batch, |mut row, room| {
                    row.push_bind(room.room.0).push_bind(micros(room.next_at));
                });
                query.push(") AS checked WHERE rooms.id = checked.column1");
                query.build().execute(c).await.map(drop)
            })?;
        }
        // By itself: half of the indexes of rooms go by the state, and each night all rooms are checked.
        let managed: Vec<Uuid> = rooms
            .iter()
            .filter(|room| room.becomes_managed)
            .map(|room| room.room.0)
            .collect();
        for batch in managed.chunks(BATCH) {
            each!(self, c => {
                let mut query =
                    sqlx::QueryBuilder::new("UPDATE rooms SET state = 'managed' WHERE state = 'onboarding' AND id IN (");
                ids_in(&mut query, batch.iter().copied());
                query.build().execute(c).await.map(drop)
            })?;
        }
        let changed: Vec<(RoomId, &str, CheckResult, DateTime<Utc>)> = rooms
            .iter()
            .flat_map(|room| {
                let changed = room.changed.iter();
                let changed = changed.filter_map(|(check, result)| Some((check.as_str(), (*result)?)));
                let worst = room.worst.filter(|_| !room.changed.is_empty());
                let all = changed.chain(worst.map(|worst| (WORST, worst)));
                all.map(|(check, result)| (room.room, check, result, room.at))
            })
            .collect();
        for batch in changed.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO checks (room_id, check_name, result, since) ");
                query.push_values(batch, |mut row, (room, check, result, at)| {
                    row.push_bind(room.0)
                        .push_bind(*check)
                        .push_bind(result.as_str())
                        .push_bind(micros(*at));
                });
                query.push(
                    " ON CONFLICT (room_id, check_name) DO UPDATE SET result = excluded.result, since = excluded.since
                    WHERE checks.result <> excluded.result",
                );
                query.build().execute(c).await.map(drop)
            })?;
        }
        for room in rooms {
            self.put_checked_room(room).await?;
        }
        Ok(())
    }

    /// Writes what has changed in few rooms: checks that are not made any more, blocks, and software to review.
    async fn put_checked_room(&mut self, room: &CheckedRoom) -> Result<()> {
        const GONE: &str = "DELETE FROM checks WHERE room_id = $1 AND check_name = $2";
        let gone = room.changed.iter().filter(|(_, result)| result.is_none());
        for (check, _) in gone {
            each!(self, c => sqlx::query(GONE).bind(room.room.0).bind(check.as_str()).execute(c).await.map(drop))?;
        }
        if let Some(blocks) = &room.blocks {
            self.put_blocks(room.room, blocks).await?;
        }
        if let Some(unreviewed) = &room.unreviewed {
            self.put_unreviewed(room.room, unreviewed).await?;
        }
        Ok(())
    }

    /// Writes what somebody has decided. The checks that it concerns are made with the next tick.
    pub(crate) async fn edit_readiness(&mut self, edit: &ReadinessEdit) -> Result<()> {
        const WAIVE: &str = "INSERT INTO waivers (room_id, check_name, until, given_by, given_at, reason) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (room_id, check_name) DO UPDATE SET until = excluded.until, given_by = excluded.given_by,
                given_at = excluded.given_at, reason = excluded.reason";
        const END_WAIVER: &str = "DELETE FROM waivers WHERE room_id = $1 AND check_name = $2";
        const CONFIRM: &str =
            "UPDATE rooms SET confirmed_at = $2, confirmed_by = $3, revision = revision + 1 WHERE id = $1";
        const REVIEW: &str =
            "INSERT INTO reviewed_software (name_key, name, reviewed_by, reviewed_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (name_key) DO NOTHING";
        const END_REVIEW: &str = "DELETE FROM reviewed_software WHERE name_key = $1";
        match edit {
            ReadinessEdit::Waived { room, waiver, at } => {
                let (by, why) = waiver
                    .given
                    .as_ref()
                    .map_or(("", ""), |given| (given.by.as_str(), given.why.as_str()));
                each!(self, c => sqlx::query(WAIVE)
                    .bind(room.0)
                    .bind(waiver.check.as_str())
                    .bind(waiver.until)
                    .bind(by)
                    .bind(micros(*at))
                    .bind(why)
                    .execute(c)
                    .await
                    .map(drop))?;
                self.check_soon(&[*room]).await
            }
            ReadinessEdit::WaiverEnded { room, check } => {
                each!(self, c => sqlx::query(END_WAIVER).bind(room.0).bind(check.as_str()).execute(c).await.map(drop))?;
                self.check_soon(&[*room]).await
            }
            ReadinessEdit::Confirmed { room, by, at } => {
                each!(self, c => sqlx::query(CONFIRM).bind(room.0).bind(micros(*at)).bind(by).execute(c).await.map(drop))?;
                self.check_soon(&[*room]).await
            }
            ReadinessEdit::Reviewed { name, by, at } => {
                each!(self, c => sqlx::query(REVIEW)
                    .bind(name_key(name))
                    .bind(name)
                    .bind(by)
                    .bind(micros(*at))
                    .execute(c)
                    .await
                    .map(drop))?;
                self.check_where_software_is(&[CheckResult::Warning, CheckResult::Waived])
                    .await
            }
            ReadinessEdit::ReviewEnded { name } => {
                each!(self, c => sqlx::query(END_REVIEW).bind(name_key(name)).execute(c).await.map(drop))?;
                // A warning has one name more from now on.
                self.check_where_software_is(&[CheckResult::Pass, CheckResult::Warning, CheckResult::Waived])
                    .await
            }
        }
    }

    /// The checks are made again where a check that goes by names of software came to one of these.
    async fn check_where_software_is(&mut self, results: &[CheckResult]) -> Result<()> {
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "UPDATE rooms SET check_at = 0 WHERE check_at > 0 AND id IN (SELECT room_id FROM checks
                WHERE check_name IN ('additional_software', 'change_management') AND result IN (",
            );
            texts_in(&mut query, results.iter().map(|result| result.as_str()));
            query.push(")");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// The checks of these rooms are made with the next tick.
    pub async fn check_soon(&mut self, rooms: &[RoomId]) -> Result<()> {
        for batch in rooms.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("UPDATE rooms SET check_at = 0 WHERE check_at > 0 AND id IN (");
                ids_in(&mut query, batch.iter().map(|id| id.0));
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// The checks of all rooms are made, because what they go by has changed.
    pub async fn check_all_soon(&mut self) -> Result<()> {
        const SQL: &str = "UPDATE rooms SET check_at = 0 WHERE check_at > 0 AND state <> 'retired'";
        each!(self, c => sqlx::query(SQL).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A retired room has no checks, and nobody has confirmed it.
    pub async fn forget_checks(&mut self, room: RoomId) -> Result<()> {
        const CHECKS: &str = "DELETE FROM checks WHERE room_id = $1";
        const BLOCKS: &str = "DELETE FROM blocks WHERE room_id = $1";
        const WAIVERS: &str = "DELETE FROM waivers WHERE room_id = $1";
        const ROOM: &str = "UPDATE rooms SET check_at = 0, confirmed_at = NULL, confirmed_by = NULL WHERE id = $1";
        const UNREVIEWED: &str = "DELETE FROM unreviewed_software WHERE room_id = $1";
        for statement in [CHECKS, BLOCKS, WAIVERS, UNREVIEWED, ROOM] {
            each!(self, c => sqlx::query(statement).bind(room.0).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// The organisation's own readiness profile; `None`: it goes by the one that comes with Nightshift (C6).
    ///
    /// # Errors
    /// The row is no profile.
    pub async fn own_profile(&mut self) -> Result<Option<Profile>> {
        const SQL: &str = "SELECT profile FROM organisation WHERE id = 1";
        type Row = Option<Option<Json<serde_json::Value>>>;
        let row: Row = each!(self, c => sqlx::query_scalar(SQL).fetch_optional(c).await)?;
        let read = |profile: Json<serde_json::Value>| {
            serde_json::from_value(profile.0)
                .map_err(|error| StoreError::row("organisation", 1, format!("its profile: {error}")))
        };
        row.flatten().map(read).transpose()
    }

    /// Writes the organisation's own readiness profile; `None`: it goes by the one that comes with Nightshift.
    pub async fn put_own_profile(&mut self, profile: Option<&Profile>) -> Result<()> {
        const SQL: &str = "UPDATE organisation SET profile = $1 WHERE id = 1";
        each!(self, c => sqlx::query(SQL).bind(profile.map(Json)).execute(c).await.map(drop))?;
        self.check_all_soon().await
    }
}
