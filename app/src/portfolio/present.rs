//! The portfolio in the words of its pages, and what people do in it (P7, S3, S9, S10, K9).

use chrono::NaiveDate;
use domain::access::Act;
use domain::ids::{ProductId, UpdateId};
use domain::time_text;
use domain::update::{ProductKind, Severity};
use service::artifacts::Hashes;
use service::read::ReadSnapshot;
use service::read::portfolio::{ProductItem, ReleaseItem};
use service::releases::{ProductDraft, PublishPlan, ReleaseDraft};
use service::{NewFile, ServiceError, Source};
use uuid::Uuid;

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::formats;
use crate::portfolio::model::{
    CatalogueReview, FileRow, OutsideFields, PortfolioView, ProductRow, ProductView, PublishView, ReleaseFields,
    ReleaseForm, ReleaseRow,
};

/// Releases that a review names.
const NAMED: usize = 50;

impl RequestContext {
    /// The portfolio.
    pub async fn portfolio(&self, q: &str, page: u32) -> Result<PortfolioView> {
        let mut snapshot = self.snapshot_for(Act::SeePortfolio).await?;
        let found = snapshot.product_page(q, formats::numbered_page(page)).await?;
        let year = formats::year(&snapshot);
        let rows = found.items.into_iter();
        let rows: Vec<ProductRow> = rows.map(|product| product_row(product, year)).collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        Ok(PortfolioView {
            rows,
            pager: formats::with_filters(
                formats::numbered(page, shown, found.total, "product", "products"),
                &formats::query(&[("q", q)]),
            ),
            may_change: self.viewer.actor.role.may(Act::Publish),
        })
    }

    /// One product with a page of its releases.
    ///
    /// # Errors
    /// Whoever asks may not see the portfolio, or there is no such product.
    pub async fn product(&self, id: &str, page: u32) -> Result<ProductView> {
        let mut snapshot = self.snapshot_for(Act::SeePortfolio).await?;
        let missing = || AppError::NotFound {
            what: "This product".to_owned(),
        };
        let id = ProductId::parse(id).map_err(|_| missing())?;
        let product = snapshot.product(&id, formats::numbered_page(page)).await?;
        let year = formats::year(&snapshot);
        let rows = product.releases.items.into_iter();
        let rows: Vec<ReleaseRow> = rows.map(|release| release_row(release, year)).collect();
        let shown = i64::try_from(rows.len()).unwrap_or(0);
        Ok(ProductView {
            rooms: product.rooms,
            id: id.to_string(),
            name: product.name,
            vendor: product.vendor,
            kind: product.kind,
            covered: product.covered,
            has_support_policy: product.has_support_policy,
            expected: format!(
                "{} an install",
                formats::count(product.expected_minutes, "minute", "minutes")
            ),
            rows,
            pager: formats::numbered(page, shown, product.releases.total, "release", "releases"),
            may_change: self.viewer.actor.role.may(Act::Publish),
        })
    }

    /// What the dialogs of a release start from. What publishing it would mean, by severity, takes a look at every room (`plans`).
    ///
    /// # Errors
    /// Whoever asks may not publish, or there is no such release.
    pub async fn release(&self, id: UpdateId, plans: bool) -> Result<ReleaseForm> {
        let mut snapshot = self.snapshot_for(Act::Publish).await?;
        let detail = snapshot.release_detail(id).await?;
        let severities: &[Severity] = if plans {
            &[Severity::Routine, Severity::Critical]
        } else {
            &[]
        };
        let mut plans = Vec::new();
        for &severity in severities {
            let plan = self.service.publish_plan(&self.viewer.actor, id, severity).await;
            plans.push(match plan {
                Ok(plan) => publish_view(&snapshot, severity, plan),
                Err(error @ (ServiceError::Conflict { .. } | ServiceError::Invalid { .. })) => PublishView {
                    severity,
                    starts: String::new(),
                    rings: Vec::new(),
                    supersedes: Vec::new(),
                    refused: Some(error.to_string()),
                },
                Err(error) => return Err(error.into()),
            });
        }
        let files = detail.files.into_iter().map(|file| FileRow {
            filename: file.filename,
            size: formats::size(file.size),
            sha256: file.sha256,
            url: file.url,
        });
        Ok(ReleaseForm {
            id,
            files: files.collect(),
            rooms: detail.rooms,
            published: detail.published,
            title: detail.release.title(),
            product: detail.release.product.to_string(),
            severity: detail.release.severity,
            recalled: detail.release.recalled,
            plans,
        })
    }

    /// Adds a product.
    ///
    /// # Errors
    /// As [`service::Service::add_product`].
    pub async fn add_product(
        &self,
        id: String,
        vendor: String,
        name: String,
        kind: &str,
        minutes: &str,
    ) -> Result<FormSuccess> {
        let kind = ProductKind::from_word(kind).ok_or_else(|| AppError::invalid("kind", "choose a kind"))?;
        let draft = ProductDraft {
            id,
            vendor: vendor.into(),
            name: name.into(),
            kind,
            expected_minutes: number("expected_minutes", minutes)?,
        };
        let id = self.service.add_product(&self.viewer.actor, &draft).await?;
        Ok(FormSuccess::new(
            format!("The product {} was added.", draft.name),
            format!("/portfolio/{id}"),
        ))
    }

