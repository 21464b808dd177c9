//! The resources of `docs/devices.md` 1, each a few lines: who speaks, one call of the service, the answer.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post, put};
use domain::conversation::feedback::Feedback;
use domain::conversation::{Outcome, presence};
use domain::ids::ActionId;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use service::devices::Credentials;
use service::{Service, ServiceError};
use store::Caller;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::TimeoutLayer;

use super::{artifacts, conditions, wire};

/// No honest report is larger.
const LARGEST_BODY: usize = 256 * 1024;

/// A feedback may have the log of an install in it; of what is larger than [`LARGEST_BODY`] the end is kept as well.
const LARGEST_FEEDBACK: usize = 16 * 1024 * 1024;
const KEPT_OF_THE_END: usize = 4 * 1024;

/// A report that has not arrived after so long was sent too slowly; the device sends it again. Artifacts may take as long as they take.
const SLOWEST: Duration = Duration::from_secs(60);

/// The device API below `/{tenant}/controller/v1/{controller}`.
pub fn routes(service: Service) -> Router {
    let base = "/{tenant}/controller/v1/{controller}";
    Router::new()
        .route(base, get(poll))
        .route(&format!("{base}/configData"), put(config))
        // Unpacked before the limit counts: a small body may be a large list.
        .route(&format!("{base}/inventory"), put(inventory).layer(RequestDecompressionLayer::new()))
        .route(&format!("{base}/deploymentBase/{{action}}"), get(deployment))
        .route(&format!("{base}/deploymentBase/{{action}}/feedback"), post(feedback))
        .route(&format!("{base}/cancelAction/{{action}}"), get(cancel))
        .route(
            &format!("{base}/cancelAction/{{action}}/feedback"),
            post(cancel_feedback),
        )
        .route(&format!("{base}/installedBase/{{action}}"), get(installed))
        .route(&format!("{base}/confirmationBase"), get(confirmation))
        .route(
            &format!("{base}/softwaremodules/{{module}}/artifacts/{{file}}"),
            get(artifact),
        )
        .route(&format!("{base}/{{*rest}}"), any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, SLOWEST))
        // Shared, for a clone of all its parts with every request would cost more than some of the answers.
        .with_state(Arc::new(service))
}

#[derive(Deserialize)]
struct Controller {
    tenant: String,
    controller: String,
}

#[derive(Deserialize)]
struct Action {
    tenant: String,
    controller: String,
    action: String,
}

#[derive(Deserialize)]
struct File {
    tenant: String,
    controller: String,
    module: String,
    file: String,
}

/// Why a device gets no answer to its question.
enum DeviceError {
    /// 401 with an empty body: neither token matches.
    Unauthorized,
    /// 404.
    NotFound(&'static str),
    /// 405.
    WrongMethod,
    /// 410.
    Gone,
    /// 400.
    Bad(String),
    /// 413, with the most bytes that are taken.
    TooLarge(usize),
    /// 500 or 503; the log says more.
    Failed(ServiceError),
}

impl From<ServiceError> for DeviceError {
    fn from(error: ServiceError) -> Self {
        match error {
            // The file of an artifact is gone: asking again would not bring it.
            ServiceError::NotFound { .. } => Self::NotFound("This artifact"),
            other => Self::Failed(other),
        }
    }
}

impl IntoResponse for DeviceError {
    fn into_response(self) -> Response {
        let (status, error_code, message) = match self {
            Self::Unauthorized => return StatusCode::UNAUTHORIZED.into_response(),
            Self::NotFound(what) => (
                StatusCode::NOT_FOUND,
                "hawkbit.server.error.repo.entitiyNotFound",
                format!("{what} does not exist"),
            ),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "hawkbit.server.error.rest.method.notAllowed",
                "this resource does not take this method".to_owned(),
            ),
            Self::Gone => {
                let message = "the action has ended; its link is gone with the next poll".to_owned();
                (StatusCode::GONE, "hawkbit.server.error.action.notActive", message)
            }
            Self::Bad(message) => (
                StatusCode::BAD_REQUEST,
                "hawkbit.server.error.rest.body.notReadable",
                message,
            ),
            Self::TooLarge(most) => {
                let message = format!("the body is larger than {most} bytes");
                (
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "hawkbit.server.error.rest.body.tooLarge",
                    message,
                )
            }
            Self::Failed(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a device could not be answered"
                );
                let message = "Nightshift cannot answer right now; the device will ask again".to_owned();
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "hawkbit.server.error.internal",
                    message,
                )
            }
        };
        (status, axum::Json(wire::ErrorBody { error_code, message })).into_response()
    }
}

