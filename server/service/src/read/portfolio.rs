//! The portfolio as pages and programs read it (P7): products, one of them, a release, and what a catalogue would add.
//!
//! Start with [`ReadSnapshot::product_page`]. People change the portfolio in `crate::portfolio` and `crate::releases`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::Act;
use domain::ids::{ProductId, UpdateId};
use domain::status::UpdateStatus;
use domain::update::{ProductKind, Severity, titled};
use serde::Serialize;
use store::{ArtifactRecord, ReleaseRecord};
use uuid::Uuid;

use super::search::searched;
use super::{Numbered, NumberedPage, ReadSnapshot};
use crate::error::{Result, ServiceError};
use crate::estate_counts::RoomsWith;
use crate::{Actor, Service};

/// A product in the portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProductItem {
    /// Identity.
    pub id: ProductId,
    pub name: String,
    pub vendor: String,
    pub kind: ProductKind,
    /// This organisation's IT covers it.
    pub covered: bool,
    /// The newest release that is not recalled.
    pub newest: Option<NewestRelease>,
    /// Releases known.
    pub releases: i64,
    /// Rooms that have it.
    pub rooms: i64,
    /// The newest published update.
    pub published: Option<PublishedStatus>,
}

/// The newest release of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewestRelease {
    /// Version, as the vendor writes it.
    pub version: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
}

/// A published update, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedStatus {
    pub update: UpdateId,
    /// Its status (T3).
    pub status: UpdateStatus,
}

/// One product with a page of its releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProductDetail {
    /// Identity.
    pub id: ProductId,
    pub name: String,
    pub vendor: String,
    pub kind: ProductKind,
    /// This organisation's IT covers it.
    pub covered: bool,
    /// Its versions are supported for a time only (L1).
    pub has_support_policy: bool,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
    /// Rooms that have it.
    pub rooms: i64,
    /// Its releases, the newest first.
    pub releases: Numbered<ReleaseItem>,
}

/// A release in the list of its product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseItem {
    /// Identity.
    pub id: UpdateId,
    /// Version, as the vendor writes it.
    pub version: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    /// How urgent.
    pub severity: Severity,
    /// Its rollout's status; `None`: it is not published.
    pub status: Option<UpdateStatus>,
    /// Recalled, here or by its vendor.
    pub recalled: bool,
    pub files: i64,
    /// Devices that report it.
    pub devices: i64,
}

/// What a release says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseSummary {
    /// Identity.
    pub id: UpdateId,
    pub product: ProductId,
    /// The product's name, as the release says it.
    pub product_name: String,
    pub vendor: String,
    /// Kind of product.
    pub kind: ProductKind,
    /// Version, as the vendor writes it.
    pub version: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    /// How urgent.
    pub severity: Severity,
    /// What a device must run before (S8).
    pub minimum_version: Option<String>,
    /// Device models; empty: all.
    pub models: Vec<String>,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
    /// What is known to go wrong with it.
    pub known_issues: Vec<KnownIssue>,
    /// Recalled, here or by its vendor.
    pub recalled: bool,
}

/// Something that is known to go wrong with a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownIssue {
    pub what: String,
    /// The version in which it is mended.
    pub fixed_in: Option<String>,
}

impl ReleaseSummary {
    /// `Teams Rooms app 5.2.115.0`.
    #[must_use]
    pub fn title(&self) -> String {
        titled(&self.product_name, &self.version)
    }

    pub(crate) fn of(record: ReleaseRecord) -> Self {
        let ReleaseRecord {
            release,
            released,
            product,
        } = record;
        let known_issues = release.known_issues.into_iter();
        Self {
            id: release.id,
            product: product.id,
            product_name: release.title,
            vendor: product.vendor,
            kind: product.kind,
            version: release.version,
            released,
            severity: release.severity,
            minimum_version: release.minimum_version,
            models: release.models,
            expected_minutes: release.expected_minutes,
            known_issues: known_issues
                .map(|(what, fixed_in)| KnownIssue { what, fixed_in })
                .collect(),
            recalled: release.recalled,
        }
    }
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseFile {
    /// As devices see it.
    pub filename: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// An outside address; `None`: Nightshift has the bytes.
    pub url: Option<String>,
}

impl ReleaseFile {
    fn of(record: ArtifactRecord) -> Self {
        Self {
            filename: record.artifact.filename,
            size: record.artifact.size,
            sha256: record.artifact.sha256,
            url: record.artifact.url,
        }
    }
}

/// One release, before and after it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseDetail {
    /// What it says.
    pub release: ReleaseSummary,
    pub files: Vec<ReleaseFile>,
    /// Rooms in which a device reports it.
    pub rooms: i64,
    /// It has a rollout: its files stay as they are.
    pub published: bool,
}

/// What a catalogue that was sent would become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueReview {
    /// The file's name.
    pub name: String,
    /// Products that it would add or change.
    pub products: usize,
    /// Releases that it would add: product and version.
    pub releases: Vec<(ProductId, String)>,
}