    /// Takes a product into what is covered, or out of it.
    ///
    /// # Errors
    /// As [`service::Service::cover_product`].
    pub async fn cover_product(&self, id: &str, covered: bool) -> Result<FormSuccess> {
        let id = ProductId(id.to_owned());
        self.service.cover_product(&self.viewer.actor, &id, covered).await?;
        let text = if covered {
            "The product is now covered."
        } else {
            "The product is not covered any more."
        };
        Ok(FormSuccess::new(text, format!("/portfolio/{id}")))
    }

    /// Gives a product a support policy, or takes it away (L1).
    ///
    /// # Errors
    /// As [`service::Service::set_support_policy`].
    pub async fn set_support_policy(&self, id: &str, has_policy: bool) -> Result<FormSuccess> {
        let id = ProductId(id.to_owned());
        self.service
            .set_support_policy(&self.viewer.actor, &id, has_policy)
            .await?;
        let text = if has_policy {
            "Support of its versions is counted from now on."
        } else {
            "Support of its versions is not counted any more."
        };
        Ok(FormSuccess::new(text, format!("/portfolio/{id}")))
    }

    /// Adds a release, which has no file yet.
    ///
    /// # Errors
    /// As [`service::Service::add_release`].
    pub async fn add_release(&self, product: &str, fields: ReleaseFields) -> Result<FormSuccess> {
        let draft = release_draft(product, fields)?;
        let id = self.service.add_release(&self.viewer.actor, &draft).await?;
        let text = format!(
            "The release {} was added. Add its file, then publish it.",
            draft.version
        );
        Ok(FormSuccess::new(
            text,
            format!("/portfolio/{product}?do=files&release={id}"),
        ))
    }

    /// Adds a file that lies at an outside address.
    ///
    /// # Errors
    /// As [`service::Service::add_file`].
    pub async fn add_outside_file(&self, id: UpdateId, fields: OutsideFields) -> Result<FormSuccess> {
        let hash = |text: &str| text.trim().to_lowercase();
        let size = fields
            .size
            .trim()
            .parse()
            .map_err(|_| AppError::invalid("size", "the number of its bytes"))?;
        let file = NewFile {
            filename: fields.filename.trim().to_owned(),
            source: Source::Outside {
                url: fields.url.trim().to_owned(),
                hashes: Hashes {
                    size,
                    sha256: hash(&fields.sha256),
                    sha1: hash(&fields.sha1),
                    md5: hash(&fields.md5),
                },
            },
            expected_sha256: None,
        };
        let filename = file.filename.clone();
        self.service.add_file(&self.viewer.actor, id, file).await?;
        self.about_files(id, format!("{filename} was added.")).await
    }

    /// Takes a file away from a release that is not published.
    ///
    /// # Errors
    /// As [`service::Service::remove_file`].
    pub async fn remove_file(&self, id: UpdateId, filename: &str) -> Result<FormSuccess> {
        self.service.remove_file(&self.viewer.actor, id, filename).await?;
        self.about_files(id, format!("{filename} was removed.")).await
    }

    async fn about_files(&self, id: UpdateId, text: String) -> Result<FormSuccess> {
        let mut snapshot = self.snapshot_for(Act::Publish).await?;
        let product = snapshot.release(id).await?.product;
        let files = snapshot.release_files(id).await?.len();
        Ok(FormSuccess::new(
            text,
            format!("/portfolio/{product}?do=files&release={id}&as={files}"),
        ))
    }

    /// Publishes a release. `beside`: without superseding older ones (S9).
    ///
    /// # Errors
    /// As [`service::Service::publish`].
    pub async fn publish(&self, id: UpdateId, severity: &str, beside: bool) -> Result<FormSuccess> {
        let severity =
            Severity::from_word(severity).ok_or_else(|| AppError::invalid("severity", "routine or critical"))?;
        let mut snapshot = self.snapshot_for(Act::Publish).await?;
        let release = snapshot.release(id).await?;
        let (actor, product, version) = (&self.viewer.actor, &release.product, &release.version);
        let published = if beside {
            self.service
                .publish_without_superseding(actor, product, version, Some(severity))
                .await
        } else {
            self.service.publish(actor, product, version, Some(severity)).await
        };
        let starts = time_text::date(published?.starts_on, formats::year(&snapshot));
        let city = snapshot.organisation.zone.city();
        Ok(FormSuccess::new(
            format!("It was published and starts on {starts} ({city})."),
            format!("/updates/{id}"),
        ))
    }

    /// Recalls a release (S10).
    ///
    /// # Errors
    /// As [`service::Service::recall`].
    pub async fn recall(&self, id: UpdateId, reason: &str) -> Result<FormSuccess> {
        let mut snapshot = self.snapshot_for(Act::Publish).await?;
        let release = snapshot.release(id).await?;
        let (product, version) = (&release.product, &release.version);
        let recalled = self
            .service
            .recall(&self.viewer.actor, product, version, reason.into())
            .await?;
        let rooms = formats::count(
            i64::try_from(recalled.rooms.len()).unwrap_or(i64::MAX),
            "room has",
            "rooms have",
        );
        Ok(FormSuccess::new(
            format!("The release was recalled; {rooms} it now."),
            format!("/portfolio/{product}"),
        ))
    }

