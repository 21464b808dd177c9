//! What stands before every route of people: where a request comes from, how often, and what a browser may do with the answer (A2).

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::access::documents;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use service::people::network;

use super::{Sessions, peer, policy};

/// Lets only our own pages send something: a browser says where a request comes from, and another site's page cannot lie about it.
pub(crate) async fn same_origin_only(State(sessions): State<Sessions>, request: Request, next: Next) -> Response {
    if request.uri().query().is_some_and(|query| query.contains("%00")) {
        // Nothing here has a NUL in it, and Postgres would not even take it as something to look for.
        let text = "The address contains a character that is not allowed.";
        return (StatusCode::BAD_REQUEST, Html(documents::notice("Not found", text))).into_response();
    }
    let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes_nothing || is_same_origin(&sessions, request.headers()) {
        return next.run(request).await;
    }
    // Not the path: a one-time link may stand in it, or what a stranger wants to have in the log.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str);
    tracing::warn!(route, "a request from another site was refused");
    let text = "The request did not come from a page of Nightshift and was refused.";
    (StatusCode::FORBIDDEN, Html(documents::notice("Refused", text))).into_response()
}

fn is_same_origin(sessions: &Sessions, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let is_public = origin == sessions.service.process_config().public_url;
    let host = origin.split_once("://").map(|(_, host)| host);
    is_public || (host.is_some() && host == text(header::HOST))
}

/// What every answer carries. A page has set its own policy already; everything else loads no script at all.
pub(crate) async fn with_headers(State(sessions): State<Sessions>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert_with(policy::document_policy);
    for (name, value) in [
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if sessions.is_https() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// How often one client may ask for pages and send forms: far more often than people do, and far less than a script that runs wild.
/// Devices are not counted here; thousands of them may stand behind one address.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();
const REQUEST_BURST: NonZeroU32 = NonZeroU32::new(1000).unwrap();
/// After how many requests addresses that were not heard of any more are forgotten.
const FORGET_EVERY: u64 = 4096;

/// How often each client has asked, in this process.
pub(crate) struct RequestLimits {
    by_client: DefaultKeyedRateLimiter<IpAddr>,
    /// One line a minute says that a client is refused; a flood must not become one of the log.
    logged: DefaultKeyedRateLimiter<IpAddr>,
    requests: AtomicU64,
}

impl RequestLimits {
    pub(crate) fn new() -> Self {
        let quota = Quota::per_second(REQUESTS_PER_SECOND).allow_burst(REQUEST_BURST);
        Self {
            by_client: RateLimiter::keyed(quota),
            logged: RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN)),
            requests: AtomicU64::new(0),
        }
    }

    /// Counts a request of this client; the seconds to wait, if it has asked too often.
    fn count(&self, client: IpAddr) -> Result<(), u64> {
        if self.requests.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.by_client.retain_recent();
            self.logged.retain_recent();
        }
        let client = network(client);
        let Err(refused) = self.by_client.check_key(&client) else {
            return Ok(());
        };
        if self.logged.check_key(&client).is_ok() {
            tracing::warn!(%client, "requests of a client are refused: there are too many");
        }
        Err(refused.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }
}

/// Refuses a client that asks too often.
pub(crate) async fn limit_requests(
    State((sessions, limits)): State<(Sessions, Arc<RequestLimits>)>,
    request: Request,
    next: Next,
) -> Response {
    let client = sessions.client(peer(&request), request.headers());
    match client.map_or(Ok(()), |client| limits.count(client)) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            let after = [(header::RETRY_AFTER, wait.to_string())];
            let text = "Too many requests came from your address. Wait a moment and try again.";
            let page = Html(documents::notice("Too many requests", text));
            (StatusCode::TOO_MANY_REQUESTS, after, page).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_asks_too_often_has_to_wait_and_others_do_not_g5() {
        let limits = RequestLimits::new();
        let [wild, neighbour, other]: [IpAddr; 3] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|address| address.parse().expect("an address"));
        let refused = (0..2000).find(|_| limits.count(wild).is_err());
        assert!(refused.is_some_and(|number| number >= 1000), "{refused:?}");
        assert!(limits.count(neighbour).is_err(), "of one subscriber");
        assert_eq!(limits.count(other), Ok(()));
    }
}
