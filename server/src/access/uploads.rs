//! Files that people send (P0): a form of a plain page, and a body that is larger than any other form's. Who may not send it is told before
//! it is read.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use domain::access::Act;
use service::ServiceError;

use super::Doors;
use super::forms::{Sender, act_leading};

/// A file of 100,000 rooms with their devices is a third of it.
const LARGEST_FILE: usize = 32 * 1024 * 1024;

/// The routes that take files.
pub(crate) fn uploads(doors: Doors) -> Router {
    Router::new()
        .route(
            "/rooms/import/file",
            post(rooms).layer(DefaultBodyLimit::max(LARGEST_FILE)),
        )
        .with_state(doors)
}

/// A file of rooms, which is shown before it is imported.
async fn rooms(State(doors): State<Doors>, sender: Sender, request: Request) -> Response {
    act_leading(&doors, sender, "/rooms/import", async |actor| {
        actor.may(Act::EditRooms)?;
        let (name, text) = file_of(request).await?;
        let upload = doors.service.upload_rooms(actor, &name, &text).await?;
        Ok(format!("/rooms/import?upload={upload}"))
    })
    .await
}

/// Name and text of the file in a form.
async fn file_of(request: Request) -> Result<(String, String), ServiceError> {
    let refused = |problem: String| ServiceError::Invalid { field: "file", problem };
    let missing = || refused("choose a file".to_owned());
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| missing())?;
    while let Some(field) = form.next_field().await.map_err(|_| missing())? {
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(missing());
        }
        let bytes = field.bytes().await.map_err(|error| {
            refused(if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                format!("is larger than {} MB", LARGEST_FILE / 1024 / 1024)
            } else {
                "did not arrive; send it again".to_owned()
            })
        })?;
        let text = String::from_utf8(bytes.into()).map_err(|_| refused("is not text in UTF-8".to_owned()))?;
        return Ok((name, text));
    }
    Err(missing())
}
