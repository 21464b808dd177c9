//! What the audit asks the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::{AuditQuery, AuditView};

/// A page of entries, newest first.
#[server(prefix = "/api", endpoint = "audit", input = GetUrl)]
pub async fn get_audit(query: AuditQuery) -> Result<AuditView, AppError> {
    crate::presenter()?.audit(query).await
}
