//! `/metrics` in Prometheus' text format (G4): requests by route, what devices said, and ticks. Numbers only. Each value of a label
//! makes a series that is kept for ever, so a label has values of ours only: no names of rooms or devices, and nothing that whoever
//! asks can choose.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use service::Service;
use tokio_util::sync::CancellationToken;

const REQUESTS: &str = "nightshift_http_requests_total";
const SECONDS: &str = "nightshift_http_request_seconds";

/// The process has one recorder; tests start many servers in one process.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let buckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
            let builder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Full(SECONDS.to_owned()), &buckets)
                .ok()?;
            let handle = builder.install_recorder().ok()?;
            describe_counter!(REQUESTS, "Answered requests by method, route and status.");
            describe_histogram!(SECONDS, "Seconds from a request to its answer, by route.");
            describe_counter!("nightshift_device_polls_total", "Polls of devices that were answered.");
            describe_counter!(
                "nightshift_device_reports_total",
                "Reports of devices by what came of them."
            );
            describe_counter!("nightshift_ticks_total", "Ticks of the planner that were begun.");
            describe_counter!(
                "nightshift_tick_rounds_total",
                "Transactions of ticks that wrote something."
            );
            describe_counter!(
                "nightshift_tick_failures_total",
                "Ticks that failed and are tried again."
            );
            Some(handle)
        })
        .as_ref()
}

/// What a request was, kept with its answer until the time that it took is known.
#[derive(Clone)]
struct RequestLabels {
    method: &'static str,
    /// `None`: it has none.
    route: Option<MatchedPath>,
}

impl RequestLabels {
    fn route(&self) -> &str {
        self.route.as_ref().map_or("none", MatchedPath::as_str)
    }
}

/// The method of a request as a label. Every token is a method in HTTP, and a label is kept for ever: what a stranger invents is
/// `other`.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => "other",
    }
}

/// Notes the route of a request with its answer.
pub(crate) async fn note_route(request: Request, next: Next) -> Response {
    let labels = RequestLabels {
        method: method_label(request.method()),
        route: request.extensions().get().cloned(),
    };
    let mut response = next.run(request).await;
    response.extensions_mut().insert(labels);
    response
}

/// The route of the request that this answers, as [`note_route`] noted it.
pub(crate) fn route_of<B>(response: &axum::http::Response<B>) -> &str {
    response.extensions().get().map_or("none", RequestLabels::route)
}

/// Counts an answer.
pub(crate) fn count_response<B>(response: &axum::http::Response<B>, took: Duration) {
    let (Some(labels), Some(_)) = (response.extensions().get::<RequestLabels>(), recorder()) else {
        return;
    };
    let status = response.status().as_u16().to_string();
    counter!(REQUESTS, "method" => labels.method, "route" => labels.route().to_owned(), "status" => status)
        .increment(1);
    histogram!(SECONDS, "route" => labels.route().to_owned()).record(took.as_secs_f64());
}

/// Keeps what is measured from piling up where nobody asks for it.
pub(crate) async fn run_upkeep(stop: CancellationToken) {
    const INTERVAL: Duration = Duration::from_secs(5);
    while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        if let Some(recorder) = recorder() {
            recorder.run_upkeep();
        }
    }
}

/// `GET /metrics`.
pub(crate) async fn show(State(service): State<Service>) -> String {
    let Some(recorder) = recorder() else {
        return String::new();
    };
    let done = service.activity().now();
    counter!("nightshift_device_polls_total").absolute(done.polls);
    for (outcome, number) in done.reports {
        counter!("nightshift_device_reports_total", "outcome" => outcome).absolute(number);
    }
    counter!("nightshift_ticks_total").absolute(done.ticks);
    counter!("nightshift_tick_rounds_total").absolute(done.rounds);
    counter!("nightshift_tick_failures_total").absolute(done.failed_ticks);
    recorder.render()
}
