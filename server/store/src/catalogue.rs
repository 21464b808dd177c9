//! Products, versions, releases, artifacts, and how versions stand to published updates.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::ids::{ProductId, UpdateId};
use domain::update::{ProductKind, Severity, Update, VersionStanding};
use domain::version::VersionScheme;
use sqlx::types::Json;
use uuid::Uuid;

use crate::deployments::BATCH;
use crate::error::Result;
use crate::rows::{ids_in, small, texts_in, word};
use crate::tx::{Tx, each};

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRecord {
    /// Identity.
    pub id: ProductId,
    pub vendor: String,
    pub name: String,
    pub kind: ProductKind,
    /// Part of the portfolio that this organisation covers.
    pub covered: bool,
    /// What it says about its versions.
    pub scheme: VersionScheme,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
}

/// A known version of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// Row.
    pub id: Uuid,
    /// As the vendor or a device writes it.
    pub text: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
}

/// A release to add.
#[derive(Clone, Debug)]
pub struct NewRelease {
    /// Identity.
    pub id: UpdateId,
    /// Of what.
    pub product: ProductId,
    /// Row of its version.
    pub version_id: Uuid,
    pub version: String,
    /// Title on screen: the product's name unless it says otherwise.
    pub title: String,
    /// How urgent.
    pub severity: Severity,
    /// What a device must run before.
    pub minimum_version: Option<String>,
    /// Device models; empty: all.
    pub models: Vec<String>,
    /// Whether it goes to devices that do not say their version.
    pub applies_to_unknown: bool,
    /// Whether a newer release replaces queued installs of this one (S9).
    pub supersedes: bool,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
    /// Known issues: (what, fixed in).
    pub known_issues: Vec<(String, Option<String>)>,
    /// Withdrawn by the vendor.
    pub recalled: bool,
    /// Position in the product's history.
    pub position: u32,
}

/// A release with its words.
#[derive(Clone, Debug)]
pub struct ReleaseRecord {
    pub release: NewRelease,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    pub product: ProductRecord,
}

/// An artifact to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArtifact {
    pub update: UpdateId,
    /// File name as devices see it.
    pub filename: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// Lower-case hex.
    pub sha1: String,
    /// Lower-case hex.
    pub md5: String,
    /// An outside address; `None`: it lies in the artifact folder under its SHA-256.
    pub url: Option<String>,
}

/// An artifact with the number that DDI clients see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// Software module.
    pub module: i32,
    pub artifact: NewArtifact,
}

type ProductRow = (String, String, String, String, bool, bool, Option<String>, i64);

pub(crate) fn product(row: ProductRow) -> Result<ProductRecord> {
    let (id, vendor, name, kind, covered, by_release_date, optional_prefix, minutes) = row;
    Ok(ProductRecord {
        kind: word("products", &id, &kind, ProductKind::from_word)?,
        expected_minutes: small("products", &id, minutes)?,
        id: ProductId(id),
        vendor,
        name,
        covered,
        scheme: VersionScheme {
            by_release_date,
            optional_prefix,
        },
    })
}

#[derive(sqlx::FromRow)]
struct UpdateRow {
    id: Uuid,
    product_id: String,
    title: String,
    kind: String,
    vendor: String,
    version: String,
    released: Option<NaiveDate>,
    severity: String,
    expected_minutes: i64,
    minimum_version: Option<String>,
    models: Json<Vec<String>>,
    applies_to_unknown: bool,
    offerable: bool,
}

impl UpdateRow {
    /// Without the standings of versions.
    fn into_domain(self) -> Result<Update> {
        let id = self.id;
        Ok(Update {
            id: UpdateId(id),
            product: ProductId(self.product_id),
            product_name: self.title,
            kind: word("products", id, &self.kind, ProductKind::from_word)?,
            vendor: self.vendor,
            version: self.version,
            released: self.released,
            severity: word("updates", id, &self.severity, Severity::from_word)?,
            expected_minutes: small("updates", id, self.expected_minutes)?,
            minimum_version: self.minimum_version,
            models: self.models.0,
            applies_to_unknown: self.applies_to_unknown,
            offerable: self.offerable,
            standings: BTreeMap::new(),
        })
    }
}

