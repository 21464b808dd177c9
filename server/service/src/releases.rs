//! What people do in the portfolio before they publish (P7): products and releases are added, files sent, and what publishing would mean
//! is worked out (K9). Publishing itself is in `portfolio`.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::NaiveDate;
use domain::access::Act;
use domain::clean::{CleanLine, CleanText};
use domain::commands::publish::publish;
use domain::freeze::check_date;
use domain::ids::{ProductId, RingId, UpdateId};
use domain::rollout::PlannedStage;
use domain::update::{ProductKind, Severity, titled};
use domain::version::VersionScheme;
use futures::Stream;
use serde_json::json;
use store::{NewRelease, ProductRecord, ReleaseRecord, Tx};
use uuid::Uuid;

use crate::announcements::announce_products;
use crate::artifacts::Hashes;
use crate::catalogue::Catalogue;
use crate::change::{change_records, preview};
use crate::error::{Result, ServiceError};
use crate::limits::{LONGEST_ISSUE, LONGEST_NAME, LONGEST_VERSION, check_text};
use crate::portfolio::{ReleaseFacts, check_filename, compare_versions, may_have_file, superseded};
use crate::uploads::pending_upload;
use crate::{Actor, Service};

/// Minutes of an install: a day.
pub const MOST_MINUTES: u32 = 1440;
/// Bytes of a file that people send: the largest device images are a few GB.
pub const LARGEST_FILE: u64 = 8 * 1024 * 1024 * 1024;
/// Known issues of a release, and device models.
const MOST_LINES: usize = 200;
/// A product as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductDraft {
    /// Identity: 1 to 80 of `a-z0-9-`.
    pub id: String,
    pub vendor: CleanLine,
    pub name: CleanLine,
    pub kind: ProductKind,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
}

/// A release as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseDraft {
    /// Of what.
    pub product: ProductId,
    /// Version, as the vendor and the devices write it.
    pub version: CleanLine,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    /// How urgent.
    pub severity: Severity,
    /// What a device must run before; empty: anything (S8).
    pub minimum_version: CleanLine,
    /// Device models, one a line; empty: all.
    pub models: CleanText,
    /// Whether it goes to devices that do not say their version (S1).
    pub applies_to_unknown: bool,
    /// Typical minutes of an install; `None`: its product's.
    pub expected_minutes: Option<u32>,
    /// Known issues, one a line.
    pub known_issues: CleanText,
}

/// What publishing a release right now would mean (K9).
#[derive(Clone, Debug)]
pub struct PublishPlan {
    /// Date of the first ring's first night.
    pub starts_on: NaiveDate,
    /// Every ring's dates.
    pub stages: Vec<PlannedStage>,
    /// Rooms of each ring that it is for now.
    pub rooms: BTreeMap<RingId, i64>,
    /// Titles of what would give way to it (S9).
    pub supersedes: Vec<String>,
}

impl Service {
    /// Adds a product.
    ///
    /// # Errors
    /// Names the field and the limit.
    pub async fn add_product(&self, actor: &Actor, draft: &ProductDraft) -> Result<ProductId> {
        change_records!(self, actor, Act::Publish, |tx, now| {
            let record = draft.checked()?;
            let id = record.id.clone();
            if tx.product(&id).await?.is_some() {
                return Err(ServiceError::invalid("id", format!("there is a product {id} already")));
            }
            let before = tx.products().await?;
            announce_products(tx, self.new_id()?, &before, std::slice::from_ref(&record), now).await?;
            tx.put_products(std::slice::from_ref(&record)).await?;
            let summary = format!("Added the product {}.", record.name);
            let entry = actor.entry("product.added", "product", &id, summary);
            (vec![entry.with_after(product_facts(&record))], id)
        })
    }

    /// Takes a product into the covered part of the portfolio, or out of it (P7).
    ///
    /// # Errors
    /// There is no such product, or it stands like that already.
    pub async fn cover_product(&self, actor: &Actor, id: &ProductId, covered: bool) -> Result<()> {
        change_records!(self, actor, Act::Publish, |tx, now| {
            let before = known(tx, id).await?;
            let words = if covered { "covered" } else { "not covered" };
            if before.covered == covered {
                let problem = format!("{} is {words} already", before.name);
                return Err(ServiceError::conflict(problem));
            }
            let after = ProductRecord {
                covered,
                ..before.clone()
            };
            tx.put_products(std::slice::from_ref(&after)).await?;
            let summary = format!("{} is {words} now.", before.name);
            let entry = actor
                .entry("product.covered", "product", id, summary)
                .with_before(product_facts(&before))
                .with_after(product_facts(&after));
            (vec![entry], ())
        })
    }

