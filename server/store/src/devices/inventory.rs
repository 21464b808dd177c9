//! What devices report about themselves: attributes, and the components and versions in them (`docs/devices.md` 1, 3).
//!
//! A version that is seen for the first time gets its standing to every published update here, so that "below the update" stays a
//! comparison in SQL.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::update::VersionStanding;
use domain::version::{self, Version};
use sqlx::types::Json;
use uuid::Uuid;

use crate::devices::reports::{ConfigMode, ConfigReport, MOST_ATTRIBUTES, MOST_CHARACTERS, Outcome, ReportRefusal};
use crate::dialect;
use crate::error::Result;
use crate::rooms::ids_in;
use crate::rows::micros;
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
            let Some(before) = known.remove(device) else {
                outcomes.push(Outcome::NotFound);
                continue;
            };
            match merged(before.attributes.clone(), report) {
                Ok(attributes) => {
                    accepted.push(AcceptedReport::new(
                        *device,
                        before,
                        attributes,
                        report,
                        *now,
                        outcomes.len(),
                    ));
                    outcomes.push(Outcome::Noted);
                }
                Err(refusal) => outcomes.push(Outcome::Refused(refusal)),
            }
        }
        self.put_attributes(&accepted).await?;
        for accepted in &accepted {
            if self.take_inventory(accepted).await? {
                self.recheck(accepted.before.room).await?;
                outcomes[accepted.index] = Outcome::Changed;
            }
        }
        Ok(outcomes)
    }

    async fn known_of(
        &mut self,
        devices: impl Iterator<Item = Uuid> + Clone,
    ) -> Result<BTreeMap<DeviceId, KnownDevice>> {
        // One row for each component; the device's own columns stand in each.
        type Row = (
            Uuid,
            Uuid,
            Json<BTreeMap<String, String>>,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<String>,
        );
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.id, d.room_id, d.attributes, d.free_at, d.busy_at, c.product_id, v.text
                FROM devices d
                LEFT JOIN components c ON c.device_id = d.id
                LEFT JOIN versions v ON v.id = c.version_id
                WHERE d.id IN (",
            );
            ids_in(&mut query, devices.clone());
            query.push(" ORDER BY d.id, c.product_id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut all: BTreeMap<DeviceId, KnownDevice> = BTreeMap::new();
        for (device, room, attributes, free_at, busy_at, product, version) in rows {
            let known = all.entry(DeviceId(device)).or_insert_with(|| KnownDevice {
                room: RoomId(room),
                attributes: attributes.0,
                free_at,
                busy_at,
                components: BTreeMap::new(),
            });
            known.components.extend(product.map(|product| (product, version)));
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
                    busy_until = accepted.column6, last_seen_at = accepted.column7, revision = revision + 1
                FROM (",
            );
            query.push_values(accepted, |mut row, accepted| {
                row.push_bind(accepted.device.0)
                    .push_bind(Json(&accepted.attributes))
                    .push_bind(accepted.is("ddi.window", "aware"))
                    .push_bind(accepted.free_at)
                    .push_bind(accepted.busy_at)
                    .push_bind(accepted.busy_until())
                    .push_bind(micros(accepted.now));
            });
            query.push(") AS accepted WHERE devices.id = accepted.column1");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Takes components and versions from attributes (`docs/devices.md` 3); whether anything is new.
    ///
    /// A device that names no components and has exactly one reports that one's version as `sw_version`. What an earlier report
    /// named and this one does not is gone; what came from an import stays until the device names its components.
    async fn take_inventory(&mut self, accepted: &AcceptedReport) -> Result<bool> {
        let (device, known, now) = (accepted.device, &accepted.before.components, accepted.now);
        let (before, attributes) = (&accepted.before.attributes, &accepted.attributes);
        let mut reported = components_in(attributes);
        if let (true, Some(version), [only]) = (
            reported.is_empty(),
            attributes.get("sw_version"),
            known.keys().collect::<Vec<_>>().as_slice(),
        ) {
            reported.insert((*only).clone(), Some(version.clone()));
        }
        let gone: Vec<String> = components_in(before)
            .into_keys()
            .filter(|product| known.contains_key(product) && !reported.contains_key(product))
            .collect();
        let mut changes = Vec::new();
        for (product, version) in reported {
            if known.get(&product) == Some(&version) {
                continue;
            }
            let product = ProductId(product);
            // A product that the portfolio does not know stays an attribute.
            let Some(record) = self.product(&product).await? else {
                continue;
            };
            let row = match &version {
                Some(text) => Some(self.known_version(&record, text).await?),
                None => None,
            };
            changes.push((device, product, row));
        }
        if changes.is_empty() && gone.is_empty() {
            return Ok(false);
        }
        self.put_components(&changes, now).await?;
        for product in gone {
            const SQL: &str = "DELETE FROM components WHERE device_id = $1 AND product_id = $2";
            each!(self, c => sqlx::query(SQL).bind(device.0).bind(&product).execute(c).await.map(drop))?;
        }
        Ok(true)
    }

    /// The row of a version, made if it is seen for the first time: then its standing to every published update is worked out.
    ///
    /// # Errors
    /// The database fails.
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
        for update in self.compared_releases(&product.id).await? {
            if let Some(release) = self.release(update).await? {
                let standing = standing(&release, &known, Version { text, released });
                self.put_standings(update, &[(id, standing)]).await?;
            }
        }
        Ok(id)
    }

    /// Works out how every known version of its product stands to a release, and writes it.
    ///
    /// # Errors
    /// The database fails.
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

/// What is known of a device before it reports.
struct KnownDevice {
    room: RoomId,
    attributes: BTreeMap<String, String>,
    free_at: Option<i64>,
    busy_at: Option<i64>,
    components: BTreeMap<String, Option<String>>,
}

/// A report of facts that is taken.
struct AcceptedReport {
    device: DeviceId,
    before: KnownDevice,
    attributes: BTreeMap<String, String>,
    free_at: Option<i64>,
    busy_at: Option<i64>,
    now: DateTime<Utc>,
    /// Whose outcome it is.
    index: usize,
}

impl AcceptedReport {
    fn new(
        device: DeviceId,
        before: KnownDevice,
        attributes: BTreeMap<String, String>,
        report: &ConfigReport,
        now: DateTime<Utc>,
        index: usize,
    ) -> Self {
        let mut accepted = Self {
            free_at: before.free_at,
            busy_at: before.busy_at,
            device,
            before,
            attributes,
            now,
            index,
        };
        // A report that does not speak of the room makes an earlier one no younger (K5).
        if report.mode == ConfigMode::Replace || report.data.contains_key("room.state") {
            let at = Some(micros(now));
            let is_free = accepted.is("room.state", "free");
            accepted.free_at = at.filter(|_| is_free);
            accepted.busy_at = at.filter(|_| !is_free && accepted.attributes.contains_key("room.state"));
        }
        accepted
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let given = self.attributes.get(key);
        given.is_some_and(|given| given.eq_ignore_ascii_case(value))
    }

    fn busy_until(&self) -> Option<i64> {
        let until = DateTime::parse_from_rfc3339(self.attributes.get("room.busy_until")?);
        until.ok().map(|until| until.timestamp_micros())
    }
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

/// Products with their versions, as attributes name them (`docs/devices.md` 3).
fn components_in(attributes: &BTreeMap<String, String>) -> BTreeMap<String, Option<String>> {
    let number = |key: &str| {
        let number = key.strip_prefix("component.")?.strip_suffix(".product")?;
        Some(number.to_owned())
    };
    let named = attributes
        .iter()
        .filter_map(|(key, product)| Some((number(key)?, product)));
    let version = |number: &str| {
        let version = attributes.get(&format!("component.{number}.version"));
        version.filter(|version| !version.is_empty()).cloned()
    };
    named
        .map(|(number, product)| (product.clone(), version(&number)))
        .collect()
}

fn merged(
    mut attributes: BTreeMap<String, String>,
    report: &ConfigReport,
) -> std::result::Result<BTreeMap<String, String>, ReportRefusal> {
    let too_long = |text: &str| text.chars().count() > MOST_CHARACTERS;
    for (key, value) in &report.data {
        if too_long(key) || value.as_deref().is_some_and(too_long) {
            return Err(ReportRefusal::TooLong {
                attribute: key.chars().take(MOST_CHARACTERS).collect(),
            });
        }
    }
    if report.mode == ConfigMode::Replace {
        attributes.clear();
    }
    for (key, value) in &report.data {
        match (report.mode, value) {
            (ConfigMode::Remove, _) | (ConfigMode::Merge | ConfigMode::Replace, None) => {
                attributes.remove(key);
            }
            (ConfigMode::Merge | ConfigMode::Replace, Some(value)) => {
                // Postgres has no way to keep a NUL in text.
                attributes.insert(key.replace('\0', ""), value.replace('\0', ""));
            }
        }
    }
    match report.data.keys().rfind(|key| attributes.contains_key(*key)) {
        Some(last) if attributes.len() > MOST_ATTRIBUTES => Err(ReportRefusal::TooMany {
            attribute: last.clone(),
        }),
        Some(_) | None => Ok(attributes),
    }
}
