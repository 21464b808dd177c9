//! Formats that several pages share.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use domain::time_text;
use domain::zone::Zone;
pub(crate) use service::read::forced_words as forced;
use service::read::{ExpectedStart, NumberedPage, Page, ReadSnapshot, Wanted};

use crate::components::model::{Pager, TimeText};
use crate::error::AppError;
pub(crate) use crate::words::count;

/// Rows of a page.
pub(crate) const PAGE: i64 = 50;

pub(crate) fn instant(at: DateTime<Utc>, zone: &Zone, now: DateTime<Utc>) -> TimeText {
    TimeText {
        text: time_text::instant(at, zone, now),
        machine: at.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

/// `Thu 24 Oct 2024`.
pub(crate) fn today(now: DateTime<Utc>, zone: &Zone) -> String {
    zone.date(now).format("%a %-d %b %Y").to_string()
}

/// `10:00`.
pub(crate) fn clock(now: DateTime<Utc>, zone: &Zone) -> TimeText {
    let wall = zone.local(now).wall;
    TimeText {
        text: wall.format("%H:%M").to_string(),
        machine: now.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

pub(crate) fn day(date: NaiveDate, year: i32) -> TimeText {
    TimeText {
        text: time_text::date(date, year),
        machine: date.to_string(),
    }
}

pub(crate) fn year(snapshot: &ReadSnapshot) -> i32 {
    snapshot.organisation.zone.date(snapshot.now).year()
}

/// A day out of a form: `2026-03-01`.
pub(crate) fn parsed_day(field: &str, text: &str) -> Result<NaiveDate, AppError> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").map_err(|_| AppError::Invalid {
        field: field.to_owned(),
        problem: format!("{text:?} is not a date; write it like 2026-03-01"),
    })
}

/// `Wed 2 Oct – Thu 3 Oct`, or one date.
pub(crate) fn span(from: NaiveDate, until_exclusive: NaiveDate, year: i32) -> String {
    let last = until_exclusive.pred_opt().unwrap_or(until_exclusive);
    if last <= from {
        time_text::date(from, year)
    } else {
        format!("{} – {}", time_text::date(from, year), time_text::date(last, year))
    }
}

/// When an update starts in a room, whose zone it is.
pub(crate) fn start(start: &ExpectedStart, zone: &Zone, now: DateTime<Utc>) -> String {
    start.words(zone, now)
}

/// `999 bytes`, `5.3 MB`, `143 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return count(i64::try_from(bytes).unwrap_or(0), "byte", "bytes");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    if tenths < 100 {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", tenths / 10, UNITS[unit])
    }
}

/// What stands on its own begins with a capital and ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut rest = text.trim().trim_end_matches('.').chars();
    match rest.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), rest.as_str()),
        None => String::new(),
    }
}

/// The page of an address, in a list whose pages have numbers.
pub(crate) fn numbered_page(number: u32) -> NumberedPage {
    NumberedPage { number, limit: PAGE }
}

/// What a word of an address asks of one property. An empty word takes every value. An unknown word takes none.
pub(crate) fn wanted<T>(word: &str, from_word: impl FnOnce(&str) -> Option<T>) -> Wanted<T> {
    if word.is_empty() {
        Wanted::Any
    } else {
        from_word(word).map_or(Wanted::Nothing, Wanted::Only)
    }
}

/// A pager over numbered pages. From behind the last page the way back leads to the last one.
pub(crate) fn numbered(page: u32, shown: i64, total: i64, one: &str, many: &str) -> Pager {
    let (page, first) = (page.max(1), numbered_page(page).offset());
    let text = if shown == 0 || shown == total {
        count(total, one, many)
    } else {
        format!("{}–{} of {}", first + 1, first + shown, count(total, one, many))
    };
    let last = (total - 1).max(0) / PAGE + 1;
    let previous = i64::from(page - 1).min(last);
    Pager {
        text,
        previous: (page > 1).then(|| format!("page={previous}")),
        next: (first + shown < total).then(|| format!("page={}", page + 1)),
    }
}

/// The pager of a page that goes on from a row. `with` writes the list's query string with a row's place in the list: (`after` or
/// `before`, place).
pub(crate) fn paged<T, C>(text: String, page: &Page<T, C>, with: impl Fn(&str, &C) -> String) -> Pager {
    Pager {
        text,
        previous: page.previous.as_ref().map(|row| with("before", row)),
        next: page.next.as_ref().map(|row| with("after", row)),
    }
}

/// The pager of a list whose filters, as a query string, are `kept`.
pub(crate) fn with_filters(pager: Pager, kept: &str) -> Pager {
    let with = |page: String| {
        if kept.is_empty() {
            page
        } else {
            format!("{kept}&{page}")
        }
    };
    Pager {
        text: pager.text,
        previous: pager.previous.map(with),
        next: pager.next.map(with),
    }
}

/// A value in a query string.
pub(crate) fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A query string of those that are not empty.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let filled = pairs.iter().filter(|(_, value)| !value.is_empty());
    filled
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// What a browser calls itself, in two words: `Firefox on Linux`.
pub(crate) fn browser(agent: &str) -> String {
    let first = |known: &[(&str, &str)]| {
        known
            .iter()
            .find(|(part, _)| agent.contains(part))
            .map(|(_, name)| (*name).to_owned())
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser,
        (None, _) if agent.is_empty() => "Unknown browser".to_owned(),
        (None, _) => agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_short_enough_to_read() {
        for (bytes, text) in [
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (999_999, "999 kB"),
            (5_312_000, "5.3 MB"),
            (143_654_912, "143 MB"),
            (2_500_000_000_000_000, "2500 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_sentence_has_a_capital_and_one_full_stop() {
        assert_eq!(
            sentence("updates are redirected to WSUS"),
            "Updates are redirected to WSUS."
        );
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn a_page_behind_the_last_one_claims_no_rows() {
        let pager = numbered(9, 0, 7, "update", "updates");
        assert_eq!(pager.text, "7 updates");
        assert_eq!(pager.previous.as_deref(), Some("page=1"));
        assert_eq!(pager.next, None);
        let pager = numbered(2, 20, 70, "update", "updates");
        assert_eq!(pager.text, "51–70 of 70 updates");
        assert_eq!(pager.previous.as_deref(), Some("page=1"));
    }
}