    /// What a catalogue that was sent would become; nothing, where none was.
    ///
    /// # Errors
    /// As [`service::Service::review_catalogue`].
    pub async fn review_catalogue(&self, upload: Option<Uuid>) -> Result<Option<CatalogueReview>> {
        self.viewer.actor.may(Act::Publish)?;
        let Some(upload) = upload else { return Ok(None) };
        let review = self.service.review_catalogue(&self.viewer.actor, upload).await?;
        let releases = review.releases.len();
        let adds = format!(
            "{} added, {} added or changed",
            counted(releases, "release is", "releases are"),
            counted(review.products, "product", "products")
        );
        let named = review.releases.into_iter().take(NAMED);
        Ok(Some(CatalogueReview {
            name: review.name,
            adds,
            releases: named.map(|(product, version)| (product.0, version)).collect(),
            more: i64::try_from(releases.saturating_sub(NAMED)).unwrap_or(i64::MAX),
        }))
    }

    /// Imports a catalogue that was looked at.
    ///
    /// # Errors
    /// As [`service::Service::import_uploaded_catalogue`].
    pub async fn import_catalogue(&self, upload: Uuid) -> Result<FormSuccess> {
        let imported = self.service.import_uploaded_catalogue(&self.viewer.actor, upload).await;
        let (products, releases) = imported?;
        Ok(FormSuccess::new(
            format!(
                "Imported: {}, {}.",
                counted(products, "product", "products"),
                counted(releases, "new release", "new releases")
            ),
            "/portfolio",
        ))
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    formats::count(i64::try_from(number).unwrap_or(i64::MAX), one, many)
}

fn product_row(product: ProductItem, year: i32) -> ProductRow {
    let released = product.newest.as_ref().and_then(|newest| newest.released);
    ProductRow {
        id: product.id.to_string(),
        covered: product.covered,
        name: product.name,
        vendor: product.vendor,
        kind: product.kind,
        released: released.map(|day| formats::day(day, year)),
        newest: product.newest.map(|newest| newest.version),
        releases: product.releases,
        rooms: product.rooms,
        published: product.published.map(|published| (published.update, published.status)),
    }
}

fn release_row(release: ReleaseItem, year: i32) -> ReleaseRow {
    ReleaseRow {
        id: release.id,
        version: release.version,
        released: release.released.map(|day| formats::day(day, year)),
        severity: release.severity,
        status: release.status,
        recalled: release.recalled,
        files: release.files,
        devices: release.devices,
    }
}

fn publish_view(snapshot: &ReadSnapshot, severity: Severity, plan: PublishPlan) -> PublishView {
    let year = formats::year(snapshot);
    let first = plan.stages.first().map_or(plan.starts_on, |stage| stage.starts_on);
    let city = snapshot.organisation.zone.city();
    let starts = if first == plan.starts_on {
        format!("It starts on {} ({city}).", time_text::date(first, year))
    } else {
        format!(
            "{} is frozen; it starts on {} ({city}).",
            time_text::date(plan.starts_on, year),
            time_text::date(first, year)
        )
    };
    let rings = plan.stages.iter().map(|stage| {
        let rooms = stage
            .ring
            .ring()
            .and_then(|ring| plan.rooms.get(&ring).copied())
            .unwrap_or(0);
        let dates = formats::span(stage.starts_on, stage.rollout_ends, year);
        (stage.name.clone(), dates, formats::count(rooms, "room", "rooms"))
    });
    PublishView {
        severity,
        starts,
        rings: rings.collect(),
        supersedes: plan.supersedes,
        refused: None,
    }
}

fn release_draft(product: &str, fields: ReleaseFields) -> Result<ReleaseDraft> {
    let released = Some(fields.released.trim()).filter(|released| !released.is_empty());
    let minutes = Some(fields.expected_minutes.trim()).filter(|minutes| !minutes.is_empty());
    Ok(ReleaseDraft {
        product: ProductId(product.to_owned()),
        version: fields.version.into(),
        released: released
            .map(|text| {
                text.parse::<NaiveDate>()
                    .map_err(|_| AppError::invalid("released", "write a date like 2026-11-24, or leave it empty"))
            })
            .transpose()?,
        severity: Severity::from_word(&fields.severity)
            .ok_or_else(|| AppError::invalid("severity", "routine or critical"))?,
        minimum_version: fields.minimum_version.into(),
        models: fields.models.into(),
        applies_to_unknown: fields.applies_to_unknown == "true",
        expected_minutes: minutes.map(|minutes| number("expected_minutes", minutes)).transpose()?,
        known_issues: fields.known_issues.into(),
    })
}

fn number(field: &str, text: &str) -> Result<u32> {
    text.trim()
        .parse()
        .map_err(|_| AppError::invalid(field, "a whole number"))
}