impl Tx {
    /// Adds or changes products.
    pub async fn put_products(&mut self, products: &[ProductRecord]) -> Result<()> {
        const SQL: &str = "INSERT INTO products
            (id, vendor, name, kind, covered, by_release_date, optional_prefix, expected_minutes, has_support_policy)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (id) DO UPDATE SET vendor = excluded.vendor, name = excluded.name, kind = excluded.kind,
                covered = excluded.covered, by_release_date = excluded.by_release_date,
                optional_prefix = excluded.optional_prefix, expected_minutes = excluded.expected_minutes";
        for product in products {
            each!(self, c => sqlx::query(SQL)
                .bind(&product.id.0)
                .bind(&product.vendor)
                .bind(&product.name)
                .bind(product.kind.as_str())
                .bind(product.covered)
                .bind(product.scheme.by_release_date)
                .bind(product.scheme.optional_prefix.as_deref())
                .bind(i64::from(product.expected_minutes))
                // Of a new one; one that is there keeps what somebody has said (L1).
                .bind(product.kind == ProductKind::App)
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// What DDI calls the chunk of a product: its own word, or that of its kind (`docs/devices.md` 3).
    pub async fn chunk_part(&mut self, product: &ProductRecord) -> Result<String> {
        const SQL: &str = "SELECT chunk_part FROM products WHERE id = $1";
        let own: Option<Option<String>> =
            each!(self, c => sqlx::query_scalar(SQL).bind(&product.id.0).fetch_optional(c).await)?;
        Ok(own.flatten().unwrap_or_else(|| product.kind.chunk_part().to_owned()))
    }

    /// Gives the chunk of a product a word of its own; `None`: that of its kind.
    pub async fn put_chunk_part(&mut self, product: &ProductId, part: Option<&str>) -> Result<()> {
        const SQL: &str = "UPDATE products SET chunk_part = $2 WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(&product.0).bind(part).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A product.
    pub async fn product(&mut self, id: &ProductId) -> Result<Option<ProductRecord>> {
        const SQL: &str = "SELECT id, vendor, name, kind, covered, by_release_date, optional_prefix, expected_minutes
            FROM products WHERE id = $1";
        // Postgres cannot be asked for it.
        if id.0.contains('\0') {
            return Ok(None);
        }
        let row: Option<ProductRow> = each!(self, c => sqlx::query_as(SQL).bind(&id.0).fetch_optional(c).await)?;
        row.map(product).transpose()
    }

    /// All products, by name.
    pub async fn products(&mut self) -> Result<Vec<ProductRecord>> {
        const SQL: &str = "SELECT id, vendor, name, kind, covered, by_release_date, optional_prefix, expected_minutes
            FROM products ORDER BY name, id";
        let rows: Vec<ProductRow> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter().map(product).collect()
    }

    /// Every known version of a product.
    pub async fn versions(&mut self, product: &ProductId) -> Result<Vec<VersionRecord>> {
        const SQL: &str = "SELECT id, text, released FROM versions WHERE product_id = $1 ORDER BY text";
        let rows: Vec<(Uuid, String, Option<NaiveDate>)> =
            each!(self, c => sqlx::query_as(SQL).bind(&product.0).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(id, text, released)| VersionRecord { id, text, released })
            .collect())
    }

    /// Adds a version, or gives the known one its release day; returns its row.
    pub async fn put_version(
        &mut self,
        id: Uuid,
        product: &ProductId,
        text: &str,
        released: Option<NaiveDate>,
    ) -> Result<Uuid> {
        const SQL: &str = "INSERT INTO versions (id, product_id, text, released) VALUES ($1, $2, $3, $4)
            ON CONFLICT (product_id, text) DO UPDATE SET released = COALESCE(excluded.released, versions.released)
            RETURNING id";
        Ok(
            each!(self, c => sqlx::query_scalar(SQL).bind(id).bind(&product.0).bind(text).bind(released).fetch_one(c).await)?,
        )
    }

    /// Adds releases.
    ///
    /// # Errors
    /// The version has a release already.
    pub async fn add_release(&mut self, release: &NewRelease) -> Result<()> {
        const SQL: &str = "INSERT INTO updates
            (id, product_id, version_id, version, title, severity, minimum_version, models, applies_to_unknown, supersedes,
             expected_minutes, known_issues, recalled, position)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        each!(self, c => sqlx::query(SQL)
            .bind(release.id.0)
            .bind(&release.product.0)
            .bind(release.version_id)
            .bind(&release.version)
            .bind(&release.title)
            .bind(release.severity.as_str())
            .bind(release.minimum_version.as_deref())
            .bind(Json(&release.models))
            .bind(release.applies_to_unknown)
            .bind(release.supersedes)
            .bind(i64::from(release.expected_minutes))
            .bind(Json(&release.known_issues))
            .bind(release.recalled)
            .bind(i64::from(release.position))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Sets how urgent a release is, and its title; what an admin grades when publishing.
    pub async fn grade_release(&mut self, id: UpdateId, severity: Severity, title: &str) -> Result<()> {
        const SQL: &str = "UPDATE updates SET severity = $2, title = $3 WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(id.0).bind(severity.as_str()).bind(title).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The versions of these products that have a release.
    pub async fn released_versions(&mut self, products: &[&ProductId]) -> Result<BTreeSet<(ProductId, String)>> {
        let mut released = BTreeSet::new();
        for batch in products.chunks(BATCH) {
            let rows: Vec<(String, String)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT product_id, version FROM updates WHERE product_id IN (");
                texts_in(&mut query, batch.iter().map(|product| product.0.as_str()));
                query.push(" ORDER BY product_id, position");
                query.build_query_as().fetch_all(c).await
            })?;
            released.extend(rows.into_iter().map(|(product, version)| (ProductId(product), version)));
        }
        Ok(released)
    }

    /// The release of a version of a product.
    pub async fn release_of(&mut self, product: &ProductId, version: &str) -> Result<Option<ReleaseRecord>> {
        const SQL: &str = "SELECT id FROM updates WHERE product_id = $1 AND version = $2";
        // Postgres cannot be asked for it.
        if version.contains('\0') {
            return Ok(None);
        }
        let id: Option<Uuid> =
            each!(self, c => sqlx::query_scalar(SQL).bind(&product.0).bind(version).fetch_optional(c).await)?;
        match id {
            Some(id) => self.release(UpdateId(id)).await,
            None => Ok(None),
        }
    }

    /// A release.
    pub async fn release(&mut self, id: UpdateId) -> Result<Option<ReleaseRecord>> {
        const SQL: &str = "SELECT u.product_id, u.version_id, u.version, u.title, u.severity, u.minimum_version, u.models,
                u.applies_to_unknown, u.supersedes, u.expected_minutes, u.known_issues, u.recalled, u.position, v.released
            FROM updates u JOIN versions v ON v.id = u.version_id WHERE u.id = $1";
        type Row = (
            String,
            Uuid,
            String,
            String,
            String,
            Option<String>,
            Json<Vec<String>>,
            bool,
            bool,
            i64,
            Json<Vec<(String, Option<String>)>>,
            bool,
            i64,
            Option<NaiveDate>,
        );
        let row: Option<Row> = each!(self, c => sqlx::query_as(SQL).bind(id.0).fetch_optional(c).await)?;
        let Some(row) = row else { return Ok(None) };
        let (
            product,
            version_id,
            version,
            title,
            severity,
            minimum_version,
            models,
            applies_to_unknown,
            supersedes,
            ..,
        ) = row.clone();
        let (minutes, known_issues, recalled, position, released) = (row.9, row.10, row.11, row.12, row.13);
        let release = NewRelease {
            id,
            product: ProductId(product.clone()),
            version_id,
            version,
            title,
            severity: word("updates", id, &severity, Severity::from_word)?,
            minimum_version,
            models: models.0,
            applies_to_unknown,
            supersedes,
            expected_minutes: small("updates", id, minutes)?,
            known_issues: known_issues.0,
            recalled,
            position: small("updates", id, position)?,
        };
        let record = self.product(&ProductId(product)).await?;
        Ok(record.map(|product| ReleaseRecord {
            release,
            released,
            product,
        }))
    }

    /// Writes how versions stand to an update.
    pub async fn put_standings(&mut self, update: UpdateId, standings: &[(Uuid, VersionStanding)]) -> Result<()> {
        for batch in standings.chunks(500) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("INSERT INTO standings (update_id, version_id, standing) ");
                query.push_values(batch, |mut row, (version, standing)| {
                    row.push_bind(update.0).push_bind(*version).push_bind(standing.as_str());
                });
                query.push(" ON CONFLICT (update_id, version_id) DO UPDATE SET standing = excluded.standing");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Releases of a product to which its versions are compared: the published ones, and what may be a step to one (S8).
    pub async fn compared_releases(&mut self, product: &ProductId) -> Result<Vec<UpdateId>> {
        const SQL: &str = "SELECT u.id FROM updates u WHERE u.product_id = $1
                AND EXISTS (SELECT 1 FROM standings s WHERE s.update_id = u.id) ORDER BY u.id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).bind(&product.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(UpdateId).collect())
    }

    /// Releases that may be steps on a way to one of these updates (S8): those of its product whose standings are worked out.
    pub async fn steps_to(&mut self, updates: &BTreeMap<UpdateId, Update>) -> Result<Vec<UpdateId>> {
        let products: BTreeSet<&ProductId> = updates
            .values()
            .filter(|update| update.minimum_version.is_some())
            .map(|update| &update.product)
            .collect();
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT u.id FROM updates u WHERE u.product_id IN (");
            texts_in(&mut query, products.iter().map(|product| product.0.as_str()));
            query.push(" AND EXISTS (SELECT 1 FROM standings s WHERE s.update_id = u.id) ORDER BY u.id");
            query.build_query_scalar().fetch_all(c).await
        })?;
        Ok(ids.into_iter().map(UpdateId).collect())
    }

    /// All releases of a product.
    pub async fn releases_of(&mut self, product: &ProductId) -> Result<Vec<UpdateId>> {
        const SQL: &str = "SELECT id FROM updates WHERE product_id = $1 ORDER BY position, id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).bind(&product.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(UpdateId).collect())
    }

    /// Marks a release as recalled (S10), on a day of the organisation's.
    pub async fn recall_release(&mut self, id: UpdateId, on: NaiveDate) -> Result<()> {
        const SQL: &str = "UPDATE updates SET recalled = $2, recalled_on = $3 WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(id.0).bind(true).bind(on).execute(c).await.map(drop))?;
        // A release that is recalled ends nobody's support any more (L1).
        self.put_program_value(crate::SUPPORT_WORKED_OUT, "").await?;
        Ok(())
    }

    /// Updates for planning.
    pub async fn updates(&mut self, ids: &[UpdateId]) -> Result<BTreeMap<UpdateId, Update>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<UpdateRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT u.id, u.product_id, u.title, p.kind, p.vendor, u.version, v.released, u.severity, u.expected_minutes,
                    u.minimum_version, u.models, u.applies_to_unknown,
                    NOT u.recalled AND EXISTS (SELECT 1 FROM artifacts a WHERE a.update_id = u.id) AS offerable
                FROM updates u JOIN products p ON p.id = u.product_id JOIN versions v ON v.id = u.version_id WHERE u.id IN (",
            );
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY u.id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut updates = BTreeMap::new();
        for row in rows {
            let update = row.into_domain()?;
            updates.insert(update.id, update);
        }
        self.add_standings(ids, &mut updates).await?;
        Ok(updates)
    }

    async fn add_standings(&mut self, ids: &[UpdateId], updates: &mut BTreeMap<UpdateId, Update>) -> Result<()> {
        let rows: Vec<(Uuid, String, String)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT s.update_id, v.text, s.standing FROM standings s JOIN versions v ON v.id = s.version_id WHERE s.update_id IN (",
            );
            ids_in(&mut query, ids.iter().map(|id| id.0));
            query.push(" ORDER BY s.update_id, v.text");
            query.build_query_as().fetch_all(c).await
        })?;
        for (update, version, standing) in rows {
            let standing = word("standings", update, &standing, VersionStanding::from_word)?;
            if let Some(update) = updates.get_mut(&UpdateId(update)) {
                update.standings.insert(version, standing);
            }
        }
        Ok(())
    }

    /// Adds an artifact; returns its software module number.
    ///
    /// # Errors
    /// The update has a file of this name.
    pub async fn add_artifact(&mut self, artifact: &NewArtifact) -> Result<i32> {
        const SQL: &str = "INSERT INTO artifacts (update_id, filename, size, sha256, sha1, md5, url)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING module";
        let size = i64::try_from(artifact.size).unwrap_or(i64::MAX);
        Ok(each!(self, c => sqlx::query_scalar(SQL)
            .bind(artifact.update.0)
            .bind(&artifact.filename)
            .bind(size)
            .bind(&artifact.sha256)
            .bind(&artifact.sha1)
            .bind(&artifact.md5)
            .bind(artifact.url.as_deref())
            .fetch_one(c)
            .await)?)
    }

    /// The artifacts of an update.
    pub async fn artifacts(&mut self, update: UpdateId) -> Result<Vec<ArtifactRecord>> {
        const SQL: &str =
            "SELECT module, filename, size, sha256, sha1, md5, url FROM artifacts WHERE update_id = $1 ORDER BY module";
        type Row = (i32, String, i64, String, String, String, Option<String>);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(module, filename, size, sha256, sha1, md5, url)| ArtifactRecord {
                module,
                artifact: NewArtifact {
                    update,
                    filename,
                    size: u64::try_from(size).unwrap_or(0),
                    sha256,
                    sha1,
                    md5,
                    url,
                },
            })
            .collect())
    }

    /// An artifact by what stands in its address.
    pub async fn artifact(&mut self, module: i32, filename: &str) -> Result<Option<ArtifactRecord>> {
        const SQL: &str = "SELECT update_id FROM artifacts WHERE module = $1 AND filename = $2";
        let update: Option<Uuid> =
            each!(self, c => sqlx::query_scalar(SQL).bind(module).bind(filename).fetch_optional(c).await)?;
        let Some(update) = update else { return Ok(None) };
        let all = self.artifacts(UpdateId(update)).await?;
        Ok(all.into_iter().find(|artifact| artifact.module == module))
    }
}
