//! The web server: devices, pages, static files, and what watches over them.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::get;
use service::Service;
use service::activity::ActivityCounts;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::{DefaultOnResponse, OnResponse, TraceLayer};

pub use crate::config::ServerConfig;
use crate::{ddi, metrics, site};

/// Everything this server answers. An address is mended before it is looked up, so that stands around all routes.
pub fn router(service: Service, config: ServerConfig) -> Router {
    Router::new()
        .fallback_service(routes(service, config))
        .layer(axum::middleware::map_request(ddi::drop_stray_slashes))
}

/// All routes, as they are looked up.
pub fn routes(service: Service, config: ServerConfig) -> Router {
    let watched = Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .with_state(service.clone());
    Router::new()
        .merge(watched)
        .merge(site::pages(service.clone(), &config))
        .merge(ddi::routes(service))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn(metrics::note_route))
        .layer(TraceLayer::new_for_http().on_response(LogAndCount))
}

/// An answer goes to the log, and into the numbers.
#[derive(Clone, Copy)]
struct LogAndCount;

impl<B> OnResponse<B> for LogAndCount {
    fn on_response(self, response: &axum::http::Response<B>, took: Duration, span: &tracing::Span) {
        metrics::count_response(response, took);
        log_refused(response);
        DefaultOnResponse::default().on_response(response, took, span);
    }
}

/// Logs once what was too large or came too slowly.
fn log_refused<B>(response: &axum::http::Response<B>) {
    let status = response.status();
    if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        tracing::warn!(
            route = metrics::route_of(response),
            status = status.as_u16(),
            "a request was too large or came too slowly"
        );
    }
}

/// Ready when the database answers a question, and this process can plan.
async fn ready(State(service): State<Service>) -> (StatusCode, &'static str) {
    if service.is_reachable().await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer");
    }
    match planning_problem(&service.activity().now()) {
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem),
        None => (StatusCode::OK, "ready"),
    }
}

/// So long may planning take from the end of one round to the end of the next: rounds come twice a minute, and the largest takes
/// seconds.
const LONGEST_WITHOUT_A_ROUND: Duration = Duration::from_secs(180);

/// Why this process does not plan as it should (G4).
fn planning_problem(activity: &ActivityCounts) -> Option<&'static str> {
    // One failure may be a short absence of the database.
    if activity.failed_in_a_row >= 3 {
        return Some("planning fails; see the log");
    }
    let stands_still = activity
        .without_a_round
        .is_some_and(|time| time >= LONGEST_WITHOUT_A_ROUND);
    stands_still.then_some("planning has stopped: no round has ended for 3 minutes")
}

#[cfg(test)]
mod tests {
    use service::activity::Activity;

    use super::*;

    #[test]
    fn a_process_that_has_not_planned_for_three_minutes_is_not_ready_g4() {
        let problem = |without_a_round: Option<u64>, failed_in_a_row| {
            let now = Activity::default().now();
            planning_problem(&ActivityCounts {
                without_a_round: without_a_round.map(Duration::from_secs),
                failed_in_a_row,
                ..now
            })
        };
        assert_eq!(problem(Some(179), 2), None);
        assert!(problem(Some(180), 0).is_some());
        assert!(problem(Some(0), 3).is_some());
        assert_eq!(problem(None, 0), None, "a driven clock ticks when it is told to");
    }
}