type DeviceResult = Result<Response, DeviceError>;

/// What the protocol has and this server has not. A device gets no page.
async fn unknown() -> DeviceError {
    DeviceError::NotFound("This resource")
}

async fn wrong_method() -> DeviceError {
    DeviceError::WrongMethod
}

/// Takes slashes that are too many out of the addresses of devices, before they are looked up: the commonest mistake of a set-up
/// (`docs/devices.md` 4).
pub(crate) async fn drop_stray_slashes(mut request: Request) -> Request {
    if let Some(address) = without_stray_slashes(request.uri()) {
        *request.uri_mut() = address;
    }
    request
}

/// The address of a device without the slashes that are too many; `None`: it is none, or has none.
fn without_stray_slashes(uri: &Uri) -> Option<Uri> {
    // Hardly any request goes on from here.
    if !uri.path().contains("//") && !uri.path().ends_with('/') {
        return None;
    }
    let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let is_of_a_device = matches!(segments.as_slice(), [_, "controller", "v1", _, ..]);
    let path = format!("/{}", segments.join("/"));
    if !is_of_a_device || path == uri.path() {
        return None;
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{path}{query}").parse().ok()
}

/// The device that speaks; it speaks for itself only (A4).
async fn authenticate(
    service: &Service,
    tenant: &str,
    controller: &str,
    headers: &HeaderMap,
) -> Result<Caller, DeviceError> {
    if !tenant.eq_ignore_ascii_case(&service.process_config().tenant) {
        return Err(DeviceError::NotFound("This tenant"));
    }
    let authorization = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (scheme, token) = authorization.split_once(' ').unwrap_or_default();
    let token = token.trim().to_owned();
    let credentials = match scheme.to_ascii_lowercase().as_str() {
        "targettoken" => Credentials::Target(token),
        "gatewaytoken" => Credentials::Gateway(token),
        _ => return Err(DeviceError::Unauthorized),
    };
    let mut caller = service
        .device(controller, &credentials)
        .await?
        .ok_or(DeviceError::Unauthorized)?;
    let agent = headers
        .get(header::USER_AGENT)
        .map_or(&b""[..], |agent| agent.as_bytes());
    caller.window_aware |= presence::keeps_own_windows(agent);
    Ok(caller)
}

fn action_id(text: &str) -> Result<ActionId, DeviceError> {
    match text.parse::<i32>() {
        Ok(id) if id > 0 => Ok(ActionId(id)),
        Ok(_) | Err(_) => Err(DeviceError::NotFound("This action")),
    }
}

/// The controller's own address, absolute, from the configured public URL (`docs/devices.md` 2.8).
fn base(service: &Service, controller: &str) -> String {
    let config = service.process_config();
    format!(
        "{}/{}/controller/v1/{controller}",
        config.public_url,
        config.tenant.to_uppercase()
    )
}

fn hal(headers: &HeaderMap, value: &Value) -> Response {
    hal_text(headers, value.to_string())
}

fn hal_text(headers: &HeaderMap, text: String) -> Response {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let plain = accepts.contains("application/json") && !accepts.contains("application/hal+json");
    let media_type = if plain {
        "application/json"
    } else {
        "application/hal+json"
    };
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}

async fn poll(State(service): State<Arc<Service>>, Path(path): Path<Controller>, headers: HeaderMap) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let answer = service.poll(&caller).await?;
    let body = wire::poll(&answer, &base(&service, &caller.controller)).to_string();
    let etag = etag(&body);
    let mut response = if conditions::has_it_already(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        hal_text(&headers, body)
    };
    if let Ok(etag) = etag.parse() {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

fn etag(body: &str) -> String {
    // Only ever compared with what this program said before; a new release may say something else.
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

async fn config(
    State(service): State<Arc<Service>>,
    Path(path): Path<Controller>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let report = wire::parse_config(&read(body)?).map_err(DeviceError::Bad)?;
    match service.config(caller.id, report).await? {
        Outcome::Changed | Outcome::Noted => Ok(StatusCode::OK.into_response()),
        Outcome::Refused(refusal) => Err(DeviceError::Bad(refusal.to_string())),
        Outcome::Ended | Outcome::NotFound => Err(DeviceError::NotFound("This device")),
    }
}

/// The programs on a device (`docs/devices.md` 4).
async fn inventory(
    State(service): State<Arc<Service>>,
    Path(path): Path<Controller>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let list = wire::parse_inventory(&read(body)?).map_err(DeviceError::Bad)?;
    match service.programs(caller.id, list).await? {
        Ok(()) => Ok(StatusCode::OK.into_response()),
        Err(refusal) => Err(DeviceError::Bad(refusal.to_string())),
    }
}

async fn deployment(State(service): State<Arc<Service>>, Path(path): Path<Action>, headers: HeaderMap) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let work = service
        .work(&caller, action_id(&path.action)?)
        .await?
        .ok_or(DeviceError::NotFound("This action"))?;
    Ok(hal(
        &headers,
        &wire::deployment(&work, &base(&service, &caller.controller)),
    ))
}

async fn installed(State(service): State<Arc<Service>>, Path(path): Path<Action>, headers: HeaderMap) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let work = service
        .installed(caller.id, action_id(&path.action)?)
        .await?
        .ok_or(DeviceError::NotFound("This action"))?;
    Ok(hal(
        &headers,
        &wire::deployment(&work, &base(&service, &caller.controller)),
    ))
}

async fn feedback(
    State(service): State<Arc<Service>>,
    Path(path): Path<Action>,
    headers: HeaderMap,
    body: Body,
) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let action = action_id(&path.action)?;
    let feedback = read_feedback(body).await?;
    report_response(service.feedback(&caller, action, feedback).await?, "This action")
}

