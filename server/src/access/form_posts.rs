//! Forms of pages whose script does not run (P8): they post to server functions, and are led back to a page instead of an answer in JSON.
//!
//! What was done is said on the next page; what was refused is said where the form stands, with what was typed still in it: its fields
//! stand in the address. Whoever is signed out meanwhile gets a document that sends the same fields once more.

use app::access::documents;
use app::components::model::{FlashMessage, FormSuccess};
use app::error::AppError;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;

use super::forms::safe_next;
use super::{Sessions, flash_value, percent_encoded};
use crate::site::LARGEST_FORM;

/// An address that is longer may not pass every proxy.
const LONGEST_ADDRESS: usize = 7_000;

/// Leads a form without script back to a page.
pub(crate) async fn redirect_form_posts(State(sessions): State<Sessions>, request: Request, next: Next) -> Response {
    let is_plain = request.method() == Method::POST
        && request.uri().path().starts_with("/api/")
        && text(request.headers(), header::ACCEPT).contains("text/html");
    if !is_plain {
        return next.run(request).await;
    }
    let action = request.uri().path().to_owned();
    let from = referring_page(request.headers());
    let (mut parts, body) = request.into_parts();
    let Ok(fields) = axum::body::to_bytes(body, LARGEST_FORM).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    parts
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let answer = next.run(Request::from_parts(parts, Body::from(fields.clone()))).await;
    let (status, body) = (answer.status(), answer.into_body());
    let Ok(body) = axum::body::to_bytes(body, LARGEST_FORM).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if status.is_success()
        && let Ok(done) = serde_json::from_slice::<FormSuccess>(&body)
    {
        let to = safe_next(&done.to).to_owned();
        let (text, one_time_secret) = (done.text, done.one_time_secret);
        let is_good = true;
        return redirect(
            &sessions,
            &to,
            FlashMessage {
                is_good,
                text,
                one_time_secret,
            },
        );
    }
    let Ok(error) = serde_json::from_slice::<AppError>(&body) else {
        return (status, body).into_response();
    };
    let back = with_fields(&from, &fields);
    if error == AppError::SignedOut || back.len() > LONGEST_ADDRESS {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        let is_signed_out = error == AppError::SignedOut;
        let page = documents::send_again(&action, &error.to_string(), is_signed_out, &pairs(&fields));
        return (status, Html(page)).into_response();
    }
    let flash = FlashMessage {
        is_good: false,
        text: error.to_string(),
        one_time_secret: None,
    };
    redirect(&sessions, &back, flash)
}

fn redirect(sessions: &Sessions, to: &str, flash: FlashMessage) -> Response {
    let jar = CookieJar::new().add(sessions.cookie(sessions.flash_cookie(), flash_value(&flash)));
    (jar, Redirect::to(to)).into_response()
}

/// The page of ours on which the form stands: path and query.
fn referring_page(headers: &HeaderMap) -> String {
    let referer = text(headers, header::REFERER).split('#').next().unwrap_or_default();
    let path = referer
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|start| &rest[start..]));
    safe_next(path.unwrap_or_default()).to_owned()
}

/// The address with the fields of a form in its query, in place of what it had under their names.
fn with_fields(address: &str, fields: &Bytes) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let fields = pairs(fields);
    let kept = pairs(query.as_bytes())
        .into_iter()
        .filter(|(name, _)| !fields.iter().any(|(field, _)| field == name));
    let all: Vec<String> = kept
        .chain(fields.clone())
        .map(|(name, value)| format!("{}={}", percent_encoded(&name), percent_encoded(&value)))
        .collect();
    if all.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", all.join("&"))
    }
}

/// Names and values, as forms send them.
fn pairs(form: &[u8]) -> Vec<(String, String)> {
    let form = String::from_utf8_lossy(form);
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stands_in_the_address_in_place_of_what_was_there_p8() {
        let fields = Bytes::from_static(b"update=1&reason=a+%26+b%3D%C3%A9");
        assert_eq!(
            with_fields("/updates/1?do=pause&reason=old", &fields),
            "/updates/1?do=pause&update=1&reason=a%20%26%20b%3D%C3%A9"
        );
        assert_eq!(with_fields("/rooms", &Bytes::new()), "/rooms");
    }
}
