//! What devices report about themselves: loaded, judged by the domain ([`inventory::take`]), written (`docs/devices.md` 1, 4).
//!
//! A version that is seen for the first time gets its standing to every published update here, so that "below the update" stays a
//! comparison in SQL.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};
use domain::changes::BelievedVersion;
use domain::conversation::Outcome;
use domain::conversation::inventory::{self, ConfigReport, KnownDevice, Taken};
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::room::VersionSource;
use domain::signal::Signal;
use domain::update::VersionStanding;
use domain::version::{self, Version};
use sqlx::types::Json;
use uuid::Uuid;

use crate::dialect;
use crate::error::Result;
use crate::rows::{ids_in, instant, micros, opt_instant, opt_micros};
use crate::tx::{Inner, Tx, each};

impl Tx {
    pub(super) async fn config(
        &mut self,
        device: DeviceId,
        report: &ConfigReport,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_DEVICE_POSTGRES)
                .bind(device.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        let outcomes = self.configs(&[(device, report, now)]).await?;
        Ok(outcomes.into_iter().next().unwrap_or(Outcome::NotFound))
    }

    /// Reports of different devices at once, in the order given: rows are read and written together. No locks are taken here.
    pub(super) async fn configs(
        &mut self,
        reports: &[(DeviceId, &ConfigReport, DateTime<Utc>)],
    ) -> Result<Vec<Outcome>> {
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = self.known_of(reports.iter().map(|(device, ..)| device.0)).await?;
        let mut outcomes = Vec::with_capacity(reports.len());
        let mut accepted = Vec::with_capacity(reports.len());
        for (device, report, now) in reports {
            let Some(Reporting {
                room,
                controller,
                known: before,
            }) = known.remove(device)
            else {
                outcomes.push(Outcome::NotFound);
                continue;
            };
            match inventory::take(before, report, *now) {
                Ok(taken) => {
                    if taken.begins_to_leave_product_open {
                        say_product_is_open(&controller);
                    }
                    accepted.push(AcceptedReport {
                        device: *device,
                        room,
                        taken,
                        now: *now,
                        index: outcomes.len(),
                    });
                    outcomes.push(Outcome::Noted);
                }
                Err(refusal) => outcomes.push(Outcome::Refused(refusal)),
            }
        }
        self.put_attributes(&accepted).await?;
        let mut to_check = Vec::new();
        for accepted in &mut accepted {
            if accepted.taken.concerns_checks {
                to_check.push(accepted.room);
                outcomes[accepted.index] = Outcome::Changed;
            }
            if self.put_inventory(accepted).await? {
                self.recheck(accepted.room).await?;
                to_check.push(accepted.room);
                outcomes[accepted.index] = Outcome::Changed;
            }
        }
        self.check_soon(&to_check).await?;
        Ok(outcomes)
    }

    async fn known_of(&mut self, devices: impl Iterator<Item = Uuid> + Clone) -> Result<BTreeMap<DeviceId, Reporting>> {
        // One row for each component; the device's own columns stand in each.
        type Row = (
            Uuid,
            Uuid,
            String,
            Json<BTreeMap<String, String>>,
            Json<BTreeMap<String, i64>>,
            Json<BTreeMap<Signal, i64>>,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<String>,
            Option<String>,
        );
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.id, d.room_id, d.controller_id, d.attributes, d.told_at, d.bad_since, d.free_at, d.busy_at, c.product_id, v.text, c.serial
                FROM devices d
                LEFT JOIN components c ON c.device_id = d.id
                LEFT JOIN versions v ON v.id = c.version_id
                WHERE d.id IN (",
            );
            ids_in(&mut query, devices.clone());
            query.push(" ORDER BY d.id, c.product_id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut all: BTreeMap<DeviceId, Reporting> = BTreeMap::new();
        for (device, room, controller, attributes, told_at, bad_since, free_at, busy_at, product, version, serial) in
            rows
        {
            let reporting = match all.entry(DeviceId(device)) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(Reporting {
                    room: RoomId(room),
                    controller,
                    known: KnownDevice {
                        attributes: attributes.0,
                        told_at: told_at_of(device, told_at.0)?,
                        free_at: opt_instant("devices", device, free_at)?,
                        busy_at: opt_instant("devices", device, busy_at)?,
                        components: BTreeMap::new(),
                        serials: BTreeMap::new(),
                        bad_since: bad_since_of(device, bad_since.0)?,
                    },
                }),
            };
            if let Some(product) = product.map(ProductId) {
                let serial = serial.filter(|serial| !serial.is_empty());
                let known = &mut reporting.known;
                known.serials.extend(serial.map(|serial| (product.clone(), serial)));
                known.components.insert(product, version);
            }
        }
        Ok(all)
    }

