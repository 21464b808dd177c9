//! The web server: devices, pages, static files, and what watches over them.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::get;
use service::Service;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::{DefaultOnResponse, OnResponse, TraceLayer};

use crate::{access, ddi, metrics, site};

/// What pages show of the process around them.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// In the demo: `The clock runs at 600×.`
    pub demo_pace: Option<String>,
    /// Told to stop: streams end.
    pub stop: CancellationToken,
}

/// Everything this server answers.
pub fn router(service: Service, surroundings: Surroundings) -> Router {
    let watched = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .with_state(service.clone());
    Router::new()
        .merge(watched)
        .merge(site::pages(service.clone(), &surroundings))
        .merge(ddi::routes(service))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn(access::log_refused))
        .layer(axum::middleware::from_fn(metrics::note_route))
        .layer(TraceLayer::new_for_http().on_response(Told))
}

/// An answer goes to the log as before, and into the numbers.
#[derive(Clone, Copy)]
struct Told;

impl<B> OnResponse<B> for Told {
    fn on_response(self, response: &axum::http::Response<B>, took: Duration, span: &tracing::Span) {
        metrics::answered(response, took);
        DefaultOnResponse::default().on_response(response, took, span);
    }
}

/// Ready when the database answers a question, and this process can plan.
async fn ready(State(service): State<Service>) -> (StatusCode, &'static str) {
    if service.is_reachable().await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer");
    }
    // One failure may be a short absence of the database.
    if service.activity().now().failed_in_a_row >= 3 {
        return (StatusCode::SERVICE_UNAVAILABLE, "planning fails; the log says why");
    }
    (StatusCode::OK, "ready")
}
