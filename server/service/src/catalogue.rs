//! Catalogue files: products and releases, in the shape of the shared catalogue (G1, G6).
//!
//! Catalogues carry notes and sources for people; which keys those are, and that any other is refused, stands in `catalogue_keys.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use domain::access::Act;
use domain::clean::CleanLine;
use domain::ids::{ProductId, UpdateId};
use domain::text::counted;
use domain::update::{ProductKind, Severity};
use domain::version::{self, Version, VersionOrder, VersionScheme};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{NewRelease, ProductRecord, SUPPORT_WORKED_OUT};

use crate::announcements::announce_products;
use crate::catalogue_keys::{check_products, check_releases};
use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::limits::{LONGEST_ISSUE, LONGEST_NAME, LONGEST_VERSION, check_optional, check_text};
use crate::portfolio::compare_versions;
use crate::{Actor, Service};

/// Products and their releases.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub products: Vec<ProductLine>,
    /// Releases, in catalogue order within a product.
    pub releases: Vec<ReleaseLine>,
}

/// A product in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct ProductLine {
    /// Identity.
    pub id: String,
    pub vendor: CleanLine,
    pub name: CleanLine,
    /// os, app, firmware, driver, service.
    pub kind: String,
    /// What it says about its versions.
    #[serde(default)]
    pub version_scheme: SchemeLine,
    /// Part of the portfolio that is covered.
    #[serde(default)]
    pub covered: bool,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
    /// What DDI calls its chunk, where the agent wants another word than that of the kind (`docs/devices.md` 3).
    #[serde(default)]
    pub chunk_part: Option<String>,
}

/// Most characters of a chunk's part.
const LONGEST_PART: usize = 32;

/// A version scheme in a file.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SchemeLine {
    /// `numbers` or `release_date`.
    #[serde(default)]
    pub order_by: Option<String>,
    /// What may stand in front and means nothing.
    #[serde(default)]
    pub optional_prefix: Option<CleanLine>,
}

/// A release in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct ReleaseLine {
    /// Of what.
    pub product: String,
    pub version: CleanLine,
    /// Position in the product's history, from 1.
    pub rank: u32,
    /// Day of release.
    #[serde(default)]
    pub released: Option<NaiveDate>,
    /// Version that a device must run before.
    #[serde(default)]
    pub minimum_version: Option<CleanLine>,
    /// Withdrawn by the vendor.
    #[serde(default)]
    pub recalled: bool,
    /// Starts at once.
    #[serde(default)]
    pub critical: bool,
    /// Known faults.
    #[serde(default)]
    pub known_issues: Vec<KnownIssueLine>,
    /// Whether newer releases replace queued installs of this one.
    #[serde(default = "yes")]
    pub supersedes_by_order: bool,
    /// Typical minutes of an install.
    #[serde(default)]
    pub expected_minutes: Option<u32>,
    /// Device models; absent: all.
    #[serde(default)]
    pub applies_to_models: Vec<CleanLine>,
}

/// A known fault in a file.
#[derive(Clone, Debug, Deserialize)]
pub struct KnownIssueLine {
    /// What.
    pub summary: CleanLine,
    /// The version that mends it.
    #[serde(default)]
    pub fixed_in: Option<CleanLine>,
}

fn yes() -> bool {
    true
}

impl ProductLine {
    /// How its versions compare.
    #[must_use]
    pub fn scheme(&self) -> VersionScheme {
        VersionScheme {
            by_release_date: self.version_scheme.order_by.as_deref() == Some("release_date"),
            optional_prefix: self.version_scheme.optional_prefix.clone().map(String::from),
        }
    }

    fn record(&self) -> Result<ProductRecord> {
        let id = ProductId::parse(&self.id).map_err(|error| ServiceError::invalid("product", error.to_string()))?;
        if let Some(other) = self.version_scheme.order_by.as_deref()
            && !["numbers", "release_date"].contains(&other)
        {
            let problem = format!("product {id}: order_by {other:?} is not numbers or release_date");
            return Err(ServiceError::invalid("version scheme", problem));
        }
        let kind = ProductKind::from_word(&self.kind).ok_or_else(|| {
            ServiceError::invalid(
                "kind",
                format!(
                    "product {id}: {:?} is not os, app, firmware, driver or service",
                    self.kind
                ),
            )
        })?;
        for (field, text) in [("vendor", &self.vendor), ("name", &self.name)] {
            check_text(field, text, LONGEST_NAME).map_err(|error| about(&format!("product {id}"), error))?;
        }
        if let Some(prefix) = &self.version_scheme.optional_prefix {
            check_optional("version scheme", prefix).map_err(|error| about(&format!("product {id}"), error))?;
        }
        if let Some(part) = &self.chunk_part {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if part.is_empty() || part.len() > LONGEST_PART || !part.chars().all(is_plain) {
                let problem = format!("product {id}: {part:?} must be 1 to {LONGEST_PART} of A-Z a-z 0-9 . _ -");
                return Err(ServiceError::invalid("chunk part", problem));
            }
        }
        let minutes = self.expected_minutes;
        if !(1..=1440).contains(&minutes) {
            return Err(ServiceError::invalid(
                "expected minutes",
                format!("product {id}: {minutes} is not between 1 and 1440"),
            ));
        }
        Ok(ProductRecord {
            id,
            vendor: self.vendor.to_string(),
            name: self.name.to_string(),
            kind,
            covered: self.covered,
            scheme: self.scheme(),
            expected_minutes: minutes,
        })
    }
}

