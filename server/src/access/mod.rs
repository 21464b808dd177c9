//! Who is there: a session in a cookie, or a token in a header (A1, A2). Rights are the service's; this module only finds out who asks.
//!
//! Start with [`authenticate`]. `forms` has what sets cookies, `exports` what programs may fetch, `guards` what stands before all
//! routes of people, `policy` what browsers must not do with a page.

mod events;
mod exports;
mod form_posts;
mod forms;
mod guards;
mod policy;
mod uploads;

pub(crate) use events::{EventsState, events};
pub(crate) use exports::exports;
pub(crate) use form_posts::redirect_form_posts;
pub(crate) use forms::forms;
pub(crate) use guards::{RequestLimits, limit_requests, same_origin_only, with_headers};
pub(crate) use policy::{refuse_framing, reports};
pub(crate) use uploads::{release_files, uploads};

use std::net::{IpAddr, SocketAddr};

use app::access::documents;
use app::components::model::FlashMessage;
use app::context::Viewer;
use app::error::AppError;
use axum::Json;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::access::Role;
use service::people::Origin;
use service::{Actor, Service, ServiceError};

use crate::config::ServerConfig;

/// In the demo: the role that the visitor has chosen.
const DEMO_ROLE: &str = "nightshift-demo-role";

/// Sessions in cookies, and the service behind them.
#[derive(Clone)]
pub(crate) struct Sessions {
    service: Service,
    is_demo: bool,
}

impl Sessions {
    pub(crate) fn new(service: Service, config: &ServerConfig) -> Self {
        Self {
            service,
            is_demo: config.demo_clock.is_some(),
        }
    }

    fn is_https(&self) -> bool {
        self.service.process_config().public_url.starts_with("https://")
    }

    fn session_cookie(&self) -> &'static str {
        self.cookie_name("__Host-nightshift")
    }

    /// What came of a form, until the next page has shown it.
    fn flash_cookie(&self) -> &'static str {
        self.cookie_name("__Host-nightshift-flash")
    }

    /// A one-time link or a token that was just made, until the next page has shown it.
    fn secret_cookie(&self) -> &'static str {
        self.cookie_name("__Host-nightshift-secret")
    }

    /// `__Host-`: the browser takes it over HTTPS only, from this host only.
    fn cookie_name(&self, name: &'static str) -> &'static str {
        if self.is_https() {
            name
        } else {
            name.strip_prefix("__Host-").unwrap_or(name)
        }
    }

    fn cookie(&self, name: &'static str, value: String) -> Cookie<'static> {
        let cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.is_https());
        cookie.same_site(SameSite::Lax).build()
    }

    /// Takes a cookie away. With all its attributes, or the browser keeps one that begins with `__Host-`.
    fn removal_cookie(&self, name: &'static str) -> Cookie<'static> {
        let mut cookie = self.cookie(name, String::new());
        cookie.make_removal();
        cookie
    }

    /// The client's address. What a proxy says of it counts only where the operator has named that proxy.
    fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let trusted = &self.service.process_config().trusted_proxies;
        let peer = peer.map(|peer| peer.to_canonical());
        let lines = headers.get_all("x-forwarded-for").iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let forwarded = lines.join(",");
        let behind = peer.filter(|peer| trusted.contains(peer)).and_then(|_| {
            // From the right, where the proxies write. What cannot be read ends it: left of that stands what anybody may have sent.
            let hops = forwarded.rsplit(',').map_while(address);
            hops.into_iter().find(|hop| !trusted.contains(hop))
        });
        behind.or(peer)
    }

    fn origin(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Origin {
        let client = self.client(peer, headers);
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Origin {
            address: client.map_or_else(String::new, |address| address.to_string()),
            agent: agent.unwrap_or_default().to_owned(),
        }
    }

    async fn actor(&self, jar: &CookieJar, origin: &Origin) -> Result<Option<Actor>, ServiceError> {
        if self.is_demo {
            let role = jar
                .get(DEMO_ROLE)
                .and_then(|cookie| Role::from_word(cookie.value()))
                .unwrap_or(Role::Admin);
            return Ok(Some(Actor {
                role,
                address: origin.address.clone(),
                ..Actor::system("Visitor")
            }));
        }
        match jar.get(self.session_cookie()) {
            Some(cookie) => self.service.session(cookie.value(), origin).await,
            None => Ok(None),
        }
    }
}

/// Finds out who asks for a page or calls a server function, and turns away who is nobody.
pub(crate) async fn authenticate(
    State(sessions): State<Sessions>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let origin = sessions.origin(peer(&request), request.headers());
    let actor = match sessions.actor(&jar, &origin).await {
        Ok(actor) => actor,
        Err(error) => return fault(&error),
    };
    let Some(actor) = actor else {
        let path = request.uri().path();
        if path.starts_with("/api/") {
            return (StatusCode::UNAUTHORIZED, Json(AppError::SignedOut)).into_response();
        }
        if request.extensions().get::<MatchedPath>().is_none() {
            let text = "There is no page at this address.";
            return (StatusCode::NOT_FOUND, Html(documents::notice("Not found", text))).into_response();
        }
        let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
        let next = percent_encoded(wanted);
        return Redirect::to(&format!("/sign-in?next={next}")).into_response();
    };
    let flash = jar.get(sessions.flash_cookie()).and_then(|flash| {
        let flash = percent_encoding::percent_decode_str(flash.value()).decode_utf8().ok()?;
        serde_json::from_str::<FlashMessage>(&flash).ok()
    });
    let secret = jar
        .get(sessions.secret_cookie())
        .map(|secret| secret.value().to_owned());
    let shows_it = request.method() == Method::GET && !request.uri().path().starts_with("/api/");
    let forget = shows_it && (flash.is_some() || secret.is_some());
    request.extensions_mut().insert(Viewer { actor, flash, secret });
    let response = next.run(request).await;
    if forget {
        let jar = CookieJar::new()
            .add(sessions.removal_cookie(sessions.flash_cookie()))
            .add(sessions.removal_cookie(sessions.secret_cookie()));
        return (jar, response).into_response();
    }
    response
}

/// A hop, with or without its port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    let address = hop.parse::<IpAddr>().or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

fn peer(request: &Request) -> Option<IpAddr> {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(address)| address.ip())
}

/// A status and a sentence for people.
fn status_and_sentence(error: &ServiceError) -> (StatusCode, String) {
    match error {
        ServiceError::Invalid { field, problem } => (StatusCode::UNPROCESSABLE_ENTITY, format!("{field}: {problem}")),
        ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, error.to_string()),
        ServiceError::Conflict { problem } => (StatusCode::CONFLICT, problem.clone()),
        ServiceError::Forbidden { problem } => (StatusCode::FORBIDDEN, problem.clone()),
        ServiceError::Store(_) | ServiceError::Hashing | ServiceError::Random(_) | ServiceError::Artifacts(_) => {
            log_fault(error);
            let text = "Nightshift cannot do this right now; try again".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

fn log_fault(error: &ServiceError) {
    tracing::error!(error = error as &dyn std::error::Error, "a request failed");
}

fn fault(error: &ServiceError) -> Response {
    log_fault(error);
    let text = "Nightshift cannot reach its database. Try again; if that does not help, tell whoever runs Nightshift.";
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Html(documents::notice("Not now", text)),
    )
        .into_response()
}

/// What a cookie holds until the next page has shown it.
fn flash_value(flash: &FlashMessage) -> String {
    percent_encoded(&serde_json::to_string(flash).unwrap_or_default())
}

fn percent_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
