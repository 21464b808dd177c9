//! The web server: devices, pages, static files, and what watches over them.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::get;
use service::Service;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::{ddi, site};

/// What pages show of the process around them.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// In the demo: `The clock runs at 600×.`
    pub demo_pace: Option<String>,
}

/// Everything this server answers.
pub fn router(service: Service, surroundings: Surroundings) -> Router {
    let watched = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
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
        .layer(TraceLayer::new_for_http())
}

/// Ready when the database answers.
async fn ready(State(service): State<Service>) -> (StatusCode, &'static str) {
    match service.store().read().await {
        Ok(_) => (StatusCode::OK, "ready"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}
