//! What programs may fetch: files of comma-separated values, for whoever has a session or a token (A1, A3).

use std::borrow::Cow;

use app::access::documents;
use app::audit::model::AuditQuery;
use app::audit::present::audit_filter;
use app::context::Viewer;
use app::error::AppError;
use app::readiness::model::ReadinessQuery;
use app::readiness::present::readiness_filter;
use app::rooms::model::RoomsQuery;
use app::rooms::present::{room_cursor, room_filter};
use app::support::model::SupportQuery;
use app::support::present::support_filter;
use app::updates::model::UpdateRoomsQuery;
use app::updates::present::room_filter as update_room_filter;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use axum_extra::extract::CookieJar;
use domain::access::Act;
use domain::ids::{DeviceId, UpdateId};
use futures::TryStreamExt;
use service::spreadsheet::CsvStream;

use super::{Sessions, authenticate, fault, log_fault, peer};

/// The routes that take a token in place of a session.
pub(crate) fn exports(sessions: Sessions) -> Router {
    Router::new()
        .route("/audit.csv", get(audit))
        .route("/rooms.csv", get(rooms))
        .route("/readiness.csv", get(readiness))
        .route("/support.csv", get(support))
        .route("/devices/{id}/programs.csv", get(programs))
        .route("/updates/{id}/rooms.csv", get(update_rooms))
        .layer(axum::middleware::from_fn_with_state(
            sessions.clone(),
            authenticate_export,
        ))
        .with_state(sessions)
}

/// Finds out which program asks; who sends no token is asked for a session.
async fn authenticate_export(
    State(sessions): State<Sessions>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(secret) = bearer(request.headers()).map(Cow::into_owned) else {
        return authenticate(State(sessions), jar, request, next).await;
    };
    let origin = sessions.origin(peer(&request), request.headers());
    match sessions.service.bearer(&secret, &origin).await {
        Ok(Some(actor)) => {
            let (flash, secret) = (None, None);
            request.extensions_mut().insert(Viewer { actor, flash, secret });
            next.run(request).await
        }
        Ok(None) => {
            tracing::warn!(address = origin.address, "a token was refused");
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            let text = "This token is invalid, expired or revoked.\n";
            (StatusCode::UNAUTHORIZED, challenge, text).into_response()
        }
        Err(error) => fault(&error),
    }
}

/// What stands behind `Authorization: Bearer`. Whoever says that has no session beside it, whatever follows.
fn bearer(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, secret) = value.split_at_checked("bearer".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer")
        .then(|| String::from_utf8_lossy(secret.trim_ascii()))
}

/// The audit as a file, with the filters of its page (A3).
async fn audit(
    State(sessions): State<Sessions>,
    Extension(viewer): Extension<Viewer>,
    Query(query): Query<AuditQuery>,
) -> Response {
    let parts = async {
        // Who may not is told that, whatever they have typed.
        viewer.actor.may(Act::SeeAudit)?;
        let filter = audit_filter(&query)?;
        Ok(sessions.service.export_audit(&viewer.actor, &filter).await?)
    };
    file("audit.csv", parts.await)
}

/// The rooms as a file, with the filters of the inventory, in the shape that an import takes (P0).
async fn rooms(
    State(sessions): State<Sessions>,
    Extension(viewer): Extension<Viewer>,
    Query(query): Query<RoomsQuery>,
) -> Response {
    let (filter, after) = (room_filter(&query), room_cursor(&query.after));
    file(
        "rooms.csv",
        sessions
            .service
            .export_rooms(&viewer.actor, &filter, after)
            .map_err(AppError::from),
    )
}

/// The readiness checks of rooms as a file, with the filters of their page (C8).
async fn readiness(
    State(sessions): State<Sessions>,
    Extension(viewer): Extension<Viewer>,
    Query(query): Query<ReadinessQuery>,
) -> Response {
    let filter = readiness_filter(&query);
    file(
        "readiness.csv",
        sessions
            .service
            .export_readiness(&viewer.actor, &filter)
            .map_err(AppError::from),
    )
}

/// Rooms by how long what they have is supported, with the filters of their page (L5).
async fn support(
    State(sessions): State<Sessions>,
    Extension(viewer): Extension<Viewer>,
    Query(query): Query<SupportQuery>,
) -> Response {
    let parts = support_filter(&query);
    let parts = parts.and_then(|filter| Ok(sessions.service.export_support(&viewer.actor, &filter)?));
    file("support.csv", parts)
}

/// The programs on a device as a file (`docs/devices.md` 4).
async fn programs(
    State(sessions): State<Sessions>,
    Extension(viewer): Extension<Viewer>,
    Path(device): Path<DeviceId>,
) -> Response {
    let parts = sessions.service.export_programs(&viewer.actor, device).await;
    file("programs.csv", parts.map_err(AppError::from))
}

/// The rooms of an update with status and reason, with the filters of its page (P3).
async fn update_rooms(
    State(sessions): State<Sessions>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<UpdateId>,
    Query(query): Query<UpdateRoomsQuery>,
) -> Response {
    let parts = async {
        let filter = update_room_filter(&query)?;
        let after = room_cursor(&query.after);
        let parts = sessions.service.export_update_rooms(&viewer.actor, id, filter, after);
        Ok(parts.await?)
    };
    file("update-rooms.csv", parts.await)
}

fn file(name: &'static str, parts: Result<CsvStream, AppError>) -> Response {
    match parts {
        Ok(parts) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
            ];
            // The status has gone out by then: only the log can say why a file breaks off.
            (headers, Body::from_stream(parts.inspect_err(log_fault))).into_response()
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Html(documents::notice("Not exported", &error.to_string()))).into_response()
        }
    }
}