    /// Adds a release of a product, as its newest. It is not published yet, and needs a file before it is.
    ///
    /// # Errors
    /// Names the field and the limit; there is no such product.
    pub async fn add_release(&self, actor: &Actor, draft: &ReleaseDraft) -> Result<UpdateId> {
        let id = UpdateId(self.new_id()?);
        change_records!(self, actor, Act::Publish, |tx, now| {
            tx.put_program_value(store::SUPPORT_WORKED_OUT, "").await?;
            let release = draft.checked_with_known_version(tx, id).await?;
            tx.put_version(release.version_id, &release.product, &release.version, draft.released)
                .await?;
            let title = titled(&release.title, &release.version);
            tx.add_release(&release).await.map_err(|error| match error {
                // The same version, written in another way (S2).
                store::StoreError::Constraint(..) => {
                    let product = &release.title;
                    let problem = format!("{product} has a release of this version, written differently");
                    ServiceError::invalid("version", problem)
                }
                other => other.into(),
            })?;
            // Its date may order what had no order (S2).
            for compared in tx.compared_releases(&release.product).await? {
                let other = self::release(tx, compared).await?;
                compare_versions(tx, &other).await?;
            }
            tx.wake_rollouts(now).await?;
            let known_issues: Vec<&String> = release.known_issues.iter().map(|(issue, _)| issue).collect();
            let entry = actor.entry("release.added", "update", id, format!("Added the release {title}."));
            let entry = entry.with_after(json!({
                "version": release.version, "released": draft.released, "severity": release.severity,
                "minimum version": release.minimum_version, "models": release.models,
                "expected minutes": release.expected_minutes, "known issues": known_issues,
            }));
            (vec![entry], id)
        })
    }

    /// Takes a file of a release as it comes; [`Service::add_file`] gives it to the release. What that would refuse in the end is refused
    /// before the bytes arrive.
    ///
    /// # Errors
    /// Whoever sends it may not, the release or the name is no good, the file is too large or breaks off, or the disk is full.
    pub async fn receive_file<S, E>(&self, actor: &Actor, update: UpdateId, filename: &str, bytes: S) -> Result<Hashes>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        actor.may(Act::Publish)?;
        check_filename(filename)?;
        let mut tx = self.store.read().await?;
        may_have_file(&mut tx, update, filename).await?;
        drop(tx);
        self.artifacts.receive(bytes, LARGEST_FILE).await
    }

    /// Takes a file away from a release that is not published yet.
    ///
    /// # Errors
    /// There is no such release or file, or it is published.
    pub async fn remove_file(&self, actor: &Actor, update: UpdateId, filename: &str) -> Result<()> {
        change_records!(self, actor, Act::Publish, |tx, now| {
            let release = release(tx, update).await?;
            let title = titled(&release.release.title, &release.release.version);
            if tx.rollout(update).await?.is_some() {
                let problem = format!("{title} is published; its files stay as they are");
                return Err(ServiceError::conflict(problem));
            }
            let files = tx.artifacts(update).await?;
            let file = files.into_iter().find(|file| file.artifact.filename == filename);
            let file = file.ok_or_else(|| ServiceError::not_found(format!("The file {filename:?}")))?;
            tx.delete_artifact(update, filename).await?;
            tx.wake_rollouts(now).await?;
            let was = json!({ "filename": filename, "size": file.artifact.size, "sha256": file.artifact.sha256 });
            let summary = format!("Removed {filename} from {title}.");
            let entry = actor.entry("release.file_removed", "update", update, summary);
            (vec![entry.with_before(was)], ())
        })
    }

    /// What publishing a release right now would mean (K9). Nothing is changed.
    ///
    /// # Errors
    /// As [`Service::publish`].
    pub async fn publish_plan(&self, actor: &Actor, update: UpdateId, severity: Severity) -> Result<PublishPlan> {
        preview!(
            self,
            actor,
            Act::Publish,
            |tx| {
                let release = release(tx, update).await?;
                let older = superseded(tx, update).await?;
                let mut facts = ReleaseFacts::of(tx, &release, &older).await?;
                facts.update.severity = severity;
                facts
            },
            |facts, now| {
                let published = publish(&facts.release, &facts.publish(), &actor.name, now)?;
                let zone = &facts.organisation.zone;
                let mut waiting = tx.waiting_by_ring(&[update], zone.date(now)).await?;
                PublishPlan {
                    starts_on: published.rollout.starts_on,
                    stages: published.rollout.calendar_at(&facts.rings, &facts.freezes, zone, now),
                    rooms: waiting.remove(&update).unwrap_or_default(),
                    supersedes: facts.titles.into_values().collect(),
                }
            }
        )
    }

    /// Keeps a catalogue until somebody has looked at what it would become.
    ///
    /// # Errors
    /// It is no catalogue.
    pub async fn upload_catalogue(&self, actor: &Actor, name: &str, products: &str, releases: &str) -> Result<Uuid> {
        actor.may(Act::Publish)?;
        Catalogue::parse(products, releases)?;
        let text = json!([products, releases]).to_string();
        self.keep_upload(actor, "catalogue", name, text).await
    }

    /// The catalogue that was sent, and what it is called.
    ///
    /// # Errors
    /// There is no such file any more.
    pub async fn uploaded_catalogue(&self, actor: &Actor, upload: Uuid) -> Result<(String, Catalogue)> {
        actor.may(Act::Publish)?;
        let upload = pending_upload(&mut self.store.read().await?, upload, "catalogue").await?;
        let unreadable = |_| ServiceError::not_found("What was kept of this file");
        let (products, releases): (String, String) = serde_json::from_str(&upload.text).map_err(unreadable)?;
        Ok((upload.name, Catalogue::parse(&products, &releases)?))
    }

    /// Imports a catalogue that was looked at before: products and new releases.
    ///
    /// # Errors
    /// As [`Service::import_catalogue`]; there is no such file any more.
    pub async fn import_uploaded_catalogue(&self, actor: &Actor, upload: Uuid) -> Result<(usize, usize)> {
        let (_, catalogue) = self.uploaded_catalogue(actor, upload).await?;
        let added = self.import_catalogue(actor, &catalogue).await?;
        self.forget_upload(upload).await?;
        Ok(added)
    }
}