impl ReadSnapshot {
    /// A page of the portfolio, covered products first, by name. `words`: a part of the name or of the vendor's, as somebody types it;
    /// empty: any.
    pub async fn product_page(&mut self, words: &str, page: NumberedPage) -> Result<Numbered<ProductItem>> {
        let words = searched(words);
        let (records, total) = self.tx.portfolio_page(&words, page.limit, page.offset()).await?;
        let in_use = records.iter().filter(|record| record.in_use);
        let in_use: Vec<ProductId> = in_use.map(|record| record.id.clone()).collect();
        let rooms = self.rooms_with(&in_use).await?;
        let published: Vec<UpdateId> = records.iter().filter_map(|record| record.published).collect();
        let statuses = self.statuses(&published).await?;
        let items = records.into_iter().map(|record| ProductItem {
            rooms: rooms.get(&record.id).copied().unwrap_or(0),
            published: record.published.and_then(|update| {
                let status = *statuses.get(&update)?;
                Some(PublishedStatus { update, status })
            }),
            id: record.id,
            name: record.name,
            vendor: record.vendor,
            kind: record.kind,
            covered: record.covered,
            newest: record
                .newest
                .map(|(version, released)| NewestRelease { version, released }),
            releases: record.releases,
        });
        Ok(Numbered {
            items: items.collect(),
            total,
        })
    }

    /// One product with a page of its releases.
    ///
    /// # Errors
    /// There is no such product.
    pub async fn product(&mut self, id: &ProductId, page: NumberedPage) -> Result<ProductDetail> {
        let missing = || ServiceError::not_found("This product");
        let product = self.tx.product(id).await?.ok_or_else(missing)?;
        let (records, total) = self.tx.release_page(id, page.limit, page.offset()).await?;
        let published = records.iter().filter(|record| record.published);
        let published: Vec<UpdateId> = published.map(|record| record.id).collect();
        let statuses = self.statuses(&published).await?;
        let releases = records.into_iter().map(|record| ReleaseItem {
            status: statuses.get(&record.id).copied(),
            id: record.id,
            version: record.version,
            released: record.released,
            severity: record.severity,
            recalled: record.recalled,
            files: record.files,
            devices: record.devices,
        });
        let rooms = self.rooms_with(std::slice::from_ref(id)).await?;
        Ok(ProductDetail {
            rooms: rooms.get(id).copied().unwrap_or(0),
            id: product.id,
            name: product.name,
            vendor: product.vendor,
            kind: product.kind,
            covered: product.covered,
            has_support_policy: self.tx.has_support_policy(id).await?,
            expected_minutes: product.expected_minutes,
            releases: Numbered {
                items: releases.collect(),
                total,
            },
        })
    }

    /// What a release says, published or not.
    ///
    /// # Errors
    /// There is no such release.
    pub async fn release(&mut self, id: UpdateId) -> Result<ReleaseSummary> {
        let missing = || ServiceError::not_found("This release");
        Ok(ReleaseSummary::of(self.tx.release(id).await?.ok_or_else(missing)?))
    }

    /// The files of a release.
    pub async fn release_files(&mut self, id: UpdateId) -> Result<Vec<ReleaseFile>> {
        let files = self.tx.artifacts(id).await?;
        Ok(files.into_iter().map(ReleaseFile::of).collect())
    }

    /// One release with its files, and where it runs.
    ///
    /// # Errors
    /// There is no such release.
    pub async fn release_detail(&mut self, id: UpdateId) -> Result<ReleaseDetail> {
        Ok(ReleaseDetail {
            release: self.release(id).await?,
            files: self.release_files(id).await?,
            rooms: self.tx.rooms_running_count(id).await?,
            published: self.tx.rollout(id).await?.is_some(),
        })
    }

    /// How many rooms have each of these products; of a large estate as it was a moment ago.
    pub(super) async fn rooms_with(&mut self, products: &[ProductId]) -> Result<BTreeMap<ProductId, i64>> {
        if self.database_of_large_estate().await?.is_none() {
            return Ok(self.tx.rooms_with(products).await?);
        }
        let mut with = BTreeMap::new();
        for product in products {
            with.insert(product.clone(), self.estate_count(&RoomsWith(product.clone())).await?);
        }
        Ok(with)
    }
}

impl Service {
    /// What a catalogue that was sent would become. Nothing is changed.
    ///
    /// # Errors
    /// The actor may not publish, or there is no such file any more.
    pub async fn review_catalogue(&self, actor: &Actor, upload: Uuid) -> Result<CatalogueReview> {
        actor.may(Act::Publish)?;
        let (name, catalogue) = self.uploaded_catalogue(actor, upload).await?;
        let named = catalogue.products.iter();
        let named: Vec<ProductId> = named.filter_map(|line| ProductId::parse(&line.id).ok()).collect();
        let mut tx = self.store.read().await?;
        let released = tx.released_versions(&named.iter().collect::<Vec<_>>()).await?;
        let lines = catalogue.releases.iter();
        let lines = lines.map(|line| (ProductId(line.product.clone()), line.version.to_string()));
        Ok(CatalogueReview {
            name,
            products: catalogue.products.len(),
            releases: lines.filter(|line| !released.contains(line)).collect(),
        })
    }
}
