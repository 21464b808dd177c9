//! Forms that set cookies or end in one: signing in and out, one-time links, the own account, accounts and tokens of others (A1, A2).
//!
//! They are answered here and not by server functions: they work without script, and before anybody is signed in. Each asks the service,
//! which knows who may; nothing here decides.

use app::access::documents;
use app::components::model::FlashMessage;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use domain::access::Role;
use domain::ids::{PersonId, TokenId};
use serde::Deserialize;
use service::people::Origin;
use service::{Actor, Service, ServiceError};
use std::net::SocketAddr;
use uuid::Uuid;

use super::{DEMO_ROLE, Sessions, fault, percent_encoded, status_and_sentence};

/// The routes that set cookies. Everybody may call them; each asks for what it needs.
pub(crate) fn forms(sessions: Sessions) -> Router {
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
        .route("/settings/people/sessions/end", post(end_session_of))
        .route("/settings/tokens/add", post(add_token))
        .route("/settings/tokens/revoke", post(revoke_token))
        .with_state(sessions)
}

/// Who sends a form, and from where.
pub(super) struct FormSender {
    jar: CookieJar,
    origin: Origin,
}

impl axum::extract::FromRequestParts<Sessions> for FormSender {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        sessions: &Sessions,
    ) -> Result<Self, Self::Rejection> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = info.map(|ConnectInfo(address)| address.ip());
        Ok(Self {
            jar: CookieJar::from_headers(&parts.headers),
            origin: sessions.origin(peer, &parts.headers),
        })
    }
}

#[derive(Deserialize)]
struct NextPage {
    #[serde(default)]
    next: String,
}

/// Only places of our own.
pub(super) fn safe_next(next: &str) -> &str {
    let is_ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(|c: char| c == '\\' || c.is_control());
    if is_ours { next } else { "/" }
}

async fn organisation(sessions: &Sessions) -> String {
    let name = sessions.service.organisation_name().await;
    name.unwrap_or_else(|_| "Nightshift".to_owned())
}

async fn show_sign_in(State(sessions): State<Sessions>, Query(query): Query<NextPage>) -> Html<String> {
    Html(documents::sign_in(
        &organisation(&sessions).await,
        safe_next(&query.next),
        "",
        None,
    ))
}

