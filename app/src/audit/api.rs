//! What the audit asks the server for.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::audit::model::{AuditQuery, AuditView};
use crate::error::AppError;

/// A page of entries, newest first.
#[server(prefix = "/api", endpoint = "audit", input = GetUrl)]
pub async fn get_audit(query: AuditQuery) -> Result<AuditView, AppError> {
    crate::context::current()?.audit(query).await
}
