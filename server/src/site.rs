//! Pages and the files they need: the Leptos app, its server functions, wasm, style, icons.

use std::sync::Arc;
use std::time::Duration;

use app::context::RequestContext;
use app::error::AppError;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list};
use service::Service;
use service::change_feed::ChangeFeed;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::access::{self, EventsState, RequestLimits, Sessions};
use crate::config::ServerConfig;

/// No form here is larger.
pub(crate) const LARGEST_FORM: usize = 64 * 1024;

/// What takes longer than this was sent too slowly, or waits for something that does not come.
const SLOWEST: Duration = Duration::from_secs(30);

/// The pages, their server functions and their files.
pub(crate) fn pages(service: Service, config: &ServerConfig) -> Router {
    let options = LeptosOptions::builder()
        .output_name("nightshift")
        .site_root(std::env::var("LEPTOS_SITE_ROOT").unwrap_or_else(|_| "target/site".to_owned()))
        .site_pkg_dir("pkg")
        .build();
    let sessions = Sessions::new(service.clone(), config);
    let rendered = rendered(service, config, &options, &sessions);
    let limits = Arc::new(RequestLimits::new());
    Router::new()
        .route("/pkg/{*file}", get(files::package))
        .route("/icons.svg", get(files::icons))
        .route("/favicon.svg", get(files::favicon))
        .with_state(options)
        .merge(rendered)
        .merge(access::forms(sessions.clone()))
        .merge(access::uploads(sessions.clone()))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, SLOWEST))
        .merge(access::release_files(sessions.clone()))
        .layer(axum::middleware::from_fn_with_state(
            sessions.clone(),
            access::same_origin_only,
        ))
        .merge(access::reports(sessions.clone()))
        .layer(axum::middleware::from_fn(access::refuse_framing))
        .layer(axum::middleware::from_fn_with_state(
            (sessions.clone(), limits),
            access::limit_requests,
        ))
        .layer(axum::middleware::from_fn_with_state(sessions, access::with_headers))
        .layer(axum::middleware::from_fn(never_cached))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// The pages, rendered here and taken over by the browser, with their server functions, their events and their exports.
fn rendered(service: Service, config: &ServerConfig, options: &LeptosOptions, sessions: &Sessions) -> Router {
    let request_context = RequestContext::new(service.clone(), config.demo_clock.clone());
    let routes = generate_route_list(app::App);
    let context = {
        let request_context = request_context.clone();
        let parts = files::parts(options);
        move || {
            provide_context(request_context.clone());
            provide_context(parts.clone());
        }
    };
    let functions = {
        let context = context.clone();
        move |request: Request| leptos_axum::handle_server_fns_with_context(context.clone(), request)
    };
    let events_state = EventsState {
        sessions: sessions.clone(),
        change_feed: ChangeFeed::new(service.clone(), config.stop.clone()),
        stop: config.stop.clone(),
    };
    Router::new()
        .route("/events", get(access::events).with_state(events_state))
        .route("/api/{*function}", get(functions.clone()).post(functions))
        .leptos_routes_with_context(options, routes, context.clone(), {
            let options = options.clone();
            move || app::shell(options.clone())
        })
        .fallback(leptos_axum::render_app_async_with_context(context, {
            let options = options.clone();
            move || app::shell(options.clone())
        }))
        .layer(axum::middleware::from_fn(with_status))
        .layer(axum::middleware::from_fn_with_state(
            sessions.clone(),
            access::authenticate,
        ))
        .layer(axum::middleware::from_fn_with_state(
            sessions.clone(),
            access::redirect_form_posts,
        ))
        .with_state(options.clone())
        .merge(access::exports(sessions.clone()))
        .layer(CompressionLayer::new())
}

/// A server function's refusal has the status that says what it is; leptos answers 500 to all of them.
async fn with_status(request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    if !is_function || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // What a function says of an error is short.
    let Ok(body) = axum::body::to_bytes(body, LARGEST_FORM).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Ok(error) = serde_json::from_slice::<AppError>(&body) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(parts.status);
    }
    Response::from_parts(parts, Body::from(body))
}

