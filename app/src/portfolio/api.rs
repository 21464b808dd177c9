//! What the portfolio asks the server for.

use domain::ids::UpdateId;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use uuid::Uuid;

use crate::components::model::FormSuccess;
use crate::error::AppError;
use crate::portfolio::model::{CatalogueReview, OutsideFields, PortfolioView, ProductView, ReleaseFields, ReleaseForm};

/// A page of products.
#[server(prefix = "/api", endpoint = "portfolio", input = GetUrl)]
pub async fn get_portfolio(#[server(default)] q: String, page: u32) -> Result<PortfolioView, AppError> {
    crate::context::current()?.portfolio(&q, page).await
}

/// One product with a page of its releases.
#[server(prefix = "/api", endpoint = "portfolio/product", input = GetUrl)]
pub async fn get_product(id: String, page: u32) -> Result<ProductView, AppError> {
    crate::context::current()?.product(&id, page).await
}

/// What the dialogs of a release start from; with what publishing it would mean, for the one that does it.
#[server(prefix = "/api", endpoint = "portfolio/release", input = GetUrl)]
pub async fn get_release(id: UpdateId, #[server(default)] plans: bool) -> Result<ReleaseForm, AppError> {
    crate::context::current()?.release(id, plans).await
}

/// Adds a product.
#[server(prefix = "/api", endpoint = "portfolio/add")]
pub async fn add_product(
    id: String,
    vendor: String,
    name: String,
    kind: String,
    expected_minutes: String,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .add_product(id, vendor, name, &kind, &expected_minutes)
        .await
}

/// Takes a product into what is covered, or out of it.
#[server(prefix = "/api", endpoint = "portfolio/cover")]
pub async fn cover_product(product: String, covered: bool) -> Result<FormSuccess, AppError> {
    crate::context::current()?.cover_product(&product, covered).await
}

/// Gives a product a support policy, or takes it away (L1).
#[server(prefix = "/api", endpoint = "portfolio/support-policy")]
pub async fn set_support_policy(product: String, has_policy: bool) -> Result<FormSuccess, AppError> {
    crate::context::current()?
        .set_support_policy(&product, has_policy)
        .await
}

/// Adds a release.
#[server(prefix = "/api", endpoint = "portfolio/add-release")]
pub async fn add_release(product: String, #[server(flatten)] fields: ReleaseFields) -> Result<FormSuccess, AppError> {
    crate::context::current()?.add_release(&product, fields).await
}

/// Adds a file that lies at an outside address.
#[server(prefix = "/api", endpoint = "portfolio/add-outside")]
pub async fn add_outside_file(
    release: UpdateId,
    #[server(flatten)] fields: OutsideFields,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.add_outside_file(release, fields).await
}

/// Takes a file away.
#[server(prefix = "/api", endpoint = "portfolio/remove-file")]
pub async fn remove_file(release: UpdateId, filename: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.remove_file(release, &filename).await
}

/// Publishes a release (S3, S4, S9).
#[server(prefix = "/api", endpoint = "portfolio/publish")]
pub async fn publish_release(
    release: UpdateId,
    severity: String,
    #[server(default)] beside: bool,
) -> Result<FormSuccess, AppError> {
    crate::context::current()?.publish(release, &severity, beside).await
}

/// Recalls a release (S10).
#[server(prefix = "/api", endpoint = "portfolio/recall")]
pub async fn recall_release(release: UpdateId, reason: String) -> Result<FormSuccess, AppError> {
    crate::context::current()?.recall(release, &reason).await
}

/// What a catalogue that was sent would become; nothing, where none was.
#[server(prefix = "/api", endpoint = "portfolio/review", input = GetUrl)]
pub async fn review_catalogue(#[server(default)] upload: Option<Uuid>) -> Result<Option<CatalogueReview>, AppError> {
    crate::context::current()?.review_catalogue(upload).await
}

/// Imports a catalogue that was looked at.
#[server(prefix = "/api", endpoint = "portfolio/import")]
pub async fn import_catalogue(upload: Uuid) -> Result<FormSuccess, AppError> {
    crate::context::current()?.import_catalogue(upload).await
}
