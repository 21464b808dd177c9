//! What a browser must not do with our pages: show them in a frame of another document, or run a script that is not ours (A2).
//!
//! The policy that goes with each answer forbids it; this module refuses what a browser asks for all the same, and logs what browsers
//! report of a broken policy. Anybody can send such a report, so it may say nothing in the log but which directive was broken.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use app::REPORTS;
use app::access::documents;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::post;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use service::people::network;

use super::{Sessions, peer};

/// The policy of all answers but pages, which set their own: no script at all.
pub(super) fn document_policy() -> HeaderValue {
    HeaderValue::from_str(&format!("{DOCUMENT_POLICY}; report-uri {REPORTS}"))
        .unwrap_or(HeaderValue::from_static(DOCUMENT_POLICY))
}

const DOCUMENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                     frame-ancestors 'none'";

/// Refuses a request for a document's frame. Browsers say so where the connection is secure; elsewhere the policy alone refuses it, and the
/// browser reports that.
pub(crate) async fn refuse_framing(request: Request, next: Next) -> Response {
    let wanted_for = request.headers().get("sec-fetch-dest").map(HeaderValue::as_bytes);
    if !matches!(wanted_for, Some(b"iframe" | b"frame" | b"embed" | b"object")) {
        return next.run(request).await;
    }
    tracing::warn!("a page was refused in a frame");
    let text = "Nightshift cannot be embedded in another page.";
    // Without an address for reports: the browser refuses to show this page as well, and that would be logged a second time.
    let policy = [(header::CONTENT_SECURITY_POLICY, DOCUMENT_POLICY)];
    (
        StatusCode::FORBIDDEN,
        policy,
        Html(documents::notice("Not shown", text)),
    )
        .into_response()
}

/// A report is a few addresses and names; the largest part is the policy itself.
const LARGEST_REPORT: usize = 8 * 1024;

/// The directives of a policy of ours; the log has no other words of a report.
const DIRECTIVES: [&str; 11] = [
    "script-src-elem",
    "script-src-attr",
    "script-src",
    "style-src-elem",
    "style-src-attr",
    "style-src",
    "frame-ancestors",
    "form-action",
    "base-uri",
    "connect-src",
    "img-src",
];

/// With how many clients and directives those are forgotten that were not heard of for a minute.
const FORGET_FROM: usize = 1024;

#[derive(Clone)]
struct Reports {
    sessions: Sessions,
    /// One line a minute for each client and directive: a page that is full of foreign scripts sends a report of each.
    logged: Arc<DefaultKeyedRateLimiter<(Option<IpAddr>, &'static str)>>,
}

/// Where browsers send what they refused. A browser sends it on its own, from wherever the document was: no session goes with it.
pub(crate) fn reports(sessions: Sessions) -> Router {
    let logged = Arc::new(RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN)));
    Router::new()
        .route(REPORTS, post(report).layer(DefaultBodyLimit::max(LARGEST_REPORT)))
        .with_state(Reports { sessions, logged })
}

/// What <https://www.w3.org/TR/CSP3/#deprecated-serialize-violation> has in it, as far as it is of use here.
#[derive(Deserialize)]
struct Report {
    #[serde(rename = "csp-report")]
    report: Violation,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(rename = "effective-directive", default)]
    directive: String,
}

async fn report(State(reports): State<Reports>, request: Request) -> Response {
    let client = reports.sessions.client(peer(&request), request.headers()).map(network);
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    let Ok(Report { report }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let directive = DIRECTIVES
        .into_iter()
        .find(|directive| *directive == report.directive)
        .unwrap_or("another");
    if reports.logged.len() > FORGET_FROM {
        reports.logged.retain_recent();
    }
    if reports.logged.check_key(&(client, directive)).is_ok() {
        tracing::warn!(directive, "a browser refused what the policy of a page forbids");
    }
    StatusCode::NO_CONTENT.into_response()
}