/// Pages show the state of this instant; files say for themselves how long they keep.
async fn never_cached(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

mod files {
    use app::hydration::WasmParts;
    use axum::body::Bytes;

    use self::source::read;
    use super::{HeaderMap, HeaderValue, IntoResponse, LeptosOptions, Path, Response, State, StatusCode, header};

    pub(super) async fn package(
        State(options): State<LeptosOptions>,
        Path(file): Path<String>,
        headers: HeaderMap,
    ) -> Response {
        answer(&options, &format!("pkg/{file}"), &headers).await
    }

    pub(super) async fn icons(State(options): State<LeptosOptions>, headers: HeaderMap) -> Response {
        answer(&options, "icons.svg", &headers).await
    }

    pub(super) async fn favicon(State(options): State<LeptosOptions>, headers: HeaderMap) -> Response {
        answer(&options, "favicon.svg", &headers).await
    }

    /// A file of the site.
    struct File {
        bytes: Bytes,
        /// The first half of its SHA-256.
        tag: [u8; 16],
    }

    /// The file, precompressed where the browser takes it and there is one.
    async fn answer(options: &LeptosOptions, path: &str, headers: &HeaderMap) -> Response {
        if path.split('/').any(|part| part.starts_with('.')) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let accepts = headers
            .get(header::ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        for (encoding, ending) in [("br", ".br"), ("gzip", ".gz")] {
            if accepts.contains(encoding)
                && let Some(file) = read(options, &format!("{path}{ending}")).await
            {
                return typed(path, Some(encoding), file, headers);
            }
        }
        match read(options, path).await {
            Some(file) => typed(path, None, file, headers),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn typed(path: &str, encoding: Option<&'static str>, file: File, headers: &HeaderMap) -> Response {
        let media_type = match path.rsplit('.').next() {
            Some("wasm") => "application/wasm",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some(_) | None => "application/octet-stream",
        };
        // Names carry no hash, so browsers ask each time whether what they have is still right.
        let etag = format!("\"{:032x}\"", u128::from_be_bytes(file.tag));
        let unchanged = headers
            .get(header::IF_NONE_MATCH)
            .is_some_and(|given| given.as_bytes() == etag.as_bytes());
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            file.bytes.into_response()
        };
        let answered = response.headers_mut();
        answered.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answered.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            answered.insert(header::ETAG, etag);
        }
        if let Some(encoding) = encoding {
            answered.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    /// Where the parts of the browser's program are. Without them a page asks for its part a moment later.
    pub(super) fn parts(options: &LeptosOptions) -> WasmParts {
        let Some(manifest) = source::manifest(options) else {
            return WasmParts::default();
        };
        WasmParts::read(&manifest).unwrap_or_else(|error| {
            tracing::warn!(%error, "the list of the front end's parts is not readable");
            WasmParts::default()
        })
    }

    fn tag(hash: &[u8]) -> [u8; 16] {
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash[..16]);
        tag
    }

    /// The site within the program.
    #[cfg(feature = "embed")]
    mod source {
        use std::borrow::Cow;

        use axum::body::Bytes;

        use super::{File, LeptosOptions, WasmParts, tag};

        #[derive(rust_embed::RustEmbed)]
        #[folder = "../target/site"]
        struct Site;

        pub(super) async fn read(_options: &LeptosOptions, path: &str) -> Option<File> {
            let file = Site::get(path)?;
            let tag = tag(&file.metadata.sha256_hash());
            let bytes = match file.data {
                Cow::Borrowed(inside) => Bytes::from_static(inside),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            Some(File { bytes, tag })
        }

        pub(super) fn manifest(_options: &LeptosOptions) -> Option<Vec<u8>> {
            Site::get(&format!("pkg/{}", WasmParts::FILE)).map(|file| file.data.into_owned())
        }
    }

    /// The site as it was built last.
    #[cfg(not(feature = "embed"))]
    mod source {
        use std::path::Path;

        use sha2::{Digest, Sha256};

        use super::{File, LeptosOptions, WasmParts, tag};

        pub(super) async fn read(options: &LeptosOptions, path: &str) -> Option<File> {
            let bytes = tokio::fs::read(Path::new(&*options.site_root).join(path)).await.ok()?;
            Some(File {
                tag: tag(&Sha256::digest(&bytes)),
                bytes: bytes.into(),
            })
        }

        pub(super) fn manifest(options: &LeptosOptions) -> Option<Vec<u8>> {
            std::fs::read(Path::new(&*options.site_root).join("pkg").join(WasmParts::FILE)).ok()
        }
    }
}