impl ReleaseLine {
    fn check(&self) -> Result<()> {
        check_text("version", &self.version, LONGEST_VERSION)?;
        if let Some(minimum) = self.minimum_version.as_ref().filter(|minimum| !minimum.is_empty()) {
            check_text("minimum version", minimum, LONGEST_VERSION)?;
        }
        for model in &self.applies_to_models {
            check_optional("models", model)?;
        }
        for issue in &self.known_issues {
            check_text("known issues", &issue.summary, LONGEST_ISSUE)?;
            if let Some(fixed_in) = &issue.fixed_in {
                check_optional("known issues", fixed_in)?;
            }
        }
        Ok(())
    }
}

/// A refusal that says which line of the file it is about.
fn about(line: &str, error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Invalid { field, problem } => ServiceError::invalid(field, format!("{line}: {problem}")),
        other => other,
    }
}

impl Catalogue {
    /// Reads a releases file, or a folder with `products.json` and `releases.json`.
    ///
    /// # Errors
    /// Names the file and the place that cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let (products, releases) = if path.is_dir() {
            (Some(path.join("products.json")), path.join("releases.json"))
        } else {
            (None, path.to_owned())
        };
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|error| ServiceError::invalid("catalogue", format!("{}: {error}", path.display())))
        };
        let products = products.map(|path| read(&path)).transpose()?;
        Self::parse(products.as_deref().unwrap_or("[]"), &read(&releases)?)
    }

    /// Takes the texts of `products.json` and `releases.json`.
    ///
    /// # Errors
    /// Names the place that cannot be read.
    pub fn parse(products: &str, releases: &str) -> Result<Self> {
        let invalid = |file: &'static str, error: &serde_json::Error| {
            ServiceError::invalid("catalogue", format!("{file}: {error}"))
        };
        let json = |file: &'static str, text: &str| -> Result<Value> {
            serde_json::from_str(text).map_err(|error| invalid(file, &error))
        };
        // The keys and days first: their refusals name the entry, and not only the line.
        check_products(&json("products", products)?)?;
        check_releases(&json("releases", releases)?)?;
        Ok(Self {
            products: serde_json::from_str(products).map_err(|error| invalid("products", &error))?,
            releases: serde_json::from_str(releases).map_err(|error| invalid("releases", &error))?,
        })
    }

    /// How two versions stand to each other (G6, S2). Without a product the plain rules hold.
    ///
    /// # Errors
    /// A product is named that the catalogue does not have.
    pub fn version_order(&self, a: (Option<&str>, &str), b: (Option<&str>, &str)) -> Result<VersionOrder> {
        if let (Some(product_a), Some(product_b)) = (a.0, b.0)
            && product_a != product_b
        {
            return Ok(VersionOrder {
                order: None,
                why: "Versions of different products have no order.",
            });
        }
        let product = match a.0.or(b.0) {
            None => None,
            Some(id) => {
                let found = self.products.iter().find(|product| product.id == id);
                // A releases file alone has no products: the plain rules hold.
                if found.is_none() && !self.products.is_empty() {
                    return Err(ServiceError::not_found(format!("Product {id:?} in the catalogue")));
                }
                Some((id, found))
            }
        };
        let scheme = product
            .and_then(|(_, found)| found)
            .map(ProductLine::scheme)
            .unwrap_or_default();
        let dated = |text| {
            let of_product = self
                .releases
                .iter()
                .filter(|release| product.is_some_and(|(id, _)| release.product == id));
            let mut same = of_product.filter(|release| version::is_same(&scheme, release.version.as_str(), text));
            same.find_map(|release| release.released)
        };
        let (a, b) = (
            Version {
                text: a.1,
                released: dated(a.1),
            },
            Version {
                text: b.1,
                released: dated(b.1),
            },
        );
        Ok(version::compare(&scheme, a, b))
    }
}

