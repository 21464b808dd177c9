//! Query strings: the state of every list is in the address.
//!
//! Own encoding, so that the server and the browser write the same characters.

use leptos_router::params::ParamsMap;

use super::dialog::DIALOG;

/// The value of `key`, or nothing.
#[must_use]
pub fn value(query: &ParamsMap, key: &str) -> String {
    query.get(key).unwrap_or_default()
}

/// What was typed in a form that came back, or what is known.
#[must_use]
pub fn typed(query: &ParamsMap, key: &str, known: &str) -> String {
    let typed = value(query, key);
    if typed.is_empty() { known.to_owned() } else { typed }
}

/// The page in the address, from 1.
#[must_use]
pub fn page(query: &ParamsMap) -> u32 {
    query
        .get_str("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1)
        .max(1)
}

/// The address `path` with these values; empty ones are left out.
#[must_use]
pub fn address<'a>(path: &str, values: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let query = query_string(values);
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// A link to this page with another `key`, back on its first page.
#[must_use]
pub fn with(path: &str, query: &ParamsMap, key: &str, changed: &str) -> String {
    let kept: Vec<(&str, &str)> = query
        .latest_values()
        .map(|(name, value)| (name.as_ref(), value))
        .filter(|(name, _)| *name != key && !is_position(name))
        .collect();
    address(path, kept.into_iter().chain([(key, changed)]))
}

/// A link to this page with nothing but these keys: without a dialog, and what was typed in it.
#[must_use]
pub fn only(path: &str, query: &ParamsMap, keys: &[&str]) -> String {
    let kept = query.latest_values().filter(|(name, _)| keys.contains(&name.as_ref()));
    let kept: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_ref(), value)).collect();
    address(path, kept)
}

/// A link to the first page of the list, as it is filtered and sorted.
#[must_use]
pub fn first_page(path: &str, query: &ParamsMap) -> String {
    with(path, query, "page", "")
}

/// Whether the address is not that of the first page.
#[must_use]
pub fn is_later_page(query: &ParamsMap) -> bool {
    let from_a_row = ["after", "before"]
        .into_iter()
        .any(|name| query.get_str(name).is_some_and(|value| !value.is_empty()));
    from_a_row || page(query) > 1
}

/// Whether the address narrows the list.
#[must_use]
pub fn is_filtered(query: &ParamsMap) -> bool {
    query
        .latest_values()
        .any(|(name, value)| name != "sort" && !is_position(name) && !value.is_empty())
}

/// The query string that a form would send, without its empty fields.
#[must_use]
pub fn without_empty(query: &str) -> String {
    let filled = query
        .split('&')
        .filter(|pair| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty()));
    filled.collect::<Vec<_>>().join("&")
}

fn is_position(name: &str) -> bool {
    matches!(name, "page" | "after" | "before" | DIALOG)
}

fn query_string<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let filled = values.into_iter().filter(|(_, value)| !value.is_empty());
    filled
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_stay_out_of_the_address() {
        assert_eq!(
            without_empty("q=&status=paused&vendor=&past=on"),
            "status=paused&past=on"
        );
        assert_eq!(without_empty("q="), "");
        assert_eq!(without_empty(""), "");
    }

    #[test]
    fn an_address_is_encoded_alike_everywhere() {
        assert_eq!(
            address("/rooms", [("q", "São & co"), ("ring", "")]),
            "/rooms?q=S%C3%A3o%20%26%20co"
        );
        assert_eq!(address("/rooms", [("q", "")]), "/rooms");
        assert_eq!(address("/updates", [("sort", "-ends")]), "/updates?sort=-ends");
    }
}