impl ProductDraft {
    fn checked(&self) -> Result<ProductRecord> {
        let id = ProductId::parse(self.id.trim()).map_err(|error| ServiceError::invalid("id", error.to_string()))?;
        check_text("vendor", &self.vendor, LONGEST_NAME)?;
        check_text("name", &self.name, LONGEST_NAME)?;
        Ok(ProductRecord {
            id,
            vendor: self.vendor.to_string(),
            name: self.name.to_string(),
            kind: self.kind,
            covered: true,
            scheme: VersionScheme::default(),
            expected_minutes: checked_minutes(self.expected_minutes)?,
        })
    }
}

impl ReleaseDraft {
    /// The release behind all others of its product. A version that is seen for the first time gets its row.
    async fn checked_with_known_version(&self, tx: &mut Tx, id: UpdateId) -> Result<NewRelease> {
        check_text("version", &self.version, LONGEST_VERSION)?;
        let version = self.version.as_str();
        let minimum = Some(&self.minimum_version).filter(|minimum| !minimum.is_empty());
        if let Some(minimum) = minimum {
            check_text("minimum version", minimum, LONGEST_VERSION)?;
        }
        if let Some(date) = self.released {
            check_date(date).map_err(|error| ServiceError::invalid("released", error.to_string()))?;
        }
        let models = checked_lines("models", &self.models, LONGEST_NAME)?;
        let known_issues = checked_lines("known issues", &self.known_issues, LONGEST_ISSUE)?;
        let minutes = self.expected_minutes.map(checked_minutes).transpose()?;
        let product = known(tx, &self.product).await?;
        if tx.release_of(&product.id, version).await?.is_some() {
            let problem = format!("{} has a release {version} already", product.name);
            return Err(ServiceError::invalid("version", problem));
        }
        Ok(NewRelease {
            id,
            version_id: tx.known_version(&product, version).await?,
            version: version.to_owned(),
            severity: self.severity,
            minimum_version: minimum.map(CleanLine::to_string),
            models,
            applies_to_unknown: self.applies_to_unknown,
            supersedes: true,
            expected_minutes: minutes.unwrap_or(product.expected_minutes),
            known_issues: known_issues.into_iter().map(|issue| (issue, None)).collect(),
            recalled: false,
            position: tx.next_release_position(&product.id).await?,
            product: product.id,
            title: product.name,
        })
    }
}

async fn known(tx: &mut Tx, id: &ProductId) -> Result<ProductRecord> {
    tx.product(id)
        .await?
        .ok_or_else(|| ServiceError::not_found("This product"))
}

async fn release(tx: &mut Tx, id: UpdateId) -> Result<ReleaseRecord> {
    tx.release(id)
        .await?
        .ok_or_else(|| ServiceError::not_found("This release"))
}

fn checked_minutes(minutes: u32) -> Result<u32> {
    if (1..=MOST_MINUTES).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(ServiceError::invalid(
            "expected minutes",
            format!("{minutes} is not between 1 and {MOST_MINUTES}"),
        ))
    }
}

/// The lines of a field, without empty ones.
fn checked_lines(field: &'static str, text: &CleanText, longest: usize) -> Result<Vec<String>> {
    let lines: Vec<CleanLine> = text
        .as_str()
        .lines()
        .map(CleanLine::from)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.len() > MOST_LINES {
        return Err(ServiceError::invalid(
            field,
            format!("{} lines are too many; at most {MOST_LINES}", lines.len()),
        ));
    }
    for line in &lines {
        check_text(field, line, longest)?;
    }
    Ok(lines.into_iter().map(String::from).collect())
}

fn product_facts(product: &ProductRecord) -> serde_json::Value {
    json!({
        "vendor": product.vendor, "name": product.name, "kind": product.kind.as_str(), "covered": product.covered,
        "expected minutes": product.expected_minutes,
    })
}
