//! Serving an artifact: whole, by range, or its MD5 line (`docs/devices.md` 2.7).

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use service::remedies::SETTINGS;
use service::{Service, ServiceError};
use store::ArtifactRecord;

use super::conditions::range_fits;

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestedRange {
    /// All of it.
    Whole,
    /// From the first to the second byte, both inside.
    Span(u64, u64),
    /// Nothing that there is.
    Unsatisfiable,
}

/// Reads a Range header. Several ranges, and what is no range of bytes, are answered with the whole file.
pub(crate) fn requested_range(range: Option<&str>, size: u64) -> RequestedRange {
    let Some(range) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return RequestedRange::Whole;
    };
    let Some((from, until)) = range.split_once('-').filter(|_| !range.contains(',')) else {
        return RequestedRange::Whole;
    };
    let (from, until) = (from.trim(), until.trim());
    let last = size.saturating_sub(1);
    match (from.parse::<u64>(), until.parse::<u64>()) {
        (Ok(from), _) if from >= size => RequestedRange::Unsatisfiable,
        (Ok(from), Ok(until)) if from <= until => RequestedRange::Span(from, until.min(last)),
        (Ok(_), Ok(_)) => RequestedRange::Whole,
        (Ok(from), Err(_)) if until.is_empty() => RequestedRange::Span(from, last),
        (Err(_), Ok(0)) if from.is_empty() => RequestedRange::Unsatisfiable,
        (Err(_), Ok(tail)) if from.is_empty() && size > 0 => RequestedRange::Span(size.saturating_sub(tail), last),
        (Ok(_) | Err(_), _) => RequestedRange::Whole,
    }
}

/// The file of a changed setting, which lies nowhere, or its MD5 line.
pub(crate) fn serve_settings(record: &ArtifactRecord, asked: &str) -> Response {
    let artifact = &record.artifact;
    if asked != artifact.filename {
        return format!("{}  {}\n", artifact.md5, artifact.filename).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::ETAG, format!("\"{}\"", artifact.sha256)),
    ];
    (headers, SETTINGS).into_response()
}

pub(crate) async fn serve(
    service: &Service,
    record: &ArtifactRecord,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, ServiceError> {
    let artifact = &record.artifact;
    if let Some(url) = &artifact.url {
        return Ok((StatusCode::FOUND, [(header::LOCATION, url.clone())]).into_response());
    }
    let size = artifact.size;
    let etag = format!("\"{}\"", artifact.sha256);
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let range = range.filter(|_| range_fits(headers, &etag));
    let (status, from, until) = match requested_range(range, size) {
        RequestedRange::Whole => (StatusCode::OK, 0, size),
        RequestedRange::Span(from, last) => (StatusCode::PARTIAL_CONTENT, from, last + 1),
        RequestedRange::Unsatisfiable => {
            let content_range = format!("bytes */{size}");
            return Ok((
                StatusCode::RANGE_NOT_SATISFIABLE,
                [(header::CONTENT_RANGE, content_range)],
            )
                .into_response());
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_LENGTH, until - from)
        .header(header::ETAG, etag);
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(header::CONTENT_RANGE, format!("bytes {from}-{}/{size}", until - 1));
    }
    let body = if *method == Method::HEAD || size == 0 {
        Body::empty()
    } else {
        Body::from_stream(service.open_artifact(&artifact.sha256, from, until).await?)
    };
    Ok(response
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()))
}

#[cfg(test)]
mod tests {
    use super::{RequestedRange, requested_range};

    #[test]
    fn ranges_are_read_as_clients_send_them_ddi_2_7() {
        assert_eq!(requested_range(None, 10), RequestedRange::Whole);
        assert_eq!(requested_range(Some("bytes=0-"), 10), RequestedRange::Span(0, 9));
        assert_eq!(requested_range(Some("bytes=4-"), 10), RequestedRange::Span(4, 9));
        assert_eq!(requested_range(Some("bytes=4-5"), 10), RequestedRange::Span(4, 5));
        assert_eq!(requested_range(Some("bytes=4-99"), 10), RequestedRange::Span(4, 9));
        assert_eq!(requested_range(Some("bytes=-3"), 10), RequestedRange::Span(7, 9));
        assert_eq!(
            requested_range(Some("bytes=10-"), 10),
            RequestedRange::Unsatisfiable,
            "416 at the end of the file"
        );
        assert_eq!(requested_range(Some("bytes=1-2,4-5"), 10), RequestedRange::Whole);
        assert_eq!(requested_range(Some("bytes=9-4"), 10), RequestedRange::Whole);
        assert_eq!(requested_range(Some("lines=1-2"), 10), RequestedRange::Whole);
    }
}
