//! Files that people send (P0): a form of a plain page, and a body that is larger than any other form's. Who may not send it is told before
//! it is read.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use domain::access::Act;
use domain::ids::{ProductId, UpdateId};
use serde::Deserialize;
use service::{NewFile, ServiceError, Source};

use super::Sessions;
use super::forms::{FormSender, act, act_and_go_to};

/// A file of 100,000 rooms with their devices is a third of it.
const LARGEST_TEXT: usize = 32 * 1024 * 1024;

/// A file of a release, and the fields beside it.
const LARGEST_RELEASE: usize = 8 * 1024 * 1024 * 1024 + 64 * 1024;

/// The routes that take files.
pub(crate) fn uploads(sessions: Sessions) -> Router {
    Router::new()
        .route(
            "/rooms/import/file",
            post(rooms).layer(DefaultBodyLimit::max(LARGEST_TEXT)),
        )
        .route(
            "/portfolio/import/file",
            post(catalogue).layer(DefaultBodyLimit::max(LARGEST_TEXT)),
        )
        .with_state(sessions)
}

/// The route that takes the files of releases: it may last, so it stands outside of the time that other requests have.
pub(crate) fn release_files(sessions: Sessions) -> Router {
    Router::new()
        .route(
            "/portfolio/files",
            post(release_file).layer(DefaultBodyLimit::max(LARGEST_RELEASE)),
        )
        .with_state(sessions)
}

/// A file of rooms, which is shown before it is imported.
async fn rooms(State(sessions): State<Sessions>, sender: FormSender, request: Request) -> Response {
    act_and_go_to(&sessions, sender, "/rooms/import", async |actor| {
        actor.may(Act::EditRooms)?;
        let mut parts = text_parts(request).await?;
        let (name, text) = parts.remove("file").ok_or_else(missing)?;
        let upload = sessions.service.upload_rooms(actor, &name, &text).await?;
        Ok(format!("/rooms/import?upload={upload}"))
    })
    .await
}

/// The two files of a catalogue, which are shown before they are imported.
async fn catalogue(State(sessions): State<Sessions>, sender: FormSender, request: Request) -> Response {
    act_and_go_to(&sessions, sender, "/portfolio/import", async |actor| {
        actor.may(Act::Publish)?;
        let mut parts = text_parts(request).await?;
        let (_, products) = parts.remove("products").ok_or_else(missing)?;
        let (name, releases) = parts.remove("releases").ok_or_else(missing)?;
        let upload = sessions
            .service
            .upload_catalogue(actor, &name, &products, &releases)
            .await?;
        Ok(format!("/portfolio/import?upload={upload}"))
    })
    .await
}

/// Whose file it is, in the address: that is known before the file arrives.
#[derive(Deserialize)]
struct ReleaseFileQuery {
    product: String,
    release: UpdateId,
}

/// A file of a release. Its bytes go to the disk as they come.
async fn release_file(
    State(sessions): State<Sessions>,
    sender: FormSender,
    Query(query): Query<ReleaseFileQuery>,
    request: Request,
) -> Response {
    let product = ProductId::parse(&query.product).map_or_else(|_| String::new(), |product| format!("/{product}"));
    let back = format!("/portfolio{product}?do=files&release={}", query.release);
    let good = |filename: &String| (format!("{filename} was added."), None);
    act(&sessions, sender, &back, good, async |actor| {
        actor.may(Act::Publish)?;
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| missing())?;
        let (mut expected_sha256, mut received) = (None, None);
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            match field.name() {
                Some("sha256") => {
                    let text = field.text().await.map_err(|error| broken(&error))?;
                    expected_sha256 = Some(text).filter(|text| !text.trim().is_empty());
                }
                Some("file") => {
                    let filename = field.file_name().unwrap_or_default().to_owned();
                    let hashes = sessions
                        .service
                        .receive_file(actor, query.release, &filename, field)
                        .await?;
                    received = Some((filename, hashes));
                }
                Some(_) | None => {}
            }
        }
        let (filename, hashes) = received.ok_or_else(missing)?;
        let file = NewFile {
            filename: filename.clone(),
            source: Source::Received(hashes),
            expected_sha256,
        };
        sessions.service.add_file(actor, query.release, file).await?;
        Ok(filename)
    })
    .await
}

/// The files of a form: field to name and text.
async fn text_parts(request: Request) -> Result<BTreeMap<String, (String, String)>, ServiceError> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| missing())?;
    let mut parts = BTreeMap::new();
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        let (Some(part), Some(name)) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned)) else {
            continue;
        };
        if name.is_empty() {
            return Err(missing());
        }
        let bytes = field.bytes().await.map_err(|error| broken(&error))?;
        let text = String::from_utf8(bytes.into()).map_err(|_| refused("is not text in UTF-8".to_owned()))?;
        parts.insert(part, (name, text));
    }
    Ok(parts)
}

fn refused(problem: String) -> ServiceError {
    ServiceError::Invalid { field: "file", problem }
}

fn missing() -> ServiceError {
    refused("choose a file".to_owned())
}

fn broken(error: &MultipartError) -> ServiceError {
    refused(if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        "is too large".to_owned()
    } else {
        "did not arrive whole; send it again".to_owned()
    })
}