impl Service {
    /// Adds a catalogue's products and releases; a product that is there already takes the facts of the file, a release stays as it
    /// is. All or nothing.
    ///
    /// # Errors
    /// Names the line and the limit; nothing is changed then.
    pub async fn import_catalogue(&self, actor: &Actor, catalogue: &Catalogue) -> Result<(usize, usize)> {
        actor.may(Act::Publish)?;
        let records = catalogue.checked_products()?;
        let by_id: BTreeMap<&str, &ProductRecord> =
            records.iter().map(|record| (record.id.0.as_str(), record)).collect();
        change_records!(self, actor, Act::Publish, |tx, now| {
            let before = tx.products().await?;
            announce_products(tx, self.new_id()?, &before, &records, now).await?;
            tx.put_products(&records).await?;
            for line in catalogue.products.iter().filter(|line| line.chunk_part.is_some()) {
                tx.put_chunk_part(&ProductId(line.id.clone()), line.chunk_part.as_deref())
                    .await?;
            }
            let mut added = 0;
            let mut touched: BTreeSet<&ProductId> = BTreeSet::new();
            let products: Vec<&ProductId> = records.iter().map(|record| &record.id).collect();
            let mut released = tx.released_versions(&products).await?;
            for line in &catalogue.releases {
                let Some(product) = by_id.get(line.product.as_str()) else {
                    continue;
                };
                let version = line.version.as_str();
                if !released.insert((product.id.clone(), version.to_owned())) {
                    continue;
                }
                let version_id = tx.known_version(product, version).await?;
                tx.put_version(version_id, &product.id, version, line.released).await?;
                tx.add_release(&new_release(UpdateId(self.new_id()?), product, version_id, line))
                    .await?;
                touched.insert(&product.id);
                added += 1;
            }
            // Dates that came just now may order what had no order, and a new release may be the step that was missing (S2, S8).
            for product in touched {
                for update in tx.compared_releases(product).await? {
                    if let Some(release) = tx.release(update).await? {
                        compare_versions(tx, &release).await?;
                    }
                }
            }
            tx.wake_rollouts(now).await?;
            // Newer releases end the support of older ones (L1).
            tx.put_program_value(SUPPORT_WORKED_OUT, "").await?;
            let products = records.len();
            let summary = format!(
                "Imported a catalogue: {}, {}.",
                counted(products, "product"),
                counted(added, "new release")
            );
            let entry = actor
                .entry("catalogue.imported", "catalogue", "", summary)
                .with_after(json!({ "products": products, "releases": added }));
            (vec![entry], (products, added))
        })
    }
}

impl Catalogue {
    /// Its products, if it keeps every limit.
    fn checked_products(&self) -> Result<Vec<ProductRecord>> {
        let records = self
            .products
            .iter()
            .map(ProductLine::record)
            .collect::<Result<Vec<_>>>()?;
        let by_id: BTreeMap<&str, &ProductRecord> =
            records.iter().map(|record| (record.id.0.as_str(), record)).collect();
        for release in &self.releases {
            let known = by_id.contains_key(release.product.as_str());
            if !known {
                return Err(ServiceError::invalid(
                    "product",
                    format!(
                        "release {} is of {:?}, which the catalogue does not have",
                        release.version, release.product
                    ),
                ));
            }
            if release.version.is_empty() || release.version.length() > LONGEST_VERSION {
                return Err(ServiceError::invalid(
                    "version",
                    format!(
                        "{:?} of {} must have 1 to 128 characters",
                        release.version.as_str(),
                        release.product
                    ),
                ));
            }
            release
                .check()
                .map_err(|error| about(&format!("release of {}", release.product), error))?;
        }
        let mut ranks = BTreeSet::new();
        for release in &self.releases {
            let minutes = release.expected_minutes.unwrap_or(1);
            if !(1..=1440).contains(&minutes) {
                let problem = format!(
                    "release {} of {}: {minutes} is not between 1 and 1440",
                    release.version, release.product
                );
                return Err(ServiceError::invalid("expected minutes", problem));
            }
            if !ranks.insert((&release.product, release.rank)) {
                let problem = format!(
                    "release {} of {}: rank {} appears twice",
                    release.version, release.product, release.rank
                );
                return Err(ServiceError::invalid("rank", problem));
            }
        }
        Ok(records)
    }
}

fn new_release(id: UpdateId, product: &ProductRecord, version_id: uuid::Uuid, line: &ReleaseLine) -> NewRelease {
    NewRelease {
        id,
        product: product.id.clone(),
        version_id,
        version: line.version.to_string(),
        title: product.name.clone(),
        severity: if line.critical {
            Severity::Critical
        } else {
            Severity::Routine
        },
        minimum_version: line.minimum_version.clone().map(String::from),
        models: line.applies_to_models.iter().map(CleanLine::to_string).collect(),
        applies_to_unknown: false,
        supersedes: line.supersedes_by_order,
        expected_minutes: line.expected_minutes.unwrap_or(product.expected_minutes),
        known_issues: line
            .known_issues
            .iter()
            .map(|issue| (issue.summary.to_string(), issue.fixed_in.clone().map(String::from)))
            .collect(),
        recalled: line.recalled,
        position: line.rank,
    }
}
