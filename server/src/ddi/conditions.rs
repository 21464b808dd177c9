//! Conditional requests (RFC 9110, 13): whether what a client has is what this server would send. It must not send anything itself.

use axum::http::{HeaderMap, header};

/// Whether the client says that it has this answer already: `If-None-Match` names its tag, in a list and as a weak one too, or any.
pub(super) fn has_it_already(headers: &HeaderMap, etag: &str) -> bool {
    let mut given = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    given.any(|tags| {
        tags.split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || opaque(tag) == etag)
    })
}

/// Whether a range may be taken from this file: `If-Range` is missing, or names its tag. A weak tag and a date are never strong enough.
pub(super) fn range_fits(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get(header::IF_RANGE)
        .is_none_or(|tag| tag.as_bytes().trim_ascii() == etag.as_bytes())
}

/// A tag without the mark of a weak one.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_tag_is_found_in_a_list_and_weak_or_not_ddi_1() {
        for given in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\"", "*"] {
            assert!(
                has_it_already(&headers(header::IF_NONE_MATCH, given), "\"a\""),
                "{given}"
            );
        }
        for given in ["\"b\"", "a", "", "\"ab\""] {
            assert!(
                !has_it_already(&headers(header::IF_NONE_MATCH, given), "\"a\""),
                "{given}"
            );
        }
        assert!(!has_it_already(&HeaderMap::new(), "\"a\""));
    }

    #[test]
    fn a_range_is_taken_from_the_file_that_the_client_began_with_and_from_no_other_ddi_2_7() {
        assert!(range_fits(&HeaderMap::new(), "\"a\""));
        assert!(range_fits(&headers(header::IF_RANGE, "\"a\""), "\"a\""));
        for given in ["\"b\"", "W/\"a\"", "Wed, 05 Mar 2025 00:00:00 GMT"] {
            assert!(!range_fits(&headers(header::IF_RANGE, given), "\"a\""), "{given}");
        }
    }
}