fn report_response(outcome: Outcome, what: &'static str) -> DeviceResult {
    match outcome {
        // Exactly 200: on 204 swupdate repeats its first report at every poll for ever (`docs/devices.md` 2.3).
        Outcome::Changed | Outcome::Noted => Ok(StatusCode::OK.into_response()),
        Outcome::Ended => Err(DeviceError::Gone),
        Outcome::NotFound => Err(DeviceError::NotFound(what)),
        Outcome::Refused(refusal) => Err(DeviceError::Bad(refusal.to_string())),
    }
}

async fn cancel(State(service): State<Arc<Service>>, Path(path): Path<Action>, headers: HeaderMap) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let action = action_id(&path.action)?;
    if !service.cancel_wanted(caller.id, action).await? {
        return Err(DeviceError::NotFound("This cancel"));
    }
    let id = action.to_string();
    Ok(hal(&headers, &json!({ "id": id, "cancelAction": { "stopId": id } })))
}

async fn cancel_feedback(
    State(service): State<Arc<Service>>,
    Path(path): Path<Action>,
    headers: HeaderMap,
    body: Body,
) -> DeviceResult {
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let action = action_id(&path.action)?;
    let feedback = read_feedback(body).await?;
    report_response(
        service.cancel_feedback(caller.id, action, feedback).await?,
        "This cancel",
    )
}

