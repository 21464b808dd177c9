//! Who is there, and what they send: sessions in cookies, forms that only our own pages may send, and the headers of every answer
//! (A1, A2). Rights are the service's; this module only finds out who asks.
//!
//! Forms that set cookies are answered here and not by server functions: they work without script, and before anybody is signed in.

use std::net::{IpAddr, SocketAddr};

use app::access::documents;
use app::desk::Viewer;
use app::error::AppError;
use app::view::Said;
use axum::body::Body;
use axum::extract::{ConnectInfo, Form, MatchedPath, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::access::Role;
use serde::Deserialize;
use service::audit::AuditQuery;
use service::people::Origin;
use service::{Actor, Service, ServiceError};
use uuid::Uuid;

use crate::router::Surroundings;

/// In the demo: the role that the visitor has chosen.
const DEMO_ROLE: &str = "nightshift-demo-role";

/// What the routes here work with.
#[derive(Clone)]
pub(crate) struct Doors {
    service: Service,
    is_demo: bool,
}

impl Doors {
    pub(crate) fn new(service: Service, surroundings: &Surroundings) -> Self {
        Self {
            service,
            is_demo: surroundings.demo_pace.is_some(),
        }
    }

    fn is_https(&self) -> bool {
        self.service.deployment().public_url.starts_with("https://")
    }

    fn session_cookie(&self) -> &'static str {
        self.named("__Host-nightshift")
    }

    /// What came of a form, until the next page has shown it.
    fn said_cookie(&self) -> &'static str {
        self.named("__Host-nightshift-said")
    }

    /// A one-time link that was just made, until the next page has shown it.
    fn link_cookie(&self) -> &'static str {
        self.named("__Host-nightshift-link")
    }

    /// `__Host-`: the browser takes it over HTTPS only, from this host only.
    fn named(&self, name: &'static str) -> &'static str {
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
    fn gone(&self, name: &'static str) -> Cookie<'static> {
        let mut cookie = self.cookie(name, String::new());
        cookie.make_removal();
        cookie
    }

    /// The client's address. What a proxy says of it counts only where the operator has named that proxy.
    fn origin(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Origin {
        let trusted = &self.service.deployment().trusted_proxies;
        let peer = peer.map(|peer| peer.to_canonical());
        let lines = headers.get_all("x-forwarded-for").iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        let forwarded = lines.join(",");
        let behind = peer.filter(|peer| trusted.contains(peer)).and_then(|_| {
            // From the right, where the proxies write. What cannot be read ends it: left of that stands what anybody may have sent.
            let hops = forwarded.rsplit(',').map_while(address);
            hops.into_iter().find(|hop| !trusted.contains(hop))
        });
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Origin {
            address: behind.or(peer).map_or_else(String::new, |address| address.to_string()),
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

/// The routes that set cookies. Everybody may call them; each asks for what it needs.
pub(crate) fn routes(doors: Doors) -> Router {
    Router::new()
        .route("/sign-in", get(show_sign_in).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/welcome/{link}", get(show_first_admin).post(make_first_admin))
        .route("/password/{link}", get(show_choose_password).post(choose_password))
        .route("/demo/role", post(choose_demo_role))
        .route("/account/password", post(change_password))
        .route("/account/sessions/end", post(end_session))
        .route("/settings/people/add", post(add_person))
        .route("/settings/people/role", post(set_role))
        .route("/settings/people/reset", post(reset_person))
        .route("/settings/people/disable", post(disable_person))
        .with_state(doors)
}

/// Finds out who asks for a page or calls a server function, and turns away who is nobody.
pub(crate) async fn who_is_there(
    State(doors): State<Doors>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let origin = doors.origin(peer(&request), request.headers());
    let actor = match doors.actor(&jar, &origin).await {
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
    let said = jar.get(doors.said_cookie()).and_then(|said| {
        let said = percent_encoding::percent_decode_str(said.value()).decode_utf8().ok()?;
        serde_json::from_str::<Said>(&said).ok()
    });
    let link = jar.get(doors.link_cookie()).map(|link| link.value().to_owned());
    let shows_it = request.method() == Method::GET && !request.uri().path().starts_with("/api/");
    let forget = shows_it && (said.is_some() || link.is_some());
    request.extensions_mut().insert(Viewer { actor, said, link });
    let response = next.run(request).await;
    if forget {
        let jar = CookieJar::new()
            .add(doors.gone(doors.said_cookie()))
            .add(doors.gone(doors.link_cookie()));
        return (jar, response).into_response();
    }
    response
}

/// Lets only our own pages send something: a browser says where a request comes from, and another site's page cannot lie about it.
pub(crate) async fn only_from_here(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    if request.uri().query().is_some_and(|query| query.contains("%00")) {
        // Nothing here has a NUL in it, and Postgres would not even take it as something to look for.
        let text = "This address asks for a character that no name has.";
        return (StatusCode::BAD_REQUEST, Html(documents::notice("Not found", text))).into_response();
    }
    let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes_nothing || is_from_here(&doors, request.headers()) {
        return next.run(request).await;
    }
    // Not the whole path: a one-time link may stand in it.
    let place = request.uri().path().split('/').nth(1);
    tracing::warn!(place, "a request from another site was refused");
    let text = "This was not sent by a page of Nightshift, so it was not taken.";
    (StatusCode::FORBIDDEN, Html(documents::notice("Not taken", text))).into_response()
}

fn is_from_here(doors: &Doors, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let is_public = origin == doors.service.deployment().public_url;
    let host = origin.split_once("://").map(|(_, host)| host);
    is_public || (host.is_some() && host == text(header::HOST))
}

/// What every answer carries. A page has set its own policy already; everything else loads no script at all.
pub(crate) async fn with_headers(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                          frame-ancestors 'none'";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(POLICY));
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

/// Who sends a form, and from where.
struct Sender {
    jar: CookieJar,
    origin: Origin,
}

impl axum::extract::FromRequestParts<Doors> for Sender {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        doors: &Doors,
    ) -> Result<Self, Self::Rejection> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = info.map(|ConnectInfo(address)| address.ip());
        Ok(Self {
            jar: CookieJar::from_headers(&parts.headers),
            origin: doors.origin(peer, &parts.headers),
        })
    }
}

#[derive(Deserialize)]
struct Onward {
    #[serde(default)]
    next: String,
}

/// Only places of our own.
fn safe_next(next: &str) -> &str {
    let is_ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(|c: char| c == '\\' || c.is_control());
    if is_ours { next } else { "/" }
}

async fn organisation(doors: &Doors) -> String {
    let name = doors.service.organisation_name().await;
    name.unwrap_or_else(|_| "Nightshift".to_owned())
}

async fn show_sign_in(State(doors): State<Doors>, Query(query): Query<Onward>) -> Html<String> {
    Html(documents::sign_in(
        &organisation(&doors).await,
        safe_next(&query.next),
        "",
        None,
    ))
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(State(doors): State<Doors>, sender: Sender, Form(form): Form<SignIn>) -> Response {
    let next = safe_next(&form.next).to_owned();
    match doors.service.sign_in(&form.email, &form.password, &sender.origin).await {
        Ok(signed_in) => {
            let cookie = doors.cookie(doors.session_cookie(), signed_in.token);
            (sender.jar.add(cookie), Redirect::to(&next)).into_response()
        }
        Err(error) => {
            let (status, problem) = told(&error);
            let status = if status == StatusCode::UNPROCESSABLE_ENTITY {
                StatusCode::UNAUTHORIZED
            } else {
                status
            };
            let page = documents::sign_in(&organisation(&doors).await, &next, &form.email, Some(&problem));
            (status, Html(page)).into_response()
        }
    }
}

async fn sign_out(State(doors): State<Doors>, sender: Sender) -> Response {
    let actor = match doors.actor(&sender.jar, &sender.origin).await {
        Ok(actor) => actor,
        Err(error) => return fault(&error),
    };
    if let Some(actor) = actor
        && let Some(signed) = &actor.signed
    {
        match doors.service.end_session(&actor, signed.person, signed.session).await {
            // A second click: it has ended already.
            Ok(()) | Err(ServiceError::NotFound { .. }) => {}
            Err(error) => return fault(&error),
        }
    }
    let leads_to = if doors.is_demo { "/" } else { "/sign-in" };
    let jar = CookieJar::new()
        .add(doors.gone(doors.session_cookie()))
        .add(doors.gone(doors.said_cookie()))
        .add(doors.gone(doors.link_cookie()));
    (jar, Redirect::to(leads_to)).into_response()
}

async fn show_first_admin(State(doors): State<Doors>, Path(link): Path<String>) -> Response {
    match doors.service.link_for(&link).await {
        Ok(None) => Html(documents::first_admin(&format!("/welcome/{link}"), "", "", None)).into_response(),
        Ok(Some(_)) | Err(_) => used_up(),
    }
}

#[derive(Deserialize)]
struct FirstAdmin {
    name: String,
    email: String,
    password: String,
}

async fn make_first_admin(
    State(doors): State<Doors>,
    sender: Sender,
    Path(link): Path<String>,
    Form(form): Form<FirstAdmin>,
) -> Response {
    let made = doors
        .service
        .make_first_admin(&link, &form.name, &form.email, &form.password, &sender.origin);
    match made.await {
        Ok(signed_in) => {
            let cookie = doors.cookie(doors.session_cookie(), signed_in.token);
            (sender.jar.add(cookie), Redirect::to("/")).into_response()
        }
        Err(ServiceError::NotFound { .. }) => used_up(),
        Err(error) => {
            let (status, problem) = told(&error);
            let page = documents::first_admin(&format!("/welcome/{link}"), &form.name, &form.email, Some(&problem));
            (status, Html(page)).into_response()
        }
    }
}

async fn show_choose_password(State(doors): State<Doors>, Path(link): Path<String>) -> Response {
    match doors.service.link_for(&link).await {
        Ok(Some(email)) => Html(documents::choose_password(&format!("/password/{link}"), &email, None)).into_response(),
        Ok(None) | Err(_) => used_up(),
    }
}

#[derive(Deserialize)]
struct ChosenPassword {
    #[serde(default)]
    email: String,
    password: String,
}

async fn choose_password(
    State(doors): State<Doors>,
    sender: Sender,
    Path(link): Path<String>,
    Form(form): Form<ChosenPassword>,
) -> Response {
    match doors
        .service
        .choose_password(&link, &form.password, &sender.origin)
        .await
    {
        Ok(()) => Html(documents::notice("Your password is saved", "Sign in with it.")).into_response(),
        Err(ServiceError::NotFound { .. }) => used_up(),
        Err(error) => {
            let (status, problem) = told(&error);
            let page = documents::choose_password(&format!("/password/{link}"), &form.email, Some(&problem));
            (status, Html(page)).into_response()
        }
    }
}

fn used_up() -> Response {
    let text =
        "It works once, for three days. Ask an admin for a new one; after the first start, start Nightshift once more.";
    (
        StatusCode::NOT_FOUND,
        Html(documents::notice("This link is used up", text)),
    )
        .into_response()
}

#[derive(Deserialize)]
struct DemoRole {
    role: String,
}

async fn choose_demo_role(State(doors): State<Doors>, sender: Sender, Form(form): Form<DemoRole>) -> Response {
    let role = Role::from_word(&form.role).filter(|_| doors.is_demo);
    let Some(role) = role else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cookie = doors.cookie(DEMO_ROLE, role.as_str().to_owned());
    (sender.jar.add(cookie), Redirect::to("/")).into_response()
}

/// Does something as whoever sends the form, and leads back with what came of it.
async fn act<T>(
    doors: &Doors,
    sender: Sender,
    leads_to: &str,
    good: impl FnOnce(&T) -> (String, Option<String>),
    acting: impl AsyncFnOnce(&Actor) -> Result<T, ServiceError>,
) -> Response {
    let actor = match doors.actor(&sender.jar, &sender.origin).await {
        Ok(Some(actor)) => actor,
        Ok(None) => return Redirect::to(&format!("/sign-in?next={}", percent_encoded(leads_to))).into_response(),
        Err(error) => return fault(&error),
    };
    let (said, link) = match acting(&actor).await {
        Ok(done) => {
            let (text, link) = good(&done);
            (Said { is_good: true, text }, link)
        }
        Err(
            error @ (ServiceError::Store(_)
            | ServiceError::Hashing
            | ServiceError::Random(_)
            | ServiceError::Artifacts(_)),
        ) => {
            return fault(&error);
        }
        // Not an answer of a page: whoever calls it by hand learns it from the status.
        Err(ServiceError::Forbidden { problem }) => {
            return (
                StatusCode::FORBIDDEN,
                Html(documents::notice("This is not for your role", &problem)),
            )
                .into_response();
        }
        Err(error) => (
            Said {
                is_good: false,
                text: told(&error).1,
            },
            None,
        ),
    };
    let said = serde_json::to_string(&said).unwrap_or_default();
    let mut jar = sender
        .jar
        .add(doors.cookie(doors.said_cookie(), percent_encoded(&said)));
    if let Some(link) = link {
        jar = jar.add(doors.cookie(doors.link_cookie(), link));
    }
    (jar, Redirect::to(leads_to)).into_response()
}

#[derive(Deserialize)]
struct ChangedPassword {
    old: String,
    new: String,
}

async fn change_password(State(doors): State<Doors>, sender: Sender, Form(form): Form<ChangedPassword>) -> Response {
    let good = |(): &()| {
        (
            "Your password is changed; your other sessions have ended.".to_owned(),
            None,
        )
    };
    act(&doors, sender, "/account", good, async |actor| {
        doors.service.change_password(actor, &form.old, &form.new).await
    })
    .await
}

#[derive(Deserialize)]
struct EndedSession {
    session: Uuid,
}

async fn end_session(State(doors): State<Doors>, sender: Sender, Form(form): Form<EndedSession>) -> Response {
    let good = |(): &()| ("The session has ended.".to_owned(), None);
    act(&doors, sender, "/account", good, async |actor| match &actor.signed {
        Some(signed) => doors.service.end_session(actor, signed.person, form.session).await,
        None => Ok(()),
    })
    .await
}

#[derive(Deserialize)]
struct NewPerson {
    name: String,
    email: String,
    role: Role,
}

async fn add_person(State(doors): State<Doors>, sender: Sender, Form(form): Form<NewPerson>) -> Response {
    let good = |link: &String| {
        (
            format!("{} is added.", form.name.trim()),
            Some(password_link(&doors, link)),
        )
    };
    act(&doors, sender, "/settings/people", good, async |actor| {
        doors
            .service
            .add_person(actor, &form.name, &form.email, form.role)
            .await
    })
    .await
}

#[derive(Deserialize)]
struct NewRole {
    email: String,
    role: Role,
}

async fn set_role(State(doors): State<Doors>, sender: Sender, Form(form): Form<NewRole>) -> Response {
    let good = |(): &()| (format!("{} is {} now.", form.email, form.role.label()), None);
    act(&doors, sender, "/settings/people", good, async |actor| {
        doors.service.set_role(actor, &form.email, form.role).await
    })
    .await
}

#[derive(Deserialize)]
struct Account {
    email: String,
}

async fn reset_person(State(doors): State<Doors>, sender: Sender, Form(form): Form<Account>) -> Response {
    let good = |link: &String| {
        (
            format!("A link for {} is made.", form.email),
            Some(password_link(&doors, link)),
        )
    };
    act(&doors, sender, "/settings/people", good, async |actor| {
        doors.service.reset_link(actor, &form.email).await
    })
    .await
}

async fn disable_person(State(doors): State<Doors>, sender: Sender, Form(form): Form<Account>) -> Response {
    let good = |(): &()| (format!("{} may not sign in any more.", form.email), None);
    act(&doors, sender, "/settings/people", good, async |actor| {
        doors.service.disable_person(actor, &form.email).await
    })
    .await
}

/// The audit as a file, with the filters of its page (A3).
pub(crate) async fn export_audit(
    service: Service,
    Extension(viewer): Extension<Viewer>,
    Query(query): Query<AuditQuery>,
) -> Response {
    match service.export_audit(&viewer.actor, &query).await {
        Ok(parts) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
            ];
            (headers, Body::from_stream(parts)).into_response()
        }
        Err(error @ (ServiceError::Forbidden { .. } | ServiceError::Invalid { .. })) => {
            let (status, text) = told(&error);
            (status, Html(documents::notice("Not exported", &text))).into_response()
        }
        Err(error) => fault(&error),
    }
}

fn password_link(doors: &Doors, link: &str) -> String {
    format!("{}/password/{link}", doors.service.deployment().public_url)
}

/// A status and a sentence for people.
fn told(error: &ServiceError) -> (StatusCode, String) {
    match error {
        ServiceError::Invalid { field, problem } => (StatusCode::UNPROCESSABLE_ENTITY, format!("{field}: {problem}")),
        ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, error.to_string()),
        ServiceError::Conflict { problem } => (StatusCode::CONFLICT, problem.clone()),
        ServiceError::Forbidden { problem } => (StatusCode::FORBIDDEN, problem.clone()),
        ServiceError::Store(_) | ServiceError::Hashing | ServiceError::Random(_) | ServiceError::Artifacts(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Nightshift cannot do this right now; try again".to_owned(),
        ),
    }
}

fn fault(error: &ServiceError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "a request failed");
    let text = "Nightshift cannot reach its database. Try again; if that does not help, tell whoever runs Nightshift.";
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Html(documents::notice("Not now", text)),
    )
        .into_response()
}

fn percent_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