#[derive(Deserialize)]
struct SignInForm {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(State(sessions): State<Sessions>, sender: FormSender, Form(form): Form<SignInForm>) -> Response {
    let next = safe_next(&form.next).to_owned();
    match sessions
        .service
        .sign_in(form.email.as_str().into(), &form.password, &sender.origin)
        .await
    {
        Ok(signed_in) => {
            let cookie = sessions.cookie(sessions.session_cookie(), signed_in.token);
            (sender.jar.add(cookie), Redirect::to(&next)).into_response()
        }
        Err(error) => {
            let (status, problem) = status_and_sentence(&error);
            let status = if status == StatusCode::UNPROCESSABLE_ENTITY {
                StatusCode::UNAUTHORIZED
            } else {
                status
            };
            let page = documents::sign_in(&organisation(&sessions).await, &next, &form.email, Some(&problem));
            (status, Html(page)).into_response()
        }
    }
}

async fn sign_out(State(sessions): State<Sessions>, sender: FormSender) -> Response {
    let actor = match sessions.actor(&sender.jar, &sender.origin).await {
        Ok(actor) => actor,
        Err(error) => return fault(&error),
    };
    if let Some(actor) = actor
        && let Some(account) = &actor.account
    {
        match sessions
            .service
            .end_session(&actor, account.person, account.session)
            .await
        {
            // A second click: it has ended already.
            Ok(()) | Err(ServiceError::NotFound { .. }) => {}
            Err(error) => return fault(&error),
        }
    }
    let leads_to = if sessions.is_demo { "/" } else { "/sign-in" };
    let jar = CookieJar::new()
        .add(sessions.removal_cookie(sessions.session_cookie()))
        .add(sessions.removal_cookie(sessions.flash_cookie()))
        .add(sessions.removal_cookie(sessions.secret_cookie()));
    (jar, Redirect::to(leads_to)).into_response()
}

async fn show_first_admin(State(sessions): State<Sessions>, Path(link): Path<String>) -> Response {
    match sessions.service.link_for(&link).await {
        Ok(None) => Html(documents::first_admin(&format!("/welcome/{link}"), "", "", None)).into_response(),
        Ok(Some(_)) | Err(ServiceError::NotFound { .. }) => no_first_admin_link(&sessions.service).await,
        Err(error) => fault(&error),
    }
}

/// Each start of a process prints a link, and several may start together on one database (A2, G2).
async fn no_first_admin_link(service: &Service) -> Response {
    let text = match service.awaits_first_admin().await {
        Ok(false) => return used_up(),
        Ok(true) => {
            "Nobody has an account yet. Each start of Nightshift prints a new link, which works for three days, and only the newest works. \
             Look for the newest in the logs of all its processes, or restart one of them."
        }
        Err(error) => return fault(&error),
    };
    let notice = documents::notice("This link is not the newest", text);
    (StatusCode::NOT_FOUND, Html(notice)).into_response()
}

#[derive(Deserialize)]
struct FirstAdminForm {
    name: String,
    email: String,
    password: String,
}

async fn make_first_admin(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Path(link): Path<String>,
    Form(form): Form<FirstAdminForm>,
) -> Response {
    let made = sessions.service.make_first_admin(
        &link,
        form.name.as_str().into(),
        form.email.as_str().into(),
        &form.password,
        &sender.origin,
    );
    match made.await {
        Ok(signed_in) => {
            let cookie = sessions.cookie(sessions.session_cookie(), signed_in.token);
            (sender.jar.add(cookie), Redirect::to("/")).into_response()
        }
        Err(ServiceError::NotFound { .. }) => no_first_admin_link(&sessions.service).await,
        Err(error) => {
            let (status, problem) = status_and_sentence(&error);
            let page = documents::first_admin(&format!("/welcome/{link}"), &form.name, &form.email, Some(&problem));
            (status, Html(page)).into_response()
        }
    }
}

async fn show_choose_password(State(sessions): State<Sessions>, Path(link): Path<String>) -> Response {
    match sessions.service.link_for(&link).await {
        Ok(Some(email)) => Html(documents::choose_password(&format!("/password/{link}"), &email, None)).into_response(),
        Ok(None) | Err(ServiceError::NotFound { .. }) => used_up(),
        Err(error) => fault(&error),
    }
}

#[derive(Deserialize)]
struct ChoosePasswordForm {
    #[serde(default)]
    email: String,
    password: String,
}

async fn choose_password(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Path(link): Path<String>,
    Form(form): Form<ChoosePasswordForm>,
) -> Response {
    match sessions
        .service
        .choose_password(&link, &form.password, &sender.origin)
        .await
    {
        Ok(()) => Html(documents::notice("Your password was saved", "Sign in with it.")).into_response(),
        Err(ServiceError::NotFound { .. }) => used_up(),
        Err(error) => {
            let (status, problem) = status_and_sentence(&error);
            let page = documents::choose_password(&format!("/password/{link}"), &form.email, Some(&problem));
            (status, Html(page)).into_response()
        }
    }
}

fn used_up() -> Response {
    let text = "A link works once and expires after three days. Ask an admin for a new one. For the link of the first start, restart Nightshift.";
    (
        StatusCode::NOT_FOUND,
        Html(documents::notice("This link is used up", text)),
    )
        .into_response()
}

#[derive(Deserialize)]
struct DemoRoleForm {
    role: String,
}

async fn choose_demo_role(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Form(form): Form<DemoRoleForm>,
) -> Response {
    let role = Role::from_word(&form.role).filter(|_| sessions.is_demo);
    let Some(role) = role else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cookie = sessions.cookie(DEMO_ROLE, role.as_str().to_owned());
    (sender.jar.add(cookie), Redirect::to("/")).into_response()
}

/// Does something as whoever sends the form, and leads back with what came of it.
pub(super) async fn act<T>(
    sessions: &Sessions,
    sender: FormSender,
    leads_to: &str,
    good: impl FnOnce(&T) -> (String, Option<String>),
    acting: impl AsyncFnOnce(&Actor) -> Result<T, ServiceError>,
) -> Response {
    let jar = sender.jar.clone();
    match act_as_sender(sessions, sender, leads_to, acting).await {
        Ok(done) => {
            let (text, secret) = good(&done);
            let flash = FlashMessage {
                is_good: true,
                text,
                one_time_secret: None,
            };
            let mut jar = jar.add(sessions.cookie(sessions.flash_cookie(), super::flash_value(&flash)));
            if let Some(secret) = secret {
                jar = jar.add(sessions.cookie(sessions.secret_cookie(), secret));
            }
            (jar, Redirect::to(leads_to)).into_response()
        }
        Err(refused) => refused,
    }
}

/// Does something as whoever sends the form, and leads to what came of it; back, where it was refused.
pub(super) async fn act_and_go_to(
    sessions: &Sessions,
    sender: FormSender,
    back: &str,
    acting: impl AsyncFnOnce(&Actor) -> Result<String, ServiceError>,
) -> Response {
    match act_as_sender(sessions, sender, back, acting).await {
        Ok(leads_to) => Redirect::to(&leads_to).into_response(),
        Err(refused) => refused,
    }
}

/// What was done; or the answer to who may not, is signed out, or has sent what is no good.
async fn act_as_sender<T>(
    sessions: &Sessions,
    sender: FormSender,
    back: &str,
    acting: impl AsyncFnOnce(&Actor) -> Result<T, ServiceError>,
) -> Result<T, Response> {
    let actor = match sessions.actor(&sender.jar, &sender.origin).await {
        Ok(Some(actor)) => actor,
        Ok(None) => return Err(Redirect::to(&format!("/sign-in?next={}", percent_encoded(back))).into_response()),
        Err(error) => return Err(fault(&error)),
    };
    match acting(&actor).await {
        Ok(done) => Ok(done),
        Err(
            error @ (ServiceError::Store(_)
            | ServiceError::Hashing
            | ServiceError::Random(_)
            | ServiceError::Artifacts(_)),
        ) => Err(fault(&error)),
        // Not an answer of a page: whoever calls it by hand learns it from the status.
        Err(ServiceError::Forbidden { problem }) => {
            let page = documents::notice("This is not for your role", &problem);
            Err((StatusCode::FORBIDDEN, Html(page)).into_response())
        }
        Err(error) => {
            let flash = FlashMessage {
                is_good: false,
                text: status_and_sentence(&error).1,
                one_time_secret: None,
            };
            let jar = sender
                .jar
                .add(sessions.cookie(sessions.flash_cookie(), super::flash_value(&flash)));
            Err((jar, Redirect::to(back)).into_response())
        }
    }
}

#[derive(Deserialize)]
struct ChangePasswordForm {
    old: String,
    new: String,
}

async fn change_password(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Form(form): Form<ChangePasswordForm>,
) -> Response {
    let good = |(): &()| {
        (
            "Your password was changed; your other sessions have ended.".to_owned(),
            None,
        )
    };
    act(&sessions, sender, "/account", good, async |actor| {
        sessions.service.change_password(actor, &form.old, &form.new).await
    })
    .await
}

/// Without a session: all others.
#[derive(Deserialize)]
struct EndSessionForm {
    session: Option<Uuid>,
}

async fn end_session(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Form(form): Form<EndSessionForm>,
) -> Response {
    let good = |(): &()| {
        let what = match form.session {
            Some(_) => "The session has ended.",
            None => "Your other sessions have ended.",
        };
        (what.to_owned(), None)
    };
    act(&sessions, sender, "/account", good, async |actor| {
        match (&actor.account, form.session) {
            (Some(account), Some(session)) => sessions.service.end_session(actor, account.person, session).await,
            (Some(account), None) => sessions.service.end_sessions(actor, account.person).await,
            (None, _) => Ok(()),
        }
    })
    .await
}

#[derive(Deserialize)]
struct AddPersonForm {
    name: String,
    email: String,
    role: Role,
}

async fn add_person(State(sessions): State<Sessions>, sender: FormSender, Form(form): Form<AddPersonForm>) -> Response {
    let good = |link: &String| {
        (
            format!("{} was added.", form.name.trim()),
            Some(password_link(&sessions, link)),
        )
    };
    act(&sessions, sender, "/settings/people", good, async |actor| {
        sessions
            .service
            .add_person(actor, form.name.as_str().into(), form.email.as_str().into(), form.role)
            .await
    })
    .await
}

#[derive(Deserialize)]
struct SetRoleForm {
    email: String,
    role: Role,
}

async fn set_role(State(sessions): State<Sessions>, sender: FormSender, Form(form): Form<SetRoleForm>) -> Response {
    let good = |(): &()| (format!("{} is now {}.", form.email, form.role.label()), None);
    act(&sessions, sender, "/settings/people", good, async |actor| {
        sessions
            .service
            .set_role(actor, form.email.as_str().into(), form.role)
            .await
    })
    .await
}

#[derive(Deserialize)]
struct AccountForm {
    email: String,
}

async fn reset_person(State(sessions): State<Sessions>, sender: FormSender, Form(form): Form<AccountForm>) -> Response {
    let good = |link: &String| {
        (
            format!("A link for {} was created.", form.email),
            Some(password_link(&sessions, link)),
        )
    };
    act(&sessions, sender, "/settings/people", good, async |actor| {
        sessions.service.reset_link(actor, form.email.as_str().into()).await
    })
    .await
}

async fn disable_person(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Form(form): Form<AccountForm>,
) -> Response {
    let good = |(): &()| (format!("{} may not sign in any more.", form.email), None);
    act(&sessions, sender, "/settings/people", good, async |actor| {
        sessions.service.disable_person(actor, form.email.as_str().into()).await
    })
    .await
}

/// Without a session: all of them.
#[derive(Deserialize)]
struct EndSessionOfForm {
    person: Uuid,
    session: Option<Uuid>,
}

async fn end_session_of(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Form(form): Form<EndSessionOfForm>,
) -> Response {
    let good = |(): &()| {
        let what = if form.session.is_some() {
            "The session has ended."
        } else {
            "All their sessions have ended."
        };
        (what.to_owned(), None)
    };
    let person = PersonId(form.person);
    act(
        &sessions,
        sender,
        &format!("/settings/people/{person}"),
        good,
        async |actor| match form.session {
            Some(session) => sessions.service.end_session(actor, person, session).await,
            None => sessions.service.end_sessions(actor, person).await,
        },
    )
    .await
}

#[derive(Deserialize)]
struct AddTokenForm {
    name: String,
    role: Role,
    days: u16,
}

async fn add_token(State(sessions): State<Sessions>, sender: FormSender, Form(form): Form<AddTokenForm>) -> Response {
    let good = |secret: &String| {
        (
            format!("The token {} was added.", form.name.trim()),
            Some(secret.clone()),
        )
    };
    act(&sessions, sender, "/settings/tokens", good, async |actor| {
        sessions
            .service
            .add_token(actor, form.name.as_str().into(), form.role, form.days)
            .await
    })
    .await
}

#[derive(Deserialize)]
struct RevokeTokenForm {
    token: Uuid,
}

async fn revoke_token(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Form(form): Form<RevokeTokenForm>,
) -> Response {
    let good = |(): &()| ("The token was revoked.".to_owned(), None);
    act(&sessions, sender, "/settings/tokens", good, async |actor| {
        sessions.service.revoke_token(actor, TokenId(form.token)).await
    })
    .await
}

fn password_link(sessions: &Sessions, link: &str) -> String {
    format!("{}/password/{link}", sessions.service.process_config().public_url)
}