async fn confirmation(
    State(service): State<Arc<Service>>,
    Path(path): Path<Controller>,
    headers: HeaderMap,
) -> DeviceResult {
    authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    Ok(hal(&headers, &json!({ "autoConfirm": { "active": true } })))
}

async fn artifact(
    State(service): State<Arc<Service>>,
    Path(path): Path<File>,
    method: Method,
    headers: HeaderMap,
) -> DeviceResult {
    const NOT_FOUND: DeviceError = DeviceError::NotFound("This artifact");
    let caller = authenticate(&service, &path.tenant, &path.controller, &headers).await?;
    let module = path.module.parse::<i32>().map_err(|_| NOT_FOUND)?;
    let file = path.file.strip_suffix(".MD5SUM").unwrap_or(&path.file);
    if let Some(record) = service.settings_file(&caller, module, file).await? {
        return Ok(artifacts::serve_settings(&record, &path.file));
    }
    if let Some(file) = path.file.strip_suffix(".MD5SUM") {
        let record = service.fetch(&caller, module, file, false).await?.ok_or(NOT_FOUND)?;
        return Ok(format!("{}  {}\n", record.artifact.md5, record.artifact.filename).into_response());
    }
    // A HEAD looks; the first GET starts the install (`docs/devices.md` 2.2).
    let record = service
        .fetch(&caller, module, &path.file, method == Method::GET)
        .await?
        .ok_or(NOT_FOUND)?;
    Ok(artifacts::serve(&service, &record, &method, &headers).await?)
}

/// Reads a feedback. Of one that is too large the beginning and the end are read, so that a device's last word is not lost behind its log
/// (`docs/devices.md` 2.4). Only a device that has proved who it is gets so far.
async fn read_feedback(body: Body) -> Result<Feedback, DeviceError> {
    let mut chunks = body.into_data_stream();
    let (mut beginning, mut end, mut size) = (Vec::new(), VecDeque::<u8>::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| DeviceError::Bad("the body ended before its length".to_owned()))?;
        size = size.saturating_add(chunk.len());
        if size > LARGEST_FEEDBACK {
            return Err(DeviceError::TooLarge(LARGEST_FEEDBACK));
        }
        let (first, rest) = chunk.split_at(chunk.len().min(LARGEST_BODY - beginning.len()));
        beginning.extend_from_slice(first);
        end.extend(rest);
        end.drain(..end.len().saturating_sub(KEPT_OF_THE_END));
    }
    let feedback = if end.is_empty() {
        wire::parse_feedback(&beginning)
    } else {
        beginning.extend(end);
        wire::parse_shortened_feedback(&beginning)
    };
    feedback.map_err(DeviceError::Bad)
}

fn read(body: Result<Bytes, BytesRejection>) -> Result<Bytes, DeviceError> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => DeviceError::TooLarge(LARGEST_BODY),
        _ => DeviceError::Bad("the body ended before its length, or is not packed as its head says".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_device_loses_the_slashes_that_are_too_many_ddi_4() {
        let straight = |address: &str| {
            let uri: Uri = address.parse().expect("an address");
            without_stray_slashes(&uri).map(|uri| uri.to_string())
        };
        let poll = Some("/DEFAULT/controller/v1/lab-1".to_owned());
        for address in [
            "//DEFAULT/controller/v1/lab-1",
            "/DEFAULT/controller/v1/lab-1/",
            "/DEFAULT//controller///v1/lab-1//",
        ] {
            assert_eq!(straight(address), poll, "{address}");
        }
        let feedback = "/DEFAULT/controller/v1/lab-1/deploymentBase/1/feedback?c=7";
        assert_eq!(straight(&format!("/{feedback}")), Some(feedback.to_owned()));
        for other in [
            "/DEFAULT/controller/v1/lab-1",
            "/DEFAULT/controller/v1/",
            "/updates/",
            "//updates",
            "/",
        ] {
            assert_eq!(straight(other), None, "{other}");
        }
    }
}