    async fn put_attributes(&mut self, accepted: &[AcceptedReport]) -> Result<()> {
        if accepted.is_empty() {
            return Ok(());
        }
        each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("UPDATE devices SET facts_wanted = ");
            query.push_bind(false);
            query.push(
                ", attributes = accepted.column2, window_aware = accepted.column3, free_at = accepted.column4, busy_at = accepted.column5,
                    busy_until = accepted.column6, told_at = accepted.column8, serial = COALESCE(accepted.column10, devices.serial),
                    last_seen_at = CASE WHEN devices.last_seen_at > accepted.column7 THEN devices.last_seen_at ELSE accepted.column7 END, bad_since = accepted.column9,
                    facts_changed_at = CASE WHEN accepted.column11 THEN accepted.column7 ELSE devices.facts_changed_at END, revision = revision + 1
                FROM (",
            );
            query.push_values(accepted, |mut row, accepted| {
                let (taken, presence) = (&accepted.taken, &accepted.taken.presence);
                row.push_bind(accepted.device.0)
                    .push_bind(Json(&taken.attributes))
                    .push_bind(taken.window_aware)
                    .push_bind(opt_micros(presence.free_at))
                    .push_bind(opt_micros(presence.busy_at))
                    .push_bind(opt_micros(presence.busy_until))
                    .push_bind(micros(accepted.now))
                    .push_bind(Json(told_at_row(&taken.told_at)))
                    .push_bind(Json(bad_since_row(&taken.bad_since)))
                    .push_bind(taken.serial.clone())
                    .push_bind(taken.is_news);
            });
            query.push(") AS accepted WHERE devices.id = accepted.column1");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Writes the components of a report; whether anything is new.
    async fn put_inventory(&mut self, accepted: &mut AcceptedReport) -> Result<bool> {
        let (device, taken) = (accepted.device, &mut accepted.taken);
        self.note_named(device, &taken.first_named).await?;
        let mut portfolio = BTreeMap::new();
        for (product, _) in &taken.changed {
            if let Some(record) = self.product(product).await? {
                portfolio.insert(product.clone(), record);
            }
        }
        taken.keep_known(|product| portfolio.contains_key(product));
        if !taken.rechecks_room() {
            self.put_serials(device, &taken.new_serials).await?;
            return Ok(false);
        }
        let mut rows = Vec::with_capacity(taken.changed.len());
        for (product, version) in &taken.changed {
            let row = match (portfolio.get(product), version) {
                (Some(record), Some(text)) => Some(self.known_version(record, text).await?),
                (None, _) | (_, None) => None,
            };
            rows.push((device, product.clone(), row));
        }
        self.put_components(&rows, VersionSource::Reported, accepted.now)
            .await?;
        for product in &taken.gone {
            // Its history ends now.
            const ENDS: &str = "UPDATE components SET reported_at = $3 WHERE device_id = $1 AND product_id = $2";
            const SQL: &str = "DELETE FROM components WHERE device_id = $1 AND product_id = $2";
            each!(self, c => sqlx::query(ENDS).bind(device.0).bind(&product.0).bind(micros(accepted.now)).execute(c).await.map(drop))?;
            each!(self, c => sqlx::query(SQL).bind(device.0).bind(&product.0).execute(c).await.map(drop))?;
        }
        self.put_serials(device, &taken.new_serials).await?;
        let (room, changes) = (accepted.room, &accepted.taken.version_changes);
        self.note_external_changes(room, device, changes, accepted.now).await?;
        Ok(true)
    }

    async fn put_serials(&mut self, device: DeviceId, serials: &[(ProductId, String)]) -> Result<()> {
        const SQL: &str = "UPDATE components SET serial = $3 WHERE device_id = $1 AND product_id = $2";
        for (product, serial) in serials {
            each!(self, c => sqlx::query(SQL).bind(device.0).bind(&product.0).bind(serial).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    async fn note_named(&mut self, device: DeviceId, products: &[ProductId]) -> Result<()> {
        const SQL: &str = "UPDATE components SET is_reported = $3 WHERE device_id = $1 AND product_id = $2";
        for product in products {
            each!(self, c => sqlx::query(SQL).bind(device.0).bind(&product.0).bind(true).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Sets the version of a device that does not report it (`docs/devices.md` 2.13).
    pub(crate) async fn believe(&mut self, believed: &BelievedVersion, now: DateTime<Utc>) -> Result<()> {
        const SQL: &str =
            "UPDATE components SET is_reported = $3, reported_at = $4, version_id = (SELECT u.version_id FROM updates u WHERE u.id = $2)
            WHERE device_id = $1 AND product_id = (SELECT u.product_id FROM updates u WHERE u.id = $2)
                AND (version_id IS NULL OR is_reported = $3)";
        let (device, update) = (believed.device.0, believed.update.0);
        each!(self, c => sqlx::query(SQL).bind(device).bind(update).bind(false).bind(micros(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The row of a version, made if it is seen for the first time: then its standing to every published update is worked out.
    pub async fn known_version(&mut self, product: &crate::ProductRecord, text: &str) -> Result<Uuid> {
        const FIND: &str = "SELECT id FROM versions WHERE product_id = $1 AND text = $2";
        let found: Option<Uuid> =
            each!(self, c => sqlx::query_scalar(FIND).bind(&product.id.0).bind(text).fetch_optional(c).await)?;
        if let Some(id) = found {
            return Ok(id);
        }
        // Whoever publishes meanwhile works out the standings of all versions: of two that do not see each other one waits.
        const TOUCH: &str = "UPDATE products SET id = id WHERE id = $1";
        each!(self, c => sqlx::query(TOUCH).bind(&product.id.0).execute(c).await.map(drop))?;
        let known = self.versions(&product.id).await?;
        // A spelling of a known version has that one's release day.
        let released = known
            .iter()
            .find(|known| version::is_same(&product.scheme, &known.text, text))
            .and_then(|known| known.released);
        let id = self
            .put_version(version_id(&product.id, text), &product.id, text, released)
            .await?;
        // How long it is supported is worked out with the next tick (L1).
        self.put_program_value(SUPPORT_WORKED_OUT, "").await?;
        for update in self.compared_releases(&product.id).await? {
            if let Some(release) = self.release(update).await? {
                let standing = standing(&release, &known, Version { text, released });
                self.put_standings(update, &[(id, standing)]).await?;
            }
        }
        Ok(id)
    }

    /// Works out how every known version of its product stands to a release, and writes it.
    pub async fn work_out_standings(&mut self, release: &crate::ReleaseRecord) -> Result<()> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_PRODUCT_POSTGRES)
                .bind(&release.product.id.0)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        let known = self.versions(&release.product.id).await?;
        let standings: Vec<(Uuid, VersionStanding)> = known
            .iter()
            .map(|version| {
                (
                    version.id,
                    standing(
                        release,
                        &known,
                        Version {
                            text: &version.text,
                            released: version.released,
                        },
                    ),
                )
            })
            .collect();
        self.put_standings(release.release.id, &standings).await
    }
}

/// As of when the last supported days of versions were worked out is kept under this name; empty: something has changed since.
pub const SUPPORT_WORKED_OUT: &str = "support.worked_out";

/// The log says it once, with the report after which it is so: the planner would wait for a version that is never told.
fn say_product_is_open(controller: &str) {
    tracing::warn!(
        device = controller,
        "sw_version is of no product that Nightshift can tell: the device has none or several; have it tell component.1.product and component.1.version"
    );
}

/// A device before its report.
struct Reporting {
    room: RoomId,
    controller: String,
    known: KnownDevice,
}

/// A report of facts that is taken.
struct AcceptedReport {
    device: DeviceId,
    room: RoomId,
    taken: Taken,
    now: DateTime<Utc>,
    /// Whose outcome it is.
    index: usize,
}

fn standing(release: &crate::ReleaseRecord, known: &[crate::VersionRecord], installed: Version<'_>) -> VersionStanding {
    let scheme = &release.product.scheme;
    let dated = |text: &str| {
        known
            .iter()
            .find(|known| version::is_same(scheme, &known.text, text))
            .and_then(|known| known.released)
    };
    let update = Version {
        text: &release.release.version,
        released: release.released,
    };
    let minimum = release.release.minimum_version.as_deref().map(|text| Version {
        text,
        released: dated(text),
    });
    VersionStanding::of(scheme, installed, update, minimum)
}

/// The row id of a version: the same wherever it is first seen, so that two reports make the same row.
#[must_use]
pub fn version_id(product: &ProductId, text: &str) -> Uuid {
    let namespace = Uuid::from_u128(0x6e69_6768_7473_6869_6674_2d76_6572_7369);
    Uuid::new_v5(&namespace, format!("{product}\u{0}{text}").as_bytes())
}

/// When a device told each of its attributes, from its column. One that was told before times were kept is missing.
pub(crate) fn told_at_of(device: Uuid, micros: BTreeMap<String, i64>) -> Result<BTreeMap<String, DateTime<Utc>>> {
    let read = |(attribute, at)| Ok((attribute, instant("devices", device, at)?));
    micros.into_iter().map(read).collect()
}

/// Since when signals of a device are bad, from its column.
pub(crate) fn bad_since_of(device: Uuid, micros: BTreeMap<Signal, i64>) -> Result<BTreeMap<Signal, DateTime<Utc>>> {
    let read = |(signal, at)| Ok((signal, instant("devices", device, at)?));
    micros.into_iter().map(read).collect()
}

fn bad_since_row(bad_since: &BTreeMap<Signal, DateTime<Utc>>) -> BTreeMap<Signal, i64> {
    bad_since.iter().map(|(signal, at)| (*signal, micros(*at))).collect()
}

fn told_at_row(told_at: &BTreeMap<String, DateTime<Utc>>) -> BTreeMap<&str, i64> {
    told_at
        .iter()
        .map(|(attribute, at)| (attribute.as_str(), micros(*at)))
        .collect()
}
